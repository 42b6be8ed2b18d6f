"""The tables of the fund guard themselves against direct SQL, by the role that owns them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from geo.funding.ledger import Commitment, Contribution, Level, Order, Payment, Reversal
from geo.funding.match_rule import MatchRule
from geo.funding.partners import Partner, PartnerKind
from geo.store import ledger, ledger_reports, partners
from geo.store.database import open_engine

DAY = date(2025, 3, 10)
ACTOR = "Agent du fonds"

ENTRY = (
    "INSERT INTO ledger_entry (kind, day, reference, partner_code, level, action_line, reverses,"
    " commitment_id, contribution_id, due_cents, memo, actor) VALUES ({}, '', 'pirate') RETURNING id"
)


@pytest.fixture(scope="module")
def books(cluster, _template):
    """A database of this module's own, filled once; every test undoes what it wrote."""
    maintenance = open_engine(cluster.url("postgres"))
    with maintenance.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE guards TEMPLATE {_template}"))
    engine = open_engine(cluster.url("guards"))
    with engine.begin() as connection:
        partners.save(connection, Partner("caf", "CAF fictive", PartnerKind.PUBLIC, fictif=True), actor=ACTOR)
        ledger.set_rule(connection, MatchRule(date(2024, 1, 1)), actor=ACTOR)
        old = Contribution(
            reference="C0", day=date(2024, 5, 1), amount_cents=50, partner_code="caf", level=Level.LOCAL
        )
        orders: list[Order] = [
            old,
            Contribution(reference="C1", day=DAY, amount_cents=1_000, partner_code="caf", level=Level.LOCAL),
            Commitment(reference="E1", day=DAY, amount_cents=600, action_line="formation"),
            Payment(reference="P1", day=DAY, amount_cents=250, commitment="E1"),
            Commitment(reference="E2", day=DAY, amount_cents=100, action_line="formation"),
            Reversal(reference="A2", day=DAY, reverses="E2"),
        ]
        ledger.post_all(connection, orders, actor=ACTOR)
        ledger.close(connection, date(2024, 12, 31), actor=ACTOR)
    yield engine
    engine.dispose()
    with maintenance.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("DROP DATABASE guards WITH (FORCE)"))
    maintenance.dispose()


@pytest.fixture
def sql(books):
    """Runs statements in one transaction up to its commit, all undone when a test ends.

    Constraints that wait for the commit are met, as a commit would, by SET CONSTRAINTS.
    """
    with books.connect() as connection:
        transaction = connection.begin()
        before = ledger.balance(connection)

        def run(*statements: str) -> None:
            for statement in statements:
                connection.execute(text(statement))
            connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))

        yield run
        transaction.rollback()
        assert ledger.balance(connection) == before and ledger_reports.faults(connection) == []


def entry(
    kind: str,
    day: str = "2025-03-11",
    reference: str = "X",
    *,
    partner: str | None = None,
    level: str | None = None,
    line: str | None = None,
    reverses: str | None = None,
    commitment: str | None = None,
    contribution: str | None = None,
    due: int | None = None,
) -> str:
    """An INSERT of one entry; what it leans on is named by reference."""

    def quoted(value: object) -> str:
        return "NULL" if value is None else f"'{value}'"

    def of(value: str | None) -> str:
        return f"(SELECT id FROM ledger_entry WHERE reference = {quoted(value)})"

    values = (quoted(v) for v in (kind, day, reference, partner, level, line))
    links = (of(reverses), of(commitment), of(contribution))
    return ENTRY.format(", ".join([*values, *links, quoted(due)]))


def postings(*amounts: tuple[str, int], of: str = "X") -> str:
    rows = ", ".join(f"('{account}', {cents})" for account, cents in amounts)
    return (
        f"INSERT INTO ledger_posting SELECT e.id, v.* FROM (VALUES {rows}) AS v, ledger_entry e"
        f" WHERE e.reference = '{of}'"
    )


