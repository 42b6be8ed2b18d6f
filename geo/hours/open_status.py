"""Status of a site at a moment, for residents: open until when, or closed until when, and where.

Data only, no text. Moments with a time zone are converted to Europe/Paris; all results are
wall-clock times of the site, without time zone. Definitions and limits: docs/opening.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from heapq import merge
from itertools import islice, pairwise
from typing import Final

from geo.hours.calendar import ANY_ZONE, Calendar, public_holiday
from geo.hours.french_dates import MONTHS
from geo.hours.intervals import (
    CERTAIN,
    HoursInterval,
    IntervalKind,
    expressions,
    hours_intervals,
    is_roaming,
    with_closures,
)
from geo.hours.parse import is_readable, read_expression
from geo.hours.syntax import undated
from geo.hours.weekly import wall_clock
from geo.sites.model import ItinerantStop, Site

HORIZON: Final = timedelta(days=60)
"""How far ahead the next opening is searched."""

VISITS_HORIZON: Final = timedelta(days=366)
"""How far ahead visits of an itinerant site are searched."""

_DAY: Final = timedelta(days=1)
_IN_PERSON = "Se présenter"
_ON_REQUEST = frozenset({"Téléphoner", "Contacter par mail", "Prendre un RDV en ligne"})
_ITINERANT = "Itinérant"
_YEARLY = frozenset({"PH", "SH"})
"""Closures that are not exceptional: they are named by the day."""
_OPEN_END = re.compile(r":\d\d\+")


class OpenState(StrEnum):
    """State of a site at a moment."""

    OPEN = "open"
    BY_APPOINTMENT = "by_appointment"
    """By appointment, without stated hours, or at all of them (`sur_rendez_vous`)."""
    UNKNOWN = "unknown"
    CLOSED = "closed"


_RANK = {state: rank for rank, state in enumerate(OpenState)}


@dataclass(frozen=True, slots=True)
class OpenStatus:
    """Status of a site at a moment, and its next change.

    The interval concerned is the present one when the site is open, else the next one.

    Attributes
    ----------
    state
        The first of OPEN, BY_APPOINTMENT, UNKNOWN that holds for its hours or one of its stops;
        else CLOSED.
    until
        Closing time, if open; None when it does not close within `HORIZON`, or when no closing time
        is given ("Mo 10:00+").
    opens
        Next opening time, if not open; None when none is known within `HORIZON`.
    appointment
        Whether the interval concerned is by appointment.
    holiday
        Name of the public holiday that closes the site today, else "".
    doubtful
        Whether the interval concerned is on a public holiday that the hours do not mention:
        formally open, but possibly unattended.
    stop
        The stop of the interval concerned, for an itinerant site.
    readable
        Whether the site has hours and all of them could be parsed.
    place_unknown
        Whether the site is itinerant and its stops are not known: where it is open is not.
    """

    state: OpenState
    until: datetime | None = None
    opens: datetime | None = None
    appointment: bool = False
    holiday: str = ""
    doubtful: bool = False
    stop: ItinerantStop | None = None
    readable: bool = True
    place_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Range:
    """Opening range of a day; an end at or before the start is on the next day."""

    start: time
    end: time
    by_appointment: bool = False
    stop: ItinerantStop | None = None


@dataclass(frozen=True, slots=True)
class DayHours:
    """Hours of a site on one day.

    Attributes
    ----------
    ranges
        Opening ranges sorted by start, including those of stops; empty when none is known.
    by_appointment
        Whether part of the day is by appointment without stated hours.
    unknown
        Whether part of the day is unknown.
    holiday
        Name of the public holiday, or "".
    doubtful
        Whether some range is on a public holiday that its hours do not mention.
    school_holiday
        Whether it is a day of school holidays; None when unknown.
    exceptional
        Whether a dated rule changes the usual hours of the day.
    """

    date: date
    ranges: tuple[Range, ...]
    by_appointment: bool
    unknown: bool
    holiday: str
    doubtful: bool
    school_holiday: bool | None
    exceptional: bool


@dataclass(frozen=True, slots=True)
class DatedVisit:
    """One dated visit of an itinerant site; `stop` is None when its hours name no place."""

    start: datetime
    end: datetime
    by_appointment: bool
    stop: ItinerantStop | None


@dataclass(frozen=True, slots=True)
class ExceptionalPeriod:
    """Consecutive days, first and last included, to which dated rules give the same hours.

    `ranges` are the hours of each day; empty when closed.
    """

    first: date
    last: date
    ranges: tuple[Range, ...]

    @property
    def closed(self) -> bool:
        """Whether the site is closed."""
        return not self.ranges


def open_status_at(site: Site, moment: datetime, calendar: Calendar = ANY_ZONE) -> OpenStatus:
    """Return the status of a site at a moment, from its hours and each of its stops.

    Parameters
    ----------
    moment
        Converted to Europe/Paris; without time zone, it is a local time.
    calendar
        School holidays used to evaluate the hours.
    """
    now = wall_clock(moment)
    if site.sur_rendez_vous:
        closed = _closed_all_day(site.fermetures, now.date(), calendar)
        readable = all(is_readable(expression) for expression, _ in expressions(site))
        return OpenStatus(OpenState.CLOSED if closed else OpenState.BY_APPOINTMENT, readable=readable)
    if not site.horaires and not site.arrets:
        return OpenStatus(_without_hours(site), readable=False)
    found = _hours_status(site, now, calendar)
    return replace(found, place_unknown=True) if is_roaming(site) and not site.arrets else found


def _closed_all_day(closures: tuple[str, ...], day: date, calendar: Calendar) -> bool:
    """Return whether a closure covers a day."""
    return not any(hours_intervals(with_closures("24/7", closures), day, day + _DAY, calendar))


def _hours_status(site: Site, now: datetime, calendar: Calendar) -> OpenStatus:
    """Return the status of a site that has hours or stops."""
    statuses = [
        (expression, _expression_status(expression, stop, now, calendar))
        for expression, stop in expressions(site)
    ]
    found = min((status for _, status in statuses), key=lambda s: (_RANK[s.state], s.appointment))
    readable = all(status.readable for _, status in statuses)
    if found.state is OpenState.OPEN:
        return found if readable else replace(found, readable=False)
    ahead = (status for _, status in statuses if status.opens)
    following = min(ahead, key=lambda status: status.opens or now, default=found)
    holiday = public_holiday(now.date())
    if holiday and not any(
        _closed_by_holiday(expression, now.date(), calendar) for expression, _ in statuses
    ):
        holiday = ""
    return replace(following, state=found.state, holiday=holiday, readable=readable)


def _expression_status(
    expression: str, stop: ItinerantStop | None, now: datetime, calendar: Calendar
) -> OpenStatus:
    """Return the status given by one expression, without its holiday."""
    if not is_readable(expression):
        return OpenStatus(OpenState.UNKNOWN, readable=False)
    ahead = _ahead(expression, now.date(), calendar)
    present = [interval for interval in ahead if interval.start <= now < interval.end]
    certain = [interval for interval in present if interval.kind in CERTAIN]
    if certain:
        interval = max(certain, key=lambda interval: interval.end)
        horizon = datetime.combine(now.date() + HORIZON, time())
        return OpenStatus(
            OpenState.OPEN,
            until=None if interval.end >= horizon or _is_open_ended(expression, interval) else interval.end,
            appointment=interval.kind is IntervalKind.APPOINTMENT,
            doubtful=_is_doubtful(expression, now.date()),
            stop=stop,
        )
    state = OpenState.CLOSED
    if present:
        requested = any(interval.kind is IntervalKind.ON_REQUEST for interval in present)
        state = OpenState.BY_APPOINTMENT if requested else OpenState.UNKNOWN
    following = next(
        (interval for interval in ahead if interval.start > now and interval.kind in CERTAIN), None
    )
    if not following:
        return OpenStatus(state, stop=stop if present else None)
    return OpenStatus(
        state,
        opens=following.start,
        appointment=following.kind is IntervalKind.APPOINTMENT,
        doubtful=_is_doubtful(expression, following.start.date()),
        stop=stop,
    )


def _is_open_ended(expression: str, interval: HoursInterval) -> bool:
    """Return whether an interval may end at midnight only because no closing time is given."""
    return interval.end.time() == time() and bool(_OPEN_END.search(expression))


@lru_cache(maxsize=65_536)
def _ahead(expression: str, day: date, calendar: Calendar) -> tuple[HoursInterval, ...]:
    """Return intervals from a day on, up to the first known opening of a later day.

    Cached because many sites share their hours.
    """
    found: list[HoursInterval] = []
    tomorrow = datetime.combine(day + _DAY, time())
    for interval in _merged(hours_intervals(expression, day, day + HORIZON, calendar)):
        found.append(interval)
        if interval.start >= tomorrow and interval.kind in CERTAIN:
            break
    return tuple(found)


def _merged(found: Iterator[HoursInterval]) -> Iterator[HoursInterval]:
    """Merge adjacent intervals of the same kind, which the edges of school holidays separate."""
    last: HoursInterval | None = None
    for interval in found:
        if last and interval.start == last.end and interval.kind is last.kind:
            last = last._replace(end=interval.end)
            continue
        if last:
            yield last
        last = interval
    if last:
        yield last


def _without_hours(site: Site) -> OpenState:
    access = set(site.modalites_acces)
    return (
        OpenState.BY_APPOINTMENT if access & _ON_REQUEST and _IN_PERSON not in access else OpenState.UNKNOWN
    )


@lru_cache(maxsize=16_384)
def _closed_by_holiday(expression: str, day: date, calendar: Calendar) -> bool:
    """Return whether an expression is closed on a day only because it is a public holiday."""
    if "PH" not in expression or not is_readable(expression):
        return False
    now, otherwise = (
        any(
            s.kind in CERTAIN
            for s in hours_intervals(expression, day, day + _DAY, calendar, public_holidays=observed)
        )
        for observed in (True, False)
    )
    return otherwise and not now


def _is_doubtful(expression: str, day: date) -> bool:
    """Return whether a day is a public holiday that the hours mention neither by `PH` nor by date."""
    return bool(public_holiday(day)) and not _names(expression, day) and expression != "24/7"


def _names(expression: str, day: date) -> bool:
    """Return whether an expression names public holidays, or a date of the day's month."""
    return "PH" in expression or bool(re.search(rf"\b(?:19|20)\d\d {MONTHS[day.month - 1]}\b", expression))


