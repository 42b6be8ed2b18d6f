"""Read dated closures written in French: « fermé en août », « fermeture du 1er au 15 août 2026 ».

Works on folded text (`geo.sites.text.fold`: no accents, no capitals, hyphens become spaces). Each
closure becomes date selectors of the opening_hours syntax ("Aug", "2026 Dec 24-2027 Jan 02", "PH").
A closure of part of a day (« fermé l'après-midi du 24 décembre ») is not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""Months in the opening_hours syntax."""

_MONTH_NAMES = (
    ("janvier", "janv"),
    ("fevrier", "fevr"),
    ("mars",),
    ("avril", "avr"),
    ("mai",),
    ("juin",),
    ("juillet", "juil"),
    ("aout",),
    ("septembre", "sept"),
    ("octobre", "oct"),
    ("novembre", "nov"),
    ("decembre", "dec"),
)
_MONTH_OF = {name: number for number, names in enumerate(_MONTH_NAMES, 1) for name in names}
_WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_NAME = "|".join(sorted(_MONTH_OF, key=len, reverse=True))

_CLOSED = re.compile(r"\b(?:ferme(?:e|s|es)?|fermetures?|conges?(?: annuels?)?)\b")
_CLAUSE = re.compile(r"(?:^|[.;,(/])\s*")
_THEN_CLOSED = re.compile(
    r"(?: inclus)?[\s:,=-]*"
    r"(?:(?:le|la|l'|les|notre|nous)\b(?:(?!\bouv|\bmatin|\bmidi|\bsoir|\bsauf)[^.;,:\d]){0,40}?)?"
    r"(?:\b(?:est|sont|sera|seront|sommes|serons) )?"
    r"(?:ferme(?:e|s|es)?|fermeture)\b(?! (?:a|de|du|le|les|en|entre|pendant|partiel)\b)"
)
_NOT = re.compile(r"\b(?:pas|sans|aucune?|jamais|non|plus)(?: de| d'| la| les)?\s*$")
_EXCEPT = re.compile(r"\b(?:sauf|hors|excepte)\b")
_FILLER = re.compile(
    r"[\s:,(]*(?:(?:annuel(?:le)?s?|exceptionnel(?:le)?s?|exceptionnellement|estivales?|d'ete|generale?|"
    r"totale?|de la structure|du site|du service|du lieu|de l'accueil|au public|"
    r"pour (?:cause de )?(?:conges|vacances|travaux|inventaire)(?: annuels?| d'ete)?|sera|seront|est|"
    r"egalement|aussi|tous|toutes|prevue?s?|pendant|durant|lors)\b[\s:,(]*)*"
)
_DATE = re.compile(
    rf"(?:(?P<weekday>{'|'.join(_WEEKDAYS)}) )?(?P<day>1 ?er|\d{{1,2}})"
    rf"(?: ?(?P<name>{_NAME})\b\.?|[/.](?P<number>\d{{1,2}})(?![\dh:]))?"
    r"(?:[ /.](?P<year>20\d\d|(?<=[/.])\d\d)\b)?"
    r"(?! ?(?:h\b|h\d|:\d))"
)
_SPAN = re.compile(r"(?:a partir )?(?:du|entre le|de) ")
_UNTIL = re.compile(r" (?:au|jusqu'au|et le|inclus au) ")
_IN_MONTH = re.compile(rf"(?:en|courant|de|(?:au|les?|tout le) mois d[e'])\s?({_NAME})\b\.?")
_MORE_MONTHS = re.compile(rf"(?P<sign> et | ?, ?| a | au | ?/ ?| )(?:en )?(?P<name>{_NAME})\b\.?(?! ?\d)")
_YEAR = re.compile(r" (20\d\d)\b")
_DAYS = re.compile(r"(?:les?|ce|journees? des?|la journee du) ")
_ANOTHER = re.compile(r"(?: ?, ?(?:et )?| et )(?:les? )?(?=\d)")
_ALWAYS = (
    (re.compile(r"(?:les |tous les |des )?jours? feries?\b"), "PH"),
    (re.compile(r"(?:les |toutes les |des |periodes? de )?vacances scolaires\b"), "SH"),
)
_JOIN = re.compile(
    r"\s*(?:(?:,|;|\bet\b|\bou\b|\bainsi que\b|\+|&)\s*)+(?:(?:pendant|durant|egalement|aussi)\b\s*)?"
)
_PART_OF_A_DAY = re.compile(
    r"[\s,(]*(?:(?:au )?(?:le |l'|les |en )?(?:matin|apres midi|soir|midi|debut|fin)|"
    r"(?:a|de|des|a partir de|jusqu'a) \d{1,2} ?(?:h|:)|"
    r"(?:le|les) (?:[a-z]{3,5}di|dimanche)|sauf|hors|excepte)"
)
_TRAILER = re.compile(r"[\s,]*\b(?:inclus(?:e?s)?|compris)\b")


