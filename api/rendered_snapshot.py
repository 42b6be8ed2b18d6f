"""What is rendered once from a snapshot: GeoJSON of sites and territories, `meta`, pages, PDF files.

Everything here is dropped with the snapshot. What is computed rather than rendered is in
`geo.services.snapshot_view`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Final

import numpy as np
import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from geo.coverage.export import DEMONSTRATION
from geo.lru_cache import LruCache
from geo.reach.straight_line import SPEED_KMH
from geo.services.snapshot_view import SnapshotView
from geo.sites import standard
from geo.sites.model import LOCAL_FIELDS, Site
from geo.territory.model import Grouping, TerritoryKind
from geo.wording import figures
from static_maps import planner_map, sites_map, svg_map
from static_maps.settings import MapSettings

DECIMALS: Final = 6
"""Of coordinates sent out, in degrees: a decimetre."""

TEXTS: Final = frozenset(standard.FIELDS) - standard.MULTIVALUED - {"id", "latitude", "longitude", "date_maj"}

PAGES_CACHED: Final = 48
"""Pages cached for one snapshot: maps of a département take some 700 kB each."""
PDFS_CACHED: Final = 32
"""PDF sheets cached for one snapshot: some 60 kB each, a directory ten times that."""


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """A page rendered once, with its compressed form and what it may load."""

    body: bytes
    compressed: bytes
    security_policy: str
    digest: str


class RenderedSnapshot:
    """The rendered parts of one snapshot, each rendered the first time it is needed."""

    def __init__(self, view: SnapshotView, map_settings: MapSettings) -> None:
        self.view = view
        self.map_settings = map_settings
        self.pages: LruCache[RenderedPage] = LruCache(PAGES_CACHED)
        self.pdfs: LruCache[bytes] = LruCache(PDFS_CACHED)
        self.grounds: LruCache[svg_map.Ground] = LruCache(len(TerritoryKind))
        self._features: list[bytes | None] = [None] * len(view.snapshot.sites)
        self._shapes: dict[tuple[TerritoryKind, str], bytes] = {}

    @cached_property
    def meta(self) -> dict[str, object]:
        """The `meta` of every answer: territory, snapshot and sources."""
        snapshot = self.view.snapshot
        return {
            "territory": {"code": snapshot.territory.code, "name": snapshot.territory.name},
            "snapshot": {"version": snapshot.version, "taken_at": snapshot.taken_at.isoformat()},
            "sites_updated": snapshot.sites_updated.isoformat() if snapshot.sites_updated else None,
            "attribution": " · ".join(
                f"{p.subject} : {p.producer}, {p.vintage} ({p.licence})" for p in snapshot.provenance
            ),
            "sources": [
                {
                    "subject": p.subject,
                    "producer": p.producer,
                    "vintage": p.vintage,
                    "licence": p.licence,
                    "retrieved": p.retrieved.isoformat() if p.retrieved else None,
                }
                for p in snapshot.provenance
            ],
            "notice": DEMONSTRATION if snapshot.fictitious else None,
            "stale": None,
        }

    @cached_property
    def method(self) -> dict[str, object]:
        """How times and distances are computed."""
        roads = self.view.snapshot.roads
        travel = self.view.travel
        by_road = travel.graph is not None
        return {
            "code": travel.method,
            "label": travel.label,
            "detour_factor": self.view.detour_factor,
            "speed_kmh": None if by_road else {mode.value: speed for mode, speed in SPEED_KMH.items()},
            "roads": (
                {
                    "producer": roads.producer or roads.file_name,
                    "format": roads.format,
                    "vintage": roads.vintage,
                    "licence": roads.licence,
                    "checksum": roads.checksum,
                }
                if roads and by_road
                else None
            ),
        }

    @cached_property
    def site_map_outline(self) -> bytes:
        """The boundaries that the map of sites draws, as JSON."""
        return sites_map.outline_json(self.view.snapshot.territory)

    @cached_property
    def planner_outline(self) -> bytes:
        """The boundaries that the planner and the map of measures draw, as JSON."""
        return planner_map.outline_json(self.view.snapshot, self.map_settings.tolerance_m)

    def ground(self, kind: TerritoryKind) -> svg_map.Ground:
        """Return the background of the printed maps of one kind of territory."""
        return self.grounds.get_or_compute(kind, lambda: svg_map.ground(self.view.snapshot.territory, kind))

    @cached_property
    def meta_json(self) -> bytes:
        """`meta` as JSON."""
        return orjson.dumps(self.meta)

    @cached_property
    def meta_with_method_json(self) -> bytes:
        """`meta` with `method`, as JSON."""
        return orjson.dumps({**self.meta, "method": self.method})

    def feature(self, row: int) -> bytes:
        """Return a site as a GeoJSON feature without its last two braces: properties may be appended."""
        feature = self._features[row]
        if feature is None:
            feature = orjson.dumps(site_feature(self.view.snapshot.sites[row]))[:-2]
            self._features[row] = feature
        return feature

    def shape(self, group: Grouping) -> bytes:
        """Return the boundary of a territory as a GeoJSON geometry, counterclockwise outside (RFC 7946)."""
        key = (group.kind, group.code)
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shapes[key] = geometry_json(shapely.orient_polygons(group.boundary))
        return shape


def geometry_json(geometry: BaseGeometry, decimals: int = DECIMALS) -> bytes:
    """Return a geometry (WGS 84) as GeoJSON, coordinates rounded to `decimals` of a degree."""
    rounded = shapely.transform(geometry, lambda degrees: np.round(degrees, decimals))
    text: str = shapely.to_geojson(rounded)
    return text.encode()


def site_feature(site: Site) -> dict[str, object]:
    """Return a site as a GeoJSON feature: the standard's fields, then ours; an absent value is null.

    `properties` comes last.
    """
    properties: dict[str, object] = {}
    for name in (*standard.FIELDS, *LOCAL_FIELDS):
        value = getattr(site, name)
        if name in TEXTS or name in ("jeu_de_donnees", "telephone_remarque"):
            value = value or None
        properties[name] = value
    point = (
        {"type": "Point", "coordinates": [round(site.longitude, DECIMALS), round(site.latitude, DECIMALS)]}
        if site.longitude is not None and site.latitude is not None
        else None
    )
    return {"type": "Feature", "id": site.id, "geometry": point, "properties": properties}


@dataclass(frozen=True, slots=True)
class CurrentView:
    """What a request is answered from: the current snapshot, and how fresh it is known to be.

    Attributes
    ----------
    age
        Time since the snapshot was last known to be the database's state.
    """

    view: SnapshotView
    rendered: RenderedSnapshot
    age: timedelta
    database_ok: bool

    @property
    def age_s(self) -> int:
        """`age` in whole seconds."""
        return int(self.age.total_seconds())

    def meta(self, *, with_method: bool = False) -> bytes:
        """Return the `meta` of an answer as JSON, with the age if the database does not answer."""
        if self.database_ok:
            return self.rendered.meta_with_method_json if with_method else self.rendered.meta_json
        return orjson.dumps(self.meta_dict(with_method=with_method))

    def meta_dict(self, *, with_method: bool = False) -> dict[str, object]:
        """Return the `meta` of an answer, with the age if the database does not answer."""
        return {
            **self.rendered.meta,
            **({"method": self.rendered.method} if with_method else {}),
            "stale": None if self.database_ok else self.stale,
        }

    @property
    def stale(self) -> dict[str, object]:
        """The warning sent with the last known state."""
        return {
            "age_s": self.age_s,
            "message": (
                f"Dernier état connu, vieux de {figures.duration(self.age.total_seconds())} : "
                "la base de données est momentanément injoignable."
            ),
        }
