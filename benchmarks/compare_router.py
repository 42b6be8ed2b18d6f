"""Times by car between random points: Portée's road graph against Valhalla, an established router.

Valhalla stays out of Portée's own environment; it gets one to itself:

    python -m venv /tmp/router
    /tmp/router/bin/pip install pyvalhalla-weekly
    python -m benchmarks.compare_router liechtenstein-latest.osm.pbf --epsg 32632 \\
        --router /tmp/router/bin/python

Both read the same extract. Points are junctions on the streets people live along (`highway` =
residential, living_street or unclassified), drawn with a fixed seed. Our time is the shortest path
over `geo.reach.graph.matrix`, Valhalla's the time of its route with the costing `auto`, default
options and no date. Targets: median difference ≤ 10 %, 95th percentile ≤ 25 %.
Results and their reading: docs/roads-speeds.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import osmium
from numpy.typing import NDArray
from pyproj import Transformer
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from geo.crs import WGS84, project
from geo.reach.build import build_graph
from geo.reach.graph import GraphMetadata, RoadGraph, matrix
from geo.reach.modes import Mode
from geo.reach.osm import osm_vintage, read_osm
from geo.reach.profiles import SHIPPED, load_profiles

CLASSES_KM = (0, 1, 3, 10, 1000)
STREETS = ("residential", "living_street", "unclassified")
MEDIAN, P95 = 0.10, 0.25

ROUTER = """
import json, subprocess, sys
from importlib.metadata import version
from pathlib import Path
from valhalla import Actor, get_config

folder, extract, costing = sys.argv[1:]
tiles = Path(folder) / "tiles"
tiles.mkdir()
config = get_config(tile_extract="", tile_dir=str(tiles), verbose=False)
config["mjolnir"]["tile_extract"] = ""
path = Path(folder) / "config.json"
path.write_text(json.dumps(config))
search = {"PATH": str(Path(sys.executable).parent)}
subprocess.run(["valhalla_build_tiles", "-c", path, extract], check=True, capture_output=True, env=search)
actor = Actor(str(path))
answers = []
for (x, y), (u, v) in json.load(sys.stdin):
    asked = {"locations": [{"lon": x, "lat": y}, {"lon": u, "lat": v}], "costing": costing}
    try:
        told = actor.route(json.dumps(asked))
        summary = (json.loads(told) if isinstance(told, str) else told)["trip"]["summary"]
        answers.append([summary["time"], summary["length"]])
    except RuntimeError:
        answers.append(None)
json.dump({"version": version("pyvalhalla-weekly"), "answers": answers}, sys.stdout)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("extract", type=Path, help="an OpenStreetMap file")
    parser.add_argument("--router", type=Path, required=True, help="a Python that has pyvalhalla-weekly")
    parser.add_argument("--epsg", type=int, default=2154, help="metric CRS of the extract")
    parser.add_argument("--mode", type=Mode, default=Mode.CAR, choices=list(Mode))
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=47)
    parser.add_argument("--everywhere", action="store_true", help="points at any junction, tracks included")
    parser.add_argument("--profiles", type=Path, default=SHIPPED)
    asked = parser.parse_args()

    graph = road_graph(asked.extract, asked.epsg, asked.profiles)
    random = np.random.default_rng(asked.seed)
    drawn_from = np.flatnonzero(np.diff(matrix(graph, asked.mode).indptr))
    if not asked.everywhere:
        drawn_from = drawn_from[on_streets(graph.node_xy[drawn_from], graph.epsg, asked.extract)]
    pairs = random.choice(drawn_from, (asked.pairs, 2))
    ours = times(graph, asked.mode, pairs)
    version, theirs, km = routed(asked.router, asked.extract, asked.mode, lonlat(graph, pairs))

    print(
        f"{asked.extract.name} ({graph.about.vintage}), {asked.mode}, {asked.pairs} pairs, seed {asked.seed}"
    )
    print(f"pyvalhalla-weekly {version}; pairs without a route: ours {np.isinf(ours).sum()}, ", end="")
    print(f"the router's {np.isnan(theirs).sum()}")
    answered = np.isfinite(ours) & (theirs > 0)
    ours, theirs, km = ours[answered], theirs[answered], km[answered]
    print("| distance | n | median difference | 95th percentile | mean ratio |\n|---|---|---|---|---|")
    for low, high in pairwise(CLASSES_KM):
        row(
            f"{low} to {high} km" if high < CLASSES_KM[-1] else f"over {low} km",
            ours,
            theirs,
            (km >= low) & (km < high),
        )
    median, p95 = row("all", ours, theirs, np.ones(len(ours), bool))
    if median > MEDIAN or p95 > P95:
        raise SystemExit(f"Missed the targets: median ≤ {MEDIAN:.0%}, 95th percentile ≤ {P95:.0%}.")


