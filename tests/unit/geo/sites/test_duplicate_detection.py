"""Detection of records of several sources that describe the same place."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import numpy as np
import pytest

from geo.crs import LAMBERT_93
from geo.errors import InvalidCrs
from geo.sites import duplicate_detection
from geo.sites.duplicate_detection import find_duplicates
from geo.sites.model import Position
from tests.support.world import record

SIRET = "00000000000026"


def found(*sites, changed=None):
    return find_duplicates(sites, epsg=LAMBERT_93, changed=changed)


def one(local_id, x_km=5.0, **changes):
    """A record of another dataset for each identifier, at one invented place."""
    values = {"nom": "Médiathèque du Moulin fictif", "adresse": "12 rue des Lilas", **changes}
    return record(local_id, x_km, jeu_de_donnees=values.pop("jeu_de_donnees", f"jeu-{local_id}"), **values)


def test_the_same_place_in_two_datasets_is_proposed_with_its_reasons():
    (proposal,) = found(
        one("a", pivot=SIRET, telephone="+33500000000"),
        one("b", 5.03, nom="Médiathèque le Moulin", pivot=SIRET, telephone="+33500000000"),
    )
    assert (proposal.a, proposal.b) == ("jeu-a--a", "jeu-b--b")
    assert proposal.reasons == (
        "noms proches à 100\u00a0%",
        "même adresse",
        "à 30\u00a0m",
        "même SIRET",
        "même téléphone",
    )
    assert proposal.score == 100


def test_abbreviations_case_and_accents_do_not_separate():
    (proposal,) = found(
        one("a", adresse="3 AV DU GAL EXEMPLE", nom="CCAS DE OUESTVILLE"),
        one("b", adresse="3, avenue du Général-Exemple", nom="Centre communal d'action sociale"),
    )
    assert proposal.reasons[:2] == ("même nom", "même adresse")


def test_one_siret_for_several_places_of_a_commune_is_not_enough():
    town_hall = one("a", nom="Mairie", adresse="1 place du Marché", pivot=SIRET)
    library = one("b", 5.6, nom="Bibliothèque Exemple", adresse="8 chemin du Lavoir", pivot=SIRET)
    assert found(town_hall, library) == []


def test_two_services_at_far_ends_of_a_commune_with_the_same_usual_name_stay_apart():
    assert (
        found(
            one("a", 2, nom="France services", adresse="2 rue du Nord"),
            one("b", 8, nom="France services", adresse="9 avenue du Sud"),
        )
        == []
    )


def test_neighbours_in_a_street_differ_by_name_and_number():
    assert (
        found(
            one("a", nom="La Poste", adresse="26 rue Royale"),
            one("b", 5.03, nom="Mairie", adresse="49 rue Royale"),
        )
        == []
    )


def test_records_placed_at_the_town_hall_are_not_near_each_other():
    a = one("a", nom="Espace Bleu", adresse="rue du Nord", position=Position.APPROXIMATIVE)
    b = one("b", nom="Espace Blême", adresse="rue du Sud", position=Position.APPROXIMATIVE)
    exact = [replace(s, position=Position.EXACTE) for s in (a, b)]
    assert found(a, b) == []
    assert found(*exact) != [], "the same two would be proposed if their points were their own"


def test_a_common_house_number_outweighs_the_distance_between_two_geocoders():
    (proposal,) = found(one("a", 5), one("b", 5.9))
    assert proposal.score == 100 and "à 900\u00a0m" in proposal.reasons


def test_records_of_two_communes_are_never_proposed():
    assert found(one("a", 9.99), replace(one("b", 10.01), code_insee="99002")) == []


def test_one_dataset_needs_more_evidence_than_two():
    a = one("a", nom="Atelier du Port", adresse="rue Neuve")
    b = one("b", 5.08, nom="Atelier des Ports", adresse="rue Neuve")
    (proposal,) = found(a, b)
    assert duplicate_detection.BETWEEN_DATASETS < proposal.score < duplicate_detection.INSIDE_DATASET
    assert found(a, replace(b, jeu_de_donnees=a.jeu_de_donnees)) == []


def test_a_pair_whose_score_equals_the_threshold_is_not_proposed(monkeypatch):
    assert [p.score for p in found(one("a"), one("b"))] == [100.0]
    monkeypatch.setattr(duplicate_detection, "BETWEEN_DATASETS", 100.0)
    assert found(one("a"), one("b")) == []
    same = {"jeu_de_donnees": "essai"}
    assert [p.score for p in found(one("a", **same), one("b", **same))] == [100.0]
    monkeypatch.setattr(duplicate_detection, "INSIDE_DATASET", 100.0)
    assert found(one("a", **same), one("b", **same)) == []


@pytest.mark.parametrize(("name_score", "proposed"), [(69.9, False), (70.0, False), (70.1, True)])
def test_only_a_score_above_the_threshold_is_proposed(monkeypatch, name_score, proposed):
    """With the same street, number and place, the mean of the three scores is 90 for a name score of 70."""
    monkeypatch.setattr(
        duplicate_detection, "_name_scores", lambda _, a, __: np.full(len(a), name_score, dtype=np.float64)
    )
    same = {"jeu_de_donnees": "essai"}
    assert bool(found(one("a", **same), one("b", **same))) is proposed


@pytest.mark.parametrize(
    ("shared", "points"),
    [
        ({"telephone": "+33500000000"}, duplicate_detection.SAME_PHONE),
        ({"pivot": SIRET}, duplicate_detection.SAME_SIRET),
        ({"pivot": "00000000000000"}, 0.0),  # the value for an unknown one
        ({"telephone": ""}, 0.0),
        (
            {"telephone": "+33500000000", "pivot": SIRET},
            duplicate_detection.SAME_PHONE + duplicate_detection.SAME_SIRET,
        ),
    ],
)
def test_a_shared_telephone_or_siret_adds_its_points(shared, points):
    a, b = (
        one("a", nom="Atelier du Port", adresse="rue Neuve"),
        one("b", 5.08, nom="Atelier des Ports", adresse="rue Neuve"),
    )
    (alone,) = found(a, b)
    (together,) = found(replace(a, **shared), replace(b, **shared))
    (different,) = found(replace(a, **shared), replace(b, telephone="+33500000009", pivot="00000000000034"))
    assert together.score == pytest.approx(min(alone.score + points, 100), abs=0.11)
    assert different.score == alone.score


def test_a_shared_telephone_may_decide():
    a = one("a", nom="Atelier du Port", adresse="rue Neuve", jeu_de_donnees="essai")
    (proposal,) = found(a, one("b", 5.08, nom="Atelier des Ports", adresse="rue Neuve"))
    threshold = duplicate_detection.BETWEEN_DATASETS
    apart = one("b", 5.12, nom="Atelier des Ports", adresse="rue Neuve")
    assert threshold < proposal.score and found(a, apart) == []
    shared = {"telephone": "+33500000000"}
    assert [p.reasons[-1] for p in found(replace(a, **shared), replace(apart, **shared))] == [
        "même téléphone"
    ]


def test_each_unit_between_house_numbers_costs_three_points_and_thirty_at_most():
    def score(number):
        pair = (one("a", adresse="10 rue Neuve"), one("b", adresse=f"{number} rue Neuve"))
        (proposal,) = found(*pair)
        return proposal.score

    assert [score(number) for number in (11, 12, 19, 20, 21, 90)] == [99.0, 98.0, 91.0, 90.0, 90.0, 90.0]


def test_a_record_is_in_at_most_five_proposals_and_those_are_its_best():
    names = [one("z", nom="Atelier du Port fictif"), *(one(str(n), 5 + n / 50) for n in range(8))]
    listed = [p for p in found(*names) if "jeu-0--0" in (p.a, p.b)]
    assert len(listed) == duplicate_detection.PER_RECORD == 5
    assert {p.score for p in listed} == {100.0}


def test_only_pairs_with_a_changed_record_are_looked_at():
    a, b, c = one("a"), one("b"), one("c")
    assert len(found(a, b, c)) == 3
    assert {(p.a, p.b) for p in found(a, b, c, changed={c.key})} == {(a.key, c.key), (b.key, c.key)}
    assert found(a, b, c, changed=set()) == []


def test_the_order_of_the_records_does_not_matter():
    sites = [one(str(n), 5 + n / 50, nom=f"Lieu fictif {'ABC'[n % 3]}") for n in range(12)]
    shuffled = random.Random(0).sample(sites, len(sites))
    assert found(*shuffled) == found(*sites) != []


def test_a_house_number_of_zero_is_no_number():
    assert (
        found(
            one("a", 2, nom="Espace Bleu", adresse="0 rue du Port"),
            one("b", 8, nom="Relais du Parc", adresse="0 rue du Port"),
        )
        == []
    )
    (proposal,) = found(one("a", adresse="0 rue du Port"), one("b", adresse="0 rue du Port"))
    assert "même rue" in proposal.reasons


def test_names_in_other_scripts_are_compared_and_nameless_ones_are_not_the_same():
    (proposal,) = found(one("a", nom="中心 模拟"), one("b", nom="中心 模拟"))
    assert proposal.reasons[0] == "même nom"
    assert (
        found(one("a", 2, nom="☂☂", adresse="rue du Nord"), one("b", 8, nom="!!", adresse="rue du Sud")) == []
    )


def test_nothing_or_one_record_proposes_nothing():
    assert found() == found(one("a")) == []


def test_degrees_are_refused():
    with pytest.raises(InvalidCrs):
        find_duplicates([one("a"), one("b")], epsg=4326)


def test_a_crowd_of_the_same_record_stays_within_bounds():
    crowd = [one(str(n), 5, pivot=SIRET) for n in range(5_000)]
    began = time.perf_counter()
    listed = found(*crowd)
    assert time.perf_counter() - began < 10
    assert 0 < len(listed) <= len(crowd) * duplicate_detection.PER_RECORD / 2


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
    pairs = {(p.a, p.b) for p in found(*crowd)}
    twins = {(f"jeu-{n}-1--{n}-1", f"jeu-{n}-2--{n}-2") for n in range(200)}
    assert pairs == twins


def test_a_record_attached_to_no_commune_is_compared_within_its_postal_code():
    a = one("a", code_insee="99001", code_postal="99100")
    adrift = replace(one("b", None), code_insee="", commune="", code_postal="99100")
    assert [(p.a, p.b) for p in found(a, adrift)] == [(a.key, adrift.key)]
    assert found(a, replace(adrift, code_postal="99200")) == []
    elsewhere = one("c", 15, code_insee="99002", code_postal="99100")
    assert {(p.a, p.b) for p in found(a, elsewhere, adrift)} == {
        (a.key, adrift.key),
        (adrift.key, elsewhere.key),
    }
