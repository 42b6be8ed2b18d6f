"""A snapshot with its travel times: what every question of coverage is asked of.

Times, opening weeks and places are prepared once and kept; each question is a reduction of them.
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
    """Sites and people of one moment, and how long it takes from these to those.

    Parameters
    ----------
    snapshot
        Territory, sites, people.
    travel
        The roads of the territory, or their estimate.
    day
        The present day: what is stale, and which week is looked at, go by it.
    kept
        Whether sites never swept before are worth keeping on disk: not those of a what-if.
    """

    snapshot: Snapshot
    travel: Travel
    day: date
    kept: bool = True
    _times: dict[Mode, NDArray[np.float32]] = field(default_factory=dict, repr=False, compare=False)
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    @property
    def people(self) -> People:
        """The places people are counted at."""
        return self.snapshot.people

    def times(self, mode: Mode) -> NDArray[np.float32]:
        """Times from every place to every site: seconds, shape (sites, places), read-only."""
        with self._lock:
            if mode not in self._times:
                sites = self.travel.to_sites(self.snapshot.site_xy, mode, keep=self.kept)
                found = sites.of(self.people.xy)
                found.flags.writeable = False
                self._times[mode] = found
            return self._times[mode]

    @cached_property
    def week(self) -> date:
        """Monday of the typical week hours are looked up in: see `geo.hours.weekly`."""
        return weekly.reference_week(self.day)

    @cached_property
    def open_quarters(self) -> NDArray[np.bool_]:
        """Quarter hours each site is open at, shape (sites, 672); none where hours are unknown."""
        masks = np.zeros((len(self.snapshot.sites), 672), dtype=bool)
        for row, site in enumerate(self.snapshot.sites):
            mask = weekly.weekly_mask(site, self.week)
            if mask is not None:
                masks[row] = mask
        return masks

    @cached_property
    def weekly_hours(self) -> NDArray[np.float64]:
        """Hours each site is open in a week, shape (sites,); NaN where unknown."""
        hours = (weekly.weekly_hours(site, self.week) for site in self.snapshot.sites)
        return np.array([np.nan if h is None else h for h in hours], dtype=np.float64)

    @cached_property
    def _membership(self) -> dict[TerritoryKind, tuple[tuple[Grouping, ...], NDArray[np.intp]]]:
        return {}

    def membership(self, kind: TerritoryKind) -> tuple[tuple[Grouping, ...], NDArray[np.intp]]:
        """Territories of a kind, sorted by code, and the row among them of every place.

        Returns
        -------
        The territories; and shape (places,): -1 where a place lies in none of the kind.
        """
        if kind not in self._membership:
            groups = tuple(sorted(self.snapshot.territory.groupings_of(kind), key=lambda g: g.code))
            of_commune = {commune: row for row, group in enumerate(groups) for commune in group.communes}
            communes, place = np.unique(self.people.commune, return_inverse=True)
            rows = np.array([of_commune.get(str(c), -1) for c in communes], dtype=np.intp)
            self._membership[kind] = (groups, rows[place])
        return self._membership[kind]
