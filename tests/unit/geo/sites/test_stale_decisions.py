"""A decision about two records is taken again when one of them has become another place."""

from __future__ import annotations

from dataclasses import replace
from math import degrees

import pytest

from geo.sites.model import Position
from geo.sites.stale_decisions import MOVED_M, stale_reason
from tests.support.world import site

RADIUS_M = 6_371_008.8
BEFORE = site("a", 5.0, nom="Mairie")


def moved(metres: float):
    return replace(BEFORE, latitude=BEFORE.latitude + degrees(metres / RADIUS_M))


def test_an_unchanged_record_keeps_its_decisions():
    assert stale_reason(BEFORE, BEFORE) is None


@pytest.mark.parametrize(("metres", "stale"), [(0, False), (999.9, False), (1_000.1, True), (40_000, True)])
def test_a_move_over_one_kilometre_reopens(metres, stale):
    assert MOVED_M == 1_000
    assert bool(stale_reason(BEFORE, moved(metres))) is stale
    assert bool(stale_reason(moved(metres), BEFORE)) is stale


def test_a_move_says_how_far():
    assert stale_reason(BEFORE, moved(2_500)) == "la fiche s’est déplacée de 2,5\u00a0km"


@pytest.mark.parametrize(("x_km", "stale"), [(5.95, False), (6.05, True)])
def test_a_move_to_the_east_is_measured_along_the_parallel(x_km, stale):
    assert bool(stale_reason(BEFORE, site("a", x_km, nom="Mairie"))) is stale


@pytest.mark.parametrize("position", [Position.APPROXIMATIVE, Position.INCONNUE])
def test_a_point_at_the_town_hall_does_not_move(position):
    assert stale_reason(replace(BEFORE, position=position), moved(9_000)) is None
    assert stale_reason(BEFORE, replace(moved(9_000), position=position)) is None
    assert stale_reason(BEFORE, replace(BEFORE, latitude=None, longitude=None)) is None


def test_another_commune_reopens_and_says_which():
    after = replace(BEFORE, code_insee="99002", commune="Estville")
    assert (
        stale_reason(BEFORE, after) == f"la fiche a changé de commune : {BEFORE.commune} est devenu Estville"
    )
    nameless = replace(after, commune="")
    assert (stale_reason(BEFORE, nameless) or "").endswith("est devenu 99002")


def test_a_commune_that_becomes_known_is_no_move():
    unknown = replace(BEFORE, code_insee="", commune="")
    assert stale_reason(unknown, BEFORE) is None
    assert stale_reason(BEFORE, unknown) is None


def test_communes_without_code_are_compared_by_name():
    one, other = (replace(BEFORE, code_insee="", commune=name) for name in ("Évilo", "Ailleurs"))
    assert stale_reason(one, replace(one, commune="EVILO")) is None
    assert stale_reason(one, other) is not None


@pytest.mark.parametrize(
    ("old", "new", "stale"),
    [
        ("Mairie", "Mairie de Ouestville", False),
        ("Mairie", "France services Ouestville", False),
        ("Médiathèque Colette", "Mediatheque COLETTE", False),
        ("Atelier du Port fictif", "Atelier du Port fictive", False),
        ("Mairie", "Mairie annexe", True),
        ("Mairie", "Médiathèque", True),
        ("Mairie", "Garage Exemple", True),
        ("France services", "Mission locale", True),
    ],
)
def test_a_name_of_another_place_reopens(old, new, stale):
    reason = stale_reason(replace(BEFORE, nom=old), replace(BEFORE, nom=new))
    expected = f"la fiche a changé de nom : « {old} » est devenu « {new} »" if stale else None
    assert reason == expected
