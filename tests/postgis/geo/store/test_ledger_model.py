"""The ledger against a plain model of it, over histories drawn at random on the real database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from geo.errors import AlreadyReversed, ClosedPeriod, InsufficientFunds, InvalidParameter, PorteeError
from geo.funding.ledger import (
    Balance,
    Commitment,
    Contribution,
    Level,
    Order,
    Payment,
    Release,
    Reversal,
)
from geo.funding.match_rule import MatchRule
from geo.funding.partners import Partner, PartnerKind
from geo.funding.reports import MEASURES, By
from geo.store import ledger, partners
from geo.territory.model import TerritoryKind
from tests.support.world import TERRITORY

ACTOR = "Modèle"
CEILING = 1_500
CODES = ("caf", "msa")
COMMUNES = (None, "99001", "99002", "elsewhere")

cents = st.integers(1, 3_000)
days = st.integers(0, 500).map(lambda n: date(2024, 6, 1) + timedelta(n))
closings = st.integers(0, 90).map(lambda n: date(2024, 6, 1) + timedelta(n))
laters = st.integers(-2, 200).map(timedelta)
parts = st.integers(1, 700)
codes = st.sampled_from(CODES)
communes = st.sampled_from(COMMUNES)


@dataclass
class Told:
    """An order accepted, its match, and whether it was undone."""

    order: Order
    matched: int = 0
    undone: bool = False


def machine(connection):
    """A state machine over a connection; each history is undone when it ends."""

    class Fund(RuleBasedStateMachine):
        def __init__(self):
            super().__init__()
            self.savepoint = connection.begin_nested()
            self.told: dict[str, Told] = {}
            self.closed = date.min
            self.number = 0
            for code in CODES:
                partners.save(connection, Partner(code, code, PartnerKind.PUBLIC, fictif=True), actor=ACTOR)
            ledger.set_rule(connection, MatchRule(date(2024, 1, 1), 7_500, CEILING), actor=ACTOR)

        def teardown(self):
            try:
                self.check_reports()
            finally:
                self.savepoint.rollback()

        # --- the model: sums over what was accepted and stands

        def standing(self, kind):
            return [t for t in self.told.values() if isinstance(t.order, kind) and not t.undone]

        def total(self, kind, **about):
            return sum(
                t.order.amount_cents
                for t in self.standing(kind)
                if all(getattr(t.order, name) == value for name, value in about.items())
            )

        def balance(self):
            given, paid = self.total(Contribution), self.total(Payment)
            matched = sum(t.matched for t in self.standing(Contribution))
            aside = self.total(Commitment) - self.total(Release)
            return Balance(given, matched, given + matched - aside, aside - paid, paid)

        def left(self, reference):
            known = self.told[reference]
            if known.undone or not isinstance(known.order, Commitment):
                return 0
            return (
                known.order.amount_cents
                - self.total(Release, commitment=reference)
                - self.total(Payment, commitment=reference)
            )

        # --- what is tried

        def reference(self):
            self.number += 1
            return f"R{self.number}"

        def tried(self, order, *failures, matched=0):
            """Post, and expect the first failure whose condition holds, or none."""
            expected = next((failure for failure, holds in failures if holds), None)
            try:
                ledger.post(connection, order, actor=ACTOR)
            except PorteeError as refusal:
                assert type(refusal) is expected, refusal
                return False
            assert expected is None, f"{order} was to be refused as {expected}"
            self.told[order.reference] = Told(order, matched)
            return True

        @initialize(given=st.integers(1_900, 3_000), aside=st.integers(500, 2_000))
        def begin_with_money_and_a_commitment(self, given, aside):
            # Without them most histories would only be refusals.
            self.contribute(given, date(2024, 9, 1), "caf", Level.LOCAL, None)
            assert self.told["R1"].matched == min(given * 3 // 4, CEILING)
            self.commit(aside, date(2024, 9, 2), "pass", "99001")
            assert self.left("R2") == aside

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
            of_year = [t for t in self.standing(Contribution) if t.order.day.year == day.year]
            room = CEILING - sum(t.matched for t in of_year)
            self.tried(order, (ClosedPeriod, day <= self.closed), matched=min(cents * 3 // 4, room))

        @rule(cents=cents, day=days, line=st.sampled_from(["pass", "formation"]), commune=communes)
        def commit(self, cents, day, line, commune):
            order = Commitment(
                reference=self.reference(), day=day, amount_cents=cents, action_line=line, commune=commune
            )
            short = cents > self.balance().available_cents
            self.tried(order, (ClosedPeriod, day <= self.closed), (InsufficientFunds, short))

        @precondition(lambda self: any(isinstance(t.order, Commitment) for t in self.told.values()))
        @rule(data=st.data(), kind=st.sampled_from([Release, Payment]), cents=parts, later=laters)
        def take(self, data, kind, cents, later):
            known = [r for r, t in self.told.items() if isinstance(t.order, Commitment)]
            of = data.draw(st.sampled_from(known))
            day = self.told[of].order.day + later
            order = kind(reference=self.reference(), day=day, amount_cents=cents, commitment=of)
            self.tried(
                order,
                (InvalidParameter, day < self.told[of].order.day),
                (ClosedPeriod, day <= self.closed),
                (InsufficientFunds, cents > self.left(of)),
            )

        @precondition(lambda self: self.told)
        @rule(data=st.data(), later=laters)
        def reverse(self, data, later):
            of = data.draw(st.sampled_from(sorted(self.told)))
            known = self.told[of]
            day = known.order.day + later
            order = Reversal(reference=self.reference(), day=day, reverses=of)
            available = self.balance().available_cents
            is_reversal = isinstance(known.order, Reversal)
            short = (
                (
                    isinstance(known.order, Contribution)
                    and known.order.amount_cents + known.matched > available
                )
                or (isinstance(known.order, Release) and known.order.amount_cents > available)
                or (isinstance(known.order, Commitment) and known.order.amount_cents > self.left(of))
            )
            done = self.tried(
                order,
                (ClosedPeriod, day <= self.closed),
                (AlreadyReversed, is_reversal or known.undone),
                (InvalidParameter, day < known.order.day),
                (InsufficientFunds, short),
            )
            known.undone = known.undone or done

        @precondition(lambda self: self.told)
        @rule(data=st.data())
        def again(self, data):
            reference = data.draw(st.sampled_from(sorted(self.told)))
            order = self.told[reference].order
            assert ledger.post(connection, order, actor=ACTOR) == ledger.find(connection, reference).id

        @rule(day=closings)
        def close(self, day):
            try:
                ledger.close(connection, day, actor=ACTOR)
            except ClosedPeriod:
                assert day <= self.closed
            else:
                self.closed = day

        @rule(year=st.sampled_from([2024, 2025]), day=days)
        def settle(self, year, day):
            reference = self.reference()
            try:
                ledger.settle(connection, year, day, reference, actor=ACTOR)
            except ClosedPeriod:
                assert day <= self.closed
                return
            of_year = [t for t in self.standing(Contribution) if t.order.day.year == year]
            room = CEILING - sum(t.matched for t in of_year)
            # sorted() keeps those of one day in the order of posting.
            for each in sorted(of_year, key=lambda t: t.order.day):
                if each.order.day <= day:
                    more = min(each.order.amount_cents * 3 // 4 - each.matched, room)
                    each.matched += more
                    room -= more

        # --- what always holds

        @invariant()
        def the_books_are_those_of_the_model(self):
            expected = self.balance()
            assert ledger.balance(connection) == expected
            assert min(expected.available_cents, expected.committed_cents) >= 0
            assert ledger.faults(connection) == []
            found = {each.entry.reference: each for each in ledger.received(connection)}
            for reference, known in self.told.items():
                if isinstance(known.order, Contribution):
                    due = 0 if known.undone else known.order.amount_cents * 3 // 4
                    matched = 0 if known.undone else known.matched
                    assert (found[reference].matched_cents, found[reference].unmatched_cents) == (
                        matched,
                        due - matched,
                    )

        def check_reports(self):
            expected = self.balance()
            for by in (*By, *TerritoryKind):
                report = ledger.report(
                    connection, by, territory=TERRITORY if isinstance(by, TerritoryKind) else None
                )
                total = report.total
                assert (total.contributed_cents, total.matched_cents) == (
                    expected.contributed_cents,
                    expected.matched_cents,
                )
                assert total.paid_cents == expected.paid_cents
                assert total.committed_cents == expected.committed_cents + expected.paid_cents
                assert total.available_cents == expected.available_cents
                for name in MEASURES:
                    if by is not By.YEAR or name != "available_cents":
                        assert sum(getattr(line, name) for line in report.lines) == getattr(total, name)
                if by is By.PARTNER:
                    given = {line.key: line.contributed_cents for line in report.lines if line.key}
                    wanted = {code: self.total(Contribution, partner_code=code) for code in CODES}
                    assert {**dict.fromkeys(CODES, 0), **given} == wanted
                years = [ledger.report(connection, By.LINE, year=y).total for y in range(2024, 2028)]
                assert sum(line.paid_cents for line in years) == expected.paid_cents

    return Fund


def test_any_history_leaves_the_books_as_the_model_has_them(connection):
    run_state_machine_as_test(
        machine(connection),
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
