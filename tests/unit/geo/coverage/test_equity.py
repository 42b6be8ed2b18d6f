"""Spread of access over people, against people counted one by one, and by its properties."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from geo.coverage.equity import by_time, gini, lorenz, quantile, worst_served
from geo.errors import PorteeError

places = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12)), min_size=1, max_size=12)


def arrays(where):
    return np.array([float(v) for v, _ in where]), np.array([float(p) for _, p in where])


def one_by_one(where):
    """The value of each person, lowest first."""
    return sorted(v for v, p in where for _ in range(p))


def gini_of_pairs(where):
    """Mean difference between two people drawn at random, over twice the mean."""
    values = one_by_one(where)
    differences = sum(abs(a - b) for a in values for b in values)
    return Fraction(differences, 2 * len(values) * sum(values))


@given(where=places)
def test_the_gini_is_the_mean_difference_of_all_pairs_of_people(where):
    assume(sum(one_by_one(where)))
    assert gini(*arrays(where)) == pytest.approx(float(gini_of_pairs(where)), abs=1e-12)


@given(where=places)
def test_the_lorenz_curve_passes_through_every_person(where):
    values = one_by_one(where)
    assume(sum(values))
    curve = lorenz(*arrays(where))
    assert curve is not None
    for rank in range(len(values) + 1):
        theirs = float(np.interp(rank / len(values), curve.people, curve.access))
        assert theirs == pytest.approx(sum(values[:rank]) / sum(values), abs=1e-12)


@given(where=st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), min_size=1, max_size=30))
def test_shares_stay_between_none_and_all_and_rise_below_the_diagonal(where):
    curve = lorenz(*arrays(where))
    assume(curve is not None)
    assert curve is not None
    for shares in (curve.people, curve.access):
        assert shares[0] == 0
        assert shares[-1] == 1
        assert (np.diff(shares) >= 0).all()
    assert (curve.access <= curve.people).all()
    coefficient = gini(*arrays(where))
    assert coefficient is not None
    assert 0 <= coefficient <= 1


@given(where=places, value=st.integers(1, 1_000))
def test_where_all_are_served_alike_the_gini_is_nothing(where, value):
    assume(any(p for _, p in where))
    assert gini(*arrays([(value, p) for _, p in where])) == pytest.approx(0, abs=1e-12)


def test_where_one_of_a_hundred_has_all_the_gini_is_almost_one():
    assert gini(np.array([0.0, 8.0]), np.array([99.0, 1.0])) == pytest.approx(0.99)


@given(where=places, factor=st.integers(1, 50))
def test_neither_the_unit_nor_the_number_of_people_changes_the_gini(where, factor):
    assume(sum(one_by_one(where)))
    values, people = arrays(where)
    assert gini(values * factor, people) == pytest.approx(gini(values, people), abs=1e-12)
    assert gini(values, people * factor) == pytest.approx(gini(values, people), abs=1e-12)


@pytest.mark.parametrize(("values", "people"), [([0, 0], [3, 4]), ([5, 6], [0, 0]), ([], [])])
def test_with_nothing_to_share_there_is_no_spread(values, people):
    where = np.array(values, dtype=np.float64), np.array(people, dtype=np.float64)
    assert lorenz(*where) is None
    assert gini(*where) is None


@given(where=places, tenths=st.integers(1, 10), highest=st.booleans())
def test_the_worst_served_are_the_first_people_of_the_queue(where, tenths, highest):
    """Each person is ten tenths of a person, so that any share is a whole number of them."""
    queue = sorted((v for v, p in where for _ in range(10 * p)), reverse=highest)
    values, people = arrays(where)
    found = worst_served(values, people, tenths / 10, worst_is_highest=highest)
    if not queue:
        assert found is None
    else:
        chosen = queue[: len(queue) * tenths // 10]
        assert found == pytest.approx(sum(chosen) / len(chosen), abs=1e-9)


@given(where=places)
def test_the_worst_served_of_all_are_all(where):
    assume(any(p for _, p in where))
    values, people = arrays(where)
    assert worst_served(values, people, 1) == pytest.approx(np.average(values, weights=people))


def test_the_worst_served_tenth_takes_a_part_of_the_last_place():
    """Of 100 people, 10: six who have 1, and four of the thirty who have 2."""
    assert worst_served(np.array([9.0, 2.0, 1.0]), np.array([64.0, 30.0, 6.0])) == pytest.approx(1.4)


def test_a_tenth_that_is_partly_out_of_reach_has_no_end():
    times, people = np.array([600.0, np.inf]), np.array([95.0, 5.0])
    assert worst_served(times, people, worst_is_highest=True) == math.inf
    assert worst_served(times, people) == 600


def test_an_uninhabited_place_out_of_reach_changes_nothing():
    times, people = np.array([600.0, np.inf]), np.array([95.0, 0.0])
    assert worst_served(times, people, worst_is_highest=True) == 600
    assert quantile(times, people, 1) == 600


@given(where=places, tenths=st.integers(0, 10))
def test_a_quantile_is_the_value_of_a_person(where, tenths):
    queue = one_by_one(where)
    values, people = arrays(where)
    found = quantile(values, people, tenths / 10)
    if not queue:
        assert found is None
    else:
        assert found == queue[max(0, math.ceil(Fraction(tenths * len(queue), 10)) - 1)]


def test_the_rounding_of_a_share_skips_nobody():
    assert quantile(np.array([60.0, 120.0]), np.array([55.0, 45.0]), 0.55) == 60


def test_the_median_time_is_endless_where_most_are_out_of_reach():
    assert quantile(np.array([60.0, np.inf]), np.array([4.0, 6.0]), 0.5) == math.inf
    assert quantile(np.array([60.0, np.inf]), np.array([6.0, 4.0]), 0.5) == 60


minutes = st.one_of(st.integers(0, 90), st.just(math.inf))


@given(
    where=st.lists(st.tuples(minutes, st.integers(0, 9)), max_size=20),
    edges=st.lists(st.integers(1, 60), min_size=1, max_size=6, unique=True).map(sorted),
)
def test_classes_of_time_hold_everyone_once(where, edges):
    values, people = arrays(where)
    classes = by_time((values * 60).astype(np.float32), people, edges)
    assert sum(c.people for c in classes) == people.sum()
    *finite, out = classes
    for c in finite:
        here = [p for m, p in where if m < math.inf and (c.above_min < m or m == c.above_min == 0)]
        there = [p for m, p in where if m < math.inf and m > c.up_to_min]
        assert c.people == sum(here) - sum(there)
    assert out.people == sum(p for m, p in where if m == math.inf)


def test_classes_of_time_are_named_for_readers():
    times = np.array([0.0, 300.0, 301.0, 2_700.0, 2_701.0, np.inf], dtype=np.float32)
    classes = by_time(times, np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0]), (5, 10, 45))
    assert [(c.label, c.people) for c in classes] == [
        ("5\u00a0min au plus", 3),
        ("5 à 10\u00a0min", 4),
        ("10 à 45\u00a0min", 8),
        ("au-delà de 45\u00a0min", 16),
        ("hors d'atteinte", 32),
    ]


@pytest.mark.parametrize("wrong", [-1.0, math.nan, math.inf])
def test_an_access_or_a_number_of_people_that_is_no_amount_is_refused(wrong):
    with pytest.raises(PorteeError, match="accès"):
        gini(np.array([wrong]), np.ones(1))
    for measure in (gini, worst_served, lambda v, p: quantile(v, p, 0.5), lambda v, p: by_time(v, p, (5,))):
        with pytest.raises(PorteeError, match="habitants"):
            measure(np.ones(1), np.array([wrong]))
