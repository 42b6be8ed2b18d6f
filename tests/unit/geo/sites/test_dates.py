"""The date a record was updated: what is read, and which dates are plausible."""

from __future__ import annotations

from datetime import date

import pytest

from geo.sites.dates import has_two_readings, parse_update_date, read_date
from tests.support.source_files import csv_of, source

TODAY = date(2026, 11, 2)


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("2026-11-02", date(2026, 11, 2)),
        ("2026-11-03", date(2026, 11, 3)),  # the producer's clock may be ahead
        ("2000-01-01", date(2000, 1, 1)),
        ("1/2/2026", date(2026, 2, 1)),
        ("01.02.2026", date(2026, 2, 1)),
        ("2026-03-02 10:00:00", date(2026, 3, 2)),
        ("2026-10-01T10:00:00Z", date(2026, 10, 1)),
        ("2026-3-2", date(2026, 3, 2)),
        ("2026/10/01", date(2026, 10, 1)),
        ("20261001", date(2026, 10, 1)),
        ("01-10-2026", date(2026, 10, 1)),
        ("01/10/26", date(2026, 10, 1)),
        ("01/10/2026 à 10h30", date(2026, 10, 1)),
        ("10/01/2026", date(2026, 1, 10)),
        ("1 octobre 2026", date(2026, 10, 1)),
        ("1er octobre 2026", date(2026, 10, 1)),
        ("Jeudi 1er Octobre 2026", date(2026, 10, 1)),
        ("le 1er oct. 2026 à 9h", date(2026, 10, 1)),
        ("15 janv. 2026", date(2026, 1, 15)),
        ("2 févr. 26", date(2026, 2, 2)),
        ("3-août-26", date(2026, 8, 3)),
        ("15 juil. 2026", date(2026, 7, 15)),
        ("46296", date(2026, 10, 1)),
        ("46296.75", date(2026, 10, 1)),
        ("36526", date(2000, 1, 1)),
    ],
)
def test_plausible_dates_are_read(cell, found):
    assert parse_update_date(cell, today=TODAY)[0] == found


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("2026-11-04", "avenir"),
        ("1999-12-31", "antérieure à 2000"),
        ("2026-02-29", "n'existe pas"),
        ("mars 2026", "écrite"),
        ("15 jui 2026", "écrite"),  # June or July
        ("2026-10", "écrite"),
        ("4629", "écrite"),
        ("2026-1001", "écrite"),
        ("31/02/2026", "n'existe pas"),
        ("32/01/2026", "n'existe pas"),
        ("00/00/0000", "n'existe pas"),
        ("29 février 2025", "n'existe pas"),
        ("13/13/2026", "n'existe pas"),
        ("36525", "antérieure à 2000"),
        ("47000", "avenir"),  # a postal code
        ("01/10/98", "antérieure à 2000"),
        ("1 octobre 2026 10:00" + "x" * 90, "écrite"),
        ("", "ne la donne pas"),
    ],
)
def test_other_dates_are_unknown_with_the_reason(cell, why):
    found, (finding,) = parse_update_date(cell, today=TODAY)
    assert found is None and finding.code == "date_inconnue" and why in finding.detail


def test_a_date_written_otherwise_than_the_standard_is_reported_as_repaired():
    for cell in ("46296", "1er octobre 2026", "01/10/26", "2026/10/01"):
        found, (finding,) = parse_update_date(cell, today=TODAY)
        assert found == date(2026, 10, 1)
        assert (finding.code, finding.value) == ("date_normalisee", cell)


def test_a_date_whose_month_comes_first_is_read_and_flagged():
    found, (finding,) = parse_update_date("10/13/2026", today=TODAY)
    assert found == date(2026, 10, 13)
    assert finding.code == "date_ambigue" and "13 octobre 2026" in finding.detail


def test_day_numbers_may_count_from_1904():
    assert read_date("44834", from_1904=True) == read_date("46296") == date(2026, 10, 1)


@pytest.mark.parametrize(
    ("cell", "two"),
    [
        ("10/01/2026", True),
        ("1-2-26", True),
        ("10/10/2026", False),
        ("13/01/2026", False),
        ("2026-01-10", False),
    ],
)
def test_a_date_in_figures_may_have_two_readings(cell, two):
    assert has_two_readings(cell) is two


LIEU = {
    "pivot": "",
    "nom": "Lieu fictif",
    "commune": "Aubefeuille",
    "code_postal": "47900",
    "adresse": "1 rue Fictive",
}


@pytest.mark.parametrize(
    ("cells", "flagged"),
    [
        (["10/01/2026", "25/12/2025"], []),
        (["10/01/2026", "01/02/2026"], []),
        (["10/01/2026", "25/12/2025", "12/25/2025", "2026-01-02", "03/03/2026"], [2]),
        (["10/13/2026", "10/01/2026"], [3]),
    ],
)
def test_a_date_is_ambiguous_only_in_a_file_that_mixes_orders(tmp_path, cells, flagged):
    records = [LIEU | {"id": str(rank), "date_maj": cell} for rank, cell in enumerate(cells)]
    rows = source(tmp_path, csv_of(*records)).rows()
    assert [row.line for row in rows if "date_ambigue" in {issue.code for issue in row.issues}] == flagged
