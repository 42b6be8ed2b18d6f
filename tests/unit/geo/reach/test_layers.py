"""Line layers as roads: where lines meet, what attributes mean, what is refused or counted."""

from __future__ import annotations

import json
import math
import shutil
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import dijkstra
from shapely import LineString, MultiLineString, Point, box

from geo.crs import LAMBERT_93, WGS84
from geo.errors import InvalidCrs, UnreadableFile
from geo.reach import layers
from geo.reach.build import area_of, build_graph
from geo.reach.graph import GraphMetadata, matrix
from geo.reach.layers import read_layer
from geo.reach.modes import Mode
from geo.reach.profiles import load_profiles
from tests.support.shared import SHARED, needs_shared
from tests.support.world import ORIGIN_X, ORIGIN_Y, TERRITORY, at
from tests.unit.geo.reach.test_build import summary_of

X, Y = 510_000.0, 6_405_000.0
PROFILES = load_profiles()
ABOUT = GraphMetadata("", "essai", "gpkg", "", "", "", datetime(2026, 11, 2, tzinfo=UTC))


def line(*points):
    """A line through points given in metres from the corner of the tests."""
    return LineString([(X + x, Y + y) for x, y in points])


@pytest.fixture
def read(tmp_path):
    """Write rows (geometry, attributes) as a GeoPackage in Lambert-93, then read it."""

    def reading(*rows, **options):
        path = tmp_path / "routes.gpkg"
        columns = {name: [told.get(name) for _, told in rows] for _, row in rows for name in row}
        gpd.GeoDataFrame(columns, geometry=[shape for shape, _ in rows], crs=LAMBERT_93).to_file(path)
        return read_layer(path, **{"epsg": LAMBERT_93, "bounds": None, "profiles": PROFILES} | options)

    return reading


D = {"route": "D1"}


def ends(lines):
    """Pieces as pairs of end points, metres from the corner, each and all sorted."""
    start = lines.shape_start
    return sorted(
        sorted(
            [tuple(np.round(lines.shape_xy[i] - (X, Y), 3).tolist()) for i in (start[e], start[e + 1] - 1)]
        )
        for e in range(len(lines.end_a))
    )


def junctions(lines):
    return len(set(lines.end_a) | set(lines.end_b))


def of(lines, mode=Mode.CAR, piece=0):
    """Speeds of a piece forth and back, km/h, junctions aside."""
    shape = lines.shape_xy[lines.shape_start[piece] : lines.shape_start[piece + 1]]
    metres = np.hypot(*np.diff(shape, axis=0).T).sum()
    return tuple(round(float(metres * 3.6 / s), 2) for s in lines.seconds[mode][piece])


def test_lines_meet_at_ends_and_shared_vertices_and_not_where_they_cross(read):
    cross = line((0, 0), (1000, 1000))
    other = line((0, 1000), (1000, 0))
    assert junctions(read((cross, D), (other, D))) == 4
    through = line((0, 0), (500, 500), (1000, 1000))
    met = read((through, D), (line((0, 1000), (500, 500), (1000, 0)), D))
    assert (junctions(met), len(met.end_a)) == (5, 4)
    branch = read((through, D), (line((500, 500), (500, 900)), D))
    assert (junctions(branch), len(branch.end_a)) == (4, 3)


@pytest.mark.parametrize(("gap", "meet"), [(0.0, True), (0.9, True), (1.1, False)])
def test_ends_a_metre_apart_are_one_junction(read, gap, meet):
    lines = read((line((0, 0), (1000, 0)), D), (line((1000 + gap, 0), (2000, 0)), D))
    assert junctions(lines) == (3 if meet else 4)
    if meet:
        assert (lines.shape_xy[1] == lines.shape_xy[2]).all(), "one junction, one place"
    wider = read((line((0, 0), (1000, 0)), D), (line((1000 + gap, 0), (2000, 0)), D), snap_m=2.0)
    assert junctions(wider) == 3


