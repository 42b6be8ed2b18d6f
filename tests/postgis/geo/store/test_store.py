"""What the store gives back is what was put in it: territory, sites, runs, duplicates, snapshot."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text

from geo.errors import SnapshotUnavailable, UnknownImport, UnknownSite
from geo.sites.difference import LOCAL_FACTS, Difference, RecordChange, compare
from geo.sites.duplicate_detection import Proposal
from geo.sites.import_run import ImportRun
from geo.sites.model import Issue, ItinerantStop, Position, Severity, Site
from geo.store import duplicates, imports, sites, snapshots, territories
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


def store(connection, *wanted: Site) -> int:
    """Make these the sites of their datasets, as an import does."""
    run_id = imports.record(connection, run(), [])
    before = sites.current(connection, datasets={s.jeu_de_donnees for s in wanted} or {"essai"})
    sites.apply(connection, run_id, compare(before, wanted, provided=LOCAL_FACTS))
    return run_id


def history(connection, site_id: str) -> list[tuple[object, ...]]:
    found = connection.execute(
        text("SELECT kind, field, before, after FROM site_change WHERE site_id = :id ORDER BY id"),
        {"id": site_id},
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
    store(connection, world.site("a", 5))
    kinds = text(
        "SELECT ST_X(town_hall), ST_Y(town_hall), ST_SRID(boundary), ST_Intersects(boundary, town_hall)"
        " FROM commune WHERE code = '99001'"
    )
    town_hall = world.OWN[0].town_hall
    assert tuple(connection.execute(kinds).one()) == (town_hall.x, town_hall.y, 4326, True)
    near = text(
        "SELECT c.code FROM site s JOIN commune c ON ST_Intersects(c.boundary, s.geom) WHERE s.local_id = 'a'"
    )
    assert connection.scalar(near) == "99001"


# --- sites

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
def any_site(draw: st.DrawFn, local_id: str) -> Site:
    values: dict[str, object] = {}
    base = world.site(local_id, 5)
    for name in Site.__dataclass_fields__:
        value = getattr(base, name)
        if name in ("local_id", "jeu_de_donnees"):
            continue
        if name in ("pass_numerique", "membre_reseau", "acces_fauteuil"):
            values[name] = draw(flag)
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
@given(first=any_site("a"), second=any_site("a"))
def test_a_site_is_read_back_exactly_as_it_was_stored(connection, first, second):
    with connection.begin_nested() as inside:
        store(connection, first)
        assert sites.active(connection) == [first]
        store(connection, second)
        assert sites.current(connection, datasets=["essai"]) == {second.id: second}
        inside.rollback()


def test_a_change_is_recorded_field_by_field(connection):
    store(connection, world.site("a", 5))
    after = replace(
        world.site("a", 5),
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


def test_a_vanished_site_is_retired_and_comes_back_with_its_past(connection):
    a, b = world.site("a", 5), world.site("b", 6)
    first = store(connection, a, b)
    store(connection, b)
    assert [s.id for s in sites.active(connection)] == [b.id]
    assert connection.scalar(text("SELECT count(*) FROM site")) == 2
    store(connection, replace(a, nom="Rouvert"), b)
    assert [s.nom for s in sites.active(connection)] == ["Rouvert", "Lieu b"]
    assert [entry[:2] for entry in history(connection, a.id)] == [
        ("new", None),
        ("retired", None),
        ("returned", None),
        ("changed", "nom"),
    ]
    imported = connection.execute(
        text("SELECT first_import, retired_at FROM site WHERE local_id = 'a'")
    ).one()
    assert tuple(imported) == (first, None)


def test_applying_twice_in_one_transaction_keeps_the_two_apart(connection):
    a, b = world.site("a", 5), world.site("b", 6)
    run_id = imports.record(connection, run(), [])
    sites.apply(connection, run_id, Difference(new=(a,)))
    sites.apply(connection, run_id, Difference(new=(b,), changed=(RecordChange(a, replace(a, nom="Autre")),)))
    assert [s.nom for s in sites.active(connection)] == ["Autre", "Lieu b"]
    assert [entry[0] for entry in history(connection, a.id)] == ["new", "changed"]


def test_the_return_of_many_records_costs_about_what_their_arrival_did(connection):
    # The planner has no statistics on either side; a nested loop would take a hundred times longer.
    many = tuple(world.site(f"{rank:04}", 5) for rank in range(4_000))
    run_id = imports.record(connection, run(), [])
    began = time.perf_counter()
    sites.apply(connection, run_id, Difference(new=many))
    arrived = time.perf_counter()
    sites.apply(connection, run_id, Difference(vanished=many))
    gone = time.perf_counter()
    sites.apply(connection, run_id, Difference(new=many))
    assert time.perf_counter() - gone < 8 * (arrived - began)
    assert sites.active(connection) == list(many)


def test_an_empty_difference_changes_nothing(connection):
    store(connection, world.site("a", 5))
    sites.apply(connection, imports.record(connection, run(), []), Difference(unchanged=1))
    assert history(connection, "essai--a") == [("new", None, None, None)]


def test_current_filters_by_dataset_and_departement(connection):
    here = world.site("a", 5)
    beyond = world.site("b", 45, "96001")
    unknown = replace(world.site("c", None), code_insee="", code_postal="96200")
    overseas = replace(world.site("d", 5), code_insee="97411")
    elsewhere = world.site("e", 5, jeu_de_donnees="autre")
    store(connection, here, beyond, unknown, overseas, elsewhere)

    def found(datasets: list[str], departements: list[str] | None = None) -> list[str]:
        return sorted(
            s.local_id
            for s in sites.current(connection, datasets=datasets, departements=departements).values()
        )

    assert found(["essai"]) == ["a", "b", "c", "d"]
    assert found(["essai"], ["96"]) == ["b", "c"]
    assert found(["essai"], ["974"]) == ["d"]
    assert found(["essai", "autre"], ["99"]) == ["a", "e"]
    assert found([]) == found(["essai"], []) == []


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


# --- duplicates


def proposal(a: str, b: str, score: float = 90.0) -> Proposal:
    return Proposal(f"essai--{a}", f"essai--{b}", score, ("même adresse",))


def test_a_decision_outlives_proposals_and_imports(connection):
    three = [world.site(name, 5) for name in "abc"]
    store(connection, *three)
    duplicates.propose(connection, [proposal("a", "b"), proposal("b", "c", 99)])
    assert [(d.a, d.b, d.score) for d in duplicates.listed(connection)] == [
        ("essai--b", "essai--c", 99),
        ("essai--a", "essai--b", 90),
    ]
    duplicates.decide(connection, "essai--b", "essai--a", True, "Camille (fictif)")
    duplicates.propose(connection, [proposal("a", "b", 70), proposal("b", "c", 98)])
    store(connection, *(replace(s, nom="Autre") for s in three))
    assert [(d.b, d.score) for d in duplicates.listed(connection)] == [("essai--c", 98)]
    kept = duplicates.listed(connection, undecided_only=False)[1]
    assert (kept.same, kept.hidden, kept.score, kept.decided_by) == (True, "essai--a", 90, "Camille (fictif)")


def test_a_pair_is_listed_only_while_both_are_in_service(connection):
    a, b = world.site("a", 5), world.site("b", 5)
    store(connection, a, b)
    duplicates.propose(connection, [proposal("a", "b")])
    store(connection, a)
    assert duplicates.listed(connection) == []
    store(connection, a, b)
    assert len(duplicates.listed(connection)) == 1


def test_only_two_records_in_service_can_be_decided(connection):
    store(connection, world.site("a", 5))
    with pytest.raises(UnknownSite, match="essai--z"):
        duplicates.decide(connection, "essai--a", "essai--z", True, "essai")
    with pytest.raises(UnknownSite, match="le même"):
        duplicates.decide(connection, "essai--a", "essai--a", True, "essai")


@pytest.mark.parametrize(("shown", "hidden"), [("essai--a", "essai--b"), ("essai--b", "essai--a")])
def test_a_retired_record_cannot_be_decided_on(connection, shown, hidden):
    a, b = world.site("a", 5), world.site("b", 5)
    store(connection, a, b)
    store(connection, a)
    with pytest.raises(UnknownSite, match="essai--b"):
        duplicates.decide(connection, shown, hidden, True, "essai")
    store(connection, a, b)
    duplicates.decide(connection, shown, hidden, True, "essai")
    assert duplicates.listed(connection, undecided_only=False)[0].hidden == hidden


def same(keep: str, hide: str) -> duplicates.Duplicate:
    a, b = sorted((keep, hide))
    return duplicates.Duplicate(a, b, 90, (), True, hide)


@pytest.mark.parametrize(
    ("decisions", "left_out"),
    [
        ([same("a", "b")], "b"),
        ([same("b", "a")], "a"),
        ([same("a", "b"), same("b", "c")], "bc"),
        ([same("c", "b"), same("b", "a")], "ab"),
        ([same("a", "c"), same("b", "c")], "bc"),
        ([same("a", "b"), same("b", "c"), same("c", "a")], "bc"),
        ([replace(same("a", "b"), same=False), same("c", "d")], "d"),
        ([], ""),
    ],
)
def test_one_record_of_each_place_is_shown(decisions, left_out):
    assert duplicates.hidden_duplicates(decisions) == set(left_out)
    assert duplicates.hidden_duplicates(decisions[::-1]) == set(left_out)


# --- snapshot


def test_a_snapshot_contains_each_site_in_service_once_with_its_sources(connection):
    territories.save(connection, world.TERRITORY)
    a, b = world.site("a", 5), world.site("b", 6, date_maj=date(2026, 5, 1))
    other = world.site("z", 7, jeu_de_donnees="autre", date_maj=None)
    store(connection, a, b, other, world.site("gone", 8))
    store(connection, a, b)
    duplicates.decide(connection, a.id, other.id, True, "essai")
    version = snapshots.publish(connection)
    snapshot = snapshots.read(connection)
    assert snapshot.version == version == snapshots.version(connection)
    assert snapshot.sites == (a, b)
    assert [(p.subject, p.producer, p.vintage, p.licence) for p in snapshot.site_provenance] == [
        ("Lieux « essai »", "Standard national", "2026-05-01", "Licence Ouverte 2.0")
    ]
    assert snapshots.read(connection) == snapshot


def test_the_source_of_a_dataset_is_that_of_its_last_import(connection):
    territories.save(connection, world.TERRITORY)
    wanted = world.site("a", 5)
    for label, licence, day in (
        ("Ancienne liste", "ODbL 1.0", 1),
        ("Liste récente", "Licence Ouverte 2.0", 9),
    ):
        finished = NOON + timedelta(days=day)
        imported = run(label=label, licence=licence, started_at=finished, finished_at=finished)
        run_id = imports.record(connection, imported, [])
        before = sites.current(connection, datasets={"essai"})
        sites.apply(connection, run_id, compare(before, [wanted], provided=LOCAL_FACTS))
    (source,) = snapshots.read(connection).site_provenance
    assert (source.producer, source.licence) == ("Liste récente", "Licence Ouverte 2.0")
    assert source.retrieved == date(2026, 3, 11)


def test_a_retired_record_no_longer_hides_the_other(connection):
    territories.save(connection, world.TERRITORY)
    a, b = world.site("a", 5), world.site("b", 5)
    store(connection, a, b)
    duplicates.decide(connection, a.id, b.id, True, "essai")
    assert snapshots.read(connection).sites == (a,)
    store(connection, b)
    assert snapshots.read(connection).sites == (b,)


def test_a_snapshot_is_of_one_moment_even_while_an_import_commits(fresh_engine, monkeypatch):
    with fresh_engine.begin() as connection:
        territories.save(connection, world.TERRITORY)
        store(connection, world.site("a", 5))
        snapshots.publish(connection)
    load = territories.load

    def slow_load(connection):
        territory = load(connection)
        with fresh_engine.begin() as other:
            store(other, world.site("a", 5), world.site("b", 6))
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
