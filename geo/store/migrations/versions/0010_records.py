"""Source records apart from the sites that people see.

Each record that was shown becomes a record and a site with the same identifier. Records decided to be
one place become one site: the other identifiers redirect to the one that was shown. Values are pooled
from all records of a site by the first `geo.services.site_register.rebuild`.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

from geo.store.migrations import run_sql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql("records_0010")
    _merge_decided_sites()
    op.execute("ALTER TABLE record_pair DROP COLUMN hidden")


def downgrade() -> None:
    raise NotImplementedError("Records of one site cannot be separated again: restore a dump.")


def _merge_decided_sites() -> None:
    """Merge sites decided to be one place; the one that was shown stays.

    That is the first by identifier among those that no decision hides.
    """
    connection = op.get_bind()
    decided = connection.execute(
        text(
            "SELECT r.site_id AS a, q.site_id AS b, p.hidden FROM record_pair p"
            " JOIN source_record r ON r.key = p.a JOIN source_record q ON q.key = p.b"
            " WHERE p.same AND r.retired_at IS NULL AND q.retired_at IS NULL"
        )
    ).all()
    place = {site: {site} for row in decided for site in (row.a, row.b)}
    for row in decided:
        joined = place[row.a] | place[row.b]
        place.update(dict.fromkeys(joined, joined))
    hidden = {row.hidden for row in decided}
    for site, sites in place.items():
        shown = min(sites, key=lambda each: (each in hidden, each))
        if shown != site:
            change = {"site": site, "shown": shown}
            connection.execute(text("UPDATE site SET merged_into = :shown WHERE id = :site"), change)
            connection.execute(
                text("UPDATE source_record SET site_id = :shown WHERE site_id = :site"), change
            )
