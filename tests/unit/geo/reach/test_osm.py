"""Roads from OpenStreetMap: where ways meet, barriers, and the area read."""

from __future__ import annotations

import math
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.crs import LAMBERT_93
from geo.errors import UnreadableFile
from geo.reach.modes import Mode
from geo.reach.osm import read_osm
from geo.reach.osm_segments import INCOMPLETE, OUTSIDE
from tests.support.osm import (
    ALL,
    BICYCLE,
    CAR,
    CROSS,
    FOOT,
    LINE,
    ORIGIN,
    PROFILES,
    ROAD,
    lengths,
    lonlat,
    network,
    passes,
    seconds,
    xml,
)

# --- Junctions ------------------------------------------------------------------------------------


def test_ways_are_cut_at_the_node_they_share(read_ways):
    lines = read_ways(CROSS, [((1, 5, 2), ROAD), ((3, 5, 4), ROAD)])
    assert sorted(zip(lines.end_a.tolist(), lines.end_b.tolist(), strict=True)) == [
        (1, 5),
        (3, 5),
        (5, 2),
        (5, 4),
    ]
    assert lengths(lines) == pytest.approx([200] * 4, abs=0.1)
    assert lines.dropped == {}


def test_ways_that_cross_without_a_node_do_not_meet(read_ways):
    bridge = ROAD | {"bridge": "yes", "layer": "1"}
    lines = read_ways(CROSS, [((1, 2), ROAD), ((3, 4), bridge)])
    assert passes(lines, 1, 2) == passes(lines, 3, 4) == ALL
    assert passes(lines, 1, 4) == set()


def test_a_node_of_only_one_way_is_a_shape_point(read_ways):
    lines = read_ways({1: (0, 0), 2: (100, 50), 3: (200, 0)}, [((1, 2, 3), ROAD)])
    assert len(lines.end_a) == 1
    assert (lines.shape_xy - ORIGIN).round().tolist() == [[0, 0], [100, 50], [200, 0]]


def test_a_way_that_meets_itself_is_cut_there(read_ways):
    nodes = {1: (0, 0), 2: (100, 0), 3: (200, 0), 4: (200, 100)}
    lines = read_ways(nodes, [((1, 2, 3, 4, 2), ROAD)])
    assert sorted(zip(lines.end_a.tolist(), lines.end_b.tolist(), strict=True)) == [(1, 2), (2, 2)]


def test_a_way_that_leaves_the_file_and_comes_back_is_two_pieces(read_ways):
    lines = read_ways({1: (0, 0), 2: (100, 0), 4: (300, 0), 5: (400, 0)}, [((1, 2, 3, 4, 5), ROAD)])
    assert lengths(lines) == pytest.approx([100, 100], abs=0.1)
    assert passes(lines, 1, 5) == set()


def test_a_way_without_two_located_nodes_is_counted(read_ways):
    lines = read_ways(LINE, [((1, 2), ROAD), ((3, 99), ROAD), ((3,), ROAD), ((3, 3), ROAD)])
    assert lines.dropped == {INCOMPLETE: 3}


def test_two_nodes_at_the_same_position_make_a_way_of_length_zero(read_ways):
    nodes = {1: (0, 0), 2: (100, 0), 3: (100, 0), 4: (200, 0)}
    lines = read_ways(nodes, [((1, 2), ROAD), ((2, 3), {"highway": "footway"}), ((3, 4), ROAD)])
    assert passes(lines, 1, 4) == {BICYCLE, FOOT}
    assert seconds(lines, FOOT, 2, 3) == 0
    assert not any(np.isnan(lines.seconds[mode]).any() for mode in Mode)


PLACES = [(0, 0), (310, 20), (40, 290), (350, 330), (700, 10), (720, 380), (60, 640), (390, 700)]
walks = st.lists(
    st.lists(st.integers(1, len(PLACES)), min_size=2, max_size=6), min_size=1, max_size=6
).filter(lambda ways: any(a != b for way in ways for a, b in pairwise(way)))


@settings(max_examples=40, deadline=None)
@given(ways=walks)
def test_walking_times_match_a_graph_of_every_node(tmp_path_factory, ways):
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
        for b, reached in nx.single_source_dijkstra_path_length(graph, a, weight="s").items():
            assert reached == pytest.approx(over_all[a][b], abs=0.1)


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
def test_a_barrier_stops_its_modes(read_ways, tags, modes, ways):
    lines = read_ways(LINE, [(way, ROAD) for way in ways], {2: tags})
    assert passes(lines, 1, 3) == passes(lines, 3, 1) == modes
    if modes != ALL:
        assert passes(lines, 1, 2) | passes(lines, 3, 2) == ALL


