"""Line layers read as roads: GeoJSON or GeoPackage, with the attributes of BD TOPO or simpler ones.

Lines meet where their ends, or vertices they share, coincide; not where they merely cross.
Attributes recognised, and what is made of them: docs/roads.md.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS
from pyproj.exceptions import CRSError
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from geo.crs import WGS84, project, reproject
from geo.errors import InvalidCrs, UnreadableFile
from geo.reach.modes import Mode
from geo.reach.profiles import Profiles
from geo.reach.road_lines import RoadLines
from geo.sites.text import fold

SNAP_M: Final = 1.0
"""Ends no farther apart are one junction, metres."""

JOIN_WITHIN_M: Final = 1_500.0
"""Longest connector between an interchange of a motorway drawn apart and the nearest road, metres."""

NO_GEOMETRY: Final = "features without a line"
NO_LENGTH: Final = "lines of no length"
DRAWN_TWICE: Final = "lines drawn over another"
ELSEWHERE: Final = "lines outside the area"
FERRY: Final = "ferries"
NOT_IN_SERVICE: Final = "roads not in service"
NO_CLASS: Final = "lines whose class of road is not told"
UNKNOWN_CLASS: Final = "lines of a class that is no road"
CLOSED: Final = "roads closed to every mode"

_FORMATS: Final = "GeoJSON ou GeoPackage de lignes (BD TOPO, export de SIG)"

_COLUMNS: Final = {
    "class": ("highway", "class", "fclass", "classe"),
    "nature": ("nature",),
    "importance": ("importance",),
    "admin": ("cl_admin", "cpx_classement_administratif"),
    "ref": ("ref", "route", "numero", "cpx_numero", "num_route"),
    "direction": ("oneway", "sens_de_circulation", "sens"),
    "speed": ("vitesse_moyenne_vl", "vit_moy_vl"),
    "limit": ("maxspeed", "vitesse_max"),
    "access": ("acces_vehicule_leger", "acces_vl"),
    "level": ("position_par_rapport_au_sol", "pos_sol", "layer"),
    "urban": ("urbain",),
    "state": ("etat_de_l_objet", "etat"),
    "bridge": ("bridge",),
    "tunnel": ("tunnel",),
}
"""What is asked of a feature → columns that tell it, whatever their case, first found first."""

_TELLS_CLASS: Final = ("class", "nature", "admin", "ref")

_NATURES: Final = {
    "autoroute": "motorway",
    "type autoroutier": "motorway",
    "quasi autoroute": "trunk",
    "bretelle": "motorway_link",
    "route empierree": "track",
    "piste cyclable": "cycleway",
}
"""Kinds of BD TOPO, folded, that are one class; « chemin », « sentier », « escalier » are in the profiles."""

_BY_IMPORTANCE: Final = {"1": "primary", "2": "primary", "3": "secondary", "4": "tertiary", "6": "service"}
_CARRIAGEWAYS: Final = re.compile(r"route a [12] chaussees?|rond point|giratoire|carrefour")
_REF: Final = re.compile(r"(?:R?([AND])|V?(C)|R?([MT]))[ -]?\d", re.IGNORECASE)
_METRES_PER_MILE: Final = 1_609.344
_LIMIT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(km/?h|mph)?", re.IGNORECASE)

_FORTH: Final = {"direct", "sens direct", "yes", "true", "1"}
_BACK: Final = {"inverse", "sens inverse", "-1", "reverse"}
_SHUT_TO_CARS: Final = {"physiquement impossible", "restreint aux ayants droit"}
_YES: Final = {"1", "1.0", "t", "true", "yes", "oui", "o"}
_NO: Final = {"", "0", "0.0", "f", "false", "no", "non", "n"}
_LEAST_SPEED_TOLD: Final = 5.0
"""BD TOPO writes 0 or 1 km/h where cars do not go; access says so, not the speed."""

_EXIT: Final = re.compile(r"\d+[A-Za-z]?")


@dataclass(frozen=True)
class LayerLines(RoadLines):
    """Roads of a line layer.

    `features` is how many the layer holds: each is kept, in part at least, or counted in
    `dropped`. `connectors` is how many pieces were added at interchanges.
    """

    features: int = 0
    connectors: int = 0


@dataclass(frozen=True, slots=True)
class _RoadAttributes:
    """What the attributes of a feature say of it, or why it is no road.

    `rank` is that of its class in the profiles; `kmh` holds, for each mode in order, speeds forth
    and back (0: closed).
    """

    rank: int = 0
    kmh: tuple[tuple[float, float], ...] = ()
    level: int = 0
    reachable: bool = True
    refused: str = ""


@dataclass(frozen=True)
class _Vertices:
    """All vertices of all lines, in the lines' order; `line` and `node` tell whose and which they are."""

    xy: NDArray[np.float64]
    line: NDArray[np.intp]
    node: NDArray[np.intp]
    is_split: NDArray[np.bool_]


