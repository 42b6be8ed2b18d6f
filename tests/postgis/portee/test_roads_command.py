"""`portee roads`: from a file to a graph in service, looked at and removed, over a real database."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely
from shapely import LineString
from typer.testing import CliRunner

from geo.reach import graph_files
from geo.reach.modes import Mode
from geo.store import roads, snapshots, territories
from portee.cli import app
from portee.console import INSTALLATION, REFUSED
from tests.support.shared import SHARED, needs_shared
from tests.support.world import TERRITORY, at


@pytest.fixture
def run(database_url, fresh_engine, tmp_path, monkeypatch):
    """Run `portee roads …` over a database that holds the territory of the tests."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("PORTEE_HOME", str(tmp_path / "home"))
    with fresh_engine.begin() as connection:
        territories.save(connection, TERRITORY)
    return lambda *arguments: CliRunner().invoke(app, ["roads", *map(str, arguments)])


@pytest.fixture
def layer(tmp_path):
    """Write a layer of roads over the territory: rows of (points as (x km, y km), attributes)."""

    def written(*rows, name="routes.geojson"):
        features = [
            {
                "type": "Feature",
                "properties": {"route": None, "oneway": None} | told,
                "geometry": shapely.geometry.mapping(LineString([at(*point) for point in points])),
            }
            for points, told in rows
        ]
        path = tmp_path / name
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
        return path

    return written


WEST_TO_EAST = [(5, 5), (15, 5), (25, 5), (35, 5)]
COUNTRY = (
    (WEST_TO_EAST, {"route": "D1"}),
    ([(15, 5), (15, 9)], {"route": "D2"}),
    ([(15, 9), (25, 5)], {"route": "D3", "oneway": "yes"}),
    ([(100, 5), (110, 5)], {"route": "D9"}),
    ([(5, 5), (5, 1)], {"route": "inconnue"}),
)


def in_service(engine):
    with engine.connect() as connection:
        return roads.current(connection), snapshots.version(connection)


def kept(tmp_path):
    return sorted(p.name for p in graph_files.roads_folder(tmp_path / "home").iterdir())


def test_build_puts_a_graph_in_service_and_publishes_it(run, layer, fresh_engine, tmp_path):
    _, before = in_service(fresh_engine)
    result = run("build", layer(*COUNTRY), "--json", "--vintage", "2026-10", "--licence", "ODbL 1.0")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    about, version = in_service(fresh_engine)
    assert version == told["snapshot_version"] == before + 1
    assert (about.checksum, about.vintage, about.licence) == (told["checksum"], "2026-10", "ODbL 1.0")
    assert about.producer == "fichier routes.geojson"
    summary = told["summary"]
    assert (summary["nodes"], summary["edges"], summary["features"]) == (5, 5, 5)
    assert summary["km"] == pytest.approx(10 + 20 + 4 + np.hypot(10, 4), rel=0.01)
    assert summary["dropped"] == {
        "lines outside the area": 1,
        "lines whose class of road is not told": 1,
    }
    assert summary["modes"]["car"]["components"] == 1
    graph = graph_files.read_graph(graph_files.roads_folder(tmp_path / "home") / about.checksum, verify=True)
    assert graph.about == about
    assert graph.epsg == TERRITORY.metric_crs
    assert np.isinf(graph.seconds[Mode.CAR]).sum() == 1, "the one-way road"
    assert np.isfinite(graph.seconds[Mode.FOOT]).all()


def test_build_in_words_is_plain_french(run, layer):
    result = run("build", layer(*COUNTRY))
    assert result.exit_code == 0, result.output
    assert "5 carrefours, 5 tronçons, 45 km" in result.stdout
    assert "en voiture" in result.stdout
    assert "1 × lignes hors du territoire et de sa marge" in result.stdout
    assert "1 × lignes dont la classe n'est pas dite" in result.stdout
    assert "date inconnue" in result.stdout
    assert "Graphe en service" in result.stdout


def test_a_new_graph_takes_the_place_of_the_old_and_the_same_changes_nothing(
    run, layer, fresh_engine, tmp_path
):
    run("build", layer(*COUNTRY))
    first, _ = in_service(fresh_engine)
    assert run("build", layer(*COUNTRY)).exit_code == 0
    again, _ = in_service(fresh_engine)
    assert again.checksum == first.checksum
    assert kept(tmp_path) == [first.checksum]
    run("build", layer(*COUNTRY[:1]))
    second, _ = in_service(fresh_engine)
    assert second.checksum != first.checksum
    assert kept(tmp_path) == [second.checksum]


def test_names_that_would_act_on_a_terminal_or_break_the_store_are_cleaned(run, layer, fresh_engine):
    file = layer(*COUNTRY, name="a\x1b[31mb.geojson")
    result = run("build", file, "--producer", "IGN\x07\u202e")
    assert result.exit_code == 0, result.output
    about, _ = in_service(fresh_engine)
    assert (about.file_name, about.producer) == ("a[31mb.geojson", "IGN")


