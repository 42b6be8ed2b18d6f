"""Roads from OpenStreetMap: tiny invented files for every rule, bad files, and real extracts."""

from __future__ import annotations

import bz2
import gzip
import math
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import quoteattr

import networkx as nx
import numpy as np
import osmium
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.crs import LAMBERT_93, WGS84, project, reproject
from geo.errors import UnreadableFile
from geo.reach.modes import Mode
from geo.reach.osm import (
    AREA,
    CLOSED,
    FERRY,
    INCOMPLETE,
    NO_ROAD,
    NOT_OPEN,
    OUTSIDE,
    UNKNOWN_VINTAGE,
    osm_vintage,
    read_osm,
)
from geo.reach.profiles import load_profiles
from tests.support.shared import SHARED, needs_shared

PROFILES = load_profiles()
ORIGIN = (510_000.0, 6_350_000.0)
CAR, BICYCLE, FOOT = Mode
ALL = {CAR, BICYCLE, FOOT}
ROAD = {"highway": "residential"}
LINE = {1: (0, 0), 2: (100, 0), 3: (200, 0)}
CROSS = {1: (-200, 0), 2: (200, 0), 3: (0, -200), 4: (0, 200), 5: (0, 0)}


def lonlat(xy):
    points = shapely.points(np.array(xy, dtype=float) + ORIGIN)
    return shapely.get_coordinates(reproject(points, source=LAMBERT_93, target=WGS84))


def xml(nodes, ways, node_tags=None, *, attributes="", stamp=""):
    """An OpenStreetMap file: nodes in metres, ways as (nodes, tags)."""

    def told(tags):
        return "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags.items())

    parts = [f'<osm version="0.6" {attributes}>']
    for (key, _), (lon, lat) in zip(nodes.items(), lonlat(list(nodes.values())), strict=True):
        parts.append(
            f'<node id="{key}" lat="{lat:.7f}" lon="{lon:.7f}">{told((node_tags or {}).get(key, {}))}</node>'
        )
    for number, (refs, tags) in enumerate(ways, start=1):
        inside = "".join(f'<nd ref="{ref}"/>' for ref in refs)
        parts.append(f'<way id="{number}" {stamp}>{inside}{told(tags)}</way>')
    return "\n".join([*parts, "</osm>"])


@pytest.fixture
def read(tmp_path):
    def reading(nodes, ways, node_tags=None, bounds=None):
        path = tmp_path / "tiny.osm"
        path.write_text(xml(nodes, ways, node_tags), "utf-8")
        return read_osm(path, epsg=LAMBERT_93, bounds=bounds, profiles=PROFILES)

    return reading


def network(lines, mode) -> nx.DiGraph:
    """Who gets where in how many seconds."""
    graph = nx.DiGraph()
    graph.add_nodes_from([*lines.end_a.tolist(), *lines.end_b.tolist()])
    for a, b, (there, back) in zip(
        lines.end_a.tolist(), lines.end_b.tolist(), lines.seconds[mode].tolist(), strict=True
    ):
        for u, v, seconds in ((a, b, there), (b, a, back)):
            if math.isfinite(seconds) and seconds < graph.get_edge_data(u, v, {"s": math.inf})["s"]:
                graph.add_edge(u, v, s=seconds)
    return graph


def seconds(lines, mode, a, b) -> float:
    graph = network(lines, mode)
    return nx.dijkstra_path_length(graph, a, b, weight="s") if nx.has_path(graph, a, b) else math.inf


def passes(lines, a, b) -> set[Mode]:
    return {mode for mode in Mode if math.isfinite(seconds(lines, mode, a, b))}


def lengths(lines) -> list[float]:
    ends = zip(lines.shape_start[:-1], lines.shape_start[1:], strict=True)
    return [float(np.hypot(*np.diff(lines.shape_xy[s:e], axis=0).T).sum()) for s, e in ends]


# --- Junctions ------------------------------------------------------------------------------------


def test_ways_are_cut_at_the_node_they_share(read):
    lines = read(CROSS, [((1, 5, 2), ROAD), ((3, 5, 4), ROAD)])
    assert sorted(zip(lines.end_a.tolist(), lines.end_b.tolist(), strict=True)) == [
        (1, 5),
        (3, 5),
        (5, 2),
        (5, 4),
    ]
    assert lengths(lines) == pytest.approx([200] * 4, abs=0.1)
    assert lines.dropped == {}


def test_ways_that_cross_without_a_node_do_not_meet(read):
    bridge = ROAD | {"bridge": "yes", "layer": "1"}
    lines = read(CROSS, [((1, 2), ROAD), ((3, 4), bridge)])
    assert passes(lines, 1, 2) == passes(lines, 3, 4) == ALL
    assert passes(lines, 1, 4) == set()


