"""Roads from an OpenStreetMap file (PBF, or XML plain or compressed), by pyosmium.

The file is read twice: ways first (what each may be used for, where it runs), then the nodes with
tags (what they cost or whom they stop). As in every published extract, nodes stand before ways.
Ways are cut at every node where three arms or more meet, at their ends, and at barriers; ways that
cross without a common node, as on a bridge, do not meet. Rules of the tags: docs/roads-speeds.md,
after the conventions of the OpenStreetMap wiki.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import osmium
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.crs import project
from geo.errors import UnreadableFile
from geo.reach.modes import Mode
from geo.reach.profiles import Profile, Profiles
from geo.reach.road_lines import RoadLines

UNKNOWN_VINTAGE: Final = "date inconnue"

NOT_OPEN: Final = "ways not open (planned, being built, disused)"
FERRY: Final = "ferries"
AREA: Final = "areas"
NO_ROAD: Final = "ways no mode uses (raceway, elevator, rest area...)"
CLOSED: Final = "ways closed to every mode"
INCOMPLETE: Final = "ways without two located nodes"
OUTSIDE: Final = "ways outside the bounds"

_FIRST_YEAR = 2004
_MPH_KMH = 1.609344
_DEGREE = 10_000_000
_RING_POINTS = 4
_PROGRESS_EVERY = 65_536
_PAST_BARRIER_M = 1.0
_PLAUSIBLE_KMH = (5, 150)

_PLANNED = frozenset({"construction", "proposed", "planned", "abandoned", "disused", "razed", "demolished"})
_ACCESS_KEYS = {
    Mode.CAR: ("motorcar", "motor_vehicle", "vehicle", "access"),
    Mode.BICYCLE: ("bicycle", "vehicle", "access"),
    Mode.FOOT: ("foot", "access"),
}
_ONEWAY_KEYS = {
    Mode.CAR: ("oneway:motorcar", "oneway:motor_vehicle", "oneway:vehicle", "oneway"),
    Mode.BICYCLE: ("oneway:bicycle", "oneway:vehicle", "oneway"),
    Mode.FOOT: ("oneway:foot",),
}
_LIMIT_KEYS = ("maxspeed", "maxspeed:type", "source:maxspeed", "zone:maxspeed")
_CLOSING = frozenset(
    {"no", "private", "agricultural", "forestry", "emergency", "military", "permit", "use_sidepath"}
)
_OPENING = frozenset({"yes", "designated", "permissive", "destination", "customers", "official", "delivery"})
_OPPOSITE = frozenset({"opposite", "opposite_lane", "opposite_track", "opposite_share_busway"})
_CYCLEWAYS = ("cycleway", "cycleway:left", "cycleway:right", "cycleway:both")
_SIDEWALKS = frozenset({"both", "left", "right", "yes"})
_BUILT_UP_LANDUSE = frozenset({"residential", "commercial", "retail", "industrial"})
_RING = frozenset({"roundabout", "circular"})
_WAY_KEYS = frozenset(
    {
        *("highway", "route", "area", "junction", "motorroad", "service", "bridge", "tunnel", "impassable"),
        *("surface", "tracktype", "sidewalk", "zone:traffic", "maxspeed:forward", "maxspeed:backward"),
        *_LIMIT_KEYS,
        *_CYCLEWAYS,
        *(key for keys in (*_ACCESS_KEYS.values(), *_ONEWAY_KEYS.values()) for key in keys),
    }
)
_KINDS = ("", "traffic_signals", "stop", "give_way", "crossing", "level_crossing", "mini_roundabout")
_SIGNALS, _STOP, _GIVE_WAY = 1, 2, 3


def read_osm(
    path: Path,
    *,
    epsg: int,
    bounds: BaseGeometry | None,
    profiles: Profiles,
    progress: Callable[[int, int], None] | None = None,
) -> RoadLines:
    """Read the roads of an OpenStreetMap file.

    Parameters
    ----------
    epsg
        The metric CRS to measure in.
    bounds
        Polygon in WGS 84: ways wholly outside are dropped, ways that cross its edge kept whole.
    profiles
        Speeds and penalties.
    progress
        Called now and then with the road ways read and their total: 0 until it is known, at the end.

    Returns
    -------
    Pieces of road; `dropped` counts the ways with `highway` that are not among them.

    Raises
    ------
    UnreadableFile
        If the file is missing, empty, truncated or of another kind, holds no road anyone may use,
        or none inside `bounds`.
    """
    with _readable(path):
        ways = _read_ways(path, profiles, progress)
        if not ways.highways:
            raise UnreadableFile(
                f"Le fichier {path.name} ne contient aucune route.",
                "Prenez un extrait OpenStreetMap complet (.osm.pbf), non filtré ; "
                "s'il l'est, il a pu être coupé au téléchargement : téléchargez-le de nouveau.",
            )
        if not len(ways.rule):
            raise UnreadableFile(
                f"Le fichier {path.name} ne contient aucune route praticable : "
                f"ses {ways.highways} voies sont fermées, en projet ou hors d'usage.",
                "Prenez un extrait OpenStreetMap complet (.osm.pbf), non filtré.",
            )
        nodes = _read_nodes(path, ways, profiles)
    if progress:
        progress(ways.highways, ways.highways)
    segments = _segments(path, ways, nodes, bounds)
    xy = project(nodes.x / _DEGREE, nodes.y / _DEGREE, epsg)
    return _pieces(segments, ways, nodes, xy, epsg, profiles)


def osm_vintage(path: Path) -> str:
    """The day an OpenStreetMap file speaks of, as ISO text.

    From its header; failing that the newest change of one of its roads; failing that
    `UNKNOWN_VINTAGE`.

    Raises
    ------
    UnreadableFile
        As `read_osm`.
    """
    with _readable(path):
        header = osmium.FileProcessor(str(path)).header
        told = header.get("osmosis_replication_timestamp") or header.get("timestamp")
        if told:
            return str(told[:10])
        highways: Any = osmium.FileProcessor(str(path), osmium.osm.WAY).with_filter(
            osmium.filter.KeyFilter("highway")
        )
        newest = max((way.timestamp for way in highways), default=datetime.fromtimestamp(0, UTC))
    return str(newest.date()) if newest.year >= _FIRST_YEAR else UNKNOWN_VINTAGE


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Tell the faults of libosmium, which raises bare RuntimeErrors, in French."""
    if not path.is_file():
        raise UnreadableFile(f"Le fichier {path} est introuvable.", "Vérifiez son nom et son dossier.")
    if not path.stat().st_size:
        raise UnreadableFile(f"Le fichier {path.name} est vide.", "Téléchargez-le de nouveau.")
    try:
        yield
    except (RuntimeError, ValueError, OSError) as error:
        if re.search(r"EOF|truncated|unclosed|no element|close failed|bzip2|gzip|zlib", str(error), re.I):
            raise UnreadableFile(
                f"Le fichier {path.name} est incomplet ou abîmé ({error}).",
                "Téléchargez-le de nouveau et comparez sa taille ou son empreinte à celle annoncée.",
            ) from error
        raise UnreadableFile(
            f"Le fichier {path.name} n'est pas un fichier OpenStreetMap lisible ({error}).",
            "Donnez un fichier .osm.pbf, .osm, .osm.gz ou .osm.bz2.",
        ) from error


