"""Printed documents over HTTP."""

from __future__ import annotations

import pytest

from geo.settings import Settings
from static_maps.print_content import slug
from tests.support.paper import BUS, FULL, text
from tests.support.serving import serving
from tests.support.world import site, snapshot


@pytest.fixture(scope="module")
def client():
    with serving(snapshot(site("a", 5, nom='Maison "é" \r\n; x', **FULL), BUS), search_rate="") as opened:
        yield opened


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/imprimer/commune/99001.pdf", "affiche-aide-numerique-ouestville.pdf"),
        ("/imprimer/canton/9901.pdf", "affiche-aide-numerique-canton-9901.pdf"),
        ("/imprimer/epci/200000001.pdf", "affiche-aide-numerique-cc-1.pdf"),
        ("/imprimer/annuaire.pdf", "annuaire-aide-numerique-pays-d-essai.pdf"),
        ("/lieux/essai--a/fiche.pdf", "fiche-maison-e-x.pdf"),
    ],
)
def test_paper_is_shown_in_the_browser_under_a_good_name(client, path, name):
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == f'inline; filename="{name}"'
    assert answer.content.startswith(b"%PDF-")


def test_a_sheet_may_be_kept_for_a_moment_and_a_slip_never(client):
    first = client.get("/imprimer/commune/99001.pdf")
    assert first.headers["cache-control"] == "public, max-age=60"
    known = client.get("/imprimer/commune/99001.pdf", headers={"If-None-Match": first.headers["etag"]})
    assert known.status_code == 304
    slip = client.get("/lieux/essai--a/fiche.pdf?ou=Ouestville")
    assert slip.headers["cache-control"] == "private, no-store"
    assert "depuis Ouestville" in text(slip.content)


def test_each_host_and_language_has_its_own_sheet(client):
    sheets = [
        client.get("/imprimer/commune/99001.pdf", headers={"Host": host}, params=params)
        for host in ("un.test", "deux.test")
        for params in ({}, {"lang": "en"})
    ]
    assert len({sheet.content for sheet in sheets}) == 4
    assert "un.test/?lieu=commune-99001" in text(sheets[0].content)


@pytest.mark.parametrize("host", ["x" * 300 + ".test", "<script>", "a b"])
def test_a_strange_host_is_no_failure(client, host):
    answer = client.get("/imprimer/commune/99002.pdf", headers={"Host": host})
    assert answer.status_code < 500


@pytest.mark.parametrize(
    "path",
    [
        "/imprimer/commune/00000.pdf",
        "/imprimer/commune/%3Cscript%3E.pdf",
        "/imprimer/commune/9901.pdf",
        "/imprimer/departement/99.pdf",
        "/imprimer/rien/99001.pdf",
        "/lieux/inconnu/fiche.pdf",
    ],
)
def test_what_has_no_sheet_is_answered_kindly(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert 'role="alert"' in answer.text
    assert "<script>" not in answer.text
    assert 'action="/imprimer"' in answer.text


def test_a_sheet_is_chosen_without_scripts(client):
    page = client.get("/imprimer?lang=en")
    assert page.status_code == 200
    assert '<option value="99002">Deux-Étangs</option>' in page.text
    assert '<input type="hidden" name="lang" value="en">' in page.text
    chosen = client.get("/imprimer?commune=99002&lang=en", follow_redirects=False)
    assert chosen.status_code == 303
    assert chosen.headers["location"] == "/imprimer/commune/99002.pdf?lang=en"
    refused = client.get("/imprimer", params={"canton": "//ailleurs.test"}, follow_redirects=False)
    assert refused.status_code == 404


def test_the_list_of_a_commune_leads_to_its_sheet(client):
    page = client.get("/?ou=Ouestville")
    assert 'href="/imprimer/commune/99001.pdf"' in page.text
    assert "/imprimer/commune" not in client.get("/").text


@pytest.mark.parametrize("url", ["ftp://x", "https://", "https://a b", "https://x/?q"])
def test_an_address_of_the_pages_that_is_none_is_refused(url):
    with pytest.raises(ValueError, match="public_url"):
        Settings(public_url=url)


def test_a_name_of_file_is_plain():
    assert slug("L'Été à Saint-Pé ?") == "l-ete-a-saint-pe"
    assert slug("🚌") == "portee"
