"""Partners, the fund, passes, actions, and who changed what."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("actor", sa.Text(), nullable=False, comment="name of a token, or of whoever ran a command"),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False, comment="table and key"),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_pkey")),
    )
    op.create_index(op.f("audit_subject_id_idx"), "audit", ["subject", "id"], unique=False)
    op.create_table(
        "fund_close",
        sa.Column("until", sa.Date(), nullable=False, comment="no entry may bear this day or an earlier one"),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("until", name=op.f("fund_close_pkey")),
    )
    op.create_table(
        "fund_rule",
        sa.Column("day", sa.Date(), nullable=False, comment="from this day on"),
        sa.Column(
            "rate_bp",
            sa.Integer(),
            nullable=False,
            comment="cents matched for 10 000 given: 10 000 is one for one",
        ),
        sa.Column(
            "ceiling_cents",
            sa.BigInteger(),
            nullable=True,
            comment="of the match in a calendar year; null: none",
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint("ceiling_cents >= 0", name=op.f("fund_rule_ceiling_cents_check")),
        sa.CheckConstraint("rate_bp >= 0", name=op.f("fund_rule_rate_bp_check")),
        sa.PrimaryKeyConstraint("day", name=op.f("fund_rule_pkey")),
    )
    op.create_table(
        "partner",
        sa.Column("code", sa.Text(), nullable=False, comment="short name: caf-47"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("siret", sa.Text(), nullable=False),
        sa.Column("contact_role", sa.Text(), nullable=False, comment="a function, never a person"),
        sa.Column("website", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column(
            "network_from",
            sa.Date(),
            nullable=True,
            comment="member of the local network from this day; null: never",
        ),
        sa.Column("network_to", sa.Date(), nullable=True, comment="to this day; null: still"),
        sa.Column("fictif", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('public', 'association', 'operator', 'company')", name=op.f("partner_kind_check")
        ),
        sa.CheckConstraint(
            "network_to IS NULL OR network_to >= network_from", name=op.f("partner_network_check")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("partner_pkey")),
    )
    op.create_table(
        "pass_order",
        sa.Column(
            "reference", sa.Text(), nullable=False, comment="the vintage all events of its passes bear"
        ),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("face_value_cents", sa.Integer(), server_default="1000", nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column(
            "funders",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="[[partner code, passes], …], summing to count",
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("fictif", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("count > 0", name=op.f("pass_order_count_check")),
        sa.CheckConstraint("expires_on >= day", name=op.f("pass_order_expires_on_check")),
        sa.CheckConstraint("face_value_cents > 0", name=op.f("pass_order_face_value_cents_check")),
        sa.PrimaryKeyConstraint("reference", name=op.f("pass_order_pkey")),
    )
    op.create_table(
        "action",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True, comment="last day, when it lasts"),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("partner_code", sa.Text(), nullable=True),
        sa.Column("site_id", sa.Text(), nullable=True),
        sa.Column("amount_cents", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "measures",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="by name, as the kind declares them",
        ),
        sa.Column("fictif", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("amount_cents >= 0", name=op.f("action_amount_cents_check")),
        sa.CheckConstraint("until IS NULL OR until >= day", name=op.f("action_until_check")),
        sa.ForeignKeyConstraint(["partner_code"], ["partner.code"], name=op.f("action_partner_code_fkey")),
        sa.PrimaryKeyConstraint("reference", name=op.f("action_pkey")),
    )
    op.create_index(op.f("action_commune_idx"), "action", ["commune"], unique=False)
    op.create_index(op.f("action_kind_day_idx"), "action", ["kind", "day"], unique=False)
    op.create_table(
        "convention",
        sa.Column("partner_code", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner_code"], ["partner.code"], name=op.f("convention_partner_code_fkey")
        ),
        sa.PrimaryKeyConstraint("partner_code", "year", "reference", name=op.f("convention_pkey")),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="the day it counts for"),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("partner_code", sa.Text(), nullable=True),
        sa.Column(
            "level", sa.Text(), nullable=True, comment="source of a contribution: local, national, european"
        ),
        sa.Column("action_line", sa.Text(), nullable=True),
        sa.Column("commune", sa.Text(), nullable=True, comment="INSEE code of the commune it is for"),
        sa.Column("site_id", sa.Text(), nullable=True),
        sa.Column("reverses", sa.BigInteger(), nullable=True),
        sa.Column("commitment_id", sa.BigInteger(), nullable=True, comment="what is released or paid out of"),
        sa.Column("contribution_id", sa.BigInteger(), nullable=True, comment="what is matched"),
        sa.Column(
            "due_cents",
            sa.BigInteger(),
            nullable=True,
            comment="of a contribution: what the rate adds to it, ceiling aside",
        ),
        sa.Column("memo", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("fictif", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "posted_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "tx",
            sa.BigInteger(),
            server_default=sa.text("(pg_current_xact_id()::text)::bigint"),
            nullable=False,
            comment="the transaction that posted it: no other may add postings",
        ),
        sa.CheckConstraint(
            "(kind = 'reversal') = (reverses IS NOT NULL)", name=op.f("ledger_entry_reverses_check")
        ),
        sa.CheckConstraint(
            "kind <> 'contribution' OR (partner_code IS NOT NULL AND level IS NOT NULL)",
            name=op.f("ledger_entry_source_check"),
        ),
        sa.CheckConstraint(
            "kind <> 'commitment' OR action_line IS NOT NULL", name=op.f("ledger_entry_action_line_check")
        ),
        sa.CheckConstraint(
            "kind = 'reversal' OR (kind IN ('release', 'payment')) = (commitment_id IS NOT NULL)",
            name=op.f("ledger_entry_commitment_id_check"),
        ),
        sa.CheckConstraint(
            "kind = 'reversal' OR (kind = 'match') = (contribution_id IS NOT NULL)",
            name=op.f("ledger_entry_contribution_id_check"),
        ),
        sa.CheckConstraint(
            "kind = 'reversal' OR CASE WHEN kind = 'contribution' THEN coalesce(due_cents, -1) >= 0"
            " ELSE due_cents IS NULL END",
            name=op.f("ledger_entry_due_cents_check"),
        ),
        sa.CheckConstraint("reference <> ''", name=op.f("ledger_entry_reference_check")),
        sa.CheckConstraint(
            "kind IN ('contribution', 'match', 'commitment', 'release', 'payment', 'reversal')",
            name=op.f("ledger_entry_kind_check"),
        ),
        sa.CheckConstraint(
            "level IN ('local', 'national', 'european')", name=op.f("ledger_entry_level_check")
        ),
        sa.ForeignKeyConstraint(
            ["partner_code"], ["partner.code"], name=op.f("ledger_entry_partner_code_fkey")
        ),
        sa.ForeignKeyConstraint(["reverses"], ["ledger_entry.id"], name=op.f("ledger_entry_reverses_fkey")),
        sa.ForeignKeyConstraint(
            ["commitment_id"], ["ledger_entry.id"], name=op.f("ledger_entry_commitment_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["contribution_id"], ["ledger_entry.id"], name=op.f("ledger_entry_contribution_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("ledger_entry_pkey")),
        sa.UniqueConstraint("reference"),
        sa.UniqueConstraint("reverses"),
    )
    op.create_index(op.f("ledger_entry_day_idx"), "ledger_entry", ["day"], unique=False)
    op.create_index(
        op.f("ledger_entry_partner_code_day_idx"), "ledger_entry", ["partner_code", "day"], unique=False
    )
    op.create_index(op.f("ledger_entry_commitment_id_idx"), "ledger_entry", ["commitment_id"], unique=False)
    op.create_index(
        op.f("ledger_entry_contribution_id_idx"), "ledger_entry", ["contribution_id"], unique=False
    )
    op.create_table(
        "partner_site",
        sa.Column("partner_code", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.CheckConstraint("role IN ('runs', 'supports')", name=op.f("partner_site_role_check")),
        sa.ForeignKeyConstraint(
            ["partner_code"], ["partner.code"], name=op.f("partner_site_partner_code_fkey")
        ),
        sa.PrimaryKeyConstraint("partner_code", "site_id", "role", name=op.f("partner_site_pkey")),
    )
    op.create_table(
        "ledger_posting",
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False, comment="sums to 0 over an entry"),
        sa.CheckConstraint(
            "account IN ('partners', 'departement', 'available', 'committed', 'paid')",
            name=op.f("ledger_posting_account_check"),
        ),
        sa.CheckConstraint("amount_cents <> 0", name=op.f("ledger_posting_amount_cents_check")),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name=op.f("ledger_posting_entry_id_fkey")),
        sa.PrimaryKeyConstraint("entry_id", "account", name=op.f("ledger_posting_pkey")),
    )
    op.create_table(
        "pass_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("order_reference", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "count",
            sa.Integer(),
            nullable=False,
            comment="passes; negative in the correction of an earlier event",
        ),
        sa.Column(
            "commune",
            sa.Text(),
            nullable=True,
            comment="given: of the inhabitants; used: of those who used them, when told",
        ),
        sa.Column("partner_code", sa.Text(), nullable=True, comment="given: the prescriber"),
        sa.Column("site_id", sa.Text(), nullable=True, comment="used and reimbursed: the accepting site"),
        sa.Column(
            "corrects",
            sa.BigInteger(),
            nullable=True,
            comment="the event some of whose passes did not happen",
        ),
        sa.Column(
            "entry_id", sa.BigInteger(), nullable=True, comment="reimbursed: the payment in the ledger"
        ),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind <> 'given' OR commune IS NOT NULL", name=op.f("pass_event_given_check")),
        sa.CheckConstraint(
            "kind IN ('given', 'used', 'expired', 'reimbursed')", name=op.f("pass_event_kind_check")
        ),
        sa.CheckConstraint(
            "kind NOT IN ('used', 'reimbursed') OR site_id IS NOT NULL", name=op.f("pass_event_site_check")
        ),
        sa.CheckConstraint(
            "count <> 0 AND (count > 0) = (corrects IS NULL)", name=op.f("pass_event_count_check")
        ),
        sa.ForeignKeyConstraint(["corrects"], ["pass_event.id"], name=op.f("pass_event_corrects_fkey")),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name=op.f("pass_event_entry_id_fkey")),
        sa.ForeignKeyConstraint(
            ["order_reference"], ["pass_order.reference"], name=op.f("pass_event_order_reference_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["partner_code"], ["partner.code"], name=op.f("pass_event_partner_code_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pass_event_pkey")),
        sa.UniqueConstraint("reference"),
    )
    op.create_index(
        op.f("pass_event_order_reference_commune_idx"),
        "pass_event",
        ["order_reference", "commune"],
        unique=False,
    )
    op.create_index(op.f("pass_event_corrects_idx"), "pass_event", ["corrects"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("pass_event_corrects_idx"), table_name="pass_event")
    op.drop_index(op.f("pass_event_order_reference_commune_idx"), table_name="pass_event")
    op.drop_table("pass_event")
    op.drop_table("ledger_posting")
    op.drop_table("partner_site")
    op.drop_index(op.f("ledger_entry_contribution_id_idx"), table_name="ledger_entry")
    op.drop_index(op.f("ledger_entry_commitment_id_idx"), table_name="ledger_entry")
    op.drop_index(op.f("ledger_entry_partner_code_day_idx"), table_name="ledger_entry")
    op.drop_index(op.f("ledger_entry_day_idx"), table_name="ledger_entry")
    op.drop_table("ledger_entry")
    op.drop_table("convention")
    op.drop_index(op.f("action_kind_day_idx"), table_name="action")
    op.drop_index(op.f("action_commune_idx"), table_name="action")
    op.drop_table("action")
    op.drop_table("pass_order")
    op.drop_table("partner")
    op.drop_table("fund_rule")
    op.drop_table("fund_close")
    op.drop_index(op.f("audit_subject_id_idx"), table_name="audit")
    op.drop_table("audit")
