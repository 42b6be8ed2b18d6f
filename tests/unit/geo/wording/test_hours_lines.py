"""Opening hours and closures in the OpenStreetMap notation, written as French."""

from __future__ import annotations

import pytest

from geo.wording.hours import closure_text, hours_lines


@pytest.mark.parametrize(
    ("notation", "lines"),
    [
        ("24/7", ("jour et nuit, tous les jours",)),
        ("Mo 14:00+", ("lundi : à partir de 14 h",)),
        ("Mo 09:00-12:00,14:00+", ("lundi : 9 h – 12 h et à partir de 14 h",)),
        ("Mo 14:00-16:00+", ("lundi : 14 h – 16 h ou plus tard",)),
        ("week 02-52/2 Mo 09:00-12:00", ("lundi (semaines paires) : 9 h – 12 h",)),
        ("week 1-53/2 Mo,Tu 09:00-12:00", ("lundi, mardi (semaines impaires) : 9 h – 12 h",)),
        ("week 10-20 Mo 09:00-12:00", ("lundi (semaines 10 à 20) : 9 h – 12 h",)),
        ("week 03-51/4 Mo 09:00-12:00", ("lundi (semaines 3 à 51, une sur 4) : 9 h – 12 h",)),
        ("week 05 Mo 09:00-12:00", ("lundi (semaine 5) : 9 h – 12 h",)),
        ("Tu[1,3] 14:00-17:00", ("premier et troisième mardi du mois : 14 h – 17 h",)),
        ("Sa[-1] 09:00-12:00", ("dernier samedi du mois : 9 h – 12 h",)),
        ('Mo 09:00-12:00 "sur rendez-vous"', ("lundi : 9 h – 12 h, sur rendez-vous",)),
        ('Mo 09:00-12:00 "entrée B"', ("lundi : 9 h – 12 h (entrée B)",)),
        ('"sur rendez-vous"', ("sur rendez-vous",)),
        ('Tu "sur RDV"', ("mardi : sur rendez-vous",)),
        ('"voir planning; mairie"', ("« voir planning; mairie »",)),
        ('We unknown "le matin"', ("mercredi : horaires inconnus (le matin)",)),
        (
            "Mo 09:00-12:00, Mo 14:00-24:00 unknown",
            ("lundi : 9 h – 12 h", "lundi : 14 h – 24 h, à confirmer"),
        ),
        (
            'Mo-Fr 09:00-12:00 || "sur rendez-vous"',
            ("du lundi au vendredi : 9 h – 12 h", "sinon, sur rendez-vous"),
        ),
        ("Jul-Aug Mo-Fr 08:00-13:00", ("de juillet à août, du lundi au vendredi : 8 h – 13 h",)),
        ("Aug-Oct Mo 08:00-13:00", ("d'août à octobre, lundi : 8 h – 13 h",)),
        ("Aug off", ("en août : fermé",)),
        ("2027 Aug off", ("en août 2027 : fermé",)),
        ("Aug 01-15 off", ("du 1er au 15 août : fermé",)),
        ("2026 Aug 01-15 off", ("du 1er au 15 août 2026 : fermé",)),
        ("Jul 28-Aug 15 closed", ("du 28 juillet au 15 août : fermé",)),
        (
            '2026 Dec 24-2027 Jan 02 off "congés"',
            ("du 24 décembre 2026 au 2 janvier 2027 : fermé (congés)",),
        ),
        ("Dec 24,Dec 31 off", ("24 décembre et 31 décembre : fermé",)),
        ("2026 Dec 03 09:00-12:00", ("3 décembre 2026 : 9 h – 12 h",)),
        ("PH off; SH off", ("jours fériés : fermé", "vacances scolaires : fermé")),
        ("Mo 09:00-12:00; easter off", ("Mo 09:00-12:00; easter off",)),
        ("Mo 08:30", ("Mo 08:30",)),
        ("Mo", ("Mo",)),
        ("sur rendez-vous, téléphoner", ("sur rendez-vous, téléphoner",)),
        ("", ()),
    ],
)
def test_the_notation_is_written_as_french(notation, lines):
    assert tuple(line.replace("\u00a0", " ") for line in hours_lines(notation)) == lines


@pytest.mark.parametrize(
    ("closure", "text"),
    [
        ("Aug", "fermé en août"),
        ("2027 Jul", "fermé en juillet 2027"),
        ("Jul-Aug", "fermé de juillet à août"),
        ("Aug 01-15", "fermé du 1er au 15 août"),
        ("Dec 24", "fermé le 24 décembre"),
        ("Apr 01", "fermé le 1er avril"),
        ("Mo", "fermé le lundi"),
        ("PH", "fermé les jours fériés"),
        ("SH", "fermé pendant les vacances scolaires"),
        ('2026 Dec 24-2027 Jan 02 "congés"', "fermé du 24 décembre 2026 au 2 janvier 2027 (congés)"),
        ('Aug ""', "fermé en août"),
        ("easter", "easter"),
    ],
)
def test_a_closure_is_written_as_french(closure, text):
    assert closure_text(closure) == text
