"""Corrections of sites: values set over the sources, in force or ended."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from geo.errors import UnknownCorrection
from geo.sites.corrections import Correction
from geo.sites.record_json import decode, encode
from geo.store.tables import correction as table


def standing(connection: Connection) -> list[Correction]:
    """Return all corrections that were not ended, past and future ones too, oldest first."""
    return [
        _as_correction(row)
        for row in connection.execute(select(table).where(table.c.ended_at.is_(None)).order_by(table.c.id))
    ]


def everything(connection: Connection) -> list[Correction]:
    """Return all corrections, ended ones too, oldest first."""
    return [_as_correction(row) for row in connection.execute(select(table).order_by(table.c.id))]


def of_sites(connection: Connection, site_ids: Collection[str]) -> list[Correction]:
    """Return all corrections of some sites, ended ones too, oldest first."""
    found = select(table).where(table.c.site_id.in_(list(site_ids))).order_by(table.c.id)
    return [_as_correction(row) for row in connection.execute(found)]


def find(connection: Connection, number: int) -> Correction:
    """Return the correction that has a number.

    Raises
    ------
    UnknownCorrection
        If none has.
    """
    row = connection.execute(select(table).where(table.c.id == number)).one_or_none()
    if row is None:
        raise UnknownCorrection(
            f"Aucune correction ne porte le numéro {number}.",
            "La liste des corrections : portee sites corrections",
        )
    return _as_correction(row)


def add(connection: Connection, made: Correction) -> int:
    """Store a correction; return its number."""
    values = {
        "site_id": made.site_id,
        "field": made.field,
        "value": encode(made.value),
        "author": made.author,
        "day": made.day,
        "reason": made.reason,
        "until": made.until,
        "source_value": encode(made.source_value),
    }
    return int(connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one())


def end(connection: Connection, number: int, by: str) -> None:
    """End a correction: the sources' value is shown again."""
    connection.execute(
        update(table)
        .where(table.c.id == number, table.c.ended_at.is_(None))
        .values(ended_at=func.now(), ended_by=by)
    )


def _as_correction(row: Row[Any]) -> Correction:
    return Correction(
        site_id=row.site_id,
        field=row.field,
        value=decode(row.field, row.value),
        author=row.author,
        day=row.day,
        reason=row.reason,
        until=row.until,
        source_value=decode(row.field, row.source_value),
        ended_at=row.ended_at,
        ended_by=row.ended_by,
        id=row.id,
    )
