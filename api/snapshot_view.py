"""A snapshot made ready to answer from: JSON written once, searches, times and coverages remembered.

Everything here belongs to one snapshot and is dropped with it. Nothing is prepared before it is
asked for, so that a new snapshot costs its first readers a little and nobody a pause.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from threading import Lock
from typing import Final, Generic, Protocol, TypeVar

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

import geo
from api.coverage_question import present
from geo.coverage import measure
from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.export import DEMONSTRATION
from geo.coverage.gaps import Gap, gaps_of_communes, gaps_of_places
from geo.coverage.measure import Question, TerritoryCoverage
from geo.hours.calendar import ANY_ZONE, Calendar
from geo.hours.weekly import Openness, Slot, reference_week, slot_status
from geo.matching.text_search import SiteSearch
from geo.places.place_index import PlaceIndex
from geo.reach.isochrones import Isochrone, isochrones
from geo.reach.modes import Mode
from geo.reach.straight_line import SPEED_KMH, SiteTree
from geo.reach.travel import SiteTimes, Travel, load_travel
from geo.sites import standard
from geo.sites.model import LOCAL_FIELDS, Site
from geo.snapshot import Snapshot
from geo.territory.model import Grouping, TerritoryKind
from static_maps.sites_map import outline_json

DECIMALS: Final = 6
"""Of coordinates sent out, in degrees: a decimetre."""

MEASURED: Final = 32
"""Coverages remembered for one snapshot: each holds some fifty bytes a place."""

TEXTS: Final = frozenset(standard.FIELDS) - standard.MULTIVALUED - {"id", "latitude", "longitude", "date_maj"}

PAPERS: Final = 32
"""Sheets of paper remembered for one snapshot: some 60 kB each, a directory ten times that."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """A page rendered once, with its compressed form and what it may load."""

    body: bytes
    compressed: bytes
    security_policy: str
    digest: str


class HeldSnapshot(Protocol):
    """What the keeper of snapshots holds: the last good one, and how things stand."""

    @property
    def snapshot(self) -> Snapshot:
        """The last good snapshot."""

    @property
    def age(self) -> timedelta:
        """Time since it was last known to be the database's state."""

    @property
    def database_ok(self) -> bool:
        """Whether the database answers."""


class SnapshotSource(Protocol):
    """Who holds the current snapshot (`geo.store.snapshot_watcher.SnapshotWatcher`, or a test's own)."""

    def start(self) -> None:
        """Read the first snapshot and follow the database from then on."""

    def stop(self) -> None:
        """Stop following."""

    def current(self) -> HeldSnapshot:
        """The last good snapshot; raises SnapshotUnavailable before the first."""


