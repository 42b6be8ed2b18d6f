"""Take finer official boundaries from a file: Etalab or IGN GeoJSON, ADMIN EXPRESS GeoPackage or Shapefile.

The layer and the column of codes are found by content, not by name: the polygon layer and the
column that hold most of the territory's INSEE codes. Codes decide who is who; a commune in
several rows (IRIS, islands) is the union of them, and so is a commune of today of the former communes
of an older file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
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
from geo.territory.coverage_check import absorbed, alike, uncovered
from geo.territory.former_communes import FormerCommunes
from geo.territory.groupings import dissolve
from geo.territory.model import Commune, Provenance, Territory
from geo.territory.tiling import mended, polygons_of, tiled
from geo.wording import figures

SUBJECT: Final = "Limites des communes"

_USUAL_COLUMNS = ("insee_com", "code_insee", "code", "insee", "codgeo", "code_commune", "depcom")
_FORMATS = "GeoJSON, GeoPackage ou Shapefile, avec le code INSEE de chaque commune"
_NAMED = 10
_DRAWN_TWICE = 0.95
"""Share of a former commune within the shape of today's beyond which it adds nothing to it."""


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
    united
        Commune of today → codes of the file whose shapes were united into it, former communes among them.
    not_replaced
        Neighbours whose shape in the file is not that of today and was left out.
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
    united: dict[str, tuple[str, ...]]
    not_replaced: tuple[str, ...]
    mended: tuple[str, ...]
    overlap_m2: float
    gap_m2: float


@dataclass(frozen=True)
class BoundaryFile:
    """Boundaries read from a file, by INSEE code of today: WGS 84, valid, not yet tiled.

    `united` is as in `BoundaryReport`.
    """

    layer: str
    column: str
    crs: str
    boundaries: dict[str, MultiPolygon]
    united: dict[str, tuple[str, ...]] = field(default_factory=dict)
    mended: tuple[str, ...] = field(default=())
    elsewhere: int = 0


@dataclass(frozen=True, slots=True)
class _Column:
    """A column with some of the codes, the rows that have them, and the communes of today they belong to."""

    layer: str
    name: str
    codes: dict[int, str]
    today: frozenset[str]
    rows: int
    crs: str | None

    @property
    def rank(self) -> tuple[int, bool, int]:
        """Return the sort key: most communes first, then a usual name, then fewest rows per commune."""
        return (len(self.today), self.name.lower() in _USUAL_COLUMNS, -len(self.codes))


