"""Rows of the ledger: entries read by SELECT, drafts written by COPY. Rules: `geo.funding.posting`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import date
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Row, Select, Text, extract, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import ColumnElement

from geo.funding.ledger import Account, Entry, EntryKind, Level
from geo.funding.ledger_state import Draft
from geo.store import audit
from geo.store.copy_encoder import Cells, cell, copy_lines
from geo.store.tables import ledger_entry, ledger_posting

# --- reading


def select_entries() -> Select[Any]:
    """Select every column of entries with their sum, accounts and reversal, for `as_entry`."""
    given, taken, reversal = (
        ledger_posting.alias("given"),
        ledger_posting.alias("taken"),
        ledger_entry.alias("reversal"),
    )
    return (
        select(
            ledger_entry,
            given.c.amount_cents,
            taken.c.account.label("source"),
            given.c.account.label("destination"),
            reversal.c.id.label("reversed_by"),
        )
        .join(given, (given.c.entry_id == ledger_entry.c.id) & (given.c.amount_cents > 0))
        .join(taken, (taken.c.entry_id == ledger_entry.c.id) & (taken.c.amount_cents < 0))
        .outerjoin(reversal, reversal.c.reverses == ledger_entry.c.id)
    )


def as_entry(row: Row[Any]) -> Entry:
    """Convert a row of `select_entries`."""
    values = {field.name: getattr(row, field.name) for field in fields(Entry)}
    return Entry(
        **{
            **values,
            "kind": EntryKind(row.kind),
            "level": None if row.level is None else Level(row.level),
            "source": Account(row.source),
            "destination": Account(row.destination),
        }
    )


def entries_by_reference(connection: Connection, references: Collection[str]) -> list[Entry]:
    """Return the entries that have one of some references, in no particular order."""
    wanted = select_entries().where(ledger_entry.c.reference == any_text(references))
    return [as_entry(row) for row in connection.execute(wanted)]


def matches_of(connection: Connection, contributions: Sequence[int]) -> list[Entry]:
    """Return all matches of some contributions, reversed ones included, by number."""
    if not contributions:
        return []
    table = ledger_entry.c
    wanted = select_entries().where(
        table.kind == EntryKind.MATCH, table.contribution_id == any_id(contributions)
    )
    return [as_entry(row) for row in connection.execute(wanted.order_by(table.id))]


def remaining_by_commitment(connection: Connection, commitments: Collection[int]) -> dict[int, int]:
    """Return what is neither paid nor released of some commitments, in cents by number."""
    if not commitments:
        return {}
    held = text(
        "SELECT e.of, sum(p.amount_cents) FROM ("
        "SELECT id AS of, id FROM unnest(cast(:ids AS bigint[])) AS c(id) UNION ALL"
        " SELECT commitment_id, id FROM ledger_entry WHERE commitment_id = any(:ids)) e"
        " JOIN ledger_posting p ON p.entry_id = e.id AND p.account = 'committed' GROUP BY e.of"
    )
    return {row[0]: int(row[1]) for row in connection.execute(held, {"ids": list(commitments)})}


def matched_by_year(connection: Connection, years: Collection[int]) -> dict[int, int]:
    """Return what contributions of each year are matched with, in cents, whenever that was posted."""
    if not years:
        return {}
    contribution = ledger_entry.alias("contribution")
    year = extract("year", contribution.c.day)
    wanted = (
        select(year, -func.sum(ledger_posting.c.amount_cents))
        .join(ledger_entry, ledger_entry.c.id == ledger_posting.c.entry_id)
        .join(contribution, contribution.c.id == ledger_entry.c.contribution_id)
        .where(
            ledger_posting.c.account == Account.DEPARTEMENT,
            contribution.c.day.between(date(min(years), 1, 1), date(max(years), 12, 31)),
        )
        .group_by(year)
    )
    return {int(row[0]): int(row[1]) for row in connection.execute(wanted)}


def matched_by_contribution(connection: Connection, contributions: Iterable[int]) -> dict[int, int]:
    """Return what some contributions are matched with, reversals taken off, in cents by number."""
    table = ledger_entry.c
    wanted = (
        select(table.contribution_id, -func.sum(ledger_posting.c.amount_cents))
        .join(ledger_posting, ledger_posting.c.entry_id == table.id)
        .where(
            ledger_posting.c.account == Account.DEPARTEMENT, table.contribution_id == any_id(contributions)
        )
        .group_by(table.contribution_id)
    )
    return {row[0]: int(row[1]) for row in connection.execute(wanted)}


def any_text(values: Iterable[str]) -> ColumnElement[Any]:
    """Return SQL for any of some texts."""
    return func.any(literal(list(values), ARRAY(Text)))


def any_id(values: Iterable[int]) -> ColumnElement[Any]:
    """Return SQL for any of some numbers."""
    return func.any(literal(list(values), ARRAY(BigInteger)))


def in_year(year: int | None) -> list[ColumnElement[bool]]:
    """Return the condition that an entry's day lies in a year; none for None."""
    if year is None:
        return []
    return [ledger_entry.c.day.between(date(year, 1, 1), date(year, 12, 31))]


