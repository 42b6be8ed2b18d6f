"""`portee print` writes the documents of a stored territory."""

from __future__ import annotations

import re
from typing import Any

import pytest
from typer.testing import CliRunner

from geo.store import snapshots, territories
from geo.store.database import engine_for
from portee.cli import app
from tests.support.paper import read, root_of, text
from tests.support.world import TERRITORY


@pytest.fixture
def stored(fresh_settings, monkeypatch, tmp_path):
    engine = engine_for(fresh_settings)
    with engine.begin() as connection:
        territories.save(connection, TERRITORY)
        snapshots.publish(connection)
    engine.dispose()
    monkeypatch.setenv("DATABASE_URL", fresh_settings.database_url)
    monkeypatch.setenv("PORTEE_HOME", str(tmp_path))
    return tmp_path


def run(*arguments: str, **environment: str) -> Any:
    return CliRunner().invoke(app, ["print", *arguments], env=environment)


def test_the_command_writes_what_is_asked(stored):
    done = run(
        *("--commune", "99001", "--commune", "99001", "--canton", "9901", "--epci", "200000002", "--all"),
        *("--out", str(stored)),
        PORTEE_PUBLIC_URL="https://aide.example/ici/",
    )
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in stored.glob("*.pdf")) == [
        "affiche-canton-9901-canton-9901.pdf",
        "affiche-commune-99001-ouestville.pdf",
        "affiche-epci-200000002-cc-2.pdf",
        "annuaire-pays-d-essai.pdf",
    ]
    assert "n'est pas définie" not in done.output
    pdf = (stored / "affiche-commune-99001-ouestville.pdf").read_bytes()
    assert "aide.example/ici/?lieu=commune-99001" in text(pdf)


def test_the_command_writes_one_file_in_english_and_warns_without_address(stored):
    done = run("--commune", "99001", "--out", str(stored / "a.pdf"), "--lang", "en", "--json")
    assert done.exit_code == 0, done.output
    assert "PORTEE_PUBLIC_URL n'est pas définie" in done.stderr
    assert root_of(read((stored / "a.pdf").read_bytes()))["/Lang"].startswith("en")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "dites ce qu'il faut imprimer"),
        (("--commune", "00000"), 1, "Aucun territoire"),
        (("--commune", "99001", "--lang", "xx"), 2, "fr, en"),
        (("--all", "--commune", "99001", "--out", "un.pdf"), 2, "dossier"),
        (("--all", "--out", "nulle-part/un.pdf"), 2, "pas de dossier"),
    ],
)
def test_the_command_refuses_nonsense(stored, arguments, code, said):
    done = run(*arguments)
    assert done.exit_code == code
    assert said in " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.output).split())
