"""Roads of an OpenStreetMap file as pieces between junctions, timed for each mode.

    osm_file (ways, nodes) → osm_segments (inside the area, barriers) → pieces → osm_delays

INVARIANT: two ways meet exactly where they share a node. Ways that cross without one, as on a bridge,
do not meet. Pieces therefore end at every node with three arms or more, at dead ends, and at barriers
that stop a mode; a node that only one way passes is a shape point.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.crs import project
from geo.errors import UnreadableFile
from geo.reach.modes import Mode
from geo.reach.osm_delays import PassedNodes, delays_s
from geo.reach.osm_file import DEGREE, OsmNodes, OsmWays, is_on_earth, read_nodes, read_ways, readable
from geo.reach.osm_segments import Segments, close_past_barriers, segments_within
from geo.reach.profiles import Profiles
from geo.reach.road_lines import RoadLines

_POLYGON_POINTS: Final = 4
"""Least number of points of a closed line that encloses an area."""


def read_osm(
    path: Path,
    *,
    epsg: int,
    bounds: BaseGeometry | None,
    profiles: Profiles,
    progress: Callable[[int, int], None] | None = None,
) -> RoadLines:
    """Read the roads of an OpenStreetMap file.

    Parameters
    ----------
    epsg
        The metric CRS to measure in.
    bounds
        Polygon in WGS 84; ways that touch it are read whole, the others dropped. None reads all.
    profiles
        Speeds and delays.
    progress
        Called regularly with the number of road ways read and their total (0 until the end).

    Returns
    -------
    Pieces of road; `dropped` counts the ways with `highway` left out, by reason.

    Raises
    ------
    UnreadableFile
        If the file is missing, empty, truncated or of another kind, or has no usable road within
        `bounds`.
    """
    with readable(path):
        ways = read_ways(path, profiles, progress)
        if not ways.highways:
            raise UnreadableFile(
                f"Le fichier {path.name} ne contient aucune route.",
                "Prenez un extrait OpenStreetMap complet (.osm.pbf), non filtré ; "
                "s'il l'est, il a pu être coupé au téléchargement : téléchargez-le de nouveau.",
            )
        if not len(ways.rule):
            raise UnreadableFile(
                f"Le fichier {path.name} ne contient aucune route praticable : "
                f"ses {ways.highways} voies sont fermées, en projet ou hors d'usage.",
                "Prenez un extrait OpenStreetMap complet (.osm.pbf), non filtré.",
            )
        nodes = read_nodes(path, ways, profiles)
    if progress:
        progress(ways.highways, ways.highways)
    segments = segments_within(path, ways, nodes, bounds)
    xy = project(nodes.x / DEGREE, nodes.y / DEGREE, epsg)
    return _pieces(segments, ways, nodes, xy, epsg, profiles)


def _pieces(
    segments: Segments,
    ways: OsmWays,
    nodes: OsmNodes,
    xy: NDArray[np.float64],
    epsg: int,
    profiles: Profiles,
) -> RoadLines:
    """Join segments into pieces between junctions, and time them for each mode."""
    segments, xy = close_past_barriers(segments, nodes, xy)
    a, b, way = segments.a, segments.b, segments.way
    # Nodes 0…len(nodes.id) - 1 are those of the file, the rest were added past barriers.
    n, added = len(xy), len(xy) - len(nodes.id)
    arms = np.bincount(a, minlength=n) + np.bincount(b, minlength=n)
    cut = arms != 2
    cut[len(nodes.id) :] = True
    cut[: len(nodes.id)] |= nodes.closed.any(axis=0)
    # A piece goes on as long as its way does and no cut is met. Where a way leaves the file and
    # comes back, b of one segment is not a of the next.
    begins = np.ones(len(a), dtype=bool)
    begins[1:] = (way[1:] != way[:-1]) | (b[:-1] != a[1:]) | cut[a[1:]]
    start = np.flatnonzero(begins)
    piece = np.cumsum(begins) - 1
    m = len(start)
    end_a, end_b = a[start], b[np.append(start[1:], len(a)) - 1]
    rule = np.frombuffer(ways.rule, dtype=np.int32)[way[start]]
    along = np.hypot(*(xy[b] - xy[a]).T)
    length = np.add.reduceat(along, start)
    # Metres from the start of its piece to the start of each segment.
    offset = np.cumsum(along) - along
    offset -= offset[start][piece]

    # Shape points: the first node of each segment, then the end of the piece.
    shape_start = np.zeros(m + 1, dtype=np.int64)
    np.cumsum(np.bincount(piece, minlength=m) + 1, out=shape_start[1:])
    shape = np.empty(len(a) + m, dtype=np.int64)
    shape[np.arange(len(a)) + piece] = a
    shape[shape_start[1:] - 1] = end_b

    passed = PassedNodes(
        kind=np.append(nodes.kind, np.zeros(added, np.int8)),
        direction=np.append(nodes.direction, np.zeros(added, np.int8)),
        gate=np.hstack([nodes.gate, np.zeros((len(Mode), added), bool)]),
        node=a[~begins],
        piece=piece[~begins],
        second_half=(offset > length[piece] / 2)[~begins],
    )
    rank = np.array([r.rank for r in ways.rules])[rule]
    ring = np.array([r.ring for r in ways.rules])[rule]
    joinable = np.array([r.joinable for r in ways.rules])[rule]
    in_town = _in_town(ways, (xy[end_a] + xy[end_b]) / 2, epsg)
    seconds, reachable = {}, {}
    for number, mode in enumerate(Mode):
        kmh = np.where(
            in_town[:, None],
            np.array([r.built_up_kmh[number] for r in ways.rules])[rule],
            np.array([r.open_kmh[number] for r in ways.rules])[rule],
        )
        kmh[segments.closed[number][start]] = 0
        times = np.full(kmh.shape, np.inf)
        np.divide(length[:, None] * 3.6, kmh, out=times, where=kmh > 0)
        times += delays_s(profiles[mode], number, passed, end_a, end_b, np.isfinite(times), rank, ring)
        seconds[mode] = times.astype(np.float32)
        reachable[mode] = joinable & np.isfinite(times).any(axis=1)
    # Identifiers of OpenStreetMap are positive; added nodes get negative ones.
    key = np.append(nodes.id, -1 - np.arange(added))
    return RoadLines(
        epsg=epsg,
        end_a=key[end_a],
        end_b=key[end_b],
        shape_start=shape_start,
        shape_xy=xy[shape],
        seconds=seconds,
        reachable=reachable,
        dropped={reason: count for reason, count in sorted(ways.dropped.items()) if count},
    )


def _in_town(ways: OsmWays, middle: NDArray[np.float64], epsg: int) -> NDArray[np.bool_]:
    """Return which points lie on built-up land, drawn as closed ways with `landuse`.

    Multipolygon relations are ignored.
    """
    inside = np.zeros(len(middle), bool)
    x, y = (np.array(column, dtype=np.int32) for column in (ways.built_up.x, ways.built_up.y))
    area, located = ways.built_up.owners(), is_on_earth(x, y)
    whole = np.bincount(area, weights=located) >= _POLYGON_POINTS
    # Rings cut at the edge of the extract lose points and may enclose nothing.
    used = located & whole[area]
    if not used.any():
        return inside
    area = area[used]
    xy = project(x[used] / DEGREE, y[used] / DEGREE, epsg)
    _, ring = np.unique(area, return_inverse=True)
    land = shapely.polygons(shapely.linearrings(xy, indices=ring))
    inside[shapely.STRtree(shapely.points(middle)).query(land, predicate="contains")[1]] = True
    return inside
