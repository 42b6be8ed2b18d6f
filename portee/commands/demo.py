"""`portee demo`: set up a map of invented sites step by step, then serve it."""

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
from geo.services.site_register import build_migrated
from geo.settings import ROOT, Settings
from geo.snapshot import Snapshot
from geo.store import ledger, partners, snapshots, territories
from geo.store.database import engine_for, migrate
from geo.store.datasets import all_datasets
from geo.territory.files import read_territory
from geo.territory.model import Territory, TerritoryKind
from portee.commands.serve import DEFAULT_PORT, print_address, require_free, serve
from portee.console import err, file_size, percent, plain, report_errors, travel_time
from portee.coverage_options import load_context
from portee.language import _
from static_maps.build import render

DATA = ROOT / "data" / "demo"
"""The invented sites; the folders below hold later versions, which are not loaded."""

DATASET = "demonstration"
"""Beginning of the names of the invented datasets."""

FUND = ROOT / "data" / "demo-fonds"
"""The invented money, passes and actions: one file for each kind."""

RULES = (
    MatchRule(date(2025, 1, 1), note="Règle fictive : un pour un"),
    MatchRule(date(2026, 1, 1), ceiling_cents=3_333_333, note="Règle fictive : un pour un, plafonnée"),
)
ACTOR = "démonstration"

HOST = "127.0.0.1"
MINUTES_SHOWN = (10, 20, 30)


class Steps:
    """Numbered steps printed on standard error, each with what it did and how long it took."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0

    @contextmanager
    def step(self, title: str) -> Iterator[list[str]]:
        """Time one step; sentences added to the list it yields are printed at its end."""
        self.done += 1
        done: list[str] = []
        began = time.perf_counter()
        with err.status(f"{title}…"):
            yield done
        took = time.perf_counter() - began
        err.print(f"[{self.done}/{self.total}] {title:14} {took:5.1f} s  {', '.join(done)}", markup=False)


def demo(
    serving: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Sert le résultat jusqu'à une interruption.")
    ] = True,
    port: Annotated[
        int, typer.Option(min=1, max=65_535, envvar="PORT", help="Port d'écoute.")
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
            require_free(HOST, port)  # refused before the work, not after it
        steps = Steps(7)
        with steps.step(_("Base")) as done:
            engine = engine_for(settings)
            done.append("DATABASE_URL" if settings.database_url else _("embarquée"))
        try:
            page = prepare(engine, settings, steps)
        finally:
            engine.dispose()
    print_address(_("Carte en fichiers"), page.as_uri())
    if serving:
        serve(host=HOST, port=port, workers=1)
    else:
        err.print(_("Tout est prêt. Pour servir : portee serve"), markup=False)


def prepare(engine: Engine, settings: Settings, steps: Steps) -> Path:
    """Run all steps but the first and the serving, each safe to repeat; return the page written.

    Raises
    ------
    PorteeError
        If a step fails; what earlier steps stored stays.
    """
    with steps.step(_("Tables")) as done:
        migrate(engine)
        with engine.begin() as connection:
            build_migrated(connection)
        done.append(_("à jour"))
    with steps.step(_("Territoire")) as done:
        territory = read_territory(settings.territory_dir, settings.departement)
        stored = load_territory(engine, territory)
        done.append(f"{territory.name}, {len(territory.communes)} communes")
        done.append(_("chargé") if stored else _("déjà là"))
    with steps.step(_("Lieux")) as done:
        done.extend(import_demonstration(engine, settings, territory))
    with steps.step(_("Fonds")) as done:
        done.append(import_fund(engine, settings, territory))
    with steps.step(_("Accès")) as done:
        frame = load_context(settings)
        asked = Question(minutes=MINUTES_SHOWN)
        [whole] = measure(frame, asked).by_territory(TerritoryKind.DEPARTEMENT)
        done += [
            _(
                "%(share)s des habitants à %(minutes)s",
                share=plain(percent(share)),
                minutes=plain(travel_time(minutes)),
            )
            for share, minutes in zip(whole.share_within, MINUTES_SHOWN, strict=True)
            if share is not None
        ]
        by_road = frame.travel.graph is not None
        done.append(
            _("par la route") if by_road else _("estimés à vol d'oiseau : aucune route n'est chargée")
        )
    with steps.step(_("Carte")) as done:
        rendered = render(frame, settings.home / "site")
        done.append(_("%(size)s écrits", size=plain(file_size(rendered.octets))))
    return rendered.index


def load_territory(engine: Engine, territory: Territory) -> bool:
    """Store the territory unless one with its code is stored, possibly with finer boundaries."""
    with engine.begin() as connection:
        with suppress(SnapshotUnavailable):
            if territories.load(connection).code == territory.code:
                return False
        territories.save(connection, territory)
        snapshots.publish(connection)
    return True


def import_demonstration(engine: Engine, settings: Settings, territory: Territory) -> list[str]:
    """Import the invented sites of every file; return what became of each.

    Nothing is imported where a real site is in service: invented ones would mislead readers.
    """
    with engine.connect() as connection:
        if has_real_sites(snapshots.read(connection)):
            return [_("de vrais lieux sont enregistrés : les inventés sont laissés de côté")]
        if any(each.withdrawn_at and each.name.startswith(DATASET) for each in all_datasets(connection)):
            return [_("la démonstration a été retirée ; pour la remettre : portee datasets restore")]
    outcomes = []
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
                    (difference.new, _("nouveaux")),
                    (difference.changed, _("modifiés")),
                    (difference.vanished, _("retirés")),
                )
                if records
            ]
            if counts:
                import_sites.apply(connection, arrival, territory=territory)
        outcomes.append(f"{path.name} : {', '.join(counts) or _('rien de nouveau')}")
    return outcomes


def import_fund(engine: Engine, settings: Settings, territory: Territory) -> str:
    """Import the invented money, passes and actions, all or none; return what became of them.

    Nothing is imported beside real sites, partners or rules: the ledger forgets nothing, so invented
    entries would stay.
    """
    with engine.connect() as connection:
        rules, known_partners = ledger.rules(connection), partners.list_(connection)
        if (
            has_real_sites(snapshots.read(connection))
            or not {*rules} <= {*RULES}
            or not all(partner.fictif for partner in known_partners)
        ):
            return _("de vraies écritures sont enregistrées : les inventées sont laissées de côté")
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
                return _(
                    "laissé de côté : %(file)s, ligne %(line)s : %(reason)s",
                    file=f"{kind}.csv",
                    line=issue.line,
                    reason=issue.reason,
                )
            new += loaded.new
    return _("%(count)s fiches et écritures", count=new) if new else _("déjà là")


def has_real_sites(snapshot: Snapshot) -> bool:
    """Return whether any site in service is not invented."""
    return any(not site.fictif for site in snapshot.sites)
