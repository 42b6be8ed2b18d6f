"""How often one client may ask, who counts as one, and how large a body may be."""

from __future__ import annotations

import itertools

import pytest
from limits.storage import MemoryStorage
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from api import rate_limits
from api.app import create_app
from api.schemas import Problem
from api.settings import ApiSettings
from geo.settings import Settings
from tests.support.serving import HandKeeper, serving
from tests.support.world import snapshot
from tests.unit.api.test_security_headers import BROWSER

SEARCH = "/api/v1/places?q=Agen"
FORM = "/lieux/essai--a/signaler"


def test_searching_too_often_is_refused_with_the_time_to_wait():
    with serving(snapshot(), search_rate="3/minute") as client:
        answers = [
            client.get(path) for path in (SEARCH, "/?ou=agen", "/embed?v=1", SEARCH, "/lieux/carte?n=1")
        ]
        assert [answer.status_code == 429 for answer in answers] == [False, False, False, True, True]
        problem = answers[3].json()
        Problem.model_validate(problem)
        assert problem["title"] == "Trop de demandes"
        assert problem["detail"].endswith(".")
        assert 1 <= int(answers[3].headers["retry-after"]) <= 60
        assert f"Attendez {answers[3].headers['retry-after']} secondes" in problem["advice"]
        assert answers[3].headers["x-content-type-options"] == "nosniff"


def test_other_pages_may_read_that_they_ask_too_often():
    with serving(snapshot(), search_rate="1/minute") as client:
        for _ in range(2):
            answer = client.get(SEARCH, headers={"Origin": "https://exemple.invalid"})
    assert answer.status_code == 429
    assert answer.headers["access-control-allow-origin"] == "*"


def test_searching_too_often_in_a_browser_gets_a_page():
    with serving(snapshot(), search_rate="1/hour") as client:
        assert client.get("/?q=agen", headers=BROWSER).status_code != 429
        answer = client.get("/?q=agen", headers=BROWSER)
    assert answer.status_code == 429
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "beaucoup de recherches" in answer.text
    assert "Attendez 60 minutes" in answer.text


def test_requests_other_than_searches_are_not_counted():
    with serving(snapshot(), search_rate="1/hour", form_rate="1/hour") as client:
        for path in ("/", "/api/v1/sites", "/api/v1/sites/nearest?commune=99001", "/healthz"):
            assert {client.get(path).status_code for _ in range(4)} == {200}
        assert client.get(SEARCH).status_code != 429


def test_head_is_counted_as_what_it_asks():
    with serving(snapshot(), search_rate="1/hour") as client:
        client.head(SEARCH)
        assert client.get(SEARCH).status_code == 429


def test_forms_have_their_own_limit():
    with serving(snapshot(), search_rate="1/hour", form_rate="2/hour") as client:
        client.get(SEARCH)
        assert [client.post(FORM).status_code == 429 for _ in range(4)] == [False, False, True, True]
        assert "messages" in client.post("/lieux/un--autre/signaler").json()["detail"]


def test_an_empty_rate_limits_nothing():
    with serving(snapshot(), search_rate="", form_rate="") as client:
        statuses = {client.request(*each).status_code for each in (("GET", SEARCH), ("POST", FORM)) * 150}
    assert 429 not in statuses


def test_clients_are_counted_apart():
    app = create_app(Settings(), HandKeeper(snapshot()), http=ApiSettings(search_rate="1/hour"))
    with TestClient(app):
        for host in ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1"):
            client = TestClient(app, client=(host, 50_000))
            assert client.get(SEARCH).status_code != 429
            assert client.get(SEARCH).status_code == 429


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("testclient", "autre", False),
    ],
)
def test_who_counts_as_one(one, other, same):
    known = [rate_limits.client_key({"client": (host, 1)}) for host in (one, other)]
    assert (known[0] == known[1]) is same


def test_a_server_that_knows_no_address_counts_all_as_one():
    assert rate_limits.client_key({"client": None}) == rate_limits.client_key({}) == ""


def clients_of(window):
    """Under what a window knows the clients it has counted."""
    storage = window._limiter.storage
    assert isinstance(storage, MemoryStorage)
    return list(storage.events)


def test_addresses_are_stored_as_keyed_hashes_only():
    window = rate_limits.RateWindow("5/hour")
    window.wait_s("192.0.2.77")
    (kept,) = clients_of(window)
    assert "192.0.2.77" not in kept
    assert "192.0.2.77" not in str(vars(window._limiter.storage))


def test_a_window_moves_on(monkeypatch):
    now = 1_000.0
    monkeypatch.setattr("time.time", lambda: now)
    window = rate_limits.RateWindow("2/minute")
    waits = []
    for _ in range(3):
        waits.append(window.wait_s("a"))
        now += 10
    assert waits == [0, 0, 40]  # the first was 20 s ago
    now = 1_060.5
    assert window.wait_s("a") == 0
    assert window.wait_s("a") == 10  # the second leaves at 1070
    assert window.wait_s("b") == 0


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(rate_limits, "COUNTED_MAX", 50)
    window = rate_limits.RateWindow("1/hour")
    for turn in range(500):
        window.wait_s(str(turn))
        assert len(clients_of(window)) <= 50


@pytest.fixture(scope="module")
def reading():
    """A client of an application with a route that reads whatever it is sent."""
    app = create_app(Settings(), HandKeeper(snapshot()), http=ApiSettings())

    @app.post("/model")
    async def model(given: dict[str, str]) -> Response:
        return Response(given["x"])

    async def stream(request: Request) -> Response:
        return Response(str(sum([len(chunk) async for chunk in request.stream()])))

    app.add_route("/stream", stream, methods=["POST"])
    with TestClient(app) as client:
        yield client


def chunks(size):
    return itertools.repeat(b"x" * 1_024, size)


def test_a_body_without_a_length_is_counted_as_it_comes(reading):
    assert reading.post("/stream", content=chunks(64)).text == str(64 * 1_024)
    refused = reading.post("/stream", content=chunks(65))
    assert refused.status_code == 413
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["connection"] == "close"


def test_an_announced_body_is_refused_before_it_is_read(reading):
    assert reading.post("/stream", content=b"x" * 64 * 1_024).text == str(64 * 1_024)
    assert reading.post("/stream", content=b"x" * (64 * 1_024 + 1)).status_code == 413


def test_a_route_that_leaves_reading_to_the_framework_counts_too(reading):
    said = {"Content-Type": "application/json"}
    assert reading.post("/model", content=iter([b'{"x": ', b'"y"}']), headers=said).text == "y"
    assert reading.post("/model", content=chunks(100), headers=said).status_code == 413
