"""Version 2 of mapping files: sheets, split columns, vocabularies, reference systems, and their faults."""

from __future__ import annotations

import io

import openpyxl
import pytest

from geo.crs import LAMBERT_93, project_point
from geo.errors import UnreadableFile
from geo.sites.model import Severity
from geo.sites.readers import open_source
from tests.support.source_files import collection, csv_of, feature
from tests.unit.geo.sites.readers.test_column_mapping import with_mapping

ONE = {"Nom": "Atelier fictif", "Ville": "Aubefeuille"}
NAMES = 'id = "Nom"\nnom = "Nom"\n'


def row_of(tmp_path, mapping, **cells):
    """The row that a one-row table gives through a mapping of version 2."""
    (row,) = with_mapping(tmp_path, csv_of(ONE | cells), f"version = 2\n{mapping}").rows()
    return row


def values_of(tmp_path, mapping, **cells):
    return row_of(tmp_path, mapping, **cells).values


def refused(tmp_path, mapping, data=None):
    with pytest.raises(UnreadableFile) as caught:
        list(with_mapping(tmp_path, data or csv_of(ONE), mapping).rows())
    return f"{caught.value.message} {caught.value.advice}"


def book_of(tmp_path, *sheets):
    """A workbook of (title, rows) and its path."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    path = tmp_path / "classeur"
    path.write_bytes(stream.getvalue())
    return path


def rows_of_book(tmp_path, mapping, *sheets):
    path = book_of(tmp_path, *sheets)
    described = tmp_path / "m.toml"
    described.write_text(f"version = 2\n{mapping}", encoding="utf-8")
    return list(open_source(path, mapping=described, max_bytes=10**7).rows())


def test_a_column_for_each_day_becomes_the_hours(tmp_path):
    mapping = f"""
[columns]
{NAMES}
[columns.horaires]
lundi = "Lundi"
mardi = ["Mardi matin", "Mardi après-midi"]
dimanche = "Dim."
"""
    cells = {"Lundi": "9h-12h", "Mardi matin": "9h-12h", "Mardi après-midi": "14h-17h30", "Dim.": "fermé"}
    values = values_of(tmp_path, mapping, **cells)
    assert values["horaires"] == "Mo 09:00-12:00; Tu 09:00-12:00,14:00-17:30"


def test_the_parts_of_an_address_are_joined(tmp_path):
    mapping = f"""
[columns]
{NAMES}
[columns.adresse]
numero = "N°"
type_voie = "Type"
voie = "Voie"
complement = "Bât."
"""
    parts = {"N°": "12", "Type": "rue", "Voie": "des Saules", "Bât.": "B"}
    values = values_of(tmp_path, mapping, **parts)
    assert (values["adresse"], values["complement_adresse"]) == ("12 rue des Saules", "B")
    blank = dict.fromkeys(parts, "")
    for changed, address in (
        ({"Voie": "Rue des Saules", "Type": "rue", "N°": "3 bis"}, "3 bis Rue des Saules"),
        ({"Voie": "12 rue des Saules", "N°": "12"}, "12 rue des Saules"),
        ({"Voie": "120 rue des Saules", "N°": "12"}, "12 120 rue des Saules"),
        ({"Voie": "Ruelle Basse", "Type": "rue"}, "rue Ruelle Basse"),
        ({"Voie": "le Bourg"}, "le Bourg"),
        ({}, ""),
    ):
        assert values_of(tmp_path, mapping, **blank | changed)["adresse"] == address


@pytest.mark.parametrize(
    ("separator", "cell"),
    [
        (";", "a@exemple.fr ; b@exemple.fr"),
        ("\\n", "a@exemple.fr\nb@exemple.fr"),
        (" et ", "a@exemple.fr et b@exemple.fr"),
    ],
)
def test_each_field_may_have_its_separator(tmp_path, separator, cell):
    mapping = f"""
value_separator = ","
[columns]
{NAMES}
autres_formations_labels = "Labels"
courriels = {{ column = "Mél", separator = "{separator}" }}
"""
    values = values_of(tmp_path, mapping, Labels="un, deux", Mél=cell)
    assert values["courriels"] == "a@exemple.fr|b@exemple.fr"
    assert values["autres_formations_labels"] == "un|deux"


def test_words_are_translated_by_the_mapping_then_the_list_then_the_vocabulary_then_the_default(tmp_path):
    mapping = f"""
