"""`portee snapshots`: states of the data kept by name, to compare coverage over time."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from geo.settings import Settings
from geo.store import dated_snapshots
from portee.console import print_json, print_text, report_errors
from portee.database import transaction

app = typer.Typer(help="Keep, list and forget dated states of the data.", no_args_is_help=True)

NAME_MAX = 100

Name = Annotated[str, typer.Argument(help="Name it is kept under.")]


@app.command()
def keep(
    name: Name,
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day the data describe, e.g. 2024-08-01; by default, today."),
    ] = None,
) -> None:
    """Keep the present state of the sites under a name; later imports leave it as it is."""
    if not name.strip() or len(name) > NAME_MAX or not name.isprintable():
        raise typer.BadParameter(f"a name has 1 to {NAME_MAX} printable characters.", param_hint="NAME")
    described = (day or datetime.now(UTC)).date()
    with report_errors(), transaction(Settings()) as connection:
        kept = dated_snapshots.keep(connection, name.strip(), described)
    print_text(f"État « {kept.name} » gardé : les données du {kept.day:%d/%m/%Y}.")


@app.command("list")
def list_snapshots(
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List the dated states, oldest first."""
    with report_errors(), transaction(Settings()) as connection:
        found = dated_snapshots.list_(connection)
    if as_json:
        print_json([asdict(kept) for kept in found])
        return
    for kept in found:
        print_text(f"{kept.day:%d/%m/%Y}  {kept.name}  (gardé le {kept.kept_at:%d/%m/%Y})")
    print_text("1 état daté." if len(found) == 1 else f"{len(found)} états datés.")


@app.command()
def forget(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Keep a dated state no longer; the sites and their history stay."""
    if not yes:
        typer.confirm(f"Forget the dated state “{name}”?", abort=True)
    with report_errors(), transaction(Settings()) as connection:
        dated_snapshots.forget(connection, name)
    print_text(f"État « {name} » oublié.")
