"""Guards of the passes: direct SQL, COPY and several writers are held to the same rules."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from geo.errors import PorteeError, RefusedPasses
from geo.funding.passes import Event
from geo.store import passes
from geo.store.copy_encoder import copy_rows
from geo.store.pass_refusals import REFUSED
from tests.support.pass_store import (
    MARCH,
    SUMS,
    A,
    add_partners,
    check_sums,
    event,
    record,
    standing,
    sums,
)

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
    record(ordered, event("1", "given", 0, 10), event("2", "used", 5, 4))
    before = sums(ordered)
    with pytest.raises(DBAPIError) as caught, ordered.begin_nested():
        ordered.execute(text(statement))
    assert getattr(caught.value.orig, "sqlstate", None) in (REFUSED, "23503", "23514")
    assert sums(ordered) == before


def test_copy_obeys_the_same_rules(ordered):
    columns = ("reference", "order_reference", "kind", "day", "count", "commune", "actor")
    rows = [(str(n), "A", "given", MARCH, 1, "99001", "") for n in range(101)]
    with pytest.raises(Exception, match="order A: 100 passes"), ordered.begin_nested():
        copy_rows(ordered, "pass_event", columns, rows)
    copy_rows(ordered, "pass_event", columns, rows[:100])
    assert standing(ordered).given == 100


# --- several writers


@pytest.fixture
def opened(fresh_engine):
    with fresh_engine.begin() as connection:
        add_partners(connection)
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
def test_concurrent_writers_never_give_more_than_was_ordered(opened, level):
    writes = [[event(f"{w}/{n}", "given", n, 7) for n in range(4)] for w in range(8)]
    kept, lost = at_once(opened, writes, level)
    with opened.connect() as connection:
        assert standing(connection).given == 7 * len(kept) <= 100
        check_sums(connection, [A], kept)
    if level == "READ COMMITTED":
        assert len(kept) == 14 and all(isinstance(each, RefusedPasses) for each in lost)


def test_concurrent_writers_of_one_reference_record_it_once(opened):
    kept, lost = at_once(opened, [[event("same", "given", 0, 5)] for _ in range(8)])
    assert len(kept) == 8 and not lost
    with opened.connect() as connection:
        assert standing(connection).given == 5


def test_writers_of_two_orders_do_not_deadlock(opened):
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
        record(connection, event("1", "given", 0, 10))
        connection.invalidate()
    with opened.connect() as connection:
        assert standing(connection).given == 0
        assert passes.events(connection, ["1"]) == ()
