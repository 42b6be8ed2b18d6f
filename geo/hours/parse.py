"""Parse opening hours in OpenStreetMap's syntax, repaired if need be, and the stops of a round."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

import opening_hours

from geo.hours.french_dates import MONTHS, find_closures
from geo.hours.remarks import is_by_appointment_only
from geo.hours.repair import BOOKING, days_named, hours_parts, repair_hours
from geo.hours.syntax import during, mentions_school
from geo.sites.findings import Finding, shorten
from geo.sites.model import ItinerantStop
from geo.sites.standard import SEPARATOR
from geo.sites.text import comparable_text, fold

LENGTH_MAX: Final = 2_000
"""Longest expression accepted, in characters; the longest real one has about 120."""

_EMPTY_RANGE = re.compile(r"(?<!\d)0?(\d{1,2}:\d{2})\s*-\s*0?\1(?!\d)", re.ASCII)
# The library reads "PH Mo-Fr" (public holidays from Monday to Friday) as "PH,Mo-Fr".
_HOLIDAY_AND_DAY = re.compile(r"\bPH\s+(?:Mo|Tu|We|Th|Fr|Sa|Su)\b")
_UNKNOWN_QUOTED = re.compile(r'\bunknown\s+"([^"]+)"')
_CLOSURE = re.compile(rf"(?:PH|SH|[\w ,-]*\b(?:{'|'.join(MONTHS)})\b[\w ,-]*|easter[\w +-]*)")
_OPENS = re.compile(r"\d:\d\d|24/7")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class HoursReading(NamedTuple):
    """How a string of `horaires` is read.

    Attributes
    ----------
    expression
        The expression to evaluate; "" when nothing can be read.
    unread
        The parts of the string that cannot be read, as written; their days are unknown.
    """

    expression: str
    unread: tuple[str, ...] = ()


@lru_cache(maxsize=65_536)
def read_hours(raw: str) -> HoursReading:
    """Read a string of `horaires`.

    Returns
    -------
    The string itself when it is valid OpenStreetMap syntax; its translation when it is unambiguous
    (`geo.hours.repair.repair_hours`); else the parts that can be read, the days of the others being
    `unknown`; "" when no part can be read: the hours are then unknown.

    Notes
    -----
    An empty range ("14:00-14:00") is a mistake that the syntax accepts and evaluators treat as open
    for 24 hours, so it is invalid here. School holidays (`SH`) must be understood by
    `geo.hours.syntax`, because the library ignores them.
    """
    if not raw or len(raw) > LENGTH_MAX:
        return HoursReading("")
    if whole := _whole(raw):
        return HoursReading(whole)
    return _in_parts(raw)


def read_expression(raw: str) -> str:
    """Return the expression to evaluate for a string of `horaires`, "" when it cannot be read."""
    return read_hours(raw).expression


def _whole(raw: str) -> str:
    if _is_valid(raw):
        return raw
    repaired = repair_hours(raw)
    return repaired if _is_valid(repaired) else ""


def _in_parts(raw: str) -> HoursReading:
    """Read the parts of a string that can be read; the days of the others are unknown.

    A part may close dates (« fermé en août »), or say that all hours are by appointment.
    """
    read, closed, unread = [], [], []
    booked = False
    for part in hours_parts(raw):
        if rules := _closing_rules(part):
            closed += rules
        elif is_by_appointment_only(part):
            booked = True
        elif _whole(part):
            read.append(part)
        else:
            unread.append(part)
    # Together: parts that are clear each may be ambiguous beside each other.
    known = _whole("; ".join(read)) if closed or booked or unread else ""
    if not known or not _OPENS.search(known):
        return HoursReading("")
    if booked:
        known = "; ".join(_booked(rule) for rule in known.split(";"))
    unknown = [f"{days} unknown" for part in unread if (days := days_named(part))]
    expression = "; ".join([known, *unknown, *closed])
    return HoursReading(expression, tuple(unread)) if _is_valid(expression) else HoursReading("")


def _closing_rules(part: str) -> list[str]:
    """Return the rules of a part that only closes dates: « fermé en août » gives "Aug off"."""
    text = fold(part)
    closures = list(find_closures(text))
    for closure in reversed(closures):
        text = f"{text[: closure.start]} {text[closure.end :]}"
    if re.search(r"\w", text):
        return []
    return [f"{selector} off" for closure in closures for selector in closure.selectors]


def _booked(rule: str) -> str:
    """Return a rule with opening hours as by appointment."""
    plain = _OPENS.search(rule) and '"' not in rule and "unknown" not in rule
    return f"{rule.strip()} {BOOKING}" if plain else rule.strip()


def is_readable(raw: str) -> bool:
    """Return whether a string of `horaires` can be evaluated; otherwise the hours are unknown."""
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
    """Return the raw string of `horaires`, and a finding when it was repaired or cannot be parsed."""
    expression, unread = read_hours(cell)
    if expression == cell:
        unread = tuple(_UNKNOWN_QUOTED.findall(expression))
        if not unread:
            return cell, ()
    if unread:
        found = Finding(
            "horaires_en_partie_illisibles", "horaires", cell, f"« {shorten('; '.join(unread))} »"
        )
        return cell, (found,)
    if expression:
        return cell, (Finding("horaires_corriges", "horaires", cell, f"« {shorten(expression)} »"),)
    return cell, (Finding("horaires_illisibles", "horaires", cell),)


def parse_stops(cell: str) -> tuple[tuple[ItinerantStop, ...], tuple[Finding, ...]]:
    """Parse stops written `place @ day hours` and joined by `|`; invalid ones give a finding."""
    found: list[ItinerantStop] = []
    findings = []
    for part in filter(None, map(comparable_text, cell.split(SEPARATOR))):
        if stop := _stop(part):
            found.append(stop)
        else:
            findings.append(Finding("arret_illisible", "ext_arrets", part))
    return tuple(found), tuple(findings)


def closure_rule(closure: str) -> str:
    """Return the rule of a closure: 'Aug "congés"' becomes 'Aug off "congés"'; "" when it is invalid.

    A closure is a date selector, whole days only, with an optional reason in double quotes.
    """
    selector, quote, reason = closure.partition('"')
    reason = reason.removesuffix('"')
    if (quote and '"' in reason) or not _CLOSURE.fullmatch(selector.strip()):
        return ""
    rule = f"{selector.strip()} off" + (f' "{reason}"' if reason else "")
    return rule if _is_valid(rule) else ""


def parse_closures(cell: str) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Parse closures joined by `|`; those written in French are translated, invalid ones give a finding."""
    found: dict[str, None] = {}
    findings: list[Finding] = []
    for part in filter(None, map(comparable_text, cell.split(SEPARATOR))):
        written = [each for closure in find_closures(fold(f"fermé {part}")) for each in closure.selectors]
        if closure_rule(part):
            found[part] = None
        elif written:
            found |= dict.fromkeys(written)
        else:
            findings.append(Finding("fermeture_illisible", "ext_fermetures", part))
    return tuple(found), tuple(findings)


def format_stop(stop: ItinerantStop) -> str:
    """Format a stop for a cell; the inverse of `parse_stops`."""
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
    """Return a day as an opening_hours selector: "2026-12-03" becomes "2026 Dec 03"."""
    if not _ISO_DAY.fullmatch(day):
        return day
    parsed = date.fromisoformat(day)
    return f"{parsed.year} {MONTHS[parsed.month - 1]} {parsed.day:02}"
