"""Turn drawn lines into a network: junctions, motorway interchanges, and pieces between junctions.

INVARIANT: lines meet where their ends, or vertices they share, coincide; not where they merely cross,
because a layer of lines does not say which crossings are bridges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo.reach.layer_attributes import RoadAttributes
from geo.reach.profiles import Profiles
from geo.reach.ranges import concatenate_ranges


@dataclass(frozen=True)
class Vertices:
    """All vertices of all lines, line after line; v vertices.

    Attributes
    ----------
    xy
        Shape (v, 2), metres.
    line, node
        Shape (v,): the line it belongs to, and the junction it is at.
    is_split
        Shape (v,): whether lines are cut there.
    """

    xy: NDArray[np.float64]
    line: NDArray[np.intp]
    node: NDArray[np.intp]
    is_split: NDArray[np.bool_]


@dataclass(frozen=True)
class Pieces:
    """Runs of vertices between two junctions; m pieces, all arrays of shape (m,).

    Attributes
    ----------
    first, last
        Rows of `Vertices` where it starts and ends, both included.
    line
        The line it is part of.
    end_a, end_b
        Junction at either end.
    metres
        Its length.
    """

    first: NDArray[np.intp]
    last: NDArray[np.intp]
    line: NDArray[np.intp]
    end_a: NDArray[np.intp]
    end_b: NDArray[np.intp]
    metres: NDArray[np.float64]

    def select(self, mask: NDArray[np.bool_]) -> Pieces:
        """Return the pieces where the mask is true."""
        return Pieces(**{name: values[mask] for name, values in vars(self).items()})


def find_junctions(parts: NDArray[np.object_], level: NDArray[np.intp], snap_m: float) -> Vertices:
    """Find which vertices are the same junction, and move these onto one point.

    1. Vertices of the same level in the same square centimetre coincide: one "spot".
    2. A spot with a line end also meets any spot within `snap_m`; on another level only one with a
       line end too, since a bridge begins where a road ends.
    3. Spots connected by such pairs are one junction (connected components), placed at its first.

    Parameters
    ----------
    parts, level
        Lines in a metric CRS and their levels, shape (lines,).
    """
    xy, line = shapely.get_coordinates(parts, return_index=True)
    # 1. Cell and level are packed into one integer, so that a 1-D np.unique finds the spots.
    cell = np.rint(xy * 100).astype(np.int64)
    cell -= cell.min(axis=0)
    above = (level - level.min())[line]
    key = (cell[:, 0] * (cell[:, 1].max() + 1) + cell[:, 1]) * (above.max() + 1) + above
    # A vertex repeated along its own line is not a junction.
    new = np.ones(len(xy), dtype=bool)
    new[1:] = (key[1:] != key[:-1]) | (line[1:] != line[:-1])
    xy, line, key = xy[new], line[new], key[new]
    _, first, spot = np.unique(key, return_index=True, return_inverse=True)
    is_end = np.ones(len(xy), dtype=bool)
    is_end[1:-1] = (line[1:-1] != line[:-2]) | (line[1:-1] != line[2:])
    ends_here = np.zeros(len(first), dtype=bool)
    ends_here[spot[is_end]] = True
    # 2
    near = cKDTree(xy[first]).query_pairs(snap_m, output_type="ndarray")
    same_level = level[line[first[near[:, 0]]]] == level[line[first[near[:, 1]]]]
    ends = ends_here[near]
    near = near[np.where(same_level, ends.any(axis=1), ends.all(axis=1))]
    # 3
    count, node_of_spot = _components(near, len(first))
    node = node_of_spot[spot]
    # A junction where only one vertex lies, not a line end, is a mere shape point.
    meets = np.bincount(node, minlength=count) > 1
    meets[node_of_spot[ends_here]] = True
    is_split = meets[node]
    # Assigned in reverse, so that the first spot of each junction is the one that stays.
    place = np.empty((count, 2))
    place[node_of_spot[::-1]] = xy[first[::-1]]
    return Vertices(np.where(is_split[:, None], place[node], xy), line, node, is_split)


def _components(pairs: NDArray[np.intp], size: int) -> tuple[int, NDArray[np.intp]]:
    links = coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    count, label = connected_components(links.tocsr(), directed=False)
    return int(count), label.astype(np.intp)


def connect_interchanges(
    vertices: Vertices,
    of_line: Sequence[RoadAttributes],
    interchanges: NDArray[np.float64],
    *,
    snap_m: float,
    within_m: float,
    profiles: Profiles,
) -> NDArray[np.intp]:
    """Connect motorways drawn apart from the network to the nearest road, at their interchanges.

    A motorway is apart when only motorways can be reached along its lines. Without connectors its
    component would be dropped, and every long trip by car would avoid it.

    Parameters
    ----------
    interchanges
        Shape (i, 2), metric CRS.
    snap_m
        Longest distance from an interchange to a vertex of the motorway, metres.
    within_m
        Longest connector, metres.

    Returns
    -------
    Pairs of rows of `vertices`, shape (n, 2): on the motorway, on the other road.
    """
    if not len(interchanges):
        return np.empty((0, 2), dtype=np.intp)
    motorway = np.array([r.rank == profiles.ranks["motorway"] for r in of_line])
    served = np.array([max(r.kmh[0]) > 0 for r in of_line]) & ~motorway
    if not motorway.any() or not served.any():
        return np.empty((0, 2), dtype=np.intp)
    # Components of a bipartite graph: lines on one side, their junctions on the other.
    lines = len(of_line)
    meeting = np.column_stack([vertices.line, lines + vertices.node])[vertices.is_split]
    count, component = _components(meeting, lines + int(vertices.node.max()) + 1)
    apart = np.ones(count, dtype=bool)
    apart[component[:lines][~motorway]] = False
    on_apart = np.flatnonzero(apart[component[vertices.line]])
    roadside = np.flatnonzero(served[vertices.line])
    if not len(on_apart):
        return np.empty((0, 2), dtype=np.intp)
    gap, at = cKDTree(vertices.xy[on_apart]).query(interchanges)
    exits = on_apart[np.unique(at[gap <= snap_m])]
    # Two lines of a motorway may share an exit: one connector serves both.
    _, first = np.unique(vertices.node[exits], return_index=True)
    exits = exits[first]
    away, to = cKDTree(vertices.xy[roadside]).query(vertices.xy[exits])
    return np.asarray(np.column_stack([exits, roadside[to]])[away <= within_m], dtype=np.intp)


def cut_pieces(vertices: Vertices, shortest_loop_m: float) -> Pieces:
    """Cut lines at junctions, dropping pieces that start and end at one junction and are too short.

    Parameters
    ----------
    shortest_loop_m
        A loop up to this length is what snapping leaves of a short line, metres.
    """
    cut = np.flatnonzero(vertices.is_split)
    follows = vertices.line[cut[1:]] == vertices.line[cut[:-1]]
    first, last = cut[:-1][follows], cut[1:][follows]
    travelled = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(vertices.xy, axis=0).T))])
    pieces = Pieces(
        first=first,
        last=last,
        line=vertices.line[first],
        end_a=vertices.node[first],
        end_b=vertices.node[last],
        metres=travelled[last] - travelled[first],
    )
    return pieces.select((pieces.end_a != pieces.end_b) | (pieces.metres > shortest_loop_m))


def without_duplicates(pieces: Pieces, of_line: Sequence[RoadAttributes]) -> NDArray[np.bool_]:
    """Return a mask that drops straight pieces drawn twice, leaving the one of highest rank.

    Roads that share a stretch have two numbers there and are drawn twice. Duplicates are straight
    pieces between the same junctions, open to the same modes in the same directions.
    """
    rank = np.array([road.rank for road in of_line])[pieces.line]
    forth = np.array([[kmh[0] > 0 for kmh in road.kmh] for road in of_line])[pieces.line]
    back = np.array([[kmh[1] > 0 for kmh in road.kmh] for road in of_line])[pieces.line]
    # Directions are compared from the lower junction to the higher one, however the line is drawn.
    turned = pieces.end_a > pieces.end_b
    ways = np.where(turned[:, None], np.hstack([back, forth]), np.hstack([forth, back]))
    same = np.column_stack(
        [
            np.minimum(pieces.end_a, pieces.end_b),
            np.maximum(pieces.end_a, pieces.end_b),
            np.packbits(ways, axis=1),
        ]
    )
    # Sorted by rank last: the first of each group of duplicates has the highest rank.
    order = np.lexsort((rank, *same.T[::-1]))
    repeated = np.zeros(len(order), dtype=bool)
    straight = (pieces.last - pieces.first == 1)[order]
    repeated[1:] = (same[order][1:] == same[order][:-1]).all(axis=1) & straight[1:] & straight[:-1]
    once = np.empty(len(order), dtype=bool)
    once[order] = ~repeated
    return once


def piece_shapes(vertices: Vertices, pieces: Pieces) -> NDArray[np.object_]:
    """Return the pieces as linestrings, shape (m,)."""
    of_piece, points = concatenate_ranges(pieces.first, pieces.last - pieces.first + 1)
    return np.asarray(shapely.linestrings(vertices.xy[points], indices=of_piece), dtype=object)
