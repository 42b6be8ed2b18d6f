"""`portee addresses`, as typed, over a real PostGIS."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from geo.store import territories
from geo.store.database import open_engine, parse_url
from portee.cli import app
from tests.support.addresses import WORLD, hamlet, row, write
from tests.support.world import TERRITORY


@pytest.fixture
def portee(database_url, monkeypatch, tmp_path):
    """Run a command; returns its exit code, output and errors."""
    engine = open_engine(parse_url(database_url))
    with engine.begin() as connection:
        territories.save(connection, TERRITORY)
    engine.dispose()
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        result = CliRunner().invoke(app, [str(a) for a in arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def file(tmp_path):
    faulty = row("99001_0010", "Rue \x1b[31mX", 5, 4, lon="", x="")
    return write(tmp_path / "adresses-99.csv", [*WORLD, WORLD[0], faulty, row("99001_0010", "Loin", 6, 400)])


def test_addresses_are_loaded_told_found_and_removed(portee, file, tmp_path):
    assert "Aucune adresse" in portee("addresses", "about").stdout
    told = portee("addresses", "load", file)
    assert told.exit_code == 0
    assert "Lignes lues 13 · acceptées 10 · en double 1 · hors du territoire 1 · rejetées 1" in told.stdout
    assert "coordonnees_illisibles" in told.stdout and "\x1b" not in told.stdout
    assert "Voies 6 · lieux-dits 2 · numéros 9" in told.stdout
    about = portee("addresses", "about").stdout
    assert "adresses-99.csv" in about and "Licence Ouverte 2.0" in about and "numéros 9" in about

    found = portee("addresses", "find", "12 bis rue de l'eglise ouestville")
    assert found.stdout.startswith("1,00  12 bis rue de l'Église, 99100 Ouestville (address, ")
    listed = json.loads(portee("addresses", "find", "ouestville", "--json").stdout)
    assert listed[0]["id"] == "commune-99001" and listed[0]["score"] == 1
    assert portee("addresses", "find", "zzzzzzzz").exit_code == 1

    assert portee("addresses", "remove", "--yes").exit_code == 0
    assert portee("addresses", "remove", "--yes").exit_code == 1
    assert portee("addresses", "find", "lagarde").exit_code == 1


def test_a_dry_run_and_a_refused_file_leave_what_was_there(portee, file, tmp_path):
    portee("addresses", "load", file)
    other = write(tmp_path / "autre.csv.gz", [row("99001_0077", "Rue Neuve", 1, 4)])
    told = json.loads(portee("addresses", "load", other, "--dry-run", "--json").stdout)
    assert told["dry_run"] and told["numbers"] == 1 and told["files"][0]["read"] == 1
    wrong = tmp_path / "x.csv"
    wrong.write_text("a;b\n1;2\n", "utf-8")
    refused = portee("addresses", "load", wrong)
    assert refused.exit_code == 1 and "adresse.data.gouv.fr" in refused.stderr
    assert json.loads(portee("addresses", "about", "--json").stdout)["numbers"] == 9


def test_lieux_dits_are_loaded_with_addresses(portee, file, tmp_path):
    dits = write(tmp_path / "lieux-dits-99-beta.csv", [hamlet("99003_b001", "Moulin Fictif", 25)])
    assert portee("addresses", "load", file, dits).exit_code == 0
    found = json.loads(portee("addresses", "find", "moulin fictif", "--json").stdout)
    assert (found[0]["kind"], found[0]["label"]) == ("hamlet", "Moulin Fictif, 99100 Désert-le-Vide")


def test_the_doctor_tells_which_addresses_are_loaded(portee, file):
    assert "aucune : on cherche" in portee("doctor", "addresses").stdout
    portee("addresses", "load", file)
    told = portee("doctor", "addresses")
    assert told.exit_code == 0 and "adresses-99.csv" in told.stdout
