"""Opening hours in the OpenStreetMap notation as French lines."""

from __future__ import annotations

import re
from datetime import time
from typing import Final

from geo.wording.dates import month as month_name
from geo.wording.dates import time_of_day

_DAYS: Final = {
    "Mo": "lundi",
    "Tu": "mardi",
    "We": "mercredi",
    "Th": "jeudi",
    "Fr": "vendredi",
    "Sa": "samedi",
    "Su": "dimanche",
    "PH": "jours fériés",
    "SH": "vacances scolaires",
}
_RANKS: Final = {"1": "premier", "2": "deuxième", "3": "troisième", "4": "quatrième", "-1": "dernier"}
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH: Final = f"(?:{'|'.join(_MONTHS)})"
_DAY: Final = r"(?:Mo|Tu|We|Th|Fr|Sa|Su|PH|SH)(?:\[-?\d(?:,-?\d)*\])?"
_TIME: Final = r"\d{1,2}:\d{2}"
_RANGE: Final = rf"{_TIME}(?:\s*-\s*{_TIME}\+?|\+)"
_DATE: Final = rf"(?:(?:19|20)\d\d )?{_MONTH}(?: \d{{1,2}}(?!\d*:))?"
_DATES: Final = rf"{_DATE}(?:\s*-\s*(?:{_DATE}|\d{{1,2}}(?!\d*:)))?"
_RULE: Final = re.compile(
    rf"(?:week (?P<week>\d{{1,2}}(?:-\d{{1,2}}(?:/\d)?)?)\s*)?"
    rf"(?P<dates>{_DATES}(?:\s*,\s*{_DATES})*)?\s*:?\s*"
    rf"(?P<days>{_DAY}(?:\s*[-,]\s*{_DAY})*)?\s*"
    rf"(?P<times>24/7|{_RANGE}(?:\s*,\s*{_RANGE})*)?\s*"
    r"(?P<state>off|closed|unknown|open)?\s*"
    r'(?:"(?P<comment>[^"]*)")?'
)
_ONE_DATE: Final = re.compile(rf"(?:(?P<year>\d{{4}}) )?(?P<month>{_MONTH})?(?: ?(?P<day>\d{{1,2}}))?")
# A comma adds a rule when it follows times or a comment, and days or dates follow it.
_BETWEEN: Final = re.compile(
    rf'\s*(?:;|(?P<otherwise>\|\|)|(?<=[\d+"]),\s+(?=(?:week |{_MONTH}|{_DAY})))\s*'
    r'(?=(?:[^"]*"[^"]*")*[^"]*$)'
)
_BOOKING: Final = re.compile(r"(?:uniquement )?sur (?:rendez[- ]vous|rdv)", re.IGNORECASE)


def hours_lines(raw: str) -> tuple[str, ...]:
    """Write opening hours in the OpenStreetMap notation as French lines, one per rule.

    A text that is not in the notation, or uses more of it than days, dates, weeks and times, is
    returned as it stands.

    >>> hours_lines("Mo-Fr 09:00-12:00,13:30-17:00; PH off")
    ('du lundi au vendredi : 9\xa0h – 12\xa0h et 13\xa0h\xa030 – 17\xa0h', 'jours fériés : fermé')
    >>> hours_lines("week 02-52/2 Mo 14:00+; Aug 01-15 off")
    ('lundi (semaines paires) : à partir de 14\xa0h', 'du 1er au 15 août : fermé')
    """
    lines = []
    since, otherwise = 0, False
    cuts = [*_BETWEEN.finditer(raw), None]
    for cut in cuts:
        rule = raw[since : cut.start() if cut else len(raw)].strip()
        if rule:
            line = _line(rule)
            if not line:
                return (raw.strip(),)
            lines.append(f"sinon, {line}" if otherwise else line)
        if cut:
            since, otherwise = cut.end(), bool(cut["otherwise"])
    return tuple(lines)


def closure_text(closure: str) -> str:
    """Write a closure, a date selector with an optional reason in double quotes.

    A selector of another notation is returned as it stands.

    >>> closure_text('2026 Dec 24-2027 Jan 02 "congés"')
    'fermé du 24 décembre 2026 au 2 janvier 2027 (congés)'
    """
    selector, _, reason = closure.strip().partition('"')
    selector = selector.strip()
    if selector in _CLOSED_ON:
        text = _CLOSED_ON[selector]
    else:
        read = _RULE.fullmatch(f"{selector} off")
        when = _when(read) if read else ""
        if not when:
            return closure
        single = re.match(r"(?:\d|1er|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)", when)
        text = f"fermé {'le ' if single else ''}{when}"
    reason = reason.strip('" ')
    return f"{text} ({reason})" if reason else text


