"""The road graph: nodes, edges with their shape, and seconds along each for each mode.

Frozen arrays, possibly memory-mapped; reads no file. Edges run between junctions (or ends), with
all their shape points. Builders leave only edges somebody may use, in components worth keeping.
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
"""Least time of an edge, seconds."""


@dataclass(frozen=True)
class GraphMetadata:
    """Where a road graph comes from, and what its building kept and dropped.

    `checksum` is the SHA-256 (hex) of the artefact's content: the same graph has the same one.
    `summary` holds counts by name (nodes, edges, components, and what was dropped and why).
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
    """The source of a road graph, as every answer names it."""
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
        Shape (m,): the nodes an edge runs between, as integers. An edge may be a loop; two nodes
        may have several edges.
    shape_start
        Shape (m + 1,): edge e has the points `shape_xy[shape_start[e]:shape_start[e + 1]]`, from a
        to b, both included.
    shape_xy
        Shape (p, 2), metres.
    seconds
        For each mode, shape (m, 2): seconds along the edge from a to b and from b to a, what is
        lost at the junction entered included; inf where the mode may not go.
    reachable
        For each mode, shape (m,): whether a place beside the edge may join it there (no motorway,
        no bridge, no tunnel).
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
        """Modes this graph can be travelled by."""
        return tuple(mode for mode in Mode if mode in self.seconds)


def matrix(graph: RoadGraph, mode: Mode, *, reverse: bool = False) -> csr_array:
    """Seconds from node to node as SciPy's shortest paths take them, shape (n, n).

    Of parallel edges the quickest is kept. `reverse` turns every edge round: sweeps from sites
    then give the times *to* them.
    """
    along = graph.seconds[mode]
    source = np.concatenate([graph.edge_a, graph.edge_b])
    target = np.concatenate([graph.edge_b, graph.edge_a])
    seconds = np.concatenate([along[:, 0], along[:, 1]]).astype(np.float64)
    if reverse:
        source, target = target, source
    usable = np.isfinite(seconds) & (source != target)
    # SciPy reads a stored zero as no edge at all.
    source, target, seconds = source[usable], target[usable], np.maximum(seconds[usable], SHORTEST_S)
    order = np.lexsort((seconds, target, source))
    source, target, seconds = source[order], target[order], seconds[order]
    first = np.ones(len(source), dtype=bool)
    first[1:] = (source[1:] != source[:-1]) | (target[1:] != target[:-1])
    source, target, seconds = source[first], target[first], seconds[first]
    n = len(graph.node_xy)
    start = np.zeros(n + 1, dtype=np.int32)
    np.cumsum(np.bincount(source, minlength=n), out=start[1:])
    return csr_array((seconds, target.astype(np.int32), start), shape=(n, n))
