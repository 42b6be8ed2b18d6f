"""Each format is recognised by its content and translated to the fields of the standard."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.sites import standard
from geo.sites.model import Severity
from geo.sites.readers.aidants_connect import split_address
from geo.sites.readers.data_inclusion import services_of
from geo.sites.readers.vintage import date_in_name
from tests.support.source_files import collection, csv_of, feature, source

DAYS = ("h_lundi", "h_mardi", "h_mercredi", "h_jeudi", "h_vendredi", "h_samedi")
MORNING, BOTH = "09:00 - 12:00", "09:00 - 12:00 / 14:00 - 17:00"

FS_2022 = {
    "id_fs": "9001",
    "insee_dep": "47",
    "lib_fs": "France services fictive",
    "adresse": "1 rue Fictive",
    "complement_adresse": "",
    "insee_com": "47901",
    "code_postal": "47900",
    "lib_com": "Aubefeuille",
    "latitude": "44.1",
    "longitude": "0.5",
    "mail": "fictif@exemple.fr",
    "telephone": "05 00 00 00 00",
    **dict.fromkeys(DAYS, ""),
    "h_lundi": MORNING,
    "commentaire": "Fictif.",
    "itinerance": "Oui",
    "format_fs": "Site principal",
    "groupe": "Fictif",
    "labellisation": "Espace labellisé 01/01/2020",
}
FS_2024 = {
    **{
        name: value
        for name, value in FS_2022.items()
        if name not in ("itinerance", "groupe", "labellisation")
    },
    "prise_rdv": "Oui",
    "type_fs": "Principal",
    "format_fs": "Fixe",
    "groupe_fs": "",
    "labellisation_fs": "Espace labellisé 01/01/2020",
}
FS_2020 = {
    "MATRICULE": 9001,
    "lib_france_services": "Fictive ",
    "ADRESSE": "1 rue Fictive",
    "COMPLEMENT.D.ADRESSE": "",
    "insee_com": "47901",
    "code_postal": "47900",
    "lib_com": "AUBEFEUILLE",
    "CONTACT.MAIL": "a@exemple.fr ; b@exemple.fr",
    "TELEPHONE": "05 00 00 00 00",
    **dict.fromkeys(DAYS, "-"),
    "h_lundi": "9:00 - 12:00 ",
    "Commentaire.horaires": None,
    "ITINERANCE": "",
    "Groupe": "",
    "Labellisation": "Espace labellisé 01/2020",
    "categorie": "FS",
}
CONSEILLER = {
    "id": "fictif-1",
    "nom": "Lieu fictif",
    "services": "Prendre en main un ordinateur;Approfondir ma culture numérique",
    "pivot": "00000000000000",
    "commune": "AUBEFEUILLE",
    "code_postal": "47900",
    "adresse": "1 RUE FICTIVE",
    "latitude": 44.10,
    "longitude": 0.5,
    "conditions_access": "Gratuit : oui",
    "labels_nationaux": "CNFS;Aidants Connect",
    "horaires": "Mo 09:00-12:00",
    "source": "fictif",
    "date_maj": "2026-01-02",
    "structureId": "f00",
    "aidants": [{"nom": "Personne fictive"}],
}
AIDANTS = {
    "Data pass ID": "9\u202f001",
    "Name": "Structure fictive",
    "SIRET": "00\u202f000\u202f000\u202f000\u202f000",
    "Adresse": "1 rue Fictive 01990 Aubefeuille-la-Neuve",
    "Code postal": 1990,
    "commune": "",
    "date_maj": "15/03/2021",
}


# Recognition.


@pytest.mark.parametrize(
    ("data", "known", "dataset"),
    [
        (csv_of(FS_2022), "france-services", "france-services"),
        (csv_of(FS_2024, separator=";"), "france-services", "france-services"),
        (collection(feature(FS_2020)), "france-services", "france-services"),
        ([CONSEILLER], "conseillers-numeriques", "conseillers-numeriques"),
        (
            [{k: v for k, v in CONSEILLER.items() if k != "structureId"}],
            "data-inclusion-lieux",
            "data-inclusion",
        ),
        ([AIDANTS], "aidants-connect", "aidants-connect"),
        (csv_of(dict.fromkeys(standard.FIELDS, "x")), "standard", "mediation-numerique"),
        ([dict.fromkeys(standard.FIELDS, "x")], "standard", "mediation-numerique"),
        (csv_of(dict.fromkeys(sorted(standard.REQUIRED), "x")), "standard", "mediation-numerique"),
        (
            csv_of(dict.fromkeys([*sorted(standard.REQUIRED), "labels_nationaux", "cle_ban"], "x")),
            "standard-v0.1",
            "mediation-numerique",
        ),
    ],
)
@pytest.mark.parametrize("name", ["liste", "france-services.csv", "image.png", "aidants.json"])
def test_a_format_is_known_by_its_content_whatever_its_name(tmp_path, data, known, dataset, name):
    opened = source(tmp_path, data, name)
    assert (opened.format, opened.dataset) == (known, dataset)
    assert len(list(opened.rows())) == 1


def test_the_standard_as_geojson_takes_its_coordinates_from_the_point(tmp_path):
    (row,) = source(tmp_path, collection(feature(dict.fromkeys(standard.REQUIRED, "x")))).rows()
    assert (row.values["longitude"], row.values["latitude"]) == ("0.5", "44.1")


# France services.


@pytest.mark.parametrize(
    ("data", "label"),
    [
        (csv_of(FS_2022), "2022"),
        (csv_of(FS_2024), "2024"),
        (collection(feature(FS_2020)), "2020"),
    ],
)
def test_the_three_shapes_of_france_services_say_the_same_of_a_site(tmp_path, data, label):
    opened = source(tmp_path, data, vintage=date(2024, 8, 1))
    (row,) = opened.rows()
    assert label in opened.label
    told = row.values
    assert told["id"] == "9001"
    assert told["nom"] in ("France services fictive", "France services Fictive")
    assert told["pivot"] == standard.UNKNOWN_PIVOT
    assert (told["latitude"], told["longitude"]) == ("44.1", "0.5")
    assert told["code_insee"] == "47901"
    assert told["horaires"] == "Mo 09:00-12:00"
    assert told["services"] == "Aide aux démarches administratives"
    assert told["dispositif_programmes_nationaux"] == "France Services"
    assert (told["typologie"], told["frais_a_charge"]) == ("RFS", "Gratuit")
    assert told["date_maj"] == "2024-08-01"
    assert "labellisé" in told["autres_formations_labels"]
    assert not row.issues


def test_yes_is_no_address_to_book_at(tmp_path):
    (row,) = source(tmp_path, csv_of(FS_2024)).rows()
    assert "prise_rdv" not in row.values
    assert row.values["presentation_detail"] == "Fictif. Prise de rendez-vous possible."


@pytest.mark.parametrize(
    ("record", "itinerance"),
    [
        (FS_2022, "Itinérant"),
        (FS_2022 | {"itinerance": "Non"}, "Fixe"),
        (FS_2022 | {"itinerance": ""}, ""),
        (FS_2024, "Fixe"),
        (FS_2024 | {"format_fs": "Fixe_antenne(s)"}, "Fixe"),
        (FS_2024 | {"format_fs": "Itinérante"}, "Itinérant"),
        (FS_2024 | {"format_fs": "Bus_équivalent"}, "Itinérant"),
        (FS_2024 | {"format_fs": "Multisites"}, "Itinérant"),
        (FS_2024 | {"format_fs": ""}, ""),
    ],
)
def test_each_layout_has_its_own_values_of_itinerance(tmp_path, record, itinerance):
    (row,) = source(tmp_path, csv_of(record)).rows()
    assert row.values["itinerance"] == itinerance


def test_the_group_of_a_site_is_its_parent(tmp_path):
    (row,) = source(tmp_path, csv_of(FS_2022)).rows()
    assert row.values["structure_parente"] == "Groupe France services Fictif"


def test_several_mails_in_one_cell_are_separated(tmp_path):
    (row,) = source(tmp_path, collection(feature(FS_2020))).rows()
    assert row.values["courriels"] == "a@exemple.fr|b@exemple.fr"


# Dates of lists without dates.


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("liste-fs-20221201.csv", date(2022, 12, 1)),
        ("france-services-47-2024-08.csv", date(2024, 8, 1)),
        ("2024-08-15_liste.csv", date(2024, 8, 15)),
        ("liste_2024_08_15.csv", date(2024, 8, 15)),
        ("liste.csv", None),
        ("liste-2024.csv", None),
        ("20221301.csv", None),
        ("2022-13.csv", None),
        ("22470001300012_liste.csv", None),
        ("liste-2024-08-1.csv", None),
    ],
)
def test_the_date_in_a_file_name(name, day):
    assert date_in_name(name) == day


def test_a_list_dated_by_its_name_says_so_once(tmp_path):
    rows = list(source(tmp_path, csv_of(FS_2022, FS_2022), "fs-20221201.csv").rows())
    assert {row.values["date_maj"] for row in rows} == {"2022-12-01"}
    assert [[i.code for i in row.issues] for row in rows] == [["date_du_fichier"], []]
    assert "1er décembre 2022" in rows[0].issues[0].reason


def test_a_list_dated_by_whoever_imports_it_needs_no_remark(tmp_path):
    (row,) = source(tmp_path, csv_of(FS_2022), "fs-20221201.csv", vintage=date(2023, 1, 1)).rows()
    assert (row.values["date_maj"], row.issues) == ("2023-01-01", ())


def test_no_date_is_invented(tmp_path):
    (row,) = source(tmp_path, csv_of(FS_2022)).rows()
    assert "date_maj" not in row.values


def test_a_record_with_a_date_keeps_it(tmp_path):
    (row,) = source(tmp_path, [CONSEILLER], "2020-01-01.json", vintage=date(2019, 1, 1)).rows()
    assert row.values["date_maj"] == "2026-01-02"


# Conseillers numériques, Aidants Connect.


def test_conseillers_are_translated_from_version_0_1_without_their_people(tmp_path):
    (row,) = source(tmp_path, [CONSEILLER]).rows()
    assert row.line == 1
    assert row.values["services"] == (
        "Maîtrise des outils numériques du quotidien|Compréhension du monde numérique"
    )
    assert row.values["dispositif_programmes_nationaux"] == "Conseillers numériques|Aidants Connect"
    assert row.values["frais_a_charge"] == "Gratuit"
    assert row.values["latitude"] == "44.1"
    assert "Personne" not in str(row)


def test_aidants_connect_is_read_out_of_its_numbers_and_addresses(tmp_path):
    (row,) = source(tmp_path, [AIDANTS]).rows()
    assert row.values["id"] == "9001"
    assert row.values["code_postal"] == "01990"
    assert (row.values["adresse"], row.values["commune"]) == ("1 rue Fictive", "Aubefeuille-la-Neuve")
    assert row.values["services"] == "Aide aux démarches administratives"
    assert "latitude" not in row.values
    assert [i.code for i in row.issues] == ["adresse_separee"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1 rue Fictive 47900 Aubefeuille", ("1 rue Fictive", "47900", "Aubefeuille")),
        ("1, rue Fictive,\n47900  Aubefeuille sur Lot", ("1, rue Fictive", "47900", "Aubefeuille sur Lot")),
        ("1 rue Fictive", ("1 rue Fictive", "", "")),
        ("Mairie\nPlace Fictive", ("Mairie Place Fictive", "", "")),
        ("12345 chemin Fictif", ("12345 chemin Fictif", "", "")),
        ("1 rue Fictive 47900", ("1 rue Fictive 47900", "", "")),
        ("", ("", "", "")),
    ],
)
def test_a_town_is_separated_from_its_street(text, parts):
    assert split_address(text) == parts


# data·inclusion v1.

BASICS = "numerique--maitriser-les-fondamentaux-du-numerique"
ONLINE = "numerique--acceder-a-des-services-en-ligne"
STRUCTURE = {
    "source": "fictif",
    "id": "fictif--1",
    "nom": "Lieu fictif",
    "date_maj": "2026-01-02",
    "commune": "Aubefeuille",
    "code_postal": "47900",
    "adresse": "1 rue Fictive",
    "longitude": 0.5,
    "latitude": 44.1,
    "courriel": "fictif@exemple.fr",
    "accessibilite_lieu": "https://exemple.fr/acces",
    "reseaux_porteurs": ["conseillers-numeriques", "mission-locale"],
}
SERVICE = {
    "source": "fictif",
    "structure_id": "fictif--1",
    "id": "fictif--1",
    "nom": "Service fictif",
    "description": "Ateliers | fictifs",
    "date_maj": "2026-02-03",
    "type": "atelier",
    "thematiques": [ONLINE, BASICS],
    "frais": "gratuit",
    "frais_precisions": "Gratuit sous condition ; Pass numérique accepté",
    "publics": ["seniors", "personnes-en-situation-de-handicap"],
    "publics_precisions": "Seniors, Surdité",
    "modes_accueil": ["en-presentiel", "a-distance"],
    "modes_mobilisation": ["se-presenter", "telephoner"],
    "telephone": "+33500000000",
    "lien_mobilisation": "https://exemple.fr/rdv",
}


def test_a_structure_and_its_services_make_one_record(tmp_path):
    second = SERVICE | {"type": "aide-materielle"}
    opened = source(tmp_path, {"structures": [STRUCTURE], "services": [SERVICE, second]})
    (row,) = opened.rows()
    told = row.values
    assert opened.format == "data-inclusion"
    assert (told["id"], told["pivot"], told["date_maj"]) == (
        "fictif--1",
        standard.UNKNOWN_PIVOT,
        "2026-02-03",
    )
    assert told["services"] == "Maîtrise des outils numériques du quotidien"
    assert told["frais_a_charge"] == "Gratuit sous condition"
    assert told["ext_pass_numerique"] == "true"
    assert told["publics_specifiquement_adresses"] == "Seniors"
    assert told["prise_en_charge_specifique"] == "Surdité"
    assert told["modalites_acces"] == "Se présenter|Téléphoner"
    assert told["modalites_accompagnement"] == "Dans un atelier collectif|En autonomie|À distance"
    assert told["dispositif_programmes_nationaux"] == "Conseillers numériques"
    assert (told["telephone"], told["courriels"]) == ("+33500000000", "fictif@exemple.fr")
    assert (told["prise_rdv"], told["fiche_acces_libre"]) == (
        "https://exemple.fr/rdv",
        "https://exemple.fr/acces",
    )
    assert [(i.field, i.value) for i in row.issues] == [("reseaux_porteurs", "mission-locale")]


def test_services_may_come_before_their_structure(tmp_path):
    after = source(tmp_path, {"structures": [STRUCTURE], "services": [SERVICE]}, "a")
    before = source(tmp_path, {"services": [SERVICE], "structures": [STRUCTURE]}, "b")
    assert list(before.rows()) == list(after.rows())


def test_a_service_without_structure_is_rejected_and_counted(tmp_path):
    orphan = SERVICE | {"structure_id": "fictif--2"}
    rows = list(source(tmp_path, {"structures": [STRUCTURE], "services": [SERVICE, orphan]}).rows())
    assert [row.line for row in rows] == [1, 2]
    assert [i.severity for i in rows[1].issues] == [Severity.REJECTED]
    assert "rang 2" in rows[1].issues[0].reason


def test_the_contacts_of_a_structure_and_of_all_its_services_are_joined(tmp_path):
    second = SERVICE | {"telephone": "+33500000001", "courriel": "autre@exemple.fr"}
    (row,) = source(tmp_path, {"structures": [STRUCTURE], "services": [SERVICE, second, SERVICE]}).rows()
    assert row.values["telephone"] == "+33500000000|+33500000001"
    assert row.values["courriels"] == "fictif@exemple.fr|autre@exemple.fr"
    (row,) = source(tmp_path, {"structures": [STRUCTURE], "services": [{**SERVICE, "telephone": ""}]}).rows()
    assert row.values["telephone"] == ""


def test_a_structure_that_offers_nothing_digital_is_flagged(tmp_path):
    other = SERVICE | {"thematiques": ["mobilite--etre-accompagne-dans-son-parcours-mobilite"]}
    (row,) = source(tmp_path, {"structures": [STRUCTURE], "services": [other]}).rows()
    assert ("hors_mediation_numerique", Severity.FLAGGED) in {(i.code, i.severity) for i in row.issues}


THEMES = {
    "Accès internet et matériel informatique": {
        "numerique--acceder-a-une-connexion-internet",
        "numerique--acquerir-un-equipement",
    },
    "Acquisition de matériel informatique à prix solidaire": {"numerique--acquerir-un-equipement"},
    "Aide aux démarches administratives": {
        "difficultes-administratives-ou-juridiques--accompagnement-aux-demarches-administratives",
        ONLINE,
    },
    "Insertion professionnelle via le numérique": {
        "preparer-sa-candidature--organiser-ses-demarches-de-recherche-demploi",
        BASICS,
    },
    "Loisirs et créations numériques": {"remobilisation--activites-sportives-et-culturelles", BASICS},
    "Maîtrise des outils numériques du quotidien": {BASICS, ONLINE},
    "Parentalité et éducation avec le numérique": {
        "famille--soutien-a-la-parentalite-et-a-leducation",
        BASICS,
    },
}
"""The national mapping, for the services that a set of themes distinguishes."""


@pytest.mark.parametrize("service", THEMES)
def test_the_way_back_finds_the_service_it_came_from(service):
    assert services_of(THEMES[service]) == ([service], set())


@given(st.sets(st.sampled_from(sorted(THEMES))))
def test_the_way_back_explains_every_theme_and_invents_no_other(services):
    themes = set().union(*(THEMES[service] for service in services))
    found, left = services_of(themes)
    assert not left
    assert set().union(*(THEMES[service] for service in found)) <= themes
    assert len(found) <= len(services)
