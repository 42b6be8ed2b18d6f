"""Read the ways and nodes of an OpenStreetMap file (PBF, or XML plain or compressed) with pyosmium.

The file is read twice: first the ways (their tags and the position of their nodes), then the tagged
nodes (barriers and causes of delay). As in every published extract, nodes precede ways in the file.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import osmium
from numpy.typing import NDArray

from geo.errors import UnreadableFile
from geo.reach.modes import Mode
from geo.reach.osm_tags import WAY_KEYS, WayRule, node_rule, way_rule
from geo.reach.profiles import Profiles

UNKNOWN_VINTAGE: Final = "date inconnue"

DEGREE: Final = 10_000_000
"""Units of coordinates in one degree."""

_FIRST_YEAR = 2004
_PROGRESS_EVERY = 65_536
_BUILT_UP_LANDUSE = frozenset({"residential", "commercial", "retail", "industrial"})


def osm_vintage(path: Path) -> str:
    """Return the day an OpenStreetMap file describes, in ISO format.

    Taken from its header; otherwise the newest change of one of its roads; otherwise
    `UNKNOWN_VINTAGE`.

    Raises
    ------
    UnreadableFile
        If the file is missing, empty, truncated or not an OpenStreetMap file.
    """
    with readable(path):
        header = osmium.FileProcessor(str(path)).header
        timestamp = header.get("osmosis_replication_timestamp") or header.get("timestamp")
        if timestamp:
            return str(timestamp[:10])
        highways: Any = osmium.FileProcessor(str(path), osmium.osm.WAY).with_filter(
            osmium.filter.KeyFilter("highway")
        )
        newest = max((way.timestamp for way in highways), default=datetime.fromtimestamp(0, UTC))
    return str(newest.date()) if newest.year >= _FIRST_YEAR else UNKNOWN_VINTAGE


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn the errors of libosmium, which raises bare RuntimeErrors, into UnreadableFile in French."""
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


@dataclass
class NodeLines:
    """Ways as lists of nodes; way w has the nodes `refs[start[w]:start[w + 1]]`.

    `x` and `y` are their longitudes and latitudes, 1e-7 degrees; outside the valid range if unknown.
    Growing arrays of numbers take a tenth of the memory of lists of Python objects.
    """

    refs: array[int] = field(default_factory=lambda: array("q"))
    x: array[int] = field(default_factory=lambda: array("i"))
    y: array[int] = field(default_factory=lambda: array("i"))
    start: array[int] = field(default_factory=lambda: array("q", [0]))

    def add(self, way: Any) -> None:
        """Append a way, with the positions of its nodes."""
        nodes = [(node.ref, node.x, node.y) for node in way.nodes]
        if nodes:
            for column, values in zip((self.refs, self.x, self.y), zip(*nodes, strict=True), strict=True):
                column.extend(values)
        self.start.append(len(self.refs))

    def owners(self) -> NDArray[np.int64]:
        """Return the way each node belongs to, shape (len(refs),)."""
        lengths = np.diff(np.array(self.start, dtype=np.int64)).astype(np.int64)
        return np.repeat(np.arange(len(lengths)), lengths)


@dataclass
class OsmWays:
    """Result of the first pass over a file.

    Attributes
    ----------
    highways
        Number of ways with `highway`.
    rules, rule
        The distinct rules, and the row of the rule of each road.
    roads, built_up
        Ways that some mode may use; closed ways of built-up land.
    dropped
        Reason → number of ways with `highway` left out.
    """

    highways: int = 0
    rules: list[WayRule] = field(default_factory=list)
    rule: array[int] = field(default_factory=lambda: array("i"))
    roads: NodeLines = field(default_factory=NodeLines)
    built_up: NodeLines = field(default_factory=NodeLines)
    dropped: Counter[str] = field(default_factory=Counter)


def read_ways(path: Path, profiles: Profiles, progress: Callable[[int, int], None] | None) -> OsmWays:
    """Read the roads and the built-up land of a file; `progress` as in `geo.reach.osm.read_osm`."""
    ways = OsmWays()
    # Ways with the same relevant tags have the same rule: a country has a few thousand sets of them.
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
        key = frozenset((name, tags[name]) for name in WAY_KEYS & tags.keys())
        if key not in known:
            rule = way_rule(dict(key), profiles)
            if isinstance(rule, WayRule):
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
    """Yield the ways that may be roads or built-up land, with the positions of their nodes.

    Like `FileProcessor.with_locations`, but other ways are dropped before they are located.
    """
    wanted = osmium.filter.KeyFilter("highway", "landuse")
    wanted.enable_for(osmium.osm.WAY)
    locations = osmium.NodeLocationsForWays(osmium.index.create_map("flex_mem"))
    locations.ignore_errors()
    only_ways = osmium.filter.EntityFilter(osmium.osm.WAY)
    with osmium.io.Reader(str(path), osmium.osm.NODE | osmium.osm.WAY) as reader:
        yield from osmium.OsmFileIterator(reader, wanted, locations, only_ways)


@dataclass
class OsmNodes:
    """Nodes of road ways, sorted by identifier.

    Attributes
    ----------
    id
        Shape (n,).
    x, y
        Shape (n,): longitude and latitude, 1e-7 degrees.
    kind
        Shape (n,): row of `osm_tags.NODE_KINDS`.
    direction
        Shape (n,): 1 if it applies only to traffic along the way, -1 against it, else 0.
    closed, gate
        Shape (modes, n): whether a mode cannot pass it, or has a gate to open.
    """

    id: NDArray[np.int64]
    x: NDArray[np.int32]
    y: NDArray[np.int32]
    kind: NDArray[np.int8]
    direction: NDArray[np.int8]
    closed: NDArray[np.bool_]
    gate: NDArray[np.bool_]


def read_nodes(path: Path, ways: OsmWays, profiles: Profiles) -> OsmNodes:
    """Read the nodes of the given ways (second pass over the file)."""
    ids, first = np.unique(np.array(ways.roads.refs, dtype=np.int64), return_index=True)
    n = len(ids)
    nodes = OsmNodes(
        id=ids,
        x=np.array(ways.roads.x, dtype=np.int32)[first],
        y=np.array(ways.roads.y, dtype=np.int32)[first],
        kind=np.zeros(n, np.int8),
        direction=np.zeros(n, np.int8),
        closed=np.zeros((len(Mode), n), bool),
        gate=np.zeros((len(Mode), n), bool),
    )
    found: Any = osmium.FileProcessor(str(path), osmium.osm.NODE)
    for node in found.with_filter(osmium.filter.KeyFilter("highway", "railway", "barrier")):
        rule = node_rule({tag.k: tag.v for tag in node.tags}, profiles)
        row = int(np.searchsorted(ids, node.id)) if rule else n
        if rule and row < n and ids[row] == node.id:
            nodes.kind[row], nodes.direction[row] = rule.kind, rule.direction
            nodes.closed[:, row], nodes.gate[:, row] = rule.closed, rule.gate
    return nodes


def is_on_earth(x: NDArray[np.int32], y: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return which coordinates are known: libosmium stores unknown ones beyond the valid range."""
    east, north = 180 * DEGREE, 90 * DEGREE
    return np.asarray((x >= -east) & (x <= east) & (y >= -north) & (y <= north), dtype=bool)
