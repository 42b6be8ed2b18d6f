"""Coordinates of a source: which are read, which are believed, and where a site is then placed."""

from __future__ import annotations

import pytest

from geo.sites.commune_resolver import CommuneResolver
from geo.sites.model import Position
from geo.sites.position import choose_position, parse_coordinates
from tests.support.world import TERRITORY, at

RESOLVER = CommuneResolver(TERRITORY)
OUESTVILLE = TERRITORY.commune_by_code["99001"]


def codes(findings):
    return [finding.code for finding in findings]


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        ("48.5", "0"),  # the meridian of Greenwich crosses France
        ("0", "2.5"),
        ("90", "180"),
        ("-90", "-180"),
        ("180", "90"),  # swapped, perhaps
        ("90.1", "45"),
    ],
)
def test_possible_coordinates_are_read(latitude, longitude):
    found = parse_coordinates(latitude, longitude)
    assert found.point == (float(longitude), float(latitude)) and found.findings == ()


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        ("0", "0"),
        ("-0", "0.0"),
        ("180.1", "45"),
        ("45", "180.1"),
        ("-180.1", "45"),
        ("45", "-180.1"),
        ("90.1", "90.1"),
        ("45", ""),
        ("", "45"),
        ("45", "nord"),
        ("nord", "45"),
    ],
)
def test_impossible_coordinates_are_flagged(latitude, longitude):
    found = parse_coordinates(latitude, longitude)
    assert found.point is None and codes(found.findings) == ["coordonnees_invalides"]


def test_no_coordinates_give_no_finding():
    assert parse_coordinates("", "") == parse_coordinates("", "")
    assert parse_coordinates("", "").findings == ()


def test_a_latitude_beyond_90_degrees_is_not_used_when_the_commune_is_unknown():
    found = choose_position(parse_coordinates("90.1", "45"), None, RESOLVER)
    assert found[:3] == (None, None, Position.INCONNUE)
    assert codes(found[3]) == ["coordonnees_invalides"]


def test_a_point_of_an_unknown_commune_is_used_as_it_is():
    given = parse_coordinates("90", "0")
    assert choose_position(given, None, RESOLVER) == (90.0, 0.0, Position.EXACTE, ())


def test_swapped_coordinates_are_put_right_only_where_that_brings_them_to_the_commune():
    here, far = at(5), at(38)
    latitude, longitude, position, findings = choose_position(
        parse_coordinates(repr(here.x), repr(here.y)), OUESTVILLE, RESOLVER
    )
    assert position is Position.EXACTE
    assert [latitude, longitude] == pytest.approx([here.y, here.x])
    assert codes(findings) == ["coordonnees_inversees"]
    *_, position, findings = choose_position(
        parse_coordinates(repr(far.x), repr(far.y)), OUESTVILLE, RESOLVER
    )
    assert position is Position.APPROXIMATIVE and codes(findings) == ["hors_commune"]


@pytest.mark.parametrize(("x_km", "position"), [(14.95, Position.EXACTE), (15.05, Position.APPROXIMATIVE)])
def test_a_point_is_believed_up_to_5_km_outside_its_commune(x_km, position):
    point = at(x_km)
    assert (
        choose_position(parse_coordinates(repr(point.y), repr(point.x)), OUESTVILLE, RESOLVER)[2] is position
    )
