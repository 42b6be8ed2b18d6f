"""`portee reports`: errors that readers reported about sites."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

import typer

from geo.settings import Settings
from geo.store import reports
from geo.store.reports import ErrorReport, ReportSubject
from portee.console import print_json, print_text, report_errors, short_day
from portee.database import transaction
from portee.language import N_, _, many
from portee.options import AsJson

app = typer.Typer(
    help="Lister, lire et clore les signalements des lecteurs sur les lieux.", no_args_is_help=True
)

SUBJECTS: Final = {
    ReportSubject.TELEPHONE: N_("téléphone"),
    ReportSubject.HORAIRES: N_("horaires"),
    ReportSubject.ADRESSE: N_("adresse"),
    ReportSubject.FERME: N_("fermé définitivement"),
    ReportSubject.AUTRE: N_("autre chose"),
}

Number = Annotated[int, typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="Numéro du signalement.")]


@app.command("list", help="Liste les signalements à traiter, le plus ancien d'abord.")
def list_reports(
    closed: Annotated[bool, typer.Option("--closed", help="Plutôt ceux qui sont traités.")] = False,
    site: Annotated[str, typer.Option(metavar="LIEU", help="Seulement ce lieu, par identifiant.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the open reports, oldest first."""
    with report_errors(), transaction(Settings()) as connection:
        found = reports.list_(connection, closed=closed, site_id=site)
        waiting = reports.counts(connection)
    if as_json:
        print_json([asdict(report) for report in found])
        return
    for report in found:
        print_text(
            f"{report.id}  {short_day(report.received_at)}  {_(SUBJECTS[report.subject])}  {report.site_name}"
        )
    if closed:
        print_text(many("%(num)s signalement traité.", "%(num)s signalements traités.", len(found)))
    else:
        print_text(many("%(num)s signalement à traiter.", "%(num)s signalements à traiter.", len(found)))
    if not closed and not site and found:
        print_text(
            ", ".join(f"{_(SUBJECTS[subject])} : {count}" for subject, count in waiting.items() if count)
            + "."
        )


@app.command(help="Affiche un signalement en entier.")
def show(
    number: Number,
    as_json: AsJson = False,
) -> None:
    """Print a whole report."""
    with report_errors(), transaction(Settings()) as connection:
        report = reports.find(connection, number)
    if as_json:
        print_json(asdict(report))
        return
    for line in _report_lines(report):
        print_text(line)


@app.command(help="Clôt un signalement ; l'adresse électronique qu'il contient est effacée.")
def close(
    number: Number,
    outcome: Annotated[str, typer.Option(help="Ce qui a été fait.")] = "",
) -> None:
    """Close a report; the e-mail address in it is erased."""
    with report_errors(), transaction(Settings()) as connection:
        report = reports.close(connection, number, outcome=outcome)
    print_text(_("Signalement %(id)s traité ; il ne contient plus d'adresse électronique.", id=report.id))


def _report_lines(report: ErrorReport) -> list[str]:
    received = f"{short_day(report.received_at)} {report.received_at:%H:%M}"
    return [
        _("Signalement %(id)s, reçu le %(day)s", id=report.id, day=received),
        _("Lieu : %(name)s (%(id)s)", name=report.site_name, id=report.site_id),
        _("Ce qui ne va pas : %(subject)s", subject=_(SUBJECTS[report.subject])),
        _("Message : %(message)s", message=report.message or _("aucun")),
        _("Réponse attendue à : %(email)s", email=report.email or _("aucune adresse")),
        _("Traité le %(day)s. %(outcome)s", day=short_day(report.closed_at), outcome=report.outcome).rstrip()
        if report.closed_at
        else _("À traiter"),
    ]
