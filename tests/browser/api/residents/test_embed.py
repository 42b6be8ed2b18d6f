"""Pages of another origin that embed the list and the map, in a real Chromium."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from geo.services.search_state import clean
from tests.browser.static_maps.test_coverage_map import AXE, HOSTILE, violations
from tests.support.browser import visit
from tests.support.hosting import host_page, hosting

pytestmark = pytest.mark.browser

MAP = "html[data-ready]"
OURS = {"data.geopf.fr"}
"""The only other host that may be asked: the base map's."""
STORED = """async () => [document.cookie, localStorage.length, sessionStorage.length,
  (await caches.keys()).length, (await navigator.serviceWorker.getRegistrations()).length,
  (await indexedDB.databases()).length]"""
NOTHING = ["", 0, 0, 0, 0, 0]


def line(address: str, **data: str) -> str:
    told = "".join(f' data-{name}="{value}"' for name, value in data.items())
    return f'<script src="{address}/embed.js"{told} async></script>'


def height(page: Page, at: int = 0) -> float:
    box = page.locator("iframe").nth(at).bounding_box()
    assert box
    return box["height"]


def shown(text: str) -> str:
    """What a page shows of a text that came by an address: on one line, nothing that cannot be seen."""
    return clean(text)


def map_of(page: Page) -> FrameLocator:
    return page.frame_locator("iframe").frame_locator("iframe")


# ---- On a page of another origin


def test_one_line_embeds_and_the_frame_is_as_tall_as_its_content(seen, address):
    body = line(address, territoire="47001", couleur="7a1f5c", titre="L'aide à Agen")
    with seen(body) as opened:
        page = opened.page
        frame = page.get_by_title("L'aide à Agen")
        expect(frame).to_be_visible()
        inside = page.frame_locator("iframe")
        expect(inside.get_by_role("heading", name="L'aide à Agen")).to_be_visible()
        expect(inside.locator("a.call").first).to_be_visible()
        page.wait_for_function("document.querySelector('iframe').clientHeight !== 720")
        for width in (1280, 420):
            page.set_viewport_size({"width": width, "height": 800})
            page.wait_for_timeout(400)
            [within] = [f for f in page.frames if "/embed?" in f.url]
            assert within.evaluate("document.documentElement.scrollHeight") == pytest.approx(
                height(page), abs=2
            )
            assert within.evaluate("document.documentElement.scrollWidth") <= width
        expect(inside.locator(".go")).to_have_css("background-color", "rgb(122, 31, 92)")
        expect(map_of(page).locator(".listed").first).to_be_visible()
        # Searching happens within the frame, and the state stays.
        inside.get_by_label("Où êtes-vous ?").fill("Marmande")
        inside.get_by_role("button", name="Chercher").click()
        expect(inside.get_by_role("heading", name=re.compile("plus loin de Marmande"))).to_be_visible()
        [within] = [f for f in page.frames if "/embed?" in f.url]
        asked = parse_qs(urlsplit(within.url).query)
        assert asked["territoire"] == ["47001"]
        assert asked["couleur"] == ["7a1f5c"]
        for each in page.frames:
            assert each.evaluate(STORED) == NOTHING
        assert page.context.cookies() == []
        assert opened.hosts() <= {urlsplit(address).netloc, urlsplit(page.url).netloc} | OURS
        assert opened.errors == []
        assert page.evaluate("Object.keys(window).filter(k => /port[ée]e|embed/i.test(k))") == []
        # A site's page opens outside of the frame.
        inside.locator(".card h3 a").first.evaluate("e => e.href = '/accessibilite'")
        inside.locator(".card h3 a").first.click()
        page.wait_for_url(f"{address}/accessibilite")


def test_two_embeds_of_one_page_keep_to_themselves(seen, address):
    body = line(address, territoire="47001", vue="liste", titre="Un") + line(
        address, vue="carte", titre="Deux", lang="en"
    )
    with seen(body) as opened:
        page = opened.page
        expect(page.frame_locator("iframe[title=Un]").locator("a.call").first).to_be_visible()
        expect(page.frame_locator("iframe[title=Deux]").locator("iframe")).to_be_visible()
        page.wait_for_function("[...document.querySelectorAll('iframe')].every(f => f.clientHeight !== 720)")
        one, two = (page.locator(f"iframe[title={name}]").bounding_box() for name in ("Un", "Deux"))
        assert one and two
        assert one["height"] != two["height"]
        assert min(one["height"], two["height"]) > 300
        # A message from elsewhere, even one that looks right, changes nothing.
        page.evaluate("postMessage({portee: 'height', height: 5000}, '*')")
        page.wait_for_timeout(200)
        again = page.locator("iframe[title=Un]").bounding_box()
        assert again and again["height"] == one["height"]
        assert opened.errors == []


