"""When sites are open: at a slot of the week, and over a typical week.

Hours are evaluated over a real week, so that odd weeks, first Thursdays and dated rules fall as the
calendar has them, with the holidays of France. All is wall-clock time of the site. What is unknown
stays unknown. What a resident needs to know of one moment is in `geo.hours.open_status`. Definitions
and limits: docs/opening.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from geo.errors import InvalidParameter
from geo.hours.calendar import ANY_ZONE, Calendar, has_public_holiday, has_school_holiday
from geo.hours.intervals import CERTAIN, expressions, hours_intervals
from geo.sites.model import Site
from geo.sites.text import fold

TIME_ZONE: Final = ZoneInfo("Europe/Paris")
"""Where a moment given with a time zone is brought to."""

EXAMPLES: Final = "« maintenant », « mardi 18:30 », « soir », « samedi »"
"""How a slot is written, shown with each refusal."""

EVENING_FROM: Final = 18
"""Hour of the day from which it is evening."""

_DAY = 24 * 60
_WEEK = 7 * _DAY
_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_CODES = ("mo", "tu", "we", "th", "fr", "sa", "su")
_WEEKDAY = {name: day for names in (_DAYS, _CODES) for day, name in enumerate(names)}
_SLOT = re.compile(r"([a-z]+)(?: (?:a )?(\d{1,2}) ?(?:h|:) ?(\d{2})?)?", re.ASCII)


class Openness(StrEnum):
    """Whether a site is open at a slot."""

    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"

    @property
    def label(self) -> str:
        """The French words shown to readers."""
        return _LABELS[self]


_LABELS = {
    Openness.OPEN: "ouvert",
    Openness.CLOSED: "fermé",
    Openness.UNKNOWN: "horaires inconnus",
}

_Part = tuple[int, int, Openness]
"""From a minute of the week to another (excluded), open or perhaps so."""


@dataclass(frozen=True)
class Slot:
    """A time of the week that a site may be open at. Hashable, so that it can key a cache.

    Attributes
    ----------
    text
        As `parse_slot` reads it back: "mardi 18:30".
    label
        French words: « ouvert le mardi à 18 h 30 ».
    windows
        Minutes of the week, counted from Monday 0:00, each from one to another (excluded). A site
        is open at the slot when it is open at some time of some window.
    week
        Monday of the one week that is meant ("maintenant"); None for any week.
    """

    text: str
    label: str
    windows: tuple[tuple[int, int], ...]
    week: date | None = None


EVENING: Final = Slot(
    "soir",
    f"ouvert le soir en semaine (à {EVENING_FROM} h ou après)",
    tuple((day * _DAY + EVENING_FROM * 60, (day + 1) * _DAY) for day in range(5)),
)


def parse_slot(text: str, *, now: datetime | None = None) -> Slot:
    """Read a slot as it is written.

    - "maintenant": the minute of `now`, in its own week;
    - "mardi 18:30" ("mardi 18h30", "tu 18:30"): that minute of the week;
    - "samedi" (any day): some time of that day;
    - "soir": some time from 18:00 on, from Monday to Friday.

    Parameters
    ----------
    now
        The present moment; with a time zone, it is brought to `TIME_ZONE`; without, it is the
        time of the place.

    Raises
    ------
    InvalidParameter
        If the text is none of these.
    ValueError
        If it is "maintenant" and `now` is not given.
    """
    folded = fold(text[:40])
    if folded == "maintenant":
        if now is None:
            raise ValueError("now")
        return _present(now)
    if folded == "soir":
        return EVENING
    match = _SLOT.fullmatch(folded)
    if not match or match[1] not in _WEEKDAY:
        raise _refused(text)
    day = _WEEKDAY[match[1]]
    if match[2] is None:
        return Slot(_DAYS[day], f"ouvert le {_DAYS[day]}", ((day * _DAY, (day + 1) * _DAY),))
    hour, minute = int(match[2]), int(match[3] or 0)
    if hour > 23 or minute > 59:
        raise _refused(text)
    at = day * _DAY + hour * 60 + minute
    spoken = f"{hour} h {minute:02}" if minute else f"{hour} h"
    return Slot(f"{_DAYS[day]} {hour:02}:{minute:02}", f"ouvert le {_DAYS[day]} à {spoken}", ((at, at + 1),))


@lru_cache(maxsize=1_024)
def reference_week(day: date) -> date:
    """The Monday of a typical week: the first whole week from a day on without a holiday.

    No day of it is a public holiday of France, as opening-hours-py has them, Sundays included; nor
    a school holiday of any zone, so that hours do not depend on one. Past the last school holidays
    known (`geo.hours.calendar.school_holidays_known_until`), only public ones are looked at.
    """
    monday = day + timedelta(days=-day.weekday() % 7)
    while _has_holiday(monday, monday + timedelta(days=7)):
        monday += timedelta(days=7)
    return monday


def _has_holiday(start: date, end: date) -> bool:
    return has_public_holiday(start, end) or has_school_holiday(start, end)


def slot_status(site: Site, slot: Slot, week: date, calendar: Calendar = ANY_ZONE) -> Openness:
    """Whether a site is open at a slot.

    Parameters
    ----------
    week
        Monday of the week that is looked at, see `reference_week`; a slot that means one week
        ("maintenant") goes by its own.
    calendar
        The school holidays hours go by. Without a zone, hours that depend on them are unknown on
        days when the zones differ; a typical week has none.

    Returns
    -------
    OPEN where its hours, or those of one of its stops, say so; else UNKNOWN where any of them
    can't be told; else CLOSED.
    """
    found = {
        openness
        for start, end, openness in _parts(site, slot.week or week, calendar)
        if any(start < until and begin < end for begin, until in slot.windows)
    }
    return next((o for o in (Openness.OPEN, Openness.UNKNOWN) if o in found), Openness.CLOSED)


def weekly_mask(site: Site, week: date, calendar: Calendar = ANY_ZONE) -> NDArray[np.bool_] | None:
    """Quarter hours of a week at which a site is open, from Monday 0:00.

    A quarter hour counts when the site is open at its middle.

    Parameters
    ----------
    week
        Monday of the week.
    calendar
        As for `status`.

    Returns
    -------
    Shape (672,); what may be open counts as closed. None where nothing is known to be open and
    something may be.
    """
    minutes = _open_minutes(site, week, calendar)
    return None if minutes is None else minutes.reshape(-1, 15)[:, 7].copy()


def weekly_hours(site: Site, week: date, calendar: Calendar = ANY_ZONE) -> float | None:
    """Hours of a week during which a site is open, to the minute; None as `weekly_mask`."""
    minutes = _open_minutes(site, week, calendar)
    return None if minutes is None else int(minutes.sum()) / 60


def _open_minutes(site: Site, week: date, calendar: Calendar) -> NDArray[np.bool_] | None:
    parts = list(_parts(site, week, calendar))
    certain = [(start, end) for start, end, openness in parts if openness is Openness.OPEN]
    if parts and not certain:
        return None
    minutes = np.zeros(_WEEK, dtype=bool)
    for start, end in certain:
        minutes[start:end] = True
    return minutes


def _parts(site: Site, week: date, calendar: Calendar) -> Iterator[_Part]:
    """When a site is open or may be: by its hours and by each of its stops."""
    for expression, _ in expressions(site):
        yield from _evaluated(expression, week, calendar)


@lru_cache(maxsize=16_384)
def _evaluated(expression: str, week: date, calendar: Calendar) -> tuple[_Part, ...]:
    """One expression over one week; many sites share the same."""
    start = datetime.combine(week, time())
    return tuple(
        (
            int((span.start - start).total_seconds()) // 60,
            int((span.end - start).total_seconds()) // 60,
            Openness.OPEN if span.kind in CERTAIN else Openness.UNKNOWN,
        )
        for span in hours_intervals(expression, week, week + timedelta(days=7), calendar)
    )


def wall_clock(moment: datetime) -> datetime:
    """A moment as clocks of the place show it: brought to `TIME_ZONE` where it has a time zone."""
    return moment.astimezone(TIME_ZONE).replace(tzinfo=None) if moment.tzinfo else moment


def _present(now: datetime) -> Slot:
    local = wall_clock(now)
    monday = local.date() - timedelta(days=local.weekday())
    at = local.weekday() * _DAY + local.hour * 60 + local.minute
    return Slot("maintenant", "ouvert maintenant", ((at, at + 1),), monday)


def _refused(text: str) -> InvalidParameter:
    return InvalidParameter(
        f"Le créneau « {text[:40]} » ne peut être lu.",
        f"Écrivez par exemple {EXAMPLES}.",
        parameter="slot",
    )
