"""`portee imports`: list, examine and undo imports of sites."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from geo.services.record_lifecycle import Operation, undo
from geo.settings import Settings
from geo.sites.import_run import ImportRun
from geo.sites.issue_report import issue_records
from geo.sites.model import SourceRecord
from geo.store import imports, territories
from portee.console import (
    and_others,
    confirm,
    count,
    print_json,
    print_table,
    print_text,
    report_errors,
    short_day,
)
from portee.database import transaction
from portee.language import N_, _, many
from portee.options import AsJson, Yes

app = typer.Typer(help="Lister, examiner et annuler les imports de lieux.", no_args_is_help=True)

RECORDS_SHOWN = 10
"""Records printed of each kind of change; `--json` holds them all."""

Number = Annotated[int, typer.Argument(metavar="N", help="Numéro de l'import.")]

_CHANGES = {
    "new": N_("nouvelles"),
    "changed": N_("modifiées"),
    "unchanged": N_("inchangées"),
    "vanished": N_("retirées"),
}


@app.command("list", help="Liste les imports et les opérations sur eux, le plus récent d'abord.")
def list_imports(
    limit: Annotated[int, typer.Option(min=0, help="Nombre maximal d'imports ; 0 pour tous.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List imports and the operations on them, latest first."""
    with report_errors(), transaction(Settings()) as connection:
        runs = imports.runs(connection, limit=limit or None)
        total = imports.count(connection)
    if as_json:
        print_json([asdict(run) for run in runs])
        return
    print_table(
        (_("n°"), _("jour"), _("quoi"), _("jeux de données"), _("fiches")),
        [
            (
                str(run.id),
                short_day(run.finished_at),
                _title(run),
                ", ".join(run.datasets),
                f"+{run.new} ~{run.changed} -{run.vanished}",
            )
            for run in runs
        ],
    )
    print_text(_("Imports montrés : %(shown)s sur %(all)s.", shown=len(runs), all=total))


@app.command(help="Montre un import : son fichier, ses comptes, ses problèmes, ce qu'il est devenu.")
def show(number: Number, as_json: AsJson = False) -> None:
    """Show an import: its file, counts, issues, and whether it was undone."""
    with report_errors(), transaction(Settings()) as connection:
        run = imports.find(connection, number)
        issues = imports.issues(connection, number)
    if as_json:
        print_json({**asdict(run), "issues": issue_records(issues)})
        return
    print_text(f"{run.id} : {_title(run)}, {short_day(run.finished_at)}", style="bold")
    print_text(
        _(
            "Lignes lues %(read)s, acceptées %(accepted)s, rejetées %(rejected)s, "
            "hors territoire %(outside)s.",
            read=count(run.read),
            accepted=count(run.accepted),
            rejected=count(run.rejected),
            outside=count(run.outside),
        )
    )
    print_text(" · ".join(f"{_(word)} {count(getattr(run, name))}" for name, word in _CHANGES.items()))
    print_text(many("%(num)s problème relevé.", "%(num)s problèmes relevés.", len(issues)))
    if reason := run.detail.get("reason"):
        print_text(_("Raison : %(reason)s", reason=reason))


@app.command(
    "undo",
    help="Annule un import : ses jeux de données redeviennent ce que disent leurs autres imports. "
    "Corrections et décisions restent. Annuler une annulation remet l'import.",
)
def undo_import(
    number: Number,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Montre ce qui changerait, sans rien enregistrer.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Undo an import: its datasets become what their other imports say."""
    with report_errors():
        if not dry_run:
            with transaction(Settings()) as connection:
                title = _title(imports.find(connection, number))
            confirm(_("Annuler l'import n° %(number)s (%(title)s) ?", number=number, title=title), yes=yes)
        with transaction(Settings()) as connection:
            epsg = territories.load(connection).metric_crs
            done = undo(connection, number, by=getpass.getuser(), epsg=epsg, dry_run=dry_run)
    if as_json:
        print_json(operation_to_dict(done))
        return
    print_operation(done)


def operation_to_dict(done: Operation) -> dict[str, Any]:
    """Return what an operation changed, as JSON."""
    difference = done.difference
    return {
        "run": done.run_id,
        "new": [record.key for record in difference.new],
        "changed": [change.after.key for change in difference.changed],
        "unchanged": difference.unchanged,
        "vanished": [record.key for record in difference.vanished],
        "sites": {
            "created": done.changes.created,
            "changed": done.changes.changed,
            "merged": dict(done.changes.merged),
            "retired": done.changes.retired,
        }
        if done.changes
        else None,
    }


def print_operation(done: Operation) -> None:
    """Print what an operation changed."""
    difference = done.difference
    _print_records(_("Revient"), difference.new)
    _print_records(_("Change"), [change.after for change in difference.changed])
    _print_records(_("Retirée"), difference.vanished)
    print_text(
        _(
            "Fiches : %(new)s qui reviennent, %(changed)s modifiées, %(vanished)s retirées.",
            new=count(len(difference.new)),
            changed=count(len(difference.changed)),
            vanished=count(len(difference.vanished)),
        )
    )
    if done.fund_obstacle:
        print_text(
            _("Le fonds fictif reste en l'état : %(reason)s.", reason=done.fund_obstacle), style="yellow"
        )
    if done.run_id is None:
        print_text(_("Essai : rien n'a été enregistré."), style="bold")
    else:
        print_text(_("Enregistré : opération n° %(run)s.", run=done.run_id), style="green")


def _print_records(word: str, found: Sequence[SourceRecord]) -> None:
    for record in found[:RECORDS_SHOWN]:
        place = ", ".join(part for part in (record.nom, record.commune) if part)
        print_text(f"{word} : {place} [{record.key}]")
    if len(found) > RECORDS_SHOWN:
        print_text(f"    … {and_others(len(found) - RECORDS_SHOWN)}.")


def _title(run: ImportRun) -> str:
    return _("%(title)s (annulé)", title=run.file_name) if run.undone_by else run.file_name
