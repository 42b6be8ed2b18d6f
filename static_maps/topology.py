"""Shared boundaries: shapes with a common border refer to the same arc.

A border between two communes is sent once instead of twice and drawn without slivers; the
borders of any grouping are the arcs whose two sides lie in different groups. The encoding is
that of TopoJSON (Bostock & Metcalf, 2013): integer coordinates, the first point of an arc absolute,
the others as differences; arc `~i` is arc `i` reversed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from shapely import LinearRing, MultiPolygon

SCALE: Final = 100_000
"""Units per degree: five decimals, about a metre."""

Vertex = tuple[int, int]


@dataclass(frozen=True)
class Topology:
    """Arcs, and for each shape its polygons as rings of arc references (exterior first).

    An arc is a flat list: x, y of its first point, then dx, dy of each next one, in units of
    1/`SCALE` degree.
    """

    arcs: list[list[int]]
    shapes: list[list[list[list[int]]]]


def topology(shapes: Sequence[MultiPolygon]) -> Topology:
    """Cut the rings of shapes (WGS 84) into arcs, each stored once.

    Edges are shared if their vertices are equal to five decimals. Rings that collapse at that
    precision are dropped.
    """
    rings = [
        [[r for ring in (p.exterior, *p.interiors) if (r := _vertices(ring))] for p in shape.geoms]
        for shape in shapes
    ]
    junctions = _junctions([ring for shape in rings for polygon in shape for ring in polygon])
    arcs: dict[tuple[Vertex, ...], int] = {}
    return Topology(
        shapes=[
            [[_references(ring, junctions, arcs) for ring in polygon] for polygon in shape if polygon]
            for shape in rings
        ],
        arcs=[_differences(arc) for arc in arcs],
    )


def _vertices(ring: LinearRing) -> list[Vertex]:
    """Return the vertices of a ring in integer units without the closing one; empty if it collapses."""
    units = np.rint(np.asarray(ring.coords)[:, :2] * SCALE).astype(np.int64)
    moved = np.any(units != np.roll(units, -1, axis=0), axis=1)
    vertices = [(int(x), int(y)) for x, y in units[moved]]
    return vertices if len(set(vertices)) >= 3 else []


def _junctions(rings: Sequence[list[Vertex]]) -> set[Vertex]:
    """Return the vertices where arcs end.

    A vertex is inside an arc if every ring that contains it has the same two neighbours there;
    if two rings have different neighbours, borders meet or part at that vertex.
    """
    seen: dict[Vertex, frozenset[Vertex]] = {}
    found = set()
    for ring in rings:
        for i, vertex in enumerate(ring):
            beside = frozenset((ring[i - 1], ring[(i + 1) % len(ring)]))
            if seen.setdefault(vertex, beside) != beside:
                found.add(vertex)
    return found


def _references(ring: list[Vertex], junctions: set[Vertex], arcs: dict[tuple[Vertex, ...], int]) -> list[int]:
    """Return the ring as arc references, adding new arcs to `arcs`.

    The ring is cut at its junctions. A ring without junctions is one closed arc that starts at its
    smallest vertex, so that a hole and the enclave that fills it give the same arc.
    """
    cuts = [i for i, vertex in enumerate(ring) if vertex in junctions]
    start = cuts[0] if cuts else ring.index(min(ring))
    turned = [*ring[start:], *ring[: start + 1]]
    ends = [i - start for i in cuts[1:]] + [len(ring)]
    references = []
    begin = 0
    for end in ends:
        arc = tuple(turned[begin : end + 1])
        backwards = arc[::-1]
        if backwards in arcs:
            references.append(~arcs[backwards])
        else:
            references.append(arcs.setdefault(arc, len(arcs)))
        begin = end
    return references


def _differences(arc: tuple[Vertex, ...]) -> list[int]:
    points = np.array(arc)
    return [int(v) for v in np.vstack([points[:1], np.diff(points, axis=0)]).ravel()]
