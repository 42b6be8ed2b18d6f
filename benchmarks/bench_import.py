"""Import a large file into a scratch PostGIS: seconds of each step, peak memory.

The file is made from the folder of real lists (`benchmarks.make_sites`) unless one is given. The
import is the one of `portee import`, run in this process over a private, durable cluster.
Targets: 25,000 sites in under 15 s and 500 MB.

    python -m benchmarks.bench_import --rows 25000
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from geo import load
from geo.settings import Settings
from geo.sites.readers import open_source
from geo.store import cluster, duplicates, imports, snapshots, territories
from geo.store import sites as stored_sites
from geo.store.database import engine_of, migrate
from geo.territory.files import read_territory

MAX_BYTES = 100_000_000

STEPS = (
    ("compare", load, "prepare"),
    ("store: run and issues", imports, "record"),
    ("store: sites", stored_sites, "apply"),
    ("read back", stored_sites, "active"),
    ("recognise duplicates", load, "proposals"),
    ("store: duplicates", duplicates, "propose"),
    ("publish", snapshots, "publish"),
)
"""Steps of `load.apply`: the function each is, as `load` finds it."""


def clocked(function: Callable[..., Any], step: str, seconds: Counter[str]) -> Callable[..., Any]:
    """The function, which adds the time it takes to its step's seconds."""

    def run(*arguments: Any, **options: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            seconds[step] += time.perf_counter() - start

    return run


def measure(path: Path, folder: Path) -> None:
    """Import the file twice into a new database; print what each step took."""
    settings = Settings()
    territory = read_territory(settings.territory_dir, settings.departement)
    embedded = cluster.cluster_at(folder / "cluster")
    cluster.start(embedded)
    try:
        engine = engine_of(embedded.url())
        migrate(engine)
        with engine.begin() as connection:
            territories.save(connection, territory)
        seconds: Counter[str] = Counter()
        for step, module, name in STEPS:
            setattr(module, name, clocked(getattr(module, name), step, seconds))
        for title in ("first import", "the same file again"):
            seconds.clear()
            start = time.perf_counter()
            rows = sum(1 for _ in open_source(path, max_bytes=MAX_BYTES).rows())
            reading = time.perf_counter() - start

            start = time.perf_counter()
            today = datetime.now(UTC).date()
            arrival = load.read(path, territory=territory, today=today, max_bytes=MAX_BYTES, dataset="banc")
            validating = time.perf_counter() - start - reading
            with engine.begin() as connection:
                loaded = load.apply(connection, arrival, territory=territory)
            total = time.perf_counter() - start

            difference = loaded.prepared.difference
            print(
                f"{title}: {rows:,} rows, {arrival.validated.tally.accepted:,} accepted, "
                f"{len(difference.new):,} new, {difference.unchanged:,} unchanged, "
                f"{len(arrival.validated.issues):,} issues, {len(loaded.duplicates):,} duplicates proposed"
            )
            for step, taken in {"read": reading, "validate": validating, **seconds}.items():
                print(f"  {step:<24} {taken:6.2f} s")
            print(f"  {'total':<24} {total:6.2f} s (target < 15)")
        engine.dispose()
    finally:
        cluster.stop(embedded)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process {peak:,.0f} MB (target < 500)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=25_000)
    parser.add_argument("--file", type=Path, help="file to import instead of a made one")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="portee-bench-"))
    folder.chmod(0o711)  # the account PostgreSQL drops to must reach it
    try:
        path = asked.file or folder / "sites.csv"
        if not asked.file:
            # In a process of its own, so that its memory is not counted.
            make = ["-m", "benchmarks.make_sites", "--rows", str(asked.rows), "--out", str(path)]
            subprocess.run([sys.executable, *make], check=True)
        measure(path, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
