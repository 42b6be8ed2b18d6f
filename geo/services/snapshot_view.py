"""One snapshot and what is computed from it on demand: searches, travel times, coverages.

Everything here belongs to one snapshot and is dropped with it. Nothing is computed before it is
asked for, so that a new snapshot slows its first readers a little and stops nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property, partial
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import geo
from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.gaps import Gap, gaps_of_communes, gaps_of_places
from geo.coverage.measure import Coverage, Question, TerritoryCoverage, measure
from geo.hours.calendar import ANY_ZONE, Calendar
from geo.hours.weekly import TIME_ZONE, Openness, Slot, reference_week, slot_status
from geo.lru_cache import LruCache
from geo.matching.text_search import SiteSearch
from geo.places.place_index import PlaceIndex
from geo.reach.isochrones import Isochrone, isochrones
from geo.reach.modes import Mode
from geo.reach.straight_line import SiteTree
from geo.reach.travel import SiteTimes, Travel, load_travel
from geo.snapshot import Snapshot
from geo.territory.model import TerritoryKind

COVERAGES_CACHED: Final = 32
"""Coverages cached for one snapshot: each holds some fifty bytes a place."""


def present_moment() -> datetime:
    """Return the present moment in the time zone of the sites."""
    return datetime.now(TIME_ZONE)


class SnapshotView:
    """One snapshot and everything computed from it.

    Parameters
    ----------
    home
        Folder below which the travel times of road nodes are stored.
    detour_factor
        Road distance divided by straight-line distance, where no roads are loaded.
    searches_cached
        Different site searches whose result is kept.
    calendar
        Public and school holidays that opening hours follow.
    clock
        Returns the present moment, with a time zone.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        home: Path,
        detour_factor: float,
        searches_cached: int = 1,
        calendar: Calendar = ANY_ZONE,
        clock: Callable[[], datetime] = present_moment,
    ) -> None:
        self.snapshot = snapshot
        self.detour_factor = detour_factor
        self.calendar = calendar
        self.clock = clock
        self._home = home
        self._context: AnalysisContext | None = None
        self._coverages: LruCache[Coverage] = LruCache(COVERAGES_CACHED)
        self._rows: LruCache[NDArray[np.intp]] = LruCache(searches_cached)
        self._trees: LruCache[SiteTree] = LruCache(searches_cached)
        self._site_times: LruCache[SiteTimes] = LruCache(len(Mode))
        self._far: LruCache[NDArray[np.bool_]] = LruCache(len(Mode))
        self._territories: LruCache[tuple[TerritoryCoverage, ...]] = LruCache(COVERAGES_CACHED)
        self._gaps: LruCache[tuple[Gap, ...]] = LruCache(COVERAGES_CACHED)
        self._around: LruCache[NDArray[np.float32]] = LruCache(COVERAGES_CACHED)
        self._isochrones: LruCache[tuple[Isochrone, ...]] = LruCache(COVERAGES_CACHED)
        self._service_caches: dict[str, LruCache[Any]] = {}
        self._lock = Lock()
        taken_at = snapshot.taken_at.strftime("%Y%m%d%H%M%S")
        self.tag = f"{snapshot.version}-{taken_at}-{geo.__version__}-{detour_factor:g}"
        """Identifies the data, the settings and the version of Portée; start of every ETag."""

    def service_cache(self, name: str, size: int) -> LruCache[Any]:
        """Return the cache of a service that computes from this snapshot; dropped with it."""
        with self._lock:
            return self._service_caches.setdefault(name, LruCache(size))

    @cached_property
    def place_index(self) -> PlaceIndex:
        """Communes and postcodes, indexed by name."""
        return PlaceIndex(self.snapshot.territory)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Public identifier → row in `snapshot.sites`."""
        return {site.id: row for row, site in enumerate(self.snapshot.sites)}

    def rows(self, search: SiteSearch, slot: Slot | None = None) -> NDArray[np.intp]:
        """Return the rows in `snapshot.sites` of the sites that match a search, ascending.

        With a `slot`, only sites known to be open then.
        """
        if slot is None:
            return self._rows.get_or_compute(search, lambda: search.rows(self.snapshot))
        week = self.week(slot)
        return self._rows.get_or_compute(
            (search, slot, week), lambda: self._open(search.rows(self.snapshot), slot, week)
        )

    def week(self, slot: Slot) -> date:
        """Return the Monday of the week in which a slot is looked up."""
        return slot.week or reference_week(self.clock().date())

    def _open(self, rows: NDArray[np.intp], slot: Slot, week: date) -> NDArray[np.intp]:
        sites = self.snapshot.sites
        return rows[[slot_status(sites[row], slot, week, self.calendar) is Openness.OPEN for row in rows]]

    def tree(self, search: SiteSearch, slot: Slot | None = None) -> SiteTree:
        """Return a spatial index of the sites that match a search and are open in `slot`."""
        key = (search, slot, self.week(slot)) if slot else search
        return self._trees.get_or_compute(key, lambda: self._tree(search, slot))

    def _tree(self, search: SiteSearch, slot: Slot | None) -> SiteTree:
        xy = self.snapshot.site_xy
        if search or slot:
            # The index leaves out positions that are NaN, and its rows stay those of the snapshot.
            matching = np.full_like(xy, np.nan)
            rows = self.rows(search, slot)
            matching[rows] = xy[rows]
            xy = matching
        return SiteTree(xy, detour_factor=self.detour_factor)

    def known_site_times(self, mode: Mode) -> SiteTimes | None:
        """Return the times to all sites if they are ready, or None.

        Preparing them (`site_times`) takes seconds, once for each mode.
        """
        return self._site_times.get(mode)

    def site_times(self, mode: Mode) -> SiteTimes:
        """Return the times to all sites.

        Raises
        ------
        InvalidParameter
            If the roads do not know the mode.
        """
        return self._site_times.get_or_compute(
            mode, lambda: self.travel.to_sites(self.snapshot.site_xy, mode)
        )

    @cached_property
    def travel(self) -> Travel:
        """Travel by the roads of the snapshot, or its straight-line estimate."""
        return load_travel(self.snapshot.roads, home=self._home, detour_factor=self.detour_factor)

    @property
    def context(self) -> AnalysisContext:
        """Input of every coverage query, on the present day."""
        today = self.clock().date()
        context = self._context
        if context is None:
            context = AnalysisContext(self.snapshot, self.travel, today)
        elif context.day != today:
            context = replace(context, day=today)  # shares the travel times already computed
        self._context = context
        return context

    def coverage(self, question: Question) -> Coverage:
        """Return the coverage as of today, computed once.

        Raises
        ------
        InvalidParameter
            If the snapshot's people, indicators or roads do not allow the question.
        """
        context = self.context
        return self._coverages.get_or_compute((context.day, question), lambda: measure(context, question))

    def coverage_by_territory(self, question: Question, kind: TerritoryKind) -> tuple[TerritoryCoverage, ...]:
        """Return the coverage of every territory of a kind as of today, computed once."""
        coverage = self.coverage(question)
        return self._territories.get_or_compute(
            (coverage.frame.day, question, kind), lambda: coverage.by_territory(kind)
        )

    def gaps(self, question: Question, *, of_places: bool, limit: int) -> tuple[Gap, ...]:
        """Return the largest gaps of communes, or of single places, as of today, at most `limit`."""
        coverage = self.coverage(question)
        # All gaps of communes are computed whatever the limit; those of places only up to it.
        key = (coverage.frame.day, question, limit if of_places else None)
        compute = partial(gaps_of_places, limit=limit) if of_places else gaps_of_communes
        return self._gaps.get_or_compute(key, lambda: compute(coverage))[:limit]

    def far_from_road(self, mode: Mode) -> NDArray[np.bool_]:
        """Return which of the people's places lie far from any road, shape (places,)."""
        return self._far.get_or_compute(
            mode, lambda: self.travel.far_from_road(self.snapshot.people.xy, mode)
        )

    def isochrones(
        self, xy: tuple[float, float], mode: Mode, minutes: tuple[int, ...], *, outward: bool
    ) -> tuple[Isochrone, ...]:
        """Return the isochrones of a point in the metric CRS; see `geo.reach.isochrones`."""
        return self._isochrones.get_or_compute(
            (xy, mode, minutes, outward),
            lambda: isochrones(self.travel, xy, mode, minutes, outward=outward),
        )

    def times_around(self, xy: tuple[float, float], mode: Mode, *, outward: bool) -> NDArray[np.float32]:
        """Return the times between a point and the people's places, seconds, shape (places,).

        `outward`: from the point to the places; otherwise from the places to the point.
        """
        people_xy = self.snapshot.people.xy
        return self._around.get_or_compute(
            (xy, mode, outward), lambda: self.travel.between(xy, people_xy, mode, outward=outward)
        )
