"""`portee doctor`: what this machine has, what it lacks, why that matters and how to get it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from geo.errors import PorteeError
from geo.reach import graph_files
from geo.settings import Settings
from geo.store import addresses, indicators, people, roads
from geo.store.cluster import cluster_at, status
from geo.store.database import database_status, engine_for
from geo.store.postgres_programs import find_binaries
from geo.territory.files import read_territory
from portee.console import INSTALLATION, out, print_json, report_errors
from static_maps.assets import VENDOR

CHROMIUM_NAMES = (
    "chromium",
    "google-chrome",
    "google-chrome-stable",
    "chromium-browser",
)
ENOUGH_DISK_MB = 500
"""A cluster with a département takes about 100 MB; imports and renders need room beside it."""


@dataclass(frozen=True)
class CheckResult:
    """What one check found.

    `essential`: without it Portée does not run; otherwise something less is missing.
    """

    check: str
    ok: bool
    essential: bool
    found: str
    why: str
    remedy: str = ""


@dataclass(frozen=True)
class Check:
    """One thing to look at: `look` returns what was found, or raises what is wrong.

    A `PorteeError` raised carries the way to get what is missing as its advice.
    """

    name: str
    why: str
    look: Callable[[Settings], str]
    essential: bool = True

    def run(self, settings: Settings) -> CheckResult:
        """Look, and tell."""
        try:
            return CheckResult(self.name, True, self.essential, self.look(settings), self.why)
        except PorteeError as problem:
            return CheckResult(self.name, False, self.essential, problem.message, self.why, problem.advice)


class Lacking(PorteeError):
    """A check found something missing."""


def _python(_: Settings) -> str:
    return f"Python {platform.python_version()} in {sys.prefix}"


def _postgis(settings: Settings) -> str:
    if settings.database_url:
        return "not needed here: DATABASE_URL names a server"
    cluster_at(settings.home)
    binaries = find_binaries()
    return f"PostgreSQL {binaries.version} with PostGIS in {binaries.folder}"


def _database(settings: Settings) -> str:
    embedded = not settings.database_url
    if embedded and not status(cluster_at(settings.home)).running:
        raise Lacking(
            "the embedded database is not running",
            "`portee demo`, `portee serve` and others start it; or: portee db start",
        )
    engine = engine_for(settings)
    try:
        known = database_status(engine)
    finally:
        engine.dispose()
    if not known.up_to_date:
        raise Lacking(
            f"{known.address}: tables at version {known.revision or 'none'}, not {known.head}",
            "Run: portee db migrate",
        )
    return f"{known.address}: PostgreSQL {known.postgresql}, PostGIS {known.postgis}, tables up to date"


@contextmanager
def _stored(settings: Settings) -> Iterator[Connection]:
    """A connection to the database once it is known to be there and up to date."""
    _database(settings)
    engine = engine_for(settings)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _roads(settings: Settings) -> str:
    with _stored(settings) as connection:
        about = roads.current(connection)
    if about is None:
        return "none loaded: times are estimated as the crow flies (portee roads build FILE)"
    graph = graph_files.read_graph(graph_files.roads_folder(settings.home) / about.checksum)
    modes = ", ".join(mode.value for mode in graph.modes)
    return f"{about.file_name}, {about.vintage}: {modes}, in {graph_files.roads_folder(settings.home)}"


def _people(settings: Settings) -> str:
    with _stored(settings) as connection:
        stored = people.described(connection)
    if stored is None:
        return "no grid loaded: inhabitants stand at their town hall (portee people load FILE)"
    return f"{stored.file_name}, {stored.provenance.vintage}: cells of {stored.cell_m} m"


def _addresses(settings: Settings) -> str:
    with _stored(settings) as connection:
        files = addresses.about(connection)
    if not files:
        return "none loaded: places are found by commune and postcode only (portee addresses load FILE)"
    return ", ".join(f"{file.file_name}, loaded {file.loaded_at:%Y-%m-%d}" for file in files)


def _indicators(settings: Settings) -> str:
    with _stored(settings) as connection:
        found = indicators.read(connection)
    if not found:
        return "none loaded: everybody's need counts alike (portee indicators load FILE)"
    return ", ".join(f"{code} ({each.provenance.vintage})" for code, each in sorted(found.items()))


def _territory(settings: Settings) -> str:
    territory = read_territory(settings.territory_dir, settings.departement)
    return f"{territory.name}: {len(territory.communes)} communes in {settings.territory_dir}"


def _assets(_: Settings) -> str:
    if not (VENDOR / "manifest.json").is_file():
        raise Lacking(
            "the map's scripts and styles are not here", "Run: npm ci && python -m static_maps.assets"
        )
    return f"in {VENDOR}"


def _disk(settings: Settings) -> str:
    home = settings.home.expanduser().resolve()
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        raise Lacking(f"{there} cannot be written to", "Name a folder of yours: export PORTEE_HOME=/path")
    free_mb = shutil.disk_usage(there).free // 1_000_000
    if free_mb < ENOUGH_DISK_MB:
        raise Lacking(
            f"{free_mb} MB free in {there}; {ENOUGH_DISK_MB} are wanted",
            "Make room, or name a folder on another disk: export PORTEE_HOME=/path",
        )
    return f"{home} can be written to, {free_mb:,} MB free"


def _chromium(_: Settings) -> str:
    return str(find_chromium())


def find_chromium() -> Path:
    """A Chromium or Google Chrome that tests can drive: `CHROMIUM`, the machine's, or Playwright's.

    Raises
    ------
    Lacking
        If there is none.
    """
    found = next((path for path in _chromiums() if path.is_file()), None)
    if found is None:
        raise Lacking(
            "no Chromium or Google Chrome was found",
            "Debian: apt-get install chromium. Ubuntu and others: python -m playwright install "
            "--with-deps chromium. Or name one: export CHROMIUM=/path/to/chromium",
        )
    return found


def _chromiums() -> Iterator[Path]:
    if named := os.environ.get("CHROMIUM"):
        yield Path(named)
    for name in CHROMIUM_NAMES:
        found = shutil.which(name)
        # Ubuntu's apt package is a stub that only starts a snap, which tests cannot drive.
        if found and "/snap/" not in str(Path(found).resolve()) and not _is_snap_stub(Path(found)):
            yield Path(found)
    browsers = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache" / "ms-playwright"))
    yield from sorted(browsers.glob("chromium-*/chrome-linux*/chrome"), reverse=True)


def _is_snap_stub(program: Path) -> bool:
    with program.open("rb") as stream:
        head = stream.read(4_096)
    return head.startswith(b"#!") and b"/snap/bin/" in head


CHECKS = (
    Check("python", "Portée is written in it.", _python),
    Check("postgis", "Sites and communes are kept in it.", _postgis),
    Check("disk", "The embedded database and rendered pages are written there.", _disk),
    Check("territory", "Communes and their boundaries: what access is measured over.", _territory),
    Check("assets", "Maps show themselves with them; nothing is fetched from elsewhere.", _assets),
    Check("database", "Imports, coverage and the API read from it.", _database, essential=False),
    Check("roads", "Travel times follow them.", _roads, essential=False),
    Check("people", "Where inhabitants are counted.", _people, essential=False),
    Check("addresses", "Who types an address is found by it.", _addresses, essential=False),
    Check("indicators", "They can weigh need.", _indicators, essential=False),
    Check("chromium", "Only the browser tests need it.", _chromium, essential=False),
)


def doctor(
    checks: Annotated[
        list[str] | None,
        typer.Argument(help=f"Look at these only: {', '.join(c.name for c in CHECKS)}.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print findings as JSON.")] = False,
) -> None:
    """Say what is missing on this machine, why it matters and how to get it.

    Exit code 3 if something essential is missing, or anything among the checks named.
    """
    with report_errors():
        unknown = set(checks or ()) - {c.name for c in CHECKS}
        if unknown:
            raise typer.BadParameter(f"unknown check: {', '.join(sorted(unknown))}")
        settings = Settings()
        findings = [c.run(settings) for c in CHECKS if not checks or c.name in checks]
    if as_json:
        print_json([asdict(f) for f in findings])
    else:
        for finding in findings:
            _print_result(finding)
    if any(not f.ok and (f.essential or checks) for f in findings):
        raise typer.Exit(INSTALLATION)


def _print_result(finding: CheckResult) -> None:
    word, style = (
        ("ok", "green") if finding.ok else ("missing", "bold red" if finding.essential else "yellow")
    )
    out.print(f"{word:8}", style=style, end="")
    out.print(f"{finding.check:10} {finding.found}", markup=False)
    if not finding.ok:
        out.print(f"{'':19}Why: {finding.why}", markup=False)
        out.print(f"{'':19}{finding.remedy}", markup=False)
