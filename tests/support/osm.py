"""Tiny OpenStreetMap files, and the network that reading one gives."""

from __future__ import annotations

import math
from xml.sax.saxutils import quoteattr

import networkx as nx
import numpy as np
import shapely

from geo.crs import LAMBERT_93, WGS84, reproject
from geo.reach.modes import Mode
from geo.reach.profiles import load_profiles

PROFILES = load_profiles()
ORIGIN = (510_000.0, 6_350_000.0)
CAR, BICYCLE, FOOT = Mode
ALL = {CAR, BICYCLE, FOOT}
ROAD = {"highway": "residential"}
LINE = {1: (0, 0), 2: (100, 0), 3: (200, 0)}
CROSS = {1: (-200, 0), 2: (200, 0), 3: (0, -200), 4: (0, 200), 5: (0, 0)}


def lonlat(xy):
    points = shapely.points(np.array(xy, dtype=float) + ORIGIN)
    return shapely.get_coordinates(reproject(points, source=LAMBERT_93, target=WGS84))


def xml(nodes, ways, node_tags=None, *, attributes="", stamp=""):
    """An OpenStreetMap file: nodes in metres, ways as (nodes, tags)."""

    def tag_elements(tags):
        return "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags.items())

    parts = [f'<osm version="0.6" {attributes}>']
    for (key, _), (lon, lat) in zip(nodes.items(), lonlat(list(nodes.values())), strict=True):
        inside = tag_elements((node_tags or {}).get(key, {}))
        parts.append(f'<node id="{key}" lat="{lat:.7f}" lon="{lon:.7f}">{inside}</node>')
    for number, (refs, tags) in enumerate(ways, start=1):
        inside = "".join(f'<nd ref="{ref}"/>' for ref in refs)
        parts.append(f'<way id="{number}" {stamp}>{inside}{tag_elements(tags)}</way>')
    return "\n".join([*parts, "</osm>"])


def network(lines, mode) -> nx.DiGraph:
    """Who gets where in how many seconds."""
    graph = nx.DiGraph()
    graph.add_nodes_from([*lines.end_a.tolist(), *lines.end_b.tolist()])
    for a, b, (there, back) in zip(
        lines.end_a.tolist(), lines.end_b.tolist(), lines.seconds[mode].tolist(), strict=True
    ):
        for u, v, seconds in ((a, b, there), (b, a, back)):
            if math.isfinite(seconds) and seconds < graph.get_edge_data(u, v, {"s": math.inf})["s"]:
                graph.add_edge(u, v, s=seconds)
    return graph


def seconds(lines, mode, a, b) -> float:
    graph = network(lines, mode)
    return nx.dijkstra_path_length(graph, a, b, weight="s") if nx.has_path(graph, a, b) else math.inf


def passes(lines, a, b) -> set[Mode]:
    return {mode for mode in Mode if math.isfinite(seconds(lines, mode, a, b))}


def lengths(lines) -> list[float]:
    ends = zip(lines.shape_start[:-1], lines.shape_start[1:], strict=True)
    return [float(np.hypot(*np.diff(lines.shape_xy[s:e], axis=0).T).sum()) for s, e in ends]
