"""Line layers read as roads: GeoJSON or GeoPackage, with BD TOPO attributes or simpler ones.

    layer_file (shapes) + layer_attributes (speeds) → layer_topology (pieces) → times

Attributes recognised and their meaning: docs/roads.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.crs import WGS84, reproject
from geo.errors import UnreadableFile
from geo.reach.junctions import junctions_of
from geo.reach.layer_attributes import RoadAttributes
from geo.reach.layer_file import read_features, read_interchanges
from geo.reach.layer_topology import (
    Pieces,
    Vertices,
    connect_interchanges,
    cut_pieces,
    find_junctions,
    piece_shapes,
    without_duplicates,
)
from geo.reach.modes import Mode
from geo.reach.profiles import Profiles
from geo.reach.ranges import concatenate_ranges
from geo.reach.road_lines import RoadLines

SNAP_M: Final = 1.0
"""Line ends at most this far apart are one junction, metres."""

JOIN_WITHIN_M: Final = 1_500.0
"""Longest connector between an interchange and the nearest road, metres."""

NO_GEOMETRY: Final = "features without a line"
NO_LENGTH: Final = "lines of no length"
DRAWN_TWICE: Final = "lines drawn over another"
ELSEWHERE: Final = "lines outside the area"


@dataclass(frozen=True)
class LayerLines(RoadLines):
    """Roads of a line layer.

    `features` is the number of features in the layer: each is used, at least in part, or counted in
    `dropped`. `connectors` is the number of pieces added at interchanges.
    """

    features: int = 0
    connectors: int = 0


def read_layer(
    path: Path,
    *,
    epsg: int,
    bounds: BaseGeometry | None,
    profiles: Profiles,
    snap_m: float = SNAP_M,
    join_within_m: float = JOIN_WITHIN_M,
    progress: Callable[[int, int], None] | None = None,
) -> LayerLines:
    """Read the line layer of a file as roads; of several layers, the one with most features.

    A motorway that meets no other road is connected at its interchanges if a waypoints file beside
    the layer (`<name>-waypoints.csv`: `libelle`, `lat`, `lon`) labels them with exit numbers: each
    gets a connector, at the speed of a ramp, to the nearest vertex of another road.

    Parameters
    ----------
    epsg
        The metric CRS to measure in.
    bounds
        Area (WGS 84); pieces of road that do not touch it are dropped. None reads all.
    snap_m
        Line ends meet ends and vertices at most this far away, metres.
    join_within_m
        Longest connector at an interchange, metres.
    progress
        Called regularly with the number of features read and their total.

    Raises
    ------
    UnreadableFile
        If it has no line layer, is damaged or empty, declares no CRS, has no column that gives the
        class of its roads, or no road within the area.
    InvalidCrs
        If its coordinates do not fit the CRS it declares.
    """
    shapes, roads = read_features(path, epsg, profiles, progress)
    features = len(roads)
    area = None if bounds is None else reproject([bounds], source=WGS84, target=epsg)[0]
    refused = np.array([road.refused for road in roads], dtype=object)
    is_line = np.isin(shapely.get_type_id(shapes), (1, 5)) & ~shapely.is_empty(shapes)
    refused[~is_line] = NO_GEOMETRY
    if area is not None:
        shapely.prepare(area)
        refused[(refused == "") & ~shapely.intersects(area, shapes)] = ELSEWHERE
    roads_at = np.flatnonzero(refused == "")
    if not len(roads_at):
        raise _no_road_error(path, Counter(refused.tolist()))
    parts, feature = shapely.get_parts(shapes[roads_at], return_index=True)
    of_line = [roads[row] for row in roads_at[feature]]
    vertices = find_junctions(parts, np.array([road.level for road in of_line]), snap_m)
    ramps = connect_interchanges(
        vertices,
        of_line,
        read_interchanges(path, epsg),
        snap_m=snap_m,
        within_m=join_within_m,
        profiles=profiles,
    )
    vertices.is_split[ramps.ravel()] = True
    pieces = cut_pieces(vertices, 2 * snap_m)
    # A feature may lose its pieces at each step below. Each step marks the features still present
    # with the reason that holds if the step removes them, so the last mark is the right one.
    refused[roads_at] = NO_LENGTH
    refused[roads_at[feature[pieces.line]]] = DRAWN_TWICE
    pieces = pieces.select(without_duplicates(pieces, of_line))
    refused[roads_at[feature[pieces.line]]] = ELSEWHERE
    if area is not None:
        pieces = pieces.select(shapely.intersects(area, piece_shapes(vertices, pieces)))
    refused[roads_at[feature[pieces.line]]] = ""
    dropped = Counter(reason for reason in refused.tolist() if reason)
    if not len(pieces.line):
        raise _no_road_error(path, dropped)
    lines = _timed_lines(vertices, of_line, pieces, ramps, profiles, epsg)
    return LayerLines(
        **vars(lines) | {"dropped": dict(sorted(dropped.items()))}, features=features, connectors=len(ramps)
    )


def _no_road_error(path: Path, refused: Counter[str]) -> UnreadableFile:
    """Return the error for a layer without usable roads: in the wrong place, or not roads at all."""
    total = refused.total()
    if refused[ELSEWHERE]:
        return UnreadableFile(
            f"Aucune des {total} lignes du fichier {path.name} n'est une route du territoire et de sa marge "
            f"({refused[ELSEWHERE]} sont ailleurs).",
            "Prenez l'extrait de ce département, ou vérifiez le système de coordonnées du fichier.",
        )
    reasons = ", ".join(f"{reason}: {count}" for reason, count in sorted(refused.items()))
    return UnreadableFile(
        f"Aucune des {total} lignes du fichier {path.name} n'est une route praticable ({reasons}).",
        "Vérifiez la colonne qui dit la classe des routes.",
    )


def _timed_lines(
    vertices: Vertices,
    of_line: Sequence[RoadAttributes],
    pieces: Pieces,
    ramps: NDArray[np.intp],
    profiles: Profiles,
    epsg: int,
) -> RoadLines:
    """Return the pieces with their times, delays at junctions included; connectors come last."""
    on_motorway, to = ramps.T
    ramp_metres = np.hypot(*(vertices.xy[on_motorway] - vertices.xy[to]).T)
    end_a = np.concatenate([pieces.end_a, vertices.node[on_motorway]])
    end_b = np.concatenate([pieces.end_b, vertices.node[to]])
    metres = np.concatenate([pieces.metres, ramp_metres])
    ranks = np.array([road.rank for road in of_line])[pieces.line]
    rank = np.concatenate([ranks, np.full(len(ramps), profiles.lowest_rank)])
    joinable = np.array([road.reachable for road in of_line])[pieces.line]
    nodes = int(max(end_a.max(initial=0), end_b.max(initial=0))) + 1
    seconds, reachable = {}, {}
    for number, mode in enumerate(Mode):
        on_piece = np.array([road.kmh[number] for road in of_line])[pieces.line]
        on_ramp = np.full((len(ramps), 2), profiles.speed_kmh(mode, "motorway_link"))
        kmh = np.concatenate([on_piece, on_ramp])
        with np.errstate(divide="ignore"):
            along = metres[:, None] * 3.6 / kmh
        junctions = junctions_of(end_a, end_b, rank, np.asarray((kmh > 0).any(axis=1)), nodes)
        delays = [
            junctions.priority_delay_s(into, rank, profiles[mode].junction_s) for into in (end_b, end_a)
        ]
        seconds[mode] = (along + np.column_stack(delays)).astype(np.float32)
        usable = joinable & (on_piece > 0).any(axis=1)
        reachable[mode] = np.concatenate([usable, np.zeros(len(ramps), dtype=bool)])
    length = pieces.last - pieces.first + 1
    _, points = concatenate_ranges(pieces.first, length)
    shape_start = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    return RoadLines(
        epsg=epsg,
        end_a=end_a.astype(np.int64),
        end_b=end_b.astype(np.int64),
        shape_start=np.concatenate([shape_start, shape_start[-1] + 2 * np.arange(1, len(ramps) + 1)]),
        shape_xy=vertices.xy[np.concatenate([points, ramps.ravel()])],
        seconds=seconds,
        reachable=reachable,
    )
