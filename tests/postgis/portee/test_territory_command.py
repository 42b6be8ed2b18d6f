"""`portee territory`: files are built, then loaded into the database, or nothing is."""

from __future__ import annotations

import json

import pytest
import shapely
from typer.testing import CliRunner

from geo.errors import OperatorError
from geo.store import snapshots, territories
from geo.territory.files import write_territory
from geo.territory.former_communes import FormerCommune, FormerCommunes
from geo.territory.sources import find_sources
from portee.cli import app
from portee.console import INSTALLATION, REFUSED
from tests.support.world import TERRITORY
from tests.unit.geo.territory.test_boundaries import finer
from tests.unit.geo.territory.test_older_boundaries import strip, without, write


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command over the world of the tests, its files already written."""
    write_territory(TERRITORY, tmp_path / "communes")
    monkeypatch.setenv("PORTEE_TERRITORY_DIR", str(tmp_path / "communes"))
    monkeypatch.setenv("PORTEE_DEPARTEMENT", "99")
    return lambda *arguments: CliRunner().invoke(app, ["territory", *map(str, arguments)])


@pytest.fixture
def run_on_database(run, database_url, monkeypatch):
    """The same, over a database of the test's own."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    return run


def test_load_puts_the_territory_in_the_database_and_publishes_it(run_on_database, fresh_engine):
    with fresh_engine.connect() as connection:
        before = snapshots.version(connection)
    result = run_on_database("load", "--json")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert (answer["code"], answer["communes"], answer["neighbours"], answer["population"]) == (
        "99",
        4,
        1,
        7_000,
    )
    assert (answer["epci"], answer["departement"], answer["boundaries"]) == (2, 1, None)
    with fresh_engine.connect() as connection:
        stored = territories.load(connection)
        assert snapshots.version(connection) == answer["snapshot_version"] == before + 1
    assert [c.code for c in stored.communes] == [c.code for c in TERRITORY.communes]
    assert [g.partial for g in stored.groupings] == [g.partial for g in TERRITORY.groupings]


def test_load_with_finer_boundaries_tells_what_became_of_them(run_on_database, fresh_engine, tmp_path):
    finer().to_file(tmp_path / "fin.gpkg")
    result = run_on_database("load", "--boundaries", tmp_path / "fin.gpkg", "--json")
    report = json.loads(result.stdout)["boundaries"]
    assert (report["layer"], report["column"], report["matched"]) == ("fin", "INSEE_COM", 4)
    assert (report["elsewhere"], report["mended"]) == (1, [])
    with fresh_engine.connect() as connection:
        stored = territories.load(connection)
    moved = shapely.hausdorff_distance(stored.communes[0].boundary, TERRITORY.communes[0].boundary)
    assert moved == pytest.approx(300 / 111_000, rel=0.2)


def test_load_in_words_is_plain_french(run_on_database, tmp_path):
    finer().to_file(tmp_path / "fin.gpkg")
    result = run_on_database("load", "--boundaries", tmp_path / "fin.gpkg")
    assert "Pays d'Essai (99) : 4 communes, 7 000 habitants" in result.stdout
    assert "1 lignes d'ailleurs laissées de côté" in result.stdout
    assert "Territoire chargé." in result.stdout


def test_a_refused_file_leaves_the_database_as_it_was(run_on_database, fresh_engine, tmp_path):
    run_on_database("load")
    finer().iloc[:2].to_file(tmp_path / "partiel.gpkg")
    result = run_on_database("load", "--boundaries", tmp_path / "partiel.gpkg")
    assert result.exit_code == REFUSED
    assert "99003, 99004" in result.stderr
    with fresh_engine.connect() as connection:
        assert len(territories.load(connection).communes) == 4


def test_a_territory_that_was_never_built_is_told_so(run_on_database, monkeypatch):
    monkeypatch.setenv("PORTEE_DEPARTEMENT", "2A")
    result = run_on_database("load")
    assert result.exit_code == REFUSED
    assert "portee territory build 2A" in result.stderr


def test_build_without_its_packages_is_a_fault_of_the_installation(run, tmp_path):
    result = run("build", "99", "--etalab", tmp_path, "--out", tmp_path / "sortie")
    assert result.exit_code == INSTALLATION
    assert "npm ci" in result.stderr
    assert not (tmp_path / "sortie").exists()


def test_build_writes_five_files_and_tells_them(run, tmp_path):
    try:
        find_sources()
    except OperatorError as problem:
        pytest.skip(str(problem))
    result = run("build", "974", "--out", tmp_path / "sortie", "--json")
    answer = json.loads(result.stdout)
    assert (answer["code"], answer["communes"], answer["neighbours"]) == ("974", 24, 0)
    assert sorted(p.name for p in (tmp_path / "sortie").iterdir()) == [
        "README.md",
        "anciennes-communes-974.json",
        "communes-974.geojson",
        "provenance-974.json",
        "voisins-974.geojson",
    ]
    assert len(answer["files"]) == 5


def test_load_lists_the_former_communes_it_united(run_on_database, tmp_path):
    former = FormerCommunes((FormerCommune("99092", "Étang-Vieux", "99002"),))
    write_territory(TERRITORY, tmp_path / "communes", former=former)
    shapes = without("99094", "99095") | {"99004": strip(30, 40)}
    result = run_on_database("load", "--boundaries", write(tmp_path / "ancien.gpkg", shapes))
    assert result.exit_code == 0, result.output
    assert "Deux-Étangs (99002) ← 99002, 99092" in result.stdout
    result = run_on_database("load", "--boundaries", write(tmp_path / "b.gpkg", without("99092")))
    assert result.exit_code == REFUSED