def test_a_node_that_only_one_way_passes_is_a_point_of_its_shape(read):
    lines = read({1: (0, 0), 2: (100, 50), 3: (200, 0)}, [((1, 2, 3), ROAD)])
    assert len(lines.end_a) == 1
    assert (lines.shape_xy - ORIGIN).round().tolist() == [[0, 0], [100, 50], [200, 0]]


def test_a_way_that_meets_itself_is_cut_there(read):
    nodes = {1: (0, 0), 2: (100, 0), 3: (200, 0), 4: (200, 100)}
    lines = read(nodes, [((1, 2, 3, 4, 2), ROAD)])
    assert sorted(zip(lines.end_a.tolist(), lines.end_b.tolist(), strict=True)) == [(1, 2), (2, 2)]


def test_a_way_that_leaves_the_file_and_comes_back_is_two_pieces(read):
    lines = read({1: (0, 0), 2: (100, 0), 4: (300, 0), 5: (400, 0)}, [((1, 2, 3, 4, 5), ROAD)])
    assert lengths(lines) == pytest.approx([100, 100], abs=0.1)
    assert passes(lines, 1, 5) == set()


def test_a_way_without_two_located_nodes_is_counted(read):
    lines = read(LINE, [((1, 2), ROAD), ((3, 99), ROAD), ((3,), ROAD), ((3, 3), ROAD)])
    assert lines.dropped == {INCOMPLETE: 3}


def test_two_nodes_at_one_place_make_a_way_of_no_length(read):
    nodes = {1: (0, 0), 2: (100, 0), 3: (100, 0), 4: (200, 0)}
    lines = read(nodes, [((1, 2), ROAD), ((2, 3), {"highway": "footway"}), ((3, 4), ROAD)])
    assert passes(lines, 1, 4) == {BICYCLE, FOOT}
    assert seconds(lines, FOOT, 2, 3) == 0
    assert not any(np.isnan(lines.seconds[mode]).any() for mode in Mode)


PLACES = [(0, 0), (310, 20), (40, 290), (350, 330), (700, 10), (720, 380), (60, 640), (390, 700)]
walks = st.lists(
    st.lists(st.integers(1, len(PLACES)), min_size=2, max_size=6), min_size=1, max_size=6
).filter(lambda ways: any(a != b for way in ways for a, b in pairwise(way)))


@settings(max_examples=40, deadline=None)
@given(ways=walks)
def test_walking_times_are_those_over_every_node(tmp_path_factory, ways):
    path = tmp_path_factory.mktemp("walks") / "walks.osm"
    nodes = dict(enumerate(PLACES, start=1))
    path.write_text(xml(nodes, [(way, ROAD) for way in ways]), "utf-8")
    lines = read_osm(path, epsg=LAMBERT_93, bounds=None, profiles=PROFILES)
    expected = nx.Graph()
    for way in ways:
        for a, b in pairwise(way):
            if a != b:
                expected.add_edge(a, b, s=math.dist(nodes[a], nodes[b]) * 3.6 / 4.5)
    graph = network(lines, FOOT)
    assert set(graph) <= set(expected)
    assert nx.number_weakly_connected_components(graph) == nx.number_connected_components(expected)
    over_all = dict(nx.all_pairs_dijkstra_path_length(expected, weight="s"))
    for a in graph:
        for b, told in nx.single_source_dijkstra_path_length(graph, a, weight="s").items():
            assert told == pytest.approx(over_all[a][b], abs=0.1)


# --- One way --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "there", "back"),
    [
        ({}, ALL, ALL),
        ({"oneway": "yes"}, ALL, {FOOT}),
        ({"oneway": "1"}, ALL, {FOOT}),
        ({"oneway": "no"}, ALL, ALL),
        ({"oneway": "-1"}, {FOOT}, ALL),
        ({"oneway": "reversible"}, {FOOT}, {FOOT}),
        ({"junction": "roundabout"}, ALL, {FOOT}),
        ({"junction": "roundabout", "oneway": "no"}, ALL, ALL),
        ({"highway": "motorway"}, {CAR}, set()),
        ({"oneway": "yes", "oneway:bicycle": "no"}, ALL, {BICYCLE, FOOT}),
        ({"oneway": "yes", "cycleway": "opposite_lane"}, ALL, {BICYCLE, FOOT}),
        ({"oneway": "yes", "cycleway:left": "opposite"}, ALL, {BICYCLE, FOOT}),
        ({"oneway:bicycle": "yes"}, ALL, {CAR, FOOT}),
    ],
)
def test_one_ways_bind_those_they_are_meant_for(read, tags, there, back):
    lines = read(LINE, [((1, 2, 3), ROAD | tags)])
    assert passes(lines, 1, 3) == there
    assert passes(lines, 3, 1) == back


