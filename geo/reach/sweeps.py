"""Shortest paths over a road graph: SciPy's Dijkstra, from sites outwards, against the traffic.

Sweeping the reversed graph from a site gives the time *to* it from everywhere (Dijkstra 1959). A
site stands on an edge, not on a junction: it enters the graph as a node of its own that leads to
the ends of its edge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.reach.graph import SHORTEST_S, RoadGraph, matrix
from geo.reach.modes import Mode
from geo.reach.snapping import Joined, along_edge, on_one_edge

BATCH_CELLS: Final = 8_000_000
"""Times held at once while sweeping (64 MB of float64)."""


class Sweeper:
    """A graph made ready for one mode and one direction.

    Parameters
    ----------
    outward
        False: times from everywhere to the sources of a sweep. True: from the sources to
        everywhere.
    """

    def __init__(self, graph: RoadGraph, mode: Mode, *, outward: bool = False) -> None:
        self.graph = graph
        self.mode = mode
        self.outward = outward
        self._matrix = matrix(graph, mode, reverse=not outward)

    @property
    def nodes(self) -> int:
        """Number of nodes of the graph, n."""
        return len(self.graph.node_xy)

    def sweeps(self, sources: Joined, *, limit_s: float = np.inf) -> Iterator[NDArray[np.float32]]:
        """Times between every node and each source, a batch of sources at a time.

        Yields
        ------
        Arrays of shape (some sources, n), seconds; inf where out of reach or beyond `limit_s`.
        """
        batch = max(1, BATCH_CELLS // max(1, self.nodes))
        for first in range(0, len(sources.edge), batch):
            last = min(first + batch, len(sources.edge))
            joined, ends = self._with_sources(sources, slice(first, last))
            seconds = dijkstra(joined, indices=ends, limit=limit_s)
            yield seconds[:, : self.nodes].astype(np.float32)

    def nearest(self, sources: Joined) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """For every node its nearest source: seconds and row, both of shape (n,).

        Seconds are inf and the row -1 where no source can be reached.
        """
        if not len(sources.edge):
            return np.full(self.nodes, np.inf, np.float32), np.full(self.nodes, -1, np.int32)
        joined, ends = self._with_sources(sources, slice(0, len(sources.edge)))
        seconds, _, origin = dijkstra(joined, indices=ends, min_only=True, return_predecessors=True)
        row = np.where(origin < 0, -1, origin - self.nodes).astype(np.int32)
        return seconds[: self.nodes].astype(np.float32), row[: self.nodes]

    def at(
        self, node_seconds: Sequence[NDArray[np.float32]], sources: Joined, places: Joined
    ) -> NDArray[np.float32]:
        """Times between places and sources, from the times between nodes and sources.

        Parameters
        ----------
        node_seconds
            For each source the times of all nodes, shape (n,), as `sweeps` yields them.

        Returns
        -------
        Shape (sources, places), seconds, the approaches at both ends included.
        """
        to_a, to_b = (places.from_a, places.from_b) if self.outward else (places.to_a, places.to_b)
        via_a, via_b = to_a.astype(np.float32), to_b.astype(np.float32)
        seconds = np.empty((len(sources.edge), len(places.edge)), dtype=np.float32)
        for row, of_nodes in enumerate(node_seconds):
            np.minimum(of_nodes[places.node_a] + via_a, of_nodes[places.node_b] + via_b, out=seconds[row])
        rows, columns = on_one_edge(sources, places)
        start, end, pairs = (
            (sources, places, (rows, columns)) if self.outward else (places, sources, (columns, rows))
        )
        direct = along_edge(self.graph, self.mode, start, end, pairs).astype(np.float32)
        seconds[rows, columns] = np.minimum(seconds[rows, columns], direct)
        return seconds

    def _with_sources(self, sources: Joined, part: slice) -> tuple[csr_array, NDArray[np.int64]]:
        """The graph with one more node for each source, and those nodes."""
        ends = (sources.to_a, sources.to_b) if self.outward else (sources.from_a, sources.from_b)
        seconds = np.column_stack([each[part] for each in ends])
        target = np.column_stack([sources.node_a[part], sources.node_b[part]])
        usable = np.isfinite(seconds)
        seconds = np.maximum(seconds, SHORTEST_S)
        many, known = len(seconds), self._matrix
        start = known.indptr[-1] + np.cumsum(usable.sum(axis=1))
        grown = csr_array(
            (
                np.concatenate([known.data, seconds[usable]]),
                np.concatenate([known.indices, target[usable].astype(known.indices.dtype)]),
                np.concatenate([known.indptr, start.astype(known.indptr.dtype)]),
            ),
            shape=(self.nodes + many, self.nodes + many),
        )
        return grown, np.arange(self.nodes, self.nodes + many)