@dataclass(frozen=True)
class _Pieces:
    """Runs of vertices between two junctions, ends included: rows of `_Vertices`, line, nodes, metres."""

    first: NDArray[np.intp]
    last: NDArray[np.intp]
    line: NDArray[np.intp]
    end_a: NDArray[np.intp]
    end_b: NDArray[np.intp]
    metres: NDArray[np.float64]

    def only(self, kept: NDArray[np.bool_]) -> _Pieces:
        return _Pieces(**{name: values[kept] for name, values in vars(self).items()})


def read_layer(
    path: Path,
    *,
    epsg: int,
    bounds: BaseGeometry | None,
    profiles: Profiles,
    snap_m: float = SNAP_M,
    join_within_m: float = JOIN_WITHIN_M,
    progress: Callable[[int, int], None] | None = None,
) -> LayerLines:
    """Read the line layer of a file; of several, the one with most features.

    A motorway that no other road meets is joined at its interchanges, when a file of waypoints
    beside the layer (`<name>-waypoints.csv`: `libelle`, `lat`, `lon`) labels them with exit
    numbers: each gets a connector, at the speed of a ramp, to the nearest vertex of another road.

    Parameters
    ----------
    epsg
        The metric CRS to measure in.
    bounds
        What to keep: pieces of road that touch this area (WGS 84); None for all.
    snap_m
        Ends no farther from another end or vertex meet it, metres.
    join_within_m
        Longest connector at an interchange, metres.
    progress
        Called now and then with how many features are read, and how many there are.

    Raises
    ------
    UnreadableFile
        If it is no line layer, is damaged or empty, declares no reference system, tells nothing of
        the class of its roads, or has none in the area.
    InvalidCrs
        If its coordinates cannot be of the reference system it declares.
    """
    shapes, roads = _read(path, epsg, profiles, progress)
    features = len(roads)
    area = None if bounds is None else reproject([bounds], source=WGS84, target=epsg)[0]
    refused = np.array([road.refused for road in roads], dtype=object)
    is_line = np.isin(shapely.get_type_id(shapes), (1, 5)) & ~shapely.is_empty(shapes)
    refused[~is_line] = NO_GEOMETRY
    if area is not None:
        shapely.prepare(area)
        refused[(refused == "") & ~shapely.intersects(area, shapes)] = ELSEWHERE
    kept = np.flatnonzero(refused == "")
    if not len(kept):
        raise _nothing(path, Counter(refused.tolist()))
    parts, feature = shapely.get_parts(shapes[kept], return_index=True)
    of_line = [roads[row] for row in kept[feature]]
    vertices = _noded(parts, np.array([road.level for road in of_line]), snap_m)
    ramps = _joined(
        vertices, of_line, _interchanges(path, epsg), snap_m=snap_m, within_m=join_within_m, profiles=profiles
    )
    vertices.is_split[ramps.ravel()] = True
    pieces = _pieces(vertices, 2 * snap_m)
    refused[kept] = NO_LENGTH
    refused[kept[feature[pieces.line]]] = DRAWN_TWICE
    pieces = pieces.only(_drawn_once(pieces, of_line))
    refused[kept[feature[pieces.line]]] = ELSEWHERE
    if area is not None:
        pieces = pieces.only(shapely.intersects(area, _shapes(vertices, pieces)))
    refused[kept[feature[pieces.line]]] = ""
    dropped = Counter(reason for reason in refused.tolist() if reason)
    if not len(pieces.line):
        raise _nothing(path, dropped)
    lines = _lines(vertices, of_line, pieces, ramps, profiles, epsg)
    return LayerLines(
        **vars(lines) | {"dropped": dict(sorted(dropped.items()))}, features=features, connectors=len(ramps)
    )