# --- Ways -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _TagRule:
    """What the tags of a way mean, for each mode in order: (along the way, against it).

    `open_kmh` and `built_up_kmh` are 0 where the mode may not go.
    """

    rank: int
    ring: bool
    joinable: bool
    open_kmh: tuple[tuple[float, ...], ...]
    built_up_kmh: tuple[tuple[float, ...], ...]


@dataclass
class _Lines:
    """Lines of nodes; line w has the nodes `refs[start[w]:start[w + 1]]`.

    `x` and `y` are longitudes and latitudes of each in 1e-7 degrees; off the earth when not known.
    """

    refs: array[int] = field(default_factory=lambda: array("q"))
    x: array[int] = field(default_factory=lambda: array("i"))
    y: array[int] = field(default_factory=lambda: array("i"))
    start: array[int] = field(default_factory=lambda: array("q", [0]))

    def add(self, way: Any) -> None:
        nodes = [(node.ref, node.x, node.y) for node in way.nodes]
        if nodes:
            for column, values in zip((self.refs, self.x, self.y), zip(*nodes, strict=True), strict=True):
                column.extend(values)
        self.start.append(len(self.refs))

    def owners(self) -> NDArray[np.int64]:
        """For each node, the line it is on."""
        lengths = np.diff(np.array(self.start, dtype=np.int64)).astype(np.int64)
        return np.repeat(np.arange(len(lengths)), lengths)


