"""`portee passes`, as typed, over a real PostGIS."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from geo.funding.passes import COLUMNS
from geo.store import passes, territories
from geo.store.database import open_engine, parse_url
from portee.cli import app
from tests.postgis.geo.store.test_store import store
from tests.support.pass_store import add_partners, funded
from tests.support.world import TERRITORY, record

ORDER = ("order", "A", "--count", "100", "--funder", "dep=60", "--funder", "caf=40")
DATES = ("--day", "2026-03-01", "--expires", "2026-08-31")
ROWS = (
    ("1", "A", "given", "2026-03-02", "40", "99004", "caf", ""),
    ("2", "A", "given", "2026-03-02", "10", "99001", "caf", ""),
    ("3", "A", "used", "2026-03-12", "4", "99001", "", "essai--a"),
)


@pytest.fixture
def engine_here(database_url):
    engine = open_engine(parse_url(database_url))
    with engine.begin() as connection:
        territories.save(connection, TERRITORY)
        store(connection, record("a", 5, pass_numerique=True))
        add_partners(connection)
    yield engine
    engine.dispose()


@pytest.fixture
def portee(engine_here, database_url, monkeypatch, tmp_path):
    """Run `portee passes`; returns its exit code, output and errors."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("PORTEE_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        result = CliRunner().invoke(app, ["passes", *map(str, arguments)])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def file(tmp_path):
    def write(*rows, columns=COLUMNS):
        path = tmp_path / "événements.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows((columns, *rows))
        return path

    return write


@pytest.fixture
def filled(portee, file):
    assert portee(*ORDER, *DATES).exit_code == 0
    assert portee("record", file(*ROWS)).exit_code == 0
    return portee


def test_an_order_is_recorded_once(portee, engine_here):
    said = portee(*ORDER, *DATES).stdout
    assert "Commande A : 100 pass, 1 000 €, valables jusqu'au 31/08/2026. Enregistrée." in said
    assert "rien n'a changé" in portee(*ORDER, *DATES).stdout
    with engine_here.connect() as connection:
        (order,) = passes.orders(connection)
        assert order.funders == (("dep", 60), ("caf", 40)) and order.expires_on == date(2026, 8, 31)
        assert connection.scalar(text("SELECT actor FROM audit WHERE subject = 'pass_order/A'"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*ORDER[:5], "dep", *DATES), "PARTENAIRE=PASS"),
        ((*ORDER[:6], *DATES), "paient 60 pass"),
        ((*ORDER, "--value", "dix", *DATES), "dix"),
    ],
)
def test_an_order_that_cannot_be_is_refused(portee, arguments, said):
    result = portee(*arguments)
    assert result.exit_code == 1 and said in result.stderr


def test_a_file_is_recorded_and_again_changes_nothing(portee, file):
    portee(*ORDER, *DATES)
    assert "Enregistrés : 3 ; déjà connus : 0." in portee("record", file(*ROWS)).stdout
    assert json.loads(portee("record", file(*ROWS), "--json").stdout)["recorded"] == {"new": 0, "already": 3}


def test_one_bad_row_leaves_the_whole_file_out_and_each_row_is_counted(portee, file, tmp_path, engine_here):
    portee(*ORDER, *DATES)
    bad = ("4", "A", "given", "2026-03-02", "1", "75056", "caf", "")
    result = portee("record", file(*ROWS, bad), "--report", tmp_path / "r.csv")
    assert result.exit_code == 1
    assert "Lignes lues 4 · acceptées 3 · rejetées 1" in result.stdout
    assert "ligne 5, commune « 75056 »" in result.stdout and "Rien n'a été enregistré" in result.stdout
    assert "commune_inconnue" in (tmp_path / "r.csv").read_text("utf-8")
    with engine_here.connect() as connection:
        assert passes.standing(connection, "A").given == 0


def test_more_than_was_ordered_is_refused_whole(portee, file, engine_here):
    portee(*ORDER, *DATES)
    result = portee("record", file(*ROWS, ("4", "A", "given", "2026-03-02", "51", "99001", "", "")))
    assert result.exit_code == 1 and "il en reste 100, et non 101" in result.stderr
    with engine_here.connect() as connection:
        assert passes.standing(connection, "A").given == 0


def test_an_attempt_stores_nothing(portee, file, engine_here):
    portee(*ORDER, *DATES)
    assert "seraient enregistrés : 3" in portee("record", file(*ROWS), "--dry-run").stdout
    with engine_here.connect() as connection:
        assert passes.standing(connection, "A").given == 0


def test_reimbursements_are_paid_from_the_commitment_named(filled, file, engine_here):
    with engine_here.begin() as connection:
        funded(connection)
    rows = file(("r", "A", "reimbursed", "2026-04-01", "3", "", "", "essai--a"))
    assert "de quel engagement" in filled("record", rows).stderr
    assert filled("record", rows, "--commitment", "e").exit_code == 0
    with engine_here.connect() as connection:
        assert passes.standing(connection, "A").reimbursed == 3


def test_what_is_left_expires_once(filled):
    assert "Aucun pass à expirer" in filled("expire", "--day", "2026-08-31").stdout
    assert "Commande A : 46 pass expirés." in filled("expire", "--day", "2026-09-01").stdout
    assert json.loads(filled("expire", "--day", "2026-09-01", "--json").stdout) == []


def test_the_report_tells_territories_in_three_forms(filled):
    filled("expire", "--day", "2026-09-01")
    told = json.loads(filled("report", "--kind", "canton", "--json").stdout)
    assert [(t["code"], t["figures"]["given"], t["figures"]["expired"]) for t in told["territories"]] == [
        ("9901", 10, 6),
        ("9902", 40, 40),
    ]
    assert told["whole"]["used_cents"] == 4_000 and told["travel"].startswith("estimation")
    rows = list(csv.DictReader(io.StringIO(filled("report", "--csv").stdout)))
    assert [row["used"] for row in rows] == ["4", "0", "0", "0"]
    assert rows[0]["mean_delay_days"] == "10.0"
    shown = filled("report").stdout
    assert "Estbourg" in shown and "En tout : 50 donnés, 4 utilisés" in shown


def test_an_unknown_order_or_indicator_is_told(filled):
    assert "« Z »" in filled("report", "--order", "Z").stderr
    assert "« ifn »" in filled("report", "--fragility", "ifn").stderr


def test_deserts_are_told_in_sentences(filled):
    said = filled("deserts").stdout
    assert "Estbourg : 40 pass donnés, 0 utilisé" in said and "1 désert de pass à plus de 20 min" in said
    assert "Données de démonstration" in said
    assert json.loads(filled("deserts", "--minutes", "120", "--json").stdout)["deserts"] == []