PROPER = {
    "contribution": (
        entry("contribution", partner="caf", level="local", due=10),
        postings(("partners", -10), ("available", 10)),
    ),
    "commitment": (entry("commitment", line="a"), postings(("available", -10), ("committed", 10))),
    "release": (entry("release", commitment="E1"), postings(("committed", -10), ("available", 10))),
    "payment": (entry("payment", commitment="E1"), postings(("committed", -350), ("paid", 350))),
    "reversal": (
        entry("reversal", reverses="P1", commitment="E1", line="formation"),
        postings(("paid", -250), ("committed", 250)),
    ),
}


@pytest.mark.parametrize("case", PROPER)
def test_a_proper_entry_may_come_by_direct_sql(sql, case):
    sql(*PROPER[case])


TABLES = ("ledger_entry", "ledger_posting", "fund_close", "audit")
CHANGES = {
    **{f"update {t}": f"UPDATE {t} SET actor = 'x'" for t in TABLES if t != "ledger_posting"},
    "update postings": "UPDATE ledger_posting SET amount_cents = amount_cents * 2",
    "update nothing": "UPDATE ledger_entry SET memo = '' WHERE false",
    "upsert": "INSERT INTO fund_close VALUES ('2025-1-1', '') ON CONFLICT (until) DO UPDATE SET actor = ''",
    **{f"delete {t}": f"DELETE FROM {t}" for t in TABLES},
    **{f"truncate {t}": f"TRUNCATE {t} CASCADE" for t in TABLES},
    "truncate partners": "TRUNCATE partner CASCADE",
    "truncate rules": "TRUNCATE fund_rule",
    "merge": "MERGE INTO ledger_entry e USING (SELECT 1) s ON e.reference = 'C1' WHEN MATCHED THEN DELETE",
    "balance": "UPDATE ledger_balance SET amount_cents = amount_cents + 100 WHERE account = 'available'",
    "balance gone": "DELETE FROM ledger_balance",
    "balance more": "INSERT INTO ledger_balance VALUES ('other', 5)",
    "balance empty": "TRUNCATE ledger_balance",
    "unposted": "UPDATE ledger_unposted SET entries = entries + 1",
    "unposted gone": "DELETE FROM ledger_unposted",
    "unposted more": "INSERT INTO ledger_unposted VALUES (0)",
    "unposted empty": "TRUNCATE ledger_unposted",
}


@pytest.mark.parametrize("replica", [False, True])
@pytest.mark.parametrize("case", CHANGES)
def test_what_is_written_cannot_be_changed(sql, case, replica):
    silenced = ["SET LOCAL session_replication_role = replica"] if replica else []
    with pytest.raises(DBAPIError, match="is refused"):
        sql(*silenced, CHANGES[case])