@dataclass
class _Ways:
    """What a first reading finds: road ways kept, the rule of each, and built-up land."""

    highways: int = 0
    rules: list[_TagRule] = field(default_factory=list)
    rule: array[int] = field(default_factory=lambda: array("i"))
    roads: _Lines = field(default_factory=_Lines)
    built_up: _Lines = field(default_factory=_Lines)
    dropped: Counter[str] = field(default_factory=Counter)


def _read_ways(path: Path, profiles: Profiles, progress: Callable[[int, int], None] | None) -> _Ways:
    ways = _Ways()
    known: dict[frozenset[tuple[str, str]], int | str] = {}
    for way in _located_ways(path):
        tags = {tag.k: tag.v for tag in way.tags}
        if "highway" not in tags:
            if tags["landuse"] in _BUILT_UP_LANDUSE and way.is_closed():
                ways.built_up.add(way)
            continue
        ways.highways += 1
        if progress and ways.highways % _PROGRESS_EVERY == 0:
            progress(ways.highways, 0)
        key = frozenset((name, tags[name]) for name in _WAY_KEYS & tags.keys())
        if key not in known:
            rule = _rule(dict(key), profiles)
            if isinstance(rule, _TagRule):
                known[key] = len(ways.rules)
                ways.rules.append(rule)
            else:
                known[key] = rule
        number = known[key]
        if isinstance(number, str):
            ways.dropped[number] += 1
            continue
        ways.rule.append(number)
        ways.roads.add(way)
    return ways


def _located_ways(path: Path) -> Iterator[Any]:
    """Ways that may be roads or built-up land, with the places of their nodes.

    As `FileProcessor.with_locations`, but ways of other kinds are left out before they are located.
    """
    wanted = osmium.filter.KeyFilter("highway", "landuse")
    wanted.enable_for(osmium.osm.WAY)
    places = osmium.NodeLocationsForWays(osmium.index.create_map("flex_mem"))
    places.ignore_errors()
    only_ways = osmium.filter.EntityFilter(osmium.osm.WAY)
    with osmium.io.Reader(str(path), osmium.osm.NODE | osmium.osm.WAY) as reader:
        yield from osmium.OsmFileIterator(reader, wanted, places, only_ways)


def _rule(tags: Mapping[str, str], profiles: Profiles) -> _TagRule | str:
    """What a way is to each mode, or why it is dropped."""
    highway = tags["highway"]
    if tags.get("route") == "ferry" or highway == "ferry":
        return FERRY
    if highway in _PLANNED or tags.get("impassable") == "yes":
        return NOT_OPEN
    if tags.get("area") == "yes":
        return AREA
    name = profiles.road_class(highway)
    if not any(profiles.speed_kmh(mode, name, allowed=allowed) for mode in Mode for allowed in (False, True)):
        return NO_ROAD
    limits = _limits(tags, profiles)
    in_town = tags.get("zone:traffic", "").endswith(":urban") or tags.get("sidewalk") in _SIDEWALKS
    open_kmh: list[tuple[float, ...]] = []
    built_up_kmh: list[tuple[float, ...]] = []
    for mode in Mode:
        access, explicit = _access(tags, mode)
        pushed = access == "dismount"
        closed = access in _CLOSING or (
            mode is not Mode.FOOT and tags.get("service") == "emergency_access" and not explicit
        )
        if tags.get("motorroad") == "yes" and mode is not Mode.CAR:
            closed = closed or not explicit
        ways = _directions(tags, mode)
        for speeds, built_up in ((open_kmh, in_town), (built_up_kmh, True)):
            speeds.append(
                tuple(
                    profiles.speed_kmh(
                        mode,
                        "footway" if pushed else name,
                        limit_kmh=limit,
                        built_up=built_up,
                        surface=tags.get("surface", ""),
                        tracktype=tags.get("tracktype", ""),
                        allowed=explicit and not pushed,
                    )
                    if allowed and not closed
                    else 0.0
                    for allowed, limit in zip(ways, limits, strict=True)
                )
            )
    if not any(speed for pair in open_kmh for speed in pair):
        return CLOSED
    raised = any(tags.get(key, "no") not in ("no", "building_passage") for key in ("bridge", "tunnel"))
    return _TagRule(
        rank=profiles.rank(name),
        ring=tags.get("junction") in _RING,
        joinable=not (raised or name.startswith("motorway") or tags.get("motorroad") == "yes"),
        open_kmh=tuple(open_kmh),
        built_up_kmh=tuple(built_up_kmh),
    )