def _read(
    path: Path, epsg: int, profiles: Profiles, progress: Callable[[int, int], None] | None
) -> tuple[NDArray[np.object_], list[_RoadAttributes]]:
    """Geometries in the metric CRS and what the attributes say, one each for every feature."""
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
        columns = _columns(info["fields"])
        if info["features"] and not any(name in columns for name in _TELLS_CLASS):
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
    asked = [by_field[columns[name]] if name in columns else None for name in _COLUMNS]
    known: dict[tuple[str, ...], _RoadAttributes] = {}
    roads = []
    for row in range(len(wkb)):
        told = tuple("" if column is None else _text(column[row]) for column in asked)
        if told not in known:
            known[told] = _road(dict(zip(_COLUMNS, told, strict=True)), profiles)
        roads.append(known[told])
        if progress and row % 10_000 == 0:
            progress(row, len(wkb))
    if progress:
        progress(len(roads), len(roads))
    return shapes, roads


def _advice() -> str:
    return f"Donnez un fichier {_FORMATS}, entier."


def _nothing(path: Path, refused: Counter[str]) -> UnreadableFile:
    """The error of a layer of which nothing is kept: in the wrong place, or not of roads."""
    total = refused.total()
    if refused[ELSEWHERE]:
        return UnreadableFile(
            f"Aucune des {total} lignes du fichier {path.name} n'est une route du territoire et de sa marge "
            f"({refused[ELSEWHERE]} sont ailleurs).",
            "Prenez l'extrait de ce département, ou vérifiez le système de coordonnées du fichier.",
        )
    reasons = ", ".join(f"{reason}: {count}" for reason, count in sorted(refused.items()))
    return UnreadableFile(
        f"Aucune des {total} lignes du fichier {path.name} n'est une route praticable ({reasons}).",
        "Vérifiez la colonne qui dit la classe des routes.",
    )


def _columns(fields: Sequence[str]) -> dict[str, str]:
    """What is asked → the layer's column that tells it."""
    found = {str(field).casefold(): str(field) for field in reversed(fields)}
    return {
        name: next(found[column] for column in columns if column in found)
        for name, columns in _COLUMNS.items()
        if not found.keys().isdisjoint(columns)
    }


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
        moved = reproject(shapes, source=crs, target=epsg)
    except CRSError as problem:
        raise UnreadableFile(
            f"Le fichier {path.name} emploie un système de coordonnées inconnu : {declared}.",
            "Exportez-le en Lambert-93 (EPSG:2154) ou en longitude et latitude (EPSG:4326).",
        ) from problem
    if np.isinf(shapely.get_coordinates(moved)).any():
        raise InvalidCrs(
            f"Les coordonnées du fichier {path.name} sont hors du système qu'il déclare ({crs.name}).",
            "Corrigez le système de coordonnées déclaré, ou exportez le fichier à nouveau.",
        )
    return moved


def _text(value: Any) -> str:
    """A cell as text; "" where it tells nothing."""
    if value is None or (isinstance(value, float | np.floating) and np.isnan(value)):
        return ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def _road(told: dict[str, str], profiles: Profiles) -> _RoadAttributes:
    """What one set of attributes says of a road."""
    nature = fold(told["nature"])
    if nature.startswith("bac ") or told["class"] == "ferry":
        return _RoadAttributes(refused=FERRY)
    if fold(told["state"]) not in ("", "en service"):
        return _RoadAttributes(refused=NOT_IN_SERVICE)
    road_class = _class(told, nature, profiles)
    if not road_class:
        return _RoadAttributes(refused=UNKNOWN_CLASS if told["class"] or nature else NO_CLASS)
    direction = told["direction"].casefold()
    kmh = []
    for mode in Mode:
        speed = _speed(mode, road_class, told, profiles)
        both_ways = mode is Mode.FOOT
        kmh.append(
            (
                speed if both_ways or direction not in _BACK else 0.0,
                speed if both_ways or direction not in _FORTH else 0.0,
            )
        )
    if not any(forth or back for forth, back in kmh):
        return _RoadAttributes(refused=CLOSED)
    level = int(told["level"]) if re.fullmatch(r"-?\d", told["level"]) else 0
    carried = level or told["bridge"].casefold() not in _NO or told["tunnel"].casefold() not in _NO
    return _RoadAttributes(
        rank=profiles.rank(road_class),
        kmh=tuple(kmh),
        level=level,
        reachable=not (carried or road_class.removesuffix("_link") == "motorway"),
    )


