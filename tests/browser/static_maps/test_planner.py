"""The planner's page in a real Chromium: map layers, what-ifs, where next, keyboard, narrow screens."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from api.app import create_app
from api.settings import ApiSettings
from geo.settings import Settings
from geo.store import tokens
from tests.browser.static_maps.test_coverage_map import AXE, HOSTILE, violations
from tests.postgis.geo.store.test_snapshot_watcher import fill
from tests.support import world
from tests.support.browser import Visit, browser, visit
from tests.support.serving import HandKeeper, listening
from tests.unit.static_maps.test_planner import country, grid

pytestmark = pytest.mark.browser

NEW = {"action": "open", "name": "Halte", "longitude": 0.7, "latitude": 44.7}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    hostile = [world.site(str(n), 6 + n, nom=name) for n, name in enumerate(HOSTILE)]
    keeper = HandKeeper(country(grid=grid(), sites=(*country().sites, *hostile)))
    home = tmp_path_factory.mktemp("home")
    with listening(create_app(Settings(home=home), keeper, http=ApiSettings())) as served:
        yield f"{served}/planifier"


@pytest.fixture
def seen(chromium: Browser, address: str) -> Iterator[Visit]:
    with visit(chromium, f"{address}?slot=samedi&beyond_min=15") as opened:
        Service(opened.page)
        yield opened
        assert opened.errors == []
        assert opened.dialogs == []


class Service:
    """Stands for the routes that need a database: answers as they do, and keeps what it was asked."""

    def __init__(self, page: Page) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.polls = 0
        self.found: dict[str, Any] = FOUND
        page.route(re.compile(r"/api/v1/scenarios(/\d+)?$"), self.answer)
        page.route("**/api/v1/siting", self.answer)
        page.route("**/api/v1/jobs/*", self.answer)
        page.route("**/api/v1/trend*", self.answer)

    def answer(self, route: Route) -> None:
        request, path = route.request, urlsplit(route.request.url).path
        body = json.loads(request.post_data or "null")
        self.asked.append((request.method, path.removeprefix("/api/v1"), body))
        status, told = self.told(request.method, path.removeprefix("/api/v1"))
        route.fulfill(status=status, json=told)

    def told(self, method: str, path: str) -> tuple[int, Any]:
        if path == "/scenarios":
            saved = {
                "id": 3,
                "name": "<b>Bus</b>",
                "description": "",
                "updated_at": "2026-11-02",
                "edits": [NEW],
            }
            return (201, saved) if method == "POST" else (200, {"scenarios": [saved]})
        if path == "/siting":
            return 202, {"id": "7", "state": "queued", "href": "/api/v1/jobs/7"}
        if path == "/jobs/7" and method == "GET":
            self.polls += 1
            done = self.polls > 1
            return 200, {
                "id": "7",
                "kind": "siting",
                "state": "done" if done else "running",
                "progress": 1 if done else 0.4,
                "message": "" if done else "Recherche du meilleur choix",
                "result": self.found if done else None,
            }
        if path == "/trend":
            return 200, {"snapshots": [TREND]}
        return 200, {
            "id": "7",
            "kind": "siting",
            "state": "cancelled",
            "progress": 0,
            "message": "",
            "result": None,
        }


FOUND: dict[str, Any] = {
    "model": "maximal_coverage",
    "status": "optimal",
    "gap": 0,
    "bound": 4000,
    "seconds": 0.1,
    "note": "",
    "before": {},
    "sites": [
        {
            "rank": 1,
            "name": "Mairie d'Estbourg",
            "commune": "99004",
            "longitude": 0.7,
            "latitude": 44.7,
            "people_gained": 4000,
            "people_cumulated": 4000,
        }
    ],
}
TREND = {
    "name": "été",
    "day": "2025-08-01",
    "people_beyond": 4000,
    "share_within": [{"within_min": m, "share": 0.1, "people": 700} for m in (5, 10, 15, 20, 30, 45)],
    "median_min": 7,
    "sites": 2,
}


def layer(page: Page, label: str) -> None:
    page.locator("#couches").get_by_label(label, exact=False).check()


def fills(page: Page) -> set[str | None]:
    found: list[str | None] = page.eval_on_selector_all(
        "path.commune", "all => all.map(p => p.getAttribute('fill'))"
    )
    return set(found)


def edits_of(page: Page) -> Any:
    return json.loads(parse_qs(urlsplit(page.url).query).get("edits", ["[]"])[0])


# ---- The network


@pytest.mark.parametrize("tiles", [False, True], ids=["tiles blocked", "tiles served"])
def test_the_page_asks_only_its_host_and_the_tile_server(chromium, address, tiles):
    with visit(chromium, address, tiles=tiles) as opened:
        opened.page.wait_for_timeout(200)
        assert opened.hosts() <= {address.split("/")[2], "data.geopf.fr"}
        assert opened.errors == []
        expect(opened.page.locator("path.commune")).to_have_count(4)


def test_hostile_names_stay_text(seen):
    text = seen.page.locator("body").text_content() or ""
    assert "<img src=x onerror=alert(1)>" in text


# ---- The map


def test_each_layer_has_its_legend_and_its_drawing(seen):
    page = seen.page
    expect(page.get_by_role("radio", name="Le temps de trajet")).to_be_checked()
    expect(page.locator("#legende li")).to_have_count(8)
    assert len(fills(page)) > 1
    layer(page, "Les personnes à plus de 15 min")
    expect(page.locator("path.people")).to_have_count(2)
    assert "4\u202f000 personnes" in page.locator("#legende").inner_text()
    layer(page, "Les plus grands écarts")
    expect(page.locator(".number")).to_have_count(2)
    expect(page.locator("path.people")).to_have_count(0)
    layer(page, "L'offre accessible")
    expect(page.locator("#legende-unite")).to_contain_text("pour 1 000 habitants")
    layer(page, "là où l'on habite")
    expect(page.locator(".leaflet-carreaux-pane canvas")).to_have_count(1)


def test_the_layer_shown_is_in_the_address(chromium, address):
    with visit(chromium, f"{address}?couche=offre") as opened:
        expect(opened.page.get_by_label("L'offre accessible")).to_be_checked()
        layer(opened.page, "Les plus grands écarts")
        assert "couche=ecarts" in opened.page.url
        sorting = opened.page.locator("#tableau thead a").first.get_attribute("href")
        assert "couche=ecarts" in str(sorting)


def test_names_of_towns_can_be_put_away_and_brought_back(chromium, address):
    with visit(chromium, address) as opened:
        names, box = opened.page.locator(".leaflet-noms-pane .name"), opened.page.get_by_label("Les noms")
        shown = names.all_text_contents()
        assert "Ouestville" in shown
        box.uncheck()
        expect(names).to_have_count(0)
        box.check()
        assert names.all_text_contents() == shown and opened.errors == []


def test_a_site_shows_who_can_come_to_it(seen):
    page = seen.page
    page.locator("path.place").first.dispatch_event("click")
    page.get_by_role("button", name="Qui peut y venir ?").click()
    expect(page.locator(".leaflet-isochrones-pane path")).to_have_count(6)
    expect(page.locator("#fiche")).to_contain_text("45 min au plus")
    page.locator("#fiche").get_by_role("button", name="Fermer").click()
    expect(page.locator(".leaflet-isochrones-pane path")).to_have_count(0)


def test_a_territory_shows_its_figures_and_its_gap(chromium, address):
    with visit(chromium, f"{address}?slot=samedi&beyond_min=15") as opened:
        page = opened.page
        page.locator("path.commune").nth(3).dispatch_event("click")
        expect(page.locator("#fiche h3")).to_have_text("Estbourg")
        expect(page.locator("#fiche")).to_contain_text("Estbourg : 4\u202f000 personnes à plus de 15 min")
        page.locator("path.commune").nth(0).dispatch_event("click")
        expect(page.locator("#fiche")).to_have_text(re.compile("^OuestvilleFermerTemps médian"))
        page.get_by_role("button", name="Et si un lieu ouvrait à Ouestville ?").click()
        assert [e["name"] for e in edits_of(page)] == ["Nouveau lieu, Ouestville"]


# ---- What if


def test_an_edit_is_evaluated_listed_and_stored_in_the_address(seen):
    page = seen.page
    page.get_by_label("Où", exact=True).select_option("99004")
    with page.expect_request("**/scenarios/evaluate") as asked:
        page.get_by_role("button", name="Ajouter", exact=True).click()
    expect(page.locator("#si-etat")).to_contain_text("4\u202f000 personnes de plus à 15 min au plus.")
    expect(page.locator("#si-etat")).to_contain_text("6\u202f000 personnes avant, 2\u202f000 après.")
    rows = page.locator("#si-resultat tbody tr")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text(re.compile("Estbourg4\u202f0000−"))
    expect(page.get_by_role("radio", name="Avant et après")).to_be_checked()
    expect(page.locator("path.what-if")).to_have_count(1)
    body = asked.value.post_data_json
    assert body["edits"] == edits_of(page)
    assert body["kind"] == "commune"
    assert (body["question"]["slot"], body["question"]["beyond_min"]) == ("samedi", 15)


def test_losses_are_reported_too(chromium, address):
    with visit(chromium, f"{address}?frais_a_charge=Payant") as opened:
        page = opened.page
        page.get_by_label("Je veux").select_option(label="fermer un lieu")
        page.get_by_label("Quel lieu").select_option("essai--est")
        page.get_by_role("button", name="Ajouter", exact=True).click()
        expect(page.locator("#si-etat")).to_contain_text("personnes de moins à 20 min au plus.")
        expect(page.locator("path.what-if.close")).to_have_count(1)


def test_a_new_site_suits_the_question_unless_the_box_is_unchecked(chromium, address):
    with visit(chromium, f"{address}?frais_a_charge=Gratuit&slot=samedi") as opened:
        page = opened.page
        Service(page)
        page.get_by_label("Où", exact=True).select_option("99004")
        page.get_by_role("button", name="Ajouter", exact=True).click()
        page.get_by_label("Le nouveau lieu répond à la question").uncheck()
        page.get_by_label("Horaires").fill("")
        page.get_by_role("button", name="Ajouter", exact=True).click()
        suiting, bare = edits_of(page)
        assert (suiting["frais_a_charge"], suiting["horaires"]) == (["Gratuit"], "Sa 09:00-12:00")
        assert bare.keys() == {"action", "name", "longitude", "latitude"}


def test_edits_come_back_with_the_address_and_can_be_undone(chromium, address):
    both = json.dumps([NEW, {"action": "close", "site": "essai--est"}])
    context = chromium.new_context()
    page = context.new_page()
    Service(page)
    page.goto(f"{address}?edits={both}")
    items = page.locator("#si-liste li")
    expect(items).to_have_count(2)
    expect(page.locator("path.what-if")).to_have_count(2)
    page.get_by_role("button", name="Annuler le dernier").click()
    assert edits_of(page) == [NEW]
    page.get_by_role("button", name="Retirer : changement 1").click()
    expect(items).to_have_text(["Aucun pour l'instant."])
    expect(page.get_by_label("Avant et après")).to_be_disabled()
    assert "edits" not in page.url
    context.close()


def test_a_site_opens_where_the_map_is_clicked(seen):
    page = seen.page
    page.get_by_role("button", name="Ajouter", exact=True).click()
    expect(page.locator("#si-attente")).to_contain_text("Cliquez sur la carte")
    page.locator(".folium-map").click(position={"x": 200, "y": 300})
    expect(page.locator("#si-liste")).to_contain_text("Ouvrir « Nouveau lieu »")
    (edit,) = edits_of(page)
    west, south, east, north = 0.4, 44.6, 1.0, 44.9
    assert west < edit["longitude"] < east
    assert south < edit["latitude"] < north


def test_escape_gives_up_picking(seen):
    page = seen.page
    page.get_by_role("button", name="Ajouter", exact=True).click()
    page.keyboard.press("Escape")
    expect(page.locator("#si-attente")).to_be_empty()
    page.locator(".folium-map").click(position={"x": 200, "y": 300})
    assert edits_of(page) == []


def test_a_refusal_shows_the_message_of_the_service(seen):
    page = seen.page
    refusal = {"detail": "Ce scénario a une erreur.", "advice": "Corrigez-la."}
    page.route("**/api/v1/scenarios/evaluate", lambda route: route.fulfill(status=422, json=refusal))
    page.get_by_label("Où", exact=True).select_option("99004")
    page.get_by_role("button", name="Ajouter", exact=True).click()
    expect(page.locator("#si-etat")).to_have_text("Ce scénario a une erreur. Corrigez-la.")
    seen.errors.clear()  # the browser itself logs an unsuccessful answer


def test_saving_asks_for_the_key_each_time_and_forgets_it(seen):
    page = seen.page
    page.get_by_label("Où", exact=True).select_option("99004")
    page.get_by_role("button", name="Ajouter", exact=True).click()
    page.get_by_text("Scénarios enregistrés").click()
    expect(page.locator("#scenarios-liste")).to_contain_text("<b>Bus</b>")
    page.get_by_label("Enregistrer ces changements sous le nom").fill("Bus 2027")
    page.get_by_label("Clé d'accès").fill("portee_secret")
    with page.expect_request(lambda r: r.method == "POST" and r.url.endswith("/scenarios")) as sent:
        page.get_by_role("button", name="Enregistrer", exact=True).click()
    assert sent.value.headers["authorization"] == "Bearer portee_secret"
    assert sent.value.post_data_json["name"] == "Bus 2027"
    expect(page.get_by_label("Clé d'accès")).to_have_value("")
    assert page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0
    page.get_by_role("button", name="Comparer tous les scénarios").click()
    expect(page.get_by_role("region", name="Scénarios comparés")).to_contain_text("<b>Bus</b>")
    expect(page.get_by_role("link", name="Effets de")).to_have_attribute(
        "href", re.compile("/scenarios/3/export[?].*slot=samedi")
    )


# ---- Where next


def test_places_are_found_by_a_job_shown_and_can_be_tried(seen):
    page = seen.page
    service = Service(page)
    page.get_by_label("Nombre de lieux").fill("1")
    page.get_by_role("button", name="Chercher").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.locator("#ouvrir-resultat")).to_contain_text("Mairie d'Estbourg")
    expect(page.get_by_role("progressbar")).to_be_hidden()
    (_, _, body) = next(a for a in service.asked if a[1] == "/siting")
    assert (body["model"], body["p"], body["within_min"], body["candidates"]) == (
        "maximal_coverage",
        1,
        15,
        "town_halls",
    )
    expect(page.locator(".number.found")).to_have_count(1)
    page.get_by_role("button", name="Et si on les ouvrait ?").click()
    assert [e["name"] for e in edits_of(page)] == ["Nouveau lieu, Mairie d'Estbourg"]


def test_a_computation_can_be_stopped(seen):
    page = seen.page
    service = Service(page)
    service.polls = -1_000
    page.get_by_role("button", name="Chercher").click()
    page.get_by_role("button", name="Arrêter le calcul").click()
    expect(page.locator("#ouvrir-etat")).to_have_text("Calcul arrêté.")
    assert ("DELETE", "/jobs/7", None) in service.asked


def test_a_tour_is_asked_with_its_half_days(seen):
    page = seen.page
    service = Service(page)
    stop = {"half_day": "lundi matin", "name": "Estbourg", "longitude": 0.7, "latitude": 44.7}
    service.found = {**FOUND, "tour": [{**stop, "people_gained": 4000, "driving_min": 62.5}]}
    page.get_by_label("On veut").select_option(label="une tournée de bus")
    page.get_by_label("mardi matin").uncheck()
    page.get_by_label("Le bus part de").select_option("99001")
    page.get_by_role("button", name="Chercher").click()
    expect(page.locator("#ouvrir-resultat")).to_contain_text("lundi matin : Estbourg")
    (_, _, body) = next(a for a in service.asked if a[1] == "/siting")
    assert body["half_days"] == ["lundi matin", "mercredi matin", "jeudi matin", "vendredi matin"]
    assert body["base"] == "99001"
    page.get_by_role("button", name="Et si on les ouvrait ?").click()
    assert [(e["name"], e["horaires"]) for e in edits_of(page)] == [("Bus, Estbourg", "Mo 09:00-12:00")]


def test_candidates_are_picked_on_the_map_or_by_name(seen):
    page = seen.page
    service = Service(page)
    page.get_by_label("des points que je choisis").check()
    page.get_by_role("button", name="Chercher").click()
    expect(page.locator("#ouvrir-etat")).to_have_text("Choisissez au moins un point.")
    page.get_by_label("ou la mairie de").select_option("99004")
    page.locator("#points-ajouter").click()
    page.get_by_role("button", name="Cliquer sur la carte").click()
    page.locator(".folium-map").click(position={"x": 200, "y": 300})
    expect(page.locator("#points-liste li")).to_have_count(2)
    page.get_by_role("button", name="Chercher").click()
    expect(page.locator("#ouvrir-resultat")).to_contain_text("Mairie d'Estbourg")
    (_, _, body) = next(a for a in service.asked if a[1] == "/siting")
    assert [c["name"] for c in body["candidates"]] == ["Mairie de Estbourg", "Point 2"]


def test_dates_are_set_side_by_side(seen):
    page = seen.page
    page.get_by_role("button", name="Comparer les dates").click()
    expect(page.locator("#evolution-resultat tbody tr")).to_contain_text("1er août 2025")


def test_from_a_question_to_a_saved_scenario_over_a_real_service(chromium, fresh_engine, fresh_settings):
    fill(fresh_engine, *country().sites)
    with fresh_engine.begin() as connection:
        _, secret = tokens.create(connection, "Bureau du plan", (tokens.Scope.SCENARIOS,), days=1)
    with (
        listening(create_app(fresh_settings)) as served,
        visit(chromium, f"{served}/planifier?slot=samedi&beyond_min=10") as opened,
    ):
        page = opened.page
        page.get_by_label("Nombre de lieux").fill("1")
        page.get_by_role("button", name="Chercher").click()
        found = page.get_by_role("region", name="Lieux proposés").locator("tbody tr")
        expect(found).to_have_text(["Estbourg14\u202f0004\u202f000"], timeout=20_000)
        page.get_by_role("button", name="Et si on les ouvrait ?").click()
        expect(page.locator("#si-etat")).to_contain_text("4\u202f000 personnes de plus à 10 min au plus.")
        page.get_by_text("Scénarios enregistrés").click()
        expect(page.locator("#scenarios-liste")).to_have_text("Aucun scénario n'est enregistré.")
        page.get_by_label("Enregistrer ces changements sous le nom").fill("Samedi à Estbourg")
        page.get_by_label("Clé d'accès").fill(secret)
        page.get_by_role("button", name="Enregistrer", exact=True).click()
        expect(page.locator("#scenarios-liste li")).to_contain_text("Samedi à Estbourg")
        page.get_by_role("button", name="Comparer les dates").click()
        expect(page.locator("#evolution-resultat tbody tr")).to_contain_text("6\u202f000")
        assert opened.errors == []


# ---- For everyone


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_axe_finds_nothing_to_say(chromium, address, width):
    with visit(chromium, f"{address}?slot=samedi&beyond_min=15", width=width) as opened:
        page = opened.page
        Service(page)
        page.evaluate(AXE.read_text("utf-8"))
        assert violations(page) == []
        for summary in page.locator("main summary:visible").all():
            if summary.evaluate("s => !s.parentElement.open"):
                summary.click()
        page.get_by_label("On veut").select_option(label="une tournée de bus")
        page.get_by_label("des points que je choisis").check()
        page.get_by_label("Où", exact=True).select_option("99004")
        page.get_by_role("button", name="Ajouter", exact=True).click()
        expect(page.locator("#si-resultat table")).to_be_visible()
        page.get_by_role("button", name="Comparer les dates").click()
        page.locator("path.place").first.dispatch_event("click")
        assert violations(page) == [], "everything open"


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_page_never_scrolls_sideways(chromium, address, width):
    with visit(chromium, f"{address}?slot=samedi", width=width) as opened:
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
        if width < 900:
            opened.page.locator(".fold > summary").click()
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_a_script_the_question_can_be_asked_and_its_answer_sorted(chromium, address):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    page.get_by_label("Quand").select_option(label="le samedi")
    page.get_by_role("button", name="Calculer").click()
    assert parse_qs(urlsplit(page.url).query) == {"slot": ["samedi"]}
    page.get_by_role("link", name="Territoire", exact=True).click()
    expect(page.locator("#tableau tbody th").first).to_contain_text("Désert-le-Vide")
    expect(page.get_by_role("heading", name="Où ouvrir ?")).to_be_hidden()
    expect(page.locator("#histogramme-titre")).to_have_count(1)
    context.close()
