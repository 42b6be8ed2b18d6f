"""Migrations: the base makes the schema that earlier revisions led to, and refuses older databases.

The dumps were written before revisions 0001 to 0009 were merged: tests/data/README.md.
"""

from __future__ import annotations

import gzip
import re
import subprocess
from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg.conninfo import make_conninfo
from sqlalchemy import text
from typer.testing import CliRunner

from geo.errors import DatabaseUnavailable
from geo.funding.ledger import Balance, Commitment
from geo.services import record_lifecycle, site_register
from geo.sites.difference import compare
from geo.store import (
    addresses,
    backup,
    history,
    imports,
    ledger,
    ledger_reports,
    passes,
    record_pairs,
    records,
    sites,
    snapshots,
)
from geo.store.database import (
    BASE_REVISION,
    database_status,
    migrate,
    migration_config,
    migration_options,
    open_engine,
    require_extensions,
)
from geo.store.migrations import SQL
from geo.store.postgres_programs import client_program
from geo.store.tables import metadata
from portee.cli import app
from tests.support import world

DATA: Path = Path(__file__).parents[3] / "data"
_serial = count(1)


@pytest.fixture
def dump_file(tmp_path):
    """Unpacks the dump of a revision."""

    def unpack(revision: str):
        path = tmp_path / f"revision-{revision}.dump"
        path.write_bytes(gzip.decompress((DATA / f"{path.name}.gz").read_bytes()))
        return path

    return unpack


@pytest.fixture
def database_at(cluster, dump_file):
    """Fills a new database from the dump of a revision, by pg_restore alone."""
    engines = []
    postgres = open_engine(cluster.url("postgres"))

    def fill(revision: str):
        name = f"revision_{revision}_{next(_serial)}"
        with postgres.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
        engine = open_engine(cluster.url(name))
        engines.append(engine)
        with engine.begin() as connection:
            require_extensions(connection)
        restore = [program("pg_restore", engine), "--no-owner", "--exit-on-error", "--schema=public"]
        subprocess.run([*restore, f"--dbname={conninfo(engine)}", dump_file(revision)], check=True)
        return engine

    yield fill
    for engine in engines:
        engine.dispose()
        with postgres.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"DROP DATABASE {engine.url.database} WITH (FORCE)"))
    postgres.dispose()


def conninfo(engine) -> str:
    """The embedded cluster's socket, as PostgreSQL's programs want it."""
    url = engine.url
    return make_conninfo(user=url.username, dbname=url.database, **url.query)


def program(name: str, engine) -> str:
    """PostgreSQL's program of the version of the server."""
    return client_program(name, int(database_status(engine).postgresql.split(".")[0]))


def schema(engine) -> list[str]:
    """Statements of `pg_dump --schema-only`, sorted, without the comments between them."""
    dump = [program("pg_dump", engine), "--schema-only", "--schema=public", "--no-owner", "--no-privileges"]
    dumped = subprocess.run(
        [*dump, f"--dbname={conninfo(engine)}"], check=True, capture_output=True, text=True
    ).stdout
    without = re.sub(r"^(--|\\).*$", "", dumped, flags=re.MULTILINE)
    return sorted(statement.strip() for statement in without.split(";\n\n"))


# --- the form of the tables


def test_migrations_make_exactly_the_tables_the_code_works_with(connection):
    context = MigrationContext.configure(connection, opts=dict(migration_options()))
    assert compare_metadata(context, metadata) == []


def test_the_comparison_would_notice_a_missing_column(connection):
    connection.execute(text("ALTER TABLE site DROP COLUMN horaires"))
    context = MigrationContext.configure(connection, opts=dict(migration_options()))
    assert [difference[0] for difference in compare_metadata(context, metadata)] == ["add_column"]


def test_migrations_run_again_change_nothing(fresh_engine):
    before = schema(fresh_engine)
    migrate(fresh_engine)
    assert database_status(fresh_engine).up_to_date
    assert schema(fresh_engine) == before


def test_migrations_do_not_go_down(fresh_engine):
    with (
        pytest.raises(NotImplementedError, match=r"(?i)restore a dump"),
        fresh_engine.begin() as connection,
    ):
        command.downgrade(migration_config(connection), "0009")
    assert database_status(fresh_engine).up_to_date


# --- databases from before the base


def test_the_base_makes_the_schema_that_the_nine_revisions_made(database_at, fresh_engine):
    old = database_at("0009")
    migrate(old)
    assert schema(fresh_engine) == schema(old)


