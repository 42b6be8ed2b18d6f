"""Weeks of a bus: against every choice of stops and every way to share them between half-days."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geo.coverage.tours import DAYS, Half, HalfDay, weekly_tour
from geo.errors import ImpossibleQuestion

WITHIN = 600.0
LIMIT = 3_000.0
WEEK = tuple(HalfDay(day, half) for day in range(len(DAYS)) for half in Half)

seconds = st.one_of(st.just(math.inf), st.integers(0, 4_000).map(float))


@st.composite
def questions(draw):
    """Up to 6 candidates and 8 places, a base, and up to 4 half-days."""
    count, places = draw(st.integers(1, 6)), draw(st.integers(1, 8))
    return {
        "times": draw(arrays(np.float32, (count, places), elements=seconds)),
        "existing": draw(arrays(np.float32, places, elements=seconds)),
        "people": draw(arrays(np.float64, places, elements=st.integers(0, 500).map(float))),
        "half_days": tuple(draw(st.lists(st.sampled_from(WEEK), min_size=1, max_size=4, unique=True))),
        "between": draw(arrays(np.float32, (count, count), elements=seconds)),
        "from_base": draw(arrays(np.float32, count, elements=seconds)),
        "to_base": draw(arrays(np.float32, count, elements=seconds)),
    }


def eligible(asked):
    there, back = asked["from_base"], asked["to_base"]
    return [j for j in range(len(there)) if there[j] <= LIMIT and back[j] <= LIMIT]


def reached(asked, stops):
    return sum(
        people
        for i, people in enumerate(asked["people"])
        if asked["existing"][i] > WITHIN and any(asked["times"][j, i] <= WITHIN for j in stops)
    )


def driven(asked, week):
    """Seconds to drive a week given as half-day → stop: each day from the base and back to it."""
    total = 0.0
    for day in range(len(DAYS)):
        stops = [week[half_day] for half_day in WEEK if half_day.day == day and half_day in week]
        if not stops:
            continue
        total += float(asked["from_base"][stops[0]] + asked["to_base"][stops[-1]])
        for a, b in itertools.pairwise(stops):
            total += min(float(asked["between"][a, b]), float(asked["to_base"][a] + asked["from_base"][b]))
    return total


@settings(max_examples=100, deadline=None)
@given(asked=questions())
def test_no_week_reaches_more_people_and_none_of_its_stops_drives_less(asked):
    near = eligible(asked)
    if not near:
        with pytest.raises(ImpossibleQuestion, match="de la base"):
            weekly_tour(**asked, within_s=WITHIN, drive_limit_s=LIMIT)
        return
    tour = weekly_tour(**asked, within_s=WITHIN, drive_limit_s=LIMIT)
    week = {stop.half_day: stop.candidate for stop in tour.stops}
    stops = list(week.values())
    assert set(stops) <= set(near)
    assert len(set(stops)) == len(stops)
    assert set(week) | set(tour.free) == set(asked["half_days"])
    assert not set(week) & set(tour.free)

    count = min(len(asked["half_days"]), len(near))
    most = max(reached(asked, chosen) for chosen in itertools.combinations(near, count))
    assert reached(asked, stops) == most == sum(stop.gained for stop in tour.stops) == tour.plan.objective

    assert tour.driving_s == pytest.approx(driven(asked, week))
    assert tour.driving_s == pytest.approx(sum(stop.driving_s for stop in tour.stops))
    least = min(
        driven(asked, dict(zip(order, stops, strict=True)))
        for order in itertools.permutations(asked["half_days"], len(stops))
    )
    assert tour.driving_s == pytest.approx(least)


@settings(max_examples=60, deadline=None)
@given(asked=questions(), visits=st.integers(1, 3))
def test_spare_half_days_go_back_to_the_stops_that_reach_most(asked, visits):
    asked["from_base"] = asked["to_base"] = np.full(len(asked["times"]), 60, dtype=np.float32)
    tour = weekly_tour(**asked, within_s=WITHIN, drive_limit_s=LIMIT, visits=visits)
    chosen = [each.candidate for each in tour.plan.chosen]
    made = [sum(stop.candidate == j for stop in tour.stops) for j in chosen]
    assert sum(made) == min(len(asked["half_days"]), visits * len(chosen)) == len(tour.stops)
    assert made == sorted(made, reverse=True)
    assert not made or max(made) <= visits
    assert sum(stop.gained for stop in tour.stops) == tour.plan.objective


def test_a_full_week_pairs_neighbours():
    """Twelve villages in six pairs, each pair far from the others: the pairs share their days."""
    xy = np.array([(10 * i, y) for i in range(6) for y in (100.0, 101.0)]) * 10
    order = np.random.default_rng(47).permutation(12)
    xy = xy[order]
    between = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)).astype(np.float32)
    base = np.hypot(*(xy - (250, 0)).T).astype(np.float32)
    people = np.arange(1.0, 13.0)
    tour = weekly_tour(
        np.where(np.eye(12, dtype=bool), 0, np.inf).astype(np.float32),
        np.full(12, np.inf, dtype=np.float32),
        people,
        within_s=WITHIN,
        half_days=WEEK,
        between=between,
        from_base=base,
        to_base=base,
        drive_limit_s=LIMIT,
    )
    assert [stop.half_day for stop in tour.stops] == list(WEEK)
    assert sum(stop.gained for stop in tour.stops) == people.sum()
    pairs = {
        frozenset(order[[a.candidate, b.candidate]] // 2)
        for a, b in zip(*[iter(tour.stops)] * 2, strict=True)
    }
    assert pairs == {frozenset([i]) for i in range(6)}


def small(**change):
    return {
        "times": np.zeros((2, 1), dtype=np.float32),
        "existing": np.full(1, np.inf, dtype=np.float32),
        "people": np.ones(1),
        "within_s": WITHIN,
        "half_days": WEEK[:2],
        "between": np.zeros((2, 2), dtype=np.float32),
        "from_base": np.full(2, 1_200, dtype=np.float32),
        "to_base": np.full(2, 1_200, dtype=np.float32),
        "drive_limit_s": LIMIT,
    } | change


def test_where_nobody_is_left_to_reach_the_bus_stays_free():
    tour = weekly_tour(**small(existing=np.zeros(1, dtype=np.float32)))
    assert (tour.stops, tour.driving_s, tour.free) == ((), 0, WEEK[:2])
    assert "personne à gagner" in tour.plan.note


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"half_days": ()}, "aucune demi-journée"),
        ({"half_days": (WEEK[0], WEEK[0])}, "« lundi matin » est donnée deux fois"),
        ({"half_days": (HalfDay(6, Half.MORNING),)}, "jour n° 6"),
        ({"visits": 0}, "0 fois par semaine"),
        ({"drive_limit_s": 600.0}, "Aucun des 2 lieux candidats .* 10\u00a0min"),
        ({"from_base": np.full(2, np.inf, dtype=np.float32), "drive_limit_s": math.inf}, "Aucun des 2"),
        ({"people": -np.ones(1)}, "lieu n° 1"),
    ],
)
def test_impossible_weeks_are_refused_with_their_reason(change, reason):
    with pytest.raises(ImpossibleQuestion, match=reason):
        weekly_tour(**small(**change))


def test_missing_candidates_are_reported_before_the_roads():
    nothing = np.empty(0, dtype=np.float32)
    with pytest.raises(ImpossibleQuestion, match="Aucun lieu candidat"):
        weekly_tour(
            **small(
                times=np.empty((0, 1), dtype=np.float32),
                between=np.empty((0, 0), dtype=np.float32),
                from_base=nothing,
                to_base=nothing,
            )
        )


@pytest.mark.parametrize(
    "change",
    [{"between": np.zeros((3, 3), dtype=np.float32)}, {"from_base": np.full(2, np.nan, dtype=np.float32)}],
)
def test_tables_of_another_size_raise_value_error(change):
    with pytest.raises(ValueError, match=r"not of 2|not NaN"):
        weekly_tour(**small(**change))


@pytest.mark.parametrize(("extra", "stops"), [(0, 1), (1, 0)])
@pytest.mark.parametrize("leg", ["from_base", "to_base"])
def test_a_candidate_exactly_at_the_drive_limit_is_a_stop(leg, extra, stops):
    """One way at the limit, the other short; a nearer candidate reaches nobody."""
    drives = dict.fromkeys(("from_base", "to_base"), np.array([100, 100], np.float32))
    drives[leg] = np.array([LIMIT + extra, 100], np.float32)
    tour = weekly_tour(
        np.array([[60.0], [9_000.0]], np.float32),
        np.array([math.inf], np.float32),
        np.array([10.0]),
        within_s=WITHIN,
        half_days=WEEK[:1],
        between=np.zeros((2, 2), np.float32),
        from_base=drives["from_base"],
        to_base=drives["to_base"],
        drive_limit_s=LIMIT,
    )
    assert len(tour.stops) == stops


def test_one_way_roads_decide_which_stop_comes_first():
    """From the second stop to the first there is no way, and returning from the first takes long."""
    tour = weekly_tour(
        np.array([[60, 9_000], [9_000, 60]], np.float32),
        np.array([math.inf, math.inf], np.float32),
        np.array([10.0, 20.0]),
        within_s=WITHIN,
        half_days=WEEK[:2],
        between=np.array([[0, 50], [5_000, 0]], np.float32),
        from_base=np.array([100, 300], np.float32),
        to_base=np.array([900, 200], np.float32),
        drive_limit_s=LIMIT,
    )
    assert [stop.candidate for stop in tour.stops] == [0, 1]
    assert [stop.driving_s for stop in tour.stops] == [100, 250]
