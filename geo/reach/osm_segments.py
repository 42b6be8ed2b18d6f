"""Straight segments of OpenStreetMap ways: selection by area, and closures at barriers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.errors import UnreadableFile
from geo.reach.modes import Mode
from geo.reach.osm_file import DEGREE, OsmNodes, OsmWays, is_on_earth
from geo.wording.language import FRENCH

INCOMPLETE: Final = "ways without two located nodes"
OUTSIDE: Final = "ways outside the bounds"

CLOSED_PAST_BARRIER_M: Final = 1.0
"""Length of road closed past a barrier, metres."""


@dataclass
class Segments:
    """Straight parts between two consecutive nodes of a way, in the order of ways.

    Attributes
    ----------
    a, b
        Shape (s,): row of the node at either end.
    way
        Shape (s,): row of the way.
    closed
        Shape (modes, s): whether a barrier closes it to a mode.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    way: NDArray[np.int64]
    closed: NDArray[np.bool_]


def segments_within(path: Path, ways: OsmWays, nodes: OsmNodes, bounds: BaseGeometry | None) -> Segments:
    """Return the segments of the ways that touch the bounds, counting the other ways as dropped.

    Parameters
    ----------
    path
        Named in errors.
    bounds
        Polygon in WGS 84; None for all ways.

    Raises
    ------
    UnreadableFile
        If no way has two located nodes, or none touches the bounds.
    """
    refs, way = np.array(ways.roads.refs, dtype=np.int64), ways.roads.owners()
    row = np.searchsorted(nodes.id, refs)
    located = is_on_earth(nodes.x, nodes.y)[row]
    # Consecutive nodes of the same way, both located; a node repeated in a row is no segment.
    usable = (way[1:] == way[:-1]) & located[1:] & located[:-1] & (row[1:] != row[:-1])
    a, b, of = row[:-1][usable], row[1:][usable], way[:-1][usable]
    del refs, way, row, located
    present = np.unique(of)
    ways.dropped[INCOMPLETE] += len(ways.rule) - len(present)
    if not len(present):
        raise UnreadableFile(
            f"Le fichier {path.name} contient des routes, mais pas la position de leurs points.",
            "Prenez un extrait OpenStreetMap complet (.osm.pbf), non filtré.",
        )
    if bounds is not None:
        inside = _touching(bounds, a, b, of, nodes)
        ways.dropped[OUTSIDE] += len(present) - len(np.unique(of[inside]))
        if not inside.any():
            raise _outside_error(path, nodes, np.union1d(a, b), bounds)
        a, b, of = a[inside], b[inside], of[inside]
    return Segments(a=a, b=b, way=of, closed=np.zeros((len(Mode), len(a)), bool))


def _touching(
    bounds: BaseGeometry,
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    way: NDArray[np.int64],
    nodes: OsmNodes,
) -> NDArray[np.bool_]:
    """Return for each segment whether its way touches the bounds.

    Ways are tested by bounding box first: most of an extract lies far from the territory.
    """
    west, south, east, north = np.array(bounds.bounds) * DEGREE
    x, y = nodes.x, nodes.y
    near = (
        (np.minimum(x[a], x[b]) <= east)
        & (np.maximum(x[a], x[b]) >= west)
        & (np.minimum(y[a], y[b]) <= north)
        & (np.maximum(y[a], y[b]) >= south)
    )
    near = np.isin(way, way[near])
    if not near.any():
        return near
    shapely.prepare(bounds)
    points = np.column_stack([a[near], b[near]]).ravel()
    owner, line = np.unique(np.repeat(way[near], 2), return_inverse=True)
    lines = shapely.linestrings(np.column_stack([x[points], y[points]]) / DEGREE, indices=line)
    return np.isin(way, owner[shapely.intersects(bounds, lines)])


def _outside_error(
    path: Path, nodes: OsmNodes, used: NDArray[np.int64], bounds: BaseGeometry
) -> UnreadableFile:
    x, y = nodes.x[used] / DEGREE, nodes.y[used] / DEGREE
    extent = _box(x.min(), y.min(), x.max(), y.max())
    return UnreadableFile(
        f"Aucune route du fichier {path.name} n'est dans le territoire : elles vont {extent} ; "
        f"le territoire, {_box(*bounds.bounds)}.",
        "Prenez l'extrait de la région où se trouve le territoire.",
    )


def _box(west: float, south: float, east: float, north: float) -> str:
    numbers = [FRENCH.digits(degrees, 2) for degrees in (west, east, south, north)]
    return "de {} à {} de longitude et de {} à {} de latitude (degrés)".format(*numbers)


def close_past_barriers(
    segments: Segments, nodes: OsmNodes, xy: NDArray[np.float64]
) -> tuple[Segments, NDArray[np.float64]]:
    """Close the first metre of road past each barrier to the modes it stops.

    Closing the node itself would also close the road before the barrier, which is still used. One
    short segment on one side of the node suffices, as no trip can pass without using it. A
    barrier where three arms or more meet is ignored: it is mapped there for the side of the road.

    Returns
    -------
    The segments, and the coordinates of all nodes: those of `xy`, then the ones added.
    """
    n = len(nodes.id)
    arms = np.bincount(segments.a, minlength=n) + np.bincount(segments.b, minlength=n)
    stops = nodes.closed.any(axis=0) & (arms == 2)
    if not stops.any():
        return segments, xy
    # One segment for each barrier: one that leaves it if there is any, else one that enters it.
    leaves = np.flatnonzero(stops[segments.a])
    enters = np.flatnonzero(stops[segments.b])
    _, one = np.unique(segments.a[leaves], return_index=True)
    leaves = leaves[one]
    enters = enters[~np.isin(segments.b[enters], segments.a[leaves])]
    _, one = np.unique(segments.b[enters], return_index=True)
    enters = enters[one]

    at = np.concatenate([leaves, enters])
    barrier = np.concatenate([segments.a[leaves], segments.b[enters]])
    beyond = np.concatenate([segments.b[leaves], segments.a[enters]])
    length = np.hypot(*(xy[beyond] - xy[barrier]).T)
    # At most a quarter of the segment, so that barriers at both of its ends leave a middle part.
    part = np.minimum(0.25, CLOSED_PAST_BARRIER_M / np.maximum(length, 1e-9))
    added = xy[barrier] + (xy[beyond] - xy[barrier]) * part[:, None]
    new = len(xy) + np.arange(len(at))

    at_start = np.full(len(segments.a), -1)
    at_end = np.full(len(segments.a), -1)
    at_start[leaves] = new[: len(leaves)]
    at_end[enters] = new[len(leaves) :]
    # Each segment becomes one, two or three parts in a row, joined at the added nodes.
    parts = 1 + (at_start >= 0) + (at_end >= 0)
    source = np.repeat(np.arange(len(segments.a)), parts)
    first = np.cumsum(parts) - parts
    last = first + parts - 1
    a, b = segments.a[source], segments.b[source]
    closed = segments.closed[:, source]
    s, e = np.flatnonzero(at_start >= 0), np.flatnonzero(at_end >= 0)
    b[first[s]] = at_start[s]
    a[first[s] + 1] = at_start[s]
    b[last[e] - 1] = at_end[e]
    a[last[e]] = at_end[e]
    closed[:, first[s]] |= nodes.closed[:, segments.a[s]]
    closed[:, last[e]] |= nodes.closed[:, segments.b[e]]
    return Segments(a=a, b=b, way=segments.way[source], closed=closed), np.vstack([xy, added])
