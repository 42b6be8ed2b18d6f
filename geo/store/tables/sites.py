"""Tables of sites: imports, records, their history, duplicates, snapshots and readers' reports."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem

from geo.sites import standard
from geo.sites.model import STORED_FIELDS
from geo.store.tables.base import geometry, metadata, text_column, texts_column

import_run = Table(
    "import_run",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    text_column("file_name"),
    text_column("sha256"),
    text_column("format"),
    text_column("label"),
    text_column("licence"),
    texts_column("datasets"),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True), nullable=False),
    *(
        Column(name, Integer, nullable=False)
        for name in ("read", "accepted", "rejected", "flagged", "repaired")
    ),
    *(Column(name, Integer, nullable=False) for name in ("new", "changed", "unchanged", "vanished")),
    CheckConstraint("read = accepted + rejected", name="tally"),
)

import_issue = Table(
    "import_issue",
    metadata,
    Column("import_id", ForeignKey("import_run.id", ondelete="CASCADE"), primary_key=True),
    Column("rank", Integer, primary_key=True),
    Column("line", Integer, nullable=False),
    text_column("field"),
    text_column("value"),
    text_column("severity"),
    text_column("code"),
    text_column("reason"),
    text_column("advice"),
)

_SITE_TYPES: dict[str, Column[object]] = {
    "date_maj": Column("date_maj", Date),
    "latitude": Column("latitude", Double),
    "longitude": Column("longitude", Double),
    "pass_numerique": Column("pass_numerique", Boolean),
    "membre_reseau": Column("membre_reseau", Boolean),
    "acces_fauteuil": Column("acces_fauteuil", Boolean),
    "arrets": Column("arrets", JSONB, nullable=False, comment="[[place, day, hours], …]"),
    "fictif": Column("fictif", Boolean, nullable=False),
}


def _site_columns() -> list[SchemaItem]:
    """One column for each field of `Site`, under the same name."""
    several = standard.MULTIVALUED | {"signalements"}
    return [
        _SITE_TYPES[name]
        if name in _SITE_TYPES
        else texts_column(name)
        if name in several
        else text_column(name)
        for name in STORED_FIELDS
    ]


site = Table(
    "site",
    metadata,
    Column("id", Text, primary_key=True, comment="public identifier: dataset--local identifier"),
    *_site_columns(),
    Column(
        "geom",
        geometry("POINT"),
        Computed("st_setsrid(st_makepoint(longitude, latitude), 4326)", persisted=True),
    ),
    Column("first_import", ForeignKey("import_run.id"), nullable=False),
    Column(
        "last_import",
        ForeignKey("import_run.id"),
        nullable=False,
        comment="the last that brought, changed, retired or returned it",
    ),
    Column("retired_at", DateTime(timezone=True)),
    Index(None, "geom", postgresql_using="gist"),
    Index(None, "jeu_de_donnees"),
    Index(None, "code_insee"),
)

site_change = Table(
    "site_change",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("import_id", ForeignKey("import_run.id"), nullable=False),
    text_column("site_id"),
    text_column("kind"),
    Column("field", Text, comment="one of the record's when kind is 'changed'"),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("kind IN ('new', 'changed', 'retired', 'returned')", name="kind"),
    CheckConstraint("(kind = 'changed') = (field IS NOT NULL)", name="field"),
    Index(None, "site_id", "id"),
    Index(None, "import_id"),
)

duplicate = Table(
    "duplicate",
    metadata,
    Column("a", Text, primary_key=True),
    Column("b", Text, primary_key=True),
    Column("score", Double, nullable=False),
    texts_column("reasons"),
    Column("proposed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("same", Boolean, comment="the decision; null: none yet"),
    Column("hidden", Text, comment="the record not shown when both are the same place"),
    Column("decided_by", Text),
    Column("decided_at", DateTime(timezone=True)),
    CheckConstraint('a < b COLLATE "C"', name="ordered"),
    CheckConstraint("same IS NOT TRUE OR hidden IN (a, b)", name="hidden"),
    Index(None, "b"),
)

data_version = Table(
    "data_version",
    metadata,
    Column("singleton", Boolean, primary_key=True, server_default=text("true")),
    Column("version", BigInteger, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("singleton", name="singleton"),
)

dated_snapshot = Table(
    "dated_snapshot",
    metadata,
    Column("name", Text, primary_key=True),
    Column("day", Date, nullable=False, comment="the day its data describe"),
    Column("last_change", BigInteger, nullable=False, comment="the last site_change that counts"),
    Column("version", BigInteger, nullable=False),
    Column("kept_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

site_report = Table(
    "site_report",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    text_column("site_id"),
    Column("site_name", Text, nullable=False, comment="as it was shown to the reader"),
    text_column("subject"),
    text_column("message"),
    Column("email", Text, nullable=False, comment="for an answer; erased when closed"),
    Column("closed_at", DateTime(timezone=True)),
    Column("outcome", Text, nullable=False, server_default=""),
    CheckConstraint("subject IN ('telephone', 'horaires', 'adresse', 'ferme', 'autre')", name="subject"),
    CheckConstraint("char_length(message) <= 1000", name="message"),
    CheckConstraint("char_length(email) <= 254", name="email"),
    CheckConstraint("closed_at IS NULL OR email = ''", name="erased"),
    Index(None, "closed_at"),
)
