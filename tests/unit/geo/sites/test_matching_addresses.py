"""Addresses of two records: one door, one street, or neither."""

from __future__ import annotations

import pytest

from geo.sites.matching_addresses import StreetRelation, compare_streets, parse_address, units


def parsed(text: str):
    return parse_address(text, "Ouestville")


@pytest.mark.parametrize(
    ("text", "numbers", "way", "words"),
    [
        ("12 rue des Lilas", {"12"}, "rue", ("lilas",)),
        ("0012, RUE DES LILAS", {"12"}, "rue", ("lilas",)),
        ("12bis rue des Lilas", {"12bis"}, "rue", ("lilas",)),
        ("12 B rue des Lilas", {"12b"}, "rue", ("lilas",)),
        ("11avenue Salvador Exemple", {"11"}, "avenue", ("salvador", "exemple")),
        ("12-14 Grand'Rue", {"12", "14"}, "", ("grand", "rue")),
        ("0 rue des Lilas", set(), "rue", ("lilas",)),
        ("n° 7 place du Marché", {"7"}, "place", ("marche",)),
        ("Mairie, 3 place du Marché", {"3"}, "place", ("marche",)),
        ("mairie de Ouestville Place du Marché", set(), "place", ("marche",)),
        ("70 Boulevard du Port 47000 Ouestville", {"70"}, "boulevard", ("port",)),
        ("1633 avenue du Général-Exemple OUESTVILLE", {"1633"}, "avenue", ("exemple",)),
        ("avenue de Ouestville", set(), "avenue", ("ouestville",)),
        ("32 rue des Maçons BP 154", {"32"}, "rue", ("macons",)),
        ("12 place du 11 novembre", {"12"}, "place", ("11", "novembre")),
        ("Le Bourg", set(), "", ("bourg",)),
        ("", set(), "", ()),
    ],
)
def test_an_address_is_split(text, numbers, way, words):
    address = parsed(text)
    assert (address.numbers, address.way, address.words) == (numbers, way, words)


@pytest.mark.parametrize(
    ("a", "b", "relation"),
    [
        ("3 AV DU GAL EXEMPLE", "3, avenue du Général-Exemple", StreetRelation.SAME),
        ("2 r. St Jacques", "2 rue Saint-Jacques", StreetRelation.SAME),
        ("106 avenue du Commandant Christian Exemple", "106 av Christian Exemple", StreetRelation.SAME),
        ("11 rue des Lilas", "11 avenue des Lilas", StreetRelation.LIKE),
        ("1 PL DU 8 MAI", "Place du 8 mai 1945", StreetRelation.LIKE),
        ("9 rue Faugère", "9 rue Faugères", StreetRelation.LIKE),
        ("place de la Mairie", "place de l'Ancienne Mairie", StreetRelation.LIKE),
        ("rue des Lilas", "rue du Moulin", StreetRelation.OTHER),
        ("Le Bourg", "Le Bourg", StreetRelation.UNKNOWN),
        ("Mairie", "Mairie", StreetRelation.UNKNOWN),
        ("", "rue des Lilas", StreetRelation.UNKNOWN),
    ],
)
def test_streets_are_compared_in_both_orders(a, b, relation):
    assert compare_streets(parsed(a), parsed(b)) is relation
    assert compare_streets(parsed(b), parsed(a)) is relation


@pytest.mark.parametrize(
    ("complement", "found"),
    [
        ("1er étage", {"1"}),
        ("2e étage, porte B", {"2", "b"}),
        ("Bâtiment C, entrée C3", {"c", "c3"}),
        ("Rez-de-chaussée", {"rez chaussee"}),
        ("Centre Exemple", set()),
        ("", set()),
    ],
)
def test_floors_and_buildings_of_a_complement_are_found(complement, found):
    assert units(complement) == found
