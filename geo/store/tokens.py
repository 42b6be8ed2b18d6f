"""Tokens that allow writes; only a digest of each secret is stored.

A secret has 256 random bits: dictionary attacks are hopeless, so that one round of SHA-256 is enough,
and the time of a look-up by digest reveals nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from geo.errors import UnknownToken
from geo.store.tables import token as table

PREFIX: Final = "portee_"
"""Prefix of every secret, so that one left in a file is recognised."""


class Scope(StrEnum):
    """What a token allows."""

    SCENARIOS = "scenarios"
    """Save, replace and delete scenarios."""
    FUND = "fund"
    """Save partners; post to the fund's ledger, and close its periods."""
    PASSES = "passes"
    """Record orders and events of passes."""
    ACTIONS = "actions"
    """Save actions."""
    SITES = "sites"
    """Correct, close and open sites."""
    LEDGER = "ledger"
    """Read the entries of the fund's ledger one by one."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret; `expires_at` None: never."""

    id: int
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


def create(
    connection: Connection, name: str, scopes: Collection[Scope], *, days: int | None = None
) -> tuple[Token, str]:
    """Create a token valid for `days` days (None: for ever); return it and its secret.

    The secret cannot be read again.
    """
    secret = PREFIX + secrets.token_urlsafe(32)
    made = insert(table).values(
        name=name,
        sha256=_digest(secret),
        scopes=sorted({scope.value for scope in scopes}),
        created_at=func.clock_timestamp(),
        expires_at=None if days is None else func.clock_timestamp() + timedelta(days=days),
    )
    return _as_token(connection.execute(made.returning(table)).one()), secret


def verify(connection: Connection, secret: str, scope: Scope) -> Token | None:
    """Return the active token for this secret and scope, or None."""
    found = select(table).where(
        table.c.sha256 == _digest(secret),
        table.c.scopes.contains([scope.value]),
        table.c.revoked_at.is_(None),
        or_(table.c.expires_at.is_(None), table.c.expires_at > func.clock_timestamp()),
    )
    row = connection.execute(found).one_or_none()
    return None if row is None else _as_token(row)


def list_(connection: Connection) -> list[Token]:
    """Return all tokens, revoked and expired ones included, in the order of creation."""
    return [_as_token(row) for row in connection.execute(select(table).order_by(table.c.id))]


def revoke(connection: Connection, token_id: int) -> Token:
    """Revoke a token permanently. Idempotent.

    Raises
    ------
    UnknownToken
        If none has this number.
    """
    revoked = func.coalesce(table.c.revoked_at, func.clock_timestamp())
    done = update(table).where(table.c.id == token_id).values(revoked_at=revoked).returning(table)
    row = connection.execute(done).one_or_none()
    if row is None:
        raise UnknownToken(f"No token bears the number {token_id}.", "Numbers are told by: portee token list")
    return _as_token(row)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _as_token(row: Row[Any]) -> Token:
    return Token(row.id, row.name, tuple(row.scopes), row.created_at, row.expires_at, row.revoked_at)