@dataclass(frozen=True, slots=True)
class Closure:
    """A closure in a text: its selectors, and the span of the text that says it."""

    selectors: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Day:
    day: int
    month: int | None
    year: int | None
    weekday: str


def find_closures(text: str) -> Iterator[Closure]:
    """Yield the dated closures of a folded text, in order; those it cannot date are left out."""
    place = 0
    for closure in sorted(
        [*_closed_then_dates(text), *_dates_then_closed(text)], key=lambda each: each.start
    ):
        if closure.start >= place:
            place = closure.end
            yield closure


def _closed_then_dates(text: str) -> Iterator[Closure]:
    """« fermé du 1er au 15 août »."""
    place = 0
    while found := _next_trigger(text, place):
        read = _selectors(text, found.end(), only_recurring=found.re is _EXCEPT)
        if read and not _NOT.search(text[: found.start()]):
            selectors, place = read
            yield Closure(selectors, found.start(), place)
        else:
            place = found.end()


def _dates_then_closed(text: str) -> Iterator[Closure]:
    """« du 1er au 15 août : fermé », « en août, la médiathèque est fermée »."""
    for clause in _CLAUSE.finditer(text):
        read = _first((_recurring, _period, _months, _days), text, clause.end())
        closed = _THEN_CLOSED.match(text, read[1]) if read else None
        if read and closed and not _PART_OF_A_DAY.match(text, closed.end()):
            yield Closure(tuple(dict.fromkeys(read[0])), clause.end(), closed.end())


def _next_trigger(text: str, place: int) -> re.Match[str] | None:
    found = [each for each in (_CLOSED.search(text, place), _EXCEPT.search(text, place)) if each]
    return min(found, key=lambda each: each.start(), default=None)


def _selectors(text: str, place: int, *, only_recurring: bool) -> tuple[tuple[str, ...], int] | None:
    """Read dates from a place on; return their selectors and where they end."""
    found: list[str] = []
    filler = _FILLER.match(text, place)
    place = filler.end() if filler else place
    readers = (_recurring,) if only_recurring else (_recurring, _period, _months, _days)
    while read := _first(readers, text, place):
        selectors, end = read
        if trailer := _TRAILER.match(text, end):
            end = trailer.end()
        if _PART_OF_A_DAY.match(text, end):
            return None
        found += selectors
        place = end
        join = _JOIN.match(text, end)
        if not join or not _first(readers, text, join.end()):
            break
        place = join.end()
    return (tuple(dict.fromkeys(found)), place) if found else None


_Reader = Callable[[str, int], tuple[list[str], int] | None]


def _first(readers: tuple[_Reader, ...], text: str, place: int) -> tuple[list[str], int] | None:
    return next(filter(None, (read(text, place) for read in readers)), None)


