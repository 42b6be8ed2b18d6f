"""Translate hours written by hand to OpenStreetMap's syntax when they are unambiguous.

Translated are weekly hours (days, times, odd and even weeks, first and last days of the month, open
ends, "fermé"), appointments and dated closures. A text with anything else is not translated at all.

The text is cut into tokens; a small recursive-descent parser reads them as rules of days and
times; the rules are then checked (no repeated day, sorted ranges) and written in the syntax.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from geo.hours.french_dates import find_closures
from geo.sites.text import comparable_text, fold

LONGEST: Final = 300
"""Longest text translated, in characters."""

_CODES = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_FRENCH = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_ABBREVIATED = ("lun", "mar", "mer", "jeu", "ven", "sam", "dim")
_WEEKDAY = {name: day for names in (_FRENCH, _CODES) for day, name in enumerate(map(str.lower, names))}
_WEEKDAY |= {f"{name}s": day for day, name in enumerate(_FRENCH)}
# "mar" alone may be March: it is read as Tuesday only beside another day, in a range or a list.
_SHORT_WEEKDAY = {name: day for day, name in enumerate(_ABBREVIATED)}
_OPEN_END = 24 * 60 + 1
_HYPHEN = "\N{SOFT HYPHEN}"
_DASH = re.compile("[\N{HYPHEN-MINUS}\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}]")
_TOKEN = re.compile(
    r"(?P<always>\b24 ?(?:h|heures)? ?(?:/|sur) ?24 ?(?:h|heures)?\b|\bjour et nuit\b)"
    r"|(?P<time>\d{1,2} ?(?:h ?(?:[0-5]\d)?|:[0-5]\d)(?!\d)|\bmidi\b)"
    r"|(?P<from>\b(?:a partir d(?:e |')|des |depuis )(?=(?:\d{1,2} ?[h:]|midi)))"
    r"|(?P<even>\b(?:les |en )?semaines? paires?\b)"
    r"|(?P<odd>\b(?:les |en )?semaines? impaires?\b)"
    r"|(?P<booking>\b(?:uniquement |seulement |exclusivement )?sur (?:rendez[- ]?vous|rdv|rv|r\.d\.v\.?)"
    r"(?: uniquement| seulement| exclusivement| obligatoire)?\b)"
    r"|(?P<off>\bferme(?:e|s|es)?\b|\boff\b|\bclosed\b)"
    r"|(?P<every>\btous les jours\b|\b7 ?(?:j|jours)? ?(?:/|sur) ?7 ?j?\b)"
    r"|(?P<monthly>\b(?:du|de chaque|par) mois\b)"
    r"|(?P<nth>\b(?:1 ?ere?|[234] ?(?:nde?|eme|e)|"
    r"premiere?|deuxieme|seconde?|troisieme|quatrieme|derniere?)s?\b)"
    r"|(?P<to>-|\bau\b|\ba\b)"
    r"|(?P<word>[a-z]+\.?)"
    r"|(?P<and>[,/&+])"
    r"|(?P<end>[;|]|\.(?= |$))"
    r"|(?P<blank>[ :()]+)",
    re.ASCII,
)
_FRENCH_DAY = rf"\b(?:{'|'.join(_FRENCH)})s?\b"
_CODED_DAY = rf"(?:{'|'.join(map(str.lower, _CODES))})\b"
_LINK = r"(?:[ ,/&-]|\b(?:au|et|le|les)\b)"
_FRENCH_DAYS = re.compile(rf"{_FRENCH_DAY}(?:{_LINK}+{_FRENCH_DAY})*")
_CODED_DAYS = re.compile(rf"{_CODED_DAY}(?: ?[,-] ?{_CODED_DAY})*")
_ONLY_DAYS = re.compile(rf"(?:{_FRENCH_DAY}|{_LINK}|\b(?:du|tous)\b)*")
_PART_END = re.compile(r"\s*[;|\n]\s*|\.\s+(?=[A-Z])")
_BEFORE_DAY = re.compile(
    rf"[,./]?\s+(?:et )?(?=(?:(?:du|le|les|tous|\d ?[a-z]{{1,4}}) )*(?:{'|'.join(_FRENCH)})s?\b)",
    re.IGNORECASE,
)
_AND = frozenset({"et"})
_EMPTY_WORDS = frozenset(
    {"de", "du", "des", "le", "les", "ouvert", "ouverte", "ouverts", "ouverture", "horaires", "d", "l"}
)
_EMPTY_RANGE = re.compile(r"0?(\d{1,2}:\d{2})\s*-\s*0?\1(?!\d)", re.ASCII)
_PLAIN_RULE = re.compile(r"([A-Z][\w,-]*) (\d{2}:\d{2}-\d{2}:\d{2}(?:,\d{2}:\d{2}-\d{2}:\d{2})*)", re.ASCII)
_NTH = {"1": 1, "p": 1, "2": 2, "d": 2, "s": 2, "3": 3, "t": 3, "4": 4, "q": 4}
_WEEKS = {"": "", "even": "week 02-52/2 ", "odd": "week 01-53/2 "}
BOOKING: Final = '"sur rendez-vous"'
"""Comment of hours at which one is received by appointment only."""


def repair_hours(raw: str) -> str:
    """Translate hours to OpenStreetMap's syntax; return "" when they are ambiguous.

    - « du lundi au vendredi 9h-12h et 14h-17h30, samedi 9h à 12h » gives
      "Mo-Fr 09:00-12:00,14:00-17:30; Sa 09:00-12:00";
    - "Mo - Fr : 9.00…": blanks, colons, dashes and missing separators are corrected;
    - « lundi à partir de 14h » gives "Mo 14:00+", « 24h/24 » gives "24/7";
    - « lundi 9h-12h (semaines paires) » gives "week 02-52/2 Mo 09:00-12:00", and « 1er samedi du
      mois 9h-12h » gives "Sa[1] 09:00-12:00";
    - « mardi 9h-12h sur rendez-vous » gives 'Tu 09:00-12:00 "sur rendez-vous"';
    - « …, fermé en août et les jours fériés » gives "…; Aug off; PH off";
    - "Mo 09:00-12:00,14:00-14:00" gives "Mo 09:00-12:00, Mo 14:00-24:00 unknown": the morning is
      certain, and the end of the afternoon is unknown.

    A day in two rules is ambiguous (the second may add or replace) unless the second closes it, or
    their weeks or places in the month differ.
    """
    if len(raw) > LONGEST or "||" in raw:
        return ""
    if _EMPTY_RANGE.search(raw):
        return _without_empty_ranges(raw)
    text = fold(_DASH.sub(_HYPHEN, comparable_text(raw))).replace(_HYPHEN, "-")
    closures = list(find_closures(text))
    for closure in reversed(closures):
        text = f"{text[: closure.start]} ; {text[closure.end :]}"
    tokens = _tokens(text)
    weekly = _to_osm(tokens) if tokens else ""
    if not weekly:
        return ""
    selectors = dict.fromkeys(each for closure in closures for each in closure.selectors)
    return "; ".join([weekly, *(f"{selector} off" for selector in selectors)])


def hours_parts(raw: str) -> tuple[str, ...]:
    """Split hours into the parts of a few days each: at semicolons and line ends, and before days.

    « lundi 9h-12h, mardi le matin » has two parts, « lundi, mardi 9h-12h » one.
    """
    if "||" in raw:
        return (raw,)
    parts = []
    for piece in _PART_END.split(raw):
        since = 0
        for cut in _BEFORE_DAY.finditer(piece):
            before = fold(piece[since : cut.start()])
            goes_on = before.endswith((" au", " a", " -"))
            if _FRENCH_DAYS.search(before) and not goes_on and not _ONLY_DAYS.fullmatch(before):
                parts.append(piece[since : cut.start()])
                since = cut.end()
        parts.append(piece[since:])
    return tuple(part.strip(" ,.") for part in parts if part.strip(" ,."))


def days_named(part: str) -> str:
    """Return the days that a part of hours names, as "Mo,We-Fr"; "" when it names none."""
    text = fold(_DASH.sub(_HYPHEN, part)).replace(_HYPHEN, "-")
    rule = _HoursRule()
    found = [_CODED_DAYS.match(text)] if _CODED_DAYS.match(text) else _FRENCH_DAYS.finditer(text)
    for match in found:
        if match and _listed_days(rule, _tokens(match[0], strict=False) or [], 0) < 0:
            return ""
    return ",".join(_CODES[a] if a == b else f"{_CODES[a]}-{_CODES[b]}" for a, b in rule.days)


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
"""Kind of token, and its weekday, minute of the day or place in the month."""


def _tokens(text: str, *, strict: bool = True) -> list[_Token] | None:
    """Return the tokens of a folded text, or None when some part of it is not a token.

    `strict` refuses « mar » without another day beside it: it may be March.
    """
    found: list[_Token] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if not match:
            return None
        place = match.end()
        kind, value = _token(str(match.lastgroup), match[0])
        if kind == "?" or value > 24 * 60:
            return None
        if kind not in ("blank", "monthly"):
            found.append((kind, value))
    days = {value for kind, value in found if kind in ("day", "short")}
    if strict and len(days) < 2 and ("short", 1) in found:
        return None
    return _trimmed([("day" if kind == "short" else kind, value) for kind, value in found])


def _trimmed(tokens: list[_Token]) -> list[_Token]:
    """Remove separators at the beginning and repeated ones, which removed closures leave."""
    remaining: list[_Token] = []
    for token in tokens:
        if token[0] in ("end", "and") and (not remaining or remaining[-1][0] in ("end", "and")):
            if remaining and token[0] == "end":
                remaining[-1] = token
            continue
        remaining.append(token)
    return remaining


def _token(kind: str, matched: str) -> _Token:
    if kind == "word":
        return _word(matched)
    if kind == "time":
        return kind, _minute(matched)
    if kind == "nth":
        return kind, -1 if matched.startswith("dern") else _NTH[matched[0]]
    return kind, 0


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
    nth: list[int] = field(default_factory=list)
    ranges: list[tuple[int, int]] = field(default_factory=list)
    """Minutes; the end is `_OPEN_END` when none is given."""
    weeks: str = ""
    booking: bool = False
    off: bool = False
    separated: bool = False
    """Whether a full stop or semicolon ends the rule."""

    @property
    def weekdays(self) -> list[int]:
        return [day for first, last in self.days for day in range(first, last + 1)]

    def may_meet(self, other: _HoursRule) -> bool:
        """Return whether both rules may apply to one day."""
        if self.weeks and other.weeks and self.weeks != other.weeks:
            return False
        if self.nth and other.nth and not set(self.nth) & set(other.nth):
            return False
        return bool(set(self.weekdays) & set(other.weekdays))


def _to_osm(tokens: list[_Token]) -> str:
    """Parse tokens as rules of days and times; return "" when they are not, or are ambiguous."""
    if [kind for kind, _ in tokens if kind not in ("end", "and")] in (
        ["always"],
        ["always", "every"],
        ["every", "always"],
    ):
        return "24/7"
    for_all = False
    rules: list[_HoursRule] = []
    place = 0
    while place < len(tokens):
        if tokens[place][0] == "booking" and _kinds(tokens, place + 1, 1) in ([], ["end"]):
            for_all, place = True, place + 2
            continue
        parsed = _one_rule(tokens, place)
        if not parsed:
            return ""
        rule, place = parsed
        rules.append(rule)
    if for_all and not rules:
        return BOOKING
    if not _unambiguous(rules):
        return ""
    for rule in rules:
        rule.booking |= for_all and not rule.off
    return "; ".join(map(_rule_text, rules))


def _unambiguous(rules: list[_HoursRule]) -> bool:
    """Return whether rules say the same whichever way they are read."""
    for rank, rule in enumerate(rules):
        if len(set(rule.weekdays)) < len(rule.weekdays):
            return False
        if rule.nth and any(first < last for first, last in rule.days):
            return False
        if not rule.off and any(rule.may_meet(other) for other in rules[:rank]):
            return False
        if any(start >= end for start, end in rule.ranges):
            return False
        if any(after[0] < before[1] for before, after in pairwise(rule.ranges)):
            return False
    opening = [rule for rule in rules if not rule.off]
    # In « lundi 9h-12h, mardi 9h-12h sur rendez-vous », the last words may concern both days.
    for name in ("booking", "weeks"):
        given = [bool(getattr(rule, name)) for rule in opening]
        if any(given) and not all(given) and not all(rule.separated for rule in opening[:-1]):
            return False
    return bool(opening)


def _one_rule(tokens: list[_Token], place: int) -> tuple[_HoursRule, int] | None:
    """Parse the rule that begins at a token; return it and the index of the next, or None."""
    rule = _HoursRule(off=_kinds(tokens, place, 2) in (["off", "day"], ["off", "every"]))
    place += rule.off
    place = _weeks(rule, tokens, place)
    place = _nth(rule, tokens, place)
    before = place
    place = _listed_days(rule, tokens, place)
    if place < before:
        return None
    place = _weeks(rule, tokens, place)
    while not rule.off and (read := _range(tokens, place)):
        rule.ranges.append(read[0])
        place = read[1]
        if _kinds(tokens, place, 2) in (["and", "time"], ["and", "from"]):
            place += 1
    if not (rule.off or rule.ranges) and _kinds(tokens, place, 1) == ["off"]:
        rule.off = True
        place += 1
    place = _weeks(rule, tokens, place)
    if _kinds(tokens, place, 1) == ["booking"] and rule.ranges:
        rule.booking = True
        place += 1
    if not rule.days or not (rule.ranges or rule.off):
        return None
    if place < len(tokens) and tokens[place][0] in ("end", "and"):
        rule.separated = tokens[place][0] == "end"
        place += 1
    return rule, place


def _listed_days(rule: _HoursRule, tokens: list[_Token], place: int) -> int:
    """Parse days and ranges of days; return the index after them, -1 when a range goes backwards."""
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
            return -1
        rule.days.append((first, last))
        if _kinds(tokens, place, 2) == ["and", "day"]:
            place += 1
    return place


def _weeks(rule: _HoursRule, tokens: list[_Token], place: int) -> int:
    if not rule.weeks and _kinds(tokens, place, 1) in (["even"], ["odd"]):
        rule.weeks = tokens[place][0]
        return place + 1
    return place


def _nth(rule: _HoursRule, tokens: list[_Token], place: int) -> int:
    while _kinds(tokens, place, 1) == ["nth"]:
        rule.nth.append(tokens[place][1])
        place += 1
        if _kinds(tokens, place, 2) == ["and", "nth"]:
            place += 1
    return place


def _range(tokens: list[_Token], place: int) -> tuple[tuple[int, int], int] | None:
    """Parse one range of times; return it and the index after it, or None."""
    if _kinds(tokens, place, 3) == ["time", "to", "time"]:
        return (tokens[place][1], tokens[place + 2][1]), place + 3
    if _kinds(tokens, place, 2) == ["from", "time"]:
        return (tokens[place + 1][1], _OPEN_END), place + 2
    return None


def _kinds(tokens: list[_Token], place: int, count: int) -> list[str]:
    return [kind for kind, _ in tokens[place : place + count]]


def _rule_text(rule: _HoursRule) -> str:
    nth = f"[{','.join(map(str, sorted(rule.nth)))}]" if rule.nth else ""
    days = ",".join(_CODES[a] + nth if a == b else f"{_CODES[a]}-{_CODES[b]}" for a, b in rule.days)
    times = "off"
    if not rule.off:
        times = ",".join(
            f"{_clock(start)}+" if end == _OPEN_END else f"{_clock(start)}-{_clock(end)}"
            for start, end in rule.ranges
        )
    return f"{_WEEKS[rule.weeks]}{days} {times}{f' {BOOKING}' if rule.booking else ''}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