class LruCache(Generic[Value]):
    """The last values computed, by key; each is computed once, whatever the number of threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = Lock()
        self._computing = Lock()

    def get(self, key: Hashable) -> Value | None:
        """The value remembered, or None."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def of(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """The value of a key, computed if it is not remembered; `compute` returns no None."""
        value = self.get(key)
        if value is not None:
            return value
        with self._computing:
            value = self.get(key)
            if value is None:
                value = compute()
                with self._lock:
                    self._values[key] = value
                    while len(self._values) > self._size:
                        self._values.popitem(last=False)
        return value


class SnapshotView:
    """One snapshot and everything written or computed from it."""

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        home: Path,
        detour_factor: float,
        remembered: int,
        calendar: Calendar = ANY_ZONE,
        clock: Callable[[], datetime] = present,
    ) -> None:
        self.snapshot = snapshot
        self.detour_factor = detour_factor
        self.calendar = calendar
        self.clock = clock
        self._home = home
        self._frame: AnalysisContext | None = None
        self._measured: LruCache[measure.Coverage] = LruCache(MEASURED)
        self._features: list[bytes | None] = [None] * len(snapshot.sites)
        self._rows: LruCache[NDArray[np.intp]] = LruCache(remembered)
        self._trees: LruCache[SiteTree] = LruCache(remembered)
        self._site_times: LruCache[SiteTimes] = LruCache(len(Mode))
        self._far: LruCache[NDArray[np.bool_]] = LruCache(len(Mode))
        self._territories: LruCache[tuple[TerritoryCoverage, ...]] = LruCache(MEASURED)
        self._gaps: LruCache[tuple[Gap, ...]] = LruCache(MEASURED)
        self._around: LruCache[NDArray[np.float32]] = LruCache(MEASURED)
        self._isochrones: LruCache[tuple[Isochrone, ...]] = LruCache(MEASURED)
        self._shapes: dict[tuple[TerritoryKind, str], bytes] = {}
        self.pages: LruCache[RenderedPage] = LruCache(8)
        self.papers: LruCache[bytes] = LruCache(PAPERS)
        moment = snapshot.taken_at.strftime("%Y%m%d%H%M%S")
        self.tag = f"{snapshot.version}-{moment}-{geo.__version__}-{detour_factor:g}"
        """What an answer's ETag begins with: changes with data, settings, and Portée itself."""

    @cached_property
    def meta(self) -> dict[str, object]:
        """What every answer says of its sources."""
        snapshot = self.snapshot
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
        """How times and distances are had."""
        roads = self.snapshot.roads
        by_road = self.travel.graph is not None
        return {
            "code": self.travel.method,
            "label": self.travel.label,
            "detour_factor": self.detour_factor,
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
    def outline(self) -> bytes:
        """Boundaries as the map of sites draws them."""
        return outline_json(self.snapshot.territory)

    @cached_property
    def meta_json(self) -> bytes:
        """`meta`, written."""
        return orjson.dumps(self.meta)

    @cached_property
    def meta_with_method_json(self) -> bytes:
        """`meta` with how times and distances are had, written."""
        return orjson.dumps({**self.meta, "method": self.method})

    @cached_property
    def gazetteer(self) -> PlaceIndex:
        """Communes and postcodes, ready to be found by name."""
        return PlaceIndex(self.snapshot.territory)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Public identifier → place in `snapshot.sites`."""
        return {site.id: row for row, site in enumerate(self.snapshot.sites)}

    def feature(self, row: int) -> bytes:
        """A site as a GeoJSON feature, without its last two braces: properties may follow."""
        written = self._features[row]
        if written is None:
            written = orjson.dumps(site_feature(self.snapshot.sites[row]))[:-2]
            self._features[row] = written
        return written

    def rows(self, search: SiteSearch, slot: Slot | None = None) -> NDArray[np.intp]:
        """Places in `snapshot.sites` of the sites a question is about, ascending.

        `slot` leaves those known to be open then.
        """
        if slot is None:
            return self._rows.of(search, lambda: search.rows(self.snapshot))
        week = self.week(slot)
        return self._rows.of((search, slot, week), lambda: self._open(search.rows(self.snapshot), slot, week))

    def week(self, slot: Slot) -> date:
        """Monday of the week a slot is looked at in."""
        return slot.week or reference_week(self.clock().date())

    def _open(self, rows: NDArray[np.intp], slot: Slot, week: date) -> NDArray[np.intp]:
        sites = self.snapshot.sites
        return rows[[slot_status(sites[row], slot, week, self.calendar) is Openness.OPEN for row in rows]]

    def tree(self, search: SiteSearch, slot: Slot | None = None) -> SiteTree:
        """The sites a question is about, ready to be searched by distance."""
        key = (search, slot, self.week(slot)) if slot else search
        return self._trees.of(key, lambda: self._tree(search, slot))

    def _tree(self, search: SiteSearch, slot: Slot | None) -> SiteTree:
        xy = self.snapshot.site_xy
        if search or slot:
            kept = np.full_like(xy, np.nan)
            rows = self.rows(search, slot)
            kept[rows] = xy[rows]
            xy = kept
        return SiteTree(xy, detour_factor=self.detour_factor)

    def known_site_times(self, mode: Mode) -> SiteTimes | None:
        """Times to all sites when they are ready; preparing them may take seconds, once for all."""
        return self._site_times.get(mode)

    def site_times(self, mode: Mode) -> SiteTimes:
        """Times to all sites.

        Raises
        ------
        InvalidParameter
            If the roads do not know the mode.
        """
        return self._site_times.of(mode, lambda: self.travel.to_sites(self.snapshot.site_xy, mode))

    @cached_property
    def travel(self) -> Travel:
        """The roads of the snapshot, or their estimate; node times are kept below Portée's home."""
        return load_travel(self.snapshot.roads, home=self._home, detour_factor=self.detour_factor)

    @property
    def frame(self) -> AnalysisContext:
        """What questions of coverage are asked of, on the present day."""
        today = self.clock().date()
        known = self._frame
        if known is None:
            known = AnalysisContext(self.snapshot, self.travel, today)
        elif known.day != today:
            known = replace(known, day=today)  # its times go on
        self._frame = known
        return known

    def measured(self, question: Question) -> measure.Coverage:
        """Coverage as of today, computed once.

        Raises
        ------
        InvalidParameter
            If the snapshot's people, indicators or roads do not allow the question.
        """
        frame = self.frame
        return self._measured.of((frame.day, question), lambda: measure.measure(frame, question))

    def territories(self, question: Question, kind: TerritoryKind) -> tuple[TerritoryCoverage, ...]:
        """Coverage of every territory of a kind as of today, summed once."""
        coverage = self.measured(question)
        key = (coverage.frame.day, question, kind)
        return self._territories.of(key, lambda: coverage.by_territory(kind))

    def gaps(self, question: Question, *, of_places: bool, limit: int) -> tuple[Gap, ...]:
        """The largest gaps of communes, or of single places, as of today, told once."""
        coverage = self.measured(question)
        key = (coverage.frame.day, question, limit if of_places else None)
        tell = partial(gaps_of_places, limit=limit) if of_places else gaps_of_communes
        return self._gaps.of(key, lambda: tell(coverage))[:limit]

    def far_from_road(self, mode: Mode) -> NDArray[np.bool_]:
        """Places of the people that lie far from any road, shape (places,)."""
        return self._far.of(mode, lambda: self.travel.far_from_road(self.snapshot.people.xy, mode))

    def isochrones(
        self, xy: tuple[float, float], mode: Mode, minutes: tuple[int, ...], *, outward: bool
    ) -> tuple[Isochrone, ...]:
        """Isochrones of a point, drawn once: see `geo.reach.isochrones`."""
        return self._isochrones.of(
            (xy, mode, minutes, outward),
            lambda: isochrones(self.travel, xy, mode, minutes, outward=outward),
        )

    def times_around(self, xy: tuple[float, float], mode: Mode, *, outward: bool) -> NDArray[np.float32]:
        """Times between a point and the places of the people, shape (places,), had once."""
        people_xy = self.snapshot.people.xy
        return self._around.of(
            (xy, mode, outward), lambda: self.travel.between(xy, people_xy, mode, outward=outward)
        )

    def shape(self, group: Grouping) -> bytes:
        """The boundary of a territory as a GeoJSON geometry, counterclockwise outside (RFC 7946)."""
        key = (group.kind, group.code)
        written = self._shapes.get(key)
        if written is None:
            written = self._shapes[key] = geometry_json(shapely.orient_polygons(group.boundary))
        return written


def geometry_json(geometry: BaseGeometry, decimals: int = DECIMALS) -> bytes:
    """A geometry (WGS 84) as GeoJSON, coordinates cut to a decimetre unless told otherwise."""
    rounded = shapely.transform(geometry, lambda degrees: np.round(degrees, decimals))
    text: str = shapely.to_geojson(rounded)
    return text.encode()


def site_feature(site: Site) -> dict[str, object]:
    """A site as a GeoJSON feature: properties are the standard's fields, then ours; absent is null.

    `properties` comes last.
    """
    properties: dict[str, object] = {}
    for name in (*standard.FIELDS, *LOCAL_FIELDS):
        value = getattr(site, name)
        if name in TEXTS or name == "jeu_de_donnees":
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
    """What a request is answered from: the snapshot served, and how fresh it is known to be."""

    view: SnapshotView
    age: timedelta
    database_ok: bool

    @property
    def age_s(self) -> int:
        """Seconds since the snapshot was last known to be the database's state."""
        return int(self.age.total_seconds())

    def meta(self, *, with_method: bool = False) -> bytes:
        """`meta` of an answer, written; says the age when the database does not answer."""
        if self.database_ok:
            return self.view.meta_with_method_json if with_method else self.view.meta_json
        method = {"method": self.view.method} if with_method else {}
        return orjson.dumps({**self.view.meta, **method, "stale": self.stale})

    @property
    def stale(self) -> dict[str, object]:
        """The warning that goes with the last known state."""
        return {
            "age_s": self.age_s,
            "message": (
                f"Dernier état connu, vieux de {format_age(self.age)} : "
                "la base de données est momentanément injoignable."
            ),
        }


def format_age(age: timedelta) -> str:
    """A duration as people say it: « 40 secondes », « 3 minutes », « 2 heures », « 5 jours »."""
    seconds = max(0, int(age.total_seconds()))
    for size, unit in ((86_400, "jour"), (3_600, "heure"), (60, "minute"), (1, "seconde")):
        if seconds >= 2 * size or size == 1:
            count = seconds // size
            return f"{count} {unit}{'s' if count > 1 else ''}"
    raise AssertionError  # pragma: no cover - the last unit always answers
