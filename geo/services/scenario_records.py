"""Saved scenarios: creation, replacement, deletion, export of their effect as a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from geo.coverage import export
from geo.coverage.measure import Coverage
from geo.coverage.scenario import Edit, edits_to_json
from geo.errors import InvalidParameter, NameTaken, UnknownScenario
from geo.services.scenarios import Evaluation
from geo.snapshot import Snapshot
from geo.store import scenarios as stored
from geo.store.database import Connection
from geo.store.scenarios import Scenario
from geo.tables_out import Dialect
from geo.territory.model import TerritoryKind

FileFormat = Literal["csv", "xlsx", "gpkg", "geojson"]


def export_file(
    scenario: Scenario,
    found: Evaluation,
    after: Coverage,
    kind: TerritoryKind,
    file_format: FileFormat,
    dialect: Dialect = Dialect.LINES,
) -> bytes:
    """Return the changes of a scenario as a file.

    Parameters
    ----------
    after
        Any coverage of the same territory: it gives the boundaries of GeoPackage and GeoJSON.
    dialect
        How CSV is written.
    """
    about = [("Scénario", f"{scenario.name} (n° {scenario.id})"), *found.about]
    if file_format == "csv":
        return export.csv_bytes(found.table, dialect)
    if file_format == "xlsx":
        return export.xlsx_bytes({"scénario": found.table}, about)
    shapes = export.geometries(after, kind)
    if file_format == "gpkg":
        return export.gpkg_bytes(found.table, shapes, about=about)
    return export.geojson_bytes(found.table, shapes, about=about)


def create(
    connection: Connection, name: str, description: str, edits: Sequence[Edit], snapshot: Snapshot
) -> Scenario:
    """Save edits under a new name.

    Raises
    ------
    NameTaken
        If a scenario already has this name.
    """
    if any(each.name == name for each in stored.list_(connection)):
        raise NameTaken(
            f"Un scénario s'appelle déjà « {name} ».", "Choisissez un autre nom, ou remplacez celui-là."
        )
    return stored.save(connection, name, description, edits_to_json(edits), snapshot.version)


def replace(
    connection: Connection,
    number: int,
    name: str,
    description: str,
    edits: Sequence[Edit],
    snapshot: Snapshot,
) -> Scenario:
    """Replace the description and edits of a scenario; its name does not change.

    Raises
    ------
    UnknownScenario
        If no scenario has this number.
    InvalidParameter
        If `name` is not its name.
    """
    if stored.get(connection, number).name != name:
        raise InvalidParameter(
            "Un scénario garde son nom : enregistrez celui-ci à part, puis supprimez l'ancien.",
            parameter="name",
        )
    saved = stored.save(connection, name, description, edits_to_json(edits), snapshot.version)
    if saved.id != number:
        # Deleted in between: the store has saved a new one under the name, which the caller rolls back.
        raise UnknownScenario(f"Aucun scénario ne porte le numéro {number}.", "Il vient d'être supprimé.")
    return saved


def delete(connection: Connection, number: int) -> Scenario:
    """Delete a scenario and return it.

    Raises
    ------
    UnknownScenario
        If no scenario has this number.
    """
    deleted = stored.get(connection, number)
    stored.delete_(connection, number)
    return deleted
