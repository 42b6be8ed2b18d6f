"""The first answer after a write: accounts, passes, pages of the money, what may be published.

The demonstration over the real communes, with a million invented events of passes beside it, in a private
cluster. Before each first answer one more gift, action and contribution are stored, so that nothing
it is made from is the one remembered. « Restarted »: nothing at all is remembered of what is
withheld, of any year. Target: 300 ms, and for pages their drawing.

    python -m benchmarks.bench_first --events 1000000
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from http import HTTPStatus
from itertools import count
from pathlib import Path
from statistics import median

from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from benchmarks import bench_passes
from geo.funding import disclosure_control
from geo.funding.action_kinds import load_kinds
from geo.funding.ledger import Contribution, Level
from geo.funding.passes import Event, EventKind, Order
from geo.services.open_data import open_data_package
from geo.settings import Settings
from geo.store import actions, cluster, ledger, partners, passes
from geo.store.database import open_engine
from geo.territory.files import read_territory
from geo.territory.model import Territory
from portee.commands import demo

ORDERED = 100_000
REPEATS = 5
PATHS = (
    "/api/v1/territories/{code}/account?kind=departement&year={year}",
    "/api/v1/passes",
    "/api/v1/passes?kind=epci&year={year}",
    "/api/v1/passes/deserts",
    "/api/v1/actions",
    "/api/v1/fund",
    "/territoires/{code}?kind=departement&year={year}",
    "/mesures?year={year}",
    "/mesures?mesure=pass&avec=temps&year={year}",
    "/fonds",
    "/reseau",
)


class Writer:
    """Writes one more of each thing that accounts are made from, in a commune that changes."""

    def __init__(self, engine: Engine, territory: Territory, today: date) -> None:
        self.engine = engine
        self.codes = sorted(c.code for c in territory.communes)
        self.rank = count()
        self.today = today
        with engine.begin() as connection:
            self.partner = partners.list_(connection)[0].code
            self.action = next(a for a in actions.list_(connection) if a.kind == "training")
            self.known = actions.action_references(connection, territory.code)
            funders = ((self.partner, ORDERED),)
            self.order = Order("premier", today, ORDERED, today + timedelta(days=365), funders, fictif=True)
            passes.order(connection, self.order, self.partner)

    def __call__(self) -> None:
        """Store a gift of one pass, an action and a contribution."""
        rank = next(self.rank)
        name, commune = f"premier-{rank}", self.codes[rank * 37 % len(self.codes)]
        gift = Event(name, self.order.reference, EventKind.GIVEN, self.today, 1, commune, self.partner)
        done = replace(self.action, reference=name, day=self.today, until=None, commune=commune)
        given = Contribution(
            reference=name,
            day=self.today,
            amount_cents=100,
            partner_code=self.partner,
            level=Level.LOCAL,
            commune=commune,
            fictif=True,
        )
        with self.engine.begin() as connection:
            passes.record(connection, [gift], self.partner)
            actions.save(connection, done, kinds=load_kinds(), known=self.known, actor=self.partner)
            ledger.post(connection, given, actor=self.partner)


def measure(name: str, ask: Callable[[], object], before: Callable[[], object]) -> None:
    """Print how long the first answer takes, by the clock and of processor time here, and the next one."""
    first, used, again = [], [], []
    for _ in range(REPEATS):
        before()
        began, worked = time.perf_counter(), time.process_time()
        ask()
        first.append((time.perf_counter() - began) * 1_000)
        used.append((time.process_time() - worked) * 1_000)
        began = time.perf_counter()
        ask()
        again.append((time.perf_counter() - began) * 1_000)
    print(
        f"  {name:<60} {median(first):5.0f} ms ({min(first):.0f} to {max(first):.0f}), "
        f"processor {median(used):4.0f} ms; again {median(again):4.0f} ms",
        flush=True,
    )


def answers(engine: Engine, settings: Settings, territory: Territory, today: date) -> None:
    """Print the first answers after a write, then after a start that remembers nothing."""
    write = Writer(engine, territory, today)
    forget = disclosure_control._suppress_cached.cache_clear

    def write_and_forget() -> None:
        write()
        forget()

    def published() -> None:
        with engine.connect() as connection:
            open_data_package(connection, territory, load_kinds(), licence="etalab-2.0", today=today)

    with TestClient(create_app(settings, http=ApiSettings())) as client:

        def ask(path: str) -> None:
            response = client.get(path)
            if response.status_code != HTTPStatus.OK:
                raise SystemExit(f"{path}: {response.status_code} {response.text[:200]}")

        asked = [path.format(code=territory.code, year=today.year) for path in PATHS]
        for path in asked:
            ask(path)
        published()
        print("after a write")
        for path in asked:
            measure(path, partial(ask, path), write)
        measure("open data", published, write)
        print("after a write, and nothing remembered of what is withheld")
        for path in asked[:3]:
            measure(path, partial(ask, path), write_and_forget)
        measure("open data", published, write_and_forget)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--events", type=int, default=1_000_000, help="Of passes, beside the demonstration's."
    )
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="portee-bench-"))
    folder.chmod(0o711)  # the account PostgreSQL drops to must reach it
    embedded = cluster.cluster_at(folder / "cluster")
    try:
        cluster.start(embedded)
        settings = Settings(
            home=folder / "home", database_url=embedded.url().render_as_string(hide_password=False)
        )
        engine = open_engine(embedded.url())
        demo.prepare(engine, settings, demo.Steps(6))
        territory = read_territory(settings.territory_dir, settings.departement)
        if asked.events:
            bench_passes.fill(engine, folder, territory, asked.events)
        answers(engine, settings, territory, datetime.now(UTC).date())
        engine.dispose()
    finally:
        cluster.stop(embedded)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
