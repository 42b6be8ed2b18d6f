"""Coordinates of a source: which are read, which are believed, and where a site is then placed."""

from __future__ import annotations

import pytest

from geo.crs import project
from geo.sites.commune_resolver import CommuneResolver
from geo.sites.coordinates import parse_coordinates
from geo.sites.location_evidence import AddressMatch
from geo.sites.model import Position
from geo.sites.position import Placed, choose_position
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
    assert (found.latitude, found.longitude, found.position) == (None, None, Position.INCONNUE)
    assert codes(found.findings) == ["coordonnees_invalides"]


def test_a_point_of_an_unknown_commune_is_used_as_it_is():
    given = parse_coordinates("90", "0")
    assert choose_position(given, None, RESOLVER) == Placed(90.0, 0.0, Position.EXACTE, ())


def test_swapped_coordinates_are_put_right_only_where_that_brings_them_to_the_commune():
    here, far = at(5), at(38)
    found = choose_position(parse_coordinates(repr(here.x), repr(here.y)), OUESTVILLE, RESOLVER)
    assert found.position is Position.EXACTE
    assert [found.latitude, found.longitude] == pytest.approx([here.y, here.x])
    assert codes(found.findings) == ["coordonnees_inversees"]
    found = choose_position(parse_coordinates(repr(far.x), repr(far.y)), OUESTVILLE, RESOLVER)
    assert found.position is Position.APPROXIMATIVE and codes(found.findings) == ["hors_commune"]


@pytest.mark.parametrize(("x_km", "position"), [(14.95, Position.EXACTE), (15.05, Position.APPROXIMATIVE)])
def test_a_point_is_believed_up_to_5_km_outside_its_commune(x_km, position):
    point = at(x_km)
    given = parse_coordinates(repr(point.y), repr(point.x))
    assert choose_position(given, OUESTVILLE, RESOLVER).position is position


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        ("44°12'30\"N", "0°37'00\"E", (44.208333, 0.616667)),
        ("44° 12' 30'' N", "0° 37' 0'' E", (44.208333, 0.616667)),
        ("44º12′30″", "0º37′0″", (44.208333, 0.616667)),
        ("44°12’30”N", "0°37’00”E", (44.208333, 0.616667)),
        ("N 44°12'30,5\"", "W 0°15'", (44.208472, -0.25)),
        ("44° 12,5' N", "0° 15' O", (44.208333, -0.25)),
        ("44 12 30", "0 37 0", (44.208333, 0.616667)),
        ("44d12m30s", "-0d15m0s", (44.208333, -0.25)),
        ("44°12'30\" Nord", "0°15' Ouest", (44.208333, -0.25)),
        ("44.2033°", "0.6163°", (44.2033, 0.6163)),
        ("44,2033 N", "0,6163 E", (44.2033, 0.6163)),
        ("12°06'S", "96°50'E", (-12.1, 96.833333)),
    ],
)
def test_degrees_minutes_and_seconds_are_read(latitude, longitude, expected):
    found = parse_coordinates(latitude, longitude)
    assert (found.latitude, found.longitude) == pytest.approx(expected, abs=1e-6)
    assert codes(found.findings) == ["coordonnees_sexagesimales"]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("44.2033, 0.6163", (44.2033, 0.6163)),
        ("44.2033,0.6163", (44.2033, 0.6163)),
        ("44.2033,-0.6163", (44.2033, -0.6163)),
        ("44.2033 0.6163", (44.2033, 0.6163)),
        ("44,2033 ; 0,6163", (44.2033, 0.6163)),
        ("44.2033 / 0.6163", (44.2033, 0.6163)),
        ("44°12'30\"N 0°37'00\"E", (44.208333, 0.616667)),
        ("44° 12' 30\" N, 0° 15' O", (44.208333, -0.25)),
    ],
)
@pytest.mark.parametrize("empty_first", [False, True])
def test_both_coordinates_in_one_cell_are_separated(cell, expected, empty_first):
    found = parse_coordinates(*(("", cell) if empty_first else (cell, "")))
    assert (found.latitude, found.longitude) == pytest.approx(expected, abs=1e-6)
    assert codes(found.findings)[0] == "coordonnees_jointes"


