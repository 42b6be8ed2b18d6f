"""The keeper follows the database, outlives it, and says so."""

from __future__ import annotations

import selectors
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import IO

import pytest
from sqlalchemy import text

from geo.errors import DatabaseUnavailable, SnapshotUnavailable
from geo.sites.model import Site
from geo.store import cluster as embedded
from geo.store import imports, snapshots, territories
from geo.store.database import migrate, open_engine
from geo.store.snapshot_watcher import SnapshotWatcher
from tests.conftest import QUICK
from tests.postgis.geo.store.test_store import store
from tests.support import world
from tests.support.world import short

ROOT = Path(__file__).resolve().parents[4]


def eventually(true, within_s: float = 5.0) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def fill(engine, *places) -> int:
    """Store records, or sites of one record each, and publish them."""
    records = [world.record_of(each) if isinstance(each, Site) else each for each in places]
    with engine.begin() as connection:
        territories.save(connection, world.TERRITORY)
        store(connection, *records)
        return snapshots.publish(connection)


@pytest.fixture
def keeper(fresh_engine):
    fill(fresh_engine, world.record("a", 5))
    watcher = SnapshotWatcher(fresh_engine, poll_s=60)
    watcher.start()
    yield watcher
    watcher.stop()


def test_a_version_published_elsewhere_is_seen_within_two_seconds(keeper, fresh_engine):
    before = keeper.current().snapshot
    version = fill(fresh_engine, world.record("a", 5), world.record("b", 6))
    eventually(lambda: keeper.current().snapshot.version == version, within_s=2)
    assert [short(s) for s in keeper.current().snapshot.sites] == ["a", "b"]
    assert [short(s) for s in before.sites] == ["a"]
    assert keeper.current().database_ok


def test_a_territory_that_did_not_change_stays_the_same_object(keeper, fresh_engine):
    before = keeper.current().snapshot.territory
    version = fill(fresh_engine, world.record("a", 6))
    eventually(lambda: keeper.current().snapshot.version == version)
    assert keeper.current().snapshot.territory is before
    renamed = replace(world.TERRITORY, name="Autre nom")
    with fresh_engine.begin() as connection:
        territories.save(connection, renamed)
        version = snapshots.publish(connection)
    eventually(lambda: keeper.current().snapshot.version == version)
    assert keeper.current().snapshot.territory.name == "Autre nom"


def test_an_uncommitted_version_is_not_seen(keeper, fresh_engine):
    with fresh_engine.connect() as connection:
        store(connection, world.record("b", 6))
        snapshots.publish(connection)
        connection.rollback()
    version = fill(fresh_engine, world.record("a", 5))
    eventually(lambda: keeper.current().snapshot.version == version)
    assert [short(s) for s in keeper.current().snapshot.sites] == ["a"]


def test_many_versions_at_once_are_read_a_few_times(keeper, fresh_engine, monkeypatch):
    readings = []
    read = snapshots.read

    def counted(*arguments, **options):
        readings.append(1)
        time.sleep(0.05)
        return read(*arguments, **options)

    monkeypatch.setattr(snapshots, "read", counted)
    for _ in range(30):
        with fresh_engine.begin() as connection:
            version = snapshots.publish(connection)
    eventually(lambda: keeper.current().snapshot.version == version)
    assert len(readings) < 15


def test_a_lost_notification_is_made_up_for_by_polling(fresh_engine):
    fill(fresh_engine)
    watcher = SnapshotWatcher(fresh_engine, poll_s=0.05)
    watcher.start()
    try:
        with fresh_engine.begin() as connection:
            connection.execute(text("UPDATE data_version SET version = 100"))
        eventually(lambda: watcher.current().snapshot.version == 100)
    finally:
        watcher.stop()


def test_before_the_first_snapshot_there_is_none(fresh_engine):
    watcher = SnapshotWatcher(fresh_engine)
    with pytest.raises(SnapshotUnavailable):
        watcher.current()
    with pytest.raises(SnapshotUnavailable, match="portee territory load"):
        watcher.start()
    fill(fresh_engine)
    watcher.start()
    assert watcher.current().snapshot.territory == world.TERRITORY
    watcher.stop()
    watcher.stop()
    assert watcher.current().snapshot.territory == world.TERRITORY


