"""Metrics and log lines of one process; `test_serve.py` tests a real server."""

from __future__ import annotations

import json
import logging
import sys
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from api import logs
from api.app import create_app
from api.metrics import WorkerMetrics
from api.settings import ApiSettings
from geo.settings import Settings
from tests.postgis.geo.store.test_snapshot_watcher import eventually
from tests.support.serving import HandKeeper
from tests.support.world import site, snapshot


@contextmanager
def counted(keeper):
    registry = CollectorRegistry()
    app = create_app(
        Settings(), keeper, http=ApiSettings(search_rate="1/hour"), figures=WorkerMetrics(registry)
    )
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client, registry


def requests(registry):
    (metric,) = (metric for metric in registry.collect() if metric.name == "portee_requests")
    return {
        (s.labels["method"], s.labels["route"], s.labels["status"]): s.value
        for s in metric.samples
        if s.name == "portee_requests_total"
    }


def test_requests_are_counted_by_the_template_of_their_route():
    class Broken(HandKeeper):
        def current(self):
            raise RuntimeError

    with counted(HandKeeper(snapshot(site("a", 5)))) as (client, registry):
        for method, path in (
            *(
                ("GET", "/api/v1/sites/essai--a"),
                ("GET", "/api/v1/sites/essai--z"),
                ("HEAD", "/api/v1/sites/b"),
            ),
            *(("GET", "/static/api/docs.js"), ("HEAD", "/static/api/docs.js"), ("GET", "/static/api/absent")),
            *(
                ("GET", "/"),
                ("POST", "/"),
                ("GET", "/nulle/part/12-rue"),
                ("MARMANDE", "/x"),
                ("GET", "/docs"),
            ),
            *(("GET", "/api/v1/places?q=x"), ("GET", "/api/v1/places?q=x"), ("HEAD", "/api/v1/places?q=x")),
        ):
            client.request(method, path)
        client.post("/api/v1/scenarios", content=b"x" * 1_000_000)
        found = requests(registry)
        times = registry.get_sample_value("portee_request_seconds_count", {"route": "/static/api/{path}"})
    files, sites, places = "/static/api/{path}", "/api/v1/sites/{site_id}", "/api/v1/places"
    assert {key: value for key, value in found.items() if key[:2] != ("GET", places)} == {
        **{("GET", sites, "200"): 1, ("GET", sites, "404"): 1, ("HEAD", sites, "404"): 1},
        **{("GET", files, "200"): 1, ("HEAD", files, "200"): 1, ("GET", files, "404"): 1},
        **{("GET", "/", "200"): 1, ("POST", "/", "405"): 1, ("GET", "/docs", "200"): 1},
        **{("GET", "-", "404"): found["GET", "-", "404"], ("-", "-", "404"): 1, ("POST", "-", "413"): 1},
        ("HEAD", places, "429"): 1,
    }
    assert found["GET", places, "429"] == 1
    assert times == 3
    with counted(Broken()) as (client, registry):
        client.get("/api/v1/sites")
        assert requests(registry)["GET", "/api/v1/sites", "500"] == 1


def test_the_state_of_the_data_is_exported_while_it_changes(monkeypatch):
    monkeypatch.setattr("api.metrics.EVERY_S", 0.01)
    keeper = HandKeeper(snapshot(site("a", 5), version=7))
    with counted(keeper) as (_, registry):
        sample = registry.get_sample_value
        eventually(lambda: sample("portee_database_up") == 1)
        assert (sample("portee_snapshot_version"), sample("portee_snapshot_age_seconds")) == (7, 0)
        keeper.database_ok, keeper.age = False, timedelta(seconds=90)
        eventually(lambda: sample("portee_database_up") == 0)
        assert sample("portee_snapshot_age_seconds") == 90
        keeper.snapshot = None
        time.sleep(0.05)
        keeper.snapshot, keeper.database_ok, keeper.age = snapshot(version=8), True, timedelta()
        eventually(lambda: sample("portee_snapshot_version") == 8)
        assert sample("portee_database_up") == 1


def record(level=logging.ERROR, message="dit", **more):
    return logging.makeLogRecord(
        {"name": "essai", "levelno": level, "levelname": "ERROR", "msg": message, **more}
    )


@pytest.fixture(params=[logs.Json, logs.Text])
def form(request):
    return request.param()


@pytest.fixture
def asked():
    """Within a request."""
    token = logs.REQUEST_ID.set("0123456789abcdef")
    yield
    logs.REQUEST_ID.reset(token)


def failure():
    """A failure within a failure, both quoting what was asked."""
    try:
        try:
            int("12 rue de la Paix")
        except ValueError as problem:
            raise KeyError("jeanne@exemple.invalid") from problem
    except KeyError:
        return sys.exc_info()


def test_a_failure_within_a_request_is_logged_without_its_message(form, asked):
    line = form.format(record(exc_info=failure()))
    assert "0123456789abcdef" in line
    assert line.index("ValueError") < line.index("KeyError")
    assert "test_access_log.py" in line
    assert 'int("12' in line.replace("\\", "")  # the code itself, which quotes nobody
    assert "invalid literal" not in line
    assert line.count("message left out") == 2


def test_a_failure_outside_of_a_request_is_logged_whole(form):
    line = form.format(record(exc_info=failure()))
    assert "invalid literal" in line
    assert "message left out" not in line


def test_a_line_of_json_is_one_object_whatever_it_holds(asked):
    facts = json.loads(logs.Json().format(record(message='%s\n"\x1b', args=("é",))))
    assert facts["message"] == 'é\n"\x1b'
    assert facts["request_id"] == "0123456789abcdef"
    assert logs.Json().format(record(message="a\nb")).count("\n") == 0


@pytest.mark.parametrize(
    ("wanted", "terminal", "kind"),
    [
        ("auto", True, logs.Text),
        ("auto", False, logs.Json),
        ("json", True, logs.Json),
        ("text", False, logs.Text),
    ],
)
def test_the_form_of_lines_follows_the_setting(wanted, terminal, kind, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    root = logging.getLogger()
    before = root.handlers[:]
    try:
        root.handlers = []
        logs.configure(wanted)
        assert [type(handler.formatter) for handler in root.handlers] == [kind]
    finally:
        logging.captureWarnings(False)
        root.handlers = before


def test_each_metric_says_what_it_counts():
    with counted(HandKeeper(snapshot())) as (_, registry):
        answer = {metric.name: metric.documentation for metric in registry.collect()}
    assert answer["portee_requests"] == "Requests answered, by template of the route, method and status."
    assert answer["portee_request_seconds"] == "Time to answer, in seconds, by template of the route."
