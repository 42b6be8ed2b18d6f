"""`portee snapshots` and `portee sites history`, as typed; scenarios as they are kept."""

from __future__ import annotations

import json
from datetime import date

import pytest
from typer.testing import CliRunner

from geo.coverage.scenario import apply, edits_to_json, parse_edits
from geo.errors import UnknownScenario
from geo.store import dated_snapshots, scenarios, snapshots, territories
from portee.cli import app
from tests.postgis.geo.store.test_store import store
from tests.support import world


@pytest.fixture
def portee(fresh_engine, database_url, monkeypatch):
    """Run a command over two sites, one of which was renamed."""
    with fresh_engine.begin() as connection:
        territories.save(connection, world.TERRITORY)
        store(connection, world.record("a", 5), world.record("b", 15, "99002"))
        store(connection, world.record("a", 5, nom="Nom\x1b[31m nouveau"), world.record("b", 15, "99002"))
        snapshots.publish(connection)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments, answer=None):
        return CliRunner().invoke(app, list(arguments), input=answer)

    return run


def names(portee):
    return [state["name"] for state in json.loads(portee("snapshots", "list", "--json").stdout)]


def test_a_state_is_kept_listed_and_forgotten(portee, fresh_engine):
    state = portee("snapshots", "keep", "été 2024", "--day", "2024-08-01")
    assert state.exit_code == 0, state.output
    assert "01/08/2024" in state.stdout
    assert "été 2024" in portee("snapshots", "list").stdout
    with fresh_engine.begin() as connection:
        store(connection, world.record("c", 25, "99003"))
        snapshots.publish(connection)
    with fresh_engine.connect() as connection:
        assert [s.id for s in dated_snapshots.read(connection, "été 2024").sites] == ["essai--a", "essai--b"]
    assert portee("snapshots", "forget", "été 2024", answer="n\n").exit_code == 1
    assert names(portee) == ["été 2024"]
    assert portee("snapshots", "forget", "été 2024", "--yes").exit_code == 0
    assert names(portee) == []


def test_a_name_taken_or_unknown_is_refused_with_what_to_do(portee):
    portee("snapshots", "keep", "été", "--day", "2024-08-01")
    again = portee("snapshots", "keep", "été")
    assert again.exit_code == 1 and "Choisissez un autre nom" in again.stderr
    unknown = portee("snapshots", "forget", "hiver", "--yes")
    assert unknown.exit_code == 1 and "portee snapshots list" in unknown.stderr


@pytest.mark.parametrize("arguments", [(" ",), ("x" * 101,), ("a\nb",), ("été", "--day", "1er août")])
def test_a_name_or_day_that_cannot_be_is_a_misuse(portee, arguments):
    assert portee("snapshots", "keep", *arguments).exit_code == 2
    assert names(portee) == []


def test_the_history_of_a_record_is_told(portee):
    shown = portee("sites", "history", "essai--a").stdout.splitlines()
    of_record = [line for line in shown if "essai--a :" in line]
    assert (len(shown), len(of_record)) == (3, 2), "the third says that the site was created"
    assert "nouveau" in of_record[0] and "liste fictive.csv" in of_record[0]
    assert "nom : Lieu a → Nom [31m nouveau" in of_record[1], "no escape sequence reaches the terminal"
    changes = json.loads(portee("sites", "history", "essai--a", "--json").stdout)
    assert [c["kind"] for c in changes if "site_id" in c] == ["created"]
    assert [(c["kind"], c["field"]) for c in changes if "site_id" not in c] == [
        ("new", None),
        ("changed", "nom"),
    ]
    assert portee("sites", "history", "essai--z").exit_code == 1


# --- scenarios as they are kept


def test_a_scenario_is_kept_and_read_again_over_other_data(connection):
    before, after = world.snapshot(world.site("a", 5)), world.snapshot(world.site("a", 6), version=2)
    edits = parse_edits([{"action": "close", "site": "essai--a"}], before)
    saved = scenarios.save(connection, "Sans A ${x}", "Et si…", edits_to_json(edits), before.version)
    found = scenarios.get(connection, saved.id)
    assert found == saved == scenarios.by_name(connection, "Sans A ${x}")
    assert (found.description, found.base_version) == ("Et si…", 1)
    assert parse_edits(list(found.edits), after) == edits
    assert apply(after, edits).sites == ()


def test_saving_under_the_same_name_replaces_and_keeps_the_number(connection):
    first = scenarios.save(connection, "A", "", [], 1)
    other = scenarios.save(connection, "B", "", [], 1)
    second = scenarios.save(connection, "A", "Mieux", [{"action": "close", "site": "essai--a"}], 2)
    assert (second.id, second.created_at) == (first.id, first.created_at)
    assert second.updated_at > first.updated_at
    assert scenarios.list_(connection) == [second, other]


def test_a_scenario_deleted_or_never_saved_is_told(connection):
    saved = scenarios.save(connection, "A", "", [], 1)
    scenarios.delete_(connection, saved.id)
    assert scenarios.list_(connection) == []
    for gone in (scenarios.get, scenarios.delete_):
        with pytest.raises(UnknownScenario, match=str(saved.id)):
            gone(connection, saved.id)
    with pytest.raises(UnknownScenario, match="« A »"):
        scenarios.by_name(connection, "A")


def test_the_day_kept_by_default_is_today(portee, fresh_engine):
    portee("snapshots", "keep", "maintenant")
    with fresh_engine.connect() as connection:
        (state,) = dated_snapshots.list_(connection)
    assert abs((state.day - state.kept_at.date()).days) <= 1
    assert isinstance(state.day, date)
