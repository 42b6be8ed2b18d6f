"""The demonstration's invented year: made the same again, plainly fictitious, loaded once."""

from __future__ import annotations

import csv
import runpy

import pytest

from geo.funding.action_kinds import load_kinds
from geo.funding.partners import Partner, PartnerKind
from geo.funding.reports import By
from geo.funding.template_columns import templates
from geo.settings import ROOT, Settings
from geo.store import actions, ledger, ledger_reports, partners, passes
from geo.territory.files import read_territory
from portee.commands.demo import FUND, import_demonstration, import_fund, load_territory


@pytest.fixture(scope="module")
def territory():
    return read_territory(ROOT / "data" / "communes", "47")


@pytest.fixture
def demonstration(fresh_engine, territory, tmp_path):
    settings = Settings(home=tmp_path)
    load_territory(fresh_engine, territory)
    import_demonstration(fresh_engine, settings, territory)
    return fresh_engine, settings, territory


def test_the_files_are_those_the_script_makes(tmp_path):
    runpy.run_path(str(ROOT / "scripts" / "make_demo_funding.py"))["write"](tmp_path)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_bytes() for path in FUND.glob("*.csv")}
    assert {name.removesuffix(".csv") for name in made} == set(templates(load_kinds()))


def test_every_row_says_that_it_is_invented():
    for path in FUND.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                invented = " ".join(row.values()).lower()
                assert "fictif" in invented, (path.name, row)
                assert row.get("Fictif", "oui") == "oui"


def test_it_loads_once_holds_together_and_tells_something_everywhere(demonstration):
    said = import_fund(*demonstration)
    assert said.endswith("fiches et écritures"), said
    assert import_fund(*demonstration) == "déjà là"
    engine, _, territory = demonstration
    with engine.connect() as connection:
        assert ledger_reports.faults(connection) == []
        held = ledger.balance(connection)
        assert min(held.available_cents, held.committed_cents, held.paid_cents) > 0
        by_year = ledger_reports.report(connection, By.YEAR)
        assert by_year.fictif and [line.key for line in by_year.lines] == ["2025", "2026"]
        assert by_year.lines[1].unmatched_cents > 0, "the ceiling bites"
        assert {line.key for line in ledger_reports.report(connection, By.LEVEL).lines} >= {
            *("local", "national", "european")
        }
        assert all(partner.fictif for partner in partners.list_(connection))
        standings = [passes.standing(connection, order.reference) for order in passes.orders(connection)]
        for standing in standings:
            assert standing.given > standing.used >= standing.reimbursed > 0
        assert any(standing.expired for standing in standings)
        done = actions.list_(connection)
        assert {action.kind for action in done} == set(load_kinds())
        assert {action.day.year for action in done} == {2025, 2026}
        assert {action.commune for action in done} <= territory.own_codes


def test_it_is_left_out_beside_real_partners(demonstration):
    engine, _, _ = demonstration
    with engine.begin() as connection:
        partners.save(connection, Partner("vrai", "Vrai partenaire", PartnerKind.PUBLIC), actor="essai")
    assert "laiss" in import_fund(*demonstration)
    with engine.connect() as connection:
        assert ledger.entries(connection) == []


def test_it_is_whole_or_absent(demonstration, monkeypatch, tmp_path):
    engine, _, _ = demonstration
    for path in FUND.glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "payments.csv").write_text(
        "Référence,Date,Montant (€),Engagement\nP,2026-01-01,1,NON\n", "utf-8"
    )
    monkeypatch.setattr("portee.commands.demo.FUND", tmp_path)
    assert "payments.csv, ligne 2" in import_fund(*demonstration)
    with engine.connect() as connection:
        assert ledger.entries(connection) == [] and ledger.rules(connection) == []
        assert partners.list_(connection) == []
