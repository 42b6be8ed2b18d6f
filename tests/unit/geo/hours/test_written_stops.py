"""Stops of itinerant sites written in French beside weekly hours."""

from __future__ import annotations

import pytest

from geo.hours.parse import format_stop, parse_stops
from geo.hours.written_stops import read_stops

WEEKLY = dict.fromkeys(("Mo", "Tu", "We", "Th"), "09:00-12:00,14:00-17:00") | {"Fr": "08:30-12:00"}


@pytest.mark.parametrize(
    ("text", "stops"),
    [
        (
            "Structure itinérante sur les communes de Villefictive (jeudi), Bourgfictif(Mardi)",
            ["Villefictive @ Th 09:00-12:00,14:00-17:00", "Bourgfictif @ Tu 09:00-12:00,14:00-17:00"],
        ),
        ("Villefictive (lundi matin)", ["Villefictive @ Mo 09:00-12:00"]),
        ("Villefictive (lundi après-midi)", ["Villefictive @ Mo 14:00-17:00"]),
        ("Villefictive (lundi journée)", ["Villefictive @ Mo 09:00-12:00,14:00-17:00"]),
        (
            "Villefictive (mardi et mercredi le matin) et Bourgfictif (vendredi)",
            [
                "Villefictive @ Tu 09:00-12:00",
                "Villefictive @ We 09:00-12:00",
                "Bourgfictif @ Fr 08:30-12:00",
            ],
        ),
        (
            "Villefictive (lundi matin, mercredi après-midi). Informations au 05 36 49 00 01",
            ["Villefictive @ Mo 09:00-12:00", "Villefictive @ We 14:00-17:00"],
        ),
        (
            "Lundi : Villefictive (semaines paires) / Bourgfictif (semaines impaires). Mardi : Lieu sur RDV.",
            [
                "Villefictive @ week 02-52/2 Mo 09:00-12:00,14:00-17:00",
                "Bourgfictif @ week 01-53/2 Mo 09:00-12:00,14:00-17:00",
                "Lieu (sur rendez-vous) @ Tu 09:00-12:00,14:00-17:00",
            ],
        ),
        ("Vendredi : Salle des fêtes", ["Salle des fêtes @ Fr 08:30-12:00"]),
        (
            "Mairie de Villefictive - Lundi de 9h à 12h / Mercredi de 14h à 17h",
            ["Mairie de Villefictive @ Mo 09:00-12:00", "Mairie de Villefictive @ We 14:00-17:00"],
        ),
        (
            "Mairie de Villefictive - Lundi de 9h à 12h // Bourgfictif - Mercredi de 9h30 à 12h30",
            ["Mairie de Villefictive @ Mo 09:00-12:00", "Bourgfictif @ We 09:30-12:30"],
        ),
        (
            "Place de Villefictive le mercredi 08:30 - 13:00 et Halle de Bourgfictif le samedi 08:30 - 13:00",
            ["Place de Villefictive @ We 08:30-13:00", "Halle de Bourgfictif @ Sa 08:30-13:00"],
        ),
        ("Villefictive : 1er mardi du mois 9h-12h", ["Villefictive @ Tu[1] 09:00-12:00"]),
        ("Villefictive (samedi)", []),  # closed in the weekly hours
        ("Villefictive (vendredi après-midi)", []),
        ("Villefictive (lundi), Bourgfictif (sur demande)", []),
        ("Villefictive (lundi) sauf en août", []),
        ("Lundi : Villefictive. Mardi selon planning.", []),
        ("Samedi : Villefictive", []),
        ("Structure itinérante sur les communes de Villefictive et Bourgfictif", []),
        ("le lundi de 9h à 12h", []),
        ("permanences : LUNDI de 9h à 12h Mairie de Villefictive", []),
        ("", []),
    ],
)
def test_stops_are_read_whole_or_not_at_all(text, stops):
    served = {day: WEEKLY[day] for day in WEEKLY if any(day in stop.rpartition("@")[2] for stop in stops)}
    found = read_stops(text, served or WEEKLY)
    assert [format_stop(stop) for stop in found] == stops
    assert parse_stops("|".join(stops)) == (found, ())


@pytest.mark.parametrize(
    ("text", "weekly", "count"),
    [
        ("Villefictive (lundi), Bourgfictif (mardi)", {"Mo": "09:00-12:00", "Tu": "09:00-12:00"}, 2),
        ("Villefictive (lundi)", {"Mo": "09:00-12:00", "Tu": "09:00-12:00"}, 0),
        ("Mairie de Villefictive - lundi de 9h à 12h", {"Mo": "09:00-17:00", "Fr": "09:00-12:00"}, 0),
        ("Mairie de Villefictive - lundi de 9h à 12h", {"Mo": "09:00-17:00"}, 1),
        ("Mairie de Villefictive - lundi de 9h à 12h", {}, 1),
    ],
)
def test_stops_that_leave_out_a_day_of_the_weekly_hours_are_not_all(text, weekly, count):
    assert len(read_stops(text, weekly)) == count
