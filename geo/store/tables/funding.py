"""Tables of the fund: partners, match rules, the ledger and actions."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
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

from geo.store.tables.base import metadata, text_column

partner = Table(
    "partner",
    metadata,
    Column("code", Text, primary_key=True, comment="short name: caf-47"),
    text_column("name"),
    text_column("kind"),
    text_column("siret"),
    Column("contact_role", Text, nullable=False, comment="a function, never a person"),
    text_column("website"),
    text_column("note"),
    Column("network_from", Date, comment="member of the local network from this day; null: never"),
    Column("network_to", Date, comment="to this day; null: still"),
    Column("fictif", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("kind IN ('public', 'association', 'operator', 'company')", name="kind"),
    CheckConstraint("network_to IS NULL OR network_to >= network_from", name="network"),
)

convention = Table(
    "convention",
    metadata,
    Column("partner_code", ForeignKey("partner.code"), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("reference", Text, primary_key=True),
    text_column("note"),
)

partner_site = Table(
    "partner_site",
    metadata,
    Column("partner_code", ForeignKey("partner.code"), primary_key=True),
    Column("site_id", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    CheckConstraint("role IN ('runs', 'supports')", name="role"),
)

fund_rule = Table(
    "fund_rule",
    metadata,
    Column("day", Date, primary_key=True, comment="from this day on"),
    Column(
        "rate_bp", Integer, nullable=False, comment="cents matched for 10 000 given: 10 000 is one for one"
    ),
    Column("ceiling_cents", BigInteger, comment="of the match in a calendar year; null: none"),
    text_column("note"),
    CheckConstraint("rate_bp >= 0", name="rate_bp"),
    CheckConstraint("ceiling_cents >= 0", name="ceiling_cents"),
)

fund_close = Table(
    "fund_close",
    metadata,
    Column("until", Date, primary_key=True, comment="no entry may bear this day or an earlier one"),
    text_column("actor"),
    Column("closed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

ledger_entry = Table(
    "ledger_entry",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    text_column("kind"),
    Column("day", Date, nullable=False, comment="the day it counts for"),
    Column("reference", Text, nullable=False, unique=True),
    Column("partner_code", Text),
    Column("level", Text, comment="source of a contribution: local, national, european"),
    Column("action_line", Text),
    Column("commune", Text, comment="INSEE code of the commune it is for"),
    Column("site_id", Text),
    Column("reverses", BigInteger),
    Column("commitment_id", BigInteger, comment="what is released or paid out of"),
    Column("contribution_id", BigInteger, comment="what is matched"),
    Column("due_cents", BigInteger, comment="of a contribution: what the rate adds to it, ceiling aside"),
    text_column("memo"),
    text_column("actor"),
    Column("fictif", Boolean, nullable=False, server_default=text("false")),
    Column("posted_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column(
        "tx",
        BigInteger,
        nullable=False,
        server_default=text("(pg_current_xact_id()::text)::bigint"),
        comment="the transaction that posted it: no other may add postings",
    ),
    CheckConstraint("level IN ('local', 'national', 'european')", name="level"),
    CheckConstraint("(kind = 'reversal') = (reverses IS NOT NULL)", name="reverses"),
    CheckConstraint(
        "kind IN ('contribution', 'match', 'commitment', 'release', 'payment', 'reversal')", name="kind"
    ),
    CheckConstraint(
        "kind <> 'contribution' OR (partner_code IS NOT NULL AND level IS NOT NULL)", name="source"
    ),
    CheckConstraint("kind <> 'commitment' OR action_line IS NOT NULL", name="action_line"),
    CheckConstraint(
        "kind = 'reversal' OR (kind IN ('release', 'payment')) = (commitment_id IS NOT NULL)",
        name="commitment_id",
    ),
    CheckConstraint(
        "kind = 'reversal' OR (kind = 'match') = (contribution_id IS NOT NULL)", name="contribution_id"
    ),
    CheckConstraint(
        "kind = 'reversal' OR CASE WHEN kind = 'contribution' THEN coalesce(due_cents, -1) >= 0"
        " ELSE due_cents IS NULL END",
        name="due_cents",
    ),
    CheckConstraint("reference <> ''", name="reference"),
    Index(None, "partner_code", "day"),
    Index(
        "ledger_entry_reverses_key", "reverses", unique=True, postgresql_where=text("reverses IS NOT NULL")
    ),
    Index(None, "commitment_id", postgresql_where=text("commitment_id IS NOT NULL")),
    Index(None, "contribution_id", postgresql_where=text("contribution_id IS NOT NULL")),
)

ledger_posting = Table(
    "ledger_posting",
    metadata,
    Column("entry_id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", Text, primary_key=True),
    Column("amount_cents", BigInteger, nullable=False, comment="sums to 0 over an entry"),
    CheckConstraint(
        "account IN ('partners', 'departement', 'available', 'committed', 'paid')", name="account"
    ),
    CheckConstraint("amount_cents <> 0", name="amount_cents"),
)

ledger_balance = Table(
    "ledger_balance",
    metadata,
    Column("account", Text, primary_key=True),
    Column("amount_cents", BigInteger, nullable=False, comment="sum of its postings, kept by their trigger"),
    CheckConstraint(
        "account NOT IN ('available', 'committed', 'paid') OR amount_cents >= 0", name="amount_cents"
    ),
)

ledger_unposted = Table(
    "ledger_unposted",
    metadata,
    Column(
        "entries",
        BigInteger,
        nullable=False,
        comment="entries of the transaction that still lack postings: 0 at every commit",
    ),
    CheckConstraint("entries >= 0", name="entries"),
)

action = Table(
    "action",
    metadata,
    Column("reference", Text, primary_key=True),
    text_column("kind"),
    Column("day", Date, nullable=False),
    Column("until", Date, comment="last day, when it lasts"),
    text_column("title"),
    text_column("commune"),
    Column("partner_code", ForeignKey("partner.code")),
    Column("site_id", Text),
    Column("amount_cents", BigInteger, nullable=False, server_default="0"),
    Column("measures", JSONB, nullable=False, comment="by name, as the kind declares them"),
    Column("fictif", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("amount_cents >= 0", name="amount_cents"),
    CheckConstraint("until IS NULL OR until >= day", name="until"),
    Index(None, "commune"),
    Index(None, "kind", "day"),
)