# --- Access ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "modes"),
    [
        ({"highway": "residential"}, ALL),
        ({"highway": "residential", "access": "private", "foot": "yes"}, {FOOT}),
        ({"highway": "residential", "access": "no", "bicycle": "yes"}, {BICYCLE}),
        ({"highway": "residential", "access": "destination"}, ALL),
        ({"highway": "residential", "vehicle": "no"}, {FOOT}),
        ({"highway": "residential", "motor_vehicle": "no"}, {BICYCLE, FOOT}),
        ({"highway": "residential", "vehicle": "no", "motorcar": "yes"}, {CAR, FOOT}),
        ({"highway": "residential", "motor_vehicle": "private;delivery"}, {BICYCLE, FOOT}),
        ({"highway": "service", "service": "emergency_access"}, {FOOT}),
        ({"highway": "track"}, ALL),
        ({"highway": "track", "motor_vehicle": "agricultural"}, {BICYCLE, FOOT}),
        ({"highway": "footway"}, {BICYCLE, FOOT}),
        ({"highway": "pedestrian", "motor_vehicle": "destination"}, ALL),
        ({"highway": "pedestrian", "access": "yes"}, {BICYCLE, FOOT}),
        ({"highway": "cycleway"}, {BICYCLE, FOOT}),
        ({"highway": "cycleway", "foot": "no"}, {BICYCLE}),
        ({"highway": "steps"}, {BICYCLE, FOOT}),
        ({"highway": "trunk", "motorroad": "yes"}, {CAR}),
        ({"highway": "primary", "bicycle": "use_sidepath"}, {CAR, FOOT}),
    ],
)
def test_each_mode_goes_where_it_may(read, tags, modes):
    lines = read(LINE, [((1, 3), tags)])
    assert passes(lines, 1, 3) == passes(lines, 3, 1) == modes


def test_a_bicycle_is_pushed_where_it_must_be_and_rides_where_it_may(read):
    pushed = read(LINE, [((1, 3), ROAD | {"bicycle": "dismount"})])
    ridden = read(LINE, [((1, 3), {"highway": "footway", "bicycle": "yes"})])
    walked = read(LINE, [((1, 3), {"highway": "footway"})])
    assert seconds(pushed, BICYCLE, 1, 3) == pytest.approx(seconds(walked, BICYCLE, 1, 3))
    assert seconds(ridden, BICYCLE, 1, 3) < seconds(walked, BICYCLE, 1, 3) / 2


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"highway": "construction", "construction": "primary"}, NOT_OPEN),
        ({"highway": "proposed"}, NOT_OPEN),
        ({"highway": "abandoned"}, NOT_OPEN),
        ({"highway": "residential", "impassable": "yes"}, NOT_OPEN),
        ({"highway": "pedestrian", "area": "yes"}, AREA),
        ({"highway": "raceway"}, NO_ROAD),
        ({"highway": "rest_area"}, NO_ROAD),
        ({"highway": "residential", "access": "private"}, CLOSED),
        ({"highway": "unclassified", "route": "ferry"}, FERRY),
    ],
)
def test_a_way_left_out_is_counted_with_its_reason(read, tags, reason):
    lines = read(LINE, [((1, 2), ROAD), ((2, 3), tags)])
    assert lines.dropped == {reason: 1}
    assert len(lines.end_a) == 1


def test_ferries_and_rails_are_never_roads(read):
    lines = read(LINE, [((1, 2), ROAD), ((2, 3), {"route": "ferry"}), ((2, 3), {"railway": "rail"})])
    assert len(lines.end_a) == 1
    assert lines.dropped == {}


# --- Barriers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "modes"),
    [
        ({"barrier": "bollard"}, {BICYCLE, FOOT}),
        ({"barrier": "block"}, {BICYCLE, FOOT}),
        ({"barrier": "bollard", "motor_vehicle": "yes"}, ALL),
        ({"barrier": "gate"}, ALL),
        ({"barrier": "gate", "access": "private"}, set()),
        ({"barrier": "gate", "access": "no", "foot": "yes"}, {FOOT}),
        ({"barrier": "stile"}, {FOOT}),
        ({"barrier": "wall"}, set()),
        ({"barrier": "cattle_grid"}, ALL),
        ({"barrier": "kerb"}, ALL),
    ],
)
@pytest.mark.parametrize("ways", [[(1, 2, 3)], [(1, 2), (2, 3)], [(1, 2), (3, 2)], [(2, 1), (2, 3)]])
def test_a_barrier_stops_those_it_is_meant_for(read, tags, modes, ways):
    lines = read(LINE, [(way, ROAD) for way in ways], {2: tags})
    assert passes(lines, 1, 3) == passes(lines, 3, 1) == modes
    if modes != ALL:
        assert passes(lines, 1, 2) | passes(lines, 3, 2) == ALL


