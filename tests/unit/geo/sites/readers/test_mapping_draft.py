"""Drafts of mapping files: columns guessed, doubts shown, and the draft reads the file."""

from __future__ import annotations

import json
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.crs import LAMBERT_93, project_point
from geo.sites.readers import open_source, suggest_mapping
from geo.sites.readers.column_guesses import TableColumn, guesses
from geo.sites.readers.column_mapping import parse_mapping
from tests.support.source_files import csv_of
from tests.unit.geo.sites.readers.test_column_mapping_v2 import book_of

X, Y = project_point(0.6163, 44.2033, LAMBERT_93)
ASSOCIATIONS = (
    {
        "Nom de l'association": "Les Mulots du Clavier",
        "N°": "12",
        "Type de voie": "rue",
        "Voie": "des Saules",
        "Bâtiment": "",
        "CP": "99100",
        "Ville": "Ouestville",
        "X": f"{X:.1f}".replace(".", ","),
        "Y": f"{Y:.1f}".replace(".", ","),
        "Téléphone": "05.53.00.00.01",
        "Mél": "mulots@exemple.fr",
        "Site Internet": "www.mulots.exemple.fr",
        "Lundi matin": "9h-12h",
        "Lundi après-midi": "14h-17h",
        "Mercredi": "9h-12h et 13h30-18h",
        "Samedi": "",
        "Aide proposée": "Démarches, bureautique, prêt de matériel",
        "Tarif": "gratuit",
        "Accès PMR": "oui",
        "Mise à jour": "02/01/2026",
        "Observations": "Bénévoles",
        "Présidence": "Personne Fictive",
    },
    {
        "Nom de l'association": "Atelier Souris",
        "N°": "3 bis",
        "Type de voie": "avenue",
        "Voie": "du Pin",
        "Bâtiment": "Bât. B",
        "CP": "99200",
        "Ville": "Estbourg",
        "X": "",
        "Y": "",
        "Téléphone": "05 53 00 00 02",
        "Mél": "souris@exemple.fr",
        "Site Internet": "",
        "Lundi matin": "",
        "Lundi après-midi": "",
        "Mercredi": "sur rdv",
        "Samedi": "10h-12h",
        "Aide proposée": "Initiation, tricot numérique",
        "Tarif": "adhésion",
        "Accès PMR": "partiel",
        "Mise à jour": "15/03/2026",
        "Observations": "",
        "Présidence": "Autre Personne",
    },
)


def drafted(tmp_path, data, name="Associations 2026-03.csv"):
    """The draft for a table, its TOML document, and the rows it reads."""
    path = tmp_path / name
    path.write_text(data, encoding="utf-8")
    draft = suggest_mapping(path, max_bytes=10**7)
    described = tmp_path / "m.toml"
    described.write_text(draft, encoding="utf-8")
    rows = list(open_source(path, mapping=described, max_bytes=10**7).rows())
    return draft, tomllib.loads(draft), rows


@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_the_draft_of_a_messy_list_reads_it_whole(tmp_path, separator):
    _, document, rows = drafted(tmp_path, csv_of(*ASSOCIATIONS, separator=separator))
    assert (document["version"], document["dataset"], document["crs"]) == (2, "associations", 2154)
    first, second = (row.values for row in rows)
    assert first["id"] == "Les Mulots du Clavier Ouestville"
    assert (first["nom"], first["commune"], first["code_postal"]) == (
        "Les Mulots du Clavier",
        "Ouestville",
        "99100",
    )
    assert (first["adresse"], second["adresse"]) == ("12 rue des Saules", "3 bis avenue du Pin")
    assert second["complement_adresse"] == "Bât. B"
    assert float(first["longitude"]) == pytest.approx(0.6163, abs=1e-5)
    assert first["horaires"] == "Mo 09:00-12:00,14:00-17:00; We 09:00-12:00,13:30-18:00"
    assert second["horaires"] == 'We "sur rendez-vous"; Sa 10:00-12:00'
    assert first["services"] == (
        "Aide aux démarches administratives|Maîtrise des outils numériques du quotidien|"
        "Accès internet et matériel informatique"
    )
    assert (first["frais_a_charge"], second["frais_a_charge"]) == ("gratuit", "Payant")
    assert (first["ext_acces_fauteuil"], second["ext_acces_fauteuil"]) == ("true", "")
    assert (first["telephone"], first["courriels"]) == ("05.53.00.00.01", "mulots@exemple.fr")
    assert first["presentation_detail"] == "Bénévoles"