def test_the_comparison_of_schemas_would_notice_each_kind_of_change(fresh_engine):
    before = schema(fresh_engine)
    for change in (
        "ALTER TABLE site DROP COLUMN horaires",
        "ALTER TABLE site ALTER COLUMN nom DROP NOT NULL",
        "ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_level_check",
        "DROP INDEX site_geom_idx",
        "DROP TRIGGER ledger_posting_posted ON ledger_posting",
        "ALTER TABLE ledger_posting ENABLE TRIGGER ledger_posting_queue",
        "CREATE OR REPLACE FUNCTION pass_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "COMMENT ON COLUMN site.arrets IS NULL",
    ):
        with fresh_engine.begin() as connection:
            connection.execute(text(change))
        after = schema(fresh_engine)
        assert after != before, change
        before = after


def test_guards_can_be_run_again(fresh_engine):
    before = schema(fresh_engine)
    with fresh_engine.begin() as connection:
        for guards in sorted(SQL.glob("*_guards.sql")):
            connection.connection.cursor().execute(guards.read_text(encoding="utf-8"))
    assert schema(fresh_engine) == before


def test_a_database_at_the_base_revision_is_migrated(database_at):
    engine = database_at("0009")
    migrate(engine)
    assert database_status(engine).up_to_date
    with engine.begin() as connection:
        snapshot = snapshots.read(connection)
        assert [site.nom for site in snapshot.sites] == ["Mairie fictive", "Lieu c"]
        assert ledger.balance(connection) == Balance(180_000, 150_000, 275_000, 45_000, 10_000)
        assert ledger_reports.faults(connection) == []
        assert passes.standing(connection, "A").reimbursed == 10
        assert addresses.search(connection, "rue des écoles", 1)
        ledger.post(
            connection,
            Commitment(reference="E2", day=date(2025, 3, 11), amount_cents=275_000, action_line="essai"),
            actor="moi",
        )
        assert ledger.balance(connection).available_cents == 0


def test_a_dump_of_the_base_revision_is_restored(fresh_engine, dump_file):
    backup.restore(fresh_engine, dump_file("0009"))
    assert database_status(fresh_engine).up_to_date
    with fresh_engine.connect() as connection:
        assert ledger.balance(connection).paid_cents == 10_000


def test_an_older_database_is_refused_with_the_command_that_upgrades_it(database_at):
    engine = database_at("0006")
    before = schema(engine)
    with pytest.raises(
        DatabaseUnavailable,
        match=rf"at revision 0006; .* from {BASE_REVISION}.*git checkout \w{{7}} && portee db migrate",
    ):
        migrate(engine)
    assert schema(engine) == before
    assert not database_status(engine).up_to_date


def test_the_command_line_refuses_an_older_database(database_at):
    engine = database_at("0006")
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    outcome = CliRunner().invoke(app, ["db", "migrate"], env={"DATABASE_URL": url})
    assert outcome.exit_code == 3
    assert "at revision 0006" in outcome.output
    assert "git checkout" in outcome.output


def test_an_older_dump_is_refused_and_nothing_changes(fresh_engine, dump_file):
    path = dump_file("0006")
    with pytest.raises(DatabaseUnavailable, match=rf"{path.name} are at revision 0006.*portee db restore"):
        backup.restore(fresh_engine, path)
    assert database_status(fresh_engine).up_to_date


def test_a_newer_database_is_refused(fresh_engine):
    with fresh_engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseUnavailable, match="newer version"):
        migrate(fresh_engine)


# --- source records apart from sites (revision 0010)

OLD_RECORDS = (
    ("essai--x1", 'Mairie « fictive » "de l\'Est" \\ 1', 0.0),
    ("essai--x2", "Comptoir fictif", 0.01),
    ("essai--x3", "Comptoir fictif, annexe", 0.011),
    ("essai--x4", "Comptoir fictif du port", 0.012),
)


@pytest.fixture
def old(database_at):
    """A database at revision 0009 with more sites, of which three were decided to be one place."""
    engine = database_at("0009")
    with engine.begin() as connection:
        shown = connection.execute(
            text("SELECT * FROM site WHERE retired_at IS NULL ORDER BY id LIMIT 1")
        ).one()
        for site_id, name, east in OLD_RECORDS:
            row = {
                **{key: value for key, value in shown._mapping.items() if key != "geom"},
                **{"id": site_id, "local_id": site_id.partition("--")[2], "nom": name},
                "longitude": shown.longitude + east,
                "arrets": "[]",
                "telephone": "+33500000004" if site_id.endswith("4") else "",
            }
            columns, values = ", ".join(f'"{name}"' for name in row), ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO site ({columns}) VALUES ({values})"), row)
            connection.execute(
                text("INSERT INTO site_change (import_id, site_id, kind) VALUES (:run, :id, 'new')"),
                {"run": row["first_import"], "id": site_id},
            )
        for a, b, same, hidden in (
            ("essai--x2", "essai--x3", True, "essai--x2"),
            ("essai--x3", "essai--x4", True, "essai--x4"),
            ("essai--x1", "essai--x2", False, None),
        ):
            connection.execute(
                text(
                    "INSERT INTO duplicate (a, b, score, reasons, same, hidden, decided_by, decided_at)"
                    " VALUES (:a, :b, 90, '{}', :same, :hidden, 'Camille (fictif)', now())"
                ),
                {"a": a, "b": b, "same": same, "hidden": hidden},
            )
    return engine


