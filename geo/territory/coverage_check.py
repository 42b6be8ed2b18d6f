"""Check that new boundaries cover the ground of the old ones: no hole, no commune drawn inside another.

Two drawings of the same commune differ by their generalisation. On the 2018 files of seven départements,
strips of up to 220 m inland and 800 m along a coast are drawn in one and not in the other; what is lost with
a former commune is wider, or a notable share of its commune. Tolerances lie between the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import shapely
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geo.crs import WGS84, reproject
from geo.territory.tiling import holes_of

HOLE_M2: Final = 10_000.0
"""Smallest hole that is missing ground: 1 ha, a third of the smallest commune of France."""

STRIP_WIDTH_M: Final = 250.0
"""Uncovered strips narrower than this are differences of generalisation."""

SHARE: Final = 0.05
"""Share of a commune that may be uncovered, in wider strips, at the edge of the territory."""

WIDE_M: Final = 1_000.0
"""Uncovered ground this wide is missing, whatever its share of the commune."""

ABSORBED: Final = 0.5
"""Share of a commune's ground that lies in another one where the two were one."""

ALIKE: Final = 0.8
"""Two drawings of a neighbour whose common part is less than this share of their union differ."""


def uncovered(
    before: Mapping[str, MultiPolygon], after: Iterable[MultiPolygon], *, epsg: int
) -> dict[str, float]:
    """Return the communes that lose ground, and the area lost, square metres, largest first.

    Parameters
    ----------
    before
        Boundaries by INSEE code, as known so far, WGS 84.
    after
        New boundaries of the same communes together, WGS 84, tiled.
    epsg
        Metric CRS of areas and widths.

    Returns
    -------
    Communes that hold most of a new hole of at least `HOLE_M2` inside the territory, or of whose ground at
    least `SHARE`, or much of a disc of diameter `WIDE_M`, is uncovered at its edge. Empty if there are none.
    """
    codes = list(before)
    old = reproject([before[c] for c in codes], source=WGS84, target=epsg)
    new = shapely.union_all(reproject(list(after), source=WGS84, target=epsg))
    whole = shapely.union_all(old)
    edge = _opened(shapely.difference(whole, new), STRIP_WIDTH_M)
    wide = _opened(edge, WIDE_M)
    at_edge = shapely.area(shapely.intersection(old, edge))
    at_wide = shapely.area(shapely.intersection(old, wide))
    missing = (at_edge >= SHARE * shapely.area(old)) | (at_wide >= WIDE_M**2 / 4)
    lost = {code: float(area) for code, area, m in zip(codes, at_edge, missing, strict=True) if m}
    for hole in holes_of(new):
        if hole.area >= HOLE_M2 and _mostly_inside(hole, whole):
            shares = shapely.area(shapely.intersection(old, hole))
            largest = codes[int(shares.argmax())]
            lost[largest] = max(lost.get(largest, 0.0), float(hole.area))
    return dict(sorted(lost.items(), key=lambda item: (-item[1], item[0])))


def _mostly_inside(hole: Polygon, whole: BaseGeometry) -> bool:
    """Return whether a hole was covered before: an enclave of another territory was not."""
    return bool(shapely.intersection(hole, whole).area > hole.area / 2)


def _opened(geometry: BaseGeometry, width: float) -> BaseGeometry:
    """Return the parts of a geometry at least as wide as `width` (its morphological opening)."""
    return shapely.buffer(shapely.buffer(geometry, -width / 2), width / 2)


def absorbed(
    absent: Mapping[str, MultiPolygon], found: Mapping[str, MultiPolygon], *, epsg: int
) -> dict[str, str]:
    """Return the absent communes drawn inside another one, with that one's INSEE code.

    Parameters
    ----------
    absent
        Boundaries, as known so far, of communes that a file does not name, by INSEE code, WGS 84.
    found
        Boundaries that it gives, WGS 84.
    epsg
        Metric CRS of areas.
    """
    if not absent or not found:
        return {}
    codes = list(found)
    shapes = reproject([found[c] for c in codes], source=WGS84, target=epsg)
    tree = shapely.STRtree(shapes)
    inside = {}
    grounds = reproject(list(absent.values()), source=WGS84, target=epsg)
    for code, ground in zip(absent, grounds, strict=True):
        hits = tree.query(ground, predicate="intersects")
        shares = {codes[i]: shapely.intersection(ground, shapes[i]).area / ground.area for i in sorted(hits)}
        largest = max(shares, key=lambda c: shares[c], default="")
        if largest and shares[largest] > ABSORBED:
            inside[code] = largest
    return inside


def alike(one: MultiPolygon, other: MultiPolygon) -> bool:
    """Return whether two drawings are of the same commune: most of their ground is common (same CRS)."""
    union = shapely.union(one, other).area
    return bool(union and shapely.intersection(one, other).area >= ALIKE * union)
