"""Drawn boundaries are lighter and still share their edges."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from shapely import MultiPolygon, Polygon

from geo.crs import LAMBERT_93, WGS84, reproject
from geo.errors import InvalidCrs
from geo.territory.simplify import simplified
from tests.support.world import ORIGIN_X, ORIGIN_Y

WIGGLE_M = 40.0


def two_communes_with_a_wavy_border():
    """Neighbours of 10 km whose common border waves by some metres every 100 m."""
    up = np.arange(0, 10_001, 100.0)
    border = np.column_stack([10_000 + WIGGLE_M * np.sin(up), up])
    left = Polygon([(0, 0), *border, (0, 10_000)])
    right = Polygon([*border, (20_000, 10_000), (20_000, 0)])
    plane = shapely.transform([left, right], lambda xy: xy + np.array([ORIGIN_X, ORIGIN_Y]))
    return [MultiPolygon([p]) for p in reproject(plane, source=LAMBERT_93, target=WGS84)]


def edges(shape) -> set[frozenset[tuple[float, float]]]:
    found = set()
    for polygon in shape.geoms:
        line = list(polygon.exterior.coords)
        found |= {frozenset(pair) for pair in pairwise(line)}
    return found


def test_neighbours_share_the_simplified_edges_to_the_last_bit():
    before = two_communes_with_a_wavy_border()
    left, right = simplified(before, epsg=LAMBERT_93, tolerance_m=200)
    shared_before = len(edges(before[0]) & edges(before[1]))
    shared = edges(left) & edges(right)
    assert shared_before == 100
    assert 1 <= len(shared) < 50
    assert shapely.coverage_is_valid([left, right])
    assert shapely.get_num_coordinates(left) < shapely.get_num_coordinates(before[0]) / 2


def test_one_by_one_simplification_would_tear_them_apart():
    left, right = two_communes_with_a_wavy_border()
    plane = reproject([left, right], source=WGS84, target=LAMBERT_93)
    torn = [shapely.simplify(plane[0], 60), shapely.simplify(shapely.reverse(plane[1]), 25)]
    assert not shapely.coverage_is_valid(torn), "the check of the test above could not fail"


def test_no_tolerance_keeps_every_vertex():
    before = two_communes_with_a_wavy_border()
    after = simplified(before, epsg=LAMBERT_93, tolerance_m=0)
    assert shapely.get_num_coordinates(after).tolist() == shapely.get_num_coordinates(before).tolist()
    assert shapely.hausdorff_distance(after, before).max() < 1e-8


def test_degrees_are_refused():
    with pytest.raises(InvalidCrs):
        simplified(two_communes_with_a_wavy_border(), epsg=WGS84, tolerance_m=10)
