"""`portee scenario`: what if sites opened, closed, moved or kept other hours."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.measure import Question, measure
from geo.coverage.scenario import apply, edits_to_json, parse_edits
from geo.errors import UnreadableFile
from geo.reach.modes import Mode
from geo.services.scenarios import DESCRIPTION_MAX, NAME_MAX, Evaluation, compare_coverages
from geo.settings import Settings
from geo.store import scenarios as stored
from geo.store import snapshots
from geo.territory.model import TerritoryKind
from portee.commands.coverage import print_notes
from portee.console import out, plain, print_json, print_text, report_errors
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
from portee.database import transaction

app = typer.Typer(help="Evaluate, keep and compare what-ifs.", no_args_is_help=True)

FILE_MAX_BYTES = 1_000_000

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="JSON: a list of edits, or an object with “edits”.")
]
KindOption = Annotated[TerritoryKind, typer.Option(help="Level at which changes are told.")]


def read_edits(path: Path) -> Any:
    """The edits of a file, as JSON values.

    Raises
    ------
    UnreadableFile
        If it cannot be read, is too large, or is no JSON.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(FILE_MAX_BYTES + 1)
    except OSError as problem:
        raise UnreadableFile(
            f"Le fichier {path} ne peut être lu : {problem.strerror}.", "Vérifiez son nom."
        ) from problem
    if len(content) > FILE_MAX_BYTES:
        raise UnreadableFile(f"Le fichier {path} dépasse {FILE_MAX_BYTES} octets.", "Est-ce un scénario ?")
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise UnreadableFile(
            f"Le fichier {path} n'est pas du JSON : {problem}.", "La forme d'un scénario : docs/scenarios.md"
        ) from problem
    return value.get("edits") if isinstance(value, dict) else value


@app.command()
def evaluate(
    file: FileArgument,
    kind: KindOption = TerritoryKind.COMMUNE,
    where: WhereOption = [],  # noqa: B006 - Typer reads, never mutates
    mode: ModeOption = Mode.CAR,
    slot: SlotOption = None,
    beyond: BeyondOption = 20,
    population: PopulationOption = "all",
    weight: WeightOption = [],  # noqa: B006 - as above
    as_json: Annotated[bool, typer.Option("--json", help="Print every territory as JSON.")] = False,
) -> None:
    """Tell who gains and who loses; nothing stored is touched."""
    question = question_from_options(
        where=where, mode=mode, slot=slot, beyond=beyond, population=population, weight=weight
    )
    with report_errors():
        frame = load_context(Settings())
        found = _evaluated(frame, read_edits(file), question, kind)
        if as_json:
            told = {"method": frame.travel.method, "people": frame.people.label}
            print_json({**told, "summary": found.summary, "territories": found.territories})
            return
        _print_changes(found, question)
        print_notes(measure(frame, question))


@app.command("list")
def list_scenarios(
    as_json: Annotated[bool, typer.Option("--json", help="Print them with their edits as JSON.")] = False,
) -> None:
    """List the kept scenarios, by name."""
    with report_errors(), transaction(Settings()) as connection:
        found = stored.list_(connection)
    if as_json:
        print_json([asdict(kept) for kept in found])
        return
    for kept in found:
        edits = f"{len(kept.edits)} modification{'s' if len(kept.edits) > 1 else ''}"
        print_text(f"{kept.id}  {kept.name}  ({edits}, {kept.updated_at:%d/%m/%Y})  {kept.description}")
    print_text("1 scénario." if len(found) == 1 else f"{len(found)} scénarios.")


@app.command()
def save(
    file: FileArgument,
    name: Annotated[str, typer.Option(help="Name it is kept under.")],
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
) -> None:
    """Keep the edits of FILE under a name; a scenario of that name is replaced."""
    for option, value, most in (("--name", name, NAME_MAX), ("--description", description, DESCRIPTION_MAX)):
        if len(value) > most or not value.isprintable() or (option == "--name" and not value.strip()):
            raise typer.BadParameter(f"1 to {most} printable characters.", param_hint=option)
    with report_errors(), transaction(Settings()) as connection:
        snapshot = snapshots.read(connection)
        edits = edits_to_json(parse_edits(read_edits(file), snapshot))
        known = any(kept.name == name.strip() for kept in stored.list_(connection))
        kept = stored.save(connection, name.strip(), description.strip(), edits, snapshot.version)
    print_text(f"Scénario {kept.id} « {kept.name} » {'remplacé' if known else 'enregistré'}.")


