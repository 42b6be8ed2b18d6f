"""Opening hours in OpenStreetMap's syntax: which strings can be read, and stops of a round."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Final

import opening_hours

from geo.sites.findings import Finding
from geo.sites.model import Stop
from geo.sites.standard import SEPARATOR
from geo.sites.text import plain

LENGTH_MAX: Final = 2_000
"""Longest expression read, in characters; the longest real one has about 120."""

_EMPTY_RANGE = re.compile(r"(?<!\d)0?(\d{1,2}:\d{2})\s*-\s*0?\1(?!\d)", re.ASCII)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def is_readable(raw: str) -> bool:
    """Whether a string of `horaires` can be evaluated; when it can't, the hours are unknown.

    A range that ends when it begins ("14:00-14:00") is a slip of the pen that the syntax accepts,
    and evaluators read as open for 24 hours: it makes the hours unknown.

    To evaluate a readable string, give `opening_hours.OpeningHours` a `max_interval_days` of a
    year: without it, looking for the next change of some strings ("easter Fr") takes seconds.
    """
    return len(raw) <= LENGTH_MAX and _is_readable(raw)


@lru_cache(maxsize=4_096)
def _is_readable(raw: str) -> bool:
    return bool(raw) and not _EMPTY_RANGE.search(raw) and bool(opening_hours.validate(raw))


def hours(cell: str) -> tuple[str, tuple[Finding, ...]]:
    """The raw string of `horaires`, always kept, and a finding when it can't be read."""
    if not cell or is_readable(cell):
        return cell, ()
    return cell, (Finding("horaires_illisibles", "horaires", cell),)


def stops(cell: str) -> tuple[tuple[Stop, ...], tuple[Finding, ...]]:
    """Stops written `place @ day hours` and joined by `|`."""
    found: list[Stop] = []
    findings = []
    for part in filter(None, map(plain, cell.split(SEPARATOR))):
        if stop := _stop(part):
            found.append(stop)
        else:
            findings.append(Finding("arret_illisible", "ext_arrets", part))
    return tuple(found), tuple(findings)


def written(stop: Stop) -> str:
    """A stop as one cell writes it; `stops` reads it back."""
    return f"{stop.place} @ {stop.day} {stop.hours}"


def _stop(part: str) -> Stop | None:
    place, at, when = part.rpartition("@")
    day, _, hours_ = when.strip().rpartition(" ")
    if not (at and place.strip() and day):
        return None
    try:
        readable = is_readable(f"{selector(day)} {hours_}")
    except ValueError:
        return None
    return Stop(place.strip(), day, hours_) if readable else None


def selector(day: str) -> str:
    """A day as opening_hours writes it: "2026-12-03" is "2026 Dec 03" there."""
    if not _ISO_DAY.fullmatch(day):
        return day
    read = date.fromisoformat(day)
    return f"{read.year} {_MONTHS[read.month - 1]} {read.day:02}"
