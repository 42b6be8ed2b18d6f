"""Coverage: time to the nearest suitable site, people within each time, and help within reach.

Sites across the border serve people, but only the territory's own are in its `site_count`.
Definitions, units and limits: docs/coverage.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.coverage import catchment, equity
from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.catchment import APL, Decay
from geo.coverage.reachable_hours import hours_reachable
from geo.coverage.undecided import SiteRange, least_offered, questions_among, site_range
from geo.hours.weekly import Openness, Slot, slot_status
from geo.people.need import Population, inhabitants_of, need
from geo.reach.modes import Mode
from geo.sites.filters import EVERY_SITE, SiteFilter
from geo.sites.model import Position, Site
from geo.territory.model import Grouping, TerritoryKind

MINUTES: Final = (5, 10, 15, 20, 30, 45)
STALE_AFTER: Final = timedelta(days=183)
"""A record last checked longer ago than this is stale; so is one without a date."""
CAP_MIN: Final = 120
"""Cap on travel times in excess and mean figures, minutes; also used where no site can be reached."""


class Supply(StrEnum):
    """What is counted as the supply of a site: its weekly opening hours, or the site itself."""

    HOURS = "hours"
    SITES = "sites"

    @property
    def label(self) -> str:
        """Return the unit of the accessible supply, in French."""
        return {
            Supply.HOURS: "heures d'ouverture par semaine pour 1 000 habitants",
            Supply.SITES: "lieux pour 1 000 habitants",
        }[self]


@dataclass(frozen=True)
class Question:
    """Parameters of a coverage query. Hashable, so that it can be a cache key.

    Attributes
    ----------
    slot
        Count only sites known to be open at this slot; None: whatever their hours.
    minutes
        Travel times within which people are counted, ascending.
    beyond_min
        Travel time, minutes, beyond which people are in the gap and time is in excess.
    population
        "all", or "65" for those aged 65 or over.
    weights
        Weight of each indicator of need, by code: see `geo.people.need`.
    supply, decay
        Supply divided by the floating catchment method, and its decay with time.
    """

    mode: Mode = Mode.CAR
    filter: SiteFilter = EVERY_SITE
    slot: Slot | None = None
    minutes: tuple[int, ...] = MINUTES
    beyond_min: int = 20
    population: Population = "all"
    weights: tuple[tuple[str, float], ...] = ()
    supply: Supply = Supply.HOURS
    decay: Decay = APL


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """Number of doubtful sites, and how much the share of people served depends on them.

    `share` is the share of people within `beyond_min`; the other shares are recomputed with some
    sites removed or added. None where nobody lives.

    Attributes
    ----------
    sites
        Suitable sites, located or not.
    unlocated, approximate, stale, hours_unknown
        Of these: without a position; placed at the town hall; not checked for `STALE_AFTER`; with
        unknown opening hours.
    share_without_approximate, share_without_stale
        Without these sites.
    share_if_unknown_open
        As if the sites of unknown hours were open at the slot; equals `share` without a slot.
    """

    sites: int
    unlocated: int
    approximate: int
    stale: int
    hours_unknown: int
    share: float | None
    share_without_approximate: float | None
    share_without_stale: float | None
    share_if_unknown_open: float | None


@dataclass(frozen=True, slots=True)
class TerritoryCoverage:
    """Coverage of one commune or grouping.

    Attributes
    ----------
    population
        Municipal population.
    people
        Persons counted, of the population in question.
    site_count
        Sites of the territory that are counted: suitable and, with a slot, known to be open then;
        located or not.
    site_range
        The same, with what undecided questions between two of these sites change.
    nearest_site_id
        The site that is nearest for most of its people; None if no site can be reached.
    median_min
        Time that half of its people do not exceed, minutes; None if half cannot reach any site.
    share_within
        Share of its people, in [0, 1], within each time of the question; None without people.
    people_beyond
        Persons farther than `beyond_min`.
    supply
        Accessible supply per 1,000 persons of need (floating catchment), mean of its people.
    supply_low
        The same if all undecided questions were one place.
    open_hours
        Hours per week when some suitable site within `beyond_min` is open, mean of its people.
    gap
        Persons × need × minutes beyond `beyond_min`, summed.
    gap_rank
        1 for the largest gap among territories of the same kind; equal gaps share the best rank.
        None without a gap.
    """

    kind: TerritoryKind
    code: str
    name: str
    population: int
    people: float
    site_count: int
    site_range: SiteRange
    nearest_site_id: str | None
    median_min: float | None
    share_within: tuple[float | None, ...]
    people_beyond: float
    supply: float
    supply_low: float
    open_hours: float
    gap: float
    gap_rank: int | None = None


@dataclass(frozen=True)
class Coverage:
    """Coverage of every place; figures of territories, equity and gaps are aggregates of it.

    Attributes
    ----------
    suitable
        Rows of the snapshot's sites that meet the filter, whatever their hours.
    counted
        Of these, the ones known to be open at the slot; all of them without a slot.
    people
        Persons at each place, shape (places,).
    need
        People weighted by the indicators of the question, shape (places,).
    seconds
        Time to the nearest site counted, shape (places,); inf where none can be reached.
    nearest
        Row of that site in the snapshot's sites; -1 where none can be reached.
    """

    frame: AnalysisContext
    question: Question
    suitable: NDArray[np.intp]
    counted: NDArray[np.intp]
    people: NDArray[np.float64]
    need: NDArray[np.float64]
    seconds: NDArray[np.float32]
    nearest: NDArray[np.intp]

    @cached_property
    def supply(self) -> NDArray[np.float64]:
        """Return the accessible supply of each place per 1,000 of need, shape (places,).

        Enhanced two-step floating catchment (`geo.coverage.catchment`). Sites of unknown hours
        count with the mean hours of the others, or 1 hour if none are known.
        """
        return self._supply_of(self._offered)

    @cached_property
    def supply_low(self) -> NDArray[np.float64]:
        """Return `supply` if all undecided questions were one place, shape (places,).

        Of sites that are one place, the one that offers most counts: hours are not added twice.
        """
        questions = self.frame.snapshot.questions
        least = least_offered(self._offered, self.ids(self.counted), questions)
        return self.supply if (least == self._offered).all() else self._supply_of(least)

    @cached_property
    def _offered(self) -> NDArray[np.float64]:
        if self.question.supply is not Supply.HOURS:
            return np.ones(len(self.counted))
        hours = self.frame.weekly_hours[self.counted]
        mean = float(np.nanmean(hours)) if np.isfinite(hours).any() else 1.0
        return np.where(np.isnan(hours), mean, hours)

    def _supply_of(self, offered: NDArray[np.float64]) -> NDArray[np.float64]:
        times = self.frame.times(self.question.mode)[self.counted]
        return catchment.accessible_supply(times, offered, self.need, self.question.decay) * 1_000

    def ids(self, rows: NDArray[np.intp]) -> list[str]:
        """Return the identifiers of some rows of the snapshot's sites."""
        sites = self.frame.snapshot.sites
        return [sites[row].id for row in rows]

    @cached_property
    def site_range(self) -> SiteRange:
        """Return how many places the suitable sites are, at least and at most."""
        return site_range(self.ids(self.suitable), self.frame.snapshot.questions)

    @cached_property
    def open_hours(self) -> NDArray[np.float64]:
        """Return the hours per week when a suitable site within `beyond_min` is open, shape (places,)."""
        times = self.frame.times(self.question.mode)[self.suitable]
        masks = self.frame.open_quarters[self.suitable]
        return hours_reachable(times, masks, self.question.beyond_min * 60)

    @cached_property
    def gap(self) -> NDArray[np.float64]:
        """Return persons × need × minutes beyond `beyond_min`, shape (places,)."""
        return self.need * excess_min(self.seconds, self.question.beyond_min)

    @property
    def beyond(self) -> NDArray[np.bool_]:
        """Return which places are farther than `beyond_min`, shape (places,)."""
        return self.seconds > self.question.beyond_min * 60

    @cached_property
    def uncertainty(self) -> Uncertainty:
        """Return how much the share of people within `beyond_min` depends on doubtful records."""
        sites = self.frame.snapshot.sites
        oldest = self.frame.day - STALE_AFTER
        suitable = [sites[row] for row in self.suitable]
        counted = [sites[row] for row in self.counted]

        def share(mask: Sequence[bool], rows: NDArray[np.intp]) -> float | None:
            return _share(self._nearest_of(rows[np.array(mask, dtype=bool)]), self.people, self.question)

        stale = [is_stale(site, oldest) for site in counted]
        approximate = [site.position is Position.APPROXIMATIVE for site in counted]
        unknown = [_openness(self.frame, s, self.question.slot) is Openness.UNKNOWN for s in suitable]
        with_unknown = np.union1d(self.counted, self.suitable[np.array(unknown, dtype=bool)])
        return Uncertainty(
            sites=len(suitable),
            unlocated=sum(not s.located for s in suitable),
            approximate=sum(s.position is Position.APPROXIMATIVE for s in suitable),
            stale=sum(is_stale(s, oldest) for s in suitable),
            hours_unknown=int(np.isnan(self.frame.weekly_hours[self.suitable]).sum()),
            share=_share(self.seconds, self.people, self.question),
            share_without_approximate=share([not a for a in approximate], self.counted),
            share_without_stale=share([not s for s in stale], self.counted),
            share_if_unknown_open=(
                share([True] * len(with_unknown), with_unknown)
                if self.question.slot
                else _share(self.seconds, self.people, self.question)
            ),
        )

    def _nearest_of(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        times = self.frame.times(self.question.mode)
        found: NDArray[np.float32] = times[rows].min(axis=0, initial=np.inf)
        return found

    def lorenz(self) -> equity.Lorenz | None:
        """Return the Lorenz curve of accessible supply over people, worst served first."""
        return equity.lorenz(self.supply, self.people)

    def by_territory(self, kind: TerritoryKind) -> tuple[TerritoryCoverage, ...]:
        """Return the coverage of every territory of a kind, sorted by code."""
        groups, of_place = self.frame.membership(kind)
        inside = of_place >= 0
        row, size = of_place[inside], len(groups)

        def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.bincount(row, weights=values[inside], minlength=size).astype(np.float64)

        people, places = total(self.people), np.bincount(row, minlength=size)
        # Where nobody lives, places weigh the same, so that means and medians are still defined.
        weight = np.where(people[row] > 0, self.people[inside], 1.0)
        weights = np.bincount(row, weights=weight, minlength=size)

        def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
            summed = np.bincount(row, weights=values[inside] * weight, minlength=size)
            return np.divide(summed, weights, out=np.zeros(size), where=places > 0)

        within = [total(self.people * (self.seconds <= m * 60)) for m in self.question.minutes]
        beyond, gap = total(self.people * self.beyond), total(self.gap)
        supply, hours = mean(self.supply), mean(self.open_hours)
        supply_low = supply if self.supply_low is self.supply else mean(self.supply_low)
        members = np.split(np.argsort(row, kind="stable"), np.cumsum(places)[:-1])
        seconds, nearest = self.seconds[inside], self.nearest[inside]
        ranges = self._ranges(groups)
        rows = []
        for g, group in enumerate(groups):
            here = members[g]
            median = equity.quantile(seconds[here].astype(np.float64), weight[here], 0.5)
            rows.append(
                TerritoryCoverage(
                    kind=kind,
                    code=group.code,
                    name=group.name,
                    population=group.population,
                    people=float(people[g]),
                    site_count=ranges[g].high,
                    site_range=ranges[g],
                    nearest_site_id=self._nearest_site_id(nearest[here], weight[here]),
                    median_min=median / 60 if median is not None and np.isfinite(median) else None,
                    share_within=tuple(
                        float(min(w[g] / people[g], 1.0)) if people[g] > 0 else None for w in within
                    ),
                    people_beyond=float(beyond[g]),
                    supply=float(supply[g]),
                    supply_low=float(supply_low[g]),
                    open_hours=float(hours[g]),
                    gap=float(gap[g]),
                )
            )
        return tuple(_ranked(rows))

    def _ranges(self, groups: Sequence[Grouping]) -> list[SiteRange]:
        here = defaultdict(list)
        for row in self.counted:
            site = self.frame.snapshot.sites[row]
            here[site.code_insee].append(site.id)
        asked = questions_among(self.ids(self.counted), self.frame.snapshot.questions)
        return [site_range([s for code in group.communes for s in here[code]], asked) for group in groups]

    def _nearest_site_id(self, nearest: NDArray[np.intp], weight: NDArray[np.float64]) -> str | None:
        row = nearest_for_most(nearest, weight)
        return None if row is None else self.frame.snapshot.sites[row].id


def measure(frame: AnalysisContext, question: Question) -> Coverage:
    """Measure coverage for a question.

    Raises
    ------
    ImpossibleQuestion
        If the source lacks the population in question, or an indicator is unknown.
    """
    sites = frame.snapshot.sites
    suitable = np.array([r for r, s in enumerate(sites) if question.filter.matches(s)], dtype=np.intp)
    counted = suitable
    if question.slot is not None:
        is_open = [_openness(frame, sites[r], question.slot) is Openness.OPEN for r in suitable]
        counted = suitable[np.array(is_open, dtype=bool)]
    times = frame.times(question.mode)
    places = times.shape[1]
    seconds = np.full(places, np.inf, dtype=np.float32)
    nearest = np.full(places, -1, dtype=np.intp)
    if len(counted):
        of_counted = times[counted]
        best = of_counted.argmin(axis=0)
        seconds = of_counted[best, np.arange(places)]
        nearest = np.where(np.isfinite(seconds), counted[best], -1)
    people = inhabitants_of(frame.people, question.population)
    indicators = {i.code: i for i in frame.snapshot.indicators}
    weight = need(frame.people, indicators, dict(question.weights))
    return Coverage(frame, question, suitable, counted, people, people * weight, seconds, nearest)


def nearest_for_most(nearest: NDArray[np.intp], people: NDArray[np.float64]) -> int | None:
    """Return the site that is nearest for most people; None if no site can be reached.

    Parameters
    ----------
    nearest
        Row of the nearest site of each place, shape (n,); -1 where none can be reached.
    people
        Shape (n,). Of sites nearest for equally many people, the lower row is returned.
    """
    reached = nearest >= 0
    if not reached.any():
        return None
    rows, which = np.unique(nearest[reached], return_inverse=True)
    return int(rows[np.bincount(which, weights=people[reached]).argmax()])


def excess_min(seconds: NDArray[np.float32], beyond_min: int) -> NDArray[np.float64]:
    """Return the minutes beyond a travel time, times being capped at `CAP_MIN`, shape of `seconds`."""
    minutes = np.minimum(seconds.astype(np.float64) / 60, max(CAP_MIN, beyond_min))
    excess: NDArray[np.float64] = np.maximum(minutes - beyond_min, 0.0)
    return excess


def is_stale(site: Site, oldest: date) -> bool:
    """Return whether a record was last checked before a day, or has no date."""
    return site.date_maj is None or site.date_maj < oldest


def _openness(frame: AnalysisContext, site: Site, slot: Slot | None) -> Openness:
    return Openness.OPEN if slot is None else slot_status(site, slot, frame.week)


def _share(seconds: NDArray[np.float32], people: NDArray[np.float64], question: Question) -> float | None:
    whole = people.sum()
    return float(people[seconds <= question.beyond_min * 60].sum() / whole) if whole > 0 else None


def _ranked(rows: list[TerritoryCoverage]) -> list[TerritoryCoverage]:
    """Return the rows with ranks: equal gaps share the best rank; no rank without a gap."""
    gaps = sorted((r.gap for r in rows if r.gap), reverse=True)
    # Reversed, so that the first (best) position of equal gaps is the one that stays.
    rank = {gap: position for position, gap in reversed(list(enumerate(gaps, start=1)))}
    return [replace(r, gap_rank=rank[r.gap]) if r.gap else r for r in rows]
