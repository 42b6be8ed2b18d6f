"""Compare two coverages: before and after a scenario, or on two days.

Both answer the same question over the same places; only the sites differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.coverage.measure import CAP_MIN, Coverage
from geo.territory.model import TerritoryKind


@dataclass(frozen=True, slots=True)
class CoverageChange:
    """Change for the people of one commune or grouping.

    Attributes
    ----------
    people
        Persons counted.
    gaining, losing
        Persons newly within `beyond_min`, and no longer within it.
    nearer, farther
        Persons whose time to the nearest site falls, and rises, by a minute or more.
    minutes
        Mean change of the time to the nearest site, minutes (negative: nearer), times being capped
        at `geo.coverage.measure.CAP_MIN`. None where nobody lives.
    supply
        Change of the accessible supply, mean of its people.
    gap
        Change of the gap, persons × need × minutes (negative: it shrinks).
    """

    kind: TerritoryKind
    code: str
    name: str
    people: float
    gaining: float
    losing: float
    nearer: float
    farther: float
    minutes: float | None
    supply: float
    gap: float


def compare(before: Coverage, after: Coverage, kind: TerritoryKind) -> tuple[CoverageChange, ...]:
    """Return the change in every territory of a kind, sorted by code.

    Raises
    ------
    ValueError
        If the two do not answer the same question over the same places.
    """
    if before.question != after.question or not np.array_equal(before.people, after.people):
        raise ValueError("Not the same question over the same places.")
    groups, of_place = before.frame.membership(kind)
    inside = of_place >= 0
    row, size = of_place[inside], len(groups)

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(row, weights=values[inside], minlength=size).astype(np.float64)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.divide(total(values * before.people), people, out=np.zeros(size), where=people > 0)

    people = total(before.people)
    change_min = _minutes(after) - _minutes(before)
    sums = {
        "gaining": total(before.people * (before.beyond & ~after.beyond)),
        "losing": total(before.people * (~before.beyond & after.beyond)),
        "nearer": total(before.people * (change_min <= -1)),
        "farther": total(before.people * (change_min >= 1)),
        "supply": mean(after.supply - before.supply),
        "gap": total(after.gap - before.gap),
    }
    minutes = mean(change_min)
    return tuple(
        CoverageChange(
            kind=kind,
            code=group.code,
            name=group.name,
            people=float(people[g]),
            minutes=float(minutes[g]) if people[g] > 0 else None,
            **{name: float(values[g]) for name, values in sums.items()},
        )
        for g, group in enumerate(groups)
    )


def _minutes(coverage: Coverage) -> NDArray[np.float64]:
    return np.minimum(coverage.seconds.astype(np.float64) / 60, CAP_MIN)