def test_a_bridge_meets_the_roads_at_its_ends_and_not_the_one_below(read):
    below = (line((0, 0), (500, 0), (1000, 0)), D | {"POS_SOL": "0"})
    approach = (line((500, -900), (500, -100)), D | {"POS_SOL": "0"})
    bridge = (line((500, -100), (500, 0), (500, 100)), D | {"POS_SOL": "1"})
    lines = read(below, approach, bridge)
    assert (junctions(lines), len(lines.end_a)) == (5, 3)
    assert sorted(lines.reachable[Mode.CAR].tolist()) == [False, True, True]
    level = read(below, approach, (bridge[0], D | {"POS_SOL": "0"}))
    assert (junctions(level), len(level.end_a)) == (6, 5)


def test_a_road_that_ends_under_a_bridge_does_not_meet_it(read):
    bridge = (line((500, -100), (500, 0), (500, 100)), D | {"POS_SOL": "1"})
    dead_end = (line((0, 0), (500, 0)), D | {"POS_SOL": "0"})
    assert (junctions(read(bridge, dead_end)), junctions(read(bridge, (dead_end[0], bridge[1])))) == (4, 4)
    assert len(read(bridge, dead_end).end_a) == 2
    assert len(read(bridge, (dead_end[0], bridge[1])).end_a) == 3


def test_shapes_go_from_the_junction_of_one_end_to_that_of_the_other(read):
    lines = read(
        (line((0, 0), (300, 40), (600, 0), (900, 0)), D), (line((600, 0), (600, 500)), D), (Point(X, Y), D)
    )
    assert ends(lines) == [[(0, 0), (600, 0)], [(600, 0), (600, 500)], [(600, 0), (900, 0)]]
    assert lines.shape_start.tolist() == [0, 3, 5, 7]
    assert lines.dropped == {layers.NO_GEOMETRY: 1}


def test_parts_of_one_feature_are_several_lines_and_count_once(read):
    both = MultiLineString([line((0, 0), (500, 0)), line((500, 0), (900, 0))])
    lines = read((both, D), (line((900, 0), (950, 0)), D))
    assert (lines.features, len(lines.end_a), junctions(lines)) == (2, 3, 4)


def test_roads_that_run_together_are_one_piece_of_the_higher_class(read):
    together = [(0, 0), (500, 0), (1000, 0)]
    lines = read(
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
    alone = read((line((0, 0), (500, 0)), {"route": "N21"}))
    fastest = of(lines, piece=[e[0][0] for e in ends_of_pieces(lines)].index(0))
    assert fastest[0] == pytest.approx(of(alone)[0], rel=0.02)


def ends_of_pieces(lines):
    s = lines.shape_start
    return [
        sorted(tuple(np.round(lines.shape_xy[i] - (X, Y)).tolist()) for i in (s[e], s[e + 1] - 1))
        for e in range(len(lines.end_a))
    ]


def test_two_carriageways_of_one_drawing_both_stay(read):
    lines = read(
        (line((0, 0), (500, 0)), D | {"oneway": "yes"}), (line((500, 0), (0, 0)), D | {"oneway": "yes"})
    )
    assert len(lines.end_a) == 2


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"ref": "A62"}, "motorway"),
        ({"route": "N 21"}, "primary"),
        ({"NUMERO": "RD933"}, "secondary"),
        ({"Numero": "VC4"}, "unclassified"),
        ({"CL_ADMIN": "Départementale"}, "secondary"),
        ({"highway": "residential"}, "residential"),
        ({"CLASS": "Tertiary"}, "tertiary"),
        ({"NATURE": "Autoroute"}, "motorway"),
        ({"nature": "Type autoroutier"}, "motorway"),
        ({"nature": "Bretelle", "importance": "1"}, "motorway_link"),
        ({"NATURE": "Route à 2 chaussées", "IMPORTANCE": "1"}, "trunk"),
        ({"NATURE": "Route à 1 chaussée", "IMPORTANCE": "1"}, "primary"),
        ({"NATURE": "Route à 1 chaussée", "IMPORTANCE": 3}, "secondary"),
        ({"NATURE": "Route à 1 chaussée", "IMPORTANCE": "4"}, "tertiary"),
        ({"NATURE": "Route à 1 chaussée", "IMPORTANCE": "5", "URBAIN": "Non"}, "unclassified"),
        ({"NATURE": "Rond-point", "IMPORTANCE": "2"}, "primary"),
        ({"NATURE": "Route empierrée", "IMPORTANCE": "5"}, "track"),
        ({"NATURE": "Chemin"}, "track"),
    ],
)
def test_attributes_tell_the_class_whatever_their_case(read, told, expected):
    lines = read((line((0, 0), (1000, 0)), told))
    assert of(lines)[0] == pytest.approx(PROFILES.speed_kmh(Mode.CAR, expected), rel=1e-3)
    motorway = expected.startswith("motorway")
    assert lines.reachable[Mode.CAR].tolist() == [not motorway]
    assert np.isfinite(lines.seconds[Mode.FOOT]).all() == (not motorway)


