"""Tables of the Pass Numérique: orders, events, and sums that the triggers of events keep."""

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
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from geo.store.tables.base import metadata, text_column

pass_order = Table(
    "pass_order",
    metadata,
    Column("reference", Text, primary_key=True, comment="the vintage all events of its passes bear"),
    Column("day", Date, nullable=False),
    Column("count", Integer, nullable=False),
    Column("face_value_cents", Integer, nullable=False, server_default="1000"),
    Column("expires_on", Date, nullable=False),
    Column("funders", JSONB, nullable=False, comment="[[partner code, passes], …], summing to count"),
    text_column("note"),
    Column("fictif", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("count > 0", name="count"),
    CheckConstraint("face_value_cents > 0", name="face_value_cents"),
    CheckConstraint("expires_on >= day", name="expires_on"),
)

pass_event = Table(
    "pass_event",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("reference", Text, nullable=False, unique=True),
    Column("order_reference", ForeignKey("pass_order.reference"), nullable=False),
    text_column("kind"),
    Column("day", Date, nullable=False),
    Column(
        "count", Integer, nullable=False, comment="passes; negative in the correction of an earlier event"
    ),
    Column("commune", Text, comment="given: of the inhabitants; used: of those who used them, when told"),
    Column("partner_code", ForeignKey("partner.code"), comment="given: the prescriber"),
    Column("site_id", Text, comment="used and reimbursed: the accepting site"),
    Column("corrects", ForeignKey("pass_event.id"), comment="the event some of whose passes did not happen"),
    Column("entry_id", ForeignKey("ledger_entry.id"), comment="reimbursed: the payment in the ledger"),
    text_column("actor"),
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("kind IN ('given', 'used', 'expired', 'reimbursed')", name="kind"),
    CheckConstraint("count <> 0 AND (count > 0) = (corrects IS NULL)", name="count"),
    CheckConstraint("kind <> 'given' OR commune IS NOT NULL", name="given"),
    CheckConstraint("kind NOT IN ('used', 'reimbursed') OR site_id IS NOT NULL", name="site"),
    Index(None, "order_reference", "commune"),
    Index(None, "corrects"),
)


def _passes(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


pass_total = Table(
    "pass_total",
    metadata,
    Column("order_reference", ForeignKey("pass_order.reference", ondelete="CASCADE"), primary_key=True),
    *(_passes(name) for name in ("ordered", "given", "used", "expired", "reimbursed")),
    CheckConstraint(
        "given <= ordered AND used + expired <= given AND reimbursed <= used"
        " AND least(used, expired, reimbursed) >= 0",
        name="passes",
    ),
)

pass_day = Table(
    "pass_day",
    metadata,
    Column("order_reference", ForeignKey("pass_order.reference"), primary_key=True),
    Column("day", Date, primary_key=True),
    *(_passes(name) for name in ("given", "used", "expired")),
)

pass_site = Table(
    "pass_site",
    metadata,
    Column("order_reference", ForeignKey("pass_order.reference"), primary_key=True),
    Column("site_id", Text, primary_key=True),
    Column("year", Integer, primary_key=True),
    *(_passes(name) for name in ("used", "reimbursed")),
)

pass_commune = Table(
    "pass_commune",
    metadata,
    Column("order_reference", ForeignKey("pass_order.reference"), primary_key=True),
    Column("commune", Text, primary_key=True, comment="of the inhabitants; empty: not told"),
    Column("year", Integer, primary_key=True),
    *(_passes(name) for name in ("given", "used", "expired")),
    Column("delays", ARRAY(Integer), nullable=False, server_default="{}", comment="days from gift to use"),
    Column("delayed", ARRAY(Integer), nullable=False, server_default="{}", comment="passes of each delay"),
    CheckConstraint("cardinality(delays) = cardinality(delayed)", name="delays"),
)
