"""Public holidays of France, and school holidays by zone.

Public holidays are those with which opening-hours-py evaluates `PH`, so that their names always
agree with the hours. School holidays come from the package vacances-scolaires-france (open data of
the ministry of education); days that it does not cover are unknown, not term time.
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
"""Zone of school holidays."""

COUNTRY: Final = "FR"

YEAR_DAYS: Final = 366
"""`max_interval_days` of every evaluation; without it some strings ("easter Fr") take seconds."""

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
    """School holidays used to evaluate hours. Hashable, so that it can be a cache key.

    Attributes
    ----------
    zone
        Zone of the school holidays. None when no zone is known: a day is then known only where the
        three zones agree.
    """

    zone: Zone | None = None

    def school_holiday(self, day: date) -> bool | None:
        """Return whether a day is in the school holidays, or None when unknown."""
        first, last, off = _school()
        if not first <= day <= last:
            return None
        if self.zone:
            return day in off[self.zone]
        found = {day in days for days in off.values()}
        return found.pop() if len(found) == 1 else None

    def school_runs(self, start: date, end: date) -> Iterator[tuple[date, date, bool | None]]:
        """Yield the runs (start, end, `school_holiday`) of equal days between two days; ends excluded."""
        since, holiday = start, self.school_holiday(start)
        day = start
        while (day := day + timedelta(days=1)) < end:
            if (now := self.school_holiday(day)) != holiday:
                yield since, day, holiday
                since, holiday = day, now
        yield since, end, holiday


ANY_ZONE: Final = Calendar()
"""Calendar without zone: for weeks in which the zones agree, and for callers that know no zone."""


def school_holidays_known_until() -> date:
    """Return the last known day; after it, `Calendar.school_holiday` is None."""
    return _school()[1]


@lru_cache(maxsize=4_096)
def public_holiday(day: date) -> str:
    """Return the French name of a public holiday, or "" for any other day."""
    noon = datetime.combine(day, time(12))
    if not _HOLIDAYS.is_open(noon):
        return ""
    return next((name for name, days in _NAMED.items() if days.is_open(noon)), _OTHER)


def has_public_holiday(start: date, end: date) -> bool:
    """Return whether there is a public holiday from `start` to `end` (excluded)."""
    bounds = (datetime.combine(start, time()), datetime.combine(end, time()))
    return any(state == State.OPEN for _, _, state, _ in _HOLIDAYS.intervals(*bounds))


def has_school_holiday(start: date, end: date) -> bool:
    """Return whether a day from `start` to `end` (excluded) is a school holiday of some zone."""
    days = {start + timedelta(days=place) for place in range((end - start).days)}
    return any(not days.isdisjoint(off) for off in _school()[2].values())


@cache
def _school() -> tuple[date, date, dict[Zone, frozenset[date]]]:
    """Return the first and last known days, and the holidays of each zone.

    The data end with the last holidays set by the ministry.
    """
    known = SchoolHolidayDates().data
    zones: tuple[Zone, ...] = ("A", "B", "C")
    off = {
        z: frozenset(day for day, row in known.items() if row[f"vacances_zone_{z.lower()}"]) for z in zones
    }
    return min(known), max(known), off