def _access(tags: Mapping[str, str], mode: Mode) -> tuple[str, bool]:
    """The access tag that counts for a mode, and whether it opens the way to it by name."""
    for key in _ACCESS_KEYS[mode]:
        if key in tags:
            value = tags[key].split(";")[0].strip()
            return value, value in _OPENING and key != "access"
    return "", False


def _directions(tags: Mapping[str, str], mode: Mode) -> tuple[bool, bool]:
    """Whether a mode may go along a way, and against it."""
    value = next((tags[key] for key in _ONEWAY_KEYS[mode] if key in tags), "")
    if mode is Mode.BICYCLE and "oneway:bicycle" not in tags and _opposite(tags):
        return True, True
    if not value and mode is not Mode.FOOT:
        value = "yes" if tags.get("junction") in _RING or tags["highway"] == "motorway" else ""
    if value in ("yes", "true", "1"):
        return True, False
    if value in ("-1", "reverse"):
        return False, True
    return (False, False) if value == "reversible" else (True, True)


def _opposite(tags: Mapping[str, str]) -> bool:
    """Whether a cycleway leads against the traffic."""
    return any(tags.get(key) in _OPPOSITE for key in _CYCLEWAYS)


def _limits(tags: Mapping[str, str], profiles: Profiles) -> tuple[float | None, float | None]:
    """Posted limits along a way and against it, km/h; None where none is told."""
    told = (_limit(tags[key], profiles) for key in _LIMIT_KEYS if key in tags)
    both = next((limit for limit in told if limit), None)
    along, against = (
        _limit(tags.get(f"maxspeed:{way}", ""), profiles) or both for way in ("forward", "backward")
    )
    return along, against


def _limit(value: str, profiles: Profiles) -> float | None:
    """A speed limit in km/h: "50", "30 mph", "walk", "FR:urban"; None when it says nothing usable."""
    text = value.split(";", maxsplit=1)[0].strip()
    word = text.split(":", 1)[-1].strip() if re.match(r"[A-Z]{2}:", text) else text
    if word in profiles.limits_kmh:
        return profiles.limits_kmh[word]
    number = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(mph|km/h|kmh)?", word)
    if not number:
        return None
    kmh = float(number[1]) * (_MPH_KMH if number[2] == "mph" else 1)
    return kmh if _PLAUSIBLE_KMH[0] <= kmh <= _PLAUSIBLE_KMH[1] else None


# --- Nodes ----------------------------------------------------------------------------------------


@dataclass
class _Nodes:
    """Nodes of road ways, by growing identifier.

    Attributes
    ----------
    id
        Shape (n,).
    x, y
        Shape (n,): longitude and latitude, 1e-7 degrees.
    kind
        Shape (n,): what it costs to pass, a row of `_KINDS`.
    way
        Shape (n,): 1 when only those who go along the way are concerned, -1 against it, else 0.
    closed, gate
        Shape (modes, n): whether it stops a mode, or has a gate for it to open.
    """

    id: NDArray[np.int64]
    x: NDArray[np.int32]
    y: NDArray[np.int32]
    kind: NDArray[np.int8]
    way: NDArray[np.int8]
    closed: NDArray[np.bool_]
    gate: NDArray[np.bool_]