def test_urban_streets_of_least_importance_are_residential_at_the_pace_of_towns(read):
    told = {"NATURE": "Route à 1 chaussée", "IMPORTANCE": "5", "URBAIN": True}
    speed = PROFILES.speed_kmh(Mode.CAR, "residential", built_up=True)
    assert of(read((line((0, 0), (1000, 0)), told)))[0] == pytest.approx(speed, rel=1e-3)


@pytest.mark.parametrize(
    ("word", "forth", "back"),
    [
        ("Sens direct", True, False),
        ("Direct", True, False),
        ("yes", True, False),
        ("Sens inverse", False, True),
        ("-1", False, True),
        ("Double sens", True, True),
        ("Sans objet", True, True),
        ("no", True, True),
        (None, True, True),
    ],
)
def test_one_way_streets_bind_wheels_and_not_feet(read, word, forth, back):
    name = "oneway" if word in ("yes", "no", "-1") else "SENS_DE_CIRCULATION"
    lines = read((line((0, 0), (1000, 0)), D | {name: word}))
    for mode in (Mode.CAR, Mode.BICYCLE):
        assert np.isfinite(lines.seconds[mode][0]).tolist() == [forth, back]
    assert np.isfinite(lines.seconds[Mode.FOOT]).all()


def test_the_mean_speed_of_bd_topo_is_that_of_cars_where_it_tells_one(read):
    road = {"NATURE": "Route à 1 chaussée", "IMPORTANCE": "3", "SENS": "Double"}
    usual = PROFILES.speed_kmh(Mode.CAR, "secondary")
    assert of(read((line((0, 0), (1000, 0)), road | {"VITESSE_MOYENNE_VL": 55})))[0] == pytest.approx(
        55, rel=1e-3
    )
    for untold in (0, 1, None, math.nan):
        found = read((line((0, 0), (1000, 0)), road | {"VITESSE_MOYENNE_VL": untold}))
        assert of(found)[0] == pytest.approx(usual, rel=1e-3)
    assert of(found, Mode.BICYCLE) == of(read((line((0, 0), (1000, 0)), road)), Mode.BICYCLE)


@pytest.mark.parametrize("access", ["Physiquement impossible", "Restreint aux ayants droit"])
def test_roads_shut_to_cars_stay_open_to_others(read, access):
    lines = read((line((0, 0), (1000, 0)), {"nature": "Chemin", "acces_vehicule_leger": access}))
    assert np.isinf(lines.seconds[Mode.CAR]).all()
    assert not lines.reachable[Mode.CAR].any()
    assert np.isfinite(lines.seconds[Mode.FOOT]).all()


@pytest.mark.parametrize(
    ("limit", "kmh"),
    [
        ("50", 50),
        (50.0, 50),
        ("50 km/h", 50),
        ("30 mph", 30 * 1.609344),
        ("FR:urban", 50),
        ("none?", None),
        ("0", None),
    ],
)
def test_posted_limits_count_where_they_can_be_read(read, limit, kmh):
    lines = read((line((0, 0), (1000, 0)), {"highway": "secondary", "maxspeed": limit}))
    assert of(lines)[0] == pytest.approx(PROFILES.speed_kmh(Mode.CAR, "secondary", limit_kmh=kmh), rel=1e-3)


