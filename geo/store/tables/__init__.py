"""The tables of Portée, as SQLAlchemy sees them; migrations make them.

Geometries are in WGS 84 (EPSG:4326). The meaning of each table: docs/store.md.
"""

from __future__ import annotations

from geo.store.tables.base import metadata
from geo.store.tables.funding import (
    action,
    convention,
    fund_close,
    fund_rule,
    ledger_balance,
    ledger_entry,
    ledger_posting,
    ledger_unposted,
    partner,
    partner_site,
)
from geo.store.tables.passes import pass_commune, pass_day, pass_event, pass_order, pass_site, pass_total
from geo.store.tables.service import audit, job, scenario, token
from geo.store.tables.sites import (
    data_version,
    dated_snapshot,
    duplicate,
    import_issue,
    import_run,
    site,
    site_change,
    site_report,
)
from geo.store.tables.territory import (
    address_file,
    address_number,
    address_street,
    commune,
    grouping,
    indicator,
    indicator_value,
    population,
    population_cell,
    provenance,
    road_graph,
    territory,
)

__all__ = [
    "action",
    "address_file",
    "address_number",
    "address_street",
    "audit",
    "commune",
    "convention",
    "data_version",
    "dated_snapshot",
    "duplicate",
    "fund_close",
    "fund_rule",
    "grouping",
    "import_issue",
    "import_run",
    "indicator",
    "indicator_value",
    "job",
    "ledger_balance",
    "ledger_entry",
    "ledger_posting",
    "ledger_unposted",
    "metadata",
    "partner",
    "partner_site",
    "pass_commune",
    "pass_day",
    "pass_event",
    "pass_order",
    "pass_site",
    "pass_total",
    "population",
    "population_cell",
    "provenance",
    "road_graph",
    "scenario",
    "site",
    "site_change",
    "site_report",
    "territory",
    "token",
]
