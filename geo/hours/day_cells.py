"""Translate a column for each day of the week to one opening_hours expression.

A cell that cannot be read makes its own day unknown, with its text as comment; the others are read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from geo.hours.remarks import is_by_appointment_only
from geo.hours.repair import BOOKING, repair_hours
from geo.sites.text import fold

WEEK: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
LONGEST_CELL: Final = 200
"""Longest cell that is read, in characters; longer ones are cut."""

_NAMES: Final = dict(
    zip(WEEK, ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"), strict=True)
)
_SLOT = re.compile(r"(\d{1,2}) ?[:h] ?(\d{2})? ?[-–à] ?(\d{1,2}) ?[:h] ?(\d{2})?")
_CLOSED = frozenset({"", "-", "–", "ferme", "fermee", "neant"})
_UNKNOWN = frozenset({"horaires non communiques", "non communique", "nc"})
_ANY_DAY = "{}"


@dataclass(frozen=True, slots=True)
class WeekCells:
    """Hours of a week, read from a cell for each day.

    Attributes
    ----------
    expression
        Days of equal hours are grouped: "Mo-Tu,Th 09:00-12:00; We unknown \"le matin\""; "" when all
        days are empty; the cells joined by "; " when none can be read.
    slots
        Ranges of the days whose hours are plain: "Mo" → "09:00-12:00,14:00-17:00".
    empty_slots
        Days whose slots without length (00:00 - 00:00) were removed.
    """

    expression: str
    slots: dict[str, str] = field(default_factory=dict)
    empty_slots: tuple[str, ...] = ()


def read_week(cells: Mapping[str, str]) -> WeekCells:
    """Read cells like « 09:00 - 12:00 / 14:00 - 17:00 », keyed by day code ("Mo" … "Su").

    Blank, « - » and « fermé » mean closed. Other handwriting is read as by
    `geo.hours.repair.repair_hours` (« 9h-12h (semaines paires) », « sur rendez-vous »).
    """
    texts = {day: " ".join(cells.get(day, "").split())[:LONGEST_CELL] for day in WEEK}
    if all(fold(text) in _CLOSED | _UNKNOWN for text in texts.values()):
        return WeekCells("")
    rules: dict[str, list[str]] = {}
    slots: dict[str, str] = {}
    empty = []
    unread = []
    for day, text in texts.items():
        ranges = _slots(text)
        if ranges is None:
            rule = _written(text)
            unread += [] if rule else [day]
            rules.setdefault(rule or f"{_ANY_DAY} unknown{_comment(text)}", []).append(day)
            continue
        useful = [each for each in ranges if each[:5] != each[6:]]
        empty += [day] if len(useful) < len(ranges) else []
        if useful:
            slots[day] = ",".join(useful)
            rules.setdefault(f"{_ANY_DAY} {slots[day]}", []).append(day)
    if unread and sum(map(len, rules.values())) == len(unread):
        return WeekCells("; ".join(f"{_NAMES[day]} : {text}" for day, text in texts.items() if text))
    expression = "; ".join(rule.replace(_ANY_DAY, _ranges(days)) for rule, days in rules.items())
    return WeekCells(expression, slots, tuple(empty))


@lru_cache(maxsize=4_096)
def _slots(cell: str) -> tuple[str, ...] | None:
    """Parse the slots of a day, as "09:00-12:00": () when closed, None when they cannot be parsed."""
    if fold(cell) in _CLOSED:
        return ()
    found = []
    for slot in cell.lower().split("/"):
        match = _SLOT.fullmatch(slot.strip())
        if match is None:
            return None
        hour, minute, to_hour, to_minute = match.groups("00")
        if max(int(hour), int(to_hour)) > 24 or max(minute, to_minute) > "59":
            return None
        found.append(f"{int(hour):02}:{minute}-{int(to_hour):02}:{to_minute}")
    return tuple(found)


def _written(cell: str) -> str:
    """Return the rule of a handwritten cell with `_ANY_DAY` for its day; "" when it cannot be read."""
    if is_by_appointment_only(cell):
        return f"{_ANY_DAY} {BOOKING}"
    read = repair_hours(f"lundi {cell}")
    if not read or read.count("Mo") != 1 or any(f"{day} " in read for day in WEEK[1:]):
        return ""
    return read.replace("Mo", _ANY_DAY, 1)


def _comment(text: str) -> str:
    """Return a text as the comment of a rule; "" when it only says that hours are unknown."""
    return "" if fold(text) in _UNKNOWN else ' "{}"'.format(text.replace('"', "'").replace("{}", "()"))


def _ranges(days: list[str]) -> str:
    runs: list[list[str]] = []
    for day in days:
        if runs and WEEK.index(runs[-1][-1]) + 1 == WEEK.index(day):
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
