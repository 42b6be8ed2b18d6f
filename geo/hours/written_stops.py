"""Read the stops of an itinerant site written in French, in a comment beside its weekly hours.

Three ways of writing are read, each only as a whole; anything else gives no stop:

- places with their days: « Villefictive (lundi), Bourgfictif (mardi matin et jeudi) »;
- days with their places: « Lundi : Villefictive (semaines paires) / Bourgfictif (semaines impaires) »;
- places with days and times: « Mairie de Villefictive - lundi de 9h à 12h / mercredi de 14h à 17h ».

In the first two, the times are those of the day in the weekly hours. Stops that leave out a day of the
weekly hours are not all of them (« antenne : mairie de Villefictive, le lundi »), and are not read either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from geo.hours.remarks import sentences
from geo.hours.repair import repair_hours
from geo.sites.model import ItinerantStop
from geo.sites.text import fold

_CODES: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_NAMES: Final = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_CODE_OF: Final = dict(zip(_NAMES, _CODES, strict=True))
_NAME: Final = "|".join(_NAMES)
_WEEKS: Final = {"paires": "week 02-52/2 ", "impaires": "week 01-53/2 "}
_INTRODUCTION = re.compile(
    r"^(?:(?:structure|véhicule|bus|service|site)?\s*(?:itinérante?|itinérances?|multi-?sites)"
    r"[^:(]*?\bcommunes?\s+(?:de |d'|:)|permanences?\s*(?:itinérantes?)?\s*:)\s*",
    re.IGNORECASE,
)
_PLACE_AND_DAYS = re.compile(r"\s*([^,;()/]+?)\s*\(([^()]*)\)\s*(?:,|;|/|\bet\b|$)")
_DAY_AND_PLACES = re.compile(rf"(?:le )?({_NAME})s?\s*:\s*(.+)", re.IGNORECASE)
_PLACE_IN_WEEKS = re.compile(
    r"\s*([^/()]*?[^/()\s])\s*(?:\(\s*semaines?\s+(paires?|impaires?)\s*\))?\s*(?:/|(?<=\))|$)\s*",
    re.IGNORECASE,
)
_PLACE_AND_TIMES = re.compile(
    r"\s*(?:et\s+)?(.+?)\s*(?:[-–:(]|\ble\b|\bles\b|\s)\s*"
    rf"((?:(?:1er|\de|premier|dernier) )?(?:{_NAME})s?\b.*\d.*)",
    re.IGNORECASE | re.DOTALL,
)
_NEXT_PLACE = re.compile(rf"\s+et\s+(?=(?!(?:de|le|les|{_NAME})\b)[A-ZÀ-ÝŒ])")
_RULE = re.compile(r"((?:week \S+ )?[A-Z][\w,\[\]-]*) ([\d:,+-]+)")
_DAY_IN_LIST = re.compile(
    rf"(?:le |les )?({_NAME})s?(?: (?:le |en )?(matin|apres midi|journee|toute la journee))?"
)
_BOOKING = re.compile(r"\s*\bsur (?:rdv|rendez[- ]vous)\b\s*", re.IGNORECASE)
_PLACE_MAX = 80


def read_stops(text: str, weekly: Mapping[str, str]) -> tuple[ItinerantStop, ...]:
    """Read the stops of a comment.

    None when some part of it that names a day is not understood, or a day of the weekly hours has none.

    Parameters
    ----------
    weekly
        Hours of each day of the site: "Mo" → "09:00-12:00,14:00-17:00"; closed days are absent.
    """
    bare = _INTRODUCTION.sub("", text.strip())
    for reader in (_by_place, _by_day, _with_times):
        if found := reader(bare, weekly):
            named = {code for stop in found for code in _CODES if code in stop.day}
            return tuple(found) if weekly.keys() <= named else ()
    return ()


def _about_days(text: str) -> list[str]:
    return [each for each in sentences(text) if re.search(rf"\b(?:{_NAME})s?\b", fold(each))]


def _by_place(text: str, weekly: Mapping[str, str]) -> list[ItinerantStop]:
    found: list[ItinerantStop] = []
    for sentence in _about_days(text):
        place = 0
        while place < len(sentence):
            match = _PLACE_AND_DAYS.match(sentence, place)
            stops = list(_stops_of_days(match[1], fold(match[2]), weekly)) if match else []
            if not match or not stops:
                return []
            found += stops
            place = match.end()
    return found


def _stops_of_days(place: str, days: str, weekly: Mapping[str, str]) -> Iterator[ItinerantStop]:
    """Yield the stops of a list of days; nothing when the list is not understood.

    In « mercredi et vendredi matin », the morning is certain on both days.
    """
    parts = re.split(r"\s*(?:,|/|\bet\b)\s*", days)
    read = [_DAY_IN_LIST.fullmatch(part) for part in parts]
    if not _named(place) or not all(read):
        return
    stops: list[ItinerantStop] = []
    half = ""
    for match in reversed([each for each in read if each]):
        half = match[2] or half
        hours = _part_of_day(weekly.get(_CODE_OF[match[1]], ""), half)
        if not hours:
            return
        stops.insert(0, ItinerantStop(place, _CODE_OF[match[1]], hours))
    yield from stops


def _part_of_day(hours: str, part: str) -> str:
    """Return the ranges of a morning or an afternoon, parted at noon, or those of the whole day."""
    ranges = hours.split(",") if hours else []
    if part == "matin":
        ranges = [each for each in ranges if each[:5] < "12:00"]
    elif part == "apres midi":
        ranges = [each for each in ranges if each[:5] >= "12:00"]
    return ",".join(ranges)


def _by_day(text: str, weekly: Mapping[str, str]) -> list[ItinerantStop]:
    found: list[ItinerantStop] = []
    for sentence in _about_days(text):
        match = _DAY_AND_PLACES.fullmatch(sentence)
        hours = weekly.get(_CODE_OF[match[1].lower()], "") if match else ""
        if not match or not hours:
            return []
        day = _CODE_OF[match[1].lower()]
        place = 0
        while place < len(match[2]):
            each = _PLACE_IN_WEEKS.match(match[2], place)
            if not each or not _named(each[1]):
                return []
            weeks = _WEEKS["impaires" if fold(each[2]).startswith("im") else "paires"] if each[2] else ""
            found.append(ItinerantStop(_with_booking(each[1]), f"{weeks}{day}", hours))
            place = each.end()
    return found


def _with_times(text: str, weekly: Mapping[str, str]) -> list[ItinerantStop]:
    found: list[ItinerantStop] = []
    for sentence in _about_days(text):
        for piece in _NEXT_PLACE.split(sentence):
            match = _PLACE_AND_TIMES.fullmatch(piece)
            if not match or not _named(match[1]):
                return []
            rules = [_RULE.fullmatch(rule) for rule in repair_hours(match[2].rstrip(" )")).split("; ")]
            if not all(rules):
                return []
            found += [ItinerantStop(_with_booking(match[1]), rule[1], rule[2]) for rule in rules if rule]
    return found


def _with_booking(place: str) -> str:
    name, booked = _BOOKING.subn(" ", place)
    return f"{name.strip()} (sur rendez-vous)" if booked else place.strip()


def _named(place: str) -> bool:
    """Return whether a text can be a place: some letters, no day, and nothing a stop cannot hold."""
    folded = fold(place)
    return bool(
        re.search(r"\b(?!les?\b|des\b|aux?\b)[a-z]{2}", folded)
        and len(place) <= _PLACE_MAX
        and not re.search(rf"[@|]|\b(?:{_NAME})s?\b|\bsemaines?\b|\d ?(?:h|er|e)\b", folded)
    )
