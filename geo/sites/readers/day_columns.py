"""Join the columns of a table that has one column (or several) for each day into one `horaires` text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from geo.sites.text import fold

DAYS: Final = {
    "lundi": "Mo",
    "mardi": "Tu",
    "mercredi": "We",
    "jeudi": "Th",
    "vendredi": "Fr",
    "samedi": "Sa",
    "dimanche": "Su",
}
"""French name of a day → its name in the opening_hours syntax."""

_CELL_MAX: Final = 200
"""Longest cell of a day, in characters; the rest is left out of what is quoted."""

_CLOSED: Final = frozenset(
    {"", "–", "––", "/", "x", "0", "f", "non", "neant", "ferme", "fermee", "fermeture"}
)
_ALL_DAY: Final = frozenset({"24h/24", "24/24", "24h sur 24", "24h"})
_CLOCK: Final = r"(\d{1,2})( ?[h:.](?: ?([0-5]\d)(?::00)?(?!\d| ?[h:]))?)?"
_RANGE: Final = re.compile(rf"(?<!\d){_CLOCK} ?(–|>|/|a\b|au\b|jusqu'a\b)? ?{_CLOCK}(?!\d)")
_BARE_BETWEEN: Final = frozenset({"–", "a"})
"""What stands between two hours written without their sign: "9-12"."""
_NEUTRAL: Final = re.compile(
    r"[\s,;|/&+.–]|\b(?:et|puis|de|ouverte?|le matin|l'apres[ –]midi|journee(?: continue)?|non[ –]stop)\b"
)
_BOOKING: Final = re.compile(
    r"\(?(?:(?:uniquement|seulement) )?\b(?:sur|avec) (?:rendez[ –]?vous|rdv|r\.d\.v\.?)"
    r"(?: (?:uniquement|seulement))?\)?"
)
_DASHES: Final = str.maketrans(dict.fromkeys("-‐‑—−→", "–"))
"""One dash for all; `fold` would take a hyphen for a space."""


def join_days(cells: Mapping[str, Sequence[str]]) -> str:
    """Join the cells of the days of a week.

    Parameters
    ----------
    cells
        French name of a day → its cells in order: one, or several (morning and afternoon; opening and
        closing times, two by two).

    Returns
    -------
    Days with equal hours grouped, in the opening_hours syntax: "Mo-Tu,Th 09:00-12:00,14:00-17:00", with
    "sur rendez-vous" as a comment. Cells that cannot be parsed follow, with the name of their day: "…;
    mercredi : le matin". Blank cells are closed days; "" when no cell says when the place is open.
    """
    by_hours: dict[str, list[str]] = {}
    unread = []
    for name, day in DAYS.items():
        texts = [" ".join(cell.split())[:_CELL_MAX] for cell in cells.get(name, ())]
        stated = [text for text in texts if _plain(text).strip(" .") not in _CLOSED]
        if not stated:
            continue
        if hours := day_hours(" ".join(stated)):
            by_hours.setdefault(hours, []).append(day)
        else:
            unread.append(f"{name} : {', '.join(stated).replace(';', ',')}")
    return "; ".join([*(f"{_grouped(days)} {hours}" for hours, days in by_hours.items()), *unread])


def day_hours(text: str) -> str:
    """Parse the hours of one day: "9h-12h et 14h-17h" is "09:00-12:00,14:00-17:00"; "" when not clear."""
    plain = _plain(text)
    if plain in _ALL_DAY:
        return "00:00-24:00"
    without, bookings = _BOOKING.subn(" ", plain)
    comment = '"sur rendez-vous"' if bookings else ""
    found = list(_RANGE.finditer(without))
    if _NEUTRAL.sub("", _RANGE.sub("", without)) or not all(map(_is_clear, found)):
        return ""
    ranges = [(_clock(each[1], each[3]), _clock(each[5], each[7])) for each in found]
    clocks = [clock for pair in ranges for clock in pair]
    if any(clock > "24:00" for clock in clocks) or any(a >= b for a, b in pairwise(clocks)):
        return ""
    return " ".join(filter(None, [",".join(f"{start}-{end}" for start, end in ranges), comment]))


def _plain(text: str) -> str:
    """Return a cell without accents and case, with one kind of dash."""
    return fold(text.translate(_DASHES))


def _is_clear(found: re.Match[str]) -> bool:
    """Return whether two numbers are a range of hours: by their signs, or by what stands between them."""
    return bool(found[2] and found[6]) or found[4] in _BARE_BETWEEN


def _clock(hour: str, minute: str | None) -> str:
    return f"{int(hour):02}:{minute or '00'}"


def _grouped(days: Iterable[str]) -> str:
    """Return days of a week as ranges: "Mo-We,Fr"."""
    week = list(DAYS.values())
    runs: list[list[str]] = []
    for day in days:
        if runs and week.index(runs[-1][-1]) + 1 == week.index(day):
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
