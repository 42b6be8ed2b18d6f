"""Fixtures of the map of sites and of embedded pages: Chromium, the service, and a second origin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from api.app import create_app
from api.settings import ApiSettings
from geo.settings import Settings
from tests.browser.static_maps.test_coverage_map import HOSTILE
from tests.support import crowd, world
from tests.support.browser import browser, visit
from tests.support.hosting import host_page, hosting
from tests.support.serving import HandKeeper, listening


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def host() -> Iterator[tuple[str, dict[str, str]]]:
    with hosting() as opened:
        yield opened


@pytest.fixture(scope="module")
def address(host) -> Iterator[str]:
    """The service with eighty invented sites; the second origin may frame it."""
    http = ApiSettings(frame_ancestors=["'self'", host[0]], search_rate="")
    with listening(create_app(Settings(), HandKeeper(crowd.lot_et_garonne(80)), http=http)) as served:
        yield served


@pytest.fixture(scope="module")
def hostile(host) -> Iterator[str]:
    """A service whose sites and communes have hostile text."""
    sites = [
        world.site(
            str(n), 6 + n, nom=text, adresse=text, commune=text, telephone=text, horaires=text,
            site_web=(f"javascript:{text}",), prise_rdv="javascript:alert(1)",
        )
        for n, text in enumerate(HOSTILE)
    ]  # fmt: skip
    http = ApiSettings(frame_ancestors=["'self'", host[0]], search_rate="")
    with listening(create_app(Settings(), HandKeeper(world.snapshot(*sites)), http=http)) as served:
        yield served


@pytest.fixture
def seen(chromium: Browser, address: str, host):
    """A function that opens a page of the second origin with the given body."""
    home, pages = host

    @contextmanager
    def opened(body: str, **options):
        pages["/"] = host_page(body)
        # The service is another host than the page's: `visit` would block it.
        with visit(chromium, "about:blank", ready="body", **options) as seen:
            seen.page.unroute_all()
            ours = {urlsplit(home).netloc, urlsplit(address).netloc}
            seen.page.route(lambda url: urlsplit(url).netloc not in ours, lambda route: route.abort())
            seen.page.goto(home)
            yield seen

    return opened