def _recurring(text: str, place: int) -> tuple[list[str], int] | None:
    for pattern, selector in _ALWAYS:
        if found := pattern.match(text, place):
            return [selector], found.end()
    return None


def _period(text: str, place: int) -> tuple[list[str], int] | None:
    """« du 1er au 15 août », « du 24/12/2026 au 02/01/2027 »."""
    opening = _SPAN.match(text, place)
    first = _DATE.match(text, opening.end()) if opening else None
    until = _UNTIL.match(text, first.end()) if first else None
    last = _DATE.match(text, until.end()) if until else None
    if not (first and last):
        return None
    start, end = _day(first), _day(last)
    if not (start and end and end.month):
        return None
    month = start.month or end.month
    year = start.year
    if year is None and end.year is not None:
        year = end.year - (month > end.month)
    last_year = end.year
    if last_year is None and year is not None:
        last_year = year + (month > end.month)
    begins = _selector(_Day(start.day, month, year, start.weekday))
    ends = _selector(_Day(end.day, end.month, last_year, end.weekday))
    if not (begins and ends):
        return None
    if (year, month, start.day) > (last_year, end.month, end.day) and year is not None:
        return None
    within = (year, month) == (last_year, end.month)
    return [f"{begins}-{end.day:02}" if within else f"{begins}-{ends}"], last.end()


def _months(text: str, place: int) -> tuple[list[str], int] | None:
    """« en août », « en juillet et août », « de juillet à août 2026 »."""
    found = _IN_MONTH.match(text, place)
    if not found:
        return None
    selectors = [MONTHS[_MONTH_OF[found[1]] - 1]]
    end = found.end()
    while more := _MORE_MONTHS.match(text, end):
        name = MONTHS[_MONTH_OF[more["name"]] - 1]
        if more["sign"].strip() in ("a", "au"):
            selectors[-1] = f"{selectors[-1]}-{name}"
        else:
            selectors.append(name)
        end = more.end()
    if year := _YEAR.match(text, end):
        return [f"{year[1]} {each}" for each in selectors], year.end()
    return selectors, end


def _days(text: str, place: int) -> tuple[list[str], int] | None:
    """« le 24/12 », « les 24 et 31 décembre 2026 », « le vendredi 10 mai 2024 »."""
    opening = _DAYS.match(text, place)
    found = _DATE.match(text, opening.end() if opening else place)
    days: list[_Day] = []
    end = place
    while found:
        day = _day(found)
        if day is None:
            return None
        days.append(day)
        end = found.end()
        another = _ANOTHER.match(text, end)
        found = _DATE.match(text, another.end()) if another else None
    if not days or days[-1].month is None:
        return None
    selectors: list[str] = []
    month, year = days[-1].month, days[-1].year
    for day in reversed(days):
        month = day.month or month
        year = day.year or year
        selector = _selector(_Day(day.day, month, year, day.weekday))
        if not selector:
            return None
        selectors.insert(0, selector)
    return selectors, end


def _day(found: re.Match[str]) -> _Day | None:
    month = _MONTH_OF[found["name"]] if found["name"] else int(found["number"]) if found["number"] else None
    if month is not None and not 1 <= month <= 12:
        return None
    year = int(found["year"]) if found["year"] else None
    if year is not None and year < 100:
        year += 2000
    return _Day(int(found["day"].removesuffix("er")), month, year, found["weekday"] or "")


def _selector(day: _Day) -> str:
    """Return the selector of a day, "" when there is no such day.

    A weekday belongs to one year: without the year, or with another one, the date is in doubt.
    """
    if day.month is None:
        return ""
    try:
        dated = date(day.year or 2024, day.month, day.day)
    except ValueError:
        return ""
    if day.weekday and (day.year is None or _WEEKDAYS[dated.weekday()] != day.weekday):
        return ""
    year = f"{day.year} " if day.year else ""
    return f"{year}{MONTHS[day.month - 1]} {day.day:02}"
