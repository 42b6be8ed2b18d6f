"""`portee siting`, `scenario` and `trend`, as typed, over a real PostGIS."""

from __future__ import annotations

import json
from datetime import date

import pytest
from typer.testing import CliRunner

from geo.store import dated_snapshots
from portee.cli import app
from tests.postgis.api.test_scenarios import CLOSE_A, opening
from tests.postgis.geo.store.test_snapshot_watcher import fill
from tests.support.world import at, record


@pytest.fixture
def portee(fresh_engine, database_url, monkeypatch, tmp_path):
    """Run a command over one site in March, kept, and two of today."""
    fill(fresh_engine, record("a", 5))
    with fresh_engine.begin() as connection:
        dated_snapshots.keep(connection, "[mars]", date(2026, 3, 2))
    fill(fresh_engine, record("a", 5), record("b", 15, "99002"))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("PORTEE_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "220")
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)

    return run


@pytest.fixture
def edits(tmp_path):
    def written(value, name="scenario.json"):
        path = tmp_path / name
        path.write_text(value if isinstance(value, str) else json.dumps(value), "utf-8")
        return path

    return written


def test_siting_tells_where_and_how_sure(portee):
    told = portee("siting", "--p", 1)
    assert told.exit_code == 0, told.output
    assert "Estbourg" in told.stdout or "Désert-le-Vide" in told.stdout
    assert "4 000" in told.stdout and "Aucun autre choix ne fait mieux." in told.stdout
    assert "vol d'oiseau" in told.stdout and "démonstration" in told.stdout
    answer = json.loads(portee("siting", "--model", "p_median", "--p", 1, "--json").stdout)
    assert answer["sites"][0]["name"] == "Estbourg"


def test_only_the_places_given_may_be_chosen(portee):
    place = at(33)
    point = f"{place.x},{place.y}"
    told = json.loads(portee("siting", "--p", 1, "--at", f"{point},Marché", "--json").stdout)
    assert [site["name"] for site in told["sites"]] == ["Marché"]
    assert json.loads(portee("siting", "--p", 1, "--at", point, "--json").stdout)["sites"][0]["name"] == point
    for wrong in ("ici", "200,3", f"{place.x}", "nan,1"):
        assert portee("siting", "--p", 1, "--at", wrong).exit_code == 2, wrong


def test_a_tour_is_planned(portee):
    asked = ("siting", "--model", "tour", "--within", 5, "--base", "99004", "--half-day", "lundi matin")
    assert "lundi matin" in portee(*asked).stdout
    assert portee(*asked[:-1], "lundi midi").exit_code == 2
    assert portee("siting", "--model", "tour", "--half-day", "lundi matin").exit_code == 1


def test_a_scenario_is_evaluated_from_its_file(portee, edits):
    file = edits({"edits": [opening(), CLOSE_A]})
    told = portee("scenario", "evaluate", file, "--beyond", 10)
    assert told.exit_code == 0, told.output
    assert "4 000 personnes de plus, 1 000 de moins" in told.stdout
    answer = json.loads(portee("scenario", "evaluate", edits([CLOSE_A]), "--beyond", 10, "--json").stdout)
    assert (answer["summary"]["gaining"], answer["summary"]["losing"]) == (0, 1_000)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "n'est pas du JSON"),
        ("{}", "une liste"),
        ("[" * 100_000, "n'est pas du JSON"),
        ([{"action": "close", "site": "essai--z"}], "modification 1"),
        ("x" * 1_000_001, "dépasse"),
    ],
)
def test_a_file_that_is_no_scenario_is_refused(portee, edits, content, told):
    for command in (("evaluate",), ("save", "--name", "Est")):
        result = portee("scenario", command[0], edits(content), *command[1:])
        assert result.exit_code == 1 and told in result.stderr


def test_scenarios_are_kept_compared_and_deleted(portee, edits):
    assert "enregistré" in portee("scenario", "save", edits([opening()]), "--name", "[bold]Est").stdout
    assert "remplacé" in portee("scenario", "save", edits([opening(30)]), "--name", "[bold]Est").stdout
    portee("scenario", "save", edits([CLOSE_A]), "--name", "Moins", "--description", "Un essai")
    listed = portee("scenario", "list").stdout
    assert "[bold]Est" in listed and "Un essai" in listed and "2 scénarios." in listed
    told = portee("scenario", "compare", "[bold]Est", "Moins", "--beyond", 10)
    assert "[bold]Est" in told.stdout and "1 000" in told.stdout
    summaries = json.loads(portee("scenario", "compare", "Moins", "--beyond", 10, "--json").stdout)
    assert summaries[0]["summary"]["losing"] == 1_000
    assert portee("scenario", "delete", "Moins", "--yes").exit_code == 0
    assert [s["name"] for s in json.loads(portee("scenario", "list", "--json").stdout)] == ["[bold]Est"]
    assert portee("scenario", "delete", "Moins", "--yes").exit_code == 1
    assert portee("scenario", "compare", "Moins").exit_code == 1
    assert portee("scenario", "save", edits([]), "--name", " ").exit_code == 2


def test_the_trend_ends_today(portee):
    told = portee("trend", "--minutes", 20, "--beyond", 10)
    assert told.exit_code == 0, told.output
    assert "[mars]" in told.stdout and "2026-03-02" in told.stdout and "Aujourd'hui" in told.stdout
    states = json.loads(portee("trend", "--beyond", 10, "--json").stdout)
    assert [s["people_beyond"] for s in states] == [6_000, 4_000]
