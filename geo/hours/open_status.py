"""What a resident needs to know of a site at a moment: open until when, else again when, and where.

Structures only: words are for those who show them. Moments may bear a time zone and are then
brought to Europe/Paris; everything given back is wall-clock time of the site, without time zone.
Definitions and limits: docs/opening.md.
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
from geo.hours.intervals import CERTAIN, HoursInterval, IntervalKind, expressions, hours_intervals
from geo.hours.parse import is_readable, read_expression
from geo.hours.syntax import undated
from geo.hours.weekly import wall_clock
from geo.sites.model import ItinerantStop, Site

HORIZON: Final = timedelta(days=60)
"""How far the next opening is looked for."""

VISITS_HORIZON: Final = timedelta(days=366)
"""How far visits of an itinerant site are looked for."""

_DAY: Final = timedelta(days=1)
_IN_PERSON = "Se présenter"
_ON_REQUEST = frozenset({"Téléphoner", "Contacter par mail", "Prendre un RDV en ligne"})
_ITINERANT = "Itinérant"
_OPEN_END = re.compile(r":\d\d\+")
_NAMES_HOLIDAYS = re.compile(r"\bPH\b|\b(?:19|20)\d\d\b")


class OpenState(StrEnum):
    """How a site stands at a moment."""

    OPEN = "open"
    BY_APPOINTMENT = "by_appointment"
    """No hours are stated for the moment: one has to ask for an appointment."""
    UNKNOWN = "unknown"
    CLOSED = "closed"


_RANK = {state: rank for rank, state in enumerate(OpenState)}


@dataclass(frozen=True, slots=True)
class OpenStatus:
    """How a site stands at a moment, and what comes next.

    Attributes
    ----------
    state
        OPEN where its hours, or those of one of its stops, say so; else BY_APPOINTMENT where one of
        them says so; else UNKNOWN where any of them can't be told; else CLOSED.
    until
        When it closes, if it is open; None where it does not within `HORIZON`, or where no hour of
        closing is told ("Mo 10:00+").
    opens
        When it next opens, if it is not open; None where it is not known to within `HORIZON`.
    appointment
        The range concerned (the present one when open, else the next) is by appointment.
    holiday
        Name of the public holiday, where it is why nothing is open on this day; else "".
    doubtful
        The range concerned falls on a public holiday of which the hours say nothing: by the
        letter it is open, but nobody may be there.
    stop
        The stop concerned, where it is one of an itinerant site.
    readable
        Every string of hours it has could be read, and it has some.
    """

    state: OpenState
    until: datetime | None = None
    opens: datetime | None = None
    appointment: bool = False
    holiday: str = ""
    doubtful: bool = False
    stop: ItinerantStop | None = None
    readable: bool = True


@dataclass(frozen=True, slots=True)
class Range:
    """Hours of a day; an end at or before the start is on the next day (0:00 is midnight)."""

    start: time
    end: time
    by_appointment: bool = False
    stop: ItinerantStop | None = None


@dataclass(frozen=True, slots=True)
class DayHours:
    """One day of a site.

    Attributes
    ----------
    ranges
        By start; stops included. Empty on a day when the site is not known to be open.
    by_appointment
        Some of the day is by appointment without stated hours.
    unknown
        Some of the day can't be told.
    holiday
        Name of the public holiday, or "".
    doubtful
        It is a public holiday, some range is open, and the hours of that range say nothing of
        public holidays.
    school_holiday
        None where it is not known.
    exceptional
        A dated rule makes the day other than it would be: a closure, other hours, an opening.
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
    """One dated visit of an itinerant site; `stop` is None where its hours name no place."""

    start: datetime
    end: datetime
    by_appointment: bool
    stop: ItinerantStop | None


@dataclass(frozen=True, slots=True)
class ExceptionalPeriod:
    """Days on end, first and last included, on which dated rules change the hours alike.

    `ranges` are the hours of each; empty when closed.
    """

    first: date
    last: date
    ranges: tuple[Range, ...]

    @property
    def closed(self) -> bool:
        """Whether nothing is open."""
        return not self.ranges


