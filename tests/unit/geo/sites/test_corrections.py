"""Corrections: values set over the sources, on some days."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from geo.sites.corrections import FIELDS, STATUS_FIELD, Correction, active_by_site, corrected
from geo.sites.model import VALUE_FIELDS, Origin
from tests.support.world import as_site, record, site

DAY = date(2026, 11, 2)
ONE = timedelta(days=1)

PHONE = Correction(
    site_id="essai--a",
    field="telephone",
    value="+33500000009",
    author="Camille (fictif)",
    day=DAY,
    reason="Appelé ce matin",
    id=7,
)


@pytest.mark.parametrize(
    ("until", "today", "applies"),
    [
        (None, DAY - ONE, False),
        (None, DAY, True),
        (None, date(9999, 12, 31), True),
        (DAY, DAY - ONE, False),
        (DAY, DAY, True),
        (DAY, DAY + ONE, False),
        (DAY + 3 * ONE, DAY + 3 * ONE, True),
        (DAY + 3 * ONE, DAY + 4 * ONE, False),
    ],
)
def test_a_correction_applies_from_its_first_day_to_its_last(until, today, applies):
    made = replace(PHONE, until=until)
    assert made.applies(today) is applies
    assert active_by_site([made], today) == ({"essai--a": {"telephone": made}} if applies else {})


def test_a_correction_that_was_ended_no_longer_applies():
    ended = replace(PHONE, ended_at=datetime(2026, 11, 2, tzinfo=UTC), ended_by="Camille (fictif)")
    assert not ended.applies(DAY)
    assert active_by_site([ended], DAY) == {}


def test_of_two_corrections_of_a_field_the_later_one_applies():
    later = replace(PHONE, value="+33500000010", id=8)
    for made in ([PHONE, later], [later, PHONE]):
        assert active_by_site(made, DAY) == {"essai--a": {"telephone": later}}


def test_the_earlier_one_applies_again_when_the_later_one_ends():
    later = replace(PHONE, value="+33500000010", id=8, until=DAY)
    assert active_by_site([PHONE, later], DAY)["essai--a"]["telephone"] == later
    assert active_by_site([PHONE, later], DAY + ONE)["essai--a"]["telephone"] == PHONE


def test_corrections_are_those_of_their_site_and_field():
    hours = replace(PHONE, field="horaires", value="Mo 09:00-12:00", id=8)
    other = replace(PHONE, site_id="essai--b", id=9)
    assert active_by_site([PHONE, hours, other], DAY) == {
        "essai--a": {"telephone": PHONE, "horaires": hours},
        "essai--b": {"telephone": other},
    }


def test_a_corrected_site_has_the_value_and_says_whose():
    before = site("a", 5, telephone="+33500000001")
    after = corrected(before, {"telephone": PHONE})
    assert after.telephone == "+33500000009"
    assert after.origin("telephone") == Origin("telephone", (), "correction", DAY, 7)
    assert replace(after, telephone=before.telephone, origins=()) == before, "nothing else changes"
    for name in VALUE_FIELDS:
        if name not in ("telephone", "jeu_de_donnees"):
            assert after.origin(name) == before.origin(name), name


def test_a_correction_may_say_that_a_value_is_not_known():
    before = site("a", 5, telephone="+33500000001", courriels=("a@exemple.fr",), pass_numerique=True)
    made = [replace(PHONE, value=""), replace(PHONE, field="courriels", value=(), id=8)]
    made.append(replace(PHONE, field="pass_numerique", value=None, id=9))
    after = corrected(before, {each.field: each for each in made})
    assert (after.telephone, after.courriels, after.pass_numerique) == ("", (), None)
    origins = [after.origin(each.field) for each in made]
    assert {origin and origin.rule for origin in origins} == {"correction"}


def test_a_correction_of_a_site_of_several_records_replaces_the_origin_of_its_field_only():
    before = as_site(
        record("a", 5, telephone="+33500000001"),
        record("b", 5, telephone="+33500000002", horaires="Tu 09:00-12:00"),
    )
    after = corrected(before, {"telephone": PHONE})
    assert [each for each in after.origins if each.field != "telephone"] == [
        each for each in before.origins if each.field != "telephone"
    ]
    assert [each.field for each in after.origins] == [each.field for each in before.origins]
    assert after.conflicts == before.conflicts, "what the sources say stays listed"


def test_closing_a_site_changes_none_of_its_values():
    before = site("a", 5)
    assert corrected(before, {STATUS_FIELD: replace(PHONE, field=STATUS_FIELD, value="ferme")}) == before
    assert corrected(before, {}) == before


def test_what_says_where_a_record_comes_from_cannot_be_corrected():
    assert set(VALUE_FIELDS) - FIELDS == {"jeu_de_donnees", "source", "signalements", "fictif"}
    assert STATUS_FIELD not in FIELDS
