"""`portee coverage`, `gaps` and `isochrones`, as typed, over a real PostGIS."""

from __future__ import annotations

import csv
import io
import json

import pytest
import shapely
from shapely import LineString
from typer.testing import CliRunner

from geo.reach.modes import Mode
from geo.store import territories
from geo.store.database import open_engine, parse_url
from portee.cli import app
from tests.postgis.geo.services.test_import_sites import record
from tests.postgis.portee.test_sites_commands import write  # noqa: F401 - a fixture
from tests.support.world import TERRITORY, at


@pytest.fixture
def portee(database_url, monkeypatch, tmp_path, write):  # noqa: F811 - the fixture imported
    """Run a command over two sites at the town halls of 99001 (paid) and 99002 (free)."""
    engine = open_engine(parse_url(database_url))
    with engine.begin() as connection:
        territories.save(connection, TERRITORY)
    engine.dispose()
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("PORTEE_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "220")
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)

    places = [("payant", 5, "Payant", "99001"), ("gratuit", 15, "Gratuit", "99002")]
    file = write(
        *(
            record(
                name,
                nom=f"Lieu {name}",
                frais_a_charge=cost,
                code_insee=code,
                longitude=str(at(x).x),
                latitude=str(at(x).y),
            )
            for name, x, cost, code in places
        )
    )
    assert run("import", file).exit_code == 0
    return run


def rows(result):
    assert result.exit_code == 0, result.output
    return {row["code"]: row for row in csv.DictReader(io.StringIO(result.stdout))}


def test_coverage_tells_times_to_the_sites_that_suit(portee):
    every = rows(portee("coverage", "--csv"))
    free = rows(portee("coverage", "--csv", "--where", "frais_a_charge=Gratuit", "--minutes", "10,20"))
    # 10 km × 1.3 at 45 km/h are 17 min 20 s.
    assert [round(float(r["median_min"])) for r in every.values()] == [0, 0, 17, 35]
    assert [round(float(r["median_min"])) for r in free.values()] == [17, 0, 17, 35]
    assert [free["99001"][f"share_within_{m}_min"] for m in (10, 20)] == ["0.0", "1.0"]


def test_coverage_as_json_says_how_it_was_had_and_how_sure_it_is(portee):
    answer = json.loads(portee("coverage", "--json", "--kind", "departement").stdout)
    assert (answer["method"], answer["people"]) == ("straight_line", "habitants comptés à la mairie")
    assert answer["about"]["Méthode"] == ["estimation à vol d'oiseau × 1,3"]
    assert answer["uncertainty"]["sites"] == 2
    assert answer["undecided"] == {
        "questions": 0,
        "sites": {"low": 2, "high": 2},
        "territory_questions": 0,
        "territory_sites": {"low": 2, "high": 2},
        "supply": {
            "low": answer["undecided"]["supply"]["high"],
            "high": answer["undecided"]["supply"]["high"],
        },
        "sentences": [],
    }
    [whole] = answer["territories"]
    assert (whole["people"], whole["people_beyond"]) == (7_000, 4_000)


def test_the_table_puts_the_largest_gap_first_and_says_what_it_is_worth(portee):
    said = portee("coverage", "--limit", "1").stdout
    assert "99004" in said and "99001" not in said
    assert "Territoires montrés : 1 sur 4" in said
    assert "Personnes : habitants comptés à la mairie" in said
    assert "Incertitude" in said and "2 lieux" in said


def test_a_gap_is_told_in_a_sentence_of_its_numbers(portee):
    said = portee("gaps", "--where", "frais_a_charge=Gratuit", "--beyond", "10").stdout
    first, second, *_ = said.splitlines()
    assert first.startswith(
        "1. Estbourg : 4 000 personnes à plus de 10 min en voiture d'un lieu qui convient."
    )
    assert "« Lieu payant », à moins d'une minute, n'est pas annoncé « Gratuit »." in second


def test_gaps_of_places_as_csv_and_json(portee):
    table = rows(portee("gaps", "--places", "--csv", "--limit", "1"))
    [gap] = json.loads(portee("gaps", "--json").stdout)["gaps"]
    assert list(table) == ["99004"] and gap["code"] == "99004"
    assert float(table["99004"]["people"]) == gap["people"] == 4_000


def test_without_a_gap_it_says_so(portee):
    assert "Personne n'est à plus de 2 h" in portee("gaps", "--beyond", "120").stdout


def test_isochrones_hold_the_shorter_and_are_drawn_longest_first(portee, tmp_path):
    out = tmp_path / "aire.geojson"
    point = f"{at(5).x},{at(5).y}"
    assert portee("isochrones", "--at", point, "--minutes", "5,10", "--out", out).exit_code == 0
    features = json.loads(out.read_text("utf-8"))["features"]
    assert [f["properties"]["minutes"] for f in features] == [10, 5]
    longer, shorter = (shapely.geometry.shape(f["geometry"]) for f in features)
    assert longer.contains(shorter) and shorter.contains(at(5))
    assert features[0]["properties"]["label"] == "estimation à vol d'oiseau"
    site = next(iter(json.loads(portee("sites", "list", "--json").stdout)["sites"]))["id"]
    assert portee("isochrones", "--site", site, "--out", out, "--direction", "from").exit_code == 0
    assert json.loads(out.read_text("utf-8"))["features"][0]["properties"]["direction"] == "from"


def test_once_roads_are_built_times_to_the_sites_are_kept_and_coverage_follows_them(portee, tmp_path):
    road = {
        "type": "Feature",
        "properties": {"route": "D1"},
        "geometry": shapely.geometry.mapping(LineString([at(x) for x in (5, 15, 25, 35)])),
    }
    layer = tmp_path / "routes.geojson"
    layer.write_text(json.dumps({"type": "FeatureCollection", "features": [road]}), "utf-8")
    assert portee("roads", "build", layer, "--vintage", "2026").exit_code == 0
    stored = {path.name.split("-")[0] for path in (tmp_path / "times").glob("*/*")}
    assert {mode.value for mode in Mode} <= stored, "before anything is asked"
    answer = json.loads(portee("coverage", "--json").stdout)
    assert answer["method"] == "roads"
    west, _, _, east = (row["median_min"] for row in answer["territories"])
    assert west < 1 and 10 < east < 30, "20 km of road"


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ((), "donnez --site ou --at"),
        (("--site", "x", "--at", "0,44"), "donnez --site ou --at"),
        (("--at", "44.2"), "n'est pas LON,LAT"),
        (("--at", "0.6,95"), "n'est pas LON,LAT"),
        (("--at", "0.6,44", "--minutes", "x"), "n'est pas un nombre entier de minutes"),
    ],
)
def test_isochrones_misused_say_what_would_be_right(arguments, answer):
    said = CliRunner().invoke(app, ["isochrones", "--out", "x.geojson", *arguments])
    assert said.exit_code == 2 and answer in " ".join(said.stderr.replace("│", " ").split())


def test_a_site_that_is_not_there_is_refused(portee):
    said = portee("isochrones", "--site", "nulle-part", "--out", "x.geojson")
    assert said.exit_code == 1 and "nulle-part" in said.stderr
