"""Opening hours in the OpenStreetMap notation as French lines."""

from __future__ import annotations

import re
from datetime import time
from typing import Final

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
}
_RANKS: Final = {"1": "premier", "2": "deuxième", "3": "troisième", "4": "quatrième", "-1": "dernier"}
_DAY: Final = r"(?:Mo|Tu|We|Th|Fr|Sa|Su|PH)(?:\[-?\d\])?"
_TIME: Final = r"\d{1,2}:\d{2}"
_RULE: Final = re.compile(
    rf"(?P<days>{_DAY}(?:\s*[-,]\s*{_DAY})*)?\s*"
    rf"(?P<times>off|closed|24/7|{_TIME}\s*-\s*{_TIME}(?:\s*,\s*{_TIME}\s*-\s*{_TIME})*)"
)


def hours_lines(raw: str) -> tuple[str, ...]:
    """Write opening hours in the OpenStreetMap notation as French lines, one per rule.

    Notation that goes beyond days of the week and times of the day is returned as it stands.

    >>> hours_lines("Mo-Fr 09:00-12:00,13:30-17:00; PH off")
    ('du lundi au vendredi : 9\xa0h – 12\xa0h et 13\xa0h\xa030 – 17\xa0h', 'jours fériés : fermé')
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
    hour, minute = map(int, notation.split(":"))
    if hour > 23:  # the end of a day is 24:00, which `time` does not hold
        return f"{hour}\u00a0h" + (f"\u00a0{minute:02}" if minute else "")
    return time_of_day(time(hour, minute))