def read(path: Path, codes: Collection[str], former: FormerCommunes = FormerCommunes()) -> BoundaryFile:
    """Read the boundaries of the given communes; only their shapes are loaded.

    Parameters
    ----------
    codes
        INSEE codes wanted, of communes of today.
    former
        Register of former communes: their shapes are united into that of the commune of today.

    Raises
    ------
    UnreadableFile
        If it is no boundary file, or declares no reference system.
    IncompleteBoundaries
        If no column holds any of the codes.
    InvalidCrs
        If its coordinates cannot be of the reference system it declares.
    """
    today = {code: code for code in codes}
    today |= {e.code: e.commune for e in former.entries if e.commune in today}
    try:
        columns = [
            column
            for layer, geometry in pyogrio.list_layers(path)
            if geometry is not None and ("Polygon" in geometry or geometry == "Unknown")
            for column in _columns(path, str(layer), today)
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
    return _assembled(path, best, today, found, wkb)


def _columns(path: Path, layer: str, today: Mapping[str, str]) -> list[_Column]:
    meta, fids, _, values = pyogrio.raw.read(path, layer=layer, read_geometry=False, return_fids=True)
    found = []
    for name, column in zip(meta["fields"], values, strict=True):
        codes = {int(f): c for f, v in zip(fids, column, strict=True) if (c := _code(v)) in today}
        if codes:
            communes = frozenset(today[c] for c in codes.values())
            found.append(_Column(layer, str(name), codes, communes, len(fids), meta["crs"]))
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
    path: Path,
    column: _Column,
    today: Mapping[str, str],
    fids: NDArray[np.int64],
    wkb: NDArray[np.object_],
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
    shapes_by_code = {c: polygons_of(shapely.union_all(p) if len(p) > 1 else p[0]) for c, p in parts.items()}
    boundaries, united = _united({c: b for c, b in shapes_by_code.items() if not b.is_empty}, today)
    return BoundaryFile(
        layer=column.layer,
        column=column.name,
        crs=crs.name,
        boundaries=boundaries,
        united=united,
        mended=tuple(sorted(broken)),
        elsewhere=column.rows - len(column.codes),
    )


def _united(
    shapes: Mapping[str, MultiPolygon], today: Mapping[str, str]
) -> tuple[dict[str, MultiPolygon], dict[str, tuple[str, ...]]]:
    """Return the boundary of each commune of today, and the codes united where there are former ones."""
    codes: dict[str, list[str]] = defaultdict(list)
    for code in sorted(shapes):
        codes[today[code]].append(code)
    boundaries, united = {}, {}
    for commune, members in sorted(codes.items()):
        own = shapes.get(commune)
        # A file may draw a delegated commune besides the commune of today that contains it.
        used = [c for c in members if c == commune or own is None or not _drawn_twice(shapes[c], own)]
        boundaries[commune] = polygons_of(shapely.union_all([shapes[c] for c in used]))
        if used != [commune]:
            united[commune] = tuple(used)
    return boundaries, united


def _drawn_twice(part: MultiPolygon, whole: MultiPolygon) -> bool:
    return bool(shapely.intersection(part, whole).area >= _DRAWN_TWICE * part.area)


def require_complete(path: Path, wanted: Collection[str], found: Collection[str]) -> None:
    """Raise if communes are missing from a file.

    Raises
    ------
    IncompleteBoundaries
        Naming the first that are missing.
    """
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise IncompleteBoundaries(
            f"Le fichier {path.name} n'a pas les limites de {len(missing)} communes "
            f"sur {len(set(wanted))} : {_named(missing)}",
            "Prenez un fichier du même millésime que les communes, ou refaites le territoire "
            "(portee territory build) ; rien n'a été changé.",
        )


def fitted(
    path: Path,
    found: Mapping[str, MultiPolygon],
    known: Mapping[str, MultiPolygon],
    own: Collection[str],
    *,
    epsg: int,
) -> tuple[dict[str, MultiPolygon], tuple[str, ...]]:
    """Return the boundaries of a file that are those of communes of today, and the neighbours left out.

    Parameters
    ----------
    found
        Boundaries of the file, by INSEE code of today, WGS 84.
    known
        Boundaries of the territory and its neighbours so far, by INSEE code, WGS 84.
    own
        INSEE codes of the territory's own communes.
    epsg
        Metric CRS of the territory.

    Raises
    ------
    IncompleteBoundaries
        If the file draws a commune of today inside one of the territory: it dates from before the two
        were separated.
    """
    absent = {code: boundary for code, boundary in known.items() if code not in found}
    inside = absorbed(absent, found, epsg=epsg)
    joined = {code: into for code, into in inside.items() if code in own or into in own}
    if joined:
        raise IncompleteBoundaries(
            f"Dans le fichier {path.name}, {len(joined)} communes d'aujourd'hui sont encore réunies à une "
            f"autre : {_named([f'{code} (dans {into})' for code, into in sorted(joined.items())])}.",
            "Ce fichier date d'avant leur séparation : prenez-en un plus récent ; rien n'a été changé.",
        )
    too_large = set(inside.values())
    not_replaced = tuple(
        code
        for code in sorted(found.keys() - own)
        if code in too_large or (code in known and not alike(found[code], known[code]))
    )
    return {code: boundary for code, boundary in found.items() if code not in not_replaced}, not_replaced


def require_covered(
    path: Path,
    before: Mapping[str, MultiPolygon],
    after: Collection[MultiPolygon],
    former: FormerCommunes,
    *,
    epsg: int,
) -> None:
    """Raise if the new boundaries of a territory leave ground without a commune.

    Parameters
    ----------
    before, after
        Boundaries of the territory's own communes, so far (by INSEE code) and from the file, WGS 84.

    Raises
    ------
    IncompleteBoundaries
        Naming the communes that lose most, and the former communes whose shapes may be missing.
    """
    lost = uncovered(before, after, epsg=epsg)
    if not lost:
        return
    parts = sorted({code for commune in lost for code in former.codes_of.get(commune, ())})
    named = _named([f"{code} ({figures.exact(round(area / 1e6, 2))} km²)" for code, area in lost.items()])
    raise IncompleteBoundaries(
        f"Avec le fichier {path.name}, une partie de {len(lost)} communes n'est plus dans aucune : {named}.",
        "Ce fichier est plus ancien que les communes, ou incomplet"
        + (f" (anciennes communes attendues : {_named(parts)})" if parts else "")
        + " : prenez un fichier du même millésime que les communes"
        + ("" if former.entries else ", ou refaites le territoire pour avoir la liste des anciennes communes")
        + " ; rien n'a été changé.",
    )


def _named(texts: Collection[str]) -> str:
    return ", ".join(list(texts)[:_NAMED]) + (" …" if len(texts) > _NAMED else "")


def with_boundaries(
    territory: Territory, path: Path, former: FormerCommunes = FormerCommunes()
) -> tuple[Territory, BoundaryReport]:
    """Return the territory with the boundaries of a file, and its groupings dissolved again.

    Former communes of an older file are united into those of today. Neighbours the file also holds take
    their boundary from it; the others keep their own, cut where the territory's new border runs over them.

    Parameters
    ----------
    former
        Register of former communes.

    Raises
    ------
    UnreadableFile
        If the file is no boundary file or declares no reference system.
    IncompleteBoundaries
        If it misses a commune of the territory, draws one under others or inside another, or leaves
        ground of the territory without a commune.
    InvalidCrs
        If most communes land elsewhere than they lie: the reference system declared is wrong.
    """
    source = read(path, territory.commune_by_code, former)
    known = {code: commune.boundary for code, commune in territory.commune_by_code.items()}
    epsg = territory.metric_crs
    found, not_replaced = fitted(path, source.boundaries, known, territory.own_codes, epsg=epsg)
    require_complete(path, territory.own_codes, found)
    _require_in_place(path, territory, found)
    tiles, tiling = tiled([found[c.code] for c in territory.communes], epsg=epsg)
    communes = tuple(replace(c, boundary=b) for c, b in zip(territory.communes, tiles, strict=True))
    covered = [c.code for c in communes if c.boundary.is_empty]
    if covered:
        raise IncompleteBoundaries(
            f"Dans le fichier {path.name}, d'autres communes recouvrent entièrement : {', '.join(covered)}",
            "Le fichier est abîmé, ou ses codes sont mêlés ; rien n'a été changé.",
        )
    before = {c.code: c.boundary for c in territory.communes}
    require_covered(path, before, tiles, former, epsg=epsg)
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
        united={commune: codes for commune, codes in source.united.items() if commune in found},
        not_replaced=not_replaced,
        mended=source.mended,
        overlap_m2=round(tiling.overlap_m2, 1),
        gap_m2=round(tiling.gap_m2, 1),
    )


def _require_in_place(path: Path, territory: Territory, found: Mapping[str, MultiPolygon]) -> None:
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
