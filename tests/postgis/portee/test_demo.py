"""The demonstration from nothing to a page, and what the doctor finds on the way."""

from __future__ import annotations

import json
import shutil
import socket
from dataclasses import replace

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from geo.settings import ROOT
from geo.store import roads, snapshots, territories
from geo.store.database import open_engine, parse_url
from portee.cli import app
from portee.commands.doctor import CHECKS, find_chromium
from tests.support.roads import grid

DEMO = ("demo", "--no-serve")


@pytest.fixture
def run(database_url, tmp_path, monkeypatch):
    """The command over a database of its own, its home in a folder of its own."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("PORTEE_HOME", str(tmp_path))
    return lambda *words: CliRunner().invoke(app, words, catch_exceptions=False)


@pytest.fixture
def engine_there(database_url):
    engine = open_engine(parse_url(database_url))
    yield engine
    engine.dispose()


def state(engine):
    with engine.connect() as connection:
        snapshot = snapshots.read(connection)
        runs = connection.scalar(text("SELECT count(*) FROM import_run"))
    return snapshot, runs


def test_it_goes_from_nothing_to_a_page_and_a_second_time_changes_nothing(run, engine_there, tmp_path):
    first = run(*DEMO)
    assert first.exit_code == 0, first.stderr
    snapshot, runs = state(engine_there)
    assert snapshot.fictitious and runs == 2
    described = sorted(len(site.records) for site in snapshot.sites)
    assert described == [*[1] * 79, 2], "81 records, two of which are one place"
    page = (tmp_path / "site" / "index.html").read_bytes()
    assert b"fictif" in page
    assert "des habitants à 20 min" in first.stderr and "à vol d'oiseau" in first.stderr

    second = run(*DEMO)
    assert second.exit_code == 0 and second.stderr.count("rien de nouveau") == 2
    assert "déjà là" in second.stderr
    again, runs_again = state(engine_there)
    assert (again.version, again.sites, runs_again) == (snapshot.version, snapshot.sites, runs)
    assert (tmp_path / "site" / "index.html").read_bytes() == page


def test_invented_sites_never_join_real_ones(run, engine_there, tmp_path):
    run(*DEMO)
    real = tmp_path / "liste.csv"
    header, first, *_ = (ROOT / "data/demo/lieux-fictifs-47.csv").read_text("utf-8").splitlines(keepends=True)
    real.write_text(header + first.removesuffix("demonstration,true\n") + "vraie-liste,false\n", "utf-8")
    assert run("import", str(real)).exit_code == 0
    before, runs = state(engine_there)
    assert any(not site.fictif for site in before.sites)

    said = run(*DEMO)
    assert said.exit_code == 0 and "les inventés sont laissés de côté" in said.stderr
    assert state(engine_there)[1] == runs


def test_finer_boundaries_already_loaded_stay(run, engine_there):
    run(*DEMO)
    with engine_there.begin() as connection:
        snapshot = snapshots.read(connection)
        territories.save(connection, replace(snapshot.territory, name="Chargé à la main"))
    run(*DEMO)
    assert state(engine_there)[0].territory.name == "Chargé à la main"


def test_a_failed_step_is_told_and_leaves_what_was_there(run, engine_there, monkeypatch, tmp_path):
    run(*DEMO)
    before, runs = state(engine_there)
    monkeypatch.setenv("PORTEE_TERRITORY_DIR", str(tmp_path / "no-such-folder"))
    said = run(*DEMO)
    assert said.exit_code != 0 and "portee territory build 47" in said.stderr
    assert state(engine_there) == (before, runs)


def test_a_taken_port_is_told_before_any_work(run):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        said = run("demo", "--port", str(listening.getsockname()[1]))
    assert said.exit_code == 3 and "est déjà pris" in said.stderr and "[1/" not in said.stderr


def findings(said) -> dict[str, dict[str, object]]:
    return {finding["check"]: finding for finding in json.loads(said.stdout)}


def test_the_doctor_finds_all_well_after_a_demonstration(run):
    run(*DEMO)
    said = run("doctor", "--json")
    assert said.exit_code == 0
    assert {name for name, finding in findings(said).items() if finding["ok"]} == {c.name for c in CHECKS}


def test_the_doctor_says_what_is_loaded_and_of_when(run, tmp_path):
    run(*DEMO)
    told = {name: finding["found"] for name, finding in findings(run("doctor", "--json")).items()}
    assert "à vol d'oiseau" in str(told["roads"]) and "mairie" in str(told["people"])
    figures = tmp_path / "ifn.csv"
    figures.write_text("code_insee,indice\n47001,60\n47323,40\n", "utf-8")
    loaded = run(
        *("indicators", "load", str(figures), "--code", "ifn", "--name", "Fragilité numérique"),
        *("--column", "indice", "--vintage", "2020"),
    )
    assert loaded.exit_code == 0, loaded.stderr
    assert "ifn (2020)" in run("doctor", "indicators").stdout


def test_roads_the_database_names_but_this_machine_lacks_are_missing(run, engine_there):
    run(*DEMO)
    with engine_there.begin() as connection:
        roads.record(connection, grid(2, 1).about)
    said = run("doctor", "roads")
    assert said.exit_code == 3 and "manque" in said.stdout and "portee roads build" in said.stdout
    assert run("doctor").exit_code == 0, "times are then estimated"


def test_a_database_out_of_reach_is_told_without_its_password(run, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://portee:s3cret@127.0.0.1:1/portee")
    said = run("doctor", "database")
    assert said.exit_code == 3 and "s3cret" not in said.stdout + said.stderr
    assert run("doctor", "python").exit_code == 0


def test_tables_not_made_yet_are_told(run, engine_there):
    with engine_there.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    said = run("doctor", "database")
    assert said.exit_code == 3 and "portee db migrate" in said.stdout


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine without settings, with nothing on its PATH and an empty home."""
    for name in ("DATABASE_URL", "CHROMIUM", "PLAYWRIGHT_BROWSERS_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("check", "lacking"),
    [
        ("postgis", "docker compose up"),
        ("chromium", "apt-get install chromium"),
        ("assets", "npm ci"),
        ("territory", "portee territory build"),
        ("disk", "PORTEE_HOME"),
    ],
)
def test_what_is_missing_is_told_with_the_way_to_get_it(bare, monkeypatch, check, lacking):
    monkeypatch.setattr("geo.store.postgres_programs._likely_folders", lambda: iter(()))
    monkeypatch.setattr("portee.commands.doctor.VENDOR", bare / "vendor")
    monkeypatch.setattr("portee.commands.doctor.ENOUGH_DISK_MB", 10**12)
    monkeypatch.setenv("PORTEE_TERRITORY_DIR", str(bare))
    said = CliRunner().invoke(app, ["doctor", "--json", check])
    assert said.exit_code == 3
    finding = findings(said)[check]
    assert not finding["ok"] and lacking in str(finding["remedy"])


def test_a_misspelt_check_is_a_misuse():
    said = CliRunner().invoke(app, ["doctor", "postgres"])
    assert said.exit_code == 2 and "postgres" in said.stderr


def test_ubuntus_stub_of_a_browser_is_not_taken_for_one(bare):
    stub = bare / "chromium-browser"
    stub.write_text('#!/bin/sh\nexec /snap/bin/chromium "$@"\n')
    stub.chmod(0o755)
    said = CliRunner().invoke(app, ["doctor", "chromium"])
    assert said.exit_code == 3
    real = bare / "google-chrome"
    shutil.copy("/bin/true", real)
    assert find_chromium() == real


def test_a_browser_named_goes_first(bare, monkeypatch):
    named = bare / "mine"
    named.touch()
    monkeypatch.setenv("CHROMIUM", str(named))
    assert find_chromium() == named
