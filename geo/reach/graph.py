"""The road graph: nodes, edges with their shape points, and travel seconds per mode and direction.

Frozen arrays, possibly memory-mapped; this module reads no file. Edges run between junctions (or
dead ends) and carry all their shape points. `geo.reach.build` drops edges that no mode may use and
components too small to be useful.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from geo.reach.modes import Mode
from geo.territory.model import Provenance

SHORTEST_S: Final = 1e-6
"""Shortest time an edge may take, seconds."""


@dataclass(frozen=True)
class GraphMetadata:
    """Provenance of a road graph, and the counts of its build.

    `checksum` is the SHA-256 (hex) of the graph's content: the same graph always has the same one.
    `summary` holds counts by name (nodes, edges, components, and lines dropped by reason).
    """

    checksum: str
    file_name: str
    format: str
    producer: str
    vintage: str
    licence: str
    built_at: datetime
    summary: Mapping[str, object] = field(default_factory=dict)


def provenance_of(about: GraphMetadata) -> Provenance:
    """Return the source of a road graph as shown with every answer."""
    return Provenance(
        subject="Routes",
        producer=about.producer or about.file_name,
        vintage=about.vintage,
        licence=about.licence,
        retrieved=about.built_at.date(),
    )


@dataclass(frozen=True)
class RoadGraph:
    """A routable network of n nodes and m edges.

    Attributes
    ----------
    epsg
        The metric CRS of all coordinates.
    node_xy
        Shape (n, 2), metres.
    edge_a, edge_b
        Shape (m,): row of the node each edge starts from and ends at. An edge may be a loop; two
        nodes may share several edges.
    shape_start
        Shape (m + 1,): the points of edge e are `shape_xy[shape_start[e]:shape_start[e + 1]]`, from
        a to b, both included.
    shape_xy
        Shape (p, 2), metres.
    seconds
        For each mode, shape (m, 2): seconds along the edge from a to b and from b to a, including
        the delay at the junction entered; inf where the mode may not go.
    reachable
        For each mode, shape (m,): whether a place beside the edge can be snapped to it (not on
        motorways, bridges or in tunnels).
    about
        Source, vintage, checksum, counts.
    """

    epsg: int
    node_xy: NDArray[np.float64]
    edge_a: NDArray[np.int32]
    edge_b: NDArray[np.int32]
    shape_start: NDArray[np.int64]
    shape_xy: NDArray[np.float64]
    seconds: Mapping[Mode, NDArray[np.float32]]
    reachable: Mapping[Mode, NDArray[np.bool_]]
    about: GraphMetadata

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Return the modes this graph can be travelled by."""
        return tuple(mode for mode in Mode if mode in self.seconds)


def matrix(graph: RoadGraph, mode: Mode, *, reverse: bool = False) -> csr_array:
    """Return the sparse matrix of seconds from node to node that SciPy's shortest paths expect.

    Parameters
    ----------
    reverse
        Reverse every edge. A search that starts at the sites then gives the times *to* them.

    Returns
    -------
    Shape (n, n); of parallel edges only the quickest is stored.
    """
    along = graph.seconds[mode]
    source = np.concatenate([graph.edge_a, graph.edge_b])
    target = np.concatenate([graph.edge_b, graph.edge_a])
    seconds = np.concatenate([along[:, 0], along[:, 1]]).astype(np.float64)
    if reverse:
        source, target = target, source
    usable = np.isfinite(seconds) & (source != target)
    # SciPy's sparse graphs treat a stored zero as a missing edge, so no edge may take 0 seconds.
    source, target, seconds = source[usable], target[usable], np.maximum(seconds[usable], SHORTEST_S)
    order = np.lexsort((seconds, target, source))
    source, target, seconds = source[order], target[order], seconds[order]
    # Sorted by seconds last: the first of each (source, target) group is the quickest parallel edge.
    first = np.ones(len(source), dtype=bool)
    first[1:] = (source[1:] != source[:-1]) | (target[1:] != target[:-1])
    source, target, seconds = source[first], target[first], seconds[first]
    n = len(graph.node_xy)
    start = np.zeros(n + 1, dtype=np.int32)
    np.cumsum(np.bincount(source, minlength=n), out=start[1:])
    return csr_array((seconds, target.astype(np.int32), start), shape=(n, n))
