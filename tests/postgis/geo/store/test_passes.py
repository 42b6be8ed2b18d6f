"""Passes in the real database: what it keeps, what it refuses, whoever writes and however."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from dataclasses import asdict, replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from geo.errors import PorteeError, RefusedPasses, UnknownOrder
from geo.funding.ledger import Commitment, Contribution, Level, Release
from geo.funding.match_rule import MatchRule
from geo.funding.pass_reports import by_territory, whole
from geo.funding.passes import Event, EventKind, Order, Standing, delays, expiries
from geo.funding.reports import UNPLACED, By
from geo.store import ledger, ledger_reports, passes
from geo.store.copy_encoder import copy_rows
from geo.territory.model import TerritoryKind
from tests.support.world import TERRITORY

MARCH, AUGUST = date(2026, 3, 1), date(2026, 8, 31)
A = Order("A", MARCH, 100, AUGUST, (("dep", 60), ("caf", 40)), fictif=True)
SUMS = ("pass_total", "pass_day", "pass_site", "pass_commune")


def partners(connection):
    connection.execute(
        text(
            "INSERT INTO partner (code, name, kind, siret, contact_role, website, note)"
            " VALUES ('dep', 'D', 'public', '', '', '', ''), ('caf', 'C', 'public', '', '', '', '')"
        )
    )


@pytest.fixture
def ordered(connection):
    partners(connection)
    assert passes.order(connection, A, "moi")
    return connection


def event(reference, kind, day, count, *, order="A", **facts):
    kind = EventKind(kind)
    if kind is EventKind.GIVEN:
        facts = {"commune": "99001", "partner": "caf", **facts}
    elif kind is not EventKind.EXPIRED:
        facts = {"site": "essai--a", **facts}
    return Event(reference, order, kind, MARCH + timedelta(days=day), count, **facts)


def keep(connection, *events, post=None):
    return passes.record(connection, events, "moi", post)


def standing(connection, order="A"):
    return passes.standing(connection, order)


def funded(connection, **tied):
    """A fund that has set 900 € aside for passes; what posts to it."""
    new_year = date(2026, 1, 1)
    ledger.set_rule(connection, MatchRule(new_year, 10_000), actor="moi")
    ledger.post(
        connection,
        Contribution(reference="c", day=new_year, amount_cents=50_000, partner_code="caf", level=Level.LOCAL),
        actor="moi",
    )
    ledger.post(
        connection,
        Commitment(reference="e", day=new_year, amount_cents=90_000, action_line="pass", **tied),
        actor="moi",
    )
    return passes.paid_from("e", "moi")


@pytest.fixture
def books(ordered):
    return funded(ordered)


# --- orders


def test_an_order_is_read_back_and_the_same_again_is_nothing(ordered):
    assert passes.orders(ordered) == (A,)
    assert not passes.order(ordered, A, "moi")
    assert standing(ordered) == Standing("A", 100, 0, 0, 0, 0)


def test_another_order_of_the_same_reference_is_refused(ordered):
    with pytest.raises(RefusedPasses, match="porte déjà la référence A : 100 pass du 01/03/2026"):
        passes.order(ordered, replace(A, note="autre"), "moi")


def test_an_order_of_an_unknown_funder_is_refused_by_the_database(ordered):
    with pytest.raises(RefusedPasses, match="pas tous connus"):
        passes.order(ordered, replace(A, reference="B", funders=(("nobody", 100),)), "moi")


def test_who_ordered_is_kept(ordered):
    row = ordered.execute(text("SELECT actor, subject, before, after FROM audit")).one()
    assert (row.actor, row.subject, row.before) == ("moi", "pass_order/A", None)
    assert row.after["count"] == 100


def test_an_order_nothing_was_given_of_can_be_withdrawn_and_no_other(ordered):
    passes.withdraw(ordered, "A", "moi")
    assert passes.orders(ordered) == () and passes.standings(ordered) == {}
    with pytest.raises(UnknownOrder):
        passes.withdraw(ordered, "A", "moi")
    passes.order(ordered, A, "moi")
    keep(ordered, event("1", "given", 0, 1))
    with pytest.raises(RefusedPasses, match="des événements la nomment"):
        passes.withdraw(ordered, "A", "moi")


# --- events


def test_events_are_read_back_and_counted(ordered):
    wanted = (event("1", "given", 0, 10), event("2", "used", 5, 4, commune="99002"))
    assert asdict(keep(ordered, *wanted)) == {"new": 2, "already": 0}
    assert passes.events(ordered, ["1", "2", "3"]) == wanted
    assert standing(ordered) == Standing("A", 100, 10, 4, 0, 0)


def test_the_same_event_again_is_nothing(ordered):
    one, two = event("1", "given", 0, 10), event("2", "given", 1, 5)
    keep(ordered, one)
    assert asdict(keep(ordered, one, two, two)) == {"new": 1, "already": 1}
    assert standing(ordered).given == 15


@pytest.mark.parametrize(
    "other",
    [
        {"count": 9},
        {"day": MARCH + timedelta(days=1)},
        {"commune": "99002"},
        {"partner": "dep"},
        {"partner": ""},
        {"kind": EventKind.EXPIRED, "day": AUGUST + timedelta(days=1)},
    ],
)
def test_another_event_of_the_same_reference_is_refused_by_name_and_nothing_is_kept(ordered, other):
    keep(ordered, event("1", "given", 0, 10))
    changed = replace(event("1", "given", 0, 10), **other)
    with pytest.raises(RefusedPasses, match="La référence 1 est déjà") as caught:
        keep(ordered, event("2", "given", 0, 1), changed)
    assert caught.value.reference == "1"
    assert standing(ordered).given == 10


def test_two_events_of_one_reference_in_one_file_are_refused(ordered):
    with pytest.raises(RefusedPasses, match="La référence 1"):
        keep(ordered, event("1", "given", 0, 10), event("1", "given", 0, 11))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ([event("1", "given", 0, 101)], "il en reste 100, et non 101"),
        ([event("1", "given", 0, 60), event("2", "given", 3, 41)], "il en reste 100, et non 101"),
        ([event("1", "given", -1, 1)], "du 28/02/2026.*donnés.*du 01/03/2026"),
        ([event("1", "given", 184, 1)], "jusqu'au 31/08/2026"),
        ([event("0", "given", 0, 1), event("1", "used", 184, 1)], "jusqu'au 31/08/2026"),
        ([event("0", "given", 0, 1), event("1", "expired", 183, 1)], "expirés ne le peuvent"),
        ([event("0", "given", 5, 5), event("1", "used", 5, 6)], "6 pass .* pour 5 donnés ; .* restait 0"),
        ([event("0", "given", 5, 5), event("1", "used", 4, 1)], "Au 05/03/2026, 1 pass .* pour 0 donnés"),
        (
            [event("0", "given", 0, 5), event("1", "used", 4, 3), event("2", "expired", 184, 3)],
            "6 pass .* pour 5 donnés",
        ),
        ([event("1", "given", 0, 1, order="Z")], "la commande « Z »"),
        ([event("1", "given", 0, 1, partner="nobody")], "le partenaire « nobody »"),
        ([event("1", "given", 0, 1, commune="")], "pas de commune"),
        ([event("1", "used", 0, 1, site="")], "pas de lieu"),
        ([event("1", "given", 0, 0)], "pas de nombre"),
        ([event("1", "given", 0, -1)], "pas d'événement corrigé"),
        ([event("1", "given", 0, -1, corrects="0")], "« 0 », qui n'existe pas"),
        ([event("0", "given", 0, 1), event("1", "reimbursed", 0, 1)], "de quel engagement"),
    ],
)
def test_what_cannot_be_is_refused_whole_and_the_connection_goes_on(ordered, wrong, said):
    with pytest.raises(RefusedPasses, match=said) as caught:
        keep(ordered, *wrong)
    assert caught.value.advice
    assert standing(ordered) == Standing("A", 100, 0, 0, 0, 0)
    assert passes.events(ordered, [e.reference for e in wrong]) == ()


def test_the_last_pass_can_be_given_on_the_last_day_and_used_on_it(ordered):
    keep(ordered, event("1", "given", 183, 100), event("2", "used", 183, 100))
    assert standing(ordered).to_give == standing(ordered).unused == 0


# --- corrections


def test_a_correction_takes_passes_back_in_every_sum(ordered):
    keep(ordered, event("1", "given", 0, 10), event("2", "used", 5, 4, commune="99001"))
    keep(ordered, event("3", "used", 5, -3, commune="99001", corrects="2"))
    assert standing(ordered) == Standing("A", 100, 10, 1, 0, 0)
    f = by_territory(passes.counts(ordered), TERRITORY, TerritoryKind.COMMUNE).rows[0].figures
    assert (f.given, f.used, f.delayed) == (10, 1, 1)


def test_an_event_and_its_correction_may_come_together(ordered):
    keep(ordered, event("2", "given", 0, -10, corrects="1"), event("1", "given", 0, 10))
    assert standing(ordered).given == 0


def test_an_event_can_be_corrected_several_times_but_not_below_nothing(ordered):
    keep(ordered, event("1", "given", 0, 10))
    keep(ordered, event("2", "given", 0, -6, corrects="1"))
    with pytest.raises(RefusedPasses, match="10 pass, 11 retirés") as caught:
        keep(ordered, event("3", "given", 0, -5, corrects="1"))
    assert caught.value.reference == "3"
    keep(ordered, event("4", "given", 0, -4, corrects="1"))
    assert standing(ordered).given == 0


@pytest.mark.parametrize(
    "other",
    [
        {"commune": "99002"},
        {"partner": "dep"},
        {"partner": ""},
        {"day": MARCH},
        {"corrects": "2"},
    ],
)
def test_a_correction_is_of_the_same_kind_day_place_and_never_of_a_correction(ordered, other):
    keep(ordered, event("1", "given", 1, 10), event("2", "given", 1, -1, corrects="1"))
    with pytest.raises(RefusedPasses, match="ne peut corriger"):
        keep(ordered, replace(event("3", "given", 1, -1, corrects="1"), **other))


def test_a_gift_whose_passes_were_used_cannot_be_taken_back(ordered):
    keep(ordered, event("1", "given", 0, 10), event("2", "used", 5, 4))
    with pytest.raises(RefusedPasses, match=r"4 pass .* pour 3 donnés"):
        keep(ordered, event("3", "given", 0, -7, corrects="1"))


# --- reimbursement


def pay(connection, books, reference, count, **facts):
    return passes.reimburse(
        connection,
        reference=reference,
        order_reference="A",
        site=facts.get("site", "essai--a"),
        day=MARCH + timedelta(days=facts.get("day", 9)),
        count=count,
        actor="moi",
        post=books,
    )


def test_a_site_is_paid_for_what_was_used_there_and_no_more(ordered, books):
    keep(ordered, event("1", "given", 0, 10), event("2", "used", 5, 4), event("3", "used", 5, 2, site="b"))
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
    keep(ordered, event("1", "given", 0, 10), event("2", "used", 5, 4))
    pay(ordered, books, "r1", 2)
    assert pay(ordered, books, "r1", 2).already == 1
    assert ledger.balance(ordered).paid_cents == 2_000 and standing(ordered).reimbursed == 2


def test_a_payment_is_undone_whole(ordered, books):
    keep(ordered, event("1", "given", 0, 10), event("2", "used", 5, 4))
    pay(ordered, books, "r1", 2)
    with pytest.raises(RefusedPasses, match="qu'une partie"):
        keep(ordered, event("r2", "reimbursed", 9, -1, corrects="r1"), post=books)
    keep(ordered, event("r3", "reimbursed", 9, -2, corrects="r1"), post=books)
    assert standing(ordered).reimbursed == ledger.balance(ordered).paid_cents == 0


def test_a_payment_of_a_closed_period_is_undone_on_the_first_open_day(ordered, books):
    keep(ordered, event("1", "given", 0, 10), event("2", "used", 5, 4))
    pay(ordered, books, "r1", 2)
    ledger.close(ordered, date(2026, 6, 30), actor="moi")
    keep(ordered, event("r2", "reimbursed", 9, -2, corrects="r1"), post=books)
    assert ledger.find(ordered, "pass/r2").day == date(2026, 7, 1)


def test_a_payment_the_fund_cannot_make_keeps_no_reimbursement(ordered, books):
    keep(ordered, event("1", "given", 0, 100), event("2", "used", 5, 95))
    with pytest.raises(PorteeError):
        pay(ordered, books, "r1", 91)
    assert standing(ordered).reimbursed == 0
    pay(ordered, books, "r1", 90)
    assert ledger.balance(ordered).committed_cents == 0


def told_in_public(connection):
    """All that reports of the fund tell by partner and by territory; what is tied to none left out."""
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


def test_no_public_report_of_the_fund_tells_how_few_passes_a_site_was_paid_for(ordered, books):
    keep(ordered, event("1", "given", 0, 10), event("2", "used", 5, 3))
    before = told_in_public(ordered)
    pay(ordered, books, "r1", 3)
    # All that is left is released: what a commitment then shows is what was paid of it.
    ledger.post(
        ordered,
        Release(reference="l", day=date(2026, 3, 10), amount_cents=87_000, commitment="e"),
        actor="moi",
    )
    assert ledger.balance(ordered).paid_cents == 3_000
    assert told_in_public(ordered) == before
    whole = ledger_reports.report(ordered, TerritoryKind.COMMUNE, territory=TERRITORY)
    (untied,) = [line for line in whole.lines if line.key == UNPLACED]
    assert (untied.paid_cents, untied.committed_cents, whole.total.paid_cents) == (3_000, 3_000, 3_000)


@pytest.mark.parametrize(
    ("tied", "named"),
    [({"commune": "99001"}, "la commune 99001"), ({"partner_code": "caf"}, "le partenaire caf")],
)
def test_a_commitment_that_reports_tell_by_place_or_partner_pays_for_no_pass(ordered, tied, named):
    post = funded(ordered, **tied)
    keep(ordered, event("1", "given", 0, 10), event("2", "used", 5, 3))
    before = told_in_public(ordered)
    with pytest.raises(RefusedPasses, match=f"« e » nomme {named}") as refusal:
        pay(ordered, post, "r1", 3)
    assert refusal.value.reference == "r1" and "ni commune ni partenaire" in refusal.value.advice
    assert told_in_public(ordered) == before and standing(ordered).reimbursed == 0


def test_a_use_already_paid_for_cannot_be_taken_back(ordered, books):
    keep(ordered, event("1", "given", 0, 10), event("2", "used", 5, 4))
    pay(ordered, books, "r1", 3)
    with pytest.raises(RefusedPasses, match=r"remboursé de 3 pass .* pour 2 utilisés"):
        keep(ordered, event("3", "used", 5, -2, corrects="2"))


# --- expiry


def test_what_is_left_expires_the_day_after_once(ordered):
    keep(ordered, event("1", "given", 0, 10), event("2", "given", 0, 5, commune="99002"))
    keep(ordered, event("3", "used", 5, 4, commune="99001"))
    assert passes.expire(ordered, AUGUST, "moi") == ()
    found = passes.expire(ordered, AUGUST + timedelta(days=1), "moi")
    assert [(e.commune, e.count, e.day) for e in found] == [
        ("99001", 6, date(2026, 9, 1)),
        ("99002", 5, date(2026, 9, 1)),
    ]
    assert passes.expire(ordered, date(2030, 1, 1), "moi") == ()
    assert standing(ordered) == Standing("A", 100, 15, 4, 11, 0)


def test_a_use_told_late_needs_the_expiry_corrected_first(ordered):
    keep(ordered, event("1", "given", 0, 10))
    (expired,) = passes.expire(ordered, date(2026, 9, 1), "moi")
    late = event("2", "used", 100, 3, commune="99001")
    with pytest.raises(RefusedPasses, match=r"13 pass .* pour 10 donnés") as caught:
        keep(ordered, late)
    assert "corrigez d'abord" in caught.value.advice
    keep(ordered, replace(expired, reference="c", count=-4, corrects=expired.reference))
    keep(ordered, late)
    (again,) = passes.expire(ordered, date(2026, 9, 1), "moi")
    assert again.count == 1 and again.reference != expired.reference


# --- direct SQL


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pass_event SET count = 1",
        "UPDATE pass_event SET actor = 'x' WHERE false",
        "DELETE FROM pass_event",
        "DELETE FROM pass_event WHERE reference = '2'",
        "TRUNCATE pass_event",
        "TRUNCATE pass_event CASCADE",
        "UPDATE pass_order SET count = 1000",
        "TRUNCATE pass_order CASCADE",
        "DELETE FROM pass_order",
        "INSERT INTO pass_event (reference, order_reference, kind, day, count, commune, actor)"
        " VALUES ('x', 'A', 'given', '2026-03-02', 91, '99001', '')",
        "INSERT INTO pass_event (reference, order_reference, kind, day, count, site_id, actor)"
        " VALUES ('x', 'A', 'used', '2026-03-06', 7, 's', '')",
        "INSERT INTO pass_event (reference, order_reference, kind, day, count, site_id, actor)"
        " VALUES ('x', 'A', 'reimbursed', '2026-03-06', 5, 'essai--a', '')",
        "INSERT INTO pass_event (reference, order_reference, kind, day, count, actor)"
        " VALUES ('x', 'A', 'expired', '2026-08-31', 1, '')",
        "INSERT INTO pass_event (reference, order_reference, kind, day, count, site_id, actor)"
        " VALUES ('x', 'A', 'used', '2026-03-06', -1, 's', '')",
        "INSERT INTO pass_event (reference, order_reference, kind, day, count, commune, actor, corrects)"
        " SELECT 'x', 'A', 'given', '2026-03-01', -7, '99001', '', id FROM pass_event WHERE reference = '1'",
        "INSERT INTO pass_order (reference, day, count, expires_on, funders, note)"
        " VALUES ('B', '2026-01-01', 10, '2026-12-31', '[[\"dep\", 9]]', '')",
        *(f"UPDATE {table} SET used = 0" for table in SUMS),
        *(f"DELETE FROM {table}" for table in SUMS),
        *(f"TRUNCATE {table}" for table in SUMS),
        "INSERT INTO pass_total (order_reference, ordered) VALUES ('A', 1000)",
    ],
)
def test_direct_sql_is_refused_too(ordered, statement):
    keep(ordered, event("1", "given", 0, 10), event("2", "used", 5, 4))
    before = sums(ordered)
    with pytest.raises(DBAPIError) as caught, ordered.begin_nested():
        ordered.execute(text(statement))
    assert getattr(caught.value.orig, "sqlstate", None) in (passes.REFUSED, "23503", "23514")
    assert sums(ordered) == before


def test_copy_is_held_to_the_same_rules(ordered):
    columns = ("reference", "order_reference", "kind", "day", "count", "commune", "actor")
    rows = [(str(n), "A", "given", MARCH, 1, "99001", "") for n in range(101)]
    with pytest.raises(Exception, match="order A: 100 passes"), ordered.begin_nested():
        copy_rows(ordered, "pass_event", columns, rows)
    copy_rows(ordered, "pass_event", columns, rows[:100])
    assert standing(ordered).given == 100


# --- sums


def sums(connection):
    return {table: sorted(map(str, connection.execute(text(f"SELECT * FROM {table}")))) for table in SUMS}


def check_sums(connection, orders, kept):
    """The sums the triggers keep are those of the events, counted one by one."""
    found = passes.counts(connection)
    for order in orders:
        mine = [e for e in kept if e.order == order.reference]
        n: Counter[EventKind] = Counter()
        for e in mine:
            n[e.kind] += e.count
        assert passes.standing(connection, order.reference) == Standing(
            order.reference, order.count, *(n[kind] for kind in EventKind)
        )
        row = found.row_of(order.reference)
        for commune in {e.commune for e in mine if e.kind is not EventKind.REIMBURSED}:
            here = [e for e in mine if e.commune == commune]
            by_day: defaultdict[str, Counter[date]] = defaultdict(Counter)
            for e in here:
                by_day[e.kind][e.day] += e.count
            mask = (found.order == row) & (found.commune == commune)
            for kind, values in (
                (EventKind.GIVEN, found.given),
                (EventKind.USED, found.used),
                (EventKind.EXPIRED, found.expired),
            ):
                assert values[mask].sum() == by_day[kind].total()
            waits: Counter[tuple[int, int]] = Counter()
            for r, days, count in zip(found.wait_row, found.wait_days, found.wait_passes, strict=True):
                if mask[r]:
                    waits[int(found.year[r]), int(days)] += int(count)
            told = delays(by_day[EventKind.GIVEN], by_day[EventKind.USED]) if commune else Counter()
            assert waits == told
    assert whole(found).given == sum(e.count for e in kept if e.kind is EventKind.GIVEN)


# --- any history

CITIES = ("99001", "99002", "")
PLACES = ("s", "t")
B = replace(A, reference="B", day=MARCH + timedelta(days=20), count=9, funders=(("dep", 9),))
ORDERS = (replace(A, count=12, funders=(("dep", 12),)), B)


def possible(orders, kept):
    """The rules, said again over a plain list: whether a history of events can be."""
    for order in orders:
        mine = [e for e in kept if e.order == order.reference]
        by: defaultdict[str, Counter[date]] = defaultdict(Counter)
        for e in mine:
            by[e.kind][e.day] += e.count
            ends = order.expires_on
            if e.day < order.day or (e.kind in ("given", "used") and e.day > ends):
                return False
            if e.kind is EventKind.EXPIRED and e.day <= ends:
                return False
        if by[EventKind.GIVEN].total() > order.count:
            return False
        for day in {e.day for e in mine}:
            gone, given_ = (
                sum(n for k in kinds for d, n in by[k].items() if d <= day)
                for kinds in (("used", "expired"), ("given",))
            )
            if gone > given_:
                return False
        for site in PLACES:
            used, paid = (
                sum(e.count for e in mine if e.kind == k and e.site == site) for k in ("used", "reimbursed")
            )
            if paid > used:
                return False
    return True


def histories(engine):
    class History(RuleBasedStateMachine):
        def __init__(self):
            super().__init__()
            self.connection = engine.connect()
            self.transaction = self.connection.begin()
            partners(self.connection)
            for order in ORDERS:
                passes.order(self.connection, order, "moi")
            self.kept = []
            self.books = funded(self.connection)

        def teardown(self):
            self.transaction.rollback()
            self.connection.close()

        def attempt(self, *events):
            expected = possible(ORDERS, [*self.kept, *events])
            try:
                keep(self.connection, *events, post=self.books)
            except RefusedPasses:
                assert not expected
            else:
                assert expected
                self.kept += events

        def made(self, kind, day, count, order, commune, site):
            facts = {
                EventKind.GIVEN: {"commune": commune or "99004"},
                EventKind.USED: {"commune": commune, "site": site},
                EventKind.EXPIRED: {"commune": commune},
                EventKind.REIMBURSED: {"site": site},
            }[kind]
            number = len(self.kept) + self.connection.scalar(text("SELECT nextval('histories')"))
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
            self.attempt(*(self.made(*each) for each in drawn))

        @rule(day=st.integers(0, 60), count=st.integers(1, 4), order=st.sampled_from(("A", "B")))
        def give(self, day, count, order):
            self.attempt(self.made(EventKind.GIVEN, day, count, order, "99001", ""))

        @rule(day=st.integers(20, 90), count=st.integers(1, 3), commune=st.sampled_from(CITIES))
        def use(self, day, count, commune):
            self.attempt(self.made(EventKind.USED, day, count, "A", commune, "s"))

        @rule(data=st.data())
        def correct(self, data):
            of = [e for e in self.kept if not e.corrects and e.kind is not EventKind.REIMBURSED]
            if of:
                e = data.draw(st.sampled_from(of))
                left = e.count + sum(c.count for c in self.kept if c.corrects == e.reference)
                if left:
                    back = data.draw(st.integers(1, left))
                    number = self.connection.scalar(text("SELECT nextval('histories')"))
                    self.attempt(replace(e, reference=f"c{number}", count=-back, corrects=e.reference))

        @rule()
        def again(self):
            if self.kept:
                assert keep(self.connection, *self.kept, post=self.books).new == 0

        @rule()
        def expire(self):
            found = passes.expire(self.connection, date(2027, 1, 1), "moi")
            self.kept += found
            for order in ORDERS:
                assert standing(self.connection, order.reference).unused == 0

        @invariant()
        def sums_hold(self):
            check_sums(self.connection, ORDERS, self.kept)

    return History


def test_no_history_breaks_the_rules_and_every_sum_is_that_of_its_events(fresh_engine):
    with fresh_engine.begin() as connection:
        connection.execute(text("CREATE SEQUENCE histories"))
    run_state_machine_as_test(
        histories(fresh_engine),
        settings=settings(
            max_examples=25,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


# --- several writers


@pytest.fixture
def opened(fresh_engine):
    with fresh_engine.begin() as connection:
        partners(connection)
        for order in (A, replace(A, reference="B")):
            passes.order(connection, order, "moi")
    return fresh_engine


def at_once(engine, writes, level="READ COMMITTED"):
    """Run writes (each a list of events) at once, each in a transaction; which were kept."""
    kept: list[Event] = []
    lost: list[Exception] = []
    start = threading.Barrier(len(writes))

    def run(events):
        with engine.connect().execution_options(isolation_level=level) as connection:
            start.wait()
            for e in events:
                try:
                    with connection.begin():
                        passes.record(connection, [e], "moi")
                except PorteeError as refused:
                    lost.append(refused)
                except DBAPIError as failed:
                    lost.append(failed)
                else:
                    kept.append(e)

    threads = [threading.Thread(target=run, args=(events,)) for events in writes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return kept, lost


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_writers_at_once_never_give_more_than_was_ordered(opened, level):
    writes = [[event(f"{w}/{n}", "given", n, 7) for n in range(4)] for w in range(8)]
    kept, lost = at_once(opened, writes, level)
    with opened.connect() as connection:
        assert standing(connection).given == 7 * len(kept) <= 100
        check_sums(connection, [A], kept)
    if level == "READ COMMITTED":
        assert len(kept) == 14 and all(isinstance(each, RefusedPasses) for each in lost)


def test_writers_of_one_reference_keep_it_once(opened):
    kept, lost = at_once(opened, [[event("same", "given", 0, 5)] for _ in range(8)])
    assert len(kept) == 8 and not lost
    with opened.connect() as connection:
        assert standing(connection).given == 5


def test_writers_of_the_last_passes_of_two_orders_do_not_wait_in_a_ring(opened):
    def both(w, n):
        return [event(f"{w}/{n}/{o}", "given", n, 3, order=o) for o in (("A", "B") if w % 2 else ("B", "A"))]

    done = []
    start = threading.Barrier(6)

    def run(w):
        with opened.connect() as connection:
            start.wait()
            for n in range(4):
                with connection.begin():
                    done.append(passes.record(connection, both(w, n), "moi").new)

    threads = [threading.Thread(target=run, args=(w,)) for w in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [2] * 24
    with opened.connect() as connection:
        assert standing(connection, "A").given == standing(connection, "B").given == 72


def test_a_writer_killed_halfway_leaves_nothing(opened):
    with opened.connect() as connection:
        connection.begin()
        keep(connection, event("1", "given", 0, 10))
        connection.invalidate()
    with opened.connect() as connection:
        assert standing(connection).given == 0
        assert passes.events(connection, ["1"]) == ()


def test_expiry_follows_what_the_events_say(ordered):
    keep(ordered, event("1", "given", 0, 10), event("2", "used", 5, 4))
    found = passes.expire(ordered, date(2026, 9, 1), "moi")
    assert {e.commune: e.count for e in found} == expiries({"99001": 10}, {"": 4}, {})
