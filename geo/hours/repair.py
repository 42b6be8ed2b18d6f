"""Translate hours written by hand to OpenStreetMap's syntax when they are unambiguous.

Only plain weekly hours are translated: days, times, "fermé" and separators. A text with anything
else is not translated at all.

The text is cut into tokens; a small recursive-descent parser reads them as rules of days and
times; the rules are then checked (no repeated day, sorted ranges) and written in the syntax.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Final

from geo.sites.text import comparable_text

LONGEST: Final = 300
"""Longest text translated, in characters."""

_CODES = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_FRENCH = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_ABBREVIATED = ("lun", "mar", "mer", "jeu", "ven", "sam", "dim")
_WEEKDAY = {name: day for names in (_FRENCH, _CODES) for day, name in enumerate(map(str.lower, names))}
_WEEKDAY |= {f"{name}s": day for day, name in enumerate(_FRENCH)}
# "mar" alone may be March: it is read as Tuesday only beside another day, in a range or a list.
_SHORT_WEEKDAY = {name: day for day, name in enumerate(_ABBREVIATED)}
_DASH = re.compile("[\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}]")
_TOKEN = re.compile(
    r"(?P<time>\d{1,2} ?(?:h ?(?:[0-5]\d)?|:[0-5]\d)(?!\d)|\bmidi\b)"
    r"|(?P<off>\bferme(?:e|s|es)?\b|\boff\b|\bclosed\b)"
    r"|(?P<every>\btous les jours\b|\b7 ?j ?/ ?7\b)"
    r"|(?P<to>-|\bau\b|\ba\b)"
    r"|(?P<word>[a-z]+\.?)"
    r"|(?P<and>[,/&+])"
    r"|(?P<end>[;|]|\.(?= |$))"
    r"|(?P<blank>[ :]+)",
    re.ASCII,
)
_AND = frozenset({"et"})
_EMPTY_WORDS = frozenset({"de", "du", "des", "le", "les", "ouvert", "ouverte", "ouverture"})
_EMPTY_RANGE = re.compile(r"0?(\d{1,2}:\d{2})\s*-\s*0?\1(?!\d)", re.ASCII)
_PLAIN_RULE = re.compile(r"([A-Z][\w,-]*) (\d{2}:\d{2}-\d{2}:\d{2}(?:,\d{2}:\d{2}-\d{2}:\d{2})*)", re.ASCII)


def repair_hours(raw: str) -> str:
    """Translate weekly hours to OpenStreetMap's syntax; return "" when they are ambiguous.

    - « du lundi au vendredi 9h-12h et 14h-17h30, samedi 9h à 12h » gives
      "Mo-Fr 09:00-12:00,14:00-17:30; Sa 09:00-12:00";
    - "Mo - Fr : 9.00…": blanks, colons, dashes and missing separators are corrected;
    - "Mo 09:00-12:00,14:00-14:00" gives "Mo 09:00-12:00, Mo 14:00-24:00 unknown": the morning is
      certain, and the end of the afternoon is unknown.

    A day in two rules is ambiguous (the second may add or replace) unless the second closes it.
    """
    if len(raw) > LONGEST:
        return ""
    if _EMPTY_RANGE.search(raw):
        return _without_empty_ranges(raw)
    tokens = _tokens(raw)
    return _to_osm(tokens) if tokens else ""


def _without_empty_ranges(raw: str) -> str:
    """Replace ranges that end when they begin by unknown hours from then on."""
    rules = []
    for rule in raw.split(";"):
        if not _EMPTY_RANGE.search(rule):
            rules.append(rule.strip())
            continue
        plain_rule = _PLAIN_RULE.fullmatch(rule.strip())
        if not plain_rule:
            return ""
        days, ranges = plain_rule[1], plain_rule[2].split(",")
        *sure, last = ranges
        # Only the last range of a day can be open-ended: later ranges would be uncertain.
        if not sure or not _EMPTY_RANGE.fullmatch(last) or any(map(_EMPTY_RANGE.fullmatch, sure)):
            return ""
        if last[:5] < sure[-1][6:]:
            return ""
        rules.append(f"{days} {','.join(sure)}, {days} {last[:5]}-24:00 unknown")
    return "; ".join(rules)


_Token = tuple[str, int]
"""Kind of token, and its weekday or minute of the day."""


def _tokens(raw: str) -> list[_Token] | None:
    """Return the tokens of a text, or None when some part of it is not a token."""
    letters = unicodedata.normalize("NFKD", _DASH.sub("-", comparable_text(raw))).casefold()
    text = "".join(letter for letter in letters if not unicodedata.combining(letter))
    found: list[_Token] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if not match:
            return None
        place = match.end()
        kind, matched = str(match.lastgroup), match[0]
        if kind == "word":
            kind, value = _word(matched)
            if kind == "?":
                return None
        else:
            value = _minute(matched) if kind == "time" else 0
            if value > 24 * 60:
                return None
        if kind != "blank":
            found.append((kind, value))
    days = {value for kind, value in found if kind in ("day", "short")}
    if len(days) < 2 and ("short", 1) in found:
        return None
    return [("day" if kind == "short" else kind, value) for kind, value in found]


def _word(word: str) -> _Token:
    bare = word.rstrip(".")
    if bare in _EMPTY_WORDS:
        return "blank", 0
    if bare in _AND:
        return "and", 0
    if bare in _WEEKDAY:
        return "day", _WEEKDAY[bare]
    if bare in _SHORT_WEEKDAY:
        return "short", _SHORT_WEEKDAY[bare]
    return "?", 0


def _minute(clock: str) -> int:
    if clock == "midi":
        return 12 * 60
    hour, minute = re.fullmatch(r"(\d+) ?[h:] ?(\d*)", clock).groups()  # type: ignore[union-attr]
    return int(hour) * 60 + int(minute or 0)


@dataclass
class _HoursRule:
    days: list[tuple[int, int]] = field(default_factory=list)
    ranges: list[tuple[int, int]] = field(default_factory=list)
    off: bool = False

    @property
    def weekdays(self) -> list[int]:
        return [day for first, last in self.days for day in range(first, last + 1)]


def _to_osm(tokens: list[_Token]) -> str:
    """Parse tokens as rules of days and times; return "" when they are not, or are ambiguous."""
    rules: list[_HoursRule] = []
    place = 0
    while place < len(tokens):
        parsed = _one_rule(tokens, place)
        if not parsed:
            return ""
        rule, place = parsed
        rules.append(rule)
    seen: set[int] = set()
    for rule in rules:
        days = rule.weekdays
        if len(set(days)) < len(days) or (not rule.off and seen & set(days)):
            return ""
        if any(start >= end for start, end in rule.ranges):
            return ""
        if any(after[0] < before[1] for before, after in zip(rule.ranges, rule.ranges[1:], strict=False)):
            return ""
        seen |= set(days)
    if all(rule.off for rule in rules):
        return ""
    return "; ".join(map(_rule_text, rules))


def _one_rule(tokens: list[_Token], place: int) -> tuple[_HoursRule, int] | None:
    """Parse the rule that begins at a token; return it and the index of the next, or None."""
    rule = _HoursRule(off=_kinds(tokens, place, 2) in (["off", "day"], ["off", "every"]))
    place += rule.off
    while place < len(tokens) and tokens[place][0] in ("day", "every"):
        kind, first = tokens[place]
        last = first
        place += 1
        if kind == "every":
            first, last = 0, 6
        elif _kinds(tokens, place, 2) == ["to", "day"]:
            last = tokens[place + 1][1]
            place += 2
        if last < first:
            return None
        rule.days.append((first, last))
        if _kinds(tokens, place, 2) == ["and", "day"]:
            place += 1
    while not rule.off and _kinds(tokens, place, 3) == ["time", "to", "time"]:
        rule.ranges.append((tokens[place][1], tokens[place + 2][1]))
        place += 3
        if _kinds(tokens, place, 2) == ["and", "time"]:
            place += 1
    if not (rule.off or rule.ranges) and _kinds(tokens, place, 1) == ["off"]:
        rule.off = True
        place += 1
    if not rule.days or not (rule.ranges or rule.off):
        return None
    if place < len(tokens) and tokens[place][0] in ("end", "and"):
        place += 1
    return rule, place


def _kinds(tokens: list[_Token], place: int, count: int) -> list[str]:
    return [kind for kind, _ in tokens[place : place + count]]


def _rule_text(rule: _HoursRule) -> str:
    days = ",".join(_CODES[a] if a == b else f"{_CODES[a]}-{_CODES[b]}" for a, b in rule.days)
    if rule.off:
        return f"{days} off"
    return f"{days} " + ",".join(f"{_clock(start)}-{_clock(end)}" for start, end in rule.ranges)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
