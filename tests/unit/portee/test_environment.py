"""A setting that cannot be used stops every command; an unknown variable is only warned of."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from portee.cli import app
from portee.environment import unknown_variables


@pytest.mark.parametrize(
    ("variable", "value", "french", "english"),
    [
        ("PORTEE_API_PAGE_SIZE", "abc", "un nombre entier est attendu", "valid integer"),
        ("PORTEE_API_PAGE_SIZE", "0", "1 au moins est attendu", "greater than or equal to 1"),
        ("PORTEE_SCHOOL_ZONE", "Z", "'A', 'B' ou 'C'", "'A', 'B' or 'C'"),
        ("PORTEE_API_ORIGINS", "exemple.fr", "une liste JSON est attendue", "a JSON list is expected"),
        ("PORTEE_API_SEARCH_RATE", "often", "rate", "rate"),
        ("PORTEE_MAP_TILES_MAX_ZOOM", "99", "22 au plus est attendu", "less than or equal to 22"),
    ],
)
@pytest.mark.parametrize("command", [("db", "status"), ("serve", "--port", "1")])
def test_a_setting_that_makes_no_sense_is_named(monkeypatch, variable, value, french, english, command):
    monkeypatch.setenv(variable, value)
    for language, why in (("fr", french), ("en", english)):
        done = CliRunner().invoke(app, command, env={"PORTEE_LANG": language})
        assert done.exit_code == 3
        assert variable in done.stderr
        assert why in done.stderr
        assert "Traceback" not in done.output
        assert "docs/settings.md" in done.stderr


def test_a_language_that_does_not_exist_is_refused(monkeypatch):
    monkeypatch.setenv("PORTEE_LANG", "de")
    done = CliRunner().invoke(app, ["db", "status"])
    assert done.exit_code == 3
    assert "PORTEE_LANG: fr, en" in done.stderr


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("PORTEE_DEPARTMENT", "PORTEE_DEPARTEMENT"),
        ("PORTEE_API_PAGESIZE", "PORTEE_API_PAGE_SIZE"),
        ("PORTEE_LANGUE", "PORTEE_LANG"),
        ("PORTEE_XYZZY", None),
    ],
)
def test_an_unknown_variable_is_found_with_the_nearest_known_one(name, nearest):
    assert unknown_variables({name: "", "HOME": "", "PORTEE_HOME": "", "DATABASE_URL": ""}) == [
        (name, nearest)
    ]


def test_an_unknown_variable_is_warned_of_and_the_command_runs():
    done = CliRunner().invoke(app, ["actions", "kinds"], env={"PORTEE_HOEM": "/tmp", "PORTEE_XYZZY": ""})
    assert done.exit_code == 0
    assert "La variable PORTEE_HOEM n'existe pas : pensiez-vous à PORTEE_HOME ?" in done.stderr
    assert "La variable PORTEE_XYZZY n'existe pas : voyez docs/settings.md." in done.stderr
    assert "PORTEE_HOEM" not in done.stdout
