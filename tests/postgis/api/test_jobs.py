"""Jobs over HTTP: followed by their identifier, cancelled by whoever has it."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.planning_schemas import JobAnswer
from api.schemas import Problem
from geo.services import siting
from geo.store import jobs
from tests.postgis.geo.services.test_job_runner import alive
from tests.postgis.geo.store.test_snapshot_watcher import eventually, fill
from tests.support.serving import serving
from tests.support.world import record, snapshot

UNKNOWN = "f" * 32


@pytest.fixture
def client(fresh_engine, fresh_settings, monkeypatch):
    """The service, whose runner claims nothing."""
    fill(fresh_engine, record("a", 5))
    monkeypatch.setattr(jobs, "claim", lambda connection, kinds: None)
    with TestClient(create_app(fresh_settings)) as client:
        yield client


def asked(client):
    return client.post("/api/v1/siting", json={"model": "p_median", "p": 1}).json()


def test_a_job_that_waits_is_cancelled_once_and_asked_again(client):
    facts = asked(client)
    waiting = client.get(facts["href"])
    JobAnswer.model_validate_json(waiting.content)
    assert (waiting.json()["state"], waiting.json()["progress"], waiting.json()["result"]) == (
        "queued",
        0,
        None,
    )
    for _ in range(2):
        response = client.delete(facts["href"])
        assert (response.status_code, response.content) == (204, b"")
    cancelled = client.get(facts["href"]).json()
    assert cancelled["state"] == "cancelled" and cancelled["ended_at"]
    assert asked(client) == facts


def endless(folder, question, report):
    """A computation that says it has begun, and never ends."""
    report(0.25, "Un quart")
    (Path(folder) / "pid").write_text(str(os.getpid()))
    time.sleep(600)


def test_a_job_that_runs_is_followed_and_ended_when_it_is_cancelled(
    fresh_engine, fresh_settings, monkeypatch, tmp_path
):
    fill(fresh_engine, record("a", 5))
    monkeypatch.setattr(siting, "kinds", lambda settings: {"siting": partial(endless, str(tmp_path))})
    with TestClient(create_app(fresh_settings)) as client:
        facts = asked(client)
        eventually(lambda: client.get(facts["href"]).json()["progress"] == 0.25, within_s=15)
        running = client.get(facts["href"]).json()
        assert (running["state"], running["message"]) == ("running", "Un quart")
        eventually((tmp_path / "pid").exists)
        assert client.delete(facts["href"]).status_code == 204
        pid = int((tmp_path / "pid").read_text())
        eventually(lambda: not alive(pid))
        assert client.get(facts["href"]).json()["state"] == "cancelled"


@pytest.mark.parametrize("job_id", [UNKNOWN, "1", "F" * 32, "%00", "a" * 5_000, "é"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_job_is_not_found(client, method, job_id):
    response = client.request(method, f"/api/v1/jobs/{job_id}")
    assert response.status_code == 404
    assert len(Problem.model_validate(response.json()).detail) < 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_without_a_database_no_job_is_known(method):
    with serving(snapshot()) as client:
        response = client.request(method, f"/api/v1/jobs/{UNKNOWN}")
        assert response.status_code == 503 and response.headers["retry-after"]


def test_a_job_is_read_or_cancelled_only(client):
    assert client.post(f"/api/v1/jobs/{UNKNOWN}").status_code == 405


def test_pages_of_other_sites_may_ask_and_cancel(client):
    for method in ("POST", "DELETE"):
        headers = {
            "Origin": "https://planner.test",
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "content-type,authorization",
        }
        assert client.options("/api/v1/siting", headers=headers).status_code == 200
