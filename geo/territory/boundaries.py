"""Take finer official boundaries from a file: Etalab or IGN GeoJSON, ADMIN EXPRESS GeoPackage or Shapefile.

The layer and the column of codes are found by content, not by name: the polygon layer and the
column that hold most of the territory's INSEE codes. Codes decide who is who; a commune in
several rows (IRIS, islands) is the union of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS
from pyproj.exceptions import CRSError
from shapely import MultiPolygon
from shapely.geometry.base import BaseGeometry

from geo.crs import WGS84, reproject
from geo.errors import IncompleteBoundaries, InvalidCrs, UnreadableFile
from geo.territory.groupings import dissolve
from geo.territory.model import Commune, Provenance, Territory
from geo.territory.tiling import mended, polygons_of, tiled

SUBJECT: Final = "Limites des communes"

_USUAL_COLUMNS = ("insee_com", "code_insee", "code", "insee", "codgeo", "code_commune", "depcom")
_FORMATS = "GeoJSON, GeoPackage ou Shapefile, avec le code INSEE de chaque commune"


@dataclass(frozen=True, slots=True)
class BoundaryReport:
    """Content of a boundary file, and what was used of it.

    Attributes
    ----------
    layer, column, crs
        The layer and the column of codes that were recognised; the reference system declared.
    matched, neighbours
        Communes of the territory, and of its context, that took their boundary from the file.
    elsewhere
        Rows of the file that are of neither, left out.
    mended
        Communes whose shape was invalid and had to be mended.
    overlap_m2, gap_m2
        Overlaps and gaps, square metres, removed by giving them to a neighbour.
    """

    file: str
    layer: str
    column: str
    crs: str
    matched: int
    neighbours: int
    elsewhere: int
    mended: tuple[str, ...]
    overlap_m2: float
    gap_m2: float


@dataclass(frozen=True)
class BoundaryFile:
    """Boundaries read from a file, by INSEE code: WGS 84, valid, not yet tiled."""

    layer: str
    column: str
    crs: str
    boundaries: dict[str, MultiPolygon]
    mended: tuple[str, ...] = field(default=())
    elsewhere: int = 0


@dataclass(frozen=True, slots=True)
class _Column:
    """A column with some of the codes, and the rows that have them."""

    layer: str
    name: str
    codes: dict[int, str]
    rows: int
    crs: str | None

    @property
    def rank(self) -> tuple[int, bool, int]:
        """Return the sort key: most communes first, then a usual name, then fewest rows per commune."""
        return (len(set(self.codes.values())), self.name.lower() in _USUAL_COLUMNS, -len(self.codes))


def read(path: Path, codes: Collection[str]) -> BoundaryFile:
    """Read the boundaries of the given communes; only their shapes are loaded.

    Parameters
    ----------
    codes
        INSEE codes wanted.

    Raises
    ------
    UnreadableFile
        If it is no boundary file, or declares no reference system.
    IncompleteBoundaries
        If no column holds any of the codes.
    InvalidCrs
        If its coordinates cannot be of the reference system it declares.
    """
    wanted = frozenset(codes)
    try:
        columns = [
            column
            for layer, geometry in pyogrio.list_layers(path)
            if geometry is not None and ("Polygon" in geometry or geometry == "Unknown")
            for column in _columns(path, str(layer), wanted)
        ]
        if not columns:
            raise IncompleteBoundaries(
                f"Le fichier {path.name} ne contient aucune des communes attendues.",
                f"Donnez un fichier de limites de communes ({_FORMATS}) qui couvre ce territoire.",
            )
        best = max(columns, key=lambda c: c.rank)
        fids = np.array(sorted(best.codes), dtype=np.int64)
        _, found, wkb, _ = pyogrio.raw.read(path, layer=best.layer, columns=[], fids=fids, return_fids=True)
    except (DataSourceError, DataLayerError, OSError, UnicodeDecodeError) as problem:
        raise UnreadableFile(
            f"Le fichier {path.name} n'a pas pu être lu comme un fichier de limites.",
            f"Il faut un fichier {_FORMATS}.",
        ) from problem
    return _assembled(path, best, found, wkb)


def _columns(path: Path, layer: str, wanted: frozenset[str]) -> list[_Column]:
    meta, fids, _, values = pyogrio.raw.read(path, layer=layer, read_geometry=False, return_fids=True)
    found = []
    for name, column in zip(meta["fields"], values, strict=True):
        codes = {int(f): c for f, v in zip(fids, column, strict=True) if (c := _code(v)) in wanted}
        if codes:
            found.append(_Column(layer, str(name), codes, len(fids), meta["crs"]))
    return found


def _code(value: object) -> str:
    """Return an INSEE code as text, from text or from a number without its leading zero."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, (int, np.integer)):
        return f"{int(value):05d}"
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return f"{int(value):05d}"
    return ""


