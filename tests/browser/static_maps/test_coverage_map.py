"""The map in a real Chromium: what it asks of the network, what it shows, how keys drive it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from geo.coverage.analysis_context import AnalysisContext
from geo.reach.travel import Travel
from geo.settings import ROOT
from geo.sites.model import ItinerantStop, Position, Site
from geo.snapshot import Snapshot
from geo.territory.model import Provenance
from static_maps.build import render
from static_maps.settings import MapSettings
from tests.support import world
from tests.support.browser import Visit, browser, serving, visit

pytestmark = pytest.mark.browser

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
HOSTILE = (
    "</script><script>alert(1)</script>",
    "${alert(1)}",
    "<img src=x onerror=alert(1)>",
    """C:\\users "quoted" 'single' `tick`""",
    "{{ 7*7 }} {% raw %} {{ this.x }}",
    "\u202eاسم المكان\u202c עברית",
    "👩🏽‍💻 Médiathèque 🇫🇷",
    "&lt;b&gt;gras&lt;/b&gt; &amp;",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


def frame_of(snapshot: Snapshot) -> AnalysisContext:
    return AnalysisContext(snapshot, Travel(None, detour_factor=1.3), date(2026, 6, 8))


def sites() -> list[Site]:
    return [
        world.site(
            "accueil",
            5,
            nom="Espace fictif des Étangs",
            telephone="+33553990010",
            horaires="Mo-Fr 09:00-12:00; PH off",
            site_web=("https://exemple.fr/lieu",),
            prise_rdv="javascript:alert(1)",
            acces_fauteuil=True,
            pass_numerique=True,
            arrets=(ItinerantStop("Halle fictive", "Tu", "09:00-12:00"),),
        ),
        world.site("approx", 35, "99004", nom="Bus fictif", position=Position.APPROXIMATIVE),
        world.site("voisin", 45, "96001", nom="Relais fictif d'Outre-Borne"),
        world.site("nulle-part", None, nom="Lieu fictif sans point"),
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    country = replace(world.snapshot(*sites()), redirects={"autre--merged": "essai--accueil"})
    return render(frame_of(country), out, settings=MapSettings(tolerance_m=0)).index.parent


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with serving(folder) as served:
        yield served


@pytest.fixture
def seen(chromium: Browser, address: str) -> Iterator[Visit]:
    with visit(chromium, address) as opened:
        yield opened
        assert opened.errors == []


def hostile_snapshot(text: str) -> Snapshot:
    """The invented country where every text that a file can bring is hostile."""
    calm = world.snapshot(
        world.site(
            "hostile",
            5,
            nom=text,
            adresse=text,
            horaires=text,
            telephone=text,
            services=(text,),
            frais_a_charge=(text,),
            site_web=("javascript:alert(1)",),
            arrets=(ItinerantStop(text, "Tu", "09:00-12:00"),),
        )
    )
    communes = tuple(
        replace(c, name=text, epci_name=text) if c.code == "99001" else c for c in calm.territory.communes
    )
    groupings = tuple(replace(g, name=text) if "99001" in g.communes else g for g in calm.territory.groupings)
    territory = replace(
        calm.territory,
        name=text,
        communes=communes,
        groupings=groupings,
        context=tuple(replace(c, departement_name=text) for c in calm.territory.context),
        provenance=(Provenance(text, text, text, text),),
    )
    return replace(calm, territory=territory)


def open_site(page: Page, name: str) -> None:
    page.get_by_role("combobox").fill(name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()


# ---- The network


@pytest.mark.parametrize("tiles", [False, True], ids=["tiles blocked", "tiles served"])
def test_from_a_server_the_page_asks_only_its_host_and_the_tile_server(chromium, address, tiles):
    with visit(chromium, address, tiles=tiles) as opened:
        opened.page.wait_for_timeout(300)
        hosts = opened.hosts()
        assert hosts == {address.split("/")[2], "data.geopf.fr"}
        assert opened.errors == []


def test_from_a_folder_on_disk_the_page_works_and_asks_only_for_tiles(chromium, folder):
    with visit(chromium, (folder / "index.html").as_uri()) as opened:
        expect(opened.page.locator("path.commune")).to_have_count(4)
        open_site(opened.page, "espace fictif")
        assert opened.hosts() == {"data.geopf.fr"}
        assert opened.errors == []


def test_without_a_base_map_nothing_else_is_asked(chromium, tmp_path):
    render(frame_of(world.snapshot(*sites())), tmp_path, settings=MapSettings(tiles_url=""))
    with visit(chromium, (tmp_path / "index.html").as_uri()) as opened:
        expect(opened.page.locator("path.commune")).to_have_count(4)
        assert opened.hosts() == set()
        assert opened.errors == []
        assert opened.page.get_by_label("Le fond de carte").count() == 0


# ---- Legible without tiles


def test_without_tiles_names_borders_and_neighbours_are_drawn(seen):
    page = seen.page
    expect(page.locator("path.outline")).to_have_count(1)
    expect(page.locator("path.neighbour")).to_have_count(1)
    shown = page.locator(".name").all_inner_texts()
    assert "Estbourg" in shown, "the most peopled commune is named"
    expect(page.get_by_text("la carte se lit sans lui")).to_be_visible()
    assert not page.locator(".with-tiles").count()


def test_communes_let_the_base_map_through_once_it_is_there(chromium, address):
    with visit(chromium, address, tiles=True) as opened:
        expect(opened.page.locator(".with-tiles")).to_have_count(1)
        expect(opened.page.get_by_text("la carte se lit sans lui")).to_be_hidden()


def test_the_legend_says_unit_method_and_every_class(seen):
    legend = seen.page.get_by_role("region", name="Temps jusqu'au lieu le plus proche")
    expect(legend).to_contain_text("Minutes en voiture, estimation à vol d'oiseau × 1,3")
    expect(legend.locator("#legende .swatch")).to_have_count(7)
    expect(legend).to_contain_text("5 min au plus")


def test_colours_follow_the_level_chosen(seen):
    page = seen.page
    fills = "els => els.map(e => e.getAttribute('fill'))"
    before = page.locator("path.commune").evaluate_all(fills)
    assert before[0] != before[1], "the commune with the site, and the one beside it"
    page.get_by_label("Intercommunalité").check()
    after = page.locator("path.commune").evaluate_all(fills)
    assert after[0] == after[1]
    assert after[2] == after[3]
    expect(page.locator("path.group-line")).to_have_attribute("d", re.compile(r"^M\d+ \d+L\d+ \d+L?"))


# ---- The popup


def test_a_popup_shows_phone_and_hours_first(seen):
    open_site(seen.page, "espace fictif")
    card = seen.page.get_by_role("article")
    lines = [line for line in card.inner_text().split("\n") if line]
    assert lines[0] == "05 53 99 00 10"
    assert lines[1] == "du lundi au vendredi : 9\N{NO-BREAK SPACE}h – 12\N{NO-BREAK SPACE}h"
    expect(card.get_by_role("link", name="05 53 99 00 10")).to_have_attribute("href", "tel:+33553990010")
    for text in ("Espace fictif des Étangs", "1 place de l'Exemple", "Gratuit", "Pass Numérique accepté"):
        expect(card).to_contain_text(text)
    expect(card).to_contain_text("Halle fictive : mardi : 9 h – 12 h")


def test_a_link_that_is_not_of_the_web_is_not_a_link(seen):
    open_site(seen.page, "espace fictif")
    expect(seen.page.get_by_role("link", name="Site web")).to_have_attribute(
        "href", "https://exemple.fr/lieu"
    )
    assert seen.page.get_by_role("link", name="Prendre rendez-vous").count() == 0


def test_a_popup_says_what_is_not_certain(seen):
    open_site(seen.page, "bus fictif")
    expect(seen.page.get_by_role("article")).to_contain_text("Position approximative")
    expect(seen.page.get_by_role("article")).to_contain_text("Horaires inconnus")


# ---- Keys alone


def test_keys_alone_lead_from_the_search_to_a_commune(seen):
    page = seen.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Aller à la recherche")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("deux etangs")
    expect(page.get_by_role("option", name="Deux-Étangs")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    sheet = page.get_by_role("region", name="Deux-Étangs")
    expect(sheet).to_be_focused()
    expect(sheet).to_contain_text("Le plus proche, à 17 min : Espace fictif des Étangs")
    assert page.url.endswith("#commune-99002")


def test_the_sheet_shows_who_is_within_reach_and_who_is_not(chromium, address):
    with visit(chromium, address + "#commune-99004") as opened:
        sheet = opened.page.get_by_role("region", name="Estbourg")
        told = re.sub(r"\s+", " ", sheet.locator("dl").first.inner_text())
        assert "À 10 min ou moins 100 %" in told
        assert "À plus de 20 min 0 habitant" in told
        opened.page.get_by_label("Canton").check()
        expect(sheet).to_contain_text("Temps médian")


def test_keys_alone_open_a_marker_and_reach_its_phone(seen):
    page = seen.page
    marker = page.get_by_role("button", name="Espace fictif des Étangs")
    page.get_by_role("combobox").focus()
    for _ in range(12):
        page.keyboard.press("Tab")
        if marker.evaluate("e => e === document.activeElement"):
            break
    expect(marker).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="05 53 99 00 10")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(marker).to_be_focused()


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("DEUX-ETANGS", "Deux-Étangs"),
        ("étangs", "Deux-Étangs"),
        ("desert le", "Désert-le-Vide"),
        ("Désert-le-V", "Désert-le-Vide"),
        ("relais fictif d’outre", "Relais fictif d'Outre-Borne"),
        ("99004", "Estbourg"),
    ],
)
def test_search_forgives_accents_case_and_hyphens(seen, typed, found):
    seen.page.get_by_role("combobox").fill(typed)
    expect(seen.page.get_by_role("option").first).to_contain_text(found)


def test_arrows_walk_the_propositions_and_escape_closes_them(seen):
    page = seen.page
    page.get_by_role("combobox").fill("fictif")
    options = page.get_by_role("option")
    expect(options).to_have_count(3)
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(options.nth(2)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()


def test_a_search_for_an_unknown_name_says_so(seen):
    seen.page.get_by_role("combobox").fill("zzz")
    expect(seen.page.get_by_role("option")).to_have_text("Rien ne porte ce nom ici.")
    seen.page.keyboard.press("Enter")
    assert seen.errors == []


# ---- Addresses and tables


def test_an_address_leads_straight_to_a_commune_or_a_site(chromium, address):
    with visit(chromium, address + "#commune-99003") as opened:
        expect(opened.page.get_by_role("region", name="Désert-le-Vide")).to_be_visible()
    for site_id in ("essai--accueil", "autre--merged"):
        with visit(chromium, f"{address}#lieu-{site_id}") as opened:
            expect(opened.page.get_by_role("article")).to_contain_text("Espace fictif des Étangs")


def test_the_table_says_what_the_map_says(seen):
    page = seen.page
    page.get_by_text("Les 4 communes").click()
    row = page.get_by_role("row", name="Deux-Étangs")
    expect(row).to_contain_text("Espace fictif des Étangs")
    expect(row).to_contain_text("17 min")
    names = page.get_by_role("table").first.get_by_role("rowheader").all_inner_texts()
    assert names == ["Désert-le-Vide", "Deux-Étangs", "Estbourg", "Ouestville"]
    row.get_by_role("link").click()
    expect(page.get_by_role("region", name="Deux-Étangs")).to_be_visible()


# ---- Hostile text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_text_everywhere(chromium, tmp_path, text):
    settings = MapSettings(tolerance_m=0, title=text, tiles_attribution=text)
    render(frame_of(hostile_snapshot(text)), tmp_path, settings=settings)
    with visit(chromium, (tmp_path / "index.html").as_uri(), tiles=True) as opened:
        page = opened.page
        assert text in page.title().replace("\xa0", " ") or " ".join(text.split()) in page.title()
        page.locator("path.commune").first.hover(force=True, position={"x": 25, "y": 25})
        expect(page.locator(".leaflet-tooltip strong")).to_have_text(text)
        page.get_by_role("combobox").fill(text)
        options = page.get_by_role("option").all_inner_texts()
        assert sum(text in o for o in options) == 2, "the commune and the site"
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        card = page.get_by_role("article")
        expect(card.get_by_role("heading", level=2)).to_have_text(text)
        assert card.inner_text().count(text) >= 5
        page.get_by_role("combobox").fill(text)
        page.keyboard.press("Enter")
        expect(page.locator("#fiche h2")).to_have_text(text)
        page.get_by_label("Canton").check()
        expect(page.locator("#fiche h3")).to_have_text(text)
        for summary in page.locator("main summary").all():
            summary.click()
        expect(page.get_by_role("table").first.get_by_role("rowheader").filter(has_text=text)).to_have_count(
            1
        )
        assert page.locator("img[src='x'], script:not([src]):nth-of-type(n+9)").count() == 0
        assert opened.dialogs == []
        assert opened.errors == []


# ---- For everyone


def violations(page: Page) -> Any:
    return page.evaluate("axe.run().then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html)]))")


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_axe_finds_nothing_to_say(chromium, address, width):
    with visit(chromium, address, width=width) as opened:
        page = opened.page
        page.evaluate(AXE.read_text("utf-8"))
        assert violations(page) == []
        page.get_by_role("combobox").fill("deux")
        assert violations(page) == [], "propositions open"
        page.keyboard.press("Enter")
        page.get_by_label("Canton").check()
        for summary in page.locator("main summary").all():
            summary.click()
        open_site(page, "espace fictif")
        assert violations(page) == [], "a commune, a popup and the tables open"


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_the_page_never_scrolls_sideways(chromium, address, width):
    with visit(chromium, address, width=width) as opened:
        open_site(opened.page, "espace fictif")
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
        box = opened.page.get_by_role("dialog").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


def test_controls_speak_french(seen):
    page = seen.page
    for name in ("Agrandir", "Réduire"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()
    open_site(page, "espace fictif")
    expect(page.get_by_role("button", name="Fermer", exact=True).first).to_be_visible()


def test_layers_can_be_hidden_and_shown(seen):
    page = seen.page
    marker = page.get_by_role("button", name="Espace fictif des Étangs")
    page.get_by_label("Les lieux").uncheck()
    expect(marker).to_have_count(0)
    page.get_by_label("Les lieux").check()
    expect(marker).to_have_count(1)
    page.get_by_label("Les noms des communes").uncheck()
    expect(page.locator(".name")).to_have_count(0)


def test_on_paper_controls_are_gone_and_the_legend_stays(seen):
    seen.page.emulate_media(media="print")
    expect(seen.page.get_by_role("combobox")).to_be_hidden()
    expect(seen.page.locator("#legende")).to_be_visible()
    expect(seen.page.locator("path.outline")).to_be_visible()


# ---- The checks themselves


def test_a_page_that_asks_another_host_would_be_noticed(chromium, tmp_path):
    page = '<html data-ready><img src="https://ailleurs.exemple/x.png"><script>alert(1); nothing()</script>'
    (tmp_path / "index.html").write_text(page, "utf-8")
    with visit(chromium, (tmp_path / "index.html").as_uri()) as opened:
        assert opened.hosts() == {"ailleurs.exemple"}
        assert opened.dialogs == ["1"]
        assert opened.errors