def test_junctions_cost_what_the_profiles_say_by_rank(read):
    lines = read(
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


def test_every_feature_is_kept_or_counted_with_its_reason(read):
    lines = read(
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
        layers.CLOSED: 1,
        layers.DRAWN_TWICE: 1,
        layers.ELSEWHERE: 1,
        layers.FERRY: 1,
        layers.NO_CLASS: 1,
        layers.NO_GEOMETRY: 3,
        layers.NO_LENGTH: 1,
        layers.NOT_IN_SERVICE: 1,
        layers.UNKNOWN_CLASS: 1,
    }
    assert lines.features == 12 == sum(lines.dropped.values()) + 1
    assert len(lines.end_a) == 1


def test_long_roads_are_cut_to_the_pieces_that_touch_the_area(read):
    whole = line((0, 0), (25_000, 0), (60_000, 0), (100_000, 0))
    branch = line((25_000, 0), (25_000, 50))
    back = line((20_000, 3_000), (60_000, 3_000), (60_000, 0))
    away = line((60_000, 0), (60_000, -50))
    lines = read((whole, D), (branch, D), (back, D), (away, D), bounds=area_of(TERRITORY, 0))
    assert ends(lines) == [
        [(0, 0), (25_000, 0)],
        [(20_000, 3_000), (60_000, 0)],
        [(25_000, 0), (25_000, 50)],
        [(25_000, 0), (60_000, 0)],
    ]
    assert lines.dropped == {layers.ELSEWHERE: 1}


def test_a_layer_of_another_country_is_refused_with_the_count(read):
    with pytest.raises(UnreadableFile, match="Aucune des 1 lignes") as found:
        read((line((9e5, 0), (9.1e5, 0)), D), bounds=area_of(TERRITORY, 15))
    assert "1 sont ailleurs" in str(found.value)
    assert "système de coordonnées" in found.value.advice


def test_the_layer_with_most_lines_is_the_one_read(tmp_path):
    path = tmp_path / "bdtopo.gpkg"
    for name, count in (("toponymie", 1), ("troncon_de_route", 3)):
        rows = [line((0, 100 * i), (1000, 100 * i)) for i in range(count)]
        gpd.GeoDataFrame({"NATURE": ["Chemin"] * count}, geometry=rows, crs=LAMBERT_93).to_file(
            path, layer=name
        )
    gpd.GeoDataFrame({"a": [1] * 9}, geometry=[Point(X, Y)] * 9, crs=LAMBERT_93).to_file(path, layer="points")
    found = read_layer(path, epsg=LAMBERT_93, bounds=None, profiles=PROFILES)
    assert found.features == 3


def geojson(path, *features, text=None):
    rows = [
        {"type": "Feature", "properties": told, "geometry": shape and shapely.geometry.mapping(shape)}
        for shape, told in features
    ]
    path.write_text(text or json.dumps({"type": "FeatureCollection", "features": rows}), "utf-8")
    return path


def degrees(*x_km):
    return LineString([at(x) for x in x_km])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("vide.geojson", b"", "n'a pas pu être lu"),
        ("texte.geojson", b"bonjour", "n'a pas pu être lu"),
        ("sans.geojson", b'{"type": "FeatureCollection", "features": []}', "est vide"),
        ("faux.gpkg", bytes(200), "n'a pas pu être lu"),
    ],
)
def test_files_that_are_no_layer_are_refused_with_advice(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableFile, match=words) as found:
        read_layer(tmp_path / name, epsg=LAMBERT_93, bounds=None, profiles=PROFILES)
    assert "GeoJSON ou GeoPackage" in found.value.advice


def test_a_missing_file_is_told_as_such(tmp_path):
    with pytest.raises(UnreadableFile, match="introuvable"):
        read_layer(tmp_path / "x.gpkg", epsg=LAMBERT_93, bounds=None, profiles=PROFILES)


def test_truncated_files_are_refused(tmp_path):
    whole = geojson(tmp_path / "a.geojson", *[(degrees(i, i + 1), D) for i in range(30)])
    text = whole.read_text("utf-8")
    rows = [line((0, i), (1000, i)) for i in range(3000)]
    gpd.GeoDataFrame({"ref": ["D1"] * 3000}, geometry=rows, crs=LAMBERT_93).to_file(tmp_path / "b.gpkg")
    content = (tmp_path / "b.gpkg").read_bytes()
    for share in (0.3, 0.6, 0.9):
        whole.write_text(text[: int(len(text) * share)], "utf-8")
        (tmp_path / "b.gpkg").write_bytes(content[: int(len(content) * share)])
        for path in (whole, tmp_path / "b.gpkg"):
            with pytest.raises(UnreadableFile, match="tronqué"):
                read_layer(path, epsg=LAMBERT_93, bounds=None, profiles=PROFILES)


