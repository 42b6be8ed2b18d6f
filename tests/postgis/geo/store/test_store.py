"""What the store gives back is what was put in it: territory, records, runs, pairs, snapshot."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text

from geo.errors import SnapshotUnavailable, UnknownImport, UnknownSite
from geo.services import site_register
from geo.services.decide_sites import decide
from geo.sites.difference import LOCAL_FACTS, Difference, RecordChange, compare
from geo.sites.import_run import ImportRun
from geo.sites.model import Issue, ItinerantStop, Position, Severity, Site, SourceRecord
from geo.store import datasets, imports, record_pairs, records, sites, snapshots, territories
from geo.store.record_pairs import RecordPair
from tests.support import world

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def run(**changes: object) -> ImportRun:
    base = ImportRun(
        file_name="liste fictive.csv",
        sha256="0" * 64,
        format="standard",
        datasets=("essai",),
        started_at=NOON,
        finished_at=NOON + timedelta(seconds=3),
        read=3,
        accepted=2,
        rejected=1,
        flagged=1,
        repaired=0,
        new=2,
        changed=0,
        unchanged=0,
        vanished=0,
        label="Standard national",
        licence="Licence Ouverte 2.0",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def store(connection, *wanted: SourceRecord) -> int:
    """Make these the records of their datasets, as an import does, none of them alike; build their sites."""
    run_id = imports.record(connection, run(), [])
    named = {record.jeu_de_donnees for record in wanted} or {"essai"}
    datasets.add(connection, named)
    before = records.in_service(connection, datasets=named)
    former = records.retired(connection, datasets=named)
    difference = compare(before, wanted, retired=former, provided=LOCAL_FACTS)
    records.apply(connection, run_id, difference)
    build(connection, run_id)
    return run_id


def build(connection, run_id: int | None = None) -> None:
    """Build the sites of the stored records; only decided pairs are one place."""
    site_register.rebuild(connection, epsg=world.TERRITORY.metric_crs, run_id=run_id, rematch=False)


def same_place(connection, a: str, b: str, *, same: bool = True) -> None:
    """Decide whether two sites, or records, are one place."""
    decide(connection, a, b, same=same, by="Camille (fictif)", epsg=world.TERRITORY.metric_crs)


def shown(connection) -> list[Site]:
    """Every site that has records."""
    return list(sites.stored(connection).values())


def history(connection, key: str) -> list[tuple[object, ...]]:
    found = connection.execute(
        text("SELECT kind, field, before, after FROM record_change WHERE record_key = :key ORDER BY id"),
        {"key": key},
    )
    return [tuple(row) for row in found]


# --- territory


def test_a_territory_is_read_back_equal(connection):
    territories.save(connection, world.TERRITORY)
    assert territories.load(connection) == world.TERRITORY


def test_saving_a_territory_again_replaces_it_whole(connection):
    territories.save(connection, world.TERRITORY)
    smaller = replace(world.TERRITORY, communes=world.OWN[:2], context=(), groupings=(), provenance=())
    territories.save(connection, smaller)
    assert territories.load(connection) == smaller


def test_without_a_territory_there_is_no_snapshot_and_the_error_names_the_command(connection):
    with pytest.raises(SnapshotUnavailable, match="portee territory load"):
        snapshots.read(connection)


def test_geometries_in_the_database_are_degrees_in_4326(connection):
    territories.save(connection, world.TERRITORY)
    store(connection, world.record("a", 5))
    kinds = text(
        "SELECT ST_X(town_hall), ST_Y(town_hall), ST_SRID(boundary), ST_Intersects(boundary, town_hall)"
        " FROM commune WHERE code = '99001'"
    )
    town_hall = world.OWN[0].town_hall
    assert tuple(connection.execute(kinds).one()) == (town_hall.x, town_hall.y, 4326, True)
    near = text(
        "SELECT c.code FROM site s JOIN commune c ON ST_Intersects(c.boundary, s.geom) WHERE id = 'essai--a'"
    )
    assert connection.scalar(near) == "99001"


# --- records

HOSTILE = (
    "</script><script>alert(1)</script>",
    "${alert(1)}",
    "O'Brien \"dit\" « l'ami »",
    "\\N \\. \\t a\tb\nc\r\n",
    '{a,"b",NULL}',
    "مركز رقمي \u202e",
    "👩🏽‍🌾🏳️‍🌈",
    "NULL",
    " ",
    "%s %(a)s :a",
)

texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12),
)
several = st.lists(texts, max_size=3).map(tuple)
flag = st.sampled_from([None, True, False])


@st.composite
def any_record(draw: st.DrawFn, local_id: str) -> SourceRecord:
    values: dict[str, object] = {}
    base = world.record(local_id, 5)
    for name in SourceRecord.__dataclass_fields__:
        value = getattr(base, name)
        if name in ("local_id", "jeu_de_donnees", "source"):  # what its key is made of
            continue
        if name in ("pass_numerique", "membre_reseau", "acces_fauteuil", "sur_rendez_vous"):
            values[name] = draw(flag)
        elif name in ("nom", "pivot"):  # validation leaves none without
            values[name] = draw(texts.filter(bool))
        elif name == "arrets":
            values[name] = draw(
                st.lists(st.builds(ItinerantStop, texts, texts, texts), max_size=2).map(tuple)
            )
        elif name == "position":
            values[name] = draw(st.sampled_from(Position))
        elif name == "fictif":
            values[name] = draw(st.booleans())
        elif name == "date_maj":
            values[name] = draw(st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31)))
        elif name in ("latitude", "longitude"):
            bound = 90 if name == "latitude" else 180
            values[name] = draw(st.none() | st.floats(-bound, bound))
        else:
            values[name] = draw(several if isinstance(value, tuple) else texts)
    return replace(base, **values)  # type: ignore[arg-type]


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(first=any_record("a"), second=any_record("a"))
def test_a_record_and_its_site_are_read_back_exactly_as_they_were_stored(connection, first, second):
    with connection.begin_nested() as inside:
        for record in (first, second):
            store(connection, record)
            assert records.in_service(connection) == {record.key: record}
            assert shown(connection) == [world.as_site(record)]
        inside.rollback()


def test_a_change_is_recorded_field_by_field(connection):
    store(connection, world.record("a", 5))
    after = replace(
        world.record("a", 5),
        nom="Nouveau nom",
        services=("A", "B"),
        date_maj=date(2026, 4, 1),
        arrets=(ItinerantStop("Place", "Tu", "09:00-12:00"),),
        pass_numerique=True,
    )
    store(connection, after)
    store(connection, after)
    assert history(connection, "essai--a") == [
        ("new", None, None, None),
        ("changed", "nom", "Lieu a", "Nouveau nom"),
        ("changed", "date_maj", "2026-03-02", "2026-04-01"),
        ("changed", "services", ["Aide aux démarches administratives"], ["A", "B"]),
        ("changed", "pass_numerique", None, True),
        ("changed", "arrets", [], [["Place", "Tu", "09:00-12:00"]]),
    ]


def test_a_vanished_record_is_retired_and_comes_back_with_its_past(connection):
    a, b = world.record("a", 5), world.record("b", 6)
    first = store(connection, a, b)
    store(connection, b)
    assert list(records.in_service(connection)) == [b.key] == [s.id for s in shown(connection)]
    assert records.retired(connection) == {a.key: a}
    assert connection.scalar(text("SELECT count(*) FROM site")) == 2
    store(connection, replace(a, nom="Rouvert"), b)
    assert [s.nom for s in shown(connection)] == ["Rouvert", "Lieu b"]
    assert [entry[:2] for entry in history(connection, a.key)] == [
        ("new", None),
        ("retired", None),
        ("returned", None),
        ("changed", "nom"),
    ]
    imported = connection.execute(
        text("SELECT first_import, retired_at FROM source_record WHERE key = 'essai--a'")
    ).one()
    assert tuple(imported) == (first, None)


def test_applying_twice_in_one_transaction_keeps_the_two_apart(connection):
    a, b = world.record("a", 5), world.record("b", 6)
    run_id = imports.record(connection, run(), [])
    records.apply(connection, run_id, Difference(new=(a,)))
    records.apply(
        connection, run_id, Difference(new=(b,), changed=(RecordChange(a, replace(a, nom="Autre")),))
    )
    assert [each.nom for each in records.in_service(connection).values()] == ["Autre", "Lieu b"]
    assert [entry[0] for entry in history(connection, a.key)] == ["new", "changed"]


def test_the_return_of_many_records_costs_about_what_their_arrival_did(connection):
    # The planner has no statistics on either side; a nested loop would take a hundred times longer.
    many = tuple(world.record(f"{rank:04}", 5) for rank in range(4_000))
    run_id = imports.record(connection, run(), [])
    began = time.perf_counter()
    records.apply(connection, run_id, Difference(new=many))
    arrived = time.perf_counter()
    records.apply(connection, run_id, Difference(vanished=many))
    gone = time.perf_counter()
    records.apply(connection, run_id, Difference(new=many))
    assert time.perf_counter() - gone < 8 * (arrived - began)
    assert list(records.in_service(connection).values()) == list(many)


def test_an_empty_difference_changes_nothing(connection):
    store(connection, world.record("a", 5))
    records.apply(connection, imports.record(connection, run(), []), Difference(unchanged=1))
    assert history(connection, "essai--a") == [("new", None, None, None)]


def test_records_in_service_are_those_of_some_datasets(connection):
    here, beyond = world.record("a", 5), world.record("b", 45, "96001")
    elsewhere = world.record("e", 5, jeu_de_donnees="autre")
    store(connection, here, beyond, elsewhere)

    def found(*names: str) -> list[str]:
        return list(records.in_service(connection, datasets=names))

    assert found("essai") == ["essai--a", "essai--b"]
    assert found("essai", "autre") == ["autre--e", "essai--a", "essai--b"]
    assert found() == found("nul") == []
    assert list(records.in_service(connection)) == ["autre--e", "essai--a", "essai--b"]


@pytest.mark.parametrize("source", ["Dora", "", "data.inclusion", "dora@ailleurs"])
def test_one_identifier_of_two_sources_is_two_records(connection, source):
    """Identifiers are the source's own: two sources of one dataset may use the same one."""
    one = world.record("1234", 5, source="Soliguide")
    other = world.record("1234", 15, "99002", source=source)
    store(connection, one, other)
    assert records.in_service(connection) == {one.key: one, other.key: other}
    assert {s.source: s.nom for s in shown(connection)} == {"Soliguide": one.nom, source: other.nom}