def test_a_plain_frame_works_without_scripts_anywhere(seen, address):
    source = f"{address}/embed?v=1&amp;vue=liste&amp;prix=gratuit"
    frame = f'<iframe src="{source}" title="Aide" width="900" height="700"></iframe>'
    with seen(frame, java_script_enabled=False) as opened:
        inside = opened.page.frame_locator("iframe")
        inside.get_by_label("Où êtes-vous ?").fill("Agen")
        inside.get_by_role("button", name="Chercher").click()
        expect(inside.get_by_role("heading", name=re.compile("plus loin d.*Agen"))).to_be_visible()
        assert "prix=gratuit" in opened.page.frames[1].url


def test_an_origin_that_is_not_in_the_list_sees_nothing(chromium, address):
    with hosting() as (stranger, pages):
        ours = {urlsplit(stranger).netloc, urlsplit(address).netloc}
        pages["/"] = host_page(f'<iframe src="{address}/embed" title="Aide"></iframe>')
        context = chromium.new_context()
        try:
            page = context.new_page()
            told: list[str] = []
            page.on("console", lambda message: told.append(message.text))
            page.route(lambda url: urlsplit(url).netloc not in ours, lambda route: route.abort())
            page.goto(stranger)
            page.wait_for_timeout(500)
            assert any("frame-ancestors" in text for text in told)
            assert page.frame_locator("iframe").get_by_label("Où êtes-vous ?").count() == 0
        finally:
            context.close()


def test_the_wheel_and_one_finger_scroll_the_page_and_not_the_map(seen, address):
    body = f'<div style="height:300px"></div>{line(address, vue="carte")}<div style="height:3000px"></div>'
    with seen(body) as opened:
        page = opened.page
        scale = map_of(page).locator(".leaflet-control-scale-line")
        before = scale.inner_text()
        box = map_of(page).locator(".folium-map").bounding_box()
        assert box
        page.mouse.move(box["x"] + 200, box["y"] + 100)
        page.mouse.wheel(0, 150)
        page.wait_for_function("scrollY > 100")
        assert scale.inner_text() == before
        expect(map_of(page).get_by_text("Ctrl et la molette")).to_be_visible()
        at = page.evaluate("scrollY")
        page.keyboard.down("Control")
        page.mouse.wheel(0, -100)
        page.mouse.wheel(0, -100)
        page.keyboard.up("Control")
        expect(scale).not_to_have_text(before)
        assert page.evaluate("scrollY") == at
    with seen(body, width=390, has_touch=True, is_mobile=True) as opened:
        page = opened.page
        area = map_of(page).locator(".folium-map")
        expect(area).to_be_visible()
        page.wait_for_function("document.querySelector('iframe').clientHeight !== 720")
        page.evaluate("scrollTo(0, 450)")
        page.wait_for_timeout(300)
        box = area.bounding_box()
        assert box
        at = page.evaluate("scrollY")
        devtools = page.context.new_cdp_session(page)
        label = map_of(page).locator(".dot[aria-label]").first.get_attribute("aria-label")
        spot = map_of(page).get_by_role("button", name=label, exact=True)

        def ground() -> float:
            """How far below the top of the map one of its sites is."""
            return float(spot.evaluate("e => e.getBoundingClientRect().y"))

        still = ground()

        def drag(*fingers: tuple[float, float]) -> None:
            """Move fingers 150 pixels up."""
            for step in range(11):
                points = [{"x": x, "y": y - 15 * step} for x, y in fingers]
                kind = "touchMove" if step else "touchStart"
                devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
                page.wait_for_timeout(20)
            devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

        middle = min(box["y"] + box["height"] / 2, 700)
        drag((150, middle))
        page.wait_for_function(f"scrollY > {at} + 100")
        assert ground() == still
        expect(map_of(page).get_by_text("Deux doigts")).to_be_visible()
        page.wait_for_timeout(600)
        at = page.evaluate("scrollY")
        drag((120, middle), (220, middle))
        page.wait_for_timeout(300)
        assert page.evaluate("scrollY") == at
        assert ground() == pytest.approx(still - 150, abs=30)


# ---- The page that makes the code


