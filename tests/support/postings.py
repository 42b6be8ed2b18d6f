"""Short-hands for orders of the fund, posted to books in memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count

from geo.funding.ledger import (
    Account,
    Balance,
    Commitment,
    Contribution,
    Entry,
    Level,
    Payment,
    Release,
    Reversal,
)
from geo.funding.ledger_state import Draft, LedgerState
from geo.funding.match_rule import MatchRule
from tests.support.ledger_model import CODES

DAY = date(2025, 3, 10)
NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)


def state(*rules, **facts):
    """The state of a ledger without entries; one for one since 2024 unless rules are given."""
    facts = {"rules": rules or (MatchRule(date(2024, 1, 1)),), "partners": frozenset(CODES), **facts}
    return LedgerState(ids=count(1), **facts)


def contribution(reference, cents, day=DAY, **changes):
    base = Contribution(
        reference=reference, day=day, amount_cents=cents, partner_code="caf", level=Level.LOCAL
    )
    return replace(base, **changes)


def commitment(reference, cents, day=DAY, **changes):
    base = Commitment(reference=reference, day=day, amount_cents=cents, action_line="pass")
    return replace(base, **changes)


def release(reference, cents, of, day=DAY):
    return Release(reference=reference, day=day, amount_cents=cents, commitment=of)


def payment(reference, cents, of, day=DAY, **changes):
    return replace(Payment(reference=reference, day=day, amount_cents=cents, commitment=of), **changes)


def reversal(reference, of, day=DAY):
    return Reversal(reference=reference, day=day, reverses=of)


def draft(books, reference):
    return books.by_reference[reference][1]


def balance(books):
    """The balance of all accounts, recounted from the drafts."""
    cents: Counter[Account] = Counter()
    for _, each in books.drafts:
        cents[each.source] -= each.amount_cents
        cents[each.destination] += each.amount_cents
    return Balance(
        contributed_cents=-cents[Account.PARTNERS],
        matched_cents=-cents[Account.DEPARTEMENT],
        available_cents=cents[Account.AVAILABLE],
        committed_cents=cents[Account.COMMITTED],
        paid_cents=cents[Account.PAID],
    )


def matched(books):
    """What each contribution is matched with, by number, recounted from the drafts."""
    cents: Counter[int] = Counter()
    for _, each in books.drafts:
        if each.contribution_id is not None and Account.DEPARTEMENT in (each.source, each.destination):
            cents[each.contribution_id] += each.amount_cents * (
                1 if each.source is Account.DEPARTEMENT else -1
            )
    return cents


def as_entries(books):
    """Drafts as the database gives them back."""
    reversed_by = {each.reverses: id_ for id_, each in books.drafts if each.reverses}
    return [
        Entry(
            id=id_,
            actor="moi",
            posted_at=NOON,
            reversed_by=reversed_by.get(id_),
            **{name: getattr(each, name) for name in Draft.__slots__},
        )
        for id_, each in books.drafts
    ]
