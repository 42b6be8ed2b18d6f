"""Store of what-if scenarios by name: their edits as JSON, and the version they were made over.

Edits are stored as `geo.coverage.scenario.edits_to_json` encodes them, and decoded by `edits_of` over the
current snapshot: a site that they name may have left since.
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
    """A stored scenario; `base_version` is the data's version when it was last saved."""

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
    """Save a scenario; one of the same name is replaced, with the same number and creation date."""
    values = {"description": description, "edits": list(edits), "base_version": base_version}
    moment = func.clock_timestamp()
    saved = insert(table).values(name=name, created_at=moment, updated_at=moment, **values)
    replaced = saved.on_conflict_do_update(
        index_elements=[table.c.name], set_={**values, "updated_at": moment}
    )
    return _as_scenario(connection.execute(replaced.returning(table)).one())


def list_(connection: Connection) -> list[Scenario]:
    """Return all scenarios, by name."""
    found = select(table).order_by(table.c.name.collate("C"))
    return [_as_scenario(row) for row in connection.execute(found)]


def get(connection: Connection, scenario_id: int) -> Scenario:
    """Return the scenario that has a number.

    Raises
    ------
    UnknownScenario
        If none has.
    """
    return _one(connection, table.c.id == scenario_id, f"ne porte le numéro {scenario_id}")


def by_name(connection: Connection, name: str) -> Scenario:
    """Return the scenario that has a name.

    Raises
    ------
    UnknownScenario
        If none has.
    """
    return _one(connection, table.c.name == name, f"ne s'appelle « {name} »")


def delete_(connection: Connection, scenario_id: int) -> None:
    """Delete a scenario.

    Raises
    ------
    UnknownScenario
        If none has this number.
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
