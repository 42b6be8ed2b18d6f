"""Parsing of place queries, and similarity of misspelt names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.places.name_similarity import NameMatcher, phonetic_key
from geo.places.query_words import WORDS_MAX, closest_street_type, name_key, parse_query, split_street_type

TEXTS = st.text(max_size=300)


def alike(asked: str, name: str) -> float:
    return float(NameMatcher([name]).similarity_to([asked], prefixes=False)[0, 0])


@pytest.mark.parametrize(
    ("text", "key", "number", "repetition", "postcode"),
    [
        ("12 rue de l'Exemple", "rue exemple", 12, "", ""),
        ("12bis, Rue de l’Exemple 47000 AGEN", "rue exemple agen", 12, "bis", "47000"),
        ("12 b rue x", "rue x", 12, "b", ""),
        ("12 l'église", "eglise", 12, "", ""),
        ("12-14 rue x", "rue x", 12, "", ""),
        ("rue de l'Exemple 12 bis, 47000 Agen", "rue exemple agen", 12, "bis", "47000"),
        ("rue des 3 moulins agen", "rue 3 moulins agen", None, "", ""),
        ("place du 14 juillet agen", "place 14 juillet agen", None, "", ""),
        ("rue du 19 mars 1962 agen", "rue 19 mars 1962 agen", None, "", ""),
        ("rue de l'Exemple, 12 ter", "rue exemple", 12, "ter", ""),
        ("rue du 8 mai 1945", "rue 8 mai 1945", None, "", ""),
        ("8 mai 1945", "8 mai 1945", None, "", ""),
        ("3 rue du 8 mai 1945", "rue 8 mai 1945", 3, "", ""),
        ("av. du Gal Leclerc", "avenue general leclerc", None, "", ""),
        ("mairie de Lavardac", "lavardac", None, "", ""),
        ("Agen cedex 9", "agen", None, "", ""),
        ("47 000", "47 000", None, "", ""),
        ("St-Étienne s/ Lot", "saint etienne lot", None, "", ""),
        ("villeneuve/lot", "villeneuve lot", None, "", ""),
        ("Le Passage", "passage", None, "", ""),
        ("", "", None, "", ""),
        ("de la", "de la", None, "", ""),
        ("agen s", "agen s", None, "", ""),  # a last « s » is a word begun, not « sur »
        ("s agen", "s agen", None, "", ""),
        ("villeneuve s lot", "villeneuve lot", None, "", ""),
        ("9999 rue x", "rue x", 9999, "", ""),
        ("10000 rue x", "rue x", None, "", "10000"),
    ],
)
def test_a_query_is_parsed(text, key, number, repetition, postcode):
    found = parse_query(text)
    assert (found.key, found.number, found.repetition, found.postcode) == (key, number, repetition, postcode)


@given(TEXTS)
def test_any_text_is_parsed_to_few_words(text):
    found = parse_query(text)
    assert len(found.words) <= WORDS_MAX and all(found.words)
    assert parse_query(text.upper()) == parse_query(text.upper().casefold())


@pytest.mark.parametrize(
    "name", ["Villeneuve-sur-Lot", "VILLENEUVE SUR LOT", "villeneuve s/ lot", "villeneuve lot"]
)
def test_one_name_has_one_key(name):
    assert name_key(name) == "villeneuve lot"


def test_the_type_of_a_street_is_separated_from_its_name():
    assert split_street_type(name_key("Rue de l'Église")) == ("rue", "eglise")
    assert split_street_type(name_key("Lagarde")) == ("", "lagarde")
    assert split_street_type(name_key("La Promenade")) == ("", "promenade")
    assert [closest_street_type(word) for word in ("reu", "boulevaard", "cmemin", "agen", "lagarde")] == [
        *("rue", "boulevard", "chemin", "", ""),
    ]


@pytest.mark.parametrize("word", ["vue", "que", "", "r", "bue"])
def test_a_word_that_begins_otherwise_is_no_misspelt_kind_of_street(word):
    assert closest_street_type(word) == ""


def test_a_name_keeps_its_last_letter():
    assert [name_key(name) for name in ("Paris", "Les Lilas", "Cours", "Fals")] == [
        "paris",
        "lilas",
        "cours",
        "fals",
    ]


def test_words_and_characters_beyond_the_limits_are_ignored():
    words = [f"mot{letter}" for letter in "abcdefghijklm"]
    assert parse_query(" ".join(words[:12])).words == tuple(words[:12])
    assert parse_query(" ".join(words)).words == tuple(words[:12])
    assert parse_query("x" * 200).key == "x" * 200
    assert parse_query("x" * 201).key == "x" * 200


def test_a_query_is_the_beginning_of_a_name_from_two_letters_on():
    one, two = NameMatcher(["casteljaloux"]).similarity_to(["c", "ca"])
    assert one[0] < 0.5 and two[0] > 0.8


@pytest.mark.parametrize(
    ("one", "other"),
    [("fumel", "phumelle"), ("cours", "cour"), ("saint aubin", "sin tobain"), ("cazeaux", "kazo")],
)
def test_names_that_sound_alike_are_more_similar_than_their_spelling(one, other):
    assert phonetic_key(one) == phonetic_key(other)
    assert alike(one, other) > 0.5


@given(st.text("abcdefghilmnopy", min_size=1), st.text("abcehnou", min_size=1))
def test_similarity_is_one_for_equal_names_and_at_most_one(one, other):
    assert alike(one, one) == 1
    assert 0 <= alike(one, other) <= 1
    assert alike(one, other) == pytest.approx(alike(other, one))


def test_a_prefix_is_more_similar_the_longer_it_is():
    names = NameMatcher(["casteljaloux", "castillonnes", "agen"])
    two, six = names.similarity_to(["ca", "castel"])
    assert two[0] >= 0.8 and six[0] > two[0] > 0.8 > two[2]
    assert six[0] > six[1]
    assert names.similarity_to(["catelj"])[0, 0] > 0.7
