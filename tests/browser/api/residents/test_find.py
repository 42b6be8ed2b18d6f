"""Journeys of residents in a real Chromium: with scripts and without, on a phone and a desk, tiles away."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from api.app import create_app
from api.settings import ApiSettings
from geo.services.search_state import clean
from geo.settings import Settings
from tests.browser.static_maps.test_coverage_map import AXE, HOSTILE, violations
from tests.postgis.geo.store.test_snapshot_watcher import eventually
from tests.support import crowd, world
from tests.support.browser import browser, visit
from tests.support.serving import HandKeeper, listening

pytestmark = pytest.mark.browser

PHONE: dict[str, Any] = {"width": 390, "height": 844}
DESK: dict[str, Any] = {"width": 1280, "height": 800}
PLACES = {
    "Lavardac": "Lavardac",
    "vileneuve sur lot": "Villeneuve-sur-Lot",
    "47200": "Marmande",
    "MEZIN": "Mézin",
    "Agen": "Agen",
}
"""What is typed, and where it leads."""
NEEDS = ("", "demarches", "materiel")

SPACING = """* { line-height: 1.5 !important; letter-spacing: .12em !important; }
* { word-spacing: .16em !important; }
p { margin-bottom: 2em !important; }"""
"""What WCAG 1.4.12 lets readers set."""
SPACED = """css => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets = [sheet];
}"""
CUT = """[...document.querySelectorAll("a, button, p, h1, h2, h3, label")]
  .filter(e => e.offsetParent && !e.closest(".unseen") && e.scrollWidth > e.clientWidth + 1)
  .filter(e => getComputedStyle(e).overflow !== "visible")
  .map(e => e.textContent.trim())"""
"""Text that its own box cuts."""
MOVING = """[...document.querySelectorAll("*")].map(e => getComputedStyle(e)).filter(
  s => parseFloat(s.transitionDuration) > 0 || s.animationName !== "none" || s.scrollBehavior === "smooth"
).length"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The département with eighty invented sites."""
    with listening(
        create_app(
            Settings(), HandKeeper(crowd.lot_et_garonne(80)), http=ApiSettings(search_rate="", form_rate="")
        )
    ) as served:
        yield served


@pytest.fixture(scope="module")
def hostile() -> Iterator[str]:
    """A country whose sites have hostile text in every field."""
    sites = [
        world.site(
            str(n),
            6 + n,
            nom=text,
            adresse=text,
            complement_adresse=text,
            commune=text,
            telephone=text,
            courriels=(text,),
            site_web=(f"javascript:{text}", text),
            prise_rdv="javascript:alert(1)",
            horaires=text,
            presentation_resume=text,
            presentation_detail=text,
            structure_parente=text,
            source=text,
        )
        for n, text in enumerate(HOSTILE)
    ]
    with listening(
        create_app(
            Settings(), HandKeeper(world.snapshot(*sites)), http=ApiSettings(search_rate="", form_rate="")
        )
    ) as served:
        yield served


# ---- From a place and a need to a ringing phone


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_three_needs_in_five_places_each_one_field_and_one_tap_from_a_phone(chromium, address, size, scripts):
    for typed, place in PLACES.items():
        for need in NEEDS:
            with visit(chromium, f"{address}/", ready="#ou", java_script_enabled=scripts, **size) as opened:
                page = opened.page
                taps = 0
                page.locator("#ou").fill(typed)
                if need:
                    page.locator("#besoin").select_option(need)
                page.locator("#ou").press("Enter")
                call = page.locator("a.call").first
                expect(call).to_be_visible()
                taps += 1  # the one that rings
                assert place in page.title(), (typed, page.title())
                assert re.fullmatch(r"tel:\+33\d{9}", call.get_attribute("href") or "")
                if size is PHONE and not need:
                    box = call.bounding_box()
                    assert box and box["y"] + box["height"] <= size["height"], "seen without scrolling"
                assert taps == 1
                assert parse_qs(urlsplit(page.url).query)["ou"] == [typed]
                assert opened.hosts() <= {urlsplit(address).netloc, "data.geopf.fr"}
                assert [e for e in opened.errors if "geopf" not in e] == []


