"""Rules by which two records are the same place, may be, or are not. No I/O.

A pair is compared by its names, its addresses and points, and what it shares. `is_certain` says
whether the records merge without asking, `is_question` whether a person is asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from geo.sites.matching_addresses import StreetRelation, compare_streets
from geo.sites.matching_candidates import Features
from geo.sites.matching_names import NameRelation, compare_names, similarity, words_agree
from geo.wording import figures

QUESTION = 75.0
"""Score from which two records of different lists are asked about."""

QUESTION_INSIDE_LIST = 90.0
"""The same within one list, whose producer rarely lists a place twice."""

SAME_POINT_M = 15.0
"""Distance in metres up to which two points are one."""

SAME_SQUARE_M = 60.0
"""The same for records of one name in one street or square, one at least without house number."""

ONE_ADDRESS_M = 250.0
"""Distance in metres above which one address is doubted: a commune may have two streets of one name."""

FAR_APART_M = 1_000.0
"""Distance in metres above which two records never merge by themselves."""

_SAME_ID, _SAME_SIRET, _SAME_CONTACT, _SAME_CONTACTS_MOST = 15.0, 6.0, 3.0, 6.0
"""Points added for what two records share."""

_NAME_SCORES = {
    NameRelation.SAME: 100.0,
    NameRelation.COMPATIBLE: 90.0,
    NameRelation.MARKED: 70.0,
    NameRelation.HOSTED: 65.0,
    NameRelation.CONFLICT: 20.0,
}
_UNKNOWN_NAME, _UNKNOWN_NAME_STEP = 50.0, 0.4
"""Score of names of unknown relation, and what each point of their similarity adds."""

_DOOR_SCORE, _LIKE_SCORE, _ELSEWHERE_SCORE, _NO_DISTANCE_SCORE = 100.0, 85.0, 30.0, 50.0
_DISTANCE_UNIT_M = 111.0
"""Distance at which the score of place is half."""

_PUBLIC_SIREN = ("1", "2")
"""First digits of the SIREN of public bodies, which use one SIRET for several places."""


class _Place(IntEnum):
    """How close two records are, from their addresses and points."""

    APART = 0
    NEAR = 1
    LIKE = 2
    """Probably one door: a house number is missing, or the points are far apart."""
    DOOR = 3


@dataclass(frozen=True, slots=True)
class PairComparison:
    """All that is known of a pair."""

    a: Features
    b: Features
    metres: float
    names: NameRelation
    place: _Place
    streets: StreetRelation
    numbers: bool | None
    """Whether the house numbers agree; None when at least one is missing."""
    same_siret: bool
    contacts: tuple[str, ...]
    world_id: bool
    source_id: bool

    @property
    def one_commune(self) -> bool:
        """Whether both records have a commune, and the same."""
        return bool(self.a.commune) and self.a.commune == self.b.commune

    @property
    def one_list(self) -> bool:
        """Whether one producer lists both, under two identifiers, as two places."""
        if self.world_id or self.source_id:
            return False
        if self.a.source and self.b.source:
            return self.a.source == self.b.source
        return self.a.dataset == self.b.dataset

    @property
    def own_words(self) -> bool:
        """Whether the names share words that are theirs alone."""
        return words_agree(self.a.name, self.b.name)

    @property
    def same_address(self) -> bool:
        """Whether both have the same street and house number."""
        return self.streets is StreetRelation.SAME and self.numbers is True

    @property
    def same_name_in_one_street(self) -> bool:
        """Whether they share a street, no number contradicts it, and a name or SIRET that few have."""
        return (
            self.streets is StreetRelation.SAME
            and self.numbers is not False
            and self.names is NameRelation.SAME
            and (self.own_words or self.same_siret)
        )

    @property
    def names_fit(self) -> bool:
        """Whether the names may be those of one door."""
        return self.names in (NameRelation.SAME, NameRelation.COMPATIBLE)

    @property
    def far_apart(self) -> bool:
        """Whether the points are too far apart for one place."""
        return self.metres > FAR_APART_M


def compare_pair(a: Features, b: Features, metres: float) -> PairComparison:
    """Compare two records; `metres` is the distance of their own points, NaN if one has none. Symmetric."""
    names = compare_names(a.name, b.name)
    if names is NameRelation.HOSTED and _complement_names_host(a, b):
        names = NameRelation.COMPATIBLE
    streets = compare_streets(a.address, b.address)
    numbers = _same_number(a, b)
    place = _place(streets, numbers, metres, names)
    contacts = (
        *(["même téléphone"] if a.phones & b.phones else []),
        *(["même courriel"] if a.emails & b.emails else []),
        *(["même site web"] if a.sites & b.sites else []),
        *(["même domaine internet"] if a.domains & b.domains and not _same_web(a, b) else []),
    )
    return PairComparison(
        a=a,
        b=b,
        metres=metres,
        names=names,
        place=place,
        streets=streets,
        numbers=numbers,
        same_siret=bool(a.siret) and a.siret == b.siret,
        contacts=contacts,
        world_id=bool(a.world_ids & b.world_ids),
        source_id=bool(a.source_ids & b.source_ids),
    )


def _same_web(a: Features, b: Features) -> bool:
    return bool(a.emails & b.emails or a.sites & b.sites)


def _complement_names_host(a: Features, b: Features) -> bool:
    """Return whether the address complement of one names the service that the other is."""
    return bool(a.complement.services & b.name.services or b.complement.services & a.name.services)


def _same_number(a: Features, b: Features) -> bool | None:
    """Compare house numbers; None when at least one is missing."""
    if not a.address.numbers or not b.address.numbers:
        return None
    return bool(a.address.numbers & b.address.numbers)


def _place(streets: StreetRelation, numbers: bool | None, metres: float, names: NameRelation) -> _Place:
    same_name = names is NameRelation.SAME
    one_street = streets in (StreetRelation.SAME, StreetRelation.LIKE)
    if streets is StreetRelation.SAME and numbers is True:
        return _Place.LIKE if metres > ONE_ADDRESS_M else _Place.DOOR
    if metres <= SAME_POINT_M:
        # A geocoder places what it does not know at the centre of the village or of the street.
        if streets is StreetRelation.OTHER or numbers is False:
            return _Place.LIKE if same_name else _Place.NEAR
        return _Place.DOOR if one_street or same_name else _Place.LIKE
    if numbers is not False and one_street:
        if streets is StreetRelation.SAME and metres <= SAME_SQUARE_M and same_name:
            return _Place.DOOR
        if not metres > ONE_ADDRESS_M:
            return _Place.LIKE
    if numbers is False and one_street and not same_name:
        return _Place.APART
    return _Place.NEAR if metres <= ONE_ADDRESS_M else _Place.APART


def pair_score(pair: PairComparison) -> float:
    """Return the score of a pair, 0 to 100: the mean of name and place, and points for what is shared."""
    name = _NAME_SCORES.get(pair.names)
    if name is None:
        name = _UNKNOWN_NAME + _UNKNOWN_NAME_STEP * similarity(pair.a.name, pair.b.name)
    if pair.place is _Place.DOOR:
        place = _DOOR_SCORE
    elif pair.place is _Place.LIKE:
        place = _LIKE_SCORE
    elif pair.place is _Place.APART and pair.metres <= ONE_ADDRESS_M:
        place = _ELSEWHERE_SCORE
    elif np.isfinite(pair.metres):
        place = _DOOR_SCORE / (1.0 + pair.metres / _DISTANCE_UNIT_M)
    else:
        place = _NO_DISTANCE_SCORE if pair.own_words else _ELSEWHERE_SCORE
    shared = min(_SAME_CONTACT * len(pair.contacts), _SAME_CONTACTS_MOST)
    shared += _SAME_SIRET * pair.same_siret + _SAME_ID * (pair.world_id or pair.source_id)
    return round(min((name + place) / 2.0 + shared, 100.0), 1)


def is_certain(pair: PairComparison) -> bool:
    """Return whether two records are the same place without asking."""
    if pair.far_apart or pair.names is NameRelation.MARKED or _other_units(pair):
        return False
    if not pair.one_commune and not _agree_without_commune(pair):
        return False
    if pair.world_id or pair.source_id:
        return _keeps_its_id(pair)
    if pair.one_list:
        return _is_repetition(pair)
    if _other_postal_code(pair):
        return False
    if pair.same_name_in_one_street and not pair.metres > ONE_ADDRESS_M:
        return True
    if pair.place is not _Place.DOOR:
        return False
    if pair.names_fit:
        return pair.names is NameRelation.SAME or not (pair.a.name.anonymous or pair.b.name.anonymous)
    return pair.names is NameRelation.UNKNOWN and pair.same_siret and pair.same_address and _private(pair)


def _keeps_its_id(pair: PairComparison) -> bool:
    """Return whether one identifier is still that of one place: sources reuse them."""
    if pair.names is NameRelation.SAME:
        return True
    if pair.names is NameRelation.COMPATIBLE and (pair.world_id or pair.place is not _Place.APART):
        return True
    return pair.place >= _Place.LIKE and (pair.names is not NameRelation.CONFLICT or pair.world_id)


def _private(pair: PairComparison) -> bool:
    """Return whether their SIRET is that of one establishment: public bodies use one for several."""
    return not pair.a.siret.startswith(_PUBLIC_SIREN)


def _other_units(pair: PairComparison) -> bool:
    """Return whether the records name two floors, buildings or doors of one address."""
    return bool(pair.a.units and pair.b.units) and pair.a.units.isdisjoint(pair.b.units)


def _other_postal_code(pair: PairComparison) -> bool:
    """Return whether the postal codes differ, and no points say that the places are near.

    Former communes of one commune have a « place de la Mairie » each.
    """
    a, b = pair.a.postal_code, pair.b.postal_code
    return bool(a and b) and a != b and not pair.metres <= ONE_ADDRESS_M


def _agree_without_commune(pair: PairComparison) -> bool:
    """Return whether two records are of one place though the commune of one is unknown.

    A postal code covers several communes, each with its « place de la Mairie ».
    """
    if pair.a.commune and pair.b.commune:
        return False
    if not pair.a.postal_code or pair.a.postal_code != pair.b.postal_code:
        return False
    if pair.world_id or pair.same_name_in_one_street:
        return True
    shared = pair.own_words or pair.same_siret or bool(pair.contacts)
    return shared and (pair.same_address or pair.source_id)


def _is_repetition(pair: PairComparison) -> bool:
    """Return whether one list gives one place twice: name, address and contacts all agree."""
    a, b = pair.a, pair.b
    contacts = (a.phones, a.emails, a.sites)
    return (
        a.name.text == b.name.text
        and pair.same_address
        and pair.place is _Place.DOOR
        and any(contacts)
        and contacts == (b.phones, b.emails, b.sites)
        and a.siret == b.siret
    )


def is_question(pair: PairComparison, score: float) -> bool:
    """Return whether a person should decide."""
    if pair.world_id or pair.source_id:
        return pair.world_id or pair.names_fit or pair.place is not _Place.APART
    if pair.names is NameRelation.CONFLICT:
        return False
    if pair.one_list:
        return pair.names_fit and score >= QUESTION_INSIDE_LIST
    return score >= QUESTION and (pair.names_fit or pair.place >= _Place.LIKE)


def contradict(pair: PairComparison) -> bool:
    """Return whether two records, joined through others, cannot be one place."""
    if pair.world_id or pair.source_id:
        return False
    if pair.a.commune and pair.b.commune and pair.a.commune != pair.b.commune:
        return True
    if pair.names in (NameRelation.CONFLICT, NameRelation.MARKED) or pair.far_apart or _other_units(pair):
        return True
    return pair.one_list and not (pair.names_fit and pair.place is _Place.DOOR)


def reasons(pair: PairComparison) -> tuple[str, ...]:
    """Return what speaks for and against a pair, as short French phrases."""
    return (
        *(["même identifiant"] if pair.world_id or pair.source_id else []),
        _name_reason(pair),
        *_place_reasons(pair),
        *(["même SIRET"] if pair.same_siret else []),
        *pair.contacts,
        *(["deux fiches d’une même liste"] if pair.one_list else []),
    )


def _name_reason(pair: PairComparison) -> str:
    if pair.a.name.text == pair.b.name.text:
        return "même nom"
    likeness = figures.percent(similarity(pair.a.name, pair.b.name) / 100)
    return {
        NameRelation.SAME: f"noms proches à {likeness}",
        NameRelation.COMPATIBLE: "noms qui vont ensemble",
        NameRelation.MARKED: "l’un est une annexe ou un service qui se déplace",
        NameRelation.HOSTED: "l’un accueille peut-être l’autre",
        NameRelation.UNKNOWN: f"noms proches à {likeness}",
        NameRelation.CONFLICT: "services différents",
    }[pair.names]


def _place_reasons(pair: PairComparison) -> Iterable[str]:
    if pair.same_address:
        yield "même adresse"
    elif pair.streets is StreetRelation.SAME:
        yield "même rue"
    elif pair.streets is StreetRelation.LIKE:
        yield "adresses proches"
    if np.isfinite(pair.metres):
        yield f"à {figures.distance(pair.metres)}"
