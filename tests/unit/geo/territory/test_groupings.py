"""Groupings follow from their communes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import shapely
from shapely import MultiPolygon

from geo.territory.groupings import dissolve
from geo.territory.model import TerritoryKind
from tests.support.world import CONTEXT, OWN, TERRITORY


def of(groupings, kind):
    return [g for g in groupings if g.kind is kind]


def test_communes_group_by_each_kind():
    groupings = dissolve(OWN, CONTEXT)
    assert [(g.kind, g.code, g.communes, g.population) for g in groupings] == [
        (TerritoryKind.CANTON, "9901", ("99001", "99002"), 3_000),
        (TerritoryKind.CANTON, "9902", ("99003", "99004"), 4_000),
        (TerritoryKind.EPCI, "200000001", ("99001", "99002"), 3_000),
        (TerritoryKind.EPCI, "200000002", ("99003", "99004"), 4_000),
        (TerritoryKind.ARRONDISSEMENT, "991", ("99001", "99002", "99003", "99004"), 7_000),
        (TerritoryKind.DEPARTEMENT, "99", ("99001", "99002", "99003", "99004"), 7_000),
    ]
    assert {(g.kind, g.code, g.name, g.partial) for g in groupings} == {
        (g.kind, g.code, g.name, g.partial) for g in TERRITORY.groupings
    }


def test_only_the_epci_astride_the_border_is_partial():
    assert [g.code for g in dissolve(OWN, CONTEXT) if g.partial] == ["200000002"]
    assert not any(g.partial for g in dissolve(OWN))


def test_the_order_of_communes_does_not_matter():
    assert dissolve(tuple(reversed(OWN)), CONTEXT) == dissolve(OWN, CONTEXT)


def test_a_commune_without_canton_is_in_none():
    stray = replace(OWN[0], canton_code="", canton_name="")
    assert [g.communes for g in of(dissolve((stray, *OWN[1:])), TerritoryKind.CANTON)] == [
        ("99002",),
        ("99003", "99004"),
    ]


def test_a_dissolved_boundary_has_the_area_of_its_communes_and_no_inner_line():
    (whole,) = of(dissolve(OWN), TerritoryKind.DEPARTEMENT)
    assert whole.boundary.area == pytest.approx(sum(c.boundary.area for c in OWN))
    assert len(whole.boundary.geoms) == 1
    assert shapely.get_num_interior_rings(whole.boundary.geoms[0]) == 0


def test_communes_that_overlap_are_still_dissolved_right():
    two = MultiPolygon([shapely.union_all([OWN[0].boundary, OWN[1].boundary])])
    wide = replace(OWN[0], boundary=two)
    (whole,) = of(dissolve((wide, *OWN[1:])), TerritoryKind.DEPARTEMENT)
    assert whole.boundary.area == pytest.approx(sum(c.boundary.area for c in OWN))
