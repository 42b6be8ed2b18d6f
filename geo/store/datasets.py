"""Datasets of records: those in service and those withdrawn."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from geo.errors import NotUndoable, UnknownDataset
from geo.store.tables import dataset as table


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset; withdrawn while `withdrawn_at` is set, with the reason given."""

    name: str
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None
    reason: str = ""


def add(connection: Connection, names: Collection[str]) -> None:
    """Add the datasets that are not known yet."""
    if names:
        rows = [{"name": name} for name in sorted(names)]
        connection.execute(insert(table).on_conflict_do_nothing(), rows)


def all_datasets(connection: Connection) -> list[Dataset]:
    """Return all datasets, sorted by name."""
    found = connection.execute(select(table).order_by(table.c.name.collate("C")))
    return [Dataset(row.name, row.withdrawn_at, row.withdrawn_by, row.reason) for row in found]


def find(connection: Connection, name: str) -> Dataset:
    """Return the dataset that has a name.

    Raises
    ------
    UnknownDataset
        If none has.
    """
    row = connection.execute(select(table).where(table.c.name == name)).one_or_none()
    if row is None:
        raise UnknownDataset(
            f"Aucun jeu de données ne s'appelle « {name} ».", "La liste des jeux : portee datasets list"
        )
    return Dataset(row.name, row.withdrawn_at, row.withdrawn_by, row.reason)


def require_in_service(connection: Connection, names: Collection[str]) -> None:
    """Require that none of some datasets is withdrawn.

    Raises
    ------
    NotUndoable
        If one is.
    """
    withdrawn = table.c.name.in_(list(names)) & table.c.withdrawn_at.is_not(None)
    name = connection.scalar(select(table.c.name).where(withdrawn).order_by(table.c.name).limit(1))
    if name is not None:
        raise NotUndoable(
            f"Le jeu de données « {name} » a été retiré.",
            f"Pour le remettre en service : portee datasets restore {name}",
        )


def set_withdrawn(connection: Connection, name: str, *, by: str, reason: str) -> None:
    """Record that a dataset is withdrawn."""
    values = {"withdrawn_at": func.now(), "withdrawn_by": by, "reason": reason}
    connection.execute(update(table).where(table.c.name == name).values(values))


def set_restored(connection: Connection, name: str) -> None:
    """Record that a dataset is in service again."""
    values = {"withdrawn_at": None, "withdrawn_by": None, "reason": ""}
    connection.execute(update(table).where(table.c.name == name).values(values))
