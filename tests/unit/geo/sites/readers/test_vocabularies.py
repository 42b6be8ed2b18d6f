"""Built-in vocabularies: their values are the standard's, and each word means one thing."""

from __future__ import annotations

import pytest

from geo.sites import standard
from geo.sites.closed_lists import parse_labels
from geo.sites.readers.column_mapping import FACTS, FIELDS
from geo.sites.readers.vocabularies import VOCABULARIES, translated, vocabularies_of


@pytest.mark.parametrize("name", VOCABULARIES)
def test_every_value_is_one_of_the_fields(name):
    for field in VOCABULARIES[name].fields:
        assert field in FIELDS
        for word, value in VOCABULARIES[name].words.items():
            if field in FACTS:
                assert value in ("", "true", "false"), word
            elif value:
                assert parse_labels(field, value)[1] == (), word


@pytest.mark.parametrize("field", [*standard.ENUMERATIONS, *sorted(FACTS)])
def test_every_closed_list_but_training_has_a_vocabulary(field):
    assert bool(vocabularies_of(field)) is (field != "formations_labels")


@pytest.mark.parametrize(
    ("name", "word", "value"),
    [
        ("oui-non", "OUI", "true"),
        ("oui-non", "x", "true"),
        ("oui-non", "✓", "true"),
        ("oui-non", "Non", "false"),
        ("accessibilite", "Accessible PMR", "true"),
        ("accessibilite", "non accessible", "false"),
        ("accessibilite", "partiellement", ""),
        ("services", "Démarches administratives (CAF, impôts)", "Aide aux démarches administratives"),
        ("services", "demarche administrative", "Aide aux démarches administratives"),
        ("services", "Prendre en main un ordinateur", "Maîtrise des outils numériques du quotidien"),
        ("services", "Wi-Fi", "Accès internet et matériel informatique"),
        ("typologie", "Mairies", "MUNI"),
        ("frais", "Adhésion", "Payant"),
        ("publics", "Tous publics", ""),
        ("itinerance", "bus", "Itinérant"),
        ("dispositifs", "CNFS", "Conseillers numériques"),
        ("services", "tricot", None),
        ("frais", "oui", None),
        ("oui-non", "", None),
    ],
)
def test_common_words_are_understood_and_doubtful_ones_are_not(name, word, value):
    assert translated(name, word) == value