def test_cells_whose_letters_are_exchanged_are_put_in_order():
    found = parse_coordinates("0°37'E", "44°12'N")
    assert found.point == pytest.approx((0.616667, 44.2), abs=1e-6)
    assert codes(found.findings) == ["coordonnees_inversees"]


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        ("44°60'00\"N", "0°37'E"),
        ("44°12'60\"N", "0°37'E"),
        ("44.5°12'N", "0°37'E"),
        ("44°12'N", "0°37'N"),
        ("44°12'E", "0°37'E"),
        ("N44°12'N", "0°37'E"),
        ("44 75", "0 0"),
        ("181°N", "0°E"),
    ],
)
def test_impossible_angles_are_flagged(latitude, longitude):
    found = parse_coordinates(latitude, longitude)
    assert found.point is None and codes(found.findings) == ["coordonnees_invalides"]


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        ("6405000", "505000"),
        ("505000", "6405000"),
        ("6405000.0", "505000.00"),
        ("6405000,0", "505000,0"),
        ("6 405 000", "505 000"),
    ],
)
def test_metres_of_lambert_93_are_converted_in_either_order_and_flagged(latitude, longitude):
    here = at(5)
    found = parse_coordinates(latitude, longitude)
    assert found.point == pytest.approx((here.x, here.y), abs=1e-6)
    assert codes(found.findings) == ["coordonnees_projetees"]
    placed = choose_position(found, OUESTVILLE, RESOLVER)
    assert placed.position is Position.EXACTE and codes(placed.findings) == ["coordonnees_projetees"]


@pytest.mark.parametrize("epsg", [27572, 3944, 3945, 3857])
def test_metres_of_other_projections_are_converted_only_where_a_place_is_expected(epsg):
    here = at(5)
    x, y = project(here.x, here.y, epsg)[0]
    assert parse_coordinates(f"{y:.1f}", f"{x:.1f}").point != pytest.approx((here.x, here.y), abs=1e-3)
    found = parse_coordinates(f"{y:.1f}", f"{x:.1f}", expected=RESOLVER.contains)
    assert found.point == pytest.approx((here.x, here.y), abs=1e-5)
    assert f"EPSG:{epsg}" in found.findings[0].detail


def test_metres_of_the_territory_overseas_are_converted():
    found = parse_coordinates("7691000", "339000", metric_crs=2975)
    assert found.point == pytest.approx((55.45, -20.88), abs=0.05)


@pytest.mark.parametrize(("latitude", "longitude"), [("442033", "6163"), ("44.2033", "6163"), ("1e6", "1e6")])
def test_numbers_that_are_no_metres_of_france_are_not_used(latitude, longitude):
    found = parse_coordinates(latitude, longitude, expected=RESOLVER.contains)
    assert found.point is None and codes(found.findings) == ["coordonnees_invalides"]


HOUSE = AddressMatch("99001", 0.5, 44.5, Position.ADRESSE, "12 rue Fictive, 99100 Ouestville")


@pytest.mark.parametrize(
    ("latitude", "longitude", "findings"),
    [
        ("", "", ["position_adresse"]),
        ("0", "0", ["coordonnees_invalides", "position_adresse"]),
        ("48.0", "7.5", ["hors_commune", "position_adresse"]),
    ],
)
def test_an_address_that_is_known_replaces_the_town_hall(latitude, longitude, findings):
    found = choose_position(
        parse_coordinates(latitude, longitude), OUESTVILLE, RESOLVER, address=lambda: HOUSE
    )
    assert (found.longitude, found.latitude, found.position) == (0.5, 44.5, Position.ADRESSE)
    assert codes(found.findings) == findings
    assert found.findings[-1].value == HOUSE.label


def test_an_address_is_not_looked_up_for_a_point_that_is_believed():
    here = at(5)
    given = parse_coordinates(repr(here.y), repr(here.x))
    assert choose_position(given, OUESTVILLE, RESOLVER, address=pytest.fail).position is Position.EXACTE


@pytest.mark.parametrize("exported", ["approximative", "adresse", "rue"])
def test_a_position_of_our_own_export_stays_what_it_was(exported):
    far = at(38)
    given = parse_coordinates(repr(far.y), repr(far.x))
    found = choose_position(given, OUESTVILLE, RESOLVER, exported=exported)
    assert (found.position.value, found.longitude) == (exported, far.x)