def test_the_draft_shows_what_it_could_not_guess(tmp_path):
    draft, _, _ = drafted(tmp_path, csv_of(*ASSOCIATIONS))
    assert '#   "Présidence"' in draft.splitlines()
    assert "Personne Fictive" not in draft
    assert '# values."tricot numérique" = ""' in draft.splitlines()
    assert "#   Loisirs et créations numériques" in draft.splitlines()
    assert "ext_pass_numerique" in draft and "ext_signalements" not in draft


def test_a_word_given_a_value_in_the_draft_is_translated(tmp_path):
    path = tmp_path / "liste.csv"
    path.write_text(csv_of(*ASSOCIATIONS), encoding="utf-8")
    draft = suggest_mapping(path, max_bytes=10**7)
    reviewed = draft.replace(
        '# values."tricot numérique" = ""', 'values."tricot numérique" = "Loisirs et créations numériques"'
    )
    described = tmp_path / "m.toml"
    described.write_text(reviewed, encoding="utf-8")
    *_, last = open_source(path, mapping=described, max_bytes=10**7).rows()
    assert last.values["services"].endswith("|Loisirs et créations numériques")


SECOND = (
    {
        "Ref": "A1",
        "Lieu": "Halle aux écrans",
        "Adresse complète": "2 place Haute",
        "Localité": "Ouestville",
        "Latitude": "44.2033",
        "Longitude": "0.6163",
        "contact": "halle@exemple.fr",
        "Public visé": "Seniors / Jeunes",
        "Pass numérique": "x",
        "Horaires d'ouverture": "lundi 9h-12h",
    },
    {
        "Ref": "A2",
        "Lieu": "Cave numérique",
        "Adresse complète": "3 place Basse",
        "Localité": "Estbourg",
        "Latitude": "44.3",
        "Longitude": "0.5",
        "contact": "cave@exemple.fr",
        "Public visé": "Tout public",
        "Pass numérique": "",
        "Horaires d'ouverture": "mardi 14h-17h",
    },
)


def test_the_draft_of_another_list_reads_it(tmp_path):
    draft, document, rows = drafted(tmp_path, csv_of(*SECOND))
    values = rows[0].values
    assert values["id"] == "A1" and values["nom"] == "Halle aux écrans" and values["commune"] == "Ouestville"
    assert values["adresse"] == "2 place Haute"
    assert (values["latitude"], values["longitude"]) == ("44.2033", "0.6163")
    assert values["courriels"] == "halle@exemple.fr"
    assert 'courriels = "contact"  # ? halle@exemple.fr' in draft.splitlines()
    assert values["publics_specifiquement_adresses"] == "Seniors|Jeunes"
    assert rows[1].values["publics_specifiquement_adresses"] == ""
    assert values["ext_pass_numerique"] == "true"
    assert values["horaires"] == "lundi 9h-12h"
    assert "crs" not in document and "decimal_comma" not in document


def test_an_identifier_is_composed_of_as_many_columns_as_it_takes(tmp_path):
    rows = [
        {"Nom": "Mairie", "Commune": "Ouestville", "Adresse": street} for street in ("1 rue A", "2 rue B")
    ]
    _, document, read = drafted(tmp_path, csv_of(*rows))
    assert document["columns"]["id"] == ["Nom", "Commune", "Adresse"]
    assert len({row.values["id"] for row in read}) == 2


def test_a_table_without_a_name_gets_its_most_varied_text_with_a_doubt(tmp_path):
    rows = [{"Truc": f"Lieu fictif {letter}", "Genre": "a"} for letter in "abcde"]
    draft, document, read = drafted(tmp_path, csv_of(*rows))
    assert document["columns"]["nom"] == "Truc"
    assert 'nom = "Truc"  # ? Lieu fictif a' in draft.splitlines()
    assert read[0].values["nom"] == "Lieu fictif a"


def test_a_workbook_is_drafted_like_a_text(tmp_path):
    path = book_of(tmp_path, ("Lieux", [list(SECOND[0]), *(list(row.values()) for row in SECOND)]))
    document = tomllib.loads(suggest_mapping(path, max_bytes=10**7))
    assert document["columns"]["nom"] == "Lieu"


def test_the_draft_says_where_the_table_is_in_its_workbook(tmp_path):
    rows = [["Ateliers fictifs"], [], list(SECOND[0]), *(list(row.values()) for row in SECOND)]
    path = book_of(tmp_path, ("Notes", [["rien"]]), ("Lieux", rows))
    document = tomllib.loads(suggest_mapping(path, max_bytes=10**7))
    assert (document["sheet"], document["header_row"]) == ("Lieux", 3)
    assert document["columns"]["nom"] == "Lieu"


