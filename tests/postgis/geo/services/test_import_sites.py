"""Loading source files into a real PostGIS: all of a file or nothing of it."""

from __future__ import annotations

import csv
import multiprocessing
import signal
import threading
from datetime import date

import pytest
from sqlalchemy import text

from geo.errors import SuspiciousRetirement, UnreadableFile
from geo.services import import_sites
from geo.services.decide_sites import decide
from geo.sites import standard
from geo.sites.model import LOCAL_PREFIX
from geo.store import imports, record_pairs, records, snapshots, territories
from geo.store.database import open_engine, parse_url
from tests.support.world import TERRITORY, at

TODAY = date(2026, 11, 2)
LOCAL = ("pass_numerique", "arrets")


@pytest.fixture
def database(fresh_engine):
    with fresh_engine.begin() as connection:
        territories.save(connection, TERRITORY)
    return fresh_engine


def record(local_id, x_km=5.0, **changes):
    point = at(x_km)
    return {
        "id": local_id,
        "pivot": "00000000000000",
        "nom": f"Lieu fictif {local_id}",
        "commune": "Ouestville",
        "code_postal": "99100",
        "code_insee": "99001",
        "adresse": f"{len(local_id)} rue {local_id}",
        "latitude": f"{point.y:.6f}",
        "longitude": f"{point.x:.6f}",
        "horaires": "Mo-Fr 09:00-12:00",
        "date_maj": "2026-03-02",
        **changes,
    }


def elsewhere(local_id, **changes):
    values = {"commune": "Outre-Borne", "code_insee": "96001", "code_postal": "96100"}
    return record(local_id, 45, **values, **changes)


@pytest.fixture
def write(tmp_path):
    """Write records as a file of the standard, with the local columns they have."""

    def written(*records, name="lieux.csv"):
        local = [f"{LOCAL_PREFIX}{n}" for n in LOCAL if any(f"{LOCAL_PREFIX}{n}" in r for r in records)]
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, fieldnames=[*standard.FIELDS, *local])
            writer.writeheader()
            writer.writerows(records)
        return path

    return written


def read(path, **options):
    return import_sites.read(
        path, territory=TERRITORY, today=TODAY, max_bytes=1_000_000, dataset="essai", **options
    )


def run(database, path, **options):
    with database.begin() as connection:
        return import_sites.apply(connection, read(path), territory=TERRITORY, **options)


def in_service(database):
    with database.connect() as connection:
        return {record.local_id: record for record in records.in_service(connection).values()}


def counts(loaded):
    difference = loaded.prepared.difference
    return len(difference.new), len(difference.changed), difference.unchanged, len(difference.vanished)


def changes_told(database):
    with database.connect() as connection:
        return connection.scalar(text("SELECT count(*) FROM record_change"))


def test_a_first_import_brings_every_record_and_says_so_in_its_run(database, write):
    loaded = run(database, write(record("a"), record("b"), record("", nom="Sans identifiant")))
    assert counts(loaded) == (2, 0, 0, 0)
    assert sorted(in_service(database)) == ["a", "b"]
    with database.connect() as connection:
        kept = imports.find(connection, loaded.run_id)
    assert (kept.file_name, kept.datasets, kept.format) == ("lieux.csv", ("essai",), "standard")
    assert (kept.read, kept.accepted, kept.rejected, kept.new) == (3, 2, 1, 2)


@pytest.mark.parametrize("local_id", ["e\u0301", "a\u202eb", "a\tb", "a@b", "essai--a", "'a"])
def test_a_rejected_row_whose_identifier_is_untidy_retires_nothing(database, write, local_id):
    run(database, write(record(local_id), record("z", nom="Gare fictive")))
    before = in_service(database)
    loaded = run(database, write(record(local_id, nom=""), record("z", nom="Gare fictive")))
    assert counts(loaded) == (0, 0, 1, 0)
    assert in_service(database) == before


def test_the_same_file_again_changes_nothing_but_is_recorded(database, write):
    path = write(record("a"), record("b"))
    run(database, path)
    before, told = in_service(database), changes_told(database)
    loaded = run(database, path)
    assert counts(loaded) == (0, 0, 2, 0)
    assert (in_service(database), changes_told(database)) == (before, told)
    with database.connect() as connection:
        assert [r.unchanged for r in imports.runs(connection, limit=10, offset=0)] == [2, 0]


def test_a_new_version_changes_retires_and_brings_back(database, write):
    run(database, write(record("a"), record("b"), record("c")))
    loaded = run(database, write(record("a"), record("b", nom="Autre nom fictif"), record("d")))
    assert counts(loaded) == (1, 1, 1, 1)
    assert [f.field for f in loaded.prepared.difference.changed[0].fields()] == ["nom"]
    assert sorted(in_service(database)) == ["a", "b", "d"]
    with database.connect() as connection:
        assert connection.scalar(text("SELECT retired_at IS NOT NULL FROM site WHERE id = 'essai--c'"))
    run(database, write(record("a"), record("b"), record("c"), record("d")))
    assert sorted(in_service(database)) == ["a", "b", "c", "d"]


def test_preparing_tells_the_difference_and_stores_nothing(database, write):
    run(database, write(record("a")))
    with database.connect() as connection:
        prepared = import_sites.prepare(connection, read(write(record("a"), record("b"))))
    assert [s.local_id for s in prepared.difference.new] == ["b"]
    assert sorted(in_service(database)) == ["a"]


def test_the_neighbours_list_retires_none_of_ours(database, write):
    run(database, write(record("a"), record("b")))
    loaded = run(database, write(elsewhere("v"), name="voisins.csv"))
    assert counts(loaded) == (1, 0, 0, 0)
    assert sorted(in_service(database)) == ["a", "b", "v"]


