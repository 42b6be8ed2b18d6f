"""Files of population grids: recognised columns, and rows near a territory.

A cell is located by its identifier, never by its rank; the geometries of a GeoPackage or a GeoParquet,
whatever their reference system, must agree with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from geo.crs import WGS84, reproject
from geo.errors import InvalidCrs, UnreadableFile
from geo.people.cell_ids import is_metric, parse_cell_id
from geo.people.tables import SourceTable, open_table, quoted
from geo.sites.model import Issue
from geo.sites.readers.header import record
from geo.territory.files import sha256_of
from geo.territory.model import Territory

MAX_BYTES: Final = 8_000_000_000
"""Largest file accepted: CSV and Parquet are streamed, a GeoPackage is read around the territory only."""

Value = str | float | None

_ID_COLUMNS = ("grd_id", "idcar_200m", "idinspire", "idcar_1km")
_TOTALS = ("t", "ind", "tot_p")
_OF_A_YEAR = re.compile(r"(?:pop|tot_p)_(\d{4})")
_AGED = (("y_ge65",), ("ind_65_79", "ind_80p"))
_ESTIMATED = ("i_est_200", "i_est_1km", "i_est_cr")
_CENSUS_YEAR = "2021"
_GEOPACKAGE = b"SQLite format 3"
_SAMPLE = 100
_MARGIN_M, _MARGIN_DEGREES = 2_000.0, 0.05


@dataclass(frozen=True, slots=True)
class GridColumns:
    """Names of the columns used.

    `aged` are those whose sum is the people aged 65 or over, `estimated` says 1 for a cell the
    source has estimated; () and "" where it does not say. `year` is the one named in the columns;
    `insee` is true of Insee's grids.
    """

    id: str
    inhabitants: str
    aged: tuple[str, ...]
    estimated: str
    year: str
    insee: bool

    @property
    def figures(self) -> tuple[str, ...]:
        """Return every column read besides the identifier."""
        return (self.inhabitants, *self.aged, *((self.estimated,) if self.estimated else ()))


@dataclass(frozen=True, slots=True)
class GridRow:
    """A row of a grid: its line (feature number in a GeoPackage, rank in a Parquet), its cell, its figures.

    `trouble` is set when the row cannot be cut into cells; the rest is then empty.
    """

    line: int
    id: str
    figures: dict[str, Value]
    trouble: Issue | None = None


@dataclass(frozen=True, slots=True)
class OpenedGrid:
    """A grid opened. `rows` may be read once; `beyond` more were left unread, far from the territory."""

    columns: GridColumns
    rows: Iterator[GridRow]
    sha256: str
    beyond: int = 0


def open_grid(path: Path, territory: Territory, column: str | None = None) -> OpenedGrid:
    """Open a CSV, a Parquet or a GeoPackage, recognised by content, and find its columns by name.

    Raises
    ------
    UnreadableFile
        If the file is no grid, or lacks a column.
    InvalidCrs
        If its geometries do not lie where its identifiers say.
    """
    if _is_geopackage(path):
        return _geopackage(path, territory, column)
    table = open_table(path, max_bytes=MAX_BYTES, announced=lambda names: bool(_id_column(names)))
    columns = _recognised(table.columns, table.name, column)
    if table.parquet and table.parquet.geometry:
        ids, shapes = table.parquet.sample([columns.id, table.parquet.geometry], _SAMPLE)
        named = np.array(ids, dtype=object)
        crs = _geometry_crs(table.parquet.crs, named, table.name)
        _require_agreement(named, np.array(shapes, dtype=object), crs, table.name)
    return OpenedGrid(columns, _table_rows(table, columns), table.sha256)


def bounds(territory: Territory, crs: int | CRS, *, margin: float) -> tuple[float, float, float, float]:
    """West, south, east, north of the territory in another system, with a margin in its units."""
    boundaries = np.array([c.boundary for c in territory.communes], dtype=object)
    to_crs = Transformer.from_crs(WGS84, crs, always_xy=True).transform
    moved = shapely.transform(boundaries, to_crs, interleaved=False)
    west, south, east, north = shapely.total_bounds(moved)
    return west - margin, south - margin, east + margin, north + margin


def _is_geopackage(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(len(_GEOPACKAGE)) == _GEOPACKAGE
    except OSError:
        return False  # the reader of tables raises a better error


def _id_column(names: Iterable[str]) -> str:
    """Return the column of identifiers, of the finest grid if there are several; "" if there is none."""
    by_name = {name.lower(): name for name in names}
    return next((by_name[known] for known in _ID_COLUMNS if known in by_name), "")


def _recognised(names: tuple[str, ...], file: str, column: str | None) -> GridColumns:
    by_name = {name.lower(): name for name in names if name}
    id_column = _id_column(names)
    if not id_column:
        raise UnreadableFile(
            f"« {file} » n'est pas une grille de population connue : aucune colonne d'identifiants de "
            f"carreaux ({', '.join(_ID_COLUMNS)}). Ses colonnes sont {quoted(names)}.",
            "Donnez la grille de 1 km d'Eurostat ou de 200 m de l'Insee, en CSV, GeoPackage ou Parquet.",
        )
    total = next((by_name[known] for known in _TOTALS if known in by_name), "")
    years = sorted((found[1], by_name[name]) for name in by_name if (found := _OF_A_YEAR.fullmatch(name)))
    if column is not None:
        chosen = by_name.get(column.strip().lower(), "")
    else:
        chosen = total or (years[-1][1] if years else "")
    if not chosen:
        raise UnreadableFile(
            f"« {file} » n'a pas de colonne « {column} »."
            if column is not None
            else f"Aucune colonne de « {file} » n'est reconnue comme un nombre d'habitants.",
            f"Nommez-la avec --column. Ses colonnes sont {quoted(names)}.",
        )
    # Ages belong to the source's own total: they do not apply to women only, or to another year.
    of_total = chosen == total
    aged = next((bands for bands in _AGED if all(name in by_name for name in bands)), ())
    year = next((year for year, name in years if name == chosen), "")
    return GridColumns(
        id=id_column,
        inhabitants=chosen,
        aged=tuple(by_name[name] for name in aged) if of_total else (),
        estimated=next((by_name[name] for name in _ESTIMATED if name in by_name), ""),
        year=_CENSUS_YEAR if "y_ge65" in by_name and not year else year,
        insee="ind" in by_name,
    )


def _table_rows(table: SourceTable, columns: GridColumns) -> Iterator[GridRow]:
    rank = {name: table.columns.index(name) for name in columns.figures}
    at_id, width = table.columns.index(columns.id), len(table.columns)
    for line, cells in table.rows({columns.id, *columns.figures}):
        if len(cells) != width:
            whole = record(line, cells, table.columns)
            if whole.broken:
                yield GridRow(line, "", {}, whole.issues[0])
                continue
        yield GridRow(line, cells[at_id].strip(), {name: cells[i] for name, i in rank.items()})


def _geopackage(path: Path, territory: Territory, column: str | None) -> OpenedGrid:
    try:
        layer, names, total = _layer(path)
        columns = _recognised(names, path.name, column)
        wanted = [columns.id, *columns.figures]
        meta, _, shapes, (ids,) = pyogrio.raw.read(
            path, layer=layer, columns=[columns.id], max_features=_SAMPLE
        )
        crs = _geometry_crs(meta["crs"], ids, path.name)
        # A reference system ill declared must not hide behind a window that finds nothing.
        _require_agreement(ids, shapes, crs, path.name)
        margin = _MARGIN_M if crs and crs.is_projected else _MARGIN_DEGREES
        window = bounds(territory, crs, margin=margin) if crs and shapes is not None else None
        meta, fids, shapes, values = pyogrio.raw.read(
            path, layer=layer, columns=wanted, bbox=window, return_fids=True
        )
    except (DataSourceError, DataLayerError, OSError, UnicodeDecodeError) as problem:
        raise UnreadableFile(
            f"Le GeoPackage « {path.name} » n'a pas pu être lu.",
            "Il est peut-être coupé : téléchargez-le à nouveau.",
        ) from problem
    by_name = {str(name): column for name, column in zip(meta["fields"], values, strict=True)}
    ids = by_name[columns.id]
    _require_agreement(ids, shapes, crs, path.name)
    rows = (
        GridRow(
            int(fid),
            _text(ids[i]),
            {name: _value(by_name[name][i]) for name in columns.figures},
        )
        for i, fid in enumerate(fids)
    )
    return OpenedGrid(columns, rows, sha256_of(path), beyond=total - len(fids))


def _layer(path: Path) -> tuple[str, tuple[str, ...], int]:
    """Return the layer with a grid (else the first), its columns, and its number of rows."""
    layers = []
    for layer, _ in pyogrio.list_layers(path):
        info = pyogrio.read_info(path, layer=str(layer), force_feature_count=True)
        layers.append((str(layer), tuple(str(name) for name in info["fields"]), int(info["features"])))
    return next((layer for layer in layers if _id_column(layer[1])), layers[0])


def _geometry_crs(declared: str | None, ids: NDArray[np.object_], name: str) -> CRS | None:
    """Return the CRS of the geometries, or of the identifiers if none is declared."""
    if not declared:
        cells = (parse_cell_id(_text(cell_id)) for cell_id in ids)
        first = next((cell for cell in cells if cell and is_metric(cell.epsg)), None)
        return CRS.from_epsg(first.epsg) if first else None
    try:
        return CRS.from_user_input(declared)
    except CRSError as problem:
        raise InvalidCrs(
            f"Le système de coordonnées de « {name} » n'est pas connu : {declared[:80]}.",
            "Demandez le fichier en Lambert-93 (EPSG:2154) ou en ETRS89-LAEA (EPSG:3035).",
        ) from problem


def _require_agreement(
    ids: NDArray[np.object_], shapes: NDArray[np.object_] | None, crs: CRS | None, name: str
) -> None:
    """Refuse geometries most of which do not match the identifiers of their cells."""
    if shapes is None or crs is None:
        return
    centres = shapely.centroid(shapely.from_wkb(shapes))
    drawn_there = ~(shapely.is_missing(centres) | shapely.is_empty(centres))
    cells = {i: cell for i in np.flatnonzero(drawn_there) if (cell := parse_cell_id(_text(ids[i])))}
    cells = {i: cell for i, cell in cells.items() if is_metric(cell.epsg)}
    if not cells:
        return
    rows, first = list(cells), next(iter(cells.values()))
    drawn = shapely.get_coordinates(reproject(centres[rows], source=crs, target=first.epsg))
    corners = np.array([(cell.east, cell.north) for cell in cells.values()], dtype=np.float64)
    away = float(np.median(np.hypot(*(drawn - (corners + first.side / 2)).T)))
    if not away <= first.side / 2:
        raise InvalidCrs(
            f"Dans « {name} », les carreaux ne sont pas dessinés où leurs identifiants le disent "
            f"(« {_text(ids[rows[0]])} »).",
            f"Son système de coordonnées, {crs.name}, est sans doute mal déclaré ; rien n'a été chargé.",
        )


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _value(value: Any) -> Value:
    """Return a figure of a GeoPackage; None if it is missing."""
    if value is None or isinstance(value, str):
        return value
    plain = float(value)
    return None if isnan(plain) else plain