def _class(told: dict[str, str], nature: str, profiles: Profiles) -> str:
    """The profiles' class of a road; "" where the attributes tell none."""
    if told["class"]:
        return _known(told["class"].casefold(), profiles)
    if _CARRIAGEWAYS.fullmatch(nature):
        if told["importance"] == "1" and nature.startswith("route a 2"):
            return "trunk"
        local = "residential" if told["urban"].casefold() in _YES else "unclassified"
        return _BY_IMPORTANCE.get(told["importance"], local)
    if nature:
        return _NATURES.get(nature) or _known(nature, profiles)
    if admin := _known(fold(told["admin"]), profiles):
        return admin
    numbered = _REF.match(told["ref"])
    if not numbered:
        return ""
    letter = next(filter(None, numbered.groups())).upper()
    return profiles.road_class("D" if letter in "MT" else letter)


def _known(name: str, profiles: Profiles) -> str:
    road_class = profiles.road_class(name)
    return road_class if any(road_class in profiles[mode].speed_kmh for mode in Mode) else ""


def _speed(mode: Mode, road_class: str, told: dict[str, str], profiles: Profiles) -> float:
    if mode is not Mode.CAR:
        return profiles.speed_kmh(mode, road_class)
    if fold(told["access"]) in _SHUT_TO_CARS:
        return 0.0
    speed = profiles.speed_kmh(
        mode,
        road_class,
        limit_kmh=_limit(told["limit"], profiles),
        built_up=told["urban"].casefold() in _YES,
    )
    measured = _LIMIT.fullmatch(told["speed"])
    if speed and measured and float(measured[1]) >= _LEAST_SPEED_TOLD:
        return float(measured[1])
    return speed


def _limit(text: str, profiles: Profiles) -> float | None:
    """A posted limit in km/h: "50", "50 km/h", "30 mph", "FR:urban"; None where it is not one."""
    if found := _LIMIT.fullmatch(text):
        limit = float(found[1])
        if limit <= 0:
            return None
        return limit * _METRES_PER_MILE / 1_000 if (found[2] or "").casefold() == "mph" else limit
    words = text.partition(":")[2] or text
    return profiles.limits_kmh.get(words)


def _noded(parts: NDArray[np.object_], level: NDArray[np.intp], snap_m: float) -> _Vertices:
    """Find which vertices are one junction, and move them onto one point.

    Vertices of one level at the same centimetre coincide; an end also meets whatever lies within
    `snap_m` of it, on another level only another end (a bridge begins where a road ends).
    """
    xy, line = shapely.get_coordinates(parts, return_index=True)
    cell = np.rint(xy * 100).astype(np.int64)
    cell -= cell.min(axis=0)
    above = (level - level.min())[line]
    key = (cell[:, 0] * (cell[:, 1].max() + 1) + cell[:, 1]) * (above.max() + 1) + above
    new = np.ones(len(xy), dtype=bool)
    new[1:] = (key[1:] != key[:-1]) | (line[1:] != line[:-1])
    xy, line, key = xy[new], line[new], key[new]
    _, first, spot = np.unique(key, return_index=True, return_inverse=True)
    is_end = np.ones(len(xy), dtype=bool)
    is_end[1:-1] = (line[1:-1] != line[:-2]) | (line[1:-1] != line[2:])
    ends_here = np.zeros(len(first), dtype=bool)
    ends_here[spot[is_end]] = True
    near = cKDTree(xy[first]).query_pairs(snap_m, output_type="ndarray")
    same_level = level[line[first[near[:, 0]]]] == level[line[first[near[:, 1]]]]
    ends = ends_here[near]
    near = near[np.where(same_level, ends.any(axis=1), ends.all(axis=1))]
    count, node_of_spot = _components(near, len(first))
    node = node_of_spot[spot]
    meets = np.bincount(node, minlength=count) > 1
    meets[node_of_spot[ends_here]] = True
    is_split = meets[node]
    place = np.empty((count, 2))
    place[node_of_spot[::-1]] = xy[first[::-1]]
    return _Vertices(np.where(is_split[:, None], place[node], xy), line, node, is_split)