def test_a_file_that_needs_no_mapping_says_so(tmp_path):
    path = tmp_path / "standard.csv"
    path.write_text("id,pivot,nom,commune,code_postal,adresse,date_maj\n", encoding="utf-8")
    assert "reconnu sans correspondance : Standard" in suggest_mapping(path, max_bytes=10**7)


@pytest.mark.parametrize(
    ("heading", "cells", "target"),
    [
        ("Tél.", ("05 53 00 00 01",), "telephone"),
        ("Téléphone", ("voir site",), None),
        ("E-mail", ("a@exemple.fr",), "courriels"),
        ("SIRET", ("213 400 010 00011",), "pivot"),
        ("Code postal", ("47000", "4700"), "code_postal"),
        ("Code postal", ("Agen",), None),
        ("Code INSEE commune", ("2A004",), "code_insee"),
        ("Commune d'implantation", ("Agen",), "commune"),
        ("Libellé de la voie", ("rue A",), "adresse.voie"),
        ("Lien RDV", ("https://exemple.fr/rdv",), "prise_rdv"),
        ("Dernière mise à jour", ("2026-01-02",), "date_maj"),
        ("Dernière mise à jour", ("jamais",), None),
        ("Type de structure", ("mairie",), "typologie"),
        ("Tarifs", ("gratuit",), "frais_a_charge"),
        ("Accessible PMR", ("oui",), "ext_acces_fauteuil"),
        ("Structure porteuse", ("Agglo fictive",), "structure_parente"),
        ("Nom du lieu d'accueil", ("Atelier",), "nom"),
        ("Site", ("Médiathèque",), "nom"),
        ("Site", ("https://exemple.fr",), "site_web"),
        ("Nom du président", ("Personne Fictive",), None),
        ("CP - Ville", ("47000 Agen",), "commune"),
        ("Adresse ligne 1", ("1 rue A",), "adresse"),
        ("Adresse mail", ("a@exemple.fr",), "courriels"),
        ("Coordonnée X", ("509786,2",), "longitude"),
        ("Type d'aide", ("démarches",), "services"),
        ("Accès handicapés", ("oui",), "ext_acces_fauteuil"),
        ("Accessibilité", ("voir la notice du bâtiment",), None),
        ("Sur RDV", ("non",), "ext_sur_rendez_vous"),
        ("Fixe/Itinérant", ("fixe",), "itinerance"),
        ("modalites_accompagnement", ("Seul",), "modalites_accompagnement"),
        ("Colonne 12", ("05 53 00 00 01", "05 53 00 00 02"), "telephone"),
        ("Colonne 13", ("https://exemple.fr",), "site_web"),
        ("Colonne 14", ("lun-ven 9h-12h",), "horaires"),
        ("Colonne 15", ("bidule",), None),
        ("Colonne 15", ("",), None),
    ],
)
def test_columns_are_guessed_by_heading_and_cells(heading, cells, target):
    found = [guess.target for guess in guesses([TableColumn(heading, cells)])]
    assert found == ([target] if target else [])


def test_a_name_beside_first_names_is_of_a_person():
    cells = ("Fictif",)
    columns = [TableColumn(name, cells) for name in ("Nom", "Prénom", "Association")]
    assert [(g.column, g.target) for g in guesses(columns)] == [("Association", "nom")]


def test_one_day_alone_is_no_week():
    assert [g.target for g in guesses([TableColumn("Lundi", ("9h-12h",))])] == []
    week = [
        TableColumn(name, ("9h-12h",)) for name in ("Lun.", "Mar.", "Mercredi matin", "mercredi après-midi")
    ]
    assert [g.target for g in guesses(week)] == [
        "horaires.lundi",
        "horaires.mardi",
        "horaires.mercredi",
        "horaires.mercredi",
    ]


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
        | st.sampled_from(["Nom", "Lundi", "Mardi", "Voie", "Services", "X", "Y", "id", 'a"b', "\x7f"]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
        | st.sampled_from(["1,5", "oui", "a;b", "9h-12h"]),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_the_table_the_draft_is_a_mapping_or_asks_for_a_name(tmp_path_factory, record):
    path = tmp_path_factory.mktemp("draft") / "liste"
    path.write_text(json.dumps([record]), encoding="utf-8")
    draft = suggest_mapping(path, max_bytes=10**7)
    document = tomllib.loads(draft)
    if "nom" in document["columns"]:
        parse_mapping(document)
    else:
        assert "À COMPLÉTER" in draft
