"""How commands meet the database: one transaction each time, and nothing left open after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from geo.settings import Settings
from geo.store.database import engine_for


@contextmanager
def transaction(settings: Settings) -> Iterator[Connection]:
    """A transaction over the settings' database: kept when the block ends, undone when it fails.

    Raises
    ------
    MissingPostgis, DatabaseUnavailable
        If the database cannot be had.
    """
    engine = engine_for(settings)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
