"""Tables of the service itself: scenarios, jobs, tokens and the audit."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

from geo.store.tables.base import metadata, text_column, texts_column

scenario = Table(
    "scenario",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    text_column("description"),
    Column("edits", JSONB, nullable=False, comment="what is opened, closed, moved, or open at other hours"),
    Column("base_version", BigInteger, nullable=False, comment="the data's version when last saved"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

job = Table(
    "job",
    metadata,
    Column("id", Text, primary_key=True),
    text_column("kind"),
    Column("question", JSONB, nullable=False),
    Column("snapshot_version", BigInteger, nullable=False),
    Column("state", Text, nullable=False, server_default="queued"),
    Column("progress", Double, nullable=False, server_default="0", comment="from 0 to 1"),
    Column("message", Text, nullable=False, server_default=""),
    Column("result", JSONB),
    Column("asked_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("seen_at", DateTime(timezone=True), comment="when its worker last gave a sign of life"),
    Column("ended_at", DateTime(timezone=True)),
    CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="state"),
    CheckConstraint("(ended_at IS NULL) = (state IN ('queued', 'running'))", name="ended"),
    CheckConstraint("(result IS NOT NULL) = (state = 'done')", name="result"),
    Index(None, "state", "asked_at"),
)

token = Table(
    "token",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    text_column("name"),
    Column("sha256", Text, nullable=False, unique=True, comment="of the secret, which is told once"),
    texts_column("scopes"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("expires_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("actor", Text, nullable=False, comment="name of a token, or of whoever ran a command"),
    text_column("action"),
    Column("subject", Text, nullable=False, comment="table and key"),
    Column("before", JSONB),
    Column("after", JSONB),
    Index(None, "subject", "id"),
)
