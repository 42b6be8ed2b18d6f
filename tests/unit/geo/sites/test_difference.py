"""Difference between imported and active records."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from geo.errors import SuspiciousRetirement
from geo.sites.difference import FieldChange, compare, require_plausible, scope_of
from geo.sites.model import ItinerantStop
from tests.support.world import record


def in_service(*sites):
    return {s.key: s for s in sites}


def test_the_same_records_again_change_nothing():
    sites = [record("a", 5), record("b", 15, "99002")]
    difference = compare(in_service(*sites), sites)
    assert (difference.new, difference.changed, difference.vanished) == ((), (), ())
    assert difference.unchanged == 2


def test_a_change_lists_its_fields():
    before = record("a", 5, telephone="+33500000001")
    after = replace(before, telephone="+33500000002", date_maj=date(2026, 5, 1))
    (change,) = compare(in_service(before), [after]).changed
    assert change.fields() == [
        FieldChange("date_maj", date(2026, 3, 2), date(2026, 5, 1)),
        FieldChange("telephone", "+33500000001", "+33500000002"),
    ]


def test_new_and_vanished_records_come_sorted_by_identifier():
    old = [record(i, 5) for i in ("d", "c")]
    difference = compare(in_service(*old), [record(i, 5) for i in ("b", "a")])
    assert [s.local_id for s in difference.new] == ["a", "b"]
    assert [s.local_id for s in difference.vanished] == ["c", "d"]


def test_only_the_departements_a_file_holds_records_of_can_lose_some():
    ours, theirs = record("a", 5), record("b", 45, "96001")
    assert compare(in_service(ours, theirs), [record("c", 45, "96001")]).vanished == (theirs,)


def test_only_the_datasets_a_file_holds_records_of_can_lose_some():
    other = record("a", 5, jeu_de_donnees="autre")
    assert compare(in_service(other), [record("b", 5)]).vanished == ()


def test_an_empty_file_retires_nothing():
    assert compare(in_service(record("a", 5)), []).vanished == ()


def test_a_record_listed_but_rejected_has_not_vanished():
    stays, gone = record("a", 5), record("b", 5)
    difference = compare(in_service(stays, gone), [record("c", 5)], refused={stays.key})
    assert difference.vanished == (gone,)


def test_a_record_that_moves_to_another_departement_changes_and_retires_nobody():
    before = record("a", 45, "96001")
    difference = compare(in_service(before), [replace(before, code_insee="99004", commune="Estbourg")])
    assert [c.fields()[0].field for c in difference.changed] == ["commune"]
    assert difference.vanished == ()


def test_a_record_of_unknown_commune_counts_where_its_postal_code_lies():
    assert scope_of(replace(record("a", None), code_insee="", code_postal="97400")) == ("essai", "974")


def test_a_record_counts_where_its_insee_code_says_whatever_its_postal_code():
    assert scope_of(replace(record("a", 5), code_insee="99001", code_postal="96100")) == ("essai", "99")
    astride = replace(record("a", 5), code_insee="99001", code_postal="96100")
    assert compare(in_service(astride), [record("b", 45, "96001")]).vanished == ()
    assert compare(in_service(astride), [record("b", 15, "99002")]).vanished == (astride,)


def test_a_rejected_record_of_a_departement_without_accepted_ones_stays_too():
    ours = record("a", 5)
    assert compare(in_service(ours), [record("c", 45, "96001")], refused={ours.key}).vanished == ()


def test_a_record_in_service_lends_its_facts_before_a_retired_one():
    active, retired = record("a", 5, pass_numerique=True), record("a", 5, pass_numerique=False)
    found = compare(in_service(active), [record("a", 5)], retired=in_service(retired))
    assert (found.unchanged, found.new) == (1, ())


LOCAL: dict[str, Any] = {
    "pass_numerique": True,
    "membre_reseau": False,
    "acces_fauteuil": True,
    "arrets": (ItinerantStop("Halle", "Tu", "09:00-12:00"),),
}


def test_a_file_that_cannot_carry_local_facts_does_not_wipe_them():
    before = record("a", 5, **LOCAL)
    assert before.membre_reseau is False, "a known no is kept as well as a yes"
    assert compare(in_service(before), [record("a", 5)]).unchanged == 1
    (change,) = compare(in_service(before), [record("a", 5, nom="Autre")]).changed
    assert {name: getattr(change.after, name) for name in LOCAL} == LOCAL


def test_a_false_fact_is_a_fact_and_is_not_replaced_by_the_one_in_service():
    (change,) = compare(
        in_service(record("a", 5, pass_numerique=True)), [record("a", 5, pass_numerique=False)]
    ).changed
    assert change.after.pass_numerique is False


@pytest.mark.parametrize("fact", LOCAL)
def test_a_file_with_the_column_of_a_local_fact_may_empty_it(fact):
    before = record("a", 5, **LOCAL)
    (change,) = compare(in_service(before), [record("a", 5)], provided={fact}).changed
    assert [c.field for c in change.fields()] == [fact]


def test_a_record_that_comes_back_is_new_and_keeps_its_local_facts():
    (back,) = compare({}, [record("a", 5, nom="Autre")], retired=in_service(record("a", 5, **LOCAL))).new
    assert {name: getattr(back, name) for name in LOCAL} == LOCAL
    assert back.nom == "Autre"


def losing(lost, of):
    sites = [record(str(n), 5) for n in range(of)]
    current = in_service(*sites)
    return compare(current, [*sites[lost:], record("nouveau", 5)]), current


def test_losing_half_of_a_dataset_is_plausible():
    require_plausible(*losing(2, of=4))


def test_losing_just_over_half_of_an_odd_number_asks_for_a_confirmation():
    require_plausible(*losing(2, of=5))
    with pytest.raises(SuspiciousRetirement, match=r"3 des 5 lieux"):
        require_plausible(*losing(3, of=5))


def test_losing_more_than_half_asks_for_a_confirmation():
    with pytest.raises(SuspiciousRetirement, match=r"3 des 4 lieux.*« essai ».*département 99"):
        require_plausible(*losing(3, of=4))


def test_the_share_lost_is_counted_in_each_departement_apart():
    theirs = [record(f"v{n}", 45, "96001") for n in range(10)]
    ours = [record(str(n), 5) for n in range(3)]
    current = in_service(*theirs, *ours)
    with pytest.raises(SuspiciousRetirement, match="2 des 3"):
        require_plausible(compare(current, [*theirs, ours[0]]), current)
