"""Files of money, passes and actions in the store: all of a file is stored, or nothing."""

from __future__ import annotations

import csv
import json
from datetime import date
from io import BytesIO, StringIO

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from typer.testing import CliRunner

from geo.coverage.analysis_context import AnalysisContext
from geo.errors import UnreadableFile
from geo.funding.match_rule import MatchRule
from geo.funding.reports import By
from geo.reach.travel import load_travel
from geo.services import export_funding, import_funding
from geo.services.accounts import read_account_data
from geo.store import audit, ledger, ledger_reports, partners, passes, snapshots, territories
from geo.store.database import open_engine, parse_url
from geo.territory.model import TerritoryKind
from portee.cli import app
from tests.postgis.geo.store.test_store import store
from tests.support.funding_files import CELLS, GOOD, KINDS, TEMPLATES, reading, written
from tests.support.world import TERRITORY, record

# --- the store


@pytest.fixture
def fund(connection):
    return stocked(connection)


def stocked(connection):
    """A database with the tiny country, a site and a rule of the match."""
    territories.save(connection, TERRITORY)
    store(connection, record("a", 5, pass_numerique=True))
    ledger.set_rule(connection, MatchRule(date(2025, 1, 1)), actor="essai")
    return connection


@pytest.fixture
def filled(fund, tmp_path):
    load_all(fund, tmp_path)
    return fund


def books_of(connection, folder):
    """What accounts are made from, as the crow flies."""
    snapshot = snapshots.read(connection)
    travel = load_travel(None, home=folder, detour_factor=1.0)
    return read_account_data(connection, AnalysisContext(snapshot, travel, date(2026, 11, 23)), 2026, KINDS)


def load(connection, folder, kind, rows, *, dry_run=False, replace=False, name=None):
    return load_file(
        connection, written(folder, kind, rows, name=name), kind, dry_run=dry_run, replace=replace
    )


def load_file(connection, path, kind, *, dry_run=False, replace=False):
    known = import_funding.row_references(connection, TERRITORY, KINDS)
    act = import_funding.prepare if dry_run else import_funding.apply
    return act(connection, reading(path, kind, known), known, actor="essai", replace=replace)


def load_all(connection, folder):
    return {kind: load(connection, folder, kind, GOOD[kind]) for kind in GOOD}


def everything(connection):
    """Rows of every table money, passes and actions are kept in."""
    return {
        name: connection.execute(text(f"SELECT * FROM {name} ORDER BY 1, 2")).all()
        for name in (
            *("partner", "partner_site", "convention", "ledger_entry", "ledger_posting", "pass_order"),
            *("pass_event", "pass_total", "action", "audit"),
        )
    }


def test_each_kind_loads_and_the_same_again_changes_nothing(fund, tmp_path):
    first = load_all(fund, tmp_path)
    assert {kind: (f.kept, f.new, f.rejected) for kind, f in first.items()} == {
        kind: (True, len(rows), 0) for kind, rows in GOOD.items()
    }, [f.issues for f in first.values()]
    before = everything(fund)
    for kind, again in load_all(fund, tmp_path).items():
        assert (again.new, again.changed, again.unchanged) == (0, 0, len(GOOD[kind])), kind
    assert everything(fund) == before
    assert ledger.find(fund, "pass/R1").amount_cents == 6_000 and ledger.remaining(fund, "E3") == 1_000
    assert ledger_reports.faults(fund) == []


def test_what_is_exported_imports_as_unchanged(fund, tmp_path):
    load_all(fund, tmp_path)
    before = everything(fund)
    files = export_funding.everything(fund, books_of(fund, tmp_path), year=2026, xlsx=True)
    for kind in TEMPLATES:
        path = tmp_path / f"exported-{kind}.csv"
        path.write_bytes(files[f"{kind}.csv"])
        again = load_file(fund, path, kind)
        assert again.issues == () and again.new == again.changed == 0, kind
        assert again.unchanged == again.accepted >= len(GOOD[kind]), kind
    assert everything(fund) == before


