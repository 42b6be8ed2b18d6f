"""Snapshots of the past, kept by name: what they hold is had back from the history of the records.

Sites are those of then. All else is of today, so that two dates differ by their sites only: the
territory, its people and roads, and the decisions about duplicates, as a place counted twice by
mistake was one place then too.
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
    """A state of the data kept under a name.

    `day` is the day its data describe, as whoever kept it says; `last_change` the number of the
    last change of a record that counts, `version` the data's version when it was kept.
    """

    name: str
    day: date
    last_change: int
    version: int
    kept_at: datetime


def keep(connection: Connection, name: str, day: date) -> DatedSnapshot:
    """Keep the present state under a name.

    Raises
    ------
    NameTaken
        If another is kept under it.
    """
    # One statement, so that both numbers are of one moment.
    kept = insert(table).values(
        name=name,
        day=day,
        last_change=func.coalesce(select(func.max(site_change.c.id)).scalar_subquery(), 0),
        version=func.coalesce(select(data_version.c.version).scalar_subquery(), 0),
        kept_at=func.clock_timestamp(),
    )
    row = connection.execute(kept.on_conflict_do_nothing().returning(table)).one_or_none()
    if row is None:
        raise NameTaken(
            f"Un état daté s'appelle déjà « {name} ».",
            "Choisissez un autre nom, ou oubliez d'abord celui-là.",
        )
    return _as_kept(row)


def list_(connection: Connection) -> list[DatedSnapshot]:
    """All that are kept, by day, then by name."""
    found = select(table).order_by(table.c.day, table.c.name.collate("C"))
    return [_as_kept(row) for row in connection.execute(found)]


def find(connection: Connection, name: str) -> DatedSnapshot:
    """The one kept under a name.

    Raises
    ------
    UnknownSnapshot
        If none is.
    """
    row = connection.execute(select(table).where(table.c.name == name)).one_or_none()
    if row is None:
        raise _unknown(name)
    return _as_kept(row)


def forget(connection: Connection, name: str) -> None:
    """Keep it no longer; the history it was read from stays.

    Raises
    ------
    UnknownSnapshot
        If none is kept under this name.
    """
    if not connection.execute(delete(table).where(table.c.name == name)).rowcount:
        raise _unknown(name)


def read(connection: Connection, name: str) -> Snapshot:
    """The snapshot kept under a name: sites of then, all else of today.

    `taken_at` is when it was kept, `version` the one recorded then. As two snapshots of one
    version may then differ, a cache of answers keys on the name too. On a connection that has
    begun nothing yet, all is read as of one moment (REPEATABLE READ).

    Raises
    ------
    UnknownSnapshot
        If none is kept under this name.
    SnapshotUnavailable
        If no territory is loaded.
    """
    if not connection.in_transaction():
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
    kept = find(connection, name)
    today = snapshots.read(connection)
    then = history.sites_as_of(connection, kept.last_change)
    left_out = duplicates.hidden_duplicates(_decided(connection, {site.id for site in then}))
    shown = tuple(site for site in then if site.id not in left_out)
    return replace(
        today,
        version=kept.version,
        taken_at=kept.kept_at,
        sites=shown,
        site_provenance=_provenance(connection, shown, until=kept.kept_at),
    )


def _decided(connection: Connection, in_service: Collection[str]) -> list[duplicates.Duplicate]:
    """Pairs decided the same whose records were both in service."""
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
    """As that of the present snapshot, from the imports of then."""
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
