"""Holes that former communes without boundaries leave between the communes of today.

A source of boundaries may draw a commune of today as it was before it absorbed others, and not draw these at
all. Their ground is then a hole. Where one commune alone around the hole lacks the boundaries of a former
commune, the hole is its missing part.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import shapely
from shapely import MultiPolygon, Point, Polygon

from geo.crs import WGS84, reproject
from geo.territory.coverage_check import STRIP_WIDTH_M
from geo.territory.tiling import holes_of, polygons_of, width_m

FOREIGN_ENCLAVES: Final = (Point(1.981, 42.465),)
"""Ground of another state inside a département, WGS 84: Llívia (Spain), the only one in France."""

_TOUCHING_M = 1.0


@dataclass(frozen=True, slots=True)
class FilledHole:
    """A hole given to a commune, by its INSEE code."""

    commune: str
    area_m2: float


@dataclass(frozen=True, slots=True)
class LeftHole:
    """A hole left open, and the communes around it that lack a part (INSEE codes, sorted)."""

    candidates: tuple[str, ...]
    area_m2: float


@dataclass(frozen=True)
class FilledBoundaries:
    """Boundaries by INSEE code, WGS 84, with what became of the holes between them, largest first."""

    boundaries: dict[str, MultiPolygon]
    filled: tuple[FilledHole, ...]
    left: tuple[LeftHole, ...]


def fill(
    boundaries: Mapping[str, MultiPolygon],
    own: Collection[str],
    *,
    surely: Collection[str],
    perhaps: Collection[str],
    epsg: int,
) -> FilledBoundaries:
    """Give each hole between communes to the commune around it that lacks a part, if there is just one.

    Parameters
    ----------
    boundaries
        Communes of a département and of its neighbours, by INSEE code, WGS 84.
    own
        INSEE codes of the communes of the département.
    surely
        INSEE codes of communes that lack the boundary of a part they still have.
    perhaps
        INSEE codes of communes that absorbed another whose boundary is unknown. They are looked at only
        where none of the first touches the hole, and only beside the département: between neighbours, a hole
        may be an enclave of a département further away.
    epsg
        Metric CRS of widths and areas. Holes narrower than `STRIP_WIDTH_M` are differences of drawing, and
        left alone; so are foreign enclaves.
    """
    codes = list(boundaries)
    plane = reproject([boundaries[c] for c in codes], source=WGS84, target=epsg)
    enclaves = reproject(FOREIGN_ENCLAVES, source=WGS84, target=epsg)
    holes = sorted(
        (
            hole
            for hole in holes_of(shapely.union_all(plane))
            if width_m(hole) >= STRIP_WIDTH_M and not shapely.contains(hole, enclaves).any()
        ),
        key=lambda hole: -hole.area,
    )
    tree = shapely.STRtree(plane)
    grown: dict[int, list[Polygon]] = {}
    filled, left = [], []
    for hole in holes:
        around = {codes[i] for i in tree.query(hole, predicate="dwithin", distance=_TOUCHING_M)}
        candidates = sorted(around.intersection(surely))
        if not candidates and not around.isdisjoint(own):
            candidates = sorted(around.intersection(perhaps))
        if len(candidates) == 1:
            grown.setdefault(codes.index(candidates[0]), []).append(hole)
            filled.append(FilledHole(candidates[0], hole.area))
        else:
            left.append(LeftHole(tuple(candidates), hole.area))
    result = dict(boundaries)
    for i, parts in grown.items():
        whole = polygons_of(shapely.union_all([plane[i], *parts]))
        result[codes[i]] = polygons_of(reproject([whole], source=epsg, target=WGS84)[0])
    return FilledBoundaries(result, tuple(filled), tuple(left))