def _read_nodes(path: Path, ways: _Ways, profiles: Profiles) -> _Nodes:
    ids, first = np.unique(np.array(ways.roads.refs, dtype=np.int64), return_index=True)
    n = len(ids)
    nodes = _Nodes(
        id=ids,
        x=np.array(ways.roads.x, dtype=np.int32)[first],
        y=np.array(ways.roads.y, dtype=np.int32)[first],
        kind=np.zeros(n, np.int8),
        way=np.zeros(n, np.int8),
        closed=np.zeros((len(Mode), n), bool),
        gate=np.zeros((len(Mode), n), bool),
    )
    found: Any = osmium.FileProcessor(str(path), osmium.osm.NODE)
    for node in found.with_filter(osmium.filter.KeyFilter("highway", "railway", "barrier")):
        meaning = _meaning({tag.k: tag.v for tag in node.tags}, profiles)
        row = int(np.searchsorted(ids, node.id)) if meaning else n
        if meaning and row < n and ids[row] == node.id:
            nodes.kind[row], nodes.way[row], nodes.closed[:, row], nodes.gate[:, row] = meaning
    return nodes


def _meaning(
    tags: Mapping[str, str], profiles: Profiles
) -> tuple[int, int, tuple[bool, ...], tuple[bool, ...]] | None:
    """Kind, direction, and for each mode closed or gate; None for a node like any other."""
    highway, barrier = tags.get("highway", ""), tags.get("barrier", "")
    named = "level_crossing" if tags.get("railway") in ("level_crossing", "crossing") else highway
    kind = _KINDS.index(named) if named in _KINDS else 0
    if not kind and not barrier:
        return None
    side = tags.get("traffic_signals:direction") if kind == _SIGNALS else tags.get("direction")
    way = {"forward": 1, "backward": -1}.get(side or "", 0)
    closed, gate = [], []
    for mode in Mode:
        access, explicit = _access(tags, mode) if barrier else ("", False)
        opened = explicit or access in _OPENING
        profile = profiles[mode]
        closed.append(access in _CLOSING or (barrier in profile.barriers_closed and not opened))
        gate.append(barrier in profile.barriers_opened)
    return kind, way, tuple(closed), tuple(gate)


# --- Pieces ---------------------------------------------------------------------------------------


@dataclass
class _Segments:
    """Straight parts between two nodes of one way, in the order of ways.

    Attributes
    ----------
    a, b
        Shape (s,): rows of nodes.
    way
        Shape (s,): row of the way.
    closed
        Shape (modes, s): whether a barrier stops a mode here.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    way: NDArray[np.int64]
    closed: NDArray[np.bool_]


def _segments(path: Path, ways: _Ways, nodes: _Nodes, bounds: BaseGeometry | None) -> _Segments:
    """The segments of all ways that have any, inside the bounds; what is left out is counted."""
    refs, way = np.array(ways.roads.refs, dtype=np.int64), ways.roads.owners()
    row = np.searchsorted(nodes.id, refs)
    located = _on_earth(nodes.x, nodes.y)[row]
    usable = (way[1:] == way[:-1]) & located[1:] & located[:-1] & (row[1:] != row[:-1])
    a, b, of = row[:-1][usable], row[1:][usable], way[:-1][usable]
    del refs, way, row, located
    present = np.unique(of)
    ways.dropped[INCOMPLETE] += len(ways.rule) - len(present)
    if not len(present):
        raise UnreadableFile(
            f"Le fichier {path.name} contient des routes, mais pas la position de leurs points.",
            "Prenez un extrait OpenStreetMap complet (.osm.pbf), non filtré.",
        )
    if bounds is not None:
        inside = _touching(bounds, a, b, of, nodes)
        ways.dropped[OUTSIDE] += len(present) - len(np.unique(of[inside]))
        if not inside.any():
            raise _elsewhere(path, nodes, np.union1d(a, b), bounds)
        a, b, of = a[inside], b[inside], of[inside]
    return _Segments(a=a, b=b, way=of, closed=np.zeros((len(Mode), len(a)), bool))


def _on_earth(x: NDArray[np.int32], y: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether coordinates are some: libosmium gives those it does not know beyond all bounds."""
    east, north = 180 * _DEGREE, 90 * _DEGREE
    return np.asarray((x >= -east) & (x <= east) & (y >= -north) & (y <= north), dtype=bool)


