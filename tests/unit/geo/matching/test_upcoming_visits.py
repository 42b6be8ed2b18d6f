"""Upcoming visits of itinerant sites, and the communes in which they take place."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from geo.hours.calendar import Calendar
from geo.matching.upcoming_visits import upcoming_visits
from geo.sites.model import ItinerantStop
from tests.support.world import TERRITORY, site

NOW = datetime(2026, 11, 23, 8)  # noqa: DTZ001 (local time), a Monday

NAMES = {"99001": "Ouestville", "99002": "Ouestville-sur-Lot", "99003": "Vé", "99004": "Estbourg"}
NESTED = replace(
    TERRITORY, communes=tuple(replace(c, name=NAMES[c.code]) for c in TERRITORY.communes), context=()
)


def visits(*stops, territory=NESTED, each=3, **changes):
    return upcoming_visits(
        [site("bus", 35, "99004", arrets=stops, **changes)], territory, NOW, Calendar("A"), each=each
    )


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("Halle d'Ouestville", "99001"),
        ("Halle d'Ouestville-sur-Lot", "99002"),  # the longest name it contains
        ("Ouestville sur Lot, mairie", "99002"),
        ("Mairie de Vé", "99003"),
        ("Ouestville, route de Vé", "99001"),
        ("Pré du Vérou", "99004"),  # « Vé » is no whole word there: the commune of the site
        ("Foyer rural", "99004"),
    ],
)
def test_a_stop_is_in_the_commune_it_names_or_that_of_its_site(place, code):
    (visit,) = visits(ItinerantStop(place, "Tu", "09:00-12:00"), each=1)
    assert (visit.commune, visit.place) == (code, place)


def test_visits_of_all_stops_are_merged_by_start_and_limited_by_stop():
    stops = (ItinerantStop("Lot", "Tu", "14:00-16:00"), ItinerantStop("Estbourg", "Mo", "09:00-12:00"))
    found = visits(*stops, each=2)
    assert [(v.start.isoformat(), v.place) for v in found] == [
        ("2026-11-23T09:00:00", "Estbourg"),
        ("2026-11-24T14:00:00", "Lot"),
        ("2026-11-30T09:00:00", "Estbourg"),
        ("2026-12-01T14:00:00", "Lot"),
    ]
    assert found[0].end == datetime(2026, 11, 23, 12)  # noqa: DTZ001


def test_visits_at_the_same_time_are_sorted_by_end_then_place():
    stops = (
        ItinerantStop("Zèbre", "Tu", "09:00-12:00"),
        ItinerantStop("Âne", "Tu", "09:00-12:00"),
        ItinerantStop("Milieu", "Tu", "09:00-11:00"),
    )
    assert [v.place for v in visits(*stops, each=1)] == ["Milieu", "Âne", "Zèbre"]


def test_a_site_not_open_to_the_public_has_no_visits_and_its_own_hours_are_none():
    stop = ItinerantStop("Lot", "Tu", "14:00-16:00")
    assert visits(stop, modalites_acces=("Ce lieu n'accueille pas de public",)) == []
    assert len(visits(stop, horaires="Mo-Su 08:00-20:00", each=2)) == 2
    assert visits(horaires="Mo-Su 08:00-20:00") == []