def test_two_halves_are_told(run, layer):
    result = run("build", layer(([(5, 5), (15, 5)], {"route": "D1"}), ([(25, 5), (35, 5)], {"route": "D2"})))
    assert result.exit_code == 0
    assert "en voiture est en 2 parties" in result.stdout
    assert "50 % et 50 % des carrefours" in result.stdout


def test_the_margin_decides_what_is_kept(run, layer):
    beyond = ([(35, 5), (48, 5), (60, 5)], {"route": "D4"}), ([(48, 5), (48, 9)], {"route": "D5"})
    file = layer(*COUNTRY[:1], *beyond)
    narrow = json.loads(run("build", file, "--margin-km", 5, "--json").stdout)["summary"]
    wide = json.loads(run("build", file, "--margin-km", 30, "--json").stdout)["summary"]
    assert (narrow["dropped"], narrow["edges"]) == ({"lines outside the area": 1}, 2)
    assert (wide["dropped"], wide["edges"]) == ({}, 4)


def test_a_file_of_elsewhere_is_refused_and_the_graph_in_service_stays(run, layer, fresh_engine, tmp_path):
    run("build", layer(*COUNTRY))
    before = in_service(fresh_engine)
    result = run("build", layer(([(300, 5), (310, 5)], {"route": "D9"}), name="ailleurs.geojson"))
    assert result.exit_code == REFUSED
    assert "1 sont ailleurs" in result.stderr
    assert in_service(fresh_engine) == before
    assert kept(tmp_path) == [before[0].checksum]


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("routes.txt", (), "ne dit pas son format"),
        ("routes.txt", ("--format", "geojson"), "n'a pas pu être lu"),
        ("routes.geojson", (), "n'a pas pu être lu"),
        ("routes.gpkg", (), "n'a pas pu être lu"),
        ("routes.osm.pbf", (), "routes.osm.pbf"),
    ],
)
def test_files_that_are_no_roads_are_refused(run, fresh_engine, tmp_path, name, arguments, words):
    (tmp_path / name).write_bytes(b"ceci n'est pas une route")
    result = run("build", tmp_path / name, *arguments)
    assert result.exit_code == REFUSED
    assert words in result.stderr
    assert in_service(fresh_engine)[0] is None


def test_status_without_a_graph_says_how_to_get_one(run):
    result = run("status")
    assert result.exit_code == 0
    assert "vol d'oiseau" in result.stdout
    assert "portee roads build" in result.stdout
    assert json.loads(run("status", "--json").stdout) == {"roads": None, "problem": None}


def test_status_tells_the_graph_in_service_and_that_its_files_are_whole(run, layer):
    run("build", layer(*COUNTRY))
    result = run("status")
    assert result.exit_code == 0
    assert "5 carrefours" in result.stdout
    assert "intacts" in result.stdout
    told = json.loads(run("status", "--json").stdout)
    assert told["problem"] is None
    assert told["roads"]["summary"]["nodes"] == 5


def test_status_notices_damage(run, layer, fresh_engine, tmp_path):
    run("build", layer(*COUNTRY))
    about, _ = in_service(fresh_engine)
    array = graph_files.roads_folder(tmp_path / "home") / about.checksum / "seconds_car.npy"
    array.write_bytes(array.read_bytes()[:-1] + b"\x01")
    result = run("status")
    assert result.exit_code == INSTALLATION
    assert "does not have the checksum" in result.stderr
    result = run("status", "--json")
    assert result.exit_code == INSTALLATION
    assert "does not have the checksum" in json.loads(result.stdout)["problem"]


def test_remove_takes_the_graph_away_and_publishes(run, layer, fresh_engine, tmp_path):
    run("build", layer(*COUNTRY))
    _, version = in_service(fresh_engine)
    assert run("remove").exit_code == 1, "asked, and no answer given"
    assert in_service(fresh_engine)[0] is not None
    result = run("remove", "--yes")
    assert (result.exit_code, result.stdout.strip()) == (0, "Graphe routier retiré.")
    assert in_service(fresh_engine) == (None, version + 1)
    assert kept(tmp_path) == []
    again = run("remove", "--yes")
    assert (again.exit_code, "Aucun graphe" in again.stdout) == (0, True)
    assert in_service(fresh_engine) == (None, version + 1)


@needs_shared
def test_an_openstreetmap_file_of_another_country_is_refused(run, fresh_engine):
    result = run("build", SHARED / "data" / "osm" / "liechtenstein-latest.osm.pbf")
    assert result.exit_code == REFUSED, result.output
    assert "liechtenstein-latest.osm.pbf" in result.stderr
    assert in_service(fresh_engine)[0] is None
