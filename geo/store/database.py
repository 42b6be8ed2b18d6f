"""The engine, and the form of the tables: connecting, migrating, telling what is wrong.

Every failure to connect surfaces as `DatabaseUnavailable`, whose message never holds a password.
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
"""A connection as those outside the store hold it, to begin and end a transaction of the store's work."""

MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 47_0001
"""Key of the advisory lock that two migrations at once queue for."""

CONNECT_TIMEOUT_S = 5

SEARCH_EXTENSIONS = ("pg_trgm", "unaccent")
"""What addresses are searched with; both come with PostgreSQL."""


@dataclass(frozen=True)
class DatabaseStatus:
    """A database that answers: what it is and how far its tables are."""

    address: str
    postgresql: str
    postgis: str | None
    revision: str | None
    head: str
    snapshot_version: int | None

    @property
    def up_to_date(self) -> bool:
        """Whether the tables have the form this version of Portée works with."""
        return self.revision == self.head


def parse_url(database_url: str) -> URL:
    """SQLAlchemy URL, with the psycopg driver, of a `postgres://` or `postgresql://` address.

    Raises
    ------
    DatabaseUnavailable
        If it is not one.
    """
    try:
        url = make_url(database_url.strip())
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.get_backend_name() not in ("postgres", "postgresql"):
        # The text is not repeated: it may hold a password.
        raise DatabaseUnavailable(
            "DATABASE_URL is not the address of a PostgreSQL server.",
            "Its form is postgresql://user:password@host:5432/portee "
            "(write special characters of the password as %40, %2F…).",
        )
    return url.set(drivername="postgresql+psycopg")


def engine_for(settings: Settings) -> Engine:
    """Engine over the server of `DATABASE_URL`, or else over the embedded cluster, started if need be.

    Raises
    ------
    MissingPostgis, DatabaseUnavailable
        If the embedded cluster cannot be had. A server is only met at the first connection.
    """
    if settings.database_url:
        return open_engine(parse_url(settings.database_url))
    embedded = cluster.cluster_at(settings.home)
    cluster.start(embedded)
    return open_engine(embedded.url())


def open_engine(url: URL) -> Engine:
    """Engine over an address, whose failures to connect are told as `DatabaseUnavailable`."""
    engine = create_engine(
        url,
        pool_pre_ping=True,
        hide_parameters=True,  # an error that is logged must not tell what somebody typed
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "portee"},
    )
    event.listen(engine, "handle_error", _tell, retval=True)
    return engine


def display_address(url: URL) -> str:
    """The address as it may be shown: no password, no options but the socket."""
    host = url.host or url.query.get("host", "localhost")
    port = f":{url.port}" if url.port else ""
    return f"{url.database or url.username} on {host}{port}"


def migrate(engine: Engine) -> None:
    """Bring the tables to the form this version works with; two at once queue.

    Raises
    ------
    DatabaseUnavailable
        If the database is out of reach, newer than this version, or refuses.
    """
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        require_extensions(connection)
        try:
            command.upgrade(migration_config(connection), "head")
        except CommandError as problem:
            raise DatabaseUnavailable(
                f"The tables of {display_address(engine.url)} were made by a newer version of Portée.",
                "Update Portée, or restore a dump made by this version.",
            ) from problem


def require_extensions(connection: Connection) -> None:
    """Make sure the database has PostGIS, and what addresses are searched with.

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
    """Make sure the database has PostGIS.

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
    """Alembic's configuration over a connection; the caller owns the transaction."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def migration_options() -> Mapping[str, Any]:
    """What Alembic compares: our tables, not those PostGIS or a neighbour brought."""
    return {
        "target_metadata": metadata,
        "include_name": lambda name, kind, _parents: kind != "table" or name in metadata.tables,
    }


def database_status(engine: Engine) -> DatabaseStatus:
    """What the database is and how far its tables are.

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


def _tell(failure: ExceptionContext) -> DatabaseUnavailable | None:
    """Translate what an operator must mend; leave all else to whoever asked."""
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
    said = " ".join(str(problem).split())
    password = url.password if isinstance(url, URL) else None
    return said.replace(str(password), "***") if password else said


def _advice(url: object) -> str:
    if isinstance(url, URL) and str(url.query.get("host", "")).startswith("/"):
        return "Start it: portee db start"
    return "Check DATABASE_URL, and that the server runs and can be reached from here."
