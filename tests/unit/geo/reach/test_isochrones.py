"""Isochrones: nested, consistent with travel times, and following the roads."""

from __future__ import annotations

from itertools import pairwise
from math import inf, pi

import numpy as np
import pytest
import shapely

from geo.errors import ImpossibleQuestion
from geo.reach import straight_line
from geo.reach.isochrones import BESIDE_M, CELL_M, MINUTES, _bands, isochrones
from geo.reach.modes import Mode
from geo.reach.travel import Travel
from tests.support.roads import grid, road_graph

X, Y = 500_000.0, 6_400_000.0
CELL = CELL_M[Mode.CAR]


def by_road(graph):
    return Travel(graph, detour_factor=1.3)


@pytest.fixture(scope="module")
def town():
    """40 × 40 blocks of 1 km, a minute each: all of it within 45 minutes of its middle."""
    return by_road(grid(41, 41))


def test_a_longer_isochrone_contains_the_shorter(town):
    found = isochrones(town, (X + 20_300, Y + 19_800), Mode.CAR)
    assert [i.minutes for i in found] == list(MINUTES)
    for shorter, longer in pairwise(found):
        assert shorter.area.is_valid and longer.area.contains(shorter.area)


def diamond(km):
    corners = ((km, 0), (0, km), (-km, 0), (0, -km))
    return shapely.Polygon([(X + (20 + dx) * 1_000, Y + (20 + dy) * 1_000) for dx, dy in corners])


def test_on_a_square_town_it_is_a_diamond(town):
    (found,) = isochrones(town, (X + 20_000, Y + 20_000), Mode.CAR, (10,))
    # The middle of a block lies 500 m off the road: at the approach speed, three minutes.
    beside = 500 / (town.approach_kmh(Mode.CAR) / 3.6) / 60
    assert diamond(10).buffer(2 * CELL).contains(found.area)
    assert found.area.contains(diamond(10 - beside - 0.5))


def test_points_inside_are_reached_in_time_and_those_outside_are_not(town):
    middle = np.array([[X + 20_300.0, Y + 19_800.0]])
    rng = np.random.default_rng(47)
    streets = np.column_stack([rng.integers(1, 40, 400) * 1_000.0, rng.uniform(500, 39_500, 400)]) + np.array(
        [X, Y]
    )
    seconds = town.to_sites(middle, Mode.CAR).from_places(streets)[0]
    for each in isochrones(town, (X + 20_300.0, Y + 19_800.0), Mode.CAR, (5, 15)):
        inside = shapely.distance(each.area, shapely.points(streets)) <= CELL
        limit, slack = each.minutes * 60, 4 * CELL * 60 / 1_000
        assert inside[seconds < limit - slack].all()
        assert not inside[seconds > limit + slack + BESIDE_M / 4].any()


def test_one_way_roads_make_coming_and_going_differ():
    road = by_road(road_graph([(X, Y), (X + 20_000, Y)], [(0, 1, 1_200, inf)]))
    point = (X + 10_000, Y)
    (to_it,) = isochrones(road, point, Mode.CAR, (5,))
    (from_it,) = isochrones(road, point, Mode.CAR, (5,), outward=True)
    assert to_it.area.centroid.x < X + 10_000 < from_it.area.centroid.x


def test_a_river_without_a_bridge_is_not_crossed():
    banks = [(X, Y), (X + 10_000, Y), (X, Y + 2_000), (X + 10_000, Y + 2_000)]
    river = by_road(road_graph(banks, [(0, 1, 600, 600), (2, 3, 600, 600)]))
    (found,) = isochrones(river, (X + 5_000, Y), Mode.CAR, (45,))
    assert found.area.bounds[3] <= Y + BESIDE_M + 2 * CELL


def test_a_point_no_road_leaves_is_refused():
    barred = by_road(road_graph([(X, Y), (X + 1_000, Y)], [(0, 1, 60, 60)], reachable=[False]))
    with pytest.raises(ImpossibleQuestion, match="Aucune route praticable en voiture"):
        isochrones(barred, (X, Y), Mode.CAR)


def test_without_roads_it_is_a_circle():
    travel = Travel(None, detour_factor=1.25)
    (found,) = isochrones(travel, (X, Y), Mode.FOOT, (15,))
    radius = straight_line.SPEED_KMH[Mode.FOOT] * 1_000 / 4 / 1.25
    assert found.area.area == pytest.approx(pi * radius**2, rel=0.01)


def test_land_counts_up_to_500_metres_from_a_road_and_no_farther():
    """A straight road and a limit far above the approach: only the cut stops the area."""
    road = by_road(road_graph([(X, Y), (X + 10_000, Y)], [(0, 1, 60, 60)]))
    (found,) = isochrones(road, (X + 5_000, Y), Mode.CAR, (45,))
    _, south, _, north = found.area.bounds
    # Cells whose centres lie on the road row, five rows on either side of it.
    assert (round(south - Y), round(north - Y)) == (-BESIDE_M, BESIDE_M + CELL)
    assert found.area.contains(shapely.box(X, Y - BESIDE_M + 1, X + 10_000, Y + BESIDE_M + CELL - 1))


def test_a_cell_exactly_at_the_limit_is_inside():
    """Columns of ten cells: at once, at the first limit, just beyond it, at the second, never."""
    seconds = np.repeat([[0.0, 60.0, 60.0 + 1e-9, 120.0, np.inf]], 20, axis=0).repeat(10, axis=1)
    first, second = _bands(seconds, [60.0, 120.0], np.zeros(2), 10.0)
    assert (first.bounds[2], second.bounds[0], second.bounds[2]) == (200, 200, 400)
    assert first.contains(shapely.box(10, 10, 199, 190))
    assert second.contains(shapely.box(201, 10, 390, 190))


def test_minutes_are_sorted_and_asked_once():
    found = isochrones(Travel(None, detour_factor=1.0), (X, Y), Mode.CAR, (20, 5, 20))
    assert [each.minutes for each in found] == [5, 20]


def test_a_point_of_its_own_edge_is_reached_along_it_when_the_ends_are_too_far():
    long_road = by_road(road_graph([(X, Y), (X + 40_000, Y)], [(0, 1, 2_400, 2_400)]))
    (found,) = isochrones(long_road, (X + 20_000, Y), Mode.CAR, (5,))
    west, _, east, _ = found.area.bounds
    assert (west, east) == (pytest.approx(X + 15_000, abs=BESIDE_M), pytest.approx(X + 25_000, abs=BESIDE_M))
