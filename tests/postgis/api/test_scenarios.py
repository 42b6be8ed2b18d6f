"""What-ifs over HTTP: evaluated for everybody; saved, replaced and deleted with a token."""

from __future__ import annotations

import csv
import io
import json
import logging
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from sqlalchemy import text
from starlette.testclient import TestClient

from api.app import create_app, from_environment
from api.planning_schemas import ComparisonAnswer, EvaluationAnswer, ScenarioOut, ScenariosAnswer
from api.schemas import Problem
from geo.services import scenarios
from geo.store import tokens
from tests.postgis.geo.store.test_snapshot_watcher import eventually, fill
from tests.support.serving import serving
from tests.support.world import at, site, snapshot

SCENARIOS = "/api/v1/scenarios"
EVALUATE = f"{SCENARIOS}/evaluate"
SITES = (site("a", 5), site("b", 15, "99002"))


def opening(x_km=35.0, **facts):
    return {"action": "open", "name": "Antenne", "longitude": at(x_km).x, "latitude": at(x_km).y, **facts}


CLOSE_A = {"action": "close", "site": "essai--a"}
CLOSE_B = {"action": "close", "site": "essai--b"}


@pytest.fixture(scope="module")
def bare():
    with serving(snapshot(*SITES)) as client:
        yield client


@pytest.fixture
def client(fresh_engine, fresh_settings):
    fill(fresh_engine, *SITES)
    with TestClient(create_app(fresh_settings)) as client:
        yield client


@pytest.fixture
def token(fresh_engine):
    def made(scopes=(tokens.Scope.SCENARIOS,), days=30):
        with fresh_engine.begin() as connection:
            made, secret = tokens.create(connection, "Bureau du plan", scopes, days=days)
        return made, {"Authorization": f"Bearer {secret}"}

    return made


def refused(response, status=422):
    assert response.status_code == status, response.text
    return Problem.model_validate(response.json())


def evaluated(client, *edits, **asked):
    response = client.post(EVALUATE, json={"edits": list(edits), **asked})
    assert response.status_code == 200, response.text
    EvaluationAnswer.model_validate_json(response.content)
    assert response.headers["cache-control"] == "no-store"
    return response.json()


# --- evaluated


def test_an_evaluation_counts_who_gains_and_who_loses(bare):
    facts = evaluated(bare, opening(), CLOSE_A, question={"minutes": [20], "beyond_min": 10})
    # 13 min between neighbouring town halls: Estbourg gains a site, Ouestville loses its own.
    summary = facts["summary"]
    assert (summary["gaining"], summary["losing"]) == (4_000, 1_000)
    assert (summary["nearer"], summary["farther"]) == (4_000, 1_000)
    assert summary["before"]["people_beyond"] == 4_000
    assert summary["after"]["people_beyond"] == 1_000
    assert summary["after"]["share_within"] == [{"within_min": 20, "share": 1.0, "people": 7_000.0}]
    of = {t["code"]: t for t in facts["territories"]}
    assert (of["99004"]["gaining"], of["99001"]["losing"], of["99002"]["minutes"]) == (4_000, 1_000, 0)
    assert facts["question"]["parameters"]["beyond_min"] == 10
    assert facts["meta"]["notice"] and "vol d'oiseau" in facts["meta"]["method"]["label"]


def test_the_sites_touched_are_drawn_in_the_order_of_the_edits(bare):
    moved = {"action": "move", "site": "essai--b", "longitude": at(25).x, "latitude": at(25).y}
    hours = {"action": "hours", "site": "essai--b", "horaires": "Sa 09:00-12:00"}
    features = evaluated(bare, opening(5), CLOSE_A, moved, hours, opening(35))["sites"]["features"]
    facts = [(f["id"], f["properties"]["action"]) for f in features]
    assert facts == [
        ("scenario--1", "open"),
        ("essai--a", "close"),
        ("essai--b", "move"),
        ("essai--b", "hours"),
        ("scenario--2", "open"),
    ]
    assert features[2]["geometry"]["coordinates"] == pytest.approx([at(25).x, at(25).y], abs=1e-5)
    assert features[2]["properties"]["commune"] == "Désert-le-Vide"


def test_nothing_edited_changes_nothing(bare):
    facts = evaluated(bare, kind="departement")
    assert facts["summary"]["before"] == facts["summary"]["after"]
    assert [t["code"] for t in facts["territories"]] == ["99"]
    assert not any(
        facts["territories"][0][n] for n in ("gaining", "losing", "nearer", "farther", "minutes", "gap")
    )


def test_a_repeated_what_if_is_answered_from_memory(bare, monkeypatch):
    first = evaluated(bare, opening(33), question={"mode": "bicycle"})
    monkeypatch.setattr(scenarios, "measure", lambda frame, question: pytest.fail("measured twice"))
    assert evaluated(bare, opening(33), question={"mode": "bicycle"}) == first


