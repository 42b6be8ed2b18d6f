"""Who changed what, when, from what to what: one row for each write, never changed itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection, select

from geo.store.copy_encoder import NULL, cell, copy_lines
from geo.store.tables import audit as table


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A write as it is kept; `before` None: it made the subject, `after` None: it removed it."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    before: Any
    after: Any


def record(connection: Connection, actor: str, action: str, subject: str, before: Any, after: Any) -> None:
    """Keep a write, in the transaction that does it.

    Parameters
    ----------
    actor
        Name of the token, or of whoever runs the command.
    action
        What is done, as `partner.save`.
    subject
        Table and key of what it is done to, as `partner/caf-47`.
    before, after
        JSON values, in which dates and the like are written as text; None: there is none.
    """
    record_all(connection, actor, [(action, subject, before, after)])


def record_all(connection: Connection, actor: str, writes: Iterable[tuple[str, str, Any, Any]]) -> None:
    """Keep many writes of one actor: action, subject, before and after of each."""
    by = cell(actor)
    lines = (
        f"{by}\t{cell(action)}\t{cell(subject)}\t{_json(before)}\t{_json(after)}"
        for action, subject, before, after in writes
    )
    copy_lines(connection, "audit", ("actor", "action", "subject", "before", "after"), lines)


def list_(connection: Connection, subject: str | None = None, *, limit: int = 100) -> list[AuditEntry]:
    """The latest writes, latest first: to one subject, or to all."""
    found = select(table).order_by(table.c.id.desc()).limit(limit)
    if subject is not None:
        found = found.where(table.c.subject == subject)
    return [
        AuditEntry(row.id, row.at, row.actor, row.action, row.subject, row.before, row.after)
        for row in connection.execute(found)
    ]


_AS_TEXT: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_NON_STR_KEYS


def _json(value: Any) -> str:
    """JSON as a cell of a line of COPY: it has no character to escape but backslashes."""
    if value is None:
        return NULL
    return orjson.dumps(value, default=str, option=_AS_TEXT).decode().replace("\\", "\\\\")
