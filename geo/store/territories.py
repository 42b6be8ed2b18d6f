"""Store of the territory served and its neighbours: one per database, saved whole."""

from __future__ import annotations

from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, LargeBinary, delete, func, select
from sqlalchemy.sql.elements import ColumnElement

from geo.crs import WGS84
from geo.errors import SnapshotUnavailable
from geo.store import tables
from geo.store.copy_encoder import copy_rows
from geo.territory.model import Commune, Grouping, Provenance, Territory, TerritoryKind

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
_GROUPING_FIELDS = ("kind", "code", "name", "communes", "population", "partial")


def save(connection: Connection, territory: Territory) -> None:
    """Replace the territory, its neighbours included."""
    for table in (tables.territory, tables.commune, tables.grouping, tables.provenance):
        connection.execute(delete(table))
    copy_rows(connection, "territory", ("code", "name"), [(territory.code, territory.name)])
    communes = [(c, True) for c in territory.communes] + [(c, False) for c in territory.context]
    copy_rows(
        connection,
        "commune",
        (*_COMMUNE_FIELDS, "own", "town_hall", "boundary"),
        (
            (
                *(_plain(getattr(c, name)) for name in _COMMUNE_FIELDS),
                own,
                _ewkb(c.town_hall),
                _ewkb(c.boundary),
            )
            for c, own in communes
        ),
    )
    copy_rows(
        connection,
        "grouping",
        (*_GROUPING_FIELDS, "boundary"),
        (
            (*(_plain(getattr(g, name)) for name in _GROUPING_FIELDS), _ewkb(g.boundary))
            for g in territory.groupings
        ),
    )
    copy_rows(
        connection,
        "provenance",
        ("rank", "subject", "producer", "vintage", "licence", "retrieved"),
        (
            (rank, p.subject, p.producer, p.vintage, p.licence, p.retrieved)
            for rank, p in enumerate(territory.provenance)
        ),
    )


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
    columns = [table.c[name] for name in _COMMUNE_FIELDS]
    shapes = (_wkb(table.c.town_hall), _wkb(table.c.boundary))
    found = connection.execute(
        select(*columns, table.c.own, *shapes).order_by(table.c.code.collate("C"))
    ).all()
    town_halls = shapely.from_wkb([row.town_hall for row in found])
    boundaries = shapely.from_wkb([row.boundary for row in found])
    communes = []
    for row, town_hall, boundary in zip(found, town_halls, boundaries, strict=True):
        values = {name: _frozen(getattr(row, name)) for name in _COMMUNE_FIELDS}
        communes.append((Commune(**values, town_hall=town_hall, boundary=boundary), row.own))
    return communes


def _groupings(connection: Connection) -> tuple[Grouping, ...]:
    table = tables.grouping
    columns = [table.c[name] for name in _GROUPING_FIELDS]
    found = connection.execute(select(*columns, _wkb(table.c.boundary))).all()
    groupings = []
    for row, boundary in zip(found, shapely.from_wkb([row.boundary for row in found]), strict=True):
        values = {name: _frozen(getattr(row, name)) for name in _GROUPING_FIELDS}
        groupings.append(Grouping(**values | {"kind": TerritoryKind(row.kind)}, boundary=boundary))
    kinds = list(TerritoryKind)
    return tuple(sorted(groupings, key=lambda g: (kinds.index(g.kind), g.code)))


def _provenance(connection: Connection) -> tuple[Provenance, ...]:
    found = connection.execute(select(tables.provenance).order_by(tables.provenance.c.rank))
    return tuple(Provenance(r.subject, r.producer, r.vintage, r.licence, r.retrieved) for r in found)


def _plain(value: object) -> object:
    """Convert a value for the database."""
    if isinstance(value, tuple):
        return list(value)
    return value.value if isinstance(value, TerritoryKind) else value


def _frozen(value: Any) -> Any:
    """Convert a value of the database for a frozen record."""
    return tuple(value) if isinstance(value, list) else value


def _ewkb(geometry: BaseGeometry) -> str:
    """Encode a geometry exactly, with its CRS; text formats would round it."""
    written: str = shapely.to_wkb(shapely.set_srid(geometry, WGS84), hex=True, include_srid=True)
    return written


def _wkb(column: ColumnElement[Any]) -> ColumnElement[bytes]:
    return func.ST_AsBinary(column, type_=LargeBinary).label(column.key or "")
