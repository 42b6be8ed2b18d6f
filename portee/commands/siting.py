"""`portee siting`: where the next sites should open, or a bus should stop."""

from __future__ import annotations

from typing import Annotated

import typer

from geo.coverage.measure import measure
from geo.coverage.where_next import Candidate, Model, SitingPlan, SitingQuestion, where_next
from geo.reach.modes import Mode
from geo.services.siting import HALF_DAYS, SITES_MAX, TIME_LIMIT_MAX_S, plan_to_dict
from geo.settings import Settings
from geo.wording.figures import people
from portee.commands.coverage import print_notes
from portee.console import (
    count,
    decimal,
    misused,
    print_json,
    print_table,
    print_text,
    progress,
    report_errors,
    travel_time,
    wording,
)
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
from portee.language import _
from portee.options import AsJson


def siting(
    model: Annotated[Model, typer.Option(help="Critère du meilleur choix.")] = Model.MAXIMAL_COVERAGE,
    p: Annotated[
        int,
        typer.Option(
            "--p", min=1, max=SITES_MAX, help="Nombre de lieux à ouvrir ; sans objet pour set_cover et tour."
        ),
    ] = 3,
    within: Annotated[
        int,
        typer.Option(
            min=1, max=MINUTES_MAX, help="Minutes en deçà desquelles les personnes sont desservies."
        ),
    ] = 20,
    half_day: Annotated[
        list[str],
        typer.Option(help="Quand le bus est libre, par exemple « lundi matin » ; à répéter pour plusieurs."),
    ] = [],  # noqa: B006 - Typer reads, never mutates
    at: Annotated[
        list[str],
        typer.Option(
            metavar="LON,LAT[,NOM]",
            help="Un endroit possible ; à répéter pour plusieurs. Par défaut, les mairies.",
        ),
    ] = [],  # noqa: B006 - as above
    base: Annotated[str, typer.Option(help="Code INSEE de la commune d'où part le bus.")] = "",
    time_limit: Annotated[int, typer.Option(min=1, max=TIME_LIMIT_MAX_S, help="Secondes de recherche.")] = 30,
    where: WhereOption = [],  # noqa: B006 - as above
    mode: ModeOption = Mode.CAR,
    slot: SlotOption = None,
    population: PopulationOption = "all",
    weight: WeightOption = [],  # noqa: B006 - as above
    as_json: AsJson = False,
) -> None:
    """Choose where to open, existing sites that suit the question staying."""
    for text in half_day:
        if text not in HALF_DAYS:
            misused(
                _("« %(text)s » n'est pas au choix : %(known)s.", text=text, known=", ".join(HALF_DAYS)),
                "--half-day",
            )
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
    """Return a place written as longitude, latitude and, if it has one, its name."""
    longitude, latitude, name = ([part.strip() for part in text.split(",", 2)] + ["", ""])[:3]
    try:
        place = Candidate(name or text, float(longitude), float(latitude))
    except ValueError:
        place = None
    if place is None or not (-180 <= place.longitude <= 180 and -90 <= place.latitude <= 90):
        misused(
            _(
                "« %(text)s » n'est pas LON,LAT[,NOM] en degrés, par exemple --at 0.62,44.2,Marché.",
                text=text,
            ),
            "--at",
        )
    return place


def _print(found: SitingPlan) -> None:
    plan, within = found.plan, found.asked.within_min
    title = _(
        "Où ouvrir : %(model)s, à %(minutes)s au plus",
        model=found.asked.model.label,
        minutes=travel_time(within),
    )
    if found.asked.model is Model.TOUR:
        print_table(
            (_("demi-journée"), _("étape"), _("personnes gagnées"), _("route (min)")),
            [
                (stop.half_day, stop.candidate.name, count(stop.people_gained), count(stop.driving_min))
                for stop in found.tour
            ],
            title=title,
            numbers=2,
        )
    else:
        print_table(
            (
                *(_("rang"), _("lieu"), _("commune")),
                *(_("personnes gagnées"), _("cumul"), _("minutes gagnées en moyenne")),
            ),
            [
                (
                    str(each.rank),
                    each.candidate.name,
                    each.candidate.commune,
                    count(each.people_gained),
                    count(each.people_cumulated),
                    decimal(each.minutes_saved),
                )
                for each in found.opened
            ],
            title=title,
            numbers=3,
        )
    print_text(
        _(
            "Avant : %(served)s personnes sur %(people)s à %(minutes)s au plus d'un lieu.",
            served=count(found.served_before),
            people=count(found.people),
            minutes=travel_time(within),
        )
    )
    if found.out_of_reach:
        print_text(
            _(
                "Hors d'atteinte de tout lieu, existant ou possible : %(people)s.",
                people=people(found.out_of_reach, wording()),
            )
        )
    if plan.note:
        print_text(plan.note)
    if plan.status == "optimal":
        print_text(_("Aucun autre choix ne fait mieux."))
    else:
        print_text(
            _(
                "Meilleur choix trouvé ; un autre pourrait faire mieux de %(gap)s %% au plus.",
                gap=decimal(plan.gap * 100),
            )
        )
