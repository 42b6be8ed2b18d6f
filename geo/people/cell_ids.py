"""Identifiers of grid cells: CRS, side, northing and easting of the lower left corner."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pyproj.exceptions import CRSError

from geo.crs import require_metric
from geo.errors import InvalidCrs

EXAMPLE: Final = "CRS3035RES1000mN2370000E3530000"

_INSPIRE = re.compile(r"(?:[A-Z]{2}_)?CRS(\d{4,5})RES(\d{2,6})mN(\d{1,8})E(\d{1,8})", re.ASCII)
_GEOSTAT = re.compile(r"(?:[A-Z]{2}_)?1kmN(\d{1,5})E(\d{1,5})", re.ASCII)
_GEOSTAT_EPSG = 3035


@dataclass(frozen=True, slots=True)
class GridCell:
    """A grid cell: EPSG code, side, easting and northing of its lower left corner (metres)."""

    epsg: int
    side: int
    east: int
    north: int

    @property
    def grid(self) -> tuple[int, int]:
        """Return EPSG code and side, which all cells of a grid have in common."""
        return self.epsg, self.side


def parse_cell_id(cell_id: str) -> GridCell | None:
    """Parse an identifier, INSPIRE (`EXAMPLE`) or GEOSTAT (1kmN2370E3530); None if it is neither."""
    if found := _INSPIRE.fullmatch(cell_id):
        epsg, side, north, east = map(int, found.groups())
        return GridCell(epsg, side, east, north) if side else None
    if found := _GEOSTAT.fullmatch(cell_id):
        north, east = map(int, found.groups())
        return GridCell(_GEOSTAT_EPSG, 1_000, east * 1_000, north * 1_000)
    return None


@lru_cache(maxsize=64)
def is_metric(epsg: int) -> bool:
    """Return whether an EPSG code is a CRS in metres."""
    try:
        require_metric(epsg)
    except (InvalidCrs, CRSError):
        return False
    return True
