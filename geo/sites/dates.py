"""Parse the date a record was last updated."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

from geo.sites.findings import Finding
from geo.sites.text import fold
from geo.wording import dates

EARLIEST: Final = date(2000, 1, 1)
"""Oldest plausible date; earlier ones are default values of some software."""

_SERIAL_EPOCH: Final = date(1899, 12, 30)
_SERIAL_EPOCH_1904: Final = date(1904, 1, 1)

_TIME = r"(?:(?:T|,?\s+(?:[àa]\s+)?)\d{1,2}\s?[:hH].*)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})([/.-]?)(\d{{1,2}})\2(\d{{1,2}}){_TIME}", re.ASCII | re.DOTALL)
_YEAR_LAST = re.compile(
    rf"(\d{{1,2}})\s?([/.-])\s?(\d{{1,2}})\s?\2\s?(\d{{4}}|\d{{2}}){_TIME}", re.ASCII | re.DOTALL
)
_IN_WORDS = re.compile(
    rf"(?:[a-z]{{3,8}}\.?,?\s+)?(\d{{1,2}})(?:er)?[\s./-]+([a-z]{{3,9}})\.?[\s./-]+(\d{{4}}|\d{{2}}){_TIME}",
    re.ASCII | re.DOTALL,
)
_SERIAL = re.compile(r"(\d{5})(?:[.,]\d+)?", re.ASCII)
_LONGEST: Final = 80
"""Longest cell read as a date, in characters."""

_MONTHS: Final = (
    "janvier",
    "fevrier",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "aout",
    "septembre",
    "octobre",
    "novembre",
    "decembre",
)


def parse_update_date(cell: str, *, today: date) -> tuple[date | None, tuple[Finding, ...]]:
    """Parse `date_maj`; return None and a finding when it is absent, unreadable or implausible.

    Accepts year-month-day, day/month/year in French order (also with two digits of the year), dates
    in words (« 1er oct. 2026 »), each with a time of day, and day numbers of spreadsheets (46296).
    Only the date of a date-time is used, as national tools do. A date that is one only if the month
    comes first is read so, and flagged. Tomorrow is accepted because the producer's clock may be
    ahead of ours.
    """
    if not cell:
        return _unknown(cell, "la source ne la donne pas")
    try:
        found = read_date(cell)
    except ValueError:
        return _unknown(cell, "ce jour n'existe pas")
    if found is None:
        return _unknown(cell, "elle n'est pas écrite comme une date")
    if found > today + timedelta(days=1):
        return _unknown(cell, "elle est dans l'avenir")
    if found < EARLIEST:
        return _unknown(cell, f"elle est antérieure à {EARLIEST.year}")
    if is_month_first(cell):
        why = f"le mois y vient avant le jour, elle est lue {dates.long_date(found)}"
        return found, (Finding("date_ambigue", "date_maj", cell, why),)
    return found, () if cell == found.isoformat() else (Finding("date_normalisee", "date_maj", cell),)


def read_date(cell: str, *, from_1904: bool = False) -> date | None:
    """Return the date of a cell, or None when it is not written as a date.

    Parameters
    ----------
    from_1904
        Whether day numbers count from 1 January 1904, as some workbooks say.

    Raises
    ------
    ValueError
        If there is no such day.
    """
    cell = cell.strip()
    if len(cell) > _LONGEST:
        return None
    if match := _SERIAL.fullmatch(cell):
        return (_SERIAL_EPOCH_1904 if from_1904 else _SERIAL_EPOCH) + timedelta(days=int(match[1]))
    if (match := _YEAR_FIRST.fullmatch(cell)) and (match[2] or len(match[3]) + len(match[4]) == 4):
        return date(int(match[1]), int(match[3]), int(match[4]))
    if match := _YEAR_LAST.fullmatch(cell):
        first, second, year = int(match[1]), int(match[3]), _year(match[4])
        return date(year, first, second) if is_month_first(cell) else date(year, second, first)
    if match := _IN_WORDS.fullmatch(fold(cell).removeprefix("le ")):
        months = [rank for rank, name in enumerate(_MONTHS, start=1) if name.startswith(match[2])]
        return date(_year(match[3]), months[0], int(match[1])) if len(months) == 1 else None
    return None


def is_serial(cell: str) -> bool:
    """Return whether a cell is the day number of a spreadsheet."""
    return bool(_SERIAL.fullmatch(cell.strip()))


def is_month_first(cell: str) -> bool:
    """Return whether a cell is a date only if its month comes before its day: « 10/13/2026 »."""
    match = _YEAR_LAST.fullmatch(cell.strip())
    return bool(match and int(match[1]) <= 12 < int(match[3]) <= 31)


def has_two_readings(cell: str) -> bool:
    """Return whether a cell is a date in both orders of day and month: « 10/01/2026 »."""
    match = _YEAR_LAST.fullmatch(cell.strip())
    if match is None:
        return False
    first, second = int(match[1]), int(match[3])
    return first != second and min(first, second) >= 1 and max(first, second) <= 12


def _year(digits: str) -> int:
    if len(digits) == 4:
        return int(digits)
    return int(digits) + (2000 if int(digits) < 70 else 1900)


def _unknown(cell: str, why: str) -> tuple[None, tuple[Finding, ...]]:
    return None, (Finding("date_inconnue", "date_maj", cell, why),)
