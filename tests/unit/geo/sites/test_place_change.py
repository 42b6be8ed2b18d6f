"""A decision about two records is taken again when one of them has become another place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from geo.crs import LAMBERT_93
from geo.sites.model import Position, SourceRecord
from geo.sites.place_change import MOVED_M, basis, is_other_place, place_change
from tests.support.world import record

BEFORE = record("a", 2.0, nom="Mairie")


def change(before: SourceRecord, after: SourceRecord) -> str | None:
    return place_change(basis(before), basis(after), epsg=LAMBERT_93)


def moved(metres: float) -> SourceRecord:
    return record("a", 2.0 + metres / 1_000, nom="Mairie")


def test_an_unchanged_record_keeps_its_decisions():
    assert change(BEFORE, BEFORE) is None


@pytest.mark.parametrize(("metres", "stale"), [(0, False), (999.9, False), (1_000.1, True), (7_500, True)])
def test_a_move_over_one_kilometre_reopens(metres, stale):
    assert MOVED_M == 1_000
    assert bool(change(BEFORE, moved(metres))) is stale
    assert bool(change(moved(metres), BEFORE)) is stale


def test_a_move_says_how_far():
    assert change(BEFORE, moved(2_500)) == "« Mairie » s'est déplacé de 2,5\u00a0km"


@pytest.mark.parametrize("position", [Position.RUE, Position.APPROXIMATIVE, Position.INCONNUE])
def test_a_point_that_is_not_the_door_does_not_move(position):
    assert change(replace(BEFORE, position=position), moved(7_000)) is None
    assert change(BEFORE, replace(moved(7_000), position=position)) is None
    assert change(BEFORE, replace(BEFORE, latitude=None, longitude=None)) is None
    assert change(BEFORE, replace(moved(7_000), position=Position.ADRESSE)) is not None


def test_a_decision_stored_without_position_had_a_point_of_its_own():
    old = basis(BEFORE)
    del old["position"]
    assert place_change(old, basis(moved(2_500)), epsg=LAMBERT_93) is not None


def test_another_commune_reopens_and_says_which():
    after = replace(BEFORE, code_insee="99002", commune="Estville")
    assert change(BEFORE, after) == f"« Mairie » est passé de {BEFORE.commune} à Estville"
    assert (change(BEFORE, replace(after, commune="")) or "").endswith("à 99002")


def test_a_commune_that_becomes_known_is_no_move():
    unknown = replace(BEFORE, code_insee="", commune="")
    assert change(unknown, BEFORE) is None
    assert change(BEFORE, unknown) is None


def test_communes_without_code_are_compared_by_name():
    one, other = (replace(BEFORE, code_insee="", commune=name) for name in ("Évilo", "Ailleurs"))
    assert change(one, replace(one, commune="EVILO")) is None
    assert change(one, other) is not None


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
    reason = change(replace(BEFORE, nom=old), replace(BEFORE, nom=new))
    assert reason == (f"« {old} » s'appelle désormais « {new} »" if stale else None)


ELSEWHERE: dict[str, Any] = {"code_insee": "99002", "commune": "Deux-Étangs"}


def reused(before: SourceRecord, after: SourceRecord) -> bool:
    return is_other_place(basis(before), basis(after), epsg=LAMBERT_93)


@pytest.mark.parametrize(
    ("old", "new", "x_km", "expected"),
    [
        ("Mairie", "Médiathèque", 2.0, True),
        ("Mairie", "Mairie", 2.0, False),  # the commune was corrected
        ("Mairie", "Mairie", 2.999, False),
        ("Mairie", "Mairie", 3.001, True),
        ("Mairie d’Ouestville", "Mairie de Deux-Étangs", 15.0, True),
        ("CCAS", "CCAS", 15.0, True),
        ("Médiathèque Colette", "Médiathèque Colette", 15.0, False),  # it moved
        ("Association Le Fil", "Association Le Fil", 15.0, False),
        ("Association", "Association", 15.0, False),
        ("Mairie", "Mairie", None, True),
    ],
)
def test_an_identifier_is_reused_if_another_commune_has_another_place_under_it(old, new, x_km, expected):
    after = replace(record("a", x_km, nom=new), **ELSEWHERE)
    assert reused(replace(BEFORE, nom=old), after) is expected
    assert reused(after, replace(BEFORE, nom=old)) is expected


def test_an_identifier_is_not_reused_within_a_commune():
    assert not reused(BEFORE, replace(BEFORE, nom="Médiathèque"))
    assert not reused(BEFORE, record("a", 9.0, nom="Médiathèque"))
    assert not reused(BEFORE, replace(BEFORE, nom="Médiathèque", code_insee=""))
