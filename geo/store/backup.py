"""Dump and restore the database with pg_dump and pg_restore.

A dump contains Portée's tables, functions and triggers, in PostgreSQL's custom format. It is restored
into a new database, migrated, and only then put in place of the old one: a broken dump changes
nothing.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, Engine, text
from sqlalchemy.exc import DBAPIError

from geo.errors import DatabaseUnavailable, OperatorError
from geo.store import snapshots
from geo.store.database import (
    database_status,
    display_address,
    migrate,
    open_engine,
    require_base_revision,
    require_extensions,
)
from geo.store.postgres_programs import client_program
from geo.store.tables import metadata

MAGIC = b"PGDMP"
"""First bytes of a dump in custom format."""

TABLES = ("alembic_version", *sorted(metadata.tables))

Progress = Callable[[int, int], None]
"""Called with the number of tables done and their total."""


def dump(engine: Engine, path: Path, *, progress: Progress | None = None) -> int:
    """Write a dump, whole or not at all; return its size in bytes.

    Raises
    ------
    DatabaseUnavailable
        If the database cannot be reached, or has no tables yet.
    OperatorError
        If the file exists already, or cannot be written.
    """
    if path.exists():
        raise OperatorError(f"{path} exists already.", "Choose another name, or move it away.")
    status = database_status(engine)
    if status.revision is None:
        raise DatabaseUnavailable(f"There is nothing to dump yet in {status.address}.")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    command = [client_program("pg_dump", _major(engine)), "--format=custom", "--verbose"]
    command += ["--no-owner", "--no-privileges", f"--file={unfinished}"]
    # The whole schema, for the functions of the triggers; without tables that are not ours.
    command += ["--schema=public", *(f'--exclude-table=public."{name}"' for name in _others(engine))]
    try:
        _run(command, engine.url, "dumping contents of table", progress)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path.stat().st_size


def restore(engine: Engine, path: Path, *, progress: Progress | None = None) -> int:
    """Replace the database by a dump; return the version of the snapshot then published.

    Connections to the old database are closed; watchers reconnect to the new one. The role must be
    allowed to create databases, as that of the embedded cluster is.

    Raises
    ------
    OperatorError
        If the file is not a dump of Portée, or a broken one.
    DatabaseUnavailable
        If the server cannot be reached, refuses, or the dump is older than `BASE_REVISION` or newer
        than this version.
    """
    url = engine.url
    name = url.database or ""
    nascent, former = f"{name}_restoring", f"{name}_before_restore"
    maintenance = open_engine(url.set(database="postgres"))
    try:
        _require_dump(path, program := client_program("pg_restore", _major(maintenance)))
        _alone(maintenance, f'DROP DATABASE IF EXISTS "{nascent}" WITH (FORCE)')
        _alone(maintenance, f"CREATE DATABASE \"{nascent}\" TEMPLATE template0 ENCODING 'UTF8'")
        try:
            version = _fill(open_engine(url.set(database=nascent)), path, program, _version(engine), progress)
            engine.dispose()
            _swap(maintenance, name, nascent, former)
        finally:
            _alone(maintenance, f'DROP DATABASE IF EXISTS "{nascent}" WITH (FORCE)')
            _alone(maintenance, f'DROP DATABASE IF EXISTS "{former}" WITH (FORCE)')
    finally:
        maintenance.dispose()
    return version


def _fill(nascent: Engine, path: Path, program: str, past: int, progress: Progress | None) -> int:
    """Fill a new database from a dump; return its version, above any that was published before."""
    command = [program, "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    command += ["--schema=public"]
    try:
        with nascent.begin() as connection:
            require_extensions(connection)
        _run([*command, "--verbose", str(path)], nascent.url, "processing data for table", progress)
        with nascent.connect() as connection:
            require_base_revision(connection, dump=path)
        migrate(nascent)
        with nascent.begin() as connection:
            seen = text("UPDATE data_version SET version = greatest(version, :past)")
            connection.execute(seen, {"past": past})
            return snapshots.publish(connection)
    finally:
        nascent.dispose()


def _swap(maintenance: Engine, name: str, nascent: str, former: str) -> None:
    """Give the new database the name of the old one, in one transaction."""
    _alone(maintenance, f'DROP DATABASE IF EXISTS "{former}" WITH (FORCE)')
    for attempt in range(10):
        try:
            with maintenance.begin() as connection:
                close = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
                connection.execute(close, {"name": name})
                exists = text("SELECT 1 FROM pg_database WHERE datname = :name")
                if connection.scalar(exists, {"name": name}):
                    connection.execute(text(f'ALTER DATABASE "{name}" RENAME TO "{former}"'))
                connection.execute(text(f'ALTER DATABASE "{nascent}" RENAME TO "{name}"'))
        except DBAPIError as problem:
            # Somebody connected again between the two statements.
            if not isinstance(problem.orig, psycopg.errors.ObjectInUse) or attempt == 9:
                raise _refused(maintenance, problem) from problem
            time.sleep(0.2)
        else:
            return


def _alone(maintenance: Engine, statement: str) -> None:
    """Run a statement that PostgreSQL refuses inside a transaction."""
    with maintenance.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        try:
            connection.execute(text(statement))
        except DBAPIError as problem:
            raise _refused(maintenance, problem) from problem


def _refused(maintenance: Engine, problem: DBAPIError) -> DatabaseUnavailable:
    message = str(problem.orig).splitlines()[0]
    return DatabaseUnavailable(
        f"The server refused to replace its database: {message}.",
        f"As a superuser: ALTER ROLE {maintenance.url.username} CREATEDB; and own the database."
        if isinstance(problem.orig, psycopg.errors.InsufficientPrivilege)
        else "Stop whatever uses it, then try again.",
    )


def _require_dump(path: Path, program: str) -> None:
    try:
        with path.open("rb") as stream:
            begins = stream.read(len(MAGIC))
    except OSError as problem:
        raise OperatorError(f"{path} cannot be read: {problem.strerror}.") from problem
    listed = ""
    if begins == MAGIC:
        listing = subprocess.run([program, "--list", str(path)], capture_output=True, text=True, check=False)
        listed = listing.stdout if listing.returncode == 0 else ""
    if not re.search(r"TABLE public alembic_version", listed):
        raise OperatorError(
            f"{path} is not a dump made by `portee db dump`, or it is damaged.",
            "Nothing was changed.",
        )


def _run(command: list[str], url: URL, sign: str, progress: Progress | None) -> None:
    """Run a client program over a database; report progress each time it prints `sign`."""
    arguments = url.translate_connect_args(username="user", database="dbname")
    password = arguments.pop("password", None)
    command = [*command, f"--dbname={make_conninfo(**arguments, **_texts(url))}"]
    # The password goes in the environment: every user of the machine can see arguments.
    environment = {**os.environ, "LC_ALL": "C", **({"PGPASSWORD": password} if password else {})}
    done, errors = 0, []
    with (
        subprocess.Popen(
            command,
            env=environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            umask=0o077,
        ) as process,
        _ended(process),
    ):
        for line in process.stderr or ():
            if sign in line:
                done += 1
                if progress:
                    progress(done, len(TABLES))
            if "error:" in line or "detail:" in line:
                errors.append(line.split("error:")[-1].strip())
    if process.returncode != 0:
        reasons = " / ".join(errors[:3]) or "no reason given"
        raise OperatorError(f"{Path(command[0]).name} failed on {display_address(url)}: {reasons}")


@contextmanager
def _ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """Terminate the program if we stop reading it (Ctrl-C)."""
    try:
        yield
    except BaseException:
        process.terminate()
        raise


def _others(engine: Engine) -> list[str]:
    """Return the tables of the schema that are not Portée's."""
    with engine.connect() as connection:
        here = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        return sorted(set(here) - set(TABLES))


def _texts(url: URL) -> dict[str, str]:
    return {k: v if isinstance(v, str) else ",".join(v) for k, v in url.query.items()}


def _version(engine: Engine) -> int:
    """Return the version of the database about to be replaced; 0 if it has none."""
    try:
        return database_status(engine).snapshot_version or 0
    except DatabaseUnavailable:
        return 0


def _major(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SHOW server_version_num")) or 0) // 10_000
