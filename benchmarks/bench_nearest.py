"""k nearest sites of every inhabited cell of a country: Portée's search against bare SciPy.

Both answer the same question over the same arrays with the same number of threads, in turn, in
one process; the best of the rounds is kept for each. Target: at most 1.5 times SciPy.

    python -m benchmarks.bench_nearest --points 2300000 --sites 25000 --k 5
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from scipy.spatial import cKDTree

from geo.reach.straight_line import SiteTree


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--points", type=int, default=2_300_000)
    parser.add_argument("--sites", type=int, default=25_000)
    parser.add_argument("--k", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()

    random = np.random.default_rng(47)
    points = random.uniform(0, 1_000_000, (asked.points, 2))
    sites = random.uniform(0, 1_000_000, (asked.sites, 2))

    seconds: dict[str, list[float]] = {"scipy.spatial.cKDTree": [], "geo.reach.straight_line": []}
    for _ in range(asked.rounds):
        start = time.perf_counter()
        expected, _ = cKDTree(sites).query(points, k=asked.k, workers=asked.workers)
        seconds["scipy.spatial.cKDTree"].append(time.perf_counter() - start)

        start = time.perf_counter()
        distance, _ = SiteTree(sites, detour_factor=1.0).nearest(points, k=asked.k, workers=asked.workers)
        seconds["geo.reach.straight_line"].append(time.perf_counter() - start)
    np.testing.assert_allclose(distance, expected)

    print(f"{asked.points:,} points, {asked.sites:,} sites, k={asked.k}, {asked.workers} workers")
    for name, taken in seconds.items():
        print(f"  {name:<26} {min(taken):6.2f} s")
    peer, ours = (min(taken) for taken in seconds.values())
    print(f"  ratio {ours / peer:.2f} (target ≤ 1.5); the answers are equal")


if __name__ == "__main__":
    main()