C: dict[str, Any] = {"partner": "caf", "level": "local", "due": 10}
BROKEN = {
    "no postings": [entry("commitment", line="a")],
    "unbalanced": [entry("commitment", line="a"), postings(("available", -10), ("committed", 11))],
    "one posting": [entry("commitment", line="a"), postings(("available", -10))],
    "three postings": [
        entry("commitment", line="a"),
        postings(("available", -10), ("committed", 5), ("paid", 5)),
    ],
    "the other way": [entry("commitment", line="a"), postings(("available", 10), ("committed", -10))],
    "other accounts": [entry("contribution", **C), postings(("partners", -10), ("paid", 10))],
    "in two statements": [
        entry("commitment", line="a"),
        postings(("available", -10)),
        postings(("committed", 10)),
    ],
    "one more posting": [*PROPER["commitment"], postings(("paid", 5), ("partners", -5))],
    "postings of an old entry": [postings(("departement", -10), ("paid", 10), of="C1")],
    "overdrawn": [entry("commitment", line="a"), postings(("available", -1501), ("committed", 1501))],
    "more than the commitment holds": [
        entry("payment", commitment="E1"),
        postings(("committed", -351), ("paid", 351)),
    ],
    "paid out of a reversed commitment": [
        entry("payment", commitment="E2"),
        postings(("committed", -1), ("paid", 1)),
    ],
    "paid out of a contribution": [
        entry("payment", commitment="C1"),
        postings(("committed", -1), ("paid", 1)),
    ],
    "paid before the commitment": [
        entry("payment", "2025-03-09", commitment="E1"),
        postings(("committed", -1), ("paid", 1)),
    ],
    "paid out of nothing": [entry("payment"), postings(("committed", -1), ("paid", 1))],
    "matched beyond what is due": [
        entry("match", contribution="C1", partner="caf", level="local"),
        postings(("departement", -1), ("available", 1)),
    ],
    "matched for nothing": [entry("match"), postings(("departement", -1), ("available", 1))],
    "reversal of part": [
        entry("reversal", reverses="P1", commitment="E1", line="formation"),
        postings(("paid", -249), ("committed", 249)),
    ],
    "reversal of another line": [
        entry("reversal", reverses="P1", commitment="E1", line="autre"),
        postings(("paid", -250), ("committed", 250)),
    ],
    "reversal again": [
        entry("reversal", reverses="E2", commitment="E2", line="formation"),
        postings(("committed", -100), ("available", 100)),
    ],
    "reversal of a reversal": [
        entry("reversal", reverses="A2", commitment="E2", line="formation"),
        postings(("available", -100), ("committed", 100)),
    ],
    "reversal of a match alone": [
        entry("reversal", reverses="C1/abondement", contribution="C1", partner="caf", level="local"),
        postings(("available", -1000), ("departement", 1000)),
    ],
    "reversal that keeps the match": [
        entry("reversal", reverses="C1", contribution="C1", partner="caf", level="local", due=-1000),
        postings(("available", -1000), ("partners", 1000)),
    ],
    "reversal of nothing": [entry("reversal"), postings(("paid", -1), ("committed", 1))],
    "no source": [entry("contribution", due=10), postings(("partners", -10), ("available", 10))],
    "unknown kind": [entry("gift"), postings(("partners", -10), ("available", 10))],
    "known reference": [
        entry("commitment", reference="E1", line="a"),
        postings(("available", -1), ("committed", 1)),
    ],
    "closed day": [
        entry("contribution", "2024-12-31", **C),
        postings(("partners", -10), ("available", 10)),
    ],
    "closing backwards": ["INSERT INTO fund_close VALUES ('2024-06-30', 'x')"],
    "closing the future": ["INSERT INTO fund_close VALUES ('9999-12-31', 'x')"],
    "rule of matched days": ["UPDATE fund_rule SET rate_bp = 20000"],
    "rule gone": ["DELETE FROM fund_rule"],
    "rule over matched days": ["INSERT INTO fund_rule VALUES ('2025-03-10', 0, NULL, '')"],
    "another transaction": [
        "INSERT INTO ledger_entry (kind, day, reference, action_line, memo, actor, tx)"
        " VALUES ('commitment', '2025-04-01', 'X', 'a', '', 'x', 3)",
    ],
    "another moment": [
        "INSERT INTO ledger_entry (kind, day, reference, action_line, memo, actor, posted_at)"
        " VALUES ('commitment', '2025-04-01', 'X', 'a', '', 'x', '2020-01-01')",
    ],
}

