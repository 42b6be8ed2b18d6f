"""Values set over the sources by those who keep the list. No I/O here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from geo.sites.model import VALUE_FIELDS, Origin, Position, Site, is_known
from geo.sites.position import FLAG_OF_POSITION, NOT_AT_ITS_COORDINATES

STATUS_FIELD: Final = "statut"
"""Field of a correction that closes a site or takes it out of the list."""


class Status(StrEnum):
    """Values of the field `statut`."""

    CLOSED = "ferme"
    """Closed for good, or until the end of the correction: its page says so."""
    RETIRED = "retire"
    """Taken out of the list: it should not have been in it."""


COMMUNE: Final = ("commune", "code_insee", "code_postal")
POINT: Final = ("latitude", "longitude", "position")
TELEPHONE: Final = ("telephone", "telephone_remarque", "autres_telephones")

GROUPS: Final = (("adresse", "complement_adresse", *COMMUNE, *POINT), TELEPHONE)
"""Fields of which one correction may set several, so that what is shown agrees; they end together."""

FIELDS: Final = frozenset(VALUE_FIELDS) - {"jeu_de_donnees", "source", "signalements", "fictif"}
"""Fields that a correction may set, besides `STATUS_FIELD`."""


@dataclass(frozen=True, slots=True)
class Correction:
    """A value set over the sources.

    Attributes
    ----------
    value
        As the field of `Site` has it; None, "" or () says that it is not known.
    day
        First day on which it applies.
    until
        Last day on which it applies; None: until it is ended.
    source_value
        What the sources said when it was made.
    ended_at
        When somebody ended it; None while it stands.
    """

    site_id: str
    field: str
    value: Any
    author: str
    day: date
    reason: str
    until: date | None = None
    source_value: Any = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    id: int = 0

    def applies(self, today: date) -> bool:
        """Return whether the correction stands on a day."""
        return self.ended_at is None and self.day <= today and (self.until is None or today <= self.until)


class State(StrEnum):
    """What has become of a correction on a day."""

    IN_FORCE = "en_vigueur"
    COVERED = "recouverte"
    """A later correction of the same field stands over it."""
    TO_COME = "a_venir"
    PAST = "passee"
    ENDED = "terminee"


@dataclass(frozen=True, slots=True)
class SourceChange:
    """A correction in force of a field of which the sources now say something else than when it was made."""

    correction: Correction
    value: Any

    @property
    def agrees(self) -> bool:
        """Whether the sources now say what the correction does."""
        return bool(self.value == self.correction.value)


def states(corrections: Iterable[Correction], today: date) -> dict[int, State]:
    """Return what has become of each correction on a day, by number.

    Identifiers of merged sites must have been replaced by those of the sites that stand for them.
    """
    given = list(corrections)
    in_force = {each.id for of_site in active_by_site(given, today).values() for each in of_site.values()}

    def state(each: Correction) -> State:
        if each.ended_at is not None:
            return State.ENDED
        if today < each.day:
            return State.TO_COME
        if each.until is not None and each.until < today:
            return State.PAST
        return State.IN_FORCE if each.id in in_force else State.COVERED

    return {each.id: state(each) for each in given}


def source_changes(
    corrections: Iterable[Correction], pooled: Mapping[str, Site], today: date
) -> list[SourceChange]:
    """Return the corrections in force whose field the sources have changed since, by number.

    Parameters
    ----------
    pooled
        Sites with the values of their sources, by identifier; corrections of others are left out.
    """
    found = [
        SourceChange(each, getattr(pooled[site_id], name))
        for site_id, of_site in active_by_site(corrections, today).items()
        if site_id in pooled
        for name, each in of_site.items()
        if name != STATUS_FIELD and getattr(pooled[site_id], name) != each.source_value
    ]
    return sorted(found, key=lambda each: each.correction.id)


def companions(ended: Correction, others: Iterable[Correction]) -> list[Correction]:
    """Return the standing corrections of the same site that were made with one, and end with it."""
    group: Collection[str] = next((each for each in GROUPS if ended.field in each), ())

    def made(each: Correction) -> tuple[Any, ...]:
        return (each.site_id, each.author, each.day, each.until, each.reason, each.ended_at)

    return [
        each for each in others if each.id != ended.id and each.field in group and made(each) == made(ended)
    ]


def active_by_site(corrections: Iterable[Correction], today: date) -> dict[str, dict[str, Correction]]:
    """Return the corrections that apply on a day, by site and field; of two, the later one."""
    found: dict[str, dict[str, Correction]] = {}
    for each in sorted(corrections, key=lambda each: each.id):
        if each.applies(today):
            found.setdefault(each.site_id, {})[each.field] = each
    return found


def corrected(site: Site, corrections: Mapping[str, Correction]) -> Site:
    """Return a site with corrections by field over the values of its sources."""
    changes = {name: each.value for name, each in corrections.items() if name != STATUS_FIELD}
    if not changes:
        return site
    origins = [
        *(site.origins or _single_origins(site)),
    ]
    remaining = [each for each in origins if each.field not in changes]
    made = [Origin(name, (), "correction", corrections[name].day, corrections[name].id) for name in changes]
    rank = {name: index for index, name in enumerate(VALUE_FIELDS)}
    changes["signalements"] = _flags(site, changes)
    return replace(
        site, **changes, origins=tuple(sorted((*remaining, *made), key=lambda each: rank[each.field]))
    )


def _flags(site: Site, changes: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the flags of a site without those about values that are corrected."""
    remaining = {
        code for code in site.signalements if changes.keys().isdisjoint(_FIELDS_OF_FLAG.get(code, ()))
    }
    if flag := FLAG_OF_POSITION.get(changes.get("position", Position.EXACTE)):
        remaining.add(flag)
    return tuple(sorted(remaining))


_FIELDS_OF_FLAG: Final = {
    "adresse_absente": ("adresse",),
    "arret_illisible": ("arrets",),
    "courriel_invalide": ("courriels",),
    "fermeture_illisible": ("fermetures",),
    "horaires_en_partie_illisibles": ("horaires",),
    "horaires_illisibles": ("horaires",),
    "pivot_invalide": ("pivot",),
    "telephone_invalide": ("telephone",),
    **dict.fromkeys(("date_ambigue", "date_inconnue"), ("date_maj",)),
    **dict.fromkeys(
        ("code_postal_absent", "code_postal_corrige", "code_postal_discordant"), ("code_postal",)
    ),
    **dict.fromkeys(
        (
            "commune_ambigue",
            "commune_ancienne",
            "commune_deduite",
            "commune_discordante",
            "commune_inconnue",
            "nom_commune_inconnu",
        ),
        ("commune",),
    ),
    **dict.fromkeys((*NOT_AT_ITS_COORDINATES, "coordonnees_projetees"), ("position",)),
}
"""Codes of flags that say something of the values of some fields (`geo.sites.findings`)."""


def _single_origins(site: Site) -> list[Origin]:
    return [
        Origin(name, site.records, "only", site.date_maj)
        for name in VALUE_FIELDS
        if name != "jeu_de_donnees" and is_known(getattr(site, name))
    ]
