"""Addresses of records matched with the streets of a commune: only what may be meant, and nothing else."""

from __future__ import annotations

import pytest

from geo.places.address_matching import CommuneStreets, KnownStreet, parts
from geo.places.query_words import name_key, split_street_type

NAMES = (
    "Rue de l'Église",
    "Avenue du Général Fictif",
    "Place du Docteur Imaginaire",
    "Rue Jeanne Inventée",
    "Rue du 8 Mai 1945",
    "Rue des Écoles",
    "Avenue des Écoles",
    "Impasse des Écoles",
    "Route d'Estbourg",
    "Place de l'Hôtel de Ville",
    "Lagarde",
    "Rue des Ormeaux",
    "Rue des Ormes",
)
TOWN = "99100 Ouestville"
STREETS = CommuneStreets(
    (
        KnownStreet(f"99001_{i:04}", name, *split_street_type(name_key(name)), TOWN, "99001", 0, 0)
        for i, name in enumerate(NAMES)
    ),
    "Ouestville",
)


@pytest.mark.parametrize(
    ("address", "street", "number", "repetition"),
    [
        ("12 rue de l'Église", "Rue de l'Église", 12, ""),
        ("12, RUE DE L'EGLISE", "Rue de l'Église", 12, ""),
        ("12 bis rue de l’église 99100 Ouestville", "Rue de l'Église", 12, "bis"),
        ("12 rue de l'Eglise, 99100 OUESTVILLE CEDEX", "Rue de l'Église", 12, ""),
        ("12 rue de l'église OUESTVILLE", "Rue de l'Église", 12, ""),
        ("1633, avenue du Général-Fictif OUESTVILLE", "Avenue du Général Fictif", 1633, ""),
        ("3 av. du Gal Fictif", "Avenue du Général Fictif", 3, ""),
        ("3 av Fictif", "Avenue du Général Fictif", 3, ""),
        ("Pl Imaginaire", "Place du Docteur Imaginaire", None, ""),
        ("5 rue J. Inventée", "Rue Jeanne Inventée", 5, ""),
        ("8 rue du 8 mai 1945", "Rue du 8 Mai 1945", 8, ""),
        ("12-14 rue des Écoles", "Rue des Écoles", 12, ""),
        ("2 avenue des écoles", "Avenue des Écoles", 2, ""),
        ("Résidence Fictive, 4 rue des écoles, Bât. B", "Rue des Écoles", 4, ""),
        ("4 rue des écoles BP 40", "Rue des Écoles", 4, ""),
        ("4 rue des écoles - 2e étage", "Rue des Écoles", 4, ""),
        ("Mairie d'Ouestville place de l'hôtel de ville", "Place de l'Hôtel de Ville", None, ""),
        ("PL DE L'HOTEL DE VILLE", "Place de l'Hôtel de Ville", None, ""),
        ("lieu-dit Lagarde", "Lagarde", None, ""),
        ("6 rue de l'Eglize", "Rue de l'Église", 6, ""),
        ("6 rue Inventée", "Rue Jeanne Inventée", None, ""),  # a first name left out: the street only
    ],
)
def test_the_street_and_the_number_are_found(address, street, number, repetition):
    found = STREETS.find(address)
    assert found is not None
    assert (found.street.name, found.number, found.repetition) == (street, number, repetition)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "12",
        "12 chemin de l'Église",  # another kind
        "12 rue des Tilleuls",
        "12 rue Mai",
        "Écoles",
        "3 rue des Orm",
        "Ouestville",
        "rue",
    ],
)
def test_a_street_that_is_not_certain_is_not_taken(address):
    assert STREETS.find(address) is None


def test_a_commune_without_streets_has_no_address():
    assert CommuneStreets(()).find("12 rue de l'Église") is None


@pytest.mark.parametrize(
    "address", ["x" * 5_000, "rue " * 1_000, ", ".join("123456789"), "12 rue\x00", "- ( |"]
)
def test_hostile_addresses_are_searched_in_bounded_time(address):
    assert len(list(parts(address))) <= 7
    assert STREETS.find(address) is None
