"""Passes in the real database: orders, events, corrections and expiry."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from geo.errors import RefusedPasses, UnknownOrder
from geo.funding.pass_reports import by_territory
from geo.funding.passes import EventKind, Standing, expiries
from geo.store import passes
from geo.territory.model import TerritoryKind
from tests.postgis.geo.store.test_store import same_place, store
from tests.support import world
from tests.support.pass_store import AUGUST, MARCH, A, event, record, standing
from tests.support.world import TERRITORY

# --- orders


def test_an_order_is_read_back_and_recording_it_again_changes_nothing(ordered):
    assert passes.orders(ordered) == (A,)
    assert not passes.order(ordered, A, "moi")
    assert standing(ordered) == Standing("A", 100, 0, 0, 0, 0)


def test_another_order_of_the_same_reference_is_refused(ordered):
    with pytest.raises(RefusedPasses, match="porte déjà la référence A : 100 pass du 1er mars 2026"):
        passes.order(ordered, replace(A, note="autre"), "moi")


def test_an_order_of_an_unknown_funder_is_refused_by_the_database(ordered):
    with pytest.raises(RefusedPasses, match="pas tous connus"):
        passes.order(ordered, replace(A, reference="B", funders=(("nobody", 100),)), "moi")


def test_the_author_of_an_order_is_recorded(ordered):
    row = ordered.execute(text("SELECT actor, subject, before, after FROM audit")).one()
    assert (row.actor, row.subject, row.before) == ("moi", "pass_order/A", None)
    assert row.after["count"] == 100


def test_only_an_order_without_events_can_be_withdrawn(ordered):
    passes.withdraw(ordered, "A", "moi")
    assert passes.orders(ordered) == ()
    with pytest.raises(UnknownOrder):
        passes.withdraw(ordered, "A", "moi")
    passes.order(ordered, A, "moi")
    record(ordered, event("1", "given", 0, 1))
    with pytest.raises(RefusedPasses, match="des événements la nomment"):
        passes.withdraw(ordered, "A", "moi")


# --- events


def test_events_are_read_back_and_counted(ordered):
    wanted = (event("1", "given", 0, 10), event("2", "used", 5, 4, commune="99002"))
    assert asdict(record(ordered, *wanted)) == {"new": 2, "already": 0}
    assert passes.events(ordered, ["1", "2", "3"]) == wanted
    assert standing(ordered) == Standing("A", 100, 10, 4, 0, 0)


def test_passes_of_merged_sites_are_counted_together_where_the_site_is(ordered):
    sites = [world.record("a", 5), world.record("b", 5), world.record("c", 15, "99002")]
    store(ordered, *sites)
    record(
        ordered,
        event("1", "given", 0, 20),
        event("2", "used", 5, 4),
        event("3", "used", 6, 3, site="essai--b"),
        event("4", "used", 6, 2, site="essai--c"),
    )
    same_place(ordered, "essai--a", "essai--b")
    counts = passes.counts(ordered)
    used = {use.site: use.used for use in counts.by_site}
    assert used == {"essai--a": 7, "essai--c": 2}
    country = world.snapshot(world.site("a", 5), world.site("c", 15, "99002"))
    rows = by_territory(
        counts, TERRITORY, TerritoryKind.COMMUNE, commune_of_site=country.commune_of_site
    ).rows
    assert {row.code: row.used_here for row in rows if row.used_here} == {"99001": 7, "99002": 2}


def test_recording_the_same_event_again_changes_nothing(ordered):
    one, two = event("1", "given", 0, 10), event("2", "given", 1, 5)
    record(ordered, one)
    assert asdict(record(ordered, one, two, two)) == {"new": 1, "already": 1}
    assert standing(ordered).given == 15


@pytest.mark.parametrize(
    "other",
    [
        {"count": 9},
        {"day": MARCH + timedelta(days=1)},
        {"commune": "99002"},
        {"partner": "dep"},
        {"partner": ""},
        {"kind": EventKind.EXPIRED, "day": AUGUST + timedelta(days=1)},
    ],
)
def test_another_event_of_the_same_reference_is_refused_and_nothing_is_recorded(ordered, other):
    record(ordered, event("1", "given", 0, 10))
    changed = replace(event("1", "given", 0, 10), **other)
    with pytest.raises(RefusedPasses, match="La référence 1 est déjà") as caught:
        record(ordered, event("2", "given", 0, 1), changed)
    assert caught.value.reference == "1"
    assert standing(ordered).given == 10


def test_two_events_of_one_reference_in_one_file_are_refused(ordered):
    with pytest.raises(RefusedPasses, match="La référence 1"):
        record(ordered, event("1", "given", 0, 10), event("1", "given", 0, 11))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ([event("1", "given", 0, 101)], "il en reste 100, et non 101"),
        ([event("1", "given", 0, 60), event("2", "given", 3, 41)], "il en reste 100, et non 101"),
        ([event("1", "given", -1, 1)], "du 28 février 2026.*donnés.*du 1er mars 2026"),
        ([event("1", "given", 184, 1)], "jusqu'au 31 août 2026"),
        ([event("0", "given", 0, 1), event("1", "used", 184, 1)], "jusqu'au 31 août 2026"),
        ([event("0", "given", 0, 1), event("1", "expired", 183, 1)], "expirés ne le peuvent"),
        ([event("0", "given", 5, 5), event("1", "used", 5, 6)], "6 pass .* pour 5 donnés ; .* restait 0"),
        ([event("0", "given", 5, 5), event("1", "used", 4, 1)], "Au 5 mars 2026, 1 pass .* pour 0 donnés"),
        (
            [event("0", "given", 0, 5), event("1", "used", 4, 3), event("2", "expired", 184, 3)],
            "6 pass .* pour 5 donnés",
        ),
        ([event("1", "given", 0, 1, order="Z")], "la commande « Z »"),
        ([event("1", "given", 0, 1, partner="nobody")], "le partenaire « nobody »"),
        ([event("1", "given", 0, 1, commune="")], "pas de commune"),
        ([event("1", "used", 0, 1, site="")], "pas de lieu"),
        ([event("1", "given", 0, 0)], "pas de nombre"),
        ([event("1", "given", 0, -1)], "pas d'événement corrigé"),
        ([event("1", "given", 0, -1, corrects="0")], "« 0 », qui n'existe pas"),
        ([event("0", "given", 0, 1), event("1", "reimbursed", 0, 1)], "de quel engagement"),
    ],
)
def test_invalid_events_are_refused_whole_and_the_connection_stays_usable(ordered, wrong, said):
    with pytest.raises(RefusedPasses, match=said) as caught:
        record(ordered, *wrong)
    assert caught.value.advice
    assert standing(ordered) == Standing("A", 100, 0, 0, 0, 0)
    assert passes.events(ordered, [e.reference for e in wrong]) == ()


def test_the_last_pass_can_be_given_on_the_last_day_and_used_on_it(ordered):
    record(ordered, event("1", "given", 183, 100), event("2", "used", 183, 100))
    assert standing(ordered).to_give == standing(ordered).unused == 0


# --- corrections


def test_a_correction_takes_passes_back_in_every_sum(ordered):
    record(ordered, event("1", "given", 0, 10), event("2", "used", 5, 4, commune="99001"))
    record(ordered, event("3", "used", 5, -3, commune="99001", corrects="2"))
    assert standing(ordered) == Standing("A", 100, 10, 1, 0, 0)
    f = by_territory(passes.counts(ordered), TERRITORY, TerritoryKind.COMMUNE).rows[0].figures
    assert (f.given, f.used, f.delayed) == (10, 1, 1)


def test_an_event_and_its_correction_may_come_together(ordered):
    record(ordered, event("2", "given", 0, -10, corrects="1"), event("1", "given", 0, 10))
    assert standing(ordered).given == 0


def test_an_event_can_be_corrected_several_times_but_not_below_nothing(ordered):
    record(ordered, event("1", "given", 0, 10))
    record(ordered, event("2", "given", 0, -6, corrects="1"))
    with pytest.raises(RefusedPasses, match="10 pass, 11 retirés") as caught:
        record(ordered, event("3", "given", 0, -5, corrects="1"))
    assert caught.value.reference == "3"
    record(ordered, event("4", "given", 0, -4, corrects="1"))
    assert standing(ordered).given == 0


@pytest.mark.parametrize(
    "other",
    [
        {"commune": "99002"},
        {"partner": "dep"},
        {"partner": ""},
        {"day": MARCH},
        {"corrects": "2"},
    ],
)
def test_a_correction_is_of_the_same_kind_day_place_and_never_of_a_correction(ordered, other):
    record(ordered, event("1", "given", 1, 10), event("2", "given", 1, -1, corrects="1"))
    with pytest.raises(RefusedPasses, match="ne peut corriger"):
        record(ordered, replace(event("3", "given", 1, -1, corrects="1"), **other))


def test_a_gift_whose_passes_were_used_cannot_be_taken_back(ordered):
    record(ordered, event("1", "given", 0, 10), event("2", "used", 5, 4))
    with pytest.raises(RefusedPasses, match=r"4 pass .* pour 3 donnés"):
        record(ordered, event("3", "given", 0, -7, corrects="1"))


# --- expiry


def test_what_is_left_expires_the_day_after_once(ordered):
    record(ordered, event("1", "given", 0, 10), event("2", "given", 0, 5, commune="99002"))
    record(ordered, event("3", "used", 5, 4, commune="99001"))
    assert passes.expire(ordered, AUGUST, "moi") == ()
    found = passes.expire(ordered, AUGUST + timedelta(days=1), "moi")
    assert [(e.commune, e.count, e.day) for e in found] == [
        ("99001", 6, date(2026, 9, 1)),
        ("99002", 5, date(2026, 9, 1)),
    ]
    assert passes.expire(ordered, date(2030, 1, 1), "moi") == ()
    assert standing(ordered) == Standing("A", 100, 15, 4, 11, 0)


def test_a_use_recorded_late_needs_the_expiry_corrected_first(ordered):
    record(ordered, event("1", "given", 0, 10))
    (expired,) = passes.expire(ordered, date(2026, 9, 1), "moi")
    late = event("2", "used", 100, 3, commune="99001")
    with pytest.raises(RefusedPasses, match=r"13 pass .* pour 10 donnés") as caught:
        record(ordered, late)
    assert "corrigez d'abord" in caught.value.advice
    record(ordered, replace(expired, reference="c", count=-4, corrects=expired.reference))
    record(ordered, late)
    (again,) = passes.expire(ordered, date(2026, 9, 1), "moi")
    assert again.count == 1 and again.reference != expired.reference


def test_expiry_follows_what_the_events_say(ordered):
    record(ordered, event("1", "given", 0, 10), event("2", "used", 5, 4))
    found = passes.expire(ordered, date(2026, 9, 1), "moi")
    assert {e.commune: e.count for e in found} == expiries({"99001": 10}, {"": 4}, {})
