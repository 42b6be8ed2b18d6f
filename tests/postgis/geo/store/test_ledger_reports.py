"""Reports of the fund against sums worked by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from geo.funding import reports
from geo.funding.ledger import Commitment, Contribution, Level, Order, Payment, Reversal
from geo.funding.match_rule import MatchRule
from geo.funding.partners import Partner, PartnerKind
from geo.funding.reports import By, Line
from geo.store import ledger, ledger_reports, partners
from geo.territory.model import TerritoryKind
from tests.support.world import OWN, TERRITORY

ACTOR = "Agent du fonds"


@pytest.fixture
def filled(connection):
    """Two years, two partners, a ceiling of 1 500 a year, two lines of action; one contribution undone."""
    for code in ("caf", "msa"):
        partners.save(connection, Partner(code, code.upper(), PartnerKind.PUBLIC), actor=ACTOR)
    ledger.set_rule(connection, MatchRule(date(2024, 1, 1), 10_000, 1_500), actor=ACTOR)
    first, second = OWN[0].code, OWN[1].code

    def given(reference: str, day: date, cents: int, code: str, level: Level, **more: Any) -> Contribution:
        return Contribution(
            reference=reference, day=day, amount_cents=cents, partner_code=code, level=level, **more
        )

    def aside(reference: str, day: date, cents: int, line: str, commune: str | None) -> Commitment:
        return Commitment(reference=reference, day=day, amount_cents=cents, action_line=line, commune=commune)

    orders: list[Order] = [
        given("C1", date(2024, 2, 1), 1_000, "caf", Level.LOCAL),
        given("C2", date(2024, 3, 1), 1_000, "msa", Level.EUROPEAN),  # 500 matched, 500 withheld
        aside("E1", date(2024, 4, 1), 600, "pass", first),
        Payment(reference="P1", day=date(2024, 5, 1), amount_cents=400, commitment="E1"),
        given("C3", date(2025, 2, 1), 700, "caf", Level.NATIONAL, fictif=True),
        aside("E2", date(2025, 3, 1), 300, "formation", None),
        Payment(reference="P2", day=date(2025, 4, 1), amount_cents=100, commitment="E2", commune=second),
        given("C4", date(2025, 5, 1), 50, "msa", Level.LOCAL),
        Reversal(reference="A4", day=date(2025, 6, 1), reverses="C4"),
    ]
    ledger.post_all(connection, orders, actor=ACTOR)
    return connection


def sums(line: Line) -> tuple[int, ...]:
    return tuple(getattr(line, name) for name in reports.MEASURES)


TOTAL = (2_700, 2_200, 500, 900, 500, 4_000)
EXPECTED = {
    By.PARTNER: {
        "caf": (1_700, 1_700, 0, 0, 0, 3_400),
        "msa": (1_000, 500, 500, 0, 0, 1_500),
        "": (0, 0, 0, 900, 500, -900),
    },
    # Available at the end of each year.
    By.YEAR: {"2024": (2_000, 1_500, 500, 600, 400, 2_900), "2025": (700, 700, 0, 300, 100, 4_000)},
    By.LEVEL: {
        "european": (1_000, 500, 500, 0, 0, 1_500),
        "local": (1_000, 1_000, 0, 0, 0, 2_000),
        "national": (700, 700, 0, 0, 0, 1_400),
        "": (0, 0, 0, 900, 500, -900),
    },
    By.LINE: {
        "formation": (0, 0, 0, 300, 100, -300),
        "pass": (0, 0, 0, 600, 400, -600),
        "": (2_700, 2_200, 500, 0, 0, 4_900),
    },
    # 100 of the 300 set aside for nowhere in particular were paid for the second commune.
    TerritoryKind.COMMUNE: {
        OWN[0].code: (0, 0, 0, 600, 400, -600),
        OWN[1].code: (0, 0, 0, 0, 100, 0),
        "": (2_700, 2_200, 500, 300, 0, 4_600),
    },
}


@pytest.mark.parametrize("by", EXPECTED)
def test_a_report_sums_what_was_posted(filled, by):
    report = ledger_reports.report(filled, by, territory=TERRITORY)
    told = {line.key: sums(line) for line in report.lines}
    empty = {line.key: (0,) * 6 for line in report.lines}
    assert told == {**empty, **EXPECTED[by]}
    assert sums(report.total) == TOTAL and report.fictif
    if isinstance(by, TerritoryKind):
        assert len(report.lines) == len(OWN) + 1


def test_a_year_counts_the_entries_of_its_days(filled):
    report = ledger_reports.report(filled, By.PARTNER, year=2024)
    assert {line.key: sums(line) for line in report.lines} == {
        "caf": (1_000, 1_000, 0, 0, 0, 2_000),
        "msa": (1_000, 500, 500, 0, 0, 1_500),
        "": (0, 0, 0, 600, 400, -600),
    }
    assert not report.fictif
    (only,) = ledger_reports.report(filled, By.YEAR, year=2025).lines
    assert sums(only) == EXPECTED[By.YEAR]["2025"]


def test_leverage_and_sums_per_inhabitant(filled):
    total = ledger_reports.report(filled, TerritoryKind.COMMUNE, territory=TERRITORY).total
    # (2 700 + 2 200) / 2 700 = 1.814…
    assert total.leverage == Decimal("1.81")
    inhabitants = sum(commune.population for commune in OWN)
    assert total.population == inhabitants
    exact = Decimal(2_700) / 100 / inhabitants
    told = total.per_inhabitant("contributed_cents")
    assert told is not None and abs(told - exact) <= Decimal("0.005")
    assert Line("x", "x").leverage is None and Line("x", "x").per_inhabitant("paid_cents") is None


def test_an_empty_fund_reports_nothing(connection):
    for by in (*By, *TerritoryKind):
        report = ledger_reports.report(connection, by, territory=TERRITORY)
        assert sums(report.total) == (0,) * 6 and not report.fictif


def test_rows_for_a_spreadsheet_have_a_value_for_each_heading(filled):
    for by in (*By, *TerritoryKind):
        heading, *rows = reports.rows(ledger_reports.report(filled, by, territory=TERRITORY))
        assert all(len(row) == len(heading) for row in rows)
        total = dict(zip(heading, rows[-1], strict=True))
        assert (total["contributions (€)"], total["disponible (€)"], total["fictif"]) == (
            "27.00",
            "40.00",
            "oui",
        )


def test_contributions_have_their_match_and_what_the_ceiling_withholds(filled):
    told = [
        (r.entry.reference, r.matched_cents, r.unmatched_cents, r.entry.reversed_by is not None)
        for r in ledger.received(filled)
    ]
    assert told == [
        ("C1", 1_000, 0, False),
        ("C2", 500, 500, False),
        ("C3", 700, 0, False),
        ("C4", 0, 0, True),
    ]
    assert [r.entry.reference for r in ledger.received(filled, year=2024, partner_code="msa")] == ["C2"]
