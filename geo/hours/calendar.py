"""Days that are not as others: the public holidays of France, and the school holidays of a zone.

Public holidays are those opening-hours-py evaluates `PH` with, so that their names never disagree
with the hours. School holidays come from the package vacances-scolaires-france (open data of the
ministry of education); what it does not cover is not known, which is not the same as term time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import Final, Literal

from opening_hours import OpeningHours, State
from vacances_scolaires_france import SchoolHolidayDates

Zone = Literal["A", "B", "C"]
"""A zone of school holidays."""

COUNTRY: Final = "FR"

YEAR_DAYS: Final = 366
"""`max_interval_days` of every evaluation: without it some strings ("easter Fr") take seconds."""

_HOLIDAYS = OpeningHours("PH", country=COUNTRY, max_interval_days=YEAR_DAYS)
_OTHER = "Jour férié"
_NAMES = {
    "Jour de l'An": "Jan 01",
    "Lundi de Pâques": "easter +1 day",
    "Fête du Travail": "May 01",
    "Victoire de 1945": "May 08",
    "Ascension": "easter +39 days",
    "Lundi de Pentecôte": "easter +50 days",
    "Fête nationale": "Jul 14",
    "Assomption": "Aug 15",
    "Toussaint": "Nov 01",
    "Armistice de 1918": "Nov 11",
    "Noël": "Dec 25",
}
_NAMED = {name: OpeningHours(day, max_interval_days=YEAR_DAYS) for name, day in _NAMES.items()}


@dataclass(frozen=True, slots=True)
class Calendar:
    """The school holidays that hours go by. Hashable, so that it can key a cache.

    Attributes
    ----------
    zone
        Whose school holidays; None where no zone is told: a day is then known only where the
        three zones agree.
    """

    zone: Zone | None = None

    def school_holiday(self, day: date) -> bool | None:
        """Whether a day is one of school holidays; None where it is not known."""
        first, last, off = _school()
        if not first <= day <= last:
            return None
        if self.zone:
            return day in off[self.zone]
        found = {day in days for days in off.values()}
        return found.pop() if len(found) == 1 else None

    def school_runs(self, start: date, end: date) -> Iterator[tuple[date, date, bool | None]]:
        """The days from one to another (excluded), cut where `school_holiday` changes."""
        since, holiday = start, self.school_holiday(start)
        day = start
        while (day := day + timedelta(days=1)) < end:
            if (now := self.school_holiday(day)) != holiday:
                yield since, day, holiday
                since, holiday = day, now
        yield since, end, holiday


ANY_ZONE: Final = Calendar()
"""No zone told: for weeks chosen where the zones agree, and for callers that know none."""


def school_holidays_known_until() -> date:
    """The last day the package knows of: past it, `Calendar.school_holiday` is None."""
    return _school()[1]


@lru_cache(maxsize=4_096)
def public_holiday(day: date) -> str:
    """The French name of a public holiday of France; "" for any other day."""
    noon = datetime.combine(day, time(12))
    if not _HOLIDAYS.is_open(noon):
        return ""
    return next((name for name, days in _NAMED.items() if days.is_open(noon)), _OTHER)


def has_public_holiday(start: date, end: date) -> bool:
    """Whether a public holiday falls from one day to another (excluded)."""
    bounds = (datetime.combine(start, time()), datetime.combine(end, time()))
    return any(state == State.OPEN for _, _, state, _ in _HOLIDAYS.intervals(*bounds))


def has_school_holiday(start: date, end: date) -> bool:
    """Whether a day from one to another (excluded) is known to be a school holiday of some zone."""
    days = {start + timedelta(days=place) for place in range((end - start).days)}
    return any(not days.isdisjoint(off) for off in _school()[2].values())


@cache
def _school() -> tuple[date, date, dict[Zone, frozenset[date]]]:
    """First and last days known, and the holidays of each zone.

    The package lists days beyond the last holidays the ministry has set, as if they were all term
    time: what it knows is taken to end with them.
    """
    known = SchoolHolidayDates().data
    zones: tuple[Zone, ...] = ("A", "B", "C")
    off = {
        z: frozenset(day for day, row in known.items() if row[f"vacances_zone_{z.lower()}"]) for z in zones
    }
    return min(known), max(known), off