def _touching(
    bounds: BaseGeometry,
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    way: NDArray[np.int64],
    nodes: _Nodes,
) -> NDArray[np.bool_]:
    """For each segment, whether its way touches the bounds."""
    west, south, east, north = np.array(bounds.bounds) * _DEGREE
    x, y = nodes.x, nodes.y
    near = (
        (np.minimum(x[a], x[b]) <= east)
        & (np.maximum(x[a], x[b]) >= west)
        & (np.minimum(y[a], y[b]) <= north)
        & (np.maximum(y[a], y[b]) >= south)
    )
    near = np.isin(way, way[near])
    if not near.any():
        return near
    shapely.prepare(bounds)
    points = np.column_stack([a[near], b[near]]).ravel()
    owner, line = np.unique(np.repeat(way[near], 2), return_inverse=True)
    lines = shapely.linestrings(np.column_stack([x[points], y[points]]) / _DEGREE, indices=line)
    return np.isin(way, owner[shapely.intersects(bounds, lines)])


def _elsewhere(path: Path, nodes: _Nodes, used: NDArray[np.int64], bounds: BaseGeometry) -> UnreadableFile:
    x, y = nodes.x[used] / _DEGREE, nodes.y[used] / _DEGREE
    there = _box(x.min(), y.min(), x.max(), y.max())
    return UnreadableFile(
        f"Aucune route du fichier {path.name} n'est dans le territoire : elles vont {there} ; "
        f"le territoire, {_box(*bounds.bounds)}.",
        "Prenez l'extrait de la région où se trouve le territoire.",
    )


def _box(west: float, south: float, east: float, north: float) -> str:
    numbers = [f"{degrees:.2f}".replace(".", ",") for degrees in (west, east, south, north)]
    return "de {} à {} de longitude et de {} à {} de latitude (degrés)".format(*numbers)


def _past_barriers(
    segments: _Segments, nodes: _Nodes, xy: NDArray[np.float64]
) -> tuple[_Segments, NDArray[np.float64]]:
    """Close the first metre of road past each barrier to those it stops.

    A barrier where three arms or more meet is left out: mapped there it stands beside the road.
    """
    n = len(nodes.id)
    arms = np.bincount(segments.a, minlength=n) + np.bincount(segments.b, minlength=n)
    stops = nodes.closed.any(axis=0) & (arms == 2)
    if not stops.any():
        return segments, xy
    leaves = np.flatnonzero(stops[segments.a])
    enters = np.flatnonzero(stops[segments.b])
    _, one = np.unique(segments.a[leaves], return_index=True)
    leaves = leaves[one]
    enters = enters[~np.isin(segments.b[enters], segments.a[leaves])]
    _, one = np.unique(segments.b[enters], return_index=True)
    enters = enters[one]

    at = np.concatenate([leaves, enters])
    barrier = np.concatenate([segments.a[leaves], segments.b[enters]])
    beyond = np.concatenate([segments.b[leaves], segments.a[enters]])
    length = np.hypot(*(xy[beyond] - xy[barrier]).T)
    part = np.minimum(0.25, _PAST_BARRIER_M / np.maximum(length, 1e-9))
    added = xy[barrier] + (xy[beyond] - xy[barrier]) * part[:, None]
    new = len(xy) + np.arange(len(at))

    at_start = np.full(len(segments.a), -1)
    at_end = np.full(len(segments.a), -1)
    at_start[leaves] = new[: len(leaves)]
    at_end[enters] = new[len(leaves) :]
    parts = 1 + (at_start >= 0) + (at_end >= 0)
    source = np.repeat(np.arange(len(segments.a)), parts)
    first = np.cumsum(parts) - parts
    last = first + parts - 1
    a, b = segments.a[source], segments.b[source]
    closed = segments.closed[:, source]
    s, e = np.flatnonzero(at_start >= 0), np.flatnonzero(at_end >= 0)
    b[first[s]] = at_start[s]
    a[first[s] + 1] = at_start[s]
    b[last[e] - 1] = at_end[e]
    a[last[e]] = at_end[e]
    closed[:, first[s]] |= nodes.closed[:, segments.a[s]]
    closed[:, last[e]] |= nodes.closed[:, segments.b[e]]
    return _Segments(a=a, b=b, way=segments.way[source], closed=closed), np.vstack([xy, added])


