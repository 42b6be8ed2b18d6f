"""`portee coverage`: time to the nearest suitable site by territory, as table, CSV or JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from geo.coverage.catchment import APL
from geo.coverage.export import about, territories_table
from geo.coverage.measure import Coverage, Supply, measure
from geo.reach.modes import Mode
from geo.services.coverage import undecided_to_dict
from geo.settings import Settings
from geo.territory.model import TerritoryKind
from geo.wording import figures
from geo.wording.figures import NO_FIGURE
from portee.console import (
    count,
    percent,
    print_json,
    print_records_csv,
    print_table,
    print_text,
    report_errors,
    travel_time,
    wording,
)
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
from portee.language import _
from portee.options import AsCsv, AsJson, ForExcel


def coverage(
    kind: Annotated[TerritoryKind, typer.Option(help="Niveau des territoires.")] = TerritoryKind.COMMUNE,
    where: WhereOption = [],  # noqa: B006 - Typer reads, never mutates
    mode: ModeOption = Mode.CAR,
    slot: SlotOption = None,
    minutes: MinutesOption = DEFAULT_MINUTES,
    beyond: BeyondOption = 20,
    population: PopulationOption = "all",
    weight: WeightOption = [],  # noqa: B006 - as above
    supply: SupplyOption = Supply.HOURS,
    decay: DecayOption = APL.text,
    limit: Annotated[
        int, typer.Option(min=0, help="Lignes du tableau, plus grands écarts d'abord ; 0 pour toutes.")
    ] = 20,
    as_csv: AsCsv = False,
    for_excel: ForExcel = False,
    as_json: AsJson = False,
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
                    "undecided": undecided_to_dict(found),
                    "territories": territories_table(found, kind),
                }
            )
        elif as_csv or for_excel:
            print_records_csv(territories_table(found, kind), french=for_excel)
        else:
            _print_table(found, kind, limit)


def sentences_by_heading(about_lines: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Group sentences by their heading."""
    found: dict[str, list[str]] = {}
    for heading, text in about_lines:
        found.setdefault(heading, []).append(text)
    return found


def print_notes(coverage: Coverage) -> None:
    """Print the question, method, people, uncertainty and sources of the figures."""
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
    headings = (
        *(_("rang"), _("code"), _("nom"), _("personnes"), _("lieux"), _("temps médian")),
        *(_("à %(minutes)s au plus", minutes=travel_time(each)) for each in question.minutes),
        _("à plus de %(minutes)s", minutes=travel_time(question.beyond_min)),
        _("offre"),
    )
    print_table(
        headings,
        [
            (
                NO_FIGURE if row.gap_rank is None else str(row.gap_rank),
                row.code,
                row.name,
                count(row.people),
                f"{row.site_range.low}–{row.site_count}"
                if row.site_range.low < row.site_count
                else str(row.site_count),
                travel_time(row.median_min),
                *map(percent, row.share_within),
                count(row.people_beyond),
                figures.decimal(row.supply, wording()),
            )
            for row in shown
        ],
        title=_(
            "Part des personnes à tant de minutes %(mode)s ou moins, par %(kind)s",
            mode=question.mode.label,
            kind=kind.label,
        ),
        numbers=len(headings) - 3,
    )
    if len(shown) < len(rows):
        print_text(
            _(
                "Territoires montrés : %(shown)s sur %(all)s (--limit 0 pour tous).",
                shown=len(shown),
                all=len(rows),
            )
        )
    print_notes(found)
