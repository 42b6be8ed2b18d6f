"""`portee report`: coverage as a PDF to print, with maps, charts and the largest gaps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geo.coverage import scenario as what_if
from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.catchment import APL
from geo.coverage.gaps import gaps_of_communes
from geo.coverage.measure import Supply, measure
from geo.reach.modes import Mode
from geo.settings import Settings
from geo.snapshot import Snapshot
from geo.store import scenarios
from geo.territory.model import TerritoryKind
from portee.console import misused, print_json, print_written, report_errors, write_file
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
from portee.database import transaction
from portee.language import _
from portee.options import AsJson
from static_maps.report import report_pdf


def report(
    file: Annotated[Path, typer.Option("--out", help="Fichier PDF à écrire ; s'il existe, il est remplacé.")],
    kind: Annotated[TerritoryKind, typer.Option(help="Territoires du classement.")] = TerritoryKind.EPCI,
    scenario: Annotated[
        str | None, typer.Option(help="Nom d'un scénario enregistré : ce qu'il change, avant et après.")
    ] = None,
    where: WhereOption = [],  # noqa: B006 - Typer reads, never mutates
    mode: ModeOption = Mode.CAR,
    slot: SlotOption = None,
    minutes: MinutesOption = DEFAULT_MINUTES,
    beyond: BeyondOption = 20,
    population: PopulationOption = "all",
    weight: WeightOption = [],  # noqa: B006 - as above
    supply: SupplyOption = Supply.HOURS,
    decay: DecayOption = APL.text,
    as_json: AsJson = False,
) -> None:
    """Write a report to print: who is far from help, where, what is missing there, how sure it is."""
    if not file.parent.is_dir():
        misused(_("pas de dossier %(folder)s.", folder=file.parent), "--out")
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
        settings = Settings()
        frame = load_context(settings)
        before = None
        if scenario is not None:
            before = measure(frame, question)
            changed = _changed(settings, frame.snapshot, scenario)
            frame = AnalysisContext(changed, frame.travel, frame.day, store_times=False)
        coverage = measure(frame, question)
        gaps = gaps_of_communes(coverage)
        content = report_pdf(coverage, kind, gaps=gaps, before=before)
    write_file(file, content, "--out")
    if as_json:
        print_json({"file": str(file), "bytes": len(content), "snapshot": frame.snapshot.version})
    else:
        print_written(file, len(content), frame.snapshot.version)


def _changed(settings: Settings, snapshot: Snapshot, name: str) -> Snapshot:
    """Return the snapshot after the edits of a saved scenario."""
    with transaction(settings) as connection:
        saved = scenarios.by_name(connection, name)
    return what_if.apply(snapshot, what_if.parse_edits(list(saved.edits), snapshot))
