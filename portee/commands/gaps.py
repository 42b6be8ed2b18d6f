"""`portee gaps`: who is out of reach of help that suits them, where, and what is missing there."""

from __future__ import annotations

from typing import Annotated

import typer

from geo.coverage.export import about, gaps_table
from geo.coverage.gaps import gaps_of_communes, gaps_of_places
from geo.coverage.measure import measure
from geo.reach.modes import Mode
from geo.settings import Settings
from portee.commands.coverage import print_notes, sentences_by_heading
from portee.console import print_json, print_records_csv, print_text, report_errors, travel_time
from portee.coverage_options import (
    BeyondOption,
    ModeOption,
    PopulationOption,
    SlotOption,
    WeightOption,
    WhereOption,
    load_context,
    question_from_options,
)
from portee.language import _
from portee.options import AsCsv, AsJson, ForExcel


def gaps(
    where: WhereOption = [],  # noqa: B006 - Typer reads, never mutates
    mode: ModeOption = Mode.CAR,
    slot: SlotOption = None,
    beyond: BeyondOption = 20,
    population: PopulationOption = "all",
    weight: WeightOption = [],  # noqa: B006 - as above
    places: Annotated[
        bool,
        typer.Option(
            "--places", help="Des endroits précis (carreaux de la grille de population), non des communes."
        ),
    ] = False,
    limit: Annotated[
        int, typer.Option(min=1, max=10_000, help="Nombre d'écarts affichés, les plus grands d'abord.")
    ] = 20,
    as_csv: AsCsv = False,
    for_excel: ForExcel = False,
    as_json: AsJson = False,
) -> None:
    """Print the largest gaps, a sentence each: people × need × minutes beyond reach."""
    question = question_from_options(
        where=where, mode=mode, slot=slot, beyond=beyond, population=population, weight=weight
    )
    with report_errors():
        frame = load_context(Settings())
        found = measure(frame, question)
        every = gaps_of_places(found, limit=limit) if places else gaps_of_communes(found)
        shown = every[:limit]
        if as_json:
            print_json(
                {
                    "method": frame.travel.method,
                    "people": frame.people.label,
                    "snapshot": frame.snapshot.version,
                    "about": sentences_by_heading(about(found)),
                    "gaps": gaps_table(found, shown),
                }
            )
        elif as_csv or for_excel:
            print_records_csv(gaps_table(found, shown), french=for_excel)
        else:
            for rank, gap in enumerate(shown, start=1):
                print_text(f"{rank}. {gap.sentence}")
            if not shown:
                print_text(
                    _(
                        "Personne n'est à plus de %(minutes)s d'un lieu qui convient.",
                        minutes=travel_time(question.beyond_min),
                    )
                )
            elif len(shown) < len(every):
                print_text(
                    _(
                        "Communes montrées : %(shown)s sur %(all)s (--limit %(all)s pour toutes).",
                        shown=len(shown),
                        all=len(every),
                    )
                )
            print_notes(found)
