"""Parsing of telephone cells: several numbers, short numbers, extensions and remarks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.sites.telephones import (
    CELL_MAX,
    REMARK_MAX,
    Telephone,
    is_fax,
    parse_other_phones,
    parse_phones,
)

NORMALISED, SEVERAL = ["telephone_normalise"], ["telephone_multiple"]
REMARK, INVALID = ["telephone_avec_remarque"], ["telephone_invalide"]


@pytest.mark.parametrize(
    ("cell", "code", "numbers", "codes"),
    [
        ("", "47001", [], []),
        ("+33536490001", "47001", ["+33536490001"], []),
        ("05 36 49 00 01", "47001", ["+33536490001"], NORMALISED),
        ("05.36.49.00.01", "47001", ["+33536490001"], NORMALISED),
        ("05-36-49-00-01", "47001", ["+33536490001"], NORMALISED),
        ("05/36/49/00/01", "47001", ["+33536490001"], NORMALISED),
        ("05,36,49,00,01", "47001", ["+33536490001"], NORMALISED),
        ("536490001", "47001", ["+33536490001"], NORMALISED),  # a spreadsheet ate the zero
        ("536490001.0", "47001", ["+33536490001"], NORMALISED),
        ("+33 (0)5 36 49 00 01", "47001", ["+33536490001"], NORMALISED),
        ("+330536490001", "47001", ["+33536490001"], NORMALISED),
        ("0033 5 36 49 00 01", "47001", ["+33536490001"], NORMALISED),
        ("+ 33 5 36 49 00 01", "47001", ["+33536490001"], NORMALISED),
        ("0590 99 35 12", "97105", ["+590590993512"], NORMALISED),
        ("0262 40 01 23", "97411", ["+262262400123"], NORMALISED),
        ("0262 40 01 23", "", [], INVALID),  # no such number in metropolitan France
        ("+34 943 00 00 01", "47001", ["+34943000001"], NORMALISED),
        ("sans objet / 05 36 49 00 01", "47001", ["+33536490001"], NORMALISED),
        ("Tél. : 05 36 49 00 01", "47001", ["+33536490001"], NORMALISED),
        ("nous contacter", "47001", [], INVALID),
        ("17 rue Fictive", "47001", [], INVALID),
        ("0" * 500, "47001", [], INVALID),
    ],
)
def test_a_number_is_written_in_its_international_form(cell, code, numbers, codes):
    found, findings = parse_phones(cell, code)
    assert ([str(each) for each in found], [f.code for f in findings]) == (numbers, codes)


@pytest.mark.parametrize(
    ("cell", "number", "codes"),
    [
        ("36 31", "3631", NORMALISED),
        ("39-19", "3919", NORMALISED),
        ("3919", "3919", []),
        ("3 9 3 9", "3939", NORMALISED),
        ("10 14", "1014", NORMALISED),
        ("116 117", "116117", NORMALISED),
        ("115", "115", []),
        ("0 800 123 456", "+33800123456", NORMALISED),
        ("0 805 36 49 00", "+33805364900", NORMALISED),
        ("09 70 36 49 00", "+33970364900", NORMALISED),
        ("15", "", INVALID),
        ("2026", "", INVALID),
        ("47001", "", INVALID),
    ],
)
def test_a_short_number_has_no_international_form(cell, number, codes):
    found, findings = parse_phones(cell, "47001")
    assert ("".join(each.number for each in found), [f.code for f in findings]) == (number, codes)


@pytest.mark.parametrize(
    ("cell", "remark"),
    [
        ("05 36 49 00 01 (mairie)", "mairie"),
        ("05 36 49 00 01 mairie", "mairie"),
        ("05 36 49 00 01 - mairie", "mairie"),
        ("Secrétariat : 05 36 49 00 01", "Secrétariat"),
        ("Secrétariat 05 36 49 00 01", "Secrétariat"),
        ("Tél. secrétariat : 05 36 49 00 01", "secrétariat"),
        ("N° vert 0 805 36 49 00", "N° vert"),
        ("05 36 49 00 01 poste 12", "poste 12"),
        ("05 36 49 00 01, poste 115", "poste 115"),
        ("05 36 49 00 01 - poste 4", "poste 4"),
        ("05 36 49 00 01 (ext. 4)", "ext. 4"),
        ("05 36 49 00 01 (accueil) poste 3", "accueil, poste 3"),
        ("Mairie : 05 36 49 00 01 (le matin)", "Mairie, le matin"),
        ("05 36 49 00 01 (lundi au vendredi, 9h-12h)", "lundi au vendredi, 9h-12h"),
        ("3939 (Allô Service Public)", "Allô Service Public"),
        ("05 36 49 00 01 ou par courriel", "par courriel"),
    ],
)
def test_words_beside_a_number_are_its_remark(cell, remark):
    (found,), findings = parse_phones(cell, "47001")
    assert found.remark == remark
    assert [f.code for f in findings] == REMARK
    assert str(found) in findings[0].to_issue(1).reason


@pytest.mark.parametrize(
    ("cell", "phones"),
    [
        ("0536490001/0536490002", ["+33536490001", "+33536490002"]),
        ("05 36 49 00 01 / 06 99 00 00 02", ["+33536490001", "+33699000002"]),
        ("05 36 49 00 01 ou 06 99 00 00 02", ["+33536490001", "+33699000002"]),
        ("05 36 49 00 01 - 06 99 00 00 02", ["+33536490001", "+33699000002"]),
        ("05.36.49.00.01-06.99.00.00.02", ["+33536490001", "+33699000002"]),
        ("05 36 49 00 01 06 99 00 00 02", ["+33536490001", "+33699000002"]),
        ("05 36 49 00 01, 06 99 00 00 02", ["+33536490001", "+33699000002"]),
        ("05 36 49 00 01 ; +33 6 99 00 00 02", ["+33536490001", "+33699000002"]),
        ("+34 943 00 00 01 / 05 36 49 00 01", ["+34943000001", "+33536490001"]),
        ("36 31 ou 05 36 49 00 01", ["3631", "+33536490001"]),
        (
            "Mairie : 05 36 49 00 01, Médiathèque : 05 36 49 00 02",
            ["+33536490001 (Mairie)", "+33536490002 (Médiathèque)"],
        ),
        (
            "Accueil 05 36 49 00 01 Direction 05 36 49 00 02",
            ["+33536490001 (Accueil)", "+33536490002 (Direction)"],
        ),
        (
            "05 36 49 00 01 (mairie) 05 36 49 00 02 (CCAS)",
            ["+33536490001 (mairie)", "+33536490002 (CCAS)"],
        ),
        (
            "05 36 49 00 01 mairie / 06 99 00 00 02 portable",
            ["+33536490001 (mairie)", "+33699000002 (portable)"],
        ),
        ("05 36 49 00 01 ou 06 99 00 00 02 (urgences)", ["+33536490001", "+33699000002 (urgences)"]),
        (
            "05 36 49 00 01 (06 99 00 00 02 en cas d'absence)",
            ["+33536490001", "+33699000002 (en cas d'absence)"],
        ),
        ("tél 05 36 49 00 01 fax 05 36 49 00 02", ["+33536490001", "+33536490002 (fax)"]),
        ("Fax : 05 36 49 00 02 / Tél : 05 36 49 00 01", ["+33536490001", "+33536490002 (Fax)"]),
    ],
)
def test_each_of_several_numbers_is_kept_with_its_remark(cell, phones):
    found, findings = parse_phones(cell, "47001")
    assert [str(each) for each in found] == phones
    assert [f.code for f in findings] == SEVERAL


def test_a_number_given_twice_is_one():
    assert parse_phones("0536490001 et 05 36 49 00 01", "47001")[0] == (Telephone("+33536490001"),)


@pytest.mark.parametrize("cell", ["05 36 49 00 / 06 99 00 00 02", "05 36 49 00 - 06 99 00 00 02"])
def test_a_number_that_lacks_digits_is_reported_and_does_not_eat_the_next(cell):
    found, findings = parse_phones(cell, "47001")
    assert found == (Telephone("+33699000002"),)
    assert [(f.code, f.value) for f in findings] == [("telephone_invalide", "05 36 49 00")]


def test_a_fax_is_marked():
    (fax,), _ = parse_phones("Télécopie : 05 36 49 00 02", "47001")
    assert is_fax(fax)
    assert not is_fax(Telephone("+33536490001", "faxe non, mairie"))


def test_a_cell_of_300_characters_is_read_and_a_longer_one_is_not():
    cell = "0536490001".ljust(CELL_MAX, "/")
    assert parse_phones(cell, "47001")[0] == (Telephone("+33536490001"),)
    found, findings = parse_phones(cell + "/", "47001")
    assert found == () and [f.code for f in findings] == INVALID


def test_a_long_remark_is_shortened():
    (found,), _ = parse_phones("05 36 49 00 01 " + "mot " * 40, "47001")
    assert len(found.remark) == REMARK_MAX and found.remark.endswith("…")
    (found,), _ = parse_phones("05 36 49 00 01 " + "m" * REMARK_MAX, "47001")
    assert found.remark == "m" * REMARK_MAX


@pytest.mark.parametrize(
    ("cell", "phones"),
    [
        ("", []),
        ("+33536490002 (portable)|3919", ["+33536490002 (portable)", "3919"]),
        ("05 36 49 00 02 / 3919", ["+33536490002", "3919"]),
    ],
)
def test_other_numbers_are_read_as_written_by_an_export(cell, phones):
    assert [str(each) for each in parse_other_phones(cell, "47001")[0]] == phones


@given(st.text(max_size=60) | st.text("0536+33 /-.()ouetposte:", max_size=60))
def test_what_is_read_is_read_again_without_findings(text):
    phones, _ = parse_phones(text, "47001")
    for phone in phones:
        assert parse_phones(phone.number, "47001") == ((Telephone(phone.number),), ())
    assert parse_other_phones("|".join(map(str, phones)), "47001") == (phones, ())
