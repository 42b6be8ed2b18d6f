"""`portee people` and `portee indicators`, as typed, over a real PostGIS."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from geo.store import snapshots, territories
from geo.store.database import open_engine, parse_url
from geo.territory.files import write_territory
from geo.territory.former_communes import FormerCommune, FormerCommunes
from portee.cli import app
from tests.support.world import TERRITORY
from tests.unit.geo.people.test_grid import cell


@pytest.fixture
def engine_here(database_url):
    engine = open_engine(parse_url(database_url))
    with engine.begin() as connection:
        territories.save(connection, TERRITORY)
    yield engine
    engine.dispose()


@pytest.fixture
def portee(engine_here, database_url, monkeypatch, tmp_path):
    """Run a command; returns its exit code, output and errors."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        result = CliRunner().invoke(app, [str(a) for a in arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def version(engine_here):
    def read():
        with engine_here.connect() as connection:
            return snapshots.version(connection)

    return read


@pytest.fixture
def grid(tmp_path):
    rows = [
        (cell(4), 900, 300),
        (cell(9.5), 200, 50),
        (cell(39.5), 400, 90),
        (cell(2), -4, 0),
        (cell(70), 5, 1),
    ]
    path = tmp_path / "grille.csv"
    path.write_text("GRD_ID,T,Y_GE65\n" + "\n".join(",".join(map(str, r)) for r in rows), encoding="utf-8")
    return path


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "ifn.csv"
    path.write_text(
        "code_iris;Population;Score\n990010101;100;90\n990010102;300;130\n990029999;1;s\n999990101;1;2\n",
        encoding="utf-8",
    )
    return path


IFN = ("--code", "ifn", "--name", "Fragilité numérique", "--column", "score")


def test_a_grid_is_loaded_told_and_removed(portee, grid, version):
    before = version()
    answer = portee("people", "load", grid, "--vintage", "2021")
    assert answer.exit_code == 0
    assert "Carreaux lus 5 · acceptés 3 · hors du territoire 1 · rejetés 1" in answer.stdout
    assert "Rejet, 1 × effectif_negatif (T)" in answer.stdout and "ligne 5 « -4 »" in answer.stdout
    assert "1 300 dans 4 parties de carreaux, 18,6 % de la population municipale (7 000)" in answer.stdout
    assert "200 au-delà du territoire" in answer.stdout
    assert "Dont 395 de 65 ans ou plus" in answer.stdout
    assert "Communes sans habitant dans la grille : 1 : Désert-le-Vide (99003)" in answer.stdout
    assert version() == before + 1
    state = portee("people", "status").stdout
    assert "habitants comptés par carreau de 1 km" in state and "rejetés 1" in state and "2021" in state
    assert portee("people", "remove", "--yes").exit_code == 0
    assert version() == before + 2
    assert "habitants comptés à la mairie" in portee("people", "status").stdout
    assert portee("people", "remove", "--yes").exit_code == 1
    assert version() == before + 2


def test_a_grid_as_json_adds_up(portee, grid):
    answer = json.loads(portee("people", "load", grid, "--json").stdout)
    assert answer["read"] == answer["accepted"] + answer["outside"] + answer["rejected"] == 5
    assert answer["inhabitants"] + answer["inhabitants_beyond"] == answer["inhabitants_read"] == 1_500
    assert answer["official_population"] == 7_000 and answer["communes_without_people"] == ["99003"]
    assert answer["issues"][0]["line"] == 5 and answer["aged_65"] == 395
    stored = json.loads(portee("people", "status", "--json").stdout)["grid"]
    assert {key: answer[key] for key in stored["summary"]} == stored["summary"]


def test_a_dry_run_stores_nothing(portee, grid, table, version):
    before = version()
    assert "rien n'a été enregistré" in portee("people", "load", grid, "--dry-run").stdout
    assert "rien n'a été enregistré" in portee("indicators", "load", table, *IFN, "--dry-run").stdout
    assert version() == before
    assert json.loads(portee("people", "status", "--json").stdout)["grid"] is None
    assert json.loads(portee("indicators", "list", "--json").stdout) == []


