"""Seconds lost at signals, signs, gates and junctions along pieces of OpenStreetMap ways."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.reach.junctions import junctions_of
from geo.reach.osm_tags import GIVE_WAY, NODE_KINDS, SIGNALS, STOP
from geo.reach.profiles import Profile


@dataclass
class PassedNodes:
    """Causes of delay at nodes, and the nodes inside pieces.

    Attributes
    ----------
    kind, direction, gate
        As in `geo.reach.osm_file.OsmNodes`, including the nodes added past barriers.
    node, piece
        For each node inside a piece (not at its ends): its row, and the piece.
    second_half
        Whether it lies in the second half of its piece.
    """

    kind: NDArray[np.int8]
    direction: NDArray[np.int8]
    gate: NDArray[np.bool_]
    node: NDArray[np.int64]
    piece: NDArray[np.int64]
    second_half: NDArray[np.bool_]


def delays_s(
    profile: Profile,
    number: int,
    passed: PassedNodes,
    end_a: NDArray[np.int64],
    end_b: NDArray[np.int64],
    usable: NDArray[np.bool_],
    rank: NDArray[np.int64],
    ring: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return the seconds a mode loses along each piece and at the node it leads into, shape (m, 2).

    1. Signals, signs and gates inside a piece delay the directions they apply to. A stop or
       give-way sign without a direction applies towards the nearer end of its piece.
    2. Entering a crossroads costs by priority; entering a roundabout costs its own penalty.
    3. No priority is counted at signals, nor on a piece with signals (drawn just before the
       crossroads), nor for traffic already on the roundabout.
    4. A sign at the crossroads itself does not apply to the road that has priority.

    Parameters
    ----------
    number
        Position of the mode in `Mode`.
    usable
        Shape (m, 2): whether the mode may go from a to b, and from b to a.
    rank, ring
        Shape (m,): rank of the road, and whether it is part of a roundabout.
    """
    m, n = len(end_a), len(passed.kind)
    cost = np.array([profile.penalty_s.get(kind, 0.0) for kind in NODE_KINDS])
    gate_s = profile.penalty_s.get("gate", 0.0)

    # 1
    delays = np.zeros((m, 2))
    has_signals = np.zeros((m, 2), bool)
    kind, gate = passed.kind[passed.node], passed.gate[number, passed.node]
    direction = passed.direction[passed.node]
    is_undirected_sign = np.isin(kind, (STOP, GIVE_WAY)) & (direction == 0)
    for column, sign in ((0, 1), (1, -1)):
        applies = np.where(is_undirected_sign, passed.second_half == (sign > 0), direction * sign >= 0)
        here = np.where(applies, cost[kind], 0.0) + gate * gate_s
        delays[:, column] = np.bincount(passed.piece, weights=here, minlength=m)
        has_signals[passed.piece[applies & (kind == SIGNALS)], column] = True

    junctions = junctions_of(end_a, end_b, rank, np.asarray(usable.any(axis=1)), n)
    on_ring = np.zeros(n, bool)
    used_ring = ring & usable.any(axis=1)
    on_ring[end_a[used_ring]] = on_ring[end_b[used_ring]] = True

    for column, sign, into in ((0, 1, end_b), (1, -1, end_a)):
        kind, direction = passed.kind[into], passed.direction[into]
        is_crossroads = junctions.is_crossroads[into]
        # 2 and 3
        priority = junctions.priority_delay_s(into, rank, profile.junction_s)
        turn = np.where(on_ring[into], profile.penalty_s.get("roundabout", 0.0), priority)
        is_free = ~is_crossroads | ring | has_signals[:, column] | (kind == SIGNALS)
        delays[:, column] += np.where(is_free, 0.0, turn)
        # 4
        is_major = (rank == junctions.highest[into]) & (rank < junctions.lowest[into])
        goes_first = is_crossroads & (ring | is_major)
        applies = (direction * sign >= 0) & ~(goes_first & np.isin(kind, (STOP, GIVE_WAY)))
        delays[:, column] += np.where(applies, cost[kind], 0.0) + passed.gate[number, into] * gate_s
    return delays
