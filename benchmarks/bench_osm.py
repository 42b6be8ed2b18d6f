"""Time and memory to read roads: a real extract, and an invented one as big as a region's.

The invented file, written to a temporary folder, is a country of grid towns with the make-up of a
regional extract: most nodes belong to buildings, a quarter to roads, a few have tags. Each file is
read in a process of its own, whose peak memory is printed. Targets: 250 MB within 8 GB, in minutes.

    python -m benchmarks.bench_osm --megabytes 250 --extract liechtenstein-latest.osm.pbf
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import osmium
import shapely

from geo.crs import LAMBERT_93
from geo.reach.modes import Mode
from geo.reach.osm import read_osm
from geo.reach.profiles import load_profiles

SIDE = 40
"""Crossroads along one side of a town."""
SHAPE = 6
"""Points between two crossroads."""
BUILDINGS = 12_500
"""Buildings of a town, five nodes each."""
CLASSES = (
    "secondary",
    "tertiary",
    "residential",
    "unclassified",
    "residential",
    "service",
    "track",
    "residential",
)
SAMPLE_TOWNS = 4
"""Towns written first, to know how many fill the megabytes asked."""

Node, Way = osmium.osm.mutable.Node, osmium.osm.mutable.Way


def write_country(path: Path, towns: int) -> None:
    """Nodes of all towns, then their ways: the order of a real file."""
    random = np.random.default_rng(47)
    across = int(np.ceil(np.sqrt(towns)))
    per_town = town_nodes(0, 0, random).shape[0]
    with osmium.SimpleWriter(str(path)) as writer:
        node = Node(version=1)
        for town in range(towns):
            points = town_nodes(town % across, town // across, random)
            lights = set(random.choice(SIDE * SIDE, 20, replace=False).tolist())
            changesets = random.integers(1, 100_000, per_town).tolist()
            for number, place in enumerate(points.tolist()):
                node.id, node.location = town * per_town + number + 1, place
                node.changeset = changesets[number]
                node.tags = {"highway": "traffic_signals"} if number in lights else None
                writer.add_node(node)
        way_id = 0
        for town in range(towns):
            first = town * per_town + 1
            for refs, tags in town_ways(first):
                way_id += 1
                writer.add_way(Way(id=way_id, nodes=refs, tags=tags, version=1))


def town_nodes(column: int, row: int, random: np.random.Generator) -> np.ndarray:
    """Longitudes and latitudes: crossroads, points between them, corners of buildings."""
    west, south = -1 + column * 0.05, 43 + row * 0.05
    step = 0.045 / SIDE
    crossroads = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), -1).reshape(-1, 2) * step
    between = np.arange(1, SHAPE + 1)[:, None] / (SHAPE + 1) * step
    right = (crossroads[:, None] + between * [1, 0]).reshape(-1, 2)
    up = (crossroads[:, None] + between * [0, 1]).reshape(-1, 2)
    corners = np.array([[0, 0], [1e-4, 0], [1e-4, 1e-4], [5e-5, 1.3e-4], [0, 1e-4]])
    buildings = (random.uniform(0, 0.045, (BUILDINGS, 1, 2)) + corners).reshape(-1, 2)
    points = np.vstack([crossroads, right, up, buildings])
    return points + random.normal(0, 1e-5, points.shape) + (west, south)


def town_ways(first: int) -> list[tuple[list[int], dict[str, str]]]:
    """Streets of eight blocks at most, and buildings."""
    ways: list[tuple[list[int], dict[str, str]]] = []
    count = SIDE * SIDE
    for along in (0, 1):
        for line in range(SIDE):
            tags = {"highway": CLASSES[line % len(CLASSES)], "name": f"Rue {line}", "surface": "asphalt"}
            if line % 5 == 0:
                tags["oneway"] = "yes"
            if line % 3 == 0:
                tags["maxspeed"] = "50"
            for begin in range(0, SIDE - 1, 8):
                refs: list[int] = []
                for at in range(begin, min(begin + 8, SIDE - 1)):
                    node = line * SIDE + at if along == 0 else at * SIDE + line
                    shape = count * (1 + SHAPE * along) + node * SHAPE
                    refs += [first + node, *range(first + shape, first + shape + SHAPE)]
                last = min(begin + 8, SIDE - 1)
                refs.append(first + (line * SIDE + last if along == 0 else last * SIDE + line))
                ways.append((refs, tags))
    corner = first + count * (1 + 2 * SHAPE)
    for building in range(BUILDINGS):
        start = corner + building * 5
        ways.append(([*range(start, start + 5), start], {"building": "yes", "source": "cadastre"}))
    return ways


def measure(path: Path, epsg: int, bounds: list[float] | None) -> None:
    """Read one file here, and print what it took."""
    start = time.perf_counter()
    clip = shapely.box(*bounds).buffer(0.05) if bounds else None
    lines = read_osm(path, epsg=epsg, bounds=clip, profiles=load_profiles())
    taken = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    usable = {mode.value: int(np.isfinite(lines.seconds[mode]).any(axis=1).sum()) for mode in Mode}
    size, name = path.stat().st_size / 1e6, f"{path.name}{', clipped' if bounds else ''}"
    print(f"{name}: {size:.1f} MB read in {taken:.1f} s, peak {peak:.0f} MB;", end=" ")
    print(f"{len(lines.end_a):,} pieces, {len(lines.shape_xy):,} points, usable {usable}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=250, help="size of the invented file; 0 for none")
    parser.add_argument("--extract", type=Path, help="a real file to read as well")
    parser.add_argument("--epsg", type=int, default=LAMBERT_93)
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--bounds", type=float, nargs=4, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.read:
        measure(asked.read, asked.epsg, asked.bounds)
        return

    again = [sys.executable, "-m", "benchmarks.bench_osm", "--read"]
    if asked.extract:
        subprocess.run([*again, asked.extract, "--epsg", str(asked.epsg)], check=True)
    if asked.megabytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "invented.osm.pbf"
            start = time.perf_counter()
            sample = Path(folder) / "sample.osm.pbf"
            write_country(sample, SAMPLE_TOWNS)
            towns = max(SAMPLE_TOWNS, asked.megabytes * 1_000_000 * SAMPLE_TOWNS // sample.stat().st_size)
            write_country(path, towns)
            taken = time.perf_counter() - start
            print(f"{towns} invented towns written in {taken:.0f} s; {os.cpu_count()} cores", flush=True)
            subprocess.run([*again, path], check=True)
            subprocess.run([*again, path, "--bounds", "-0.9", "43.1", "-0.7", "43.3"], check=True)


if __name__ == "__main__":
    main()
