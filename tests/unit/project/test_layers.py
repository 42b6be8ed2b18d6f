"""Imports point inward: api → geo ← static_maps; inside geo, from the upper floors down."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FORBIDDEN = {
    "geo": {"api", "static_maps", "portee", "fastapi", "starlette", "folium", "typer", "rich"},
    "static_maps": {"api", "portee", "fastapi", "starlette", "sqlalchemy", "psycopg"},
    "api": {"portee", "sqlalchemy", "psycopg", "geoalchemy2"},
}

FLOORS = (
    ("errors",),
    ("crs", "gc_pause", "lru_cache", "settings", "tables_out", "wording"),
    ("territory",),
    ("sites",),
    ("hours",),
    ("people",),
    ("places", "reach"),
    ("snapshot",),
    ("matching", "coverage"),
    ("funding",),
    ("store",),
    ("services",),
)
"""Folders and modules of geo, from the ground up; a module imports only its own folder and lower floors."""

UPWARD = {
    ("geo.settings", "geo.hours.calendar"): "the closed list of school zones, for the check of the setting",
    ("geo.sites.export", "geo.hours.parse"): "the notation of stops; parse knows nothing of records",
    ("geo.sites.validate", "geo.hours.parse"): "hours are parsed while a record is validated",
    ("geo.sites.validate", "geo.hours.remarks"): "as above",
    ("geo.sites.readers.france_services", "geo.hours.day_cells"): "a column for each day is the format's own",
    ("geo.sites.readers.france_services", "geo.hours.parse"): "the notation of stops",
    ("geo.sites.readers.france_services", "geo.hours.remarks"): "the comment column is about hours",
    ("geo.sites.readers.france_services", "geo.hours.written_stops"): "and says where a bus stops",
    ("geo.wording.site_phrases", "geo.hours.open_status"): "phrases about a site; figures know no site",
    ("geo.wording.site_phrases", "geo.reach.modes"): "as above",
    ("geo.wording.site_phrases", "geo.sites.model"): "as above",
    ("geo.wording.site_phrases", "geo.sites.text"): "as above",
}
"""Imports that point upward, with the reason. None may be added without one."""

SQL = {"sqlalchemy", "psycopg", "geoalchemy2"}
SQL_ALLOWED = {
    "geo/services/job_runner.py": "catches the driver's errors of its own connections; states no SQL",
}

API_IN_PORTEE = {
    "portee/commands/serve.py": "runs the server",
    "portee/environment.py": "checks all settings at once, those of the server too",
}


def imported_modules(source: str) -> Iterator[str]:
    """Yield every module a source imports, wherever the import stands; `from geo import crs` is geo.crs."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "geo":
                yield from (f"geo.{alias.name}" for alias in node.names)
            else:
                yield node.module


def imported(source: str) -> set[str]:
    """Return the first word of every module a source imports."""
    return {module.split(".")[0] for module in imported_modules(source)}


def floor_of(module: str) -> int:
    """Return the floor of a module of geo; it must be in `FLOORS`."""
    folder = module.split(".")[1]
    return next(floor for floor, folders in enumerate(FLOORS) if folder in folders)


def upward_imports(module: str, source: str) -> Iterator[tuple[str, str]]:
    """Yield the imports of a module of geo that point to its own floor or above, outside its folder."""
    folder = module.split(".")[1]
    for other in imported_modules(source):
        if not other.startswith("geo.") or other == "geo.__version__" or other.split(".")[1] == folder:
            continue
        if floor_of(other) >= floor_of(module):
            yield module, other


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = sorted(path for path in (ROOT / "geo").rglob("*.py") if path.parent.name != "versions")


@pytest.mark.parametrize("package", FORBIDDEN)
def test_imports_point_inward(package):
    for path in (ROOT / package).rglob("*.py"):
        assert not imported(path.read_text("utf-8")) & FORBIDDEN[package], path


def test_inside_geo_imports_point_to_lower_floors():
    found = {
        arrow
        for path in MODULES
        if module_name(path) != "geo"
        for arrow in upward_imports(module_name(path), path.read_text("utf-8"))
    }
    assert found == set(UPWARD)


def test_every_folder_of_geo_has_a_floor():
    names = {path.stem for path in (ROOT / "geo").glob("*.py")} | {
        path.name for path in (ROOT / "geo").iterdir() if list(path.glob("*.py"))
    }
    assert names - {"__init__"} == {folder for floor in FLOORS for folder in floor}


@pytest.mark.parametrize(
    "folder", [folder for floor in FLOORS for folder in floor if folder != "store"], ids=str
)
def test_sql_lives_in_the_store_only(folder):
    for path in MODULES:
        relative = path.relative_to(ROOT)
        if relative.parts[1].removesuffix(".py") == folder and relative.as_posix() not in SQL_ALLOWED:
            assert not imported(path.read_text("utf-8")) & SQL, path


def test_the_command_line_imports_the_server_only_to_serve():
    users = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "portee").rglob("*.py")
        if "api" in imported(path.read_text("utf-8"))
    }
    assert users == set(API_IN_PORTEE)


def test_the_check_would_notice():
    assert imported("def f():\n    from fastapi import FastAPI") & FORBIDDEN["geo"]
    upward = list(upward_imports("geo.sites.model", "from geo import store\nfrom geo.services.x import y"))
    assert upward == [("geo.sites.model", "geo.store"), ("geo.sites.model", "geo.services.x")]
    assert not list(upward_imports("geo.services.a", "from geo.services import b\nimport geo.errors"))
    sideways = list(upward_imports("geo.reach.a", "import geo.places.ban"))
    assert sideways == [("geo.reach.a", "geo.places.ban")]
