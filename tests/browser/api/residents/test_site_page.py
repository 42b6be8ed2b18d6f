"""The page of a site in a real Chromium: policy, hostile text, keys, no script, print, small screens, axe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from api.app import create_app
from api.settings import ApiSettings
from geo.settings import Settings
from geo.sites.model import ItinerantStop, Position, Site, SiteValues
from geo.sites.text import clean_text
from geo.territory.model import Provenance
from geo.wording import site_phrases
from tests.browser.static_maps.test_coverage_map import AXE, HOSTILE, violations
from tests.support import world
from tests.support.browser import browser
from tests.support.serving import HandKeeper, listening
from tests.support.site_pages import full

pytestmark = pytest.mark.browser

WIDTHS = (320, 768, 1280)
CALM = full(modalites_acces=("Se présenter", "Téléphoner"))
BARE = world.site("nu", None, services=(), frais_a_charge=(), adresse="", date_maj=None)
NOT_TEXT = {
    *(
        "date_maj",
        "latitude",
        "longitude",
        "pass_numerique",
        "membre_reseau",
        "acces_fauteuil",
        "sur_rendez_vous",
    ),
    *("position", "fictif", "jeu_de_donnees", "code_insee"),
}
"""Fields that hold no text, or text no file can choose freely."""


def hostile(rank: int, text: str) -> Site:
    """A site with a hostile text in each of its fields."""
    changes: dict[str, Any] = {}
    for each in fields(SiteValues):
        if each.name == "arrets":
            changes[each.name] = (ItinerantStop(text, text, text),)
        elif each.name not in NOT_TEXT:
            changes[each.name] = (text,) if "tuple" in str(each.type) else text
    changes["id"] = f"essai--{rank}{text}"
    return replace(world.site("x", 5), **changes)


ATTACKS = [hostile(rank, text) for rank, text in enumerate(HOSTILE)]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    sources = tuple(Provenance("Lieux « essai »", text, text, text) for text in HOSTILE[:1])
    snapshot = replace(world.snapshot(CALM, BARE, *ATTACKS), site_provenance=sources)
    app = create_app(Settings(), HandKeeper(snapshot), http=ApiSettings(search_rate="", form_rate=""))
    with listening(app) as served:
        yield served


@dataclass
class Seen:
    """A page, and what went wrong on it."""

    page: Page
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


@contextmanager
def visit(opened: Browser, url: str, *, width: int = 1280, scripts: bool = True) -> Iterator[Seen]:
    """Open an address and record its errors, dialogs and requests to other hosts."""
    context = opened.new_context(
        viewport={"width": width, "height": 800}, java_script_enabled=scripts, locale="fr-FR"
    )
    seen = Seen(context.new_page())
    home = "/".join(url.split("/")[:3])
    seen.page.on("pageerror", lambda problem: seen.errors.append(str(problem)))
    seen.page.on(
        "console", lambda told: seen.errors.append(told.text) if told.type in ("error", "warning") else None
    )
    seen.page.on(
        "request", lambda r: None if r.url.startswith((home, "data:")) else seen.others.append(r.url)
    )

    def refuse(dialog: Any) -> None:
        seen.dialogs.append(dialog.message)
        dialog.dismiss()

    seen.page.on("dialog", refuse)
    try:
        seen.page.goto(url)
        yield seen
    finally:
        context.close()


def wrong_form(page: Page) -> None:
    """Send the form with two mistakes in it."""
    page.get_by_label("Qu'est-ce qui ne va pas ?").select_option("autre")
    page.get_by_label("Votre adresse électronique").fill("moi@")
    page.get_by_role("button", name="Envoyer").click()
    expect(page.get_by_role("alert")).to_be_visible()


# ---- Safe


@pytest.mark.parametrize("site", ATTACKS, ids=range(len(ATTACKS)))
def test_hostile_text_in_every_field_is_shown_as_text(chromium, address, site):
    with visit(chromium, address + site_phrases.site_path(site)) as seen:
        page = seen.page
        expect(page.get_by_role("heading", level=1)).to_have_text(site.nom)
        assert page.locator(".facts").inner_text().count(site.nom) >= 10
        linked = json.loads(page.locator("script[type='application/ld+json']").text_content() or "")
        assert linked["name"] == linked["description"] == site.nom
        assert linked["parentOrganization"]["name"] == site.nom
        links = page.locator("main a").evaluate_all("all => all.map(a => a.protocol)")
        assert set(links) <= {"http:", "https:", "tel:", "geo:", "mailto:"}
        page.get_by_label("Votre message").fill(site.nom)
        wrong_form(page)
        assert page.get_by_label("Votre message").input_value() == clean_text(site.nom)[0]
        assert page.locator("img, script:not([src]):not([type='application/ld+json'])").count() == 0
        assert (seen.dialogs, seen.others) == ([], [])
        assert [e for e in seen.errors if "422" not in e] == []


def test_hostile_names_are_text_in_the_directory(chromium, address):
    with visit(chromium, f"{address}/lieux") as seen:
        text = seen.page.locator("main").inner_text()
        assert [name for name in HOSTILE if name not in text] == []
        assert (seen.dialogs, seen.errors, seen.others) == ([], [], [])


def test_linked_data_passes_the_policy_and_a_script_would_not(chromium, address):
    with visit(chromium, address + site_phrases.site_path(CALM)) as seen:
        assert seen.errors == [], "the block of data is no script to the policy"
        assert json.loads(seen.page.locator("script[type='application/ld+json']").text_content() or "")
        seen.page.evaluate(
            "s = document.createElement('script'); s.text = 'document.title = 1'; document.body.append(s)"
        )
        assert any("Content Security Policy" in e for e in seen.errors)
        assert seen.page.title() != "1"


# ---- For everyone


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "path",
    [
        site_phrases.site_path(CALM),
        site_phrases.site_path(CALM) + "?ou=Ouestville&signale=1",
        site_phrases.site_path(BARE),
        "/lieux/essai--parti",
        "/lieux",
    ],
)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(chromium, address, path, width):
    with visit(chromium, address + path, width=width) as seen:
        seen.page.evaluate(AXE.read_text("utf-8"))
        assert violations(seen.page) == []
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_in_a_form_with_mistakes(chromium, address, width):
    with visit(chromium, address + site_phrases.site_path(CALM), width=width) as seen:
        wrong_form(seen.page)
        seen.page.evaluate(AXE.read_text("utf-8"))
        assert violations(seen.page) == []
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_mistakes_are_in_sight_and_lead_to_their_fields(chromium, address, scripts):
    with visit(chromium, address + site_phrases.site_path(CALM), width=320, scripts=scripts) as seen:
        page = seen.page
        wrong_form(page)
        expect(page.get_by_role("alert")).to_be_in_viewport()
        message = page.get_by_label("Votre message")
        expect(message).to_have_attribute("aria-invalid", "true")
        page.get_by_role("link", name="Cette adresse électronique n'est pas complète").click()
        expect(page.get_by_label("Votre adresse électronique")).to_be_in_viewport()
        expect(page.get_by_label("Votre adresse électronique")).to_have_value("moi@")


def test_a_field_in_error_is_described_by_its_hint_and_its_mistake(chromium, address):
    with visit(chromium, address + site_phrases.site_path(CALM)) as seen:
        wrong_form(seen.page)
        described = seen.page.get_by_label("Votre adresse électronique")
        expect(described).to_have_accessible_description(
            "Seulement si vous voulez une réponse. Elle ne sert à rien d'autre, et nous l'effaçons dès que "
            "l'erreur est traitée, au plus tard après 180 jours. "
            "Cette adresse électronique n'est pas complète. Corrigez-la, ou effacez-la."
        )


def test_people_do_not_meet_the_field_for_robots(chromium, address):
    with visit(chromium, address + site_phrases.site_path(CALM)) as seen:
        expect(seen.page.locator("#suite")).to_be_hidden()


def test_keys_alone_reach_the_phone_in_few_steps(chromium, address):
    with visit(chromium, address + site_phrases.site_path(CALM)) as seen:
        page = seen.page
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Aller au contenu")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")  # back to the list
        page.keyboard.press("Tab")
        call = page.get_by_role("link", name="Appeler Maison fictive des Étangs : 05 53 99 00 10")
        expect(call).to_be_focused()
        expect(call).to_have_attribute("href", "tel:+33553990010")
        assert call.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"


def test_on_a_small_phone_the_number_is_in_the_first_screen(chromium, address):
    with visit(chromium, address + site_phrases.site_path(CALM), width=320) as seen:
        call = seen.page.get_by_role("link", name="Appeler")
        expect(call).to_be_in_viewport()
        box = call.bounding_box()
        assert box is not None
        assert box["height"] >= 60


def test_without_scripts_a_list_leads_to_a_page_and_back(chromium, address):
    with visit(chromium, f"{address}/?ou=Ouestville&mots=maison+fictive", scripts=False) as seen:
        page = seen.page
        page.get_by_role("link", name="Maison fictive des Étangs", exact=True).click()
        expect(page.get_by_role("table", name="Les sept prochains jours")).to_be_visible()
        expect(page.get_by_role("row")).to_have_count(8)
        page.get_by_role("link", name="Retour à la liste").click()
        assert page.url == f"{address}/?ou=Ouestville&mots=maison+fictive#essai--a"


def test_letters_of_the_directory_lead_to_their_communes(chromium, address):
    with visit(chromium, f"{address}/lieux", scripts=False, width=320) as seen:
        page = seen.page
        page.get_by_role("navigation", name="Communes par première lettre").get_by_role(
            "link", name="O"
        ).click()
        expect(page.get_by_role("heading", name="Ouestville")).to_be_in_viewport()


def test_on_paper_the_sheet_stays_and_the_form_goes(chromium, address):
    with visit(chromium, address + site_phrases.site_path(CALM)) as seen:
        page = seen.page
        page.emulate_media(media="print")
        for shown in ("h1", ".call", "address", ".week", ".printonly", "#source"):
            expect(page.locator(shown)).to_be_visible()
        for gone in (".report", ".ways", ".back", ".foot nav", ".languages"):
            expect(page.locator(gone).first).to_be_hidden()
        assert page.locator(".call").evaluate("e => getComputedStyle(e).color") == "rgb(0, 0, 0)"


def test_a_place_nobody_knows_has_no_way_there(chromium, address):
    assert BARE.position is Position.INCONNUE
    with visit(chromium, address + site_phrases.site_path(BARE)) as seen:
        expect(seen.page.get_by_role("link", name="Itinéraire")).to_have_count(0)
        expect(seen.page.get_by_text("Téléphone inconnu")).to_be_visible()