def test_every_table_and_report_is_exported(fund, tmp_path):
    load_all(fund, tmp_path)
    gift = {**GOOD["pass-events"][0], "reference": "D9", "commune": "99004"}
    assert load(fund, tmp_path, "pass-events", [gift], name="far").kept
    books = books_of(fund, tmp_path)
    tables = {
        name.removesuffix(".csv"): list(csv.DictReader(StringIO(content.decode())))
        for name, content in export_funding.everything(fund, books, year=2026).items()
    }
    assert set(tables) == {
        *TEMPLATES,
        *("ledger", "rules", "audit", "pass-deserts", "actions-totals", "accounts"),
        *(f"fund-by-{by}" for by in (*By, *TerritoryKind)),
        *(f"passes-by-{kind}" for kind in TerritoryKind),
    }
    assert all(tables.values()), [name for name, rows in tables.items() if not rows]
    for by in (By.PARTNER, TerritoryKind.EPCI):
        report = ledger_reports.report(fund, by, year=2026, territory=TERRITORY)
        told = [row for row in tables[f"fund-by-{by}"] if row["période"] == "2026"]
        assert [row["payé (€)"] for row in told] == [
            f"{line.paid_cents / 100:.2f}" for line in (*report.lines, report.total)
        ]
    (here,) = [r for r in tables["passes-by-commune"] if (r["period"], r["code"]) == ("2026", "99001")]
    assert (here["given"], here["used"], here["accepting_sites"]) == ("20", "6", "1")
    assert [row["code"] for row in tables["pass-deserts"]] == ["99004"]
    assert [row["numéro"] for row in tables["audit"]] == [
        str(change.id) for change in reversed(audit.list_(fund, limit=10**9))
    ]
    assert {row["partenaire"] for row in tables["ledger"]} == {"", "asso", "caf"}
    assert all("source" in row for row in tables["actions-totals"])
    figures = {(r["niveau"], r["code"], r["mesure"]): r for r in tables["accounts"]}
    assert figures["commune", "99001", "given"]["valeur"] == "20"
    withheld = [r for r in tables["accounts"] if "value" in r["non publié"].split()]
    assert withheld and all(row["valeur"] == "" for row in withheld)


def test_the_workbook_holds_the_tables_of_the_files(fund, tmp_path):
    load_all(fund, tmp_path)
    files = export_funding.everything(fund, books_of(fund, tmp_path), year=2026, xlsx=True)
    book = openpyxl.load_workbook(BytesIO(files.pop("fonds.xlsx")), read_only=True)
    for name, content in files.items():
        told = list(csv.reader(StringIO(content.decode())))
        sheet = [
            [cell or "" for cell in row]
            for row in book[name.removesuffix(".csv")].iter_rows(values_only=True)
        ]
        assert [row[: len(told[0])] for row in sheet] == told, name
    assert len(list(csv.reader(StringIO(files["ledger.csv"].decode())))) == 1 + len(ledger.entries(fund))


def test_a_dry_run_tells_the_same_and_keeps_nothing(fund, tmp_path):
    before = everything(fund)
    tried = load(fund, tmp_path, "partners", GOOD["partners"], dry_run=True)
    assert (tried.new, tried.kept) == (2, False)
    assert everything(fund) == before


def test_one_row_rejected_keeps_the_whole_file_out(fund, tmp_path):
    load(fund, tmp_path, "partners", GOOD["partners"])
    before = everything(fund)
    rows = [*GOOD["contributions"], {**GOOD["contributions"][0], "reference": "C3", "amount": "rien"}]
    found = load(fund, tmp_path, "contributions", rows)
    assert (found.accepted, found.rejected, found.new, found.kept) == (2, 1, 0, False)
    assert everything(fund) == before


def test_each_row_the_books_refuse_is_told_and_nothing_is_kept(fund, tmp_path):
    for kind in ("partners", "contributions"):
        load(fund, tmp_path, kind, GOOD[kind])
    before = everything(fund)
    row = GOOD["commitments"][0]
    rows = [row, {**row, "reference": "E8", "amount": "999"}, {**row, "reference": "C1"}]
    found = load(fund, tmp_path, "commitments", rows)
    assert [(i.line, i.field) for i in found.issues] == [(3, "Montant (€)"), (4, "Référence")]
    assert "disponibles" in found.issues[0].reason and (found.accepted, found.rejected) == (1, 2)
    assert everything(fund) == before


