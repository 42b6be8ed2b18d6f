"""Trend over HTTP: the same question asked of states kept by name."""

from __future__ import annotations

from datetime import date

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.planning_schemas import TrendAnswer
from api.schemas import Problem
from geo.services import trend
from geo.store import dated_snapshots
from tests.postgis.geo.store.test_snapshot_watcher import eventually, fill
from tests.support.serving import serving
from tests.support.world import record, site, snapshot

TREND = "/api/v1/trend"


@pytest.fixture
def client(fresh_engine, fresh_settings):
    """One site in March, kept; two today."""
    fill(fresh_engine, record("a", 5))
    with fresh_engine.begin() as connection:
        dated_snapshots.keep(connection, "mars", date(2026, 3, 2))
    fill(fresh_engine, record("a", 5), record("b", 35, "99004"))
    with TestClient(create_app(fresh_settings)) as client:
        yield client


def states(client, query=""):
    response = client.get(f"{TREND}{query}")
    assert response.status_code == 200, response.text
    return TrendAnswer.model_validate_json(response.content)


def test_each_state_answers_the_same_question_and_today_is_last(client):
    told = states(client, "?minutes=20&frais_a_charge=Gratuit")
    then, now = told.snapshots
    assert (then.name, then.day, now.name) == ("mars", "2026-03-02", "Aujourd'hui")
    assert (then.sites, now.sites) == (1, 2)
    assert (then.people_beyond, now.people_beyond) == (4_000, 0)
    assert [s.share_within[0].people for s in told.snapshots] == [3_000, 7_000]
    assert then.territories is None and told.kind is None
    assert "Gratuit" in told.question.sentence
    assert [s.people_beyond for s in states(client, "?frais_a_charge=Payant").snapshots] == [7_000, 7_000]


def test_territories_are_told_when_a_level_is_asked_for(client):
    then, now = states(client, "?kind=commune").snapshots
    assert [t.code for t in then.territories or ()] == ["99001", "99002", "99003", "99004"]
    assert [s.territories and s.territories[3].people_beyond for s in (then, now)] == [4_000, 0]


def test_a_state_is_measured_once(client, monkeypatch):
    first = states(client)
    monkeypatch.setattr(trend, "measure", lambda frame, question: pytest.fail("measured twice"))
    assert states(client) == first


def test_a_state_forgotten_or_kept_meanwhile_is_seen_at_once(client, fresh_engine):
    assert len(states(client).snapshots) == 2
    with fresh_engine.begin() as connection:
        dated_snapshots.forget(connection, "mars")
        dated_snapshots.keep(connection, "novembre", date(2026, 11, 2))
    assert [s.name for s in states(client).snapshots] == ["novembre", "Aujourd'hui"]


def test_data_that_change_are_measured_again(client, fresh_engine):
    assert states(client).snapshots[-1].sites == 2
    fill(fresh_engine, record("a", 5), record("b", 35, "99004"), record("c", 15, "99002"))
    eventually(lambda: states(client).snapshots[-1].sites == 3)


@pytest.mark.parametrize("query", ["?kind=pays", "?slot=jamais", "?zz=1", "?weights=ifn:1"])
def test_a_question_that_makes_no_sense_is_refused(client, query):
    response = client.get(f"{TREND}{query}")
    assert response.status_code == 422
    Problem.model_validate(response.json())


def test_without_a_database_there_is_no_trend():
    with serving(snapshot(site("a", 5))) as client:
        response = client.get(TREND)
        assert response.status_code == 503 and response.headers["retry-after"]
