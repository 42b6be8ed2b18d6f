"""Output of the road file readers: pieces of road between junctions, input of `geo.reach.build`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from geo.reach.modes import Mode


@dataclass(frozen=True)
class RoadLines:
    """m pieces of road; pieces with an end key in common meet at that junction.

    Attributes
    ----------
    epsg
        The metric CRS of the coordinates.
    end_a, end_b
        Shape (m,), int64: keys of the junctions a piece runs between. Keys are arbitrary integers;
        pieces that cross without a junction (a bridge) have no key in common.
    shape_start, shape_xy
        As in `geo.reach.graph.RoadGraph`: points from a to b, both included, metres.
    seconds
        For each mode, shape (m, 2): from a to b and from b to a; inf where the mode may not go.
    reachable
        For each mode, shape (m,): whether a place beside the piece can be snapped to it.
    dropped
        Lines the reader left out: reason (a short English noun phrase) → count.
    """

    epsg: int
    end_a: NDArray[np.int64]
    end_b: NDArray[np.int64]
    shape_start: NDArray[np.int64]
    shape_xy: NDArray[np.float64]
    seconds: Mapping[Mode, NDArray[np.float32]]
    reachable: Mapping[Mode, NDArray[np.bool_]]
    dropped: Mapping[str, int] = field(default_factory=dict)
