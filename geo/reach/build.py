"""Build the road graph of a territory from a file of roads.

The pieces of road a reader yields are numbered into nodes and edges. For each mode, only the large
strongly connected components of its network are used: within one, every place can be reached from
every other and back. Without this, a car park aisle drawn apart from the network, or a street that
can only be left, would be the nearest road of some places, which would then reach nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from shapely.geometry.base import BaseGeometry

from geo.crs import WGS84, reproject
from geo.errors import UnreadableFile
from geo.reach.graph import GraphMetadata, RoadGraph
from geo.reach.graph_files import checksum
from geo.reach.layers import read_layer
from geo.reach.modes import Mode
from geo.reach.osm import read_osm
from geo.reach.osm_file import UNKNOWN_VINTAGE, osm_vintage
from geo.reach.profiles import Profiles, load_profiles
from geo.reach.ranges import concatenate_ranges
from geo.reach.road_lines import RoadLines
from geo.sites.text import clean_text
from geo.territory.model import Territory
from geo.wording import figures

MIN_COMPONENT_SHARE: Final = 0.05
"""Smallest component used, as a share of the junctions of the mode."""
MARGIN_KM: Final = 15.0
"""How far beyond the territory roads are read, km: sites across the border count, detours cross it."""

UNUSABLE: Final = "pieces no mode may use"
CUT_OFF: Final = "pieces in no component kept"

OSM_PRODUCER: Final = "Contributeurs OpenStreetMap"
OSM_LICENCE: Final = "ODbL 1.0"
UNLICENSED: Final = "licence non indiquée"


class RoadFormat(StrEnum):
    """File formats that roads can be read from."""

    OSM = "osm"
    GEOJSON = "geojson"
    GPKG = "gpkg"


_SUFFIXES: Final = {
    RoadFormat.OSM: (".pbf", ".osm", ".osm.gz", ".osm.bz2"),
    RoadFormat.GEOJSON: (".geojson", ".json"),
    RoadFormat.GPKG: (".gpkg",),
}


def format_of(path: Path) -> RoadFormat:
    """Return the format of a file from its name.

    Raises
    ------
    UnreadableFile
        If the suffix is not a known one.
    """
    for kind, suffixes in _SUFFIXES.items():
        if path.name.casefold().endswith(suffixes):
            return kind
    raise UnreadableFile(
        f"Le nom du fichier {path.name} ne dit pas son format.",
        "Donnez un fichier .osm.pbf, .geojson ou .gpkg, ou dites-le : --format osm|geojson|gpkg.",
    )


def area_of(territory: Territory, margin_km: float) -> BaseGeometry:
    """Return the area whose roads are read (WGS 84): the territory's own communes and a margin."""
    communes = reproject([c.boundary for c in territory.communes], source=WGS84, target=territory.metric_crs)
    grown = shapely.buffer(shapely.union_all(communes), margin_km * 1_000)
    area: BaseGeometry = reproject([grown], source=territory.metric_crs, target=WGS84)[0]
    return area


