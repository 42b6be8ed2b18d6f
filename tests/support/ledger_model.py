"""A plain model of the fund, and a state machine that plays random histories on it and on real books.

The model only sums what was accepted and still stands; it shares no code with `geo.funding.posting`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Protocol

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from geo.errors import AlreadyReversed, ClosedPeriod, InsufficientFunds, InvalidParameter, PorteeError
from geo.funding.ledger import Balance, Commitment, Contribution, Level, Order, Payment, Release, Reversal
from geo.funding.match_rule import MatchRule

CEILING = 1_500
RULE = MatchRule(date(2024, 1, 1), 7_500, CEILING)
CODES = ("caf", "msa")
COMMUNES = (None, "99001", "99002", "elsewhere")

cents = st.integers(1, 3_000)
days = st.integers(0, 500).map(lambda n: date(2024, 6, 1) + timedelta(n))
closings = st.integers(0, 90).map(lambda n: date(2024, 6, 1) + timedelta(n))
laters = st.integers(-2, 200).map(timedelta)
parts = st.integers(1, 700)
codes = st.sampled_from(CODES)
communes = st.sampled_from(COMMUNES)


class Books(Protocol):
    """The books under test, with `RULE` and the partners `CODES`."""

    def post(self, order: Order) -> int: ...
    def number_of(self, reference: str) -> int: ...
    def close(self, day: date) -> None: ...
    def settle(self, year: int, day: date, reference: str) -> None: ...
    def balance(self) -> Balance: ...

    def matches(self) -> dict[str, tuple[int, int]]:
        """Of each contribution, by reference: cents matched and unmatched."""
        ...


@dataclass
class Accepted:
    """An order that was accepted, its match, and whether it was reversed."""

    order: Order
    matched: int = 0
    undone: bool = False


@dataclass
class FundModel:
    """What was accepted, by reference, in order of posting."""

    accepted: dict[str, Accepted] = field(default_factory=dict)
    closed: date = date.min

    def standing(self, kind):
        return [each for each in self.accepted.values() if isinstance(each.order, kind) and not each.undone]

    def total(self, kind, **about):
        return sum(
            each.order.amount_cents
            for each in self.standing(kind)
            if all(getattr(each.order, name) == value for name, value in about.items())
        )

    def balance(self):
        given, paid = self.total(Contribution), self.total(Payment)
        matched = sum(each.matched for each in self.standing(Contribution))
        committed = self.total(Commitment) - self.total(Release)
        return Balance(given, matched, given + matched - committed, committed - paid, paid)

    def remaining(self, reference):
        known = self.accepted[reference]
        if known.undone or not isinstance(known.order, Commitment):
            return 0
        taken = self.total(Release, commitment=reference) + self.total(Payment, commitment=reference)
        return known.order.amount_cents - taken

    def of_year(self, year):
        return [each for each in self.standing(Contribution) if each.order.day.year == year]

    def room(self, year):
        return CEILING - sum(each.matched for each in self.of_year(year))

    def is_short(self, reference):
        """Whether the money that a reversal takes back is gone."""
        known = self.accepted[reference]
        available = self.balance().available_cents
        match known.order:
            case Contribution():
                return known.order.amount_cents + known.matched > available
            case Release():
                return known.order.amount_cents > available
            case Commitment():
                return known.order.amount_cents > self.remaining(reference)
        return False

    def settle(self, year, day):
        room = self.room(year)
        # sorted() keeps those of one day in the order of posting.
        for each in sorted(self.of_year(year), key=lambda known: known.order.day):
            if each.order.day <= day:
                more = min(each.order.amount_cents * 3 // 4 - each.matched, room)
                each.matched += more
                room -= more

    def matches(self):
        return {
            reference: (0, 0)
            if known.undone
            else (known.matched, known.order.amount_cents * 3 // 4 - known.matched)
            for reference, known in self.accepted.items()
            if isinstance(known.order, Contribution)
        }


class FundMachine(RuleBasedStateMachine):
    """Plays a history on books and on the model; both must accept, refuse and hold the same."""

    def __init__(self):
        super().__init__()
        self.books = self.open_books()
        self.model = FundModel()
        self.number = 0

    def open_books(self) -> Books:
        raise NotImplementedError

    def reference(self):
        self.number += 1
        return f"R{self.number}"

    def is_closed(self, day):
        return day <= self.model.closed

    def attempt(self, order, *failures, matched=0):
        """Post, and expect the first failure whose condition holds, or none."""
        expected = next((failure for failure, holds in failures if holds), None)
        try:
            self.books.post(order)
        except PorteeError as refusal:
            assert type(refusal) is expected, refusal
            return False
        assert expected is None, f"{order} was to be refused as {expected}"
        self.model.accepted[order.reference] = Accepted(order, matched)
        return True

    # --- what is tried

    @initialize(given=st.integers(1_900, 3_000), committed=st.integers(500, 2_000))
    def begin_with_money_and_a_commitment(self, given, committed):
        # Without them most histories would only be refusals.
        self.contribute(given, date(2024, 9, 1), "caf", Level.LOCAL, None)
        assert self.model.accepted["R1"].matched == min(given * 3 // 4, CEILING)
        self.commit(committed, date(2024, 9, 2), "pass", "99001")
        assert self.model.remaining("R2") == committed

    @rule(cents=cents, day=days, code=codes, level=st.sampled_from(Level), commune=communes)
    def contribute(self, cents, day, code, level, commune):
        order = Contribution(
            reference=self.reference(),
            day=day,
            amount_cents=cents,
            partner_code=code,
            level=level,
            commune=commune,
        )
        matched = min(cents * 3 // 4, self.model.room(day.year))
        self.attempt(order, (ClosedPeriod, self.is_closed(day)), matched=matched)

    @rule(cents=cents, day=days, line=st.sampled_from(["pass", "formation"]), commune=communes)
    def commit(self, cents, day, line, commune):
        order = Commitment(
            reference=self.reference(), day=day, amount_cents=cents, action_line=line, commune=commune
        )
        short = cents > self.model.balance().available_cents
        self.attempt(order, (ClosedPeriod, self.is_closed(day)), (InsufficientFunds, short))

    @precondition(lambda self: any(isinstance(t.order, Commitment) for t in self.model.accepted.values()))
    @rule(data=st.data(), kind=st.sampled_from([Release, Payment]), cents=parts, later=laters)
    def draw_on_a_commitment(self, data, kind, cents, later):
        known = [r for r, t in self.model.accepted.items() if isinstance(t.order, Commitment)]
        commitment = data.draw(st.sampled_from(known))
        committed_on = self.model.accepted[commitment].order.day
        day = committed_on + later
        order = kind(reference=self.reference(), day=day, amount_cents=cents, commitment=commitment)
        self.attempt(
            order,
            (InvalidParameter, day < committed_on),
            (ClosedPeriod, self.is_closed(day)),
            (InsufficientFunds, cents > self.model.remaining(commitment)),
        )

    @precondition(lambda self: self.model.accepted)
    @rule(data=st.data(), later=laters)
    def reverse(self, data, later):
        reverses = data.draw(st.sampled_from(sorted(self.model.accepted)))
        known = self.model.accepted[reverses]
        day = known.order.day + later
        done = self.attempt(
            Reversal(reference=self.reference(), day=day, reverses=reverses),
            (ClosedPeriod, self.is_closed(day)),
            (AlreadyReversed, isinstance(known.order, Reversal) or known.undone),
            (InvalidParameter, day < known.order.day),
            (InsufficientFunds, self.model.is_short(reverses)),
        )
        known.undone = known.undone or done

    @precondition(lambda self: self.model.accepted)
    @rule(data=st.data())
    def post_the_same_again(self, data):
        reference = data.draw(st.sampled_from(sorted(self.model.accepted)))
        number = self.books.post(self.model.accepted[reference].order)
        assert number == self.books.number_of(reference)

    @rule(day=closings)
    def close(self, day):
        try:
            self.books.close(day)
        except ClosedPeriod:
            assert day <= self.model.closed
        else:
            self.model.closed = day

    @rule(year=st.sampled_from([2024, 2025]), day=days)
    def settle(self, year, day):
        try:
            self.books.settle(year, day, self.reference())
        except ClosedPeriod:
            assert self.is_closed(day)
        else:
            self.model.settle(year, day)

    # --- what always holds

    @invariant()
    def the_books_are_those_of_the_model(self):
        expected = self.model.balance()
        assert self.books.balance() == expected
        assert min(expected.available_cents, expected.committed_cents) >= 0
        assert self.books.matches() == self.model.matches()