@pytest.mark.parametrize("ways", [[(1, 2, 3)], [(1, 2), (3, 2)], [(2, 1), (2, 3)]])
def test_the_road_on_either_side_of_a_barrier_is_still_driven(read, ways):
    lines = read(LINE, [(way, ROAD) for way in ways], {2: {"barrier": "bollard"}})
    driven = np.isfinite(lines.seconds[CAR]).all(axis=1)
    assert sum(np.array(lengths(lines))[driven]) == pytest.approx(199, abs=0.1)
    assert (lines.reachable[CAR] == driven).all()
    assert sum(lengths(lines)) == pytest.approx(200, abs=0.1)


def test_barriers_at_both_ends_of_one_segment_both_stop(read):
    nodes = {1: (0, 0), 2: (100, 0), 3: (200, 0), 4: (300, 0)}
    lines = read(
        nodes,
        [((1, 2), ROAD), ((2, 3), ROAD), ((4, 3), ROAD)],
        {2: {"barrier": "bollard"}, 3: {"barrier": "stile"}},
    )
    assert passes(lines, 1, 4) == {FOOT}
    assert passes(lines, 1, 2) == passes(lines, 4, 3) == ALL
    assert passes(lines, 2, 3) == {FOOT}


def test_a_barrier_where_roads_meet_stands_beside_them(read):
    lines = read(CROSS, [((1, 5, 2), ROAD), ((5, 4), ROAD)], {5: {"barrier": "gate", "access": "private"}})
    assert passes(lines, 1, 2) == passes(lines, 1, 4) == ALL


# --- Speeds ---------------------------------------------------------------------------------------


def kmh(lines, mode=CAR):
    return [
        round(length * 3.6 / s[0], 1) for length, s in zip(lengths(lines), lines.seconds[mode], strict=True)
    ]


@pytest.mark.parametrize(
    ("value", "limit"),
    [
        ("50", 50),
        ("30 mph", 48.28032),
        ("80 km/h", 80),
        ("FR:urban", 50),
        ("FR:rural", 80),
        ("FR:motorway", 130),
        ("FR:30", 30),
        ("FR:zone30", 30),
        ("walk", 6),
        ("50;70", 50),
        ("signals", None),
        ("0", None),
        ("900", None),
        ("", None),
    ],
)
def test_a_posted_limit_is_read(read, value, limit):
    lines = read(LINE, [((1, 3), {"highway": "tertiary", "maxspeed": value})])
    expected = PROFILES.speed_kmh(CAR, "tertiary", limit_kmh=limit)
    assert kmh(lines) == pytest.approx([expected], abs=0.1)


@pytest.mark.parametrize("key", ["maxspeed:type", "source:maxspeed", "zone:maxspeed"])
def test_a_limit_told_by_its_kind_is_read(read, key):
    lines = read(LINE, [((1, 3), {"highway": "tertiary", key: "FR:urban"})])
    assert kmh(lines) == pytest.approx([PROFILES.speed_kmh(CAR, "tertiary", limit_kmh=50)], abs=0.1)


def test_each_direction_has_its_own_limit(read):
    tags = {"highway": "secondary", "maxspeed": "80", "maxspeed:backward": "50"}
    lines = read(LINE, [((1, 3), tags)])
    there, back = lines.seconds[CAR][0]
    assert 200 * 3.6 / there == pytest.approx(PROFILES.speed_kmh(CAR, "secondary", limit_kmh=80), rel=0.01)
    assert 200 * 3.6 / back == pytest.approx(PROFILES.speed_kmh(CAR, "secondary", limit_kmh=50), rel=0.01)


def test_surface_and_track_type_slow(read):
    rough = {"highway": "track", "surface": "mud", "tracktype": "grade5"}
    lines = read(LINE, [((1, 3), rough)])
    assert kmh(lines) == [PROFILES[CAR].surface_kmh["mud"]]
    assert kmh(lines, BICYCLE) == [PROFILES[BICYCLE].surface_kmh["mud"]]


