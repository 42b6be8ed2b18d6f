"""How evenly access is distributed: Lorenz curve, Gini coefficient, worst-served tenth, time classes.

Every measure is weighted by people; places without people are ignored. Definitions: docs/catchment.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.errors import PorteeError
from geo.wording import figures

_ROUNDING: Final = 1e-12
"""Relative rounding error of sums of people."""


@dataclass(frozen=True)
class Lorenz:
    """Cumulated shares of people, worst served first, and of the access they have.

    Both have shape (n + 1,), start at 0, end at 1 and never decrease; access is never above people.
    """

    people: NDArray[np.float64]
    access: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TimeClass:
    """People whose travel time is above `above_min` and at most `up_to_min`, minutes.

    `up_to_min` is inf in the class beyond the last edge; both are inf in the class out of reach.
    """

    label: str
    above_min: float
    up_to_min: float
    people: float


def lorenz(values: NDArray[np.float64], people: NDArray[np.float64]) -> Lorenz | None:
    """Compute the Lorenz curve of access (Lorenz, 1905).

    Parameters
    ----------
    values
        Access of each place, shape (n,): more is better; finite, at least 0.
    people
        Shape (n,), finite, at least 0.

    Returns
    -------
    None where nobody lives or nobody has any access.

    Raises
    ------
    PorteeError
        If an access or a number of people is negative or not finite.
    """
    _require_amounts(values, "accès")
    access, weight = _sorted(values, people)
    total = float((access * weight).sum())
    if total <= 0:
        return None
    shares = [np.concatenate([[0.0], np.cumsum(each)]) for each in (weight, access * weight)]
    # Rounding can put the shares a hair above 1, or access above people on the diagonal.
    people_share, access_share = (np.minimum(share / share[-1], 1.0) for share in shares)
    return Lorenz(people_share, np.minimum(access_share, people_share))


def gini(values: NDArray[np.float64], people: NDArray[np.float64]) -> float | None:
    """Compute the Gini coefficient of access (Gini, 1914), in [0, 1].

    0 if everyone has the same access, near 1 if one person has it all. It is twice the area between
    the Lorenz curve and the diagonal, or the mean difference between two people drawn at random
    divided by twice the mean.

    Returns
    -------
    None where nobody lives or nobody has any access.

    Raises
    ------
    PorteeError
        As `lorenz`.
    """
    curve = lorenz(values, people)
    if curve is None:
        return None
    # Trapezoids under the curve, which is linear between places; doubled.
    under = float((np.diff(curve.people) * (curve.access[1:] + curve.access[:-1])).sum())
    return min(max(1 - under, 0.0), 1.0)


def worst_served(
    values: NDArray[np.float64],
    people: NDArray[np.float64],
    share: float = 0.1,
    *,
    worst_is_highest: bool = False,
) -> float | None:
    """Return the mean over the worst-served share of people; the last place counts in part.

    Parameters
    ----------
    values
        Access of each place, shape (n,), or its travel time (with `worst_is_highest`); may be inf.
    share
        In (0, 1].

    Returns
    -------
    inf if some of these people are out of reach; None where nobody lives.
    """
    value, weight = _sorted(values, people, worst_is_highest)
    if not len(value):
        return None
    wanted = share * weight.sum()
    before = np.concatenate([[0.0], np.cumsum(weight)[:-1]])
    taken = np.clip(wanted - before, 0.0, weight)
    # A remainder due to rounding alone must not bring in the next place, whose value may be inf.
    counted = taken > _ROUNDING * wanted
    return float(np.average(value[counted], weights=taken[counted]))


def quantile(values: NDArray[np.float64], people: NDArray[np.float64], share: float) -> float | None:
    """Return the least value that at least a share of people do not exceed (0.5: the median).

    Parameters
    ----------
    values
        Shape (n,); may be inf.
    share
        In [0, 1].

    Returns
    -------
    The value of a place, never interpolated; None where nobody lives.
    """
    value, weight = _sorted(values, people)
    if not len(value):
        return None
    reached = np.cumsum(weight)
    # Slightly less, because 0.55 × 100 is 55.00000000000001 in floating point.
    return float(
        value[np.searchsorted(reached, share * reached[-1] * (1 - _ROUNDING)).clip(max=len(value) - 1)]
    )


def by_time(
    times: NDArray[np.floating], people: NDArray[np.float64], edges_min: Sequence[int]
) -> tuple[TimeClass, ...]:
    """Count people by class of travel time; everyone is in exactly one class.

    Parameters
    ----------
    times
        Travel time of each place, seconds, shape (n,); inf where out of reach.
    edges_min
        Upper edges of the classes, minutes, inclusive, increasing and above 0.

    Returns
    -------
    A class per edge, then « au-delà » (farther but reachable), then « hors d'atteinte ».

    Raises
    ------
    PorteeError
        If a number of people is negative or not finite.
    """
    _require_amounts(people, "habitants")
    edges = [0, *edges_min]
    # Left side: a time exactly at an edge belongs to the class that ends there.
    row = np.searchsorted(np.array(edges_min) * 60.0, times, side="left")
    row[~np.isfinite(times)] = len(edges)
    count = np.bincount(row, people, len(edges) + 1).tolist()
    classes = [
        TimeClass(
            figures.minutes_range(low, high) if low else f"{figures.minutes(high)} au plus", low, high, number
        )
        for low, high, number in zip(edges, edges[1:], count, strict=False)
    ]
    return (
        *classes,
        TimeClass(f"au-delà de {figures.minutes(edges[-1])}", edges[-1], np.inf, count[-2]),
        TimeClass(figures.OUT_OF_REACH, np.inf, np.inf, count[-1]),
    )


def _sorted(
    values: NDArray[np.floating], people: NDArray[np.float64], highest_first: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the values and people of the inhabited places, sorted by value."""
    _require_amounts(people, "habitants")
    inhabited = people > 0
    value, weight = values[inhabited].astype(np.float64), people[inhabited]
    order = np.argsort(-value if highest_first else value, kind="stable")
    return value[order], weight[order]


def _require_amounts(values: NDArray[np.float64], what: str) -> None:
    """Raise if a value is negative, infinite or NaN."""
    if not (np.isfinite(values) & (values >= 0)).all():
        raise PorteeError(
            f"Une valeur ({what}) est négative, infinie ou absente : l'équité ne peut être mesurée.",
            "Corrigez-la, ou laissez ce lieu de côté.",
        )
