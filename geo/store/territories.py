"""The territory served and its neighbours: one per database, saved whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import shapely
from geoalchemy2.shape import from_shape
from sqlalchemy import Connection, LargeBinary, Table, delete, func, insert, select
from sqlalchemy.sql.elements import ColumnElement

from geo.crs import WGS84
from geo.errors import SnapshotUnavailable
from geo.store import tables
from geo.territory.model import Commune, Grouping, Kind, Provenance, Territory

_COMMUNE_FIELDS = (
    "code",
    "name",
    "departement_code",
    "departement_name",
    "postal_codes",
    "population",
    "epci_code",
    "epci_name",
    "canton_code",
    "canton_name",
    "arrondissement_code",
    "arrondissement_name",
)


def save(connection: Connection, territory: Territory) -> None:
    """Put a territory in place of the one there, its neighbours included."""
    for table in (tables.territory, tables.commune, tables.grouping, tables.provenance):
        connection.execute(delete(table))
    connection.execute(insert(tables.territory), {"code": territory.code, "name": territory.name})
    communes = [(c, True) for c in territory.communes] + [(c, False) for c in territory.context]
    _insert(connection, tables.commune, (_commune_row(c, own) for c, own in communes))
    _insert(connection, tables.grouping, map(_grouping_row, territory.groupings))
    provenance = (
        {
            "rank": rank,
            "subject": p.subject,
            "producer": p.producer,
            "vintage": p.vintage,
            "licence": p.licence,
            "retrieved": p.retrieved,
        }
        for rank, p in enumerate(territory.provenance)
    )
    _insert(connection, tables.provenance, provenance)


def load(connection: Connection) -> Territory:
    """Read the territory back, equal to what was saved.

    Raises
    ------
    SnapshotUnavailable
        If none has been saved yet.
    """
    row = connection.execute(select(tables.territory)).one_or_none()
    if row is None:
        raise SnapshotUnavailable(
            "Aucun territoire n'est encore chargé dans la base.", "Lancez : portee territory load"
        )
    communes = _communes(connection)
    return Territory(
        code=row.code,
        name=row.name,
        communes=tuple(c for c, own in communes if own),
        groupings=_groupings(connection),
        context=tuple(c for c, own in communes if not own),
        provenance=_provenance(connection),
    )


def _communes(connection: Connection) -> list[tuple[Commune, bool]]:
    table = tables.commune
    town_hall, boundary = _wkb(table.c.town_hall), _wkb(table.c.boundary)
    found = connection.execute(
        select(*(table.c[name] for name in _COMMUNE_FIELDS), table.c.own, town_hall, boundary).order_by(
            table.c.code.collate("C")
        )
    ).all()
    town_halls = shapely.from_wkb([row.town_hall for row in found])
    boundaries = shapely.from_wkb([row.boundary for row in found])
    communes = []
    for row, point, shape in zip(found, town_halls, boundaries, strict=True):
        values = {name: getattr(row, name) for name in _COMMUNE_FIELDS}
        values["postal_codes"] = tuple(row.postal_codes)
        communes.append((Commune(**values, town_hall=point, boundary=shape), row.own))
    return communes


def _groupings(connection: Connection) -> tuple[Grouping, ...]:
    table = tables.grouping
    columns = (
        table.c.kind,
        table.c.code,
        table.c.name,
        table.c.communes,
        table.c.population,
        table.c.partial,
    )
    found = connection.execute(select(*columns, _wkb(table.c.boundary))).all()
    groupings = (
        Grouping(
            kind=Kind(row.kind),
            code=row.code,
            name=row.name,
            communes=tuple(row.communes),
            population=row.population,
            boundary=boundary,
            partial=row.partial,
        )
        for row, boundary in zip(found, shapely.from_wkb([r.boundary for r in found]), strict=True)
    )
    kinds = list(Kind)
    return tuple(sorted(groupings, key=lambda g: (kinds.index(g.kind), g.code)))


def _provenance(connection: Connection) -> tuple[Provenance, ...]:
    found = connection.execute(select(tables.provenance).order_by(tables.provenance.c.rank))
    return tuple(Provenance(r.subject, r.producer, r.vintage, r.licence, r.retrieved) for r in found)


def _commune_row(commune: Commune, own: bool) -> dict[str, Any]:
    return {
        **{name: getattr(commune, name) for name in _COMMUNE_FIELDS},
        "postal_codes": list(commune.postal_codes),
        "own": own,
        "town_hall": from_shape(commune.town_hall, srid=WGS84),
        "boundary": from_shape(commune.boundary, srid=WGS84),
    }


def _grouping_row(grouping: Grouping) -> dict[str, Any]:
    return {
        "kind": grouping.kind.value,
        "code": grouping.code,
        "name": grouping.name,
        "communes": list(grouping.communes),
        "population": grouping.population,
        "boundary": from_shape(grouping.boundary, srid=WGS84),
        "partial": grouping.partial,
    }


def _insert(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    if values := list(rows):
        connection.execute(insert(table), values)


def _wkb(column: ColumnElement[Any]) -> ColumnElement[bytes]:
    return func.ST_AsBinary(column, type_=LargeBinary).label(column.key or "")