# --- runs


def test_a_run_is_read_back_with_its_issues_in_order(connection):
    issues = [
        Issue(3, "nom", "b", Severity.REJECTED, "vide", "Le nom manque.", "Donnez un nom."),
        Issue(2, "horaires", "\x00\ud800 lundi", Severity.FLAGGED, "illisible", "Raison."),
    ]
    first = imports.record(connection, run(), issues)
    second = imports.record(connection, run(file_name="autre.csv", datasets=()), [])
    assert imports.find(connection, first) == run(id=first)
    assert [r.id for r in imports.runs(connection)] == [second, first]
    assert [r.id for r in imports.runs(connection, limit=1, offset=1)] == [first]
    assert imports.count(connection) == 2
    assert imports.issue_count(connection, first) == 2
    assert imports.issues(connection, first) == [issues[0], replace(issues[1], value="␀? lundi")]
    assert imports.issues(connection, first, limit=1, offset=1)[0].line == 2
    with pytest.raises(UnknownImport, match=str(second + 1)):
        imports.find(connection, second + 1)


# --- pairs


def pair(a: str, b: str, score: float = 90.0, **changes: object) -> RecordPair:
    base = RecordPair(f"essai--{a}", f"essai--{b}", score, ("même adresse",))
    return replace(base, **changes)  # type: ignore[arg-type]


