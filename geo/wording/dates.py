"""Dates and times of day as text: « 1er mars 2026 », « mardi 3 mars », « 17 h 30 »."""

from __future__ import annotations

from datetime import date, datetime, time

from babel.dates import format_date, format_time

from geo.wording.language import FRENCH, SOURCE, Language


def long_date(day: date, _: Language = FRENCH) -> str:
    """Write a date in full: « 3 décembre 2026 », « 1er mars 2026 », "3 December 2026"."""
    return _first(format_date(day, "d MMMM y", locale=_.locale), day, _)


def short_date(day: date, _: Language = FRENCH) -> str:
    """Write a date in figures for narrow columns: « 03/12/2026 », "2026-12-03"."""
    return f"{day:%d/%m/%Y}" if _.code == SOURCE else f"{day:%Y-%m-%d}"


def weekday_date(day: date, _: Language = FRENCH, *, year: bool = True) -> str:
    """Write a date with the day of the week: « jeudi 3 décembre 2026 »."""
    name = weekday(day, _)
    rest = format_date(day, "d MMMM y" if year else "d MMMM", locale=_.locale)
    return f"{name} {_first(rest, day, _)}"


def weekday(day: date, _: Language = FRENCH) -> str:
    """Write the name of a day of the week: « jeudi »."""
    return format_date(day, "EEEE", locale=_.locale)


def month(number: int, _: Language = FRENCH) -> str:
    """Write the name of a month, 1 to 12: « mars »."""
    return format_date(date(2000, number, 1), "LLLL", locale=_.locale)


def time_of_day(moment: time | datetime, _: Language = FRENCH) -> str:
    """Write a time of day: « 17 h 30 », « 9 h », "5:30 pm"."""
    if _.code == SOURCE:
        return f"{moment.hour}\u00a0h" + (f"\u00a0{moment.minute:02}" if moment.minute else "")
    return format_time(moment, "h:mm a", locale=_.locale).replace(":00", "")


def time_range(start: time | datetime, end: time | datetime, _: Language = FRENCH) -> str:
    """Write a range of a day: « 9 h – 12 h 30 »."""
    return f"{time_of_day(start, _)} – {time_of_day(end, _)}"


def _first(text: str, day: date, _: Language) -> str:
    """Write the first day of a month as French does: « 1er »."""
    return f"1er{text[1:]}" if _.code == SOURCE and day.day == 1 else text
