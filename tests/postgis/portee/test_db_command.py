"""`portee db`: what it prints, and that a dump is restored whole or not at all."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from geo.errors import DatabaseUnavailable, OperatorError
from geo.store import backup, postgres_programs, snapshots, territories
from geo.store.database import database_status, require_postgis
from geo.store.snapshot_watcher import SnapshotWatcher
from portee.cli import app
from tests.postgis.geo.store.test_snapshot_watcher import eventually, fill
from tests.postgis.geo.store.test_store import store
from tests.support import world

run = CliRunner().invoke


def state_of(engine) -> tuple[object, ...]:
    with engine.connect() as connection:
        snapshot = snapshots.read(connection)
        history = "SELECT import_id, record_key, kind, field, before, after FROM record_change ORDER BY id"
        return snapshot.territory, snapshot.sites, [tuple(r) for r in connection.execute(text(history))]


def databases(engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.scalars(text("SELECT datname FROM pg_database")))


def test_a_role_that_may_not_add_postgis_is_told_who_can(fresh_engine):
    with fresh_engine.connect() as connection:
        connection.execute(text("DROP EXTENSION postgis CASCADE"))
        connection.execute(text("CREATE ROLE visitor"))
        connection.execute(text("SET ROLE visitor"))
        with pytest.raises(DatabaseUnavailable, match="CREATE EXTENSION postgis"):
            require_postgis(connection)
        connection.rollback()


@pytest.fixture
def filled(fresh_engine):
    fill(fresh_engine, world.record("a", 5), world.record("b", 6))
    with fresh_engine.begin() as connection:
        store(connection, world.record("a", 5, nom="Été « ${x} » 👩🏽‍🌾"))
        snapshots.publish(connection)
    return fresh_engine


def test_the_embedded_database_is_started_told_and_stopped(open_folder):
    env = {"PORTEE_HOME": str(open_folder / "command"), "DATABASE_URL": None}
    told = run(app, ["db", "status", "--json"], env=env)
    assert told.exit_code == 3
    assert json.loads(told.stdout)["cluster"]["running"] is False
    assert "portee db start" in json.loads(told.stdout)["problem"]
    try:
        assert run(app, ["db", "start"], env=env).exit_code == 0
        told = run(app, ["db", "status", "--json"], env=env)
        assert told.exit_code == 0, told.output
        database = json.loads(told.stdout)["database"]
        assert (database["revision"], database["up_to_date"], database["snapshot_version"]) == (
            None,
            False,
            None,
        )
        nothing = run(app, ["db", "dump", str(open_folder / "no.dump")], env=env)
        assert (nothing.exit_code, (open_folder / "no.dump").exists()) == (3, False)
        assert run(app, ["db", "migrate"], env=env).exit_code == 0
        told = run(app, ["db", "status", "--json"], env=env)
        assert json.loads(told.stdout)["database"]["up_to_date"] is True
    finally:
        stopped = run(app, ["db", "stop"], env=env)
    assert "PostGIS est arrêté." in stopped.output
    assert "ne fonctionnait pas" in run(app, ["db", "stop"], env=env).output


def test_a_server_is_not_ours_to_stop(database_url):
    told = run(app, ["db", "stop"], env={"DATABASE_URL": database_url})
    assert told.exit_code == 3
    assert "DATABASE_URL désigne un serveur" in told.output


def test_a_dump_comes_back_whole_and_those_who_follow_see_it(filled, database_url, tmp_path):
    before = state_of(filled)
    file = tmp_path / "été.dump"
    told = run(app, ["db", "dump", str(file)], env={"DATABASE_URL": database_url})
    assert told.exit_code == 0, told.output
    assert file.read_bytes().startswith(backup.MAGIC)
    assert list(tmp_path.iterdir()) == [file]

    latest = fill(filled, world.record("z", 7))
    names = databases(filled)
    kept = SnapshotWatcher(filled, poll_s=60)
    kept.start()
    try:
        asked = run(app, ["db", "restore", str(file)], input="n\n", env={"DATABASE_URL": database_url})
        assert asked.exit_code == 1
        assert state_of(filled) != before
        told = run(app, ["db", "restore", "--yes", str(file)], env={"DATABASE_URL": database_url})
        assert told.exit_code == 0, told.output
        assert state_of(filled) == before
        eventually(lambda: kept.current().snapshot.version == latest + 1)
        assert kept.current().snapshot.sites == before[1]
    finally:
        kept.stop()
    assert databases(filled) == names
    assert database_status(filled).up_to_date
    with filled.begin() as connection:
        assert store(connection, world.record("new", 5)) == 3, "numbers go on where the dump had them"


def test_a_dump_is_never_written_over_another_file(filled, tmp_path):
    file = tmp_path / "kept.txt"
    file.write_text("precious")
    with pytest.raises(OperatorError, match="exists already"):
        backup.dump(filled, file)
    assert file.read_text() == "precious"


@pytest.mark.parametrize("damage", ["text", "empty", "absent", "short", "late"])
def test_a_damaged_dump_changes_nothing(filled, tmp_path, damage):
    file = tmp_path / "portee.dump"
    backup.dump(filled, file)
    whole = file.read_bytes()
    file.write_bytes(
        {
            "text": b"not a dump",
            "empty": b"",
            "absent": b"",
            "short": whole[:200],
            "late": whole[: len(whole) - 2_000],
        }[damage]
    )
    if damage == "absent":
        file.unlink()
    before, names = state_of(filled), databases(filled)
    with pytest.raises(OperatorError):
        backup.restore(filled, file)
    assert state_of(filled) == before
    assert databases(filled) == names


def test_another_programs_dump_is_refused(filled, tmp_path):
    with filled.begin() as connection:
        connection.execute(text("ALTER TABLE alembic_version RENAME TO something_else"))
    file = tmp_path / "other.dump"
    command = [postgres_programs.client_program("pg_dump", 15), "--format=custom", f"--file={file}"]
    backup._run(command, filled.url, "never", None)
    with pytest.raises(OperatorError, match="not a dump made by"):
        backup.restore(filled, file)


def test_a_dump_tells_its_progress_and_leaves_nothing_when_it_fails(filled, tmp_path, monkeypatch):
    told: list[tuple[int, int]] = []
    size = backup.dump(filled, tmp_path / "one.dump", progress=lambda *counts: told.append(counts))
    assert size == (tmp_path / "one.dump").stat().st_size
    assert told[-1] == (len(backup.TABLES), len(backup.TABLES))
    monkeypatch.setattr(backup, "client_program", lambda *_: "/bin/false")
    with pytest.raises(OperatorError, match="false failed"):
        backup.dump(filled, tmp_path / "two.dump")
    assert [f.name for f in tmp_path.iterdir()] == ["one.dump"]


def test_a_neighbours_tables_are_left_where_they_are(filled, tmp_path):
    with filled.begin() as connection:
        connection.execute(text('CREATE TABLE "Voisine" (n integer)'))
    backup.dump(filled, tmp_path / "ours.dump")
    backup.restore(filled, tmp_path / "ours.dump")
    with filled.connect() as connection:
        assert connection.scalar(text("""SELECT to_regclass('"Voisine"')""")) is None
        assert connection.scalar(text("SELECT to_regclass('site')")) == "site"


def test_the_territory_survives_a_dump_to_the_last_bit(filled, tmp_path):
    backup.dump(filled, tmp_path / "t.dump")
    backup.restore(filled, tmp_path / "t.dump")
    with filled.connect() as connection:
        assert territories.load(connection) == world.TERRITORY
