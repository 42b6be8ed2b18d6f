"""Going back: records as they stood after any change, exactly, and the history of one."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import NameTaken, UnknownSite, UnknownSnapshot
from geo.services import import_sites
from geo.services.decide_sites import decide
from geo.sites import standard
from geo.sites.model import ItinerantStop
from geo.store import dated_snapshots, history, snapshots, territories
from tests.postgis.geo.services.test_import_sites import TODAY, record
from tests.postgis.geo.store.test_store import any_record, shown, store
from tests.support import world


@pytest.fixture
def base(connection):
    territories.save(connection, world.TERRITORY)
    snapshots.publish(connection)
    return connection


@pytest.fixture
def imported(base, tmp_path):
    """Import records as a file; returns the last change and the sites then shown."""

    def run(*records, dataset="essai"):
        path = tmp_path / "lieux.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            extra = sorted({name for r in records for name in r} - set(standard.FIELDS))
            writer = csv.DictWriter(stream, fieldnames=[*standard.FIELDS, *extra])
            writer.writeheader()
            writer.writerows(records)
        arrival = import_sites.read(
            path, territory=world.TERRITORY, today=TODAY, max_bytes=1_000_000, dataset=dataset
        )
        import_sites.apply(base, arrival, territory=world.TERRITORY, accept_vanished=True)
        return history.last_change(base), shown(base)

    return run


def test_every_state_between_imports_is_rebuilt_exactly(base, imported):
    facts = {
        "ext_pass_numerique": "true",
        "ext_arrets": "Halle @ Tu 09:00-12:00|Quai @ 2026-12-03 14:00-17:00",
    }
    states = [
        (0, []),
        imported(record("a"), record("b", **facts), record("c")),
        imported(  # changed, retired, new
            record("a", nom="Lieu fictif « renommé » ${x}", horaires="le mardi", services="", telephone="?"),
            record("b", ext_pass_numerique="false", ext_arrets="", date_maj=""),
            record("d", latitude="", longitude=""),
        ),
        imported(record("z", nom="Médiathèque fictive"), dataset="autre"),
        imported(record("a"), record("c", 7.5, courriels="a@exemple.fr|b@exemple.fr")),  # returned, changed
        imported(record("a"), record("c")),
        imported(record("b", latitude="?"), record("d", 6)),
        imported(record("a", services="|".join(standard.SERVICES[:3]), frais_a_charge="Payant")),
    ]
    assert len({change for change, _ in states}) == len(states)
    for last_change, before in states:
        assert history.sites_as_of(base, last_change) == before


sequences = st.lists(
    st.tuples(*[st.none() | any_record(name) for name in "abc"]).map(lambda found: [s for s in found if s]),
    min_size=2,
    max_size=5,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequences)
def test_any_sequence_of_imports_can_be_undone(connection, sequence):
    """Field values of every kind, in any order of coming, changing, leaving and coming back."""
    with connection.begin_nested() as inside:
        states = []
        for records in sequence:
            # A list speaks for a dataset and département only if it holds a record of them.
            store(connection, world.record("always", 5), *(replace(r, code_insee="99001") for r in records))
            states.append((history.last_change(connection), shown(connection)))
        for last_change, before in states:
            assert history.sites_as_of(connection, last_change) == before
        inside.rollback()


def test_the_history_of_a_record_is_listed_oldest_first(base, imported):
    imported(record("a"), record("b"))
    imported(record("b"))
    imported(record("a", date_maj="2026-05-01", ext_arrets="Halle @ Tu 09:00-12:00"), record("b"))
    told = history.history(base, "essai--a")
    assert [(c.kind, c.field, c.before, c.after) for c in told] == [
        ("new", None, None, None),
        ("retired", None, None, None),
        ("returned", None, None, None),
        ("changed", "date_maj", date(2026, 3, 2), date(2026, 5, 1)),
        ("changed", "arrets", (), (ItinerantStop("Halle", "Tu", "09:00-12:00"),)),
    ]
    assert {c.file_name for c in told} == {"lieux.csv"}
    assert told[0].import_id < told[1].import_id < told[2].import_id == told[3].import_id


def test_a_record_never_seen_has_no_history(base):
    with pytest.raises(UnknownSite, match="essai--absent"):
        history.history(base, "essai--absent")


# --- dated snapshots


def test_a_dated_snapshot_is_the_one_that_was_named(base, imported):
    imported(record("a"), record("b", nom="Autre"))
    kept = dated_snapshots.keep(base, "été 2024", date(2024, 8, 1))
    before = snapshots.read(base)
    imported(record("a", nom="Nouveau nom"), record("c"))
    after = dated_snapshots.read(base, "été 2024")
    assert after == replace(before, taken_at=kept.kept_at)
    assert (kept.name, kept.day, kept.version) == ("été 2024", date(2024, 8, 1), before.version)
    assert [s.id for s in snapshots.read(base).sites] == ["essai--a", "essai--c"]


def test_a_snapshot_named_before_any_site_is_empty(base, imported):
    dated_snapshots.keep(base, "avant", date(2024, 1, 1))
    imported(record("a"))
    assert dated_snapshots.read(base, "avant").sites == ()


def test_a_past_dataset_has_the_source_of_its_time(base, imported):
    imported(record("a"))
    dated_snapshots.keep(base, "avant", date(2026, 3, 2))
    imported(record("a", date_maj="2026-10-01"))
    (then,), (now,) = (
        dated_snapshots.read(base, "avant").site_provenance,
        snapshots.read(base).site_provenance,
    )
    assert (then.subject, then.vintage, now.vintage) == (now.subject, "2026-03-02", "2026-10-01")


def joined(base, a, b):
    """Decide that two sites are one place."""
    decide(base, a, b, same=True, by="test", epsg=world.TERRITORY.metric_crs)


def test_present_decisions_apply_to_the_past(base, imported):
    imported(record("a"), record("b", telephone="+33553000000"), record("c"))
    dated_snapshots.keep(base, "avant", date(2026, 3, 2))
    joined(base, "essai--a", "essai--b")
    imported(record("a"), record("c"))
    past = dated_snapshots.read(base, "avant")
    assert [(s.id, s.telephone) for s in past.sites] == [("essai--a", "+33553000000"), ("essai--c", "")]
    assert past.site("essai--b").id == "essai--a"
    assert [(s.id, s.telephone) for s in snapshots.read(base).sites] == [("essai--a", ""), ("essai--c", "")]


def test_a_site_had_in_the_past_the_records_of_then(base, imported):
    imported(record("b"))
    dated_snapshots.keep(base, "avant", date(2026, 3, 2))
    imported(record("a"), record("b"))
    joined(base, "essai--a", "essai--b")
    (past,), (now,) = dated_snapshots.read(base, "avant").sites, snapshots.read(base).sites
    assert (past.id, past.records, past.nom) == ("essai--b", ("essai--b",), "Lieu fictif b")
    assert (now.id, now.records) == ("essai--b", ("essai--a", "essai--b"))


def test_dated_snapshots_are_listed_by_day_and_deleted(base, imported):
    imported(record("a"))
    for name, day in (("trois", date(2024, 12, 1)), ("un", date(2020, 1, 31)), ("deux", date(2022, 12, 1))):
        dated_snapshots.keep(base, name, day)
    assert [kept.name for kept in dated_snapshots.list_(base)] == ["un", "deux", "trois"]
    dated_snapshots.forget(base, "deux")
    assert [kept.name for kept in dated_snapshots.list_(base)] == ["un", "trois"]
    for gone in (dated_snapshots.forget, dated_snapshots.read):
        with pytest.raises(UnknownSnapshot, match="deux"):
            gone(base, "deux")


def test_a_name_is_used_once(base):
    dated_snapshots.keep(base, "été", date(2024, 8, 1))
    with pytest.raises(NameTaken, match="été"):
        dated_snapshots.keep(base, "été", date(2025, 8, 1))
    assert [kept.day for kept in dated_snapshots.list_(base)] == [date(2024, 8, 1)]
