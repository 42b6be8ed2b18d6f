"""Hours laid out in time by opening-hours-py: when a string says open, and how surely.

One evaluation for all who ask (`opening` over weeks, `moments` around a moment), with public and
school holidays. All is wall-clock time of the site, without time zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from opening_hours import OpeningHours, State

from geo.hours.calendar import COUNTRY, YEAR_DAYS, Calendar
from geo.hours.parse import day_selector, read_expression
from geo.hours.syntax import alternatives, during, mentions_school
from geo.sites.model import ItinerantStop, Site

_BOOKING = re.compile(
    r"rendez[- ]?vous|\brdv\b|\br\.d\.v|appointment|r[eé]servation|\bby arrangement", re.IGNORECASE
)


class IntervalKind(StrEnum):
    """What a string says of a span of time in which it does not say closed."""

    OPEN = "open"
    APPOINTMENT = "appointment"
    """Open at stated hours, by appointment."""
    ON_REQUEST = "on_request"
    """By appointment, and no hours are stated."""
    UNKNOWN = "unknown"


CERTAIN: Final = frozenset({IntervalKind.OPEN, IntervalKind.APPOINTMENT})
"""The kinds in which someone is there."""


class HoursInterval(NamedTuple):
    """From a time to another (excluded), and what is said of it."""

    start: datetime
    end: datetime
    kind: IntervalKind


def expressions(site: Site) -> Iterator[tuple[str, ItinerantStop | None]]:
    """What says when a site is open: its own hours, and each stop with its day.

    A site without hours nor stops has one empty expression.
    """
    if site.horaires or not site.arrets:
        yield site.horaires, None
    for stop in site.arrets:
        yield f"{day_selector(stop.day)} {stop.hours}", stop


def hours_intervals(
    raw: str, start: date, end: date, calendar: Calendar, *, public_holidays: bool = True
) -> Iterator[HoursInterval]:
    """When a string says anything but closed, found as it is asked for, in order of start.

    Parameters
    ----------
    raw
        As in `horaires`; mended where it may be (`geo.hours.parse.read_expression`).
    start, end
        First day, and the day after the last: spans are cut at their midnights.
    calendar
        The school holidays that `SH` stands for. Where it is not known whether a day is one, what
        holds either way is kept and the rest is `Kind.UNKNOWN`.
    public_holidays
        False to evaluate as if there were none, to tell what they change.

    Yields
    ------
    Spans; they overlap only where school holidays are not known. One `Kind.UNKNOWN` from start to
    end for a string that can't be read.
    """
    expression = read_expression(raw)
    country = COUNTRY if public_holidays else None
    if not expression:
        yield HoursInterval(_midnight(start), _midnight(end), IntervalKind.UNKNOWN)
    elif not mentions_school(expression):
        yield from _evaluated(expression, start, end, country)
    else:
        for since, until, holiday in calendar.school_runs(start, end):
            if holiday is None:
                yield from _either_way(expression, since, until, country)
            else:
                yield from _evaluated(during(expression, holiday=holiday), since, until, country)


def _either_way(expression: str, start: date, end: date, country: str | None) -> Iterator[HoursInterval]:
    for place in range((end - start).days):
        day = start + timedelta(days=place)
        on, off = (
            set(_evaluated(during(expression, holiday=holiday), day, day + timedelta(days=1), country))
            for holiday in (True, False)
        )
        yield from sorted({*(on & off), *(span._replace(kind=IntervalKind.UNKNOWN) for span in on ^ off)})


def _evaluated(expression: str, start: date, end: date, country: str | None) -> Iterator[HoursInterval]:
    if "||" not in expression:
        yield from _library_intervals(expression, start, end, country)
        return
    # Of a fallback with a comment alone, the library forgets all but the first day.
    first, *others = (
        list(_library_intervals(each, start, end, country)) for each in alternatives(expression)
    )
    for other in others:
        first = sorted([*first, *_outside(other, first)])
    yield from first


def _outside(spans_: list[HoursInterval], taken: list[HoursInterval]) -> Iterator[HoursInterval]:
    """The pieces of some spans that lie in none of others, both in order."""
    for span in spans_:
        since = span.start
        for other in taken:
            if since < other.start < span.end:
                yield span._replace(start=since, end=other.start)
            if other.start < span.end:
                since = max(since, other.end)
        if since < span.end:
            yield span._replace(start=since)


def _library_intervals(
    expression: str, start: date, end: date, country: str | None
) -> Iterator[HoursInterval]:
    intervals = _parsed(expression, country).intervals(_midnight(start), _midnight(end))
    for since, until, state, comment in intervals:
        if state != State.CLOSED:
            yield HoursInterval(since, until, _kind(state, comment, until - since))


def _kind(state: State, comment: str, length: timedelta) -> IntervalKind:
    booking = is_booking(comment)
    # The library reads "sur rendez-vous" alone as open day and night.
    if state == State.OPEN and not (comment and length >= timedelta(days=1)):
        return IntervalKind.APPOINTMENT if booking else IntervalKind.OPEN
    return IntervalKind.ON_REQUEST if booking else IntervalKind.UNKNOWN


def is_booking(comment: str) -> bool:
    """Whether the words of a comment say that one must have an appointment."""
    return bool(comment) and bool(_BOOKING.search(comment)) and "sans" not in comment.casefold()


@lru_cache(maxsize=65_536)
def _parsed(expression: str, country: str | None) -> OpeningHours:
    return OpeningHours(expression, country=country, max_interval_days=YEAR_DAYS)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())