def _components(pairs: NDArray[np.intp], size: int) -> tuple[int, NDArray[np.intp]]:
    links = coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    count, label = connected_components(links.tocsr(), directed=False)
    return int(count), label.astype(np.intp)


def _interchanges(path: Path, epsg: int) -> NDArray[np.float64]:
    """Points that the file of waypoints beside a layer labels with an exit number, shape (n, 2), metres."""
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


def _joined(
    vertices: _Vertices,
    of_line: Sequence[_RoadAttributes],
    interchanges: NDArray[np.float64],
    *,
    snap_m: float,
    within_m: float,
    profiles: Profiles,
) -> NDArray[np.intp]:
    """Vertices to connect, shape (n, 2): an interchange of a motorway drawn apart, and the nearest road.

    A motorway is apart when nothing but motorway can be reached along its lines.
    """
    if not len(interchanges):
        return np.empty((0, 2), dtype=np.intp)
    motorway = np.array([r.rank == profiles.ranks["motorway"] for r in of_line])
    served = np.array([max(r.kmh[0]) > 0 for r in of_line]) & ~motorway
    if not motorway.any() or not served.any():
        return np.empty((0, 2), dtype=np.intp)
    lines = len(of_line)
    meeting = np.column_stack([vertices.line, lines + vertices.node])[vertices.is_split]
    count, component = _components(meeting, lines + int(vertices.node.max()) + 1)
    apart = np.ones(count, dtype=bool)
    apart[component[:lines][~motorway]] = False
    on_apart = np.flatnonzero(apart[component[vertices.line]])
    roadside = np.flatnonzero(served[vertices.line])
    if not len(on_apart):
        return np.empty((0, 2), dtype=np.intp)
    gap, at = cKDTree(vertices.xy[on_apart]).query(interchanges)
    exits = on_apart[np.unique(at[gap <= snap_m])]
    # Two lines of one motorway may meet at an exit: it is one.
    _, first = np.unique(vertices.node[exits], return_index=True)
    exits = exits[first]
    away, to = cKDTree(vertices.xy[roadside]).query(vertices.xy[exits])
    return np.asarray(np.column_stack([exits, roadside[to]])[away <= within_m], dtype=np.intp)


def _pieces(vertices: _Vertices, shortest_loop_m: float) -> _Pieces:
    """Cut lines at junctions; what begins and ends at one, and is shorter than a loop, is no road."""
    cut = np.flatnonzero(vertices.is_split)
    follows = vertices.line[cut[1:]] == vertices.line[cut[:-1]]
    first, last = cut[:-1][follows], cut[1:][follows]
    travelled = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(vertices.xy, axis=0).T))])
    pieces = _Pieces(
        first=first,
        last=last,
        line=vertices.line[first],
        end_a=vertices.node[first],
        end_b=vertices.node[last],
        metres=travelled[last] - travelled[first],
    )
    return pieces.only((pieces.end_a != pieces.end_b) | (pieces.metres > shortest_loop_m))


def _drawn_once(pieces: _Pieces, of_line: Sequence[_RoadAttributes]) -> NDArray[np.bool_]:
    """Of straight pieces between the same junctions, open to the same, only the one of highest rank.

    Roads that run together for a while bear two numbers, and are drawn twice.
    """
    rank = np.array([road.rank for road in of_line])[pieces.line]
    forth = np.array([[kmh[0] > 0 for kmh in road.kmh] for road in of_line])[pieces.line]
    back = np.array([[kmh[1] > 0 for kmh in road.kmh] for road in of_line])[pieces.line]
    turned = pieces.end_a > pieces.end_b
    ways = np.where(turned[:, None], np.hstack([back, forth]), np.hstack([forth, back]))
    same = np.column_stack(
        [
            np.minimum(pieces.end_a, pieces.end_b),
            np.maximum(pieces.end_a, pieces.end_b),
            np.packbits(ways, axis=1),
        ]
    )
    order = np.lexsort((rank, *same.T[::-1]))
    repeated = np.zeros(len(order), dtype=bool)
    straight = (pieces.last - pieces.first == 1)[order]
    repeated[1:] = (same[order][1:] == same[order][:-1]).all(axis=1) & straight[1:] & straight[:-1]
    once = np.empty(len(order), dtype=bool)
    once[order] = ~repeated
    return once


