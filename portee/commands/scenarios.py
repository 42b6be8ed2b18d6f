"""`portee scenario`: what would change if sites opened, closed, moved or had other hours."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

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
from geo.wording.figures import NO_FIGURE, signed
from portee.commands.coverage import print_notes
from portee.console import (
    confirm,
    count,
    misused,
    print_json,
    print_table,
    print_text,
    report_errors,
    short_day,
    travel_time,
    wording,
)
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
from portee.language import _, many
from portee.options import AsJson, Yes

app = typer.Typer(help="Évaluer, enregistrer et comparer des scénarios.", no_args_is_help=True)

FILE_MAX_BYTES = 1_000_000

FileArgument = Annotated[
    Path,
    typer.Argument(metavar="FICHIER", help="JSON : une liste de modifications, ou un objet avec « edits »."),
]
KindOption = Annotated[TerritoryKind, typer.Option(help="Niveau des territoires.")]


def read_edits(path: Path) -> Any:
    """Return the edits of a file, as JSON values.

    Raises
    ------
    UnreadableFile
        If it cannot be read, is too large, or is not valid JSON.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(FILE_MAX_BYTES + 1)
    except OSError as problem:
        raise UnreadableFile(
            _("Le fichier %(file)s ne peut être lu : %(reason)s.", file=path, reason=problem.strerror),
            _("Vérifiez son nom."),
        ) from problem
    if len(content) > FILE_MAX_BYTES:
        raise UnreadableFile(
            _("Le fichier %(file)s dépasse %(most)s octets.", file=path, most=FILE_MAX_BYTES),
            _("Est-ce un scénario ?"),
        )
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise UnreadableFile(
            _("Le fichier %(file)s n'est pas du JSON : %(reason)s.", file=path, reason=problem),
            _("La forme d'un scénario : docs/scenarios.md"),
        ) from problem
    return value.get("edits") if isinstance(value, dict) else value


@app.command(help="Montre qui gagne et qui perd ; rien d'enregistré ne change.")
def evaluate(
    file: FileArgument,
    kind: KindOption = TerritoryKind.COMMUNE,
    where: WhereOption = [],  # noqa: B006 - Typer reads, never mutates
    mode: ModeOption = Mode.CAR,
    slot: SlotOption = None,
    beyond: BeyondOption = 20,
    population: PopulationOption = "all",
    weight: WeightOption = [],  # noqa: B006 - as above
    as_json: AsJson = False,
) -> None:
    """Show who gains and who loses; nothing stored changes."""
    question = question_from_options(
        where=where, mode=mode, slot=slot, beyond=beyond, population=population, weight=weight
    )
    with report_errors():
        frame = load_context(Settings())
        found = _evaluated(frame, read_edits(file), question, kind)
        if as_json:
            origin = {"method": frame.travel.method, "people": frame.people.label}
            print_json({**origin, "summary": found.summary, "territories": found.territories})
            return
        _print_changes(found, question)
        print_notes(measure(frame, question))


@app.command("list", help="Liste les scénarios enregistrés, par nom.")
def list_scenarios(
    as_json: AsJson = False,
) -> None:
    """List the saved scenarios, by name."""
    with report_errors(), transaction(Settings()) as connection:
        found = stored.list_(connection)
    if as_json:
        print_json([asdict(saved) for saved in found])
        return
    for saved in found:
        edits = many("%(num)s modification", "%(num)s modifications", len(saved.edits))
        day = short_day(saved.updated_at)
        print_text(f"{saved.id}  {saved.name}  ({edits}, {day})  {saved.description}")
    print_text(many("%(num)s scénario.", "%(num)s scénarios.", len(found)))


@app.command(help="Enregistre les modifications de FICHIER sous un nom ; un scénario de ce nom est remplacé.")
def save(
    file: FileArgument,
    name: Annotated[str, typer.Option(help="Nom sous lequel l'enregistrer.")],
    description: Annotated[str, typer.Option(help="À quoi il sert.")] = "",
) -> None:
    """Save the edits of FILE under a name; a scenario of that name is replaced."""
    for option, value, most in (("--name", name, NAME_MAX), ("--description", description, DESCRIPTION_MAX)):
        if len(value) > most or not value.isprintable() or (option == "--name" and not value.strip()):
            misused(_("de 1 à %(most)s caractères imprimables.", most=most), option)
    with report_errors(), transaction(settings := Settings()) as connection:
        snapshot = snapshots.read(connection, margin_km=settings.margin_km)
        edits = edits_to_json(parse_edits(read_edits(file), snapshot))
        known = any(each.name == name.strip() for each in stored.list_(connection))
        saved = stored.save(connection, name.strip(), description.strip(), edits, snapshot.version)
    template = (
        _("Scénario %(id)s « %(name)s » remplacé.")
        if known
        else _("Scénario %(id)s « %(name)s » enregistré.")
    )
    print_text(template % {"id": saved.id, "name": saved.name})


