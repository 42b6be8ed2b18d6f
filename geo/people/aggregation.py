"""Bring figures of parts to their commune: counts are summed, others averaged by inhabitants.

The parts of a commune are its IRIS, or the communes that were merged into it. A sum of counts and a mean of
rates weighted by their denominators are exact. Medians and scores of parts do not give that of the whole: the
weighted mean stands for it, and is said to be an approximation.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from geo.sites.text import fold

INHABITANTS_MIN: Final = 1e-3
INHABITANTS_MAX: Final = 1e9
"""Domain of the inhabitants of an area: 0, or between these. Insee estimates fractions of persons;
smaller weights are not counts, and a mean weighted by them would lose its precision."""


class FigureKind(StrEnum):
    """What figures are, and so how those of parts are combined."""

    COUNT = "count"
    RATE = "rate"
    SCORE = "score"


_SCORES = re.compile(
    r"\b(medianes?|median|med|deciles?|quartiles?|quintiles?|scores?|indices?|index|ifn|rang)\b"
)
_RATES = re.compile(
    r"[%‰]|\b(taux|tx|parts?|proportions?|pourcentages?|pct|ratio|densite|moyen|moyenne|"
    r"pour (cent|mille|\d+)|par (habitant|personne|menage|logement|foyer|km))\b"
)
_COUNTS = re.compile(
    r"(p\d\d )?(nombre|nb|effectifs?|population|pop|pmun|habitants?|personnes?|menages?|logements?|locaux|"
    r"lignes?|foyers?|allocataires?|beneficiaires?|emplois?|chomeurs?|prises?)\b"
)
"""A count says so in its first word: « nombre de », « habitants »; other words may only name who is meant."""

_BY_WORDS = ((FigureKind.SCORE, _SCORES), (FigureKind.RATE, _RATES), (FigureKind.COUNT, _COUNTS))


def guessed_kind(*texts: str) -> FigureKind | None:
    """Return the kind that the words of some texts announce (unit, name, column); the first that says so.

    Examples
    --------
    >>> guessed_kind("", "Part des 65 ans ou plus", "valeur").value
    'rate'
    """
    for text in texts:
        words = fold(text).replace("_", " ")
        for kind, pattern in _BY_WORDS:
            if pattern.match(words) if kind is FigureKind.COUNT else pattern.search(words):
                return kind
    return None


@dataclass(frozen=True, slots=True)
class Area:
    """The value of one IRIS or commune.

    `commune` is the commune of today. `inhabitants` is None if unknown; else 0, or at least
    `INHABITANTS_MIN` and at most `INHABITANTS_MAX`.
    """

    code: str
    commune: str
    value: float
    inhabitants: float | None = None


def by_commune(areas: Iterable[Area], kind: FigureKind = FigureKind.RATE) -> dict[str, float]:
    """Return the value of each commune, sorted by INSEE code.

    The sum of a count; the mean of anything else, weighted by inhabitants. If an area of a commune has no
    number of inhabitants, or nobody lives in any of them, its areas have equal weights.

    Raises
    ------
    ValueError
        If a number of inhabitants is outside its domain: see `Area`.
    """
    members: dict[str, list[Area]] = defaultdict(list)
    for area in areas:
        members[area.commune].append(area)
    combined = _sum if kind is FigureKind.COUNT else _mean
    return {commune: combined(members[commune]) for commune in sorted(members)}


def is_inhabitants(value: float) -> bool:
    """Return whether a number is in the domain of inhabitants: see `Area`."""
    return value == 0 or INHABITANTS_MIN <= value <= INHABITANTS_MAX


def _sum(areas: Sequence[Area]) -> float:
    return sum(area.value for area in areas)


def _mean(areas: Sequence[Area]) -> float:
    weights = [area.inhabitants for area in areas if area.inhabitants is not None]
    if wrong := [weight for weight in weights if not is_inhabitants(weight)]:
        raise ValueError(f"{wrong[0]!r} is not a number of inhabitants")
    if len(weights) < len(areas) or sum(weights) <= 0:
        weights = [1.0] * len(areas)
    return sum(area.value * w for area, w in zip(areas, weights, strict=True)) / sum(weights)