def _pieces(
    segments: _Segments,
    ways: _Ways,
    nodes: _Nodes,
    xy: NDArray[np.float64],
    epsg: int,
    profiles: Profiles,
) -> RoadLines:
    """Join segments into pieces between junctions, and time them."""
    segments, xy = _past_barriers(segments, nodes, xy)
    a, b, way = segments.a, segments.b, segments.way
    n, extra = len(xy), len(xy) - len(nodes.id)
    arms = np.bincount(a, minlength=n) + np.bincount(b, minlength=n)
    cut = arms != 2
    cut[len(nodes.id) :] = True
    cut[: len(nodes.id)] |= nodes.closed.any(axis=0)
    begins = np.ones(len(a), dtype=bool)
    begins[1:] = (way[1:] != way[:-1]) | (b[:-1] != a[1:]) | cut[a[1:]]
    start = np.flatnonzero(begins)
    piece = np.cumsum(begins) - 1
    m = len(start)
    end_a, end_b = a[start], b[np.append(start[1:], len(a)) - 1]
    rule = np.frombuffer(ways.rule, dtype=np.int32)[way[start]]
    along = np.hypot(*(xy[b] - xy[a]).T)
    length = np.add.reduceat(along, start)
    so_far = np.cumsum(along) - along
    so_far -= so_far[start][piece]

    shape_start = np.zeros(m + 1, dtype=np.int64)
    np.cumsum(np.bincount(piece, minlength=m) + 1, out=shape_start[1:])
    shape = np.empty(len(a) + m, dtype=np.int64)
    shape[np.arange(len(a)) + piece] = a
    shape[shape_start[1:] - 1] = end_b

    padded = _Passed(
        kind=np.append(nodes.kind, np.zeros(extra, np.int8)),
        way=np.append(nodes.way, np.zeros(extra, np.int8)),
        gate=np.hstack([nodes.gate, np.zeros((len(Mode), extra), bool)]),
        node=a[~begins],
        piece=piece[~begins],
        late=(so_far > length[piece] / 2)[~begins],
    )
    rank = np.array([r.rank for r in ways.rules])[rule]
    ring = np.array([r.ring for r in ways.rules])[rule]
    joinable = np.array([r.joinable for r in ways.rules])[rule]
    in_town = _in_town(ways, (xy[end_a] + xy[end_b]) / 2, epsg)
    seconds, reachable = {}, {}
    for number, mode in enumerate(Mode):
        kmh = np.where(
            in_town[:, None],
            np.array([r.built_up_kmh[number] for r in ways.rules])[rule],
            np.array([r.open_kmh[number] for r in ways.rules])[rule],
        )
        kmh[segments.closed[number][start]] = 0
        times = np.full(kmh.shape, np.inf)
        np.divide(length[:, None] * 3.6, kmh, out=times, where=kmh > 0)
        times += _lost(profiles[mode], number, padded, end_a, end_b, np.isfinite(times), rank, ring)
        seconds[mode] = times.astype(np.float32)
        reachable[mode] = joinable & np.isfinite(times).any(axis=1)
    key = np.append(nodes.id, -1 - np.arange(extra))
    return RoadLines(
        epsg=epsg,
        end_a=key[end_a],
        end_b=key[end_b],
        shape_start=shape_start,
        shape_xy=xy[shape],
        seconds=seconds,
        reachable=reachable,
        dropped={reason: count for reason, count in sorted(ways.dropped.items()) if count},
    )