def _shapes(vertices: _Vertices, pieces: _Pieces) -> NDArray[np.object_]:
    start, points = _spans(pieces.first, pieces.last)
    of_piece = np.repeat(np.arange(len(pieces.first)), np.diff(start))
    return np.asarray(shapely.linestrings(vertices.xy[points], indices=of_piece), dtype=object)


def _lines(
    vertices: _Vertices,
    of_line: Sequence[_RoadAttributes],
    pieces: _Pieces,
    ramps: NDArray[np.intp],
    profiles: Profiles,
    epsg: int,
) -> RoadLines:
    """Pieces as a reader yields them, with what is lost at junctions; connectors come last."""
    away, to = ramps.T
    ramp_metres = np.hypot(*(vertices.xy[away] - vertices.xy[to]).T)
    end_a = np.concatenate([pieces.end_a, vertices.node[away]])
    end_b = np.concatenate([pieces.end_b, vertices.node[to]])
    metres = np.concatenate([pieces.metres, ramp_metres])
    ranks = np.array([road.rank for road in of_line])[pieces.line]
    rank = np.concatenate([ranks, np.full(len(ramps), profiles.lowest_rank)])
    open_road = np.array([road.reachable for road in of_line])[pieces.line]
    seconds, reachable = {}, {}
    for place, mode in enumerate(Mode):
        on_piece = np.array([road.kmh[place] for road in of_line])[pieces.line]
        on_ramp = np.full((len(ramps), 2), profiles.speed_kmh(mode, "motorway_link"))
        kmh = np.concatenate([on_piece, on_ramp])
        with np.errstate(divide="ignore"):
            along = metres[:, None] * 3.6 / kmh
        seconds[mode] = (along + _lost(end_a, end_b, rank, kmh, profiles, mode)).astype(np.float32)
        beside = open_road & (on_piece > 0).any(axis=1)
        reachable[mode] = np.concatenate([beside, np.zeros(len(ramps), dtype=bool)])
    shape_start, points = _spans(pieces.first, pieces.last)
    return RoadLines(
        epsg=epsg,
        end_a=end_a.astype(np.int64),
        end_b=end_b.astype(np.int64),
        shape_start=np.concatenate([shape_start, shape_start[-1] + 2 * np.arange(1, len(ramps) + 1)]),
        shape_xy=vertices.xy[np.concatenate([points, ramps.ravel()])],
        seconds=seconds,
        reachable=reachable,
    )


def _spans(first: NDArray[np.intp], last: NDArray[np.intp]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each span of rows begins once all are put one after the other, and the rows themselves."""
    length = last - first + 1
    start = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    return start, np.repeat(first - start[:-1], length) + np.arange(start[-1])


def _lost(
    end_a: NDArray[np.intp],
    end_b: NDArray[np.intp],
    rank: NDArray[np.intp],
    kmh: NDArray[np.float64],
    profiles: Profiles,
    mode: Mode,
) -> NDArray[np.float64]:
    """Seconds lost at the junction entered, forth (at b) and back (at a), where three pieces or more meet."""
    used = (kmh > 0).any(axis=1)
    ends = np.concatenate([end_b, end_a])
    nodes = int(ends.max(initial=0)) + 1
    going = np.tile(used, 2)
    ranks = np.tile(rank, 2)
    degree = np.bincount(ends[going], minlength=nodes)
    highest = np.full(nodes, profiles.lowest_rank)
    lowest = np.zeros(nodes, dtype=rank.dtype)
    np.minimum.at(highest, ends[going], ranks[going])
    np.maximum.at(lowest, ends[going], ranks[going])
    loss = profiles[mode].junction_s
    lost = np.where(
        ranks > highest[ends],
        loss.get("minor", 0.0),
        np.where(highest[ends] == lowest[ends], loss.get("equal", 0.0), loss.get("major", 0.0)),
    )
    return np.asarray(np.where(degree[ends] > 2, lost, 0.0).reshape(2, -1).T)
