"""Tags of OpenStreetMap ways: one-way rules, access, speeds, and where places can be snapped."""

from __future__ import annotations

import pytest

from geo.reach.modes import Mode
from geo.reach.osm_tags import AREA, CLOSED, FERRY, NO_ROAD, NOT_OPEN
from tests.support.osm import ALL, BICYCLE, CAR, FOOT, LINE, PROFILES, ROAD, lengths, passes, seconds


def kmh(lines, mode=CAR):
    return [
        round(length * 3.6 / s[0], 1) for length, s in zip(lengths(lines), lines.seconds[mode], strict=True)
    ]


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
def test_one_way_tags_apply_to_their_modes(read_ways, tags, there, back):
    lines = read_ways(LINE, [((1, 2, 3), ROAD | tags)])
    assert passes(lines, 1, 3) == there
    assert passes(lines, 3, 1) == back


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
def test_access_tags_apply_to_their_modes(read_ways, tags, modes):
    lines = read_ways(LINE, [((1, 3), tags)])
    assert passes(lines, 1, 3) == passes(lines, 3, 1) == modes


def test_a_bicycle_is_pushed_where_riding_is_forbidden(read_ways):
    pushed = read_ways(LINE, [((1, 3), ROAD | {"bicycle": "dismount"})])
    ridden = read_ways(LINE, [((1, 3), {"highway": "footway", "bicycle": "yes"})])
    walked = read_ways(LINE, [((1, 3), {"highway": "footway"})])
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
def test_a_way_left_out_is_counted_with_its_reason(read_ways, tags, reason):
    lines = read_ways(LINE, [((1, 2), ROAD), ((2, 3), tags)])
    assert lines.dropped == {reason: 1}
    assert len(lines.end_a) == 1


def test_ferries_and_rails_are_never_roads(read_ways):
    lines = read_ways(LINE, [((1, 2), ROAD), ((2, 3), {"route": "ferry"}), ((2, 3), {"railway": "rail"})])
    assert len(lines.end_a) == 1
    assert lines.dropped == {}


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
def test_a_posted_limit_is_read(read_ways, value, limit):
    lines = read_ways(LINE, [((1, 3), {"highway": "tertiary", "maxspeed": value})])
    expected = PROFILES.speed_kmh(CAR, "tertiary", limit_kmh=limit)
    assert kmh(lines) == pytest.approx([expected], abs=0.1)


@pytest.mark.parametrize("key", ["maxspeed:type", "source:maxspeed", "zone:maxspeed"])
def test_a_limit_given_by_its_type_is_read(read_ways, key):
    lines = read_ways(LINE, [((1, 3), {"highway": "tertiary", key: "FR:urban"})])
    assert kmh(lines) == pytest.approx([PROFILES.speed_kmh(CAR, "tertiary", limit_kmh=50)], abs=0.1)


def test_each_direction_has_its_own_limit(read_ways):
    tags = {"highway": "secondary", "maxspeed": "80", "maxspeed:backward": "50"}
    lines = read_ways(LINE, [((1, 3), tags)])
    there, back = lines.seconds[CAR][0]
    assert 200 * 3.6 / there == pytest.approx(PROFILES.speed_kmh(CAR, "secondary", limit_kmh=80), rel=0.01)
    assert 200 * 3.6 / back == pytest.approx(PROFILES.speed_kmh(CAR, "secondary", limit_kmh=50), rel=0.01)


def test_surface_and_track_type_slow(read_ways):
    rough = {"highway": "track", "surface": "mud", "tracktype": "grade5"}
    lines = read_ways(LINE, [((1, 3), rough)])
    assert kmh(lines) == [PROFILES[CAR].surface_kmh["mud"]]
    assert kmh(lines, BICYCLE) == [PROFILES[BICYCLE].surface_kmh["mud"]]


@pytest.mark.parametrize("tags", [{"zone:traffic": "FR:urban"}, {"sidewalk": "both"}])
def test_tags_mark_a_built_up_area(read_ways, tags):
    lines = read_ways(LINE, [((1, 3), {"highway": "secondary"} | tags)])
    assert kmh(lines) == pytest.approx([PROFILES.speed_kmh(CAR, "secondary", built_up=True)], abs=0.1)


def test_residential_land_is_built_up(read_ways):
    nodes = LINE | {4: (900, 0), 11: (-50, -50), 12: (250, -50), 13: (250, 50), 14: (-50, 50)}
    town = ((11, 12, 13, 14, 11), {"landuse": "residential"})
    lines = read_ways(nodes, [((1, 3), {"highway": "secondary"}), ((3, 4), {"highway": "secondary"}), town])
    inside, outside = (PROFILES.speed_kmh(CAR, "secondary", built_up=b) for b in (True, False))
    assert kmh(lines) == pytest.approx([inside, outside], abs=0.1)
    fields = (town[0], {"landuse": "farmland"})
    assert kmh(read_ways(nodes, [((1, 3), {"highway": "secondary"}), fields])) == pytest.approx(
        [outside], abs=0.1
    )


def test_land_cut_at_the_edge_of_the_file_is_left_out(read_ways):
    cut = ((1, 98, 99, 1), {"landuse": "residential"})
    lines = read_ways(LINE, [((1, 3), {"highway": "secondary"}), cut])
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
def test_places_are_not_snapped_to_bridges_tunnels_and_motorways(read_ways, tags, joined):
    lines = read_ways(LINE, [((1, 3), tags)])
    assert lines.reachable[CAR].tolist() == [joined]


def test_a_place_is_only_snapped_to_roads_open_to_its_mode(read_ways):
    lines = read_ways(LINE, [((1, 3), {"highway": "footway"})])
    assert {mode: lines.reachable[mode].tolist() for mode in Mode} == {
        CAR: [False],
        BICYCLE: [True],
        FOOT: [True],
    }
