"""`portee reports`: errors that readers have reported about sites."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

import typer

from geo.settings import Settings
from geo.store import reports
from geo.store.reports import ErrorReport, ReportSubject
from portee.console import print_json, print_text, report_errors
from portee.database import transaction

app = typer.Typer(help="List, read and close what readers report about sites.", no_args_is_help=True)

SUBJECTS: Final = {
    ReportSubject.TELEPHONE: "téléphone",
    ReportSubject.HORAIRES: "horaires",
    ReportSubject.ADRESSE: "adresse",
    ReportSubject.FERME: "fermé définitivement",
    ReportSubject.AUTRE: "autre chose",
}

Number = Annotated[int, typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="Number of the report.")]


@app.command("list")
def list_reports(
    closed: Annotated[bool, typer.Option("--closed", help="Those dealt with instead.")] = False,
    site: Annotated[str, typer.Option(metavar="SITE", help="Of this site alone, by identifier.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List the reports still to be dealt with, oldest first."""
    with report_errors(), transaction(Settings()) as connection:
        found = reports.list_(connection, closed=closed, site_id=site)
        waiting = reports.counts(connection)
    if as_json:
        print_json([asdict(report) for report in found])
        return
    for report in found:
        print_text(
            f"{report.id}  {report.received_at:%d/%m/%Y}  {SUBJECTS[report.subject]}  {report.site_name}"
        )
    s = "" if len(found) < 2 else "s"
    print_text(f"{len(found)} signalement{s} {f'traité{s}' if closed else 'à traiter'}.")
    if not closed and not site and found:
        print_text(
            ", ".join(f"{SUBJECTS[subject]} : {count}" for subject, count in waiting.items() if count) + "."
        )


@app.command()
def show(
    number: Number, as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False
) -> None:
    """Tell all that a report says."""
    with report_errors(), transaction(Settings()) as connection:
        report = reports.find(connection, number)
    if as_json:
        print_json(asdict(report))
        return
    for line in _told(report):
        print_text(line)


@app.command()
def close(
    number: Number,
    outcome: Annotated[str, typer.Option(help="What was done about it.")] = "",
) -> None:
    """Say that a report is dealt with; the e-mail address in it is erased."""
    with report_errors(), transaction(Settings()) as connection:
        report = reports.close(connection, number, outcome=outcome)
    print_text(f"Signalement {report.id} traité ; il ne contient plus d'adresse électronique.")


def _told(report: ErrorReport) -> list[str]:
    return [
        f"Signalement {report.id}, reçu le {report.received_at:%d/%m/%Y à %H:%M}",
        f"Lieu : {report.site_name} ({report.site_id})",
        f"Ce qui ne va pas : {SUBJECTS[report.subject]}",
        f"Message : {report.message or 'aucun'}",
        f"Réponse attendue à : {report.email or 'aucune adresse'}",
        f"Traité le {report.closed_at:%d/%m/%Y}. {report.outcome}".rstrip()
        if report.closed_at
        else "À traiter",
    ]
