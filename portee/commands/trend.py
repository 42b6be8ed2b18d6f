"""`portee trend`: the same coverage query on dated states of the data and on the present one."""

from __future__ import annotations

from dataclasses import asdict

from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.measure import Question, TerritoryCoverage, measure
from geo.reach.modes import Mode
from geo.settings import Settings
from geo.store import dated_snapshots
from geo.territory.model import TerritoryKind
from portee.commands.coverage import print_notes
from portee.console import count, percent, print_json, print_table, report_errors, travel_time
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
from portee.language import _
from portee.options import AsJson


def trend(
    where: WhereOption = [],  # noqa: B006 - Typer reads, never mutates
    mode: ModeOption = Mode.CAR,
    slot: SlotOption = None,
    minutes: MinutesOption = DEFAULT_MINUTES,
    beyond: BeyondOption = 20,
    population: PopulationOption = "all",
    weight: WeightOption = [],  # noqa: B006 - as above
    as_json: AsJson = False,
) -> None:
    """Compare coverage of the territory between dated states; today comes last."""
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
                snapshot = dated_snapshots.read(connection, state.name, margin_km=settings.margin_km)
            (whole,) = measure(AnalysisContext(snapshot, today.travel, state.day), question).by_territory(
                TerritoryKind.DEPARTEMENT
            )
            rows.append((state.name, state.day.isoformat(), whole))
        now = measure(today, question)
        rows.append((_("Aujourd'hui"), today.day.isoformat(), now.by_territory(TerritoryKind.DEPARTEMENT)[0]))
        if as_json:
            print_json([{"name": name, "day": day, **asdict(whole)} for name, day, whole in rows])
            return
        _print(rows, question)
        print_notes(now)


def _print(rows: list[tuple[str, str, TerritoryCoverage]], question: Question) -> None:
    headings = (
        *(_("date"), _("état"), _("lieux"), _("temps médian")),
        _("à plus de %(minutes)s", minutes=travel_time(question.beyond_min)),
        *(_("à %(minutes)s au plus", minutes=travel_time(each)) for each in question.minutes),
    )
    print_table(
        headings,
        [
            (
                day,
                name,
                str(whole.site_count),
                travel_time(whole.median_min),
                count(whole.people_beyond),
                *map(percent, whole.share_within),
            )
            for name, day, whole in rows
        ],
        title=_("La même question, d'un état daté à l'autre"),
        numbers=len(headings) - 2,
    )
