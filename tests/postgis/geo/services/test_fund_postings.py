"""Postings and entries of the fund, without HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from geo.errors import DuplicateReference
from geo.funding.ledger import Contribution, EntryKind, Level, Reversal
from geo.funding.match_rule import MatchRule
from geo.funding.partners import Partner, PartnerKind
from geo.services import fund_entries
from geo.services.fund_entries import ContributionYear, EntryFilter, contributions_by_year, find_entries
from geo.services.fund_postings import post
from geo.store import ledger, partners

MARCH = date(2026, 3, 10)


def contribution(reference="C1", cents=1_000, day=MARCH, partner="caf"):
    return Contribution(
        reference=reference, day=day, amount_cents=cents, partner_code=partner, level=Level.LOCAL
    )


@pytest.fixture
def fund(connection):
    for code in ("caf", "msa"):
        partners.save(connection, Partner(code, f"{code} fictive", PartnerKind.PUBLIC), actor="essai")
    ledger.set_rule(connection, MatchRule(date(2024, 1, 1), ceiling_cents=1_500), actor="essai")
    return connection


def references(fund, limit=100, **wanted):
    return [entry.reference for entry in find_entries(fund, EntryFilter(**wanted), limit=limit)]


def test_a_posting_gives_the_entry_its_match_and_the_balance(fund):
    first = post(fund, contribution(), actor="essai")
    assert first.new and first.match
    assert (first.entry.reference, first.match.amount_cents) == ("C1", 1_000)
    assert first.balance.available_cents == 2_000
    assert replace(post(fund, contribution(), actor="essai"), new=True) == first
    assert not post(fund, contribution(), actor="essai").new


def test_a_match_that_the_ceiling_leaves_at_nothing_is_not_posted(fund):
    post(fund, contribution(cents=1_500), actor="essai")
    assert post(fund, contribution("C2"), actor="essai").match is None


def test_another_order_under_a_posted_reference_is_refused(fund):
    post(fund, contribution(), actor="essai")
    with pytest.raises(DuplicateReference):
        post(fund, contribution(cents=1_001), actor="essai")


@pytest.mark.parametrize("batch", [1, 2, 3, 6, 7])
def test_entries_are_found_whatever_the_size_of_a_batch(fund, monkeypatch, batch):
    for rank in range(3):
        post(fund, contribution(f"C{rank}", 10, date(2026, 1 + rank, 1)), actor="essai")
    monkeypatch.setattr(fund_entries, "BATCH", batch)
    every = ["C0", "C0/abondement", "C1", "C1/abondement", "C2", "C2/abondement"]
    assert references(fund) == every
    assert [references(fund, limit) for limit in (0, 1, 5, 6, 7)] == [every[:n] for n in (0, 1, 5, 6, 7)]
    assert references(fund, first=date(2026, 2, 1)) == every[2:]
    assert references(fund, first=date(2026, 2, 2)) == every[4:]
    assert references(fund, last=date(2026, 2, 1)) == every[:4]
    assert references(fund, last=date(2026, 1, 31)) == every[:2]


def test_entries_are_filtered_by_each_condition_alone(fund):
    first = post(fund, contribution(day=date(2025, 12, 31)), actor="essai")
    post(fund, contribution("C2", 10, date(2026, 1, 1), "msa"), actor="essai")
    assert references(fund, kind=EntryKind.MATCH) == ["C1/abondement", "C2/abondement"]
    assert references(fund, partner_code="msa") == ["C2", "C2/abondement"]
    assert references(fund, after=first.entry.id) == ["C1/abondement", "C2", "C2/abondement"]
    new_year = date(2026, 1, 1)
    assert references(fund, first=new_year, last=new_year) == ["C2", "C2/abondement"]
    assert references(fund, first=date(2025, 12, 31), last=new_year)[0] == "C1"


def test_contributions_are_summed_by_year_without_reversed_ones(fund):
    post(fund, contribution("C1", 1_000, date(2025, 5, 1)), actor="essai")
    post(fund, contribution("C2", 900, date(2025, 6, 1)), actor="essai")
    post(fund, contribution("C3", 200, MARCH), actor="essai")
    post(fund, contribution("C4", 300, MARCH), actor="essai")
    post(fund, Reversal(reference="A4", day=MARCH, reverses="C4"), actor="essai")
    assert contributions_by_year(ledger.received(fund, partner_code="caf")) == [
        ContributionYear(2025, 2, 1_900, 1_500, 400),
        ContributionYear(2026, 1, 200, 200, 0),
    ]
    assert contributions_by_year([]) == []
