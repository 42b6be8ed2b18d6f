"""Pages as the API serves them, in the real browser: no other host, no script but ours."""

from __future__ import annotations

import pytest

from api.app import create_app
from api.settings import ApiSettings
from geo.settings import Settings
from tests.support.browser import browser
from tests.support.serving import HandKeeper, listening
from tests.support.world import site, snapshot

pytestmark = pytest.mark.browser

HOSTILE = (
    "</script><script>document.title='pris'</script>",
    "${document.title='pris'}",
    "<img src=x onerror=alert(1)>",
)


@pytest.fixture(scope="module")
def address():
    sites = [site(str(n), 5 + n, nom=name) for n, name in enumerate(HOSTILE)]
    with listening(create_app(Settings(), HandKeeper(snapshot(*sites)), http=ApiSettings())) as served:
        yield served


@pytest.fixture(scope="module")
def chromium():
    with browser() as opened:
        yield opened


def opened(chromium, url, ready):
    """What went wrong and which other hosts were asked on a page, once it shows `ready`."""
    page = chromium.new_page()
    errors, asked = [], []
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("request", lambda r: asked.append(r.url))
    own = "/".join(url.split("/")[:3])
    page.route(lambda wanted: not wanted.startswith(own), lambda route: route.fulfill(status=204))
    page.goto(url)
    page.wait_for_selector(ready)
    return page, errors, asked


def test_the_documentation_works_under_its_policy(chromium, address):
    page, errors, asked = opened(chromium, f"{address}/docs", ".opblock-summary-path")
    offered = create_app(Settings(), HandKeeper()).openapi()["paths"].values()
    assert page.locator(".opblock").count() == sum(map(len, offered))
    page.locator("#operations-health-healthz_api_v1_healthz_get button").first.click()
    page.get_by_role("button", name="Execute").click()
    page.wait_for_selector(".live-responses-table")
    assert '"status": "ok"' in page.locator(".live-responses-table").inner_text()
    assert all(u.startswith((address, "data:")) for u in asked)
    assert errors == []
    page.close()


def test_the_map_shows_hostile_names_as_text(chromium, address):
    page, errors, asked = opened(chromium, f"{address}/carte", ".leaflet-interactive")
    assert page.title() != "pris"
    text = page.locator("body").text_content()
    for name in HOSTILE:
        assert name in text
    others = [u for u in asked if not u.startswith((address, "data:"))]
    assert all("data.geopf.fr" in u for u in others)
    assert [e for e in errors if "geopf" not in e] == []
    page.close()