REASONS = {
    "has no postings": {"no postings"},
    "not two that sum to 0": {
        "unbalanced",
        "one posting",
        "three postings",
        "in two statements",
        "one more posting",
    },
    "not those of its kind": {"the other way", "other accounts"},
    "is posted already": {"postings of an old entry"},
    "ledger_balance_amount_cents_check": {"overdrawn"},
    "does not hold that much": {"more than the commitment holds", "paid out of a reversed commitment"},
    "leans on an entry of another kind, or a later one": {
        "paid out of a contribution",
        "paid before the commitment",
    },
    "ledger_entry_commitment_id_check": {"paid out of nothing"},
    "more than it is due": {"matched beyond what is due", "reversal that keeps the match"},
    "ledger_entry_contribution_id_check": {"matched for nothing"},
    "is not the mirror": {
        "reversal of part",
        "reversal of another line",
        "reversal of a reversal",
        "reversal of a match alone",
    },
    "ledger_entry_reverses_key": {"reversal again"},
    "ledger_entry_reverses_check": {"reversal of nothing"},
    "ledger_entry_source_check": {"no source"},
    "ledger_entry_kind_check": {"unknown kind"},
    "ledger_entry_reference_key": {"known reference"},
    "closed until 2024-12-31": {"closed day"},
    "a day past, later than the one before": {"closing backwards", "closing the future"},
    "matched by the rules as they are": {
        "rule of matched days",
        "rule gone",
        "rule over matched days",
    },
    "another transaction or moment": {"another transaction", "another moment"},
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_does_not_add_up_is_refused(sql, case):
    (reason,) = (reason for reason, cases in REASONS.items() if case in cases)
    with pytest.raises(IntegrityError, match=reason):
        sql(*BROKEN[case])


MANY = (
    " UNION ALL SELECT 'contribution', DATE '2025-03-10', 'M' || n, 'caf', 'local', NULL, NULL::bigint,"
    " NULL::bigint, NULL::bigint, 0, '', '' FROM generate_series(1, 400) AS n"
    " UNION ALL SELECT 'commitment', DATE '2025-03-10', 'N' || n, NULL, NULL, 'a', NULL, NULL, NULL, NULL,"
    " '', '' FROM generate_series(1, 400) AS n"
)
THEIRS = (
    " SELECT e.id, v.* FROM ledger_entry e, (VALUES ('partners', -1), ('available', 1)) AS v"
    " WHERE e.reference LIKE 'M%' UNION ALL"
    " SELECT e.id, v.* FROM ledger_entry e, (VALUES ('available', -1), ('committed', 1)) AS v"
    " WHERE e.reference LIKE 'N%'"
)


def among_many(statements: list[str] | tuple[str, ...]) -> list[str]:
    """The same, in statements that write 800 proper entries besides, which leave what is available."""
    found = list(statements)
    rank = next((n for n, s in enumerate(found) if s.startswith("INSERT INTO ledger_entry")), None)
    if rank is None:
        found.insert(0, entry("commitment", reference="P0", line="a"))
        found.insert(1, postings(("available", -1), ("committed", 1), of="P0"))
        rank = 0
    found[rank] = found[rank].replace("VALUES (", "SELECT ").replace(") RETURNING id", MANY)
    rank = next((n for n, s in enumerate(found) if s.startswith("INSERT INTO ledger_posting")), None)
    if rank is None:
        return [*found, "INSERT INTO ledger_posting" + THEIRS]
    found[rank] += " UNION ALL" + THEIRS
    return found


LARGE = {case: told for case, told in BROKEN.items() if not case.startswith(("closing", "rule", "another"))}


@pytest.mark.parametrize("case", PROPER)
def test_proper_entries_may_come_by_hundreds(sql, case):
    sql(*among_many(PROPER[case]))


@pytest.mark.parametrize("case", LARGE)
def test_what_does_not_add_up_is_refused_among_hundreds(sql, case):
    (reason,) = (reason for reason, cases in REASONS.items() if case in cases)
    with pytest.raises(IntegrityError, match=reason):
        sql(*among_many(LARGE[case]))


DANGLING = {
    "partner": ("no partner bears the code", entry("contribution", partner="nobody", level="local", due=10)),
    "payment": (
        "leans on an entry that is not there",
        ENTRY.format("'payment', '2025-04-01', 'X', NULL, NULL, NULL, NULL, 99999999, NULL, NULL"),
    ),
    "match": (
        "leans on an entry that is not there",
        ENTRY.format("'match', '2025-04-01', 'X', 'caf', 'local', NULL, NULL, NULL, 99999999, NULL"),
    ),
    "reversal": (
        "is not the mirror",
        ENTRY.format("'reversal', '2025-04-01', 'X', NULL, NULL, NULL, 99999999, NULL, NULL, NULL"),
    ),
}
MOVED = {
    "partner": (("partners", -10), ("available", 10)),
    "payment": (("committed", -10), ("paid", 10)),
    "match": (("departement", -10), ("available", 10)),
    "reversal": (("paid", -10), ("committed", 10)),
}


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("case", DANGLING)
def test_an_entry_depends_on_existing_entries(sql, case, many):
    reason, made = DANGLING[case]
    statements = [made, postings(*MOVED[case])]
    with pytest.raises(IntegrityError, match=reason):
        sql(*(among_many(statements) if many else statements))


@pytest.mark.parametrize("many", [False, True])
def test_postings_need_an_existing_entry(sql, many):
    lost = [
        "INSERT INTO ledger_posting SELECT 99999999::bigint, 'paid', 1"
        " UNION ALL SELECT 99999999, 'committed', -1"
    ]
    with pytest.raises(IntegrityError, match="there is no entry number 99999999"):
        sql(*(among_many(lost) if many else lost))


@pytest.mark.parametrize("replica", [False, True])
@pytest.mark.parametrize(
    "change",
    ["DELETE FROM partner WHERE code = 'caf'", "UPDATE partner SET code = 'fac' WHERE code = 'caf'"],
)
def test_a_partner_named_by_the_ledger_cannot_be_removed(sql, change, replica):
    silenced = ["SET LOCAL session_replication_role = replica"] if replica else []
    with pytest.raises(IntegrityError, match="entries of the ledger bear the partner caf"):
        sql(*silenced, change)


def test_a_partner_whose_entry_is_being_written_is_not_removed_meanwhile(books):
    new = "INSERT INTO partner VALUES ('neuf', 'Partenaire fictif', 'public', '', '', '', '')"
    with books.begin() as connection:
        connection.execute(text(new))
    with books.connect() as writer, books.connect() as other:
        for statement in (
            entry("contribution", partner="neuf", level="local", due=0),
            postings(("partners", -10), ("available", 10)),
        ):
            writer.execute(text(statement))
        other.execute(text("SET LOCAL lock_timeout = '200ms'"))
        with pytest.raises(DBAPIError, match="lock timeout"):
            other.execute(text("DELETE FROM partner WHERE code = 'neuf'"))
        writer.rollback()
    with books.begin() as connection:
        connection.execute(text("DELETE FROM partner WHERE code = 'neuf'"))


@pytest.mark.parametrize("many", [False, True])
def test_settings_of_the_guards_end_with_them(sql, books, many):
    told = "SELECT name, setting FROM pg_settings WHERE name LIKE 'enable%' OR name IN ('jit', 'work_mem')"
    check = f"DO $$ BEGIN ASSERT (SELECT count(*) FROM ({told} EXCEPT TABLE before) s) = 0, 'changed'; END $$"
    made = PROPER["commitment"]
    sql(f"CREATE TEMP TABLE before ON COMMIT DROP AS {told}", *(among_many(made) if many else made), check)


@pytest.mark.parametrize("table", ["ledger_balance", "ledger_unposted"])
def test_a_role_without_ownership_writes_entries_but_not_balances(sql, table):
    granted = (
        "CREATE ROLE clerk",
        "GRANT SELECT, INSERT ON ledger_entry, ledger_posting TO clerk",
        "SET LOCAL ROLE clerk",
    )
    sql(*granted, *PROPER["commitment"])
    with pytest.raises(DBAPIError, match=f"permission denied for table {table}"):
        sql(f"UPDATE {table} SET {'entries = 0' if table == 'ledger_unposted' else 'amount_cents = 0'}")


def test_a_transaction_with_an_older_snapshot_cannot_write(books):
    with (
        books.connect().execution_options(isolation_level="REPEATABLE READ") as connection,
        pytest.raises(DBAPIError, match="READ COMMITTED"),
    ):
        connection.execute(text(entry("commitment", line="a")))


def test_an_entry_without_postings_fails_at_the_commit_itself(books):
    with pytest.raises(DBAPIError, match="has no postings"), books.begin() as connection:
        connection.execute(text(entry("commitment", line="a")))
    with books.begin() as connection:
        assert ledger_reports.faults(connection) == []


def test_the_recount_finds_what_guards_would_have_refused(books):
    """With the guards removed, as only the owner of the tables can, tampering is still found."""
    with books.connect() as connection:
        for table in ("ledger_posting", "ledger_entry"):
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE ledger_posting SET amount_cents = 99 WHERE account = 'paid'"))
        found = ledger_reports.faults(connection)
        connection.rollback()
    assert found == [
        "balance is not the sum of postings: paid",
        "entry not of two postings that sum to 0: P1",
    ]