def _assembled(
    path: Path, column: _Column, fids: NDArray[np.int64], wkb: NDArray[np.object_]
) -> BoundaryFile:
    # pyogrio reads the reference system only along with geometry; ask again where it is missing.
    declared = column.crs or pyogrio.read_info(path, layer=column.layer)["crs"]
    if not declared:
        raise UnreadableFile(
            f"Le fichier {path.name} ne dit pas dans quel système sont ses coordonnées.",
            "Joignez le fichier .prj, ou exportez-le en GeoPackage ou en GeoJSON.",
        )
    try:
        crs = CRS.from_user_input(declared)
        shapes = reproject(shapely.from_wkb(wkb), source=crs, target=WGS84)
    except CRSError as problem:
        raise UnreadableFile(
            f"Le fichier {path.name} emploie un système de coordonnées inconnu : {declared}.",
            "Exportez-le en Lambert-93 (EPSG:2154) ou en longitude et latitude (EPSG:4326).",
        ) from problem
    if np.isinf(shapely.bounds(shapes)).any():
        raise InvalidCrs(
            f"Les coordonnées du fichier {path.name} sont hors du système qu'il déclare ({crs.name}).",
            "Corrigez le système de coordonnées déclaré, ou exportez le fichier à nouveau.",
        )
    parts: dict[str, list[BaseGeometry]] = defaultdict(list)
    broken = set()
    for fid, shape in zip(fids, shapes, strict=True):
        code = column.codes[int(fid)]
        if shape is not None and not shape.is_valid:
            broken.add(code)
        parts[code].append(mended(shape))
    whole = {c: polygons_of(shapely.union_all(p) if len(p) > 1 else p[0]) for c, p in sorted(parts.items())}
    return BoundaryFile(
        layer=column.layer,
        column=column.name,
        crs=crs.name,
        boundaries={c: b for c, b in whole.items() if not b.is_empty},
        mended=tuple(sorted(broken)),
        elsewhere=column.rows - len(column.codes),
    )


def require_complete(path: Path, wanted: Collection[str], found: Collection[str]) -> None:
    """Raise if communes are missing from a file.

    Raises
    ------
    IncompleteBoundaries
        Naming the first that are missing.
    """
    missing = sorted(set(wanted) - set(found))
    if missing:
        first = ", ".join(missing[:10]) + (" …" if len(missing) > 10 else "")
        raise IncompleteBoundaries(
            f"Le fichier {path.name} n'a pas les limites de {len(missing)} communes "
            f"sur {len(set(wanted))} : {first}",
            "Prenez un fichier du même millésime que les communes, ou refaites le territoire "
            "(portee territory build) ; rien n'a été changé.",
        )


def with_boundaries(territory: Territory, path: Path) -> tuple[Territory, BoundaryReport]:
    """Return the territory with the boundaries of a file, and its groupings dissolved again.

    Neighbours the file also holds take theirs from it; the others keep their own, cut where the
    territory's new border runs over them.

    Raises
    ------
    UnreadableFile
        If the file is no boundary file or declares no reference system.
    IncompleteBoundaries
        If it misses a commune of the territory, or draws one under others.
    InvalidCrs
        If most communes land elsewhere than they lie: the reference system declared is wrong.
    """
    source = read(path, territory.commune_by_code)
    found = source.boundaries
    require_complete(path, territory.own_codes, found)
    _require_in_place(path, territory, found)
    tiles, tiling = tiled([found[c.code] for c in territory.communes], epsg=territory.metric_crs)
    communes = tuple(replace(c, boundary=b) for c, b in zip(territory.communes, tiles, strict=True))
    covered = [c.code for c in communes if c.boundary.is_empty]
    if covered:
        raise IncompleteBoundaries(
            f"Dans le fichier {path.name}, d'autres communes recouvrent entièrement : {', '.join(covered)}",
            "Le fichier est abîmé, ou ses codes sont mêlés ; rien n'a été changé.",
        )
    context = tuple(replace(c, boundary=found.get(c.code, c.boundary)) for c in territory.context)
    finer = replace(
        territory,
        communes=communes,
        context=_cut(context, communes),
        groupings=dissolve(communes, context),
        provenance=(
            *(p for p in territory.provenance if p.subject != SUBJECT),
            Provenance(SUBJECT, f"fichier {path.name}", "voir le fichier", "voir le fichier"),
        ),
    )
    return finer, BoundaryReport(
        file=path.name,
        layer=source.layer,
        column=source.column,
        crs=source.crs,
        matched=len(communes),
        neighbours=sum(c.code in found for c in context),
        elsewhere=source.elsewhere,
        mended=source.mended,
        overlap_m2=round(tiling.overlap_m2, 1),
        gap_m2=round(tiling.gap_m2, 1),
    )


def _require_in_place(path: Path, territory: Territory, found: dict[str, MultiPolygon]) -> None:
    moved = [c for c in territory.communes if not found[c.code].intersects(c.boundary)]
    if len(moved) * 2 > len(territory.communes):
        raise InvalidCrs(
            f"Dans le fichier {path.name}, {len(moved)} communes sont loin de leur place.",
            "Son système de coordonnées est sans doute mal déclaré ; rien n'a été changé.",
        )


def _cut(context: tuple[Commune, ...], communes: tuple[Commune, ...]) -> tuple[Commune, ...]:
    """Return the neighbours without the area that the territory covers."""
    outline = shapely.union_all([c.boundary for c in communes])
    shapely.prepare(outline)
    return tuple(
        replace(c, boundary=polygons_of(shapely.difference(c.boundary, outline)))
        if outline.intersects(c.boundary)
        else c
        for c in context
    )
