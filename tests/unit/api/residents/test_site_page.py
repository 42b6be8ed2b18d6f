"""The page of a site and the directory: what they tell, what they leave open, and the form."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, datetime, time
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from api.residents import timetable
from api.residents.directory import by_letter, entries
from api.residents.jsonld import linked
from api.residents.report_form import BODY_MAX_BYTES, ERRORS, read_form
from geo.hours.open_status import DatedVisit, DayHours, ExceptionalPeriod, Range
from geo.hours.weekly import TIME_ZONE
from geo.sites import standard
from geo.sites.model import ItinerantStop, Position
from geo.territory.model import Provenance
from geo.wording.language import language
from tests.support import world
from tests.support.serving import HandKeeper, serving

FR = language("fr")
MONDAY = date(2026, 12, 21)
URL = "https://portee.test/lieux/essai--a"


def full(**changes):
    """A site that says everything."""
    told = {
        "nom": "Maison fictive des Étangs",
        "telephone": "+33553990010",
        "courriels": ("accueil@exemple.fr",),
        "site_web": ("https://exemple.fr/lieu",),
        "horaires": "Mo-Fr 09:00-12:00",
        "complement_adresse": "Au fond de la cour",
        "presentation_resume": "Un résumé fictif.",
        "presentation_detail": "Un détail fictif.",
        "source": "Cartographie fictive",
        "itinerance": ("Itinérant",),
        "structure_parente": "Réseau fictif",
        "services": standard.SERVICES,
        "publics_specifiquement_adresses": standard.PUBLICS,
        "prise_en_charge_specifique": standard.PRISES_EN_CHARGE,
        "frais_a_charge": ("Gratuit sous condition", "Payant"),
        "dispositif_programmes_nationaux": standard.DISPOSITIFS,
        "formations_labels": standard.FORMATIONS,
        "autres_formations_labels": ("Label d'ici",),
        "modalites_acces": standard.MODALITES_ACCES,
        "modalites_accompagnement": standard.MODALITES_ACCOMPAGNEMENT,
        "fiche_acces_libre": "https://acceslibre.exemple/fiche",
        "prise_rdv": "https://rdv.exemple/prendre",
        "typologie": ("BIB",),
        "pass_numerique": True,
        "membre_reseau": True,
        "acces_fauteuil": False,
        "arrets": (ItinerantStop("Halle fictive", "Tu", "09:00-12:00"),),
        "signalements": ("telephone_multiple",),
    }
    return world.site("a", 5, **{**told, **changes})


HALL = ItinerantStop("Halle fictive", "Tu", "09:00-12:00")
KEEPER = HandKeeper()
OPENED: list[TestClient] = []


@pytest.fixture(scope="module", autouse=True)
def application():
    """One application for all tests; each gives it its sites."""
    with serving(KEEPER, search_rate="", form_rate="") as opened:
        OPENED.append(opened)
        yield
    OPENED.clear()


def client_of(*sites):
    """A client of the application over these sites."""
    KEEPER.snapshot = world.snapshot(*sites)
    return OPENED[0]


def page_of(site, address=None):
    return client_of(site).get(address or f"/lieux/{quote(site.id, safe='')}")


def words_of(response) -> str:
    """The text of a page on one line."""
    body = re.sub(r"<script.*?</script>", "", response.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def first(pattern: str, html: str) -> str:
    """What the group of a pattern holds where it is first met."""
    return unescape(re.findall(pattern, html)[0])


def data_of(response):
    (block,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', response.text, re.DOTALL)
    return json.loads(block)


# ---- What is told


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
def test_needs_are_told_in_plain_words(label):
    text = words_of(page_of(full(services=(label,))))
    assert "Ce que je peux y faire" in text
    assert label not in text


def test_the_number_to_call_is_the_first_link_of_the_sheet():
    body = page_of(full()).text
    sheet = body[body.index("<article") :]
    assert first(r'<a [^>]*href="([^"]+)"', sheet) == "tel:+33553990010"


def test_what_a_site_does_not_say_is_told_as_unknown():
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
        "Date de vérification inconnue : à vérifier. Appelez avant de venir.",
    ):
        assert told in text


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


def test_the_dataset_is_told_with_its_licence():
    source = Provenance(
        "Lieux « essai »", "Producteur fictif", "2026-03-02", "Licence d'essai", date(2026, 4, 1)
    )
    client = client_of(full())
    KEEPER.snapshot = replace(world.snapshot(full()), site_provenance=(source,))
    text = words_of(client.get("/lieux/essai--a"))
    assert "Données : Producteur fictif, reçues le 1er avril 2026" in text
    assert "Licence : Licence d'essai" in text


def test_a_neighbour_is_told_as_beyond_the_border():
    assert "(hors du département)" in words_of(page_of(world.site("v", 45, "96001")))
    assert "(hors du département)" not in words_of(page_of(full()))


@pytest.mark.parametrize("position", [Position.APPROXIMATIVE, Position.INCONNUE])
def test_a_doubtful_place_is_told(position):
    site = world.site("a", None if position is Position.INCONNUE else 5, position=position)
    response = page_of(site)
    assert "Adresse im" in words_of(response) or "Adresse inconnue :" in words_of(response)
    assert "geo" not in data_of(response)


# ---- Hours in words


def day_of(day: date, ranges: tuple[Range, ...] = (), **changes: Any) -> DayHours:
    """A day that is as any other but for its ranges and `changes`."""
    plain = DayHours(
        date=day,
        ranges=ranges,
        by_appointment=False,
        unknown=False,
        holiday="",
        doubtful=False,
        school_holiday=False,
        exceptional=False,
    )
    return replace(plain, **changes)


def test_a_week_tells_holidays_exceptions_and_what_is_not_known():
    nine_noon = Range(time(9), time(12))
    days = (
        day_of(MONDAY, (nine_noon, Range(time(14), time(17, 30), by_appointment=True))),
        day_of(date(2026, 12, 22), (Range(time(9), time(12), stop=HALL),)),
        day_of(date(2026, 12, 23), (nine_noon,), exceptional=True, school_holiday=True),
        day_of(date(2026, 12, 24), exceptional=True),
        day_of(date(2026, 12, 25), holiday="Noël"),
        day_of(date(2026, 12, 26), by_appointment=True, unknown=True),
        day_of(date(2026, 12, 27), unknown=True),
    )
    told = [
        (d.name, " + ".join(d.hours).replace("\xa0", " "), d.note) for d in timetable.week(FR, days, MONDAY)
    ]
    assert told == [
        ("lundi 21 décembre", "9 h – 12 h + 14 h – 17 h 30, sur rendez-vous", ""),
        ("mardi 22 décembre", "9 h – 12 h (Halle fictive)", ""),
        ("mercredi 23 décembre", "9 h – 12 h", "horaires exceptionnels, vacances scolaires"),
        ("jeudi 24 décembre", "fermé exceptionnellement", ""),
        ("vendredi 25 décembre", "fermé", "jour férié : Noël"),
        ("samedi 26 décembre", "sur rendez-vous", ""),
        ("dimanche 27 décembre", "horaires inconnus", ""),
    ]
    assert timetable.has_known_day(days)
    assert not timetable.has_known_day(days[-1:])


def at(hour: int) -> datetime:
    return datetime.combine(date(2026, 12, 3), time(hour))


def test_exceptions_and_stops_to_come_are_told_by_date():
    found = (
        ExceptionalPeriod(date(2026, 12, 24), date(2026, 12, 24), ()),
        ExceptionalPeriod(date(2027, 1, 4), date(2027, 1, 8), ()),
        ExceptionalPeriod(date(2027, 1, 9), date(2027, 1, 9), (Range(time(10), time(12)),)),
    )
    assert [each.replace("\xa0", " ") for each in timetable.exceptions(FR, found)] == [
        "Fermé exceptionnellement le jeudi 24 décembre 2026",
        "Fermé exceptionnellement du lundi 4 janvier 2027 au vendredi 8 janvier 2027",
        "Horaires exceptionnels le samedi 9 janvier 2027 : 10 h – 12 h",
    ]
    visit = DatedVisit(at(9), at(12), by_appointment=False, stop=HALL)
    assert timetable.visits(FR, (visit,))[0].replace("\xa0", " ") == (
        "jeudi 3 décembre 2026, 9 h – 12 h : Halle fictive"
    )


def test_a_real_fortnight_is_told_from_the_hours_as_they_are_written():
    """Christmas 2026 in Lot-et-Garonne (zone A), by hand from the school calendar."""
    written = "Mo-Fr 09:00-12:00; PH off; 2026 Dec 24 off; 2026 Dec 23 14:00-16:00"
    client = client_of(full(horaires=written, arrets=()))
    view = client.app.state.service.current().view
    view.clock = lambda: datetime(2026, 12, 21, 8, 30, tzinfo=TIME_ZONE)
    text = words_of(client.get("/lieux/essai--a")).replace("\xa0", " ")
    for told in (
        "Ouvre aujourd'hui à 9 h",
        "lundi 21 décembre aujourd'hui 9 h – 12 h (vacances scolaires)",
        "mercredi 23 décembre 14 h – 16 h (horaires exceptionnels, vacances scolaires)",
        "jeudi 24 décembre fermé exceptionnellement (vacances scolaires)",
        "vendredi 25 décembre fermé (jour férié : Noël, vacances scolaires)",
        "Horaires exceptionnels le mercredi 23 décembre 2026 : 14 h – 16 h",
        "Fermé exceptionnellement le jeudi 24 décembre 2026",
    ):
        assert told in text


def test_a_site_without_hours_is_never_told_as_closed():
    text = words_of(page_of(world.site("a", 5)))
    assert "Nous ne connaissons pas les horaires de ce lieu" in text
    assert "fermé" not in text.partition("Ce que je peux y faire")[0]


# ---- For search engines


def days_of_linked():
    return (
        day_of(
            MONDAY,
            (
                Range(time(9), time(12)),
                Range(time(14), time(17), by_appointment=True),
                Range(time(18), time(19), stop=HALL),
            ),
        ),
        day_of(date(2026, 12, 22), unknown=True),
    )


def test_linked_data_says_what_the_record_says():
    found = linked(full(), URL, world.TERRITORY, days_of_linked())
    assert found["@type"] == "Library"
    assert found["@id"] == found["url"] == URL
    assert found["telephone"] == "+33553990010"
    assert found["areaServed"] == {"@type": "AdministrativeArea", "name": "Pays d'Essai"}
    assert found["address"] == {
        "@type": "PostalAddress",
        "streetAddress": "1 place de l'Exemple, Au fond de la cour",
        "postalCode": "99100",
        "addressLocality": "Ouestville",
        "addressCountry": "FR",
    }
    assert found["openingHoursSpecification"] == [
        {
            "@type": "OpeningHoursSpecification",
            "dayOfWeek": "https://schema.org/Monday",
            "opens": "09:00",
            "closes": "12:00",
            "validFrom": "2026-12-21",
            "validThrough": "2026-12-21",
        }
    ]
    assert found["amenityFeature"][0]["value"] is False
    assert found["sameAs"] == ["https://exemple.fr/lieu", "https://acceslibre.exemple/fiche"]
    assert "isAccessibleForFree" not in found, "free for some, paid by others"


def test_linked_data_says_nothing_that_is_unknown():
    bare = world.site(
        "a",
        None,
        "96001",
        adresse="",
        code_postal="",
        commune="",
        frais_a_charge=(),
        site_web=("javascript:x",),
    )
    assert linked(bare, URL, world.TERRITORY, ()) == {
        "@context": "https://schema.org",
        "@type": ["Organization", "Place"],
        "@id": URL,
        "url": URL,
        "name": "Lieu a",
    }


@pytest.mark.parametrize(
    ("typologie", "types"),
    [
        ((), ["Organization", "Place"]),
        (("ASSO",), ["Organization", "Place"]),
        (("MUNI", "CCAS"), "GovernmentOffice"),
        (("MUNI", "ASSO"), ["Organization", "Place"]),
        (("BIB", "MUNI"), ["Organization", "Place"]),
        (("LA_POSTE",), "PostOffice"),
    ],
)
def test_a_type_is_narrow_only_where_every_kind_agrees(typologie, types):
    assert linked(full(typologie=typologie), URL, world.TERRITORY, ())["@type"] == types


def test_an_invented_site_is_kept_out_of_search_engines():
    robots = '<meta name="robots" content="noindex">'
    assert robots in page_of(full()).text
    assert robots not in page_of(full(fictif=False)).text


# ---- Addresses, lists, caches


@pytest.mark.parametrize("local_id", ["a b", "é/è", "?x=1#y", "50%", "..", '"><b>', "a/signaler-ou-pas"])
def test_any_identifier_has_a_page(local_id):
    site = world.site(local_id, 5)
    assert page_of(site).status_code == 200


def test_a_page_that_depends_on_nobody_may_be_kept_a_minute():
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


def test_an_unknown_site_is_told_kindly_with_a_search_by_its_words():
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


# ---- The directory


def test_the_directory_tells_every_site_once_by_commune():
    sites = [
        world.site("1", 5, nom="Zèbre", telephone="+33553990010"),
        world.site("2", 5, nom="Âne"),
        world.site("3", 15, "99002"),
        world.site("4", 45, "96001"),
        replace(world.site("5", None), commune="", code_insee=""),
        replace(world.site("6", 5), commune="Écart-Ville", code_insee=""),
    ]
    response = client_of(*sites).get("/lieux?ou=Ouestville")
    body = response.text
    assert response.headers["cache-control"] == "public, max-age=60"
    assert "?ou=" not in body
    for site in sites:
        assert body.count(f'href="/lieux/{site.id}"') == 1
    assert re.findall(r"<h3>(.*?)</h3>", body) == ["Deux-Étangs", "Écart-Ville", "Ouestville", "Outre-Borne"]
    assert body.index("Âne") < body.index("Zèbre")
    assert re.findall(r'<a href="#lettre-\d">(.)</a>', body) == ["D", "E", "O"]
    assert "4 lieux, commune par commune." in body
    assert 'href="tel:+33553990010"' in body


def test_letters_ignore_accents_and_gather_the_rest():
    names = ["Étang", "Eaux", "12 Chênes", "ŒUVRE", "Ünter"]
    found = by_letter(entries([world.site(str(n), 5, commune=name) for n, name in enumerate(names)]))
    assert {letter: [e.name for e in each] for letter, each in found.items()} == {
        "#": ["12 Chênes"],
        "E": ["Eaux", "Étang"],
        "O": ["ŒUVRE"],
        "U": ["Ünter"],
    }


def test_an_empty_directory_says_so():
    assert "Aucun lieu n'est connu pour l'instant." in words_of(client_of().get("/lieux"))


# ---- The form


def encoded(**fields) -> bytes:
    return "&".join(f"{k}={quote(v)}" for k, v in fields.items()).encode()


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (encoded(quoi="horaires"), {}),
        (encoded(quoi="autre", message="La porte est bleue"), {}),
        (encoded(quoi="ferme", courriel="a@exemple.fr"), {}),
        (b"", {"quoi": "subject"}),
        (encoded(quoi="<script>"), {"quoi": "subject"}),
        (encoded(quoi="autre"), {"message": "empty"}),
        (encoded(quoi="autre", message=" \u202e\x00 "), {"message": "empty"}),
        (encoded(quoi="autre", message="é" * 1_000), {}),
        (encoded(quoi="autre", message="é" * 1_001), {"message": "long"}),
        (encoded(quoi="ferme", courriel="a@"), {"courriel": "email"}),
        (encoded(quoi="ferme", courriel="a@exemple.fr, b@exemple.fr"), {"courriel": "email"}),
        (encoded(quoi="ferme", courriel="a@exemple.fr\r\nBcc: b@exemple.fr"), {"courriel": "email"}),
        (encoded(quoi="ferme", suite="robot"), {"": "trap"}),
        (b"a=1&" * 30, {"": "unreadable"}),
        ("quoi=é".encode(), {"": "unreadable"}),
    ],
)
def test_a_form_is_checked_field_by_field(body, errors):
    form = read_form(body)
    assert form.errors == errors
    assert all(each in ERRORS for each in form.errors.values())


def test_a_message_keeps_its_lines_and_loses_what_nobody_types():
    assert read_form(encoded(quoi="autre", message="un\r\ndeux\x00\u202e")).message == "un\ndeux"


def post(client, fields, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/lieux/essai--a/signaler", data=fields, headers=headers, follow_redirects=False)


@pytest.fixture
def client():
    return client_of(full())


def test_mistakes_are_told_beside_each_field_with_what_was_typed(client):
    response = post(client, {"quoi": "autre", "message": "", "courriel": "moi@"})
    assert response.status_code == 422
    assert response.headers["cache-control"] == "private, no-store"
    body = response.text
    assert '<option value="autre" selected>' in body
    assert 'value="moi@"' in body
    for name in ("message", "courriel"):
        assert re.search(
            rf'id="{name}" [^>]*aria-describedby="{name}-aide {name}-erreur" aria-invalid="true"', body
        )
        assert f'id="{name}-erreur"' in body
    assert "<title>Message à corriger" in body


def test_without_a_database_what_was_typed_is_kept_and_the_phone_is_advised(client):
    response = post(client, {"quoi": "telephone", "message": "C'est le 05 <b>"})
    assert response.status_code == 503
    assert "ou appelez le lieu" in words_of(response)
    assert "C&#39;est le 05 &lt;b&gt;</textarea>" in response.text


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "https://ailleurs.exemple"},
        {"origin": "null"},
    ],
)
def test_a_form_sent_from_elsewhere_is_shown_and_not_kept(client, headers):
    response = post(client, {"quoi": "telephone", "message": "forgé"}, **headers)
    assert response.status_code == 403
    assert "n'a pas été envoyé depuis cette page" in words_of(response)
    assert "forgé</textarea>" in response.text


@pytest.mark.parametrize("headers", [{"sec_fetch_site": "same-origin"}, {"origin": "http://portee.test"}, {}])
def test_a_form_sent_from_its_page_goes_on_to_the_database(client, headers):
    assert post(client, {"quoi": "telephone"}, **headers).status_code == 503


def test_a_body_larger_than_any_honest_one_is_refused(client):
    response = post(client, {"quoi": "autre", "message": "x" * BODY_MAX_BYTES})
    assert response.status_code == 413
    assert "beaucoup trop long" in words_of(response)


def test_a_body_that_is_no_form_is_refused(client):
    assert client.post("/lieux/essai--a/signaler", json={"quoi": "autre"}).status_code == 415


def test_a_report_of_an_unknown_site_is_not_found(client):
    assert client.post("/lieux/essai--z/signaler", data={"quoi": "autre"}).status_code == 404


def test_no_page_sets_a_cookie(client):
    answers = [client.get("/lieux/essai--a"), client.get("/lieux"), post(client, {"quoi": "autre"})]
    assert all("set-cookie" not in each.headers for each in answers)
