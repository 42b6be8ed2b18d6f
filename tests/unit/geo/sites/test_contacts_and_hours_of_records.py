"""Telephones, appointments, closures and remarks of validated records."""

from __future__ import annotations

import pytest

from tests.unit.geo.sites.test_validate import VALID, check


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (
            {"telephone": "Secrétariat : 05 36 49 00 01 / 39 39 (national)"},
            ("+33536490001", "Secrétariat", ("3939 (national)",)),
        ),
        (
            {"telephone": "Fax : 05 36 49 00 02 / 05 36 49 00 01"},
            ("+33536490001", "", ("+33536490002 (Fax)",)),
        ),
        ({"telephone": "Fax : 05 36 49 00 02"}, ("", "", ("+33536490002 (Fax)",))),
        (
            {"telephone": "05 36 49 00 01", "ext_autres_telephones": "05 36 49 00 02 (mairie)|39 39"},
            ("+33536490001", "", ("+33536490002 (mairie)", "3939")),
        ),
        (
            {"telephone": "+33536490001", "ext_telephone_remarque": "poste 3"},
            ("+33536490001", "poste 3", ()),
        ),
        (
            {"telephone": "+33536490001", "ext_autres_telephones": "+33536490001|+33536490002"},
            ("+33536490001", "", ("+33536490002",)),
        ),
        ({"telephone": "", "ext_telephone_remarque": "poste 3"}, ("", "", ())),
    ],
)
def test_every_number_is_stored_and_the_first_that_is_no_fax_is_called(cells, values):
    (found,) = check({**VALID, **cells}).records
    assert (found.telephone, found.telephone_remarque, found.autres_telephones) == values


@pytest.mark.parametrize(
    ("cells", "values", "read"),
    [
        ({}, (None, (), ()), False),
        ({"ext_sur_rendez_vous": "oui"}, (True, (), ()), False),
        ({"ext_sur_rendez_vous": "non", "presentation_detail": "Sur rendez-vous."}, (False, (), ()), False),
        (
            {"ext_remarques_horaires": "Le matin|Le soir", "ext_fermetures": "Aug|en juillet"},
            (None, ("Aug", "Jul"), ("Le matin", "Le soir")),
            False,
        ),
        ({"presentation_resume": "Sur rendez-vous."}, (True, (), ("Sur rendez-vous",)), True),
        (
            {"presentation_detail": "Médiathèque. Fermée en août."},
            (None, ("Aug",), ("Fermée en août",)),
            True,
        ),
        ({"presentation_detail": "Rendez-vous conseillé."}, (None, (), ()), False),
    ],
)
def test_appointments_closures_and_remarks_are_those_given_or_those_of_the_presentation(cells, values, read):
    result = check({**VALID, **cells})
    (found,) = result.records
    assert (found.sur_rendez_vous, found.fermetures, found.remarques_horaires) == values
    assert any(issue.code == "remarque_lue" for issue in result.issues) is read
