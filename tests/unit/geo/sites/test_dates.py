"""The date a record was updated: what is read, and which dates are plausible."""

from __future__ import annotations

from datetime import date

import pytest

from geo.sites.dates import parse_update_date

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
        ("2026-3-2", "écrite"),
        ("", "ne la donne pas"),
    ],
)
def test_other_dates_are_unknown_with_the_reason(cell, why):
    found, (finding,) = parse_update_date(cell, today=TODAY)
    assert found is None and finding.code == "date_inconnue" and why in finding.detail
