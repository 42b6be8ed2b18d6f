"""Compare the addresses of two records: may they be one door? No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from rapidfuzz import fuzz

from geo.sites.matching_names import ARTICLES
from geo.sites.text import fold

_WORD = re.compile(r"[^\W\d_]+|\d+")
_WAYS = {
    **dict.fromkeys(["allee", "allees", "all"], "allee"),
    **dict.fromkeys(["avenue", "av", "ave"], "avenue"),
    **dict.fromkeys(["boulevard", "bd", "bld", "bvd", "boul"], "boulevard"),
    **dict.fromkeys(["chemin", "che", "chem"], "chemin"),
    **dict.fromkeys(["cours", "cour", "crs"], "cours"),
    **dict.fromkeys(["esplanade", "esp"], "esplanade"),
    **dict.fromkeys(["faubourg", "fg", "fbg"], "faubourg"),
    **dict.fromkeys(["impasse", "imp"], "impasse"),
    **dict.fromkeys(["place", "pl", "plc"], "place"),
    **dict.fromkeys(["quai"], "quai"),
    **dict.fromkeys(["rue", "r"], "rue"),
    **dict.fromkeys(["route", "rte"], "route"),
    **dict.fromkeys(["square", "sq"], "square"),
    **{way: way for way in ("passage", "promenade", "parvis", "ruelle", "sente", "voie", "mail", "montee")},
}
_TITLES = frozenset(
    [
        *("abbe", "amiral", "capitaine", "cdt", "colonel", "commandant", "docteur", "dr", "general", "gal"),
        *("marechal", "mal", "president", "professeur"),
    ]
)
_ABBREVIATIONS = {"st": "saint", "ste": "sainte"}
_NO_STREET = frozenset(
    [
        *("bourg", "village", "centre", "mairie", "hotel", "ville", "lieu", "dit", "lieudit", "ld", "hameau"),
        "commune",
    ]
)
"""Words of an address that names no street: « Le bourg », « Mairie »."""

_REPEATS = frozenset(["bis", "ter", "quater", "quinquies", "a", "b", "c", "d"])
_AFTER = re.compile(r" (\d{5}|bp|cs|cedex)( .*)?$")
_UNITS = re.compile(
    r"(?<!\S)(?:(\d+)(?:er|ere|e|eme|nd|nde)? etage|(rdc|rez chaussee|sous sol)"
    r"|(?:batiment|bat|entree|porte|bureau|salle|escalier|hall|aile) (\w{1,3}))(?!\S)"
)
_UNIT_WORDS = re.compile("etage|rdc|chaussee|sol|bat|entree|porte|bureau|salle|escalier|hall|aile")


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed address: house numbers ("12", "32bis"), kind of way, and words of its name."""

    numbers: frozenset[str]
    way: str
    words: tuple[str, ...]

    @property
    def named(self) -> bool:
        """Whether the address names a street, and not only « Le bourg »."""
        return bool(self.words) and (bool(self.way) or not _NO_STREET.issuperset(self.words))


class StreetRelation(StrEnum):
    """Comparison of two streets."""

    SAME = "same"
    LIKE = "like"
    """Other kind of way, missing words, or a typing error."""
    OTHER = "other"
    UNKNOWN = "unknown"
    """At least one address names no street."""


@lru_cache(maxsize=8_192)
def parse_address(text: str, commune: str) -> Address:
    """Parse an address; what precedes its street and what follows its postal code are left out."""
    folded = _AFTER.sub("", " " + " ".join(_WORD.findall(fold(text))))
    tokens = [_ABBREVIATIONS.get(word, word) for word in folded.split()]
    start = next((n for n, word in enumerate(tokens[:-1]) if word in _WAYS), None)
    if start is None:
        numbers, at = _leading_numbers(tokens)
        way, rest = "", tokens[at:]
    else:
        numbers = _numbers_before(tokens[:start])
        way, rest = _WAYS[tokens[start]], tokens[start + 1 :]
    words = [word for word in rest if word not in ARTICLES]
    place = [word for word in fold(commune).split() if word not in ARTICLES]
    if place and len(words) > len(place) and words[-len(place) :] == place:
        words = words[: -len(place)]
    named = [word for word in words if word not in _TITLES] or words
    return Address(numbers, way, tuple(named))


def _leading_numbers(tokens: list[str]) -> tuple[frozenset[str], int]:
    """Return the house numbers that begin an address, and where its street begins."""
    numbers: list[str] = []
    at = 1 if tokens[:1] in (["n"], ["no"]) else 0
    while at < len(tokens) - 1 and (tokens[at].isdigit() or (numbers and tokens[at] in _REPEATS)):
        if not tokens[at].isdigit():
            numbers[-1] += tokens[at]
        elif tokens[at].strip("0") and len(tokens[at]) <= 4:
            numbers.append(tokens[at].lstrip("0"))
        at += 1
    return frozenset(numbers), at


def _numbers_before(tokens: list[str]) -> frozenset[str]:
    """Return the house numbers that end a text: "Résidence du Lac 3 bis" gives "3bis"."""
    first = len(tokens)
    while first and (tokens[first - 1].isdigit() or tokens[first - 1] in _REPEATS):
        first -= 1
    return _leading_numbers([*tokens[first:], ""])[0]


def compare_streets(a: Address, b: Address) -> StreetRelation:
    """Compare the streets of two addresses of one commune. Symmetric."""
    if not (a.named and b.named):
        return StreetRelation.UNKNOWN
    left, right = set(a.words), set(b.words)
    if a.words == b.words or left == right:
        same_way = a.way == b.way or not (a.way and b.way)
        return StreetRelation.SAME if same_way else StreetRelation.LIKE
    if left < right or right < left:
        return StreetRelation.LIKE
    alike = fuzz.ratio(" ".join(sorted(left)), " ".join(sorted(right))) >= 85
    return StreetRelation.LIKE if alike else StreetRelation.OTHER


def units(complement: str) -> frozenset[str]:
    """Return the floors, buildings and doors that an address complement names."""
    folded = fold(complement)
    if not _UNIT_WORDS.search(folded):
        return frozenset()
    text = " ".join(word for word in re.findall(r"\w+", folded) if word not in ARTICLES)
    return frozenset(next(filter(None, found)) for found in _UNITS.findall(text))
