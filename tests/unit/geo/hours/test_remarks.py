"""Remarks about hours: appointments and closures read without doubt, the rest quoted."""

from __future__ import annotations

import csv

import pytest

from geo.hours.remarks import QUOTE_MAX, is_by_appointment_only, read_remark, sentences
from tests.support.shared import SHARED, needs_shared


@pytest.mark.parametrize(
    "sentence",
    [
        "sur rendez-vous",
        "SUR RENDEZ-VOUS UNIQUEMENT",
        "Sur RDV",
        "Uniquement sur R.D.V.",
        "sur rv exclusivement",
        "Accueil sur RDV uniquement",
        "Ouvert uniquement sur rendez vous",
        "Nous recevons sur rendez-vous",
        "Le conseiller numérique reçoit sur rendez-vous",
        "Sur rendez-vous au 05.36.49.00.01 ou par mail à accueil@mairie-fictive.fr",
        "Sur rendez-vous, à prendre au 36 31",
        "Sur rendez-vous en ligne : https://exemple.fr/rdv",
        "Rendez-vous obligatoire",
        "Prise de rendez-vous obligatoire au 05 36 49 00 01",
        "Rendez-vous uniquement",
        "Rendez-vous obligatoire par téléphone",
    ],
)
def test_a_sentence_says_by_appointment_only(sentence):
    assert is_by_appointment_only(sentence)
    assert read_remark(sentence).by_appointment
    assert read_remark(sentence).quotes == (sentence.strip(" ."),)


@pytest.mark.parametrize(
    "sentence",
    [
        "Rendez-vous conseillé",
        "Rendez-vous recommandé",
        "avec ou sans rendez-vous",
        "sans rendez-vous",
        "Ordinateur en libre service : sans rendez-vous",
        "Possibilité de prendre rendez-vous",
        "Nous vous conseillons de prendre rendez-vous",
        "Prise de rendez-vous au 05 36 49 00 01",
        "Rendez-vous en appelant le 05 36 49 00 01",
        "Rendez-vous au 05 36 49 00 01",
        "Prise de RDV également au 05 36 49 00 01",
        "Rendez-vous uniquement par téléphone",
        "Sur rendez-vous ou en accès libre",
        "De préférence sur rendez-vous",
        "Ouvert au public ou sur rendez-vous",
        "Accueil du public et sur rendez-vous",
        "Prise de contact par rendez-vous",
        "Sur rendez-vous possible",
        "Sur rendez-vous le jeudi",
        "Sur rendez-vous uniquement le jeudi de 14h à 17h",
        "Les après-midi uniquement sur rendez-vous",
        "Le matin sur rendez-vous",
        "Sur rendez-vous pour une demande de retraite",
        "Horaires d'été : sur rendez-vous",
        "Permanences à Villefictive sur rendez-vous",
        "Les rendez-vous se tiennent tous les matins",
        "Fermé au public sauf sur rendez-vous le lundi",
        "Uniquement le matin",
        "Ouvert uniquement",
        "",
    ],
)
def test_a_sentence_does_not_say_by_appointment_only(sentence):
    assert not is_by_appointment_only(sentence)
    assert not read_remark(sentence).by_appointment


def test_an_appointment_said_after_something_else_concerns_that_unless_it_says_only():
    assert not read_remark("Le mardi : permanences en mairie // sur RDV").by_appointment
    assert read_remark("Le mardi : permanences en mairie. Uniquement sur RDV.").by_appointment
    assert read_remark("Sur RDV. Permanences le mardi.").by_appointment


@pytest.mark.parametrize(
    ("text", "closures"),
    [
        ("Fermé en août", ("Aug",)),
        ("Sur rendez-vous. Fermeture annuelle du 1er au 15 août 2026.", ("2026 Aug 01-15",)),
        ("Fermé le 24/12 et les jours fériés", ("Dec 24", "PH")),
        ("Fermé le 24/12. Fermé le 24/12.", ("Dec 24",)),
        ("Fermé le mercredi après-midi", ()),
        ("Les horaires peuvent être modifiés les 23 et 30 décembre (fermeture à 16h)", ()),
    ],
)
def test_closures_are_read(text, closures):
    assert read_remark(text).closures == closures


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ("Uniquement le matin", ("Uniquement le matin",)),
        ("Rendez-vous conseillé.", ("Rendez-vous conseillé",)),
        ("Ouvert le 1er samedi du mois : 9:00 - 12:00", ("Ouvert le 1er samedi du mois : 9:00 - 12:00",)),
        ("Entrée par la cour. Fermé en août.", ("Fermé en août",)),
        ("Bâtiment B", ()),
        ("Téléphone : 05 36 49 00 01", ()),
        ("", ()),
        ("Lundi  :\t9h-12h // Mardi : mairie", ("Lundi : 9h-12h", "Mardi : mairie")),
        ("Planning : https://exemple.fr/planning", ("Planning : https://exemple.fr/planning",)),
        ("Le lundi\nLe lundi", ("Le lundi",)),
    ],
)
def test_sentences_about_hours_are_quoted(text, quotes):
    assert read_remark(text).quotes == quotes


@pytest.mark.parametrize(
    ("text", "by_appointment", "closures", "quotes"),
    [
        ("Sur rendez-vous.", True, (), ("Sur rendez-vous",)),
        ("Atelier smartphone. Sur rendez-vous.", False, (), ()),
        ("Atelier smartphone. Sur rendez-vous uniquement.", True, (), ("Sur rendez-vous uniquement",)),
        ("Ouvert le lundi. Fermé en août.", False, ("Aug",), ("Fermé en août",)),
        ("Des ateliers chaque semaine, le mardi matin.", False, (), ()),
        ("", False, (), ()),
    ],
)
def test_a_presentation_is_read_with_more_care(text, by_appointment, closures, quotes):
    read = read_remark(text, prose=True)
    assert (read.by_appointment, read.closures, read.quotes) == (by_appointment, closures, quotes)


def test_a_long_sentence_is_shortened():
    text = "lundi " + "x" * (QUOTE_MAX - 6)
    assert read_remark(text).quotes == (text,)
    assert read_remark(text + "x").quotes == (text[: QUOTE_MAX - 1] + "…",)


def test_sentences_end_at_a_full_stop_before_a_capital():
    assert sentences("Au 05.36.49.00.01. Le lundi. le mardi") == ("Au 05.36.49.00.01", "Le lundi. le mardi")


@needs_shared
def test_all_real_remarks_of_the_lists_are_counted():
    remarks = []
    for path in sorted((SHARED / "data/sites").glob("*.csv")):
        with path.open(encoding="utf-8") as stream:
            remarks += [
                read_remark(row["commentaire"]) for row in csv.DictReader(stream) if row["commentaire"]
            ]
    assert len(remarks) == 66
    assert sum(remark.by_appointment for remark in remarks) == 4
    assert sum(bool(remark.closures) for remark in remarks) == 1
    assert sum(bool(remark.quotes) for remark in remarks) == 64
