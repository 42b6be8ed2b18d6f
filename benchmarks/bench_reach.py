"""Travel times over roads, against SciPy alone on the same graph, in the same run.

    python -m benchmarks.bench_reach             # a département: 120,000 nodes, 200 sites
    python -m benchmarks.bench_reach --country   # a country: 5 million nodes, 25,000 sites

Targets: nearest site of every node and the full table at most 1.3 times SciPy; one site added at
most 50 ms; coverage of 20,000 cells under a new filter at most 50 ms; the country's nearest at most
10 s, its five nearest at most 60 s, under 6 GB.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from pyproj import Transformer
from scipy.sparse.csgraph import dijkstra

from benchmarks.make_roads import roads, somewhere
from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.measure import Question, measure
from geo.crs import LAMBERT_93, WGS84
from geo.people.model import People
from geo.reach.graph import matrix
from geo.reach.k_nearest import k_nearest
from geo.reach.modes import Mode
from geo.reach.shortest_paths import ShortestPaths
from geo.reach.snapping import EdgeIndex
from geo.reach.travel import Travel
from geo.sites.filters import SiteFilter
from geo.snapshot import Snapshot
from geo.territory.model import TerritoryKind
from tests.support.world import TERRITORY, site

APPROACH_KMH = 10.0


def best(work: Callable[[], Any], rounds: int = 5) -> float:
    """The least of several durations, seconds."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def told(name: str, ours: float, target: str, peer: float | None = None) -> None:
    """Print one line of the table."""
    compared = f"{peer * 1_000:10.1f} ms   {ours / peer:5.2f}" if peer else " " * 21
    print(f"  {name:<44} {ours * 1_000:10.1f} ms  {compared}   {target}")


def departement() -> None:
    """The département's questions."""
    graph = roads(120_000)
    sites_xy, cells_xy = somewhere(graph, 200, seed=1), somewhere(graph, 20_000, seed=2)
    edges = EdgeIndex(graph, Mode.CAR, approach_kmh=APPROACH_KMH)
    sites, paths, bare = (
        edges.snap(sites_xy),
        ShortestPaths(graph, Mode.CAR),
        matrix(graph, Mode.CAR, reverse=True),
    )
    nodes = sites.node_a.astype(np.int64)
    print(
        f"{len(graph.node_xy):,} nodes, {len(graph.edge_a):,} edges, "
        f"{len(sites_xy)} sites, {len(cells_xy):,} cells"
    )
    print(f"  {'':<44} {'Portée':>13} {'SciPy':>14} {'ratio':>7}   target")

    told(
        "nearest site of every node",
        best(lambda: paths.nearest_source(sites)),
        "≤ 1.3",
        best(lambda: dijkstra(bare, indices=nodes, min_only=True)),
    )
    told(
        "full table",
        best(lambda: [None for _ in paths.node_times(sites)], 2),
        "≤ 1.3",
        best(lambda: dijkstra(bare, indices=nodes), 2),
    )
    with tempfile.TemporaryDirectory() as folder:
        travel = Travel(graph, detour_factor=1.3, folder=Path(folder))
        snapshot = a_snapshot(sites_xy, cells_xy)
        frame = AnalysisContext(snapshot, travel, date(2026, 11, 2))
        start = time.perf_counter()
        before = frame.times(Mode.CAR)
        told("first table of cells, swept and kept", time.perf_counter() - start, "")
        again = AnalysisContext(snapshot, Travel(graph, detour_factor=1.3, folder=Path(folder)), frame.day)
        start = time.perf_counter()
        assert np.array_equal(again.times(Mode.CAR), before)
        told("the same from disk, by another process", time.perf_counter() - start, "")

        def one_more() -> None:
            added = travel.to_sites(somewhere(graph, 1, seed=3), Mode.CAR, store=False)
            row = added.from_places(cells_xy)
            assert row.shape == (1, len(cells_xy))

        told("one site added: times of every cell", best(one_more), "≤ 50 ms")
        rank = iter(range(1_000))

        def new_filter() -> None:
            question = Question(filter=SiteFilter.of({"nom": [f"{next(rank) % 10}"]}))
            coverage = measure(frame, question)
            assert np.isfinite(coverage.seconds).any()
            for within in question.minutes:
                coverage.people[coverage.seconds <= within * 60].sum()

        told("coverage of 20,000 cells, a new filter", best(new_filter), "≤ 50 ms")

        def new_account() -> None:
            question = Question(filter=SiteFilter.of({"nom": [f"{next(rank) % 10}"]}))
            measure(frame, question).by_territory(TerritoryKind.COMMUNE)

        told("the same with floating catchment, by commune", best(new_account), "")
    direct = dijkstra(bare, indices=nodes[:20], min_only=True)
    seconds, _ = k_nearest(bare, nodes[:20], 5)
    assert np.allclose(seconds[:, 0], direct, rtol=1e-4)


def country() -> None:
    """The country's questions."""
    graph = roads(5_000_000)
    sites_xy = somewhere(graph, 25_000, seed=1)
    bare = matrix(graph, Mode.CAR, reverse=True)
    node = np.random.default_rng(5).choice(len(graph.node_xy), len(sites_xy), replace=False)
    k_nearest(matrix(roads(100), Mode.CAR), node[:5] % 100, 5)  # compiled before the clock starts
    print(f"{len(graph.node_xy):,} nodes, {len(graph.edge_a):,} edges, {len(sites_xy):,} sites")
    start = time.perf_counter()
    nearest = dijkstra(bare, indices=node, min_only=True)
    told("nearest site of every node (SciPy)", time.perf_counter() - start, "≤ 10 s")
    start = time.perf_counter()
    seconds, _ = k_nearest(bare, node, 5)
    told("five nearest of every node", time.perf_counter() - start, "≤ 60 s")
    assert np.allclose(seconds[:, 0], nearest, rtol=1e-3)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"  peak memory {peak:.1f} GB (target < 6)")


def a_snapshot(sites_xy: Any, cells_xy: Any) -> Snapshot:
    """Sites and cells on the graph's plane, in the tests' country."""
    longitude, latitude = Transformer.from_crs(LAMBERT_93, WGS84, always_xy=True).transform(*sites_xy.T)
    every = tuple(
        replace(site(f"{row:04}", 5), longitude=float(x), latitude=float(y), horaires="Mo-Fr 09:00-12:00")
        for row, (x, y) in enumerate(zip(longitude, latitude, strict=True))
    )
    own = sorted(TERRITORY.own_codes)
    random = np.random.default_rng(4)
    people = People(
        commune=random.choice(own, len(cells_xy)),
        xy=cells_xy,
        inhabitants=random.uniform(0, 100, len(cells_xy)),
        aged_65=np.full(len(cells_xy), np.nan),
        cell_m=1_000,
        label="carreaux fictifs",
    )
    return Snapshot(1, datetime(2026, 11, 2, tzinfo=UTC), TERRITORY, every, grid=people)


def main() -> None:
    """Run one of the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--country", action="store_true")
    if parser.parse_args().country:
        country()
    else:
        departement()


if __name__ == "__main__":
    main()
