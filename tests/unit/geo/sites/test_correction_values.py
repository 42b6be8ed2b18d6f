"""Values of corrections, read as an import would read them; and what the sources say of them later."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from geo.sites.correction_values import WantedValues, field_named, parse_values
from geo.sites.corrections import (
    _FIELDS_OF_FLAG,
    Correction,
    State,
    companions,
    corrected,
    source_changes,
    states,
)
from geo.sites.findings import CATALOGUE
from geo.sites.location_evidence import AddressMatch
from geo.sites.model import ItinerantStop, Position
from tests.support.world import TERRITORY, at, site

TODAY = date(2026, 11, 29)


def parse(subject, addresses=None, **values: str):
    (parsed,) = parse_values(
        [WantedValues(subject, values, dict.fromkeys(values, 7))],
        territory=TERRITORY,
        today=TODAY,
        addresses=addresses,
    )
    return parsed


def read(subject, addresses=None, **values: str):
    parsed = parse(subject, addresses, **values)
    assert parsed.issues == ()
    return dict(parsed.values)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("nom", "  Espace du bourg ", "Espace du bourg"),
        ("horaires", "lundi 9h-12h", "lundi 9h-12h"),
        ("courriels", "a@exemple.fr | b@exemple.fr", ("a@exemple.fr", "b@exemple.fr")),
        ("site_web", "exemple.fr", ("https://exemple.fr",)),
        ("prise_rdv", "https://exemple.fr/rdv", "https://exemple.fr/rdv"),
        ("services", "aide aux demarches administratives", ("Aide aux démarches administratives",)),
        ("frais_a_charge", "Payant", ("Payant",)),
        ("pass_numerique", "oui", True),
        ("membre_reseau", "non", False),
        ("acces_fauteuil", "true", True),
        ("sur_rendez_vous", "1", True),
        ("fermetures", "Aug 01-15|2026 Dec 24", ("Aug 01-15", "2026 Dec 24")),
        ("fermetures", "en août", ("Aug",)),
        ("arrets", "Halle @ Tu 09:00-12:00", (ItinerantStop("Halle", "Tu", "09:00-12:00"),)),
        ("remarques_horaires", "Sonnez deux fois", ("Sonnez deux fois",)),
        ("date_maj", "2026-10-01", date(2026, 10, 1)),
        ("structure_parente", "CCAS fictif", "CCAS fictif"),
    ],
)
def test_a_value_is_read_as_the_cell_of_an_import(field, text, value):
    assert read(site("a", 5), **{field: text}) == {field: value}


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("telephone", "12", "telephone_invalide"),
        ("telephone", "fax 05 53 00 00 01", "valeur_illisible"),
        ("horaires", "sur demande", "horaires_illisibles"),
        ("courriels", "bonjour", "courriel_invalide"),
        ("site_web", "javascript:alert(1)", "url_refusee"),
        ("services", "Coiffure", "valeur_inconnue"),
        ("pass_numerique", "peut-être", "valeur_inconnue"),
        ("arrets", "Halle mardi", "arret_illisible"),
        ("fermetures", "de temps en temps", "fermeture_illisible"),
        ("pivot", "123", "pivot_invalide"),
        ("date_maj", "2126-01-01", "date_inconnue"),
        ("presentation_resume", "x" * 281, "resume_raccourci"),
        ("commune", "Nulle-Part", "commune_inconnue"),
        ("latitude", "91", "coordonnees_invalides"),
        ("position", "exacte", "champ_refuse"),
    ],
)
def test_a_value_that_no_import_would_keep_is_refused_with_its_line(field, text, code):
    parsed = parse(site("a", 5), **{field: text})
    assert [(each.line, each.field, each.code) for each in parsed.issues] == [(7, field, code)]
    assert parsed.values == {} and parsed.issues[0].reason and parsed.issues[0].advice


@pytest.mark.parametrize(
    "field", ["telephone", "horaires", "services", "adresse", "date_maj", "acces_fauteuil"]
)
def test_any_value_but_name_and_commune_may_be_unknown(field):
    subject = site("a", 5, telephone="+33553000001", horaires="Mo 09:00-12:00", acces_fauteuil=True)
    assert not read(subject, **{field: ""})[field]


@pytest.mark.parametrize("field", ["nom", "commune", "code_insee", "code_postal"])
def test_name_and_commune_are_never_unknown(field):
    assert [each.code for each in parse(site("a", 5), **{field: ""}).issues] == ["champ_refuse"]


def test_several_wrong_values_are_all_reported():
    parsed = parse(site("a", 5), telephone="12", courriels="non", nom="Bon")
    assert [each.field for each in parsed.issues] == ["telephone", "courriels"]


def test_a_new_number_takes_the_remark_about_the_old_one_away():
    subject = site("a", 5, telephone="+33553000001", telephone_remarque="accueil")
    assert read(subject, telephone="05 53 00 00 02") == {
        "telephone": "+33553000002",
        "telephone_remarque": "",
    }
    found = read(subject, telephone="05 53 00 00 02 (secrétariat) / 05 53 00 00 03")
    assert (found["telephone_remarque"], found["autres_telephones"]) == ("secrétariat", ("+33553000003",))


@pytest.mark.parametrize("given", [{"commune": "Deux-Étangs"}, {"code_insee": "99002"}])
def test_a_new_commune_sets_its_name_and_codes_and_places_the_site_again(given):
    found = read(site("a", 2), **given)
    assert (found["commune"], found["code_insee"], found["code_postal"]) == ("Deux-Étangs", "99002", "99100")
    hall = at(15)
    assert (found["longitude"], found["latitude"]) == pytest.approx((hall.x, hall.y))
    assert found["position"] is Position.APPROXIMATIVE


def test_a_commune_named_by_a_person_outweighs_the_name_and_the_point_of_the_site():
    subject = site("a", 5, nom="Mairie de Ouestville", adresse="1 place 99100 Ouestville")
    assert read(subject, commune="Estbourg")["code_insee"] == "99004"
    assert read(subject, code_insee="99004")["commune"] == "Estbourg"
    assert parse(subject, commune="Estbourg", code_insee="99002").issues[0].code == "commune_discordante"


def test_a_point_that_suits_the_new_commune_stays():
    found = read(site("a", 10.2), commune="Deux-Étangs")
    assert found == {"commune": "Deux-Étangs", "code_insee": "99002", "code_postal": "99100"}


def test_coordinates_place_the_site_exactly():
    point = at(6)
    subject = replace(site("a", 5), position=Position.APPROXIMATIVE)
    found = read(subject, latitude=str(point.y), longitude=str(point.x))
    assert (found["longitude"], found["latitude"]) == pytest.approx((point.x, point.y))
    assert found["position"] is Position.EXACTE


def test_coordinates_far_from_the_commune_are_refused():
    point = at(35)
    parsed = parse(site("a", 5), latitude=str(point.y), longitude=str(point.x))
    assert [each.code for each in parsed.issues] == ["hors_commune"]


class OneAddress:
    """An address base that knows one number of 99001."""

    def locate(self, address, communes):
        if address != "4 rue Neuve" or "99001" not in communes:
            return []
        point = at(6)
        return [AddressMatch("99001", point.x, point.y, Position.ADRESSE, "4 rue Neuve 99100 Ouestville")]


def test_a_new_address_is_looked_up_and_the_point_stays_where_it_is_not_found():
    subject = site("a", 5)
    found = read(subject, OneAddress(), adresse="4 rue Neuve")
    assert found["longitude"] == pytest.approx(at(6).x) and found["position"] is Position.ADRESSE
    assert read(subject, OneAddress(), adresse="9 chemin Perdu") == {"adresse": "9 chemin Perdu"}


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("telephone", "telephone"),
        (" Téléphone ", "telephone"),
        ("ext_pass_numerique", "pass_numerique"),
        ("Pass numérique", "pass_numerique"),
        ("code postal", "code_postal"),
        ("couleur", None),
        ("id", None),
        ("source", None),
        ("fictif", None),
        ("ext_jeu_de_donnees", None),
        ("signalements", None),
        ("statut", None),
    ],
)
def test_fields_are_named_in_any_case_with_or_without_prefix(name, field):
    assert field_named(name) == field


def correction(number: int, **changes):
    made = Correction(
        "essai--a", "telephone", "+33553000009", "clerc", TODAY, "appel", None, "+33553000001", id=number
    )
    return replace(made, **changes)


def test_a_correction_is_in_force_from_its_first_to_its_last_day():
    last = date(2026, 12, 3)
    made = correction(1, until=last)
    days = {date(2026, 11, 28): State.TO_COME, TODAY: State.IN_FORCE, last: State.IN_FORCE}
    days[date(2026, 12, 4)] = State.PAST
    assert {day: states([made], day)[1] for day in days} == days
    ended = replace(made, ended_at=datetime(2026, 11, 30, tzinfo=UTC))
    assert states([ended], TODAY)[1] is State.ENDED


def test_the_later_of_two_corrections_covers_the_other():
    assert states([correction(1), correction(2)], TODAY) == {1: State.COVERED, 2: State.IN_FORCE}


@pytest.mark.parametrize(
    ("now", "expected", "agrees"),
    [
        ("+33553000001", [], None),
        ("+33553000005", ["+33553000005"], False),
        ("", [""], False),
        ("+33553000009", ["+33553000009"], True),
    ],
)
def test_a_field_that_the_sources_changed_since_is_reported(now, expected, agrees):
    pooled = {"essai--a": site("a", 5, telephone=now)}
    found = source_changes([correction(1)], pooled, TODAY)
    assert [each.value for each in found] == expected
    assert all(each.agrees is agrees for each in found)


def test_nothing_is_reported_of_a_correction_that_is_not_in_force_nor_of_a_site_without_sources():
    pooled = {"essai--a": site("a", 5, telephone="+33553000005")}
    over = correction(1, day=date(2026, 1, 1), until=date(2026, 1, 31))
    assert source_changes([over], pooled, TODAY) == []
    assert source_changes([correction(1)], {}, TODAY) == []
    assert source_changes([correction(1, field="statut", value="ferme")], pooled, TODAY) == []


def test_corrections_made_together_end_together():
    remark = correction(2, field="telephone_remarque")
    other_reason = correction(3, field="telephone_remarque", reason="autre")
    other_field = correction(4, field="horaires")
    ended = correction(5, field="autres_telephones", ended_at=datetime(2026, 11, 30, tzinfo=UTC))
    every = [correction(1), remark, other_reason, other_field, ended]
    assert companions(every[0], every) == [remark]
    assert companions(other_field, every) == []


@pytest.mark.parametrize(
    ("flags", "field", "value", "left"),
    [
        (
            ("horaires_illisibles", "telephone_invalide"),
            "horaires",
            "Mo 09:00-12:00",
            ("telephone_invalide",),
        ),
        (("telephone_invalide",), "telephone", "", ()),
        (("hors_commune",), "position", Position.EXACTE, ()),
        (("hors_commune",), "position", Position.APPROXIMATIVE, ("position_approximative",)),
        (("commune_deduite", "inconnu_ici"), "commune", "Deux-Étangs", ("inconnu_ici",)),
        (("horaires_illisibles",), "nom", "Autre nom", ("horaires_illisibles",)),
    ],
)
def test_flags_about_a_corrected_value_are_not_shown(flags, field, value, left):
    subject = site("a", 5, signalements=flags)
    assert corrected(subject, {field: correction(1, field=field, value=value)}).signalements == left


def test_every_flag_about_a_value_is_one_of_validation():
    assert set(_FIELDS_OF_FLAG) <= set(CATALOGUE)
