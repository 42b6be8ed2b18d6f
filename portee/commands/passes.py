"""`portee passes`: orders of the Pass Numérique, what happens to them, where they can't be used."""

from __future__ import annotations

import csv
import getpass
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from geo.coverage.measure import Question, measure
from geo.errors import InvalidParameter
from geo.funding import pass_reports
from geo.funding.money import formatted
from geo.funding.money import parse as parse_money
from geo.funding.pass_reports import ACCEPTING, DESERT_MIN, PassReport
from geo.funding.passes import Order, ReadEvents, read_events
from geo.hours.weekly import TIME_ZONE
from geo.people.model import Indicator
from geo.reach.modes import Mode
from geo.settings import Settings
from geo.sites import issue_report
from geo.sites.export import escape_formula
from geo.store import passes, territories
from geo.territory.model import TerritoryKind
from portee.console import REFUSED, out, plain, print_json, print_text, progress, report_errors
from portee.coverage_options import MINUTES_MAX, ModeOption, load_context
from portee.database import transaction

app = typer.Typer(help="The Pass Numérique: orders, gifts, uses, expiry, reports.", no_args_is_help=True)

DEMONSTRATION = "Données de démonstration"
ISSUES_SHOWN = 20

_DATE = {"formats": ["%Y-%m-%d"]}
_JSON = typer.Option("--json", help="Print the result as JSON.")
_CSV = typer.Option("--csv", help="Print every row as CSV.")
_OrderOption = Annotated[str | None, typer.Option("--order", help="Only the passes of one order.")]
_YearOption = Annotated[
    int | None, typer.Option("--year", min=2000, max=2100, help="Only what happened in one year.")
]


@app.command()
def order(
    reference: Annotated[str, typer.Argument(help="The order's own reference: 2026-A.")],
    count: Annotated[int, typer.Option(min=1, help="Passes ordered.")],
    funder: Annotated[
        list[str],
        typer.Option(metavar="PARTNER=PASSES", help="Who pays for how many; repeat for several."),
    ],
    expires: Annotated[datetime, typer.Option(help="Last day they are valid.", **_DATE)],
    day: Annotated[datetime, typer.Option(help="Day of the order.", **_DATE)],
    value: Annotated[str, typer.Option(help="Face value of a pass, euros.")] = "10",
    note: Annotated[str, typer.Option(help="A remark, shown with it.")] = "",
    fictitious: Annotated[
        bool, typer.Option("--fictitious", help="Invented for demonstration: every report says so.")
    ] = False,
) -> None:
    """Record an order of passes; the same again changes nothing."""
    with report_errors():
        wanted = Order(
            reference=reference.strip(),
            day=day.date(),
            count=count,
            expires_on=expires.date(),
            funders=tuple(_funder(each) for each in funder),
            face_value_cents=parse_money(value, parameter="value"),
            note=note,
            fictif=fictitious,
        )
        with transaction(Settings()) as connection:
            new = passes.order(connection, wanted, getpass.getuser())
    worth = formatted(wanted.count * wanted.face_value_cents)
    print_text(
        f"Commande {wanted.reference} : {_count(wanted.count)} pass, {worth}, "
        f"valables jusqu'au {wanted.expires_on:%d/%m/%Y}. "
        + ("Enregistrée." if new else "Elle l'était déjà : rien n'a changé.")
    )


