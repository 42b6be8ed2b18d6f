"""The fund's ledger under many writers, killed connections and killed processes; reports; import of a file.

A private, durable cluster is made for it. Each client posts orders drawn at random, one transaction
each, while a killer ends connections, a writer process is killed with SIGKILL in the middle and, with
--crashes, the whole server is, as often as asked. A client whose connection is lost posts the same order
again until its outcome is known. At the end, each order acknowledged is there once, each
refused one is not, nothing else is, and sums recounted from every posting hold.

    python -m benchmarks.bench_ledger --clients 64 --orders 200 --crashes 3 --entries 100000 --rows 50000
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

import psycopg
from sqlalchemy import URL, Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from benchmarks.bench_ledger_reports import fill, imported, reports
from benchmarks.ledger_world import ACTOR, DAYS, FIRST, LINES, PARTNERS
from geo.errors import DatabaseUnavailable, PorteeError
from geo.funding.ledger import Balance, Commitment, Contribution, Level, Order, Payment, Release, Reversal
from geo.funding.match_rule import MatchRule
from geo.funding.partners import Partner, PartnerKind
from geo.store import cluster, ledger, ledger_reports, partners
from geo.store.database import migrate, open_engine

LOST = (DatabaseUnavailable, OperationalError, psycopg.OperationalError)
"""How a connection that was ended shows."""


def found_fund(engine: Engine, *, ceiling_cents: int | None = None) -> None:
    """Make the partners of the fund, fictitious, and its rule."""
    with engine.begin() as connection:
        for code in PARTNERS:
            name = f"{code.capitalize()} (fictif)"
            partners.save(connection, Partner(code, name, PartnerKind.PUBLIC, fictif=True), actor=ACTOR)
        ledger.set_rule(connection, MatchRule(FIRST, ceiling_cents=ceiling_cents), actor=ACTOR)


@dataclass
class Shared:
    """What all clients know: references that may be leaned on, and what became of each order."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    known: list[Order] = field(default_factory=list)
    acknowledged: dict[str, tuple[Order, int]] = field(default_factory=dict)
    refused: dict[str, PorteeError] = field(default_factory=dict)
    lost: int = 0
    failures: list[BaseException] = field(default_factory=list)


def drawn(chance: random.Random, reference: str, shared: Shared) -> Order:
    """An order at random, over what was acknowledged so far."""
    with shared.lock:
        known = chance.sample(shared.known, min(len(shared.known), 20))
    commitments = [order for order in known if isinstance(order, Commitment)]
    cents = chance.randint(1, 50_000)
    lot = chance.random()
    day = FIRST + timedelta(chance.randrange(DAYS))
    if known and lot < 0.1:
        undone = chance.choice(known)
        return Reversal(reference=reference, day=undone.day, reverses=undone.reference)
    if commitments and lot < 0.5:
        kind = Payment if lot < 0.4 else Release
        commitment = chance.choice(commitments)
        return kind(
            reference=reference,
            day=commitment.day,
            amount_cents=cents // 4 + 1,
            commitment=commitment.reference,
        )
    if lot < 0.75:
        commune = f"990{chance.randrange(1, 4):02d}"
        return Commitment(
            reference=reference,
            day=day,
            amount_cents=cents,
            action_line=chance.choice(LINES),
            commune=commune,
        )
    return Contribution(
        reference=reference,
        day=day,
        amount_cents=cents,
        partner_code=chance.choice(PARTNERS),
        level=chance.choice(list(Level)),
    )