def test_what_is_stored_stays_as_it_is(bare):
    before = bare.get("/api/v1/sites").content
    evaluated(bare, opening(), CLOSE_A, CLOSE_B)
    assert bare.get("/api/v1/sites").content == before


@pytest.mark.parametrize(
    ("body", "paths", "says"),
    [
        ({}, {"edits"}, "une liste"),
        ({"edits": [{"action": "paint"}]}, {"edits"}, "modification 1, champ « action »"),
        ({"edits": [CLOSE_A, CLOSE_A]}, {"edits"}, "contredit"),
        ({"edits": [opening()] * 201}, {"edits"}, "200 au plus"),
        ({"edits": [], "kind": "pays"}, {"kind"}, "commune · canton"),
        (
            {"edits": [3], "kind": 1, "question": {"slot": "jamais"}, "x": 1},
            {"edits", "kind", "question.slot", "x"},
            "« kind » doit être",
        ),
        ({"edits": [], "question": {"weights": "ifn:1"}}, {"weights"}, "ifn"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_by_path(bare, body, paths, says):
    problem = refused(bare.post(EVALUATE, json=body))
    assert {e.parameter for e in problem.errors or ()} == paths
    assert any(says in e.detail for e in problem.errors or ())


some = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.lists(st.text())
edit = st.dictionaries(
    st.sampled_from(["action", "site", "name", "longitude", "latitude", "horaires", "services", "x"]),
    some | st.sampled_from(["open", "close", "move", "hours", "essai--a"]),
)


@settings(max_examples=150, deadline=None)
@given(
    edits=some | st.lists(edit | some, max_size=3),
    question=some
    | st.dictionaries(st.sampled_from(["mode", "slot", "minutes", "decay", "population"]), some),
)
def test_no_what_if_causes_a_server_error(bare, edits, question):
    content = json.dumps({"edits": edits, "question": question}).encode()
    response = bare.post(EVALUATE, content=content, headers={"Content-Type": "application/json"})
    assert response.status_code in (200, 400, 422), content


# --- saved


def saved(client, headers, name="Est", *edits, **more):
    body = {"name": name, "edits": list(edits) or [opening()], **more}
    return client.post(SCENARIOS, json=body, headers=headers)


def test_a_scenario_is_saved_read_replaced_and_deleted(client, token, caplog):
    bearer, headers = token()
    with caplog.at_level(logging.INFO, logger="portee.api"):
        made = saved(client, headers, " Est \u202e ", description="Pour\x00 voir")
        assert made.status_code == 201
        first = ScenarioOut.model_validate_json(made.content)
        assert (first.name, first.description) == ("Est", "Pour voir")
        where = made.headers["location"]
        assert client.get(where).json() == made.json()
        other = client.put(where, json={"name": "Est", "edits": [CLOSE_A]}, headers=headers)
        assert (other.json()["id"], other.json()["edits"]) == (first.id, [CLOSE_A])
        listed = client.get(SCENARIOS)
        assert ScenariosAnswer.model_validate_json(listed.content).scenarios[0].edits == [CLOSE_A]
        assert client.delete(where, headers=headers).status_code == 204
    refused(client.get(where), 404)
    refused(client.delete(where, headers=headers), 404)
    said = [r.getMessage() for r in caplog.records if "by token" in r.getMessage()]
    assert [s.split(" by ")[0].split()[-1] for s in said] == ["created", "replaced", "deleted"]
    assert all(f"by token {bearer.id} 'Bureau du plan'" in s for s in said)


def test_a_name_is_not_taken_over_and_not_changed(client, token):
    _, headers = token()
    where = saved(client, headers).headers["location"]
    assert "s'appelle déjà « Est »" in refused(saved(client, headers), 409).detail
    problem = refused(client.put(where, json={"name": "Ouest", "edits": []}, headers=headers))
    assert (problem.errors or [])[0].parameter == "name"
    assert client.get(where).json()["edits"] == [opening()]


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, {"name", "edits"}),
        ({"name": "\u202e", "edits": []}, {"name"}),
        ({"name": "x" * 201, "description": "x" * 2_001, "edits": []}, {"name", "description"}),
        ({"name": "Est", "edits": [CLOSE_A, CLOSE_A], "owner": "moi"}, {"edits", "owner"}),
    ],
)
def test_an_invalid_scenario_is_not_saved(client, token, body, paths):
    problem = refused(client.post(SCENARIOS, json=body, headers=token()[1]))
    assert {e.parameter for e in problem.errors or ()} == paths
    assert client.get(SCENARIOS).json()["scenarios"] == []


@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PUT", "/1"), ("DELETE", "/1")])
@pytest.mark.parametrize("header", [None, "", "Basic abc", "Bearer", "Bearer  "])
def test_changes_ask_for_a_token(client, method, path, header):
    headers = {} if header is None else {"Authorization": header}
    response = client.request(method, f"{SCENARIOS}{path}", headers=headers)
    refused(response, 401)
    assert response.headers["www-authenticate"].startswith("Bearer")