def test_a_layer_of_points_is_no_layer_of_roads(tmp_path):
    path = geojson(tmp_path / "p.geojson", (at(1), D), (at(2), D))
    with pytest.raises(UnreadableFile, match=r"Aucune des 2 lignes|aucune couche de lignes"):
        read_layer(path, epsg=LAMBERT_93, bounds=None, profiles=PROFILES)
    gpd.GeoDataFrame(D, geometry=[at(1)], index=[0], crs=WGS84).to_file(tmp_path / "p.gpkg")
    with pytest.raises(UnreadableFile, match="aucune couche de lignes"):
        read_layer(tmp_path / "p.gpkg", epsg=LAMBERT_93, bounds=None, profiles=PROFILES)


def test_columns_that_tell_no_class_are_named(tmp_path):
    path = geojson(tmp_path / "x.geojson", (degrees(1, 2), {"couleur": "rouge", "id": 3}))
    with pytest.raises(UnreadableFile, match="couleur, id") as found:
        read_layer(path, epsg=LAMBERT_93, bounds=None, profiles=PROFILES)
    assert "NATURE" in found.value.advice


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_a_geopackage_without_reference_system_is_refused(tmp_path):
    gpd.GeoDataFrame(D, geometry=[line((0, 0), (9, 9))], index=[0]).to_file(tmp_path / "x.gpkg")
    with pytest.raises(UnreadableFile, match="dans quel système"):
        read_layer(tmp_path / "x.gpkg", epsg=LAMBERT_93, bounds=None, profiles=PROFILES)


def test_metres_said_to_be_degrees_are_refused(tmp_path):
    path = geojson(tmp_path / "x.geojson", (line((0, 0), (1000, 0)), D))
    with pytest.raises((InvalidCrs, UnreadableFile), match=r"hors du système|sont ailleurs"):
        read_layer(path, epsg=LAMBERT_93, bounds=area_of(TERRITORY, 15), profiles=PROFILES)


def test_progress_tells_how_far_reading_is(read):
    seen = []
    read((line((0, 0), (1000, 0)), D), (line((0, 0), (0, 9)), D), progress=lambda *told: seen.append(told))
    assert seen[-1] == (2, 2)


MOTORWAY = [4, 10, 20, 30]


def motorway_country(folder, labels, away_m=400.0):
    """A motorway with vertices at MOTORWAY (km), and a road that runs beside it at a distance."""
    road = LineString([at(x, 5 + away_m / 1_000) for x in (4, 10, 20, 30)])
    path = geojson(folder / "routes.geojson", (degrees(*MOTORWAY), {"route": "A1"}), (road, {"route": "D1"}))
    rows = "".join(
        f"A1,{label},{at(x).y:.6f},{at(x).x:.6f}\n" for x, label in zip(MOTORWAY, labels, strict=True)
    )
    (folder / "routes-waypoints.csv").write_text(f"route,libelle,lat,lon\n{rows}", "utf-8")
    return path


def metres(x_km, y_km=5.0):
    return np.array([ORIGIN_X + x_km * 1_000, ORIGIN_Y + y_km * 1_000])


def connectors(path, **options):
    return read_layer(path, epsg=LAMBERT_93, bounds=None, profiles=PROFILES, **options)


def test_a_motorway_drawn_apart_is_joined_at_its_exits_only(tmp_path):
    lines = connectors(motorway_country(tmp_path, ["A2", "4", "+X1", "5a"]))
    assert lines.connectors == 2
    ramps = lines.seconds[Mode.CAR][-2:]
    loss = PROFILES[Mode.CAR].junction_s["minor"]
    alone = 400 * 3.6 / PROFILES.speed_kmh(Mode.CAR, "motorway_link")
    assert ramps == pytest.approx(alone + loss, abs=loss)
    assert np.isinf(lines.seconds[Mode.FOOT][-2:]).all()
    assert not lines.reachable[Mode.CAR][-2:].any()
    graph = build_graph(lines, ABOUT)
    assert summary_of(graph)["modes"]["car"]["components"] == 1
    times = dijkstra(matrix(graph, Mode.CAR))
    assert np.isfinite(times).all()
    (exit_4,) = np.flatnonzero(np.hypot(*(graph.node_xy - metres(10)).T) < 1)
    (beside,) = np.flatnonzero(np.hypot(*(graph.node_xy - metres(10, 5.4)).T) < 1)
    assert times[beside, exit_4] == pytest.approx(alone, abs=loss)


