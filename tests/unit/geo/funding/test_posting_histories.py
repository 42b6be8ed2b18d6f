"""Posting rules over random histories, against the model and against themselves."""

from __future__ import annotations

from datetime import date
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from geo.funding import posting
from geo.funding.ledger import (
    MOVES,
    EntryKind,
)
from geo.funding.ledger_state import LedgerState
from geo.funding.match_rule import MatchRule
from geo.funding.posting import (
    count_new_entries,
    post,
    references,
    settle,
    settling_rule,
    try_post,
)
from tests.support.ledger_model import RULE, FundMachine
from tests.support.postings import (
    as_entries,
    balance,
    commitment,
    contribution,
    matched,
    payment,
    release,
    reversal,
    state,
)


class PureBooks:
    """Books in memory: what `geo.store.ledger` does, without a database."""

    def __init__(self):
        self.state = state(RULE)

    def post(self, order):
        return post(self.state, order)

    def number_of(self, reference):
        return self.state.by_reference[reference][0]

    def close(self, day):
        posting.require_closable(day, closed_until=self.state.closed_until, today=date(2030, 1, 1))
        self.state.closed_until = day

    def settle(self, year, day, reference):
        posting.require_open(self.state.closed_until, day, reference)
        so_far = matched(self.state)
        contributions = [
            (entry, 0 if entry.reversed_by else entry.due_cents - so_far[entry.id])
            for entry in as_entries(self.state)
            if entry.kind is EntryKind.CONTRIBUTION and entry.day.year == year
        ]
        given = sum(so_far[entry.id] for entry, _ in contributions)
        rule = settling_rule(self.state.rules, year, day)
        for match in settle(contributions, rule, given, day=day, reference=reference):
            match_id = self.state.add(match)
            self.state.matches.setdefault(match.contribution_id, []).append(match_id)
            self.state.matched_cents[year] = self.state.matched_cents.get(year, 0) + match.amount_cents

    def balance(self):
        recounted = balance(self.state)
        assert self.state.available_cents == recounted.available_cents
        assert sum(self.state.remaining_cents.values()) == recounted.committed_cents
        assert min(self.state.remaining_cents.values(), default=0) >= 0
        return recounted

    def matches(self):
        so_far = matched(self.state)
        return {
            entry.reference: (
                so_far[entry.id],
                0 if entry.reversed_by else entry.due_cents - so_far[entry.id],
            )
            for entry in as_entries(self.state)
            if entry.kind is EntryKind.CONTRIBUTION
        }


class PureFund(FundMachine):
    def open_books(self):
        return PureBooks()


def test_any_history_leaves_the_books_as_the_model_has_them():
    run_state_machine_as_test(
        PureFund,
        settings=settings(
            max_examples=150,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


CENTS = st.integers(1, 500)
REFERENCES = st.sampled_from("ABCDEF")
ORDERS = st.one_of(
    st.builds(contribution, REFERENCES, CENTS, st.dates(date(2025, 1, 1), date(2026, 12, 31))),
    st.builds(commitment, REFERENCES, CENTS),
    st.builds(release, REFERENCES, CENTS, REFERENCES),
    st.builds(payment, REFERENCES, CENTS, REFERENCES),
    st.builds(reversal, REFERENCES, REFERENCES),
)


@settings(max_examples=200)
@given(st.lists(ORDERS, max_size=20))
def test_posting_over_reloaded_books_gives_the_same_as_over_all(orders):
    """What `_load_state` loads is enough: a state with just that answers as one that saw everything."""
    whole = state(MatchRule(date(2024, 1, 1), 7_500, 300))
    for order in orders:
        known = [entry for entry in as_entries(whole) if entry.reference in references([order])]
        numbers = {entry.id for entry in known}
        part = LedgerState(
            ids=count(len(whole.drafts) + 1),
            rules=whole.rules,
            partners=whole.partners,
            available_cents=whole.available_cents,
            remaining_cents=dict(whole.remaining_cents),
            matched_cents=dict(whole.matched_cents),
        )
        for entry in known + [e for e in as_entries(whole) if e.contribution_id in numbers]:
            if entry in known or entry.kind is EntryKind.MATCH:
                part.load(entry)
        most = count_new_entries([order], part)
        expected, found = try_post(whole, order), try_post(part, order)
        assert type(found) is type(expected)
        assert str(found) == str(expected)
        assert part.drafts == whole.drafts[len(whole.drafts) - len(part.drafts) :]
        assert len(part.drafts) <= most


@settings(max_examples=100)
@given(st.lists(ORDERS, max_size=20))
def test_a_refused_order_changes_nothing(orders):
    books = state(MatchRule(date(2024, 1, 1), 7_500, 300))
    accepted = [order for order in orders if isinstance(try_post(books, order), int)]
    again = state(MatchRule(date(2024, 1, 1), 7_500, 300))
    for order in accepted:
        post(again, order)
    assert again.drafts == books.drafts
    assert (again.matched_cents, again.remaining_cents) == (books.matched_cents, books.remaining_cents)


@given(st.lists(ORDERS, max_size=20))
def test_each_kind_moves_money_between_its_accounts_and_reversals_are_mirrors(orders):
    books = state()
    for order in orders:
        try_post(books, order)
    for _, each in books.drafts:
        assert each.amount_cents > 0
        if each.kind is EntryKind.REVERSAL:
            original = books.by_id[each.reverses]
            assert (each.source, each.destination) == (original.destination, original.source)
            assert each.amount_cents == original.amount_cents
        else:
            assert (each.source, each.destination) == MOVES[each.kind]
    undone = [each.reverses for _, each in books.drafts if each.reverses]
    assert len(undone) == len(set(undone))
    assert len({each.reference for _, each in books.drafts}) == len(books.drafts)