@pytest.mark.parametrize("ways", [[(1, 2, 3)], [(1, 2), (3, 2)], [(2, 1), (2, 3)]])
def test_the_road_on_either_side_of_a_barrier_stays_open(read_ways, ways):
    lines = read_ways(LINE, [(way, ROAD) for way in ways], {2: {"barrier": "bollard"}})
    driven = np.isfinite(lines.seconds[CAR]).all(axis=1)
    assert sum(np.array(lengths(lines))[driven]) == pytest.approx(199, abs=0.1)
    assert (lines.reachable[CAR] == driven).all()
    assert sum(lengths(lines)) == pytest.approx(200, abs=0.1)


def test_barriers_at_both_ends_of_one_segment_both_stop(read_ways):
    nodes = {1: (0, 0), 2: (100, 0), 3: (200, 0), 4: (300, 0)}
    lines = read_ways(
        nodes,
        [((1, 2), ROAD), ((2, 3), ROAD), ((4, 3), ROAD)],
        {2: {"barrier": "bollard"}, 3: {"barrier": "stile"}},
    )
    assert passes(lines, 1, 4) == {FOOT}
    assert passes(lines, 1, 2) == passes(lines, 4, 3) == ALL
    assert passes(lines, 2, 3) == {FOOT}


def test_a_barrier_at_a_junction_is_ignored(read_ways):
    lines = read_ways(
        CROSS, [((1, 5, 2), ROAD), ((5, 4), ROAD)], {5: {"barrier": "gate", "access": "private"}}
    )
    assert passes(lines, 1, 2) == passes(lines, 1, 4) == ALL


# --- Bounds ---------------------------------------------------------------------------------------


def square(west, south, east, north):
    corners = [(west, south), (east, south), (east, north), (west, north)]
    return shapely.Polygon(lonlat(corners))


def test_ways_outside_are_dropped_and_crossing_ones_read_whole(read_ways):
    nodes = {1: (0, 0), 2: (100, 0), 3: (900, 0), 4: (2000, 0), 5: (2100, 0), 6: (-500, 40), 7: (500, 40)}
    ways = [((1, 2, 3), ROAD), ((4, 5), ROAD), ((6, 7), ROAD)]
    lines = read_ways(nodes, ways, bounds=square(-50, -50, 50, 50))
    assert sorted(lengths(lines)) == pytest.approx([900, 1000], abs=0.5)
    assert lines.dropped == {OUTSIDE: 1}


def test_a_way_that_goes_round_the_bounds_is_outside(read_ways):
    diamond = shapely.Polygon(lonlat([(-100, 0), (0, -100), (100, 0), (0, 100)]))
    round_it = {1: (-95, -95), 2: (-95, -500), 3: (500, -500), 4: (500, 500), 5: (95, 500), 6: (95, 95)}
    ways = [(tuple(round_it), ROAD), ((7, 8), ROAD)]
    lines = read_ways(round_it | {7: (0, 0), 8: (50, 0)}, ways, bounds=diamond)
    assert lines.dropped == {OUTSIDE: 1}


def test_a_way_outside_makes_no_junction(read_ways):
    nodes = {1: (0, 0), 2: (100, 0), 3: (200, 0), 4: (100, 100)}
    lines = read_ways(nodes, [((1, 2, 3), ROAD), ((2, 4), ROAD)], bounds=square(-50, -50, 50, 50))
    assert len(lines.end_a) == 1


def test_a_file_of_another_country_is_refused_with_both_extents(read_ways):
    with pytest.raises(UnreadableFile) as error:
        read_ways(LINE, [((1, 3), ROAD)], bounds=shapely.box(7.0, 48.0, 8.0, 49.0))
    lon, lat = lonlat([(0, 0)])[0]
    assert f"de {lon:.2f}".replace(".", ",") in error.value.message
    assert f"de {lat:.2f}".replace(".", ",") in error.value.message
    assert "de 7,00 à 8,00 de longitude et de 48,00 à 49,00 de latitude" in error.value.message
    assert "région" in error.value.advice