def test_exits_of_another_road_join_nothing(tmp_path):
    path = motorway_country(tmp_path, ["+X1", "4", "+X2", "+X3"])
    with path.with_name("routes-waypoints.csv").open("a", encoding="utf-8") as stream:
        stream.write(f"D1,7,{at(20, 5.4).y:.6f},{at(20, 5.4).x:.6f}\n")
    assert connectors(path).connectors == 1


def test_exits_too_far_from_any_road_are_not_joined(tmp_path):
    path = motorway_country(tmp_path, ["1", "2", "3", "4"], away_m=1_600)
    assert connectors(path).connectors == 0
    assert connectors(path, join_within_m=1_700).connectors == 4


def test_a_motorway_that_meets_a_road_already_is_left_as_drawn(tmp_path):
    path = motorway_country(tmp_path, ["1", "2", "3", "4"])
    told = json.loads(path.read_text("utf-8"))
    ramp = {"highway": "motorway_link"}
    shape = shapely.geometry.mapping(LineString([at(4), at(4, 5.4)]))
    told["features"].append({"type": "Feature", "properties": ramp | {"route": None}, "geometry": shape})
    for feature in told["features"][:2]:
        feature["properties"]["highway"] = {"A1": "motorway", "D1": "secondary"}[
            feature["properties"]["route"]
        ]
    path.write_text(json.dumps(told), "utf-8")
    assert connectors(path).connectors == 0


def test_without_labels_nothing_is_joined(tmp_path):
    path = motorway_country(tmp_path, ["+X1", "AireNord", "N/S", ""])
    assert connectors(path).connectors == 0
    (tmp_path / "routes-waypoints.csv").unlink()
    assert connectors(path).connectors == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nom,x\n1,2\n", "pas de colonne lat, libelle, lon"),
        ("libelle,lat,lon\n4,44,1\n5,quarante,1\n", "ligne 3, lat n'est pas un nombre : « quarante »"),
        ("libelle,lat,lon\n4,44\n", "ligne 2, lon n'est pas un nombre"),
        ("libelle,lat,lon\n\xff,44,1\n", "n'a pas pu être lu"),
    ],
)
def test_a_broken_file_of_waypoints_is_refused_by_line(tmp_path, text, words):
    path = motorway_country(tmp_path, ["1", "2", "3", "4"])
    (tmp_path / "routes-waypoints.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(UnreadableFile, match=words):
        connectors(path)


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


REAL = SHARED / "data" / "roads" / "reseau-routier-47-et-abords.geojson"


@needs_shared
def test_the_roads_of_lot_et_garonne_are_one_network_with_the_motorway_joined():
    lines = read_layer(REAL, epsg=LAMBERT_93, bounds=None, profiles=PROFILES)
    assert lines.features == 747 == sum(lines.dropped.values()) + 746
    assert lines.connectors == 6  # A62 at exits 4 to 8, A65 at exit 2
    graph = build_graph(lines, ABOUT)
    summary = summary_of(graph)
    assert (summary["nodes"], summary["edges"]) == (1897, 2714)
    assert summary["km"] == pytest.approx(6_580 + 3.3, rel=0.002)
    assert summary["modes"]["car"]["components"] == 1
    assert summary["modes"]["car"]["cut_off"] <= 1
    assert summary["modes"]["foot"]["km"] == pytest.approx(summary["km"] - 164.9, abs=2)


@needs_shared
def test_without_its_waypoints_the_motorway_stays_apart_and_goes(tmp_path):
    shutil.copy(REAL, tmp_path / REAL.name)
    lines = read_layer(tmp_path / REAL.name, epsg=LAMBERT_93, bounds=None, profiles=PROFILES)
    assert lines.connectors == 0
    joined = build_graph(read_layer(REAL, epsg=LAMBERT_93, bounds=None, profiles=PROFILES), ABOUT)
    apart = build_graph(lines, ABOUT)
    lost = summary_of(joined)["modes"]["car"]["km"] - summary_of(apart)["modes"]["car"]["km"]
    assert lost == pytest.approx(120 + 42 + 3.3, rel=0.05)