def test_suggestions_are_walked_and_chosen_by_keyboard(chromium, address):
    with visit(chromium, f"{address}/", ready="#ou") as opened:
        page = opened.page
        field = page.get_by_role("combobox", name="Où êtes-vous ?")
        field.press_sequentially("lavard")
        options = page.get_by_role("option")
        expect(options.first).to_contain_text("Lavardac")
        expect(field).to_have_attribute("aria-expanded", "true")
        field.press("ArrowDown")
        expect(options.first).to_have_attribute("aria-selected", "true")
        expect(field).to_have_attribute("aria-activedescendant", "proposition-0")
        field.press("Escape")
        expect(page.get_by_role("listbox")).to_be_hidden()
        field.press_sequentially("a")
        expect(options.first).to_contain_text("Lavardac")
        field.press("ArrowDown")
        field.press("Enter")
        page.wait_for_url("**/?*lieu=*")
        assert parse_qs(urlsplit(page.url).query) == {"ou": ["Lavardac"], "lieu": ["commune-47143"]}


def test_keys_alone_lead_from_the_field_to_a_phone(chromium, address):
    with visit(chromium, f"{address}/?ou=Lavardac", ready="a.call") as opened:
        page = opened.page
        page.locator("#ou").focus()
        for _ in range(15):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.matches('a.call')"):
                break
        call = page.locator("a.call").first
        expect(call).to_be_focused()
        outline = call.evaluate(
            "e => [getComputedStyle(e).outlineStyle, parseFloat(getComputedStyle(e).outlineWidth)]"
        )
        assert outline[0] == "solid"
        assert outline[1] >= 2


# ---- Near me


def near_me(page: Page) -> None:
    page.get_by_role("button", name="Près de moi").click()
    page.wait_for_url("**/?*pos=*")


def test_near_me_goes_into_one_address_and_stays_nowhere(chromium, address):
    with visit(
        chromium,
        f"{address}/",
        ready="#ou",
        geolocation={"latitude": 44.177391, "longitude": 0.295664},
        permissions=["geolocation"],
    ) as opened:
        page = opened.page
        near_me(page)
        assert parse_qs(urlsplit(page.url).query) == {"pos": ["44.177,0.296"]}
        expect(page.locator("a.call").first).to_be_visible()
        assert page.evaluate("[document.cookie, localStorage.length, sessionStorage.length]") == ["", 0, 0]
        kept = page.evaluate(
            "caches.keys().then(n => Promise.all(n.map(k => caches.open(k).then(c => c.keys()))))"
            ".then(all => all.flat().map(r => r.url))"
        )
        assert not any("pos=" in url or "derniere" in url for url in kept)


def test_a_position_refused_leads_back_to_the_field(chromium, address):
    with visit(chromium, f"{address}/", ready="#ou", permissions=[]) as opened:
        page = opened.page
        page.evaluate(
            "void (navigator.geolocation.getCurrentPosition = (found, refused) => refused({code: 1}))"
        )
        page.get_by_role("button", name="Près de moi").click()
        expect(page.get_by_text("Position refusée")).to_be_visible()
        expect(page.locator("#ou")).to_be_focused()


# ---- Without a network


def offline(context: BrowserContext, page: Page) -> None:
    """Wait until the page is completely cached, then cut the network."""
    eventually(lambda: page.evaluate("navigator.serviceWorker.controller !== null"), within_s=15)
    page.reload()
    kept = "caches.match('/?derniere-reponse').then(found => found !== undefined)"
    eventually(lambda: page.evaluate(kept), within_s=15)
    context.set_offline(True)


def test_the_last_answer_is_readable_without_a_network_and_says_how_old_it_is(chromium, address):
    context = chromium.new_context(locale="fr-FR")
    try:
        page = context.new_page()
        page.goto(f"{address}/?ou=Lavardac")
        first = page.locator("a.call").first.inner_text()
        expect(page.locator("#hors-ligne")).to_be_hidden()
        offline(context, page)
        page.goto(f"{address}/")
        expect(page.locator("a.call").first).to_have_text(first)
        banner = page.locator("#hors-ligne")
        expect(banner).to_be_visible()
        expect(banner).to_contain_text(re.compile(r"gardée le \w+ \d"))
        context.set_offline(False)
        page.goto(f"{address}/?ou=Agen")
        expect(page.locator("#hors-ligne")).to_be_hidden()
    finally:
        context.close()


# ---- For everyone

STATES = {
    "empty": "/",
    "found": "/?ou=Lavardac",
    "wishes": "/?ou=Lavardac&prix=gratuit&quand=samedi",
    "nothing": "/?ou=Lavardac&comment=domicile&fauteuil=oui",
    "unknown": "/?ou=zzzzqqq",
    "unusable": "/?ou=Lavardac&prix=offert",
    "english": "/?ou=Lavardac&lang=en",
    "statement": "/accessibilite",
    "offline": "/hors-ligne",
    "paper": "/imprimer",
}