def test_identifiers_history_and_decisions_outlive_the_migration(old):
    with old.connect() as connection:
        before = {
            row.id: row.nom
            for row in connection.execute(text("SELECT id, nom FROM site WHERE retired_at IS NULL"))
        }
        answer = connection.execute(text("SELECT site_id, kind, field FROM site_change ORDER BY id")).all()
    migrate(old)
    with old.begin() as connection:
        assert site_register.build_migrated(connection)
        snapshot = snapshots.read(connection)
        assert [site.id for site in snapshot.sites] == sorted(before.keys() - {"essai--x2", "essai--x4"})
        for site_id, name in before.items():
            merged = site_id in ("essai--x2", "essai--x4")
            assert snapshot.site(site_id).id == ("essai--x3" if merged else site_id)
            assert merged or snapshot.site(site_id).nom == name or site_id == "essai--x3"
        together = snapshot.site("essai--x3")
        assert together.records == ("essai--x2", "essai--x3", "essai--x4")
        assert together.telephone == "+33500000004", "what only a hidden record had is shown"
        changes = text("SELECT record_key, kind, field FROM record_change ORDER BY id")
        assert connection.execute(changes).all() == answer
        assert [change.kind for change in history.history(connection, "essai--x2")] == ["new"]
        decided = [pair for pair in record_pairs.all_pairs(connection) if pair.same is not None]
        assert {(pair.a[-2:], pair.b[-2:], pair.same) for pair in decided} == {
            ("x2", "x3", True),
            ("x3", "x4", True),
            ("x1", "x2", False),
        }
        assert all(pair.decided_by == "Camille (fictif)" for pair in decided)
        assert all(pair.basis and pair.basis.keys() == {pair.a, pair.b} for pair in decided)


def test_the_next_import_into_a_migrated_database_compares_with_what_it_held(old):
    migrate(old)
    with old.begin() as connection:
        held = records.in_service(connection, datasets=["essai"])
        again = [replace(record) for record in held.values()]
        difference = compare(held, again, retired=records.retired(connection))
        assert (difference.new, difference.changed, difference.vanished) == ((), (), ())
        [latest] = [run for run in imports.replayed(connection, ["essai"]) if run.has_content][-1:]
        [content] = records.contents(connection, [latest.id or 0])
        assert {record.key: record for record in content.records} == held, "so that imports can be undone"
        moved = [replace(each, telephone="+33500000009") for each in again if each.local_id == "x2"]
        stay = [each for each in again if each.local_id != "x2"]
        run_id = imports.record(connection, replace(latest, id=None, file_name="suite.csv"), [])
        difference = compare(held, [*stay, *moved])
        changes = record_lifecycle.apply_difference(
            connection, run_id, difference, epsg=world.TERRITORY.metric_crs
        )
        records.save_content(connection, run_id, [*stay, *moved])
        assert not changes.created and not changes.retired and not changes.reopened
        assert "essai--x3" in changes.changed
        assert snapshots.read(connection).site("essai--x2").id == "essai--x3"


@pytest.mark.parametrize("command_line", [["db", "migrate"], ["db", "restore", "DUMP", "--yes"]])
def test_the_command_line_builds_the_sites_of_an_older_database(old, fresh_engine, tmp_path, command_line):
    engine = old
    if "DUMP" in command_line:
        path = tmp_path / "ancien.dump"
        dump = [program("pg_dump", old), "--format=custom", "--no-owner", "--schema=public"]
        subprocess.run([*dump, f"--dbname={conninfo(old)}", "--file", str(path)], check=True)
        command_line = [str(path) if each == "DUMP" else each for each in command_line]
        engine = fresh_engine
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    outcome = CliRunner().invoke(app, command_line, env={"DATABASE_URL": url})
    assert outcome.exit_code == 0, outcome.output
    with engine.connect() as connection:
        assert not sites.never_built(connection)
        snapshot = snapshots.read(connection)
        assert snapshot.site("essai--x4").telephone == "+33500000004"
        assert f"n° {snapshot.version}" in outcome.output or command_line[1] == "migrate"
