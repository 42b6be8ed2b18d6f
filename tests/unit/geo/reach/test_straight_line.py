"""Nearest sites, against a plain double loop and by their properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import InvalidCrs
from geo.reach.straight_line import SiteTree

metres = st.integers(-50_000, 50_000).map(float)
points = st.lists(st.tuples(metres, metres), min_size=1, max_size=12).map(np.array)


def brute_force(xy, origin, k, detour):
    """Every distance measured, sorted by distance, then by row."""
    found = sorted(
        (math.hypot(x - origin[0], y - origin[1]) * detour, row)
        for row, (x, y) in enumerate(xy)
        if math.isfinite(x) and math.isfinite(y)
    )[:k]
    return found + [(math.inf, -1)] * (k - len(found))


@given(xy=points, origins=points, k=st.integers(1, 15), detour=st.sampled_from([1.0, 1.3, 2.0]))
def test_nearest_sites_match_a_double_loop(xy, origins, k, detour):
    distance, row = SiteTree(xy, detour_factor=detour).nearest(origins, k=k)
    for i, origin in enumerate(origins):
        expected = brute_force(xy, origin, k, detour)
        assert distance[i] == pytest.approx([d for d, _ in expected])
        for d, r in zip(distance[i], row[i], strict=True):
            assert (r == -1) == math.isinf(d)
            if r >= 0:
                assert math.dist(xy[r], origin) * detour == pytest.approx(d)
        real = [r for r in row[i] if r >= 0]
        assert len(set(real)) == len(real)


@given(xy=points, extra=st.tuples(metres, metres), origins=points)
def test_adding_a_site_never_lengthens_a_distance(xy, extra, origins):
    before, _ = SiteTree(xy, detour_factor=1.3).nearest(origins)
    after, _ = SiteTree(np.vstack([xy, extra]), detour_factor=1.3).nearest(origins)
    assert (after <= before + 1e-9).all()


def test_a_site_without_a_point_is_never_found():
    distance, row = SiteTree(np.array([[np.nan, np.nan], [0.0, 0.0]]), detour_factor=1.0).nearest(
        np.array([[3.0, 4.0]]), k=2
    )
    assert distance.tolist() == [[5.0, math.inf]]
    assert row.tolist() == [[1, -1]]


def test_at_equal_distance_the_lower_row_comes_first():
    xy = np.array([[0.0, 10.0], [10.0, 0.0], [0.0, -10.0], [-10.0, 0.0]])
    _, row = SiteTree(xy, detour_factor=1.0).nearest(np.zeros((1, 2)), k=4)
    assert row.tolist() == [[0, 1, 2, 3]]


def test_a_point_outside_the_projection_is_refused():
    with pytest.raises(InvalidCrs, match="hors de la zone"):
        SiteTree(np.zeros((1, 2)), detour_factor=1.0).nearest(np.array([[np.inf, 0.0]]))


@given(xy=points, origin=st.tuples(metres, metres), k=st.integers(1, 15), lost=st.booleans())
def test_one_origin_gets_the_same_answer_as_many(xy, origin, k, lost):
    tree = SiteTree(np.vstack([[np.nan, np.nan], xy]) if lost else xy, detour_factor=1.3)
    distance, row = tree.nearest(np.array([origin]), k=k)
    many = [(d, r) for d, r in zip(distance[0].tolist(), row[0].tolist(), strict=True) if r >= 0]
    assert tree.nearest_of(*origin, k=k) == many


def test_one_origin_outside_the_projection_is_refused():
    with pytest.raises(InvalidCrs, match="hors de la zone"):
        SiteTree(np.zeros((1, 2)), detour_factor=1.0).nearest_of(math.inf, 0.0, k=1)


def test_without_sites_all_distances_are_infinite():
    distance, row = SiteTree(np.empty((0, 2)), detour_factor=1.0).nearest(np.zeros((2, 2)), k=3)
    assert np.isinf(distance).all() and (row == -1).all()
    assert distance.shape == row.shape == (2, 3)


def test_without_sites_one_origin_finds_none():
    assert SiteTree(np.empty((0, 2)), detour_factor=1.0).nearest_of(0.0, 0.0, k=3) == []
