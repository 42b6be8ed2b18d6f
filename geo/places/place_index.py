"""Search communes and postcodes in memory, without an address file.

At equal similarity, communes of the territory rank before those of neighbours, then the more
populated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from geo.errors import UnknownPlace
from geo.places.model import Place, PlaceKind
from geo.places.name_similarity import NameMatcher
from geo.places.query_words import ParsedQuery, name_key, parse_query
from geo.territory.commune_index import CommuneIndex
from geo.territory.model import Commune, Territory
from geo.wording.language import french_count

MIN_SIMILARITY: Final = 0.6
"""Minimum similarity of a result: two wrong letters in five are too many."""

NEIGHBOUR_WEIGHT: Final = 0.88
"""Factor of the score of communes outside the territory."""

NEIGHBOUR_EXACT_WEIGHT: Final = 0.94
"""The same factor when the name matches exactly."""

PART_WEIGHT: Final = 0.65
"""Factor of the score when the name is only the end or the beginning of the query."""

PART_MIN_SIMILARITY: Final = 0.85
"""Minimum similarity of a part of the query to a misspelt name."""

CERTAIN_SCORE: Final = 0.85
"""Score from which no other search is needed for a query."""

_PART_WORDS: Final = 5
_POSTCODE_LENGTH: Final = 5


def commune_place_id(code: str) -> str:
    """Return the place identifier of the commune with an INSEE code."""
    return f"commune-{code}"


class PlaceIndex:
    """Searches the communes of a territory and its neighbours, and their postcodes."""

    def __init__(self, territory: Territory) -> None:
        self._own = territory.own_codes
        self._index = CommuneIndex(territory, name_key, self._rank)
        self._names = NameMatcher(self._index.names)

    def search(self, text: str, limit: int) -> list[Place]:
        """Communes and postcodes that answer what was typed, best first.

        « Mairie de Lavardac », "lavardac", « 47230 Lavardac » and "47230" all lead there; in a whole
        address, the commune it ends with is found, and worth `PART`.
        """
        digits = text.replace(" ", "")
        if digits.isascii() and digits.isdigit():
            return self._search_digits(digits)[:limit]
        query = parse_query(text)
        if not query.words:
            return self._search_digits(query.postcode)[:limit] if query.postcode else []
        of_postcode = self._index.by_postal_code.get(query.postcode, ())
        found = self._scores_among(of_postcode, query) if of_postcode else {}
        if not found:
            found = self._scores(query)
        places = [self._commune(self._index.by_code[code], score) for code, score in found.items()]
        if of_postcode and max(found.values(), default=0.0) < PART_WEIGHT:
            places.append(self._postcode(query.postcode, MIN_SIMILARITY))
        places.sort(key=lambda place: (-place.score, self._rank(self._index.by_code[place.commune])))
        return places[:limit]

    def named_in(self, text: str) -> tuple[str, ...]:
        """Return the sorted INSEE codes of communes whose name, perhaps misspelt, is in the query."""
        parts = _parts(parse_query(text))
        exact = {commune.code for part in parts for commune in self._index.by_name.get(part, ())}
        if exact or not parts:
            return tuple(sorted(exact))
        similarity = self._names.similarity_to(parts, prefixes=False).max(axis=0)
        rows = np.flatnonzero(similarity >= PART_MIN_SIMILARITY)
        return tuple(sorted(self._index.communes[row].code for row in rows))

    def place(self, place_id: str) -> Place:
        """Return the commune or postcode with an identifier.

        Raises
        ------
        UnknownPlace
            If there is none.
        """
        kind, _, code = place_id.partition("-")
        if kind == "commune" and code in self._index.by_code:
            return self._commune(self._index.by_code[code], 1.0)
        if kind == "cp" and code in self._index.by_postal_code:
            return self._postcode(code, 1.0)
        raise UnknownPlace(
            "Cet endroit n'est pas connu.", "Écrivez votre commune, votre code postal ou votre adresse."
        )

    def _search_digits(self, digits: str) -> list[Place]:
        """Search a postcode, whole (with its communes) or partial, or the INSEE code of a commune."""
        by_postcode = self._index.by_postal_code
        if len(digits) > _POSTCODE_LENGTH:
            return []
        if communes := by_postcode.get(digits):
            inside = [self._commune(c, 0.9 * self._weight_of(c)) for c in communes]
            return [self._postcode(digits, 1.0), *inside]
        if digits in self._index.by_code:
            return [self._commune(self._index.by_code[digits], 1.0)]
        postcodes = [postcode for postcode in by_postcode if digits and postcode.startswith(digits)]
        postcodes.sort(key=lambda postcode: (self._rank(by_postcode[postcode][0]), postcode))
        score = 0.5 + 0.5 * len(digits) / _POSTCODE_LENGTH
        return [self._postcode(p, score * self._weight_of(by_postcode[p][0])) for p in postcodes]

    def _scores_among(self, communes: Sequence[Commune], query: ParsedQuery) -> dict[str, float]:
        """Score the communes of a postcode by name, alone or in an address: code → score."""
        names = NameMatcher(name_key(commune.name) for commune in communes)
        similarity = names.similarity_to([query.key, *_parts(query)])
        found = {}
        for row, commune in enumerate(communes):
            whole, part = float(similarity[0, row]), float(similarity[1:, row].max(initial=0.0))
            # The postcode matches too, so the difference to a perfect score is halved.
            if whole >= MIN_SIMILARITY:
                found[commune.code] = (1 + whole) / 2 * self._weight_of(commune)
            elif part >= MIN_SIMILARITY:
                found[commune.code] = PART_WEIGHT * (1 + part) / 2 * self._weight_of(commune)
        return found

    def _scores(self, query: ParsedQuery) -> dict[str, float]:
        """Score all communes by name, alone or in an address: code → score."""
        communes = self._index.communes
        found: dict[str, float] = {}
        if not query.is_street:
            scores = self._names.similarity_to([query.key])[0]
            for row in np.flatnonzero(scores >= MIN_SIMILARITY):
                similarity = float(scores[row])
                found[communes[row].code] = similarity * self._weight_of(communes[row], similarity)
        parts = _parts(query)
        for part in parts:
            for commune in self._index.by_name.get(part, ()):
                score = PART_WEIGHT * self._weight_of(commune)
                found[commune.code] = max(found.get(commune.code, 0.0), score)
        if not found and parts:
            scores = self._names.similarity_to(parts, prefixes=False).max(axis=0)
            for row in np.flatnonzero(scores >= PART_MIN_SIMILARITY):
                similarity = float(scores[row])
                weight = self._weight_of(communes[row], similarity)
                found[communes[row].code] = PART_WEIGHT * similarity * weight
        return found

    def _commune(self, commune: Commune, score: float) -> Place:
        grouping = commune.epci_name if commune.code in self._own else commune.departement_name
        return Place(
            id=commune_place_id(commune.code),
            kind=PlaceKind.COMMUNE,
            label=commune.name,
            context=" · ".join(filter(None, (", ".join(commune.postal_codes[:2]), grouping))),
            longitude=commune.town_hall.x,
            latitude=commune.town_hall.y,
            commune=commune.code,
            score=round(score, 4),
        )

    def _postcode(self, postcode: str, score: float) -> Place:
        first, *others = self._index.by_postal_code[postcode]
        more = french_count(" et %(num)s autre", " et %(num)s autres", len(others)) if others else ""
        return Place(
            id=f"cp-{postcode}",
            kind=PlaceKind.POSTCODE,
            label=postcode,
            context=first.name + more,
            longitude=first.town_hall.x,
            latitude=first.town_hall.y,
            commune=first.code,
            score=round(score, 4),
        )

    def _weight_of(self, commune: Commune, similarity: float = 1.0) -> float:
        if commune.code in self._own:
            return 1.0
        return NEIGHBOUR_EXACT_WEIGHT if similarity > 0.999 else NEIGHBOUR_WEIGHT

    def _rank(self, commune: Commune) -> tuple[bool, int, str]:
        return commune.code not in self._own, -commune.population, commune.code


def _parts(query: ParsedQuery) -> list[str]:
    """Return the ends, then the beginnings of a query that may name a commune, longest first."""
    words = query.words
    longest = min(len(words) - 1, _PART_WORDS)
    ends = [" ".join(words[-count:]) for count in range(longest, 0, -1)]
    return ends + [" ".join(words[:count]) for count in range(longest, 0, -1)]