def week_hours(site: Site, day: date, calendar: Calendar = ANY_ZONE) -> tuple[DayHours, ...]:
    """Return the hours of a site for seven days, from a day on."""
    return tuple(_days(site, day, day + 7 * _DAY, calendar))


def closures(
    site: Site, start: date, end: date, calendar: Calendar = ANY_ZONE
) -> tuple[ExceptionalPeriod, ...]:
    """Return closures and openings by dated rules from `start` to `end` (excluded), in order.

    Consecutive days with the same hours are merged; a closure continues over days that are closed
    anyway, such as the Sunday of a fortnight's holiday. Stops are ignored: see `next_visits`.
    """
    found: list[ExceptionalPeriod] = []
    unbroken = False
    for day in _days(replace(site, arrets=()), start, end, calendar):
        closed = not (day.ranges or day.unknown or day.by_appointment)
        if not day.exceptional:
            unbroken = unbroken and closed and found[-1].closed
            continue
        if unbroken and found[-1].ranges == day.ranges:
            found[-1] = replace(found[-1], last=day.date)
        else:
            found.append(ExceptionalPeriod(day.date, day.date, day.ranges))
        unbroken = True
    return tuple(found)


def next_visits(
    site: Site, moment: datetime, calendar: Calendar = ANY_ZONE, count: int = 3
) -> tuple[DatedVisit, ...]:
    """Return the next visits of an itinerant site, including a present one, sorted by start.

    They are the visits of its stops; an itinerant site without stops has its dated hours ("2026 Dec 03
    09:00-12:00", "week 2-52/2 Tu 09:00-12:00") as visits without a place. Weekly hours are no visits:
    they have no date. At most `count`, within `VISITS_HORIZON`.
    """
    now = wall_clock(moment)
    sources = [each for each in expressions(site) if each[1]]
    if not sources and _ITINERANT in site.itinerance and _is_dated(site.horaires):
        sources = [(with_closures(site.horaires, site.fermetures), None)]
    ahead = merge(*(_visits(each, stop, now, calendar) for each, stop in sources), key=lambda v: v.start)
    return tuple(islice(ahead, count))