def undecided(connection) -> list[tuple[str, str, float]]:
    return [(p.a, p.b, p.score) for p in record_pairs.all_pairs(connection) if p.same is None]


def test_a_decision_outlives_what_is_found_and_imported(connection):
    three = [world.record(name, 5) for name in "abc"]
    store(connection, *three)
    record_pairs.replace_undecided(connection, [pair("a", "b"), pair("b", "c", 99)])
    assert undecided(connection) == [("essai--b", "essai--c", 99), ("essai--a", "essai--b", 90)]
    same_place(connection, "essai--b", "essai--a")
    record_pairs.replace_undecided(connection, [pair("a", "b", 70), pair("b", "c", 98)])
    store(connection, *(replace(each, telephone="+33500000001") for each in three))
    assert undecided(connection) == [("essai--b", "essai--c", 98)]
    decided = record_pairs.all_pairs(connection)[1]
    assert (decided.same, decided.score, decided.decided_by) == (True, 70, "Camille (fictif)")
    assert decided.basis and decided.basis["essai--a"]["nom"] == "Lieu a"


def test_a_question_that_is_no_longer_found_is_withdrawn_but_not_a_decision(connection):
    store(connection, *(world.record(name, 5) for name in "abc"))
    record_pairs.replace_undecided(connection, [pair("a", "b"), pair("a", "c"), pair("b", "c")])
    same_place(connection, "essai--a", "essai--b", same=False)
    record_pairs.replace_undecided(connection, [])
    assert [(p.a, p.b, p.same) for p in record_pairs.all_pairs(connection)] == [
        ("essai--a", "essai--b", False)
    ]


