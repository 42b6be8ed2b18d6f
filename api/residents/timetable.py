"""The hours of a site in words: a week, upcoming exceptions and stops.

`geo.hours.open_status` computes the hours; unknown hours are shown as unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from geo.hours.open_status import DatedVisit, DayHours, ExceptionalPeriod, Range
from geo.wording import dates, site_phrases
from geo.wording.language import Language

AHEAD: Final = timedelta(days=60)
"""How far ahead exceptional closures and hours are listed."""
VISITS: Final = 6
"""Upcoming stops listed."""


@dataclass(frozen=True)
class Day:
    """A line of the week.

    Attributes
    ----------
    name
        « mardi 1er décembre ».
    hours
        One text for each range of the day, or the one that says that there is none.
    note
        Why the day is not as others; "" for most.
    """

    date: date
    name: str
    hours: tuple[str, ...]
    note: str
    today: bool


def week(_: Language, days: tuple[DayHours, ...], today: date) -> list[Day]:
    """Return the lines of a week."""
    return [
        Day(d.date, dates.weekday_date(d.date, _, year=False), hours(_, d), note(_, d), d.date == today)
        for d in days
    ]


def hours(_: Language, day: DayHours) -> tuple[str, ...]:
    """Return the ranges of a day in words; one text if it is closed or unknown."""
    if day.ranges:
        return tuple(between(_, each) for each in day.ranges)
    if day.by_appointment:
        return (_("sur rendez-vous"),)
    if day.unknown:
        return (_("horaires inconnus"),)
    if day.exceptional:
        return (_("fermé exceptionnellement"),)
    return (_("fermé"),)


def note(_: Language, day: DayHours) -> str:
    """Return what is special about a day: a public holiday, school holidays, exceptional hours."""
    remarks = []
    if day.holiday:
        remarks.append(_("jour férié : %(name)s", name=day.holiday))
    if day.doubtful:
        remarks.append(_("à confirmer par téléphone"))
    if day.exceptional and day.ranges:
        remarks.append(_("horaires exceptionnels"))
    if day.school_holiday:
        remarks.append(_("vacances scolaires"))
    return ", ".join(remarks)


def between(_: Language, each: Range) -> str:
    """Return a range: « 9 h – 12 h, sur rendez-vous (Halle) »."""
    said = dates.time_range(each.start, each.end, _)
    if each.by_appointment:
        said = _("%(said)s, sur rendez-vous", said=said)
    return _("%(said)s (%(place)s)", said=said, place=each.stop.place) if each.stop else said


def exceptions(_: Language, found: tuple[ExceptionalPeriod, ...]) -> list[str]:
    """Return exceptional closures and hours, one sentence each."""
    lines = []
    for each in found:
        first, last = dates.weekday_date(each.first, _), dates.weekday_date(each.last, _)
        when = (
            _("le %(day)s", day=first)
            if each.first == each.last
            else _("du %(first)s au %(last)s", first=first, last=last)
        )
        if each.ranges:
            ranges = ", ".join(between(_, r) for r in each.ranges)
            lines.append(_("Horaires exceptionnels %(when)s : %(hours)s", when=when, hours=ranges))
        else:
            lines.append(_("Fermé exceptionnellement %(when)s", when=when))
    return lines


def visits(_: Language, found: tuple[DatedVisit, ...]) -> list[str]:
    """Return upcoming stops: « jeudi 3 décembre 2026, 9 h – 12 h : Halle »."""
    return [site_phrases.visit(_, each) for each in found]


def has_known_day(days: tuple[DayHours, ...]) -> bool:
    """Return whether any day of a week is known."""
    return any(day.ranges or day.by_appointment or not day.unknown for day in days)
