"""Parameters of a coverage question, declared once for every route.

The same names serve query strings (`QUESTION.read`) and the "question" object of JSON bodies
(`QUESTION.read_object`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from api.parameters import (
    COMMUNE_NAME,
    FILTERS,
    MAX_TEXT,
    Parameter,
    Query,
    Read,
    choice,
    integer,
    integers,
    site_search,
)
from geo.coverage import catchment
from geo.coverage.catchment import parse_decay
from geo.coverage.measure import Question, Supply
from geo.hours.weekly import TIME_ZONE, Slot, parse_slot
from geo.people.need import parse_weights
from geo.reach.modes import Mode

DEFAULTS: Final = Question()
MINUTES_MAX: Final = 120
MOST_MINUTES: Final = 8
_SOME_MOMENT: Final = datetime(2000, 1, 3, tzinfo=TIME_ZONE)


def _short(read: Read) -> Read:
    """Return a parser that refuses texts longer than `MAX_TEXT`."""

    def bounded(text: str) -> Any:
        if len(text) > MAX_TEXT:
            raise ValueError(f"un texte de {MAX_TEXT} caractères au plus")
        return read(text)

    return bounded


def _slot(text: str) -> str:
    """Return the slot in canonical form; `opening_slot` gives "maintenant" its meaning."""
    return parse_slot(text, now=_SOME_MOMENT).text


MODE: Final = choice(
    "mode", "How people go: by car, by bicycle, on foot.", tuple(Mode), default=DEFAULTS.mode.value
)
SLOT: Final = Parameter(
    "slot",
    "Only sites known to be open then: `maintenant`, `mardi 18:30`, `samedi`, `soir`.",
    _short(_slot),
    {"type": "string", "maxLength": MAX_TEXT},
)
QUESTION_PARAMETERS: Final = (
    MODE,
    SLOT,
    integers(
        "minutes",
        "Travel times within which people are counted, minutes, separated by commas.",
        low=1,
        high=MINUTES_MAX,
        most=MOST_MINUTES,
        default=DEFAULTS.minutes,
    ),
    integer(
        "beyond_min",
        "Minutes of travel beyond which people are out of reach, and time is excess.",
        low=1,
        high=MINUTES_MAX,
        default=DEFAULTS.beyond_min,
    ),
    choice(
        "population",
        "Who is counted: everybody, or those aged 65 or over.",
        ("all", "65"),
        default=DEFAULTS.population,
    ),
    Parameter(
        "weights",
        "Indicators that weigh need, each with its weight, from 0 to 1 and 1 together at most: "
        "`ifn:0.5,pauvrete:0.2`.",
        _short(parse_weights),
        {"type": "string", "maxLength": MAX_TEXT},
    ),
    choice(
        "supply",
        "What the floating catchment shares out: hours of opening in a week, or sites.",
        tuple(Supply),
        default=DEFAULTS.supply.value,
    ),
    Parameter(
        "decay",
        "How a site counts less the farther it is: by steps (`pas:10=1,15=2/3,20=1/3`), or smoothly "
        "(`gauss:30`).",
        _short(parse_decay),
        {"type": "string", "maxLength": MAX_TEXT, "default": catchment.APL.text},
        catchment.APL.text,
    ),
    COMMUNE_NAME,
    *FILTERS,
)
QUESTION: Final = Query(QUESTION_PARAMETERS)
"""The parameters of a question only."""


def coverage_question(values: Mapping[str, Any], now: datetime) -> Question:
    """Return the question given by values that `QUESTION`, or a query with its parameters, parsed.

    Parameters
    ----------
    now
        What the slot "maintenant" means; it changes the question with each minute.
    """
    return Question(
        mode=Mode(values.get("mode", DEFAULTS.mode)),
        filter=site_search(values).filter,
        slot=opening_slot(values, now),
        minutes=values.get("minutes", DEFAULTS.minutes),
        beyond_min=values.get("beyond_min", DEFAULTS.beyond_min),
        population=values.get("population", DEFAULTS.population),
        weights=values.get("weights", DEFAULTS.weights),
        supply=Supply(values.get("supply", DEFAULTS.supply)),
        decay=values.get("decay", DEFAULTS.decay),
    )


def opening_slot(values: Mapping[str, Any], now: datetime) -> Slot | None:
    """Return the slot of parsed values, or None."""
    return parse_slot(values["slot"], now=now) if "slot" in values else None


def dated(now: datetime, slot: Slot | None) -> str:
    """Return the ETag suffix of an answer that depends on the day; on the minute for "maintenant"."""
    return f"-{now:%Y%m%d%H%M}" if slot and slot.week else f"-{now:%Y%m%d}"
