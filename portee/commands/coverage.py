"""`portee coverage`: access to sites per commune or grouping, as table, CSV or JSON."""

from __future__ import annotations

import csv
import sys
from typing import Annotated

import typer
from rich.table import Table

from geo.coverage.access import AccessParameters, Coverage, access, records
from geo.reach.straight_line import LABEL
from geo.settings import Settings
from geo.store import snapshots
from geo.store.database import engine_for
from geo.territory.model import Kind
from portee.console import failures_told, out, print_json
from portee.questions import WHERE_HELP, site_filter


def coverage(
    kind: Annotated[Kind, typer.Option(help="Level at which access is told.")] = Kind.COMMUNE,
    where: Annotated[list[str], typer.Option(help=WHERE_HELP)] = [],  # noqa: B006 - Typer reads, never mutates
    limit: Annotated[int, typer.Option(min=0, help="Rows of the table, largest gaps first; 0 for all.")] = 20,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print every row as CSV, sorted by code.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print every row as JSON, sorted by code.")] = False,
) -> None:
    """Measure access to sites: nearest, distance, sites per 10,000 inhabitants, rank of the gap."""
    asked = site_filter(where)
    settings = Settings()
    with failures_told():
        with engine_for(settings).connect() as connection:
            snapshot = snapshots.read(connection)
        parameters = AccessParameters(filter=asked, detour_factor=settings.detour_factor)
        result = access(snapshot, kind, parameters)
    rows = records(result)
    if as_json:
        print_json(
            {
                "kind": kind,
                "method": result.method,
                "detour_factor": parameters.detour_factor,
                "people": result.people,
                "snapshot": result.snapshot_version,
                "unlocated": result.unlocated,
                "territories": rows,
            }
        )
    elif as_csv:
        writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]) if rows else [])
        writer.writeheader()
        writer.writerows(rows)
    else:
        _print_table(result, limit)


def _print_table(result: Coverage, limit: int) -> None:
    rows = sorted(result.rows, key=lambda r: (r.gap_rank is None, r.gap_rank or 0, r.code))
    shown = rows[:limit] if limit else rows
    table = Table(title=f"Accès par {result.kind.label}, {LABEL} × {result.parameters.detour_factor}")
    for heading in ("rang", "code", "nom"):
        table.add_column(heading, no_wrap=True)
    for heading in ("habitants", "lieux", "pour 10 000 hab.", "le plus proche (km)"):
        table.add_column(heading, justify="right")
    for metres in result.parameters.thresholds_m:
        table.add_column(f"à moins de {metres // 1000} km", justify="right")
    for row in shown:
        table.add_row(
            str(row.gap_rank or "-"),
            row.code,
            row.name,
            f"{row.population:,}".replace(",", " "),
            str(row.site_count),
            _number(row.sites_per_10k),
            _number(row.nearest_distance_m, 1_000),
            *("-" if share is None else f"{share:.0%}".replace("%", " %") for share in row.share_within),
        )
    out.print(table)
    if len(shown) < len(rows):
        out.print(f"{len(shown)} lignes sur {len(rows)} (--limit 0 pour toutes).")
    if result.unlocated:
        out.print(f"{result.unlocated} lieux sans position : comptés, mais n'approchent personne.")


def _number(value: float | None, unit: float = 1) -> str:
    return "-" if value is None else f"{value / unit:.1f}".replace(".", ",")
