"""Make communes tile the plane: no overlap, no sliver, the same vertices on both sides of a border.

Boundary files rarely tile exactly: polygons are generalised or rounded one at a time, so neighbours
overlap or part by centimetres to metres. Dissolved groupings would have slivers along their inner
borders, and simplification would open them. The coverage cleaner of GEOS nodes all borders together
and gives each overlap and narrow gap to the neighbour it shares most border with. Wide gaps stay: an
enclave of another département is a real hole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely import MultiPolygon
from shapely.geometry.base import BaseGeometry

from geo.crs import WGS84, reproject, require_metric

DECIMALS = 6
"""Decimals of a degree: steps of 0.11 m, finer than the accuracy of any boundary file."""

GAP_WIDTH_M = 20.0
"""Gaps narrower than this are drawing errors; no enclave is that narrow."""

_MOST_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class TilingReport:
    """Overlaps and gaps between communes before cleaning, square metres."""

    overlap_m2: float
    gap_m2: float


def polygons_of(geometry: BaseGeometry | None) -> MultiPolygon:
    """Return the polygon parts of a geometry, without lines and points; may be empty."""
    if geometry is None or geometry.is_empty:
        return MultiPolygon()
    if geometry.geom_type == "Polygon":
        return MultiPolygon([geometry])
    if geometry.geom_type in {"MultiPolygon", "GeometryCollection"}:
        return MultiPolygon([p for part in geometry.geoms for p in polygons_of(part).geoms])
    return MultiPolygon()


def mended(geometry: BaseGeometry | None) -> MultiPolygon:
    """Return the polygon parts of a geometry, made valid."""
    if geometry is not None and not geometry.is_valid:
        geometry = shapely.make_valid(geometry)
    return polygons_of(geometry)


def tiled(boundaries: Sequence[MultiPolygon], *, epsg: int) -> tuple[list[MultiPolygon], TilingReport]:
    """Return communes whose borders match vertex by vertex, on a grid of `DECIMALS` decimals.

    Parameters
    ----------
    boundaries
        Communes in WGS 84, valid, at least one.
    epsg
        Metric CRS of gaps and overlaps.

    Returns
    -------
    The communes in the order given, in WGS 84, rounded, rings in canonical order (exterior
    counter-clockwise); and what was repaired. A commune covered entirely by others is empty.

    Raises
    ------
    InvalidCrs
        If `epsg` is not a CRS in metres.
    """
    require_metric(epsg)
    report = _measure(boundaries, epsg)
    tiles = [_rounded(b) for b in boundaries]
    # Rounding moves nodes by up to half a step. Borders closer to each other than that may then
    # cross, so rounding and cleaning alternate until the result is both rounded and clean.
    for _ in range(_MOST_ROUNDS):
        if _narrow_gap_free(tiles, epsg) and shapely.coverage_is_valid(tiles):
            break
        plane = reproject([mended(b) for b in tiles], source=WGS84, target=epsg)
        clean = shapely.coverage_clean(plane, gap_width=GAP_WIDTH_M)
        tiles = [_rounded(b) for b in reproject(clean, source=epsg, target=WGS84)]
    return [_canonical(b) for b in tiles], report


def _rounded(geometry: BaseGeometry) -> BaseGeometry:
    return shapely.transform(geometry, lambda xy: np.round(xy, DECIMALS))


def _canonical(geometry: BaseGeometry) -> MultiPolygon:
    return polygons_of(shapely.orient_polygons(shapely.normalize(mended(geometry))))


def _measure(boundaries: Sequence[MultiPolygon], epsg: int) -> TilingReport:
    plane = reproject(boundaries, source=WGS84, target=epsg)
    whole = shapely.union_all(plane)
    return TilingReport(
        overlap_m2=max(0.0, float(shapely.area(plane).sum() - whole.area)),
        gap_m2=float(sum(h.area for h in holes_of(whole) if width_m(h) < GAP_WIDTH_M)),
    )


def holes_of(geometry: BaseGeometry) -> list[shapely.Polygon]:
    """Return the holes of a geometry's polygons, as polygons."""
    return [shapely.Polygon(ring) for p in polygons_of(geometry).geoms for ring in p.interiors]


def width_m(hole: shapely.Polygon) -> float:
    """Return the diameter of the largest disc that fits in a hole (metric CRS), metres."""
    return float(shapely.maximum_inscribed_circle(hole, tolerance=1.0).length * 2)


def _narrow_gap_free(tiles: Sequence[BaseGeometry], epsg: int) -> bool:
    if not all(b.is_valid for b in tiles):
        return False
    whole = shapely.union_all(reproject(tiles, source=WGS84, target=epsg))
    return not any(width_m(h) < GAP_WIDTH_M for h in holes_of(whole))
