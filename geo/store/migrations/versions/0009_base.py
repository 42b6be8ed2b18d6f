"""Every table, with the guards of the ledger and of the passes.

Revisions 0001 to 0008 came before the first release and were merged into this one, which kept the
number 0009: a database at 0009 is already here. `geo.store.database.migrate` refuses older ones.
"""

from __future__ import annotations

from geo.store.migrations import run_sql

revision = "0009"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("base_0009", "ledger_guards", "pass_guards"):
        run_sql(name)


def downgrade() -> None:
    raise NotImplementedError("There is nothing below the base: restore a dump.")
