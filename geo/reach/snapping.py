"""Snap places to the road network: the nearest point of the nearest edge open to the mode.

From that point a trip goes along the edge to either end, if the edge allows that direction. The
ground between the place and the road is crossed in a straight line at the mode's approach speed.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.reach.graph import RoadGraph
from geo.reach.modes import Mode
from geo.reach.ranges import concatenate_ranges


@dataclass(frozen=True)
class SnappedPoints:
    """k places snapped to the edges of a graph, for one mode.

    Attributes
    ----------
    edge
        Shape (k,): row of the edge; -1 where there is none or the place has no position.
    fraction
        Shape (k,): position along the edge, from 0 (its node a) to 1 (its node b).
    distance_m
        Shape (k,): straight line from the place to the edge, metres; inf without an edge.
    approach_s
        Shape (k,): seconds to cross that distance.
    node_a, node_b
        Shape (k,): ends of the edge; 0 without an edge.
    to_a, to_b
        Shape (k,): seconds from the place to either end, approach included; inf where the edge is
        closed in that direction.
    from_a, from_b
        Shape (k,): seconds from either end to the place, approach included.
    """

    edge: NDArray[np.intp]
    fraction: NDArray[np.float64]
    distance_m: NDArray[np.float64]
    approach_s: NDArray[np.float64]
    node_a: NDArray[np.int32]
    node_b: NDArray[np.int32]
    to_a: NDArray[np.float64]
    to_b: NDArray[np.float64]
    from_a: NDArray[np.float64]
    from_b: NDArray[np.float64]

    def take(self, rows: NDArray[np.intp]) -> SnappedPoints:
        """Return the given rows."""
        return SnappedPoints(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


class EdgeIndex:
    """Spatial index (STR-tree) of the edges that places can be snapped to, for one mode.

    Parameters
    ----------
    approach_kmh
        Speed between a place and the road, km/h.
    """

    def __init__(self, graph: RoadGraph, mode: Mode, *, approach_kmh: float) -> None:
        self._graph = graph
        self._seconds = graph.seconds[mode]
        self._approach_m_s = approach_kmh / 3.6
        usable = graph.reachable[mode] & np.isfinite(self._seconds).any(axis=1)
        self._edges = np.flatnonzero(usable)
        self._lines = _lines(graph, self._edges)
        self._tree = shapely.STRtree(self._lines)

    def snap(self, xy: NDArray[np.float64]) -> SnappedPoints:
        """Snap places to their nearest edge; of equally near edges, either one.

        Parameters
        ----------
        xy
            Shape (k, 2), metric CRS of the graph; NaN where a place has no position.
        """
        count = len(xy)
        edge = np.full(count, -1, dtype=np.intp)
        fraction = np.zeros(count)
        distance = np.full(count, np.inf)
        placed = np.flatnonzero(np.isfinite(xy).all(axis=1))
        if len(placed) and len(self._edges):
            points = shapely.points(xy[placed])
            (rank, found), metres = self._tree.query_nearest(points, all_matches=False, return_distance=True)
            edge[placed[rank]] = self._edges[found]
            distance[placed[rank]] = metres
            fraction[placed[rank]] = shapely.line_locate_point(
                self._lines[found], points[rank], normalized=True
            )
        return self._timed(edge, fraction, distance)

    def _timed(
        self, edge: NDArray[np.intp], fraction: NDArray[np.float64], distance: NDArray[np.float64]
    ) -> SnappedPoints:
        ab, ba = self._seconds[edge].T.astype(np.float64)
        # The distance is inf without an edge, which makes every time below inf as well; what
        # `edge == -1` reads from the arrays then does not matter.
        approach = distance / self._approach_m_s
        rest = 1 - fraction
        return SnappedPoints(
            edge=edge,
            fraction=fraction,
            distance_m=distance,
            approach_s=approach,
            node_a=np.where(edge < 0, 0, self._graph.edge_a[edge]),
            node_b=np.where(edge < 0, 0, self._graph.edge_b[edge]),
            to_a=approach + _part(fraction, ba),
            to_b=approach + _part(rest, ab),
            from_a=approach + _part(fraction, ab),
            from_b=approach + _part(rest, ba),
        )


def along_edge(
    graph: RoadGraph, mode: Mode, start: SnappedPoints, end: SnappedPoints, rows: _Pairs
) -> NDArray[np.float64]:
    """Return the seconds between pairs of places on one edge, without leaving it, approaches included.

    Parameters
    ----------
    rows
        Rows of `start` and rows of `end`, of equal length; both places of a pair are on one edge.
    """
    i, j = rows
    ab, ba = graph.seconds[mode][start.edge[i]].T.astype(np.float64)
    ahead = end.fraction[j] - start.fraction[i]
    # A place ahead of the start is reached in the direction a to b, one behind in b to a.
    driven = np.where(ahead >= 0, _part(ahead, ab), _part(-ahead, ba))
    return start.approach_s[i] + driven + end.approach_s[j]


_Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]


def on_one_edge(start: SnappedPoints, end: SnappedPoints) -> _Pairs:
    """Return all pairs of places on the same edge, as rows of `start` and rows of `end`.

    A sorted join: `end` is sorted by edge, so the partners of each start are one run of it.
    """
    order = np.argsort(end.edge, kind="stable")
    edges = end.edge[order]
    low, high = (np.searchsorted(edges, start.edge, side=side) for side in ("left", "right"))
    many = np.where(start.edge < 0, 0, high - low)
    i, row = concatenate_ranges(low, many)
    return i, order[row]


def _part(share: NDArray[np.float64], seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the seconds of a share of an edge.

    A share of 0 takes no time even where the edge is closed: 0 × inf would be NaN.
    """
    with np.errstate(invalid="ignore"):
        return np.where(share == 0, 0.0, share * seconds)


def _lines(graph: RoadGraph, edges: NDArray[np.intp]) -> NDArray[np.object_]:
    line, point = concatenate_ranges(graph.shape_start[edges], np.diff(graph.shape_start)[edges])
    lines: NDArray[np.object_] = shapely.linestrings(graph.shape_xy[point], indices=line)
    return lines
