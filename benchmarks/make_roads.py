"""Invented road networks of any size: a jittered grid with streets missing, planar, by seed."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from geo.crs import LAMBERT_93
from geo.reach.graph import GraphMetadata, RoadGraph
from geo.reach.modes import Mode


def roads(nodes: int, *, side_m: float = 300.0, seed: int = 47) -> RoadGraph:
    """A graph of about so many junctions, streets of some `side_m`, 20 to 90 km/h, a twelfth one-way."""
    random = np.random.default_rng(seed)
    width = max(2, round(nodes**0.5))
    column, row = (each.ravel() for each in np.meshgrid(np.arange(width), np.arange(width)))
    xy = np.column_stack([column, row]) * side_m + random.uniform(-0.3, 0.3, (width * width, 2)) * side_m
    xy += (500_000.0, 6_300_000.0)
    here = np.arange(width * width).reshape(width, width)
    a = np.concatenate([here[:, :-1].ravel(), here[:-1].ravel()])
    b = np.concatenate([here[:, 1:].ravel(), here[1:].ravel()])
    kept = random.random(len(a)) > 0.15
    a, b = a[kept].astype(np.int32), b[kept].astype(np.int32)
    length = np.hypot(*(xy[a] - xy[b]).T)
    taken = length / (random.choice([20, 30, 50, 80, 90], len(a)) / 3.6)
    seconds = np.column_stack([taken, taken]).astype(np.float32)
    seconds[random.random(len(a)) < 1 / 12, 1] = np.inf
    shape = np.empty((2 * len(a), 2))
    shape[::2], shape[1::2] = xy[a], xy[b]
    return RoadGraph(
        epsg=LAMBERT_93,
        node_xy=xy,
        edge_a=a,
        edge_b=b,
        shape_start=np.arange(len(a) + 1, dtype=np.int64) * 2,
        shape_xy=shape,
        seconds={Mode.CAR: seconds},
        reachable={Mode.CAR: np.ones(len(a), dtype=bool)},
        about=GraphMetadata(
            checksum=f"{seed:064d}",
            file_name="routes fictives",
            format="osm",
            producer="Routes fictives",
            vintage="2026",
            licence="fictif",
            built_at=datetime(2026, 1, 1, tzinfo=UTC),
        ),
    )


def somewhere(
    graph: RoadGraph, count: int, *, seed: int
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Points in the extent of a graph, shape (count, 2), metric CRS."""
    low, high = graph.node_xy.min(axis=0), graph.node_xy.max(axis=0)
    return np.random.default_rng(seed).uniform(low, high, (count, 2))
