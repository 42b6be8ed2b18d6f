"""Pages for residents over HTTP: what they say, in which order, and what they never keep."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from geo.hours.weekly import TIME_ZONE
from geo.sites.model import ItinerantStop
from tests.support.serving import HandKeeper, serving
from tests.support.world import site, snapshot

NOW = datetime(2026, 11, 5, 10, 30, tzinfo=TIME_ZONE)
"""A Thursday."""

SITES = (
    site(
        "near",
        6,
        nom="Espace fictif de l'Ouest",
        telephone="+33553990001",
        horaires="Mo-Fr 09:00-12:00",
        pass_numerique=True,
        prise_rdv="https://rdv.exemple.fr/",
    ),
    site("paid", 8, nom="Atelier fictif payant", frais_a_charge=("Payant",), horaires="Sa 10:00-12:00"),
    site("dumb", 15, "99002", nom="Relais fictif muet", frais_a_charge=(), horaires=""),
    site("beyond", 45, "96001", nom="Voisin fictif", telephone="+33553960001", horaires="Mo-Su 08:00-20:00"),
)


@pytest.fixture
def client():
    with serving(snapshot(*SITES)) as opened:
        app: Any = opened.app
        app.state.service.current().view.clock = lambda: NOW
        yield opened


def text(answer) -> str:
    """The words of a page, one space between."""
    body = re.sub(r"<(script|style)\b.*?</\1>", "", answer.text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def names(answer) -> list[str]:
    """Names of the sites listed, in order."""
    return [html.unescape(n) for n in re.findall(r'<h3><a href="[^"]*">([^<]+)</a></h3>', answer.text)]


# ---- One field


def test_the_first_page_asks_one_thing_and_lists_nothing(client):
    answer = client.get("/")
    assert answer.status_code == 200
    assert "Où êtes-vous ?" in answer.text
    assert names(answer) == []
    assert "Données de démonstration" in answer.text
    assert answer.headers["cache-control"] == "public, max-age=60"


@pytest.mark.parametrize("typed", ["Ouestville", "ouestville", "ouestvile", "99001", "OUESTVILLE 99100"])
def test_a_commune_typed_roughly_lists_the_soonest_first(client, typed):
    answer = client.get("/", params={"ou": typed})
    assert names(answer) == [
        "Espace fictif de l'Ouest",
        "Atelier fictif payant",
        "Relais fictif muet",
        "Voisin fictif",
    ]


def test_each_site_says_why_in_words_and_rings_in_one_tap(client):
    answer = client.get("/?ou=Ouestville")
    assert "2 min en voiture · gratuit · accepte le Pass Numérique · ouvert jusqu'à 12 h" in text(answer)
    assert "5 min en voiture · payant · ouvre samedi à 10 h" in text(answer)
    assert "17 min en voiture · prix inconnu · horaires inconnus" in text(answer).replace("\xa0", " ")
    assert 'href="tel:+33553990001"' in answer.text
    assert re.search(r'href="geo:[\d.]+,[\d.]+\?q=', answer.text)
    assert 'href="https://www.openstreetmap.org/directions?to=' in answer.text
    assert 'href="https://rdv.exemple.fr/"' in answer.text
    assert "Téléphone inconnu" in answer.text


def test_a_site_across_the_border_is_among_the_answers_and_marked(client):
    answer = client.get("/?ou=Estbourg")
    assert names(answer)[0] == "Voisin fictif"
    assert "hors du département" in answer.text


def test_a_position_is_answered_and_never_cached(client):
    near = client.get("/", params={"ou": "Ouestville"})
    place = snapshot().territory.communes[0].town_hall
    answer = client.get("/", params={"pos": f"{place.y:.6f},{place.x:.6f}"})
    assert names(answer) == names(near)
    assert answer.headers["cache-control"] == "private, no-cache"
    assert f"{place.y:.3f},{place.x:.3f}" in answer.text.replace("%2C", ",")
    assert f"{place.y:.6f}" not in answer.text


def test_an_unknown_or_distant_place_gets_an_explanation_and_advice(client):
    unknown = client.get("/", params={"ou": "zzzzqqq"})
    assert "Nous n'avons pas trouvé « zzzzqqq »" in text(unknown)
    assert unknown.status_code == 200
    assert "trop loin" in text(client.get("/?pos=0,0"))
    assert names(unknown) == []


def test_another_meaning_of_what_was_typed_is_one_tap_away(client):
    answer = client.get("/?ou=Ouestvile")
    chosen = client.get("/?ou=ailleurs&lieu=commune-99004")
    assert names(chosen)[0] == "Voisin fictif"
    assert answer.status_code == 200


# ---- Wishes


def test_certain_matches_come_first_and_possible_ones_apart(client):
    answer = client.get("/?ou=Ouestville&prix=gratuit")
    assert names(answer) == ["Espace fictif de l'Ouest", "Voisin fictif", "Relais fictif muet"]
    assert "À vérifier par téléphone" in answer.text
    assert "À demander en appelant : le prix." in text(answer)


def test_open_now_shows_unknown_hours_as_unknown(client):
    answer = client.get("/?ou=Ouestville&quand=maintenant")
    assert names(answer) == ["Espace fictif de l'Ouest", "Voisin fictif", "Relais fictif muet"]
    assert "À demander en appelant : les horaires." in text(answer)
    saturday = client.get("/?ou=Ouestville&quand=samedi")
    assert names(saturday)[0] == "Atelier fictif payant"


def test_when_nothing_fits_the_page_says_why_and_offers_what_nearly_does(client):
    answer = client.get("/?ou=Ouestville&besoin=materiel&prix=gratuit")
    shown = text(answer)
    assert "Aucun lieu ne convient" in shown
    assert "le besoin" in shown
    assert "3 lieux sans ce choix" in shown
    assert names(answer)[0] == "Espace fictif de l'Ouest"
    assert "Ne convient pas pour : le besoin." in shown


def test_each_wish_is_shown_and_can_be_taken_away(client):
    answer = client.get("/?ou=Ouestville&prix=gratuit&quand=samedi&mots=fictif")
    links = re.findall(r'<section class="chosen".*?</section>', answer.text, re.DOTALL)[0]
    found = [html.unescape(h) for h in re.findall(r'href="([^"]+)"', links)]
    assert found == [
        "/?ou=Ouestville&prix=gratuit&mots=fictif",
        "/?ou=Ouestville&quand=samedi&mots=fictif",
        "/?ou=Ouestville&quand=samedi&prix=gratuit",
    ]


def test_wishes_without_a_place_list_by_commune_then_name(client):
    found = ["Espace fictif de l'Ouest", "Voisin fictif", "Relais fictif muet"]
    assert names(client.get("/?prix=gratuit")) == found


def test_an_unknown_choice_is_reported(client):
    answer = client.get("/?ou=Ouestville&prix=offert")
    assert "« offert » n'est pas un choix possible de « prix »" in text(answer)
    assert len(names(answer)) == 4


def test_more_sites_are_one_link_away():
    many = [site(str(n), 5 + n / 10, nom=f"Lieu fictif {n:02}") for n in range(25)]
    with serving(snapshot(*many)) as client:
        first = client.get("/?ou=Ouestville")
        assert len(names(first)) == 10
        more = html.unescape(re.findall(r'class="more" href="([^"#]+)', first.text)[0])
        assert len(names(client.get(more))) == 25


# ---- Another language


def test_the_same_page_in_english_keeps_its_state(client):
    french = client.get("/?ou=Ouestville&prix=gratuit")
    assert 'href="/?ou=Ouestville&amp;prix=gratuit&amp;lang=en"' in french.text
    english = client.get("/?ou=Ouestville&prix=gratuit&lang=en")
    assert '<html lang="en">' in english.text
    assert "Where are you?" in english.text
    assert "2 min by car · free" in text(english)
    assert "open until 12" in text(english)
    assert "Où êtes-vous" not in english.text


# ---- State of the data


def test_old_data_are_never_shown_as_fresh():
    keeper = HandKeeper(snapshot(*SITES), age=timedelta(hours=3), database_ok=False)
    with serving(keeper) as client:
        assert "vieux de 3 heures" in text(client.get("/?ou=Ouestville"))


@pytest.mark.parametrize("path", ["/", "/?ou=Ouestville", "/accessibilite", "/hors-ligne"])
def test_pages_run_no_script_but_files_of_ours(client, path):
    answer = client.get(path)
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)", answer.text)
    assert not re.search(r"\son\w+=|style=", answer.text)
    assert "set-cookie" not in answer.headers


def test_assets_are_cached_permanently_under_addresses_that_change_with_them(client):
    page = client.get("/").text
    for address in set(re.findall(r'"(/static/pages/[^"]+)"', page)):
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["cache-control"]
    assert client.get("/static/pages/find.js").headers["cache-control"] == "no-cache"


def test_it_can_be_installed(client):
    manifest = client.get("/manifest.webmanifest").json()
    for icon in manifest["icons"]:
        assert client.get(icon["src"]).headers["content-type"].startswith("image/")
    worker = client.get("/service-worker.js")
    assert worker.headers["cache-control"] == "no-cache"
    assert "%FILES%" not in worker.text
    for address in (
        re.findall(r"const FILES = (\[.*?\]);", worker.text)[0].strip("[]").replace('"', "").split(",")
    ):
        assert client.get(address).status_code == 200, address


def test_the_statement_says_whom_to_write_to():
    with serving(snapshot(), contact="equipe@exemple.fr") as client:
        assert 'href="mailto:equipe@exemple.fr"' in client.get("/accessibilite").text


# ---- Appointments, itinerant sites, remarks


def test_a_site_by_appointment_only_says_so_on_its_card_and_page():
    booked = site(
        "booked",
        6,
        nom="Permanence fictive",
        horaires="Mo-Fr 09:00-12:00",
        sur_rendez_vous=True,
        remarques_horaires=("UNIQUEMENT SUR RENDEZ-VOUS",),
    )
    with serving(snapshot(booked)) as client:
        app: Any = client.app
        app.state.service.current().view.clock = lambda: NOW
        for address in ("/?ou=Ouestville", f"/lieux/{booked.id}"):
            shown = text(client.get(address))
            assert "sur rendez-vous" in shown.lower()
            assert "Le lieu a écrit : « UNIQUEMENT SUR RENDEZ-VOUS »" in shown
            assert "ouvre " not in shown and "ouvert jusqu" not in shown


def test_all_numbers_of_a_site_are_shown_with_their_remarks_and_can_be_called():
    where = site(
        "many",
        6,
        telephone="+33553990001",
        telephone_remarque="poste 12",
        autres_telephones=("+33800123456 (gratuit)", "3939", "+33553990009 (fax)", "+33553990001", "3939"),
    )
    with serving(snapshot(where)) as client:
        page = client.get(f"/lieux/{where.id}")
    shown = text(page)
    assert "poste 12" in shown and "0 800 12 34 56 (gratuit)" in shown.replace("\u00a0", " ")
    assert "39 39" in shown and "05 53 99 00 09 (fax)" in shown
    assert re.findall(r'href="tel:([^"]+)"', page.text) == ["+33553990001", "0800123456", "3939"]
    assert "tel:+33553990009" not in page.text


def test_a_site_with_only_a_fax_has_no_number_to_call():
    where = site("fax", 6, telephone="", autres_telephones=("+33553990009 (fax)",))
    with serving(snapshot(where)) as client:
        page = client.get(f"/lieux/{where.id}")
    assert "Téléphone inconnu" in text(page) and "05 53 99 00 09 (fax)" in text(page)
    assert "tel:" not in page.text


def test_an_itinerant_site_shows_its_next_stop_or_that_one_must_ask_where():
    stop = ItinerantStop("Halle fictive", "Th", "14:00-16:00")
    hours = "Mo-Fr 09:00-17:00"
    known = site("known", 6, horaires=hours, itinerance=("Itinérant",), arrets=(stop,))
    unknown = site("unknown", 7, horaires=hours, itinerance=("Itinérant",))
    with serving(snapshot(known, unknown)) as client:
        app: Any = client.app
        app.state.service.current().view.clock = lambda: NOW
        shown = text(client.get("/?ou=Ouestville")).replace("\u00a0", " ")
        page = text(client.get(f"/lieux/{unknown.id}"))
    assert "ouvre aujourd'hui à 14 h (Halle fictive)" in shown
    assert "ouvert jusqu'à 17 h (lieu itinérant : demandez où)" in shown
    assert "Ce lieu est itinérant" in page and "Prochains passages" not in page


def test_announced_closures_and_unread_hours_are_shown_with_the_hours():
    where = site("a", 6, horaires="Mo-Th 09:00-12:00; Fr le matin", fermetures=("Aug", "2020 Jan 02"))
    with serving(snapshot(where)) as client:
        shown = text(client.get(f"/lieux/{where.id}"))
    assert "Fermé en août" in shown and "2020" not in shown
    assert "Le lieu a écrit : « Fr le matin »" in shown
