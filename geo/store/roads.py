"""Record of the road graph in service; its arrays are files (`geo.reach.graph_files`)."""

from __future__ import annotations

from dataclasses import fields

from sqlalchemy import Connection, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from geo.reach.graph import GraphMetadata
from geo.store.tables import road_graph

LOCK = 47_0005
"""Key of the advisory lock for writing or deleting graph files."""

_FIELDS = tuple(f.name for f in fields(GraphMetadata))


def wait_for_turn(connection: Connection) -> None:
    """Wait until no other process writes or deletes graph files; the lock ends with the transaction."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})


def record(connection: Connection, about: GraphMetadata) -> None:
    """Put a graph in service; one recorded before becomes current again, with the new metadata."""
    values = {name: getattr(about, name) for name in _FIELDS} | {"summary": dict(about.summary)}
    # Not now(), which is the same for two graphs recorded in one transaction.
    values["loaded_at"] = func.clock_timestamp()
    put = insert(road_graph).values(values)
    connection.execute(put.on_conflict_do_update(index_elements=["checksum"], set_=values))


def current(connection: Connection) -> GraphMetadata | None:
    """Return the graph recorded last, or None."""
    columns = [road_graph.c[name] for name in _FIELDS]
    row = connection.execute(
        select(*columns).order_by(road_graph.c.loaded_at.desc(), road_graph.c.checksum).limit(1)
    ).one_or_none()
    return GraphMetadata(**row._mapping) if row else None


def remove(connection: Connection) -> None:
    """Take every graph out of service."""
    connection.execute(delete(road_graph))
