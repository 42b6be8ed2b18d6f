"""Classes of a choropleth: quantiles or natural breaks, zero apart, bounds that a reader can keep in mind.

mapclassify does the same, but stands on geopandas, networkx, scikit-learn and numba; only the first is
needed here, and both methods are a few lines of NumPy. The tests hold them against it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import ceil, isfinite
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.wording import figures

CLASSES: Final = 5
"""Maximum that a reader can distinguish on a map of small areas."""

Floats = NDArray[np.float64]


class ClassificationMethod(StrEnum):
    """How values are parted."""

    QUANTILES = "quantiles"
    NATURAL = "naturelles"

    @property
    def label(self) -> str:
        """The French words shown to readers."""
        return {"quantiles": "effectifs égaux (quantiles)", "naturelles": "seuils naturels (Fisher–Jenks)"}[
            self
        ]


def quantiles(values: Floats, count: int) -> Floats:
    """Upper bounds of classes of as equal sizes as can be, ascending; equal bounds are one.

    The last is the largest value. Quantiles are interpolated linearly (Hyndman and Fan's type 7).
    """
    return np.unique(np.quantile(values, np.arange(1, count + 1) / count))


def natural_breaks(values: Floats, count: int) -> Floats:
    """Upper bounds of the classes whose sum of squared deviations from their means is least, ascending.

    Exact, by dynamic programming over the distinct values (Fisher, « On grouping for maximum
    homogeneity », JASA 53, 1958; used by Jenks, 1977). Fewer classes where there are fewer values.
    O(count × n²) for n distinct values.
    """
    distinct, weight = np.unique(values, return_counts=True)
    size = len(distinct)
    centred = distinct - distinct.mean()  # differences of large sums would lose digits
    people, first, second = (
        np.concatenate([[0.0], np.cumsum(weight * centred**power)]) for power in (0, 1, 2)
    )
    start, end = np.arange(size)[:, None], np.arange(1, size + 1)[None, :]
    held = people[end] - people[start]
    cost = np.full((size, size), np.inf)
    whole = held > 0
    deviation = second[end] - second[start] - (first[end] - first[start]) ** 2 / np.where(whole, held, 1)
    cost[whole] = np.maximum(deviation[whole], 0)
    best, begins = cost[0].copy(), []
    for _ in range(min(count, size) - 1):
        before = np.concatenate([[np.inf], best[:-1]])
        total = before[:, None] + cost
        begins.append(total.argmin(axis=0))
        best = total.min(axis=0)
    last, bounds = size - 1, []
    for begin in reversed(begins):
        bounds.append(distinct[last])
        last = int(begin[last]) - 1
    return np.array([distinct[last], *reversed(bounds)])


_BOUNDS: Final[dict[ClassificationMethod, Callable[[Floats, int], Floats]]] = {
    ClassificationMethod.QUANTILES: quantiles,
    ClassificationMethod.NATURAL: natural_breaks,
}


@dataclass(frozen=True, slots=True)
class Classes:
    """Classes of values: up to each bound and above the one before, then above the last bound.

    `zero`: 0 is a class of its own, before the others.
    """

    bounds: tuple[float, ...]
    zero: bool

    @property
    def count(self) -> int:
        """How many classes there are."""
        return len(self.bounds) + 1 + self.zero

    def of(self, value: float) -> int:
        """Class of a value, from 0."""
        if self.zero and value == 0:
            return 0
        return int(np.searchsorted(self.bounds, value)) + self.zero

    def labels(self) -> list[str]:
        """Label each class in French, with the bounds that values are classed by."""
        bounds = [figures.exact(bound) for bound in self.bounds]
        if not bounds:
            held = ["autre valeur" if self.zero else "toutes les valeurs"]
        else:
            within = [f"plus de {low} à {high}" for low, high in pairwise(bounds)]
            held = [f"{bounds[0]} ou moins", *within, f"plus de {bounds[-1]}"]
        return [*(["zéro"] if self.zero else []), *held]


def classed(
    values: Sequence[float], method: ClassificationMethod, count: int = CLASSES, *, zero_apart: bool = True
) -> Classes:
    """Classes of the finite values, as many as asked or fewer; zero is apart where it occurs.

    Bounds are the roundest numbers that leave every value in its class.
    """
    known = np.array([v for v in values if isfinite(v)], dtype=np.float64)
    others = known[known != 0] if zero_apart else known
    zero = len(others) < len(known)
    if not len(others):
        return Classes((), zero)
    inner = _BOUNDS[method](others, count)[:-1]
    ordered = np.unique(others)
    bounds = []
    for bound in inner:
        above = ordered[ordered > bound]
        low = ordered[ordered <= bound].max(initial=ordered[0])
        bounds.append(roundest(float(low), float(above[0])))
    return Classes(tuple(sorted(set(bounds))), zero)


def roundest(low: float, high: float) -> float:
    """The number of fewest decimals in [low, high); `low` itself when none of twelve is."""
    for digits in range(-12, 13):
        step = 10.0**digits
        found = ceil(low * step) / step if digits > 0 else ceil(low / 10.0**-digits) * 10.0**-digits
        if low <= found < high:
            return found
    return low
