"""How commands ask a question of coverage: options declared once, and the frame it is asked of.

A command takes the options it needs under the names below and gives them to `question_of`.
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

MINUTES_MAX: Final = 120
MOST_MINUTES: Final = 8
DEFAULT_MINUTES: Final = ",".join(map(str, MINUTES))

WHERE_HELP: Final = (
    "Keep sites whose FIELD has this value, e.g. --where frais_a_charge=Gratuit. "
    "Repeat for several: one field's values are alternatives, different fields must all hold."
)

WhereOption = Annotated[list[str], typer.Option("--where", metavar="FIELD=VALUE", help=WHERE_HELP)]
ModeOption = Annotated[Mode, typer.Option("--mode", help="How people go.")]
SlotOption = Annotated[
    str | None,
    typer.Option("--slot", help="Only sites known to be open then: maintenant, “mardi 18:30”, samedi, soir."),
]
MinutesOption = Annotated[
    str, typer.Option("--minutes", help="Travel times within which people are counted, e.g. 10,20,30.")
]
BeyondOption = Annotated[
    int,
    typer.Option("--beyond", min=1, max=MINUTES_MAX, help="Minutes beyond which people are out of reach."),
]
PopulationOption = Annotated[
    Population, typer.Option("--population", help="Who is counted: everybody, or those aged 65 or over.")
]
WeightOption = Annotated[
    list[str],
    typer.Option(
        "--weight",
        metavar="CODE=WEIGHT",
        help="An indicator that weighs need, from 0 to 1, e.g. --weight ifn=0.5. Repeat for several.",
    ),
]
SupplyOption = Annotated[
    Supply, typer.Option("--supply", help="What sites offer: hours of opening in a week, or themselves.")
]
DecayOption = Annotated[
    str,
    typer.Option(
        "--decay", help="How a site counts less the farther it is: pas:10=1,15=2/3,20=1/3 or gauss:30."
    ),
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
    """The question that options ask.

    Parameters
    ----------
    now
        What the slot "maintenant" means; the present moment by default.

    Raises
    ------
    typer.BadParameter
        If an option cannot be read. Indicators and ages that are not loaded are told when measured.
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
            raise typer.BadParameter(f"“{text}” is not FIELD=VALUE.")
        if name not in FILTERABLE:
            near = get_close_matches(name, FILTERABLE) or FILTERABLE
            raise typer.BadParameter(f"No field “{name}”. Fields: {', '.join(near)}.")
        allowed = ("true", "false") if name in BOOLEAN_FIELDS else standard.ENUMERATIONS.get(name)
        if allowed and value not in allowed:
            raise typer.BadParameter(f"“{value}” is no value of {name}. Values: {' · '.join(allowed)}.")
        conditions[name].append(value)
    return SiteFilter.of(conditions)


def parse_minutes(text: str) -> tuple[int, ...]:
    """Read travel times written with commas between them; sorted, each once.

    Raises
    ------
    typer.BadParameter
        If one is no whole number from 1 to `MINUTES_MAX`, or they are more than `MOST_MINUTES`.
    """
    found = set()
    for part in map(str.strip, text.split(",")):
        if not _NUMBER.fullmatch(part) or not 1 <= int(part) <= MINUTES_MAX:
            raise typer.BadParameter(
                f"“{part}” is no whole number of minutes from 1 to {MINUTES_MAX}: write --minutes 10,20,30.",
                param_hint="--minutes",
            )
        found.add(int(part))
    if len(found) > MOST_MINUTES:
        raise typer.BadParameter(
            f"{len(found)} travel times; {MOST_MINUTES} at most.", param_hint="--minutes"
        )
    return tuple(sorted(found))


def load_context(settings: Settings) -> AnalysisContext:
    """The stored sites and people with their travel times, on the present day of the sites.

    Raises
    ------
    PorteeError
        If the database cannot be had, or holds no territory yet.
    """
    engine = engine_for(settings)
    try:
        with engine.connect() as connection:
            snapshot = snapshots.read(connection)
    finally:
        engine.dispose()
    travel = load_travel(snapshot.roads, home=settings.home, detour_factor=settings.detour_factor)
    return AnalysisContext(snapshot, travel, datetime.now(TIME_ZONE).date())


def _weights(texts: Iterable[str]) -> tuple[tuple[str, float], ...]:
    written = []
    for text in texts:
        code, equals, weight = (part.strip() for part in text.rpartition("="))
        if not equals or not code or "," in text:
            raise typer.BadParameter(f"“{text}” is not CODE=WEIGHT.", param_hint="--weight")
        written.append(f"{code}:{weight}")
    return _read(lambda: parse_weights(",".join(written)), "--weight") if written else ()


def _read(reading: Callable[[], Value], option: str) -> Value:
    try:
        return reading()
    except PorteeError as problem:
        raise typer.BadParameter(f"{problem.message} {problem.advice}", param_hint=option) from problem
