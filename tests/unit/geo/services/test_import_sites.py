"""Reading a file for an import, without a database: what is refused and which local facts it provides."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from geo.services import import_sites
from geo.sites.issue_report import issue_records
from geo.sites.model import Severity
from geo.sites.standard import FIELDS
from tests.support.world import TERRITORY

VALID = {
    "id": "a",
    "pivot": "00000000000000",
    "nom": "Lieu fictif",
    "commune": "Ouestville",
    "code_postal": "99100",
    "code_insee": "99001",
    "adresse": "1 rue de l'Exemple",
    "date_maj": "2026-03-02",
}
NAMELESS = {**VALID, "nom": ""}


def read(tmp_path: Path, *records: dict[str, str]) -> import_sites.ValidatedFile:
    path = tmp_path / "lieux.csv"
    own = sorted({name for record in records for name in record if name.startswith("ext_")})
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [*FIELDS, *own])
        writer.writeheader()
        writer.writerows(records)
    return import_sites.read(
        path, territory=TERRITORY, today=date(2026, 11, 2), max_bytes=path.stat().st_size, dataset="essai"
    )


@pytest.mark.parametrize(
    ("rejected", "refused"),
    [
        ({**NAMELESS, "id": "b"}, "essai--b"),
        ({**NAMELESS, "id": " b "}, "essai--b"),
        ({**NAMELESS, "id": "essai--b"}, "essai--b"),
        ({**NAMELESS, "id": "b", "ext_jeu_de_donnees": "autre"}, "autre--b"),
        ({**NAMELESS, "id": "autre--b", "ext_jeu_de_donnees": "autre"}, "autre--b"),
        ({**NAMELESS, "id": "'=b", "ext_jeu_de_donnees": "autre"}, "autre--=b"),  # escaped by our export
        ({**NAMELESS, "id": "'=b"}, "essai--'=b"),
    ],
)
def test_a_rejected_row_is_refused_under_the_identifier_it_would_have(tmp_path, rejected, refused):
    found = read(tmp_path, VALID, rejected)
    assert found.refused == {refused}
    assert [site.key for site in found.validated.records] == ["essai--a"]
    assert found.datasets == ("essai",)


def test_a_second_row_with_the_same_identifier_refuses_it_without_retiring_the_first(tmp_path):
    found = read(tmp_path, VALID, VALID)
    assert found.refused == {"essai--a"} and found.validated.tally.accepted == 1


def test_only_columns_of_local_facts_are_provided_even_when_empty(tmp_path):
    assert read(tmp_path, VALID).carried == frozenset()
    facts = {"ext_pass_numerique": "", "ext_arrets": "", "ext_fictif": "oui"}
    assert read(tmp_path, {**VALID, **facts}).carried == {"pass_numerique", "arrets"}


def test_the_name_of_the_dataset_is_that_of_the_format_unless_given(tmp_path):
    found = read(tmp_path, VALID)
    other = import_sites.read(
        tmp_path / "lieux.csv", territory=TERRITORY, today=date(2026, 11, 2), max_bytes=10_000
    )
    assert (found.datasets, other.datasets) == (("essai",), ("mediation-numerique",))


def workbook(tmp_path: Path, sheets: dict[str, list[dict[str, str]]]) -> import_sites.ValidatedFile:
    path = tmp_path / "lieux.xlsx"
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, records in sheets.items():
        sheet = book.create_sheet(title)
        sheet.append(list(VALID))
        for record in records:
            sheet.append([record[name] for name in VALID])
    book.save(path)
    return import_sites.read(
        path, territory=TERRITORY, today=date(2026, 11, 2), max_bytes=1_000_000, dataset="essai"
    )


def test_issues_of_several_sheets_name_theirs_and_refuse_its_record(tmp_path):
    found = workbook(
        tmp_path,
        {
            "Nord": [VALID, {**NAMELESS, "id": "b"}],
            "Sud": [{**VALID, "id": "c"}, {**VALID, "id": "d"}, VALID],
        },
    )
    assert [record.key for record in found.validated.records] == ["essai--a", "essai--c", "essai--d"]
    rejected = [i for i in found.validated.issues if i.severity is Severity.REJECTED]
    assert [(i.sheet, i.line, i.code) for i in rejected] == [
        ("Nord", 3, "nom_absent"),
        ("Sud", 4, "identifiant_en_double"),
    ]
    assert found.refused == {"essai--b", "essai--a"}
    assert issue_records(rejected)[0]["reason"] == "Ce lieu n'a pas de nom. Feuille « Nord »."


def test_what_is_found_about_the_file_comes_first_and_is_no_row(tmp_path):
    found = workbook(tmp_path, {"Lieux": [VALID], "Notes": [dict.fromkeys(VALID, "")]})
    first = found.validated.issues[0]
    assert (first.code, first.severity) == ("feuilles_lues", Severity.REPAIRED)
    assert found.validated.tally.read == 1
    only = workbook(tmp_path, {"Lieux": [VALID]})
    assert {issue.code for issue in only.validated.issues}.isdisjoint({"feuilles_lues", "entete_trouve"})
