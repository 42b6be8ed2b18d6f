"""Named snapshots of the past, rebuilt from the history of records.

Only sites are those of the past. Territory, people, roads and decisions about duplicates are the present
ones, so that two dates differ by their sites only: a place counted twice by mistake was one place then
too.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection, Row, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from geo.errors import NameTaken, UnknownSnapshot
from geo.sites.model import Site
from geo.snapshot import Snapshot
from geo.store import duplicates, history, imports, snapshots
from geo.store.tables import data_version, duplicate, site_change
from geo.store.tables import dated_snapshot as table
from geo.territory.model import Provenance


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
        last_change=func.coalesce(select(func.max(site_change.c.id)).scalar_subquery(), 0),
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


def read(connection: Connection, name: str) -> Snapshot:
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
    today = snapshots.read(connection)
    then = history.sites_as_of(connection, named.last_change)
    left_out = duplicates.hidden_duplicates(_decided(connection, {site.id for site in then}))
    shown = tuple(site for site in then if site.id not in left_out)
    return replace(
        today,
        version=named.version,
        taken_at=named.kept_at,
        sites=shown,
        site_provenance=_provenance(connection, shown, until=named.kept_at),
    )


def _decided(connection: Connection, in_service: Collection[str]) -> list[duplicates.Duplicate]:
    """Return pairs decided to be one place whose records were both in service."""
    names = ("a", "b", "score", "reasons", "same", "hidden")
    found = connection.execute(select(*(duplicate.c[name] for name in names)).where(duplicate.c.same))
    return [
        duplicates.Duplicate(row.a, row.b, row.score, tuple(row.reasons), row.same, row.hidden)
        for row in found
        if row.a in in_service and row.b in in_service
    ]


def _provenance(
    connection: Connection, shown: Collection[Site], *, until: datetime
) -> tuple[Provenance, ...]:
    """Return provenance as of the present snapshot, from the imports of the past."""
    runs = [run for run in reversed(imports.runs(connection)) if run.finished_at <= until]
    imported = {dataset: run for run in runs for dataset in run.datasets}
    found = []
    for name in sorted({site.jeu_de_donnees for site in shown}):
        dates = [site.date_maj for site in shown if site.jeu_de_donnees == name and site.date_maj]
        run = imported.get(name)
        found.append(
            Provenance(
                subject=f"Lieux « {name} »",
                producer=(run and run.label) or name,
                vintage=max(dates).isoformat() if dates else snapshots.UNDATED,
                licence=(run and run.licence) or snapshots.UNLICENSED,
                retrieved=run.finished_at.date() if run else None,
            )
        )
    return tuple(found)


def _as_kept(row: Row[tuple[object, ...]]) -> DatedSnapshot:
    return DatedSnapshot(row.name, row.day, row.last_change, row.version, row.kept_at)


def _unknown(name: str) -> UnknownSnapshot:
    return UnknownSnapshot(
        f"Aucun état daté ne s'appelle « {name} ».", "La liste des états datés : portee snapshots list"
    )