def _is_dated(raw: str) -> bool:
    """Return whether every rule of hours has a date, or applies in some weeks only."""
    if not is_readable(raw):
        return False
    weekly = undated(read_expression(raw))
    return not weekly or all(re.search(r"\bweek\b|\[", rule) for rule in weekly.split(";"))


def _visits(
    expression: str, stop: ItinerantStop | None, now: datetime, calendar: Calendar
) -> Iterator[DatedVisit]:
    today = now.date()
    for interval in _merged(hours_intervals(expression, today, today + VISITS_HORIZON, calendar)):
        if interval.kind in CERTAIN and interval.end > now:
            yield DatedVisit(interval.start, interval.end, interval.kind is IntervalKind.APPOINTMENT, stop)


def _days(site: Site, start: date, end: date, calendar: Calendar) -> Iterator[DayHours]:
    by_day = [
        (expression, stop, _by_day(expression, start, end, calendar))
        for expression, stop in expressions(site)
    ]
    usual: dict[date, list[HoursInterval]] | None = None
    if by_day[0][1] is None and (left := _undated_hours(site)):
        usual = _by_day(left, start, end, calendar)
    for place in range((end - start).days):
        day = start + place * _DAY
        intervals = [
            (interval, stop, expression) for expression, stop, days in by_day for interval in days[day]
        ]
        certain = sorted(
            ((interval, stop) for interval, stop, _ in intervals if interval.kind in CERTAIN),
            key=lambda each: each[0],
        )
        yield DayHours(
            date=day,
            ranges=tuple(
                Range(
                    interval.start.time(),
                    interval.end.time(),
                    interval.kind is IntervalKind.APPOINTMENT or bool(site.sur_rendez_vous),
                    stop,
                )
                for interval, stop in certain
            ),
            by_appointment=any(interval.kind is IntervalKind.ON_REQUEST for interval, *_ in intervals),
            unknown=any(interval.kind is IntervalKind.UNKNOWN for interval, *_ in intervals),
            holiday=public_holiday(day),
            doubtful=any(s.kind in CERTAIN and _is_doubtful(each, day) for s, _, each in intervals),
            school_holiday=calendar.school_holiday(day),
            exceptional=usual is not None and _certain(usual[day]) != _certain(by_day[0][2][day]),
        )