def test_the_database_may_go_away_and_come_back(open_folder):
    cluster = embedded.cluster_at(open_folder / "away", options=QUICK)
    embedded.start(cluster)
    engine = open_engine(cluster.url())
    migrate(engine)
    fill(engine, world.record("a", 5))
    watcher = SnapshotWatcher(engine, poll_s=60, retry_s=(0.05, 0.2))
    watcher.start()
    try:
        embedded.stop(cluster)
        eventually(lambda: not watcher.current().database_ok, within_s=2)
        assert [short(s) for s in watcher.current().snapshot.sites] == ["a"]
        age = watcher.current().age
        time.sleep(0.1)
        assert watcher.current().age >= age + timedelta(seconds=0.1)
        with pytest.raises(DatabaseUnavailable, match="portee db start"):
            SnapshotWatcher(engine).start()

        embedded.start(cluster)
        eventually(lambda: watcher.current().database_ok)
        assert watcher.current().age < timedelta(seconds=1)
        version = fill(engine, world.record("a", 5), world.record("b", 6))
        eventually(lambda: watcher.current().snapshot.version == version, within_s=2)
    finally:
        watcher.stop()
        engine.dispose()
        embedded.stop(cluster)


def test_a_broken_version_leaves_the_last_good_one(keeper, fresh_engine):
    version = keeper.current().snapshot.version
    with fresh_engine.begin() as connection:
        connection.execute(text("DELETE FROM territory"))
        snapshots.publish(connection)
    eventually(lambda: not keeper.current().database_ok)
    assert keeper.current().snapshot.version == version
    repaired = fill(fresh_engine, world.record("a", 5))
    eventually(lambda: keeper.current().snapshot.version == repaired, within_s=10)


def test_a_dead_connection_in_the_pool_is_replaced(fresh_engine):
    with fresh_engine.connect() as connection:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
    killer = open_engine(fresh_engine.url)
    with killer.connect() as connection:
        assert connection.scalar(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    killer.dispose()
    with fresh_engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


IMPORTER = """
import sys, time
from sqlalchemy import text
from geo.store import imports, snapshots
from geo.store.database import open_engine, parse_url
from tests.support import world
from tests.postgis.geo.store.test_store import store

with open_engine(parse_url(sys.argv[1])).begin() as connection:
    imports.wait_for_turn(connection)
    print("in", flush=True)
    store(connection, *(world.record(f"n{i}", 5) for i in range(50)))
    snapshots.publish(connection)
    print("stored", flush=True)
    sys.stdin.read()
"""


def importer(url: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", IMPORTER, url]
    return subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )


def output(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout
    return process.stdout


def test_imports_take_turns_and_a_killed_one_leaves_the_state_before_it(database_url, fresh_engine):
    version = fill(fresh_engine, world.record("a", 5))
    with importer(database_url) as first, importer(database_url) as second:
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"

        def one_waits() -> bool:
            with fresh_engine.connect() as connection:
                return bool(connection.execute(text(waiting)).scalar_one() == 1)

        eventually(one_waits, within_s=20)
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = :key"
        with fresh_engine.connect() as connection:
            assert connection.scalar(text(held), {"key": imports.LOCK}) == 1
        # Whichever came first is killed once it has stored all it had, before it commits.
        with selectors.DefaultSelector() as ready:
            for process in (first, second):
                ready.register(output(process), selectors.EVENT_READ, process)
            holder = ready.select(timeout=20)[0][0].data
        assert [output(holder).readline(), output(holder).readline()] == ["in\n", "stored\n"]
        holder.kill()
        other = second if holder is first else first
        assert output(other).readline() == "in\n"
        with fresh_engine.connect() as connection:
            assert snapshots.version(connection) == version
            assert [short(s) for s in snapshots.read(connection).sites] == ["a"]
        assert output(other).readline() == "stored\n"
        assert other.communicate("", timeout=20)[0] == ""
        assert holder.wait(timeout=20) == -signal.SIGKILL
        assert other.returncode == 0
    with fresh_engine.connect() as connection:
        assert snapshots.version(connection) == version + 1
        assert len(snapshots.read(connection).sites) == 50
