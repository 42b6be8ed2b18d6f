"""Two records of several sources: one place, a question, or two places."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from geo.sites import matching_rules
from geo.sites.matching_records import Verdict, clusters
from geo.sites.model import Position
from tests.support.matching import PRIVATE_SIRET, PUBLIC_SIRET, listed, matched, one, verdict
from tests.support.world import at

LONG_ID = "62ab1ec28255a806e299c94a"


# --- one door


def test_one_place_in_two_lists_merges_with_its_reasons():
    (match,) = matched(
        one("a", pivot=PUBLIC_SIRET, telephone="+33500000000"),
        one("b", 5.03, nom="Médiathèque le Moulin fictif", pivot=PUBLIC_SIRET, telephone="+33500000000"),
    )
    assert (match.a, match.b, match.verdict) == ("jeu-a--a@source a", "jeu-b--b@source b", Verdict.SAME)
    assert match.reasons == ("même nom", "même adresse", "à 30\u00a0m", "même SIRET", "même téléphone")
    assert match.score == 100


def test_a_town_hall_its_community_and_its_programmes_at_one_address_are_one_site():
    names = ("Mairie de Ouestville", "CC du Val Fictif", "Point Info 14", "France services", "CCAS")
    records = [one(str(n), nom=name, adresse="1 place du Marché") for n, name in enumerate(names)]
    assert clusters(matched(*records)) == [frozenset(r.key for r in records)]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Bibliothèque", "Mairie"),
        ("La Poste", "Mairie"),
        ("Mission locale", "Maison des solidarités"),
        ("Maison des solidarités", "Maison départementale des personnes handicapées"),
    ],
)
def test_two_services_in_one_building_stay_apart(a, b):
    place: dict[str, Any] = {"adresse": "1 place du Marché", "pivot": PUBLIC_SIRET}
    assert verdict(one("a", nom=a, **place), one("b", nom=b, **place)) == "apart"


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("France services", "Mission locale du Val"),
        ("Mairie", "Mairie annexe"),
        ("Bus France services du Val", "CC du Val"),
        ("Mairie", "Association du Val fictif"),
        ("Le Pixel", "France services"),
        ("Mairie de Nordville", "Mairie de Sudville"),
        ("24400054300011", "Conseiller numérique"),
    ],
)
def test_names_that_may_share_a_door_are_a_question(a, b):
    assert verdict(one("a", nom=a), one("b", nom=b)) == "question"


def test_the_complement_that_names_the_host_makes_it_certain():
    host = one("a", nom="Mission locale du Val")
    guest = one("b", nom="France services", complement_adresse="Mission locale")
    assert verdict(host, guest) == "same"
    assert verdict(host, replace(guest, complement_adresse="Centre Exemple")) == "question"


def test_two_floors_of_one_building_are_a_question():
    a, b = one("a", nom="Mairie", complement_adresse="1er étage"), one("b", nom="CCAS")
    assert verdict(a, b) == verdict(a, replace(b, complement_adresse="1er étage")) == "same"
    assert verdict(a, replace(b, complement_adresse="2e étage")) == "question"


@pytest.mark.parametrize(
    ("siret", "expected"), [(PRIVATE_SIRET, "same"), (PUBLIC_SIRET, "question"), ("0" * 14, "question")]
)
def test_a_siret_and_an_address_join_two_names_of_an_establishment(siret, expected):
    """The SIRET of a public body covers several places; that of an association is one establishment."""
    assert verdict(one("a", nom="Le Pixel", pivot=siret), one("b", nom="Una Fictif", pivot=siret)) == expected


def test_one_siret_for_several_places_of_a_commune_is_not_enough():
    town_hall = one("a", nom="Mairie", adresse="1 place du Marché", pivot=PUBLIC_SIRET)
    for name in ("Bibliothèque Exemple", "CCAS", "Espace numérique"):
        other = one("b", 5.6, nom=name, adresse="8 chemin du Lavoir", pivot=PUBLIC_SIRET)
        assert verdict(town_hall, other) == "apart"


@pytest.mark.parametrize("other", ["+33500000000", "+33500000000 (accueil)"])
def test_a_second_telephone_number_counts_without_its_remark(other):
    a, b = one("a", telephone="+33500000000"), one("b", autres_telephones=("+33500000009", other))
    assert "même téléphone" in matched(a, b)[0].reasons
    assert "même téléphone" not in matched(a, replace(b, autres_telephones=("+33500000009",)))[0].reasons


@pytest.mark.parametrize(
    ("email", "website", "shared"),
    [
        ("accueil@exemple.fr", "https://www.exemple.fr/france-services", True),
        ("accueil@gmail.com", "https://gmail.com", False),
        ("exemple@france-services.gouv.fr", "https://france-services.gouv.fr/exemple", False),
        ("accueil@exemple.fr", "https://autre.fr", False),
    ],
)
def test_one_internet_domain_is_evidence_unless_it_is_of_many(email, website, shared):
    (match,) = matched(one("a", courriels=(email,)), one("b", site_web=(website,)))
    assert ("même domaine internet" in match.reasons) is shared


# --- addresses and points


@pytest.mark.parametrize(("x_km", "expected"), [(5.25, "same"), (5.26, "question")])
def test_one_address_at_two_points_is_doubted_beyond_250_metres(x_km, expected):
    assert matching_rules.ONE_ADDRESS_M == 250
    assert verdict(one("a"), one("b", x_km - 0.001)) == expected


@pytest.mark.parametrize(("metres", "expected"), [(14, "same"), (16, "question")])
def test_without_house_numbers_one_point_is_needed(metres, expected):
    assert matching_rules.SAME_POINT_M == 15
    a = one("a", nom="Mairie", adresse="place du Marché")
    b = one("b", 5 + metres / 1_000, nom="France services", adresse="Pl. du Marché")
    assert verdict(a, b) == expected


@pytest.mark.parametrize(("metres", "expected"), [(59, "same"), (61, "question")])
def test_one_name_on_one_square_is_one_place(metres, expected):
    assert matching_rules.SAME_SQUARE_M == 60
    a = one("a", nom="La Poste", adresse="place du Marché")
    b = one("b", 5 + metres / 1_000, nom="Bureau de poste", adresse="4 place du Marché")
    assert verdict(a, b) == expected


def test_the_centre_of_a_village_is_no_door():
    a, b = one("a", nom="Mairie", adresse="Le Bourg"), one("b", nom="France services", adresse="Le Bourg")
    assert verdict(a, b) == "question"
    assert verdict(a, replace(b, nom="Mairie de Ouestville")) == "same"


@pytest.mark.parametrize("other", ["14 rue des Lilas", "12bis rue des Lilas", "12 avenue du Moulin"])
def test_one_point_with_two_addresses_never_merges_by_itself(other):
    assert verdict(one("a"), one("b", adresse=other)) == "question"


def test_neighbours_in_a_street_stay_apart():
    assert (
        verdict(
            one("a", nom="France services", adresse="26 rue Royale"),
            one("b", 5.03, nom="Mairie", adresse="49 rue Royale"),
        )
        == "apart"
    )


def test_records_placed_at_the_town_hall_are_not_at_one_point():
    here: dict[str, Any] = {"adresse": "", "nom": "Mairie"}
    a, b = one("a", **here), one("b", **here)
    assert verdict(a, b) == "same"
    hall: dict[str, Any] = {"position": Position.APPROXIMATIVE}
    assert verdict(replace(a, **hall), replace(b, **hall)) == "apart"
    assert verdict(a, replace(b, **hall)) == "apart"
    assert verdict(a, replace(b, position=Position.RUE)) == "apart"
    assert verdict(a, replace(b, position=Position.ADRESSE)) == "same"


def test_an_address_suffices_where_a_point_is_the_town_hall():
    hall = replace(one("b", 9), position=Position.APPROXIMATIVE)
    assert verdict(one("a"), hall) == "same"


def test_former_communes_have_a_square_of_the_town_hall_each():
    unlocated = {"nom": "Mairie", "adresse": "1 place de la Mairie"}
    a, b = one("a", None, code_postal="99100", **unlocated), one("b", None, code_postal="99110", **unlocated)
    assert verdict(a, b) == "question"
    assert verdict(a, replace(b, code_postal="99100")) == "same"


def test_records_of_two_communes_are_never_matched():
    assert verdict(one("a", 9.99), replace(one("b", 10.01), code_insee="99002")) == "apart"


def test_the_same_usual_name_at_two_ends_of_a_commune_stays_apart():
    for name in ("France services", "La Poste", "Maison des solidarités"):
        assert (
            verdict(
                one("a", 2, nom=name, adresse="2 rue du Nord"),
                one("b", 8, nom=name, adresse="9 avenue du Sud"),
            )
            == "apart"
        )


@pytest.mark.parametrize(("metres", "expected"), [(110, "question"), (112, "apart")])
def test_one_service_a_few_steps_away_is_a_question(metres, expected):
    a = one("a", nom="La Poste", adresse="place du 8 mai")
    assert verdict(a, one("b", 5 + metres / 1_000, nom="Bureau de poste", adresse="6 rue Neuve")) == expected


# --- without commune


def adrift(local_id, **changes):
    return replace(one(local_id, None, **changes), code_insee="", commune="", code_postal="99100")


def test_without_commune_an_address_needs_a_name_of_its_own_or_a_contact():
    known = one("a", nom="Mairie", adresse="1 place du Marché", code_postal="99100", telephone="+33500000000")
    unknown = adrift("b", nom="Mairie", adresse="1 place du Marché")
    assert verdict(known, unknown) == "question", "each commune of the postal code has its own"
    assert verdict(known, replace(unknown, telephone="+33500000000")) == "same"
    library = one("a", code_postal="99100")
    assert verdict(library, adrift("b")) == "same"
    assert verdict(library, replace(adrift("b"), code_postal="99200")) == "apart"


# --- identifiers


@pytest.mark.parametrize(
    ("id_a", "id_b"),
    [
        (LONG_ID, LONG_ID),
        (LONG_ID, f"Conseiller-Numerique_{LONG_ID.upper()}"),
        ("8c8a4c6e-0000-4000-8000-0123456789ab", "coop--8c8a4c6e-0000-4000-8000-0123456789ab"),
    ],
)
def test_one_long_identifier_is_one_place(id_a, id_b):
    a = one(id_a, jeu_de_donnees="jeu-a", adresse="2 rue du Nord")
    b = one(id_b, 5.4, jeu_de_donnees="jeu-b", adresse="9 rue du Sud")
    assert verdict(a, b) == "same"


@pytest.mark.parametrize(
    "changes",
    [
        {"nom": "Mairie"},
        {"code_insee": "99002"},
        {"nom": "Médiathèque annexe du Moulin fictif"},
        {"latitude": at(5, 6.5).y},
    ],
)
def test_a_long_identifier_given_to_another_place_is_a_question(changes):
    a = one(LONG_ID, jeu_de_donnees="jeu-a", adresse="2 rue du Nord")
    b = one(LONG_ID, 5.4, jeu_de_donnees="jeu-b", adresse="9 rue du Sud", **changes)
    assert verdict(a, b) == "question"


@pytest.mark.parametrize("id_b", ["268", "France-Services_268", "france-services--268"])
def test_a_short_identifier_counts_within_its_source(id_b):
    listed_first = one("268", jeu_de_donnees="france-services", source="ANCT", nom="France services")
    again = one(
        id_b, 5.1, jeu_de_donnees="autre", source="france-services", nom="MSAP", adresse="3 rue Neuve"
    )
    assert verdict(listed_first, again) == "same"


@pytest.mark.parametrize(
    "changes",
    [
        {"source": "dora"},
        {"nom": "Mission locale", "adresse": "9 rue du Sud", "source": "dora"},
        {"code_insee": "99002", "nom": "Mission locale"},
    ],
)
def test_a_short_identifier_of_another_source_is_chance(changes):
    listed_first = one("268", 2, jeu_de_donnees="france-services", source="ANCT", nom="France services")
    other = one(
        "268",
        8,
        **{
            "jeu_de_donnees": "autre",
            "source": "ANCT",
            "nom": "France services",
            "adresse": "9 rue du Sud",
            **changes,
        },
    )
    assert verdict(listed_first, other) == "apart"


# --- one list


def test_one_list_rarely_gives_a_place_twice():
    assert verdict(listed("a"), listed("b")) == "question"
    assert verdict(listed("a"), one("b")) == "same"
    assert verdict(listed("a", nom="Mairie"), listed("b", nom="CCAS")) == "question"
    assert verdict(listed("a", nom="France services"), listed("b", nom="Mission locale")) == "apart"


CONTACT: dict[str, Any] = {"telephone": "+33500000000", "courriels": ("accueil@exemple.fr",)}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "same"),
        ({"telephone": "+33500000009"}, "question"),
        ({"courriels": ()}, "question"),
        ({"nom": "Médiathèque du Moulin"}, "question"),
        ({"adresse": "12 rue Lilas bleus"}, "question"),
        ({"pivot": PRIVATE_SIRET}, "question"),
    ],
)
def test_a_list_repeats_a_place_when_name_address_and_contacts_agree(change, expected):
    assert verdict(listed("a", **CONTACT), listed("b", **{**CONTACT, **change})) == expected


def test_two_exports_of_one_source_are_one_list():
    """A copy of a list repeats what the list says: two identifiers are two places."""
    a = one("a", jeu_de_donnees="jeu-a", source="Conseiller-numérique")
    b = one("b", jeu_de_donnees="jeu-b", source="conseiller numerique")
    assert verdict(a, b) == "question"
    assert verdict(a, replace(b, source="dora")) == "same"
