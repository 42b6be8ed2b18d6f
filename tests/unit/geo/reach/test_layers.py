"""Line layers as roads: where lines meet, what is dropped, and the pieces cut."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiLineString, Point, box

from geo.crs import LAMBERT_93
from geo.errors import UnreadableFile
from geo.reach import layer_attributes, layers
from geo.reach.build import area_of
from geo.reach.layers import read_layer
from geo.reach.modes import Mode
from tests.support.road_layers import (
    PROFILES,
    D,
    X,
    Y,
    ends,
    ends_of_pieces,
    geojson,
    junctions,
    line,
    speeds,
)
from tests.support.world import TERRITORY, at


def test_lines_meet_at_ends_and_shared_vertices_and_not_where_they_cross(read_rows):
    cross = line((0, 0), (1000, 1000))
    other = line((0, 1000), (1000, 0))
    assert junctions(read_rows((cross, D), (other, D))) == 4
    through = line((0, 0), (500, 500), (1000, 1000))
    met = read_rows((through, D), (line((0, 1000), (500, 500), (1000, 0)), D))
    assert (junctions(met), len(met.end_a)) == (5, 4)
    branch = read_rows((through, D), (line((500, 500), (500, 900)), D))
    assert (junctions(branch), len(branch.end_a)) == (4, 3)


@pytest.mark.parametrize(("gap", "meet"), [(0.0, True), (0.9, True), (1.1, False)])
def test_ends_at_most_a_metre_apart_are_one_junction(read_rows, gap, meet):
    lines = read_rows((line((0, 0), (1000, 0)), D), (line((1000 + gap, 0), (2000, 0)), D))
    assert junctions(lines) == (3 if meet else 4)
    if meet:
        assert (lines.shape_xy[1] == lines.shape_xy[2]).all(), "one junction, one place"
    wider = read_rows((line((0, 0), (1000, 0)), D), (line((1000 + gap, 0), (2000, 0)), D), snap_m=2.0)
    assert junctions(wider) == 3


def test_a_bridge_meets_the_roads_at_its_ends_and_not_the_one_below(read_rows):
    below = (line((0, 0), (500, 0), (1000, 0)), D | {"POS_SOL": "0"})
    approach = (line((500, -900), (500, -100)), D | {"POS_SOL": "0"})
    bridge = (line((500, -100), (500, 0), (500, 100)), D | {"POS_SOL": "1"})
    lines = read_rows(below, approach, bridge)
    assert (junctions(lines), len(lines.end_a)) == (5, 3)
    assert sorted(lines.reachable[Mode.CAR].tolist()) == [False, True, True]
    level = read_rows(below, approach, (bridge[0], D | {"POS_SOL": "0"}))
    assert (junctions(level), len(level.end_a)) == (6, 5)


def test_a_road_that_ends_under_a_bridge_does_not_meet_it(read_rows):
    bridge = (line((500, -100), (500, 0), (500, 100)), D | {"POS_SOL": "1"})
    dead_end = (line((0, 0), (500, 0)), D | {"POS_SOL": "0"})
    assert (
        junctions(read_rows(bridge, dead_end)),
        junctions(read_rows(bridge, (dead_end[0], bridge[1]))),
    ) == (4, 4)
    assert len(read_rows(bridge, dead_end).end_a) == 2
    assert len(read_rows(bridge, (dead_end[0], bridge[1])).end_a) == 3


def test_shapes_go_from_the_junction_of_one_end_to_that_of_the_other(read_rows):
    lines = read_rows(
        (line((0, 0), (300, 40), (600, 0), (900, 0)), D), (line((600, 0), (600, 500)), D), (Point(X, Y), D)
    )
    assert ends(lines) == [[(0, 0), (600, 0)], [(600, 0), (600, 500)], [(600, 0), (900, 0)]]
    assert lines.shape_start.tolist() == [0, 3, 5, 7]
    assert lines.dropped == {layers.NO_GEOMETRY: 1}


def test_parts_of_one_feature_are_several_lines_and_count_once(read_rows):
    both = MultiLineString([line((0, 0), (500, 0)), line((500, 0), (900, 0))])
    lines = read_rows((both, D), (line((900, 0), (950, 0)), D))
    assert (lines.features, len(lines.end_a), junctions(lines)) == (2, 3, 4)


def test_roads_that_share_a_stretch_become_one_piece_of_the_higher_class(read_rows):
    together = [(0, 0), (500, 0), (1000, 0)]
    lines = read_rows(
        (line(*together), {"route": "D1"}),
        (line((-500, 0), *together, (1500, 0)), {"route": "N21"}),
        (line((500, 0), (0, 0)), {"route": "D2"}),
    )
    assert ends(lines) == [
        [(-500, 0), (0, 0)],
        [(0, 0), (500, 0)],
        [(500, 0), (1000, 0)],
        [(1000, 0), (1500, 0)],
    ]
    assert lines.dropped == {layers.DRAWN_TWICE: 2}
    alone = read_rows((line((0, 0), (500, 0)), {"route": "N21"}))
    fastest = speeds(lines, piece=[e[0][0] for e in ends_of_pieces(lines)].index(0))
    assert fastest[0] == pytest.approx(speeds(alone)[0], rel=0.02)


def test_two_carriageways_of_one_drawing_both_stay(read_rows):
    lines = read_rows(
        (line((0, 0), (500, 0)), D | {"oneway": "yes"}), (line((500, 0), (0, 0)), D | {"oneway": "yes"})
    )
    assert len(lines.end_a) == 2


def test_delays_at_junctions_follow_the_profiles_by_rank(read_rows):
    lines = read_rows(
        (line((0, 0), (1000, 0), (2000, 0)), {"route": "N21"}),
        (line((1000, 0), (1000, 1000)), {"route": "D1"}),
    )
    loss = PROFILES[Mode.CAR].junction_s
    base = 3_600 / PROFILES.speed_kmh(Mode.CAR, "primary")
    minor = 3_600 / PROFILES.speed_kmh(Mode.CAR, "secondary")
    found = sorted(np.round(lines.seconds[Mode.CAR].astype(float), 2).tolist())
    assert found == sorted(
        np.round(
            [[base + loss["major"], base], [base, base + loss["major"]], [minor, minor + loss["minor"]]], 2
        ).tolist()
    )


def test_every_feature_is_used_or_counted_with_its_reason(read_rows):
    lines = read_rows(
        (line((0, 0), (1000, 0)), {"NATURE": "Route à 1 chaussée"}),
        (line((1000, 0), (1000, 0.3)), {"NATURE": "Route à 1 chaussée"}),
        (line((0, 0), (0, 500)), {"NATURE": "Bac ou liaison maritime"}),
        (line((0, 0), (0, 600)), {"NATURE": "Route à 1 chaussée", "ETAT": "En construction"}),
        (line((0, 0), (0, 700)), {"NATURE": "Piste d'aérodrome"}),
        (line((0, 0), (0, 800)), {"NATURE": None}),
        (line((0, 0), (0, 900)), {"NATURE": "Autoroute", "ACCES_VL": "Physiquement impossible"}),
        (None, {"NATURE": "Chemin"}),
        (Point(X, Y), {"NATURE": "Chemin"}),
        (box(X, Y, X + 9, Y + 9), {"NATURE": "Chemin"}),
        (line((0, 0), (1000, 0)), {"NATURE": "Route à 1 chaussée"}),
        (line((9e5, 0), (9.1e5, 0)), {"NATURE": "Route à 1 chaussée"}),
        bounds=area_of(TERRITORY, 15),
    )
    assert lines.dropped == {
        layer_attributes.CLOSED: 1,
        layers.DRAWN_TWICE: 1,
        layers.ELSEWHERE: 1,
        layer_attributes.FERRY: 1,
        layer_attributes.NO_CLASS: 1,
        layers.NO_GEOMETRY: 3,
        layers.NO_LENGTH: 1,
        layer_attributes.NOT_IN_SERVICE: 1,
        layer_attributes.UNKNOWN_CLASS: 1,
    }
    assert lines.features == 12 == sum(lines.dropped.values()) + 1
    assert len(lines.end_a) == 1


def test_long_roads_are_cut_to_the_pieces_that_touch_the_area(read_rows):
    whole = line((0, 0), (25_000, 0), (60_000, 0), (100_000, 0))
    branch = line((25_000, 0), (25_000, 50))
    back = line((20_000, 3_000), (60_000, 3_000), (60_000, 0))
    away = line((60_000, 0), (60_000, -50))
    lines = read_rows((whole, D), (branch, D), (back, D), (away, D), bounds=area_of(TERRITORY, 0))
    assert ends(lines) == [
        [(0, 0), (25_000, 0)],
        [(20_000, 3_000), (60_000, 0)],
        [(25_000, 0), (25_000, 50)],
        [(25_000, 0), (60_000, 0)],
    ]
    assert lines.dropped == {layers.ELSEWHERE: 1}


def test_a_layer_of_another_country_is_refused_with_the_count(read_rows):
    with pytest.raises(UnreadableFile, match="Aucune des 1 lignes") as found:
        read_rows((line((9e5, 0), (9.1e5, 0)), D), bounds=area_of(TERRITORY, 15))
    assert "1 sont ailleurs" in str(found.value)
    assert "système de coordonnées" in found.value.advice


def test_progress_ends_at_the_number_of_features(read_rows):
    seen = []
    read_rows(
        (line((0, 0), (1000, 0)), D), (line((0, 0), (0, 9)), D), progress=lambda *done: seen.append(done)
    )
    assert seen[-1] == (2, 2)


grid = st.integers(0, 4).map(lambda k: k * 100.0)
polylines = st.lists(st.lists(st.tuples(grid, grid), min_size=2, max_size=5), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None)
@given(drawn=polylines)
def test_pieces_cover_what_is_drawn_and_meet_at_ends_and_shared_vertices(tmp_path_factory, drawn):
    path = tmp_path_factory.getbasetemp() / "hypothesis.geojson"
    corner = np.array([at(5).x, at(5).y])
    shapes = [LineString(corner + np.array(points) * 1e-5) for points in drawn]
    geojson(path, *[(shape, D) for shape in shapes])
    with_length = [s for s in shapes if s.length > 0]
    if not with_length:
        with pytest.raises(UnreadableFile):
            read_layer(path, epsg=LAMBERT_93, bounds=None, profiles=PROFILES)
        return
    lines = read_layer(path, epsg=LAMBERT_93, bounds=None, profiles=PROFILES)
    dropped = sum(lines.dropped.values())
    assert lines.features == len(shapes)
    assert len(shapes) - len(with_length) <= dropped < lines.features

    def steps(line_points):
        cleaned = [p for p, before in zip(line_points, [None, *line_points], strict=False) if p != before]
        return [frozenset(pair) for pair in pairwise(cleaned)]

    expected = {step for points in drawn for step in steps(points)}
    xy = np.round(lines.shape_xy, 1)
    found = set()
    for e in range(len(lines.end_a)):
        points = [tuple(p) for p in xy[lines.shape_start[e] : lines.shape_start[e + 1]].tolist()]
        found |= set(steps(points))
    assert len(found) == len(expected), "each step drawn is on a piece, and no other is"
    uses = Counter(p for points in drawn for p in dict.fromkeys(points))
    real = [[p for p, before in zip(ps, [None, *ps], strict=False) if p != before] for ps in drawn]
    line_ends = {p for ps in real if len(ps) > 1 for p in (ps[0], ps[-1])}
    shared = {p for p, n in uses.items() if n > 1}
    repeated = {p for ps in real for p, n in Counter(ps).items() if n > 1}
    used = {p for ps in real if len(ps) > 1 for p in ps}
    assert junctions(lines) == len((line_ends | shared | repeated) & used)
