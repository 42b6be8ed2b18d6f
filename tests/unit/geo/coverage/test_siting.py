"""Where to open: against every choice tried in small worlds, and spopt at larger ones."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pulp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import milp
from spopt.locate import LSCP, MCLP, PMedian

from geo.coverage.siting import greedy_coverage, maximal_coverage, p_median, set_cover
from geo.errors import ImpossibleQuestion

WITHIN = 600.0
CAP = 1_800.0

seconds = st.one_of(st.sampled_from([0.0, 300.0, 600.0, 900.0, math.inf]), st.integers(0, 3_000).map(float))


@st.composite
def worlds(draw):
    """Up to 8 candidates and 10 places, people at some of them, with or without existing sites."""
    candidates, places = draw(st.integers(1, 8)), draw(st.integers(0, 10))
    times = draw(arrays(np.float32, (candidates, places), elements=seconds))
    existing = draw(arrays(np.float32, places, elements=seconds)) if draw(st.booleans()) else nobody(places)
    people = draw(arrays(np.float64, places, elements=st.integers(0, 500).map(float)))
    return times, existing, people


def nobody(places):
    return np.full(places, np.inf, dtype=np.float32)


def covered(world, chosen):
    """People newly within, counted place by place."""
    times, existing, people = world
    return sum(
        people[i]
        for i in range(len(people))
        if existing[i] > WITHIN and any(times[j, i] <= WITHIN for j in chosen)
    )


def weighted_time(world, chosen):
    times, existing, people = world
    return sum(
        people[i] * min([CAP, float(existing[i]), *(float(times[j, i]) for j in chosen)])
        for i in range(len(people))
    )


def choices(times, sizes):
    return itertools.chain.from_iterable(itertools.combinations(range(len(times)), n) for n in sizes)


def candidates(plan):
    return [each.candidate for each in plan.chosen]


def planar(count, seed, *, existing=0):
    """Communes of skewed populations on a plane, 14 m/s on roads 1.3 times as long as straight lines."""
    random = np.random.default_rng(seed)
    xy = random.uniform(0, 80_000, (count, 2))
    people = np.round(np.exp(random.normal(6.2, 1.1, count)))
    metres = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) * 1.3
    times = np.round(metres / 14).astype(np.float32)
    there = random.choice(count, existing, replace=False)
    return times, times[there].min(axis=0, initial=np.inf), people


@settings(max_examples=60, deadline=None)
@given(world=worlds(), p=st.integers(1, 4))
def test_no_choice_covers_more_people(world, p):
    p = min(p, len(world[0]))
    plan = maximal_coverage(*world, within_s=WITHIN, p=p)
    assert plan.objective == max(covered(world, chosen) for chosen in choices(world[0], [p]))
    assert plan.objective == covered(world, candidates(plan))
    assert (plan.status, plan.gap, plan.bound) == ("optimal", 0, plan.objective)
    assert plan.greedy_objective <= plan.objective
    assert plan.before == sum(world[2][world[1] <= WITHIN])


@settings(max_examples=60, deadline=None)
@given(world=worlds(), p=st.integers(1, 4))
def test_no_choice_brings_people_nearer(world, p):
    p = min(p, len(world[0]))
    plan = p_median(*world, p=p, beyond_s=CAP)
    assert plan.objective == min(weighted_time(world, chosen) for chosen in choices(world[0], [p]))
    assert plan.objective == weighted_time(world, candidates(plan))
    assert (plan.status, plan.gap, plan.bound) == ("optimal", 0, plan.objective)
    assert plan.greedy_objective >= plan.objective
    assert plan.before == weighted_time(world, [])


@settings(max_examples=60, deadline=None)
@given(world=worlds(), weighted=st.booleans())
def test_no_fewer_sites_cover_all_that_can_be(world, weighted):
    times, existing, people = world
    counted = people if weighted else np.ones_like(people)
    everyone = covered((times, existing, counted), range(len(times)))
    plan = set_cover(times, existing, within_s=WITHIN, people=people if weighted else None)
    assert plan.objective == min(
        len(chosen)
        for chosen in choices(times, range(len(times) + 1))
        if covered((times, existing, counted), chosen) == everyone
    )
    assert covered((times, existing, counted), candidates(plan)) == everyone
    assert (plan.status, plan.gap, plan.bound) == ("optimal", 0, len(plan.chosen))


@settings(max_examples=60, deadline=None)
@given(world=worlds(), p=st.integers(1, 8))
def test_sites_are_ranked_by_what_each_adds(world, p):
    p = min(p, len(world[0]))
    for plan, total in (
        (maximal_coverage(*world, within_s=WITHIN, p=p), covered(world, range(len(world[0])))),
        (p_median(*world, p=p, beyond_s=CAP), math.inf),
    ):
        gains = [each.gained for each in plan.chosen]
        assert gains == sorted(gains, reverse=True)
        assert all(gain > 0 for gain in gains)
        assert [each.cumulated for each in plan.chosen] == pytest.approx(np.cumsum(gains))
        assert sum(gains) <= total
        assert len(set(candidates(plan))) == len(plan.chosen) <= p
        assert bool(plan.note) == (len(plan.chosen) < p)
    for rank, each in enumerate(maximal_coverage(*world, within_s=WITHIN, p=p).chosen):
        firsts = candidates(maximal_coverage(*world, within_s=WITHIN, p=p))[: rank + 1]
        assert each.cumulated == covered(world, firsts)


@settings(max_examples=60, deadline=None)
@given(world=worlds(), p=st.integers(1, 4))
def test_the_answer_at_once_lies_below_its_bound(world, p):
    p = min(p, len(world[0]))
    best = maximal_coverage(*world, within_s=WITHIN, p=p)
    fast = greedy_coverage(*world, within_s=WITHIN, p=p)
    assert fast.objective == best.greedy_objective <= best.objective <= fast.bound
    assert fast.status == ("optimal" if fast.bound == fast.objective else "heuristic")


@settings(max_examples=60, deadline=None)
@given(world=worlds())
def test_places_that_nothing_serves_are_told(world):
    times, existing, people = world
    lost = [
        i for i in range(len(people)) if people[i] > 0 and existing[i] > WITHIN and all(times[:, i] > WITHIN)
    ]
    assert list(maximal_coverage(*world, within_s=WITHIN, p=1).out_of_reach) == lost
    assert list(set_cover(times, existing, within_s=WITHIN, people=people).out_of_reach) == lost
    assert list(p_median(*world, p=1, beyond_s=WITHIN + 0.5).out_of_reach) == lost


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), p=st.integers(2, 4), existing=st.integers(0, 3))
def test_what_the_solver_is_given_holds_the_best_choice(seed, p, existing):
    """Worlds on which the greedy choice and its bound seldom suffice."""
    times, near, people = planar(14, seed, existing=existing)
    world = times / 3, near, people
    plan = maximal_coverage(*world, within_s=WITHIN, p=p)
    assert plan.objective == max(covered(world, chosen) for chosen in choices(times, [p]))
    plan = p_median(*world, p=p, beyond_s=CAP)
    least = min(weighted_time(world, chosen) for chosen in choices(times, [p]))
    assert plan.objective == pytest.approx(least, rel=1e-9)


of_peers = pytest.mark.filterwarnings("ignore::DeprecationWarning")
"""spopt builds its models in a way that its modeller means to give up."""


def opened(model):
    return [j for j, variable in enumerate(model.fac_vars) if variable.value() > 0.5]


@of_peers
@pytest.mark.parametrize(("count", "p", "existing"), [(60, 4, 0), (60, 6, 5), (100, 8, 0), (100, 5, 10)])
def test_coverage_is_that_of_spopt(count, p, existing):
    times, near, people = planar(count, count + p, existing=existing)
    peer = MCLP.from_cost_matrix(
        times.T.astype(float), people, 900, p + existing, predefined_facilities_arr=fixed(count, near)
    ).solve(pulp.PULP_CBC_CMD(msg=False), results=False)
    plan = maximal_coverage(times, near, people, within_s=900, p=p)
    assert plan.objective + plan.before == sum(people[(times[opened(peer)] <= 900).any(axis=0)])
    assert plan.status == "optimal"


def fixed(count, near):
    """The existing sites as spopt wants them: 1 where a site must be open."""
    return (near == 0).astype(int) if np.isfinite(near).any() else None


@of_peers
@pytest.mark.parametrize(("count", "p", "existing"), [(60, 4, 0), (60, 6, 5), (100, 8, 0)])
def test_medians_are_those_of_spopt(count, p, existing):
    times, near, people = planar(count, count + p, existing=existing)
    peer = PMedian.from_cost_matrix(
        times.T.astype(float), people, p + existing, predefined_facilities_arr=fixed(count, near)
    ).solve(pulp.PULP_CBC_CMD(msg=False), results=False)
    plan = p_median(times, near, people, p=p, beyond_s=1e6)
    assert plan.objective == pytest.approx(people @ times[opened(peer)].min(axis=0), rel=1e-9)
    assert plan.status == "optimal"


@of_peers
@pytest.mark.parametrize(("count", "existing"), [(60, 0), (60, 5), (100, 0), (150, 10)])
def test_fewest_sites_are_as_many_as_those_of_spopt(count, existing):
    times, near, _ = planar(count, count, existing=existing)
    peer = LSCP.from_cost_matrix(
        times.T.astype(float), 900, predefined_facilities_arr=fixed(count, near)
    ).solve(pulp.PULP_CBC_CMD(msg=False), results=False)
    plan = set_cover(times, near, within_s=900)
    assert plan.objective == len(opened(peer)) - existing
    assert plan.status == "optimal"


def test_out_of_time_the_answer_comes_with_its_bound():
    world = planar(200, 1)
    for ask, best in (
        (lambda s: maximal_coverage(*world, within_s=900, p=10, time_limit_s=s), 1),
        (lambda s: p_median(*world, p=40, beyond_s=7_200, time_limit_s=s), -1),
        (lambda s: set_cover(*world[:2], within_s=600, time_limit_s=s), -1),
    ):
        stopped, proven = ask(1e-9), ask(30.0)
        assert (stopped.status, proven.status) == ("time_limit", "optimal")
        assert stopped.objective == pytest.approx(stopped.greedy_objective)
        assert stopped.objective * best <= proven.objective * best <= stopped.bound * best
        assert stopped.gap == pytest.approx(abs(stopped.bound - stopped.objective) / stopped.objective)
        assert stopped.gap > 0 == proven.gap


@pytest.mark.parametrize("existing", [0, 3])
def test_the_solver_alone_proves_the_same_plan(monkeypatch, existing):
    times, near, people = planar(40, 8, existing=existing)
    world = times + 60, near, people
    quick = [maximal_coverage(*world, within_s=900, p=4), p_median(*world, p=4, beyond_s=CAP)]
    monkeypatch.setattr("geo.coverage.siting.lagrangian.STEPS_MAX", 0)
    slow = [maximal_coverage(*world, within_s=900, p=4), p_median(*world, p=4, beyond_s=CAP)]
    assert [plan.method for plan in slow] == ["highs", "highs"]
    assert [plan.status for plan in slow] == ["optimal", "optimal"]
    assert [plan.objective for plan in slow] == pytest.approx([plan.objective for plan in quick], rel=1e-9)


def test_a_stop_of_the_solver_keeps_what_it_found(monkeypatch):
    """HiGHS stopped half-way: its bound counts, and its answer if it is better."""
    world = planar(60, 3)
    best = maximal_coverage(*world, within_s=900, p=5)

    def stopped(*asked, **options):
        result = milp(*asked, **options)
        result.status, result.mip_dual_bound = 1, result.fun * 0.9
        return result

    monkeypatch.setattr("geo.coverage.siting.milp.milp", stopped)
    monkeypatch.setattr("geo.coverage.siting.lagrangian.STEPS_MAX", 1)
    plan = maximal_coverage(*world, within_s=900, p=5)
    assert plan.objective == best.objective < plan.bound
    assert plan.status == "time_limit"


def test_where_nobody_is_left_to_gain_the_plan_is_empty_and_says_so():
    times = np.array([[0.0, 300.0], [300.0, 0.0]], dtype=np.float32)
    served, people = np.zeros(2, dtype=np.float32), np.array([10.0, 20.0])
    for existing, weight in ((served, people), (nobody(2), np.zeros(2))):
        for plan in (
            maximal_coverage(times, existing, weight, within_s=WITHIN, p=2),
            greedy_coverage(times, existing, weight, within_s=WITHIN, p=2),
            p_median(times, existing, weight, p=2, beyond_s=CAP),
            set_cover(times, existing, within_s=WITHIN, people=weight),
        ):
            assert plan.chosen == ()
            assert plan.status == "optimal"
            assert plan.gap == 0
            assert "personne à gagner" in plan.note


def test_one_site_that_serves_all_is_enough():
    times = np.zeros((3, 4), dtype=np.float32)
    plan = maximal_coverage(times, nobody(4), np.ones(4), within_s=WITHIN, p=3)
    assert candidates(plan) == [0]
    assert plan.note == "1 ouverture suffit : une de plus n'apporterait rien."


def test_the_same_question_is_answered_the_same():
    world = planar(120, 5)
    first, second = (maximal_coverage(*world, within_s=900, p=6) for _ in range(2))
    assert replace(first, seconds=0) == replace(second, seconds=0)


TIMES = np.array([[0.0, 300.0], [300.0, 0.0]], dtype=np.float32)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"p": 3}, "3 sites parmi 2 candidats"),
        ({"p": 0}, "0 sites parmi 2 candidats"),
        ({"p": -1}, "-1 sites"),
        ({"times": np.empty((0, 2), dtype=np.float32)}, "Aucun lieu candidat"),
        ({"people": np.array([1.0, -2.0])}, r"lieu n° 2 .* : -2\.0 \(1 lieu sur 2\)"),
        ({"people": np.array([math.nan, math.nan])}, r"lieu n° 1 .* : nan \(2 lieux sur 2\)"),
        ({"people": np.array([math.inf, 1.0])}, "lieu n° 1"),
        ({"seconds": 0.0}, "seuil de temps|temps maximal"),
        ({"seconds": math.nan}, "seuil de temps|temps maximal"),
        ({"time_limit_s": 0.0}, "temps de calcul"),
        ({"time_limit_s": math.inf}, "temps de calcul"),
    ],
)
def test_impossible_questions_are_refused_with_their_reason(change, reason):
    asked = {
        "times": TIMES,
        "existing": nobody(2),
        "people": np.ones(2),
        "seconds": 600.0,
        "p": 1,
        "time_limit_s": 5.0,
    } | change
    limit, count = asked.pop("seconds"), asked.pop("p")
    with pytest.raises(ImpossibleQuestion, match=reason):
        maximal_coverage(**asked, within_s=limit, p=count)
    with pytest.raises(ImpossibleQuestion, match=reason):
        p_median(**asked, beyond_s=limit, p=count)
    if "p" not in change:
        with pytest.raises(ImpossibleQuestion, match=reason):
            set_cover(**asked, within_s=limit)
    if "time_limit_s" not in change:
        asked.pop("time_limit_s")
        with pytest.raises(ImpossibleQuestion, match=reason):
            greedy_coverage(**asked, within_s=limit, p=count)


@pytest.mark.parametrize(
    ("times", "existing"),
    [
        (np.full((2, 2), np.nan, dtype=np.float32), nobody(2)),
        (TIMES, np.full(2, np.nan, dtype=np.float32)),
        (-TIMES, nobody(2)),
        (TIMES, nobody(3)),
        (TIMES[0], nobody(2)),
    ],
)
def test_arrays_that_no_router_makes_are_a_fault_of_the_program(times, existing):
    with pytest.raises(ValueError, match=r"times must be|do not fit"):
        maximal_coverage(times, existing, np.ones(2), within_s=600, p=1)


def test_a_place_exactly_at_the_threshold_is_within():
    times = np.array([[600.0, 600.0001]], dtype=np.float32)
    assert maximal_coverage(times, nobody(2), np.ones(2), within_s=600, p=1).objective == 1
