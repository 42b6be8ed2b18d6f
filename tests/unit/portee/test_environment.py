"""A setting that makes no sense stops every command with a sentence that names it."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from portee.cli import app


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        ("PORTEE_API_PAGE_SIZE", "abc", "valid integer"),
        ("PORTEE_API_PAGE_SIZE", "0", "greater than or equal to 1"),
        ("PORTEE_SCHOOL_ZONE", "Z", "'A', 'B' or 'C'"),
        ("PORTEE_API_ORIGINS", "exemple.fr", "a JSON list is expected"),
        ("PORTEE_API_SEARCH_RATE", "often", "rate"),
        ("PORTEE_MAP_TILES_MAX_ZOOM", "99", "less than or equal to 22"),
    ],
)
@pytest.mark.parametrize("command", [("db", "status"), ("serve", "--port", "1")])
def test_a_setting_that_makes_no_sense_is_named(monkeypatch, variable, value, why, command):
    monkeypatch.setenv(variable, value)
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 3
    assert variable in done.stderr
    assert why in done.stderr
    assert "Traceback" not in done.output
    assert "docs/settings.md" in done.stderr
