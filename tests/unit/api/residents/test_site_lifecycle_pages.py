"""Pages and answers of sites that were merged, closed, corrected or pooled from several records."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import date

import pytest

from geo.sites.corrections import Correction, corrected
from geo.snapshot import ClosedSite
from tests.support.serving import serving
from tests.support.world import as_site, record, site, snapshot

FRESH = record(
    "a", 5, nom="France services fictive", telephone="+33553990001", date_maj=date(2026, 3, 2), horaires=""
)
OLD = record(
    "b",
    5,
    jeu_de_donnees="autre",
    nom="Mairie fictive",
    telephone="+33553990002",
    date_maj=date(2024, 1, 5),
    horaires="Mo 09:00-12:00",
    services=("Insertion professionnelle via le numérique",),
)
POOLED = as_site(FRESH, OLD)


def client_of(*sites, **changes):
    return serving(replace(snapshot(*sites), **changes))


def text_of(answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html.unescape(answer.text)).split()).replace("\u00a0", " ")


def test_a_merged_address_redirects_to_the_site_that_stands_for_it():
    with client_of(POOLED, redirects={"autre--b": "essai--a"}) as client:
        answer = client.get("/lieux/autre--b?lang=en", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (301, "/lieux/essai--a?lang=en")
        answer = client.get("/api/v1/sites/autre--b", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (308, "/api/v1/sites/essai--a")
        assert client.get("/api/v1/sites/autre--b").json()["id"] == "essai--a"
        near = client.get("/api/v1/sites/nearest", params={"site": "autre--b"}).json()
        assert near["origin"]["site"] == "essai--a"


def test_the_slip_and_the_report_form_of_a_merged_address_are_those_of_its_site():
    with client_of(POOLED, redirects={"autre--b": "essai--a"}) as client:
        answer = client.get("/lieux/autre--b/fiche.pdf?ou=Ouestville&lang=en", follow_redirects=False)
        assert answer.status_code == 301
        assert answer.headers["location"] == "/lieux/essai--a/fiche.pdf?ou=Ouestville&lang=en"
        assert client.get("/lieux/autre--b/fiche.pdf").headers["content-type"] == "application/pdf"
        assert client.get("/lieux/inconnu--b/fiche.pdf").status_code == 404
        answer = client.get("/lieux/autre--b/signaler")
        assert str(answer.url).endswith("/lieux/essai--a#signaler")
        wrong = client.post("/lieux/autre--b/signaler", data={"sujet": ""})
        assert wrong.status_code == 422
        assert 'action="/lieux/essai--a/signaler' in wrong.text


def test_scenarios_isochrones_and_places_to_start_from_take_merged_identifiers():
    with client_of(POOLED, site("c", 25, "99003"), redirects={"autre--b": "essai--a"}) as client:
        edits = [{"action": "close", "site": "autre--b"}]
        answer = client.post("/api/v1/scenarios/evaluate", json={"edits": edits})
        assert answer.status_code == 200, answer.text
        (changed,) = answer.json()["sites"]["features"]
        assert changed["properties"]["name"] == POOLED.nom
        reach = client.get("/api/v1/isochrones", params={"site": "autre--b", "minutes": "10"})
        assert reach.status_code == 200, reach.text
        assert "essai--a" in reach.text


@pytest.mark.parametrize("dataset", ["essai", "autre"])
def test_a_site_is_found_by_each_dataset_it_has_a_record_of(dataset):
    with client_of(POOLED, site("c", 25, "99003", jeu_de_donnees="tiers")) as client:
        for path in ("/api/v1/sites?", "/api/v1/sites.csv?", "/api/v1/sites/nearest?commune=99001&"):
            answer = client.get(f"{path}jeu_de_donnees={dataset}")
            assert answer.status_code == 200, answer.text
            assert "France services fictive" in answer.text and "Lieu c" not in answer.text, path
        counted = client.get("/api/v1/coverage", params={"jeu_de_donnees": dataset, "kind": "departement"})
        assert counted.json()["territories"][0]["site_count"] == 1


def test_planners_see_what_undecided_questions_change_and_residents_do_not():
    sites = (POOLED, site("c", 5), site("d", 15, "99002"))
    said = "entre 2 et 3 selon 1 question à trancher"
    with client_of(*sites, questions=(("essai--a", "essai--c"),)) as client:
        assert f"Ils reposent sur 3 lieux, {said}." in text_of(client.get("/planifier"))
        answer = client.get("/api/v1/coverage?kind=commune").json()
        assert answer["undecided"]["sites"] == {"low": 2, "high": 3}
        assert answer["undecided"]["territory_sites"] == {"low": 2, "high": 3}
        assert answer["undecided"]["sentences"][0] == f"3 lieux, {said}."
        assert answer["undecided"]["supply"]["low"] < answer["undecided"]["supply"]["high"]
        rows = {row["code"]: row for row in answer["territories"]}
        assert (rows["99001"]["site_count_low"], rows["99001"]["site_count"]) == (1, 2)
        assert rows["99002"]["site_count_low"] == 1
        for path in ("/", "/?ou=Ouestville", "/lieux", "/lieux/essai--a", "/embed", "/lieux/carte"):
            assert "à trancher" not in client.get(path).text, path
    with client_of(*sites) as client:
        assert "à trancher" not in client.get("/planifier").text
        assert client.get("/api/v1/coverage").json()["undecided"]["sentences"] == []


@pytest.mark.parametrize(
    ("until", "status", "sentence"),
    [
        (None, 410, "Fermé depuis le 1er novembre 2026."),
        (date(2026, 12, 24), 200, "Fermé jusqu'au 24 décembre 2026."),
    ],
)
def test_a_closed_site_says_so_and_is_listed_nowhere(until, status, sentence):
    shut = site("a", 5, nom="Maison fermée")
    closed = {shut.id: ClosedSite(shut, date(2026, 11, 1), until, "Travaux <b>fictifs</b>.")}
    with client_of(site("b", 6), closed=closed) as client:
        answer = client.get("/lieux/essai--a")
        assert answer.status_code == status
        assert sentence in text_of(answer)
        assert "&lt;b&gt;" in answer.text and 'href="/?ou=99100' in answer.text
        assert "noindex" in answer.text
        assert "Maison fermée" not in client.get("/lieux").text
        problem = client.get("/api/v1/sites/essai--a")
        assert problem.status_code == 404
        assert "est fermé depuis le 1er novembre 2026" in problem.text
        ids = [each["id"] for each in client.get("/api/v1/sites").json()["features"]]
        assert ids == ["essai--b"]


def test_a_merged_address_of_a_closed_site_says_that_it_is_closed():
    shut = site("a", 5)
    closed = {shut.id: ClosedSite(shut, date(2026, 11, 1), None, "")}
    with client_of(closed=closed, redirects={"essai--old": shut.id}) as client:
        assert client.get("/lieux/essai--old").status_code == 410


def test_the_page_says_where_each_value_comes_from_and_what_others_say():
    with client_of(POOLED) as client:
        text = text_of(client.get("/lieux/essai--a"))
    assert "D'où vient chaque information" in text
    assert "Téléphone essai, le 2 mars 2026." in text
    assert "Une autre source (autre) dit : « +33553990002 »." in text
    assert "Horaires autre, le 5 janvier 2024." in text


@pytest.mark.parametrize(
    ("names", "said", "unsaid"),
    [
        (("Mairie", "MAIRIE"), ["D'autres sources (deux ; trois) disent : « Mairie »."], ["MAIRIE"]),
        (("Mairie", "Annexe"), ["(deux) dit : « Mairie ».", "(trois) dit : « Annexe »."], ["disent"]),
        (("MAISON, de l'aide", "Mairie"), ["(trois) dit : « Mairie »."], ["MAISON", "disent"]),
    ],
)
def test_sources_that_say_the_same_are_quoted_once(names, said, unsaid):
    days = {"deux": date(2025, 3, 1), "trois": date(2025, 2, 1)}
    others = [
        record("b", 5, jeu_de_donnees=dataset, nom=name, date_maj=day)
        for (dataset, day), name in zip(days.items(), names, strict=True)
    ]
    with client_of(as_site(record("a", 5, nom="Maison de l'Aide"), *others)) as client:
        text = text_of(client.get("/lieux/essai--a")).partition("D'où vient chaque information")[2]
    for sentence in said:
        assert sentence in text
    for sentence in unsaid:
        assert sentence not in text


def test_a_correction_is_said_without_its_author():
    made = Correction(
        POOLED.id, "telephone", "+33553990009", "Mme Auteur", date(2026, 11, 3), "numéro changé", id=4
    )
    shown = corrected(POOLED, {"telephone": made})
    with client_of(shown) as client:
        page = client.get("/lieux/essai--a")
        assert "Corrigé par l'équipe qui tient cette liste, le 3 novembre 2026." in text_of(page)
        assert "tel:+33553990009" in page.text
        answer = client.get("/api/v1/sites/essai--a")
        assert "Auteur" not in page.text + answer.text
    (origin,) = [e for e in answer.json()["sources"]["origins"] if e["field"] == "telephone"]
    assert origin == {
        "field": "telephone",
        "records": [],
        "rule": "correction",
        "day": "2026-11-03",
        "corrected": True,
    }


def test_a_site_of_one_record_has_no_list_of_origins_on_its_page_and_all_in_the_api():
    with client_of(site("a", 5)) as client:
        assert "D'où vient chaque information" not in text_of(client.get("/lieux/essai--a"))
        sources = client.get("/api/v1/sites/essai--a").json()["sources"]
    assert sources["records"] == ["essai--a"]
    assert {each["rule"] for each in sources["origins"]} == {"only"}
    assert "nom" in [each["field"] for each in sources["origins"]]
    assert sources["conflicts"] == []


def test_the_api_lists_the_values_that_are_not_shown():
    with client_of(POOLED) as client:
        sources = client.get("/api/v1/sites/essai--a").json()["sources"]
    assert sources["records"] == ["autre--b", "essai--a"]
    conflicts = {(each["field"], each["record"]): each["value"] for each in sources["conflicts"]}
    assert conflicts[("telephone", "autre--b")] == "+33553990002"
