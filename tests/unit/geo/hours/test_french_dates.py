"""Dated closures written in French, read as date selectors."""

from __future__ import annotations

import opening_hours
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.hours.french_dates import find_closures
from geo.sites.text import fold


def selectors(text):
    return [each for closure in find_closures(fold(text)) for each in closure.selectors]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("fermé en août", ["Aug"]),
        ("Fermeture annuelle au mois d'août", ["Aug"]),
        ("fermé tout le mois de juillet", ["Jul"]),
        ("fermé en juillet et août", ["Jul", "Aug"]),
        ("fermé en juillet-août", ["Jul", "Aug"]),
        ("fermé de juillet à septembre", ["Jul-Sep"]),
        ("fermée en février 2027", ["2027 Feb"]),
        ("fermé du 1er au 15 août", ["Aug 01-15"]),
        ("fermé du 28 juillet au 15 août", ["Jul 28-Aug 15"]),
        ("fermé du 24 décembre au 2 janvier", ["Dec 24-Jan 02"]),
        ("fermé du 24 au 31 décembre inclus", ["Dec 24-31"]),
        ("fermé entre le 24 décembre et le 2 janvier", ["Dec 24-Jan 02"]),
        ("fermé du 24 décembre 2026 au 2 janvier 2027", ["2026 Dec 24-2027 Jan 02"]),
        ("fermé du 24 décembre au 2 janvier 2027", ["2026 Dec 24-2027 Jan 02"]),
        ("fermé du 24/12/2026 au 02/01/2027", ["2026 Dec 24-2027 Jan 02"]),
        ("fermé du 1 au 15/08/26", ["2026 Aug 01-15"]),
        ("fermé du 01.08 au 15.08", ["Aug 01-15"]),
        ("Fermeture exceptionnelle du lundi 15 juillet au vendredi 26 juillet 2024", ["2024 Jul 15-26"]),
        ("congés annuels du 3 au 21 août", ["Aug 03-21"]),
        ("fermé le 24/12", ["Dec 24"]),
        ("fermé le 24/12/26", ["2026 Dec 24"]),
        ("fermé le 1er mai", ["May 01"]),
        ("fermé les 24 et 31 décembre", ["Dec 24", "Dec 31"]),
        ("fermé les 24, 26 et 31 décembre 2026", ["2026 Dec 24", "2026 Dec 26", "2026 Dec 31"]),
        ("FERMETURE DE LA STRUCTURE le vendredi 10 mai 2024", ["2024 May 10"]),
        ("fermé les jours fériés", ["PH"]),
        ("fermé pendant les vacances scolaires", ["SH"]),
        ("ouvert sauf jours fériés", ["PH"]),
        ("hors vacances scolaires", ["SH"]),
        ("fermé les jours fériés et en août", ["PH", "Aug"]),
        ("fermé en août. Fermé le 2 janvier", ["Aug", "Jan 02"]),
        ("nous sommes fermés le 29 février", ["Feb 29"]),
        ("En août : fermé", ["Aug"]),
        ("Du 1er au 15 août, la médiathèque est fermée", ["Aug 01-15"]),
        ("Ouvert toute l'année, le 24/12 fermé", ["Dec 24"]),
        ("Jours fériés : fermé", ["PH"]),
        ("Vacances scolaires : fermeture", ["SH"]),
        ("En août : fermé le 15 août", ["Aug 15"]),
    ],
)
def test_a_closure_is_read_as_date_selectors(written, read):
    assert selectors(written) == read
    assert all(opening_hours.validate(f"{each} off") for each in read)


@pytest.mark.parametrize(
    "written",
    [
        "ouvert en août",
        "pas de fermeture en août",
        "sans fermeture en août",
        "fermé le mercredi",
        "fermé du lundi au vendredi",
        "fermeture à 16h",
        "fermé de 12h à 14h",
        "fermé le mercredi après-midi",
        "fermé le 24 décembre après-midi",
        "fermé le 24 décembre à 16h",
        "fermé en août sauf le lundi",
        "fermé en août le matin",
        "fermé du 10 au 20",  # of which month?
        "fermé le 31/02",
        "fermé le 12/13",
        "fermé le vendredi 11 mai 2024",  # a Saturday
        "fermé le lundi 24 décembre",  # of which year?
        "fermé du 15 août 2026 au 1er août 2026",
        "fermé pendant les vacances de Noël",
        "sauf en août",
        "En août : fermé l'après-midi",
        "En août : fermé à 16h",
        "En août, nous sommes ouverts. Le lundi, fermé",
        "le lundi : fermé",
        "En août, la mairie ouvre tard et est fermée",
        "En août, la médiathèque est ouverte le matin et la ludothèque fermée",
        "horaires d'été",
        "",
    ],
)
def test_what_is_no_dated_closure_of_whole_days_is_left(written):
    assert selectors(written) == []


def test_the_span_of_a_closure_ends_with_its_dates():
    text = "lundi 9h-12h, ferme en aout, mardi 9h-12h"
    (closure,) = find_closures(text)
    assert text[closure.start : closure.end] == "ferme en aout"


@given(st.text(max_size=40) | st.text("ferme du1er0aout24/12 jnvsl26etàpq", max_size=40))
def test_any_text_gives_valid_selectors(text):
    for prefix in ("", "fermé du ", "fermé le ", "fermé en "):
        assert all(opening_hours.validate(f"{each} off") for each in selectors(prefix + text))