def _in_town(ways: _Ways, middle: NDArray[np.float64], epsg: int) -> NDArray[np.bool_]:
    """Whether points lie on built-up land, as closed ways with `landuse` draw it.

    Land drawn by relations of several ways is not looked at.
    """
    inside = np.zeros(len(middle), bool)
    x, y = (np.array(column, dtype=np.int32) for column in (ways.built_up.x, ways.built_up.y))
    area, located = ways.built_up.owners(), _on_earth(x, y)
    whole = np.bincount(area, weights=located) >= _RING_POINTS
    used = located & whole[area]
    if not used.any():
        return inside
    area = area[used]
    xy = project(x[used] / _DEGREE, y[used] / _DEGREE, epsg)
    _, ring = np.unique(area, return_inverse=True)
    land = shapely.polygons(shapely.linearrings(xy, indices=ring))
    inside[shapely.STRtree(shapely.points(middle)).query(land, predicate="contains")[1]] = True
    return inside


@dataclass
class _Passed:
    """What is met on the way: of every node, then of the nodes inside pieces.

    Attributes
    ----------
    kind, way, gate
        As in `_Nodes`, with nodes added past barriers.
    node, piece
        For each node inside a piece: its row, its piece.
    late
        Whether it lies in the second half of its piece.
    """

    kind: NDArray[np.int8]
    way: NDArray[np.int8]
    gate: NDArray[np.bool_]
    node: NDArray[np.int64]
    piece: NDArray[np.int64]
    late: NDArray[np.bool_]


def _lost(
    profile: Profile,
    number: int,
    passed: _Passed,
    end_a: NDArray[np.int64],
    end_b: NDArray[np.int64],
    goes: NDArray[np.bool_],
    rank: NDArray[np.int64],
    ring: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Seconds a mode loses along each piece and where it ends, shape (m, 2)."""
    m, n = len(end_a), len(passed.kind)
    cost = np.array([profile.penalty_s.get(kind, 0.0) for kind in _KINDS])
    gate_s = profile.penalty_s.get("gate", 0.0)
    junction_s = {name: profile.junction_s.get(name, 0.0) for name in ("minor", "equal", "major")}

    lost = np.zeros((m, 2))
    signalled = np.zeros((m, 2), bool)
    kind, side, gate = passed.kind[passed.node], passed.way[passed.node], passed.gate[number, passed.node]
    told = np.isin(kind, (_STOP, _GIVE_WAY)) & (side == 0)
    for column, sign in ((0, 1), (1, -1)):
        heeds = np.where(told, passed.late == (sign > 0), side * sign >= 0)
        here = np.where(heeds, cost[kind], 0.0) + gate * gate_s
        lost[:, column] = np.bincount(passed.piece, weights=here, minlength=m)
        signalled[passed.piece[heeds & (kind == _SIGNALS)], column] = True

    used = goes.any(axis=1)
    ends = np.concatenate([end_a[used], end_b[used]])
    ranks = np.concatenate([rank[used], rank[used]])
    arms = np.bincount(ends, minlength=n)
    highest = np.full(n, np.iinfo(np.int64).max)
    lowest = np.zeros(n, np.int64)
    np.minimum.at(highest, ends, ranks)
    np.maximum.at(lowest, ends, ranks)
    on_ring = np.zeros(n, bool)
    on_ring[end_a[ring & used]] = True
    on_ring[end_b[ring & used]] = True

    for column, sign, into in ((0, 1, end_b), (1, -1, end_a)):
        kind, side = passed.kind[into], passed.way[into]
        crossroads = arms[into] >= 3
        minor = rank > highest[into]
        alike = highest[into] == lowest[into]
        turn = np.select([alike, minor], [junction_s["equal"], junction_s["minor"]], junction_s["major"])
        turn = np.where(on_ring[into], profile.penalty_s.get("roundabout", 0.0), turn)
        free = ~crossroads | ring | signalled[:, column] | (kind == _SIGNALS)
        lost[:, column] += np.where(free, 0.0, turn)
        goes_first = crossroads & (ring | ~(minor | alike))
        heeds = (side * sign >= 0) & ~(goes_first & np.isin(kind, (_STOP, _GIVE_WAY)))
        lost[:, column] += np.where(heeds, cost[kind], 0.0) + passed.gate[number, into] * gate_s
    return lost
