"""Status of a site at a moment, checked against hours drawn by the minute and known days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.hours.calendar import Calendar
from geo.hours.open_status import (
    HORIZON,
    ExceptionalPeriod,
    OpenState,
    OpenStatus,
    Range,
    closures,
    next_visits,
    open_status_at,
    week_hours,
)
from geo.hours.weekly import Openness, parse_slot, slot_status
from geo.sites.model import ItinerantStop
from tests.support.world import site
from tests.unit.geo.hours.test_weekly import drawn_weeks

A = Calendar("A")
DAY = timedelta(days=1)
WEEKDAYS = "Mo-Fr 09:00-12:00,14:00-17:00"


def moment(text):
    return datetime.fromisoformat(text)


def at(horaires, when, **changes):
    return open_status_at(site("a", 1, horaires=horaires, **changes), moment(when), A)


def state_of(horaires, when, **changes):
    return at(horaires, when, **changes).state


@settings(deadline=None)
@given(drawn=drawn_weeks(), start=st.datetimes(datetime(2026, 1, 5), datetime(2027, 12, 20)))  # noqa: DTZ001
def test_the_status_at_a_moment_matches_the_drawn_minutes(drawn, start):
    minutes, horaires = drawn
    if not horaires:
        return
    found = open_status_at(site("a", 1, horaires=horaires), start, A)
    now = start.replace(second=0, microsecond=0)

    def open_at(when):
        return bool(minutes[when.weekday(), when.hour * 60 + when.minute])

    steps = (now + timedelta(minutes=step) for step in range(1, 8 * 1_440))
    change = next((when for when in steps if open_at(when) != open_at(now)), None)
    assert found.state is (OpenState.OPEN if open_at(now) else OpenState.CLOSED)
    assert (found.until, found.opens) == ((change, None) if open_at(now) else (None, change))


def test_open_until_and_when_it_opens_again():
    assert at(WEEKDAYS, "2026-11-24T10:00") == OpenStatus(OpenState.OPEN, until=moment("2026-11-24T12:00"))
    assert at(WEEKDAYS, "2026-11-24T12:00") == OpenStatus(OpenState.CLOSED, opens=moment("2026-11-24T14:00"))
    assert at(WEEKDAYS, "2026-11-27T17:00") == OpenStatus(OpenState.CLOSED, opens=moment("2026-11-30T09:00"))


def test_a_moment_with_a_time_zone_is_brought_to_the_place():
    where = site("a", 1, horaires=WEEKDAYS)
    for utc, local in (("2026-11-24T08:30", "2026-11-24T09:30"), ("2026-07-21T07:30", "2026-07-21T09:30")):
        aware = moment(utc).replace(tzinfo=UTC)
        assert open_status_at(where, aware, A) == open_status_at(where, moment(local), A)
        assert open_status_at(where, aware, A).state is OpenState.OPEN


@pytest.mark.parametrize(
    ("utc", "until"),
    [
        ("2026-03-29T00:30", "2026-03-29T04:00"),  # the hour that is missing
        ("2026-03-29T01:30", "2026-03-29T04:00"),
        ("2026-10-25T00:30", "2026-10-25T04:00"),  # the hour that comes twice
        ("2026-10-25T01:30", "2026-10-25T04:00"),
    ],
)
def test_clocks_that_change_do_not_move_closing_time(utc, until):
    found = open_status_at(site("a", 1, horaires="Su 00:00-04:00"), moment(utc).replace(tzinfo=UTC), A)
    assert (found.state, found.until) == (OpenState.OPEN, moment(until))


def test_hours_past_midnight_belong_to_both_days():
    late = "Fr 22:00-02:00"
    assert at(late, "2026-11-27T23:00").until == moment("2026-11-28T02:00")
    assert at(late, "2026-11-28T01:59").until == moment("2026-11-28T02:00")
    assert at(late, "2026-11-28T02:00").opens == moment("2026-12-04T22:00")
    days = week_hours(site("a", 1, horaires=late), date(2026, 11, 28), A)
    assert [day.ranges for day in days if day.ranges] == [(Range(time(22), time(2)),)]
    assert days[6].ranges  # Friday's, and not the end of it on the Saturday before


def test_there_is_no_closing_time_when_none_is_given_or_it_never_closes():
    assert at("24/7", "2026-11-24T10:00") == OpenStatus(OpenState.OPEN)
    assert at("Mo-Su 00:00-24:00", "2026-11-24T10:00") == OpenStatus(OpenState.OPEN)
    assert at("Tu 10:00+", "2026-11-24T11:00") == OpenStatus(OpenState.OPEN)
    assert at("Tu 10:00-24:00", "2026-11-24T11:00").until == moment("2026-11-25T00:00")


def test_the_next_opening_is_looked_for_no_further_than_the_horizon():
    start = date(2026, 1, 15)
    inside, outside = start + HORIZON - DAY, start + HORIZON
    for day, found in ((inside, datetime.combine(inside, time(9))), (outside, None)):
        horaires = f"{day.year} {day:%b} {day:%d} 09:00-12:00"
        assert at(horaires, f"{start}T10:00") == OpenStatus(OpenState.CLOSED, opens=found)


def test_a_public_holiday_that_closes_is_named():
    closed = at("Mo-Fr 09:00-12:00; PH off", "2026-11-11T10:00")
    assert closed == OpenStatus(
        OpenState.CLOSED, opens=moment("2026-11-12T09:00"), holiday="Armistice de 1918"
    )
    assert at("Mo-Tu 09:00-12:00; PH off", "2026-11-11T10:00").holiday == ""  # a Wednesday, shut anyway
    assert at("Mo-Fr 09:00-12:00; PH off", "2026-11-12T15:00").holiday == ""


def test_a_public_holiday_with_hours_of_its_own_is_not_named_as_the_reason():
    found = at("Mo-Fr 09:00-12:00; PH 14:00-16:00", "2026-11-11T10:00")
    assert found == OpenStatus(OpenState.CLOSED, opens=moment("2026-11-11T14:00"))
    assert at("Mo-Fr 09:00-12:00; PH 08:00-09:00", "2026-11-11T10:00").holiday == ""
    assert at("Mo-Fr 09:00-12:00; PH off", "2026-11-11T18:00").holiday == "Armistice de 1918"


def test_a_site_is_open_from_its_first_minute_to_before_its_last():
    assert state_of("Tu 09:00-12:00", "2026-11-24T08:59") is OpenState.CLOSED
    assert state_of("Tu 09:00-12:00", "2026-11-24T09:00") is OpenState.OPEN
    assert state_of("Tu 09:00-12:00", "2026-11-24T11:59:59") is OpenState.OPEN
    assert state_of("Tu 09:00-12:00", "2026-11-24T12:00") is OpenState.CLOSED


def test_of_two_ranges_at_once_the_later_end_counts_and_the_one_without_appointment_comes_first():
    stops = (ItinerantStop("A", "Tu", "09:00-11:00"), ItinerantStop("B", "Tu", "09:00-12:00"))
    assert at('Tu 09:00-13:00 "sur rendez-vous"', "2026-11-24T10:00", arrets=stops) == OpenStatus(
        OpenState.OPEN, until=moment("2026-11-24T11:00"), stop=stops[0]
    )
    assert at("2026 Nov 24 09:00-13:00, Tu 09:00-12:00", "2026-11-24T10:00").until == moment(
        "2026-11-24T13:00"
    )


def test_hours_silent_on_public_holidays_are_open_by_the_letter_and_doubtful():
    assert at("Mo-Fr 09:00-12:00", "2026-11-11T10:00") == OpenStatus(
        OpenState.OPEN, until=moment("2026-11-11T12:00"), doubtful=True
    )
    assert at("Mo-Fr 09:00-12:00", "2026-11-10T13:00") == OpenStatus(
        OpenState.CLOSED, opens=moment("2026-11-11T09:00"), doubtful=True
    )
    assert not at("Mo-Fr 09:00-12:00; PH 09:00-12:00", "2026-11-11T10:00").doubtful
    assert not at("2026 Nov 11 09:00-12:00", "2026-11-11T10:00").doubtful
    assert not at("24/7", "2026-11-11T10:00").doubtful
    assert not at("Mo-Fr 09:00-12:00", "2026-11-12T10:00").doubtful


# 17 October 2026 to 1 November in every zone; 13 to 28 February 2027 in zone A.
@pytest.mark.parametrize(
    ("when", "school", "holiday"),
    [
        ("2026-10-16T10:00", True, False),
        ("2026-10-19T10:00", False, True),
        ("2026-10-30T10:00", False, True),
        ("2026-11-02T10:00", True, False),
        ("2027-02-12T10:00", True, False),
        ("2027-02-15T10:00", False, True),
        ("2027-02-26T10:00", False, True),
        ("2027-03-01T10:00", True, False),
    ],
)
def test_school_holidays_change_the_hours(when, school, holiday):
    told = {OpenState.OPEN: True, OpenState.CLOSED: False}
    assert told[state_of("Mo-Fr 09:00-12:00; SH off", when)] is school
    assert told[state_of("Mo-Fr 09:00-12:00; PH,SH off", when)] is school
    assert told[state_of("SH Mo-Fr 09:00-12:00", when)] is holiday
    assert told[state_of("Mo-Fr 14:00-17:00; SH 09:00-12:00", when)] is holiday


def test_it_opens_again_after_the_holidays():
    assert at("Mo-Fr 09:00-12:00; SH off", "2026-10-16T13:00").opens == moment("2026-11-02T09:00")
    assert at("SH Mo-Fr 09:00-12:00", "2026-11-02T13:00").opens == moment("2026-12-21T09:00")


def test_hours_across_the_edge_of_holidays_are_one():
    assert at("Mo-Su 00:00-24:00; SH 00:00-24:00", "2026-10-16T10:00").until is None


def test_of_years_whose_holidays_are_not_set_what_depends_on_them_is_unknown():
    horaires = "Mo-Fr 09:00-12:00,14:00-17:00; SH Mo-Fr 09:00-12:00"
    assert state_of(horaires, "2028-08-30T15:00") is OpenState.CLOSED
    assert state_of(horaires, "2029-01-09T10:00") is OpenState.OPEN
    assert state_of(horaires, "2029-01-09T15:00") is OpenState.UNKNOWN
    assert state_of(horaires, "2029-01-09T18:00") is OpenState.CLOSED
    (day, *_) = week_hours(site("a", 1, horaires=horaires), date(2029, 1, 9), A)
    assert day.school_holiday is None and day.unknown
    assert day.ranges == (Range(time(9), time(12)),)


@pytest.mark.parametrize("horaires", ["", "le lundi matin", "Mo 08:30", 'Tu 09:00-12:00 unknown "appeler"'])
def test_hours_that_are_not_known_are_unknown(horaires):
    found = at(horaires, "2026-11-24T10:00")
    assert found.state is OpenState.UNKNOWN
    assert found.readable is horaires.startswith("Tu")


def test_without_hours_the_ways_of_access_may_require_an_appointment():
    for access, state in [
        (("Téléphoner",), OpenState.BY_APPOINTMENT),
        (("Prendre un RDV en ligne", "Contacter par mail"), OpenState.BY_APPOINTMENT),
        (("Se présenter", "Téléphoner"), OpenState.UNKNOWN),
        (("Ce lieu n'accueille pas de public",), OpenState.UNKNOWN),
        ((), OpenState.UNKNOWN),
    ]:
        assert state_of("", "2026-11-24T10:00", modalites_acces=access) is state
    assert state_of("le lundi", "2026-11-24T10:00", modalites_acces=("Téléphoner",)) is OpenState.UNKNOWN


@pytest.mark.parametrize("words", ["sur rendez-vous", "Sur RDV", "sur rendez vous", "by appointment"])
def test_hours_by_appointment_are_recognised(words):
    assert at(f'Tu 09:00-12:00 "{words}"', "2026-11-24T10:00") == OpenStatus(
        OpenState.OPEN, until=moment("2026-11-24T12:00"), appointment=True
    )
    assert at(f'Tu 09:00-12:00 "{words}"', "2026-11-23T10:00") == OpenStatus(
        OpenState.CLOSED, opens=moment("2026-11-24T09:00"), appointment=True
    )
    assert at(f'"{words}"', "2026-11-24T10:00") == OpenStatus(OpenState.BY_APPOINTMENT)
    assert at(f'Tu 09:00-12:00 || "{words}"', "2026-11-25T10:00") == OpenStatus(
        OpenState.BY_APPOINTMENT, opens=moment("2026-12-01T09:00")
    )


def test_without_appointment_is_not_by_appointment():
    assert not at('Tu 09:00-12:00 "sans rendez-vous"', "2026-11-24T10:00").appointment


HALL = ItinerantStop("Halle", "Tu", "09:00-12:00")
TOWN = ItinerantStop("Mairie", "2026-12-03", "14:00-16:00")


def test_a_site_may_have_hours_and_stops():
    both = {"arrets": (HALL, TOWN)}
    assert at("Mo 09:00-12:00", "2026-11-24T10:00", **both) == OpenStatus(
        OpenState.OPEN, until=moment("2026-11-24T12:00"), stop=HALL
    )
    assert at("Mo 09:00-12:00", "2026-11-24T13:00", **both) == OpenStatus(
        OpenState.CLOSED, opens=moment("2026-11-30T09:00")
    )
    assert at("Tu 08:00-10:30", "2026-11-24T10:00", **both).stop is None  # its own door first
    assert at("", "2026-12-01T13:00", **both) == OpenStatus(
        OpenState.CLOSED, opens=moment("2026-12-03T14:00"), stop=TOWN
    )
    unread = at("le lundi", "2026-12-01T13:00", **both)
    assert unread == OpenStatus(
        OpenState.UNKNOWN, opens=moment("2026-12-03T14:00"), stop=TOWN, readable=False
    )


def test_visits_come_in_order_the_present_one_included():
    bus = site("a", 1, arrets=(TOWN, HALL))
    visits = next_visits(bus, moment("2026-11-24T10:00"), A, 4)
    assert [(v.start.isoformat(), v.stop.place) for v in visits if v.stop] == [
        ("2026-11-24T09:00:00", "Halle"),
        ("2026-12-01T09:00:00", "Halle"),
        ("2026-12-03T14:00:00", "Mairie"),
        ("2026-12-08T09:00:00", "Halle"),
    ]
    assert next_visits(bus, moment("2026-11-24T12:00"), A, 1)[0].start == moment("2026-12-01T09:00")
    assert len(next_visits(bus, moment("2026-11-24T12:00"), A, 500)) == 52 + 1


def test_odd_and_even_weeks_of_an_itinerant_site_are_visits():
    for horaires, days in (("week 1-53/2 Tu 09:00-12:00", (17, 1)), ("week 2-52/2 Tu 09:00-12:00", (10, 24))):
        bus = site("a", 1, horaires=horaires, itinerance=("Itinérant",))
        visits = next_visits(bus, moment("2026-11-09T08:00"), A, 2)
        assert tuple(visit.start.day for visit in visits) == days
        assert {visit.stop for visit in visits} == {None}
        assert {visit.start.isocalendar().week % 2 for visit in visits} == {days == (17, 1)}
    assert next_visits(site("a", 1, horaires="Tu 09:00-12:00"), moment("2026-11-09T08:00"), A) == ()


def test_a_week_has_the_hours_of_each_day():
    where = site(
        "a", 1, horaires=f"{WEEKDAYS}; PH off; 2026 Nov 12 off; 2026 Nov 14 10:00-11:00", arrets=(HALL,)
    )
    days = week_hours(where, date(2026, 11, 9), A)
    assert [day.date.day for day in days] == list(range(9, 16))
    both = (Range(time(9), time(12)), Range(time(14), time(17)))
    assert days[0].ranges == both and not days[0].exceptional
    assert days[1].ranges == (both[0], Range(time(9), time(12), stop=HALL), both[1])
    assert days[2].ranges == () and days[2].holiday == "Armistice de 1918" and not days[2].exceptional
    assert days[3].ranges == () and days[3].exceptional
    assert days[5].ranges == (Range(time(10), time(11)),) and days[5].exceptional
    assert [day.school_holiday for day in days] == [False] * 7
    assert not any(day.unknown or day.by_appointment or day.doubtful for day in days)


def test_a_week_open_night_and_day_is_cut_at_midnights():
    days = week_hours(site("a", 1, horaires="24/7"), date(2026, 11, 9), A)
    assert {day.ranges for day in days} == {(Range(time(), time()),)}


def test_a_week_of_unknown_hours_says_so_and_one_by_appointment_too():
    assert all(day.unknown for day in week_hours(site("a", 1, horaires="le lundi"), date(2026, 11, 9), A))
    days = week_hours(site("a", 1, horaires='Mo "sur rendez-vous"'), date(2026, 11, 9), A)
    assert [day.by_appointment for day in days] == [True] + [False] * 6
    assert not any(day.unknown or day.ranges for day in days)
    assert week_hours(site("a", 1, horaires="Mo-Fr 09:00-12:00"), date(2026, 11, 11), A)[0].doubtful


def test_seasons_and_alternate_weeks_are_no_exception():
    for horaires in ("Jul-Aug Mo 09:00-12:00; Sep-Jun Mo 09:00-17:00", "week 1-53/2 Mo 09:00-12:00"):
        where = site("a", 1, horaires=horaires)
        assert closures(where, date(2026, 1, 1), date(2027, 1, 1), A) == ()


def test_closures_have_a_first_and_a_last_day():
    where = site(
        "a", 1, horaires="Mo-Fr 09:00-12:00; Dec 21-Jan 03 off; 2027 Feb 06 09:00-12:00; Nov 30 14:00-16:00"
    )
    assert closures(where, date(2026, 11, 24), date(2027, 11, 24), A) == (
        ExceptionalPeriod(date(2026, 11, 30), date(2026, 11, 30), (Range(time(14), time(16)),)),
        ExceptionalPeriod(date(2026, 12, 21), date(2027, 1, 1), ()),
        ExceptionalPeriod(date(2027, 2, 6), date(2027, 2, 6), (Range(time(9), time(12)),)),
    )
    (inside,) = closures(where, date(2026, 12, 24), date(2026, 12, 26), A)
    assert inside.closed and (inside.first.day, inside.last.day) == (24, 25)


@settings(deadline=None)
@given(
    when=st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)),  # noqa: DTZ001
    horaires=st.sampled_from(
        [
            f"{WEEKDAYS}; PH off",
            f"{WEEKDAYS}; SH off",
            "SH Mo-Fr 09:00-12:00; Fr 22:00-02:00",
            "week 1-53/2 Tu 09:00-12:00",
            'Mo-Fr 09:00-12:00 "sur rendez-vous"; Th unknown',
            'Mo-Fr 09:00-12:00 || "sur rendez-vous"',
            "Th[1] 14:00-16:00; Dec 03 off",
        ]
    ),
)
def test_a_moment_and_the_slot_now_agree(when, horaires):
    where = site("a", 1, horaires=horaires, arrets=(HALL,))
    slot = parse_slot("maintenant", now=when)
    told = {OpenState.OPEN: Openness.OPEN, OpenState.CLOSED: Openness.CLOSED}
    found = open_status_at(where, when, A)
    assert slot_status(where, slot, when.date(), A) is told.get(found.state, Openness.UNKNOWN)
    if found.opens:
        ahead = np.arange(int((found.opens - when).total_seconds()) // 3600)
        hours = [when + timedelta(hours=int(hour)) for hour in ahead]
        assert not any(open_status_at(where, hour, A).state is OpenState.OPEN for hour in hours)
        assert open_status_at(where, found.opens, A).state is OpenState.OPEN
