"""Look up communes of a territory and its neighbours by code, name, postal code or position."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any

import shapely

from geo.crs import WGS84, project, reproject
from geo.territory.model import Commune, Territory

_point = lru_cache(maxsize=8)(shapely.Point)
"""The point of two coordinates; one record asks several times about the same."""


class CommuneIndex:
    """Communes of a territory and its neighbours, indexed once for many look-ups.

    Attributes
    ----------
    own_codes
        INSEE codes of the territory's own communes.
    communes
        All communes, sorted by `sort_key`; each list of the mappings has the same order.
    names
        Name key of each commune, in the order of `communes`.
    by_code
        INSEE code → commune.
    by_name
        Name key → communes.
    by_postal_code
        Postal code → communes.

    Parameters
    ----------
    name_key
        Normalises a name, so that different spellings have the same key.
    sort_key
        Order of communes with the same name or postal code; default: by INSEE code.
    """

    def __init__(
        self,
        territory: Territory,
        name_key: Callable[[str], str],
        sort_key: Callable[[Commune], Any] = lambda commune: commune.code,
    ) -> None:
        self.own_codes = territory.own_codes
        self.by_code: Mapping[str, Commune] = territory.commune_by_code
        self.communes = tuple(sorted(self.by_code.values(), key=sort_key))
        self.names = tuple(name_key(commune.name) for commune in self.communes)
        self.by_name: dict[str, list[Commune]] = {}
        self.by_postal_code: dict[str, list[Commune]] = {}
        for commune, name in zip(self.communes, self.names, strict=True):
            self.by_name.setdefault(name, []).append(commune)
            for postal_code in commune.postal_codes:
                self.by_postal_code.setdefault(postal_code, []).append(commune)
        self._epsg = territory.metric_crs
        self._metric_boundaries: dict[str, shapely.Geometry] = {}

    def containing(self, longitude: float, latitude: float) -> Commune | None:
        """Return the commune that contains a point (WGS 84 degrees), or None."""
        communes, tree = self._tree
        point = _point(longitude, latitude)
        boxes = sorted(tree.query(point).tolist())
        return next((communes[i] for i in boxes if communes[i].boundary.contains(point)), None)

    def contains(self, commune: Commune, longitude: float, latitude: float) -> bool:
        """Return whether a commune contains a point (WGS 84 degrees)."""
        shapely.prepare(commune.boundary)  # at once when it is prepared already
        return bool(commune.boundary.contains(_point(longitude, latitude)))

    def is_near(self, commune: Commune, longitude: float, latitude: float, *, margin_m: float) -> bool:
        """Return whether a point (WGS 84 degrees) is at most `margin_m` metres outside a commune."""
        if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
            return False
        if self.contains(commune, longitude, latitude):
            return True
        if (boundary := self._metric_boundaries.get(commune.code)) is None:
            boundary = reproject([commune.boundary], source=WGS84, target=self._epsg)[0]
            self._metric_boundaries[commune.code] = boundary
        x, y = project(longitude, latitude, self._epsg)[0]
        return bool(boundary.distance(shapely.Point(x, y)) <= margin_m)  # False for NaN and inf

    @cached_property
    def _tree(self) -> tuple[list[Commune], shapely.STRtree]:
        communes = list(self.by_code.values())
        for commune in communes:  # so that looking for a point does not walk along the whole boundary
            shapely.prepare(commune.boundary)
        return communes, shapely.STRtree([commune.boundary for commune in communes])
