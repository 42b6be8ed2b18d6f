"""`portee datasets`: list, examine, withdraw and restore datasets of sites."""

from __future__ import annotations

import getpass
from collections import Counter
from dataclasses import asdict
from typing import Annotated

import typer

from geo.services import record_lifecycle
from geo.settings import Settings
from geo.store import datasets, imports, records, territories
from portee.commands.import_runs import operation_to_dict, print_operation
from portee.console import confirm, print_json, print_table, print_text, report_errors, short_day
from portee.database import transaction
from portee.language import _, many
from portee.options import AsJson, Yes

app = typer.Typer(help="Lister, examiner, retirer et remettre des jeux de données.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NOM", help="Nom du jeu de données.")]


@app.command("list", help="Liste les jeux de données : fiches en service, dernier import, retrait.")
def list_datasets(as_json: AsJson = False) -> None:
    """List the datasets: records in service, last import, withdrawal."""
    with report_errors(), transaction(Settings()) as connection:
        known = datasets.all_datasets(connection)
        counted = Counter(record.jeu_de_donnees for record in records.in_service(connection).values())
        runs = imports.runs(connection)
    last = {name: run for run in reversed(runs) if run.kind == "import" for name in run.datasets}
    if as_json:
        print_json(
            [
                {**asdict(each), "records": counted[each.name], "last_import": last[each.name].id}
                if each.name in last
                else {**asdict(each), "records": counted[each.name], "last_import": None}
                for each in known
            ]
        )
        return
    print_table(
        (_("jeu de données"), _("fiches"), _("dernier import"), _("état")),
        [
            (
                each.name,
                str(counted[each.name]),
                short_day(last[each.name].finished_at) if each.name in last else "",
                _("retiré le %(day)s", day=short_day(each.withdrawn_at))
                if each.withdrawn_at
                else _("en service"),
            )
            for each in known
        ],
    )


@app.command(help="Montre un jeu de données et ses imports.")
def show(name: Name, as_json: AsJson = False) -> None:
    """Show a dataset and its imports."""
    with report_errors(), transaction(Settings()) as connection:
        found = datasets.find(connection, name)
        number = len(records.in_service(connection, datasets=[name]))
        runs = [run for run in imports.runs(connection) if name in run.datasets]
    if as_json:
        print_json({**asdict(found), "records": number, "imports": [asdict(run) for run in runs]})
        return
    print_text(name, style="bold")
    print_text(many("%(num)s fiche en service.", "%(num)s fiches en service.", number))
    if found.withdrawn_at:
        day = short_day(found.withdrawn_at)
        print_text(_("Retiré le %(day)s : %(reason)s", day=day, reason=found.reason), style="yellow")
    for run in runs:
        undone = _(" (annulé)") if run.undone_by else ""
        print_text(f"{short_day(run.finished_at)}  n° {run.id}  {run.file_name}{undone}")


@app.command(help="Retire un jeu de données : ses fiches ne sont plus montrées, jusqu'à ce qu'il soit remis.")
def withdraw(
    name: Name,
    reason: Annotated[str, typer.Option(help="Pourquoi ; gardé dans l'historique.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Withdraw a dataset: its records are not shown until it is restored."""
    confirm(_("Retirer le jeu de données « %(name)s » ?", name=name), yes=yes)
    with report_errors(), transaction(Settings()) as connection:
        epsg = territories.load(connection).metric_crs
        done = record_lifecycle.withdraw(connection, name, by=getpass.getuser(), reason=reason, epsg=epsg)
    if as_json:
        print_json(operation_to_dict(done))
        return
    print_operation(done)


@app.command(help="Remet en service un jeu de données retiré, comme ses imports le disent.")
def restore(name: Name, as_json: AsJson = False) -> None:
    """Put a withdrawn dataset back in service, as its imports say."""
    with report_errors(), transaction(Settings()) as connection:
        epsg = territories.load(connection).metric_crs
        done = record_lifecycle.restore(connection, name, by=getpass.getuser(), epsg=epsg)
    if as_json:
        print_json(operation_to_dict(done))
        return
    print_operation(done)
