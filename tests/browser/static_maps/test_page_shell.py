"""The menu of every page in a real Chromium: folded on phones, open on wide screens, without scripts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from api.app import create_app
from api.settings import ApiSettings
from geo.settings import Settings
from tests.browser.static_maps.test_coverage_map import AXE, violations
from tests.support.browser import browser, visit
from tests.support.serving import HandKeeper, listening
from tests.support.world import site, snapshot

pytestmark = pytest.mark.browser

PAGES = ("/", "/lieux", "/carte", "/planifier", "/nulle/part")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    keeper = HandKeeper(snapshot(site("a", 5), site("b", 15, "99002")))
    with listening(create_app(Settings(), keeper, http=ApiSettings())) as served:
        yield served


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [320, 768])
def test_the_menu_is_folded_on_narrow_screens_and_opens_without_scripts(chromium, address, path, width):
    with visit(chromium, address + path, width=width, ready="main", java_script_enabled=False) as seen:
        menu = seen.page.get_by_role("navigation", name="Menu")
        expect(menu.get_by_role("link", name="Planifier")).to_be_hidden()
        menu.locator("summary").click()
        links = menu.get_by_role("link")
        expect(links.first).to_have_text("Trouver de l'aide")
        expect(links).to_have_count(11)
        for link in links.all():
            expect(link).to_be_in_viewport()
        menu.get_by_role("link", name="Tous les lieux").click()
        expect(seen.page).to_have_url(f"{address}/lieux")


@pytest.mark.parametrize("path", PAGES)
def test_the_menu_lies_open_on_one_line_of_a_wide_screen(chromium, address, path):
    with visit(chromium, address + path, width=1280, ready="main") as seen:
        menu = seen.page.get_by_role("navigation", name="Menu")
        expect(menu.locator("summary")).to_be_hidden()
        tops = menu.get_by_role("link").evaluate_all("all => [...new Set(all.map(a => a.offsetTop))]")
        assert len(tops) == 1
        menu.get_by_role("link", name="Carte de l'accès").click()
        expect(seen.page).to_have_url(f"{address}/carte")


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_axe_finds_nothing_to_say_of_the_open_menu(chromium, address, width):
    for path in PAGES:
        with visit(chromium, address + path, width=width, ready="main", bypass_csp=True) as seen:
            summary = seen.page.locator(".menu summary")
            if summary.is_visible():
                summary.click()
            seen.page.evaluate(AXE.read_text("utf-8"))
            assert violations(seen.page) == [], path
            assert seen.page.evaluate("document.documentElement.scrollWidth") <= width, path
