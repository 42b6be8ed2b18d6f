"""Junctions of road pieces: how many pieces meet, which has priority, and the delay of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CROSSROADS_ARMS = 3
"""Ends of road pieces that make a node a crossroads; two are one road going on."""


@dataclass(frozen=True)
class Junctions:
    """Junctions of the pieces one mode may use; all arrays of shape (n,).

    Attributes
    ----------
    arms
        Number of ends of usable pieces at each node.
    highest, lowest
        Best and worst rank among them (the lowest number has priority); arbitrary without arms.
    """

    arms: NDArray[np.intp]
    highest: NDArray[np.int64]
    lowest: NDArray[np.int64]

    @property
    def is_crossroads(self) -> NDArray[np.bool_]:
        """Return which nodes have three arms or more."""
        return self.arms >= CROSSROADS_ARMS

    def priority_delay_s(
        self, into: NDArray[np.intp], rank: NDArray[np.intp], junction_s: Mapping[str, float]
    ) -> NDArray[np.float64]:
        """Return the seconds lost when entering a crossroads, 0 at other nodes.

        Parameters
        ----------
        into, rank
            Shape (m,): node each piece leads into, and rank of the piece.
        junction_s
            Delay by priority, as in `geo.reach.profiles.Profile`; missing ones are 0.
        """
        delay = np.select(
            [rank > self.highest[into], self.highest[into] == self.lowest[into]],
            [junction_s.get("minor", 0.0), junction_s.get("equal", 0.0)],
            junction_s.get("major", 0.0),
        )
        return np.where(self.is_crossroads[into], delay, 0.0)


def junctions_of(
    end_a: NDArray[np.intp],
    end_b: NDArray[np.intp],
    rank: NDArray[np.intp],
    usable: NDArray[np.bool_],
    nodes: int,
) -> Junctions:
    """Return the junctions that the usable pieces make.

    Parameters
    ----------
    end_a, end_b, rank
        Shape (m,): node at either end, and rank, of each piece.
    usable
        Shape (m,): whether the mode may use the piece. A footpath across a road is not a crossroads
        for cars.
    nodes
        Number of nodes, n.
    """
    ends = np.concatenate([end_a[usable], end_b[usable]])
    ranks = np.concatenate([rank[usable], rank[usable]])
    highest = np.full(nodes, np.iinfo(np.int64).max)
    lowest = np.zeros(nodes, np.int64)
    np.minimum.at(highest, ends, ranks)
    np.maximum.at(lowest, ends, ranks)
    return Junctions(np.bincount(ends, minlength=nodes), highest, lowest)
