"""Simplify boundaries for drawing while neighbours keep sharing the same edges.

The algorithm of Visvalingam and Whyatt (1993) removes the vertices that form the smallest triangles
with their neighbours. GEOS applies it to the edges of the whole coverage instead of each polygon.
INVARIANT: an edge between two territories is simplified once, so no gap or overlap appears.
"""

from __future__ import annotations

from collections.abc import Sequence

import shapely
from shapely import MultiPolygon

from geo.crs import WGS84, reproject, require_metric
from geo.territory.tiling import polygons_of


def simplified(boundaries: Sequence[MultiPolygon], *, epsg: int, tolerance_m: float) -> list[MultiPolygon]:
    """Return boundaries with fewer vertices, in the order given, WGS 84.

    Parameters
    ----------
    boundaries
        Territories in WGS 84 that tile, as returned by `geo.territory.tiling.tiled`. All that are
        drawn side by side must be given together to keep sharing edges.
    epsg
        Metric CRS of the triangle areas.
    tolerance_m
        Square root of the area of the largest triangle removed, metres; 0 removes none.

    Raises
    ------
    InvalidCrs
        If `epsg` is not a CRS in metres.
    """
    require_metric(epsg)
    plane = reproject(boundaries, source=WGS84, target=epsg)
    light = shapely.coverage_simplify(plane, tolerance=tolerance_m)
    return [polygons_of(b) for b in reproject(light, source=epsg, target=WGS84)]
