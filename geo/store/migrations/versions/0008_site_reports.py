"""Errors that readers report about a site, kept for those who look after the data."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "site_report",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("site_name", sa.Text(), nullable=False, comment="as it was shown to the reader"),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False, comment="for an answer; erased when closed"),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "subject IN ('telephone', 'horaires', 'adresse', 'ferme', 'autre')",
            name=op.f("site_report_subject_check"),
        ),
        sa.CheckConstraint("char_length(message) <= 1000", name=op.f("site_report_message_check")),
        sa.CheckConstraint("char_length(email) <= 254", name=op.f("site_report_email_check")),
        sa.CheckConstraint("closed_at IS NULL OR email = ''", name=op.f("site_report_erased_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("site_report_pkey")),
    )
    op.create_index(op.f("site_report_closed_at_idx"), "site_report", ["closed_at"])


def downgrade() -> None:
    op.drop_table("site_report")
