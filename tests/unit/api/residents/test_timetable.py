"""Hours of a site in words."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest

from api.residents import timetable
from geo.hours.open_status import DatedVisit, ExceptionalPeriod, Range
from geo.hours.weekly import TIME_ZONE
from geo.wording.language import language
from tests.support import world
from tests.support.site_pages import (
    HALL,
    MONDAY,
    client_of,
    day_of,
    full,
    page_of,
    words_of,
)

FR = language("fr")
pytestmark = pytest.mark.usefixtures("application")


def test_a_week_shows_holidays_exceptions_and_unknown_days():
    nine_noon = Range(time(9), time(12))
    days = (
        day_of(MONDAY, (nine_noon, Range(time(14), time(17, 30), by_appointment=True))),
        day_of(date(2026, 12, 22), (Range(time(9), time(12), stop=HALL),)),
        day_of(date(2026, 12, 23), (nine_noon,), exceptional=True, school_holiday=True),
        day_of(date(2026, 12, 24), exceptional=True),
        day_of(date(2026, 12, 25), holiday="Noël"),
        day_of(date(2026, 12, 26), by_appointment=True, unknown=True),
        day_of(date(2026, 12, 27), unknown=True),
    )
    told = [
        (d.name, " + ".join(d.hours).replace("\xa0", " "), d.note) for d in timetable.week(FR, days, MONDAY)
    ]
    assert told == [
        ("lundi 21 décembre", "9 h – 12 h + 14 h – 17 h 30, sur rendez-vous", ""),
        ("mardi 22 décembre", "9 h – 12 h (Halle fictive)", ""),
        ("mercredi 23 décembre", "9 h – 12 h", "horaires exceptionnels, vacances scolaires"),
        ("jeudi 24 décembre", "fermé exceptionnellement", ""),
        ("vendredi 25 décembre", "fermé", "jour férié : Noël"),
        ("samedi 26 décembre", "sur rendez-vous", ""),
        ("dimanche 27 décembre", "horaires inconnus", ""),
    ]
    assert timetable.has_known_day(days)
    assert not timetable.has_known_day(days[-1:])


def at(hour: int) -> datetime:
    return datetime.combine(date(2026, 12, 3), time(hour))


def test_coming_exceptions_and_stops_are_listed_by_date():
    found = (
        ExceptionalPeriod(date(2026, 12, 24), date(2026, 12, 24), ()),
        ExceptionalPeriod(date(2027, 1, 4), date(2027, 1, 8), ()),
        ExceptionalPeriod(date(2027, 1, 9), date(2027, 1, 9), (Range(time(10), time(12)),)),
    )
    assert [each.replace("\xa0", " ") for each in timetable.exceptions(FR, found)] == [
        "Fermé exceptionnellement le jeudi 24 décembre 2026",
        "Fermé exceptionnellement du lundi 4 janvier 2027 au vendredi 8 janvier 2027",
        "Horaires exceptionnels le samedi 9 janvier 2027 : 10 h – 12 h",
    ]
    visit = DatedVisit(at(9), at(12), by_appointment=False, stop=HALL)
    assert timetable.visits(FR, (visit,))[0].replace("\xa0", " ") == (
        "jeudi 3 décembre 2026, 9 h – 12 h : Halle fictive"
    )


def test_a_real_fortnight_follows_the_written_hours():
    """Christmas 2026 in Lot-et-Garonne (zone A), by hand from the school calendar."""
    written = "Mo-Fr 09:00-12:00; PH off; 2026 Dec 24 off; 2026 Dec 23 14:00-16:00"
    client = client_of(full(horaires=written, arrets=()))
    view = client.app.state.service.current().view
    view.clock = lambda: datetime(2026, 12, 21, 8, 30, tzinfo=TIME_ZONE)
    text = words_of(client.get("/lieux/essai--a")).replace("\xa0", " ")
    for told in (
        "Ouvre aujourd'hui à 9 h",
        "lundi 21 décembre aujourd'hui 9 h – 12 h (vacances scolaires)",
        "mercredi 23 décembre 14 h – 16 h (horaires exceptionnels, vacances scolaires)",
        "jeudi 24 décembre fermé exceptionnellement (vacances scolaires)",
        "vendredi 25 décembre fermé (jour férié : Noël, vacances scolaires)",
        "Horaires exceptionnels le mercredi 23 décembre 2026 : 14 h – 16 h",
        "Fermé exceptionnellement le jeudi 24 décembre 2026",
    ):
        assert told in text


def test_a_site_without_hours_is_never_shown_as_closed():
    text = words_of(page_of(world.site("a", 5)))
    assert "Nous ne connaissons pas les horaires de ce lieu" in text
    assert "fermé" not in text.partition("Ce que je peux y faire")[0]
