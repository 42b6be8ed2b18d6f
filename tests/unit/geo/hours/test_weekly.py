"""Slots and typical weeks: against hours drawn day by day, the library's own clock, and a calendar."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opening_hours import OpeningHours
from vacances_scolaires_france import SchoolHolidayDates

from geo.errors import PorteeError
from geo.hours.calendar import Calendar
from geo.hours.parse import is_readable, read_expression
from geo.hours.weekly import (
    EVENING,
    Openness,
    Slot,
    parse_slot,
    reference_week,
    slot_status,
    weekly_hours,
    weekly_mask,
)
from geo.sites.model import ItinerantStop
from tests.support.shared import SHARED, needs_shared
from tests.support.world import site

WEEK = date(2026, 11, 23)
"""Week 48: an even one, without a holiday."""

CODES = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


def at(horaires, slot, *, now=None, week=WEEK, stops=()):
    return slot_status(site("a", 1, horaires=horaires, arrets=stops), parse_slot(slot, now=now), week)


def hours_of(horaires, *, week=WEEK, stops=()):
    return weekly_hours(site("a", 1, horaires=horaires, arrets=stops), week)


def clock(minute):
    return f"{minute // 60:02}:{minute % 60:02}"


@st.composite
def drawn_weeks(draw):
    """A week drawn minute by minute, and the string that says it: at most two ranges a day."""
    minutes = np.zeros((7, 1_440), dtype=bool)
    rules = []
    for day, code in enumerate(CODES):
        edges = sorted(draw(st.sets(st.integers(1, 1_439), max_size=5)))
        ranges = list(zip(edges[::2], edges[1::2], strict=False))
        for start, end in ranges:
            minutes[day, start:end] = True
        if ranges:
            rules.append(f"{code} " + ",".join(f"{clock(a)}-{clock(b)}" for a, b in ranges))
    return minutes, "; ".join(rules)


@pytest.mark.parametrize(
    ("horaires", "slot", "status"),
    [
        ("Tu 10:00-10:01", "mardi 10:00", Openness.OPEN),
        ("Tu 09:00-10:00", "mardi 10:00", Openness.CLOSED),  # closes as the slot begins
        ("Tu 10:01-12:00", "mardi 10:00", Openness.CLOSED),  # opens as the slot ends
        ("Tu 09:59-12:00", "mardi 10:00", Openness.OPEN),
        ("Fr 22:00-24:00", "samedi", Openness.CLOSED),
        ("Fr 22:00-24:01", "samedi", Openness.OPEN),
        ("Su 00:00-02:00", "samedi", Openness.CLOSED),
        ("Sa 23:59-24:00", "samedi", Openness.OPEN),
        ("Mo-Fr 09:00-18:00", "soir", Openness.CLOSED),
        ("Mo-Fr 09:00-18:01", "soir", Openness.OPEN),
        ("Sa-Su 18:00-22:00", "soir", Openness.CLOSED),
        ("Fr 23:59-24:00", "soir", Openness.OPEN),
        ("Tu 09:00-10:00 unknown", "mardi 10:00", Openness.CLOSED),
        ("Tu 09:00-10:01 unknown", "mardi 10:00", Openness.UNKNOWN),
    ],
)
def test_a_slot_begins_and_ends_to_the_minute(horaires, slot, status):
    assert at(horaires, slot) is status


@given(drawn=drawn_weeks(), day=st.integers(0, 6), minute=st.integers(0, 1_439))
def test_a_week_is_evaluated_as_it_was_drawn(drawn, day, minute):
    minutes, horaires = drawn
    where = site("a", 1, horaires=horaires)
    if not horaires:
        assert weekly_mask(where, WEEK) is None
        assert at(horaires, "soir") is Openness.UNKNOWN
        return
    mask = weekly_mask(where, WEEK)
    assert mask is not None
    assert mask.tolist() == minutes.reshape(672, 15)[:, 7].tolist()
    assert weekly_hours(where, WEEK) == minutes.sum() / 60

    def told(open_):
        return Openness.OPEN if open_ else Openness.CLOSED

    assert at(horaires, f"{CODES[day]} {clock(minute)}") is told(minutes[day, minute])
    assert at(horaires, CODES[day]) is told(minutes[day].any())
    assert at(horaires, "soir") is told(minutes[:5, 18 * 60 :].any())


@needs_shared
def test_real_hours_are_open_when_the_library_says_so():
    with (SHARED / "data/opening_hours/horaires-osm-47-et-voisins.csv").open(encoding="utf-8") as stream:
        strings = [line["horaires"] for line in csv.DictReader(stream)]
    middles = [datetime.combine(WEEK, time()) + timedelta(minutes=15 * q, seconds=450) for q in range(672)]
    unknown = 0
    for horaires in strings:
        mask = weekly_mask(site("a", 1, horaires=horaires), WEEK)
        if mask is None:
            assert not is_readable(horaires)
            unknown += 1
        else:
            library = OpeningHours(read_expression(horaires), country="FR", max_interval_days=366)
            assert mask.tolist() == [library.is_open(m) for m in middles]
            assert mask.any()
    assert unknown == 1


@pytest.mark.parametrize("horaires", ["", "Mo 08:30", "le lundi matin", "Mo 14:00-14:00"])
def test_hours_that_cannot_be_read_are_unknown(horaires):
    assert at(horaires, "mardi 10:00") is Openness.UNKNOWN
    assert hours_of(horaires) is None
    assert weekly_mask(site("a", 1, horaires=horaires), WEEK) is None


def test_a_site_that_is_never_open_that_week_is_closed_and_not_unknown():
    assert at("Jan 09:00-12:00", "mardi 10:00") is Openness.CLOSED
    assert hours_of("Jan 09:00-12:00") == 0


@pytest.mark.parametrize(
    ("horaires", "hours"),
    [
        ("week 2-52/2 Tu 09:00-12:00", 3),
        ("week 1-53/2 Tu 09:00-12:00", 0),
        ("Th[4] 14:00-16:00", 2),
        ("Th[1] 14:00-16:00", 0),
        ("2026 Nov 25 09:00-12:30", 3.5),
        ("Su 22:00-02:00", 4),
        ("24/7", 168),
        ("Mo-Fr 09:00-12:00; PH off", 15),
        ("Mo 08:40-08:50", 1 / 6),
    ],
)
def test_dated_rules_fall_as_the_calendar_has_them(horaires, hours):
    assert hours_of(horaires) == hours


def test_an_open_end_lasts_until_midnight():
    assert hours_of("Mo 10:00+") == 14


def test_hours_written_by_hand_are_evaluated_as_they_are_read():
    assert hours_of("Lundi 9h-12h") == 3
    assert at("Lundi 9h-12h", "lundi 10:00") is Openness.OPEN


def test_a_slip_in_the_afternoon_leaves_the_morning():
    slip = "Mo 09:00-12:00,14:00-14:00"
    assert hours_of(slip) == 3
    assert [at(slip, f"lundi {hour}:00") for hour in (10, 13, 15)] == [
        Openness.OPEN,
        Openness.CLOSED,
        Openness.UNKNOWN,
    ]


HOLIDAYS_OF_A = date(2027, 2, 15)
"""A week of holidays in zone A only, where B has its lessons and C is on holiday."""


def test_school_holidays_are_those_of_the_zone():
    where = site("a", 1, horaires="Mo-Fr 08:00-12:00; SH off")
    assert weekly_hours(where, WEEK) == weekly_hours(where, WEEK, Calendar("A")) == 20
    assert weekly_hours(where, HOLIDAYS_OF_A, Calendar("A")) == 0
    assert weekly_hours(where, HOLIDAYS_OF_A, Calendar("B")) == 20
    tuesday = parse_slot("mardi 10:00")
    assert slot_status(where, tuesday, HOLIDAYS_OF_A, Calendar("A")) is Openness.CLOSED
    assert slot_status(where, tuesday, HOLIDAYS_OF_A, Calendar("B")) is Openness.OPEN


def test_without_a_zone_what_depends_on_it_is_unknown():
    where = site("a", 1, horaires="Mo-Fr 08:00-12:00; SH off")
    assert slot_status(where, parse_slot("mardi 10:00"), HOLIDAYS_OF_A) is Openness.UNKNOWN
    assert slot_status(where, parse_slot("mardi 15:00"), HOLIDAYS_OF_A) is Openness.CLOSED
    assert weekly_hours(where, HOLIDAYS_OF_A) is None
    assert weekly_hours(where, date(2027, 8, 2)) == 0


def test_a_fallback_holds_where_the_hours_say_nothing():
    fallback = 'Mo-Fr 09:00-12:00 || "sur rendez-vous"'
    assert hours_of(fallback) == 15
    assert at(fallback, "jeudi 10:00") is Openness.OPEN
    assert at(fallback, "jeudi 15:00") is Openness.UNKNOWN
    assert hours_of("Mo-Tu 09:00-12:00 || Tu-We 11:00-13:00") == 3 + 3 + 1 + 2


def test_a_public_holiday_is_one():
    week = date(2026, 5, 11)
    assert hours_of("Mo-Fr 09:00-12:00; PH off", week=week) == 12
    assert at("Mo-Fr 09:00-12:00; PH off", "jeudi 10:00", week=week) is Openness.CLOSED


def test_an_appointment_during_hours_is_open_and_without_hours_is_unknown():
    assert at('Mo-Fr 09:00-12:00 "sur rendez-vous"', "mardi 10:00") is Openness.OPEN
    for vague in ('"sur rendez-vous"', 'Tu "sur rendez-vous"', 'Mo-Fr 09:00-12:00 unknown "appeler"'):
        assert at(vague, "mardi 10:00") is Openness.UNKNOWN
        assert hours_of(vague) is None
    assert at('Tu "sur rendez-vous"', "mercredi 10:00") is Openness.CLOSED


def test_of_hours_known_in_part_the_known_ones_count():
    mixed = 'Mo 09:00-12:00; Tu 09:00-12:00 unknown "appeler"'
    assert hours_of(mixed) == 3
    assert [at(mixed, s) for s in ("lundi", "mardi", "jeudi")] == [
        Openness.OPEN,
        Openness.UNKNOWN,
        Openness.CLOSED,
    ]


STOPS = (
    ItinerantStop("Halle", "Tu", "09:00-12:00"),
    ItinerantStop("Salle des fêtes", "2026-11-26", "14:00-16:00"),
    ItinerantStop("Mairie", "Th[1]", "09:00-12:00"),
)


def test_an_itinerant_site_is_open_at_its_stops():
    assert hours_of("", stops=STOPS) == 5
    assert at("", "jeudi 15:00", stops=STOPS) is Openness.OPEN
    assert at("", "jeudi 10:00", stops=STOPS) is Openness.CLOSED
    assert hours_of("", week=date(2026, 11, 30), stops=STOPS) == 6


def test_stops_add_to_hours_and_the_same_minute_counts_once():
    assert hours_of("Tu 11:00-13:00", stops=STOPS) == 6
    assert hours_of("le lundi matin", stops=STOPS) == 5
    assert at("le lundi matin", "lundi 10:00", stops=STOPS) is Openness.UNKNOWN


def test_a_quarter_hour_counts_when_open_at_its_middle():
    mask = weekly_mask(site("a", 1, horaires="Mo 08:40-12:10"), WEEK)
    assert mask is not None
    assert np.flatnonzero(mask).tolist() == list(range(8 * 4 + 3, 12 * 4 + 1))


def test_now_is_the_wall_clock_of_the_place():
    horaires = "We 09:00-12:00"
    assert at(horaires, "maintenant", now=datetime(2026, 11, 25, 8, 30, tzinfo=UTC)) is Openness.OPEN
    assert at(horaires, "maintenant", now=datetime(2026, 11, 25, 11, 30, tzinfo=UTC)) is Openness.CLOSED
    assert at(horaires, "maintenant", now=datetime(2026, 7, 22, 7, 30, tzinfo=UTC)) is Openness.OPEN
    naive = datetime(2026, 11, 25, 11, 59, 59)  # noqa: DTZ001
    assert at(horaires, "maintenant", now=naive) is Openness.OPEN


def test_now_goes_by_its_own_week():
    bastille = datetime(2026, 7, 14, 10, tzinfo=UTC)
    assert at("Tu 09:00-17:00; PH off", "maintenant", now=bastille) is Openness.CLOSED
    assert at("Tu 09:00-17:00; PH off", "maintenant", now=bastille + timedelta(7)) is Openness.OPEN


def test_now_cannot_be_read_without_a_moment():
    with pytest.raises(ValueError, match="now"):
        parse_slot("maintenant")


@pytest.mark.parametrize(
    ("text", "canonical", "label"),
    [
        ("mardi 18:30", "mardi 18:30", "ouvert le mardi à 18 h 30"),
        ("Mardi  18h30", "mardi 18:30", "ouvert le mardi à 18 h 30"),
        ("mardi à 9 h", "mardi 09:00", "ouvert le mardi à 9 h"),
        ("tu 18:30", "mardi 18:30", "ouvert le mardi à 18 h 30"),
        (" SAMEDI ", "samedi", "ouvert le samedi"),
        ("su", "dimanche", "ouvert le dimanche"),
        ("soir", "soir", "ouvert le soir en semaine (à 18 h ou après)"),
    ],
)
def test_slots_are_read_as_people_write_them(text, canonical, label):
    slot = parse_slot(text)
    assert (slot.text, slot.label) == (canonical, label)
    assert parse_slot(slot.text) == slot
    assert len({slot, parse_slot(canonical)}) == 1


def test_now_is_named():
    slot = parse_slot("maintenant", now=datetime(2026, 11, 25, 9, 0, 31, tzinfo=UTC))
    assert slot == Slot("maintenant", "ouvert maintenant", ((2 * 1_440 + 600, 2 * 1_440 + 601),), WEEK)


@pytest.mark.parametrize(
    "text", ["", "demain", "mardi 24:00", "mardi 18:60", "mardi 18", "18:30", "soir 18:30", "mardi" * 99]
)
def test_a_slot_that_makes_no_sense_is_refused_with_examples(text):
    with pytest.raises(PorteeError, match="créneau") as refusal:
        parse_slot(text)
    assert "mardi 18:30" in refusal.value.advice
    assert len(refusal.value.message) < 100


def test_evening_is_from_six_on_working_days():
    assert at("Mo 14:00-18:00", "soir") is Openness.CLOSED
    assert at("Mo 14:00-18:15", "soir") is Openness.OPEN
    assert at("Sa 14:00-20:00", "soir") is Openness.CLOSED
    assert parse_slot("soir") == EVENING


def easter(year):
    """Meeus, Astronomical Algorithms: the Gregorian Easter Sunday."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def holidays(year):
    """Public holidays: Code du travail, art. L3133-1."""
    fixed = [(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)]
    moving = [easter(year) + timedelta(days) for days in (1, 39, 50)]
    return {*(date(year, m, d) for m, d in fixed), *moving}


SCHOOL = SchoolHolidayDates()


@given(day=st.dates(date(2024, 1, 1), date(2035, 12, 1)))
def test_a_typical_week_is_the_first_whole_one_without_a_holiday(day):
    off = holidays(day.year) | holidays(day.year + 1) | SCHOOL.data.keys()
    mondays = (day + timedelta(days) for days in range(120) if (day + timedelta(days)).weekday() == 0)
    free = (m for m in mondays if not off & {m + timedelta(days) for days in range(7)})
    assert reference_week(day) == next(free)
