"""Each field parser alone: identifiers, labels, text, dates and hours."""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.hours.parse import format_stop, is_readable, parse_stops
from geo.sites import standard
from geo.sites.closed_lists import parse_labels
from geo.sites.dates import parse_update_date
from geo.sites.identifiers import local_id_in, parse_pivot
from geo.sites.model import ItinerantStop
from geo.sites.text import clean_text, comparable_text
from tests.support.shared import SHARED, needs_shared

UNKNOWN = standard.UNKNOWN_PIVOT


@pytest.mark.parametrize(
    ("cell", "kept", "codes"),
    [
        ("73282932000074", "73282932000074", []),
        ("732829320", "732829320", []),  # a SIREN
        ("W471000000", "W471000000", []),
        ("w471 000 000", "W471000000", ["pivot_normalise"]),
        ("732\u00a0829\u202f320\u00a000074", "73282932000074", ["pivot_normalise"]),
        (UNKNOWN, UNKNOWN, []),
        ("", UNKNOWN, ["pivot_absent"]),
        ("35600000000048", "35600000000048", []),  # La Poste's head office: Luhn
        ("35600000049837", "35600000049837", []),  # La Poste's others: digits add up to a multiple of 5
        ("35600000049838", UNKNOWN, ["pivot_invalide"]),
        ("73282932000075", UNKNOWN, ["pivot_invalide"]),
        ("732829321", UNKNOWN, ["pivot_invalide"]),
        ("000000000", UNKNOWN, ["pivot_invalide"]),
        ("7328293200007", UNKNOWN, ["pivot_invalide"]),
        ("٧٣٢٨٢٩٣٢٠٠٠٠٧٤", UNKNOWN, ["pivot_invalide"]),
        ("W47100000", UNKNOWN, ["pivot_invalide"]),
        ("0123456001", UNKNOWN, ["pivot_invalide"]),
    ],
)
def test_a_structure_is_known_by_a_number_that_checks(cell, kept, codes):
    found, findings = parse_pivot(cell)
    assert (found, [f.code for f in findings]) == (kept, codes)


def test_a_ridet_is_a_number_of_the_pacific_only():
    assert parse_pivot("0123456001", pacific=True) == ("0123456001", ())


@pytest.mark.parametrize(
    ("field", "cell", "kept", "codes"),
    [
        ("services", "", (), []),
        ("formations_labels", "Étapes numériques (La Poste)", (standard.ETAPES_NUMERIQUES,), []),
        ("formations_labels", "Étapes numériques(La Poste)", (standard.ETAPES_NUMERIQUES,), []),
        ("formations_labels", "ORDI 3x0", (), ["valeur_inconnue"]),
        ("typologie", "PE", ("FT",), []),
        ("typologie", "RFS|BIB|RFS", ("RFS", "BIB"), []),
        ("typologie", "autre", ("Autre",), ["valeur_normalisee"]),
        ("frais_a_charge", "|Gratuit|", ("Gratuit",), []),
        ("frais_a_charge", "Gratuit | payant", ("Gratuit", "Payant"), ["valeur_normalisee"]),
        ("dispositif_programmes_nationaux", "France services", ("France Services",), ["valeur_normalisee"]),
        ("modalites_accompagnement", "A distance", ("À distance",), ["valeur_normalisee"]),
        (
            "modalites_accompagnement",
            unicodedata.normalize("NFD", "À distance"),
            ("À distance",),
            ["valeur_normalisee"],
        ),
        (
            "formations_labels",
            "Formé à «\u00a0Mon Espace Santé\u00a0»",
            ("Formé à « Mon Espace Santé »",),
            ["valeur_normalisee"],
        ),
        ("prise_en_charge_specifique", "Langues étrangères", (), ["valeur_inconnue"]),
    ],
)
def test_labels_are_read_in_their_official_spelling(field, cell, kept, codes):
    found, findings = parse_labels(field, cell)
    assert found == kept
    assert [f.code for f in findings if f.code != "valeur_normalisee" or f.value.strip() not in kept] == codes


def test_the_advice_on_an_unknown_label_names_those_accepted():
    (finding,) = parse_labels("frais_a_charge", "Troc")[1]
    assert all(f"« {label} »" in finding.advice for label in standard.FRAIS)


@needs_shared
def test_every_label_of_ours_is_one_the_official_schema_accepts():
    schema = json.loads((SHARED / "reference/standard-mediation-num.schema.v1.0.2.json").read_text("utf-8"))
    rules = {
        f["name"]: f["constraints"]["pattern"]
        for f in schema["fields"]
        if "pattern" in f.get("constraints", {})
    }
    for field, known in standard.ENUMERATIONS.items():
        for label in known:
            if field != "typologie" and label != standard.ETAPES_NUMERIQUES:
                assert re.search(rules[field], label), label


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("A\u202eB\u2066C\u2069", "ABC"),
        ("A\x00B\x1bC", "ABC"),
        ("ligne\r\nsuivante", "ligne suivante"),
        ("zéro\u200blargeur\ufeff", "zérolargeur"),
        ("\ud800abc", "abc"),
        (unicodedata.normalize("NFD", "Été"), "Été"),
    ],
)
def test_what_hides_or_misleads_is_taken_out(text, kept):
    assert clean_text(text) == (kept, True)


