"""`portee gaps`: who is out of reach of help that suits them, where, and what is missing there."""

from __future__ import annotations

from typing import Annotated

import typer

from geo.coverage.export import about, csv_bytes, gaps_table
from geo.coverage.gaps import gaps_of_communes, gaps_of_places
from geo.coverage.measure import measure
from geo.reach.modes import Mode
from geo.settings import Settings
from portee.commands.coverage import print_notes, sentences_by_heading
from portee.console import print_json, print_text, report_errors
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


def gaps(
    where: WhereOption = [],  # noqa: B006 - Typer reads, never mutates
    mode: ModeOption = Mode.CAR,
    slot: SlotOption = None,
    beyond: BeyondOption = 20,
    population: PopulationOption = "all",
    weight: WeightOption = [],  # noqa: B006 - as above
    places: Annotated[
        bool, typer.Option("--places", help="Single places (cells of the population grid), not communes.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Gaps told, the largest first.")] = 20,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the gaps as CSV.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the gaps as JSON.")] = False,
) -> None:
    """Tell the largest gaps, a sentence each: people × need × minutes beyond reach."""
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
        elif as_csv:
            typer.echo(csv_bytes(gaps_table(found, shown)), nl=False)
        else:
            for rank, gap in enumerate(shown, start=1):
                print_text(f"{rank}. {gap.sentence}")
            if not shown:
                print_text(f"Personne n'est à plus de {question.beyond_min} min d'un lieu qui convient.")
            elif len(shown) < len(every):
                print_text(
                    f"Communes montrées : {len(shown)} sur {len(every)} (--limit {len(every)} pour toutes)."
                )
            print_notes(found)