@app.command(help="Supprime un scénario.")
def delete(
    name: Annotated[str, typer.Argument(help="Nom sous lequel l'enregistrer.")],
    yes: Yes = False,
) -> None:
    """Delete a scenario."""
    confirm(_("Supprimer le scénario « %(name)s » ?", name=name), yes=yes)
    with report_errors(), transaction(Settings()) as connection:
        stored.delete_(connection, stored.by_name(connection, name).id)
    print_text(_("Scénario « %(name)s » supprimé.", name=name))


@app.command(help="Montre côte à côte ce que changent plusieurs scénarios pour tout le territoire.")
def compare(
    names: Annotated[list[str], typer.Argument(metavar="NOM…", help="Noms de scénarios enregistrés.")],
    where: WhereOption = [],  # noqa: B006 - Typer reads, never mutates
    mode: ModeOption = Mode.CAR,
    slot: SlotOption = None,
    beyond: BeyondOption = 20,
    population: PopulationOption = "all",
    weight: WeightOption = [],  # noqa: B006 - as above
    as_json: AsJson = False,
) -> None:
    """Show what several scenarios change for the whole territory, side by side."""
    question = question_from_options(
        where=where, mode=mode, slot=slot, beyond=beyond, population=population, weight=weight
    )
    with report_errors():
        settings = Settings()
        with transaction(settings) as connection:
            chosen = [stored.by_name(connection, name) for name in dict.fromkeys(names)]
        frame = load_context(settings)
        found = [
            (each.name, _evaluated(frame, list(each.edits), question, TerritoryKind.DEPARTEMENT))
            for each in chosen
        ]
        if as_json:
            print_json([{"name": name, "summary": evaluation.summary} for name, evaluation in found])
            return
        print_table(
            (_("scénario"), *_headings()),
            [(name, *_figures(evaluation.summary)) for name, evaluation in found],
            title=_("Scénarios comparés, seuil de %(minutes)s", minutes=travel_time(question.beyond_min)),
            numbers=5,
        )
        print_notes(measure(frame, question))


def _evaluated(frame: AnalysisContext, edits: Any, question: Question, kind: TerritoryKind) -> Evaluation:
    changed = apply(frame.snapshot, parse_edits(edits, frame.snapshot))
    after = AnalysisContext(changed, frame.travel, frame.day, store_times=False)
    return compare_coverages(measure(frame, question), measure(after, question), kind)


def _print_changes(found: Evaluation, question: Question) -> None:
    touched = [t for t in found.territories if any(t[n] for n in ("gaining", "losing", "nearer", "farther"))]
    print_table(
        (_("code"), _("nom"), *_headings()),
        [
            (str(row["code"]), str(row["name"]), *_figures(row))
            for row in sorted(touched, key=lambda t: (t["minutes"], t["code"]))
        ],
        title=_("Qui gagne, qui perd, seuil de %(minutes)s", minutes=travel_time(question.beyond_min)),
        numbers=5,
    )
    summary: Any = found.summary
    print_text(
        _(
            "À %(minutes)s au plus d'un lieu : %(gaining)s personnes de plus, %(losing)s de moins.",
            minutes=travel_time(question.beyond_min),
            gaining=count(summary["gaining"]),
            losing=count(summary["losing"]),
        )
    )


def _headings() -> tuple[str, ...]:
    return (_("gagnent"), _("perdent"), _("plus près"), _("plus loin"), _("temps moyen (min)"))


def _figures(figures: Any) -> list[str]:
    counts = [count(figures[name]) for name in ("gaining", "losing", "nearer", "farther")]
    minutes = figures["minutes"]
    return [*counts, NO_FIGURE if minutes is None else signed(minutes, wording())]
