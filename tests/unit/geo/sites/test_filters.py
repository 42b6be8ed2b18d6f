"""Filters of sites."""

from __future__ import annotations

import pytest

from geo.sites.filters import EVERY_SITE, FILTERABLE, SiteFilter
from geo.sites.text import fold
from tests.support.world import as_site, record, site

HERE = site(
    "a",
    5,
    nom="Médiathèque de l’Étang",
    services=("Aide aux démarches administratives", "Loisirs et créations numériques"),
    frais_a_charge=("Gratuit", "Payant"),
    courriels=("bonjour@exemple.fr", "aide@exemple.fr"),
    pass_numerique=True,
    acces_fauteuil=False,
)


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, True),
        ({"services": ["Aide aux démarches administratives"]}, True),
        ({"services": ["Utilisation sécurisée du numérique"]}, False),
        ({"services": ["Utilisation sécurisée du numérique", "Loisirs et créations numériques"]}, True),
        ({"services": ["Aide aux démarches administratives"], "frais_a_charge": ["Gratuit"]}, True),
        ({"frais_a_charge": ["Gratuit sous condition"]}, False),
        ({"nom": ["mediatheque"]}, True),
        ({"nom": ["L'ETANG"]}, True),
        ({"nom": ["mairie"]}, False),
        ({"courriels": ["aide@"]}, True),
        ({"code_insee": ["99001"]}, True),
        ({"code_insee": ["9900"]}, False),
        ({"commune": ["ouest"]}, True),
        ({"pass_numerique": ["true"]}, True),
        ({"pass_numerique": ["false"]}, False),
        ({"acces_fauteuil": ["false"]}, True),
        ({"membre_reseau": ["true"]}, False),
        ({"membre_reseau": ["false"]}, False),
        ({"position": ["exacte"]}, True),
        ({"date_maj": ["2026-03-02"]}, True),
    ],
)
def test_conditions_hold_together_and_values_are_alternatives(conditions, expected):
    assert SiteFilter.of(conditions).matches(HERE) is expected


def test_every_filterable_field_can_be_asked_for():
    for name in FILTERABLE:
        SiteFilter.of({name: ["x"]}).matches(HERE)


def test_an_unknown_field_is_refused():
    with pytest.raises(KeyError, match="latitude"):
        SiteFilter.of({"latitude": ["44"]})


def test_equal_questions_have_equal_filters():
    one = SiteFilter.of({"services": ["b", "a"], "nom": []})
    other = SiteFilter.of({"services": ["a", "b", "a"]})
    assert one == other and hash(one) == hash(other)
    assert SiteFilter.of({}) == EVERY_SITE and not EVERY_SITE


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Sainte-Livrade-sur-Lot", "sainte livrade sur lot"),
        ("L’Éclair  ŒUVRE", "l'eclair oeuvre"),
        ("İ", "i"),
    ],
)
def test_folding_forgets_accents_case_and_hyphens(written, folded):
    assert fold(written) == folded


@pytest.mark.parametrize(
    ("datasets", "expected"),
    [(["essai"], True), (["autre"], True), (["tiers", "autre"], True), (["tiers"], False), (["aut"], False)],
)
def test_a_site_is_of_the_dataset_of_any_of_its_records(datasets, expected):
    pooled = as_site(record("a", 5), record("b", 5, jeu_de_donnees="autre"))
    assert pooled.datasets == ("autre", "essai")
    assert SiteFilter.of({"jeu_de_donnees": datasets}).matches(pooled) == expected
