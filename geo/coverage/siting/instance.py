"""A siting problem reduced to what decides it: choose p candidates that minimise weight × cost."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.intp]
Mask: TypeAlias = NDArray[np.bool_]

PROVEN: Final = 1e-9
"""Relative distance below which an answer and a bound differ only by rounding."""


@dataclass(frozen=True)
class Instance:
    """A reduced problem: candidates that serve someone better, and the places they serve.

    Attributes
    ----------
    candidates
        Rows of the original candidates, shape (c,).
    cost
        Cost of each place if served by each candidate, at most `without`; shape (c, places).
    without, weight
        Cost of each place with the existing sites only, and its weight; shape (places,).
    p
        Number of sites to open; if it equals c, all candidates are opened.
    """

    candidates: Rows
    cost: Floats
    without: Floats
    weight: Floats
    p: int

    def value(self, chosen: Rows) -> float:
        """Return the sum of weight × cost with these candidates open."""
        return float(self.weight @ with_open(self.cost[chosen], self.without))


def reduce_instance(cost: Floats, without: Floats, people: Floats, *, p: int) -> Instance:
    """Reduce a problem without changing its optimum.

    1. Places that no candidate serves better, or where nobody lives, cost the same whatever is opened.
    2. Places with the same costs from all candidates are merged, adding their weights.
    3. Candidates that serve no place better are dropped.

    Parameters
    ----------
    cost, without, people
        Shapes (candidates, places), (places,) and (places,).
    """
    useful = (cost < without) & (people > 0)
    places = useful.any(axis=0)  # 1
    cost, without, people, useful = cost[:, places], without[places], people[places], useful[:, places]
    # 2: a cost above `without` is never paid, so it need not distinguish two places.
    cost = np.minimum(cost, without)
    _, first, same = np.unique(np.vstack([cost, without]).T, axis=0, return_index=True, return_inverse=True)
    cost, without, useful = cost[:, first], without[first], useful[:, first]
    candidates = np.flatnonzero(useful.any(axis=1))  # 3
    return Instance(
        candidates=candidates,
        cost=cost[candidates],
        without=without,
        weight=np.bincount(same, weights=people, minlength=len(first)).astype(np.float64),
        p=min(p, len(candidates)),
    )


def with_open(cost: Floats, without: Floats) -> Floats:
    """Return the cost of each place once these candidates are open, shape (places,)."""
    nearest: Floats = cost.min(axis=0, initial=inf)
    return np.minimum(without, nearest)


def beyond(within: Mask) -> Floats:
    """Return the cost of maximal coverage: 0 within the threshold, 1 beyond."""
    return np.where(within, 0.0, 1.0)


def is_proven(bound: float, value: float) -> bool:
    """Return whether a lower bound shows that no answer costs less than this value."""
    return bound >= value * (1 - PROVEN)
