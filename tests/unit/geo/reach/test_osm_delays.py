"""Delays at signals, signs, gates and junctions of OpenStreetMap ways."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.support.osm import CAR, CROSS, FOOT, LINE, PROFILES, ROAD, seconds


def lost(read_ways, nodes, ways, node_tags, a, b, mode=CAR):
    """Seconds more than without the tags of nodes."""
    return seconds(read_ways(nodes, ways, node_tags), mode, a, b) - seconds(
        read_ways(nodes, ways), mode, a, b
    )


def entering(lines, a):
    """Seconds lost at node 5 by those who come from a: more than the length asks."""
    row = int(np.flatnonzero((lines.end_a == a) | (lines.end_b == a))[0])
    column = 0 if lines.end_a[row] == a else 1
    return float(lines.seconds[CAR][row, column] - lines.seconds[CAR][row, 1 - column])


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        ({"highway": "traffic_signals"}, "traffic_signals"),
        ({"highway": "crossing"}, "crossing"),
        ({"highway": "mini_roundabout"}, "mini_roundabout"),
        ({"railway": "level_crossing"}, "level_crossing"),
        ({"railway": "crossing"}, "level_crossing"),
        ({"barrier": "gate"}, "gate"),
    ],
)
@pytest.mark.parametrize("ways", [[(1, 2, 3)], [(1, 2), (2, 3)]])
@pytest.mark.parametrize("mode", [CAR, FOOT])
def test_a_node_delays_once_in_each_direction(read_ways, tags, name, ways, mode):
    roads = [(way, ROAD) for way in ways]
    for a, b in ((1, 3), (3, 1)):
        expected = PROFILES[mode].penalty_s.get(name, 0)
        assert lost(read_ways, LINE, roads, {2: tags}, a, b, mode) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("kind", "key"),
    [("traffic_signals", "traffic_signals:direction"), ("stop", "direction"), ("give_way", "direction")],
)
@pytest.mark.parametrize(("side", "there", "back"), [("forward", 1, 0), ("backward", 0, 1)])
def test_a_sign_for_one_direction_does_not_delay_the_other(read_ways, kind, key, side, there, back):
    tags = {2: {"highway": kind, key: side}}
    cost = PROFILES[CAR].penalty_s[kind]
    assert lost(read_ways, LINE, [((1, 2, 3), ROAD)], tags, 1, 3) == pytest.approx(there * cost, abs=1e-3)
    assert lost(read_ways, LINE, [((1, 2, 3), ROAD)], tags, 3, 1) == pytest.approx(back * cost, abs=1e-3)


def test_a_stop_without_a_direction_applies_towards_the_nearer_junction(read_ways):
    nodes = {1: (0, 0), 2: (190, 0), 3: (200, 0), 4: (205, 0), 5: (400, 0)}
    ways = [((1, 2, 3), ROAD), ((3, 4, 5), ROAD)]
    cost = PROFILES[CAR].penalty_s["stop"]
    for stop, there, back in ((2, cost, 0), (4, 0, cost)):
        tags = {stop: {"highway": "stop"}}
        assert lost(read_ways, nodes, ways, tags, 1, 5) == pytest.approx(there, abs=1e-3)
        assert lost(read_ways, nodes, ways, tags, 5, 1) == pytest.approx(back, abs=1e-3)


def test_a_stop_at_a_junction_applies_to_the_minor_road(read_ways):
    main, side = {"highway": "primary"}, {"highway": "residential"}
    ways = [((1, 5), main), ((5, 2), main), ((3, 5), side)]
    lines = read_ways(CROSS, ways, {5: {"highway": "stop"}})
    delays, cost = PROFILES[CAR].junction_s, PROFILES[CAR].penalty_s["stop"]
    assert [entering(lines, a) for a in (1, 2, 3)] == pytest.approx(
        [delays["major"], delays["major"], delays["minor"] + cost], abs=1e-3
    )


def test_traffic_from_the_minor_road_gives_way(read_ways):
    main, side = {"highway": "primary"}, {"highway": "residential"}
    lines = read_ways(CROSS, [((1, 5), main), ((5, 2), main), ((3, 5), side)])
    delays = PROFILES[CAR].junction_s
    assert entering(lines, 1) == pytest.approx(delays["major"], abs=1e-3)
    assert entering(lines, 2) == pytest.approx(delays["major"], abs=1e-3)
    assert entering(lines, 3) == pytest.approx(delays["minor"], abs=1e-3)


def test_roads_of_equal_rank_have_equal_delays(read_ways):
    lines = read_ways(CROSS, [((1, 5), ROAD), ((5, 2), ROAD), ((3, 5), ROAD)])
    assert [entering(lines, a) for a in (1, 2, 3)] == pytest.approx(
        [PROFILES[CAR].junction_s["equal"]] * 3, abs=1e-3
    )


def test_signals_replace_priority(read_ways):
    lines = read_ways(
        CROSS, [((1, 5), ROAD), ((5, 2), ROAD), ((3, 5), ROAD)], {5: {"highway": "traffic_signals"}}
    )
    cost = PROFILES[CAR].penalty_s["traffic_signals"]
    assert [entering(lines, a) for a in (1, 2, 3)] == pytest.approx([cost] * 3, abs=1e-3)


def test_signals_just_before_the_crossroads_count_once(read_ways):
    nodes = CROSS | {6: (-10, 0)}
    ways = [((1, 6, 5), ROAD), ((5, 2), ROAD), ((3, 5), ROAD)]
    lights = {6: {"highway": "traffic_signals", "traffic_signals:direction": "forward"}}
    delays = PROFILES[CAR]
    more = delays.penalty_s["traffic_signals"] - delays.junction_s["equal"]
    lines, plain = read_ways(nodes, ways, lights), read_ways(nodes, ways)
    assert entering(lines, 1) - entering(plain, 1) == pytest.approx(more, abs=1e-3)


def test_a_footpath_across_a_road_is_no_crossroads_for_cars(read_ways):
    lines = read_ways(CROSS, [((1, 5), ROAD), ((5, 2), ROAD), ((3, 5, 4), {"highway": "footway"})])
    assert entering(lines, 1) == pytest.approx(0, abs=1e-3)


def test_only_entering_a_roundabout_delays(read_ways):
    ring = {1: (0, 0), 2: (30, 0), 3: (30, 30), 4: (0, 30), 5: (-200, 0), 6: (200, 30)}
    ways = [((1, 2, 3, 4, 1), ROAD | {"junction": "roundabout"}), ((5, 1), ROAD), ((3, 6), ROAD)]
    lines = read_ways(ring, ways)
    driven = 200 + 60 + math.hypot(170, 0)
    free = driven * 3.6 / PROFILES.speed_kmh(CAR, "residential")
    delays = PROFILES[CAR].penalty_s
    assert seconds(lines, CAR, 5, 6) - free == pytest.approx(delays["roundabout"], abs=0.1)

    signs = {1: {"highway": "give_way"}, 3: {"highway": "give_way"}}
    assert lost(read_ways, ring, ways, signs, 5, 6) == pytest.approx(delays["give_way"], abs=1e-3)
