"""`portee trend`: the same question asked of dated states of the data, and of the present one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.measure import Question, TerritoryCoverage, measure
from geo.reach.modes import Mode
from geo.settings import Settings
from geo.store import dated_snapshots
from geo.territory.model import TerritoryKind
from portee.commands.coverage import print_notes
from portee.console import out, plain, print_json, report_errors
from portee.coverage_options import (
    DEFAULT_MINUTES,
    BeyondOption,
    MinutesOption,
    ModeOption,
    PopulationOption,
    SlotOption,
    WeightOption,
    WhereOption,
    load_context,
    question_from_options,
)
from portee.database import transaction


def trend(
    where: WhereOption = [],  # noqa: B006 - Typer reads, never mutates
    mode: ModeOption = Mode.CAR,
    slot: SlotOption = None,
    minutes: MinutesOption = DEFAULT_MINUTES,
    beyond: BeyondOption = 20,
    population: PopulationOption = "all",
    weight: WeightOption = [],  # noqa: B006 - as above
    as_json: Annotated[bool, typer.Option("--json", help="Print each state as JSON.")] = False,
) -> None:
    """Tell coverage of the territory from one dated state to the next; today comes last."""
    question = question_from_options(
        where=where,
        mode=mode,
        slot=slot,
        minutes=minutes,
        beyond=beyond,
        population=population,
        weight=weight,
    )
    with report_errors():
        settings = Settings()
        today = load_context(settings)
        with transaction(settings) as connection:
            states = dated_snapshots.list_(connection)
        rows = []
        for state in states:
            with transaction(settings) as connection:
                snapshot = dated_snapshots.read(connection, state.name)
            (whole,) = measure(AnalysisContext(snapshot, today.travel, state.day), question).by_territory(
                TerritoryKind.DEPARTEMENT
            )
            rows.append((state.name, state.day.isoformat(), whole))
        now = measure(today, question)
        rows.append(("Aujourd'hui", today.day.isoformat(), now.by_territory(TerritoryKind.DEPARTEMENT)[0]))
        if as_json:
            print_json([{"name": name, "day": day, **asdict(whole)} for name, day, whole in rows])
            return
        _print(rows, question)
        print_notes(now)


def _print(rows: list[tuple[str, str, TerritoryCoverage]], question: Question) -> None:
    table = Table(title="La même question, d'un état daté à l'autre")
    for heading in ("date", "état"):
        table.add_column(heading, no_wrap=True)
    for heading in ("lieux", "temps médian (min)", f"à plus de {question.beyond_min} min"):
        table.add_column(heading, justify="right")
    for each in question.minutes:
        table.add_column(f"à {each} min", justify="right")
    for name, day, whole in rows:
        table.add_row(
            day,
            escape(plain(name)),
            str(whole.site_count),
            "-" if whole.median_min is None else f"{whole.median_min:.0f}",
            f"{whole.people_beyond:,.0f}".replace(",", " "),
            *("-" if share is None else f"{share * 100:.0f} %" for share in whole.share_within),
        )
    out.print(table)
