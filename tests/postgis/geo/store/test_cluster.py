"""The embedded cluster starts, stops, survives its own death, and says what is wrong."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from geo.errors import DatabaseUnavailable, MissingPostgis
from geo.settings import Settings
from geo.store import cluster as embedded
from geo.store import postgres_programs
from geo.store.cluster import Cluster, cluster_at, start, status, stop
from geo.store.database import database_status, engine_for, migrate, open_engine, parse_url
from geo.store.postgres_programs import find_binaries
from portee.cli import app
from tests.conftest import QUICK

ROOT = Path(__file__).resolve().parents[4]
pytestmark = pytest.mark.postgis

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root drops to another account")


@pytest.fixture(scope="module")
def first(open_folder):
    """A cluster of the module's own, as safe as the real one: tests stop, kill and start it again."""
    made = cluster_at(open_folder / "own home")
    yield made
    stop(made)


def answer(cluster: Cluster, statement: str) -> object:
    engine = open_engine(cluster.url())
    try:
        with engine.connect() as connection:
            return connection.scalar(text(statement))
    finally:
        engine.dispose()


def kill(cluster: Cluster) -> None:
    pid = status(cluster).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        # Gone, or a zombie nobody reaps: dead either way.
        if "State:\tZ" in Path(f"/proc/{pid}/status").read_text():
            break
        time.sleep(0.02)


def test_it_starts_from_nothing_twice_without_harm_and_stops(first):
    assert not status(first).created
    start(first)
    pid = status(first).pid
    start(first)
    assert status(first).pid == pid
    assert answer(first, "SHOW server_encoding") == "UTF8"
    assert answer(first, "SELECT lower('ÉTÉ')") == "été"
    assert answer(first, "SHOW port") == "5432"
    assert stop(first)
    assert not stop(first)
    assert not status(first).running


def test_nobody_reaches_it_but_through_a_socket_in_a_closed_folder(first):
    start(first)
    assert answer(first, "SHOW listen_addresses") == ""
    assert first.socket.stat().st_mode & 0o777 == 0o700
    assert first.data.stat().st_mode & 0o777 == 0o700
    rules = (first.data / "pg_hba.conf").read_text().splitlines()
    hosts = [line for line in rules if line.startswith("host")]
    assert hosts
    assert all(line.split()[-1] == "reject" for line in hosts)


@as_root
def test_root_drops_to_the_account_that_owns_the_folder(first):
    start(first)
    pid = status(first).pid
    assert Path(f"/proc/{pid}").stat().st_uid == first.data.stat().st_uid != 0


def test_it_comes_back_after_a_kill_with_what_was_committed(first):
    start(first)
    engine = open_engine(first.url())
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE kept AS SELECT 47 AS number"))
    engine.dispose()
    kill(first)
    assert not status(first).running
    start(first)
    assert answer(first, "SELECT number FROM kept") == 47
    durable = "fsync", "synchronous_commit", "full_page_writes"
    assert [answer(first, f"SHOW {setting}") for setting in durable] == ["on", "on", "on"]


def test_a_process_with_the_id_of_a_dead_server_is_not_taken_for_it(first):
    start(first)
    kill(first)
    with subprocess.Popen(["/bin/sleep", "60"], cwd="/") as other:
        for left in (first.data / "postmaster.pid", first.socket / ".s.PGSQL.5432.lock"):
            lines = left.read_text().splitlines()
            left.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        assert not status(first).running
        start(first)
        assert status(first).running
        other.kill()


def test_concurrent_starts_end_with_one_server(first):
    stop(first)
    code = (
        "import sys; from pathlib import Path; from geo.store import cluster as c;"
        "k = c.cluster_at(Path(sys.argv[1])); c.start(k); print(c.status(k).pid)"
    )
    command = [sys.executable, "-c", code, str(first.folder.parent)]
    starters = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [starter.communicate(timeout=60)[0].strip() for starter in starters]
    assert [starter.returncode for starter in starters] == [0, 0, 0]
    assert set(said) == {str(status(first).pid)}


def test_an_interrupted_creation_is_started_again(open_folder):
    made = cluster_at(open_folder / "cut", options=QUICK)
    (made.folder / "data.new").mkdir(parents=True)
    (made.folder / "data.new" / "half").write_text("written")
    start(made)
    assert answer(made, "SELECT 1") == 1
    stop(made)