@pytest.mark.parametrize("tags", [{"zone:traffic": "FR:urban"}, {"sidewalk": "both"}])
def test_tags_tell_a_built_up_area(read, tags):
    lines = read(LINE, [((1, 3), {"highway": "secondary"} | tags)])
    assert kmh(lines) == pytest.approx([PROFILES.speed_kmh(CAR, "secondary", built_up=True)], abs=0.1)


def test_land_people_live_on_is_built_up(read):
    nodes = LINE | {4: (900, 0), 11: (-50, -50), 12: (250, -50), 13: (250, 50), 14: (-50, 50)}
    town = ((11, 12, 13, 14, 11), {"landuse": "residential"})
    lines = read(nodes, [((1, 3), {"highway": "secondary"}), ((3, 4), {"highway": "secondary"}), town])
    inside, outside = (PROFILES.speed_kmh(CAR, "secondary", built_up=b) for b in (True, False))
    assert kmh(lines) == pytest.approx([inside, outside], abs=0.1)
    fields = (town[0], {"landuse": "farmland"})
    assert kmh(read(nodes, [((1, 3), {"highway": "secondary"}), fields])) == pytest.approx([outside], abs=0.1)


def test_land_cut_at_the_edge_of_the_file_is_left_out(read):
    cut = ((1, 98, 99, 1), {"landuse": "residential"})
    lines = read(LINE, [((1, 3), {"highway": "secondary"}), cut])
    assert kmh(lines) == pytest.approx([PROFILES.speed_kmh(CAR, "secondary")], abs=0.1)


@pytest.mark.parametrize(
    ("tags", "joined"),
    [
        ({"highway": "primary"}, True),
        ({"highway": "primary", "bridge": "yes"}, False),
        ({"highway": "primary", "bridge": "viaduct"}, False),
        ({"highway": "primary", "bridge": "no"}, True),
        ({"highway": "primary", "tunnel": "yes"}, False),
        ({"highway": "service", "tunnel": "building_passage"}, True),
        ({"highway": "motorway"}, False),
        ({"highway": "motorway_link"}, False),
        ({"highway": "trunk", "motorroad": "yes"}, False),
    ],
)
def test_places_do_not_join_bridges_tunnels_and_motorways(read, tags, joined):
    lines = read(LINE, [((1, 3), tags)])
    assert lines.reachable[CAR].tolist() == [joined]


def test_a_place_joins_no_road_its_mode_may_not_use(read):
    lines = read(LINE, [((1, 3), {"highway": "footway"})])
    assert {mode: lines.reachable[mode].tolist() for mode in Mode} == {
        CAR: [False],
        BICYCLE: [True],
        FOOT: [True],
    }


# --- Penalties ------------------------------------------------------------------------------------


def lost(read, nodes, ways, node_tags, a, b, mode=CAR):
    """Seconds more than without the tags of nodes."""
    return seconds(read(nodes, ways, node_tags), mode, a, b) - seconds(read(nodes, ways), mode, a, b)


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        ({"highway": "traffic_signals"}, "traffic_signals"),
        ({"highway": "crossing"}, "crossing"),
        ({"highway": "mini_roundabout"}, "mini_roundabout"),
        ({"railway": "level_crossing"}, "level_crossing"),
        ({"barrier": "gate"}, "gate"),
    ],
)
@pytest.mark.parametrize("ways", [[(1, 2, 3)], [(1, 2), (2, 3)]])
@pytest.mark.parametrize("mode", [CAR, FOOT])
def test_a_node_costs_what_its_profile_tells_once_each_way(read, tags, name, ways, mode):
    roads = [(way, ROAD) for way in ways]
    for a, b in ((1, 3), (3, 1)):
        expected = PROFILES[mode].penalty_s.get(name, 0)
        assert lost(read, LINE, roads, {2: tags}, a, b, mode) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("kind", "key"),
    [("traffic_signals", "traffic_signals:direction"), ("stop", "direction"), ("give_way", "direction")],
)
@pytest.mark.parametrize(("side", "there", "back"), [("forward", 1, 0), ("backward", 0, 1)])
def test_a_sign_for_one_direction_costs_the_other_nothing(read, kind, key, side, there, back):
    tags = {2: {"highway": kind, key: side}}
    cost = PROFILES[CAR].penalty_s[kind]
    assert lost(read, LINE, [((1, 2, 3), ROAD)], tags, 1, 3) == pytest.approx(there * cost, abs=1e-3)
    assert lost(read, LINE, [((1, 2, 3), ROAD)], tags, 3, 1) == pytest.approx(back * cost, abs=1e-3)


