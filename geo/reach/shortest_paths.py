"""Shortest paths over a road graph, by SciPy's Dijkstra (E. W. Dijkstra, 1959).

There are far fewer sites than places, so one search per site on the *reversed* graph replaces one
per place: it gives the time to that site from every node. A site lies on an edge, not on a
junction, so it is added to the graph as a node of its own that leads to both ends of its edge.
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
from geo.reach.snapping import SnappedPoints, along_edge, on_one_edge

BATCH_CELLS: Final = 8_000_000
"""Number of times computed per batch of sources (64 MB of float64)."""


class ShortestPaths:
    """Shortest path searches over a graph, for one mode and one direction.

    Parameters
    ----------
    outward
        False: times from everywhere to the sources. True: from the sources to everywhere.
    """

    def __init__(self, graph: RoadGraph, mode: Mode, *, outward: bool = False) -> None:
        self.graph = graph
        self.mode = mode
        self.outward = outward
        self._matrix = matrix(graph, mode, reverse=not outward)

    @property
    def nodes(self) -> int:
        """Return the number of nodes of the graph, n."""
        return len(self.graph.node_xy)

    def node_times(self, sources: SnappedPoints, *, limit_s: float = np.inf) -> Iterator[NDArray[np.float32]]:
        """Compute the times between every node and each source, in batches of sources.

        Yields
        ------
        Arrays of shape (some sources, n), seconds; inf where out of reach or beyond `limit_s`.
        """
        batch = max(1, BATCH_CELLS // max(1, self.nodes))
        for first in range(0, len(sources.edge), batch):
            last = min(first + batch, len(sources.edge))
            network, added = self._with_sources(sources, slice(first, last))
            seconds = dijkstra(network, indices=added, limit=limit_s)
            yield seconds[:, : self.nodes].astype(np.float32)

    def nearest_source(self, sources: SnappedPoints) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Find the nearest source of every node: seconds and row of `sources`, both of shape (n,).

        Seconds are inf and the row -1 where no source can be reached.
        """
        if not len(sources.edge):
            return np.full(self.nodes, np.inf, np.float32), np.full(self.nodes, -1, np.int32)
        network, added = self._with_sources(sources, slice(0, len(sources.edge)))
        seconds, _, origin = dijkstra(network, indices=added, min_only=True, return_predecessors=True)
        row = np.where(origin < 0, -1, origin - self.nodes).astype(np.int32)
        return seconds[: self.nodes].astype(np.float32), row[: self.nodes]

    def place_times(
        self, node_seconds: Sequence[NDArray[np.float32]], sources: SnappedPoints, places: SnappedPoints
    ) -> NDArray[np.float32]:
        """Compute the times between places and sources from those between nodes and sources.

        INVARIANT: a trip either passes an end of the place's edge, whose time is known, or stays on
        an edge it shares with the source; the least of the three is the shortest.

        Parameters
        ----------
        node_seconds
            For each source the times of all nodes, shape (n,), as `node_times` yields them.

        Returns
        -------
        Shape (sources, places), seconds, including the approaches at both ends.
        """
        to_a, to_b = (places.from_a, places.from_b) if self.outward else (places.to_a, places.to_b)
        via_a, via_b = to_a.astype(np.float32), to_b.astype(np.float32)
        seconds = np.empty((len(sources.edge), len(places.edge)), dtype=np.float32)
        for row, at_node in enumerate(node_seconds):
            np.minimum(at_node[places.node_a] + via_a, at_node[places.node_b] + via_b, out=seconds[row])
        rows, columns = on_one_edge(sources, places)
        # `along_edge` times trips from `start` to `end`: places start unless the search runs outward.
        start, end, pairs = (
            (sources, places, (rows, columns)) if self.outward else (places, sources, (columns, rows))
        )
        direct = along_edge(self.graph, self.mode, start, end, pairs).astype(np.float32)
        seconds[rows, columns] = np.minimum(seconds[rows, columns], direct)
        return seconds

    def _with_sources(self, sources: SnappedPoints, part: slice) -> tuple[csr_array, NDArray[np.int64]]:
        """Return the graph with one more node for each source, and the rows of these nodes.

        Nothing leads back to an added node, so sources never shorten one another's paths and the
        rows of the road nodes, stored first, keep their numbers.
        """
        ends = (sources.to_a, sources.to_b) if self.outward else (sources.from_a, sources.from_b)
        seconds = np.column_stack([each[part] for each in ends])
        target = np.column_stack([sources.node_a[part], sources.node_b[part]])
        usable = np.isfinite(seconds)
        seconds = np.maximum(seconds, SHORTEST_S)
        many, roads = len(seconds), self._matrix
        start = roads.indptr[-1] + np.cumsum(usable.sum(axis=1))
        extended = csr_array(
            (
                np.concatenate([roads.data, seconds[usable]]),
                np.concatenate([roads.indices, target[usable].astype(roads.indices.dtype)]),
                np.concatenate([roads.indptr, start.astype(roads.indptr.dtype)]),
            ),
            shape=(self.nodes + many, self.nodes + many),
        )
        return extended, np.arange(self.nodes, self.nodes + many)