def _undated_hours(site: Site) -> str:
    """Return the hours of a site without dated rules and closures, "" when it has none of them."""
    expression = read_expression(site.horaires)
    left = undated(expression) if expression else ""
    dated = [closure for closure in site.fermetures if closure not in _YEARLY]
    if not left or (left == expression and not dated):
        return ""
    return with_closures(left, tuple(closure for closure in site.fermetures if closure in _YEARLY))


def _certain(found: list[HoursInterval]) -> list[HoursInterval]:
    return [interval for interval in found if interval.kind in CERTAIN]


def _by_day(expression: str, start: date, end: date, calendar: Calendar) -> dict[date, list[HoursInterval]]:
    """Group intervals by the day on which they begin; those of a day or more are cut at midnights."""
    days: dict[date, list[HoursInterval]] = {start + place * _DAY: [] for place in range((end - start).days)}
    # From the day before, so that an interval that lasts past midnight stays on its first day.
    for interval in _merged(hours_intervals(expression, start - _DAY, end + _DAY, calendar)):
        for piece in _at_midnights(interval):
            if piece.start.date() in days:
                days[piece.start.date()].append(piece)
    return days


def _at_midnights(interval: HoursInterval) -> Iterator[HoursInterval]:
    if interval.end - interval.start < _DAY:
        yield interval
        return
    midnights = []
    midnight = datetime.combine(interval.start.date() + _DAY, time())
    while midnight < interval.end:
        midnights.append(midnight)
        midnight += _DAY
    for start, end in pairwise((interval.start, *midnights, interval.end)):
        yield interval._replace(start=start, end=end)
