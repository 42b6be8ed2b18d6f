"""`portee fund template`, `import` and `export`: money, passes and actions as files."""

from __future__ import annotations

import getpass
from collections import defaultdict
from collections.abc import Iterable
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
from geo.services.open_data import open_data_package
from geo.settings import Settings
from geo.sites import issue_report
from geo.sites.model import Issue
from geo.store import territories
from portee.console import (
    REFUSED,
    count,
    file_size,
    misused,
    print_json,
    print_text,
    reading,
    report_errors,
    write_file,
    writing,
)
from portee.coverage_options import load_context
from portee.database import transaction
from portee.language import _
from portee.options import AsJson, DryRun

ISSUES_SHOWN = 20

_KindOption = Annotated[str, typer.Option(help="Sorte de fichier ; « portee fund template » les liste.")]
Licence = StrEnum("Licence", {name: name for name in LICENCES})  # type: ignore[misc]  # typer wants an Enum


def template(
    kind: Annotated[
        str | None, typer.Argument(help="Sorte de fichier ; sans elle, toutes sont listées.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Fichier à écrire : .csv ou .xlsx.")] = None,
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
            misused(_("donnez un nom qui finit par .csv ou .xlsx."), "--out")
        content = template_csv(wanted) if path.suffix == ".csv" else template_xlsx(wanted)
        write_file(path, content, "--out")
    print_text(_("Modèle « %(name)s » écrit : %(file)s", name=wanted.label, file=path))


def import_(
    file: Annotated[Path, typer.Argument(help="CSV ou XLSX à importer.")],
    kind: _KindOption,
    dry_run: DryRun = False,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="Remplace les partenaires, conventions et actions qui ont la même référence.",
        ),
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Écrit tous les problèmes dans ce fichier .csv.")
    ] = None,
    as_json: AsJson = False,
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
        with reading(file.name) as advance:
            rows_read = read(
                file,
                wanted,
                known,
                today=datetime.now(TIME_ZONE).date(),
                max_bytes=settings.import_max_mb * 1_000_000,
                progress=advance,
            )
        load = import_funding.prepare if dry_run else import_funding.apply
        with transaction(settings) as connection:
            loaded = load(connection, rows_read, known, actor=actor, replace=replace)
        if report:
            write_issues(report, loaded.issues)
    if as_json:
        print_json(
            {
                "file": file.name,
                "kind": kind,
                "read": rows_read.read,
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
    out: Annotated[Path, typer.Option(help="Dossier où écrire ; créé s'il n'existe pas.")],
    xlsx: Annotated[
        bool, typer.Option("--xlsx", help="Écrit aussi un classeur à côté des fichiers CSV.")
    ] = False,
    open_data: Annotated[
        bool,
        typer.Option(
            "--open-data",
            help="Écrit plutôt ce qui peut être publié : un jeu de données sans petits nombres.",
        ),
    ] = False,
    licence: Annotated[
        Licence, typer.Option(help="Licence des données ouvertes.", show_default=True)
    ] = Licence("etalab-2.0"),
) -> None:
    """Write every table and report of the fund as CSV; or the package that may be published."""
    settings = Settings()
    today = datetime.now(TIME_ZONE).date()
    with report_errors():
        kinds = load_kinds(settings.action_kinds)
        if open_data:
            with transaction(settings) as connection:
                territory = territories.load(connection)
                files = open_data_package(connection, territory, kinds, licence=licence.value, today=today)
        else:
            frame = load_context(settings)
            with transaction(settings) as connection:
                books = read_account_data(connection, frame, today.year, kinds)
                files = export_funding.everything(connection, books, year=today.year, xlsx=xlsx)
        with writing("--out"):
            out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_file(out / name, content, "--out")
    print_text(
        _(
            "%(count)s fichiers écrits dans %(folder)s (%(size)s).",
            count=len(files),
            folder=out,
            size=file_size(sum(map(len, files.values()))),
        )
    )
    if not open_data:
        print_text(
            _("Ils contiennent de petits nombres de personnes : ne les publiez pas (--open-data)."), "yellow"
        )


def find_template(kind: str, known: dict[str, Template]) -> Template:
    """Return the template of a kind of file.

    Raises
    ------
    InvalidParameter
        If there is none.
    """
    if kind not in known:
        raise InvalidParameter(
            _("« %(kind)s » n'est pas une sorte de fichier.", kind=kind),
            _("Choisissez : %(known)s.", known=", ".join(known)),
            parameter="kind",
        )
    return known[kind]


def _print_result(file: Path, loaded: import_funding.ImportedFunding, *, dry_run: bool) -> None:
    print_text(f"{file.name} : {loaded.reading.template.label}", style="bold")
    print_rows_read(loaded.reading.read, loaded.accepted, loaded.rejected)
    print_rejections(loaded.issues)
    if loaded.rejected:
        print_text(
            _(
                "Rien n'a été enregistré : les %(accepted)s lignes acceptées attendent que les autres soient "
                "corrigées.",
                accepted=count(loaded.accepted),
            ),
            style="bold",
        )
        return
    template = (
        _("Essai : seraient nouvelles %(new)s · modifiées %(changed)s · inchangées %(unchanged)s")
        if dry_run
        else _("Nouvelles %(new)s · modifiées %(changed)s · inchangées %(unchanged)s")
    )
    counts = {name: count(getattr(loaded, name)) for name in ("new", "changed", "unchanged")}
    print_text(template % counts, style="" if dry_run else "green")


def print_rows_read(read: int, accepted: int, rejected: int) -> None:
    """Print how many rows of a file were read, accepted and rejected."""
    print_text(
        _(
            "Lignes lues %(read)s · acceptées %(accepted)s · rejetées %(rejected)s",
            read=count(read),
            accepted=count(accepted),
            rejected=count(rejected),
        )
    )


def write_issues(path: Path, issues: Iterable[Issue]) -> None:
    """Write issues to the CSV file that `--report` names."""
    with writing("--report"), path.open("w", encoding="utf-8", errors="replace", newline="") as stream:
        issue_report.issues_csv(issues, stream)


def print_rejections(issues: Iterable[Issue]) -> None:
    """Print why rows are rejected, for the first lines of a file."""
    by_line: dict[int, list[Issue]] = defaultdict(list)
    for issue in issues:
        by_line[issue.line].append(issue)
    for line, found in list(by_line.items())[:ISSUES_SHOWN]:
        for issue in found:
            where = _(
                "Rejet, ligne %(line)s, %(field)s « %(value)s »",
                line=line,
                field=issue.field,
                value=issue.value,
            )
            print_text(f"{where} : {issue.reason} {issue.advice}", "red")
    if (more := len(by_line) - ISSUES_SHOWN) > 0:
        print_text(_("… et %(count)s autres lignes (--report FICHIER les écrit toutes).", count=count(more)))
