"""Read a line layer of roads (GeoJSON or GeoPackage), and the interchanges listed beside it."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS
from pyproj.exceptions import CRSError

from geo.crs import project, reproject
from geo.errors import InvalidCrs, UnreadableFile
from geo.reach.layer_attributes import (
    CLASS_QUESTIONS,
    COLUMNS,
    RoadAttributes,
    as_text,
    columns_of,
    road_attributes,
)
from geo.reach.profiles import Profiles

_FORMATS: Final = "GeoJSON ou GeoPackage de lignes (BD TOPO, export de SIG)"

_EXIT: Final = re.compile(r"\d+[A-Za-z]?")


def read_features(
    path: Path, epsg: int, profiles: Profiles, progress: Callable[[int, int], None] | None
) -> tuple[NDArray[np.object_], list[RoadAttributes]]:
    """Read the line layer of a file; of several, the one with most features.

    Parameters
    ----------
    epsg
        The metric CRS of the geometries returned.
    progress
        Called regularly with the number of features interpreted and their total.

    Returns
    -------
    Geometries and attributes, one of each per feature.

    Raises
    ------
    UnreadableFile
        If it has no line layer, is damaged or empty, declares no CRS, or has no column that gives
        the class of its roads.
    InvalidCrs
        If its coordinates do not fit the CRS it declares.
    """
    if not path.is_file():
        raise UnreadableFile(f"Le fichier {path} est introuvable.", "Vérifiez son nom et son dossier.")
    try:
        layers = [
            (pyogrio.read_info(path, layer=name), str(name))
            for name, geometry in pyogrio.list_layers(path)
            if geometry is not None and ("LineString" in geometry or geometry == "Unknown")
        ]
        if not layers:
            raise UnreadableFile(f"Le fichier {path.name} n'a aucune couche de lignes.", _advice())
        info, layer = max(layers, key=lambda found: found[0]["features"])
        columns = columns_of(info["fields"])
        if info["features"] and not any(name in columns for name in CLASS_QUESTIONS):
            raise UnreadableFile(
                f"Aucune colonne du fichier {path.name} ne dit la classe des routes "
                f"(colonnes : {', '.join(map(str, info['fields'])) or 'aucune'}).",
                "Il faut l'une de : NATURE (BD TOPO), CL_ADMIN, highway, class, ref, route, NUMERO.",
            )
        meta, _, wkb, values = pyogrio.raw.read(path, layer=layer, columns=list(columns.values()))
    except (DataSourceError, DataLayerError, OSError, UnicodeError) as problem:
        raise UnreadableFile(
            f"Le fichier {path.name} n'a pas pu être lu comme une couche de routes : il est tronqué, "
            "abîmé ou d'un autre format.",
            _advice(),
        ) from problem
    if not len(wkb):
        raise UnreadableFile(f"La couche {layer} du fichier {path.name} est vide.", _advice())
    shapes = _projected(path, shapely.force_2d(shapely.from_wkb(wkb)), info["crs"], epsg)
    by_field = dict(zip(meta["fields"], values, strict=True))
    answers = [by_field[columns[name]] if name in columns else None for name in COLUMNS]
    known: dict[tuple[str, ...], RoadAttributes] = {}
    roads = []
    for row in range(len(wkb)):
        key = tuple("" if column is None else as_text(column[row]) for column in answers)
        if key not in known:
            known[key] = road_attributes(dict(zip(COLUMNS, key, strict=True)), profiles)
        roads.append(known[key])
        if progress and row % 10_000 == 0:
            progress(row, len(wkb))
    if progress:
        progress(len(roads), len(roads))
    return shapes, roads


def _advice() -> str:
    return f"Donnez un fichier {_FORMATS}, entier."


def _projected(
    path: Path, shapes: NDArray[np.object_], declared: str | None, epsg: int
) -> NDArray[np.object_]:
    if not declared:
        raise UnreadableFile(
            f"Le fichier {path.name} ne dit pas dans quel système sont ses coordonnées.",
            "Exportez-le à nouveau en déclarant son système (EPSG:2154 ou EPSG:4326).",
        )
    try:
        crs = CRS.from_user_input(declared)
        projected = reproject(shapes, source=crs, target=epsg)
    except CRSError as problem:
        raise UnreadableFile(
            f"Le fichier {path.name} emploie un système de coordonnées inconnu : {declared}.",
            "Exportez-le en Lambert-93 (EPSG:2154) ou en longitude et latitude (EPSG:4326).",
        ) from problem
    if np.isinf(shapely.get_coordinates(projected)).any():
        raise InvalidCrs(
            f"Les coordonnées du fichier {path.name} sont hors du système qu'il déclare ({crs.name}).",
            "Corrigez le système de coordonnées déclaré, ou exportez le fichier à nouveau.",
        )
    return projected


def read_interchanges(path: Path, epsg: int) -> NDArray[np.float64]:
    """Read the motorway exits listed in the waypoints file beside a layer.

    Returns
    -------
    Points labelled with an exit number, shape (n, 2), metric CRS; none without that file.

    Raises
    ------
    UnreadableFile
        If the file cannot be read, lacks a column, or has a coordinate that is not a number.
    """
    beside = path.with_name(f"{path.stem}-waypoints.csv")
    if not beside.is_file():
        return np.empty((0, 2))
    try:
        with beside.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream)
            missing = {"libelle", "lat", "lon"} - set(rows.fieldnames or ())
            if missing:
                raise UnreadableFile(
                    f"Le fichier {beside.name} n'a pas de colonne {', '.join(sorted(missing))}.",
                    "Il faut les colonnes libelle, lat et lon ; sinon, ôtez ce fichier.",
                )
            points = [
                (_degrees(row, "lon", beside, rows), _degrees(row, "lat", beside, rows))
                for row in rows
                if _EXIT.fullmatch(row["libelle"] or "")
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise UnreadableFile(
            f"Le fichier {beside.name}, à côté de la couche, n'a pas pu être lu : {problem}.",
            "Corrigez-le, ou ôtez-le : il ne sert qu'à raccorder les autoroutes.",
        ) from problem
    degrees = np.array(points, dtype=np.float64).reshape(-1, 2)
    return project(degrees[:, 0], degrees[:, 1], epsg)


def _degrees(row: dict[str, str], field: str, beside: Path, rows: csv.DictReader[str]) -> float:
    try:
        return float(row[field])
    except (TypeError, ValueError):
        raise UnreadableFile(
            f"Dans le fichier {beside.name}, ligne {rows.line_num}, {field} n'est pas un nombre : "
            f"« {row[field] or ''} ».",
            "Écrivez des degrés décimaux, avec un point.",
        ) from None
