"""Append-only audit: who changed what and when, with the value before and after."""

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
    """A recorded write; `before` None: the subject was created, `after` None: it was removed."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    before: Any
    after: Any


def record(connection: Connection, actor: str, action: str, subject: str, before: Any, after: Any) -> None:
    """Record a write, in the transaction that makes it.

    Parameters
    ----------
    actor
        Name of the token, or of whoever runs the command.
    action
        What is done, like `partner.save`.
    subject
        Table and key of what is changed, like `partner/caf-47`.
    before, after
        JSON values, with dates as text; None: there is none.
    """
    record_all(connection, actor, [(action, subject, before, after)])


def record_all(connection: Connection, actor: str, writes: Iterable[tuple[str, str, Any, Any]]) -> None:
    """Record many writes of one actor: action, subject, before and after of each."""
    by = cell(actor)
    lines = (
        f"{by}\t{cell(action)}\t{cell(subject)}\t{_json(before)}\t{_json(after)}"
        for action, subject, before, after in writes
    )
    copy_lines(connection, "audit", ("actor", "action", "subject", "before", "after"), lines)


def list_(connection: Connection, subject: str | None = None, *, limit: int = 100) -> list[AuditEntry]:
    """Return the latest writes, latest first: of one subject, or of all."""
    found = select(table).order_by(table.c.id.desc()).limit(limit)
    if subject is not None:
        found = found.where(table.c.subject == subject)
    return [
        AuditEntry(row.id, row.at, row.actor, row.action, row.subject, row.before, row.after)
        for row in connection.execute(found)
    ]


_AS_TEXT: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_NON_STR_KEYS


def _json(value: Any) -> str:
    """Encode JSON as a cell for COPY: only backslashes need escaping."""
    if value is None:
        return NULL
    return orjson.dumps(value, default=str, option=_AS_TEXT).decode().replace("\\", "\\\\")
