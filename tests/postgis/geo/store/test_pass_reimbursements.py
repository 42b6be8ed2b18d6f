"""Reimbursing sites for passes: an event, and a payment in the ledger that reveals no small count."""

from __future__ import annotations

from datetime import date

import pytest

from geo.errors import PorteeError, RefusedPasses
from geo.funding.ledger import Release
from geo.funding.reports import UNPLACED, By
from geo.store import ledger, ledger_reports
from geo.territory.model import TerritoryKind
from tests.support.pass_store import event, funded, record, standing
from tests.support.world import TERRITORY


def pay(connection, books, reference, count, **facts):
    paid = event(reference, "reimbursed", facts.get("day", 9), count, site=facts.get("site", "essai--a"))
    return record(connection, paid, post=books)


def test_a_site_is_paid_for_what_was_used_there_and_no_more(ordered, books):
    record(ordered, event("1", "given", 0, 10), event("2", "used", 5, 4), event("3", "used", 5, 2, site="b"))
    assert pay(ordered, books, "r1", 3).new == 1
    entry = ledger.find(ordered, "pass/r1")
    assert (entry.amount_cents, entry.site_id, entry.day) == (3_000, "essai--a", date(2026, 3, 10))
    with pytest.raises(RefusedPasses, match=r"remboursé de 5 pass .* pour 4 utilisés"):
        pay(ordered, books, "r2", 2)
    assert ledger.balance(ordered).paid_cents == 3_000
    pay(ordered, books, "r3", 1)
    pay(ordered, books, "r4", 2, site="b")
    assert standing(ordered).reimbursed == 6


def test_paying_again_under_the_same_reference_pays_nothing(ordered, books):
    record(ordered, event("1", "given", 0, 10), event("2", "used", 5, 4))
    pay(ordered, books, "r1", 2)
    assert pay(ordered, books, "r1", 2).already == 1
    assert ledger.balance(ordered).paid_cents == 2_000 and standing(ordered).reimbursed == 2


def test_a_payment_is_undone_whole(ordered, books):
    record(ordered, event("1", "given", 0, 10), event("2", "used", 5, 4))
    pay(ordered, books, "r1", 2)
    with pytest.raises(RefusedPasses, match="qu'une partie"):
        record(ordered, event("r2", "reimbursed", 9, -1, corrects="r1"), post=books)
    record(ordered, event("r3", "reimbursed", 9, -2, corrects="r1"), post=books)
    assert standing(ordered).reimbursed == ledger.balance(ordered).paid_cents == 0


def test_a_payment_of_a_closed_period_is_undone_on_the_first_open_day(ordered, books):
    record(ordered, event("1", "given", 0, 10), event("2", "used", 5, 4))
    pay(ordered, books, "r1", 2)
    ledger.close(ordered, date(2026, 6, 30), actor="moi")
    record(ordered, event("r2", "reimbursed", 9, -2, corrects="r1"), post=books)
    assert ledger.find(ordered, "pass/r2").day == date(2026, 7, 1)


def test_a_payment_the_fund_cannot_make_records_no_reimbursement(ordered, books):
    record(ordered, event("1", "given", 0, 100), event("2", "used", 5, 95))
    with pytest.raises(PorteeError):
        pay(ordered, books, "r1", 91)
    assert standing(ordered).reimbursed == 0
    pay(ordered, books, "r1", 90)
    assert ledger.balance(ordered).committed_cents == 0


def public_lines(connection):
    """The lines of all public reports of the fund by partner and by territory, without those of none."""
    return {
        (by, year): [
            line
            for line in ledger_reports.report(connection, by, year=year, territory=TERRITORY).lines
            if line.key != UNPLACED
        ]
        for by in (By.PARTNER, *TerritoryKind)
        if by is not TerritoryKind.DEPARTEMENT
        for year in (None, 2026)
    }


def test_no_public_report_of_the_fund_reveals_how_few_passes_a_site_was_paid_for(ordered, books):
    record(ordered, event("1", "given", 0, 10), event("2", "used", 5, 3))
    before = public_lines(ordered)
    pay(ordered, books, "r1", 3)
    # All that is left is released: what a commitment then shows is what was paid of it.
    ledger.post(
        ordered,
        Release(reference="l", day=date(2026, 3, 10), amount_cents=87_000, commitment="e"),
        actor="moi",
    )
    assert ledger.balance(ordered).paid_cents == 3_000
    assert public_lines(ordered) == before
    whole = ledger_reports.report(ordered, TerritoryKind.COMMUNE, territory=TERRITORY)
    (untied,) = [line for line in whole.lines if line.key == UNPLACED]
    assert (untied.paid_cents, untied.committed_cents, whole.total.paid_cents) == (3_000, 3_000, 3_000)


@pytest.mark.parametrize(
    ("tied", "named"),
    [({"commune": "99001"}, "la commune 99001"), ({"partner_code": "caf"}, "le partenaire caf")],
)
def test_a_commitment_tied_to_a_place_or_partner_pays_for_no_pass(ordered, tied, named):
    post = funded(ordered, **tied)
    record(ordered, event("1", "given", 0, 10), event("2", "used", 5, 3))
    before = public_lines(ordered)
    with pytest.raises(RefusedPasses, match=f"« e » nomme {named}") as refusal:
        pay(ordered, post, "r1", 3)
    assert refusal.value.reference == "r1" and "ni commune ni partenaire" in refusal.value.advice
    assert public_lines(ordered) == before and standing(ordered).reimbursed == 0


def test_a_use_already_paid_for_cannot_be_taken_back(ordered, books):
    record(ordered, event("1", "given", 0, 10), event("2", "used", 5, 4))
    pay(ordered, books, "r1", 3)
    with pytest.raises(RefusedPasses, match=r"remboursé de 3 pass .* pour 2 utilisés"):
        record(ordered, event("3", "used", 5, -2, corrects="2"))
