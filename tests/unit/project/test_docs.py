"""The documents are true: every setting, command and route is described, and no other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from api.app import create_app
from geo.settings import ROOT, Settings
from portee.cli import app
from portee.environment import KINDS as SETTINGS
from portee.environment import variable

DOCS = ROOT / "docs"


def shown(default):
    if isinstance(default, Path):
        return f"`{default.relative_to(ROOT).as_posix()}` in the checkout"
    return "none" if default is None else f"`{json.dumps(default) if isinstance(default, list) else default}`"


def rows(kind) -> list[str]:
    """The lines docs/settings.md must have for one class of settings."""
    return [
        f"| `{variable(kind, name)}` | {shown(field.default)} | {field.description} |"
        for name, field in kind.model_fields.items()
    ]


@pytest.mark.parametrize("kind", SETTINGS)
def test_every_setting_is_told_with_its_default(kind):
    text = (DOCS / "settings.md").read_text("utf-8").splitlines()
    assert [row for row in rows(kind) if row not in text] == []


def test_no_setting_is_told_that_is_not_there():
    told = set(re.findall(r"^\| `(\w+)`", (DOCS / "settings.md").read_text("utf-8"), re.MULTILINE))
    known = {variable(kind, name) for kind in SETTINGS for name in kind.model_fields}
    assert {name for name in told if name.startswith("PORTEE_")} == known - {"DATABASE_URL"}


def commands(group: Any, path: str = "portee") -> Iterator[tuple[str, Any]]:
    """Every command of the command line, by its full name."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


COMMANDS = dict(commands(typer.main.get_command(app)))


def section(name: str) -> str:
    """What docs/commands.md says below a command's heading."""
    text = (DOCS / "commands.md").read_text("utf-8")
    found = re.search(rf"^### `{re.escape(name)}`\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"docs/commands.md has no heading for `{name}`"
    return found[1]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_told_with_all_its_options(name):
    text = section(name)
    options = {
        option
        for parameter in COMMANDS[name].params
        for option in (*parameter.opts, *parameter.secondary_opts)
        if option.startswith("--") and option != "--help"
    }
    told = set(re.findall(r"--[a-z][a-z-]*", text))
    assert options <= told, f"options not told: {options - told}"


def test_no_command_is_told_that_is_not_there():
    told = re.findall(r"^### `(portee .+)`$", (DOCS / "commands.md").read_text("utf-8"), re.MULTILINE)
    assert set(told) == COMMANDS.keys()


def test_every_route_is_told():
    text = (DOCS / "api.md").read_text("utf-8")
    described = create_app(Settings()).openapi()["paths"]
    routes = {f"{verb.upper()} {path}" for path, verbs in described.items() for verb in verbs}
    assert routes
    assert {route for route in routes if f"`{route}`" not in text} == set()


def test_links_between_documents_lead_somewhere():
    for page in (*DOCS.glob("*.md"), *ROOT.glob("*.md"), *(ROOT / "data").rglob("*.md")):
        for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} → {target}"