def client(url: URL, name: str, count: int, seed: int, shared: Shared) -> None:
    """Post a number of orders, each repeatedly until its outcome is known."""
    chance = random.Random(seed)
    engine = create_engine(url, pool_size=1, max_overflow=0, pool_pre_ping=True)
    try:
        for number in range(count):
            order = drawn(chance, f"{name}-{number}", shared)
            while True:
                try:
                    with engine.begin() as connection:
                        posted = ledger.post(connection, order, actor=name)
                except LOST:
                    with shared.lock:
                        shared.lost += 1
                    time.sleep(chance.random() * 0.02)
                except PorteeError as refusal:
                    with shared.lock:
                        shared.refused[order.reference] = refusal
                    break
                else:
                    with shared.lock:
                        shared.acknowledged[order.reference] = order, posted
                        shared.known.append(order)
                    break
    except BaseException as problem:
        shared.failures.append(problem)
    finally:
        engine.dispose()


def end_connections(url: URL, stopped: threading.Event, every_s: float, chance: random.Random) -> int:
    """Close random connections to the database repeatedly; return how many."""
    engine = open_engine(url.set(database="postgres"))
    ended = 0
    one = text(
        "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity"
        " WHERE datname = :name AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1) AS chosen"
    )
    while not stopped.wait(every_s * 2 * chance.random()):
        try:
            with engine.connect() as connection:
                ended += len(connection.execute(one, {"name": url.database}).all())
        except LOST:
            time.sleep(0.05)
    engine.dispose()
    return ended


WRITER = """
import sys
from datetime import date
from sqlalchemy import make_url
from geo.funding.ledger import Contribution, Level
from geo.store import ledger
from geo.store.database import open_engine
engine = open_engine(make_url(sys.argv[1]))
number = 0
while True:
    order = Contribution(reference=f"writer-{number}", day=date(2022, 1, 1), amount_cents=100,
                         partner_code="partenaire-0", level=Level.LOCAL)
    with engine.begin() as connection:
        ledger.post(connection, order, actor="writer")
    print(order.reference, flush=True)
    number += 1
"""


@dataclass(frozen=True)
class Outcome:
    """Outcome of a crowd of clients."""

    acknowledged: int
    refused: int
    lost: int
    ended: int
    written_before_kill: int
    seconds: float


def kill_server(running: cluster.Cluster) -> None:
    """End a server as a power cut would, then bring it back."""
    pid = cluster.status(running).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)
    cluster.start(running)


def crowd(
    url: URL,
    *,
    clients: int,
    orders: int,
    seed: int,
    every_s: float,
    crash: Callable[[], None] | None = None,
    crashes: int = 0,
) -> Outcome:
    """Let clients post at once while connections and a writer process are killed; then check the books.

    Parameters
    ----------
    orders
        Of each client.
    every_s
        Mean seconds between two connections ended.
    crash
        Ends the server and brings it back; done `crashes` times, spread over the first orders.

    Raises
    ------
    AssertionError
        If anything acknowledged is missing, refused is there, or does not sum up.
    """
    shared, stopped, counted = Shared(), threading.Event(), []
    chance = random.Random(seed)
    started = time.perf_counter()
    address = url.render_as_string(hide_password=False)
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, address],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=Path(__file__).parent.parent,
    )
    threads = [
        threading.Thread(target=client, args=(url, f"client-{n}", orders, seed * 1_000 + n, shared))
        for n in range(clients)
    ]
    killer = threading.Thread(target=lambda: counted.append(end_connections(url, stopped, every_s, chance)))
    # The writer process is killed while it posts among clients, and before connections are ended: it has
    # certainly posted, and ends by the kill.
    assert writer.stdout is not None
    written = [writer.stdout.readline().strip() for _ in range(5)]
    assert all(written), "the writer process posts"
    for thread in threads:
        thread.start()
    while not shared.acknowledged and not shared.failures:
        time.sleep(0.01)
    os.kill(writer.pid, signal.SIGKILL)
    written += writer.communicate()[0].split()
    killer.start()
    for rank in range(crashes):
        while len(shared.acknowledged) < (rank + 1) * clients * orders // (4 * crashes):
            time.sleep(0.01)
        assert crash is not None
        crash()
    for thread in threads:
        thread.join()
    stopped.set()
    killer.join()
    seconds = time.perf_counter() - started
    if shared.failures:
        raise shared.failures[0]
    engine = open_engine(url)
    check(engine, shared, written)
    engine.dispose()
    return Outcome(
        len(shared.acknowledged), len(shared.refused), shared.lost, counted[0], len(written), seconds
    )


