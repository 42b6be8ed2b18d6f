"""No module outside `geo/wording` formats a figure, a date or a plural for people."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("geo", "api", "static_maps", "portee")
OLD_IDIOMS = {
    "a decimal comma by hand": r"""replace\(["']\.["'], ?["'],["']\)""",
    "thousands by hand": r":,(\.\d+f)?\}",
    "a percentage by hand": r":\.\d+%\}",
    "a date by hand": r"%d/%m",
    "an English or French s by hand": r"""["'](s|x)["'] if |\{'s' if""",
    "minutes by hand": r"\} ?min\b|\\u00a0min",
    "a rounded figure in a French sentence": r":\.\d+f\} ?(km|m|ko|Mo|h|%|€|personnes|minutes)\b",
}
SCRIPT_IDIOMS = r"NumberFormat|DateTimeFormat|toLocaleDateString|toLocaleTimeString"


def sources() -> list[Path]:
    found = [p for package in PACKAGES for p in (ROOT / package).rglob("*.py")]
    return [p for p in found if not {"wording", "migrations"} & set(p.relative_to(ROOT).parts)]


@pytest.mark.parametrize("idiom", OLD_IDIOMS)
def test_no_second_formatter_is_left(idiom):
    pattern = re.compile(OLD_IDIOMS[idiom])
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sources()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]
    assert found == []


def test_scripts_of_pages_format_by_the_shared_script():
    scripts = [*(ROOT / "static_maps/assets").glob("*.js"), *(ROOT / "api/residents/assets").glob("*.js")]
    assert [p.name for p in scripts if re.search(SCRIPT_IDIOMS, p.read_text("utf-8"))] == []


def test_templates_write_no_unit_after_a_bare_number():
    pages = [*(ROOT / "static_maps/templates").glob("*"), *(ROOT / "api").rglob("*.html")]
    written = re.compile(r"\}\} ?(min|km|%|€)(?![\w;<])|\|round\b(?!\(1\))")
    assert [p.name for p in pages if written.search(p.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    ("idiom", "line"),
    [
        ("a decimal comma by hand", 'f"{x:g}".replace(".", ",")'),
        ("thousands by hand", 'f"{count:,}"'),
        ("a percentage by hand", 'f"{share:.0%}"'),
        ("a date by hand", 'f"{day:%d/%m/%Y}"'),
        ("an English or French s by hand", "f\"lieu{'x' if n > 1 else ''}\""),
        ("minutes by hand", 'f"{beyond} min"'),
        ("a rounded figure in a French sentence", 'f"{size:.0f} km"'),
    ],
)
def test_the_check_would_notice(idiom, line):
    assert re.search(OLD_IDIOMS[idiom], line)
