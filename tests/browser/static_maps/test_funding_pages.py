"""Pages of the money in a real Chromium: two maps as one, no script, print, narrow screens, axe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from api.app import create_app
from tests.browser.static_maps.test_coverage_map import AXE, violations
from tests.postgis.geo.store.test_snapshot_watcher import eventually
from tests.postgis.static_maps.test_funding_pages import PAGES, invested
from tests.support.browser import browser, visit
from tests.support.serving import listening

pytestmark = pytest.mark.browser

PAIR = "/mesures?mesure=paye&avec=temps"
A_PIXEL = 0.0006
"""Degrees, at the zoom the maps are looked at."""
HOSTILE = "</script><img src=x onerror=alert(1)>{{ 7*7 }} ${alert(1)}"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def address(cluster, _template, tmp_path_factory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    with (
        invested(cluster, _template, home, name=HOSTILE) as (_, settings),
        listening(create_app(settings)) as served,
    ):
        yield served


def views(page: Page) -> list[list[float]]:
    """Zoom, latitude and longitude each map looks at."""
    look = "m => [m.getZoom(), m.getCenter().lat, m.getCenter().lng]"
    found: list[list[float]] = page.evaluate(f"[map_portee0, map_portee1].map({look})")
    return found


def test_two_maps_move_as_one(chromium, address):
    with visit(chromium, address + PAIR) as opened:
        page = opened.page
        first, second = page.locator(".leaflet-container").all()
        start = views(page)
        assert start[0] == pytest.approx(start[1], abs=A_PIXEL)
        first.get_by_label("Agrandir").click()
        nearer = views(page)
        assert nearer[0] == pytest.approx(nearer[1], abs=A_PIXEL)
        assert nearer[0][0] > start[0][0]
        second.focus()
        page.keyboard.press("ArrowRight")
        eventually(lambda: views(page)[1][2] > nearer[1][2])
        aside = views(page)
        assert aside[0] == pytest.approx(aside[1], abs=A_PIXEL)
        assert aside[0][2] > nearer[0][2]
        assert opened.errors == []


def test_a_territory_shows_both_measures_and_links_to_its_account(chromium, address):
    with visit(chromium, address + PAIR) as opened:
        page = opened.page
        commune = page.locator(".leaflet-container").nth(1).locator("path.commune").first
        commune.hover()
        expect(page.locator(".tip")).to_contain_text("Ouestville")
        expect(page.locator(".tip")).to_contain_text("Payé par le fonds : 0,25 € par habitant")
        commune.click()
        page.wait_for_url("**/territoires/99001?kind=commune&year=*")
        assert opened.errors == []


def test_colours_of_the_map_are_those_of_its_legend(chromium, address):
    with visit(chromium, f"{address}/mesures?mesure=pass") as opened:
        page = opened.page
        fills = page.locator("path.commune").evaluate_all("all => all.map(p => p.getAttribute('fill'))")
        keys = page.locator(".legend rect").evaluate_all("all => all.map(r => r.getAttribute('fill'))")
        assert len(fills) == 4
        assert set(fills) <= set(keys)
        assert "url(#hachures)" in fills


def test_circles_are_drawn_and_lead_to_accounts(chromium, address):
    with visit(chromium, f"{address}/mesures?mesure=paye&forme=total&kind=epci") as opened:
        circle = opened.page.locator("path.people")
        expect(circle).to_have_count(1)
        circle.click()
        opened.page.wait_for_url("**/territoires/200000001?kind=epci&year=*")


def test_only_the_tiles_are_asked_of_another_host(chromium, address):
    with visit(chromium, address + PAIR) as opened:
        assert opened.hosts() <= {urlsplit(address).netloc, "data.geopf.fr"}
        assert opened.errors == []


def test_without_scripts_the_page_is_whole(chromium, address):
    context = chromium.new_context(java_script_enabled=False, locale="fr-FR")
    page = context.new_page()
    for path in ("/fonds", "/reseau", "/territoires/99001"):
        page.goto(address + path)
        expect(page.get_by_role("table").first).to_be_visible()
    page.goto(address + PAIR)
    maps = page.locator(".drawn svg")
    expect(maps).to_have_count(2)
    expect(maps.first).to_be_visible()
    expect(page.locator(".canvas").first).to_be_hidden()
    page.get_by_label("Par", exact=True).select_option("canton")
    page.get_by_role("button", name="Montrer").click()
    expect(page.get_by_role("heading", level=2).first).to_have_text(re.compile("par canton"))
    context.close()


def test_print_has_the_drawn_maps_and_no_controls(chromium, address):
    with visit(chromium, address + PAIR) as opened:
        opened.page.emulate_media(media="print")
        expect(opened.page.locator(".drawn svg").first).to_be_visible()
        expect(opened.page.locator(".canvas").first).to_be_hidden()
        expect(opened.page.locator("form")).to_be_hidden()
        expect(opened.page.locator(".legend").first).to_be_visible()


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_axe_finds_nothing_to_say_and_no_page_scrolls_sideways(chromium, address, width):
    context = chromium.new_context(
        viewport={"width": width, "height": 800}, locale="fr-FR", reduced_motion="reduce"
    )
    page = context.new_page()
    said: list[str] = []
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), lambda route: route.abort())
    for path in (*PAGES, "/mesures?mesure=rien"):
        page.goto(address + path)
        if "mesures" in path and "rien" not in path:
            page.wait_for_selector("html[data-ready]", state="attached")
        for summary in page.locator("main summary").all():
            summary.click()
        page.evaluate(AXE.read_text("utf-8"))
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert said == []
    context.close()