def roads_from_file(
    path: Path,
    territory: Territory,
    *,
    file_format: RoadFormat | None = None,
    margin_km: float = MARGIN_KM,
    producer: str = "",
    licence: str = "",
    vintage: str = "",
    profiles: Profiles | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> RoadGraph:
    """Read a file of roads and build the graph of a territory and its margin.

    Parameters
    ----------
    file_format
        None: from the file's name.
    margin_km
        How far beyond the territory roads are read, km, at least 0.
    producer, licence, vintage
        Shown with results; defaults exist for OpenStreetMap files when empty.
    profiles
        Speeds by mode; None: the default profiles.
    progress
        Called regularly with the number of features read and their total (0 if unknown).

    Raises
    ------
    UnreadableFile
        If the file has another format, is damaged, or has no usable road in the territory.
    InvalidCrs
        If its coordinates do not fit the CRS it declares.
    """
    kind = file_format or format_of(path)
    is_osm = kind is RoadFormat.OSM
    bounds = area_of(territory, margin_km)
    epsg, speeds = territory.metric_crs, profiles or load_profiles()
    summary: dict[str, object] = {"margin_km": margin_km}
    lines: RoadLines
    if is_osm:
        lines = read_osm(path, epsg=epsg, bounds=bounds, profiles=speeds, progress=progress)
    else:
        lines = layer = read_layer(path, epsg=epsg, bounds=bounds, profiles=speeds, progress=progress)
        summary |= {"features": layer.features, "connectors": layer.connectors}
    name, _ = clean_text(path.name)
    about = GraphMetadata(
        checksum="",
        file_name=name,
        format=kind.value,
        producer=clean_text(producer)[0] or (OSM_PRODUCER if is_osm else f"fichier {name}"),
        vintage=clean_text(vintage)[0] or (osm_vintage(path) if is_osm else UNKNOWN_VINTAGE),
        licence=clean_text(licence)[0] or (OSM_LICENCE if is_osm else UNLICENSED),
        built_at=datetime.now(UTC),
        summary=summary,
    )
    return build_graph(lines, about)


def build_graph(
    lines: RoadLines, about: GraphMetadata, *, min_component_share: float = MIN_COMPONENT_SHARE
) -> RoadGraph:
    """Build the graph: number junctions and pieces, and restrict each mode to its large components.

    A mode uses its largest strongly connected component and every other one with at least
    `min_component_share` of the junctions on its network; elsewhere its seconds are inf and no
    place is snapped. Pieces that no mode uses are dropped. The same lines always give the same bytes.

    Parameters
    ----------
    lines
        Pieces of road, metres and seconds.
    about
        Their provenance. The checksum is replaced and the summary extended: `nodes`, `edges`, `km`,
        `modes` (for each: `nodes`, `edges`, `km`, `components`, and `cut_off`, the pieces outside
        its components), `dropped` (reason → count), `warnings` (French sentences).
    min_component_share
        In [0, 1].

    Raises
    ------
    UnreadableFile
        If no usable piece is left.
    """
    usable = {mode: np.isfinite(seconds).any(axis=1) for mode, seconds in lines.seconds.items()}
    used = np.any(list(usable.values()), axis=0)
    keys, ends = np.unique(np.concatenate([lines.end_a[used], lines.end_b[used]]), return_inverse=True)
    a, b = ends.reshape(2, -1)
    seconds, shares = {}, {}
    for mode, along in lines.seconds.items():
        seconds[mode], shares[mode] = _large_components(a, b, along[used], len(keys), min_component_share)
    linked = np.any([np.isfinite(along).any(axis=1) for along in seconds.values()], axis=0)
    if not linked.any():
        raise UnreadableFile(
            f"Le fichier {about.file_name} ne contient aucune route praticable.",
            "Vérifiez qu'il couvre ce territoire et que ses voies sont reliées entre elles.",
        )
    graph = _numbered(lines, np.flatnonzero(used)[linked], {m: s[linked] for m, s in seconds.items()}, about)
    kilometres = _lengths(graph) / 1_000
    by_mode = {}
    for mode in graph.modes:
        going = np.flatnonzero(np.isfinite(graph.seconds[mode]).any(axis=1))
        by_mode[mode.value] = {
            "nodes": _touched(graph, going),
            "edges": len(going),
            "km": round(float(kilometres[going].sum()), 1),
            "components": len(shares[mode]),
            "cut_off": int(usable[mode].sum()) - len(going),
        }
    left_out = {UNUSABLE: int((~used).sum()), CUT_OFF: int((~linked).sum())}
    summary = {
        **about.summary,
        "nodes": len(graph.node_xy),
        "edges": len(graph.edge_a),
        "km": round(float(kilometres.sum()), 1),
        "modes": by_mode,
        "dropped": {**lines.dropped, **{reason: count for reason, count in left_out.items() if count}},
        "warnings": [sentence for mode in graph.modes for sentence in _warnings(mode, shares[mode])],
    }
    return replace(graph, about=replace(about, checksum=checksum(graph), summary=summary))


def _large_components(
    a: NDArray[np.intp], b: NDArray[np.intp], along: NDArray[np.float32], nodes: int, share: float
) -> tuple[NDArray[np.float32], list[float]]:
    """Restrict one mode to its large strongly connected components.

    Returns
    -------
    `along` with inf outside these components, and each one's share of the junctions, largest first.
    """
    forth, back = np.isfinite(along).T
    source = np.concatenate([a[forth], b[back]])
    target = np.concatenate([b[forth], a[back]])
    touched = np.zeros(nodes, dtype=bool)
    touched[source] = touched[target] = True
    if not touched.any():
        return np.full_like(along, np.inf), []
    links = coo_array((np.ones(len(source), dtype=bool), (source, target)), shape=(nodes, nodes))
    count, component = connected_components(links.tocsr(), directed=True, connection="strong")
    size = np.bincount(component[touched], minlength=count)
    # Every junction is in some component; one of a single junction has no trip but a loop.
    large = (size > 1) & ((size >= share * touched.sum()) | (np.arange(count) == size.argmax()))
    # A piece between two components is one-way in effect: whoever takes it cannot come back.
    inside = (component[a] == component[b]) & large[component[a]]
    shares = np.sort(size[large])[::-1] / touched.sum()
    return np.where(inside[:, None], along, np.float32(np.inf)), shares.tolist()


def _numbered(
    lines: RoadLines,
    pieces: NDArray[np.intp],
    seconds: Mapping[Mode, NDArray[np.float32]],
    about: GraphMetadata,
) -> RoadGraph:
    """Return the graph of the given pieces, nodes sorted by key and edges by their nodes."""
    keys, ends = np.unique(np.concatenate([lines.end_a[pieces], lines.end_b[pieces]]), return_inverse=True)
    a, b = ends.reshape(2, -1)
    order = np.lexsort((b, a))  # stable: parallel pieces keep their order
    pieces, a, b = pieces[order], a[order], b[order]
    length = np.diff(lines.shape_start)[pieces]
    start = np.concatenate([[0], np.cumsum(length)])
    _, points = concatenate_ranges(lines.shape_start[pieces], length)
    shape_xy = lines.shape_xy[points]
    node_xy = np.empty((len(keys), 2))
    node_xy[b] = shape_xy[start[1:] - 1]
    node_xy[a] = shape_xy[start[:-1]]
    along = {mode: one[order] for mode, one in seconds.items()}
    return RoadGraph(
        epsg=lines.epsg,
        node_xy=node_xy,
        edge_a=a.astype(np.int32),
        edge_b=b.astype(np.int32),
        shape_start=start.astype(np.int64),
        shape_xy=shape_xy,
        seconds=along,
        reachable={
            mode: lines.reachable[mode][pieces] & np.isfinite(one).any(axis=1) for mode, one in along.items()
        },
        about=about,
    )


def _touched(graph: RoadGraph, edges: NDArray[np.intp]) -> int:
    """Return the number of distinct nodes at the ends of the given edges."""
    touched = np.zeros(len(graph.node_xy), dtype=bool)
    touched[graph.edge_a[edges]] = touched[graph.edge_b[edges]] = True
    return int(touched.sum())


def _lengths(graph: RoadGraph) -> NDArray[np.float64]:
    """Return the length of each edge, metres."""
    step = np.hypot(*np.diff(graph.shape_xy, axis=0).T)
    travelled = np.concatenate([[0.0], np.cumsum(step)])
    # `travelled` also counts the step from the last point of an edge to the first of the next one,
    # but never between the two points whose difference is taken here.
    return np.asarray(travelled[graph.shape_start[1:] - 1] - travelled[graph.shape_start[:-1]])


def _warnings(mode: Mode, shares: list[float]) -> list[str]:
    """Return French warnings for the operator about one mode's network."""
    if not shares:
        return [f"Aucune voie n'est praticable {mode.label} : ce mode ne sera pas proposé."]
    found = []
    lost = max(0.0, 1 - sum(shares))
    *kept, left_out = figures.percents([*shares, lost])
    if len(shares) > 1:
        parts = figures.listed(kept)
        found.append(
            f"Le réseau {mode.label} est en {len(shares)} parties sans passage de l'une à l'autre "
            f"({parts} des carrefours) : aucun trajet ne les relie. S'il manque un pont, élargissez la marge."
        )
    if lost >= MIN_COMPONENT_SHARE:
        found.append(
            f"{left_out} des carrefours praticables {mode.label} ont été laissés de côté : "
            "aucun aller-retour ne les relie au reste."
        )
    return found
