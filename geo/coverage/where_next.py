"""Where the next sites should open: the location models applied to an analysis context.

Existing sites that are counted for the coverage question stay open; candidates are named places. The
models optimise need (people × indicators); results are given in persons.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.measure import CAP_MIN, Question, measure
from geo.coverage.siting import TIME_LIMIT_S, Plan, maximal_coverage, p_median, set_cover
from geo.coverage.tours import DAYS, Half, HalfDay, weekly_tour
from geo.crs import project
from geo.errors import ImpossibleQuestion
from geo.territory.model import Territory

CANDIDATES_MAX: Final = 1_000
TOUR_DRIVE_MIN: Final = 60
"""Longest drive of a bus from its base to a stop, minutes."""

Report = Callable[[float, str], None]
"""Callback for progress: share done, from 0 to 1, and the current step (French)."""


class Model(StrEnum):
    """The location model to optimise."""

    MAXIMAL_COVERAGE = "maximal_coverage"
    P_MEDIAN = "p_median"
    SET_COVER = "set_cover"
    TOUR = "tour"

    @property
    def label(self) -> str:
        """Return the French label shown to users."""
        return {
            Model.MAXIMAL_COVERAGE: "couvrir le plus de monde",
            Model.P_MEDIAN: "réduire le temps de trajet moyen",
            Model.SET_COVER: "le moins de lieux pour que tous soient couverts",
            Model.TOUR: "tournée d'un bus",
        }[self]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place where a site may open; WGS 84 degrees, and the INSEE code of its commune or ""."""

    name: str
    longitude: float
    latitude: float
    commune: str = ""


@dataclass(frozen=True)
class SitingQuestion:
    """Parameters of a siting query.

    Attributes
    ----------
    p
        Number of sites to open; ignored by set cover and by tours (one stop per half-day).
    within_min
        Travel time within which people are served, minutes.
    candidates
        Where a site may open; empty for every town hall of the territory.
    half_days
        When the bus is free ("lundi matin"); `base` is the INSEE code of the commune it leaves from.
    time_limit_s
        Time limit of the solver, seconds.
    """

    question: Question
    model: Model
    p: int = 3
    within_min: int = 20
    candidates: tuple[Candidate, ...] = ()
    half_days: tuple[str, ...] = ()
    base: str = ""
    time_limit_s: float = TIME_LIMIT_S


@dataclass(frozen=True, slots=True)
class Opened:
    """One site to open; `rank` 1 has the largest gain.

    `people_gained` counts the persons it newly brings within `within_min`, `people_cumulated` includes
    those of the sites before it. `minutes_saved` is the mean time the whole population saves with all
    sites up to this one.
    """

    rank: int
    candidate: Candidate
    people_gained: float
    people_cumulated: float
    minutes_saved: float


@dataclass(frozen=True, slots=True)
class BusStop:
    """One half-day of a tour; `driving_min` includes the way back to the base if it ends the day."""

    half_day: str
    candidate: Candidate
    people_gained: float
    driving_min: float


@dataclass(frozen=True)
class SitingPlan:
    """The sites to open, and how good the plan is known to be.

    `served_before` counts the persons within `within_min` of an existing site, `people` all persons,
    and `out_of_reach` those that no existing site or candidate serves.
    """

    asked: SitingQuestion
    plan: Plan
    opened: tuple[Opened, ...]
    tour: tuple[BusStop, ...]
    people: float
    served_before: float
    out_of_reach: float


def town_halls(territory: Territory) -> tuple[Candidate, ...]:
    """Return every town hall of the territory as a candidate."""
    return tuple(Candidate(c.name, c.town_hall.x, c.town_hall.y, c.code) for c in territory.communes)


