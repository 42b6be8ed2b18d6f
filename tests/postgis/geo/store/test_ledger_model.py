"""The ledger against a plain model of it, over random histories on the real database."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, run_state_machine_as_test
from sqlalchemy import Connection

from geo.funding.ledger import Contribution
from geo.funding.partners import Partner, PartnerKind
from geo.funding.reports import MEASURES, By
from geo.store import ledger, ledger_reports, partners
from geo.territory.model import TerritoryKind
from tests.support.ledger_model import CODES, RULE, FundMachine
from tests.support.world import TERRITORY

ACTOR = "Modèle"


class StoredBooks:
    """The books in the database; all is undone when a history ends."""

    def __init__(self, connection):
        self.connection = connection
        self.savepoint = connection.begin_nested()
        for code in CODES:
            partners.save(connection, Partner(code, code, PartnerKind.PUBLIC, fictif=True), actor=ACTOR)
        ledger.set_rule(connection, RULE, actor=ACTOR)

    def post(self, order):
        return ledger.post(self.connection, order, actor=ACTOR)

    def number_of(self, reference):
        return ledger.find(self.connection, reference).id

    def close(self, day):
        ledger.close(self.connection, day, actor=ACTOR)

    def settle(self, year, day, reference):
        ledger.settle(self.connection, year, day, reference, actor=ACTOR)

    def balance(self):
        return ledger.balance(self.connection)

    def matches(self):
        return {
            each.entry.reference: (each.matched_cents, each.unmatched_cents)
            for each in ledger.received(self.connection)
        }


class StoredFund(FundMachine):
    connection: Connection

    def open_books(self):
        books = StoredBooks(self.connection)
        self.savepoint = books.savepoint
        return books

    def teardown(self):
        try:
            self.check_reports()
        finally:
            self.savepoint.rollback()

    @invariant()
    def the_recount_finds_nothing_wrong(self):
        assert ledger_reports.faults(self.connection) == []

    def check_reports(self):
        expected = self.model.balance()
        for by in (*By, *TerritoryKind):
            report = ledger_reports.report(
                self.connection, by, territory=TERRITORY if isinstance(by, TerritoryKind) else None
            )
            check_report(report, expected)
        by_partner = ledger_reports.report(self.connection, By.PARTNER)
        given = {line.key: line.contributed_cents for line in by_partner.lines if line.key}
        wanted = {code: self.model.total(Contribution, partner_code=code) for code in CODES}
        assert {**dict.fromkeys(CODES, 0), **given} == wanted
        years = [ledger_reports.report(self.connection, By.LINE, year=y).total for y in range(2024, 2028)]
        assert sum(line.paid_cents for line in years) == expected.paid_cents


def check_report(report, expected):
    """The total is that of the books, and the sum of the lines."""
    total = report.total
    assert (total.contributed_cents, total.matched_cents) == (
        expected.contributed_cents,
        expected.matched_cents,
    )
    assert total.paid_cents == expected.paid_cents
    assert total.committed_cents == expected.committed_cents + expected.paid_cents
    assert total.available_cents == expected.available_cents
    for name in MEASURES:
        if report.by is not By.YEAR or name != "available_cents":
            assert sum(getattr(line, name) for line in report.lines) == getattr(total, name)


def test_any_history_leaves_the_books_as_the_model_has_them(connection, monkeypatch):
    monkeypatch.setattr(StoredFund, "connection", connection, raising=False)
    run_state_machine_as_test(
        StoredFund,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