def open_status_at(site: Site, moment: datetime, calendar: Calendar = ANY_ZONE) -> OpenStatus:
    """How a site stands at a moment, by its hours and by each of its stops.

    Parameters
    ----------
    moment
        With a time zone, it is brought to Europe/Paris; without, it is the time of the place.
    calendar
        The school holidays hours go by.
    """
    now = wall_clock(moment)
    if not site.horaires and not site.arrets:
        return OpenStatus(_without_hours(site), readable=False)
    told = [
        (expression, _expression_status(expression, stop, now, calendar))
        for expression, stop in expressions(site)
    ]
    found = min((opening for _, opening in told), key=lambda o: (_RANK[o.state], o.appointment))
    readable = all(opening.readable for _, opening in told)
    if found.state is OpenState.OPEN:
        return found if readable else replace(found, readable=False)
    ahead = (opening for _, opening in told if opening.opens)
    following = min(ahead, key=lambda o: o.opens or now, default=found)
    holiday = public_holiday(now.date())
    if holiday and not any(_closed_by_holiday(expression, now.date(), calendar) for expression, _ in told):
        holiday = ""
    return replace(following, state=found.state, holiday=holiday, readable=readable)


def _expression_status(
    expression: str, stop: ItinerantStop | None, now: datetime, calendar: Calendar
) -> OpenStatus:
    """How a site stands by one expression; its holiday is left out."""
    if not is_readable(expression):
        return OpenStatus(OpenState.UNKNOWN, readable=False)
    ahead = _ahead(expression, now.date(), calendar)
    present = [span for span in ahead if span.start <= now < span.end]
    certain = [span for span in present if span.kind in CERTAIN]
    if certain:
        span = max(certain, key=lambda span: span.end)
        horizon = datetime.combine(now.date() + HORIZON, time())
        return OpenStatus(
            OpenState.OPEN,
            until=None if span.end >= horizon or _is_open_ended(expression, span) else span.end,
            appointment=span.kind is IntervalKind.APPOINTMENT,
            doubtful=_is_doubtful(expression, now.date()),
            stop=stop,
        )
    state = OpenState.CLOSED
    if present:
        requested = any(span.kind is IntervalKind.ON_REQUEST for span in present)
        state = OpenState.BY_APPOINTMENT if requested else OpenState.UNKNOWN
    following = next((span for span in ahead if span.start > now and span.kind in CERTAIN), None)
    if not following:
        return OpenStatus(state, stop=stop if present else None)
    return OpenStatus(
        state,
        opens=following.start,
        appointment=following.kind is IntervalKind.APPOINTMENT,
        doubtful=_is_doubtful(expression, following.start.date()),
        stop=stop,
    )


def _is_open_ended(expression: str, span: HoursInterval) -> bool:
    """Whether a span may end at midnight for want of an hour of closing."""
    return span.end.time() == time() and bool(_OPEN_END.search(expression))


@lru_cache(maxsize=65_536)
def _ahead(expression: str, day: date, calendar: Calendar) -> tuple[HoursInterval, ...]:
    """Spans from a day on, up to the first known opening of a later day; many sites share them."""
    found: list[HoursInterval] = []
    tomorrow = datetime.combine(day + _DAY, time())
    for span in _merged(hours_intervals(expression, day, day + HORIZON, calendar)):
        found.append(span)
        if span.start >= tomorrow and span.kind in CERTAIN:
            break
    return tuple(found)


def _merged(found: Iterator[HoursInterval]) -> Iterator[HoursInterval]:
    """Spans of one kind that follow without a break (at the edge of school holidays) made one."""
    last: HoursInterval | None = None
    for span in found:
        if last and span.start == last.end and span.kind is last.kind:
            last = last._replace(end=span.end)
            continue
        if last:
            yield last
        last = span
    if last:
        yield last


def _without_hours(site: Site) -> OpenState:
    access = set(site.modalites_acces)
    return (
        OpenState.BY_APPOINTMENT if access & _ON_REQUEST and _IN_PERSON not in access else OpenState.UNKNOWN
    )


@lru_cache(maxsize=16_384)
def _closed_by_holiday(expression: str, day: date, calendar: Calendar) -> bool:
    """Whether an expression would be open on a day, were it not a public holiday."""
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
    """Whether an opening falls on a public holiday that its hours neither name nor mean by its date."""
    return bool(public_holiday(day)) and not _NAMES_HOLIDAYS.search(expression) and expression != "24/7"


