"""Population grids as published: Eurostat's 1 km census grid, Insee's 200 m one (Filosofi).

Every row is accepted, outside or rejected, and counted; every inhabitant of an accepted cell is in a
commune of the territory or beyond its border. Columns recognised and rules for rows: docs/people.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import isnan, nan
from pathlib import Path
from typing import Final

import numpy as np
import shapely

from geo.crs import WGS84, reproject
from geo.errors import InvalidCrs, PorteeError, UnreadableFile
from geo.people.areal_weighting import split_cells
from geo.people.cell_ids import EXAMPLE, GridCell, is_metric, parse_cell_id
from geo.people.grid_files import GridColumns, GridRow, Value, bounds, open_grid
from geo.people.model import UNDATED, Findings, People, RowTally
from geo.people.tables import number
from geo.sites.model import Issue, Severity
from geo.territory.model import Provenance, Territory
from geo.wording.language import FRENCH

SUBJECT: Final = "Population par carreau"

WITHHELD: Final = frozenset({-9999.0, -8888.0})
"""Codes for a figure that is secret or unknown; any other negative number is an error."""

_PROGRESS_EVERY = 4096


@dataclass(frozen=True)
class LoadedPeople:
    """People read from a grid, and the outcome for each row and inhabitant.

    Attributes
    ----------
    epsg
        Metric CRS of `people.xy`.
    column
        The column of inhabitants.
    withheld, estimated
        Accepted cells whose figure the source withholds (nobody is counted there), and cells it
        marks as estimated.
    inhabitants_read
        Persons of all accepted cells: those of `people`, and `inhabitants_beyond`.
    inhabitants_beyond
        Of these, outside all communes of the territory.
    age_unknown
        Inhabitants of `people` of unknown age.
    """

    people: People
    epsg: int
    file_name: str
    sha256: str
    column: str
    tally: RowTally
    findings: Findings
    withheld: int
    estimated: int
    inhabitants_read: float
    inhabitants_beyond: float
    age_unknown: float

    def summary(self) -> dict[str, object]:
        """Return the counts stored with the people."""
        return {
            "column": self.column,
            "read": self.tally.read,
            "accepted": self.tally.accepted,
            "outside": self.tally.outside,
            "rejected": self.tally.rejected,
            "reasons": dict(self.findings.count),
            "withheld": self.withheld,
            "estimated": self.estimated,
            "places": len(self.people.inhabitants),
            "inhabitants": round(float(self.people.inhabitants.sum()), 3),
            "inhabitants_beyond": round(self.inhabitants_beyond, 3),
            "age_unknown": round(self.age_unknown, 3),
        }


@dataclass
class _Near:
    """Cells near the territory, in file order, and counts of the other rows."""

    grid: tuple[int, int] | None = None
    corner: list[tuple[int, int]] = field(default_factory=list)
    inhabitants: list[float] = field(default_factory=list)
    aged: list[float] = field(default_factory=list)
    estimated: list[bool] = field(default_factory=list)
    read: int = 0
    outside: int = 0
    rejected: int = 0
    first_outside: str = ""


def read_people(
    path: Path,
    territory: Territory,
    *,
    column: str | None = None,
    vintage: str = "",
    producer: str = "",
    licence: str = "",
    progress: Callable[[int], None] | None = None,
) -> LoadedPeople:
    """Read a population grid and split its cells along the communes of a territory.

    Parameters
    ----------
    path
        CSV, Parquet or GeoPackage as published by Eurostat (GISCO) or Insee, of any extent.
    column
        Column of inhabitants; None: the source's total, of the latest year where it has several.
    vintage, producer, licence
        Shown in the sources of every result; "": inferred from the columns.
    progress
        Called regularly, and at the end, with the number of rows read so far.

    Raises
    ------
    UnreadableFile
        If the file is not a grid, lacks a column, or has no usable row.
    InvalidCrs
        If its geometries do not match its identifiers, or no cell touches the territory.
    """
    opened = open_grid(path, territory, column)
    findings = Findings()
    near = _near(opened.rows, opened.columns, territory, findings, progress)
    near.read += opened.beyond
    near.outside += opened.beyond
    columns = opened.columns
    provenance = Provenance(
        subject=SUBJECT,
        producer=producer or ("Insee, Filosofi" if columns.insee else "Eurostat (GISCO)"),
        vintage=vintage or columns.year or UNDATED,
        licence=licence
        or ("Licence Ouverte 2.0" if columns.insee else "réutilisation avec mention de la source"),
    )
    if near.grid is None or not near.corner:
        raise _no_cell_error(path.name, territory, near, findings)
    (epsg, side), target = near.grid, territory.metric_crs
    corner = np.array(near.corner, dtype=np.float64)
    squares = shapely.box(corner[:, 0], corner[:, 1], corner[:, 0] + side, corner[:, 1] + side)
    parts = split_cells(reproject(squares, source=epsg, target=target), territory)
    touched = np.unique(parts.cell)
    if not len(touched):
        raise _no_cell_error(path.name, territory, near, findings)
    inhabitants = np.array(near.inhabitants)
    persons = inhabitants[parts.cell] * parts.share
    inhabited = persons > 0
    people = People(
        commune=parts.commune[inhabited],
        xy=parts.xy[inhabited],
        inhabitants=persons[inhabited],
        aged_65=(np.array(near.aged)[parts.cell] * parts.share)[inhabited],
        cell_m=side,
        label=f"habitants comptés par carreau de {f'{side} m' if side % 1_000 else f'{side // 1_000} km'}",
        provenance=provenance,
    )
    total = float(np.nansum(inhabitants[touched]))
    return LoadedPeople(
        people=people,
        epsg=target,
        file_name=path.name,
        sha256=opened.sha256,
        column=columns.inhabitants,
        tally=RowTally(
            read=near.read,
            accepted=len(touched),
            outside=near.outside + len(corner) - len(touched),
            rejected=near.rejected,
        ),
        findings=findings,
        withheld=int(np.isnan(inhabitants[touched]).sum()),
        estimated=int(np.array(near.estimated)[touched].sum()),
        inhabitants_read=total,
        inhabitants_beyond=max(total - float(people.inhabitants.sum()), 0.0),
        age_unknown=float(people.inhabitants[np.isnan(people.aged_65)].sum()),
    )


def _near(
    rows: Iterable[GridRow],
    columns: GridColumns,
    territory: Territory,
    findings: Findings,
    progress: Callable[[int], None] | None,
) -> _Near:
    """Sort rows into cells near the territory, outside, and rejected."""
    near = _Near()
    west = south = east = north = 0.0
    seen: set[tuple[int, int]] = set()
    for row in rows:
        near.read += 1
        if progress and near.read % _PROGRESS_EVERY == 0:
            progress(near.read)
        cell = row.trouble or _cell(row, columns.id, near.grid)
        if isinstance(cell, Issue):
            near.rejected += 1
            findings.add(cell)
            continue
        if near.grid is None:
            near.grid = cell.grid
            west, south, east, north = bounds(territory, cell.epsg, margin=float(cell.side))
        corner = (cell.east, cell.north)
        if not (west <= cell.east <= east and south <= cell.north <= north):
            near.outside += 1
            near.first_outside = near.first_outside or row.id
            continue
        figures = _duplicate(row, columns.id) if corner in seen else _figures(row, columns)
        if isinstance(figures, Issue):
            near.rejected += 1
            findings.add(figures)
            continue
        inhabitants, aged = figures
        if isnan(inhabitants):
            findings.add(_secret(row, columns.inhabitants))
        seen.add(corner)
        near.corner.append(corner)
        near.inhabitants.append(inhabitants)
        near.aged.append(aged)
        near.estimated.append(_number(row.figures.get(columns.estimated)) == 1)
    if progress:
        progress(near.read)
    return near


def _cell(row: GridRow, column: str, grid: tuple[int, int] | None) -> GridCell | Issue:
    """Return the cell of a row, or the reason it is not one of this grid."""
    cell = parse_cell_id(row.id)
    if cell is None:
        return _rejected(
            row,
            column,
            row.id,
            "carreau_illisible",
            "Cet identifiant de carreau ne se lit pas.",
            f"Un identifiant s'écrit {EXAMPLE}.",
        )
    if not is_metric(cell.epsg):
        return _rejected(
            row,
            column,
            row.id,
            "systeme_inconnu",
            f"Le système de coordonnées EPSG:{cell.epsg} n'existe pas ou ne se mesure pas en mètres.",
            "Vérifiez l'identifiant du carreau.",
        )
    if grid not in (None, cell.grid):
        return _rejected(
            row,
            column,
            row.id,
            "autre_grille",
            "Ce carreau n'est pas de la grille du premier : son système ou son côté diffère.",
            "Chargez une seule grille à la fois.",
        )
    return cell


def _figures(row: GridRow, columns: GridColumns) -> tuple[float, float] | Issue:
    """Return inhabitants and those aged 65 or over (NaN if unknown), or the reason to reject the row."""
    inhabitants = _figure(row, columns.inhabitants)
    if isinstance(inhabitants, Issue):
        return inhabitants
    aged = 0.0 if columns.aged else nan
    for name in columns.aged:
        figure = _figure(row, name)
        if isinstance(figure, Issue):
            return figure
        aged += figure
    return inhabitants, aged


def _figure(row: GridRow, column: str) -> float | Issue:
    """Return a count of persons (NaN if withheld), or the reason to reject the row."""
    raw = row.figures[column]
    value, shown = _number(raw), "" if raw is None else str(raw)
    if value in WITHHELD:
        return nan
    if value is None:
        absent = not shown.strip()
        return _rejected(
            row,
            column,
            shown,
            "effectif_absent" if absent else "effectif_illisible",
            "Le nombre d'habitants manque." if absent else "Ce n'est pas un nombre d'habitants.",
            "Corrigez cette case, ou demandez le fichier complet à son producteur.",
        )
    if value < 0:
        return _rejected(
            row,
            column,
            shown,
            "effectif_negatif",
            "Un nombre d'habitants ne peut pas être négatif.",
            "Corrigez cette case ; seuls -9999 et -8888 disent un effectif non publié.",
        )
    return value


def _number(value: Value) -> float | None:
    return number(value) if isinstance(value, str) else value


def _duplicate(row: GridRow, column: str) -> Issue:
    return _rejected(
        row,
        column,
        row.id,
        "carreau_en_double",
        "Ce carreau est déjà donné plus haut dans le fichier ; seule la première ligne compte.",
        "Supprimez l'une des deux lignes.",
    )


def _secret(row: GridRow, column: str) -> Issue:
    reason = "Le nombre d'habitants de ce carreau n'est pas publié : personne n'y est compté."
    return Issue(row.line, column, str(row.figures[column]), Severity.FLAGGED, "effectif_secret", reason)


def _rejected(row: GridRow, column: str, value: str, code: str, reason: str, advice: str) -> Issue:
    return Issue(row.line, column, value[:200], Severity.REJECTED, code, reason, advice)


def _no_cell_error(name: str, territory: Territory, near: _Near, findings: Findings) -> PorteeError:
    """Return the error for a file without usable cells: none is readable, or none touches the territory."""
    if not near.read:
        return UnreadableFile(f"« {name} » ne contient aucun carreau.", "Téléchargez-le à nouveau.")
    first = findings.first[0] if findings.first else None
    if first and near.rejected == near.read:
        return UnreadableFile(
            f"Aucune des {near.read} lignes de « {name} » n'est utilisable. "
            f"Ligne {first.line}, {first.field} « {first.value} » : {first.reason}",
            first.advice,
        )
    return InvalidCrs(
        f"Aucun carreau de « {name} » ne touche le territoire ({territory.name}){_where(near)}.",
        "Le fichier est celui d'un autre territoire, ou ses identifiants ne sont pas du système de "
        "coordonnées qu'ils nomment.",
    )


def _where(near: _Near) -> str:
    """Return where the first cell outside lies, in French; "" if unknown."""
    cell = parse_cell_id(near.first_outside)
    if cell is None:
        return ""
    corner = shapely.Point(cell.east, cell.north)
    degrees = shapely.get_coordinates(reproject([corner], source=cell.epsg, target=WGS84))[0]
    if not np.isfinite(degrees).all():
        return f" ; « {near.first_outside} » n'est nulle part"
    longitude, latitude = (FRENCH.digits(each, 2) for each in degrees)
    return f" ; « {near.first_outside} » est à la longitude {longitude}, latitude {latitude}"
