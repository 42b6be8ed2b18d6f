"""The map of sites, and pages of another origin that embed it, in a real Chromium."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from api.app import create_app
from api.settings import ApiSettings
from geo.services.search_state import clean
from geo.settings import Settings
from tests.browser.static_maps.test_coverage_map import AXE, HOSTILE, violations
from tests.support import crowd, world
from tests.support.browser import browser, visit
from tests.support.serving import HandKeeper, listening

pytestmark = pytest.mark.browser

MAP = "html[data-ready]"
OURS = {"data.geopf.fr"}
"""The only other host that may be asked: the base map's."""
STORED = """async () => [document.cookie, localStorage.length, sessionStorage.length,
  (await caches.keys()).length, (await navigator.serviceWorker.getRegistrations()).length,
  (await indexedDB.databases()).length]"""
NOTHING = ["", 0, 0, 0, 0, 0]


@contextmanager
def hosting(port: int = 0) -> Iterator[tuple[str, dict[str, str]]]:
    """A second origin on another port: its address, and its pages by path, to be filled in."""
    pages: dict[str, str] = {}

    class Host(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path, "").encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Host)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", pages
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def host_page(body: str) -> str:
    return (
        '<!DOCTYPE html><html lang="fr"><head><meta name="viewport" content="width=device-width">'
        "<title>Mairie fictive</title></head><body>"
        f"<h1>Mairie fictive</h1>{body}<p>Fin de la page.</p></body></html>"
    )


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
    """A country whose sites and communes bear hostile text."""
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
    """Open a page of the second origin that holds this body."""
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


# ---- The map beside the list


def test_the_map_tells_what_the_list_tells_and_nothing_moves_by_itself(chromium, address):
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


def test_a_map_is_not_kept_for_when_there_is_no_network(chromium, address):
    """It tells who is open now, and has no place to say how old it is."""
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
