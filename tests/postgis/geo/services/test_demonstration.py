"""The demonstration leaves when the first real sites arrive, and comes back when their import is undone."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from geo.funding.ledger import Balance, Contribution, Level
from geo.funding.match_rule import MatchRule
from geo.funding.partners import Partner, PartnerKind
from geo.services import import_sites
from geo.services.record_lifecycle import undo, withdraw
from geo.settings import ROOT, Settings
from geo.store import datasets, ledger, ledger_reports, partners, snapshots, territories
from geo.territory.files import read_territory
from portee.commands.demo import import_demonstration, import_fund

HEADER = "id,pivot,nom,commune,code_postal,code_insee,adresse,latitude,longitude,date_maj,ext_fictif\n"
TODAY = date(2026, 11, 29)
FUND_TABLES = (
    *("partner", "convention", "partner_site", "fund_rule", "ledger_entry", "ledger_posting", "action"),
    *("ledger_balance", "pass_order", "pass_event", "pass_total", "pass_day", "pass_site", "pass_commune"),
)


@pytest.fixture(scope="module")
def territory():
    return read_territory(ROOT / "data" / "communes", "47")


@pytest.fixture
def shown(fresh_engine, territory):
    """The demonstration, stored; returns the identifiers of the sites that people see."""
    with fresh_engine.begin() as connection:
        territories.save(connection, territory)
        snapshots.publish(connection)
    settings = Settings()
    import_demonstration(fresh_engine, settings, territory)
    import_fund(fresh_engine, settings, territory)

    def read() -> list[str]:
        with fresh_engine.connect() as connection:
            return [site.id for site in snapshots.read(connection).sites]

    return read


def load(engine, territory, tmp_path, *rows: str, dataset: str = "vrai"):
    path = tmp_path / "vrais.csv"
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), "utf-8")
    arrival = import_sites.read(path, territory=territory, today=TODAY, max_bytes=10**7, dataset=dataset)
    with engine.begin() as connection:
        return import_sites.apply(connection, arrival, territory=territory)


REAL = "1,00000000000000,Mairie inventée,Agen,47000,47001,1 rue Essai,44.2,0.62,2026-01-01,"


def fund(engine) -> dict[str, list[str]]:
    """Every row of the fund's tables, as text."""
    with engine.connect() as connection:
        return {
            name: sorted(connection.scalars(text(f"SELECT t::text FROM {name} t"))) for name in FUND_TABLES
        }


def guards(engine) -> list[tuple[str, str, str]]:
    query = (
        "SELECT c.relname, t.tgname, t.tgenabled FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE NOT t.tgisinternal ORDER BY 1, 2"
    )
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_it_leaves_with_its_fund_in_the_import_of_real_sites_and_comes_back(
    shown, fresh_engine, territory, tmp_path
):
    sites, money, armed = shown(), fund(fresh_engine), guards(fresh_engine)
    assert len(sites) > 70
    assert money["ledger_posting"] and money["pass_event"] and money["action"] and money["fund_rule"]
    done = load(fresh_engine, territory, tmp_path, REAL)
    assert done.demonstration == ("demonstration", "demonstration-partenaires")
    assert done.fund_obstacle == ""
    assert shown() == ["vrai--1"]
    empty = fund(fresh_engine)
    assert {name for name, rows in empty.items() if rows} == {"ledger_balance"}
    assert guards(fresh_engine) == armed
    with fresh_engine.connect() as connection:
        assert ledger.balance(connection) == Balance(0, 0, 0, 0, 0)
        assert partners.list_(connection) == []
        removed = text("SELECT before->>'ledger_entry' FROM audit WHERE action = 'remove'")
        assert int(connection.scalar(removed)) == len(money["ledger_entry"])
    with fresh_engine.begin() as connection:
        back = undo(connection, done.run_id, by="essai", epsg=2154)
    assert back.run_id is not None
    assert back.fund_obstacle == ""
    assert shown() == sites
    assert fund(fresh_engine) == money
    assert guards(fresh_engine) == armed
    with fresh_engine.connect() as connection:
        assert ledger_reports.faults(connection) == []
    with fresh_engine.begin() as connection:
        undo(connection, back.run_id, by="essai", epsg=2154)
    assert shown() == ["vrai--1"]
    assert fund(fresh_engine) == empty


