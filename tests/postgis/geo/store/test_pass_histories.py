"""Random histories of passes: the database accepts what the rules allow, and its sums are right."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, text

from geo.errors import RefusedPasses
from geo.funding.passes import Event, EventKind
from geo.store import passes
from tests.support.pass_store import MARCH, A, add_partners, check_sums, funded, record, standing

CITIES = ("99001", "99002", "")
PLACES = ("s", "t")
B = replace(A, reference="B", day=MARCH + timedelta(days=20), count=9, funders=(("dep", 9),))
ORDERS = (replace(A, count=12, funders=(("dep", 12),)), B)


def is_possible(orders, recorded):
    """The rules, written again over a plain list: whether a history of events can be."""
    return all(is_possible_of(order, [e for e in recorded if e.order == order.reference]) for order in orders)


def is_possible_of(order, mine):
    by_day: defaultdict[str, Counter[date]] = defaultdict(Counter)
    for e in mine:
        by_day[e.kind][e.day] += e.count
    return (
        all(is_dated_right(order, e) for e in mine)
        and by_day[EventKind.GIVEN].total() <= order.count
        and all(
            until(by_day, day, "used", "expired") <= until(by_day, day, "given")
            for day in {e.day for e in mine}
        )
        and all(at_site(mine, "reimbursed", site) <= at_site(mine, "used", site) for site in PLACES)
    )


def is_dated_right(order, e):
    if e.kind is EventKind.EXPIRED:
        return e.day > order.expires_on
    return e.day >= order.day and (e.kind is EventKind.REIMBURSED or e.day <= order.expires_on)


def until(by_day, day, *kinds):
    return sum(n for kind in kinds for d, n in by_day[kind].items() if d <= day)


def at_site(mine, kind, site):
    return sum(e.count for e in mine if e.kind == kind and e.site == site)


class History(RuleBasedStateMachine):
    """Random events, recorded in the database and judged by `is_possible`."""

    engine: Engine

    def __init__(self):
        super().__init__()
        self.connection = self.engine.connect()
        self.transaction = self.connection.begin()
        add_partners(self.connection)
        for order in ORDERS:
            passes.order(self.connection, order, "moi")
        self.recorded = []
        self.books = funded(self.connection)

    def teardown(self):
        self.transaction.rollback()
        self.connection.close()

    def attempt(self, *events):
        expected = is_possible(ORDERS, [*self.recorded, *events])
        try:
            record(self.connection, *events, post=self.books)
        except RefusedPasses:
            assert not expected
        else:
            assert expected
            self.recorded += events

    def draw_event(self, kind, day, count, order, commune, site):
        facts = {
            EventKind.GIVEN: {"commune": commune or "99004"},
            EventKind.USED: {"commune": commune, "site": site},
            EventKind.EXPIRED: {"commune": commune},
            EventKind.REIMBURSED: {"site": site},
        }[kind]
        number = len(self.recorded) + self.connection.scalar(text("SELECT nextval('histories')"))
        return Event(str(number), order, kind, MARCH + timedelta(days=day), count, **facts)

    an_event = st.tuples(
        st.sampled_from(list(EventKind)),
        st.sampled_from((-1, 0, 3, 19, 20, 40, 183, 184, 190)),
        st.integers(1, 6),
        st.sampled_from(("A", "B")),
        st.sampled_from(CITIES),
        st.sampled_from(PLACES),
    )

    @rule(drawn=st.lists(an_event, min_size=1, max_size=3))
    def several(self, drawn):
        self.attempt(*(self.draw_event(*each) for each in drawn))

    @rule(day=st.integers(0, 60), count=st.integers(1, 4), order=st.sampled_from(("A", "B")))
    def give(self, day, count, order):
        self.attempt(self.draw_event(EventKind.GIVEN, day, count, order, "99001", ""))

    @rule(day=st.integers(20, 90), count=st.integers(1, 3), commune=st.sampled_from(CITIES))
    def use(self, day, count, commune):
        self.attempt(self.draw_event(EventKind.USED, day, count, "A", commune, "s"))

    @rule(data=st.data())
    def correct(self, data):
        of = [e for e in self.recorded if not e.corrects and e.kind is not EventKind.REIMBURSED]
        if of:
            e = data.draw(st.sampled_from(of))
            left = e.count + sum(c.count for c in self.recorded if c.corrects == e.reference)
            if left:
                back = data.draw(st.integers(1, left))
                number = self.connection.scalar(text("SELECT nextval('histories')"))
                self.attempt(replace(e, reference=f"c{number}", count=-back, corrects=e.reference))

    @rule()
    def again(self):
        if self.recorded:
            assert record(self.connection, *self.recorded, post=self.books).new == 0

    @rule()
    def expire(self):
        found = passes.expire(self.connection, date(2027, 1, 1), "moi")
        self.recorded += found
        for order in ORDERS:
            assert standing(self.connection, order.reference).unused == 0

    @invariant()
    def sums_hold(self):
        check_sums(self.connection, ORDERS, self.recorded)


def test_no_history_breaks_the_rules_and_every_sum_is_that_of_its_events(fresh_engine, monkeypatch):
    with fresh_engine.begin() as connection:
        connection.execute(text("CREATE SEQUENCE histories"))
    monkeypatch.setattr(History, "engine", fresh_engine, raising=False)
    run_state_machine_as_test(
        History,
        settings=settings(
            max_examples=25,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
