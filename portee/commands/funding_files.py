"""`portee fund template`, `import` and `export`: money, passes and actions as files."""

from __future__ import annotations

import getpass
from collections import defaultdict
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from geo.errors import InvalidParameter
from geo.funding.action_kinds import load_kinds
from geo.funding.datapackage import LICENCES
from geo.funding.row_reader import read
from geo.funding.template_columns import Template, templates
from geo.funding.templates import template_csv, template_xlsx
from geo.hours.weekly import TIME_ZONE
from geo.services import export_funding, import_funding
from geo.services.accounts import read_account_data
from geo.settings import Settings
from geo.sites import issue_report
from geo.sites.model import Issue
from geo.store import territories
from portee.console import REFUSED, plain, print_json, print_text, progress, report_errors
from portee.coverage_options import load_context
from portee.database import transaction

ISSUES_SHOWN = 20

_KindOption = Annotated[str, typer.Option(help="Kind of file; portee fund template lists them.")]
Licence = StrEnum("Licence", {name: name for name in LICENCES})  # type: ignore[misc]  # typer wants an Enum


def template(
    kind: Annotated[str | None, typer.Argument(help="Kind of file; without one, they are listed.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write: .csv or .xlsx.")] = None,
) -> None:
    """Write the template of a kind of file: headings, an invented example, and in .xlsx what each means."""
    with report_errors():
        known = templates(load_kinds(Settings().action_kinds))
        if kind is None:
            for each in known.values():
                print_text(f"{each.kind:22} {each.label}")
            return
        wanted = find_template(kind, known)
        path = out or Path(f"{kind}.xlsx")
        if path.suffix not in (".csv", ".xlsx"):
            raise typer.BadParameter("give a name that ends in .csv or .xlsx.", param_hint="--out")
        made = template_csv(wanted) if path.suffix == ".csv" else template_xlsx(wanted)
        _write(path, made, "--out")
    print_text(f"Modèle « {wanted.label} » écrit : {path}")