_CLOSED_ON: Final = {
    "PH": "fermé les jours fériés",
    "SH": "fermé pendant les vacances scolaires",
}


def _line(rule: str) -> str:
    """Write one rule; "" when it uses more of the notation than this module knows."""
    read = _RULE.fullmatch(rule)
    if not read:
        return ""
    said = _times(read["times"] or "", read["state"] or "")
    comment = (read["comment"] or "").strip()
    if comment and _BOOKING.fullmatch(comment):
        said = f"{said}, sur rendez-vous" if said else "sur rendez-vous"
    elif comment:
        said = f"{said} ({comment})" if said else f"« {comment} »"
    when = _when(read)
    if not said:
        return ""
    return f"{when} : {said}" if when else said


def _when(read: re.Match[str]) -> str:
    """Write when a rule applies: « en août, du lundi au vendredi (semaines paires) »."""
    dates = _dates(read["dates"]) if read["dates"] else ""
    days = _days(read["days"]) if read["days"] else ""
    weeks = _weeks(read["week"]) if read["week"] else ""
    when = ", ".join(filter(None, (dates, days)))
    return f"{when} ({weeks})" if when and weeks else when or weeks


def _weeks(notation: str) -> str:
    span, _, step = notation.partition("/")
    first, _, last = span.partition("-")
    if step == "2" and int(last) >= 52 and int(first) in (1, 2):
        return "semaines impaires" if int(first) == 1 else "semaines paires"
    said = f"semaines {int(first)} à {int(last)}" if last else f"semaine {int(first)}"
    return f"{said}, une sur {step}" if step else said


def _dates(notation: str) -> str:
    parts = [_period(part) for part in re.split(r"\s*,\s*", notation)]
    return ", ".join(parts[:-1]) + (" et " if len(parts) > 1 else "") + parts[-1]


def _period(notation: str) -> str:
    first, _, last = (part.strip() for part in notation.partition("-"))
    start, end = _ONE_DATE.fullmatch(first), _ONE_DATE.fullmatch(last)
    assert start is not None  # noqa: S101 (the rule matched)
    if not last or end is None:
        return _date(start) if start["day"] else f"en {_date(start)}"
    if not end["month"] and start["day"]:
        year = f" {start['year']}" if start["year"] else ""
        day = _day_of_month(start["day"])
        return f"du {day} au {_day_of_month(end['day'])} {_month(start['month'])}{year}"
    if start["day"]:
        return f"du {_date(start)} au {_date(end)}"
    return f"de {_date(start)} à {_date(end)}".replace("de a", "d'a").replace("de o", "d'o")


def _date(read: re.Match[str]) -> str:
    day = f"{_day_of_month(read['day'])} " if read["day"] else ""
    return f"{day}{_month(read['month'])}" + (f" {read['year']}" if read["year"] else "")


def _day_of_month(text: str) -> str:
    return "1er" if int(text) == 1 else str(int(text))


def _month(code: str) -> str:
    return month_name(_MONTHS.index(code) + 1)


def _days(notation: str) -> str:
    parts = []
    for part in re.split(r"\s*,\s*(?![^\[]*\])", notation):
        first, dash, last = (part, "", "") if "[" in part else map(str.strip, part.partition("-"))
        parts.append(f"du {_DAYS[first]} au {_DAYS[last]}" if dash else _day(first))
    return ", ".join(parts)


def _day(notation: str) -> str:
    name, _, ranks = notation.rstrip("]").partition("[")
    if not ranks:
        return _DAYS[name]
    said = " et ".join(_RANKS.get(rank, f"{rank}e") for rank in ranks.split(","))
    return f"{said} {_DAYS[name]} du mois"


def _times(times: str, state: str) -> str:
    if state in ("off", "closed"):
        return "fermé"
    said = ""
    if times == "24/7":
        said = "jour et nuit, tous les jours"
    elif times:
        said = " et ".join(map(_range, re.split(r"\s*,\s*", times)))
    if state == "unknown":
        return f"{said}, à confirmer" if said else "horaires inconnus"
    return said


def _range(notation: str) -> str:
    first, _, last = (part.strip() for part in notation.partition("-"))
    if not last:
        return f"à partir de {_time(first.rstrip('+'))}"
    end = _time(last.rstrip("+"))
    return f"{_time(first)} – {end} ou plus tard" if last.endswith("+") else f"{_time(first)} – {end}"


def _time(notation: str) -> str:
    hour, minute = map(int, notation.split(":"))
    if hour > 23:  # the end of a day is 24:00, which `time` does not hold
        return f"{hour}\u00a0h" + (f"\u00a0{minute:02}" if minute else "")
    return time_of_day(time(hour, minute))
