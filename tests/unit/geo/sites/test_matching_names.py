"""Names of two records: one place, two bodies at one door, or two services."""

from __future__ import annotations

import pytest

from geo.sites.matching_names import NameRelation, compare_names, parse_name, similarity

COMMUNE = "Ouestville"


def relation(a: str, b: str) -> NameRelation:
    one, other = parse_name(a, COMMUNE), parse_name(b, COMMUNE)
    found = compare_names(one, other)
    assert compare_names(other, one) is found, "a comparison of two names has no order"
    return found


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("CCAS de Ouestville", "Centre communal d'action sociale"),
        ("MAIRIE DE OUESTVILLE", "Ville de Ouestville"),
        ("Mairie", "Commune de Ouestville"),
        ("Médiathèque Colette", "Bibliothèque Colette de Ouestville"),
        ("La Poste", "France services La Poste de Ouestville"),
        ("laposte", "Bureau de poste"),
        ("MSAP", "France services Ouestville"),
        ("EPN du Moulin", "Espace numérique du Moulin"),
        ("Tr@nsvaleur", "TRANSVALEUR"),
        ("La Fabrique Citoyenne", "France services Ouestville - La Fabrique citoyenne"),
        ("Tiers-lieu La Ruche", "La Ruche"),
        ("Association du Moulin", "Le Moulin"),
        ("France services BHF", "Communauté de communes des Bastides du Haut Fictif"),
    ],
)
def test_two_spellings_of_one_place_are_the_same(a, b):
    assert relation(a, b) is NameRelation.SAME


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Communauté de communes du Val Fictif", "Mairie de Ouestville"),
        ("Point Info 14", "Mairie"),
        ("Point Info 14", "CC du Val Fictif"),
        ("Conseiller numérique", "Mairie"),
        ("CCAS", "France services Ouestville"),
        ("Conseillère numérique", "CIAS du Val"),
        ("Métropole Fictive", "France services"),
        ("Espace public numérique", "Hôtel de Ville"),
        ("France services La Poste de Ouestville", "France services Ouestville"),
    ],
)
def test_public_bodies_and_programmes_may_share_a_door(a, b):
    assert relation(a, b) is NameRelation.COMPATIBLE


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Bibliothèque municipale", "Mairie"),
        ("Médiathèque intercommunale", "Communauté de communes du Val"),
        ("La Poste", "Mairie"),
        ("Mission locale", "Centre social"),
        ("Maison Départementale des Solidarités", "Maison des Personnes Handicapées"),
        ("École Jean Exemple", "Mairie de Ouestville"),
        ("Office de tourisme", "CCAS"),
        ("Salle des fêtes", "Médiathèque"),
        ("Point Information Jeunesse", "Mairie"),
    ],
)
def test_two_services_with_doors_of_their_own_conflict(a, b):
    assert relation(a, b) is NameRelation.CONFLICT


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Mairie", "Mairie annexe"),
        ("Mairie", "Ancienne mairie"),
        ("Mairie", "Mairie déléguée"),
        ("France services du Val", "Bus France services du Val"),
        ("France services itinérante du Val", "Communauté de communes du Val"),
        ("Mairie", "Rendez-vous à domicile"),
    ],
)
def test_an_annexe_or_a_tour_is_marked(a, b):
    assert relation(a, b) is NameRelation.MARKED


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("France services", "Mission locale du Val"),
        ("Conseiller numérique", "Médiathèque"),
        ("Espace numérique", "Centre social"),
        ("Mairie - Agence postale", "Mairie"),
        ("France services et agence postale", "Mairie"),
    ],
)
def test_a_programme_may_be_hosted_by_a_service(a, b):
    assert relation(a, b) is NameRelation.HOSTED


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Le Pixel", "Mairie"),
        ("Association Arts et Loisirs", "Mairie"),
        ("Association Arts et Loisirs", "Association des Aînés ruraux"),
        ("Garage Exemple", "Boulangerie Exemplaire"),
        ("Mairie de Nordville", "Mairie de Sudville"),
        ("École Nord", "École des Tilleuls"),
        ("Collège Exemple", "Lycée Exemple"),
        ("Maison de santé", "Cabinet médical Exemple"),
        ("EHPAD Les Lilas", "Résidence Les Lilas"),
        ("Salle Exemple", "Salle Fictive"),
    ],
)
def test_nothing_is_known_of_other_names(a, b):
    assert relation(a, b) in (NameRelation.UNKNOWN, NameRelation.CONFLICT)


def test_the_name_of_the_commune_is_no_evidence():
    assert parse_name("Mairie de Ouestville", COMMUNE).words == ()
    assert parse_name("Mairie de Ouestville", "Estville").words == ("ouestville",)


@pytest.mark.parametrize("name", ["24400054300011", "Ouestville", "Le lieu", "☂☂"])
def test_a_name_that_tells_nothing_is_anonymous(name):
    assert parse_name(name, COMMUNE).anonymous


def test_names_in_other_scripts_are_compared_and_nameless_ones_are_not_alike():
    assert relation("中心 模拟", "中心 模拟") is NameRelation.SAME
    assert similarity(parse_name("☂☂", COMMUNE), parse_name("!!", COMMUNE)) == 0
    assert relation("☂☂", "!!") is not NameRelation.SAME
