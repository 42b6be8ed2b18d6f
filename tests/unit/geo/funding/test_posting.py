"""Posting rules without a database, each at its limit; random ones: test_posting_histories."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from geo.errors import (
    AlreadyReversed,
    ClosedPeriod,
    DuplicateReference,
    InsufficientFunds,
    InvalidParameter,
    NoRule,
    UnknownEntry,
    UnknownPartner,
)
from geo.funding import posting
from geo.funding.ledger import (
    Balance,
    EntryKind,
)
from geo.funding.match_rule import MatchRule
from geo.funding.posting import (
    post,
    settle,
    settling_rule,
)
from tests.support.ledger_model import CODES
from tests.support.postings import (
    DAY,
    as_entries,
    balance,
    commitment,
    contribution,
    draft,
    payment,
    release,
    reversal,
    state,
)

# --- contributions and their match


def test_a_match_is_rounded_down_to_the_cent():
    books = state(MatchRule(date(2024, 1, 1), 5_000))
    # Halves: 1.5 and 2.5 cents, which rounding to the nearest even would make 2 and 2.
    for reference, cents, expected in (("A", 3, 1), ("B", 5, 2)):
        post(books, contribution(reference, cents))
        assert draft(books, f"{reference}/abondement").amount_cents == expected
        assert draft(books, reference).due_cents == expected


def test_a_contribution_that_is_due_nothing_has_no_match():
    books = state(MatchRule(date(2024, 1, 1), 5_000))
    post(books, contribution("A", 1))
    assert [each.reference for _, each in books.drafts] == ["A"]


def test_a_ceiling_is_of_the_contributions_own_year():
    books = state(MatchRule(date(2024, 1, 1), ceiling_cents=1_000))
    post(books, contribution("A", 1_000, date(2024, 12, 31)))
    post(books, contribution("B", 1_000, date(2025, 1, 1)))
    post(books, contribution("C", 1, date(2025, 1, 1)))
    assert books.matched_cents == {2024: 1_000, 2025: 1_000}
    assert "C/abondement" not in books.by_reference


def test_the_rule_of_the_day_applies_from_that_day_on():
    books = state(MatchRule(date(2025, 1, 1)), MatchRule(DAY, 5_000))
    post(books, contribution("A", 100, date(2025, 3, 9)))
    post(books, contribution("B", 100, DAY))
    assert (draft(books, "A").due_cents, draft(books, "B").due_cents) == (100, 50)
    with pytest.raises(NoRule):
        post(books, contribution("C", 100, date(2024, 12, 31)))


def test_a_partner_must_be_known():
    with pytest.raises(UnknownPartner, match="autre"):
        post(state(), contribution("A", 1, partner_code="autre"))


# --- commitments, releases and payments


def test_all_that_is_available_can_be_committed_and_not_a_cent_more():
    books = state()
    post(books, contribution("A", 50))
    with pytest.raises(InsufficientFunds):
        post(books, commitment("E", 101))
    post(books, commitment("E", 100))
    assert books.available_cents == 0


@pytest.mark.parametrize("order", [release, payment])
def test_all_that_remains_of_a_commitment_can_be_taken_and_not_a_cent_more(order):
    books = state()
    post(books, contribution("A", 100))
    post(books, commitment("E", 60))
    post(books, payment("P", 20, "E"))
    with pytest.raises(InsufficientFunds):
        post(books, order("X", 41, "E"))
    post(books, order("X", 40, "E"))
    assert books.remaining_cents[books.by_reference["E"][0]] == 0


def test_a_payment_has_its_own_partner_commune_and_site_before_those_of_the_commitment():
    books = state()
    post(books, contribution("A", 100))
    post(books, commitment("E", 60, partner_code="caf", commune="99001", site_id="essai--a"))
    post(books, payment("P", 1, "E"))
    post(books, payment("Q", 1, "E", partner_code="msa", commune="99002", site_id="essai--b"))
    for reference, expected in (("P", ("caf", "99001", "essai--a")), ("Q", ("msa", "99002", "essai--b"))):
        found = draft(books, reference)
        assert (found.partner_code, found.commune, found.site_id) == expected
        assert found.action_line == "pass"
    with pytest.raises(UnknownPartner):
        post(books, payment("R", 1, "E", partner_code="autre"))


@pytest.mark.parametrize("order", [release, payment])
def test_a_commitment_is_drawn_on_from_its_own_day(order):
    books = state()
    post(books, contribution("A", 100))
    post(books, commitment("E", 60))
    with pytest.raises(InvalidParameter, match="précède"):
        post(books, order("X", 1, "E", date(2025, 3, 9)))
    post(books, order("X", 1, "E", DAY))
    with pytest.raises(UnknownEntry, match="engagement"):
        post(books, order("Y", 1, "A"))


# --- reversals


def test_a_reversal_needs_the_money_of_the_contribution_and_of_its_match():
    books = state()
    post(books, contribution("A", 100))
    post(books, commitment("E", 1))
    with pytest.raises(InsufficientFunds):
        post(books, reversal("R", "A"))
    post(books, release("L", 1, "E"))
    post(books, reversal("R", "A"))
    assert balance(books) == Balance(0, 0, 0, 0, 0)
    assert draft(books, "R/abondement").memo == "Abondement de A"


def test_a_reversal_makes_room_for_the_next_order_of_the_batch():
    books = state(MatchRule(date(2024, 1, 1), ceiling_cents=100))
    for order in (contribution("A", 100), reversal("R", "A"), contribution("B", 70)):
        post(books, order)
    assert draft(books, "B/abondement").amount_cents == 70
    assert books.matched_cents == {2025: 70}


def test_a_refused_reversal_makes_no_room():
    books = state(MatchRule(date(2024, 1, 1), ceiling_cents=100))
    post(books, contribution("R", 1))
    post(books, contribution("A", 99))
    # The name of the reversal's match is taken by the match of R.
    with pytest.raises(DuplicateReference):
        post(books, reversal("R", "A"))
    books.by_reference["S/abondement"] = books.by_reference["R"]
    with pytest.raises(DuplicateReference):
        post(books, reversal("S", "A"))
    assert books.matched_cents == {2025: 100}


def test_a_contribution_posted_again_and_then_reversed_gives_its_match_back_once():
    books = state()
    post(books, contribution("A", 100))
    reloaded = state(available_cents=200)
    for entry in as_entries(books) * 2:
        reloaded.load(entry)
    assert post(reloaded, contribution("A", 100)) == 1
    post(reloaded, reversal("R", "A"))
    assert [each.reference for _, each in reloaded.drafts] == ["R", "R/abondement"]


def test_later_matches_are_reversed_with_the_contribution():
    books = state(MatchRule(date(2024, 1, 1), ceiling_cents=50))
    post(books, contribution("A", 100))
    [entry] = [each for each in as_entries(books) if each.reference == "A"]
    [match] = settle([(entry, 50)], MatchRule(DAY), 50, day=DAY, reference="S")
    books.matches[entry.id].append(books.add(match))
    post(books, reversal("R", "A"))
    assert [each.reference for _, each in books.drafts[-3:]] == ["R", "R/abondement", "R/abondement/2"]
    assert balance(books) == Balance(0, 0, 0, 0, 0)


@pytest.mark.parametrize("reverses", ["A/abondement", "R"])
def test_matches_and_reversals_are_not_reversed_by_themselves(reverses):
    books = state()
    post(books, contribution("A", 100))
    post(books, contribution("B", 100))
    post(books, reversal("R", "B"))
    with pytest.raises(AlreadyReversed):
        post(books, reversal("X", reverses))


def test_an_entry_is_reversed_from_its_own_day_and_once():
    books = state()
    post(books, contribution("A", 100))
    with pytest.raises(InvalidParameter, match="précède"):
        post(books, reversal("R", "A", date(2025, 3, 9)))
    post(books, reversal("R", "A", DAY))
    with pytest.raises(AlreadyReversed, match="déjà"):
        post(books, reversal("S", "A"))
    with pytest.raises(UnknownEntry):
        post(books, reversal("T", "absente"))


# --- the same again, and closed periods


def test_the_same_order_again_is_the_entry_there_and_another_is_refused():
    books = state()
    order = contribution("A", 100)
    number = post(books, order)
    assert post(books, order) == number
    assert len(books.drafts) == 2
    for change in ({"amount_cents": 99}, {"memo": "autre"}, {"commune": "99001"}, {"fictif": True}):
        with pytest.raises(DuplicateReference):
            post(books, replace(order, **change))


def test_the_last_closed_day_is_closed_and_the_next_is_open():
    books = state(closed_until=DAY)
    with pytest.raises(ClosedPeriod):
        post(books, contribution("A", 1, DAY))
    post(books, contribution("A", 1, date(2025, 3, 11)))


def test_a_period_is_closed_once_and_not_before_it_ends():
    posting.require_closable(DAY, closed_until=None, today=DAY)
    posting.require_closable(DAY, closed_until=date(2025, 3, 9), today=DAY)
    with pytest.raises(ClosedPeriod):
        posting.require_closable(DAY, closed_until=DAY, today=DAY)
    with pytest.raises(InvalidParameter, match="pas encore passé"):
        posting.require_closable(date(2025, 3, 11), closed_until=None, today=DAY)


# --- settling


def withheld(*rows):
    """Contributions of which all is unmatched: number, day, cents; maybe reversed."""
    found = []
    for number, day, cents, *undone in rows:
        books = state(MatchRule(date(2024, 1, 1), ceiling_cents=0), partners=frozenset(CODES))
        post(books, contribution(f"C{number}", cents, day))
        [entry] = as_entries(books)
        found.append((replace(entry, id=number, reversed_by=9 if undone else None), 0 if undone else cents))
    return found


def settled(contributions, *, ceiling=100, day=DAY, given=0):
    drafts = settle(contributions, MatchRule(DAY, ceiling_cents=ceiling), given, day=day, reference="S")
    return {each.contribution_id: each.amount_cents for each in drafts}


def test_remainders_are_settled_by_day_then_number_as_far_as_there_is_room():
    waiting = withheld((3, date(2025, 1, 2), 60), (2, date(2025, 1, 2), 30), (1, date(2025, 1, 3), 50))
    assert settled(waiting) == {2: 30, 3: 60, 1: 10}
    assert settled(waiting, ceiling=90) == {2: 30, 3: 60}
    assert settled(waiting, given=75) == {2: 25}
    assert settled(waiting, given=100) == {}
    assert settled(waiting, ceiling=None) == {2: 30, 3: 60, 1: 50}


def test_a_contribution_received_after_the_day_of_settling_waits():
    assert settled(withheld((1, DAY, 10), (2, date(2025, 3, 11), 10))) == {1: 10}


def test_a_reversed_contribution_is_not_settled():
    assert settled(withheld((1, DAY, 10, "undone"), (2, DAY, 10))) == {2: 10}


def test_a_year_is_settled_by_its_own_last_rule_at_the_latest():
    old, new = MatchRule(date(2024, 1, 1), ceiling_cents=100), MatchRule(date(2025, 1, 1), ceiling_cents=900)
    assert settling_rule([old, new], 2024, date(2025, 3, 1)) == old
    assert settling_rule([old, new], 2025, date(2025, 3, 1)) == new
    mid = MatchRule(date(2024, 12, 31), ceiling_cents=500)
    assert settling_rule([old, mid, new], 2024, date(2024, 12, 30)) == old
    assert settling_rule([old, mid, new], 2024, date(2025, 1, 1)) == mid
    assert settling_rule([old], 2023, date(2025, 1, 1)) is None


def test_matches_of_a_settlement_are_numbered_and_dated_by_it():
    drafts = settle(
        withheld((1, date(2025, 1, 2), 10), (2, date(2025, 1, 3), 10)),
        MatchRule(DAY),
        0,
        day=DAY,
        reference="S",
    )
    assert [(each.reference, each.day, each.kind) for each in drafts] == [
        ("S/1", DAY, EntryKind.MATCH),
        ("S/2", DAY, EntryKind.MATCH),
    ]
    assert settle(withheld((1, DAY, 10)), None, 0, day=DAY, reference="S") == []
