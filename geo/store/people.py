"""Store of the population grid in use: one at most, replaced by the next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import isnan
from typing import Any, Final

import numpy as np
import shapely
from sqlalchemy import Connection, LargeBinary, Row, delete, func, insert, select

from geo.crs import WGS84, reproject
from geo.lru_cache import LruCache
from geo.people.grid import SUBJECT, LoadedPeople
from geo.people.model import People
from geo.store.copy_encoder import copy_rows
from geo.store.tables import population, population_cell
from geo.territory.model import Provenance


@dataclass(frozen=True)
class StoredPopulation:
    """Metadata of the grid in use; `summary` as `LoadedPeople.summary`."""

    label: str
    provenance: Provenance
    file_name: str
    sha256: str
    cell_m: int
    loaded_at: datetime
    summary: dict[str, Any]


def save(connection: Connection, loaded: LoadedPeople) -> None:
    """Replace the grid."""
    connection.execute(delete(population))
    people, provenance = loaded.people, loaded.people.provenance
    stored = insert(population).values(
        label=people.label,
        producer=provenance.producer if provenance else "",
        vintage=provenance.vintage if provenance else "",
        licence=provenance.licence if provenance else "",
        file_name=loaded.file_name,
        sha256=loaded.sha256,
        cell_m=people.cell_m,
        summary=loaded.summary(),
    )
    number = connection.execute(stored.returning(population.c.id)).scalar_one()
    points = reproject(shapely.points(people.xy), source=loaded.epsg, target=WGS84)
    written = shapely.to_wkb(shapely.set_srid(points, WGS84), hex=True, include_srid=True)
    aged = (None if isnan(old) else old for old in people.aged_65.tolist())
    copy_rows(
        connection,
        "population_cell",
        ("population_id", "rank", "commune", "point", "inhabitants", "aged_65"),
        (
            (number, rank, str(commune), point, inhabitants, old)
            for rank, (commune, point, inhabitants, old) in enumerate(
                zip(people.commune, written, people.inhabitants.tolist(), aged, strict=True)
            )
        ),
    )


def current(connection: Connection, epsg: int) -> People | None:
    """Return the people of the grid in use, in the order they were saved; None without a grid.

    The grid last read stays in memory, since most changes of the data leave it as it is.

    Parameters
    ----------
    epsg
        Metric CRS of the territory, in which points are returned.
    """
    row = _stored(connection)
    if row is None:
        return None
    key = (row.id, row.loaded_at, row.sha256, epsg)
    return _GRIDS.get_or_compute(key, lambda: _people(connection, _as_stored(row), epsg))


_GRIDS: Final[LruCache[People]] = LruCache(1)


def _people(connection: Connection, stored: StoredPopulation, epsg: int) -> People:
    table = population_cell
    point = func.ST_AsBinary(table.c.point, type_=LargeBinary).label("point")
    found = connection.execute(
        select(table.c.commune, point, table.c.inhabitants, table.c.aged_65).order_by(table.c.rank)
    ).all()
    points = np.array(shapely.from_wkb([row.point for row in found]), dtype=object)
    return People(
        commune=np.array([row.commune for row in found], dtype=np.str_),
        xy=shapely.get_coordinates(reproject(points, source=WGS84, target=epsg)).reshape(-1, 2),
        inhabitants=np.array([row.inhabitants for row in found], dtype=np.float64),
        aged_65=np.array([row.aged_65 for row in found], dtype=np.float64),
        cell_m=stored.cell_m,
        label=stored.label,
        provenance=stored.provenance,
    )


def described(connection: Connection) -> StoredPopulation | None:
    """Return the metadata of the grid in use, or None."""
    row = _stored(connection)
    return _as_stored(row) if row else None


def _stored(connection: Connection) -> Row[Any] | None:
    return connection.execute(select(population).order_by(population.c.id.desc()).limit(1)).one_or_none()


def remove(connection: Connection) -> bool:
    """Delete the grid: people are counted at town halls again. Return whether there was one."""
    return connection.execute(delete(population)).rowcount > 0


def _as_stored(row: Row[Any]) -> StoredPopulation:
    return StoredPopulation(
        label=row.label,
        provenance=Provenance(SUBJECT, row.producer, row.vintage, row.licence, row.loaded_at.date()),
        file_name=row.file_name,
        sha256=row.sha256,
        cell_m=row.cell_m,
        loaded_at=row.loaded_at,
        summary=row.summary,
    )
