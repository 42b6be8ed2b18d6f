"""Where a place meets the road: the nearest point of the nearest edge it may join.

From there it travels along the edge to either end, where the edge allows it. What lies between the
place and the road is crossed in a straight line at the mode's approach speed.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.reach.graph import RoadGraph
from geo.reach.modes import Mode


@dataclass(frozen=True)
class Joined:
    """k places on the edges of a graph, for one mode.

    Attributes
    ----------
    edge
        Shape (k,): the edge joined; -1 where there is none, or the place has no position.
    fraction
        Shape (k,): where on the edge, from 0 (its a) to 1 (its b).
    distance_m
        Shape (k,): from the place to the road, metres; inf where no edge is joined.
    approach_s
        Shape (k,): the same in seconds.
    node_a, node_b
        Shape (k,): ends of the edge; 0 where none is joined.
    to_a, to_b
        Shape (k,): seconds from the place to either end, the approach included; inf where the edge
        does not allow it.
    from_a, from_b
        Shape (k,): seconds from either end to the place, the approach included.
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

    def take(self, rows: NDArray[np.intp]) -> Joined:
        """Some of the places."""
        return Joined(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


class EdgeIndex:
    """The edges of a graph that places may join, for one mode, ready to be searched.

    Parameters
    ----------
    approach_kmh
        Speed between a place and the road.
    """

    def __init__(self, graph: RoadGraph, mode: Mode, *, approach_kmh: float) -> None:
        self._graph = graph
        self._seconds = graph.seconds[mode]
        self._approach_m_s = approach_kmh / 3.6
        usable = graph.reachable[mode] & np.isfinite(self._seconds).any(axis=1)
        self._edges = np.flatnonzero(usable)
        self._lines = _lines(graph, self._edges)
        self._tree = shapely.STRtree(self._lines)

    def join(self, xy: NDArray[np.float64]) -> Joined:
        """Join places to the road.

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
        return self._joined(edge, fraction, distance)

    def _joined(
        self, edge: NDArray[np.intp], fraction: NDArray[np.float64], distance: NDArray[np.float64]
    ) -> Joined:
        ab, ba = self._seconds[edge].T.astype(np.float64)
        approach = distance / self._approach_m_s  # inf where no edge is joined, and so is all below
        rest = 1 - fraction
        return Joined(
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


def along_edge(graph: RoadGraph, mode: Mode, start: Joined, end: Joined, rows: _Pairs) -> NDArray[np.float64]:
    """Seconds between pairs of places on one edge without leaving it, approaches included.

    Parameters
    ----------
    rows
        Rows of `start` and rows of `end`, of equal length; each pair shares its edge.
    """
    i, j = rows
    ab, ba = graph.seconds[mode][start.edge[i]].T.astype(np.float64)
    ahead = end.fraction[j] - start.fraction[i]
    ridden = np.where(ahead >= 0, _part(ahead, ab), _part(-ahead, ba))
    return start.approach_s[i] + ridden + end.approach_s[j]


_Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]


def on_one_edge(start: Joined, end: Joined) -> _Pairs:
    """All pairs of places that share an edge: rows of `start`, rows of `end`."""
    order = np.argsort(end.edge, kind="stable")
    edges = end.edge[order]
    low, high = (np.searchsorted(edges, start.edge, side=side) for side in ("left", "right"))
    many = np.where(start.edge < 0, 0, high - low)
    i = np.repeat(np.arange(len(start.edge)), many)
    within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    return i, order[np.repeat(low, many) + within]


def _part(share: NDArray[np.float64], seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Seconds of a share of an edge: none of a forbidden edge takes no time."""
    with np.errstate(invalid="ignore"):
        return np.where(share == 0, 0.0, share * seconds)


def _lines(graph: RoadGraph, edges: NDArray[np.intp]) -> NDArray[np.object_]:
    points = np.diff(graph.shape_start)[edges]
    which = np.repeat(np.arange(len(edges)), points)
    within = np.arange(points.sum()) - np.repeat(np.cumsum(points) - points, points)
    rows = np.repeat(graph.shape_start[edges], points) + within
    lines: NDArray[np.object_] = shapely.linestrings(graph.shape_xy[rows], indices=which)
    return lines
