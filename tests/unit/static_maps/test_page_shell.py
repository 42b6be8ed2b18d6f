"""The shell of pages: style tokens defined once, no colour elsewhere, addresses that exist."""

from __future__ import annotations

import re
from datetime import date

import pytest

from geo.coverage.analysis_context import AnalysisContext
from geo.reach.travel import Travel
from geo.settings import ROOT
from static_maps.build import render
from static_maps.page_shell import SHELL_STYLE, TOKENS, inline_style, with_stale_notice
from static_maps.settings import MapSettings
from tests.support import world

TOKENS_FILE = ROOT / "static_maps" / "assets" / "tokens.css"
COLOUR = re.compile(
    r"(?<![&\w])#(?:[0-9a-fA-F]{8}|[0-9a-fA-F]{6}|[0-9a-fA-F]{3,4})\b(?![\w-])|\b(?:rgb|hsl)a?\("
)
DATA_COLOURS = ROOT / "static_maps" / "style.py"
SOURCES = sorted(
    path
    for package in ("api", "static_maps")
    for pattern in ("*.css", "*.js", "*.html", "*.py")
    for path in (ROOT / package).rglob(pattern)
    if "vendor" not in path.parts and path not in (TOKENS_FILE, DATA_COLOURS)
)
STYLES = [path for path in SOURCES if path.suffix == ".css"]


def colours(path):
    text = path.read_text("utf-8")
    if path.suffix == ".css":
        text = re.sub(r"[^{}]*\{", "{", text)  # selectors may hold identifiers such as #fiche
    if path.suffix == ".py":
        text = re.sub(r'"""(?s:.*?)"""', "", text)
    return COLOUR.findall(text)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_colour_is_written_outside_the_tokens_and_the_data_ramps(path):
    assert colours(path) == []


def test_a_colour_written_elsewhere_would_be_noticed(tmp_path):
    for name, text in (
        ("a.css", "a { color: #123f83 }"),
        ("b.css", "a { box-shadow: 0 0 rgb(0 0 0 / 40%) }"),
        ("c.js", 'const pale = "#fff";'),
        ("d.py", 'INK = "#1c2430"'),
    ):
        path = tmp_path / name
        path.write_text(text, "utf-8")
        assert colours(path), name
    path = tmp_path / "e.css"
    path.write_text("#fade { color: var(--ink) }", "utf-8")
    assert colours(path) == []


def test_each_token_is_defined_once_and_used():
    names = re.findall(r"--([\w-]+):", TOKENS_FILE.read_text("utf-8").partition("@media")[0])
    assert len(names) == len(set(names))
    assert set(names) == set(TOKENS)
    used = "".join(path.read_text("utf-8") for path in SOURCES)
    used += (ROOT / "static_maps" / "assets" / "shell.css").read_text("utf-8")
    assert [name for name in names if f"--{name}" not in used and f'"{name}"' not in used] == []


def test_every_token_used_is_defined():
    for path in STYLES:
        assert set(re.findall(r"var\(--([\w-]+)\)", path.read_text("utf-8"))) <= set(TOKENS), path


def test_no_other_style_sheet_defines_a_token():
    for path in STYLES:
        assert not re.search(r"(?<!\()--[\w-]+:", path.read_text("utf-8")), path


def test_the_dark_scheme_redefines_known_tokens_only():
    dark = TOKENS_FILE.read_text("utf-8").partition("@media")[2]
    assert set(re.findall(r"--([\w-]+):", dark)) <= set(TOKENS)


def test_the_written_style_is_the_files_without_comments():
    assert "/*" not in SHELL_STYLE
    assert "</" not in SHELL_STYLE
    assert SHELL_STYLE.startswith(":root{--font:")
    assert SHELL_STYLE.count("{") == SHELL_STYLE.count("}")


def test_the_static_site_has_the_shell_and_only_links_that_exist(tmp_path):
    frame = AnalysisContext(
        world.snapshot(world.site("a", 5)), Travel(None, detour_factor=1.3), date(2026, 6, 8)
    )
    html = render(frame, tmp_path, settings=MapSettings(tolerance_m=0)).index.read_text("utf-8")
    assert '<div class="masthead">' in html
    assert "Données de démonstration" in html
    assert '<footer class="foot">' in html
    for address in re.findall(r'(?:src|href)="([^"#:]+)"', html):
        assert not address.startswith("/"), address
        assert (tmp_path / address).is_file(), address


def test_a_page_rendered_once_is_sent_with_a_notice_that_escapes_its_text():
    sent = with_stale_notice(b"<header><!--stale--></header>", "vieux de <3 heures>")
    assert b"vieux de &lt;3 heures&gt;" in sent
    assert b"<!--stale-->" not in sent


def test_a_style_is_written_in_a_page_without_comments_and_needless_spaces(tmp_path):
    one, other = tmp_path / "one.css", tmp_path / "other.css"
    one.write_text("/* two\nlines */\nmain > p {\n  color : red;\n  margin: 0 1px;\n}\n", "utf-8")
    other.write_text("a/* b */ , i { order: 1 } /* end */", "utf-8")
    assert inline_style(one, other) == "main > p{color : red;margin: 0 1px}a , i{order: 1}"
