"""Opening hours at a slot of the week and over a typical week, for planners.

Hours are evaluated over a real week, with the holidays of France, so that odd weeks, first
Thursdays and dated rules apply as in the calendar. All times are wall-clock times of the site.
Unknown hours stay unknown. The status at one moment, for residents, is in `geo.hours.open_status`.
Definitions and limits: docs/opening.md.
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
"""Time zone of the wall-clock times of sites."""

EXAMPLES: Final = "« maintenant », « mardi 18:30 », « soir », « samedi »"
"""Examples of slots, shown in error messages."""

EVENING_FROM: Final = 18
"""Hour of the day at which the evening begins."""

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
"""(first minute of the week, last (excluded), OPEN or UNKNOWN)."""


@dataclass(frozen=True)
class Slot:
    """A time of the week at which a site may be open. Hashable, so that it can be a cache key.

    Attributes
    ----------
    text
        Canonical text, which `parse_slot` accepts: "mardi 18:30".
    label
        French label: « ouvert le mardi à 18 h 30 ».
    windows
        (start, end) in minutes from Monday 0:00, end excluded. A site is open at the slot when it
        is open at some time in some window.
    week
        Monday of the only week concerned ("maintenant"); None for any week.
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
    """Parse a slot.

    - "maintenant": the minute of `now`, in its own week;
    - "mardi 18:30" ("mardi 18h30", "tu 18:30"): that minute of the week;
    - "samedi" (any day): any time of that day;
    - "soir": any time from 18:00 on, from Monday to Friday.

    Parameters
    ----------
    now
        The present moment, converted to `TIME_ZONE`; without time zone, it is a local time.

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
    """Return the Monday of a typical week: the first whole week without holidays from a day on.

    No day of it, Sunday included, is a public holiday of France or a school holiday of any zone.
    After the last known school holidays (`geo.hours.calendar.school_holidays_known_until`), only
    public holidays are considered.
    """
    monday = day + timedelta(days=-day.weekday() % 7)
    while _has_holiday(monday, monday + timedelta(days=7)):
        monday += timedelta(days=7)
    return monday


def _has_holiday(start: date, end: date) -> bool:
    return has_public_holiday(start, end) or has_school_holiday(start, end)


def slot_status(site: Site, slot: Slot, week: date, calendar: Calendar = ANY_ZONE) -> Openness:
    """Return whether a site is open at a slot.

    Parameters
    ----------
    week
        Monday of the week to evaluate, see `reference_week`; ignored for slots that have their own
        week ("maintenant").
    calendar
        School holidays. Without a zone, hours that depend on them are unknown on days when the
        zones differ; a typical week has no such day.

    Returns
    -------
    OPEN if the site or one of its stops is open; else UNKNOWN if some of their hours are unknown;
    else CLOSED.
    """
    found = {
        openness
        for start, end, openness in _parts(site, slot.week or week, calendar)
        if any(start < until and begin < end for begin, until in slot.windows)
    }
    return next((o for o in (Openness.OPEN, Openness.UNKNOWN) if o in found), Openness.CLOSED)


def weekly_mask(site: Site, week: date, calendar: Calendar = ANY_ZONE) -> NDArray[np.bool_] | None:
    """Return the quarter hours of a week, from Monday 0:00, at which a site is open.

    A quarter hour is open when the site is open at its middle.

    Parameters
    ----------
    week
        Monday of the week.
    calendar
        As for `status`.

    Returns
    -------
    Shape (672,), with unknown hours counted as closed. None when the site has unknown hours and no
    known ones.
    """
    minutes = _open_minutes(site, week, calendar)
    return None if minutes is None else minutes.reshape(-1, 15)[:, 7].copy()


def weekly_hours(site: Site, week: date, calendar: Calendar = ANY_ZONE) -> float | None:
    """Return the number of hours a week a site is open, to the minute; None as for `weekly_mask`."""
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
    """Yield when a site is open or may be, from its hours and each of its stops."""
    for expression, _ in expressions(site):
        yield from _evaluated(expression, week, calendar)


@lru_cache(maxsize=16_384)
def _evaluated(expression: str, week: date, calendar: Calendar) -> tuple[_Part, ...]:
    """Evaluate one expression over one week; cached because many sites share their hours."""
    start = datetime.combine(week, time())
    return tuple(
        (
            int((interval.start - start).total_seconds()) // 60,
            int((interval.end - start).total_seconds()) // 60,
            Openness.OPEN if interval.kind in CERTAIN else Openness.UNKNOWN,
        )
        for interval in hours_intervals(expression, week, week + timedelta(days=7), calendar)
    )


def wall_clock(moment: datetime) -> datetime:
    """Convert a moment to wall-clock time in `TIME_ZONE`; unchanged when it has no time zone."""
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
