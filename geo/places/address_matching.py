"""Find the address of a record among the streets of a commune: house number, street or hamlet.

Stricter than the search of what people type: nobody chooses among proposals here, and a wrong street sends
people to the wrong place. The kind of street must agree, and its name be the same but for abbreviations, a
misspelling or words left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from geo.places.name_similarity import NameMatcher
from geo.places.query_words import (
    STREET_TYPES,
    ParsedQuery,
    name_key,
    parse_query,
    split_street_type,
)
from geo.sites.text import fold

MISSPELT: Final = 0.88
"""Minimum similarity of a misspelt name to that of a street (`NameMatcher`)."""

CLEARLY: Final = 0.04
"""By how much it must surpass the next street."""

UNTITLED, PARTIAL = 0.9, 0.8
"""Scores of a name without its title (« place Fictif » for « place du Docteur Fictif ») or other words."""

NUMBERED: Final = 0.88
"""Minimum score with which a house number is looked up; below, only the street is taken."""

PARTIAL_LETTERS: Final = 4
"""Minimum length of the longest word of such a name."""

PARTS_MAX: Final = 6
"""Most parts of an address tried by themselves."""

_TITLES: Final = frozenset(
    ("abbe", "amiral", "capitaine", "colonel", "commandant", "docteur", "general", "lieutenant", "marechal")
) | frozenset(("monseigneur", "president", "professeur", "sergent"))
_COMPLEMENT: Final = re.compile(
    r"\b(?:bat|batiment|bp|cs|tsa|appt|apt|appartement|(?:\d+ ?(?:e|er|eme) )?etage|rdc|esc|escalier|cedex|"
    r"france)\b.*"
)
_NUMBER_COMMA: Final = re.compile(r"(\d)\s*,\s*(?=\D)")
_POSTAL_TAIL: Final = re.compile(r"(?<!\d)\d{5}(?!\d).*")


@dataclass(frozen=True, slots=True)
class KnownStreet:
    """A street or hamlet of an address base: its kind and words as in `split_street_type`, WGS 84 degrees."""

    id: str
    name: str
    kind: str
    words: str
    town: str
    commune: str
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class FoundStreet:
    """A street that an address may name, how alike (1: the same), and the house number asked for."""

    street: KnownStreet
    score: float
    number: int | None
    repetition: str


class CommuneStreets:
    """The streets of one commune, prepared for many addresses."""

    def __init__(self, streets: Iterable[KnownStreet], commune_name: str = "") -> None:
        self.streets = tuple(streets)
        self._names = NameMatcher(street.words for street in self.streets)
        self._words = [frozenset(street.words.split()) for street in self.streets]
        self._exact: dict[tuple[str, str], list[int]] = {}
        for row, street in enumerate(self.streets):
            self._exact.setdefault((street.kind, street.words), []).append(row)
        self._town = name_key(commune_name)

    def find(self, address: str) -> FoundStreet | None:
        """Return the street of an address, or None when none, or more than one, may be meant."""
        best: FoundStreet | None = None
        for asked in parts(address):
            for key in self._readings(asked):
                found = self._named(*split_street_type(key))
                if found and (best is None or found[1] > best.score):
                    number = asked.number if found[1] >= NUMBERED else None
                    best = FoundStreet(self.streets[found[0]], found[1], number, asked.repetition)
                if best and best.score == 1.0:
                    return best
        return best

    def _readings(self, asked: ParsedQuery) -> Iterator[str]:
        """Yield the names that a part may hold: all its words, without the commune, from its street on."""
        key = asked.key
        yield key
        if self._town and key.endswith(f" {self._town}"):
            key = key.removesuffix(f" {self._town}")
            yield key
        words = key.split()
        starts = [at for at, word in enumerate(words) if at and word in STREET_TYPES]
        yield from (" ".join(words[at:]) for at in starts)

    def _named(self, kind: str, words: str) -> tuple[int, float] | None:
        """Return the row of the street with a name and its score."""
        exact = self._exact.get((kind, words), [])
        if exact:
            return (exact[0], 1.0) if len(exact) == 1 else None
        rows = [row for row, street in enumerate(self.streets) if street.kind == kind]
        if not rows or not words:
            return None
        return self._partial(words, rows) or self._misspelt(words, rows)

    def _partial(self, words: str, rows: Sequence[int]) -> tuple[int, float] | None:
        asked = words.split()
        if max(map(len, asked)) < PARTIAL_LETTERS:
            return None
        left_out = {row: rest for row in rows if (rest := _left_out(asked, self._words[row])) is not None}
        if len(left_out) != 1:
            return None
        ((row, rest),) = left_out.items()
        return row, UNTITLED if rest <= _TITLES else PARTIAL

    def _misspelt(self, words: str, rows: Sequence[int]) -> tuple[int, float] | None:
        alike = self._names.similarity_to([words], prefixes=False)[0][rows]
        order = np.argsort(-alike, kind="stable")
        first = float(alike[order[0]])
        second = float(alike[order[1]]) if len(rows) > 1 else 0.0
        if first < MISSPELT or first - second < CLEARLY:
            return None
        return rows[int(order[0])], min(first, 0.99)


def _left_out(asked: Sequence[str], known: frozenset[str]) -> frozenset[str] | None:
    """Return the words of a name that an address leaves out, initials apart; None if it says others."""
    said = {
        next((name for name in sorted(known) if name == word or (len(word) == 1 and name[0] == word)), "")
        for word in asked
    }
    return None if "" in said else frozenset(known - said)


def parts(address: str) -> Iterator[ParsedQuery]:
    """Yield an address, then its parts between commas, parsed; those with a house number first."""
    text = _NUMBER_COMMA.sub(r"\1 ", fold(address))
    text = _COMPLEMENT.sub("", _POSTAL_TAIL.sub("", text)).strip(" ,")
    pieces = [piece for piece in re.split(r"\s*[,;()|\n–—]\s*|\s-\s", text) if piece][:PARTS_MAX]
    read = [parse_query(piece) for piece in dict.fromkeys((*pieces, text))]
    yield from sorted((each for each in read if each.words), key=lambda each: each.number is None)
