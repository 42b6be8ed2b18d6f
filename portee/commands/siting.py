"""`portee siting`: where the next sites should open, or a bus should stop."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from geo.coverage.gaps import format_people
from geo.coverage.measure import measure
from geo.coverage.where_next import Candidate, Model, SitingPlan, SitingQuestion, where_next
from geo.reach.modes import Mode
from geo.services.siting import HALF_DAYS, SITES_MAX, TIME_LIMIT_MAX_S, plan_to_dict
from geo.settings import Settings
from portee.commands.coverage import print_notes
from portee.console import out, plain, print_json, print_text, progress, report_errors
from portee.coverage_options import (
    MINUTES_MAX,
    ModeOption,
    PopulationOption,
    SlotOption,
    WeightOption,
    WhereOption,
    load_context,
    question_from_options,
)


def siting(
    model: Annotated[Model, typer.Option(help="What is best.")] = Model.MAXIMAL_COVERAGE,
    p: Annotated[
        int, typer.Option("--p", min=1, max=SITES_MAX, help="Sites to open; not for set_cover and tour.")
    ] = 3,
    within: Annotated[
        int, typer.Option(min=1, max=MINUTES_MAX, help="Minutes within which people are served.")
    ] = 20,
    half_day: Annotated[
        list[str], typer.Option(help="When the bus is free, e.g. “lundi matin”; repeat for several.")
    ] = [],  # noqa: B006 - Typer reads, never mutates
    at: Annotated[
        list[str],
        typer.Option(
            metavar="LON,LAT[,NAME]",
            help="A place that may be chosen; repeat for several. Default: town halls.",
        ),
    ] = [],  # noqa: B006 - as above
    base: Annotated[str, typer.Option(help="INSEE code of the commune the bus leaves from.")] = "",
    time_limit: Annotated[int, typer.Option(min=1, max=TIME_LIMIT_MAX_S, help="Seconds to search.")] = 30,
    where: WhereOption = [],  # noqa: B006 - as above
    mode: ModeOption = Mode.CAR,
    slot: SlotOption = None,
    population: PopulationOption = "all",
    weight: WeightOption = [],  # noqa: B006 - as above
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Choose where to open, existing sites that suit the question staying."""
    for text in half_day:
        if text not in HALF_DAYS:
            raise typer.BadParameter(f"“{text}” is none of: {', '.join(HALF_DAYS)}.", param_hint="--half-day")
    question = question_from_options(
        where=where, mode=mode, slot=slot, beyond=within, population=population, weight=weight
    )
    asked = SitingQuestion(
        question=question,
        model=model,
        p=p,
        within_min=within,
        candidates=tuple(_candidate(text) for text in at),
        half_days=tuple(dict.fromkeys(half_day)),
        base=base,
        time_limit_s=time_limit,
    )
    with report_errors():
        frame = load_context(Settings())
        with progress() as bars:
            task = bars.add_task("", total=100)
            found = where_next(
                frame,
                asked,
                lambda share, doing: bars.update(task, completed=round(share * 100), description=doing),
            )
        if as_json:
            print_json(plan_to_dict(frame, found))
            return
        _print(found)
        print_notes(measure(frame, question))


def _candidate(text: str) -> Candidate:
    """A place written as longitude, latitude and, if it has one, its name."""
    longitude, latitude, name = ([part.strip() for part in text.split(",", 2)] + ["", ""])[:3]
    try:
        place = Candidate(name or text, float(longitude), float(latitude))
    except ValueError:
        place = None
    if place is None or not (-180 <= place.longitude <= 180 and -90 <= place.latitude <= 90):
        raise typer.BadParameter(
            f"“{text}” is not LON,LAT[,NAME] in degrees, e.g. --at 0.62,44.2,Marché.", param_hint="--at"
        )
    return place


def _print(found: SitingPlan) -> None:
    plan, within = found.plan, found.asked.within_min
    table = Table(title=f"Où ouvrir : {found.asked.model.label}, à {within} min au plus")
    if found.asked.model is Model.TOUR:
        for heading in ("demi-journée", "étape"):
            table.add_column(heading, no_wrap=True)
        for heading in ("personnes gagnées", "route (min)"):
            table.add_column(heading, justify="right")
        for stop in found.tour:
            table.add_row(
                stop.half_day,
                escape(plain(stop.candidate.name)),
                _whole(stop.people_gained),
                _whole(stop.driving_min),
            )
    else:
        for heading in ("rang", "lieu", "commune"):
            table.add_column(heading, no_wrap=True)
        for heading in ("personnes gagnées", "cumul", "minutes gagnées en moyenne"):
            table.add_column(heading, justify="right")
        for each in found.opened:
            table.add_row(
                str(each.rank),
                escape(plain(each.candidate.name)),
                each.candidate.commune,
                _whole(each.people_gained),
                _whole(each.people_cumulated),
                f"{each.minutes_saved:.1f}".replace(".", ","),
            )
    out.print(table)
    print_text(
        f"Avant : {_whole(found.served_before)} personnes sur {_whole(found.people)} "
        f"à {within} min au plus d'un lieu."
    )
    if found.out_of_reach:
        print_text(
            f"Hors d'atteinte de tout lieu, existant ou possible : {format_people(found.out_of_reach)}."
        )
    if plan.note:
        print_text(plan.note)
    if plan.status == "optimal":
        print_text("Aucun autre choix ne fait mieux.")
    else:
        gap = f"{plan.gap * 100:.1f}".replace(".", ",")
        print_text(f"Meilleur choix trouvé ; un autre pourrait faire mieux de {gap} % au plus.")


def _whole(value: float) -> str:
    return f"{value:,.0f}".replace(",", " ")
