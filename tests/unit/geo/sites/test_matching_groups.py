"""Groups of records that are one place: chains, order, changes, limits."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import InvalidCrs
from geo.sites import matching_records
from geo.sites.matching_records import Verdict, clusters, match_records
from geo.sites.model import Position
from tests.support.matching import PUBLIC_SIRET, listed, matched, one, verdict
from tests.support.world import record as valid_record


def test_two_places_are_not_joined_through_a_third_record():
    town_hall = one("a", nom="Mairie")
    library = one("b", nom="Médiathèque")
    guest = one("c", nom="France services", complement_adresse="Médiathèque")
    joined, refused = matched(town_hall, library, guest)
    assert (joined.verdict, refused.verdict) == (Verdict.SAME, Verdict.QUESTION)
    assert refused.reasons[-1] == "réunirait deux lieux distincts"


def test_two_floors_are_not_joined_through_a_record_without_floor():
    town_hall = one("a", nom="Mairie", complement_adresse="1er étage")
    other_floor = one("b", nom="CCAS", complement_adresse="2e étage")
    found = matched(town_hall, other_floor, one("c", nom="France services"))
    assert sorted(m.verdict for m in found) == [Verdict.QUESTION, Verdict.SAME]


def test_groups_are_asked_about_once_and_never_inside():
    twins = [one("a", nom="Mairie"), one("b", nom="CC du Val")]
    others = [one("c", nom="Le Pixel"), one("d", nom="Le Pixel")]
    questions = [m for m in matched(*twins, *others) if m.verdict is Verdict.QUESTION]
    assert len(questions) == 1
    guest, host = one("c", nom="France services"), one("d", nom="Mission locale")
    named = one("e", nom="France services", complement_adresse="Mission locale")
    assert {m.verdict for m in matched(guest, host, named)} == {Verdict.SAME}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "same"),
        ({"adresse": "rue des Lilas"}, "same"),
        ({"adresse": "14 rue des Lilas"}, "question"),
        ({"adresse": "avenue des Lilas"}, "question"),
        ({"nom": "Médiathèque"}, "question"),
        ({"nom": "Médiathèque", "pivot": PUBLIC_SIRET}, "same"),
    ],
)
def test_a_name_of_its_own_in_a_street_without_number_is_one_place(changes, expected):
    hall: dict[str, Any] = {"position": Position.APPROXIMATIVE, "pivot": PUBLIC_SIRET}
    a = one("a", adresse="12 rue des Lilas" if "adresse" in changes else "rue des Lilas", **hall)
    assert verdict(a, one("b", **{"adresse": "rue des Lilas", **changes})) == expected


def test_two_places_of_one_list_are_not_joined_through_another_list():
    offices = [
        listed("a", 5.0, nom="France services", adresse="place du Marché"),
        listed("b", 5.11, nom="France services", adresse="place du Marché"),
    ]
    middle = one("c", 5.055, nom="France services", adresse="place du Marché")
    assert all(len(group) == 2 for group in clusters(matched(*offices, middle)))


NAMES = ("Mairie", "France services", "CCAS", "Médiathèque", "La Poste", "Le Pixel", "Bus France services")
RECORDS = st.lists(
    st.builds(
        lambda n, name, number, metres, lists, commune, exact: replace(
            valid_record(str(n), 5 + metres / 1_000),
            nom=name,
            adresse=f"{number} rue des Lilas".strip(),
            jeu_de_donnees=f"jeu-{lists}",
            source=f"source {lists}",
            code_insee=commune,
            position=Position.EXACTE if exact else Position.APPROXIMATIVE,
        ),
        st.integers(0, 9_999),
        st.sampled_from(NAMES),
        st.sampled_from(["", "12", "14"]),
        st.integers(0, 300),
        st.integers(0, 3),
        st.sampled_from(["99001", "99002", ""]),
        st.booleans(),
    ),
    max_size=12,
    unique_by=lambda record: record.key,
)


@given(RECORDS, st.randoms(use_true_random=False))
def test_the_order_of_the_records_does_not_matter(records, chance):
    shuffled = list(records)
    chance.shuffle(shuffled)
    assert matched(*shuffled) == matched(*records)


@given(RECORDS, st.data())
def test_matches_of_changed_records_are_those_among_all(records, data):
    changed = data.draw(st.sets(st.sampled_from([r.key for r in records]))) if records else set()
    every = matched(*records)
    assert matched(*records, changed=changed) == [m for m in every if m.a in changed or m.b in changed]


@given(RECORDS)
def test_no_cluster_holds_two_communes_or_two_services(records):
    by_key = {record.key: record for record in records}
    distinct = ({"Médiathèque", "Mairie"}, {"La Poste", "CCAS"}, {"Bus France services", "Mairie"})
    for group in clusters(matched(*records)):
        members = [by_key[key] for key in group]
        assert len({m.code_insee for m in members} - {""}) <= 1
        for a, b in combinations(members, 2):
            assert {a.nom, b.nom} not in distinct


# --- limits


def test_nothing_or_one_record_matches_nothing():
    assert matched() == matched(one("a")) == matched(one("a"), one("b"), changed=set()) == []


def test_degrees_are_refused():
    with pytest.raises(InvalidCrs):
        match_records([one("a"), one("b")], epsg=4326)


def test_a_record_is_in_at_most_five_questions():
    found = matched(*(one(str(n), nom=f"Organisme {chr(97 + n) * 5}") for n in range(9)))
    assert {m.verdict for m in found} == {Verdict.QUESTION}
    assert max(Counter(key for m in found for key in (m.a, m.b)).values()) == 5 == matching_records.PER_RECORD


def test_a_crowd_of_the_same_record_stays_within_bounds():
    crowd = [one(str(n), 5, pivot=PUBLIC_SIRET) for n in range(2_000)]
    began = time.process_time()
    groups = clusters(matched(*crowd))
    assert time.process_time() - began < 10
    assert [len(group) for group in groups] == [2_000]


def test_in_a_crowded_commune_the_twins_are_still_found():
    generator = random.Random(1)

    def word():
        return "".join(generator.choices("bcdfglmnprstv", k=4)) + "".join(generator.choices("aeiou", k=3))

    crowd = []
    for n in range(200):
        name, street = f"Atelier {word()} {word()}", f"{generator.randint(1, 90)} rue {word()}"
        x = generator.uniform(1, 9)
        crowd += [
            one(f"{n}-1", x, nom=name, adresse=street),
            one(f"{n}-2", x + 0.02, nom=name, adresse=street),
        ]
    found = matched(*crowd)
    assert {frozenset((m.a, m.b)) for m in found} == {
        frozenset(one(f"{n}-{k}").key for k in (1, 2)) for n in range(200)
    }
    assert {m.verdict for m in found} == {Verdict.SAME}
