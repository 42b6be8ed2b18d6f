"""Pairs of records that may be one place, and the decisions about them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from geo.store.tables import record_pair as table
from geo.store.tables import source_record

BY_HAND = "déclaré à la main"
SAME = "same"
QUESTION = "question"


@dataclass(frozen=True, slots=True)
class RecordPair:
    """Two records by key, `a` before `b`: how alike they are, and what was decided.

    Attributes
    ----------
    verdict
        "same": one place unless decided otherwise; "question": waits for a decision.
    same
        The decision; None while there is none.
    basis
        What both records said of their place when it was decided, by key.
    """

    a: str
    b: str
    score: float
    reasons: tuple[str, ...]
    verdict: str = QUESTION
    same: bool | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    basis: Mapping[str, Any] | None = None

    @property
    def joins(self) -> bool:
        """Whether the records are one place: decided, or near-certain and not decided otherwise."""
        return self.verdict == SAME if self.same is None else self.same


def all_pairs(connection: Connection) -> list[RecordPair]:
    """Return every pair whose records are both in service, highest score first."""
    one, other = source_record.alias("one"), source_record.alias("other")
    found = (
        select(table)
        .join(one, (one.c.key == table.c.a) & one.c.retired_at.is_(None))
        .join(other, (other.c.key == table.c.b) & other.c.retired_at.is_(None))
        .order_by(table.c.score.desc(), table.c.a.collate("C"), table.c.b.collate("C"))
    )
    return [
        RecordPair(
            row.a,
            row.b,
            row.score,
            tuple(row.reasons),
            row.verdict,
            row.same,
            row.decided_by,
            row.decided_at,
            row.basis,
        )
        for row in connection.execute(found)
    ]


def questions(connection: Connection, shown: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Return the pairs of sites among some that may be one place and wait for a decision; sorted.

    Sites of which two records were decided to be different are no question.
    """
    one, other = source_record.alias("one"), source_record.alias("other")
    undecided = table.c.same.is_(None) & (table.c.verdict == QUESTION)
    found = (
        select(one.c.site_id.label("a"), other.c.site_id.label("b"), table.c.same)
        .join(one, (one.c.key == table.c.a) & one.c.retired_at.is_(None))
        .join(other, (other.c.key == table.c.b) & other.c.retired_at.is_(None))
        .where(undecided | table.c.same.is_(False), one.c.site_id != other.c.site_id)
    )
    asked: set[tuple[str, str]] = set()
    apart: set[tuple[str, str]] = set()
    for row in connection.execute(found):
        if row.a in shown and row.b in shown:
            (asked if row.same is None else apart).add((min(row.a, row.b), max(row.a, row.b)))
    return tuple(sorted(asked - apart))


def replace_undecided(connection: Connection, pairs: Iterable[RecordPair]) -> None:
    """Store the pairs found among all records in service; undecided ones that are not found are withdrawn.

    The score, reasons and verdict of decided pairs are updated, the decision stays. Pairs of records
    that are not in service are left as they are.
    """
    found = {(pair.a, pair.b): pair for pair in pairs}
    stored = {(pair.a, pair.b): pair for pair in all_pairs(connection)}
    stale = [key for key, pair in stored.items() if pair.same is None and key not in found]
    if stale:
        connection.execute(delete(table).where(tuple_(table.c.a, table.c.b).in_(stale)))
    rows = [
        {
            "a": pair.a,
            "b": pair.b,
            "score": pair.score,
            "reasons": list(pair.reasons),
            "verdict": pair.verdict,
        }
        for key, pair in sorted(found.items())
        if (known := stored.get(key)) is None
        or (known.score, known.reasons, known.verdict) != (pair.score, pair.reasons, pair.verdict)
    ]
    if rows:
        added = insert(table)
        connection.execute(
            added.on_conflict_do_update(
                index_elements=[table.c.a, table.c.b],
                set_={name: added.excluded[name] for name in ("score", "reasons", "verdict")},
            ),
            rows,
        )


def decide(
    connection: Connection, pairs: Iterable[tuple[str, str]], *, same: bool, by: str, basis: Mapping[str, Any]
) -> None:
    """Decide pairs of records; those that were not proposed too. A later decision replaces an earlier one.

    Parameters
    ----------
    pairs
        Keys of both records of each pair, in any order.
    basis
        What the records say of their place now, by key.
    """
    rows = [
        {
            "a": a,
            "b": b,
            "score": 100.0,
            "reasons": [BY_HAND],
            "same": same,
            "decided_by": by,
            "basis": {a: basis[a], b: basis[b]},
        }
        for a, b in sorted({(min(pair), max(pair)) for pair in pairs})
    ]
    if not rows:
        return
    made = insert(table).values(decided_at=func.now())
    connection.execute(
        made.on_conflict_do_update(
            index_elements=[table.c.a, table.c.b],
            set_={name: made.excluded[name] for name in ("same", "decided_by", "decided_at", "basis")},
        ),
        rows,
    )


def set_basis(connection: Connection, pairs: Iterable[tuple[str, str]], basis: Mapping[str, Any]) -> None:
    """Store what the records of decided pairs say of their place, by key."""
    changed = update(table).where(table.c.a == bindparam("one"), table.c.b == bindparam("other"))
    rows = [{"one": a, "other": b, "facts": {a: basis[a], b: basis[b]}} for a, b in pairs]
    if rows:
        connection.execute(changed.values(basis=bindparam("facts")), rows)


def reopen(connection: Connection, pairs: Collection[tuple[str, str]]) -> None:
    """Take decisions back, so that the pairs are asked again."""
    if pairs:
        connection.execute(
            update(table)
            .where(tuple_(table.c.a, table.c.b).in_(list(pairs)))
            .values(same=None, decided_by=None, decided_at=None, basis=None)
        )


def clear_different(connection: Connection, pairs: Iterable[tuple[str, str]]) -> None:
    """Take back decisions that some records are different, because they were decided to be one place."""
    given = [(min(pair), max(pair)) for pair in pairs]
    if given:
        connection.execute(
            update(table)
            .where(tuple_(table.c.a, table.c.b).in_(given), table.c.same.is_(False))
            .values(same=None, decided_by=None, decided_at=None, basis=None)
        )
