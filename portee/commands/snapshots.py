"""`portee snapshots`: states of the data saved by name, to compare coverage over time."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from geo.settings import Settings
from geo.store import dated_snapshots
from portee.console import confirm, misused, print_json, print_text, report_errors, short_day
from portee.database import transaction
from portee.language import _, many
from portee.options import AsJson, Yes

app = typer.Typer(help="Garder, lister et oublier des états datés des données.", no_args_is_help=True)

NAME_MAX = 100

Name = Annotated[str, typer.Argument(help="Nom sous lequel l'enregistrer.")]


@app.command(help="Garde l'état présent des lieux sous un nom ; les imports suivants n'y changent rien.")
def keep(
    name: Name,
    day: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Jour que les données décrivent, par exemple 2024-08-01 ; aujourd'hui par défaut.",
        ),
    ] = None,
) -> None:
    """Save the present state of the sites under a name; later imports do not change it."""
    if not name.strip() or len(name) > NAME_MAX or not name.isprintable():
        misused(_("un nom a de 1 à %(most)s caractères imprimables.", most=NAME_MAX), "NAME")
    described = (day or datetime.now(UTC)).date()
    with report_errors(), transaction(Settings()) as connection:
        state = dated_snapshots.keep(connection, name.strip(), described)
    print_text(
        _("État « %(name)s » gardé : les données du %(day)s.", name=state.name, day=short_day(state.day))
    )


@app.command("list", help="Liste les états datés, le plus ancien d'abord.")
def list_snapshots(
    as_json: AsJson = False,
) -> None:
    """List the dated states, oldest first."""
    with report_errors(), transaction(Settings()) as connection:
        found = dated_snapshots.list_(connection)
    if as_json:
        print_json([asdict(state) for state in found])
        return
    for state in found:
        since = _("gardé le %(day)s", day=short_day(state.kept_at))
        print_text(f"{short_day(state.day)}  {state.name}  ({since})")
    print_text(many("%(num)s état daté.", "%(num)s états datés.", len(found)))


@app.command(help="Oublie un état daté ; les lieux et leur historique restent.")
def forget(
    name: Name,
    yes: Yes = False,
) -> None:
    """Delete a dated state; the sites and their history stay."""
    confirm(_("Oublier l'état daté « %(name)s » ?", name=name), yes=yes)
    with report_errors(), transaction(Settings()) as connection:
        dated_snapshots.forget(connection, name)
    print_text(_("État « %(name)s » oublié.", name=name))
