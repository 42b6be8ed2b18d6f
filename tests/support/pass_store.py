"""Passes in the real database: an order to write events of, short-hands, and sums counted one by one."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta

from sqlalchemy import text

from geo.funding.ledger import Commitment, Contribution, Level
from geo.funding.match_rule import MatchRule
from geo.funding.pass_reports import whole
from geo.funding.passes import Event, EventKind, Order, Standing, delays
from geo.store import ledger, passes

MARCH, AUGUST = date(2026, 3, 1), date(2026, 8, 31)
A = Order("A", MARCH, 100, AUGUST, (("dep", 60), ("caf", 40)), fictif=True)
SUMS = ("pass_total", "pass_day", "pass_site", "pass_commune")


def add_partners(connection):
    connection.execute(
        text(
            "INSERT INTO partner (code, name, kind, siret, contact_role, website, note)"
            " VALUES ('dep', 'D', 'public', '', '', '', ''), ('caf', 'C', 'public', '', '', '', '')"
        )
    )


def event(reference, kind, day, count, *, order="A", **facts):
    kind = EventKind(kind)
    if kind is EventKind.GIVEN:
        facts = {"commune": "99001", "partner": "caf", **facts}
    elif kind is not EventKind.EXPIRED:
        facts = {"site": "essai--a", **facts}
    return Event(reference, order, kind, MARCH + timedelta(days=day), count, **facts)


def record(connection, *events, post=None):
    return passes.record(connection, events, "moi", post)


def standing(connection, order="A"):
    return passes.standing(connection, order)


def funded(connection, **tied):
    """Commit 900 € of a fund for passes; return what posts payments to it."""
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


def sums(connection):
    """The rows of every table of sums."""
    return {table: sorted(map(str, connection.execute(text(f"SELECT * FROM {table}")))) for table in SUMS}


def check_sums(connection, orders, recorded):
    """The sums that triggers keep are those of the events, counted one by one."""
    found = passes.counts(connection)
    for order in orders:
        mine = [e for e in recorded if e.order == order.reference]
        n: Counter[EventKind] = Counter()
        for e in mine:
            n[e.kind] += e.count
        assert passes.standing(connection, order.reference) == Standing(
            order.reference, order.count, *(n[kind] for kind in EventKind)
        )
        for commune in {e.commune for e in mine if e.kind is not EventKind.REIMBURSED}:
            mask = (found.order == found.row_of(order.reference)) & (found.commune == commune)
            check_commune(found, mask, [e for e in mine if e.commune == commune])
    assert whole(found).given == sum(e.count for e in recorded if e.kind is EventKind.GIVEN)


def check_commune(found, mask, here):
    """The sums and the delays of one order in one commune."""
    by_day: defaultdict[str, Counter[date]] = defaultdict(Counter)
    for e in here:
        by_day[e.kind][e.day] += e.count
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
    known = here[0].commune
    assert waits == (delays(by_day[EventKind.GIVEN], by_day[EventKind.USED]) if known else Counter())