def test_a_stop_that_names_no_direction_binds_those_about_to_meet_the_road(read):
    nodes = {1: (0, 0), 2: (190, 0), 3: (200, 0), 4: (205, 0), 5: (400, 0)}
    ways = [((1, 2, 3), ROAD), ((3, 4, 5), ROAD)]
    cost = PROFILES[CAR].penalty_s["stop"]
    for stop, there, back in ((2, cost, 0), (4, 0, cost)):
        tags = {stop: {"highway": "stop"}}
        assert lost(read, nodes, ways, tags, 1, 5) == pytest.approx(there, abs=1e-3)
        assert lost(read, nodes, ways, tags, 5, 1) == pytest.approx(back, abs=1e-3)


def test_a_stop_where_roads_meet_binds_those_of_the_lesser_road(read):
    main, side = {"highway": "primary"}, {"highway": "residential"}
    ways = [((1, 5), main), ((5, 2), main), ((3, 5), side)]
    lines = read(CROSS, ways, {5: {"highway": "stop"}})
    told, cost = PROFILES[CAR].junction_s, PROFILES[CAR].penalty_s["stop"]
    assert [entering(lines, a) for a in (1, 2, 3)] == pytest.approx(
        [told["major"], told["major"], told["minor"] + cost], abs=1e-3
    )


def entering(lines, a):
    """Seconds lost at node 5 by those who come from a: more than the length asks."""
    row = int(np.flatnonzero((lines.end_a == a) | (lines.end_b == a))[0])
    column = 0 if lines.end_a[row] == a else 1
    return float(lines.seconds[CAR][row, column] - lines.seconds[CAR][row, 1 - column])


def test_who_comes_from_the_lesser_road_gives_way(read):
    main, side = {"highway": "primary"}, {"highway": "residential"}
    lines = read(CROSS, [((1, 5), main), ((5, 2), main), ((3, 5), side)])
    told = PROFILES[CAR].junction_s
    assert entering(lines, 1) == pytest.approx(told["major"], abs=1e-3)
    assert entering(lines, 2) == pytest.approx(told["major"], abs=1e-3)
    assert entering(lines, 3) == pytest.approx(told["minor"], abs=1e-3)


def test_between_equals_all_lose_the_same(read):
    lines = read(CROSS, [((1, 5), ROAD), ((5, 2), ROAD), ((3, 5), ROAD)])
    assert [entering(lines, a) for a in (1, 2, 3)] == pytest.approx(
        [PROFILES[CAR].junction_s["equal"]] * 3, abs=1e-3
    )


def test_lights_stand_in_for_priority(read):
    lines = read(CROSS, [((1, 5), ROAD), ((5, 2), ROAD), ((3, 5), ROAD)], {5: {"highway": "traffic_signals"}})
    cost = PROFILES[CAR].penalty_s["traffic_signals"]
    assert [entering(lines, a) for a in (1, 2, 3)] == pytest.approx([cost] * 3, abs=1e-3)


def test_lights_just_before_the_crossroads_count_once(read):
    nodes = CROSS | {6: (-10, 0)}
    ways = [((1, 6, 5), ROAD), ((5, 2), ROAD), ((3, 5), ROAD)]
    lights = {6: {"highway": "traffic_signals", "traffic_signals:direction": "forward"}}
    told = PROFILES[CAR]
    more = told.penalty_s["traffic_signals"] - told.junction_s["equal"]
    lines, plain = read(nodes, ways, lights), read(nodes, ways)
    assert entering(lines, 1) - entering(plain, 1) == pytest.approx(more, abs=1e-3)


def test_a_footpath_across_a_road_is_no_crossroads_for_cars(read):
    lines = read(CROSS, [((1, 5), ROAD), ((5, 2), ROAD), ((3, 5, 4), {"highway": "footway"})])
    assert entering(lines, 1) == pytest.approx(0, abs=1e-3)


def test_entering_a_roundabout_costs_and_going_round_does_not(read):
    ring = {1: (0, 0), 2: (30, 0), 3: (30, 30), 4: (0, 30), 5: (-200, 0), 6: (200, 30)}
    ways = [((1, 2, 3, 4, 1), ROAD | {"junction": "roundabout"}), ((5, 1), ROAD), ((3, 6), ROAD)]
    lines = read(ring, ways)
    driven = 200 + 60 + math.hypot(170, 0)
    free = driven * 3.6 / PROFILES.speed_kmh(CAR, "residential")
    told = PROFILES[CAR].penalty_s
    assert seconds(lines, CAR, 5, 6) - free == pytest.approx(told["roundabout"], abs=0.1)

    signs = {1: {"highway": "give_way"}, 3: {"highway": "give_way"}}
    assert lost(read, ring, ways, signs, 5, 6) == pytest.approx(told["give_way"], abs=1e-3)