def test_a_pair_is_listed_only_while_both_are_in_service(connection):
    a, b = world.record("a", 5), world.record("b", 5)
    store(connection, a, b)
    record_pairs.replace_undecided(connection, [pair("a", "b")])
    store(connection, a)
    assert record_pairs.all_pairs(connection) == []
    store(connection, a, b)
    assert len(record_pairs.all_pairs(connection)) == 1


def test_a_near_certain_pair_joins_until_it_is_decided_otherwise(connection):
    store(connection, world.record("a", 5), world.record("b", 5))
    record_pairs.replace_undecided(connection, [pair("a", "b", verdict=record_pairs.SAME)])
    build(connection)
    assert [s.records for s in shown(connection)] == [("essai--a", "essai--b")]
    same_place(connection, "essai--a", "essai--b", same=False)
    assert [s.id for s in shown(connection)] == ["essai--a", "essai--b"]
    record_pairs.replace_undecided(connection, [pair("a", "b", verdict=record_pairs.SAME)])
    build(connection)
    assert [s.id for s in shown(connection)] == ["essai--a", "essai--b"]


def test_only_two_records_in_service_can_be_decided(connection):
    store(connection, world.record("a", 5))
    with pytest.raises(UnknownSite, match="essai--z"):
        same_place(connection, "essai--a", "essai--z")
    with pytest.raises(UnknownSite, match="le même"):
        same_place(connection, "essai--a", "essai--a")


@pytest.mark.parametrize(("one", "other"), [("essai--a", "essai--b"), ("essai--b", "essai--a")])
def test_a_retired_record_cannot_be_decided_on(connection, one, other):
    a, b = world.record("a", 5), world.record("b", 5)
    store(connection, a, b)
    store(connection, a)
    with pytest.raises(UnknownSite, match="essai--b"):
        same_place(connection, one, other)
    store(connection, a, b)
    same_place(connection, one, other)
    assert [s.id for s in shown(connection)] == ["essai--a"], "the older identifier stays"


@pytest.mark.parametrize(
    ("decisions", "groups"),
    [
        (["a=b"], ["ab", "c"]),
        (["a=b", "b=c"], ["abc"]),
        (["c=b", "b=a"], ["abc"]),
        (["a=c", "b=c"], ["abc"]),
        (["a=b", "b=c", "c=a"], ["abc"]),
        (["a≠b", "b=c"], ["a", "bc"]),
        (["a≠b", "b=c", "a≠c"], ["a", "bc"]),
        (["a=b", "a≠b"], ["a", "b", "c"]),
        (["a≠b", "b=a"], ["ab", "c"]),
        ([], ["a", "b", "c"]),
    ],
)
def test_decided_records_share_a_site(connection, decisions, groups):
    store(connection, *(world.record(name, 5) for name in "abc"))
    for said in decisions:
        with contextlib.suppress(UnknownSite):  # already one place
            same_place(connection, f"essai--{said[0]}", f"essai--{said[2]}", same=said[1] == "=")
    assert ["".join(key[-1] for key in s.records) for s in shown(connection)] == groups
    assert [s.id for s in shown(connection)] == [f"essai--{group[0]}" for group in groups]