def test_a_refused_file_leaves_what_was_there(portee, grid, tmp_path, version):
    portee("people", "load", grid)
    before = version()
    bad = tmp_path / "ailleurs.csv"
    bad.write_text("GRD_ID,T\nCRS3035RES1000mN2900000E4080000,5\n", encoding="utf-8")
    refused = portee("people", "load", bad)
    assert refused.exit_code == 1 and "ne touche le territoire" in refused.stderr
    assert version() == before
    assert json.loads(portee("people", "status", "--json").stdout)["grid"]["file_name"] == "grille.csv"


def test_an_indicator_is_loaded_listed_and_removed(portee, table, version):
    before = version()
    answer = portee("indicators", "load", table, *IFN, "--producer", "Essai", "--licence", "MIT")
    assert answer.exit_code == 0
    assert "Lignes lues 4 · acceptées 2 · hors du territoire 0 · rejetées 2" in answer.stdout
    assert "moyennes par commune pondérées par la colonne Population" in answer.stdout
    assert "Communes renseignées : 1, de 120 à 120" in answer.stdout
    assert "Communes sans valeur : 3" in answer.stdout
    assert version() == before + 1
    listed = portee("indicators", "list").stdout
    assert "ifn : Fragilité numérique" in listed and "Essai" in listed and "MIT" in listed
    (stored,) = json.loads(portee("indicators", "list", "--json").stdout)
    assert stored["indicator"]["values"] == {"99001": 120}
    assert portee("indicators", "remove", "ifn", "--yes").exit_code == 0
    assert version() == before + 2
    gone = portee("indicators", "remove", "ifn", "--yes")
    assert gone.exit_code == 1 and "Aucun indicateur" in gone.stdout


def test_rows_are_chosen_by_column_and_value(portee, tmp_path):
    path = tmp_path / "ftth.csv"
    path.write_text("Titre\n\nCode commune,Champ,T1\n99001,Locaux,7\n99001,Catégorie,1\n", encoding="utf-8")
    options = ("--code", "ftth", "--name", "FttH", "--column", "T1")
    answer = json.loads(
        portee("indicators", "load", path, *options, "--where", "Champ=Catégorie", "--json").stdout
    )
    assert answer["values"] == {"99001": 1} and answer["unselected"] == 1
    assert portee("indicators", "load", path, *options, "--where", "Champ").exit_code == 2


def test_a_question_unanswered_removes_nothing(portee, grid, table):
    portee("people", "load", grid)
    portee("indicators", "load", table, *IFN)
    assert portee("people", "remove").exit_code == 1
    assert portee("indicators", "remove", "ifn").exit_code == 1
    assert json.loads(portee("people", "status", "--json").stdout)["grid"]
    assert json.loads(portee("indicators", "list", "--json").stdout)


def test_former_communes_are_carried_over_and_listed(portee, tmp_path, monkeypatch):
    entries = (FormerCommune("99002", "Vieux", "99002", 30), FormerCommune("99092", "Bas", "99002", 10))
    write_territory(TERRITORY, tmp_path / "communes", former=FormerCommunes(entries))
    monkeypatch.setenv("PORTEE_TERRITORY_DIR", str(tmp_path / "communes"))
    path = tmp_path / "ancien.csv"
    unknown = [f"99{n}" for n in range(500, 505)]
    rows = ["99001;5", "99002;8", "99092;4", *(f"{code};1" for code in unknown)]
    path.write_text("\n".join(["code_insee;v", *rows]), encoding="utf-8")
    options = ("--code", "x", "--name", "Essai", "--column", "v")
    answer = portee("indicators", "load", path, *options, "--unit", "%")
    assert answer.exit_code == 0
    assert "Deux-Étangs (99002) ← 99002, 99092 : moyenne pondérée par la dernière population" in answer.stdout
    assert "Nature des valeurs devinée : rate" in answer.stdout
    assert all(f"« {code} »" in answer.stdout for code in unknown)
    (stored,) = json.loads(portee("indicators", "list", "--json").stdout)
    assert stored["indicator"]["values"] == {"99001": 5, "99002": 7}
    answer = portee("indicators", "load", path, *options, "--kind", "count", "--json")
    assert json.loads(answer.stdout)["values"] == {"99001": 5, "99002": 12}
    (stored,) = json.loads(portee("indicators", "list", "--json").stdout)
    assert stored["indicator"]["values"] == {"99001": 5, "99002": 12}
    assert "devinée" not in portee("indicators", "load", path, *options, "--kind", "score").stdout