def test_code_follows_the_form_and_is_copied(chromium, address, seen):
    with visit(
        chromium, f"{address}/integrer", ready=MAP, permissions=["clipboard-read", "clipboard-write"]
    ) as opened:
        page = opened.page
        page.get_by_label("Quel territoire ?").select_option("47001")
        page.get_by_label("La liste seule").check()
        code = page.get_by_label("Une ligne (conseillé)")
        expect(code).to_have_value(re.compile('data-territoire="47001" data-vue="liste"'))
        expect(
            page.frame_locator("iframe").get_by_role("heading", name="Aide au numérique : Agen")
        ).to_be_visible()
        page.get_by_role("button", name="Copier : Une ligne (conseillé)").click()
        expect(page.locator("#etat")).to_have_text("Copié")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == code.input_value()
        page.get_by_label("Couleur des boutons et des liens").fill("#ffee00")
        expect(page.locator("#etat")).to_contain_text("trop pâle")
        assert "territoire=47001" in page.url
        assert opened.errors == []
    with seen(copied) as opened:
        expect(opened.page.frame_locator("iframe").locator("a.call").first).to_be_visible()
    with visit(chromium, f"{address}/integrer", ready="form", java_script_enabled=False) as opened:
        page = opened.page
        page.get_by_label("Titre").fill("Ici")
        page.get_by_role("button", name="Faire le code").click()
        expect(page.get_by_label("Un cadre")).to_have_value(re.compile("titre=Ici"))


# ---- One file


def test_one_file_works_from_a_disk(chromium, address, tmp_path):
    context = chromium.new_context()
    path = tmp_path / "carte.html"
    path.write_bytes(
        context.request.get(f"{address}/embed/carte.html?territoire=47001&couleur=7a1f5c").body()
    )
    context.close()
    with visit(chromium, path.as_uri(), ready=MAP, tiles=True) as opened:
        page = opened.page
        page.locator(".dot, .cluster").first.press("Enter")
        assert opened.errors == []
        assert opened.hosts() <= OURS
        page.evaluate(AXE.read_text("utf-8"))
        assert violations(page) == []


# ---- For everyone, and against everyone

STATES = {
    "list": "/embed?vue=liste&territoire=47001",
    "map": "/embed?vue=carte&titre=Une+carte",
    "both": "/embed?ou=Lavardac&couleur=7a1f5c",
    "told": "/embed?couleur=ffee00&v=9&ou=zzzzqqq",
    "code": "/integrer?territoire=47001&prix=gratuit",
    "alone": "/lieux/carte?ou=Lavardac&prix=condition&fauteuil=oui",
}


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_axe_finds_nothing_to_say(chromium, address, width):
    source = AXE.read_text("utf-8")
    for name, path in STATES.items():
        with visit(chromium, address + path, ready="main, [role=main]", width=width) as opened:
            page = opened.page
            page.wait_for_load_state("load")
            for frame in page.frames:
                frame.wait_for_load_state("load")
            if name == "alone":
                page.wait_for_selector(MAP)
                page.locator(".leaflet-marker-icon[role=button]").first.press("Enter")
                expect(page.get_by_role("dialog")).to_be_visible()
            for frame in page.frames:
                frame.evaluate(source)
            assert violations(page) == [], name
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_hostile_text_is_shown_as_text(chromium, hostile, tmp_path):
    with visit(chromium, f"{hostile}/lieux/carte?ou=Ouestville", ready=MAP) as opened:
        page = opened.page
        for text in HOSTILE:
            rank = page.locator(".listed").filter(has_text=str(HOSTILE.index(text) + 1))
            rank.first.press("Enter")
            expect(page.get_by_role("dialog").locator("h2")).to_have_text(" ".join(text.split()))
            page.keyboard.press("Escape")
        assert page.locator("img:not(.leaflet-tile)").count() == 0
        assert page.locator("a[href^=javascript]").count() == 0
        assert opened.dialogs == []
        assert opened.errors == []
        path = tmp_path / "carte.html"
        path.write_bytes(page.context.request.get(f"{hostile}/embed/carte.html").body())
    with visit(chromium, path.as_uri(), ready=MAP) as opened:
        assert opened.dialogs == []
        assert opened.errors == []


def test_hostile_parameters_are_shown_as_text(chromium, hostile):
    names = (
        "titre",
        "territoire",
        "couleur",
        "vue",
        "centre",
        "zoom",
        "logo",
        "v",
        "ou",
        "mots",
        "besoin",
        "lang",
    )
    for text in HOSTILE:
        query = urlencode(dict.fromkeys(names, text))
        for page_path, ready in (("/embed", "main"), ("/integrer", MAP)):
            with visit(chromium, f"{hostile}{page_path}?{query}", ready=ready) as opened:
                page = opened.page
                page.wait_for_load_state("load")
                within = page.frame_locator("iframe")
                if page_path == "/embed":
                    assert page.get_by_role("heading", level=1).inner_text() == shown(text)
                    expect(within.locator(MAP)).to_be_attached()
                expect(within.locator("h1")).to_have_text(shown(text))
                assert page.locator("main img:not(.leaflet-tile, .brand img), main script").count() == 0
                assert opened.dialogs == []
                assert [e for e in opened.errors if "404" not in e] == []
