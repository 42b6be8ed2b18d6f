"""Hours given in a column for each day, joined to one text."""

from __future__ import annotations

import opening_hours
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.sites.readers.day_columns import DAYS, day_hours, join_days

BOTH = "09:00-12:00,14:00-17:00"


@pytest.mark.parametrize(
    "cell",
    [
        "9h-12h / 14h-17h",
        "9h à 12h et 14h à 17h",
        "de 9h00 à 12h00, puis de 14h00 à 17h00",
        "9-12 / 14-17",
        "9.00-12.00 14.00-17.00",
        "09:00 - 12:00 | 14:00 - 17:00",
        "9H–12H\n14H–17H",
        "9h/12h - 14h/17h",
        "9h 12h 14h 17h",
        "09:00:00 12:00:00 14:00:00 17:00:00",
        "9h-12h le matin, 14h-17h l'après-midi",
        "9h-12h;14h-17h",
    ],
)
def test_the_hours_of_a_day_are_read_however_they_are_written(cell):
    assert day_hours(cell) == BOTH


@pytest.mark.parametrize(
    "cell",
    [
        "14h",
        "matin",
        "9 12",
        "9h-25h",
        "14h-12h",
        "9h-12h semaine paire",
        "1er mardi 9h-12h",
        "9h-12h11h-14h",
        "9/12",
    ],
)
def test_what_is_not_clear_is_kept_as_it_is_written(cell):
    assert day_hours(cell) == ""
    assert join_days({"lundi": ["9h-12h"], "mardi": [cell]}) == f"Mo 09:00-12:00; mardi : {cell}"


@pytest.mark.parametrize("cell", ["", " ", "-", "–", "fermé", "FERMÉ", "Fermé.", "x", "non", "/"])
def test_a_blank_or_closed_day_is_left_out(cell):
    assert join_days({"lundi": ["9h-12h"], "mardi": [cell]}) == "Mo 09:00-12:00"
    assert join_days({"mardi": [cell]}) == ""


@pytest.mark.parametrize(
    ("cell", "hours"),
    [
        ("sur rdv", 'Mo "sur rendez-vous"'),
        ("Uniquement sur rendez-vous", 'Mo "sur rendez-vous"'),
        ("9h-12h (sur RDV)", 'Mo 09:00-12:00 "sur rendez-vous"'),
        ("24h/24", "Mo 00:00-24:00"),
        ("8h-24h", "Mo 08:00-24:00"),
    ],
)
def test_appointments_and_whole_days_are_said(cell, hours):
    assert join_days({"lundi": [cell]}) == hours
    assert opening_hours.validate(hours)


def test_days_with_the_same_hours_are_grouped():
    week = {day: ["9h-12h"] for day in DAYS} | {"mercredi": ["fermé"], "dimanche": ["10h-11h"]}
    assert join_days(week) == "Mo-Tu,Th-Sa 09:00-12:00; Su 10:00-11:00"


@pytest.mark.parametrize(
    ("cells", "hours"),
    [
        (["9h-12h", "14h-17h"], BOTH),
        (["9h-12h", ""], "09:00-12:00"),
        (["fermé", "14h-17h"], "14:00-17:00"),
        (["9h", "12h", "14h", "17h"], BOTH),
        (["09:00:00", "12:00:00"], "09:00-12:00"),
        (["9h", "12h", "", ""], "09:00-12:00"),
    ],
)
def test_a_day_may_have_several_columns(cells, hours):
    assert join_days({"jeudi": cells}) == f"Th {hours}"


def test_a_day_half_of_which_is_not_clear_is_kept_whole():
    assert join_days({"lundi": ["9h-12h", "selon affluence"]}) == "lundi : 9h-12h, selon affluence"


def test_a_long_cell_is_quoted_in_part():
    assert len(join_days({"lundi": ["très long " * 100]})) < 220


@given(st.text("0123456789h:.-–à /;,smrdv()é\n", max_size=20))
def test_whatever_is_read_is_valid(cell):
    if hours := day_hours(cell):
        assert opening_hours.validate(f"Mo {hours}")
