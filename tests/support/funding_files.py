"""Files of money, passes and actions for tests: good rows of each kind, written and read."""

from __future__ import annotations

import csv
from datetime import date

import openpyxl
from hypothesis import strategies as st

from geo.funding.action_kinds import load_kinds
from geo.funding.passes import Order
from geo.funding.row_reader import read
from geo.funding.row_records import RowReferences
from geo.funding.template_columns import templates
from tests.support.world import TERRITORY

KINDS = load_kinds()
TEMPLATES = templates(KINDS)
TODAY = date(2026, 11, 23)
ORDER = Order("P-2026", date(2026, 2, 1), 100, date(2026, 9, 30), (("caf", 100),))
KNOWN = RowReferences(TERRITORY, {"caf", "asso"}, {"essai--a"}, {"P-2026": ORDER}, KINDS)

GOOD = {
    "partners": [
        {"code": "caf", "name": "Caisse", "kind": "organisme public", "network_from": "01/02/2025"},
        {"code": "asso", "name": "=jamais", "kind": "association", "fictif": "oui"},
    ],
    "partner-sites": [{"partner": "caf", "site": "essai--a", "role": "porte"}],
    "conventions": [{"partner": "caf", "year": "2026", "reference": "DEL-12", "note": "Signée"}],
    "contributions": [
        {"reference": "C1", "day": "2026-01-15", "partner": "caf", "amount": "1 000,50 €", "level": "local"},
        {
            "reference": "C2",
            "day": "16/01/2026",
            "partner": "asso",
            "amount": "0.01",
            "level": "européen",
            "commune": "deux etangs",
        },
    ],
    "commitments": [
        {"reference": "E1", "day": "2026-02-01", "amount": "1500", "action_line": "Pass", "commune": "99004"},
        {"reference": "E2", "day": "2026-02-02", "amount": "100", "action_line": "Bus", "partner": "asso"},
        {"reference": "E3", "day": "2026-02-02", "amount": "70", "action_line": "Pass"},
    ],
    "payments": [{"reference": "V1", "day": "2026-03-01", "amount": "40,25", "commitment": "E2"}],
    "pass-orders": [
        {
            "reference": "P-2026",
            "day": "2026-02-01",
            "count": "100",
            "expires_on": "30/09/2026",
            "funders": "caf=60 | asso=40",
        }
    ],
    "pass-events": [
        {"reference": "D1", "order": "P-2026", "kind": "donné", "day": "2026-02-10", "count": "20"}
        | {"commune": "Ouestville", "partner": "asso"},
        {"reference": "U1", "order": "P-2026", "kind": "utilisés", "day": "2026-03-10", "count": "8"}
        | {"commune": "99001", "site": "essai--a"},
        {"reference": "U2", "order": "P-2026", "kind": "used", "day": "2026-03-10", "count": "-2"}
        | {"commune": "99001", "site": "essai--a", "corrects": "U1"},
        {"reference": "R1", "order": "P-2026", "kind": "remboursés", "day": "2026-04-01", "count": "6"}
        | {"site": "essai--a", "commitment": "E3"},
    ],
    "action-equipment": [
        {"reference": "A1", "day": "2026-05-01", "commune": "Estbourg", "households": "3", "devices": "4"}
    ],
    "action-training": [
        {
            "reference": "A2",
            "day": "2026-05-02",
            "until": "2026-05-09",
            "commune": "99001",
            "audience": "aidants",
        }
        | {"sessions": "2", "hours": "5,5", "participants": "9", "amount": "77,70", "partner": "caf"}
    ],
    "action-refurbishing": [
        {"reference": "A3", "day": "2026-05-03", "commune": "99002", "collected": "9", "refurbished": "7"}
        | {"given": "5"}
    ],
    "action-event": [
        {"reference": "A4", "day": "2026-05-04", "commune": "99002", "place": "Halle", "site": "essai--a"}
    ],
}
GOOD["partners"][1]["name"] = "Association"

CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            *("", "oui", "caf", "essai--a", "P-2026", "99001", "2026-03-01", "01/03/2026", "5", "1e9", "-1"),
            *("=A1", "'=x", "caf=100", "local", "given", "public", "\u0661", "1 000,00 €", "9" * 20, "0"),
        ]
    ),
)


def written(folder, kind, rows, *, suffix=".csv", name=None):
    """A file of a kind whose rows have these cells, all columns there."""
    headings = [column.heading for column in TEMPLATES[kind].columns]
    cells = [[row.get(column.name, "") for column in TEMPLATES[kind].columns] for row in rows]
    path = folder / f"{name or kind}{suffix}"
    if suffix == ".csv":
        with path.open("w", encoding="utf-8", errors="replace", newline="") as stream:
            csv.writer(stream).writerows([headings, *cells])
    else:
        book = openpyxl.Workbook()
        for row in (headings, *cells):
            book.worksheets[0].append(row)
        book.save(path)
    return path


def reading(path, kind, known=KNOWN, max_bytes=1_000_000):
    return read(path, TEMPLATES[kind], known, today=TODAY, max_bytes=max_bytes)
