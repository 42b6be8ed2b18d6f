"""Reports over a large ledger, and the import of a large file: part of `benchmarks.bench_ledger`."""

from __future__ import annotations

import csv
import random
import resource
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, text

from benchmarks.ledger_world import ACTOR, DAYS, FIRST, LINES, PARTNERS
from geo.funding.action_kinds import load_kinds
from geo.funding.ledger import Commitment, Contribution, Level, Order, Payment
from geo.funding.reports import By
from geo.funding.row_reader import read
from geo.funding.template_columns import templates
from geo.services import import_funding
from geo.store import ledger, ledger_reports
from geo.store.database import Connection
from geo.territory.model import TerritoryKind
from tests.support.world import TERRITORY


def fill(engine: Engine, entries: int) -> float:
    """Fill the ledger with so many entries, in files of 20 000 orders; returns orders per second."""
    chance = random.Random(7)
    posted = number = 0
    seconds = 0.0
    commitments: list[Commitment] = []
    while posted < entries:
        orders: list[Order] = []
        for _ in range(20_000):
            number += 1
            reference, cents, lot = f"banc-{number}", chance.randint(100, 90_000), chance.random()
            day = FIRST + timedelta(chance.randrange(DAYS))
            if lot < 0.4 or len(commitments) < 10:
                partner, level = chance.choice(PARTNERS), chance.choice(list(Level))
                orders.append(
                    Contribution(
                        reference=reference, day=day, amount_cents=cents, partner_code=partner, level=level
                    )
                )
            elif lot < 0.6:
                line, commune = chance.choice(LINES), f"47{chance.randrange(1, 320):03d}"
                made = Commitment(
                    reference=reference, day=day, amount_cents=cents, action_line=line, commune=commune
                )
                commitments.append(made)
                orders.append(made)
            else:
                # Each commitment is paid from at most a few times, a hundredth of it each.
                of = chance.choice(commitments[-2_000:])
                orders.append(
                    Payment(
                        reference=reference,
                        day=of.day,
                        amount_cents=of.amount_cents // 100,
                        commitment=of.reference,
                    )
                )
        started = time.perf_counter()
        with engine.begin() as connection:
            ledger.post_all(connection, orders, actor=ACTOR)
        seconds += time.perf_counter() - started
        with engine.connect() as connection:
            posted = connection.execute(text("SELECT count(*) FROM ledger_entry")).scalar_one()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    return number / seconds


def imported(engine: Engine, folder: Path, rows: int) -> None:
    """Import a file of contributions as `portee fund import` does; print seconds, CPU and memory of it.

    The file is invented: days at random over five years, amounts at random, a third with a commune.
    """
    chance = random.Random(47)
    template = templates(load_kinds())["contributions"]
    path = folder / "contributions.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=";")
        writer.writerow([column.heading for column in template.columns])
        for number in range(rows):
            day = FIRST + timedelta(chance.randrange(DAYS))
            level, commune = chance.choice(list(Level)).label, chance.choice(("", "", "99001"))
            euros = f"{chance.randint(1, 9_000_000) / 100:.2f}".replace(".", ",")
            reference = f"fichier-{number:06}"
            writer.writerow(
                (reference, day, chance.choice(PARTNERS), euros, level, commune, "Versement fictif", "oui")
            )
    with engine.begin() as connection:
        known = import_funding.row_references(connection, TERRITORY, load_kinds())
    began, used = time.perf_counter(), time.process_time()
    told = read(path, template, known, today=FIRST + timedelta(DAYS), max_bytes=10**9)
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    with engine.begin() as connection:
        server = _cpu(connection)
        loaded = import_funding.apply(connection, told, known, actor=ACTOR)
        server = _cpu(connection) - server
    whole, all_cpu = time.perf_counter() - began, time.process_time() - used
    assert loaded.new == rows and loaded.kept, loaded.issues[:3]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"import: {rows:,} contributions, {2 * rows:,} entries, in {whole:.2f} s:"
        f" {rows / whole:,.0f} rows/s\n"
        f"  read and checked {seconds:.2f} s, posted {whole - seconds:.2f} s; CPU of a row: reading"
        f" {1e6 * cpu / rows:.0f} µs, posting {1e6 * (all_cpu - cpu) / rows:.0f} µs,"
        f" server {1e6 * server / rows:.0f} µs; peak memory {peak:,.0f} MB"
    )
    with engine.connect() as connection:
        assert ledger_reports.faults(connection) == []


def _cpu(connection: Connection) -> float:
    """Processor seconds of the server process of a connection so far; 0 where the system has no figure."""
    pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    told = Path(f"/proc/{pid}/schedstat")
    return int(told.read_text().split()[0]) / 1e9 if told.exists() else 0.0


def measure(name: str, do: Callable[[], object], *, times: int = 15) -> None:
    """Print the median and the worst milliseconds of something done again and again."""
    took = []
    for _ in range(times):
        started = time.perf_counter()
        do()
        took.append(1_000 * (time.perf_counter() - started))
    print(f"  {name:<38} median {statistics.median(took):7.1f} ms   worst {max(took):7.1f} ms")


def reports(engine: Engine) -> None:
    """Time each report, the recount and one entry posted."""
    with engine.connect() as connection:
        for by in (*By, TerritoryKind.COMMUNE, TerritoryKind.EPCI):
            for year in (None, 2023):
                title = f"report by {by}" + (f" of {year}" if year else "")
                measure(title, partial(ledger_reports.report, connection, by, year=year, territory=TERRITORY))
        measure("balance", lambda: ledger.balance(connection))
        measure(
            "contributions of a partner's year",
            lambda: ledger.received(connection, year=2023, partner_code=PARTNERS[0]),
        )
        measure("a page of the ledger", lambda: ledger.entries(connection, after=50_000))
        measure("recount of everything", lambda: ledger_reports.faults(connection), times=3)
    posted = iter(range(1_000_000))

    def one() -> None:
        order = Contribution(
            reference=f"un-{next(posted)}",
            day=FIRST,
            amount_cents=5,
            partner_code=PARTNERS[0],
            level=Level.LOCAL,
        )
        with engine.begin() as connection:
            ledger.post(connection, order, actor=ACTOR)

    measure("one contribution and its match", one, times=100)