def import_(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX to import.")],
    kind: _KindOption,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be; store nothing.")] = False,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="Let partners, conventions and actions take the place of those of the same reference.",
        ),
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Write every issue to this .csv file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Import a file of money, passes or actions: all of its rows, or none.

    A row kept already changes nothing. Exit code 1 when a row is rejected: nothing is kept then.
    """
    settings = Settings()
    actor = getpass.getuser()
    with report_errors():
        kinds = load_kinds(settings.action_kinds)
        wanted = find_template(kind, templates(kinds))
        with transaction(settings) as connection:
            known = import_funding.row_references(connection, territories.load(connection), kinds)
        with progress() as bars:
            task = bars.add_task(plain(file.name), total=None)
            reading = read(
                file,
                wanted,
                known,
                today=datetime.now(TIME_ZONE).date(),
                max_bytes=settings.import_max_mb * 1_000_000,
                progress=lambda rows: bars.update(task, completed=rows),
            )
        load = import_funding.prepare if dry_run else import_funding.apply
        with transaction(settings) as connection:
            loaded = load(connection, reading, known, actor=actor, replace=replace)
        if report:
            try:
                with report.open("w", encoding="utf-8", errors="replace", newline="") as stream:
                    issue_report.issues_csv(loaded.issues, stream)
            except OSError as problem:
                raise typer.BadParameter(f"{problem.strerror}.", param_hint="--report") from problem
    if as_json:
        print_json(
            {
                "file": file.name,
                "kind": kind,
                "read": reading.read,
                "accepted": loaded.accepted,
                "rejected": loaded.rejected,
                "new": loaded.new,
                "changed": loaded.changed,
                "unchanged": loaded.unchanged,
                "kept": loaded.kept,
                "dry_run": dry_run,
                "issues": issue_report.issue_records(loaded.issues),
            }
        )
    else:
        _print_result(file, loaded, dry_run=dry_run)
    if loaded.rejected:
        raise typer.Exit(REFUSED)


def export(
    out: Annotated[Path, typer.Option(help="Folder to write to; made if it is not there.")],
    xlsx: Annotated[bool, typer.Option("--xlsx", help="Write one workbook beside the CSV files.")] = False,
    open_data: Annotated[
        bool,
        typer.Option(
            "--open-data", help="Write what may be published instead: a data package without small counts."
        ),
    ] = False,
    licence: Annotated[Licence, typer.Option(help="Licence of the open data.", show_default=True)] = Licence(
        "etalab-2.0"
    ),
) -> None:
    """Write every table and report of the fund as CSV; or the package that may be published."""
    settings = Settings()
    today = datetime.now(TIME_ZONE).date()
    with report_errors():
        kinds = load_kinds(settings.action_kinds)
        if open_data:
            with transaction(settings) as connection:
                territory = territories.load(connection)
                files = export_funding.open_data(
                    connection, territory, kinds, licence=licence.value, today=today
                )
        else:
            frame = load_context(settings)
            with transaction(settings) as connection:
                books = read_account_data(connection, frame, today.year, kinds)
                files = export_funding.everything(connection, books, year=today.year, xlsx=xlsx)
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise typer.BadParameter(f"{problem.strerror}.", param_hint="--out") from problem
        for name, content in files.items():
            _write(out / name, content, "--out")
    size = sum(map(len, files.values())) / 1_000_000
    print_text(f"{len(files)} fichiers écrits dans {out} ({size:.1f} Mo).")
    if not open_data:
        print_text(
            "Ils contiennent de petits nombres de personnes : ne les publiez pas (--open-data).", "yellow"
        )


def find_template(kind: str, known: dict[str, Template]) -> Template:
    """The template of a kind of file.

    Raises
    ------
    InvalidParameter
        If there is none.
    """
    if kind not in known:
        raise InvalidParameter(
            f"« {kind} » n'est pas une sorte de fichier.",
            f"Choisissez : {', '.join(known)}.",
            parameter="kind",
        )
    return known[kind]


def _write(path: Path, content: bytes, option: str) -> None:
    try:
        path.write_bytes(content)
    except OSError as problem:
        raise typer.BadParameter(f"{problem.strerror}.", param_hint=option) from problem


def _print_result(file: Path, loaded: import_funding.ImportedFunding, *, dry_run: bool) -> None:
    print_text(f"{file.name} : {loaded.reading.template.label}", style="bold")
    print_text(
        f"Lignes lues {_count(loaded.reading.read)} · acceptées {_count(loaded.accepted)} · "
        f"rejetées {_count(loaded.rejected)}"
    )
    _print_issues(loaded.issues)
    if loaded.rejected:
        print_text(
            f"Rien n'a été enregistré : les {_count(loaded.accepted)} lignes acceptées attendent que les "
            "autres soient corrigées.",
            style="bold",
        )
        return
    print_text(
        f"{'Essai : seraient nouvelles' if dry_run else 'Nouvelles'} {_count(loaded.new)} · "
        f"modifiées {_count(loaded.changed)} · inchangées {_count(loaded.unchanged)}",
        style="" if dry_run else "green",
    )


def _print_issues(issues: tuple[Issue, ...]) -> None:
    by_line: dict[int, list[Issue]] = defaultdict(list)
    for issue in issues:
        by_line[issue.line].append(issue)
    for line, found in list(by_line.items())[:ISSUES_SHOWN]:
        for issue in found:
            print_text(
                f"Rejet, ligne {line}, {issue.field} « {issue.value} » : {issue.reason} {issue.advice}", "red"
            )
    if (more := len(by_line) - ISSUES_SHOWN) > 0:
        print_text(f"… et {_count(more)} autres lignes (--report FICHIER les écrit toutes).")


def _count(number: int) -> str:
    return f"{number:,}".replace(",", " ")
