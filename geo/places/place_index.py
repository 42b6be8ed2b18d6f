"""Communes and postcodes, found by what somebody typed; held in memory, no address file needed.

Own communes rank above the neighbours' at equal likeness, then the more populated.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import numpy as np

from geo.errors import UnknownPlace
from geo.places.model import Place, PlaceKind
from geo.places.name_similarity import NameMatcher
from geo.places.query_words import ParsedQuery, name_key, parse_query
from geo.territory.model import Commune, Territory

MIN_SIMILARITY: Final = 0.6
"""Likeness from which a commune is told at all: two letters wrong in five are too many."""

NEIGHBOUR_WEIGHT: Final = 0.88
"""What a neighbour's commune is worth beside one of the territory."""

NEIGHBOUR_EXACT_WEIGHT: Final = 0.94
"""The same, when its name was typed as it is."""

PART_WEIGHT: Final = 0.65
"""What a commune is worth when its name is only the end or the beginning of what was typed."""

PART_MIN_SIMILARITY: Final = 0.85
"""Likeness from which a part of what was typed is taken for a misspelt commune."""

CERTAIN_SCORE: Final = 0.85
"""Score of a commune or postcode from which other names like what was typed need not be looked for."""

_PART_WORDS: Final = 5
_POSTCODE_LENGTH: Final = 5


