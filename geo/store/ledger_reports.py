"""Reports of the fund by partner, year, source, action line or territory; and the recount of the books."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, extract, func, select, text
from sqlalchemy.sql.elements import ColumnElement

from geo.funding.ledger import Account, Level
from geo.funding.reports import MEASURES, UNPLACED, By, FundReport, Line, by_territory
from geo.store import partners
from geo.store.ledger_rows import in_year
from geo.store.tables import ledger_entry, ledger_posting
from geo.territory.model import Territory, TerritoryKind


def report(
    connection: Connection,
    by: By | TerritoryKind,
    *,
    year: int | None = None,
    territory: Territory | None = None,
) -> FundReport:
    """Report on the fund by partner, year, source, action line or kind of territory.

    Parameters
    ----------
    year
        Count only entries dated in it; None: all.
    territory
        Membership and inhabitants of territories: needed when `by` is a kind of territory.
    """
    table = ledger_entry.c
    keys: dict[By | TerritoryKind, ColumnElement[Any]] = {
        By.PARTNER: table.partner_code,
        By.YEAR: extract("year", table.day),
        By.LEVEL: table.level,
        By.LINE: table.action_line,
    }
    lines = _sums(connection, keys.get(by, table.commune), year)
    if isinstance(by, TerritoryKind):
        if territory is None:
            raise TypeError("a report by territory needs one")
        lines = by_territory(lines, territory, by)
    elif by is By.YEAR:
        lines = _carry_forward(connection, lines, year)
    else:
        names = _names(connection, by)
        lines = [replace(line, name=names.get(line.key, line.key or "Sans objet")) for line in lines]
    total = Line(
        "total", "Total", population=_population(territory) if isinstance(by, TerritoryKind) else None
    )
    for line in lines:
        total = total.plus(line)
    if by is By.YEAR and lines:
        total = replace(total, available_cents=lines[-1].available_cents)
    return FundReport(by, year, tuple(lines), total)


def faults(connection: Connection) -> list[str]:
    """Recount the books from every posting; return what is wrong: nothing, unless guards were removed."""
    found = []
    for fault, question in _RECOUNTS.items():
        found += [f"{fault}: {row[0]}" for row in connection.execute(text(question))]
    return found


_RECOUNTS: Final = {
    "balance is not the sum of postings": """
        SELECT account FROM ledger_balance b WHERE amount_cents <>
            (SELECT coalesce(sum(p.amount_cents), 0) FROM ledger_posting p WHERE p.account = b.account)""",
    "balance below 0": """
        SELECT account FROM ledger_posting WHERE account IN ('available', 'committed', 'paid')
        GROUP BY account HAVING sum(amount_cents) < 0""",
    "entry not of two postings that sum to 0": """
        SELECT e.reference FROM ledger_entry e LEFT JOIN ledger_posting p ON p.entry_id = e.id
        GROUP BY e.id HAVING count(p.account) <> 2 OR sum(p.amount_cents) <> 0""",
    "commitment below 0": """
        SELECT coalesce(e.commitment_id, e.id) FROM ledger_entry e
        JOIN ledger_posting p ON p.entry_id = e.id AND p.account = 'committed'
        GROUP BY 1 HAVING sum(p.amount_cents) < 0""",
    "match beyond what is due": """
        SELECT c.reference FROM ledger_entry c JOIN ledger_entry m ON m.contribution_id = c.id
        JOIN ledger_posting p ON p.entry_id = m.id AND p.account = 'departement'
        LEFT JOIN ledger_entry r ON r.reverses = c.id
        GROUP BY c.id, r.id
        HAVING -sum(p.amount_cents) > CASE WHEN r.id IS NULL THEN c.due_cents ELSE 0 END""",
    "reversal that is no mirror": """
        SELECT r.reference FROM ledger_entry r JOIN ledger_posting p ON p.entry_id = r.reverses
        LEFT JOIN ledger_posting q ON q.entry_id = r.id AND q.account = p.account
        WHERE q.amount_cents IS DISTINCT FROM -p.amount_cents""",
}


def _sums(connection: Connection, key: ColumnElement[Any], year: int | None) -> list[Line]:
    """Return one line for each value of a column of entries, by value; entries without one last."""
    table = ledger_posting.c

    def sum_of(*accounts: Account) -> ColumnElement[Any]:
        return func.coalesce(func.sum(table.amount_cents).filter(table.account.in_(accounts)), 0)

    # Of the two postings of an entry, exactly one is positive: due_cents is counted once.
    due = func.coalesce(func.sum(ledger_entry.c.due_cents).filter(table.amount_cents > 0), 0)
    wanted = (
        select(
            key,
            -sum_of(Account.PARTNERS),
            -sum_of(Account.DEPARTEMENT),
            due + sum_of(Account.DEPARTEMENT),
            sum_of(Account.COMMITTED, Account.PAID),
            sum_of(Account.PAID),
            sum_of(Account.AVAILABLE),
            func.bool_or(ledger_entry.c.fictif),
        )
        .join(ledger_entry, ledger_entry.c.id == table.entry_id)
        .where(*in_year(year))
        .group_by(key)
    )
    lines = []
    for value, *cents, fictif in connection.execute(wanted):
        name = UNPLACED if value is None else str(value)
        sums = dict(zip(MEASURES, map(int, cents), strict=True))
        lines.append(Line(name, name, fictif=fictif, **sums))
    return sorted(lines, key=lambda line: (line.key == UNPLACED, line.key))


def _carry_forward(connection: Connection, lines: Iterable[Line], year: int | None) -> list[Line]:
    """Return lines by year with what was available at the end of each year, instead of its change in it."""
    available = 0
    if year is not None:
        before = select(func.coalesce(func.sum(ledger_posting.c.amount_cents), 0)).join(
            ledger_entry, ledger_entry.c.id == ledger_posting.c.entry_id
        )
        earlier = before.where(
            ledger_posting.c.account == Account.AVAILABLE, ledger_entry.c.day < date(year, 1, 1)
        )
        available = int(connection.execute(earlier).scalar_one())
    lines_carried = []
    for line in lines:
        available += line.available_cents
        lines_carried.append(replace(line, available_cents=available))
    return lines_carried


def _names(connection: Connection, by: By) -> dict[str, str]:
    if by is By.PARTNER:
        return {known.code: known.name for known in partners.list_(connection)}
    if by is By.LEVEL:
        return {level.value: level.label for level in Level}
    return {}


def _population(territory: Territory | None) -> int | None:
    return None if territory is None else sum(commune.population for commune in territory.communes)
