"""How evenly access is spread over people: Lorenz curve, Gini, the worst-served tenth, classes of time.

Everything is weighted by people: places without any count for nothing. Definitions:
docs/catchment.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.errors import PorteeError

OUT_OF_REACH = "hors d'atteinte"

_HAIR = 1e-12


@dataclass(frozen=True)
class Lorenz:
    """Shares of people, worst served first, and the share of all access that is theirs.

    Both have shape (n + 1,), start at 0, end at 1 and never fall; access never rises above people.
    """

    people: NDArray[np.float64]
    access: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TimeClass:
    """People whose travel time is above `above_min` and at most `up_to_min`, minutes.

    `up_to_min` is inf for those beyond the last edge; both are inf for those out of reach.
    """

    label: str
    above_min: float
    up_to_min: float
    people: float


def lorenz(values: NDArray[np.float64], people: NDArray[np.float64]) -> Lorenz | None:
    """The Lorenz curve of access (Lorenz, 1905).

    Parameters
    ----------
    values
        Access of each place, shape (n,): the more the better; finite, not negative.
    people
        Shape (n,), not negative.

    Returns
    -------
    None where nobody lives, or nobody has any access: there is nothing to be shared.

    Raises
    ------
    PorteeError
        If an access or a number of people is negative or not finite.
    """
    _no_amount(values, "accès")
    access, weight = _sorted(values, people)
    total = float((access * weight).sum())
    if total <= 0:
        return None
    shares = [np.concatenate([[0.0], np.cumsum(each)]) for each in (weight, access * weight)]
    people_share, access_share = (np.minimum(share / share[-1], 1.0) for share in shares)
    return Lorenz(people_share, np.minimum(access_share, people_share))


def gini(values: NDArray[np.float64], people: NDArray[np.float64]) -> float | None:
    """The Gini coefficient of access (Gini, 1914): 0 where all are served alike, near 1 where one is.

    Twice the area between the Lorenz curve and the diagonal; equally, the mean difference between
    two people drawn at random, over twice the mean. In [0, 1].

    Returns
    -------
    None where nobody lives, or nobody has any access.

    Raises
    ------
    PorteeError
        As `lorenz`.
    """
    curve = lorenz(values, people)
    if curve is None:
        return None
    under = float((np.diff(curve.people) * (curve.access[1:] + curve.access[:-1])).sum())
    return min(max(1 - under, 0.0), 1.0)


def worst_served(
    values: NDArray[np.float64],
    people: NDArray[np.float64],
    share: float = 0.1,
    *,
    worst_is_highest: bool = False,
) -> float | None:
    """Mean over the worst-served share of people: the last place is counted in part.

    Parameters
    ----------
    values
        Access of each place, shape (n,), or its time (then `worst_is_highest`); inf is allowed.
    share
        In (0, 1]; a tenth by default.

    Returns
    -------
    inf where some of that share is out of reach; None where nobody lives.
    """
    value, weight = _sorted(values, people, worst_is_highest)
    if not len(value):
        return None
    wanted = share * weight.sum()
    before = np.concatenate([[0.0], np.cumsum(weight)[:-1]])
    taken = np.clip(wanted - before, 0.0, weight)
    counted = taken > _HAIR * wanted
    return float(np.average(value[counted], weights=taken[counted]))


def quantile(values: NDArray[np.float64], people: NDArray[np.float64], share: float) -> float | None:
    """The least value that at least a share of people do not exceed: 0.5 gives the median.

    Parameters
    ----------
    values
        Shape (n,); inf is allowed.
    share
        In [0, 1].

    Returns
    -------
    A value of one of the places, never one between two; None where nobody lives.
    """
    value, weight = _sorted(values, people)
    if not len(value):
        return None
    reached = np.cumsum(weight)
    # A hair less: 0.55 × 100 is 55.00000000000001.
    return float(value[np.searchsorted(reached, share * reached[-1] * (1 - _HAIR)).clip(max=len(value) - 1)])


def by_time(
    times: NDArray[np.floating], people: NDArray[np.float64], edges_min: Sequence[int]
) -> tuple[TimeClass, ...]:
    """People by class of travel time; the classes hold everyone once.

    Parameters
    ----------
    times
        Travel time of each place to its site, seconds, shape (n,); inf where out of reach.
    edges_min
        Upper edges of the classes, minutes, included in them, rising and above 0.

    Returns
    -------
    A class per edge, then « au-delà » (farther, yet within reach), then « hors d'atteinte ».

    Raises
    ------
    PorteeError
        If a number of people is negative or not finite; so do `worst_served` and `quantile`.
    """
    _no_amount(people, "habitants")
    edges = [0, *edges_min]
    found = np.searchsorted(np.array(edges_min) * 60.0, times, side="left")
    found[~np.isfinite(times)] = len(edges)
    count = np.bincount(found, people, len(edges) + 1).tolist()
    classes = [
        TimeClass(f"{low} à {high} min" if low else f"{high} min au plus", low, high, number)
        for low, high, number in zip(edges, edges[1:], count, strict=False)
    ]
    return (
        *classes,
        TimeClass(f"au-delà de {edges[-1]} min", edges[-1], np.inf, count[-2]),
        TimeClass(OUT_OF_REACH, np.inf, np.inf, count[-1]),
    )


def _sorted(
    values: NDArray[np.floating], people: NDArray[np.float64], highest_first: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values and people of the inhabited places, in order of value."""
    _no_amount(people, "habitants")
    lived_in = people > 0
    value, weight = values[lived_in].astype(np.float64), people[lived_in]
    order = np.argsort(-value if highest_first else value, kind="stable")
    return value[order], weight[order]


def _no_amount(values: NDArray[np.float64], what: str) -> None:
    """Raise if a value is negative, infinite or absent."""
    if not (np.isfinite(values) & (values >= 0)).all():
        raise PorteeError(
            f"Une valeur ({what}) est négative, infinie ou absente : l'équité ne peut être mesurée.",
            "Corrigez-la, ou laissez ce lieu de côté.",
        )
