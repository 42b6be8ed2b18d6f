"""Corrections in the store: through imports, merges and splits, and from day to day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import InvalidCorrection, UnknownCorrection, UnknownSite
from geo.services.correct_sites import (
    Places,
    changed_by_sources,
    correct,
    listed,
    reopen,
    set_status,
    uncorrect,
)
from geo.services.decide_sites import decide, undecide
from geo.sites.correction_values import WantedCorrection
from geo.sites.corrections import State, Status
from geo.store import audit, snapshots
from geo.store import sites as stored_sites
from geo.store.snapshot_watcher import SnapshotWatcher
from tests.postgis.geo.services.test_import_sites import record
from tests.postgis.geo.store.test_snapshot_watcher import eventually, fill
from tests.support import world
from tests.support.world import TERRITORY

TODAY = date(2026, 11, 29)
EPSG = TERRITORY.metric_crs
CLERK = "Camille (fictif)"


def fix(base, site_id, *, today=TODAY, day=None, until=None, reason="appel", **values):
    wanted = WantedCorrection(site_id, values, reason, day, until)
    return correct(base, [wanted], author=CLERK, today=today, places=Places(TERRITORY))


def shown(base, today=TODAY):
    return {site.id: site for site in snapshots.read(base, today).sites}


def phones(base, today=TODAY):
    return {site_id: site.telephone for site_id, site in shown(base, today).items()}


def states(base, today=TODAY):
    return [(each.correction.field, each.state) for each in listed(base, today)]


def place(local_id, phone="+33553000001", name="Atelier du bourg", **changes):
    return record(local_id, nom=name, telephone=phone, **changes)


def test_a_correction_of_a_merged_site_applies_to_the_one_that_stands_for_it_and_comes_back(base, load):
    load(place("a", "+33553000001"), place("b", "+33553000002", "Autre chose", adresse="9 quai Bas"))
    fix(base, "un--b", horaires="Mo 09:00-12:00")
    decide(base, "un--a", "un--b", same=True, by=CLERK, epsg=EPSG)
    assert {site_id: site.horaires for site_id, site in shown(base).items()} == {"un--a": "Mo 09:00-12:00"}
    assert [each.site_id for each in listed(base, TODAY, site_id="un--a")] == ["un--a"]
    assert fix(base, "un--b", telephone="05 53 00 00 09")[0].site_id == "un--a"
    undecide(base, "un--a", "un--b", by=CLERK, epsg=EPSG)
    assert {site_id: site.horaires for site_id, site in shown(base).items()} == {
        "un--a": "Mo-Fr 09:00-12:00",
        "un--b": "Mo 09:00-12:00",
    }
    assert phones(base) == {"un--a": "+33553000009", "un--b": "+33553000002"}


def test_the_days_of_a_correction_are_its_limits(base, load):
    load(place("a"))
    fix(base, "un--a", telephone="0553000009", day=date(2026, 12, 1), until=date(2026, 12, 3))
    said = [phones(base, TODAY + timedelta(days=offset))["un--a"] for offset in range(7)]
    assert said == ["+33553000001"] * 2 + ["+33553000009"] * 3 + ["+33553000001"] * 2
    assert snapshots.read(base, TODAY).changes_on == date(2026, 12, 1)
    assert snapshots.read(base, date(2026, 12, 2)).changes_on == date(2026, 12, 4)
    assert snapshots.read(base, date(2026, 12, 4)).changes_on is None


def test_the_moment_of_a_snapshot_moves_when_a_correction_begins_by_itself(base, load):
    load(place("a"))
    fix(base, "un--a", telephone="0553000009", day=date(2126, 12, 1))
    before, after = (snapshots.read(base, day) for day in (date(2126, 11, 30), date(2126, 12, 1)))
    assert before.version == after.version
    assert (after.taken_at.isoformat(), before.taken_at < after.taken_at) == (
        "2126-11-30T23:00:00+00:00",
        True,
    )


def test_a_correction_with_an_end_stands_over_one_without_until_then(base, load):
    load(place("a"))
    fix(base, "un--a", horaires="Mo 09:00-12:00")
    fix(base, "un--a", horaires="Tu 09:00-12:00", until=TODAY + timedelta(days=2))
    assert shown(base)["un--a"].horaires == "Tu 09:00-12:00"
    assert states(base) == [("horaires", State.COVERED), ("horaires", State.IN_FORCE)]
    assert shown(base, TODAY + timedelta(days=3))["un--a"].horaires == "Mo 09:00-12:00"


def test_a_correction_without_an_end_replaces_the_one_before(base, load):
    load(place("a", horaires="Fr 09:00-12:00"))
    fix(base, "un--a", horaires="Mo 09:00-12:00")
    (second,) = fix(base, "un--a", horaires="Tu 09:00-12:00")
    assert states(base) == [("horaires", State.ENDED), ("horaires", State.IN_FORCE)]
    uncorrect(base, second.id, author=CLERK)
    assert shown(base)["un--a"].horaires == "Fr 09:00-12:00"


def test_the_same_correction_again_changes_nothing(base, load):
    load(place("a"))
    assert len(fix(base, "un--a", telephone="0553000009")) == 2
    version = snapshots.version(base)
    assert fix(base, "un--a", telephone="05 53 00 00 09") == []
    assert snapshots.version(base) == version


def test_only_the_import_that_changes_the_field_reports_it(base, load):
    load(place("a"))
    fix(base, "un--a", telephone="0553000009")
    assert load(place("a", horaires="Mo 09:00-12:00")).corrections == ()
    (answer,) = load(place("a", "+33553000005")).corrections
    assert (answer.correction.field, answer.value, answer.agrees) == ("telephone", "+33553000005", False)
    assert load(place("a", "+33553000005")).corrections == ()
    assert [each.value for each in changed_by_sources(base, TODAY)] == ["+33553000005"]
    load(place("a"))
    assert changed_by_sources(base, TODAY) == []


def test_a_closed_site_stays_closed_through_imports_and_merges(base, load):
    load(place("a"), place("b", "+33553000002", "Autre chose", adresse="9 quai Bas"))
    set_status(base, "un--b", Status.CLOSED, author=CLERK, reason="travaux", today=TODAY)
    decide(base, "un--a", "un--b", same=True, by=CLERK, epsg=EPSG)
    load(place("a"), place("b", "+33553000002", "Autre chose", adresse="9 quai Bas"))
    snapshot = snapshots.read(base, TODAY)
    assert [site.id for site in snapshot.sites] == [] and snapshot.closed["un--a"].reason == "travaux"
    reopen(base, "un--a", author=CLERK)
    assert list(shown(base)) == ["un--a"]


def test_each_write_is_in_the_history_of_the_site_and_in_the_audit(base, load):
    load(place("a"))
    made = fix(base, "un--a", telephone="0553000009")
    uncorrect(base, made[0].id, author=CLERK)
    set_status(base, "un--a", Status.RETIRED, author=CLERK, reason="hors sujet", today=TODAY)
    reopen(base, "un--a", author=CLERK)
    kinds = [each.kind for each in stored_sites.events(base, ["un--a"]) if each.author == CLERK]
    assert kinds == [*["corrected"] * 2, *["correction_ended"] * 2, "removed", "opened"]
    actions = [(entry.action, entry.actor) for entry in audit.list_(base, "site/un--a")]
    assert sorted(actions) == [("site.correct", CLERK)] * 3 + [("site.uncorrect", CLERK)] * 3


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"reason": " "}, ["raison"]),
        ({"reason": "x" * 501}, ["raison"]),
        ({"until": TODAY - timedelta(days=1)}, ["jusqu_au"]),
        ({"day": TODAY + timedelta(days=2), "until": TODAY + timedelta(days=1)}, ["jusqu_au"]),
    ],
)
def test_a_reason_or_days_that_cannot_be_are_refused(base, load, change, names):
    load(place("a"))
    with pytest.raises(InvalidCorrection) as refusal:
        fix(base, "un--a", telephone="0553000009", **change)
    assert [each.field for each in refusal.value.issues] == names
    with pytest.raises(InvalidCorrection):
        options = {"reason": "appel", **change}
        set_status(base, "un--a", Status.CLOSED, author=CLERK, today=TODAY, **options)
    fix(base, "un--a", telephone="0553000009", reason="x" * 500, until=TODAY)


def test_what_is_not_there_is_not_corrected_ended_or_opened(base, load):
    load(place("a"))
    with pytest.raises(UnknownSite):
        set_status(base, "un--z", Status.CLOSED, author=CLERK, reason="x", today=TODAY)
    with pytest.raises(UnknownSite):
        reopen(base, "un--z", author=CLERK)
    with pytest.raises(UnknownCorrection):
        uncorrect(base, 9, author=CLERK)
    with pytest.raises(InvalidCorrection):
        reopen(base, "un--a", author=CLERK)


STEPS = st.lists(
    st.sampled_from(["changed", "vanished", "back", "elsewhere", "merged", "split"]), min_size=1, max_size=5
)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_corrections_outlive_any_sequence_of_imports_merges_and_splits(base, load, steps):
    other = place("b", "+33553000002", "Autre chose", adresse="9 quai Bas")
    with base.begin_nested() as savepoint:
        load(place("a"), other)
        fix(base, "un--a", telephone="0553000009", horaires="Mo 09:00-12:00")
        for number, step in enumerate(steps):
            if step == "changed":
                load(place("a", f"+3355300001{number}", horaires="Fr 09:00-10:00"), other)
            elif step == "vanished":
                load(other)
            elif step == "elsewhere":
                load(place("a", f"+3355300002{number}"), dataset="deux")
            elif step == "back":
                load(place("a"), other)
            elif "un--a" in shown(base) and "un--b" in shown(base) and step == "merged":
                decide(base, "un--a", "un--b", same=True, by=CLERK, epsg=EPSG)
            elif step == "split" and "un--b" in stored_sites.redirects(base):
                decide(base, "un--a", "un--b", same=False, by=CLERK, epsg=EPSG)
        load(place("a"), other)
        site = snapshots.read(base, TODAY).site("un--a")
        assert (site.telephone, site.horaires) == ("+33553000009", "Mo 09:00-12:00"), steps
        savepoint.rollback()


def test_the_watcher_reads_again_when_a_correction_begins_or_ends(fresh_engine):
    fill(fresh_engine, world.record("a", 5, fictif=False))
    with fresh_engine.begin() as connection:
        fix(connection, "essai--a", nom="Nouveau nom", day=date(2026, 12, 1), until=date(2026, 12, 1))
    clock = [TODAY]
    watcher = SnapshotWatcher(fresh_engine, poll_s=0.05, today=lambda: clock[0])
    watcher.start()
    try:
        assert watcher.current().snapshot.sites[0].nom == "Lieu a"
        clock[0] = date(2026, 12, 1)
        eventually(lambda: watcher.current().snapshot.sites[0].nom == "Nouveau nom")
        clock[0] = date(2026, 12, 2)
        eventually(lambda: watcher.current().snapshot.sites[0].nom == "Lieu a")
    finally:
        watcher.stop()
