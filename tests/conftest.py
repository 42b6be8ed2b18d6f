"""A real PostGIS for the tests that ask for one: a throw-away cluster the tests start themselves.

- `connection`: over migrated, empty tables; all it wrote is undone when the test ends;
- `fresh_engine` (or `database_url`, `fresh_settings`): a database of its own, for tests that commit.

Such tests stand below tests/postgis, those that drive Chromium below tests/browser: the markers `postgis` and
`browser` follow from the folder, and a test elsewhere that asks for a cluster is refused.

Property tests draw the same examples at every run. The profile `explore` (`make explore`) draws others.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import Connection, Engine, text

from geo.settings import Settings
from geo.store import cluster as embedded
from geo.store.database import migrate, open_engine, parse_url

QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""Server settings nobody who cares for data would use."""

TESTS = Path(__file__).parent
_serial = count(1)


# A slow machine is no failure: no deadline. `print_blob` prints how to repeat a failure found at random.
hypothesis.settings.register_profile("fixed", derandomize=True, database=None, deadline=None)
hypothesis.settings.register_profile("explore", derandomize=False, deadline=None, print_blob=True)
hypothesis.settings.load_profile("fixed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their folder, and refuse a unit test that needs a database."""
    # mutmut names tests in any order, and stops at the first that fails: those of a file stay together.
    if "MUTANT_UNDER_TEST" in os.environ:
        items.sort(key=lambda item: ("unit" not in item.path.parts, item.path, item.location[1] or 0))
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder in ("postgis", "browser"):
            item.add_marker(folder)
        if "cluster" in getattr(item, "fixturenames", ()):
            if folder == "unit":
                raise pytest.UsageError(f"{item.nodeid} needs PostGIS: it belongs below tests/postgis")
            item.add_marker("postgis")


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A short folder that the account PostgreSQL drops to can reach, which pytest's own is not."""
    folder = Path(tempfile.mkdtemp(prefix="portee-", dir="/tmp"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster(open_folder: Path) -> Iterator[embedded.Cluster]:
    """A running embedded cluster, gone after the session."""
    started = embedded.cluster_at(open_folder / "session", options=QUICK)
    try:
        embedded.start(started)
        yield started
    finally:
        embedded.stop(started)


@pytest.fixture(scope="session")
def engine(cluster: embedded.Cluster) -> Iterator[Engine]:
    """Engine over migrated, empty tables. Commit nothing to it: see `fresh_engine`."""
    engine = open_engine(cluster.url())
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """A connection whose every write is undone when the test ends."""
    with engine.connect() as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()


@pytest.fixture(scope="session")
def _template(cluster: embedded.Cluster, engine: Engine) -> str:
    """Name of a database with migrated, empty tables that nobody is connected to."""
    name = "template_migrated"
    _run(cluster, f"CREATE DATABASE {name}")
    made = open_engine(cluster.url(name))
    migrate(made)
    made.dispose()
    return name


@pytest.fixture
def database_url(cluster: embedded.Cluster, _template: str) -> Iterator[str]:
    """Address of a database of the test's own, with migrated, empty tables."""
    yield from _database(cluster, _template)


def _database(cluster: embedded.Cluster, template: str) -> Iterator[str]:
    name = f"test_{os.getpid()}_{next(_serial)}"
    _run(cluster, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield cluster.url(name).set(drivername="postgresql").render_as_string(hide_password=False)
    _run(cluster, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def module_database_url(cluster: embedded.Cluster, _template: str) -> Iterator[str]:
    """As `database_url`, for all tests of a module together."""
    yield from _database(cluster, _template)


@pytest.fixture
def fresh_engine(database_url: str) -> Iterator[Engine]:
    """Engine over a database of the test's own: it may commit."""
    engine = open_engine(parse_url(database_url))
    yield engine
    engine.dispose()


@pytest.fixture
def fresh_settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings that lead to a database of the test's own."""
    return Settings(database_url=database_url, home=tmp_path)


def _run(cluster: embedded.Cluster, statement: str) -> None:
    engine = open_engine(cluster.url("postgres"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))
    engine.dispose()