def test_a_list_that_lost_most_of_its_records_needs_a_confirmation(database, write):
    run(database, write(record("a"), record("b"), record("c")))
    shrunk = write(record("a"), name="tronqué.csv")
    with pytest.raises(SuspiciousRetirement, match="2 des 3"):
        run(database, shrunk)
    assert sorted(in_service(database)) == ["a", "b", "c"]
    with database.connect() as connection:
        assert import_sites.prepare(connection, read(shrunk)).suspicious
        assert len(imports.runs(connection, limit=10, offset=0)) == 1
    assert counts(run(database, shrunk, accept_vanished=True)) == (0, 0, 1, 2)
    assert sorted(in_service(database)) == ["a"]


def test_a_record_that_became_unusable_is_told_and_stays_as_it_was(database, write):
    run(database, write(record("a"), record("b")))
    loaded = run(database, write(record("a", nom=""), record("b")))
    assert counts(loaded) == (0, 0, 1, 0)
    assert in_service(database)["a"].nom == "Lieu fictif a"


def test_local_facts_survive_a_list_that_cannot_carry_them(database, write):
    facts = {"ext_pass_numerique": "true", "ext_arrets": "Halle @ Tu 09:00-12:00"}
    run(database, write(record("a", **facts)))
    known = in_service(database)["a"]
    assert known.pass_numerique is True and known.arrets
    assert counts(run(database, write(record("a")))) == (0, 0, 1, 0)
    assert in_service(database)["a"] == known
    run(database, write(record("a", ext_pass_numerique="")))
    assert in_service(database)["a"].pass_numerique is None
    assert in_service(database)["a"].arrets == known.arrets


def test_local_facts_come_back_with_a_record_that_had_vanished(database, write):
    run(database, write(record("a", ext_pass_numerique="true"), record("b"), record("c")))
    run(database, write(record("b"), record("c")))
    run(database, write(record("a"), record("b"), record("c")))
    assert in_service(database)["a"].pass_numerique is True


def arrive(database, path, dataset):
    """Import a file as one of another dataset."""
    with database.begin() as connection:
        arrival = import_sites.read(
            path, territory=TERRITORY, today=TODAY, max_bytes=1_000_000, dataset=dataset
        )
        return import_sites.apply(connection, arrival, territory=TERRITORY)


def test_one_place_in_two_datasets_is_asked_once_and_a_decision_stays(database, write):
    run(database, write(record("a", adresse="")))
    other = write(record("z", 5.05, nom="Lieu fictif a", adresse=""))
    loaded = arrive(database, other, "autre")
    assert [(p.a, p.b) for p in loaded.changes.questions] == [("autre--z", "essai--a")]
    assert arrive(database, other, "autre").changes.questions == (), "asked already"
    with database.begin() as connection:
        decide(connection, "autre--z", "essai--a", same=True, by="test", epsg=TERRITORY.metric_crs)
    assert [s.id for s in snapshot_sites(database)] == ["essai--a"]
    loaded = run(database, write(record("a", adresse="", telephone="+33553000000")))
    assert loaded.changes.changed == ("essai--a",)
    (site,) = snapshot_sites(database)
    assert (site.id, site.telephone) == ("essai--a", "+33553000000")
    with database.connect() as connection:
        assert [pair.same for pair in record_pairs.all_pairs(connection)] == [True]


def snapshot_sites(database):
    with database.connect() as connection:
        return snapshots.read(connection).sites


def test_a_file_that_cannot_be_read_leaves_no_run(database, tmp_path):
    path = tmp_path / "vide.csv"
    path.write_bytes(b"")
    with pytest.raises(UnreadableFile):
        run(database, path)
    with database.connect() as connection:
        assert imports.runs(connection, limit=10, offset=0) == []


def _import_and_hang(url, path, hanging):
    """Import a file in a process of its own, which hangs once its records are written."""
    written = records.apply

    def hang(*arguments):
        written(*arguments)
        hanging.set()
        signal.pause()

    records.apply = hang
    run(open_engine(parse_url(url)), path)


def test_an_import_killed_in_the_middle_leaves_the_state_before_it(database, database_url, write):
    run(database, write(record("a"), record("b")))
    before, told = in_service(database), changes_told(database)
    newer = write(record("a", nom="Autre nom fictif"), record("c"), name="suite.csv")

    spawn = multiprocessing.get_context("spawn")
    hanging = spawn.Event()
    process = spawn.Process(target=_import_and_hang, args=(database_url, newer, hanging))
    process.start()
    try:
        assert hanging.wait(30), "the import never reached its middle"
    finally:
        process.kill()  # SIGKILL
        process.join()
    assert (in_service(database), changes_told(database)) == (before, told)
    with database.connect() as connection:
        assert len(imports.runs(connection, limit=10, offset=0)) == 1
    assert counts(run(database, newer)) == (1, 1, 0, 1), "and the next import is not held up"


def test_two_imports_at_once_follow_each_other(database, write):
    path = write(record("a"), record("b"))
    loaded = []
    with database.begin() as connection:
        first = import_sites.apply(connection, read(path), territory=TERRITORY)
        second = threading.Thread(target=lambda: loaded.append(run(database, path)))
        second.start()
        second.join(0.5)
        assert second.is_alive(), "the second import did not wait for the first"
    second.join(10)
    assert counts(first) == (2, 0, 0, 0)
    assert counts(loaded[0]) == (0, 0, 2, 0), "the second compares with what the first has stored"
