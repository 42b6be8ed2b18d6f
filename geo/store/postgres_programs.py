"""Find PostgreSQL's server and client programs on this machine, and whether PostGIS comes with them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from geo.errors import DatabaseUnavailable, MissingPostgis

_INSTALL = (
    ("apt-get", "apt-get install postgresql-15-postgis-3   (or the version your release has)"),
    ("dnf", "dnf install postgresql-server postgis"),
    ("pacman", "pacman -S postgresql postgis"),
    ("apk", "apk add postgresql postgis"),
    ("brew", "brew install postgresql@17 postgis"),
)


@dataclass(frozen=True)
class Binaries:
    """A folder with the PostgreSQL programs, and their major version."""

    folder: Path
    version: int

    def __getitem__(self, program: str) -> str:
        return str(self.folder / program)


def find_binaries(version: int | None = None) -> Binaries:
    """Return the newest PostgreSQL with PostGIS on this machine, or the one of a given major version.

    Raises
    ------
    MissingPostgis
        If there is none, with advice to install it.
    """
    with_postgis = [b for b in installed() if has_postgis(b) and version in (None, b.version)]
    if with_postgis:
        return max(with_postgis, key=lambda b: b.version)
    command = next((line for tool, line in _INSTALL if shutil.which(tool)), _INSTALL[0][1])
    wanted = f"PostgreSQL {version}" if version else "PostgreSQL"
    raise MissingPostgis(
        f"{wanted} with PostGIS was not found on this machine.",
        f"Install it ({command}), or use containers (docker compose up), "
        "or name a server (export DATABASE_URL=postgresql://user:password@host:5432/portee).",
    )


def installed() -> Iterator[Binaries]:
    """Yield every PostgreSQL server installed here, with or without PostGIS."""
    seen = set()
    for folder in _likely_folders():
        real = folder.resolve()
        if real in seen or not all((real / p).exists() for p in ("postgres", "initdb", "pg_ctl")):
            continue
        seen.add(real)
        if version := _version_of(real / "postgres"):
            yield Binaries(real, version)


def client_program(name: str, server_version: int) -> str:
    """Return the path of a client program (pg_dump, pg_restore) that supports a server's major version.

    The same version, else the next higher one, else the newest, whose own error then says what it lacks.

    Raises
    ------
    DatabaseUnavailable
        If no such program is installed.
    """
    found: dict[int, str] = {}
    on_path = shutil.which(name)
    for program in [*(f / name for f in _likely_folders()), *([Path(on_path)] if on_path else [])]:
        if program.exists() and (version := _version_of(program)):
            found.setdefault(version, str(program))
    if not found:
        raise DatabaseUnavailable(
            f"The program {name} was not found on this machine.",
            "Install the client programs of PostgreSQL (Debian: apt-get install postgresql-client).",
        )
    fitting = [version for version in found if version >= server_version]
    return found[min(fitting) if fitting else max(found)]


def _version_of(program: Path) -> int | None:
    completed = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"\) (\d+)", completed.stdout)
    return int(found[1]) if found else None


def _likely_folders() -> Iterator[Path]:
    for pattern in (
        "usr/lib/postgresql/*/bin",  # Debian, Ubuntu
        "usr/pgsql-*/bin",  # PGDG packages for Fedora and Red Hat
        "usr/libexec/postgresql*",  # Alpine
        "opt/homebrew/opt/postgresql@*/bin",
        "usr/local/opt/postgresql@*/bin",
        "home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
        "Applications/Postgres.app/Contents/Versions/*/bin",
    ):
        yield from sorted(Path("/").glob(pattern))
    if config := shutil.which("pg_config"):
        completed = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)
        if completed.returncode == 0:
            yield Path(completed.stdout.strip())
    if server := shutil.which("postgres"):
        yield Path(server).resolve().parent


def has_postgis(binaries: Binaries) -> bool:
    """Return whether PostGIS is installed for a PostgreSQL."""
    shares = [Path("/usr/share/postgresql") / str(binaries.version), Path("/usr/share/pgsql")]
    shares += [binaries.folder.parent / "share", binaries.folder.parent / "share" / "postgresql"]
    config = binaries.folder / "pg_config"
    if config.exists():
        completed = subprocess.run([str(config), "--sharedir"], capture_output=True, text=True, check=False)
        if completed.returncode == 0:
            shares = [Path(completed.stdout.strip())]
    return any((share / "extension" / "postgis.control").exists() for share in shares)
