"""Roads as a reader yields them: pieces between junctions, before they are made a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from geo.reach.modes import Mode


@dataclass(frozen=True)
class RoadLines:
    """m pieces of road; those that share an end key meet there.

    Attributes
    ----------
    epsg
        The metric CRS of the coordinates.
    end_a, end_b
        Shape (m,), int64: keys of the junctions a piece runs between. Any integers; equal keys are
        the same junction, and pieces that cross without one (a bridge) share none.
    shape_start, shape_xy
        As in `geo.reach.graph.RoadGraph`: points from a to b, both included, metres.
    seconds
        For each mode, shape (m, 2): along a to b and b to a; inf where the mode may not go.
    reachable
        For each mode, shape (m,): whether a place beside the piece may join it there.
    dropped
        What the reader left out: reason (a short English noun phrase) → number of lines.
    """

    epsg: int
    end_a: NDArray[np.int64]
    end_b: NDArray[np.int64]
    shape_start: NDArray[np.int64]
    shape_xy: NDArray[np.float64]
    seconds: Mapping[Mode, NDArray[np.float32]]
    reachable: Mapping[Mode, NDArray[np.bool_]]
    dropped: Mapping[str, int] = field(default_factory=dict)
