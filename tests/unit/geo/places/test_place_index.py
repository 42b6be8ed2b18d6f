"""Search of communes and postcodes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import UnknownPlace
from geo.places.model import PlaceKind, best_first
from geo.places.place_index import NEIGHBOUR_EXACT_WEIGHT, NEIGHBOUR_WEIGHT, PART_WEIGHT, PlaceIndex
from geo.settings import Settings
from geo.territory.files import read_territory
from tests.support.world import CONTEXT, TERRITORY


@pytest.fixture(scope="module")
def shipped():
    settings = Settings()
    return PlaceIndex(read_territory(settings.territory_dir, settings.departement))


def first(index, text):
    return index.search(text, 1)[0]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("agen", "Agen"),
        ("agen 47000", "Agen"),
        ("47000 AGEN CEDEX", "Agen"),
        ("Villeneuve sur lot", "Villeneuve-sur-Lot"),
        ("villeneuve s/lot", "Villeneuve-sur-Lot"),
        ("vileneuve", "Villeneuve-sur-Lot"),
        ("mairie de Lavardac", "Lavardac"),
        ("st antoine de ficalba", "Saint-Antoine-de-Ficalba"),
        ("ste livrade", "Sainte-Livrade-sur-Lot"),
        ("le passage", "Le Passage"),
        ("Passage", "Le Passage"),
        ("nérak", "Nérac"),
        ("marmende", "Marmande"),
        ("tonnein", "Tonneins"),
        ("castelj", "Casteljaloux"),
        ("47143", "Lavardac"),
        ("47300 bias", "Bias"),
        ("beaupuy", "Beaupuy"),
    ],
)
def test_a_commune_is_found_as_people_write_it(shipped, text, label):
    found = first(shipped, text)
    assert (found.label, found.kind) == (label, PlaceKind.COMMUNE)
    assert found.commune.startswith("47")


def test_every_commune_of_the_territory_is_found_by_its_own_name(shipped):
    settings = Settings()
    for commune in read_territory(settings.territory_dir, settings.departement).communes:
        assert first(shipped, commune.name).id == f"commune-{commune.code}"


def test_a_postcode_is_found_with_its_communes(shipped):
    found = shipped.search("47300", 10)
    assert (found[0].id, found[0].kind, found[0].score) == ("cp-47300", PlaceKind.POSTCODE, 1.0)
    assert found[0].context == "Villeneuve-sur-Lot et 4 autres"
    assert found[1].label == "Villeneuve-sur-Lot" and len(found) == 6
    assert first(shipped, "473").label == "47300"
    assert shipped.search("99999", 3) == [] and shipped.search("123456", 3) == []


def test_the_commune_of_an_address_is_found_but_worth_less(shipped):
    for text in ("12 rue de l'Exemple, 47000 Agen", "rue de l'exemple agen", "agen rue de l'exemple"):
        found = first(shipped, text)
        assert found.label == "Agen" and found.score < 0.7, text
    assert shipped.named_in("rue de l'exemple agen") == ("47001",)
    assert shipped.named_in("rue de l'exemple lavardak") == ("47143",)
    assert shipped.named_in("agen") == ()


def test_own_communes_come_before_the_neighbours_of_the_same_name():
    double = replace(CONTEXT[0], name="Estbourg", population=90_000)
    index = PlaceIndex(replace(TERRITORY, context=(double,)))
    assert [p.commune for p in index.search("estbourg", 5)] == ["99004", "96001"]


def test_a_neighbour_is_worth_less_and_least_when_its_name_is_misspelt():
    index = PlaceIndex(TERRITORY)
    exact, misspelt, own = (first(index, text) for text in ("outre-borne", "outre-bornne", "estbourg"))
    assert (exact.commune, exact.score) == ("96001", NEIGHBOUR_EXACT_WEIGHT)
    assert misspelt.commune == "96001"
    assert (
        0.7 * NEIGHBOUR_WEIGHT < misspelt.score < NEIGHBOUR_WEIGHT < NEIGHBOUR_EXACT_WEIGHT < own.score == 1
    )


def test_a_neighbour_named_in_an_address_has_the_weight_of_an_exact_name():
    found = first(PlaceIndex(TERRITORY), "12 rue de l'Exemple outre-borne")
    assert found.commune == "96001" and found.score == pytest.approx(PART_WEIGHT * NEIGHBOUR_EXACT_WEIGHT)


def test_a_postcode_is_found_whole_or_in_part_and_one_of_a_neighbour_is_worth_less():
    index = PlaceIndex(TERRITORY)
    found = {text: [(p.id, p.score) for p in index.search(text, 2)] for text in ("96100", "961", "9")}
    assert found == {
        "96100": [("cp-96100", 1.0), ("commune-96001", 0.846)],
        "961": [("cp-96100", 0.752)],
        "9": [("cp-99100", 0.6), ("cp-96100", 0.564)],
    }
    assert index.search("99004", 5) == [index.place("commune-99004")]


def test_a_postcode_halves_the_doubt_about_a_name():
    index = PlaceIndex(TERRITORY)
    alone, with_postcode = (first(index, text).score for text in ("estbour", "99100 estbour"))
    assert with_postcode == pytest.approx((1 + alone) / 2, abs=1e-4)
    assert [(p.id, p.score) for p in index.search("99100 introuvable", 5)] == [("cp-99100", 0.6)]


def test_of_equals_the_more_populated_comes_first():
    small, large = (replace(TERRITORY.communes[n], name="Même-Nom") for n in (0, 1))
    index = PlaceIndex(replace(TERRITORY, communes=(small, large), context=()))
    assert [p.commune for p in index.search("meme nom", 5)] == ["99002", "99001"]


def test_a_place_is_where_its_town_hall_is():
    found = PlaceIndex(TERRITORY).place("commune-99002")
    hall = TERRITORY.commune_by_code["99002"].town_hall
    assert (found.longitude, found.latitude) == (hall.x, hall.y)
    postcode = PlaceIndex(TERRITORY).place("cp-99100")
    assert postcode.commune == "99004" and postcode.context == "Estbourg et 3 autres"


@pytest.mark.parametrize(
    "place_id", ["", "commune-", "commune-00000", "cp-00000", "ban-x", "99001", "cp", "x" * 500]
)
def test_an_unknown_identifier_is_refused(place_id):
    with pytest.raises(UnknownPlace):
        PlaceIndex(TERRITORY).place(place_id)


@given(st.text(max_size=250))
def test_any_query_returns_existing_places(text):
    index = PlaceIndex(TERRITORY)
    found = index.search(text, 3)
    assert len(found) <= 3
    for place in found:
        assert 0 <= place.score <= 1
        assert replace(index.place(place.id), score=place.score) == place


def test_a_place_found_by_several_sources_is_listed_once():
    found = PlaceIndex(TERRITORY).search("99100", 5)
    assert best_first([*found, *found], 5) == found