@app.command()
def delete(
    name: Annotated[str, typer.Argument(help="Name it is kept under.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Keep a scenario no longer."""
    if not yes:
        typer.confirm(f"Delete the scenario “{plain(name)}”?", abort=True)
    with report_errors(), transaction(Settings()) as connection:
        stored.delete_(connection, stored.by_name(connection, name).id)
    print_text(f"Scénario « {name} » supprimé.")


@app.command()
def compare(
    names: Annotated[list[str], typer.Argument(metavar="NAME…", help="Names of kept scenarios.")],
    where: WhereOption = [],  # noqa: B006 - Typer reads, never mutates
    mode: ModeOption = Mode.CAR,
    slot: SlotOption = None,
    beyond: BeyondOption = 20,
    population: PopulationOption = "all",
    weight: WeightOption = [],  # noqa: B006 - as above
    as_json: Annotated[bool, typer.Option("--json", help="Print the totals as JSON.")] = False,
) -> None:
    """Tell what each of several scenarios changes for the whole territory, side by side."""
    question = question_from_options(
        where=where, mode=mode, slot=slot, beyond=beyond, population=population, weight=weight
    )
    with report_errors():
        settings = Settings()
        with transaction(settings) as connection:
            kept = [stored.by_name(connection, name) for name in dict.fromkeys(names)]
        frame = load_context(settings)
        found = [
            (each.name, _evaluated(frame, list(each.edits), question, TerritoryKind.DEPARTEMENT))
            for each in kept
        ]
        if as_json:
            print_json([{"name": name, "summary": evaluation.summary} for name, evaluation in found])
            return
        table = Table(title=f"Scénarios comparés, seuil de {question.beyond_min} min")
        table.add_column("scénario", no_wrap=True)
        for heading in ("gagnent", "perdent", "plus près", "plus loin", "temps moyen (min)"):
            table.add_column(heading, justify="right")
        for name, evaluation in found:
            table.add_row(escape(plain(name)), *_figures(evaluation.summary))
        out.print(table)
        print_notes(measure(frame, question))


def _evaluated(frame: AnalysisContext, edits: Any, question: Question, kind: TerritoryKind) -> Evaluation:
    changed = apply(frame.snapshot, parse_edits(edits, frame.snapshot))
    after = AnalysisContext(changed, frame.travel, frame.day, store_times=False)
    return compare_coverages(measure(frame, question), measure(after, question), kind)


def _print_changes(found: Evaluation, question: Question) -> None:
    touched = [t for t in found.territories if any(t[n] for n in ("gaining", "losing", "nearer", "farther"))]
    table = Table(title=f"Qui gagne, qui perd, seuil de {question.beyond_min} min")
    for heading in ("code", "nom"):
        table.add_column(heading, no_wrap=True)
    for heading in ("gagnent", "perdent", "plus près", "plus loin", "temps moyen (min)"):
        table.add_column(heading, justify="right")
    for row in sorted(touched, key=lambda t: (t["minutes"], t["code"])):
        table.add_row(str(row["code"]), escape(plain(str(row["name"]))), *_figures(row))
    out.print(table)
    summary: Any = found.summary
    print_text(
        f"À {question.beyond_min} min au plus d'un lieu : {_whole(summary['gaining'])} personnes de plus, "
        f"{_whole(summary['losing'])} de moins."
    )


def _figures(figures: Any) -> list[str]:
    counts = [_whole(figures[n]) for n in ("gaining", "losing", "nearer", "farther")]
    minutes = figures["minutes"]
    return [*counts, "-" if minutes is None else f"{minutes:+.1f}".replace(".", ",")]


def _whole(value: float) -> str:
    return f"{value:,.0f}".replace(",", " ")