# --- Bounds ---------------------------------------------------------------------------------------


def square(west, south, east, north):
    corners = [(west, south), (east, south), (east, north), (west, north)]
    return shapely.Polygon(lonlat(corners))


def test_ways_wholly_outside_are_dropped_and_those_that_cross_kept_whole(read):
    nodes = {1: (0, 0), 2: (100, 0), 3: (900, 0), 4: (2000, 0), 5: (2100, 0), 6: (-500, 40), 7: (500, 40)}
    ways = [((1, 2, 3), ROAD), ((4, 5), ROAD), ((6, 7), ROAD)]
    lines = read(nodes, ways, bounds=square(-50, -50, 50, 50))
    assert sorted(lengths(lines)) == pytest.approx([900, 1000], abs=0.5)
    assert lines.dropped == {OUTSIDE: 1}


def test_a_way_that_goes_round_the_bounds_is_outside(read):
    diamond = shapely.Polygon(lonlat([(-100, 0), (0, -100), (100, 0), (0, 100)]))
    round_it = {1: (-95, -95), 2: (-95, -500), 3: (500, -500), 4: (500, 500), 5: (95, 500), 6: (95, 95)}
    ways = [(tuple(round_it), ROAD), ((7, 8), ROAD)]
    lines = read(round_it | {7: (0, 0), 8: (50, 0)}, ways, bounds=diamond)
    assert lines.dropped == {OUTSIDE: 1}


def test_a_way_outside_makes_no_junction(read):
    nodes = {1: (0, 0), 2: (100, 0), 3: (200, 0), 4: (100, 100)}
    lines = read(nodes, [((1, 2, 3), ROAD), ((2, 4), ROAD)], bounds=square(-50, -50, 50, 50))
    assert len(lines.end_a) == 1


def test_a_file_of_another_country_tells_both_places(read):
    with pytest.raises(UnreadableFile) as told:
        read(LINE, [((1, 3), ROAD)], bounds=shapely.box(7.0, 48.0, 8.0, 49.0))
    lon, lat = lonlat([(0, 0)])[0]
    assert f"de {lon:.2f}".replace(".", ",") in told.value.message
    assert f"de {lat:.2f}".replace(".", ",") in told.value.message
    assert "de 7,00 à 8,00 de longitude et de 48,00 à 49,00 de latitude" in told.value.message
    assert "région" in told.value.advice


# --- Files ----------------------------------------------------------------------------------------


@pytest.fixture
def pbf(tmp_path):
    path = tmp_path / "tiny.osm.pbf"
    (tmp_path / "source.osm").write_text(
        xml({i: (i * 10, i % 7) for i in range(1, 2001)}, [(range(1, 2001), ROAD)]), "utf-8"
    )
    with osmium.SimpleWriter(str(path)) as writer:
        for each in osmium.FileProcessor(str(tmp_path / "source.osm")):
            writer.add(each)
    return path


def refused(path, match):
    with pytest.raises(UnreadableFile, match=match) as told:
        read_osm(path, epsg=LAMBERT_93, bounds=None, profiles=PROFILES)
    assert told.value.advice
    return told.value


@pytest.mark.parametrize("left", [30, 90, -60, -1])
def test_a_truncated_pbf_is_told(pbf, left):
    pbf.write_bytes(pbf.read_bytes()[:left])
    refused(pbf, "tiny.osm.pbf est incomplet ou abîmé")
    with pytest.raises(UnreadableFile, match="incomplet"):
        osm_vintage(pbf)


def test_truncated_text_and_archives_are_told(tmp_path):
    text = xml(LINE, [((1, 3), ROAD)]).encode()
    for name, content in {
        "cut.osm": text[:-20],
        "cut.osm.gz": gzip.compress(text)[:-20],
        "cut.osm.bz2": bz2.compress(text)[:-20],
    }.items():
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name, f"{name} est incomplet ou abîmé")


@pytest.mark.parametrize("name", ["letter.osm.pbf", "letter.osm", "letter.txt", "letter.json"])
def test_a_file_of_another_kind_is_told(tmp_path, name):
    (tmp_path / name).write_bytes(b"Dear Sir, the roads are in a poor state. " * 50)
    refused(tmp_path / name, f"{name} n'est pas un fichier OpenStreetMap lisible")


def test_an_empty_file_is_told(tmp_path):
    (tmp_path / "none.osm.pbf").touch()
    refused(tmp_path / "none.osm.pbf", "est vide")