def check(engine: Engine, shared: Shared, written: list[str]) -> None:
    """Compare the ledger with the outcomes that clients received."""
    with engine.connect() as connection:
        assert ledger_reports.faults(connection) == []
        held = {
            entry.reference: entry
            for entry in ledger.entries(connection, limit=10_000_000)
            if "/abondement" not in entry.reference
        }
        balance = ledger.balance(connection)
        audited = connection.execute(
            text("SELECT count(*) FROM audit WHERE action LIKE 'fund.%'")
        ).scalar_one()
        all_ = connection.execute(text("SELECT count(*) FROM ledger_entry")).scalar_one()
        assert audited == all_ + 1, "an audit row for each entry, and the rule's"
    by_writer = {reference for reference in held if reference.startswith("writer-")}
    assert set(written) <= by_writer and len(by_writer) <= len(written) + 1, "the writer's last may be untold"
    assert held.keys() - by_writer == shared.acknowledged.keys()
    assert not held.keys() & shared.refused.keys()
    for reference, (order, posted) in shared.acknowledged.items():
        assert held[reference].id == posted
        if not isinstance(order, Reversal):
            assert held[reference].amount_cents == order.amount_cents
    assert balance == recount(shared, len(by_writer))


def recount(shared: Shared, by_writer: int) -> Balance:
    """Balances worked out from what was acknowledged, at one for one without a ceiling."""
    given = 100 * by_writer
    aside = released = paid = 0
    undone = {order.reverses for order, _ in shared.acknowledged.values() if isinstance(order, Reversal)}
    for reference, (order, _) in shared.acknowledged.items():
        if reference in undone:
            continue
        match order:
            case Contribution():
                given += order.amount_cents
            case Commitment():
                aside += order.amount_cents
            case Release():
                released += order.amount_cents
            case Payment():
                paid += order.amount_cents
    return Balance(given, given, 2 * given - aside + released, aside - released - paid, paid)


# --- reports and rates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--orders", type=int, default=100, help="of each client")
    parser.add_argument("--every", type=float, default=0.05, help="mean seconds between connections ended")
    parser.add_argument("--crashes", type=int, default=2, help="times the server is killed with SIGKILL")
    parser.add_argument("--seed", type=int, default=47)
    parser.add_argument("--entries", type=int, default=100_000, help="for the reports; 0: none")
    parser.add_argument("--rows", type=int, default=50_000, help="of a file of contributions; 0: none")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="portee-bench-"))
    folder.chmod(0o711)  # the account PostgreSQL drops to must reach it
    embedded = cluster.cluster_at(folder / "cluster")
    cluster.start(embedded)

    try:
        engine = open_engine(embedded.url())
        migrate(engine)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for name in ("reports", "files"):
                connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
        found_fund(engine)
        if asked.clients:
            told = crowd(
                embedded.url(),
                clients=asked.clients,
                orders=asked.orders,
                seed=asked.seed,
                every_s=asked.every,
                crash=partial(kill_server, embedded),
                crashes=asked.crashes,
            )
            print(told)
            print(f"  {told.acknowledged / told.seconds:,.0f} orders acknowledged a second; the books hold")
        engine.dispose()
        if asked.rows:
            filed = open_engine(embedded.url("files"))
            migrate(filed)
            found_fund(filed)
            imported(filed, folder, asked.rows)
            filed.dispose()
        if asked.entries:
            filled = open_engine(embedded.url("reports"))
            migrate(filled)
            found_fund(filled, ceiling_cents=50_000_000)
            rate = fill(filled, asked.entries)
            print(f"{asked.entries:,} entries, posted at {rate:,.0f} orders a second (files of 20 000)")
            reports(filled)
            filled.dispose()
    finally:
        cluster.stop(embedded)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
