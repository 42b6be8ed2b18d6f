"""The page of a site: what it says, what it leaves open, its addresses and caching."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

from geo.hours.weekly import TIME_ZONE
from geo.sites import standard
from geo.sites.model import Position
from geo.territory.model import Provenance
from tests.support import world
from tests.support.site_pages import (
    KEEPER,
    client_of,
    data_of,
    day_of,
    first,
    full,
    page_of,
    words_of,
)

pytestmark = pytest.mark.usefixtures("application")


def test_everything_a_site_says_is_on_its_page():
    site = full()
    text = words_of(page_of(site))
    shown = (
        *("Maison fictive des Étangs", "05 53 99 00 10", "accueil@exemple.fr", "1 place de l'Exemple"),
        *("Au fond de la cour", "99100 Ouestville", "Un résumé fictif.", "Un détail fictif."),
        *("Cartographie fictive", "Réseau fictif", "Label d'ici", "Bibliothèque / Médiathèque"),
        *("gratuit sous condition ou payant", "Seniors", "Surdité", "Itinérant", "Halle fictive"),
        *("Faire une démarche en ligne", "Avec quelqu'un, pas à pas", "Venir sans rendez-vous"),
        *("Aidants Connect (démarches faites en votre nom)", "Accès pour les personnes handicapées"),
        *("Accepte le Pass Numérique oui", "Accessible en fauteuil roulant non"),
        "Membre du réseau départemental oui",
        "Plusieurs numéros de téléphone sont donnés",
        *standard.FORMATIONS,
    )
    assert [each for each in shown if each not in text] == []


@pytest.mark.parametrize("label", standard.SERVICES)
def test_needs_are_shown_in_plain_words(label):
    text = words_of(page_of(full(services=(label,))))
    assert "Ce que je peux y faire" in text
    assert label not in text


def test_the_number_to_call_is_the_first_link_of_the_sheet():
    body = page_of(full()).text
    sheet = body[body.index("<article") :]
    assert first(r'<a [^>]*href="([^"]+)"', sheet) == "tel:+33553990010"


def test_missing_facts_are_shown_as_unknown():
    bare = world.site("a", 5, services=(), frais_a_charge=(), date_maj=None, adresse="")
    text = words_of(page_of(bare))
    for told in (
        "Téléphone inconnu",
        "Adresse inconnue",
        "Nous ne connaissons pas les horaires de ce lieu",
        "Ce lieu ne dit pas ce qu'il propose",
        "Prix non précisé",
        "Accepte le Pass Numérique non précisé",
        "Accessible en fauteuil roulant non précisé",
        "Date de vérification inconnue : à vérifier. Renseignez-vous avant de venir.",
    ):
        assert told in text


@pytest.mark.parametrize(
    ("contacts", "said", "by_appointment"),
    [
        ({"telephone": "+33553990001"}, "Appelez", "appelez ou écrivez avant de venir"),
        ({"autres_telephones": ("+33553990001",)}, "Appelez", "appelez ou écrivez avant de venir"),
        ({"courriels": ("ici@exemple.fr",)}, "Écrivez", "appelez ou écrivez avant de venir"),
        ({}, "Renseignez-vous", "Sur rendez-vous uniquement. Renseignez-vous avant de venir."),
    ],
)
def test_nobody_is_asked_to_call_where_no_number_is_known(contacts, said, by_appointment):
    old = world.site("a", 5, date_maj=None, **contacts)
    text = words_of(page_of(old))
    assert f"à vérifier. {said} avant de venir." in text
    assert f"Nous ne connaissons pas les horaires de ce lieu. {said} avant de venir." in text
    text = words_of(page_of(replace(old, sur_rendez_vous=True)))
    assert by_appointment in text


def test_hours_nobody_can_read_are_quoted_as_they_stand(monkeypatch):
    unknown = tuple(day_of(date(2026, 12, d), unknown=True) for d in range(21, 28))
    monkeypatch.setattr("api.residents.site.week_hours", lambda *_: unknown)
    text = words_of(page_of(full(horaires="le matin, sauf quand il pleut")))
    assert "Le lieu a écrit : « le matin, sauf quand il pleut »" in text


@pytest.mark.parametrize(
    ("checked", "said"),
    [
        (date(2026, 11, 2), "Vérifié le 2 novembre 2026."),
        (date(2026, 5, 20), "À vérifier : information du 20 mai 2026. Appelez avant de venir."),
    ],
)
def test_a_record_six_months_old_is_to_be_checked(checked, said):
    client = client_of(full(date_maj=checked))
    client.app.state.service.current().view.clock = lambda: datetime(2026, 11, 27, 10, tzinfo=TIME_ZONE)
    assert said in words_of(client.get("/lieux/essai--a"))


def test_the_dataset_is_shown_with_its_licence():
    source = Provenance(
        "Lieux « essai »", "Producteur fictif", "2026-03-02", "Licence d'essai", date(2026, 4, 1)
    )
    client = client_of(full())
    KEEPER.snapshot = replace(world.snapshot(full()), site_provenance=(source,))
    text = words_of(client.get("/lieux/essai--a"))
    assert "Données : Producteur fictif, reçues le 1er avril 2026" in text
    assert "Licence : Licence d'essai" in text


def test_a_site_across_the_border_is_marked_as_such():
    assert "(hors du département)" in words_of(page_of(world.site("v", 45, "96001")))
    assert "(hors du département)" not in words_of(page_of(full()))


@pytest.mark.parametrize("position", [Position.APPROXIMATIVE, Position.INCONNUE])
def test_an_approximate_position_is_announced(position):
    site = world.site("a", None if position is Position.INCONNUE else 5, position=position)
    response = page_of(site)
    assert "Adresse im" in words_of(response) or "Adresse inconnue :" in words_of(response)
    assert "geo" not in data_of(response)


@pytest.mark.parametrize("local_id", ["a b", "é/è", "?x=1#y", "50%", "..", '"><b>', "a/signaler-ou-pas"])
def test_any_identifier_has_a_page(local_id):
    site = world.site(local_id, 5)
    assert page_of(site).status_code == 200


def test_a_page_without_personal_data_may_be_cached_for_a_minute():
    site = full()
    alone = page_of(site)
    assert alone.headers["cache-control"] == "public, max-age=60"
    assert "Retour à la liste" not in alone.text
    asked = page_of(site, "/lieux/essai--a?ou=Ouestville&besoin=demarches")
    assert asked.headers["cache-control"] == "private, no-cache"
    assert 'href="/?ou=Ouestville&amp;besoin=demarches#essai--a"' in asked.text
    assert '<link rel="canonical" href="http://portee.test/lieux/essai--a">' in asked.text


def test_a_list_leads_to_pages_that_lead_back():
    client = client_of(full(modalites_acces=()))
    listed = client.get("/?ou=Ouestville&prix=condition").text
    link = first(r'<h3><a href="([^"]+)"', listed)
    back = first(r'<a class="way" href="([^"]+)">← Retour', client.get(link).text)
    assert back == "/?ou=Ouestville&prix=condition#essai--a"


def test_an_unknown_site_leads_to_a_search_for_the_words_of_its_address():
    response = page_of(full(), "/lieux/demonstration--mediatheque-du-pont-12?lang=en")
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("text/html")
    assert 'value="mediatheque pont"' in response.text
    assert 'name="lang" value="en"' in response.text


@pytest.mark.parametrize("path", ["/lieux/", "/lieux/%00", "/lieux/a/b/c", "/lieux/" + "x" * 5_000])
def test_odd_addresses_are_unknown_sites(path):
    assert page_of(full(), path).status_code == 404


def test_the_address_of_the_form_leads_to_it():
    response = client_of(full()).get("/lieux/essai--a/signaler?ou=Ici", follow_redirects=False)
    assert response.status_code == 303
    assert response.headers["location"] == "/lieux/essai--a?ou=Ici#signaler"
