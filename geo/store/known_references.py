"""References that are stored already: of ledger entries, and of events of passes."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, Text, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from geo.store.tables import ledger_entry, pass_event


def posted_references(connection: Connection, wanted: Collection[str]) -> frozenset[str]:
    """Return which of some references a ledger entry has."""
    among = func.any(literal(list(wanted), ARRAY(Text)))
    return frozenset(
        connection.scalars(select(ledger_entry.c.reference).where(ledger_entry.c.reference == among))
    )


def event_references(connection: Connection) -> tuple[str, ...]:
    """Return references of all events of passes, in the order they were recorded."""
    return tuple(connection.scalars(select(pass_event.c.reference).order_by(pass_event.c.id)))