def test_an_inactive_token_changes_nothing(client, fresh_engine, token):
    where = saved(client, token()[1]).headers["location"]
    revoked, secret_of_revoked = token()
    expired, secret_of_expired = token()
    with fresh_engine.begin() as connection:
        tokens.revoke(connection, revoked.id)
        connection.execute(
            text("UPDATE token SET expires_at = clock_timestamp() - interval '1 second' WHERE id = :id"),
            {"id": expired.id},
        )
    without_scope = token(scopes=())[1]
    wrong = {"Authorization": "Bearer portee_" + "x" * 43}
    for headers in (secret_of_revoked, secret_of_expired, without_scope, wrong):
        refused(saved(client, headers, "Autre"), 403)
        refused(client.put(where, json={"name": "Est", "edits": []}, headers=headers), 403)
        refused(client.delete(where, headers=headers), 403)
    assert [s["edits"] for s in client.get(SCENARIOS).json()["scenarios"]] == [[opening()]]


@pytest.mark.parametrize("number", ["0", "999", "2147483648", "99999999999"])
def test_an_unknown_scenario_is_not_found(client, token, number):
    refused(client.get(f"{SCENARIOS}/{number}"), 404)
    refused(client.get(f"{SCENARIOS}/{number}/export"), 404)
    refused(client.delete(f"{SCENARIOS}/{number}", headers=token()[1]), 404)


@pytest.mark.parametrize("number", ["abc", "-1", "²", "%00", "9" * 400])
def test_a_number_that_is_not_one_is_refused(bare, number):
    refused(bare.get(f"{SCENARIOS}/{number}"))


# --- compared and exported


def test_scenarios_are_compared_with_today_side_by_side(client, fresh_engine, token):
    _, headers = token()
    east = saved(client, headers, "Est").json()["id"]
    less = saved(client, headers, "Moins", CLOSE_A).json()["id"]
    response = client.get(f"{SCENARIOS}/compare?ids={less},{east}&beyond_min=10&kind=departement")
    facts = ComparisonAnswer.model_validate_json(response.content)
    assert [s.name for s in facts.scenarios] == ["Est", "Moins"]
    assert facts.today.people_beyond == 4_000
    assert [s.summary and s.summary.after.people_beyond for s in facts.scenarios] == [0, 5_000]
    fill(fresh_engine, replace(SITES[0], nom="Autre nom"))  # the other one stays: nothing retires here
    with fresh_engine.begin() as connection:
        connection.execute(
            text(
                'UPDATE scenario SET edits = \'[{"action": "close", "site": "x--y"}]\' WHERE name = \'Moins\''
            )
        )
    eventually(lambda: client.get(f"{SCENARIOS}/compare?ids={less}").json()["scenarios"][0]["problem"])
    refused(client.get(f"{SCENARIOS}/compare?ids={east},999"), 404)
    refused(client.get(f"{SCENARIOS}/compare"))
    refused(client.get(f"{SCENARIOS}/{less}/export"))


def test_a_scenario_is_exported_in_every_form(client, token):
    where = saved(client, token()[1], "=Est").headers["location"]
    path = f"{where}/export?beyond_min=10&format="
    rows = list(csv.DictReader(io.StringIO(client.get(path + "csv").text)))
    assert {r["code"]: float(r["gaining"]) for r in rows}["99004"] == 4_000
    book = load_workbook(io.BytesIO(client.get(path + "xlsx").content))
    assert "scénario" in book.sheetnames
    drawn = client.get(path + "geojson").json()
    assert len(drawn["features"]) == 4 and drawn["about"][0]["text"].startswith("=Est")
    packed = client.get(path + "gpkg")
    assert packed.content.startswith(b"SQLite format 3") and ".gpkg" in packed.headers["content-disposition"]
    EvaluationAnswer.model_validate_json(client.get(f"{where}/export").content)
    refused(client.get(path + "pdf"))


# --- away


def test_without_a_database_what_ifs_are_evaluated_and_none_is_saved(bare):
    evaluated(bare, opening())
    refused(bare.get(SCENARIOS), 503)
    for method, path in (("POST", ""), ("PUT", "/1"), ("DELETE", "/1")):
        response = bare.request(
            method,
            f"{SCENARIOS}{path}",
            json={"name": "x", "edits": []},
            headers={"Authorization": "Bearer x"},
        )
        refused(response, 503)
        assert response.headers["retry-after"]


def test_a_server_writes_down_who_changed_what(monkeypatch, tmp_path):
    monkeypatch.setenv("PORTEE_HOME", str(tmp_path))
    monkeypatch.setattr(logging.getLogger("portee.api"), "level", logging.WARNING)
    from_environment()
    assert logging.getLogger("portee.api").isEnabledFor(logging.INFO)
