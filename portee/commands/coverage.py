"""`portee coverage`: time to the nearest suitable site by territory, as table, CSV or JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from geo.coverage.catchment import APL
from geo.coverage.export import about, csv_bytes, territories_table
from geo.coverage.measure import Coverage, Supply, measure
from geo.reach.modes import Mode
from geo.settings import Settings
from geo.territory.model import TerritoryKind
from portee.console import out, plain, print_json, print_text, report_errors
from portee.coverage_options import (
    DEFAULT_MINUTES,
    BeyondOption,
    DecayOption,
    MinutesOption,
    ModeOption,
    PopulationOption,
    SlotOption,
    SupplyOption,
    WeightOption,
    WhereOption,
    load_context,
    question_from_options,
)


def coverage(
    kind: Annotated[
        TerritoryKind, typer.Option(help="Level at which coverage is told.")
    ] = TerritoryKind.COMMUNE,
    where: WhereOption = [],  # noqa: B006 - Typer reads, never mutates
    mode: ModeOption = Mode.CAR,
    slot: SlotOption = None,
    minutes: MinutesOption = DEFAULT_MINUTES,
    beyond: BeyondOption = 20,
    population: PopulationOption = "all",
    weight: WeightOption = [],  # noqa: B006 - as above
    supply: SupplyOption = Supply.HOURS,
    decay: DecayOption = APL.text,
    limit: Annotated[int, typer.Option(min=0, help="Rows of the table, largest gaps first; 0 for all.")] = 20,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print every row as CSV, sorted by code.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print every row as JSON, sorted by code.")] = False,
) -> None:
    """Measure coverage: time to the nearest suitable site, people within reach and beyond, supply, gap."""
    question = question_from_options(
        where=where,
        mode=mode,
        slot=slot,
        minutes=minutes,
        beyond=beyond,
        population=population,
        weight=weight,
        supply=supply,
        decay=decay,
    )
    with report_errors():
        frame = load_context(Settings())
        found = measure(frame, question)
        if as_json:
            print_json(
                {
                    "kind": kind,
                    "method": frame.travel.method,
                    "people": frame.people.label,
                    "snapshot": frame.snapshot.version,
                    "about": sentences_by_heading(about(found)),
                    "uncertainty": asdict(found.uncertainty),
                    "territories": territories_table(found, kind),
                }
            )
        elif as_csv:
            typer.echo(csv_bytes(territories_table(found, kind)), nl=False)
        else:
            _print_table(found, kind, limit)


def sentences_by_heading(told: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Sentences by their heading."""
    found: dict[str, list[str]] = {}
    for heading, text in told:
        found.setdefault(heading, []).append(text)
    return found


def print_notes(coverage: Coverage) -> None:
    """Print what the figures are worth: question, method, people, uncertainty, sources."""
    for heading, texts in sentences_by_heading(about(coverage)).items():
        style = "yellow" if heading == "Avertissement" else "dim"
        first, *others = texts
        print_text(f"{heading} : {first}", style=style)
        for text in others:
            print_text(f"    {text}", style=style)


def _print_table(found: Coverage, kind: TerritoryKind, limit: int) -> None:
    question = found.question
    rows = sorted(found.by_territory(kind), key=lambda r: (r.gap_rank is None, r.gap_rank or 0, r.code))
    shown = rows[:limit] if limit else rows
    title = f"Part des personnes à tant de minutes {question.mode.label} ou moins, par {kind.label}"
    table = Table(title=title, title_justify="left")
    for heading in ("rang", "code", "nom"):
        table.add_column(heading, no_wrap=True)
    for heading in ("personnes", "lieux", "temps médian", *(f"{m} min" for m in question.minutes)):
        table.add_column(heading, justify="right")
    for heading in (f"à plus de {question.beyond_min} min", "offre"):
        table.add_column(heading, justify="right")
    for row in shown:
        table.add_row(
            str(row.gap_rank or "-"),
            row.code,
            escape(plain(row.name)),
            _count(row.people),
            str(row.site_count),
            "-" if row.median_min is None else f"{row.median_min:.0f} min",
            *("-" if share is None else f"{share:.0%}".replace("%", " %") for share in row.share_within),
            _count(row.people_beyond),
            f"{row.supply:.2f}".replace(".", ","),
        )
    out.print(table)
    if len(shown) < len(rows):
        print_text(f"Territoires montrés : {len(shown)} sur {len(rows)} (--limit 0 pour tous).")
    print_notes(found)


def _count(number: float) -> str:
    return f"{number:,.0f}".replace(",", " ")
