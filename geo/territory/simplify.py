"""Lighten boundaries for drawing, so that two neighbours still share the same line.

Visvalingam and Whyatt's algorithm drops the vertices whose triangle is smallest; GEOS runs it
on the edges of the whole coverage rather than polygon by polygon, so a shared edge stays shared.
"""

from __future__ import annotations

from collections.abc import Sequence

import shapely
from shapely import MultiPolygon

from geo.crs import WGS84, reproject, require_metric
from geo.territory.tiling import polygons_of


def simplified(boundaries: Sequence[MultiPolygon], *, epsg: int, tolerance_m: float) -> list[MultiPolygon]:
    """Boundaries with fewer vertices, in the order given, WGS 84.

    Parameters
    ----------
    boundaries
        Territories in WGS 84 that tile, as `geo.territory.tiling.tiled` leaves them. Give
        together all that are drawn side by side: only then do they keep sharing their edges.
    epsg
        Metric CRS in which triangles are measured.
    tolerance_m
        Square root, in metres, of the area of the largest triangle that may go; 0 keeps all
        vertices.

    Raises
    ------
    InvalidCrs
        If `epsg` does not measure in metres.
    """
    require_metric(epsg)
    plane = reproject(boundaries, source=WGS84, target=epsg)
    light = shapely.coverage_simplify(plane, tolerance=tolerance_m)
    return [polygons_of(b) for b in reproject(light, source=epsg, target=WGS84)]