# --- writing

_FIELDS: Final = tuple(field.name for field in fields(Draft))
_COLUMNS: Final = tuple(name for name in _FIELDS if name not in ("amount_cents", "source", "destination"))
_values = attrgetter(*_FIELDS)


def reserve_ids(connection: Connection, count: int) -> Sequence[int]:
    """Draw numbers for new entries from their sequence; those not used are lost."""
    drawn = text(
        "SELECT nextval(pg_get_serial_sequence('ledger_entry', 'id')) FROM generate_series(1, :count)"
    )
    return connection.scalars(drawn, {"count": count}).all()


def write_entries(connection: Connection, drafts: Iterable[tuple[int, Draft]], actor: str) -> None:
    """Write entries as they arrive; `write_postings` must follow in the same transaction."""
    copy_lines(connection, "ledger_entry", ("id", *_COLUMNS, "actor"), _entry_lines(drafts, cell(actor)))


def write_postings(connection: Connection, drafts: Sequence[tuple[int, Draft]], actor: str) -> None:
    """Write all postings of entries in one statement, as the guards want them; then the audit."""
    copy_lines(
        connection,
        "ledger_posting",
        ("entry_id", "account", "amount_cents"),
        (
            f"{id_}\t{draft.source}\t-{draft.amount_cents}\n{id_}\t{draft.destination}\t{draft.amount_cents}"
            for id_, draft in drafts
        ),
    )
    audit.record_all(
        connection,
        actor,
        (
            (f"fund.{draft.kind}", f"ledger_entry/{draft.reference}", None, _audit_values(id_, draft))
            for id_, draft in drafts
        ),
    )


def _entry_lines(drafts: Iterable[tuple[int, Draft]], actor_cell: str) -> Iterator[str]:
    """Lines of COPY: number, `_COLUMNS`, author. Values that many entries share are encoded once."""
    cells = Cells()
    for id_, draft in drafts:
        yield "\t".join(
            (
                str(id_),
                draft.kind,
                cells[draft.day],
                cell(draft.reference),
                cells[draft.partner_code],
                cells[draft.level],
                cells[draft.action_line],
                cells[draft.commune],
                cells[draft.site_id],
                cell(draft.due_cents),
                cell(draft.commitment_id),
                cell(draft.contribution_id),
                cell(draft.reverses),
                cell(draft.memo),
                cell(draft.fictif),
                actor_cell,
            )
        )


def _audit_values(id_: int, draft: Draft) -> dict[str, Any]:
    """Return an entry for the audit, without its empty fields."""
    values = {name: value for name, value in zip(_FIELDS, _values(draft), strict=True) if value}
    values["id"], values["day"] = id_, str(draft.day)
    return values
