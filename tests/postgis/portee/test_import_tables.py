"""`portee import` of tables as real files write them, over a real PostGIS."""

from __future__ import annotations

import json

import openpyxl
import pytest

from tests.postgis.portee.test_sites_commands import portee  # noqa: F401 (a fixture)
from tests.unit.geo.sites.test_validate import VALID


@pytest.fixture
def workbook(tmp_path):
    """Two visible sheets of sites below titles, one of notes, and one hidden."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    rows = {
        "Archive": [{**VALID, "id": "old"}],
        "Nord": [VALID, {**VALID, "id": "2", "nom": ""}],
        "Sud": [{**VALID, "id": "3", "date_maj": "1er octobre 2026"}],
    }
    for title, records in rows.items():
        sheet = book.create_sheet(title)
        sheet.append([f"Lieux : {title}"])
        sheet.append([name.replace("_", " ").capitalize() for name in VALID])
        for record in records:
            sheet.append([record[name] for name in VALID])
    book.create_sheet("Notes").append(["Ne pas modifier"])
    book["Archive"].sheet_state = "hidden"
    path = tmp_path / "lieux.xlsx"
    book.save(path)
    return path


def test_the_report_names_the_sheets_read_and_left_the_header_and_the_sheet_of_each_issue(portee, workbook):  # noqa: F811
    said = portee("import", workbook, "--dataset", "essai").stdout
    text = " ".join(said.split())
    assert "Lignes lues 3 · acceptées 2 · rejetées 1" in text
    assert (
        "Les feuilles « Nord » et « Sud » sont lues, et non « Archive » (masquée), « Notes » "
        "(pas une liste de lieux connue)." in text
    )
    assert "L'en-tête est à la ligne 2 ; la ligne 1 est un titre." in text
    assert "« Code postal » comme « code_postal »" in text
    assert "feuille « Nord », ligne 4" in text
    assert "()" not in text


def test_the_report_in_json_holds_the_same(portee, workbook):  # noqa: F811
    found = json.loads(portee("import", workbook, "--dataset", "essai", "--json").stdout)
    issues = {issue["code"]: issue for issue in found["issues"]}
    assert (found["read"], found["accepted"], found["rejected"], found["new"]) == (3, 2, 1, 2)
    assert {"feuilles_lues", "entete_trouve", "entetes_adaptes", "date_normalisee"} <= issues.keys()
    assert issues["nom_absent"]["reason"].endswith("Feuille « Nord ».")
    again = json.loads(portee("import", workbook, "--dataset", "essai", "--json").stdout)
    assert (again["unchanged"], again["vanished"]) == (2, 0)