[columns]
{NAMES}
[columns.services]
column = "Aide"
separator = ","
vocabulary = "services"
default = "Compréhension du monde numérique"
values."bureautique" = "Insertion professionnelle via le numérique"
"""
    row = row_of(tmp_path, mapping, Aide="Bureautique, wifi,loisirs et creations numeriques, tricot")
    assert row.values["services"] == (
        "Insertion professionnelle via le numérique|Accès internet et matériel informatique|"
        "loisirs et creations numeriques|Compréhension du monde numérique"
    )
    (issue,) = row.issues
    assert (issue.severity, issue.code) == (Severity.REPAIRED, "mot_hors_vocabulaire")
    assert (issue.field, issue.value) == ("services", "tricot")
    assert "« Compréhension du monde numérique »" in issue.reason


def test_an_empty_default_leaves_words_out_and_says_so(tmp_path):
    mapping = f"""
[columns]
{NAMES}
frais_a_charge = {{ column = "Prix", vocabulary = "frais", default = "" }}
"""
    row = row_of(tmp_path, mapping, Prix="à voir")
    assert row.values["frais_a_charge"] == "" and "laissé de côté" in row.issues[0].reason
    row = row_of(tmp_path, mapping, Prix="")
    assert row.values["frais_a_charge"] == "" and row.issues == ()


@pytest.mark.parametrize(
    ("options", "cell", "value"),
    [
        ('vocabulary = "oui-non"', "x", "true"),
        ('vocabulary = "accessibilite"', "PMR", "true"),
        ('vocabulary = "accessibilite"', "partiel", ""),
        ('default = "false"', "peut-être", "false"),
        ('default = "false"', "Oui", "true"),
        ('vocabulary = "oui-non"', "peut-être", "peut-être"),
        ('values = { "peut-être" = "" }', "Peut-etre", ""),
    ],
)
def test_facts_are_read_from_common_words(tmp_path, options, cell, value):
    mapping = f'[columns]\n{NAMES}ext_acces_fauteuil = {{ column = "PMR", {options} }}\n'
    assert values_of(tmp_path, mapping, PMR=cell)["ext_acces_fauteuil"] == value


@pytest.mark.parametrize(
    ("crs", "longitude", "latitude"),
    [(2154, 0.6163, 44.2033), (3857, 0.6163, 44.2033), (3944, 0.6163, 44.2033), (27572, 0.6163, 44.2033)],
)
@pytest.mark.parametrize("mark", [".", ","])
def test_projected_columns_become_degrees(tmp_path, crs, longitude, latitude, mark):
    x, y = project_point(longitude, latitude, crs)
    mapping = f'crs = {crs}\n[columns]\n{NAMES}longitude = "X"\nlatitude = "Y"\n'
    cells = {"X": f"{x:,.2f}".replace(",", " ").replace(".", mark), "Y": f"{y:.2f}".replace(".", mark)}
    values = values_of(tmp_path, mapping, **cells)
    assert float(values["longitude"]) == pytest.approx(longitude, abs=1e-6)
    assert float(values["latitude"]) == pytest.approx(latitude, abs=1e-6)


@pytest.mark.parametrize(
    ("x", "y"), [("", ""), ("abc", "6347512"), ("0.6163", "44.2033"), ("1e300", "nan"), ("509786", "")]
)
def test_what_is_no_point_of_the_system_is_left_for_validation(tmp_path, x, y):
    mapping = f'crs = {LAMBERT_93}\n[columns]\n{NAMES}longitude = "X"\nlatitude = "Y"\n'
    values = values_of(tmp_path, mapping, X=x, Y=y)
    assert (values["longitude"], values["latitude"]) == (x, y)


TITLES: tuple[list[str], ...] = (
    ["Liste des ateliers"],
    [],
    ["Nom", "Ville"],
    ["Atelier fictif", "Aubefeuille"],
)


@pytest.mark.parametrize("sheet", ['"Ateliers"', '"ateliers"', "2"])
def test_the_sheet_and_the_row_of_headings_are_those_given(tmp_path, sheet):
    mapping = f'sheet = {sheet}\nheader_row = 3\n[columns]\n{NAMES}commune = "Ville"\n'
    sheets = (("Archive", (["Nom", "Ville"], ["Vieux", "Ailleurs"])), ("Ateliers", TITLES))
    (row,) = rows_of_book(tmp_path, mapping, *sheets)
    assert (row.line, row.values["nom"], row.values["commune"]) == (4, "Atelier fictif", "Aubefeuille")


@pytest.mark.parametrize(
    "text", ["Liste;\n\nNom;Ville\nAtelier fictif;Aubefeuille\n", 'Une "liste"\n"a\nb"\n']
)
def test_the_row_of_headings_of_a_text_is_the_line_given(tmp_path, text):
    mapping = f'version = 2\nheader_row = 3\n[columns]\n{NAMES}commune = "Ville"\n'
    if "Nom" not in text:
        assert "header_row" in refused(tmp_path, mapping, text)
        return
    (row,) = with_mapping(tmp_path, text, mapping).rows()
    assert (row.line, row.values["commune"]) == (4, "Aubefeuille")


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ('sheet = "Rien"', ("« Rien »", "« Archive »", "« Ateliers »")),
        ("sheet = 3", ("« 3 »", "« Archive »")),
        ("sheet = 2\nheader_row = 2", ("ligne 2", "vide")),
        ("sheet = 2\nheader_row = 99", ("ligne 99",)),
    ],
)
def test_a_sheet_or_a_row_that_is_not_there_is_refused(tmp_path, mapping, words):
    sheets = (("Archive", (["Nom"], ["Vieux"])), ("Ateliers", TITLES))
    with pytest.raises(UnreadableFile) as caught:
        rows_of_book(tmp_path, f"{mapping}\n[columns]\n{NAMES}", *sheets)
    for word in words:
        assert word in f"{caught.value.message} {caught.value.advice}"


@pytest.mark.parametrize(
    ("option", "data"), [("sheet = 1", csv_of(ONE)), ("header_row = 1", collection(feature(ONE)))]
)
def test_a_sheet_or_a_row_of_a_file_without_any_is_refused(tmp_path, option, data):
    assert option.split()[0] in refused(tmp_path, f"version = 2\n{option}\n[columns]\n{NAMES}", data)


@pytest.mark.parametrize("heading", ["NOM_DU LIEU", "nom du lieu", "Nom  du  Liéu", "nom-du-lieu"])
def test_headings_are_found_whatever_their_case_accents_and_punctuation(tmp_path, heading):
    mapping = 'version = 2\n[columns]\nid = "Nom du lieu"\nnom = "Nom du lieu"\n'
    (row,) = with_mapping(tmp_path, csv_of({heading: "Atelier fictif"}), mapping).rows()
    assert row.values["nom"] == "Atelier fictif"


def test_two_headings_alike_are_told_apart_or_refused(tmp_path):
    table = csv_of({"Nom": "exact", "NOM": "autre"})
    (row,) = with_mapping(tmp_path, table, 'version = 2\n[columns]\nid = "Nom"\nnom = "NOM"\n').rows()
    assert (row.values["id"], row.values["nom"]) == ("exact", "autre")
    assert "« nom »" in refused(tmp_path, 'version = 2\n[columns]\nid = "nom"\nnom = "Nom"\n', table)


COLUMNS = f"version = 2\n[columns]\n{NAMES}"


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        (f"version = 3\n[columns]\n{NAMES}", ("« version » = « 3 »", "1 et 2")),
        (f'version = "2"\n[columns]\n{NAMES}', ("version", "1 et 2")),
        (f"version = true\n[columns]\n{NAMES}", ("version",)),
        (f"version = 2\nheader_row = 0\n[columns]\n{NAMES}", ("« header_row » = « 0 »", "à partir de 1")),
        (f"version = 2\nsheet = 0\n[columns]\n{NAMES}", ("« sheet » = « 0 »", "titre d'une feuille")),
        (f"version = 2\ncrs = 1\n[columns]\n{NAMES}", ("« crs » = 1", "2154")),
        (f'version = 2\ncrs = "2154"\n[columns]\n{NAMES}', ("« crs » = « 2154 »", "nombre entier")),
        (f'version = 2\nfeuille = "A"\n[columns]\n{NAMES}', ("« feuille »", "n'existe pas", "« sheet »")),
        (f'{COLUMNS}nomm = "x"\n', ("« nomm »", "vouliez-vous dire « nom »", "code_postal")),
        (f'{COLUMNS}services = {{ colonne = "x" }}\n', ("columns.services.column", "manque")),
        (f'{COLUMNS}services = {{ column = "Nom", sep = ";" }}\n', ("columns.services.sep", "« separator »")),
        (
            f'{COLUMNS}telephone = {{ column = "Nom", separator = ";" }}\n',
            ("columns.telephone.separator", "« ; »", "courriels"),
        ),
        (
            f'{COLUMNS}services = {{ column = "Nom", separator = "" }}\n',
            ("columns.services.separator", "vide"),
        ),
        (
            f'{COLUMNS}services = {{ column = "Nom", vocabulary = "frais" }}\n',
            ("columns.services.vocabulary", "« frais »", "« services »"),
        ),
        (
            f'{COLUMNS}services = {{ column = "Nom", vocabulary = "aides" }}\n',
            ("« aides » n'est pas un vocabulaire", "« services »"),
        ),
        (
            f'{COLUMNS}adresse = {{ column = "Nom", vocabulary = "services" }}\n',
            ("aucun ne vaut pour « adresse »", "typologie"),
        ),
        (
            f'{COLUMNS}services = {{ column = "Nom", default = "Aide" }}\n',
            ("columns.services.default", "« Aide »", "« Aide aux démarches administratives »"),
        ),
        (
            f'{COLUMNS}telephone = {{ column = "Nom", default = "0" }}\n',
            ("columns.telephone.default", "[constants]"),
        ),
        (
            f'{COLUMNS}services = {{ column = "Nom", values = {{ a = "b" }} }}\n',
            ("columns.services.values.a", "« b »", "« Loisirs et créations numériques »"),
        ),
        (
            f'{COLUMNS}ext_fictif = {{ column = "Nom", default = "oui" }}\n',
            ("columns.ext_fictif.default", "« true », « false »"),
        ),
        (f'{COLUMNS}[columns.horaires]\nlundy = "Nom"\n', ("columns.horaires.lundy", "« lundi »")),
        (f"{COLUMNS}[columns.horaires]\n", ("columns.horaires", "« lundi »")),
        (
            f"{COLUMNS}[columns.horaires]\nlundi = 3\n",
            ("columns.horaires.lundi", "« 3 »", "nom d'une colonne"),
        ),
        (f'{COLUMNS}[columns.adresse]\nrue = "Nom"\n', ("columns.adresse.rue", "« type_voie »")),
        (f"{COLUMNS}[columns.adresse]\n", ("columns.adresse", "« numero »")),
        (f"{COLUMNS}adresse = []\n", ("columns.adresse", "nom d'une colonne")),
        (
            f'{COLUMNS}[constants]\nfrais_a_charge = "gratis"\n',
            ("constants.frais_a_charge", "« gratis »", "« Gratuit »"),
        ),
        (f'{COLUMNS}[values.services]\na = ""\n', ("values.services", "[columns]")),
        (f"sheet = 1\n[columns]\n{NAMES}", ("« sheet » demande la version 2",)),
        (
            f'[columns]\n{NAMES}[columns.horaires]\nlundi = "Nom"\n',
            ("« columns.horaires » demande la version 2",),
        ),
    ],
)
def test_each_fault_names_its_key_its_value_and_what_is_possible(tmp_path, mapping, words):
    sentence = refused(tmp_path, mapping)
    for word in words:
        assert word in sentence, sentence


def test_words_of_both_forms_are_joined(tmp_path):
    mapping = f"""
[columns]
{NAMES}
services = {{ column = "Aide", values = {{ a = "Loisirs et créations numériques" }} }}
[values.services]
b = "Compréhension du monde numérique"
"""
    values = values_of(tmp_path, mapping, Aide="a|b")
    assert values["services"] == "Loisirs et créations numériques|Compréhension du monde numérique"
