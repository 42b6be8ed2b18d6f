"""Line layers of roads for tests: small GeoPackages and GeoJSON files, and what reading one gives."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import shapely
from shapely import LineString

from geo.reach.graph import GraphMetadata
from geo.reach.modes import Mode
from geo.reach.profiles import load_profiles
from tests.support.world import at

X, Y = 510_000.0, 6_405_000.0
PROFILES = load_profiles()
ABOUT = GraphMetadata("", "essai", "gpkg", "", "", "", datetime(2026, 11, 2, tzinfo=UTC))
D = {"route": "D1"}


def line(*points):
    """A line through points given in metres from the corner of the tests."""
    return LineString([(X + x, Y + y) for x, y in points])


def ends(lines):
    """Pieces as pairs of end points, metres from the corner, each and all sorted."""
    start = lines.shape_start
    return sorted(
        sorted(
            [tuple(np.round(lines.shape_xy[i] - (X, Y), 3).tolist()) for i in (start[e], start[e + 1] - 1)]
        )
        for e in range(len(lines.end_a))
    )


def junctions(lines):
    return len(set(lines.end_a) | set(lines.end_b))


def speeds(lines, mode=Mode.CAR, piece=0):
    """Speeds of a piece forth and back, km/h, junctions aside."""
    shape = lines.shape_xy[lines.shape_start[piece] : lines.shape_start[piece + 1]]
    metres = np.hypot(*np.diff(shape, axis=0).T).sum()
    return tuple(round(float(metres * 3.6 / s), 2) for s in lines.seconds[mode][piece])


def ends_of_pieces(lines):
    s = lines.shape_start
    return [
        sorted(tuple(np.round(lines.shape_xy[i] - (X, Y)).tolist()) for i in (s[e], s[e + 1] - 1))
        for e in range(len(lines.end_a))
    ]


def geojson(path, *features, text=None):
    rows = [
        {"type": "Feature", "properties": properties, "geometry": shape and shapely.geometry.mapping(shape)}
        for shape, properties in features
    ]
    path.write_text(text or json.dumps({"type": "FeatureCollection", "features": rows}), "utf-8")
    return path


def degrees(*x_km):
    return LineString([at(x) for x in x_km])
