"""Public holidays by name, school holidays by zone, and unknown days."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from geo.hours.calendar import (
    ANY_ZONE,
    Calendar,
    has_public_holiday,
    has_school_holiday,
    public_holiday,
    school_holidays_known_until,
)
from geo.settings import Settings
from tests.unit.geo.hours.test_weekly import holidays

A = Calendar("A")
DAY = timedelta(days=1)


@pytest.mark.parametrize("year", range(2024, 2036))
def test_public_holidays_are_those_of_the_code_du_travail_each_with_its_own_name(year):
    days = [date(year, 1, 1) + place * DAY for place in range(366 if year % 4 == 0 else 365)]
    named = {day: public_holiday(day) for day in days if public_holiday(day)}
    assert named.keys() == holidays(year)
    assert len(set(named.values())) == 11 or len(named) == 10  # Ascension may be on the 1st or 8th of May
    assert "Jour férié" not in named.values()
    assert [day for day in days if has_public_holiday(day, day + DAY)] == sorted(named)


def test_holidays_that_move_are_named():
    assert public_holiday(date(2026, 4, 6)) == "Lundi de Pâques"
    assert public_holiday(date(2026, 5, 14)) == "Ascension"
    assert public_holiday(date(2026, 5, 25)) == "Lundi de Pentecôte"
    assert public_holiday(date(2026, 11, 11)) == "Armistice de 1918"
    assert public_holiday(date(2026, 11, 12)) == ""


# The calendar the ministry has set for 2026-2027: first and last days without school, by zone.
SET = [
    ("ABC", date(2026, 10, 17), date(2026, 11, 1)),
    ("ABC", date(2026, 12, 19), date(2027, 1, 3)),
    ("A", date(2027, 2, 13), date(2027, 2, 28)),
    ("B", date(2027, 2, 20), date(2027, 3, 7)),
    ("C", date(2027, 2, 6), date(2027, 2, 21)),
    ("A", date(2027, 4, 10), date(2027, 4, 25)),
    ("B", date(2027, 4, 17), date(2027, 5, 2)),
    ("C", date(2027, 4, 3), date(2027, 4, 18)),
    ("ABC", date(2027, 7, 3), date(2027, 8, 31)),
]


@pytest.mark.parametrize(("zones", "first", "last"), SET)
@pytest.mark.parametrize("zone", ["A", "B", "C"])
def test_school_holidays_are_the_ministry_s(zone, zones, first, last):
    calendar = Calendar(zone)
    if zone in zones:
        days = [first + place * DAY for place in range((last - first).days + 1)]
        assert all(calendar.school_holiday(day) for day in days)
        assert calendar.school_holiday(first - DAY) is False
        assert calendar.school_holiday(last + DAY) is False
    else:
        assert not (calendar.school_holiday(first) and calendar.school_holiday(last))


def test_without_a_zone_a_day_is_known_where_the_three_agree():
    assert ANY_ZONE.school_holiday(date(2026, 10, 20)) is True
    assert ANY_ZONE.school_holiday(date(2026, 11, 23)) is False
    assert ANY_ZONE.school_holiday(date(2027, 2, 15)) is None


def test_past_the_last_holidays_set_nothing_is_known():
    last = school_holidays_known_until()
    assert last >= date(2028, 8, 31)
    assert A.school_holiday(last) is True
    assert A.school_holiday(last + DAY) is None
    assert A.school_holiday(date(last.year, 12, 31)) is None
    assert A.school_holiday(date(1980, 1, 1)) is None


@given(start=st.dates(date(2025, 1, 1), date(2029, 1, 1)), days=st.integers(1, 200))
def test_runs_cover_each_day_once_and_say_the_same_of_all_of_it(start, days):
    runs = list(A.school_runs(start, start + days * DAY))
    told = [(first + place * DAY, on) for first, last, on in runs for place in range((last - first).days)]
    assert told == [(start + place * DAY, A.school_holiday(start + place * DAY)) for place in range(days)]
    assert all(before[2] != after[2] for before, after in pairwise(runs))


def test_the_zone_is_a_setting(monkeypatch):
    assert Settings().school_zone == "A"
    monkeypatch.setenv("PORTEE_SCHOOL_ZONE", "C")
    assert Settings().school_zone == "C"
    monkeypatch.setenv("PORTEE_SCHOOL_ZONE", "D")
    with pytest.raises(ValidationError, match="school_zone"):
        Settings()


def test_the_last_known_day_is_known_and_the_next_is_not():
    last = school_holidays_known_until()
    assert A.school_holiday(last) is True
    assert A.school_holiday(last + DAY) is None
    assert list(A.school_runs(last, last + 2 * DAY)) == [
        (last, last + DAY, True),
        (last + DAY, last + 2 * DAY, None),
    ]


def test_the_end_of_a_period_is_not_in_it():
    first = date(2027, 2, 6)  # of zone C alone
    assert not has_school_holiday(first - 7 * DAY, first)
    assert has_school_holiday(first - 7 * DAY, first + DAY)
    armistice = date(2026, 11, 11)
    assert not has_public_holiday(armistice - 7 * DAY, armistice)
    assert has_public_holiday(armistice, armistice + DAY)
    assert not has_public_holiday(armistice + DAY, armistice + 7 * DAY)


def test_without_a_zone_a_day_is_known_where_the_zones_agree():
    assert ANY_ZONE.school_holiday(date(2027, 2, 5)) is False
    assert ANY_ZONE.school_holiday(date(2027, 2, 6)) is None  # zone C alone
    assert ANY_ZONE.school_holiday(date(2026, 10, 17)) is True
