"""Database access of commands: one transaction each time, connections closed afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from geo.settings import Settings
from geo.store.database import engine_for


@contextmanager
def transaction(settings: Settings) -> Iterator[Connection]:
    """Open a transaction on the database of the settings: committed at the end, rolled back on failure.

    Raises
    ------
    MissingPostgis, DatabaseUnavailable
        If the database cannot be reached.
    """
    engine = engine_for(settings)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
