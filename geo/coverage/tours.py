"""Weekly tours of a bus: the stops that reach most people, and which two to combine in a day.

1. Stops: `siting.maximal_coverage` among the candidates close enough to the base.
2. Days: of all ways to distribute these stops over the free half-days, one with the least driving,
   found exactly by dynamic programming over sets of stops (at most 12, hence 2¹² sets).

Driving is never traded against people. Among sets of stops that reach equally many people, the one
that is shortest to drive is not searched for.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import pairwise
from math import inf
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.coverage.siting import TIME_LIMIT_S, Plan, maximal_coverage
from geo.errors import ImpossibleQuestion
from geo.wording import figures

DAYS: Final = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi")
"""Days of a tour, in the order of `HalfDay.day`."""


class Half(StrEnum):
    """Half of a working day."""

    MORNING = "matin"
    AFTERNOON = "après-midi"


@dataclass(frozen=True, slots=True)
class HalfDay:
    """A half-day on which the bus is free; `day` counts from 0, Monday, to 5, Saturday."""

    day: int
    half: Half


@dataclass(frozen=True, slots=True)
class TourStop:
    """One stop of the week.

    Attributes
    ----------
    candidate
        Row of `times`.
    gained
        People newly reached, stops being taken by decreasing gain; 0 for a repeated visit.
    driving_s
        Seconds driven to it from the base or from the morning's stop, and back to the base if it is
        the last of its day.
    """

    half_day: HalfDay
    candidate: int
    gained: float
    driving_s: float


@dataclass(frozen=True, slots=True)
class Tour:
    """A week of stops, in chronological order.

    Attributes
    ----------
    driving_s
        Seconds driven in the week.
    free
        Half-days without a stop, because another one would reach nobody.
    plan
        Choice of the stops, with people gained, bound and status.
    """

    stops: tuple[TourStop, ...]
    driving_s: float
    free: tuple[HalfDay, ...]
    plan: Plan


def weekly_tour(
    times: NDArray[np.float32],
    existing: NDArray[np.float32],
    people: NDArray[np.float64],
    *,
    within_s: float,
    half_days: tuple[HalfDay, ...],
    between: NDArray[np.float32],
    from_base: NDArray[np.float32],
    to_base: NDArray[np.float32],
    drive_limit_s: float,
    visits: int = 1,
    time_limit_s: float = TIME_LIMIT_S,
) -> Tour:
    """Choose at most one stop for each half-day: most people newly reached, then least driving.

    Parameters
    ----------
    times, existing, people, within_s, time_limit_s
        As in `maximal_coverage`: a stop serves the places within `within_s` of it.
    half_days
        Half-days when the bus is free, each at most once.
    between
        Seconds from candidate to candidate, shape (candidates, candidates).
    from_base, to_base
        Seconds from the base to each candidate and back, shape (candidates,).
    drive_limit_s
        Candidates farther than this from the base, there or back, are left out; seconds, inclusive.
    visits
        How often a stop may be visited in a week, at least 1: half-days for which no further stop
        reaches anybody go to the stops that reach most people.

    Raises
    ------
    ImpossibleQuestion
        As in `maximal_coverage`; also if there is no half-day, one is repeated or not on a working
        day, `visits` is less than 1, or all candidates are beyond the limit.
    ValueError
        As in `maximal_coverage`; also if a driving table has another size, NaN or negative times.
    """
    _check_week(half_days, visits)
    count = len(times)
    if between.shape != (count, count) or from_base.shape != (count,) or to_base.shape != (count,):
        raise ValueError(f"times of {between.shape}, {from_base.shape}, {to_base.shape}: not of {count}")
    if not ((between >= 0).all() and (from_base >= 0).all() and (to_base >= 0).all()):
        raise ValueError("driving times must be at least 0, and not NaN")
    there_and_back = np.maximum(from_base, to_base)
    near = (there_and_back <= drive_limit_s) & np.isfinite(there_and_back)
    if count and not near.any():
        raise ImpossibleQuestion(
            f"Aucun des {count} lieux candidats n'est à moins de {figures.minutes(drive_limit_s / 60)} de la "
            "base, aller comme retour.",
            "Augmentez le temps de conduite accepté, ou choisissez une autre base.",
        )
    plan = maximal_coverage(
        np.where(near[:, None], times, np.float32(inf)),
        existing,
        people,
        within_s=within_s,
        p=min(len(half_days), count),
        time_limit_s=time_limit_s,
    )
    # All stops once, then all again, as often as visits allow: only first visits gain people.
    visited = (plan.chosen * visits)[: len(half_days)]
    rows = np.array([each.candidate for each in visited], dtype=np.intp)
    gains = [each.gained for each in plan.chosen] + [0.0] * (len(visited) - len(plan.chosen))

    # From here on stops are numbered by their place in `visited`. From one to the next the bus may
    # also drive through its base, if that is shorter.
    there, back = (a[rows].astype(np.float64) for a in (from_base, to_base))
    onward = np.minimum(between[np.ix_(rows, rows)], back[:, None] + there)
    days = [[h for h in _in_week_order(half_days) if h.day == day] for day in range(len(DAYS))]
    whole, half = ([d for d in days if len(d) == size] for size in (2, 1))
    stops = []
    for trip in _least_driving(there, back, onward, whole=len(whole), half=len(half)):
        day = (half if len(trip) == 1 and half else whole).pop(0)
        driving = [there[trip[0]], *(onward[a, b] for a, b in pairwise(trip))]
        driving[-1] += back[trip[-1]]
        stops += [
            TourStop(half_day, int(rows[i]), gains[i], float(seconds))
            for half_day, i, seconds in zip(day, trip, driving, strict=False)
        ]
    stops.sort(key=lambda stop: _order(stop.half_day))
    taken = {stop.half_day for stop in stops}
    return Tour(
        stops=tuple(stops),
        driving_s=sum(stop.driving_s for stop in stops),
        free=tuple(h for h in _in_week_order(half_days) if h not in taken),
        plan=plan,
    )


_Trip = tuple[int, ...]


def _least_driving(
    there: NDArray[np.float64],
    back: NDArray[np.float64],
    onward: NDArray[np.float64],
    *,
    whole: int,
    half: int,
) -> tuple[_Trip, ...]:
    """Distribute stops over days with the least driving.

    Dynamic programming over the set of stops left and the days left. INVARIANT: the first stop left is
    always placed next, alone or with one of the others; days of a kind being interchangeable, this
    covers every distribution once. A stop alone takes a half day if one is left, which is never
    worse, as a whole day could also take a pair.

    Parameters
    ----------
    there, back
        Seconds from the base to each stop and back, shape (stops,).
    onward
        Seconds from stop to stop, shape (stops, stops).
    whole, half
        Number of days with two free half-days, and with one.

    Returns
    -------
    One trip a day, of one stop, or two in driving order; sorted by first stop.
    """
    pair = there[:, None] + onward + back

    @cache
    def best(left: tuple[int, ...], whole: int, half: int) -> tuple[float, tuple[_Trip, ...]]:
        if not left:
            return 0.0, ()
        first, others = left[0], left[1:]
        best_plan: tuple[float, tuple[_Trip, ...]] = (inf, ())
        if whole + half:
            rest = best(others, whole - (not half), half - bool(half))
            best_plan = (float(there[first] + back[first]) + rest[0], ((first,), *rest[1]))
        if whole:
            for other in others:
                trip = min((first, other), (other, first), key=lambda each: float(pair[each]))
                rest = best(tuple(i for i in others if i != other), whole - 1, half)
                plan = (float(pair[trip]) + rest[0], (trip, *rest[1]))
                best_plan = min(best_plan, plan, key=lambda each: each[0])
        return best_plan

    return best(tuple(range(len(there))), whole, half)[1]


def _order(half_day: HalfDay) -> tuple[int, bool]:
    return half_day.day, half_day.half is Half.AFTERNOON


def _in_week_order(half_days: tuple[HalfDay, ...]) -> list[HalfDay]:
    return sorted(half_days, key=_order)


def _check_week(half_days: tuple[HalfDay, ...], visits: int) -> None:
    if not half_days:
        raise ImpossibleQuestion(
            "Le bus n'a aucune demi-journée.", "Donnez au moins une demi-journée, du lundi au samedi."
        )
    for half_day in half_days:
        if not 0 <= half_day.day < len(DAYS):
            raise ImpossibleQuestion(
                f"Le jour n° {half_day.day} n'est pas un jour de tournée.",
                f"Donnez un jour de 0 ({DAYS[0]}) à {len(DAYS) - 1} ({DAYS[-1]}).",
            )
        if half_days.count(half_day) > 1:
            raise ImpossibleQuestion(
                f"La demi-journée « {DAYS[half_day.day]} {half_day.half} » est donnée deux fois.",
                "Donnez chaque demi-journée une seule fois.",
            )
    if visits < 1:
        raise ImpossibleQuestion(
            f"Un arrêt ne peut pas être desservi {visits} fois par semaine.",
            "Donnez un nombre de passages d'au moins 1.",
        )