def test_a_long_path_gets_a_short_socket(open_folder):
    made = cluster_at(open_folder / ("d" * 90), options=QUICK)
    assert len(os.fsencode(made.socket / ".s.PGSQL.5432")) <= embedded.SOCKET_PATH_MAX
    assert made.socket != made.folder
    try:
        start(made)
        assert answer(made, "SELECT 1") == 1
        assert made.socket.stat().st_mode & 0o777 == 0o700
    finally:
        stop(made)
        shutil.rmtree(made.socket, ignore_errors=True)


def test_a_socket_folder_of_another_account_is_refused(open_folder):
    made = cluster_at(open_folder / ("e" * 90), options=QUICK)
    made.socket.symlink_to(open_folder)
    try:
        with pytest.raises(DatabaseUnavailable, match=r"will not use it"):
            start(made)
    finally:
        made.socket.unlink()


@as_root
def test_root_goes_elsewhere_when_postgres_cannot_reach_the_folder(open_folder):
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    found = cluster_at(closed)
    assert found.folder.parent == Path("/var/lib")
    assert cluster_at(closed) == found
    assert cluster_at(open_folder / "open").folder == open_folder / "open" / "postgres"


def test_a_folder_of_another_postgresql_version_is_refused_with_advice(open_folder):
    made = cluster_at(open_folder / "old", options=QUICK)
    made.data.mkdir(parents=True)
    (made.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(DatabaseUnavailable, match=r"made by PostgreSQL 9; this machine has PostGIS for \d+"):
        start(made)


def test_a_failed_start_shows_the_log(open_folder):
    made = cluster_at(open_folder / "broken", options=(*QUICK, "no_such_setting=on"))
    with pytest.raises(DatabaseUnavailable) as failure:
        start(made)
    assert "no_such_setting" in str(failure.value)
    wrong = cluster_at(open_folder / "own home", options=("shared_buffers=1kB",))
    stop(wrong)
    with pytest.raises(DatabaseUnavailable) as failure:
        start(wrong)
    assert "shared_buffers" in failure.value.message
    assert str(wrong.log) in failure.value.advice


def test_without_postgis_the_error_advises_how_to_install_it(monkeypatch, open_folder):
    monkeypatch.setattr(postgres_programs, "has_postgis", lambda _binaries: False)
    with pytest.raises(MissingPostgis) as failure:
        start(cluster_at(open_folder / "none", options=QUICK))
    assert all(way in failure.value.advice for way in ("Install it (", "docker compose up", "DATABASE_URL"))


def test_the_programs_found_are_a_server_with_postgis():
    found = find_binaries()
    assert Path(found["initdb"]).exists()
    assert find_binaries(found.version) == found


# --- DATABASE_URL


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_any_spelling_of_a_postgresql_address_is_accepted(scheme):
    url = parse_url(f" {scheme}://u:p%40ss@h:5433/d?sslmode=require ")
    assert (
        url.render_as_string(hide_password=False) == "postgresql+psycopg://u:p%40ss@h:5433/d?sslmode=require"
    )


@pytest.mark.parametrize(
    "address", ["", "mysql://u:hunter2@h/d", "hunter2", "postgresql://u:hunter2@h:port/d"]
)
def test_other_addresses_are_refused_without_being_repeated(address):
    with pytest.raises(DatabaseUnavailable) as failure:
        parse_url(address)
    assert "postgresql://user:password@host" in str(failure.value)
    assert "hunter2" not in str(failure.value)


def test_no_message_contains_the_password(open_folder):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"postgresql://someone:hunter2@127.0.0.1:{port}/hunter"
    engine = engine_for(Settings(database_url=address, home=open_folder))
    with pytest.raises(DatabaseUnavailable) as failure, engine.connect():
        pass
    told = ""
    problem: BaseException | None = failure.value
    while problem is not None:
        told += f"{problem} {problem!r}"
        problem = problem.__cause__ or problem.__context__
    assert f"hunter on 127.0.0.1:{port}" in told
    assert "hunter2" not in told
    said = CliRunner().invoke(app, ["db", "status"], env={"DATABASE_URL": address})
    assert said.exit_code == 3
    assert "hunter2" not in said.output


def test_a_database_without_tables_says_how_to_get_them(fresh_engine):
    with fresh_engine.begin() as connection:
        connection.execute(text("DROP TABLE data_version"))
    with pytest.raises(DatabaseUnavailable, match="portee db migrate"), fresh_engine.connect() as connection:
        connection.execute(text("SELECT version FROM data_version"))


def test_a_database_of_a_newer_version_is_left_alone(fresh_engine):
    with fresh_engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseUnavailable, match="newer version of Portée"):
        migrate(fresh_engine)
    assert not database_status(fresh_engine).up_to_date
