"""Input of every coverage query: a snapshot and its travel times.

Travel times, opening hours and the membership of places are computed once and cached here; each
query only aggregates them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from geo.hours import weekly
from geo.people.model import People
from geo.reach.modes import Mode
from geo.reach.travel import Travel
from geo.snapshot import Snapshot
from geo.territory.model import Grouping, TerritoryKind


@dataclass(frozen=True)
class AnalysisContext:
    """Sites and people on one day, and the travel times between them.

    Parameters
    ----------
    snapshot
        Territory, sites, people.
    travel
        Travel times over the territory's roads, or their estimate.
    day
        The current day; decides which records are stale and which week opening hours refer to.
    store_times
        Whether to write travel times of new sites to the on-disk cache; False for hypothetical sites.
    """

    snapshot: Snapshot
    travel: Travel
    day: date
    store_times: bool = True
    _times: dict[Mode, NDArray[np.float32]] = field(default_factory=dict, repr=False, compare=False)
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    @property
    def people(self) -> People:
        """Return the places where people are counted."""
        return self.snapshot.people

    def times(self, mode: Mode) -> NDArray[np.float32]:
        """Return the times from every place to every site: seconds, shape (sites, places), read-only."""
        with self._lock:
            if mode not in self._times:
                sites = self.travel.to_sites(self.snapshot.site_xy, mode, store=self.store_times)
                times = sites.from_places(self.people.xy)
                times.flags.writeable = False
                self._times[mode] = times
            return self._times[mode]

    @cached_property
    def week(self) -> date:
        """Return the Monday of the reference week for opening hours: see `geo.hours.weekly`."""
        return weekly.reference_week(self.day)

    @cached_property
    def open_quarters(self) -> NDArray[np.bool_]:
        """Return the open quarter hours of each site, shape (sites, 672); none where hours are unknown."""
        masks = np.zeros((len(self.snapshot.sites), 672), dtype=bool)
        for row, site in enumerate(self.snapshot.sites):
            mask = weekly.weekly_mask(site, self.week)
            if mask is not None:
                masks[row] = mask
        return masks

    @cached_property
    def weekly_hours(self) -> NDArray[np.float64]:
        """Return the weekly opening hours of each site, shape (sites,); NaN where unknown."""
        hours = (weekly.weekly_hours(site, self.week) for site in self.snapshot.sites)
        return np.array([np.nan if h is None else h for h in hours], dtype=np.float64)

    @cached_property
    def _membership(self) -> dict[TerritoryKind, tuple[tuple[Grouping, ...], NDArray[np.intp]]]:
        return {}

    def membership(self, kind: TerritoryKind) -> tuple[tuple[Grouping, ...], NDArray[np.intp]]:
        """Return the territories of a kind, sorted by code, and the row of the one each place lies in.

        Returns
        -------
        The territories; and rows, shape (places,): -1 where a place lies in none of the kind.
        """
        if kind not in self._membership:
            groups = tuple(sorted(self.snapshot.territory.groupings_of(kind), key=lambda g: g.code))
            of_commune = {commune: row for row, group in enumerate(groups) for commune in group.communes}
            communes, place = np.unique(self.people.commune, return_inverse=True)
            rows = np.array([of_commune.get(str(c), -1) for c in communes], dtype=np.intp)
            self._membership[kind] = (groups, rows[place])
        return self._membership[kind]