# --- snapshot


def test_a_snapshot_contains_each_site_in_service_once_with_its_sources(connection):
    territories.save(connection, world.TERRITORY)
    a, b = world.record("a", 5), world.record("b", 6, date_maj=date(2026, 5, 1))
    other = world.record("z", 7, jeu_de_donnees="autre", date_maj=None)
    store(connection, a, b, other, world.record("gone", 8))
    store(connection, a, b)
    same_place(connection, "essai--a", "autre--z")
    version = snapshots.publish(connection)
    snapshot = snapshots.read(connection)
    assert snapshot.version == version == snapshots.version(connection)
    together = replace(world.as_site(other, a), jeu_de_donnees="autre")
    assert snapshot.sites == (together, world.as_site(b))
    assert snapshot.site("essai--a") == together, "the identifier of the other one leads to it"
    assert [(p.subject, p.producer, p.vintage, p.licence) for p in snapshot.site_provenance] == [
        ("Lieux « autre »", "autre", "date inconnue", "licence non indiquée"),
        ("Lieux « essai »", "Standard national", "2026-05-01", "Licence Ouverte 2.0"),
    ]
    assert snapshots.read(connection) == snapshot


def test_the_source_of_a_dataset_is_that_of_its_last_import(connection):
    territories.save(connection, world.TERRITORY)
    wanted = world.record("a", 5)
    for label, licence, day in (
        ("Ancienne liste", "ODbL 1.0", 1),
        ("Liste récente", "Licence Ouverte 2.0", 9),
    ):
        finished = NOON + timedelta(days=day)
        imported = run(label=label, licence=licence, started_at=finished, finished_at=finished)
        run_id = imports.record(connection, imported, [])
        before = records.in_service(connection, datasets={"essai"})
        records.apply(connection, run_id, compare(before, [wanted], provided=LOCAL_FACTS))
        build(connection, run_id)
    (source,) = snapshots.read(connection).site_provenance
    assert (source.producer, source.licence) == ("Liste récente", "Licence Ouverte 2.0")
    assert source.retrieved == date(2026, 3, 11)


def test_a_site_stays_while_one_of_its_records_is_left(connection):
    territories.save(connection, world.TERRITORY)
    a, b = world.record("a", 5), world.record("b", 5, telephone="+33500000001")
    store(connection, a, b)
    same_place(connection, "essai--a", "essai--b")
    (together,) = snapshots.read(connection).sites
    assert (together.id, together.telephone) == ("essai--a", "+33500000001")
    store(connection, b)
    snapshot = snapshots.read(connection)
    assert [(s.id, s.nom, s.records) for s in snapshot.sites] == [("essai--a", "Lieu b", ("essai--b",))]
    assert snapshot.site("essai--b").id == "essai--a"


def test_a_snapshot_is_of_one_moment_even_while_an_import_commits(fresh_engine, monkeypatch):
    with fresh_engine.begin() as connection:
        territories.save(connection, world.TERRITORY)
        store(connection, world.record("a", 5))
        snapshots.publish(connection)
    load = territories.load

    def slow_load(connection):
        territory = load(connection)
        with fresh_engine.begin() as other:
            store(other, world.record("a", 5), world.record("b", 6))
            snapshots.publish(other)
        return territory

    monkeypatch.setattr(territories, "load", slow_load)
    with fresh_engine.connect() as reader:
        snapshot = snapshots.read(reader)
    assert (snapshot.version, len(snapshot.sites)) == (1, 1)


def test_versions_count_up_even_if_their_row_was_lost(connection):
    first = snapshots.publish(connection)
    assert snapshots.publish(connection) == first + 1
    connection.execute(text("DELETE FROM data_version"))
    assert snapshots.version(connection) == 0
    assert snapshots.publish(connection) == 1
