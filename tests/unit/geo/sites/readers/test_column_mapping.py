"""Spreadsheets of no known format, read with a mapping file."""

from __future__ import annotations

import pytest

from geo.errors import UnreadableFile
from tests.support.source_files import collection, csv_of, feature, source

MAPPING = """
dataset = "tiers-lieux"
date_format = "%d/%m/%Y"
decimal_comma = true
value_separator = ","

[columns]
id = ["Nom du lieu", "Ville"]
nom = "Nom du lieu"
commune = "Ville"
adresse = ["N°", "Voie"]
latitude = "Lat"
longitude = "Lon"
date_maj = "Mis à jour"
services = "Aide"
ext_pass_numerique = "Pass"

[constants]
frais_a_charge = "Gratuit"

[values.services]
"démarches" = "Aide aux démarches administratives"

[values.ext_pass_numerique]
oui = "true"
"""
TABLE = {
    "Nom du lieu": "Lieu fictif",
    "Ville": "Aubefeuille",
    "N°": "1",
    "Voie": "rue Fictive",
    "Lat": "44,1",
    "Lon": "0,5",
    "Mis à jour": "02/01/2026",
    "Aide": "Demarches , Autre",
    "Pass": "OUI",
}


def with_mapping(tmp_path, data, mapping=MAPPING, name="tableau"):
    path = tmp_path / "correspondance.toml"
    path.write_text(mapping, encoding="utf-8")
    return source(tmp_path, data, name, mapping=path)


def test_a_spreadsheet_is_read_through_its_mapping(tmp_path):
    opened = with_mapping(tmp_path, csv_of(TABLE, separator=";"))
    (row,) = opened.rows()
    assert (opened.format, opened.dataset) == ("tableur", "tiers-lieux")
    assert row.values == {
        "id": "Lieu fictif Aubefeuille",
        "nom": "Lieu fictif",
        "commune": "Aubefeuille",
        "adresse": "1 rue Fictive",
        "latitude": "44.1",
        "longitude": "0.5",
        "date_maj": "2026-01-02",
        "services": "Aide aux démarches administratives|Autre",
        "ext_pass_numerique": "true",
        "frais_a_charge": "Gratuit",
    }


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path):
    with pytest.raises(UnreadableFile) as caught:
        with_mapping(tmp_path, csv_of({"Nom": "Lieu fictif", "Ville": "Aubefeuille"}))
    assert "« Nom du lieu »" in caught.value.message
    assert "« Nom », « Ville »" in caught.value.advice


def test_headers_are_compared_whatever_their_spaces_and_accents_are_made_of(tmp_path):
    odd = {"Nom\u00a0du  lieu": "Lieu fictif", "Me\u0301l": "a@exemple.fr"}
    mapping = '[columns]\nid = "Nom du lieu"\nnom = "Nom du lieu"\ncourriels = "Mél"\n'
    (row,) = with_mapping(tmp_path, csv_of(odd), mapping).rows()
    assert row.values["courriels"] == "a@exemple.fr"


def test_the_points_of_a_geojson_are_its_coordinates(tmp_path):
    mapping = '[columns]\nid = "n"\nnom = "n"\n'
    rows = list(
        with_mapping(tmp_path, collection(feature({"n": "a"}), feature({"n": "b"}, ())), mapping).rows()
    )
    assert (rows[0].values["longitude"], rows[0].values["latitude"]) == ("0.5", "44.1")
    assert "longitude" not in rows[1].values


def test_a_date_in_another_form_is_left_for_validation(tmp_path):
    (row,) = with_mapping(tmp_path, csv_of(TABLE | {"Mis à jour": "hier"})).rows()
    assert row.values["date_maj"] == "hier"


@pytest.mark.parametrize(
    ("mapping", "word"),
    [
        ("[columns", "TOML"),
        ("", "« columns » : cette table manque"),
        ('[columns]\nnom = "a"\n', "« id »"),
        ('[columns]\nid = "a"\nnom = "a"\nmail = "b"\n', "« mail » n'est pas un champ"),
        ('[columns]\nid = "a"\nnom = 3\n', "columns.nom"),
        ('separateur = ";"\n[columns]\nid = "a"\nnom = "a"\n', "« separateur » : cette option n'existe pas"),
        ('dataset = "Mes Lieux"\n[columns]\nid = "a"\nnom = "a"\n', "dataset"),
    ],
)
def test_a_faulty_mapping_is_refused_with_what_is_wrong(tmp_path, mapping, word):
    with pytest.raises(UnreadableFile) as caught:
        with_mapping(tmp_path, csv_of(TABLE), mapping)
    assert word in str(caught.value)


def test_an_absent_mapping_is_refused(tmp_path):
    with pytest.raises(UnreadableFile, match="correspondance"):
        source(tmp_path, csv_of(TABLE), mapping=tmp_path / "absente.toml")
