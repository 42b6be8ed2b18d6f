"""Imports point inward: api → geo ← static_maps."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FORBIDDEN = {
    "geo": {"api", "static_maps", "portee", "fastapi", "starlette", "folium", "typer", "rich"},
    "static_maps": {"api", "portee", "fastapi", "starlette", "sqlalchemy", "psycopg"},
    "api": {"portee"},
}
NO_SQL = (
    "geo/territory",
    "geo/sites",
    "geo/reach",
    "geo/people",
    "geo/places",
    "geo/coverage",
    "api",
    "static_maps",
)


def imported(source: str) -> set[str]:
    """First words of every module a source imports, wherever the import stands."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("package", FORBIDDEN)
def test_imports_point_inward(package):
    for path in (ROOT / package).rglob("*.py"):
        assert not imported(path.read_text("utf-8")) & FORBIDDEN[package], path


@pytest.mark.parametrize("folder", NO_SQL)
def test_sql_lives_in_the_store_only(folder):
    for path in (ROOT / folder).rglob("*.py"):
        assert not imported(path.read_text("utf-8")) & {"sqlalchemy", "psycopg", "geoalchemy2"}, path


def test_the_check_would_notice():
    assert imported("def f():\n    from fastapi import FastAPI") & FORBIDDEN["geo"]
