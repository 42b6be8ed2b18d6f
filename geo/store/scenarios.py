"""What-if scenarios, kept by name: their edits in JSON form, and the version they were made over.

Edits are kept as `geo.coverage.scenario.edits_to_json` gives them, and read again by `edits_of` over the
snapshot of the moment: a site they speak of may have left since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.elements import ColumnElement

from geo.errors import UnknownScenario
from geo.store.tables import scenario as table


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario as it is kept; `base_version` is the data's version when it was last saved."""

    id: int
    name: str
    description: str
    edits: tuple[dict[str, Any], ...]
    base_version: int
    created_at: datetime
    updated_at: datetime


def save(
    connection: Connection, name: str, description: str, edits: Sequence[dict[str, Any]], base_version: int
) -> Scenario:
    """Keep a scenario; one of the same name is replaced, and keeps its number and first date."""
    values = {"description": description, "edits": list(edits), "base_version": base_version}
    moment = func.clock_timestamp()
    saved = insert(table).values(name=name, created_at=moment, updated_at=moment, **values)
    replaced = saved.on_conflict_do_update(
        index_elements=[table.c.name], set_={**values, "updated_at": moment}
    )
    return _as_scenario(connection.execute(replaced.returning(table)).one())


def list_(connection: Connection) -> list[Scenario]:
    """All that are kept, by name."""
    found = select(table).order_by(table.c.name.collate("C"))
    return [_as_scenario(row) for row in connection.execute(found)]


def get(connection: Connection, scenario_id: int) -> Scenario:
    """The scenario that bears a number.

    Raises
    ------
    UnknownScenario
        If none does.
    """
    return _one(connection, table.c.id == scenario_id, f"ne porte le numéro {scenario_id}")


def by_name(connection: Connection, name: str) -> Scenario:
    """The scenario kept under a name.

    Raises
    ------
    UnknownScenario
        If none is.
    """
    return _one(connection, table.c.name == name, f"ne s'appelle « {name} »")


def delete_(connection: Connection, scenario_id: int) -> None:
    """Keep a scenario no longer.

    Raises
    ------
    UnknownScenario
        If none bears this number.
    """
    if not connection.execute(delete(table).where(table.c.id == scenario_id)).rowcount:
        raise _unknown(f"ne porte le numéro {scenario_id}")


def _one(connection: Connection, condition: ColumnElement[bool], lacking: str) -> Scenario:
    row = connection.execute(select(table).where(condition)).one_or_none()
    if row is None:
        raise _unknown(lacking)
    return _as_scenario(row)


def _unknown(lacking: str) -> UnknownScenario:
    return UnknownScenario(f"Aucun scénario {lacking}.", "La liste des scénarios donne numéros et noms.")


def _as_scenario(row: Row[Any]) -> Scenario:
    return Scenario(
        row.id,
        row.name,
        row.description,
        tuple(row.edits),
        row.base_version,
        row.created_at,
        row.updated_at,
    )