class PlaceIndex:
    """Communes of a territory and its neighbours, and their postcodes, ready to be searched."""

    def __init__(self, territory: Territory) -> None:
        self._own = territory.own_codes
        self._by_code = territory.commune_by_code
        ranked = sorted(self._by_code.values(), key=self._rank)
        self._communes = ranked
        self._names = NameMatcher(name_key(c.name) for c in ranked)
        self._by_key: dict[str, list[Commune]] = defaultdict(list)
        self._by_postcode: dict[str, list[Commune]] = defaultdict(list)
        for commune, key in zip(ranked, self._names.keys, strict=True):
            self._by_key[key].append(commune)
            for postcode in commune.postal_codes:
                self._by_postcode[postcode].append(commune)

    def search(self, text: str, limit: int) -> list[Place]:
        """Communes and postcodes that answer what was typed, best first.

        « Mairie de Lavardac », "lavardac", « 47230 Lavardac » and "47230" all lead there; in a whole
        address, the commune it ends with is found, and worth `PART`.
        """
        digits = text.replace(" ", "")
        if digits.isascii() and digits.isdigit():
            return self._of_digits(digits)[:limit]
        asked = parse_query(text)
        if not asked.words:
            return self._of_digits(asked.postcode)[:limit] if asked.postcode else []
        inside = self._by_postcode.get(asked.postcode, ())
        found = self._inside(asked, inside) if inside else {}
        if not found:
            found = self._anywhere(asked)
        places = [self._commune(self._by_code[code], score) for code, score in found.items()]
        if inside and max(found.values(), default=0.0) < PART_WEIGHT:
            places.append(self._postcode(asked.postcode, MIN_SIMILARITY))
        places.sort(key=lambda place: (-place.score, self._rank(self._by_code[place.commune])))
        return places[:limit]

    def named_in(self, text: str) -> tuple[str, ...]:
        """INSEE codes of communes whose name is part of what was typed, misspelt perhaps; sorted."""
        asked = parse_query(text)
        parts = _parts(asked)
        exact = {commune.code for part in parts for commune in self._by_key.get(part, ())}
        if exact or not parts:
            return tuple(sorted(exact))
        alike = self._names.similarity_to(parts, prefixes=False).max(axis=0)
        return tuple(sorted(self._communes[at].code for at in np.flatnonzero(alike >= PART_MIN_SIMILARITY)))

    def place(self, place_id: str) -> Place:
        """The commune or postcode that bears an identifier.

        Raises
        ------
        UnknownPlace
            If none does.
        """
        kind, _, code = place_id.partition("-")
        if kind == "commune" and code in self._by_code:
            return self._commune(self._by_code[code], 1.0)
        if kind == "cp" and code in self._by_postcode:
            return self._postcode(code, 1.0)
        raise UnknownPlace(
            "Cet endroit n'est pas connu.", "Écrivez votre commune, votre code postal ou votre adresse."
        )

    def _of_digits(self, digits: str) -> list[Place]:
        """A postcode whole or begun, then its communes; or the commune of an INSEE code."""
        if len(digits) > _POSTCODE_LENGTH:
            return []
        if communes := self._by_postcode.get(digits):
            inside = [self._commune(c, 0.9 * self._worth_of(c)) for c in communes]
            return [self._postcode(digits, 1.0), *inside]
        if digits in self._by_code:
            return [self._commune(self._by_code[digits], 1.0)]
        begun = [postcode for postcode in self._by_postcode if postcode.startswith(digits)]
        begun.sort(key=lambda postcode: (self._rank(self._by_postcode[postcode][0]), postcode))
        score = 0.5 + 0.5 * len(digits) / _POSTCODE_LENGTH
        return [self._postcode(p, score * self._worth_of(self._by_postcode[p][0])) for p in begun if digits]

    def _inside(self, asked: ParsedQuery, communes: list[Commune] | tuple[()]) -> dict[str, float]:
        """Those of a postcode's communes whose name was typed, alone or in an address: code → score."""
        alike = NameMatcher(name_key(c.name) for c in communes).similarity_to([asked.key, *_parts(asked)])
        found = {}
        for at, commune in enumerate(communes):
            whole, part = float(alike[0, at]), float(alike[1:, at].max(initial=0.0))
            if whole >= MIN_SIMILARITY:
                # The postcode is told too: half the doubt is left.
                found[commune.code] = (1 + whole) / 2 * self._worth_of(commune)
            elif part >= MIN_SIMILARITY:
                found[commune.code] = PART_WEIGHT * (1 + part) / 2 * self._worth_of(commune)
        return found

    def _anywhere(self, asked: ParsedQuery) -> dict[str, float]:
        """Communes whose name was typed, alone or as part of an address: code → score."""
        found: dict[str, float] = {}
        if not asked.is_street:
            scores = self._names.similarity_to([asked.key])[0]
            for at in np.flatnonzero(scores >= MIN_SIMILARITY):
                commune, alike = self._communes[at], float(scores[at])
                found[commune.code] = alike * self._worth_of(commune, alike)
        parts = _parts(asked)
        for part in parts:
            for commune in self._by_key.get(part, ()):
                found[commune.code] = max(found.get(commune.code, 0.0), PART_WEIGHT * self._worth_of(commune))
        if not found and parts:
            scores = self._names.similarity_to(parts, prefixes=False).max(axis=0)
            for at in np.flatnonzero(scores >= PART_MIN_SIMILARITY):
                commune, alike = self._communes[at], float(scores[at])
                found[commune.code] = PART_WEIGHT * alike * self._worth_of(commune, alike)
        return found

    def _commune(self, commune: Commune, score: float) -> Place:
        grouping = commune.epci_name if commune.code in self._own else commune.departement_name
        return Place(
            id=f"commune-{commune.code}",
            kind=PlaceKind.COMMUNE,
            label=commune.name,
            context=" · ".join(filter(None, (", ".join(commune.postal_codes[:2]), grouping))),
            longitude=commune.town_hall.x,
            latitude=commune.town_hall.y,
            commune=commune.code,
            score=round(score, 4),
        )

    def _postcode(self, postcode: str, score: float) -> Place:
        first, *others = self._by_postcode[postcode]
        more = f" et {len(others)} autre{'s' if len(others) > 1 else ''}" if others else ""
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

    def _worth_of(self, commune: Commune, alike: float = 1.0) -> float:
        if commune.code in self._own:
            return 1.0
        return NEIGHBOUR_EXACT_WEIGHT if alike > 0.999 else NEIGHBOUR_WEIGHT

    def _rank(self, commune: Commune) -> tuple[bool, int, str]:
        return commune.code not in self._own, -commune.population, commune.code


def _parts(asked: ParsedQuery) -> list[str]:
    """The ends and beginnings of what was typed that may name a commune, longest first, ends before."""
    words = asked.words
    longest = min(len(words) - 1, _PART_WORDS)
    ends = [" ".join(words[-count:]) for count in range(longest, 0, -1)]
    return ends + [" ".join(words[:count]) for count in range(longest, 0, -1)]
