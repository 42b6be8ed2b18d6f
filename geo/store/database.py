"""Connect to the database and migrate its tables.

Every failure to connect is raised as `DatabaseUnavailable`, whose message never contains a password.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, DBAPIError

from geo.errors import DatabaseUnavailable, MissingPostgis
from geo.settings import Settings
from geo.store import cluster
from geo.store.tables import metadata

Connection = sqlalchemy.Connection
"""Type for callers outside the store, which begin and end its transactions."""

MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 47_0001
"""Key of the advisory lock that concurrent migrations queue for."""

BASE_REVISION = "0009"
"""The first revision of this version; those before were merged into it. Revisions sort as text."""

LAST_COMMIT_WITH_OLDER_REVISIONS = "17b2b9b"
"""Its `portee db migrate` brings any older database to `BASE_REVISION`."""

CONNECT_TIMEOUT_S = 5

SEARCH_EXTENSIONS = ("pg_trgm", "unaccent")
"""Extensions that address search needs; both come with PostgreSQL."""


@dataclass(frozen=True)
class DatabaseStatus:
    """A database that answers: its versions, and the revision of its tables."""

    address: str
    postgresql: str
    postgis: str | None
    revision: str | None
    head: str
    snapshot_version: int | None

    @property
    def up_to_date(self) -> bool:
        """Whether the tables are at the revision this version of Portée needs."""
        return self.revision == self.head


def parse_url(database_url: str) -> URL:
    """Convert a `postgres://` or `postgresql://` address to a SQLAlchemy URL with the psycopg driver.

    Raises
    ------
    DatabaseUnavailable
        If it is not such an address.
    """
    try:
        url = make_url(database_url.strip())
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.get_backend_name() not in ("postgres", "postgresql"):
        # The text is not repeated: it may contain a password.
        raise DatabaseUnavailable(
            "DATABASE_URL is not the address of a PostgreSQL server.",
            "Its form is postgresql://user:password@host:5432/portee "
            "(write special characters of the password as %40, %2F…).",
        )
    return url.set(drivername="postgresql+psycopg")


def engine_for(settings: Settings) -> Engine:
    """Return an engine over the server of `DATABASE_URL`, else over the embedded cluster, started if needed.

    Raises
    ------
    MissingPostgis, DatabaseUnavailable
        If the embedded cluster cannot be created or started. A server is only reached at the first
        connection.
    """
    if settings.database_url:
        return open_engine(parse_url(settings.database_url))
    embedded = cluster.cluster_at(settings.home)
    cluster.start(embedded)
    return open_engine(embedded.url())


def open_engine(url: URL) -> Engine:
    """Return an engine over an address that raises `DatabaseUnavailable` when it cannot connect."""
    engine = create_engine(
        url,
        pool_pre_ping=True,
        hide_parameters=True,  # a logged error must not reveal what a user typed
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "portee"},
    )
    event.listen(engine, "handle_error", _translate_error, retval=True)
    return engine


def display_address(url: URL) -> str:
    """Return the address for display: no password, no option except the socket."""
    host = url.host or url.query.get("host", "localhost")
    port = f":{url.port}" if url.port else ""
    return f"{url.database or url.username} on {host}{port}"


def migrate(engine: Engine) -> None:
    """Bring the tables to this version's revision; concurrent calls queue.

    Raises
    ------
    DatabaseUnavailable
        If the database cannot be reached, is older than `BASE_REVISION` or newer than this version,
        or refuses.
    """
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        require_base_revision(connection)
        require_extensions(connection)
        try:
            command.upgrade(migration_config(connection), "head")
        except CommandError as problem:
            raise DatabaseUnavailable(
                f"The tables of {display_address(engine.url)} were made by a newer version of Portée.",
                "Update Portée, or restore a dump made by this version.",
            ) from problem


def require_base_revision(connection: Connection, *, dump: Path | None = None) -> None:
    """Require tables at `BASE_REVISION` or later, or no tables yet.

    Parameters
    ----------
    dump
        The file the tables were restored from, which the message then names.

    Raises
    ------
    DatabaseUnavailable
        If the tables are at an older revision.
    """
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None or revision >= BASE_REVISION:
        return
    upgrade = f"portee db restore {dump}" if dump else "portee db migrate"
    where = f"The tables in {dump}" if dump else f"The tables of {display_address(connection.engine.url)}"
    raise DatabaseUnavailable(
        f"{where} are at revision {revision}; this version of Portée starts from {BASE_REVISION}.",
        f"In a checkout of the repository: git checkout {LAST_COMMIT_WITH_OLDER_REVISIONS} && {upgrade}; "
        "then come back to this version.",
    )


def require_extensions(connection: Connection) -> None:
    """Require PostGIS and the extensions of address search, creating them if needed.

    Raises
    ------
    MissingPostgis, DatabaseUnavailable
        If the server does not have them, or the role may not create them.
    """
    require_postgis(connection)
    where = display_address(connection.engine.url)
    for name in SEARCH_EXTENSIONS:
        try:
            connection.execute(text(f"CREATE EXTENSION IF NOT EXISTS {name}"))
        except DBAPIError as problem:
            if isinstance(problem.orig, psycopg.errors.InsufficientPrivilege):
                raise DatabaseUnavailable(
                    f"{where} lacks {name}, which this role may not create.",
                    "As a superuser, run there: "
                    + " ".join(f"CREATE EXTENSION IF NOT EXISTS {each};" for each in SEARCH_EXTENSIONS),
                ) from problem
            raise DatabaseUnavailable(
                f"{name} cannot be loaded in {where}: {_one_line(problem.orig, None)}",
                "It comes with PostgreSQL itself; some systems pack it apart (Fedora: dnf install "
                "postgresql-contrib).",
            ) from problem


def require_postgis(connection: Connection) -> None:
    """Require PostGIS, creating the extension if needed.

    Raises
    ------
    MissingPostgis, DatabaseUnavailable
        If the server does not have it, or the role may not create it.
    """
    where = display_address(connection.engine.url)
    try:
        connection.execute(text("CREATE EXTENSION IF NOT EXISTS postgis"))
    except DBAPIError as problem:
        if isinstance(problem.orig, psycopg.errors.InsufficientPrivilege):
            raise DatabaseUnavailable(
                f"{where} lacks PostGIS, which this role may not create.",
                "As a superuser, run there: CREATE EXTENSION postgis;",
            ) from problem
        if isinstance(problem.orig, psycopg.errors.FeatureNotSupported):
            raise MissingPostgis(
                f"PostGIS is not installed on the server of {where}.",
                "Install it there (Debian: apt-get install postgresql-<version>-postgis-3), "
                "or use the image postgis/postgis.",
            ) from problem
        raise DatabaseUnavailable(
            f"PostGIS cannot be loaded in {where}: {_one_line(problem.orig, None)}",
            "If PostgreSQL was upgraded since this server started, start it again: "
            "portee db stop; portee db start",
        ) from problem


def migration_config(connection: Connection) -> Config:
    """Return Alembic's configuration over a connection; the caller owns the transaction."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def migration_options() -> Mapping[str, Any]:
    """Return options that limit Alembic's comparison to our tables, without those of PostGIS or others."""
    return {
        "target_metadata": metadata,
        "include_name": lambda name, kind, _parents: kind != "table" or name in metadata.tables,
    }


