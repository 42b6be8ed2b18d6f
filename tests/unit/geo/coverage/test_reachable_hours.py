"""Hours of the week with help within reach, against sets of quarter hours."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geo.coverage.reachable_hours import QUARTERS, hours_reachable


def by_sets(times, masks, within_s):
    """Each place by itself: the union of the quarter hours of the sites within reach."""
    open_at = [set(np.flatnonzero(mask).tolist()) for mask in masks]
    reached = (times <= within_s).T.tolist()
    return [len(set().union(*(o for o, r in zip(open_at, row, strict=True) if r))) / 4 for row in reached]


seconds = st.one_of(st.integers(0, 2_400).map(float), st.just(math.inf))
weeks = st.sets(st.integers(0, QUARTERS - 1), max_size=40)


@st.composite
def worlds(draw):
    sites, places = draw(st.integers(0, 19)), draw(st.integers(0, 4))
    times = draw(st.lists(seconds, min_size=sites * places, max_size=sites * places))
    masks = np.zeros((sites, QUARTERS), dtype=bool)
    for mask, quarters in zip(masks, draw(st.lists(weeks, min_size=sites, max_size=sites)), strict=True):
        mask[list(quarters)] = True
    return np.array(times, dtype=np.float32).reshape(sites, places), masks


@given(world=worlds(), within=st.integers(0, 2_400))
def test_the_hours_are_those_of_the_union(world, within):
    times, masks = world
    assert hours_reachable(times, masks, within).tolist() == by_sets(times, masks, within)


@given(world=worlds(), within=st.integers(0, 2_400), longer=st.integers(0, 600))
def test_a_longer_reach_never_loses_an_hour(world, within, longer):
    times, masks = world
    near, far = (hours_reachable(times, masks, w) for w in (within, within + longer))
    assert (near <= far).all()
    assert (far <= 168).all()


def test_many_places_are_answered_as_few_are():
    rng = np.random.default_rng(4)
    times = rng.uniform(0, 3_600, (21, 9_001)).astype(np.float32)
    masks = rng.random((21, QUARTERS)) < 0.1
    found = hours_reachable(times, masks, 600)
    assert found.tolist() == by_sets(times, masks, 600)
    assert len(set(found.tolist())) > 50


def test_two_sites_open_at_once_count_once():
    masks = np.zeros((2, QUARTERS), dtype=bool)
    masks[0, 36:48] = True
    masks[1, 44:52] = True
    times = np.array([[60, 60, np.inf], [60, 1_300, np.inf]], dtype=np.float32)
    assert hours_reachable(times, masks, 1_200).tolist() == [4, 3, 0]


def test_open_at_all_hours_is_168():
    assert hours_reachable(np.zeros((1, 1), dtype=np.float32), np.ones((1, QUARTERS), dtype=bool), 0) == [168]
