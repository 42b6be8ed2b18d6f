"""Names after a preposition, dates and times of day, phone numbers and opening hours as text."""

from __future__ import annotations

from datetime import date, time

import pytest

from geo.wording import dates, names, site_phrases
from geo.wording.hours import hours_lines
from geo.wording.language import language

ENGLISH = language("en")


@pytest.mark.parametrize(
    ("name", "of", "at"),
    [
        ("Agen", "d'Agen", "à Agen"),
        ("Marmande", "de Marmande", "à Marmande"),
        ("Le Mas-d'Agenais", "du Mas-d'Agenais", "au Mas-d'Agenais"),
        ("Le Passage", "du Passage", "au Passage"),
        ("Les Eyzies", "des Eyzies", "aux Eyzies"),
        ("La Réole", "de La Réole", "à La Réole"),
        ("L'Isle-Jourdain", "de L'Isle-Jourdain", "à L'Isle-Jourdain"),
        ("Lévignac", "de Lévignac", "à Lévignac"),
        ("Éauze", "d'Éauze", "à Éauze"),
        ("Yvetot", "d'Yvetot", "à Yvetot"),
        ("Yutz", "de Yutz", "à Yutz"),
        ("Houeillès", "d'Houeillès", "à Houeillès"),
        ("Hautefage-la-Tour", "de Hautefage-la-Tour", "à Hautefage-la-Tour"),
        ("Cours", "de Cours", "à Cours"),
        ("Cours (47360)", "de Cours (47360)", "à Cours (47360)"),
        ("Lot-et-Garonne", "de Lot-et-Garonne", "à Lot-et-Garonne"),
        ("12 Rue Victor Hugo, Agen", "du 12 Rue Victor Hugo, Agen", "au 12 Rue Victor Hugo, Agen"),
        ("Rue Victor Hugo, Agen", "de la rue Victor Hugo, Agen", "à la rue Victor Hugo, Agen"),
        ("Avenue de la Gare", "de l'avenue de la Gare", "à l'avenue de la Gare"),
        ("votre position", "de votre position", "à votre position"),
        ("", "de ", "à "),
    ],
)
def test_a_preposition_contracts_or_elides(name, of, at):
    assert names.of_place(name) == of
    assert names.at_place(name) == at
    assert names.of_place(name, ENGLISH) == names.at_place(name, ENGLISH) == name


def test_the_first_of_a_month_is_an_ordinal_in_french():
    assert dates.long_date(date(2026, 3, 1)) == "1er mars 2026"
    assert dates.long_date(date(2026, 3, 3)) == "3 mars 2026"
    assert dates.long_date(date(2026, 3, 11)) == "11 mars 2026"
    assert dates.long_date(date(2026, 3, 1), ENGLISH) == "1 March 2026"
    assert dates.weekday_date(date(2026, 12, 1)) == "mardi 1er décembre 2026"
    assert dates.weekday_date(date(2026, 12, 3), year=False) == "jeudi 3 décembre"
    assert dates.month(8) == "août"


def test_times_of_day():
    assert dates.time_of_day(time(17, 30)) == "17\u00a0h\u00a030"
    assert dates.time_of_day(time(9, 0)) == "9\u00a0h"
    assert dates.time_of_day(time(17, 30), ENGLISH) == "5:30 pm"
    assert dates.time_range(time(9), time(12, 5)) == "9\u00a0h – 12\u00a0h\u00a005"


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        ("Mo-Fr 09:00-12:00", ("du lundi au vendredi : 9 h – 12 h",)),
        ("Tu,Th 14:00-17:30; PH off", ("mardi, jeudi : 14 h – 17 h 30", "jours fériés : fermé")),
        ("Th[1] 09:00-12:00", ("premier jeudi du mois : 9 h – 12 h",)),
        ("Fr[-1] 09:00-12:00", ("dernier vendredi du mois : 9 h – 12 h",)),
        (
            "Mo-We,Fr 8:30-12:30,14:00-18:00",
            ("du lundi au mercredi, vendredi : 8 h 30 – 12 h 30 et 14 h – 18 h",),
        ),
        ("Mo 20:00-24:00", ("lundi : 20 h – 24 h",)),
        ("24/7", ("jour et nuit, tous les jours",)),
        ("SH Mo 09:00-12:00", ("SH Mo 09:00-12:00",)),
        ("", ()),
    ],
)
def test_hours_read_as_french(raw, lines):
    assert tuple(line.replace("\u00a0", " ") for line in hours_lines(raw)) == lines


@pytest.mark.parametrize(
    ("number", "shown", "dialled"),
    [
        ("+33553990010", "05 53 99 00 10", "+33553990010"),
        ("3639", "36 39", "3639"),
        ("116117", "116 117", "116117"),
        ("115", "115", "115"),
        ("+33800123456", "0 800 12 34 56", "0800123456"),
        ("+34943000001", "943 00 00 01", "+34943000001"),
        ("javascript:alert(1)", "javascript:alert(1)", "1"),
        ("secrétariat", "secrétariat", ""),
    ],
)
def test_phones_are_shown_as_written_and_dialled_as_digits(number, shown, dialled):
    assert site_phrases.phone(number) == shown
    assert site_phrases.dialled(number) == dialled
