"""Evaluate opening hours to dated intervals with opening-hours-py.

The single evaluation behind `weekly` and `open_status`, with public and school holidays. All times
are wall-clock times of the site, without time zone.
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
from geo.hours.parse import closure_rule, day_selector, read_expression
from geo.hours.syntax import alternatives, during, mentions_school
from geo.sites.model import ItinerantStop, Site

_BOOKING = re.compile(
    r"rendez[- ]?vous|\brdv\b|\br\.d\.v|appointment|r[eé]servation|\bby arrangement", re.IGNORECASE
)


class IntervalKind(StrEnum):
    """State of a site during an interval in which it is not closed."""

    OPEN = "open"
    APPOINTMENT = "appointment"
    """Open at stated hours, by appointment."""
    ON_REQUEST = "on_request"
    """By appointment, without stated hours."""
    UNKNOWN = "unknown"


CERTAIN: Final = frozenset({IntervalKind.OPEN, IntervalKind.APPOINTMENT})
"""Kinds of intervals at which the site is open."""


class HoursInterval(NamedTuple):
    """An interval from `start` to `end` (excluded) and its kind."""

    start: datetime
    end: datetime
    kind: IntervalKind


def is_roaming(site: Site) -> bool:
    """Return whether a site is itinerant only: its weekly hours are no hours at a fixed place."""
    return site.itinerance == ("Itinérant",)


def expressions(site: Site) -> Iterator[tuple[str, ItinerantStop | None]]:
    """Yield the expressions of a site: its own hours, then those of each stop, with the stop.

    Closures (`fermetures`) are added to each. The weekly hours of a site that is itinerant only are
    those of its stops, where these are known. A site without hours or stops has one empty expression.
    """
    if not site.arrets or (site.horaires and not is_roaming(site)):
        yield with_closures(site.horaires, site.fermetures), None
    for stop in site.arrets:
        yield with_closures(f"{day_selector(stop.day)} {stop.hours}", site.fermetures), stop


@lru_cache(maxsize=16_384)
def with_closures(raw: str, closures: tuple[str, ...]) -> str:
    """Return hours with closures as rules, each a date selector with an optional reason in quotes.

    Closures that are not in the notation are left out; hours that cannot be read stay as they are.
    """
    rules = [rule for closure in closures if (rule := closure_rule(closure))]
    expression = read_expression(raw) if rules else ""
    if not expression:
        return raw
    return " || ".join("; ".join([each.strip(), *rules]) for each in alternatives(expression))


def hours_intervals(
    raw: str, start: date, end: date, calendar: Calendar, *, public_holidays: bool = True
) -> Iterator[HoursInterval]:
    """Yield lazily the intervals at which hours are not closed, sorted by start.

    Parameters
    ----------
    raw
        String of `horaires`, repaired when possible (`geo.hours.parse.read_expression`).
    start, end
        First day, and the day after the last; intervals are clipped at their midnights.
    calendar
        School holidays for `SH`. On a day for which they are unknown, intervals that hold both with
        and without a holiday keep their kind; the others are `IntervalKind.UNKNOWN`.
    public_holidays
        False evaluates as if there were no public holiday, to find what they change.

    Yields
    ------
    Intervals, which overlap only where school holidays are unknown. A string that cannot be parsed
    gives one `IntervalKind.UNKNOWN` from start to end.
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
        yield from sorted(
            {*(on & off), *(interval._replace(kind=IntervalKind.UNKNOWN) for interval in on ^ off)}
        )


def _evaluated(expression: str, start: date, end: date, country: str | None) -> Iterator[HoursInterval]:
    if "||" not in expression:
        yield from _library_intervals(expression, start, end, country)
        return
    # The library evaluates a fallback that is only a comment on the first day alone.
    first, *others = (
        list(_library_intervals(each, start, end, country)) for each in alternatives(expression)
    )
    for other in others:
        first = sorted([*first, *_outside(other, first)])
    yield from first


def _outside(intervals: list[HoursInterval], taken: list[HoursInterval]) -> Iterator[HoursInterval]:
    """Yield the parts of intervals that overlap none of `taken`; both are sorted by start."""
    for interval in intervals:
        since = interval.start
        for other in taken:
            if since < other.start < interval.end:
                yield interval._replace(start=since, end=other.start)
            if other.start < interval.end:
                since = max(since, other.end)
        if since < interval.end:
            yield interval._replace(start=since)


def _library_intervals(
    expression: str, start: date, end: date, country: str | None
) -> Iterator[HoursInterval]:
    intervals = _parsed(expression, country).intervals(_midnight(start), _midnight(end))
    for since, until, state, comment in intervals:
        if state != State.CLOSED:
            yield HoursInterval(since, until, _kind(state, comment, until - since))


def _kind(state: State, comment: str, length: timedelta) -> IntervalKind:
    booking = is_booking(comment)
    # The library evaluates "sur rendez-vous" alone as open around the clock.
    if state == State.OPEN and not (comment and length >= timedelta(days=1)):
        return IntervalKind.APPOINTMENT if booking else IntervalKind.OPEN
    return IntervalKind.ON_REQUEST if booking else IntervalKind.UNKNOWN


def is_booking(comment: str) -> bool:
    """Return whether a comment says that an appointment is required."""
    return bool(comment) and bool(_BOOKING.search(comment)) and "sans" not in comment.casefold()


@lru_cache(maxsize=65_536)
def _parsed(expression: str, country: str | None) -> OpeningHours:
    return OpeningHours(expression, country=country, max_interval_days=YEAR_DAYS)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())
