"""`portee demo`: from nothing to a map of invented sites, step by step, then served."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine

from geo.coverage.measure import Question, measure
from geo.errors import SnapshotUnavailable
from geo.funding.action_kinds import load_kinds
from geo.funding.match_rule import MatchRule
from geo.funding.row_reader import read
from geo.funding.template_columns import templates
from geo.services import import_funding, import_sites
from geo.settings import ROOT, Settings
from geo.snapshot import Snapshot
from geo.store import ledger, partners, snapshots, territories
from geo.store.database import engine_for, migrate
from geo.territory.files import read_territory
from geo.territory.model import Territory, TerritoryKind
from portee.commands.serve import DEFAULT_PORT, require_free, serve
from portee.console import err, report_errors
from portee.coverage_options import load_context
from static_maps.build import render

DATA = ROOT / "data" / "demo"
"""The invented sites; the folders below hold later versions, which are not loaded."""

FUND = ROOT / "data" / "demo-fonds"
"""The invented money, passes and actions: a file for each kind."""

RULES = (
    MatchRule(date(2025, 1, 1), note="Règle fictive : un pour un"),
    MatchRule(date(2026, 1, 1), ceiling_cents=3_333_333, note="Règle fictive : un pour un, plafonnée"),
)
ACTOR = "démonstration"

HOST = "127.0.0.1"
TOLD_MIN = (10, 20, 30)


class Steps:
    """Numbered steps told on standard error, each with what it did and how long it took."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0

    @contextmanager
    def step(self, title: str) -> Iterator[list[str]]:
        """Time one step; sentences put in the list yielded are shown at its end."""
        self.done += 1
        said: list[str] = []
        began = time.perf_counter()
        with err.status(f"{title}…"):
            yield said
        took = time.perf_counter() - began
        err.print(f"[{self.done}/{self.total}] {title:12} {took:5.1f} s  {', '.join(said)}", markup=False)


def demo(
    serving: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Serve the result until interrupted.")
    ] = True,
    port: Annotated[
        int, typer.Option(min=1, max=65_535, envvar="PORT", help="Port to serve on.")
    ] = DEFAULT_PORT,
) -> None:
    """Prepare the demonstration and serve it: invented sites over the real communes.

    Starts the embedded PostGIS (or uses DATABASE_URL), makes the tables, loads the territory, the
    invented sites, money, passes and actions, computes access, writes the static map, serves. Twice
    changes nothing. Where real sites are stored, the invented ones are left out.
    """
    with report_errors():
        settings = Settings()
        if serving:
            require_free(HOST, port)  # told before the work, not after it
        steps = Steps(7)
        with steps.step("Database") as said:
            engine = engine_for(settings)
            said.append("DATABASE_URL" if settings.database_url else "embedded")
        try:
            page = prepare(engine, settings, steps)
        finally:
            engine.dispose()
    err.print(f"Static map:  {page.as_uri()}", markup=False)
    if serving:
        serve(host=HOST, port=port, workers=1)
    else:
        err.print("Ready. Serve it with: portee serve", markup=False)


def prepare(engine: Engine, settings: Settings, steps: Steps) -> Path:
    """All steps but the first and the serving, each safe to repeat; gives the page written.

    Raises
    ------
    PorteeError
        If a step cannot be done; what the steps before it stored stays.
    """
    with steps.step("Tables") as said:
        migrate(engine)
        said.append("up to date")
    with steps.step("Territory") as said:
        territory = read_territory(settings.territory_dir, settings.departement)
        stored = load_territory(engine, territory)
        said.append(f"{territory.name}, {len(territory.communes)} communes")
        said.append("loaded" if stored else "already there")
    with steps.step("Sites") as said:
        said.extend(import_demonstration(engine, settings, territory))
    with steps.step("Fund") as said:
        said.append(import_fund(engine, settings, territory))
    with steps.step("Access") as said:
        frame = load_context(settings)
        asked = Question(minutes=TOLD_MIN)
        [whole] = measure(frame, asked).by_territory(TerritoryKind.DEPARTEMENT)
        said += [
            f"{share:.0%} of inhabitants within {minutes} min"
            for share, minutes in zip(whole.share_within, TOLD_MIN, strict=True)
            if share is not None
        ]
        said.append("by road" if frame.travel.graph else "estimated as the crow flies: no roads are loaded")
    with steps.step("Map") as said:
        rendered = render(frame, settings.home / "site")
        said.append(f"{rendered.octets / 1_000_000:.1f} MB written")
    return rendered.index


def load_territory(engine: Engine, territory: Territory) -> bool:
    """Store the territory unless one with its code is there, maybe with finer boundaries."""
    with engine.begin() as connection:
        with suppress(SnapshotUnavailable):
            if territories.load(connection).code == territory.code:
                return False
        territories.save(connection, territory)
        snapshots.publish(connection)
    return True


def import_demonstration(engine: Engine, settings: Settings, territory: Territory) -> list[str]:
    """Import the invented sites of every file; says what came of each.

    Nothing is imported where a real site is in service: invented ones would mislead its readers.
    """
    with engine.connect() as connection:
        if has_real_sites(snapshots.read(connection)):
            return ["real sites are stored here: the invented ones are left out"]
    said = []
    for path in sorted(DATA.glob("*.csv")):
        arrival = import_sites.read(
            path,
            territory=territory,
            today=datetime.now(UTC).date(),
            max_bytes=settings.import_max_mb * 1_000_000,
        )
        with engine.begin() as connection:
            difference = import_sites.prepare(connection, arrival).difference
            counts = [
                f"{len(records)} {word}"
                for records, word in (
                    (difference.new, "new"),
                    (difference.changed, "changed"),
                    (difference.vanished, "retired"),
                )
                if records
            ]
            if counts:
                import_sites.apply(connection, arrival, territory=territory)
        said.append(f"{path.name}: {', '.join(counts) or 'nothing new'}")
    return said


def import_fund(engine: Engine, settings: Settings, territory: Territory) -> str:
    """Import the invented money, passes and actions, all or none; says what came of them.

    Nothing is imported beside real sites, partners or rules: the ledger forgets nothing, so that what is
    invented would stay.
    """
    with engine.connect() as connection:
        rules, known_partners = ledger.rules(connection), partners.list_(connection)
        if (
            has_real_sites(snapshots.read(connection))
            or not {*rules} <= {*RULES}
            or not all(partner.fictif for partner in known_partners)
        ):
            return "real ones are stored here: what is invented is left out"
    kinds = load_kinds()
    new = 0
    with engine.connect() as connection, connection.begin() as transaction:
        for rule in RULES:
            if rule not in rules:
                ledger.set_rule(connection, rule, actor=ACTOR)
        for kind, template in templates(kinds).items():
            known = import_funding.row_references(connection, territory, kinds)
            reading = read(
                FUND / f"{kind}.csv",
                template,
                known,
                today=datetime.now(UTC).date(),
                max_bytes=settings.import_max_mb * 1_000_000,
            )
            loaded = import_funding.apply(connection, reading, known, actor=ACTOR)
            if loaded.rejected:
                transaction.rollback()
                issue = loaded.issues[0]
                return f"left out: {kind}.csv, line {issue.line}: {issue.reason}"
            new += loaded.new
    return f"{new} records and entries" if new else "already there"


def has_real_sites(snapshot: Snapshot) -> bool:
    """Whether any site in service is not invented."""
    return any(not site.fictif for site in snapshot.sites)
