"""What-if edits: read, refused with all their errors, written back, applied to a copy."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.measure import Question, measure
from geo.coverage.scenario import (
    EDITS_MAX,
    NAME_MAX,
    Close,
    Hours,
    Move,
    Open,
    apply,
    edits_to_json,
    parse_edits,
)
from geo.errors import InvalidScenario, UnknownSite
from geo.reach.travel import Travel
from geo.sites import standard
from geo.sites.model import Position
from geo.territory.model import TerritoryKind
from tests.support.world import TERRITORY, at, short, site, snapshot

WORLD = snapshot(
    site("a", 5, horaires="Mo-Fr 09:00-12:00"),
    site("b", 15, "99002", complement_adresse="Bâtiment B"),
    site("c", None, signalements=("horaires_illisibles", "position_approximative"), horaires="le mardi"),
)
SATURDAY = "Sa 09:00-12:00"


def opening(x_km=35.0, **facts):
    return {"action": "open", "name": "Antenne", "longitude": at(x_km).x, "latitude": at(x_km).y, **facts}


def moving(local_id, x_km):
    point = at(x_km)
    return {"action": "move", "site": f"essai--{local_id}", "longitude": point.x, "latitude": point.y}


def closing(local_id):
    return {"action": "close", "site": f"essai--{local_id}"}


def reopening(local_id, horaires=SATURDAY):
    return {"action": "hours", "site": f"essai--{local_id}", "horaires": horaires}


def refused(*edits):
    with pytest.raises(InvalidScenario) as caught:
        parse_edits(list(edits), WORLD)
    return caught.value.message


def applied(*edits):
    return apply(WORLD, parse_edits(list(edits), WORLD))


# --- reading and writing


def test_each_action_is_read():
    point = at(35)
    facts = {"services": [standard.SERVICES[0]], "pass_numerique": False, "horaires": SATURDAY}
    assert parse_edits([opening(**facts), closing("a"), moving("b", 35), reopening("c")], WORLD) == (
        Open(
            "Antenne",
            point.x,
            point.y,
            services=(standard.SERVICES[0],),
            pass_numerique=False,
            horaires=SATURDAY,
        ),
        Close("essai--a"),
        Move("essai--b", point.x, point.y),
        Hours("essai--c", SATURDAY),
    )


def test_no_edit_is_a_scenario_too():
    assert parse_edits([], WORLD) == ()
    assert apply(WORLD, ()) == WORLD


@st.composite
def scenarios(draw):
    """Lists of edits that do not contradict each other, as JSON."""
    x_km = st.floats(-45, 85)
    edits = []
    for local_id in draw(st.sets(st.sampled_from("abc"))):
        if draw(st.booleans()):
            edits.append(closing(local_id))
            continue
        if draw(st.booleans()):
            edits.append(moving(local_id, draw(x_km)))
        if draw(st.booleans()):
            edits.append(reopening(local_id, draw(st.sampled_from([SATURDAY, "Mo-Fr 08:00-18:00", "24/7"]))))
    for _ in range(draw(st.integers(0, 3))):
        facts = {"name": draw(st.text(min_size=1, max_size=20).filter(lambda t: t.strip().isprintable()))}
        for name, values in standard.ENUMERATIONS.items():
            facts[name] = draw(st.lists(st.sampled_from(values), max_size=2, unique=True))
        for name in ("pass_numerique", "membre_reseau", "acces_fauteuil"):
            facts[name] = draw(st.none() | st.booleans())
        if facts["name"].strip():
            edits.append(opening(draw(x_km), **facts))
    return draw(st.permutations(edits))


@settings(max_examples=60, deadline=None)
@given(scenarios())
def test_what_is_written_is_read_back(edits):
    read = parse_edits(edits, WORLD)
    assert len(read) == len(edits)
    assert parse_edits(json.loads(json.dumps(edits_to_json(read))), WORLD) == read


def test_unknown_facts_are_not_written():
    (edit,) = edits_to_json(parse_edits([opening(pass_numerique=False)], WORLD))
    assert list(edit) == ["action", "name", "longitude", "latitude", "pass_numerique"]


# --- refusals


@pytest.mark.parametrize("value", [None, {}, "[]", 3])
def test_anything_but_a_list_is_refused(value):
    with pytest.raises(InvalidScenario, match="une liste"):
        parse_edits(value, WORLD)


@pytest.mark.parametrize(
    ("edit", "field", "why"),
    [
        ("close", "action", "un objet est attendu"),
        ({"site": "essai--a"}, "action", "open, close, move, hours"),
        ({"action": "explode"}, "action", "« explode »"),
        ({"action": ["open"]}, "action", "open, close, move, hours"),
        ({"action": "close"}, "site", "il manque"),
        (closing("absent"), "site", "« essai--absent »"),
        ({"action": "close", "site": 4}, "site", "un texte est attendu"),
        (closing("a") | {"horaires": SATURDAY}, "horaires", "ce champ n'existe pas pour « close »"),
        (opening(service=["x"]), "service", "vouliez-vous dire « services »"),
        (opening(name=" \u200b"), "name", "un nom est attendu"),
        (opening(name="x" * 201), "name", "200 au plus"),
        (opening(services="Gratuit"), "services", "une liste de textes"),
        (opening(services=[1]), "services", "une liste de textes"),
        (opening(frais_a_charge=["Gratuits"]), "frais_a_charge", "« Gratuit »"),
        (opening(services=["x"] * 100), "services", "100 valeurs"),
        (opening(pass_numerique="oui"), "pass_numerique", "true ou false"),
        (opening(horaires="le samedi"), "horaires", "« le samedi »"),
        (reopening("a", ""), "horaires", "ne se lit pas"),
        (opening() | {"longitude": "0.5"}, "longitude", "un nombre entre -180 et 180"),
        (opening() | {"latitude": True}, "latitude", "un nombre entre -90 et 90"),
        (opening() | {"latitude": float("nan")}, "latitude", "un nombre"),
        (opening() | {"longitude": 10**400}, "longitude", "un nombre"),
        (moving("a", 95), "longitude", "à plus de 50\u00a0km du territoire"),
        (opening() | {"longitude": -170.0, "latitude": -80.0}, "longitude", "à plus de 50\u00a0km"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_by_rank_and_field(edit, field, why):
    said = refused(closing("b"), edit)
    assert f"modification 2, champ « {field} » : " in said
    assert why in said
    assert said.startswith("Ce scénario a une erreur")


def test_coordinates_given_the_wrong_way_round_are_refused_with_their_order():
    point = at(35)
    said = refused({"action": "open", "name": "Antenne", "longitude": point.y, "latitude": point.x})
    assert "longitude d'abord" in said


def test_all_errors_are_told_together():
    said = refused(closing("absent"), opening(name="", services=["x"], horaires="?"), closing("a"), 3)
    assert said.startswith("Ce scénario a 5 erreurs")
    for place in ("1, champ « site »", "2, champ « name »", "2, champ « services »", "2, champ « horaires »"):
        assert f"modification {place}" in said
    assert "modification 4, champ « action »" in said


@pytest.mark.parametrize(
    "pair",
    [
        (closing("a"), closing("a")),
        (closing("a"), reopening("a")),
        (moving("a", 25), closing("a")),
        (moving("a", 25), moving("a", 35)),
        (reopening("a"), reopening("a", "24/7")),
    ],
)
def test_edits_that_contradict_each_other_are_refused(pair):
    said = refused(opening(), *pair)
    assert "modification 3, champ « site » : la modification 2 porte déjà sur « essai--a »" in said


def test_too_many_edits_are_refused():
    assert str(EDITS_MAX) in refused(*[opening()] * (EDITS_MAX + 1))


def test_exactly_the_largest_number_of_edits_is_accepted():
    assert len(parse_edits([opening()] * EDITS_MAX, WORLD)) == EDITS_MAX


def test_a_name_of_exactly_the_longest_length_is_accepted():
    (edit,) = parse_edits([opening(name="x" * NAME_MAX)], WORLD)
    assert isinstance(edit, Open)
    assert len(edit.name) == NAME_MAX


# --- applying


def test_an_opened_site_is_placed_in_its_commune():
    after = applied(opening(35, services=[standard.SERVICES[0]], acces_fauteuil=True), opening(5, name="B"))
    first, second = after.site("scenario--1"), after.site("scenario--2")
    assert (first.nom, first.commune, first.code_insee, first.code_postal) == (
        "Antenne",
        "Estbourg",
        "99004",
        "99100",
    )
    assert (first.services, first.acces_fauteuil, first.pass_numerique) == (
        (standard.SERVICES[0],),
        True,
        None,
    )
    assert (first.position, first.date_maj, first.fictif) == (Position.EXACTE, None, False)
    assert (second.nom, second.code_insee) == ("B", "99001")
    assert [s.id for s in after.sites] == sorted(s.id for s in after.sites)


def test_a_site_opened_where_no_commune_is_known_has_none():
    opened = applied(opening(60)).site("scenario--1")
    assert (opened.commune, opened.code_insee, opened.code_postal) == ("", "", "")


def test_a_site_opened_beyond_the_border_belongs_to_the_neighbour():
    assert applied(opening(45)).site("scenario--1").code_insee == "96001"


def test_opened_sites_never_take_an_identifier_in_use():
    twice = apply(applied(opening()), parse_edits([opening(5)], WORLD))
    assert [s.id for s in twice.sites if s.jeu_de_donnees == "scenario"] == ["scenario--1", "scenario--2"]


def test_a_closed_site_is_gone():
    after = applied(closing("a"))
    assert [s.id for s in after.sites] == ["essai--b", "essai--c"]
    with pytest.raises(UnknownSite):
        after.site("essai--a")


def test_a_moved_site_changes_commune_and_loses_its_address():
    moved = applied(moving("b", 35)).site("essai--b")
    expected = replace(
        WORLD.site("essai--b"),
        longitude=at(35).x,
        latitude=at(35).y,
        commune="Estbourg",
        code_insee="99004",
        adresse="",
        complement_adresse="",
    )
    assert moved == expected


def test_a_site_moved_within_its_commune_keeps_its_postal_code():
    world = snapshot(site("a", 5, code_postal="99199"))
    moved = apply(world, parse_edits([moving("a", 6)], world)).site("essai--a")
    assert (moved.code_postal, moved.commune) == ("99199", "Ouestville")


def test_moving_an_unlocated_site_places_it_exactly():
    moved = applied(moving("c", 6)).site("essai--c")
    assert moved.position is Position.EXACTE and moved.located
    assert moved.signalements == ("horaires_illisibles",)


def test_other_hours_replace_the_unreadable_ones():
    after = applied(reopening("c")).site("essai--c")
    assert (after.horaires, after.signalements) == (SATURDAY, ("position_approximative",))


def test_one_site_may_be_moved_and_open_at_other_hours():
    after = applied(moving("a", 25), reopening("a")).site("essai--a")
    assert (after.code_insee, after.horaires) == ("99003", SATURDAY)


def test_the_snapshot_given_stays_as_it_was():
    before = replace(WORLD)
    assert before.site_xy.shape == (3, 2)
    after = apply(before, parse_edits([opening(), closing("a"), moving("b", 35)], before))
    assert before == WORLD
    assert after.territory is before.territory and after.version == before.version
    assert after.site_xy.shape == (3, 2) and not (after.site_xy[0] == before.site_xy[0]).all()


def test_edits_of_a_site_that_has_left_since_are_told():
    edits = parse_edits([closing("a")], WORLD)
    with pytest.raises(UnknownSite, match="essai--a"):
        apply(snapshot(site("b", 15)), edits)


MERGED = replace(WORLD, redirects={"essai--old": "essai--a", "essai--lost": "essai--gone"})


@pytest.mark.parametrize(
    ("edit", "sites"),
    [
        (closing("old"), ["b", "c"]),
        (moving("old", 15), ["a", "b", "c"]),
        (reopening("old"), ["a", "b", "c"]),
    ],
)
def test_an_edit_of_a_merged_identifier_is_of_the_site_that_stands_for_it(edit, sites):
    edits = parse_edits([edit], MERGED)
    found = edits[0]
    assert not isinstance(found, Open) and found.site == "essai--a"
    assert [short(s) for s in apply(MERGED, edits).sites] == sites
    stored = replace(found, site="essai--old")
    assert apply(MERGED, [stored]).sites == apply(MERGED, edits).sites
    assert apply(MERGED, [stored]).sites != MERGED.sites


def test_edits_of_merged_identifiers_contradict_each_other_as_those_of_one_site():
    with pytest.raises(InvalidScenario, match=r"modification 2, .* « essai--a » et la contredit"):
        parse_edits([closing("old"), moving("a", 25)], MERGED)
    accepted = parse_edits([moving("old", 15), reopening("a")], MERGED)
    (moved,) = [s for s in apply(MERGED, accepted).sites if s.id == "essai--a"]
    assert (moved.code_insee, moved.horaires) == ("99002", SATURDAY)
    with pytest.raises(InvalidScenario, match="essai--lost"):
        parse_edits([closing("lost")], MERGED)


def test_a_scenario_changes_what_is_measured():
    def estbourg(country):
        frame = AnalysisContext(country, Travel(None, detour_factor=1.3), date(2026, 11, 23))
        return measure(frame, Question()).by_territory(TerritoryKind.COMMUNE)[3]

    before, after = estbourg(WORLD), estbourg(applied(opening(35)))
    assert before.median_min == pytest.approx(26 * 60 / 45, rel=0.01)
    assert after.median_min == pytest.approx(0, abs=0.01)
    assert (after.nearest_site_id, after.site_count) == ("scenario--1", 1)
    assert TERRITORY.find("99004").name == after.name
