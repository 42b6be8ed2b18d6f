"""Need: inhabitants weighted by indicators, by hand and by its properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from geo.errors import InvalidParameter, PorteeError
from geo.people.model import Indicator, People
from geo.people.need import inhabitants_of, missing, need, parse_weights
from geo.people.town_halls import people_at_town_halls
from geo.territory.model import Provenance
from tests.support.world import TERRITORY

SOURCE = Provenance("Essai", "Tests", "2026", "Licence Ouverte 2.0")


def indicator(code, **values):
    told = {name.removeprefix("c"): value for name, value in values.items()}
    return Indicator(code, f"Indice {code}", "", "commune", SOURCE, told)


def people(*counted, aged=None):
    codes, inhabitants = zip(*counted, strict=True)
    n = len(codes)
    return People(
        commune=np.array(codes),
        xy=np.zeros((n, 2)),
        inhabitants=np.array(inhabitants, dtype=np.float64),
        aged_65=np.full(n, np.nan) if aged is None else np.array(aged, dtype=np.float64),
    )


PLACES = people(("99001", 100), ("99001", 200), ("99002", 100), ("99004", 600))


def test_need_is_what_the_formula_says():
    told = {
        "ifn": indicator("ifn", c99001=100, c99002=200),
        "age": indicator("age", c99001=2, c99002=2, c99004=1),
    }
    found = need(PLACES, told, {"ifn": 0.6, "age": 0.4})
    ifn_mean, age_mean = (300 * 100 + 100 * 200) / 400, (300 * 2 + 100 * 2 + 600 * 1) / 1_000
    first = 1 + 0.6 * (100 / ifn_mean - 1) + 0.4 * (2 / age_mean - 1)
    second = 1 + 0.6 * (200 / ifn_mean - 1) + 0.4 * (2 / age_mean - 1)
    third = 1 + 0.4 * (1 / age_mean - 1)
    assert found == pytest.approx([first, first, second, third])
    assert missing(PLACES, told, {"ifn": 0.6, "age": 0.4}) == {"ifn": ("99004",), "age": ()}


def test_full_weight_makes_need_proportional_to_the_indicator():
    told = {"ifn": indicator("ifn", c99001=50, c99002=100, c99004=0)}
    found = need(PLACES, told, {"ifn": 1.0})
    assert found[2] == pytest.approx(2 * found[0]) and found[3] == 0


counts = st.lists(st.tuples(st.sampled_from("ABCDE"), st.integers(0, 500)), min_size=1, max_size=20)
values = st.dictionaries(st.sampled_from("ABCDE"), st.integers(0, 300).map(float), max_size=5)


@given(counted=counts, first=values, second=values, a=st.floats(0, 1), b=st.floats(0, 1))
def test_need_is_never_negative_and_its_mean_is_one(counted, first, second, a, b):
    assume(a + b <= 1)
    places = people(*counted)
    assume(places.inhabitants.sum() > 0)
    told = {
        "un": Indicator("un", "", "", "commune", SOURCE, first),
        "deux": Indicator("deux", "", "", "commune", SOURCE, second),
    }
    found = need(places, told, {"un": a, "deux": b})
    assert found.shape == places.inhabitants.shape and (found >= -1e-12).all() and np.isfinite(found).all()
    assert np.average(found, weights=places.inhabitants) == pytest.approx(1)


def test_without_weights_everybody_counts_for_one():
    told = {"ifn": indicator("ifn", c99001=50, c99002=-1)}
    assert need(PLACES, told, {}).tolist() == need(PLACES, told, {"ifn": 0}).tolist() == [1, 1, 1, 1]


def test_an_indicator_that_is_nought_everywhere_or_told_nowhere_moves_nothing():
    told = {"nul": indicator("nul", c99001=0, c99002=0), "ailleurs": indicator("ailleurs", c96001=5)}
    assert need(PLACES, told, {"nul": 0.5, "ailleurs": 0.5}).tolist() == [1, 1, 1, 1]
    assert missing(PLACES, told, {"nul": 0, "ailleurs": 0.5}) == {"ailleurs": ("99001", "99002", "99004")}


@pytest.mark.parametrize(
    ("weights", "why"),
    [
        ({"ifn": 1.2}, "entre 0 et 1"),
        ({"ifn": -0.1}, "entre 0 et 1"),
        ({"ifn": math.nan}, "entre 0 et 1"),
        ({"ifn": 0.7, "age": 0.4}, "dépasser 1"),
        ({"inconnu": 0.1}, "Indicateurs chargés : age, ifn"),
        ({"solde": 0.1}, "il vaut -3 à 99002"),
    ],
)
def test_weights_that_mean_nothing_are_refused(weights, why):
    told = {"ifn": indicator("ifn", c99001=1), "age": indicator("age", c99001=1)}
    if "solde" in weights:
        told["solde"] = indicator("solde", c99001=4, c99002=-3)
    with pytest.raises(PorteeError, match=why):
        need(PLACES, told, weights)


@pytest.mark.parametrize("text", ["ifn", "ifn:0.2,ifn:0.3"])
def test_a_refusal_of_a_text_of_weights_gives_an_example(text):
    with pytest.raises(InvalidParameter) as refusal:
        parse_weights(text)
    assert refusal.value.advice == "Écrivez par exemple « ifn:0.5,pauvrete:0.2 »."
    assert refusal.value.parameter == "weights"


def test_weights_that_sum_to_one_but_for_rounding_are_taken():
    told = {code: indicator(code, c99001=1, c99002=2) for code in "abcdefghij"}
    assert need(PLACES, told, dict.fromkeys(told, 0.1)).min() >= 0


def test_those_aged_65_are_counted_where_the_source_tells():
    places = people(("99001", 100), ("99002", 50), aged=(30, math.nan))
    assert inhabitants_of(places, "all").tolist() == [100, 50]
    assert inhabitants_of(places, "65").tolist() == [30, 0]


def test_ages_that_the_source_does_not_tell_are_refused():
    with pytest.raises(PorteeError, match=r"ne dit pas l'âge.*mairie"):
        inhabitants_of(people_at_town_halls(TERRITORY), "65")
    with pytest.raises(PorteeError, match="all ou 65"):
        inhabitants_of(PLACES, "75")  # type: ignore[arg-type]
