"""Places within a margin around a territory: by their point, else by the département of their codes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from geo.settings import ROOT, Settings
from geo.territory.files import read_territory
from geo.territory.margin import MARGIN_KM, Margin
from tests.support.world import TERRITORY, at


@dataclass
class SomePlace:
    longitude: float | None = None
    latitude: float | None = None
    code_insee: str = ""
    code_postal: str = ""


def place(x_km, y_km=5.0):
    point = at(x_km, y_km)
    return SomePlace(point.x, point.y)


def test_the_setting_and_the_usual_margin_are_the_same():
    assert Settings().margin_km == MARGIN_KM == 50


@pytest.mark.parametrize(
    ("x_km", "y_km", "inside"),
    [
        (5, 5, True),
        (49.99, 5, True),  # the territory ends at 40
        (50.01, 5, False),
        (-9.99, 5, True),
        (-10.01, 5, False),
        (20, 19.99, True),
        (20, 20.01, False),
        (20, -9.99, True),
        (20, -10.01, False),
        (47, 17.01, True),  # a corner is rounded: 9.9 km
        (48, 17, False),
        (45, 5, True),
    ],
)
def test_the_margin_ends_where_it_says(x_km, y_km, inside):
    assert Margin(TERRITORY, 10).includes(place(x_km, y_km)) is inside


def test_without_a_margin_only_the_territory_is_within():
    margin = Margin(TERRITORY, 0)
    assert margin.includes(place(39.99)) and not margin.includes(place(40.01))


@pytest.mark.parametrize("point", [(0, 0), (-61.5, 16.2), (180, 90), (float("nan"), 45), (float("inf"), 1)])
def test_no_point_of_the_globe_is_within_by_accident(point):
    assert not Margin(TERRITORY, 50).includes(SomePlace(*point))


@pytest.mark.parametrize(
    ("codes", "inside"),
    [
        ({}, True),
        ({"code_insee": "99001"}, True),
        ({"code_postal": "96100"}, True),
        ({"code_insee": "75056"}, False),
        ({"code_postal": "75012"}, False),
        ({"code_insee": "97101"}, False),
        ({"code_postal": "20000"}, False),
        ({"code_insee": "99001", "code_postal": "75012"}, True),
    ],
)
def test_a_place_without_a_point_is_outside_only_if_its_codes_say_so(codes, inside):
    assert Margin(TERRITORY, 50).includes(SomePlace(**codes)) is inside


def test_around_lot_et_garonne():
    margin = Margin(read_territory(ROOT / "data/communes", "47"), 50)
    towns = {"Agen": (0.616, 44.203), "Montauban": (1.355, 44.018), "Bordeaux": (-0.579, 44.838),
             "Toulouse": (1.444, 43.605), "Bergerac": (0.483, 44.853), "Paris": (2.35, 48.85)}  # fmt: skip
    inside = {name for name, (x, y) in towns.items() if margin.includes(SomePlace(x, y))}
    assert inside == {"Agen", "Montauban", "Bergerac"}
