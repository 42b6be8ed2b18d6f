"""Every page has the same masthead, menu, notices and footer, in its language."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from static_maps.page_shell import SERVED_PAGES
from tests.postgis.static_maps.test_funding_pages import invested
from tests.support.serving import HandKeeper, serving
from tests.support.world import site, snapshot

BROWSER = {"Accept": "text/html"}
FRENCH = {
    "/": "find",
    "/?ou=Ouestville": "find",
    "/lieux": "sites",
    "/lieux/carte": "sites",
    "/lieux/essai--a": "",
    "/lieux/inconnu--1": "",
    "/imprimer": "print",
    "/integrer": "embed",
    "/accessibilite": "accessibility",
    "/hors-ligne": "",
    "/carte": "map",
    "/planifier": "planner",
    "/mesures": "measures",
    "/mesures?mesure=paye&avec=temps": "measures",
    "/territoires/99001": "territories",
    "/fonds": "fund",
    "/reseau": "network",
    "/docs": "api",
}
"""Address of each kind of page → its entry in the menu; "" for none."""
FAILURES = ("/nulle/part", "/planifier?minutes=zz", "/mesures?mesure=zz", "/fonds/releves/personne/2026.pdf")
ENGLISH = ("/", "/?ou=Ouestville", "/lieux", "/lieux/carte", "/lieux/essai--a", "/imprimer", "/integrer")
MENU = [
    *("Trouver de l'aide", "Tous les lieux", "Imprimer une affiche", "Carte de l'accès", "Planifier"),
    *("Mesures", "Territoires", "Fonds", "Réseau", "Sur votre site", "Données et API"),
]
ENGLISH_MENU = [
    *("Find help", "All places", "Print a poster", "Map of access", "Planning", "Measures"),
    *("Areas", "Fund", "Network", "On your website", "Data and API"),
]


@pytest.fixture(scope="module")
def client(cluster, _template, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with (
        invested(cluster, _template, home) as (_, settings),
        TestClient(create_app(settings), base_url="http://portee.test") as client,
    ):
        yield client


def page(client, path):
    answer = client.get(path, headers=BROWSER)
    assert answer.headers["content-type"].startswith("text/html"), path
    return answer.text


def part(html, opening, closing):
    """The one element of a page that begins with these characters, blanks reduced."""
    found = re.findall(rf"{opening}.*?{closing}", html, re.DOTALL)
    assert len(found) == 1, opening
    return re.sub(r"\s+", " ", found[0])


def menu(html):
    return part(html, '<nav class="menu"', "</nav>")


def labels(html):
    return [re.sub(r"&#39;", "'", each) for each in re.findall(r"<a [^>]*>([^<]*)", html)]


def without_current(html):
    return html.replace(' aria-current="page"', "")


def test_every_page_has_the_same_masthead_menu_and_footer(client):
    expected = page(client, "/fonds")
    assert labels(menu(expected)) == MENU
    for path in (*FRENCH, *FAILURES):
        html = page(client, path)
        assert '<html lang="fr">' in html, path
        assert without_current(menu(html)) == without_current(menu(expected)), path
        assert part(html, '<p class="brand">', "</p>") == part(expected, '<p class="brand">', "</p>"), path
        foot = part(html, '<footer class="foot">', "</footer>")
        assert labels(foot) == labels(part(expected, '<footer class="foot">', "</footer>")), path
        assert "Sans publicité, sans cookie, sans suivi." in foot, path


def test_a_page_marks_its_own_entry_of_the_menu(client):
    for path, entry in FRENCH.items():
        marked = re.findall(r'<a href="([^"]+)" aria-current="page"', menu(page(client, path)))
        in_menu = entry and entry != "accessibility"
        assert marked == ([SERVED_PAGES[entry]] if in_menu else []), path


def test_every_page_has_a_skip_link_one_main_and_one_heading(client):
    for path in (*FRENCH, *FAILURES):
        html = page(client, path)
        skipped = part(html, '<nav class="skip"', "</nav>")
        for target in re.findall(r'href="#([\w-]+)"', skipped):
            assert f'id="{target}"' in html, path
        roles = path == "/lieux/carte"  # which also stands in frames
        top, middle = ('<div role="banner">', ' role="main"') if roles else ("<header>", "<main ")
        for landmark in (top, middle, '<footer class="foot">'):
            assert html.count(landmark) == 1, path
        if path != "/docs":  # its heading is Swagger UI's
            assert html.count("<h1") == 1, path


def test_every_page_announces_invented_data_and_can_say_that_it_is_offline(client):
    for path in FRENCH:
        html = page(client, path)
        assert '<p class="stale" id="hors-ligne" hidden>' in html, path
        if path not in ("/docs",):
            assert len(re.findall(r'<p class="demo"><strong>Données de démonstration</strong>', html)) == 1, (
                path
            )


def test_every_page_offers_both_languages(client):
    for path in (*FRENCH, *FAILURES):
        switch = part(page(client, path), '<nav class="languages"', "</nav>")
        assert '<strong lang="fr">Français</strong>' in switch, path
        assert re.search(r'<a href="[^"]*lang=en" lang="en" hreflang="en">English', switch), path


def test_english_pages_have_an_english_shell(client):
    expected = None
    for path in ENGLISH:
        html = page(client, f"{path}{'&' if '?' in path else '?'}lang=en")
        assert '<html lang="en">' in html, path
        found = menu(html)
        assert labels(found) == ENGLISH_MENU, path
        assert 'href="/carte" hreflang="fr"' in found, path
        assert 'href="/lieux?lang=en"' in found, path
        expected = expected or without_current(found)
        assert without_current(found) == expected, path
        assert '<strong lang="en">English</strong>' in part(html, '<nav class="languages"', "</nav>"), path
        assert "Demonstration data" in html, path
        assert "No advertising" in part(html, '<footer class="foot">', "</footer>"), path


def test_every_entry_of_the_menu_leads_to_a_page(client):
    for path in SERVED_PAGES.values():
        assert client.get(path, headers=BROWSER).status_code == 200, path


@pytest.mark.parametrize("path", ["/", "/lieux", "/lieux/carte", "/carte", "/planifier", "/accessibilite"])
def test_every_page_says_that_its_data_may_be_old(path):
    keeper = HandKeeper(snapshot(site("a", 5)), age=timedelta(hours=3), database_ok=False)
    with serving(keeper) as client:
        old = page(client, path)
        assert re.search(r'<p class="stale" role="status">[^<]+<span lang="fr">[^<]*vieux de 3 heures', old)
        keeper.database_ok = True
        fresh = client.get(path, headers=BROWSER)
        assert "vieux de" not in fresh.text
        if fresh.headers.get("etag"):
            keeper.database_ok = False
            again = client.get(path, headers={**BROWSER, "If-None-Match": fresh.headers["etag"]})
            assert again.status_code == 200, "a page without the notice is not the same page"


@pytest.mark.parametrize("path", ["/embed", "/embed?vue=carte", "/embed/carte.html"])
def test_embedded_pages_have_no_masthead(client, path):
    html = page(client, path)
    assert 'class="masthead"' not in html
    assert '<nav class="menu"' not in html
    assert '<footer class="foot">' not in html
    assert "Données de démonstration" in html