def where_next(
    frame: AnalysisContext, asked: SitingQuestion, report: Report = lambda _share, _doing: None
) -> SitingPlan:
    """Solve a siting query.

    Raises
    ------
    ImpossibleQuestion
        If there are too many candidates, none, or fewer than sites to open; if the tour has no
        half-day, or its base is not a commune of the territory.
    """
    territory = frame.snapshot.territory
    candidates = asked.candidates or town_halls(territory)
    if len(candidates) > CANDIDATES_MAX:
        raise ImpossibleQuestion(
            f"{len(candidates)} emplacements possibles : c'est trop ({CANDIDATES_MAX} au plus).",
            "Gardez les plus plausibles.",
        )
    report(0.05, "Temps de trajet vers les lieux existants")
    coverage = measure(frame, asked.question)
    report(0.2, "Temps de trajet vers les emplacements possibles")
    xy = project([c.longitude for c in candidates], [c.latitude for c in candidates], territory.metric_crs)
    reach = frame.travel.to_sites(xy, asked.question.mode, store=not asked.candidates)
    times = reach.from_places(frame.people.xy)
    report(0.4, "Recherche de la meilleure combinaison")
    within_s = asked.within_min * 60.0
    stops: tuple[BusStop, ...] = ()
    limit = asked.time_limit_s
    if asked.model is Model.MAXIMAL_COVERAGE:
        plan = maximal_coverage(
            times, coverage.seconds, coverage.need, within_s=within_s, p=asked.p, time_limit_s=limit
        )
    elif asked.model is Model.P_MEDIAN:
        plan = p_median(
            times, coverage.seconds, coverage.need, p=asked.p, beyond_s=CAP_MIN * 60.0, time_limit_s=limit
        )
    elif asked.model is Model.SET_COVER:
        plan = set_cover(times, coverage.seconds, within_s=within_s, people=coverage.need, time_limit_s=limit)
    else:
        base = _base(frame, asked)
        tour = weekly_tour(
            times,
            coverage.seconds,
            coverage.need,
            within_s=within_s,
            half_days=tuple(_half_day(text) for text in asked.half_days),
            between=reach.from_places(xy).T,
            from_base=reach.from_places(base)[:, 0],
            to_base=frame.travel.to_sites(base, asked.question.mode).from_places(xy)[0],
            drive_limit_s=TOUR_DRIVE_MIN * 60.0,
            time_limit_s=limit,
        )
        plan = tour.plan
        gained = {
            o.candidate: g
            for o, g in zip(
                plan.chosen, _gains(times, coverage.seconds, coverage.people, plan, within_s), strict=True
            )
        }
        stops = tuple(
            BusStop(
                half_day=f"{DAYS[stop.half_day.day]} {stop.half_day.half.value}",
                candidate=candidates[stop.candidate],
                people_gained=gained[stop.candidate],
                driving_min=stop.driving_s / 60,
            )
            for stop in tour.stops
        )
    report(0.95, "Mise en forme")
    people = coverage.people
    return SitingPlan(
        asked=asked,
        plan=plan,
        opened=_opened(times, coverage.seconds, people, plan, within_s, candidates),
        tour=stops,
        people=float(people.sum()),
        served_before=float(people[coverage.seconds <= within_s].sum()),
        out_of_reach=float(people[list(plan.out_of_reach)].sum()),
    )


def _opened(
    times: NDArray[np.float32],
    existing: NDArray[np.float32],
    people: NDArray[np.float64],
    plan: Plan,
    within_s: float,
    candidates: tuple[Candidate, ...],
) -> tuple[Opened, ...]:
    gains = _gains(times, existing, people, plan, within_s)
    cap, whole = CAP_MIN * 60.0, people.sum()
    before = float((people * np.minimum(existing, cap)).sum())
    best, opened, cumulated = existing, [], 0.0
    for rank, (each, gained) in enumerate(zip(plan.chosen, gains, strict=True), start=1):
        best = np.minimum(best, times[each.candidate])
        cumulated += gained
        saved = before - float((people * np.minimum(best, cap)).sum())
        opened.append(
            Opened(rank, candidates[each.candidate], gained, cumulated, saved / whole / 60 if whole else 0.0)
        )
    return tuple(opened)


def _gains(
    times: NDArray[np.float32],
    existing: NDArray[np.float32],
    people: NDArray[np.float64],
    plan: Plan,
    within_s: float,
) -> list[float]:
    """Return the persons newly within the threshold with each site of a plan, in its order."""
    served, gains = existing <= within_s, []
    for each in plan.chosen:
        newly = (times[each.candidate] <= within_s) & ~served
        gains.append(float(people[newly].sum()))
        served = served | newly
    return gains


def _base(frame: AnalysisContext, asked: SitingQuestion) -> NDArray[np.float64]:
    territory = frame.snapshot.territory
    if asked.base not in territory.own_codes:
        raise ImpossibleQuestion(
            f"Le bus ne peut partir de « {asked.base} » : ce n'est pas une commune du territoire.",
            "Donnez le code INSEE de la commune où il est garé.",
        )
    hall = territory.commune_by_code[asked.base].town_hall
    return project([hall.x], [hall.y], territory.metric_crs)


def _half_day(text: str) -> HalfDay:
    day, _, half = text.strip().lower().partition(" ")
    if day not in DAYS or half not in tuple(Half):
        raise ImpossibleQuestion(
            f"« {text[:40]} » n'est pas une demi-journée.",
            "Écrivez par exemple « lundi matin » ou « samedi après-midi ».",
        )
    return HalfDay(DAYS.index(day), Half(half))
