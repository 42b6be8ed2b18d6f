"""Sites by appointment only, announced closures, and itinerant sites: status, week, slots and visits."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from geo.hours.calendar import Calendar
from geo.hours.intervals import expressions, is_roaming, with_closures
from geo.hours.open_status import (
    OpenState,
    OpenStatus,
    Range,
    closures,
    next_visits,
    open_status_at,
    week_hours,
)
from geo.hours.parse import closure_rule, parse_closures
from geo.hours.weekly import Openness, parse_slot, slot_status, weekly_hours
from geo.sites.model import ItinerantStop
from tests.support.world import site

A = Calendar("A")
WEEKDAYS = "Mo-Fr 09:00-12:00,14:00-17:00"
HALL = ItinerantStop("Halle", "Tu", "09:00-12:00")
TUESDAY = datetime.fromisoformat("2026-11-24T10:00")


def status(when=TUESDAY, **changes):
    return open_status_at(site("a", 1, **changes), when, A)


@pytest.mark.parametrize("horaires", [WEEKDAYS, "", "24/7", "illisible"])
@pytest.mark.parametrize("hour", [8, 10, 13, 20])
def test_a_site_by_appointment_only_never_says_open_or_when_it_opens(horaires, hour):
    found = status(TUESDAY.replace(hour=hour), horaires=horaires, sur_rendez_vous=True)
    assert found == OpenStatus(OpenState.BY_APPOINTMENT, readable=horaires in (WEEKDAYS, "24/7"))


def test_the_stops_of_a_site_by_appointment_only_are_by_appointment_too():
    bus = {"itinerance": ("Itinérant",), "arrets": (HALL,), "sur_rendez_vous": True}
    assert status(**bus) == OpenStatus(OpenState.BY_APPOINTMENT)


def test_false_and_unknown_change_nothing():
    for value in (False, None):
        found = status(horaires=WEEKDAYS, sur_rendez_vous=value)
        assert found == OpenStatus(OpenState.OPEN, until=datetime.fromisoformat("2026-11-24T12:00"))


def test_a_site_by_appointment_only_is_closed_on_the_days_it_is_closed():
    found = status(horaires=WEEKDAYS, sur_rendez_vous=True, fermetures=("Nov 24",))
    assert (found.state, found.opens) == (OpenState.CLOSED, None)
    assert status(horaires=WEEKDAYS, sur_rendez_vous=True, fermetures=("Nov 25",)).state is (
        OpenState.BY_APPOINTMENT
    )


def test_its_hours_are_those_of_appointments():
    days = week_hours(site("a", 1, horaires="Tu 09:00-12:00", sur_rendez_vous=True), TUESDAY.date(), A)
    assert days[0].ranges == (Range(time(9), time(12), by_appointment=True),)


def test_for_planners_an_appointment_at_stated_hours_counts_as_open():
    where = site("a", 1, horaires="Tu 09:00-12:00", sur_rendez_vous=True)
    week = date(2026, 11, 23)
    assert slot_status(where, parse_slot("mardi 10:00"), week) is Openness.OPEN
    assert weekly_hours(where, week) == 3


def test_a_closure_closes_whole_days_and_the_next_opening_comes_after():
    found = status(horaires=WEEKDAYS, fermetures=("2026 Nov 23-27",))
    assert found == OpenStatus(OpenState.CLOSED, opens=datetime.fromisoformat("2026-11-30T09:00"))


def test_a_closed_month_counts_in_slots_and_weeks():
    where = site("a", 1, horaires=WEEKDAYS, fermetures=('Nov "travaux"',))
    week = date(2026, 11, 16)
    assert slot_status(where, parse_slot("mardi 10:00"), week) is Openness.CLOSED
    assert weekly_hours(where, week) == 0
    assert weekly_hours(where, date(2026, 12, 7)) == 30


def test_closures_apply_to_stops():
    bus = site("a", 1, arrets=(HALL,), itinerance=("Itinérant",), fermetures=("Nov 24",))
    assert next_visits(bus, TUESDAY, A, 1)[0].start == datetime.fromisoformat("2026-12-01T09:00")


def test_announced_closures_are_exceptional_days_but_yearly_ones_are_not():
    where = site("a", 1, horaires=WEEKDAYS, fermetures=("2026 Dec 24-2027 Jan 02", "PH"))
    (found,) = closures(where, date(2026, 12, 1), date(2027, 1, 15), A)
    # 1 January, a public holiday, and 2 January, a Saturday, are closed anyway.
    assert (found.first, found.last, found.closed) == (date(2026, 12, 24), date(2026, 12, 31), True)
    (may,) = week_hours(where, date(2027, 5, 6), A)[:1]  # Ascension
    assert may.ranges == () and not may.exceptional and may.holiday == "Ascension"
    month = site("a", 1, horaires=WEEKDAYS, fermetures=("Aug",))
    (august,) = closures(month, date(2026, 7, 20), date(2026, 9, 15), A)
    assert (august.first, august.last) == (date(2026, 8, 3), date(2026, 8, 31))


def test_a_closure_of_another_month_leaves_a_public_holiday_doubtful():
    fourteenth = datetime.fromisoformat("2026-07-14T10:00")
    assert status(fourteenth, horaires=WEEKDAYS, fermetures=("2026 Dec 24",)).doubtful
    assert not status(fourteenth, horaires=WEEKDAYS, fermetures=("2026 Jul 20",)).doubtful


def test_closures_are_added_to_each_alternative_and_to_translated_hours():
    assert with_closures("lundi 9h-12h", ("Aug",)) == "Mo 09:00-12:00; Aug off"
    assert with_closures('Mo 09:00-12:00 || "sur rendez-vous"', ("Aug", 'Dec 24 "fête"')) == (
        'Mo 09:00-12:00; Aug off; Dec 24 off "fête" || "sur rendez-vous"; Aug off; Dec 24 off "fête"'
    )
    assert with_closures("illisible", ("Aug",)) == "illisible"
    assert with_closures("lundi 9h-12h", ("pas une date",)) == "lundi 9h-12h"
    assert with_closures("lundi 9h-12h", ()) == "lundi 9h-12h"


@pytest.mark.parametrize(
    ("closure", "rule"),
    [
        ("Aug", "Aug off"),
        ("2026 Aug", "2026 Aug off"),
        ("Aug 01-15", "Aug 01-15 off"),
        ("2026 Dec 24-2027 Jan 02", "2026 Dec 24-2027 Jan 02 off"),
        ('Aug "congés annuels"', 'Aug off "congés annuels"'),
        ("PH", "PH off"),
        ("SH", "SH off"),
        ("easter", "easter off"),
        ("Mo", ""),  # weekly: hours say it
        ("Mo 09:00-12:00", ""),
        ("Aug 09:00-12:00", ""),
        ("Aug off; Mo 09:00-12:00", ""),
        ('Aug "a" "b"', ""),
        ("août", ""),
        ("", ""),
    ],
)
def test_a_closure_is_a_date_selector_with_an_optional_reason(closure, rule):
    assert closure_rule(closure) == rule


@pytest.mark.parametrize(
    ("cell", "found", "codes"),
    [
        ("", (), []),
        ('Aug|2026 Dec 24-2027 Jan 02 "congés"', ("Aug", '2026 Dec 24-2027 Jan 02 "congés"'), []),
        ("Aug|Aug", ("Aug",), []),
        ("en août|du 24/12 au 02/01", ("Aug", "Dec 24-Jan 02"), []),
        ("le lundi|Aug", ("Aug",), ["fermeture_illisible"]),
    ],
)
def test_the_closures_of_a_cell_are_read(cell, found, codes):
    closures_read, findings = parse_closures(cell)
    assert (closures_read, [finding.code for finding in findings]) == (found, codes)


def test_the_weekly_hours_of_an_itinerant_site_with_stops_are_those_of_its_stops():
    bus = site("a", 1, horaires=WEEKDAYS, arrets=(HALL,), itinerance=("Itinérant",))
    assert list(expressions(bus)) == [("Tu 09:00-12:00", HALL)]
    both = site("a", 1, horaires=WEEKDAYS, arrets=(HALL,), itinerance=("Itinérant", "Fixe"))
    assert list(expressions(both)) == [(WEEKDAYS, None), ("Tu 09:00-12:00", HALL)]
    wednesday = TUESDAY + timedelta(days=1)
    assert open_status_at(bus, wednesday, A) == OpenStatus(
        OpenState.CLOSED, opens=datetime.fromisoformat("2026-12-01T09:00"), stop=HALL
    )
    assert open_status_at(both, wednesday, A).state is OpenState.OPEN


def test_an_itinerant_site_without_stops_is_open_at_an_unknown_place_and_has_no_visits():
    bus = site("a", 1, horaires=WEEKDAYS, itinerance=("Itinérant",))
    assert is_roaming(bus)
    found = open_status_at(bus, TUESDAY, A)
    assert (found.state, found.place_unknown) == (OpenState.OPEN, True)
    assert next_visits(bus, TUESDAY, A) == ()
    for itinerance in ((), ("Fixe",), ("Itinérant", "Fixe")):
        fixed = site("a", 1, horaires=WEEKDAYS, itinerance=itinerance)
        assert not is_roaming(fixed)
        assert not open_status_at(fixed, TUESDAY, A).place_unknown


@pytest.mark.parametrize(
    "horaires", ["2026 Dec 03 09:00-12:00", "week 1-53/2 Tu 09:00-12:00", "Tu[1] 09:00-12:00"]
)
def test_dated_hours_of_an_itinerant_site_are_visits(horaires):
    bus = site("a", 1, horaires=horaires, itinerance=("Itinérant",))
    assert next_visits(bus, TUESDAY, A, 1)[0].stop is None
    mixed = site("a", 1, horaires=f"{horaires}; Mo 09:00-12:00", itinerance=("Itinérant",))
    assert next_visits(mixed, TUESDAY, A) == ()