def test_the_guards_hold_again_after_it_left(shown, fresh_engine, territory, tmp_path):
    load(fresh_engine, territory, tmp_path, REAL)
    with fresh_engine.begin() as connection:
        partners.save(connection, Partner("p", "Partenaire", PartnerKind.COMPANY), actor="moi")
        ledger.set_rule(connection, MatchRule(date(2026, 1, 1)), actor="moi")
        ledger.post(
            connection,
            Contribution(
                reference="C", day=date(2026, 1, 2), partner_code="p", amount_cents=100, level=Level.LOCAL
            ),
            actor="moi",
        )
    for statement in ("DELETE FROM ledger_entry", "UPDATE ledger_posting SET amount_cents = 1"):
        with pytest.raises(Exception, match="only ever added"), fresh_engine.begin() as connection:
            connection.execute(text(statement))


def test_the_demonstration_is_not_brought_back_unasked(shown, fresh_engine, territory, tmp_path):
    load(fresh_engine, territory, tmp_path, REAL)
    settings = Settings()
    assert "laissés de côté" in import_demonstration(fresh_engine, settings, territory)[0]
    assert "laissées de côté" in import_fund(fresh_engine, settings, territory)
    with fresh_engine.begin() as connection:
        withdraw(connection, "vrai", by="moi", reason="essai", epsg=2154)
    assert shown() == []
    assert "datasets restore" in import_demonstration(fresh_engine, settings, territory)[0]
    assert shown() == []


def test_a_file_with_real_and_invented_rows_shows_the_real_ones_alone(
    shown, fresh_engine, territory, tmp_path
):
    invented = REAL.replace("1,", "2,", 1).replace("inventée", "fictive") + "oui"
    load(fresh_engine, territory, tmp_path, REAL, invented)
    assert shown() == ["vrai--1"]


def test_invented_sites_imported_beside_real_ones_are_not_shown(fresh_engine, territory, tmp_path):
    with fresh_engine.begin() as connection:
        territories.save(connection, territory)
    load(fresh_engine, territory, tmp_path, REAL)
    load(fresh_engine, territory, tmp_path, REAL + "oui", dataset="fictif")
    with fresh_engine.connect() as connection:
        assert [site.id for site in snapshots.read(connection).sites] == ["vrai--1"]


def test_money_that_real_entries_lean_on_stays_and_the_import_says_so(
    shown, fresh_engine, territory, tmp_path
):
    with fresh_engine.begin() as connection:
        ledger.post(
            connection,
            Contribution(
                reference="C",
                day=date(2026, 1, 2),
                partner_code="partenaire-fictif-01",
                amount_cents=100,
                level=Level.LOCAL,
            ),
            actor="moi",
        )
    before = fund(fresh_engine)
    done = load(fresh_engine, territory, tmp_path, REAL)
    assert "vraies écritures" in done.fund_obstacle
    assert shown() == ["vrai--1"]
    assert fund(fresh_engine) == before


def test_invented_money_does_not_come_back_beside_real_money(shown, fresh_engine, territory, tmp_path):
    done = load(fresh_engine, territory, tmp_path, REAL)
    with fresh_engine.begin() as connection:
        partners.save(connection, Partner("p", "Partenaire", PartnerKind.COMPANY), actor="moi")
    before = fund(fresh_engine)
    with fresh_engine.begin() as connection:
        assert "vraies écritures" in undo(connection, done.run_id, by="moi", epsg=2154).fund_obstacle
    assert fund(fresh_engine) == before


def test_it_comes_back_only_when_the_last_import_of_real_sites_is_undone(
    shown, fresh_engine, territory, tmp_path
):
    sites, money = shown(), fund(fresh_engine)
    first = load(fresh_engine, territory, tmp_path, REAL)
    elsewhere = "1,00000000000000,Atelier inventé,Nérac,47600,47195,9 rue Test,44.137,0.338,2026-01-01,"
    second = load(fresh_engine, territory, tmp_path, elsewhere, dataset="autre")
    with fresh_engine.begin() as connection:
        done = undo(connection, int(first.run_id), by="essai", epsg=2154)
    assert [record.key for record in done.difference.new] == []
    assert shown() == ["autre--1"]
    assert not fund(fresh_engine)["ledger_entry"]
    with fresh_engine.connect() as connection:
        assert all(each.withdrawn_at for each in datasets.all_datasets(connection) if "demo" in each.name)
    with fresh_engine.begin() as connection:
        undo(connection, int(second.run_id), by="essai", epsg=2154)
    assert shown() == sites
    assert fund(fresh_engine) == money
    with fresh_engine.begin() as connection:
        undo(connection, int(done.run_id or 0), by="essai", epsg=2154)
    assert shown() == ["vrai--1"]
