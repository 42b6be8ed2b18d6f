"""Files that nearly have a known format: what they lack is named, and `lenient` reads them."""

from __future__ import annotations

import json

import pytest

from geo.errors import UnreadableFile
from geo.sites import standard
from geo.sites.model import Severity
from geo.sites.readers import open_source
from tests.support.shared import SHARED, needs_shared
from tests.support.source_files import csv_of, source
from tests.unit.geo.sites.readers.test_column_mapping_v2 import book_of
from tests.unit.geo.sites.test_source_formats import CONSEILLER, FS_2022, FS_2024
from tests.unit.geo.sites.test_validate import VALID, check

WHOLE = {name: VALID.get(name, "") for name in standard.FIELDS}


def without(table, *columns):
    return {name: value for name, value in table.items() if name not in columns}


def refusal(tmp_path, table):
    with pytest.raises(UnreadableFile) as caught:
        source(tmp_path, csv_of(table))
    return caught.value


@pytest.mark.parametrize("column", ["pivot", "commune", "code_postal", "adresse", "date_maj"])
def test_one_missing_column_of_the_standard_is_named_and_can_be_done_without(tmp_path, column):
    problem = refusal(tmp_path, without(WHOLE, column))
    assert "ressemble au standard national" in problem.message
    assert f"il lui manque la colonne « {column} »" in problem.message
    assert "--lenient : cette valeur restera inconnue" in problem.advice
    opened = source(tmp_path, csv_of(without(WHOLE, column)), lenient=True)
    (row,) = opened.rows()
    assert column not in row.values and row.values["nom"] == VALID["nom"]
    assert opened.format == "standard"
    (issue,) = opened.issues
    assert (issue.code, issue.severity, issue.value) == ("colonnes_absentes", Severity.FLAGGED, column)


def test_a_record_without_pivot_column_is_accepted_with_the_pivot_unknown(tmp_path):
    rows = list(source(tmp_path, csv_of(without(WHOLE, "pivot")), lenient=True).rows())
    result = check(*(row.values for row in rows))
    assert result.records[0].pivot == standard.UNKNOWN_PIVOT
    assert {issue.code for issue in result.issues} == {"pivot_absent"}


def test_several_missing_columns_are_listed(tmp_path):
    problem = refusal(tmp_path, without(WHOLE, "pivot", "date_maj", "adresse"))
    assert "il lui manque les colonnes « adresse », « date_maj » et « pivot »" in problem.message
    assert "Ajoutez-les" in problem.advice and "resteront inconnues" in problem.advice


@pytest.mark.parametrize("column", ["id", "nom"])
@pytest.mark.parametrize("lenient", [False, True])
def test_a_list_without_identifiers_or_names_needs_a_mapping(tmp_path, column, lenient):
    with pytest.raises(UnreadableFile) as caught:
        source(tmp_path, csv_of(without(WHOLE, column)), lenient=lenient)
    assert f"« {column} »" in caught.value.message
    assert "--suggest-mapping" in caught.value.advice and "--lenient" not in caught.value.advice


def test_variants_of_names_are_not_missing(tmp_path):
    table = {
        "ID": "1",
        "Nom": "Lieu fictif",
        "Commune": "Ouestville",
        "Code Postal": "99100",
        "Adresse": "1 rue A",
    }
    problem = refusal(tmp_path, table)
    assert "les colonnes « date_maj » et « pivot »" in problem.message
    (row,) = source(tmp_path, csv_of(table), lenient=True).rows()
    assert (row.values["nom"], row.values["code_postal"]) == ("Lieu fictif", "99100")


def test_the_date_in_the_name_of_a_file_dates_records_without_the_column(tmp_path):
    path = tmp_path / "liste-2026-03-02.csv"
    path.write_text(csv_of(without(WHOLE, "date_maj")), encoding="utf-8")
    (row,) = open_source(path, max_bytes=10**6, lenient=True).rows()
    assert row.values["date_maj"] == "2026-03-02"


@pytest.mark.parametrize(
    ("table", "column", "label"),
    [
        (FS_2024, "type_fs", "colonnes de 2024"),
        (FS_2024, "format_fs", "colonnes de 2024"),
        (FS_2022, "lib_com", "colonnes de 2022"),
    ],
)
def test_other_formats_are_recognised_nearly_too(tmp_path, table, column, label):
    problem = refusal(tmp_path, without(table, column))
    assert label in problem.message and f"« {column} »" in problem.message
    (row,) = source(tmp_path, csv_of(without(table, column)), lenient=True).rows()
    assert row.values["id"] == "9001"


def test_the_former_version_is_translated_as_such(tmp_path):
    opened = source(tmp_path, [without(CONSEILLER, "pivot")], lenient=True)
    assert opened.format == "conseillers-numeriques"
    table = {**without(CONSEILLER, "pivot", "structureId"), "labels_nationaux": "CNFS"}
    opened = source(tmp_path, csv_of(table), lenient=True)
    (row,) = opened.rows()
    assert opened.format == "standard-v0.1"
    assert row.values["dispositif_programmes_nationaux"] == "Conseillers numériques"


def test_a_sheet_below_its_titles_is_recognised_nearly(tmp_path):
    table = without(WHOLE, "pivot")
    path = book_of(tmp_path, ("Lieux", [["Liste fictive"], [], list(table), list(table.values())]))
    with pytest.raises(UnreadableFile, match="ressemble au standard national"):
        open_source(path, max_bytes=10**7)
    opened = open_source(path, max_bytes=10**7, lenient=True)
    assert {issue.code for issue in opened.issues} >= {"colonnes_absentes", "entete_trouve"}
    assert next(opened.rows()).values["nom"] == VALID["nom"]


@pytest.mark.parametrize(
    "table",
    [
        {"Structure": "x", "Ville": "y", "Tél": "z"},
        {"id": "1", "nom": "x", "prix": "3"},
        {"id": "1", "titre": "x", "adresse": "y", "commune": "z"},
    ],
)
def test_a_list_unlike_any_format_is_not_compared_with_one(tmp_path, table):
    problem = refusal(tmp_path, table)
    assert "n'est pas reconnu" in problem.message and "--suggest-mapping" in problem.advice
    with pytest.raises(UnreadableFile, match="n'est pas reconnu"):
        source(tmp_path, csv_of(table), lenient=True)


def test_lenient_changes_nothing_for_a_whole_file(tmp_path):
    opened = source(tmp_path, csv_of(WHOLE), lenient=True)
    assert opened.issues == () and len(list(opened.rows())) == 1


def test_a_sentence_is_exact(tmp_path):
    path = tmp_path / "liste.json"
    path.write_text(json.dumps([without(WHOLE, "pivot")]), encoding="utf-8")
    with pytest.raises(UnreadableFile) as caught:
        open_source(path, max_bytes=10**6)
    assert caught.value.message == (
        "« liste.json » ressemble au standard national ; il lui manque la colonne « pivot »."
    )


@needs_shared
def test_the_shared_file_without_pivot_is_read_on_demand():
    path = SHARED / "data" / "cases" / "files" / "55-missing-pivot.csv"
    with pytest.raises(UnreadableFile, match="« pivot »"):
        open_source(path, max_bytes=10**6)
    assert len(list(open_source(path, max_bytes=10**6, lenient=True).rows())) >= 1
