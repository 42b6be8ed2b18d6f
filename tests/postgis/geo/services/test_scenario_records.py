"""Scenarios saved, replaced and deleted, without HTTP."""

from __future__ import annotations

import pytest

from geo.coverage.scenario import Close, Open
from geo.errors import InvalidParameter, NameTaken, UnknownScenario
from geo.services.scenario_records import create, delete, replace
from geo.store import scenarios
from tests.support.world import at, site, snapshot

DATA = snapshot(site("a", 5), version=7)
OPEN_EAST = Open("Antenne", at(35).x, at(35).y)


def test_a_name_is_given_to_one_scenario(connection):
    saved = create(connection, "Est", "", [OPEN_EAST], DATA)
    assert (saved.name, saved.base_version, len(saved.edits)) == ("Est", 7, 1)
    with pytest.raises(NameTaken, match="« Est »"):
        create(connection, "Est", "autre", [], DATA)
    assert create(connection, "est", "", [], DATA).id != saved.id


def test_a_scenario_is_replaced_under_its_own_name_only(connection):
    saved = create(connection, "Est", "", [OPEN_EAST], DATA)
    changed = replace(connection, saved.id, "Est", "Fermer", [Close("essai--a")], snapshot(version=8))
    assert (changed.id, changed.description, changed.base_version) == (saved.id, "Fermer", 8)
    assert changed.edits == ({"action": "close", "site": "essai--a"},)
    with pytest.raises(InvalidParameter) as refusal:
        replace(connection, saved.id, "Ouest", "", [], DATA)
    assert refusal.value.parameter == "name"
    with pytest.raises(UnknownScenario):
        replace(connection, saved.id + 1, "Est", "", [], DATA)
    assert scenarios.get(connection, saved.id) == changed


def test_a_scenario_deleted_meanwhile_is_not_replaced(connection, monkeypatch):
    saved = create(connection, "Est", "", [], DATA)
    found = scenarios.get(connection, saved.id)
    delete(connection, saved.id)
    monkeypatch.setattr(scenarios, "get", lambda connection, number: found)
    with pytest.raises(UnknownScenario, match="Il vient d'être supprimé"):
        replace(connection, saved.id, "Est", "", [], DATA)


def test_a_deleted_scenario_is_given_back_once(connection):
    saved = create(connection, "Est", "", [], DATA)
    assert delete(connection, saved.id) == saved
    with pytest.raises(UnknownScenario):
        delete(connection, saved.id)
