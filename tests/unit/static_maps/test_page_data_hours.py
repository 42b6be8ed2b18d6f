"""Hours, stops and telephones of a site in the popup of a map."""

from __future__ import annotations

from dataclasses import replace

import pytest

from geo.sites.model import ItinerantStop
from geo.wording.language import FRENCH
from static_maps import style
from static_maps.page_data import flags, hours, outline, stops
from static_maps.resident_map import lasting_pins
from tests.support.world import TERRITORY, site

HALL = ItinerantStop("Halle", "Tu", "09:00-12:00")


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ({"horaires": "Mo 09:00-12:00"}, ("lundi : 9 h – 12 h",)),
        ({"horaires": "lundi 9h-12h"}, ("lundi : 9 h – 12 h",)),
        ({"horaires": ""}, ()),
        ({"horaires": "quand il fait beau"}, ()),
        ({"horaires": "", "sur_rendez_vous": True}, ("sur rendez-vous uniquement",)),
        (
            {"horaires": "Mo 09:00-12:00", "sur_rendez_vous": True},
            ("sur rendez-vous uniquement", "lundi : 9 h – 12 h"),
        ),
        (
            {"horaires": "Mo 09:00-12:00; Tu le matin", "remarques_horaires": ("Porte B",)},
            ("lundi : 9 h – 12 h", "mardi : horaires inconnus", "« Tu le matin »", "« Porte B »"),
        ),
        (
            {"horaires": "Mo 09:00-12:00", "fermetures": ("Aug", 'Dec 24 "fête"')},
            ("lundi : 9 h – 12 h", "fermé en août", "fermé le 24 décembre (fête)"),
        ),
        (
            {"horaires": "Mo 09:00-12:00", "itinerance": ("Itinérant",)},
            ("lieu itinérant : demandez où il sera", "lundi : 9 h – 12 h"),
        ),
        ({"horaires": "Mo 09:00-12:00", "itinerance": ("Itinérant",), "arrets": (HALL,)}, ()),
        ({"horaires": "Mo 09:00-12:00", "arrets": (HALL,)}, ("lundi : 9 h – 12 h",)),
    ],
)
def test_hours_are_lines_with_appointments_closures_and_remarks(values, lines):
    assert tuple(line.replace("\u00a0", " ") for line in hours(site("a", 5, **values))) == lines


def test_hours_are_unknown_unless_some_can_be_read_or_it_is_by_appointment():
    assert style.HOURS_UNKNOWN in flags(site("a", 5, horaires="", remarques_horaires=("Porte B",)))
    assert style.HOURS_UNKNOWN in flags(site("a", 5, horaires="quand il fait beau"))
    assert style.HOURS_UNKNOWN not in flags(site("a", 5, horaires="Mo 09:00-12:00"))
    assert style.HOURS_UNKNOWN not in flags(site("a", 5, horaires="", sur_rendez_vous=True))


def test_stops_say_where_and_when():
    dated = ItinerantStop("Mairie", "2026-12-03", "14:00-16:00")
    bus = site("a", 5, arrets=(HALL, dated, ItinerantStop("Place", "week 02-52/2 Mo", "09:00-12:00")))
    assert tuple(line.replace("\u00a0", " ") for line in stops(bus)) == (
        "Halle : mardi : 9 h – 12 h",
        "Mairie : 3 décembre 2026 : 14 h – 16 h",
        "Place : lundi (semaines paires) : 9 h – 12 h",
    )


def test_a_lasting_pin_of_an_itinerant_site_lists_its_stops():
    (pin,) = lasting_pins(FRENCH, [site("a", 5, horaires="", arrets=(HALL,))])
    assert pin.hours == stops(site("a", 5, arrets=(HALL,)))


def test_boundaries_are_drawn_once_for_each_territory_and_accuracy():
    drawn = outline(TERRITORY, 100.0)
    assert outline(TERRITORY, 100.0) is drawn
    assert outline(TERRITORY, 2_000.0) is not drawn
    smaller = replace(TERRITORY, communes=TERRITORY.communes[:2])
    assert len(outline(smaller, 100.0)["communes"]) == 2
