"""Attributes of road layers: class, direction, speed and access."""

from __future__ import annotations

import math

import numpy as np
import pytest

from geo.reach.modes import Mode
from tests.support.road_layers import PROFILES, D, line, speeds


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"ref": "A62"}, "motorway"),
        ({"route": "N 21"}, "primary"),
        ({"NUMERO": "RD933"}, "secondary"),
        ({"Numero": "VC4"}, "unclassified"),
        ({"CL_ADMIN": "Départementale"}, "secondary"),
        ({"highway": "residential"}, "residential"),
        ({"CLASS": "Tertiary"}, "tertiary"),
        ({"NATURE": "Autoroute"}, "motorway"),
        ({"nature": "Type autoroutier"}, "motorway"),
        ({"nature": "Bretelle", "importance": "1"}, "motorway_link"),
        ({"NATURE": "Route à 2 chaussées", "IMPORTANCE": "1"}, "trunk"),
        ({"NATURE": "Route à 1 chaussée", "IMPORTANCE": "1"}, "primary"),
        ({"NATURE": "Route à 1 chaussée", "IMPORTANCE": 3}, "secondary"),
        ({"NATURE": "Route à 1 chaussée", "IMPORTANCE": "4"}, "tertiary"),
        ({"NATURE": "Route à 1 chaussée", "IMPORTANCE": "5", "URBAIN": "Non"}, "unclassified"),
        ({"NATURE": "Rond-point", "IMPORTANCE": "2"}, "primary"),
        ({"NATURE": "Route empierrée", "IMPORTANCE": "5"}, "track"),
        ({"NATURE": "Chemin"}, "track"),
    ],
)
def test_attributes_give_the_class_in_any_case(read_rows, attributes, expected):
    lines = read_rows((line((0, 0), (1000, 0)), attributes))
    assert speeds(lines)[0] == pytest.approx(PROFILES.speed_kmh(Mode.CAR, expected), rel=1e-3)
    motorway = expected.startswith("motorway")
    assert lines.reachable[Mode.CAR].tolist() == [not motorway]
    assert np.isfinite(lines.seconds[Mode.FOOT]).all() == (not motorway)


def test_urban_streets_of_least_importance_are_residential_at_built_up_speeds(read_rows):
    road = {"NATURE": "Route à 1 chaussée", "IMPORTANCE": "5", "URBAIN": True}
    speed = PROFILES.speed_kmh(Mode.CAR, "residential", built_up=True)
    assert speeds(read_rows((line((0, 0), (1000, 0)), road)))[0] == pytest.approx(speed, rel=1e-3)


@pytest.mark.parametrize(
    ("word", "forth", "back"),
    [
        ("Sens direct", True, False),
        ("Direct", True, False),
        ("yes", True, False),
        ("Sens inverse", False, True),
        ("-1", False, True),
        ("Double sens", True, True),
        ("Sans objet", True, True),
        ("no", True, True),
        (None, True, True),
    ],
)
def test_one_way_streets_apply_to_vehicles_and_not_to_pedestrians(read_rows, word, forth, back):
    name = "oneway" if word in ("yes", "no", "-1") else "SENS_DE_CIRCULATION"
    lines = read_rows((line((0, 0), (1000, 0)), D | {name: word}))
    for mode in (Mode.CAR, Mode.BICYCLE):
        assert np.isfinite(lines.seconds[mode][0]).tolist() == [forth, back]
    assert np.isfinite(lines.seconds[Mode.FOOT]).all()


def test_the_mean_speed_of_bd_topo_is_used_for_cars_where_present(read_rows):
    road = {"NATURE": "Route à 1 chaussée", "IMPORTANCE": "3", "SENS": "Double"}
    usual = PROFILES.speed_kmh(Mode.CAR, "secondary")
    assert speeds(read_rows((line((0, 0), (1000, 0)), road | {"VITESSE_MOYENNE_VL": 55})))[
        0
    ] == pytest.approx(55, rel=1e-3)
    for missing in (0, 1, None, math.nan):
        found = read_rows((line((0, 0), (1000, 0)), road | {"VITESSE_MOYENNE_VL": missing}))
        assert speeds(found)[0] == pytest.approx(usual, rel=1e-3)
    assert speeds(found, Mode.BICYCLE) == speeds(read_rows((line((0, 0), (1000, 0)), road)), Mode.BICYCLE)


@pytest.mark.parametrize("access", ["Physiquement impossible", "Restreint aux ayants droit"])
def test_roads_closed_to_cars_stay_open_to_others(read_rows, access):
    lines = read_rows((line((0, 0), (1000, 0)), {"nature": "Chemin", "acces_vehicule_leger": access}))
    assert np.isinf(lines.seconds[Mode.CAR]).all()
    assert not lines.reachable[Mode.CAR].any()
    assert np.isfinite(lines.seconds[Mode.FOOT]).all()


@pytest.mark.parametrize(
    ("limit", "kmh"),
    [
        ("50", 50),
        (50.0, 50),
        ("50 km/h", 50),
        ("30 mph", 30 * 1.609344),
        ("FR:urban", 50),
        ("none?", None),
        ("0", None),
    ],
)
def test_posted_limits_apply_where_they_can_be_parsed(read_rows, limit, kmh):
    lines = read_rows((line((0, 0), (1000, 0)), {"highway": "secondary", "maxspeed": limit}))
    assert speeds(lines)[0] == pytest.approx(
        PROFILES.speed_kmh(Mode.CAR, "secondary", limit_kmh=kmh), rel=1e-3
    )
