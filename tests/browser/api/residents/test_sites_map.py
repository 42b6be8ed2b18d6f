"""The map beside the list of sites, in a real Chromium."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.support.browser import visit

pytestmark = pytest.mark.browser

MAP = "html[data-ready]"
OURS = {"data.geopf.fr"}
"""The only other host that may be asked: the base map's."""


def test_the_map_shows_what_the_list_shows_and_nothing_moves_by_itself(chromium, address):
    with visit(chromium, f"{address}/lieux/carte?ou=Lavardac", ready=MAP) as opened:
        page = opened.page
        heard = page.get_by_role("main").aria_snapshot()
        listed = re.findall(r'button "(\d+) : (Espace numérique fictif n° \d+ de [^"]+)"', heard)
        assert [int(rank) for rank, _ in listed] == list(range(1, 11))
        assert 'img "Vous cherchez près de : Lavardac"' in heard
        assert 'region "Carte des lieux, Lot-et-Garonne.' in heard
        assert 'button "Agrandir la carte"' in heard
        assert 'button "Réduire la carte"' in heard
        assert re.search(r'button "Espace numérique fictif n° \d+ de', heard)
        view = page.locator(".folium-map").bounding_box()
        assert view
        for marker in page.locator(".listed.leaflet-marker-icon").all():
            box = marker.bounding_box()
            assert box and box["x"] >= view["x"] and box["y"] >= view["y"]
            assert box["x"] + box["width"] <= view["x"] + view["width"] + 1
            assert box["y"] + box["height"] <= view["y"] + view["height"] + 1
        boxes = [m.bounding_box() for m in page.locator(".listed.leaflet-marker-icon").all()]
        for n, a in enumerate(boxes):
            for b in boxes[:n]:
                assert a and b
                assert abs(a["x"] - b["x"]) + abs(a["y"] - b["y"]) > 20, "numbers do not hide each other"
        assert opened.errors == []
        assert opened.hosts() <= {urlsplit(address).netloc} | OURS
    with visit(chromium, f"{address}/?ou=Lavardac", ready="a.call", width=800) as opened:
        names = [h.strip() for h in opened.page.locator(".ranked h3").all_inner_texts()]
        assert names == [name for _, name in listed]


def test_keys_alone_open_a_site_ring_and_come_back(chromium, address):
    with visit(chromium, f"{address}/lieux/carte?ou=Lavardac", ready=MAP) as opened:
        page = opened.page
        first = page.get_by_role("button", name=re.compile("^1 : "))
        page.get_by_role("link", name="Voir la liste").focus()
        for _ in range(3):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.matches('.listed')"):
                break
        expect(first).to_be_focused()
        page.keyboard.press("Enter")
        sheet = page.get_by_role("dialog")
        expect(sheet).to_be_visible()
        call = sheet.get_by_role("link", name=re.compile(r"^Appeler Espace numérique fictif .* : 05 53 99"))
        expect(call).to_be_focused()
        assert re.fullmatch(r"tel:\+33\d{9}", call.get_attribute("href") or "")
        heard = sheet.aria_snapshot()
        assert heard.index("Appeler") < heard.index("heading")
        assert "min en voiture" in heard or "minute en voiture" in heard
        assert 'link "Itinéraire"' in heard
        details = sheet.get_by_role("link", name="Horaires et détails")
        assert details.get_attribute("target") == "_top"
        assert (details.get_attribute("href") or "").startswith("/lieux/")
        page.keyboard.press("Escape")
        expect(sheet).to_have_count(0)
        expect(first).to_be_focused()
        zoom = page.get_by_role("button", name="Agrandir la carte")
        before = page.locator(".leaflet-control-scale-line").inner_text()
        zoom.focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")
        expect(page.locator(".leaflet-control-scale-line")).not_to_have_text(before)


def test_a_site_chosen_on_the_map_is_lit_in_the_list(chromium, address):
    for path in ("/?ou=Lavardac", "/embed?ou=Lavardac"):
        with visit(chromium, address + path, ready="iframe", width=1280) as opened:
            frame = opened.page.frame_locator("iframe")
            frame.get_by_role("button", name=re.compile("^2 : ")).press("Enter")
            expect(opened.page.locator(".card.lit")).to_have_count(1)
            lit = opened.page.locator(".card.lit h3").inner_text()
            assert lit.strip() in frame.get_by_role("dialog").inner_text()


def test_a_map_is_not_cached_for_use_without_a_network(chromium, address):
    """It shows who is open now and has no room to say how old it is."""
    context = chromium.new_context(locale="fr-FR")
    try:
        page = context.new_page()
        page.route(lambda url: not url.startswith(address), lambda route: route.abort())
        page.goto(f"{address}/?ou=Lavardac")
        page.wait_for_function("navigator.serviceWorker.ready.then(() => true)")
        page.goto(f"{address}/lieux/carte?ou=Lavardac")
        page.wait_for_selector(MAP)
        kept = page.evaluate(
            "caches.keys().then(n => Promise.all(n.map(k => caches.open(k).then(c => c.keys()))))"
            ".then(all => all.flat().map(r => new URL(r.url).pathname))"
        )
        assert kept
        assert "/lieux/carte" not in kept
    finally:
        context.close()


def test_maps_without_scripts_lead_to_the_list(chromium, address):
    with visit(
        chromium, f"{address}/lieux/carte?ou=Lavardac", ready="body", java_script_enabled=False
    ) as opened:
        expect(opened.page.get_by_text("La liste dit la même chose")).to_be_visible()
        opened.page.get_by_role("link", name="Voir la liste").first.click()
        opened.page.wait_for_url("**/?ou=Lavardac")
