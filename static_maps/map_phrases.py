"""What a map says of a site or a distance, in French a resident reads at once."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

import phonenumbers

from geo.coverage.equity import OUT_OF_REACH

_DAYS: Final = {
    "Mo": "lundi",
    "Tu": "mardi",
    "We": "mercredi",
    "Th": "jeudi",
    "Fr": "vendredi",
    "Sa": "samedi",
    "Su": "dimanche",
    "PH": "jours fériés",
}
_RANKS: Final = {"1": "premier", "2": "deuxième", "3": "troisième", "4": "quatrième", "-1": "dernier"}
_DAY: Final = r"(?:Mo|Tu|We|Th|Fr|Sa|Su|PH)(?:\[-?\d\])?"
_TIME: Final = r"\d{1,2}:\d{2}"
_RULE: Final = re.compile(
    rf"(?P<days>{_DAY}(?:\s*[-,]\s*{_DAY})*)?\s*"
    rf"(?P<times>off|closed|24/7|{_TIME}\s*-\s*{_TIME}(?:\s*,\s*{_TIME}\s*-\s*{_TIME})*)"
)


def hours(raw: str) -> tuple[str, ...]:
    """Opening hours written in the OpenStreetMap notation, as French lines, one per rule.

    Notation that goes beyond days of the week and times of the day is returned as it stands.

    >>> hours("Mo-Fr 09:00-12:00,13:30-17:00; PH off")
    ('du lundi au vendredi : 9 h – 12 h et 13 h 30 – 17 h', 'jours fériés : fermé')
    """
    lines = []
    for rule in filter(None, (part.strip() for part in raw.split(";"))):
        if not (read := _RULE.fullmatch(rule)):
            return (raw.strip(),)
        days = _days(read["days"]) if read["days"] else ""
        times = _times(read["times"])
        lines.append(f"{days} : {times}" if days else times)
    return tuple(lines)


def _days(notation: str) -> str:
    parts = []
    for part in re.split(r"\s*,\s*", notation):
        first, dash, last = (part, "", "") if "[" in part else map(str.strip, part.partition("-"))
        parts.append(f"du {_DAYS[first]} au {_DAYS[last]}" if dash else _day(first))
    return ", ".join(parts)


def _day(notation: str) -> str:
    name, _, rank = notation.rstrip("]").partition("[")
    return f"{_RANKS.get(rank, rank + 'e')} {_DAYS[name]} du mois" if rank else _DAYS[name]


def _times(notation: str) -> str:
    if notation in ("off", "closed"):
        return "fermé"
    if notation == "24/7":
        return "jour et nuit, tous les jours"
    ranges = [re.split(r"\s*-\s*", r) for r in re.split(r"\s*,\s*", notation)]
    return " et ".join(f"{_time(a)} – {_time(b)}" for a, b in ranges)


def _time(notation: str) -> str:
    hour, minute = notation.split(":")
    return f"{int(hour)} h" if minute == "00" else f"{int(hour)} h {minute}"


def phone(number: str) -> str:
    """A phone number as it is written in its country: 05 53 00 00 00; as given if it is not one."""
    try:
        return phonenumbers.format_number(
            phonenumbers.parse(number, "FR"), phonenumbers.PhoneNumberFormat.NATIONAL
        )
    except phonenumbers.NumberParseException:
        return number


def dialled(number: str) -> str:
    """What a `tel:` link dials: digits with an optional leading +; "" when there are none."""
    digits = re.sub(r"[^\d]", "", number)
    return ("+" if number.strip().startswith("+") else "") + digits if digits else ""


def integer(count: float) -> str:
    """A whole number with narrow no-break spaces between thousands: 333 602."""
    return f"{count:,.0f}".replace(",", "\u202f")


def minutes(count: float | None) -> str:
    """A travel time in whole minutes: « 16 min », « moins d'une minute », « hors d'atteinte » for None."""
    if count is None:
        return OUT_OF_REACH
    return f"{count:.0f}\u00a0min" if round(count) else "moins d'une minute"


def percent(share: float | None) -> str:
    """A share in whole percents: « 42 % »; a dash for None."""
    return "—" if share is None else f"{share * 100:.0f}\u00a0%"


_MONTHS: Final = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)


def day(when: date) -> str:
    """A date in full: 1er mars 2026."""
    return f"{'1er' if when.day == 1 else when.day} {_MONTHS[when.month - 1]} {when.year}"