def test_a_missing_file_is_told(tmp_path):
    refused(tmp_path / "none.osm.pbf", "est introuvable")


def test_a_file_without_roads_is_told(read):
    with pytest.raises(UnreadableFile, match="ne contient aucune route"):
        read(LINE, [((1, 2, 3), {"waterway": "river"})])


def test_a_file_of_closed_roads_is_told(read):
    with pytest.raises(UnreadableFile, match="aucune route praticable : ses 1 voies"):
        read(LINE, [((1, 3), ROAD | {"access": "private"})])


def test_a_file_without_the_nodes_of_its_roads_is_told(read):
    with pytest.raises(UnreadableFile, match="pas la position de leurs points"):
        read({9: (0, 0)}, [((1, 3), ROAD)])


def test_all_kinds_of_files_tell_the_same(tmp_path, pbf):
    text = (tmp_path / "source.osm").read_bytes()
    (tmp_path / "b.osm.gz").write_bytes(gzip.compress(text))
    (tmp_path / "c.osm.bz2").write_bytes(bz2.compress(text))
    names = ["source.osm", "tiny.osm.pbf", "b.osm.gz", "c.osm.bz2"]
    read = [read_osm(tmp_path / n, epsg=LAMBERT_93, bounds=None, profiles=PROFILES) for n in names]
    for other in read[1:]:
        assert (other.shape_xy == read[0].shape_xy).all()
        assert (other.seconds[CAR] == read[0].seconds[CAR]).all()


def test_progress_ends_at_its_total(pbf):
    told: list[tuple[int, int]] = []
    read_osm(pbf, epsg=LAMBERT_93, bounds=None, profiles=PROFILES, progress=lambda *done: told.append(done))
    assert told[-1] == (1, 1)


def test_the_vintage_is_that_of_the_header(tmp_path):
    header = osmium.io.Header()
    header.set("osmosis_replication_timestamp", "2026-03-04T21:00:00Z")
    path = tmp_path / "dated.osm.pbf"
    with osmium.SimpleWriter(str(path), header=header) as writer:
        writer.add_node(osmium.osm.mutable.Node(id=1, location=(0.6, 44.2)))
    assert osm_vintage(path) == "2026-03-04"


@pytest.mark.parametrize(
    ("stamp", "vintage"),
    [('timestamp="2024-05-06T07:08:09Z" version="2"', "2024-05-06"), ("", UNKNOWN_VINTAGE)],
)
def test_failing_a_header_the_vintage_is_that_of_the_newest_road(tmp_path, stamp, vintage):
    path = tmp_path / "tiny.osm"
    path.write_text(xml(LINE, [((1, 3), ROAD)], stamp=stamp), "utf-8")
    assert osm_vintage(path) == vintage


# --- Real extracts --------------------------------------------------------------------------------

EXTRACTS = {
    "liechtenstein-latest.osm.pbf": (32632, "2015-07-27", 0.93),
    "monaco.osm.gz": (LAMBERT_93, "2012-06-29", 0.9),
    "paris_bss.osm.pbf": (LAMBERT_93, UNKNOWN_VINTAGE, 0.7),
}


@needs_shared
@pytest.mark.parametrize("name", EXTRACTS)
def test_a_real_extract_is_read_whole(name):
    path = SHARED / "data" / "osm" / name
    epsg, vintage, hanging_together = EXTRACTS[name]
    lines = read_osm(path, epsg=epsg, bounds=None, profiles=PROFILES)
    assert osm_vintage(path) == vintage

    found: Any = osmium.FileProcessor(str(path)).with_locations()
    places = [
        [(n.lon, n.lat) for n in way.nodes if n.location.valid()]
        for way in found.with_filter(osmium.filter.KeyFilter("highway"))
        if way.is_way()
    ]
    lonlats = np.array([point for place in places for point in place])
    points = {tuple(xy) for xy in lines.shape_xy.round(2).tolist()}
    known = [tuple(xy) in points for xy in project(lonlats[:, 0], lonlats[:, 1], epsg).round(2).tolist()]
    ends = np.cumsum([len(place) for place in places]).tolist()
    kept = sum(any(known[a:b]) and all(known[a:b]) for a, b in pairwise([0, *ends]))
    dropped = sum(lines.dropped.values())
    assert 0 < dropped < len(places) / 8
    assert kept >= len(places) - dropped

    assert all(length > 0 for length in lengths(lines))
    for mode in Mode:
        graph = network(lines, mode)
        travelled = graph.subgraph(n for n in graph if graph.degree(n))
        largest = max(nx.strongly_connected_components(travelled), key=len)
        assert len(largest) >= hanging_together * len(travelled), mode
