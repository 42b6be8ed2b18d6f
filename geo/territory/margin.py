"""Whether places are in a territory or within a margin around it."""

from __future__ import annotations

import math
from typing import Final, Protocol

import shapely

from geo.crs import WGS84, departement_code, project_point, reproject
from geo.territory.model import Territory, TerritoryKind

MARGIN_KM: Final = 50.0
"""Usual margin around a territory, in kilometres: people near its border go that far."""

_KM_PER_DEGREE: Final = 111.0


class HasPlace(Protocol):
    """A record or a site."""

    @property
    def longitude(self) -> float | None:
        """WGS 84 degrees; None: not known."""

    @property
    def latitude(self) -> float | None:
        """WGS 84 degrees; None: not known."""

    @property
    def code_insee(self) -> str:
        """INSEE code of the commune, or ""."""

    @property
    def code_postal(self) -> str:
        """Postal code, or ""."""


class Margin:
    """A territory and all that lies at most `km` kilometres (straight line) outside its boundary."""

    def __init__(self, territory: Territory, km: float) -> None:
        self.km = km
        self._epsg = territory.metric_crs
        self._departements = {c.departement_code for c in territory.commune_by_code.values()}
        whole = list(territory.groupings_of(TerritoryKind.DEPARTEMENT))
        boundaries = [each.boundary for each in (whole or territory.communes)]
        self._outline = shapely.union_all(reproject(boundaries, source=WGS84, target=self._epsg))
        shapely.prepare(self._outline)
        west, south, east, north = shapely.total_bounds(boundaries).tolist()
        # Quick test for most of a national file: a box that is larger than the margin everywhere.
        degrees = km / _KM_PER_DEGREE * 1.05
        wide = degrees / max(math.cos(math.radians(min(abs(south), abs(north)) + degrees)), 0.1)
        self._box = (west - wide, south - degrees, east + wide, north + degrees)

    def includes(self, place: HasPlace) -> bool:
        """Return whether a place is within the margin.

        A place without a point is outside only if its INSEE or postal code is of a département that is
        neither the territory's nor a neighbour's: otherwise where it is is not known.
        """
        longitude, latitude = place.longitude, place.latitude
        if longitude is None or latitude is None:
            code = place.code_insee or place.code_postal
            possible = {"2A", "2B"} if code.startswith("20") else {departement_code(code)}
            return not code or not possible.isdisjoint(self._departements)
        west, south, east, north = self._box
        if not (west <= longitude <= east and south <= latitude <= north):
            return False
        x, y = project_point(longitude, latitude, self._epsg)
        return bool(shapely.dwithin(self._outline, shapely.Point(x, y), self.km * 1_000))
