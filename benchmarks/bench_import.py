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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from geo.services import import_sites, record_lifecycle, site_register
from geo.settings import Settings
from geo.sites.readers import open_source
from geo.store import cluster, imports, record_pairs, records, snapshots, territories
from geo.store import sites as stored_sites
from geo.store.database import migrate, open_engine
from geo.territory.files import read_territory

MAX_BYTES = 100_000_000

STEPS = (
    ("compare", import_sites, "prepare"),
    ("store: run and issues", imports, "record"),
    ("store: records", records, "apply"),
    ("build sites: total", record_lifecycle, "rebuild"),
    ("build sites: match", site_register, "find_pairs"),
    ("build sites: pairs", record_pairs, "replace_undecided"),
    ("build sites: choose values", site_register, "build_sites"),
    ("build sites: store", stored_sites, "save"),
    ("store: content", records, "save_content"),
    ("publish", snapshots, "publish"),
)
"""Steps of `load.apply`: the function each is, as `load` finds it."""


@dataclass
class Clock:
    """Seconds each step took, on the wall and of this process's processor time."""

    steps: dict[str, tuple[float, float]] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        wall, processor = time.perf_counter(), time.process_time()
        yield
        self.steps[name] = time.perf_counter() - wall, time.process_time() - processor

    def watch(self, module: object, function: str, name: str) -> None:
        """Have a function of a module count as a step whenever it is called."""
        watched = getattr(module, function)

        def run(*arguments: Any, **options: Any) -> Any:
            with self.step(name):
                return watched(*arguments, **options)

        setattr(module, function, run)

    def tell(self) -> None:
        for name, (wall, processor) in self.steps.items():
            print(f"  {name:<24} {wall:6.2f} s {processor:8.2f} s")


def measure(path: Path, folder: Path) -> None:
    """Import the file twice into a new database; print what each step took."""
    settings = Settings()
    territory = read_territory(settings.territory_dir, settings.departement)
    embedded = cluster.cluster_at(folder / "cluster")
    cluster.start(embedded)
    clock = Clock()
    for name, module, function in STEPS:
        clock.watch(module, function, name)
    try:
        engine = open_engine(embedded.url())
        migrate(engine)
        with engine.begin() as connection:
            territories.save(connection, territory)
        for title in ("first import", "the same file again"):
            clock.steps.clear()
            with clock.step("(read alone, once more)"):
                rows = sum(1 for _ in open_source(path, max_bytes=MAX_BYTES).rows())
            with clock.step("total"):
                with clock.step("read and validate"):
                    arrival = import_sites.read(
                        path,
                        territory=territory,
                        today=datetime.now(UTC).date(),
                        max_bytes=MAX_BYTES,
                        dataset="banc",
                    )
                with engine.begin() as connection:
                    loaded = import_sites.apply(connection, arrival, territory=territory)
            difference = loaded.prepared.difference
            print(
                f"{title}: {rows:,} rows, {arrival.validated.tally.accepted:,} accepted, "
                f"{len(difference.new):,} new, {difference.unchanged:,} unchanged, "
                f"{len(arrival.validated.issues):,} issues, {len(loaded.changes.created):,} new sites, "
                f"{len(loaded.changes.questions):,} questions"
            )
            print("                            elapsed  processor")
            clock.tell()
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"peak memory of this process so far {peak:,.0f} MB")
        engine.dispose()
    finally:
        cluster.stop(embedded)


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
