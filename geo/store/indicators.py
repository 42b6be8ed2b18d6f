"""Store of indicators of need: one per code, with its values by area as in the file."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from geo.people.aggregation import Area, FigureKind, by_commune
from geo.people.indicators import LoadedIndicator
from geo.people.model import Indicator
from geo.store.copy_encoder import copy_rows
from geo.store.tables import indicator, indicator_value
from geo.territory.model import Provenance


@dataclass(frozen=True)
class StoredIndicator:
    """An indicator and where it comes from; `summary` as `LoadedIndicator.summary`."""

    indicator: Indicator
    column: str
    file_name: str
    sha256: str
    loaded_at: datetime
    summary: dict[str, Any]


def save(connection: Connection, loaded: LoadedIndicator) -> None:
    """Save an indicator, replacing one of the same code."""
    saved = loaded.indicator
    connection.execute(delete(indicator).where(indicator.c.code == saved.code))
    connection.execute(
        insert(indicator).values(
            code=saved.code,
            name=saved.name,
            unit=saved.unit,
            level=saved.level,
            column_name=loaded.column,
            producer=saved.provenance.producer,
            vintage=saved.provenance.vintage,
            licence=saved.provenance.licence,
            file_name=loaded.file_name,
            sha256=loaded.sha256,
            summary=loaded.summary(),
        )
    )
    copy_rows(
        connection,
        "indicator_value",
        ("indicator_code", "area", "commune", "value", "inhabitants"),
        ((saved.code, area.code, area.commune, area.value, area.inhabitants) for area in loaded.areas),
    )


def read(connection: Connection) -> dict[str, Indicator]:
    """Return every indicator by code, in order; values per IRIS are aggregated to communes."""
    return {stored.indicator.code: stored.indicator for stored in described(connection)}


def described(connection: Connection) -> list[StoredIndicator]:
    """Return the metadata of every indicator, in order of code."""
    areas: dict[str, list[Area]] = defaultdict(list)
    table = indicator_value
    for row in connection.execute(select(table).order_by(table.c.area.collate("C"))):
        areas[row.indicator_code].append(Area(row.area, row.commune, row.value, row.inhabitants))
    found = connection.execute(select(indicator).order_by(indicator.c.code.collate("C")))
    return [
        StoredIndicator(
            indicator=Indicator(
                code=row.code,
                name=row.name,
                unit=row.unit,
                level=row.level,
                provenance=Provenance(row.name, row.producer, row.vintage, row.licence, row.loaded_at.date()),
                values=by_commune(areas[row.code], FigureKind(row.summary.get("kind", FigureKind.RATE))),
            ),
            column=row.column_name,
            file_name=row.file_name,
            sha256=row.sha256,
            loaded_at=row.loaded_at,
            summary=row.summary,
        )
        for row in found
    ]


def remove(connection: Connection, code: str) -> bool:
    """Delete an indicator; return whether there was one of this code."""
    return connection.execute(delete(indicator).where(indicator.c.code == code)).rowcount > 0