def database_status(engine: Engine) -> DatabaseStatus:
    """Return the versions of the database and the revision of its tables.

    Raises
    ------
    DatabaseUnavailable
        If it cannot be reached.
    """
    with engine.connect() as connection:
        postgis = "SELECT extversion FROM pg_extension WHERE extname = 'postgis'"
        revision = MigrationContext.configure(connection).get_current_revision()
        head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
        known = revision is not None and connection.scalar(text("SELECT to_regclass('data_version')"))
        return DatabaseStatus(
            address=display_address(engine.url),
            postgresql=str(connection.scalar(text("SHOW server_version"))),
            postgis=connection.scalar(text(postgis)),
            revision=revision,
            head=str(head),
            snapshot_version=connection.scalar(text("SELECT version FROM data_version")) if known else None,
        )


def _translate_error(failure: ExceptionContext) -> DatabaseUnavailable | None:
    """Translate an error that an operator must fix; return None for others, which are raised unchanged."""
    if failure.is_pre_ping:
        return None  # the pool replaces a connection that died while it lay idle
    problem = failure.original_exception
    url = failure.engine.url if failure.engine is not None else None
    shown = display_address(url) if isinstance(url, URL) else "the database"
    if failure.connection is None or failure.is_disconnect:
        return DatabaseUnavailable(
            f"The database ({shown}) does not answer: {_one_line(problem, url)}", _advice(url)
        )
    if isinstance(problem, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        return DatabaseUnavailable(
            f"The tables of {shown} are not those this version of Portée works with.",
            "Run: portee db migrate",
        )
    return None


def _one_line(problem: BaseException | None, url: object) -> str:
    line = " ".join(str(problem).split())
    password = url.password if isinstance(url, URL) else None
    return line.replace(str(password), "***") if password else line


def _advice(url: object) -> str:
    if isinstance(url, URL) and str(url.query.get("host", "")).startswith("/"):
        return "Start it: portee db start"
    return "Check DATABASE_URL, and that the server runs and can be reached from here."
