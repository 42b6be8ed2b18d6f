"""Removal and return of the invented fund."""

from __future__ import annotations

from geo.store.migrations import run_sql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("fictitious_0011")


def downgrade() -> None:
    raise NotImplementedError("Restore a dump.")