@pytest.mark.parametrize(
    "text",
    [
        "</script><script>alert(1)</script>",
        "${alert(1)}",
        "<img src=x onerror=alert(1)>",
        "C:\\users",
        "« L’Été » — n° 3",
        "مكتبة البلدية",
        "👩\u200d👩\u200d👧 café 🐸",
        "Espace\u00a0: numérique",
    ],
)
def test_all_other_text_is_unchanged(text):
    assert clean_text(text) == (text, False)


@given(st.text(st.characters(), max_size=40))
def test_cleaning_twice_is_cleaning_once(text):
    for lines in (False, True):
        once, _ = clean_text(text, lines=lines)
        assert clean_text(once, lines=lines) == (once, False)
        once.encode("utf-8")
    assert comparable_text(comparable_text(text)) == comparable_text(text)


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("2026-03-02", date(2026, 3, 2)),
        ("2/3/2026", date(2026, 3, 2)),
        ("02.03.2026", date(2026, 3, 2)),
        ("2026-03-02 10:00", date(2026, 3, 2)),
        ("2026-11-24", date(2026, 11, 24)),  # tomorrow: the producer's clock may be ahead of ours
        ("2026-11-25", None),
        ("1970-01-01", None),
        ("2026-02-30", None),
        ("0000-00-00", None),
        ("hier", None),
        ("", None),
        ("45000", date(2023, 3, 15)),  # the day number of a spreadsheet
        ("4500", None),
    ],
)
def test_a_date_of_update_is_read_or_unknown(cell, found):
    assert parse_update_date(cell, today=date(2026, 11, 23))[0] == found


@needs_shared
def test_all_real_opening_hours_are_read_but_one():
    with (SHARED / "data/opening_hours/horaires-osm-47-et-voisins.csv").open(encoding="utf-8") as stream:
        lines = list(csv.DictReader(stream))
    assert len(lines) == 218
    assert [line["horaires"] for line in lines if not is_readable(line["horaires"])] == ["Mo 08:30"]


@pytest.mark.parametrize(
    ("raw", "readable"),
    [
        ("24/7", True),
        ("Mo 09:30-12:30,13:30-15:30; PH off", True),
        ("SH Mo-Fr 10:00-12:00", True),
        ("week 1-53/2 Tu 09:00-12:00", True),
        ('"sur rendez-vous"', True),
        ("Mo 00:00-24:00", True),
        ("Mo 4:00-14:00", True),
        ("Mo 09:00-9:00", False),
        ("lundi matin", False),
        ("", False),
        ("Mo 09:00-12:00;" * 1_000, False),
    ],
)
def test_hours_are_readable_or_unknown(raw, readable):
    assert is_readable(raw) is readable


STOPS = (
    ItinerantStop("Halle, place de l'Église", "Tu", "09:00-12:00"),
    ItinerantStop("Parking @ la gare", "Th[1]", "09:00-12:00,14:00-17:00"),
    ItinerantStop("Salle des fêtes", "2026-12-03", "14:00-16:00"),
    ItinerantStop("Mairie", "week 2-52/2 We", "10:00-12:00"),
)


def test_stops_are_read_as_they_are_written():
    assert parse_stops("|".join(map(format_stop, STOPS))) == (STOPS, ())


@pytest.mark.parametrize(
    "cell",
    ["Halle", "Halle @ mardi matin", "@ Tu 09:00-12:00", "Halle @ Tu", "Halle @ 2026-13-01 09:00-12:00"],
)
def test_an_unreadable_stop_is_reported(cell):
    found, findings = parse_stops(cell)
    assert found == () and [f.code for f in findings] == ["arret_illisible"]


@pytest.mark.parametrize(
    ("site_id", "source", "exported", "local_id"),
    [
        ("di--42", "dora", True, "42"),
        ("di--42--dora", "dora", True, "42"),
        ("di--42--siao-47", "SIAO 47", True, "42"),
        ("di--42--dora", "dora", False, "42--dora"),
        ("di--42--dora", "siao", True, "42--dora"),
        ("di--42--2", "", True, "42--2"),
        ("42", "dora", True, "42"),
        ("autre--42", "", True, "autre--42"),
        ("di----dora", "dora", True, "--dora"),
        ("", "dora", True, ""),
    ],
)
def test_the_identifier_of_a_source_is_found_in_that_of_an_exported_site(site_id, source, exported, local_id):
    assert local_id_in(site_id, dataset="di", source=source, exported=exported) == local_id
