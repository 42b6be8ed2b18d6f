"""Tables of sites: imports, source records, their pairs and history, sites, corrections, snapshots."""

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
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB
from sqlalchemy.schema import SchemaItem

from geo.sites.model import LIST_FIELDS, VALUE_FIELDS
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
    Column("kind", Text, nullable=False, server_default="import"),
    Column(
        "provided",
        ARRAY(Text),
        nullable=False,
        server_default="{}",
        comment="local facts that the file has a column for",
    ),
    Column(
        "refused",
        ARRAY(Text),
        nullable=False,
        server_default="{}",
        comment="keys of records that the file lists and validation rejected",
    ),
    Column(
        "has_content",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="import_record holds what the file listed",
    ),
    Column(
        "outside",
        Integer,
        nullable=False,
        server_default="0",
        comment="rows beyond the territory and its margin",
    ),
    Column(
        "detail",
        JSONB,
        nullable=False,
        server_default="{}",
        comment="what an operation other than an import was done to",
    ),
    Column(
        "undone_by",
        ForeignKey("import_run.id"),
        comment="the operation that undid this one, unless undone itself",
    ),
    CheckConstraint("read = accepted + rejected + outside", name="tally"),
    CheckConstraint("kind IN ('import', 'undo', 'withdraw', 'restore')", name="kind"),
)

dataset = Table(
    "dataset",
    metadata,
    Column("name", Text, primary_key=True),
    Column("withdrawn_at", DateTime(timezone=True)),
    Column("withdrawn_by", Text),
    Column("reason", Text, nullable=False, server_default=""),
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
    "sur_rendez_vous": Column("sur_rendez_vous", Boolean),
    "arrets": Column("arrets", JSONB, nullable=False, comment="[[place, day, hours], …]"),
    "fictif": Column("fictif", Boolean, nullable=False),
}


def _site_columns() -> list[SchemaItem]:
    """One column for each field of `SiteValues`, under the same name."""
    return [
        _SITE_TYPES[name]
        if name in _SITE_TYPES
        else texts_column(name)
        if name in LIST_FIELDS
        else text_column(name)
        for name in VALUE_FIELDS
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
    Column("retired_at", DateTime(timezone=True)),
    Column("rank", BigInteger, Identity(always=True), nullable=False),
    Column("origins", JSONB),
    Column("conflicts", JSONB, nullable=False, server_default="[]"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("merged_into", ForeignKey("site.id")),
    CheckConstraint("merged_into IS NULL OR merged_into <> id", name="merged"),
    Index(None, "geom", postgresql_using="gist"),
    Index(None, "jeu_de_donnees"),
    Index(None, "code_insee"),
)

source_record = Table(
    "source_record",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("key", Text, nullable=False, comment="dataset--local_id@source"),
    text_column("dataset"),
    text_column("source"),
    text_column("local_id"),
    Column("values", JSONB, nullable=False, comment="known values by field, as of the last import"),
    Column("site_id", ForeignKey("site.id"), comment="the site it describes; its last one when retired"),
    Column(
        "first_site_id",
        ForeignKey("site.id"),
        comment="the site that was created for it or that it first joined",
    ),
    Column("first_import", ForeignKey("import_run.id"), nullable=False),
    Column(
        "last_import",
        ForeignKey("import_run.id"),
        nullable=False,
        comment="the last that brought, changed, retired or returned it",
    ),
    Column("retired_at", DateTime(timezone=True)),
    UniqueConstraint("key", name="source_record_key_key"),
    UniqueConstraint("dataset", "source", "local_id", name="source_record_dataset_source_local_id_key"),
    Index(None, "site_id"),
)

record_version = Table(
    "record_version",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("record_id", ForeignKey("source_record.id"), nullable=False),
    Column("sha256", BYTEA, nullable=False),
    Column("values", JSONB, nullable=False),
    UniqueConstraint("record_id", "sha256", name="record_version_record_id_sha256_key"),
    comment="what a source said of a record; never changed",
)

import_record = Table(
    "import_record",
    metadata,
    Column("import_id", ForeignKey("import_run.id"), primary_key=True),
    Column("record_id", ForeignKey("source_record.id"), primary_key=True),
    Column("version_id", ForeignKey("record_version.id"), nullable=False),
    comment="the records that an import listed, each in its version",
)

record_change = Table(
    "record_change",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("import_id", ForeignKey("import_run.id"), nullable=False),
    text_column("record_key"),
    text_column("kind"),
    Column("field", Text, comment="one of the record's when kind is 'changed'"),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("kind IN ('new', 'changed', 'retired', 'returned')", name="kind"),
    CheckConstraint("(kind = 'changed') = (field IS NOT NULL)", name="field"),
    Index(None, "record_key", "id"),
    Index(None, "import_id"),
)

record_pair = Table(
    "record_pair",
    metadata,
    Column("a", Text, primary_key=True),
    Column("b", Text, primary_key=True),
    Column("score", Double, nullable=False),
    texts_column("reasons"),
    Column("proposed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("same", Boolean, comment="the decision; null: none"),
    Column("decided_by", Text),
    Column("decided_at", DateTime(timezone=True)),
    Column(
        "verdict",
        Text,
        nullable=False,
        server_default="question",
        comment="same: merged unless decided otherwise; question: waits for a decision",
    ),
    Column("basis", JSONB, comment="name, commune and point of both records when it was decided"),
    CheckConstraint('a < b COLLATE "C"', name="ordered"),
    CheckConstraint("verdict IN ('same', 'question')", name="verdict"),
    Index(None, "b"),
    comment="records that may be one place, by key, and what was decided",
)

correction = Table(
    "correction",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("site_id", ForeignKey("site.id"), nullable=False),
    text_column("field"),
    Column("value", JSONB, comment="null: not known"),
    text_column("author"),
    Column("day", Date, nullable=False),
    text_column("reason"),
    Column("until", Date),
    Column("source_value", JSONB, comment="what the sources said when it was made"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("ended_at", DateTime(timezone=True)),
    Column("ended_by", Text),
    CheckConstraint("until IS NULL OR until >= day", name="until"),
    Index(None, "site_id"),
    comment="values set over the sources by those who keep the list",
)

fictitious_archive = Table(
    "fictitious_archive",
    metadata,
    Column("import_id", ForeignKey("import_run.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("rows", JSONB, nullable=False),
    comment="invented rows of the fund that the import of real sites removed, by table",
)

site_event = Table(
    "site_event",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("site_id", ForeignKey("site.id"), nullable=False),
    text_column("kind"),
    Column("author", Text),
    Column("import_id", ForeignKey("import_run.id")),
    Column("detail", JSONB, nullable=False, server_default="{}"),
    Index(None, "site_id", "id"),
    comment="what became of sites: created, merged, split, decided, corrected, closed, retired",
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