@app.command()
def record(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX of events.")],
    commitment: Annotated[
        str | None,
        typer.Option(help="Reference of the fund's commitment that reimbursements are paid from."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be; store nothing.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write every issue to this .csv file.")] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Record what happened to passes, from a file: all of it, or nothing.

    Columns: reference, order, kind (given, used, expired, reimbursed), day, count, commune, partner,
    site; and corrects, for corrections. A row known already changes nothing. Exit code 1 when a row
    is rejected: nothing is kept then.
    """
    settings = Settings()
    actor = getpass.getuser()
    with report_errors():
        with transaction(settings) as connection:
            known = passes.pass_references(connection, territories.load(connection))
        with progress() as bars:
            task = bars.add_task(plain(file.name), total=None)
            found = read_events(
                file,
                known,
                today=datetime.now(TIME_ZONE).date(),
                max_bytes=settings.import_max_mb * 1_000_000,
                progress=lambda rows: bars.update(task, completed=rows),
            )
        if report:
            with report.open("w", encoding="utf-8", errors="replace", newline="") as stream:
                issue_report.issues_csv(found.issues, stream)
        recorded = None
        if not found.rejected:
            with transaction(settings) as connection:
                post = passes.paid_from(commitment, actor) if commitment else None
                with connection.begin_nested() as savepoint:
                    recorded = passes.record(connection, found.events, actor, post)
                    if dry_run:
                        savepoint.rollback()
    if as_json:
        print_json(
            {
                "file": file.name,
                "read": found.read,
                "accepted": len(found.events),
                "rejected": found.rejected,
                "recorded": None if recorded is None else asdict(recorded),
                "dry_run": dry_run,
                "issues": issue_report.issue_records(found.issues),
            }
        )
    else:
        _print_read(file, found)
        if recorded is None:
            print_text("Rien n'a été enregistré : corrigez ces lignes, puis recommencez.", style="bold")
        else:
            verb = "Essai : seraient enregistrés" if dry_run else "Enregistrés"
            print_text(f"{verb} : {_count(recorded.new)} ; déjà connus : {_count(recorded.already)}.")
    if found.rejected:
        raise typer.Exit(REFUSED)


@app.command()
def expire(
    day: Annotated[
        datetime | None, typer.Option(help="Expire what is out of date that day; today by default.", **_DATE)
    ] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Record as expired the passes given, never used, and out of date. Again, it does nothing."""
    today = day.date() if day else datetime.now(TIME_ZONE).date()
    with report_errors(), transaction(Settings()) as connection:
        found = passes.expire(connection, today, getpass.getuser())
    if as_json:
        print_json([asdict(event) for event in found])
        return
    by_order: dict[str, int] = {}
    for event in found:
        by_order[event.order] = by_order.get(event.order, 0) + event.count
    for reference, number in by_order.items():
        print_text(f"Commande {reference} : {_count(number)} pass expirés.")
    if not found:
        print_text("Aucun pass à expirer.")


@app.command("report")
def report_(
    kind: Annotated[
        TerritoryKind, typer.Option(help="Level at which passes are told.")
    ] = TerritoryKind.COMMUNE,
    order: _OrderOption = None,
    year: _YearOption = None,
    fragility: Annotated[
        str | None, typer.Option(help="Code of the indicator that tells the most fragile communes.")
    ] = None,
    mode: ModeOption = Mode.CAR,
    limit: Annotated[int, typer.Option(min=0, help="Rows of the table, most given first; 0 for all.")] = 20,
    as_csv: Annotated[bool, _CSV] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Passes by territory: given, used, expired, delay, value, per inhabitant, and where to use them."""
    settings = Settings()
    with report_errors():
        frame = load_context(settings)
        with transaction(settings) as connection:
            counts = passes.counts(connection)
        snapshot = frame.snapshot
        indicator = _indicator(snapshot.indicators, fragility)
        found = pass_reports.by_territory(
            counts,
            snapshot.territory,
            kind,
            order=order,
            year=year,
            fragile=pass_reports.most_fragile(snapshot.territory, indicator) if indicator else None,
            coverage=measure(frame, Question(mode=mode, filter=ACCEPTING)),
            commune_of_site={site.id: site.code_insee for site in snapshot.sites},
        )
    if as_json:
        print_json(
            {
                "kind": kind,
                "order": order,
                "year": year,
                "fragility": indicator.code if indicator else None,
                "travel": frame.travel.label,
                "people": frame.people.label,
                "fictitious": found.fictitious,
                "whole": asdict(found.whole),
                "untold": asdict(found.untold),
                "territories": [asdict(row) for row in found.rows],
            }
        )
    elif as_csv:
        _write_csv(pass_reports.flat(found.rows))
    else:
        _print_report(found, limit, frame.travel.label)


@app.command()
def deserts(
    minutes: Annotated[
        int, typer.Option(min=1, max=MINUTES_MAX, help="Minutes beyond which a site is out of reach.")
    ] = DESERT_MIN,
    order: _OrderOption = None,
    year: _YearOption = None,
    mode: ModeOption = Mode.CAR,
    as_csv: Annotated[bool, _CSV] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Communes where passes were given and no accepting site is near enough, most given first."""
    settings = Settings()
    with report_errors():
        frame = load_context(settings)
        with transaction(settings) as connection:
            counts = passes.counts(connection)
        coverage = measure(frame, Question(mode=mode, filter=ACCEPTING, beyond_min=minutes))
        found = pass_reports.deserts(counts, coverage, minutes=minutes, order=order, year=year)
    if as_json:
        print_json(
            {
                "minutes": minutes,
                "travel": frame.travel.label,
                "fictitious": counts.fictitious or frame.snapshot.fictitious,
                "deserts": [asdict(each) for each in found],
            }
        )
    elif as_csv:
        _write_csv([asdict(each) for each in found])
    else:
        for each in found:
            print_text(each.sentence)
        number = (
            "Aucun désert" if not found else f"{_count(len(found))} désert{'s' if len(found) > 1 else ''}"
        )
        print_text(f"{number} de pass à plus de {minutes} min ({frame.travel.label}).", style="bold")
        if counts.fictitious or frame.snapshot.fictitious:
            print_text(f"{DEMONSTRATION}.", style="yellow")


def _funder(text: str) -> tuple[str, int]:
    code, equals, number = (part.strip() for part in text.rpartition("="))
    if not equals or not code or not number.isdecimal():
        raise InvalidParameter(
            f"« {text} » n'est pas PARTENAIRE=PASS.", "Écrivez par exemple caf-47=500.", parameter="funder"
        )
    return code, int(number)


def _indicator(known: tuple[Indicator, ...], code: str | None) -> Indicator | None:
    if code is None:
        return None
    for each in known:
        if each.code == code:
            return each
    raise InvalidParameter(
        f"Aucun indicateur chargé ne porte le code « {code} ».",
        f"Indicateurs chargés : {', '.join(sorted(each.code for each in known)) or 'aucun'}.",
        parameter="fragility",
    )


def _print_read(file: Path, found: ReadEvents) -> None:
    print_text(file.name, style="bold")
    print_text(
        f"Lignes lues {_count(found.read)} · acceptées {_count(len(found.events))} · "
        f"rejetées {_count(found.rejected)}"
    )
    for issue in found.issues[:ISSUES_SHOWN]:
        print_text(
            f"Rejet, ligne {issue.line}, {issue.field} « {issue.value} » : {issue.reason} {issue.advice}",
            "red",
        )
    if (more := len(found.issues) - ISSUES_SHOWN) > 0:
        print_text(f"… et {_count(more)} autres (--report FICHIER les écrit tous).")


def _print_report(found: PassReport, limit: int, travel: str) -> None:
    rows = sorted(found.rows, key=lambda row: (-row.figures.given, row.code))
    shown = rows[:limit] if limit else rows
    table = Table(title=f"Pass Numérique par {found.kind.label}")
    for heading in ("code", "nom"):
        table.add_column(heading, no_wrap=True)
    for heading in (
        "donnés",
        "utilisés",
        "expirés",
        "taux d'usage",
        "délai médian (j)",
        "délai moyen (j)",
        "valeur donnée",
        "pour 1 000 hab.",
        "pour 1 000 fragiles",
        "lieux",
        "le plus proche (min)",
    ):
        table.add_column(heading, justify="right")
    for row in shown:
        f, access = row.figures, row.access
        table.add_row(
            row.code,
            plain(row.name),
            *map(_count, (f.given, f.used, f.expired)),
            "-" if f.rate_of_use is None else f"{f.rate_of_use:.0%}".replace("%", " %"),
            "-" if f.median_delay_days is None else str(f.median_delay_days),
            _number(f.mean_delay_days),
            formatted(f.given_cents),
            _number(row.per_1000),
            _number(row.per_1000_fragile),
            str(access.accepting_sites) if access else "-",
            _number(access.median_min if access else None),
        )
    out.print(table)
    if len(shown) < len(rows):
        print_text(f"{len(shown)} lignes sur {len(rows)} (--limit 0 pour toutes).")
    for name, f in ((pass_reports.UNTOLD, found.untold), ("En tout", found.whole)):
        print_text(
            f"{name} : {_count(f.given)} donnés, {_count(f.used)} utilisés, {_count(f.expired)} expirés, "
            f"{formatted(f.used_cents)} utilisés."
        )
    print_text(f"Temps : {travel}.")
    if found.fictitious:
        print_text(f"{DEMONSTRATION}.", style="yellow")


def _write_csv(rows: list[dict[str, object]]) -> None:
    writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]) if rows else [])
    writer.writeheader()
    for row in rows:
        writer.writerow({k: escape_formula(v) if isinstance(v, str) else v for k, v in row.items()})


def _count(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}".replace(".", ",")