def week_hours(site: Site, day: date, calendar: Calendar = ANY_ZONE) -> tuple[DayHours, ...]:
    """Seven days of a site, from a day on."""
    return tuple(_days(site, day, day + 7 * _DAY, calendar))


def closures(
    site: Site, start: date, end: date, calendar: Calendar = ANY_ZONE
) -> tuple[ExceptionalPeriod, ...]:
    """Closures and openings by dated rules, from a day to another (excluded), in order.

    Days on end with the same hours are one; a closure goes on over days that are closed anyway,
    such as the Sunday of a fortnight's holiday. Stops are not looked at: see `next_visits`.
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
    """The next visits of an itinerant site, the present one included, by start.

    Those of its stops; or, where it is said to be itinerant and has none, its hours, without a
    place. At most `count`, within `VISITS_HORIZON`.
    """
    now = wall_clock(moment)
    sources = [each for each in expressions(site) if each[1]]
    if not sources and _ITINERANT in site.itinerance and is_readable(site.horaires):
        sources = [(site.horaires, None)]
    ahead = merge(*(_visits(each, stop, now, calendar) for each, stop in sources), key=lambda v: v.start)
    return tuple(islice(ahead, count))


def _visits(
    expression: str, stop: ItinerantStop | None, now: datetime, calendar: Calendar
) -> Iterator[DatedVisit]:
    today = now.date()
    for span in _merged(hours_intervals(expression, today, today + VISITS_HORIZON, calendar)):
        if span.kind in CERTAIN and span.end > now:
            yield DatedVisit(span.start, span.end, span.kind is IntervalKind.APPOINTMENT, stop)


def _days(site: Site, start: date, end: date, calendar: Calendar) -> Iterator[DayHours]:
    by_day = [
        (expression, stop, _by_day(expression, start, end, calendar))
        for expression, stop in expressions(site)
    ]
    usual: dict[date, list[HoursInterval]] | None = None
    if is_readable(site.horaires):
        left = undated(read_expression(site.horaires))
        if left and left != read_expression(site.horaires):
            usual = _by_day(left, start, end, calendar)
    for place in range((end - start).days):
        day = start + place * _DAY
        spans_ = [(span, stop, expression) for expression, stop, days in by_day for span in days[day]]
        certain = sorted(
            ((span, stop) for span, stop, _ in spans_ if span.kind in CERTAIN), key=lambda each: each[0]
        )
        yield DayHours(
            date=day,
            ranges=tuple(
                Range(span.start.time(), span.end.time(), span.kind is IntervalKind.APPOINTMENT, stop)
                for span, stop in certain
            ),
            by_appointment=any(span.kind is IntervalKind.ON_REQUEST for span, *_ in spans_),
            unknown=any(span.kind is IntervalKind.UNKNOWN for span, *_ in spans_),
            holiday=public_holiday(day),
            doubtful=any(s.kind in CERTAIN and _is_doubtful(each, day) for s, _, each in spans_),
            school_holiday=calendar.school_holiday(day),
            exceptional=usual is not None and _certain(usual[day]) != _certain(by_day[0][2][day]),
        )


def _certain(found: list[HoursInterval]) -> list[HoursInterval]:
    return [span for span in found if span.kind in CERTAIN]


def _by_day(expression: str, start: date, end: date, calendar: Calendar) -> dict[date, list[HoursInterval]]:
    """The spans that begin on each day; those of a day or more are cut at midnights."""
    days: dict[date, list[HoursInterval]] = {start + place * _DAY: [] for place in range((end - start).days)}
    # From the day before, so that what began then and lasts past midnight stays there.
    for span in _merged(hours_intervals(expression, start - _DAY, end + _DAY, calendar)):
        for piece in _at_midnights(span):
            if piece.start.date() in days:
                days[piece.start.date()].append(piece)
    return days


def _at_midnights(span: HoursInterval) -> Iterator[HoursInterval]:
    if span.end - span.start < _DAY:
        yield span
        return
    midnights = []
    midnight = datetime.combine(span.start.date() + _DAY, time())
    while midnight < span.end:
        midnights.append(midnight)
        midnight += _DAY
    for start, end in pairwise((span.start, *midnights, span.end)):
        yield span._replace(start=start, end=end)
