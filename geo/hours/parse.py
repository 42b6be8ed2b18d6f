"""Opening hours in OpenStreetMap's syntax: how a string is read or mended, and stops of a round."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Final

import opening_hours

from geo.hours.repair import repair_hours
from geo.hours.syntax import during, mentions_school
from geo.sites.findings import Finding, shorten
from geo.sites.model import ItinerantStop
from geo.sites.standard import SEPARATOR
from geo.sites.text import comparable_text

LENGTH_MAX: Final = 2_000
"""Longest expression read, in characters; the longest real one has about 120."""

_EMPTY_RANGE = re.compile(r"(?<!\d)0?(\d{1,2}:\d{2})\s*-\s*0?\1(?!\d)", re.ASCII)
# The library reads "PH Mo-Fr" (public holidays from Monday to Friday) as "PH,Mo-Fr".
_HOLIDAY_AND_DAY = re.compile(r"\bPH\s+(?:Mo|Tu|We|Th|Fr|Sa|Su)\b")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@lru_cache(maxsize=65_536)
def read_expression(raw: str) -> str:
    """The expression that is evaluated for a string of `horaires`.

    Returns
    -------
    The string itself where it is in OpenStreetMap's syntax; what it means in that syntax where it
    is written otherwise and leaves no doubt (`geo.hours.repair.mended`); "" where it can't be read:
    the hours are then unknown.

    Notes
    -----
    A range that ends when it begins ("14:00-14:00") is a slip of the pen that the syntax accepts,
    and evaluators read as open for 24 hours. Names of school holidays (`SH`) must be understood by
    `geo.hours.syntax`, for the library takes no account of them.
    """
    if not raw or len(raw) > LENGTH_MAX:
        return ""
    if _is_valid(raw):
        return raw
    better = repair_hours(raw)
    return better if _is_valid(better) else ""


def is_readable(raw: str) -> bool:
    """Whether a string of `horaires` can be evaluated; when it can't, the hours are unknown."""
    return bool(read_expression(raw))


def _is_valid(expression: str) -> bool:
    if not 0 < len(expression) <= LENGTH_MAX or _EMPTY_RANGE.search(expression):
        return False
    variants = {expression}
    if mentions_school(expression):
        variants |= {during(expression, holiday=holiday) for holiday in (True, False)}
    return all(
        variant and not _HOLIDAY_AND_DAY.search(variant) and opening_hours.validate(variant)
        for variant in variants
    )


def parse_hours(cell: str) -> tuple[str, tuple[Finding, ...]]:
    """The raw string of `horaires`, always kept, and a finding when it is mended or can't be read."""
    read = read_expression(cell)
    if read == cell:
        return cell, ()
    if read:
        return cell, (Finding("horaires_corriges", "horaires", cell, f"« {shorten(read)} »"),)
    return cell, (Finding("horaires_illisibles", "horaires", cell),)


def parse_stops(cell: str) -> tuple[tuple[ItinerantStop, ...], tuple[Finding, ...]]:
    """Stops written `place @ day hours` and joined by `|`."""
    found: list[ItinerantStop] = []
    findings = []
    for part in filter(None, map(comparable_text, cell.split(SEPARATOR))):
        if stop := _stop(part):
            found.append(stop)
        else:
            findings.append(Finding("arret_illisible", "ext_arrets", part))
    return tuple(found), tuple(findings)


def format_stop(stop: ItinerantStop) -> str:
    """A stop as one cell writes it; `stops` reads it back."""
    return f"{stop.place} @ {stop.day} {stop.hours}"


def _stop(part: str) -> ItinerantStop | None:
    place, at, when = part.rpartition("@")
    day, _, hours_ = when.strip().rpartition(" ")
    if not (at and place.strip() and day):
        return None
    try:
        readable = _is_valid(f"{day_selector(day)} {hours_}")
    except ValueError:
        return None
    return ItinerantStop(place.strip(), day, hours_) if readable else None


def day_selector(day: str) -> str:
    """A day as opening_hours writes it: "2026-12-03" is "2026 Dec 03" there."""
    if not _ISO_DAY.fullmatch(day):
        return day
    read = date.fromisoformat(day)
    return f"{read.year} {_MONTHS[read.month - 1]} {read.day:02}"
