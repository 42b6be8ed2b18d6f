"""Every table, with the guards of the ledger and of the passes.

Revisions 0001 to 0008 came before the first release and were merged into this one, which kept the
number 0009: a database at 0009 is already here. `geo.store.database.migrate` refuses older ones.
"""

from __future__ import annotations

from alembic import op

from geo.store.migrations import run_sql

revision = "0009"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("base_0009", "ledger_guards", "pass_guards"):
        run_sql(name)


def downgrade() -> None:
    op.execute("""
        DROP TABLE action, address_file, address_number, address_street, audit, commune, convention,
            data_version, dated_snapshot, duplicate, fund_close, fund_rule, grouping, import_issue,
            import_run, indicator, indicator_value, job, ledger_balance, ledger_entry, ledger_posting,
            ledger_unposted, partner, partner_site, pass_commune, pass_day, pass_event, pass_order,
            pass_site, pass_total, population, population_cell, provenance, road_graph, scenario, site,
            site_change, site_report, territory, token
    """)
    op.execute("""
        DROP FUNCTION fund_closing, fund_rule_kept, ledger_balance_kept, ledger_complete, ledger_entered,
            ledger_partner_kept, ledger_posted, ledger_queue, pass_append_only, pass_event_added,
            pass_order_added, pass_refuse, pass_summed, refuse_change
    """)
