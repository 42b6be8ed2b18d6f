"""A million events of passes: seconds to import them from a file, milliseconds of each report.

Events are invented over the real communes, put in a CSV, read, checked and stored as `portee passes
record` does, in a private, durable cluster. Targets: 20,000 rows/s, any report in 300 ms.

    python -m benchmarks.bench_passes --events 1000000
"""

from __future__ import annotations

import argparse
import csv
import random
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import Engine, text

from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.measure import Question, measure
from geo.funding.pass_reports import (
    ACCEPTING,
    by_territory,
    by_vintage,
    by_year,
    deserts,
    most_fragile,
)
from geo.funding.passes import COLUMNS, Event, EventKind, Order, PassReferences, read_events
from geo.people.model import Indicator
from geo.reach.travel import load_travel
from geo.settings import Settings
from geo.store import cluster, passes, snapshots, territories
from geo.store.database import migrate, open_engine
from geo.territory.files import read_territory
from geo.territory.model import Provenance, Territory, TerritoryKind

ORDERS = 12
SITES = 60
DAY = timedelta(days=1)
TODAY = date(2028, 1, 1)
REPEATS = 5


def orders(events: int) -> list[Order]:
    """A vintage a quarter from 2023 on, each valid a year and a half."""
    made = []
    for rank in range(ORDERS):
        day = date(2023 + rank // 4, 1 + 3 * (rank % 4), 1)
        count = 10 * events
        made.append(Order(f"banc-{rank:02}", day, count, day + 548 * DAY, (("banc", count),), fictif=True))
    return made


def write_events(path: Path, ordered: list[Order], territory: Territory, events: int) -> None:
    """Gifts of 1 to 20 passes, later uses of some of them; with prescriber, commune and site."""
    chance = random.Random(47)
    communes = [c.code for c in territory.communes]
    weights = [c.population for c in territory.communes]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        gifts = (events + 1) // 2
        where = chance.choices(communes, weights, k=gifts)
        for rank in range(gifts):
            order = chance.choice(ordered)
            given = order.day + chance.randrange(300) * DAY
            count = chance.randint(1, 20)
            writer.writerow((f"d{rank}", order.reference, "given", given, count, where[rank], "banc", ""))
            if 2 * rank + 1 < events:
                used = given + chance.randrange(1, 240) * DAY
                site = f"banc--{chance.randrange(SITES)}"
                row = (
                    f"u{rank}",
                    order.reference,
                    "used",
                    used,
                    chance.randint(1, count),
                    where[rank],
                    "",
                    site,
                )
                writer.writerow(row)


def fill(engine: Engine, folder: Path, territory: Territory, events: int) -> None:
    """Orders, then the events of a file; prints the seconds of each step."""
    ordered = orders(events)
    path = folder / "evenements.csv"
    write_events(path, ordered, territory, events)
    with engine.begin() as connection:
        territories.save(connection, territory)
        connection.execute(
            text(
                "INSERT INTO partner (code, name, kind, siret, contact_role, website, note, fictif)"
                " VALUES ('banc', 'Banc fictif', 'public', '', '', '', '', true)"
            )
        )
        for each in ordered:
            passes.order(connection, each, "banc")
    known = PassReferences(
        {each.reference: each for each in ordered},
        territory.commune_by_code,
        {"banc"},
        {f"banc--{rank}" for rank in range(SITES)},
    )
    began = time.perf_counter()
    found = read_events(path, known, today=TODAY, max_bytes=1_000_000_000)
    read = time.perf_counter() - began
    if found.rejected:
        raise SystemExit(f"{found.rejected} rows rejected: {found.issues[0]}")
    with engine.begin() as connection:
        recorded = passes.record(connection, found.events, "banc")
    whole = time.perf_counter() - began
    print(
        f"import: {recorded.new:,} events of {path.stat().st_size / 1e6:.0f} MB in {whole:.1f} s "
        f"(read and checked {read:.1f} s, stored {whole - read:.1f} s): {recorded.new / whole:,.0f} rows/s"
    )
    began = time.perf_counter()
    with engine.begin() as connection:
        again = passes.record(connection, found.events, "banc")
    print(f"the same again: {again.already:,} known already, {time.perf_counter() - began:.1f} s")
    times = []
    for rank in range(20):
        began = time.perf_counter()
        event = Event(f"un{rank}", "banc-05", EventKind.GIVEN, ordered[5].day, 1, territory.communes[0].code)
        with engine.begin() as connection:
            passes.record(connection, [event], "banc")
        times.append(time.perf_counter() - began)
    print(f"one more event: {statistics.median(times) * 1_000:.0f} ms (median of 20)")


def report(engine: Engine, settings: Settings) -> None:
    """Each report, counts read anew each time; prints the median and the slowest of some."""
    with engine.connect() as connection:
        snapshot = snapshots.read(connection)
    territory = snapshot.territory
    frame = AnalysisContext(snapshot, load_travel(None, home=settings.home, detour_factor=1.3), TODAY)
    frame.times(Question().mode)
    need = Indicator(
        "banc",
        "Banc",
        "",
        "commune",
        Provenance("", "", "", ""),
        {c.code: float(int(c.code) % 97) for c in territory.communes},
    )

    def timed(name: str, make: Callable[[], object]) -> None:
        times = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            make()
            times.append((time.perf_counter() - began) * 1_000)
        print(f"  {name:<28} {statistics.median(times):6.0f} ms, slowest of {REPEATS} {max(times):6.0f} ms")

    def read() -> passes.PassCounts:
        with engine.connect() as connection:
            return passes.counts(connection)

    timed("counts alone", read)
    for kind in TerritoryKind:
        timed(
            f"by {kind}",
            lambda kind=kind: by_territory(  # type: ignore[misc]
                read(),
                territory,
                kind,
                fragile=most_fragile(territory, need),
                coverage=measure(frame, Question(filter=ACCEPTING)),
            ),
        )
    timed(
        "by commune, one vintage",
        lambda: by_territory(read(), territory, TerritoryKind.COMMUNE, order="banc-03"),
    )
    timed("by commune, one year", lambda: by_territory(read(), territory, TerritoryKind.COMMUNE, year=2024))
    timed("by vintage", lambda: by_vintage(read()))
    timed("by year", lambda: by_year(read()))
    timed("deserts", lambda: deserts(read(), measure(frame, Question(filter=ACCEPTING))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="portee-bench-"))
    folder.chmod(0o711)  # the account PostgreSQL drops to must reach it
    settings = Settings(home=folder / "home")
    territory = read_territory(settings.territory_dir, settings.departement)
    embedded = cluster.cluster_at(folder / "cluster")
    try:
        cluster.start(embedded)
        engine = open_engine(embedded.url())
        migrate(engine)
        fill(engine, folder, territory, asked.events)
        report(engine, settings)
        engine.dispose()
    finally:
        cluster.stop(embedded)
        shutil.rmtree(folder, ignore_errors=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process {peak:,.0f} MB")


if __name__ == "__main__":
    main()