def test_the_event_at_which_passes_no_longer_suffice_is_named(fund, tmp_path):
    for kind in ("partners", "contributions", "commitments", "pass-orders"):
        load(fund, tmp_path, kind, GOOD[kind])
    gift = GOOD["pass-events"][0]
    rows = [{**gift, "reference": f"D{n}", "count": "30"} for n in range(6)]
    before = everything(fund)
    found = load(fund, tmp_path, "pass-events", rows)
    [issue] = found.issues
    assert issue.line == 5, "90 passes of 100 are given in three rows"
    assert issue.field == "Nombre"
    assert "100" in issue.reason and (found.accepted, found.rejected) == (5, 1)
    assert everything(fund) == before


def test_a_reimbursement_beyond_its_commitment_is_refused_by_its_line(fund, tmp_path):
    for kind in ("partners", "contributions", "commitments", "payments", "pass-orders"):
        load(fund, tmp_path, kind, GOOD[kind])
    given_, used, _, paid = GOOD["pass-events"]
    rows = [given_, used, {**paid, "count": "8"}]
    found = load(fund, tmp_path, "pass-events", rows)
    [issue] = found.issues
    assert issue.line == 4 and "E3" in issue.reason and "Il reste" in issue.reason
    assert passes.standing(fund, "P-2026").given == 0


def test_a_reimbursement_from_what_names_a_commune_is_refused_by_its_line(fund, tmp_path):
    for kind in ("partners", "contributions", "commitments", "pass-orders"):
        load(fund, tmp_path, kind, GOOD[kind])
    given_, used, _, paid = GOOD["pass-events"]
    found = load(fund, tmp_path, "pass-events", [given_, used, {**paid, "commitment": "E1"}])
    [issue] = found.issues
    assert issue.line == 4 and "« E1 » nomme la commune 99004" in issue.reason and not found.kept


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("partners", {"name": "Autre nom"}),
        ("conventions", {"note": "?"}),
        ("action-event", {"place": "Quai"}),
    ],
)
def test_another_content_under_a_reference_replaces_only_when_asked(kind, changes, fund, tmp_path):
    load_all(fund, tmp_path)
    before = everything(fund)
    rows = [{**GOOD[kind][0], **changes}, *GOOD[kind][1:]]
    refused = load(fund, tmp_path, kind, rows)
    assert [i.code for i in refused.issues] == ["reference_prise"] and everything(fund) == before
    done = load(fund, tmp_path, kind, rows, replace=True)
    assert (done.new, done.changed, done.unchanged) == (0, 1, len(rows) - 1)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [("payments", {"amount": "40,26"}), ("pass-orders", {"note": "?"}), ("pass-events", {"count": "19"})],
)
def test_money_and_passes_are_never_rewritten(kind, changes, fund, tmp_path):
    load_all(fund, tmp_path)
    before = everything(fund)
    found = load(fund, tmp_path, kind, [{**GOOD[kind][0], **changes}], replace=True)
    assert found.rejected == 1 and everything(fund) == before


