"""Motorways drawn apart from the network, connected at their interchanges."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import shapely
from scipy.sparse.csgraph import dijkstra
from shapely import LineString

from geo.crs import LAMBERT_93
from geo.errors import UnreadableFile
from geo.reach.build import build_graph
from geo.reach.graph import matrix
from geo.reach.layers import read_layer
from geo.reach.modes import Mode
from tests.support.road_layers import ABOUT, PROFILES, degrees, geojson
from tests.support.shared import SHARED, needs_shared
from tests.support.world import ORIGIN_X, ORIGIN_Y, at
from tests.unit.geo.reach.test_build import summary_of

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


def test_a_motorway_drawn_apart_is_connected_at_its_exits_only(tmp_path):
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


def test_exits_of_another_road_are_not_connected(tmp_path):
    path = motorway_country(tmp_path, ["+X1", "4", "+X2", "+X3"])
    with path.with_name("routes-waypoints.csv").open("a", encoding="utf-8") as stream:
        stream.write(f"D1,7,{at(20, 5.4).y:.6f},{at(20, 5.4).x:.6f}\n")
    assert connectors(path).connectors == 1


def test_exits_too_far_from_any_road_are_not_connected(tmp_path):
    path = motorway_country(tmp_path, ["1", "2", "3", "4"], away_m=1_600)
    assert connectors(path).connectors == 0
    assert connectors(path, join_within_m=1_700).connectors == 4


def test_a_motorway_that_meets_a_road_already_is_left_as_drawn(tmp_path):
    path = motorway_country(tmp_path, ["1", "2", "3", "4"])
    layer = json.loads(path.read_text("utf-8"))
    ramp = {"highway": "motorway_link"}
    shape = shapely.geometry.mapping(LineString([at(4), at(4, 5.4)]))
    layer["features"].append({"type": "Feature", "properties": ramp | {"route": None}, "geometry": shape})
    for feature in layer["features"][:2]:
        feature["properties"]["highway"] = {"A1": "motorway", "D1": "secondary"}[
            feature["properties"]["route"]
        ]
    path.write_text(json.dumps(layer), "utf-8")
    assert connectors(path).connectors == 0


def test_without_exit_labels_nothing_is_connected(tmp_path):
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


REAL = SHARED / "data" / "roads" / "reseau-routier-47-et-abords.geojson"


@needs_shared
def test_the_roads_of_lot_et_garonne_are_one_network_with_the_motorway():
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
def test_without_its_waypoints_the_motorway_stays_apart_and_is_dropped(tmp_path):
    shutil.copy(REAL, tmp_path / REAL.name)
    lines = read_layer(tmp_path / REAL.name, epsg=LAMBERT_93, bounds=None, profiles=PROFILES)
    assert lines.connectors == 0
    joined = build_graph(read_layer(REAL, epsg=LAMBERT_93, bounds=None, profiles=PROFILES), ABOUT)
    apart = build_graph(lines, ABOUT)
    lost = summary_of(joined)["modes"]["car"]["km"] - summary_of(apart)["modes"]["car"]["km"]
    assert lost == pytest.approx(120 + 42 + 3.3, rel=0.05)
