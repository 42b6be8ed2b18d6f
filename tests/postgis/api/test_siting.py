"""Where to open next, asked over HTTP: a job in a process of its own, over a real PostGIS."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.app import create_app
from api.planning_schemas import JobAnswer, JobAsked, SitingResult
from api.schemas import Problem
from geo.coverage.where_next import CANDIDATES_MAX
from geo.errors import ImpossibleQuestion
from geo.services.siting import run
from geo.sites import standard
from geo.store import jobs
from tests.postgis.geo.store.test_snapshot_watcher import eventually, fill
from tests.support.serving import serving
from tests.support.world import at, record, site, snapshot

SITING = "/api/v1/siting"


def point(name, x_km):
    return {"name": name, "longitude": at(x_km).x, "latitude": at(x_km).y}


@pytest.fixture
def client(fresh_engine, fresh_settings):
    fill(fresh_engine, record("a", 5))
    with TestClient(create_app(fresh_settings)) as client:
        yield client


@pytest.fixture
def computed(fresh_engine, fresh_settings, monkeypatch):
    """Ask, and answer in this process: no runner claims the job."""
    fill(fresh_engine, record("a", 5))
    monkeypatch.setattr(jobs, "claim", lambda connection, kinds: None)
    with TestClient(create_app(fresh_settings)) as client:

        def ask(body):
            facts = client.post(SITING, json=body)
            assert facts.status_code == 202, facts.text
            with fresh_engine.begin() as connection:
                kept = jobs.find(connection, facts.json()["id"])
            result = run(fresh_settings, kept.question, lambda share, doing: None)
            SitingResult.model_validate(result)
            return kept.question, result

        yield ask


@pytest.fixture(scope="module")
def bare():
    """Without a database: what is well asked ends with 503."""
    with serving(snapshot(site("a", 5))) as client:
        yield client


def refused(response, status=422):
    assert response.status_code == status, response.text
    Problem.model_validate(response.json())
    return {e["parameter"]: e["detail"] for e in response.json().get("errors", [])}


def answered(client, body):
    facts = client.post(SITING, json=body).json()
    eventually(lambda: client.get(facts["href"]).json()["ended_at"], within_s=15)
    job = client.get(facts["href"])
    JobAnswer.model_validate_json(job.content)
    assert job.headers["cache-control"] == "no-store"
    assert job.json()["state"] == "done", job.json()["message"]
    return job.json()["result"]


def test_a_siting_is_queued_computed_and_answered_from_its_stored_result(client, fresh_engine):
    body = {"model": "maximal_coverage", "p": 1, "question": {"minutes": [10, 20]}}
    response = client.post(SITING, json=body)
    asked = JobAsked.model_validate_json(response.content)
    assert response.status_code == 202
    assert response.headers["location"] == asked.href == f"/api/v1/jobs/{asked.id}"
    result = answered(client, body)
    SitingResult.model_validate(result)
    # Estbourg's 4 000 lack a site; two town halls are within 20 minutes of them.
    assert result["sites"][0]["name"] in ("Estbourg", "Désert-le-Vide")
    assert result["sites"][0]["people_gained"] == 4_000
    assert (result["served_before"], result["people"], result["status"]) == (3_000, 7_000, "optimal")
    assert result["question"]["sentence"] == "en voiture"
    assert result["question"]["parameters"]["minutes"] == [10, 20]
    assert "vol d'oiseau" in result["travel"] and "démonstration" in result["notice"]
    again = client.post(SITING, json={**body, "candidates": "town_halls", "time_limit_s": 30})
    assert (again.status_code, again.json()["id"], again.json()["state"]) == (200, asked.id, "done")
    fill(fresh_engine, record("a", 5), record("b", 35, "99004"))
    eventually(lambda: client.post(SITING, json=body).json()["id"] != asked.id)


def test_own_points_and_a_filter_are_candidates_and_question(computed):
    body = {
        "model": "set_cover",
        "within_min": 14,
        "candidates": [point("Ouest", 5), point("Est", 35)],
        "question": {"frais_a_charge": ["Payant"], "slot": "samedi"},
    }
    result = computed(body)[1]
    assert {s["name"] for s in result["sites"]} == {"Ouest", "Est"}
    assert result["served_before"] == 0
    assert "Payant" in result["question"]["sentence"] and "samedi" in result["question"]["sentence"]


def test_a_tour_gives_the_week_of_the_bus(computed):
    half_days = ["Mardi après-midi", "mardi matin"]
    body = {"model": "tour", "within_min": 5, "half_days": half_days, "base": "99004", "p": 2}
    tour = computed(body)[1]["tour"]
    assert {stop["half_day"] for stop in tour} <= {"mardi matin", "mardi après-midi"}
    assert sum(stop["people_gained"] for stop in tour) == 6_000


def test_now_is_stored_as_the_minute_of_the_request(computed):
    kept, _ = computed({"model": "p_median", "p": 1, "question": {"slot": "maintenant"}})
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d\+0[12]:00", kept["moment"])
    today, _ = computed({"model": "p_median", "p": 1})
    assert "T00:00+" in today["moment"]


def test_a_question_about_older_data_is_not_answered(computed, fresh_engine, fresh_settings):
    kept, _ = computed({"model": "p_median", "p": 1})
    fill(fresh_engine, record("a", 5), record("b", 35, "99004"))
    with pytest.raises(ImpossibleQuestion, match="Les données ont changé"):
        run(fresh_settings, kept, lambda share, doing: None)


def test_members_that_a_model_ignores_do_not_make_another_question(client):
    one = client.post(SITING, json={"model": "set_cover", "p": 4, "base": "99001"}).json()
    assert client.post(SITING, json={"model": "set_cover"}).json()["id"] == one["id"]


def test_a_job_that_cannot_be_answered_says_why(client):
    body = {"model": "maximal_coverage", "p": 3, "candidates": [point("Seul", 5)]}
    facts = client.post(SITING, json=body).json()
    eventually(lambda: client.get(facts["href"]).json()["ended_at"], within_s=15)
    job = client.get(facts["href"]).json()
    assert job["state"] == "failed" and "3" in job["message"] and job["result"] is None


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, {"model"}),
        ({"model": "best"}, {"model"}),
        ({"model": "tour"}, {"half_days", "base"}),
        ({"model": "tour", "half_days": ["lundi midi"], "base": "Agen"}, {"half_days", "base"}),
        ({"model": "tour", "half_days": ["lundi matin"], "base": "33063"}, {"base"}),
        (
            {"model": "p_median", "p": 0, "within_min": 121, "time_limit_s": 121},
            {"p", "within_min", "time_limit_s"},
        ),
        ({"model": "p_median", "p": 2.5, "q": 1}, {"p", "q"}),
        ({"model": "p_median", "question": {"mode": "avion", "zz": 1}}, {"question.mode", "question.zz"}),
        ({"model": "p_median", "question": [1]}, {"question"}),
        ({"model": "p_median", "candidates": "partout"}, {"candidates"}),
        ({"model": "p_median", "candidates": []}, {"candidates"}),
        ({"model": "p_median", "candidates": [3]}, {"candidates[0]"}),
        (
            {"model": "p_median", "candidates": [point("A", 5), {"name": " ", "longitude": "0", "x": 1}]},
            {f"candidates[1].{name}" for name in ("name", "longitude", "latitude", "x")},
        ),
        (
            {"model": "p_median", "candidates": [{"name": "A", "longitude": 44.2, "latitude": 0.6}]},
            {"candidates[0].longitude"},
        ),
        ({"model": "p_median", "candidates": [point("A", 5)] * (CANDIDATES_MAX + 1)}, {"candidates"}),
        ({"model": "p_median", "question": {"weights": "ifn:0.5"}}, {"weights"}),
        ({"model": "p_median", "question": {"population": 65}}, {"population"}),
    ],
)
def test_every_problem_is_reported_by_path(bare, body, paths):
    assert set(refused(bare.post(SITING, json=body))) == paths


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"model": NaN}', 400),
        (b"\xff\xfe", 400),
        (b'{"model": "\\ud800"}', 400),
        (b"[" * 100_000, 400),
        (b"[]", 422),
        (b"null", 422),
        (b'{"question": ' + b'{"a":' * 200 + b"1" + b"}" * 201, 422),
        (b'{"p": ' + b"9" * 5_000 + b', "model": "p_median"}', 400),
        (json.dumps({"model": "p_median", **{f"k{n}": n for n in range(15_000)}}).encode(), 422),
        (json.dumps({"model": "p_median", "question": {"services": ["x"] * 40_000}}).encode(), 422),
        (b'{"model": "' + b"x" * 262_144 + b'"}', 413),
    ],
)
def test_hostile_bodies_are_refused_in_words(bare, content, status):
    refused(bare.post(SITING, content=content, headers={"Content-Type": "application/json"}), status)


def test_a_body_without_a_length_is_cut_at_the_limit(bare):
    def endless():
        for _ in range(1_000):
            yield b" " * 10_000

    answer = bare.post(SITING, content=endless(), headers={"Content-Type": "application/json"})
    refused(answer, 413)


def test_a_body_that_is_not_json_is_refused(bare):
    refused(bare.post(SITING, content=b"{}", headers={"Content-Type": "text/plain"}), 415)


def test_control_characters_are_removed_from_texts(computed):
    body = {"model": "p_median", "p": 1, "candidates": [point("A\x00\u202eB \n C", 35)]}
    assert computed(body)[1]["sites"][0]["name"] == "AB C"


def test_without_a_database_the_question_is_not_taken(bare):
    response = bare.post(SITING, json={"model": "p_median"})
    assert response.status_code == 503 and response.headers["retry-after"]
    assert bare.get("/api/v1/sites").status_code == 200


def test_a_full_queue_says_when_to_come_back(fresh_engine, fresh_settings, monkeypatch):
    fill(fresh_engine, record("a", 5))
    monkeypatch.setattr(jobs, "claim", lambda connection, kinds: None)
    with TestClient(create_app(fresh_settings)) as client:
        facts = [
            client.post(SITING, json={"model": "p_median", "p": 1, "within_min": 1 + n}) for n in range(21)
        ]
    assert [r.status_code for r in facts] == [202] * 20 + [503]
    assert facts[-1].headers["retry-after"] and "20 calculs" in facts[-1].json()["detail"]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
bodies = st.dictionaries(
    st.sampled_from(["p", "within_min", "candidates", "question", "half_days", "base", "time_limit_s", "x"]),
    anything
    | st.lists(
        st.dictionaries(st.sampled_from(["name", "longitude", "latitude"]), anything, max_size=3), max_size=3
    )
    | st.dictionaries(
        st.sampled_from(["mode", "minutes", "slot", "weights", "decay", "services", "commune"]),
        anything,
        max_size=3,
    ),
    max_size=5,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(model=st.sampled_from([*["maximal_coverage", "tour"], standard.SERVICES[0]]) | anything, body=bodies)
def test_no_body_causes_a_server_error(bare, model, body):
    content = json.dumps({"model": model, **body}).encode()
    response = bare.post(SITING, content=content, headers={"Content-Type": "application/json"})
    assert response.status_code in (400, 422, 503), quote(content)
    Problem.model_validate(response.json())
