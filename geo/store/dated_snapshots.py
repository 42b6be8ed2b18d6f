"""Named snapshots of the past, rebuilt from the history of records.

Only records are those of the past. Territory, people, roads, and which records are one site, are the
present ones, so that two dates differ by their records only: a place counted twice by mistake was one
place then too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection, Row, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from geo.errors import NameTaken, UnknownSnapshot
from geo.snapshot import Snapshot
from geo.store import history, snapshots
from geo.store.tables import data_version, record_change
from geo.store.tables import dated_snapshot as table
from geo.territory.margin import MARGIN_KM, Margin


@dataclass(frozen=True, slots=True)
class DatedSnapshot:
    """A named past state of the data.

    `day` is the day its data describe, given by whoever named it; `last_change` the number of the last
    change that it includes, `version` the data's version when it was named.
    """

    name: str
    day: date
    last_change: int
    version: int
    kept_at: datetime


def keep(connection: Connection, name: str, day: date) -> DatedSnapshot:
    """Name the present state.

    Raises
    ------
    NameTaken
        If another state has the name.
    """
    # One statement, so that both numbers are consistent.
    statement = insert(table).values(
        name=name,
        day=day,
        last_change=func.coalesce(select(func.max(record_change.c.id)).scalar_subquery(), 0),
        version=func.coalesce(select(data_version.c.version).scalar_subquery(), 0),
        kept_at=func.clock_timestamp(),
    )
    row = connection.execute(statement.on_conflict_do_nothing().returning(table)).one_or_none()
    if row is None:
        raise NameTaken(
            f"Un état daté s'appelle déjà « {name} ».",
            "Choisissez un autre nom, ou oubliez d'abord celui-là.",
        )
    return _as_kept(row)


def list_(connection: Connection) -> list[DatedSnapshot]:
    """Return all named states, by day, then by name."""
    found = select(table).order_by(table.c.day, table.c.name.collate("C"))
    return [_as_kept(row) for row in connection.execute(found)]


def find(connection: Connection, name: str) -> DatedSnapshot:
    """Return the state that has a name.

    Raises
    ------
    UnknownSnapshot
        If none has.
    """
    row = connection.execute(select(table).where(table.c.name == name)).one_or_none()
    if row is None:
        raise _unknown(name)
    return _as_kept(row)


def forget(connection: Connection, name: str) -> None:
    """Delete the name; the history of records stays.

    Raises
    ------
    UnknownSnapshot
        If no state has this name.
    """
    if not connection.execute(delete(table).where(table.c.name == name)).rowcount:
        raise _unknown(name)


def read(connection: Connection, name: str, *, margin_km: float = MARGIN_KM) -> Snapshot:
    """Rebuild a named snapshot: past sites, all else present.

    `taken_at` is when it was named, `version` the one recorded then. Two snapshots of one version may
    differ: caches must key on the name too. On a connection without a transaction, everything is read
    in one REPEATABLE READ transaction.

    Raises
    ------
    UnknownSnapshot
        If no state has this name.
    SnapshotUnavailable
        If no territory is loaded.
    """
    if not connection.in_transaction():
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
    named = find(connection, name)
    today = snapshots.read(connection, margin_km=margin_km)
    then = snapshots.within(
        snapshots.show(history.sites_as_of(connection, named.last_change), connection, named.day),
        Margin(today.territory, margin_km),
    )
    return replace(
        today,
        version=named.version,
        taken_at=named.kept_at,
        sites=then.sites,
        closed=then.closed,
        questions=(),  # what was undecided then is not recorded
        site_provenance=snapshots.provenance(connection, then.sites, until=named.kept_at),
    )


def _as_kept(row: Row[tuple[object, ...]]) -> DatedSnapshot:
    return DatedSnapshot(row.name, row.day, row.last_change, row.version, row.kept_at)


def _unknown(name: str) -> UnknownSnapshot:
    return UnknownSnapshot(
        f"Aucun état daté ne s'appelle « {name} ».", "La liste des états datés : portee snapshots list"
    )