def road_graph(extract: Path, epsg: int, profiles: Path) -> RoadGraph:
    lines = read_osm(extract, epsg=epsg, bounds=None, profiles=load_profiles(profiles))
    about = GraphMetadata(
        checksum="",
        file_name=extract.name,
        format="osm",
        producer="OpenStreetMap",
        vintage=osm_vintage(extract),
        licence="ODbL",
        built_at=datetime.now(UTC),
    )
    return build_graph(lines, about)


def on_streets(xy: NDArray[np.float64], epsg: int, extract: Path) -> NDArray[np.bool_]:
    """Whether junctions lie on a street people live along."""
    streets = osmium.FileProcessor(str(extract)).with_locations()
    streets.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
    streets.with_filter(osmium.filter.TagFilter(*(("highway", value) for value in STREETS)))
    points = [(n.lon, n.lat) for way in streets for n in way.nodes if n.location.valid()]
    away, _ = cKDTree(project(*zip(*points, strict=True), epsg)).query(xy)
    return away < 0.1


def times(graph: RoadGraph, mode: Mode, pairs: NDArray[np.intp]) -> NDArray[np.float64]:
    """Seconds from the first of each pair to the second."""
    sources, row = np.unique(pairs[:, 0], return_inverse=True)
    return dijkstra(matrix(graph, mode), indices=sources)[row, pairs[:, 1]]


def lonlat(graph: RoadGraph, pairs: NDArray[np.intp]) -> NDArray[np.float64]:
    x, y = graph.node_xy[pairs.ravel()].T
    back = Transformer.from_crs(graph.epsg, WGS84, always_xy=True)
    return np.column_stack(back.transform(x, y)).reshape(-1, 2, 2)


def routed(
    router: Path, extract: Path, mode: Mode, points: NDArray[np.float64]
) -> tuple[str, NDArray[np.float64], NDArray[np.float64]]:
    """The router's version, seconds and kilometres; NaN where it finds no route."""
    costing = {Mode.CAR: "auto", Mode.BICYCLE: "bicycle", Mode.FOOT: "pedestrian"}[mode]
    with tempfile.TemporaryDirectory() as folder:
        pbf = extract
        if extract.suffix != ".pbf":
            pbf = Path(folder) / "extract.osm.pbf"
            with osmium.SimpleWriter(str(pbf)) as writer:
                for each in osmium.FileProcessor(str(extract)):
                    writer.add(each)
        done = subprocess.run(
            [router, "-c", ROUTER, folder, pbf.resolve(), costing],
            input=json.dumps(points.tolist()),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"The router failed:\n{done.stderr[-2000:]}")
    told = json.loads(done.stdout[done.stdout.index('{"version"') :])
    seconds, km = np.array([answer or (np.nan, np.nan) for answer in told["answers"]]).T
    return told["version"], seconds, km


def row(
    name: str, ours: NDArray[np.float64], theirs: NDArray[np.float64], of: NDArray[np.bool_]
) -> tuple[float, float]:
    """Print one line of the table; median and 95th percentile of the relative differences."""
    if not of.any():
        print(f"| {name} | 0 | | | |")
        return 0.0, 0.0
    ratio = ours[of] / theirs[of]
    median, p95 = np.quantile(np.abs(ratio - 1), [0.5, 0.95])
    print(f"| {name} | {of.sum()} | {median:.1%} | {p95:.1%} | {ratio.mean():.3f} |")
    return float(median), float(p95)


if __name__ == "__main__":
    main()