def test_who_and_what_of_each_row_is_in_the_audit(fund, tmp_path):
    load(fund, tmp_path, "partners", GOOD["partners"])
    told = fund.execute(
        text("SELECT actor, subject FROM audit WHERE action = 'partner.save' ORDER BY id")
    ).all()
    assert told == [("essai", "partner/caf"), ("essai", "partner/asso")]
    assert [p.code for p in partners.list_(fund)] == ["asso", "caf"]


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_file_says_the_books_keep_all_of_it_or_nothing(data, filled, tmp_path):
    with filled.begin_nested() as trial:
        before = everything(filled)
        kind = data.draw(st.sampled_from(sorted(GOOD)))
        rows = [
            {**row, **data.draw(st.dictionaries(st.sampled_from(sorted(row)), CELLS, max_size=2))}
            for row in data.draw(st.lists(st.sampled_from(GOOD[kind]), min_size=1, max_size=4))
        ]
        try:
            found = load(filled, tmp_path, kind, rows, name="drawn", replace=data.draw(st.booleans()))
        except UnreadableFile:  # a NUL makes it no text at all
            assert any("\0" in cell for row in rows for cell in row.values())
            assert everything(filled) == before
            return
        assert found.reading.read == len(rows) == found.accepted + found.rejected
        assert found.kept == (found.rejected == 0)
        if found.kept:
            assert found.accepted == found.new + found.changed + found.unchanged
        if not found.new + found.changed:
            assert everything(filled) == before
        assert ledger_reports.faults(filled) == []
        trial.rollback()


def test_a_command_that_is_refused_or_dies_leaves_nothing(portee, database_url, tmp_path, monkeypatch):
    assert (
        portee("import", written(tmp_path, "partners", GOOD["partners"]), "--kind", "partners").exit_code == 0
    )
    bad = written(tmp_path, "contributions", [*GOOD["contributions"], {"reference": "C9"}])
    assert portee("import", bad, "--kind", "contributions").exit_code == 1
    record_all = audit.record_all

    def dies(*arguments):
        record_all(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(audit, "record_all", dies)
    good = written(tmp_path, "contributions", GOOD["contributions"])
    with pytest.raises(KeyboardInterrupt):
        load_by_hand(database_url, good)
    monkeypatch.undo()
    engine = open_engine(parse_url(database_url))
    with engine.connect() as connection:
        assert ledger.entries(connection) == [] and ledger.balance(connection).available_cents == 0
    engine.dispose()


def load_by_hand(database_url, path):
    engine = open_engine(parse_url(database_url))
    try:
        with engine.begin() as connection:
            load_file(connection, path, "contributions")
    finally:
        engine.dispose()


# --- the commands


@pytest.fixture
def portee(database_url, tmp_path, monkeypatch):
    """Run `portee fund` over a database of its own; its output must not hold a traceback."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("PORTEE_HOME", str(tmp_path))
    engine = open_engine(parse_url(database_url))
    with engine.begin() as connection:
        stocked(connection)
    engine.dispose()
    return lambda *words: CliRunner().invoke(app, ["fund", *map(str, words)], catch_exceptions=False)


def test_from_template_to_import_to_export_by_command(portee, tmp_path):
    listed = portee("template")
    assert all(kind in listed.stdout for kind in TEMPLATES)
    assert portee("template", "partners", "--out", tmp_path / "t.xlsx").exit_code == 0
    assert portee("template", "rien").exit_code == 1
    refused = portee("import", tmp_path / "t.xlsx", "--kind", "partners", "--report", tmp_path / "r.csv")
    assert refused.exit_code == 1 and "Rien n'a été enregistré" in refused.stdout
    [issue] = csv.DictReader(StringIO((tmp_path / "r.csv").read_text("utf-8")))
    assert issue["field"] == "Code" and issue["code"] == "exemple"

    path = written(tmp_path, "partners", GOOD["partners"])
    tried = portee("import", path, "--kind", "partners", "--dry-run")
    assert tried.exit_code == 0 and "seraient nouvelles 2" in tried.stdout
    done = json.loads(portee("import", path, "--kind", "partners", "--json").stdout)
    assert (done["read"], done["new"], done["kept"]) == (2, 2, True)
    again = portee("import", path, "--kind", "partners")
    assert "Nouvelles 0 · modifiées 0 · inchangées 2" in again.stdout

    assert portee("export", "--out", tmp_path / "out", "--xlsx").exit_code == 0
    assert {"partners.csv", "ledger.csv", "fund-by-partner.csv", "fonds.xlsx"} <= {
        p.name for p in (tmp_path / "out").iterdir()
    }
    assert portee("export", "--out", tmp_path / "open", "--open-data").exit_code == 0
    assert (tmp_path / "open" / "datapackage.json").exists()
