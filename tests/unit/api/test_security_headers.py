"""Headers of every answer: policies for browsers, an id; and failures shown to people as pages."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from api.app import create_app
from api.failure_page import wants_page
from api.pages import page
from api.schemas import Problem
from api.security_headers import framed_by
from api.settings import ApiSettings
from geo.settings import Settings
from tests.support.serving import HandKeeper, serving
from tests.support.world import site, snapshot

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"}
PAGES = ("/", "/docs", "/planifier")
FILES = (
    *("/api/v1/sites", "/api/v1/sites.csv", "/api/v1/coverage?format=geojson", "/api/v1/openapi.json"),
    *("/healthz", "/static/api/docs.js", "/favicon.ico", "/api/v1/rien", "/nulle/part"),
)


@pytest.fixture(scope="module")
def client():
    with serving(snapshot(site("a", 5), site("b", 15))) as client:
        yield client


def directives(response):
    policies = response.headers.get_list("content-security-policy")
    assert len(policies) == 1, "browsers hold to all of several policies"
    return {name: rest for name, _, rest in (each.strip().partition(" ") for each in policies[0].split(";"))}


@pytest.mark.parametrize("path", (*PAGES, *FILES))
def test_every_answer_bears_the_headers_of_security(client, path):
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "geolocation=(self)" in headers["permissions-policy"]
    assert "camera=()" in headers["permissions-policy"]
    assert "strict-transport-security" not in headers
    assert "server" not in headers


@pytest.mark.parametrize("path", FILES)
def test_what_is_no_page_may_load_nothing(client, path):
    answer = client.get(path)
    assert directives(answer) == {"default-src": "'none'", "frame-ancestors": "'none'"}
    assert "cross-origin-opener-policy" not in answer.headers


def test_paper_leaves_the_viewer_of_the_browser_its_styles(client):
    answer = client.get("/planifier/rapport.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert directives(answer) == {"frame-ancestors": "'none'"}


@pytest.mark.parametrize("path", PAGES)
def test_pages_run_and_style_by_nothing_written_inline(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    policy = directives(answer)
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'self'"
    assert policy["base-uri"] == "'none'"
    assert "unsafe" not in str(policy)
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"


def test_an_answer_that_has_nothing_new_to_say_keeps_the_policy_of_its_page(client):
    first = client.get("/carte")
    again = client.get("/carte", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert directives(again) == directives(first)


def test_https_is_asked_for_only_where_it_was_used():
    app = create_app(Settings(), HandKeeper(snapshot()), http=ApiSettings())
    with TestClient(app, base_url="https://portee.test") as client:
        assert client.get("/healthz").headers["strict-transport-security"] == "max-age=31536000"


def test_only_pages_made_for_it_are_framed_by_the_sites_listed():
    http = ApiSettings(frame_ancestors=["'self'", "https://www.exemple.invalid", "https://*.exemple.invalid"])
    shown = page("<p>", "default-src 'none'", framed_by(http))
    assert shown.security_policy == (
        "default-src 'none'; frame-ancestors 'self' https://www.exemple.invalid https://*.exemple.invalid"
    )
    with serving(snapshot(), frame_ancestors=http.frame_ancestors) as client:
        assert directives(client.get("/"))["frame-ancestors"] == "'self'"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("frame_ancestors", [each]) for each in ("*", "self", "https://a.fr; script-src *", "a.fr\n", "")),
        ("frame_ancestors", []),
        *(("trusted_proxies", [each]) for each in ("*", "proxy", "10.0.0.1/8")),
        *(("search_rate", each) for each in ("beaucoup", "0/minute", "1/minute;2/hour", "-1/hour")),
        ("log_format", "xml"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(name, value):
    with pytest.raises(ValidationError, match=name):
        ApiSettings(**{name: value})


@pytest.mark.parametrize("given", ["0123456789abcdef", "7f3c9a52-1f0e-4a55-9d1d-0b1f6e2c3d4e", "A" * 64])
def test_the_id_a_proxy_gives_is_kept(client, given):
    answer = client.get("/api/v1/rien", headers={"X-Request-ID": given})
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == given


@pytest.mark.parametrize("given", ["", "court", "12 rue de la Paix, Agen", "0553000000", "a" * 65, "é" * 20])
def test_any_other_id_is_replaced(client, given):
    answer = client.get("/api/v1/rien", headers={"X-Request-ID": given.encode()})
    made = answer.headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{16}", made)
    assert answer.json()["request_id"] == made
    Problem.model_validate(answer.json())


def test_each_request_has_an_id_of_its_own(client):
    paths = (*PAGES, *FILES, "/healthz")
    assert len({client.get(path).headers["x-request-id"] for path in paths}) == len(paths)


@pytest.mark.parametrize("path", ["/nulle/part", "/fonds/inconnu--1", "/static/vendor/absent.js"])
def test_people_are_told_by_a_page_that_stands_alone(client, path):
    answer = client.get(path, headers=BROWSER)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "Accept" in answer.headers["vary"]
    policy = directives(answer)
    assert policy["default-src"] == "'none'"
    assert "script-src" not in policy
    assert "unsafe" not in str(policy)
    assert '<html lang="fr">' in answer.text
    assert "Cette page n&#39;existe pas" in answer.text
    assert '<a href="/">' in answer.text
    assert answer.headers["x-request-id"] in answer.text
    assert not re.search(r'src="|<link|@import|url\(', answer.text), "it loads nothing"


@pytest.mark.parametrize("path", ["/api/v1/rien", "/api/v1/sites?x=1", "/api/rien"])
def test_the_api_never_answers_with_a_page(client, path):
    assert client.get(path, headers=BROWSER).headers["content-type"] == "application/problem+json"


def test_what_was_asked_is_not_written_into_the_page(client):
    answer = client.get("/<script>alert(1)</script>?q=<b>", headers=BROWSER)
    assert "alert" not in answer.text
    assert "<b>" not in answer.text


def test_a_service_without_data_or_at_fault_tells_people_so():
    class Broken(HandKeeper):
        def current(self):
            raise RuntimeError("12 rue de la Paix")

    for keeper, status, told in (
        (HandKeeper(), 503, "Recommencez dans quelques minutes"),
        (Broken(), 500, "Ce n&#39;est pas votre faute"),
    ):
        with serving(keeper) as client:
            answer = client.get("/", headers=BROWSER)
        assert answer.status_code == status
        assert told in answer.text
        assert "Paix" not in answer.text
        assert answer.headers["x-request-id"] in answer.text


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (BROWSER["Accept"], True),
        ("text/html", True),
        ("text/*", True),
        ("TEXT/HTML;level=1", True),
        ("", False),
        ("*/*", False),
        ("application/json, text/html;q=0.5", False),
        ("application/problem+json, text/html;q=0.9", False),
        ("text/html;q=0.5, application/json;q=0.4", True),
        ("text/html;q=0, */*", False),
        ("text/html;q=abc", False),
        ("text/html;q=nan", False),
        (",;,/;=", False),
    ],
)
def test_who_prefers_a_page_gets_one(accept, wanted):
    assert wants_page("/lieux/x", accept) is wanted
    assert wants_page("/api/v1/x", accept) is False
