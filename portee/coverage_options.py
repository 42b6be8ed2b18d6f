"""Options of coverage queries, declared once, and what they are run against.

A command takes the options it needs under the names below and gives them to `question_from_options`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from difflib import get_close_matches
from typing import Annotated, Final, TypeVar

import typer

from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.catchment import APL, parse_decay
from geo.coverage.measure import MINUTES, Question, Supply
from geo.errors import PorteeError
from geo.hours.weekly import TIME_ZONE, parse_slot
from geo.people.need import Population, parse_weights
from geo.reach.modes import Mode
from geo.reach.travel import load_travel
from geo.settings import Settings
from geo.sites import standard
from geo.sites.filters import BOOLEAN_FIELDS, FILTERABLE, SiteFilter
from geo.store import snapshots
from geo.store.database import engine_for
from portee.console import misused
from portee.language import N_, _, foreign

MINUTES_MAX: Final = 120
MOST_MINUTES: Final = 8
DEFAULT_MINUTES: Final = ",".join(map(str, MINUTES))

WHERE_HELP: Final = N_(
    "Seulement les lieux dont CHAMP a cette valeur, par exemple --where frais_a_charge=Gratuit. À répéter : "
    "une des valeurs d'un même champ suffit, tous les champs doivent convenir."
)

WhereOption = Annotated[list[str], typer.Option("--where", metavar="CHAMP=VALEUR", help=WHERE_HELP)]
ModeOption = Annotated[Mode, typer.Option("--mode", help="Mode de déplacement.")]
SlotOption = Annotated[
    str | None,
    typer.Option(
        "--slot", help="Seulement les lieux ouverts à coup sûr : maintenant, « mardi 18:30 », samedi, soir."
    ),
]
MinutesOption = Annotated[
    str,
    typer.Option(
        "--minutes",
        help="Temps de trajet en deçà desquels les personnes sont comptées, par exemple 10,20,30.",
    ),
]
BeyondOption = Annotated[
    int,
    typer.Option(
        "--beyond", min=1, max=MINUTES_MAX, help="Minutes au-delà desquelles les personnes sont trop loin."
    ),
]
PopulationOption = Annotated[
    Population, typer.Option("--population", help="Qui est compté : tout le monde, ou les 65 ans et plus.")
]
WeightOption = Annotated[
    list[str],
    typer.Option(
        "--weight",
        metavar="CODE=POIDS",
        help="Indicateur qui pondère le besoin, de 0 à 1, par exemple --weight ifn=0.5. À répéter "
        "pour plusieurs.",
    ),
]
SupplyOption = Annotated[
    Supply,
    typer.Option(
        "--supply", help="Ce que les lieux offrent : leurs heures d'ouverture par semaine, ou leur nombre."
    ),
]
DecayOption = Annotated[
    str,
    typer.Option("--decay", help="Décroissance avec la distance : pas:10=1,15=2/3,20=1/3 ou gauss:30."),
]

Value = TypeVar("Value")
_NUMBER: Final = re.compile(r"\d{1,4}", re.ASCII)


def question_from_options(
    *,
    where: Iterable[str] = (),
    mode: Mode = Mode.CAR,
    slot: str | None = None,
    minutes: str = DEFAULT_MINUTES,
    beyond: int = 20,
    population: Population = "all",
    weight: Iterable[str] = (),
    supply: Supply = Supply.HOURS,
    decay: str = APL.text,
    now: datetime | None = None,
) -> Question:
    """Return the coverage query that options describe.

    Parameters
    ----------
    now
        Moment that the slot "maintenant" means; the present one by default.

    Raises
    ------
    typer.BadParameter
        If an option cannot be read. Indicators and ages that are not loaded are reported when measured.
    """
    moment = now or datetime.now(TIME_ZONE)
    return Question(
        mode=mode,
        filter=site_filter(where),
        slot=_read(lambda: parse_slot(slot, now=moment), "--slot") if slot is not None else None,
        minutes=parse_minutes(minutes),
        beyond_min=beyond,
        population=population,
        weights=_weights(weight),
        supply=supply,
        decay=_read(lambda: parse_decay(decay), "--decay"),
    )


def site_filter(where: Iterable[str]) -> SiteFilter:
    """Build a filter from `field=value` texts.

    Raises
    ------
    typer.BadParameter
        If a text has no `=`, names no filterable field, or gives a value outside a closed list.
    """
    conditions: dict[str, list[str]] = defaultdict(list)
    for text in where:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not value:
            misused(_("« %(text)s » n'est pas CHAMP=VALEUR.", text=text), "--where")
        if name not in FILTERABLE:
            near = get_close_matches(name, FILTERABLE) or FILTERABLE
            misused(
                _("pas de champ « %(name)s ». Champs : %(known)s.", name=name, known=", ".join(near)),
                "--where",
            )
        allowed = ("true", "false") if name in BOOLEAN_FIELDS else standard.ENUMERATIONS.get(name)
        if allowed and value not in allowed:
            misused(
                _(
                    "« %(value)s » n'est pas une valeur de %(name)s. Valeurs : %(known)s.",
                    value=value,
                    name=name,
                    known=" · ".join(allowed),
                ),
                "--where",
            )
        conditions[name].append(value)
    return SiteFilter.of(conditions)


def parse_minutes(text: str) -> tuple[int, ...]:
    """Return travel times written with commas between them; sorted, each once.

    Raises
    ------
    typer.BadParameter
        If one is not a whole number from 1 to `MINUTES_MAX`, or there are more than `MOST_MINUTES`.
    """
    found = set()
    for part in map(str.strip, text.split(",")):
        if not _NUMBER.fullmatch(part) or not 1 <= int(part) <= MINUTES_MAX:
            misused(
                _(
                    "« %(part)s » n'est pas un nombre entier de minutes de 1 à %(most)s : écrivez --minutes "
                    "10,20,30.",
                    part=part,
                    most=MINUTES_MAX,
                ),
                "--minutes",
            )
        found.add(int(part))
    if len(found) > MOST_MINUTES:
        misused(
            _("%(count)s temps de trajet ; %(most)s au plus.", count=len(found), most=MOST_MINUTES),
            "--minutes",
        )
    return tuple(sorted(found))


def load_context(settings: Settings) -> AnalysisContext:
    """Return the stored sites and people with their travel times, for today.

    Raises
    ------
    PorteeError
        If the database cannot be reached, or holds no territory yet.
    """
    engine = engine_for(settings)
    try:
        with engine.connect() as connection:
            snapshot = snapshots.read(connection, margin_km=settings.margin_km)
    finally:
        engine.dispose()
    travel = load_travel(snapshot.roads, home=settings.home, detour_factor=settings.detour_factor)
    return AnalysisContext(snapshot, travel, datetime.now(TIME_ZONE).date())


def _weights(texts: Iterable[str]) -> tuple[tuple[str, float], ...]:
    pairs = []
    for text in texts:
        code, equals, weight = (part.strip() for part in text.rpartition("="))
        if not equals or not code or "," in text:
            misused(_("« %(text)s » n'est pas CODE=POIDS.", text=text), "--weight")
        pairs.append(f"{code}:{weight}")
    return _read(lambda: parse_weights(",".join(pairs)), "--weight") if pairs else ()


def _read(reading: Callable[[], Value], option: str) -> Value:
    try:
        return reading()
    except PorteeError as problem:
        misused(f"{foreign(problem.message)} {foreign(problem.advice)}", option, problem)
