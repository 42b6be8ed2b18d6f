"""Look-ups of communes by code, name, postal code and position, counted by hand."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest

from geo.sites.text import fold
from geo.territory.commune_index import CommuneIndex
from tests.support.world import TERRITORY, at

INDEX = CommuneIndex(TERRITORY, fold)


def test_communes_are_sorted_by_code_unless_told_otherwise():
    assert [c.code for c in INDEX.communes] == ["96001", "99001", "99002", "99003", "99004"]
    by_people = CommuneIndex(TERRITORY, fold, lambda commune: -commune.population)
    assert [c.population for c in by_people.communes] == [4000, 2000, 1000, 500, 0]
    assert [c.code for c in by_people.by_postal_code["99100"]] == ["99004", "99002", "99001", "99003"]


def test_look_ups_include_neighbours():
    assert INDEX.by_code["96001"].name == "Outre-Borne"
    assert [c.code for c in INDEX.by_name["outre borne"]] == ["96001"]
    assert [c.code for c in INDEX.by_postal_code["96100"]] == ["96001"]
    assert INDEX.own_codes == {"99001", "99002", "99003", "99004"}
    assert INDEX.names[0] == "outre borne"


def test_communes_of_one_name_are_all_found():
    twin = replace(TERRITORY.context[0], name="OUESTVILLE")
    index = CommuneIndex(replace(TERRITORY, context=(twin,)), fold)
    assert [c.code for c in index.by_name["ouestville"]] == ["96001", "99001"]


@pytest.mark.parametrize(
    ("x_km", "code"), [(5, "99001"), (9.9, "99001"), (10.1, "99002"), (45, "96001"), (51, None), (-1, None)]
)
def test_a_point_is_in_one_commune_or_none(x_km, code):
    found = INDEX.containing(at(x_km).x, at(x_km).y)
    assert (found.code if found else None) == code


@pytest.mark.parametrize(
    ("x_km", "near"), [(5, True), (14.95, True), (15.05, False), (-4.95, True), (-5.05, False)]
)
def test_a_point_is_near_a_commune_within_the_margin(x_km, near):
    assert INDEX.is_near(INDEX.by_code["99001"], at(x_km).x, at(x_km).y, margin_m=5_000) is near


@pytest.mark.parametrize("point", [(181.0, 45.0), (-181.0, 45.0), (2.0, 91.0), (2.0, -91.0), (nan, 45.0)])
def test_an_impossible_point_is_near_no_commune(point):
    assert not INDEX.is_near(INDEX.by_code["99001"], *point, margin_m=1e9)
