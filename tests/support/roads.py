"""Small road graphs to route on, and a plain-Python Dijkstra that shares no code with ours."""

from __future__ import annotations

import heapq
from datetime import UTC, datetime
from itertools import pairwise
from math import inf

import numpy as np

from geo.crs import LAMBERT_93
from geo.reach.graph import GraphMetadata, RoadGraph
from geo.reach.modes import Mode

ABOUT = GraphMetadata(
    checksum="0" * 64,
    file_name="routes.osm.pbf",
    format="osm",
    producer="Routes inventées",
    vintage="2026-01-01",
    licence="fictif",
    built_at=datetime(2026, 1, 2, tzinfo=UTC),
)


def road_graph(
    nodes, edges, *, modes=(Mode.CAR,), reachable=None, epsg=LAMBERT_93, checksum="0" * 64
) -> RoadGraph:
    """A graph of straight edges: `edges` are (a, b, seconds a→b, seconds b→a)."""
    xy = np.asarray(nodes, dtype=float).reshape(-1, 2)
    a = np.array([e[0] for e in edges], dtype=np.int32)
    b = np.array([e[1] for e in edges], dtype=np.int32)
    seconds = np.array([e[2:4] for e in edges], dtype=np.float32).reshape(-1, 2)
    shape = np.stack([xy[a], xy[b]], axis=1).reshape(-1, 2)
    free = np.ones(len(edges), dtype=bool) if reachable is None else np.asarray(reachable)
    return RoadGraph(
        epsg=epsg,
        node_xy=xy,
        edge_a=a,
        edge_b=b,
        shape_start=np.arange(len(edges) + 1, dtype=np.int64) * 2,
        shape_xy=shape,
        seconds=dict.fromkeys(modes, seconds),
        reachable=dict.fromkeys(modes, free),
        about=GraphMetadata(**{**vars(ABOUT), "checksum": checksum}),
    )


def grid(columns, rows, *, side_m=1_000.0, seconds=60.0, corner=(500_000.0, 6_400_000.0)) -> RoadGraph:
    """A town of square blocks, every street both ways."""
    at = {(i, j): j * columns + i for j in range(rows) for i in range(columns)}
    nodes = [(corner[0] + i * side_m, corner[1] + j * side_m) for (i, j) in at]
    edges = [(at[i, j], at[i + 1, j], seconds, seconds) for (i, j) in at if (i + 1, j) in at]
    edges += [(at[i, j], at[i, j + 1], seconds, seconds) for (i, j) in at if (i, j + 1) in at]
    return road_graph(nodes, edges)


def plain_dijkstra(arcs, start):
    """Least sums from `start` over `arcs`: node → [(node, cost)]."""
    best = {start: 0.0}
    queue = [(0.0, 0, start)]
    serial = 0
    while queue:
        cost, _, node = heapq.heappop(queue)
        if cost > best[node]:
            continue
        for other, more in arcs.get(node, ()):
            if cost + more < best.get(other, inf):
                best[other] = cost + more
                serial += 1
                heapq.heappush(queue, (cost + more, serial, other))
    return best


def slow_times(graph, place, site, *, approach_m_s):
    """Seconds from a place to a site, both put on their nearest edge, which is cut there.

    Where several edges are nearest, any of them will do: all the answers there are.
    """
    return [
        _slow_time(graph, start, end, approach_m_s)
        for start in _nearest_edges(graph, place)
        for end in _nearest_edges(graph, site)
    ]


def _slow_time(graph, start, end, approach_m_s):
    seconds = graph.seconds[Mode.CAR]
    arcs: dict[object, list[tuple[object, float]]] = {}
    for e, (a, b) in enumerate(zip(graph.edge_a.tolist(), graph.edge_b.tolist(), strict=True)):
        cuts = sorted((f, name) for name, (edge, f, _) in (("place", start), ("site", end)) if edge == e)
        stops = [(0.0, a), *cuts, (1.0, b)]
        for (f, u), (g, v) in pairwise(stops):
            for source, target, whole in ((u, v, seconds[e, 0]), (v, u, seconds[e, 1])):
                if g == f or np.isfinite(whole):
                    cost = 0.0 if g == f else float(whole) * (g - f)
                    arcs.setdefault(source, []).append((target, cost))
    ridden = plain_dijkstra(arcs, "place").get("site", inf)
    return (start[2] + end[2]) / approach_m_s + ridden


def _nearest_edges(graph, point):
    """Edge, fraction along it and distance, of every edge as near as the nearest."""
    found = []
    for e in range(len(graph.edge_a)):
        if not graph.reachable[Mode.CAR][e] or not np.isfinite(graph.seconds[Mode.CAR][e]).any():
            continue
        a, b = graph.shape_xy[graph.shape_start[e]], graph.shape_xy[graph.shape_start[e + 1] - 1]
        leg = b - a
        square = float(leg @ leg)
        f = 0.0 if square == 0 else float(np.clip((np.asarray(point) - a) @ leg / square, 0, 1))
        found.append((e, f, float(np.hypot(*(a + f * leg - point)))))
    least = min(metres for _, _, metres in found)
    return [each for each in found if each[2] <= least + 1e-6]