@pytest.mark.parametrize("width", [320, 768, 1280])
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_to_say(chromium, address, state, width):
    with visit(chromium, address + STATES[state], ready="main", width=width) as opened:
        page = opened.page
        page.wait_for_load_state("load")
        page.evaluate(AXE.read_text("utf-8"))
        assert violations(page) == []
        for summary in page.locator("main summary").all():
            if summary.is_visible():
                summary.click()
        assert violations(page) == [], "everything unfolded"
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_large_text_and_wide_spacing_hide_nothing(chromium, address):
    with visit(chromium, f"{address}/?ou=Lavardac", ready="a.call", width=640) as opened:
        page = opened.page
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate("document.documentElement.scrollWidth") <= 640
        page.evaluate(SPACED, SPACING)
        assert page.evaluate("document.documentElement.scrollWidth") <= 640
        assert page.evaluate(CUT) == []


def test_colours_of_the_system_keep_every_action_visible(chromium, address):
    with visit(chromium, f"{address}/?ou=Lavardac", ready="a.call", forced_colors="active") as opened:
        for chosen in ("a.call", "button.go"):
            border = opened.page.locator(chosen).first.evaluate(
                "e => parseFloat(getComputedStyle(e).borderTopWidth)"
            )
            assert border >= 2
        opened.page.locator("#ou").focus()
        opened.page.keyboard.press("Tab")
        shown = "getComputedStyle(document.activeElement).outlineStyle"
        assert opened.page.evaluate(shown) == "solid", "the outline of what is active is seen too"


def test_nothing_moves_for_those_who_ask_for_rest(chromium, address):
    with visit(chromium, f"{address}/?ou=Lavardac", ready="a.call") as opened:
        assert opened.page.evaluate(MOVING) == 0


def test_a_screen_reader_hears_names_times_and_numbers(chromium, address):
    with visit(chromium, f"{address}/?ou=Lavardac", ready="a.call") as opened:
        heard = opened.page.get_by_role(
            "region", name=re.compile("du plus proche au plus loin")
        ).aria_snapshot()
    assert re.search(r'heading "Espace numérique fictif n° \d+ de Lavardac" \[level=3\]', heard)
    assert re.search(r"paragraph: .*moins d'une minute en voiture|paragraph: .*\d+.min en voiture", heard)
    assert re.search(r'link "Appeler Espace numérique fictif n° \d+ de Lavardac : 05 53 99 \d\d \d\d"', heard)


# ---- Hostile text


def test_hostile_text_is_shown_as_text(chromium, hostile):
    with visit(chromium, f"{hostile}/?ou=Ouestville&n=50", ready="a.call, .nophone") as opened:
        page = opened.page
        headings = [" ".join(h.split()) for h in page.locator(".card h3").all_text_contents()]
        for text in HOSTILE:
            assert " ".join(text.split()) in headings
        assert page.locator("a[href^='javascript']").count() == 0
        assert page.locator("img, main script").count() == 0
        assert opened.dialogs == []
        assert [e for e in opened.errors if "404" not in e] == []


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_addresses_are_shown_as_text(chromium, hostile, text):
    query = {
        "ou": text,
        "lieu": text,
        "mots": text,
        "besoin": text,
        "quand": text,
        "mode": text,
        "n": text,
        "lang": text,
    }
    with visit(chromium, f"{hostile}/?{urlencode(query)}", ready="#ou") as opened:
        assert opened.page.locator("#ou").input_value() == clean(text)
        assert opened.page.locator("main img, main script").count() == 0
        assert opened.dialogs == []


# ---- Light


def test_the_list_is_light(chromium, address):
    """Everything a phone loads for the list, compressed: 60 kB at most."""
    sizes: dict[str, int] = {}
    with visit(chromium, f"{address}/", ready="#ou", **PHONE) as opened:
        page = opened.page
        page.on("response", lambda r: sizes.update({r.url: len(gzip.compress(r.body(), 5))}))
        page.goto(f"{address}/?ou=Lavardac")
        page.wait_for_load_state("networkidle")
    loaded = {url: size for url, size in sizes.items() if urlsplit(url).netloc == urlsplit(address).netloc}
    assert any(url.endswith("ou=Lavardac") for url in loaded)
    assert sum(loaded.values()) <= 60_000, loaded
