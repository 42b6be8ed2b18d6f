"""`portee passes`: orders of the Pass Numérique, events, reports, communes without an accepting site."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from geo.coverage.measure import Question, measure
from geo.errors import InvalidParameter
from geo.funding import pass_reports
from geo.funding.money import parse as parse_money
from geo.funding.pass_reports import ACCEPTING, DESERT_MIN, PassReport, TerritoryPasses
from geo.funding.passes import Order, read_events
from geo.hours.weekly import TIME_ZONE
from geo.people.model import Indicator
from geo.reach.modes import Mode
from geo.settings import Settings
from geo.sites import issue_report
from geo.store import passes, territories
from geo.territory.model import TerritoryKind
from geo.wording.figures import NO_FIGURE
from portee.commands.funding_files import print_rejections, print_rows_read, write_issues
from portee.console import (
    REFUSED,
    decimal,
    euros,
    percent,
    print_json,
    print_records_csv,
    print_table,
    print_text,
    reading,
    report_errors,
    short_day,
    travel_time,
)
from portee.console import count as count_text
from portee.coverage_options import MINUTES_MAX, ModeOption, load_context
from portee.database import transaction
from portee.language import _, many
from portee.options import AsCsv, AsJson, DryRun, ForExcel

app = typer.Typer(
    help="Le Pass Numérique : commandes, dons, utilisations, expirations, rapports.", no_args_is_help=True
)


_DATE = {"formats": ["%Y-%m-%d"]}
_OrderOption = Annotated[str | None, typer.Option("--order", help="Seulement les pass d'une commande.")]
_YearOption = Annotated[
    int | None, typer.Option("--year", min=2000, max=2100, help="Seulement ce qui s'est passé une année.")
]


@app.command(help="Enregistre une commande de pass ; la même une seconde fois ne change rien.")
def order(
    reference: Annotated[str, typer.Argument(help="Référence de la commande : 2026-A.")],
    count: Annotated[int, typer.Option(min=1, help="Nombre de pass commandés.")],
    funder: Annotated[
        list[str],
        typer.Option(metavar="PARTENAIRE=PASS", help="Qui paie combien de pass ; à répéter pour plusieurs."),
    ],
    expires: Annotated[datetime, typer.Option(help="Dernier jour de validité.", **_DATE)],
    day: Annotated[datetime, typer.Option(help="Jour de la commande.", **_DATE)],
    value: Annotated[str, typer.Option(help="Valeur d'un pass, en euros.")] = "10",
    note: Annotated[str, typer.Option(help="Remarque, affichée avec la commande.")] = "",
    fictitious: Annotated[
        bool,
        typer.Option(
            "--fictitious", help="Commande inventée, pour une démonstration : chaque rapport le dit."
        ),
    ] = False,
) -> None:
    """Record an order of passes; the same one again changes nothing."""
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
    sentence = _(
        "Commande %(reference)s : %(count)s pass, %(worth)s, valables jusqu'au %(day)s.",
        reference=wanted.reference,
        count=count_text(wanted.count),
        worth=euros(wanted.count * wanted.face_value_cents),
        day=short_day(wanted.expires_on),
    )
    outcome = _("Enregistrée.") if new else _("Elle l'était déjà : rien n'a changé.")
    print_text(f"{sentence} {outcome}")


@app.command(
    help="""Enregistre d'un fichier ce qu'il est advenu des pass : tout, ou rien.

Colonnes : reference, order, kind (given, used, expired, reimbursed), day, count, commune, partner,
site ; et corrects, pour une correction. Une ligne déjà connue ne change rien. Code de sortie 1 si une
ligne est rejetée : rien n'est alors enregistré."""
)
def record(
    file: Annotated[Path, typer.Argument(help="CSV ou XLSX d'événements.")],
    commitment: Annotated[
        str | None,
        typer.Option(help="Référence de l'engagement du fonds qui paie les remboursements."),
    ] = None,
    dry_run: DryRun = False,
    report: Annotated[
        Path | None, typer.Option(help="Écrit tous les problèmes dans ce fichier .csv.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Record from a file what happened to passes: all of it, or nothing.

    Columns: reference, order, kind (given, used, expired, reimbursed), day, count, commune, partner,
    site; and corrects, for corrections. A row already recorded changes nothing. Exit code 1 when a row
    is rejected: nothing is stored then.
    """
    settings = Settings()
    actor = getpass.getuser()
    with report_errors():
        with transaction(settings) as connection:
            known = passes.pass_references(connection, territories.load(connection))
        with reading(file.name) as advance:
            found = read_events(
                file,
                known,
                today=datetime.now(TIME_ZONE).date(),
                max_bytes=settings.import_max_mb * 1_000_000,
                progress=advance,
            )
        if report:
            write_issues(report, found.issues)
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
        print_text(file.name, style="bold")
        print_rows_read(found.read, len(found.events), found.rejected)
        print_rejections(found.issues)
        if recorded is None:
            print_text(_("Rien n'a été enregistré : corrigez ces lignes, puis recommencez."), style="bold")
        else:
            template = (
                _("Essai : seraient enregistrés : %(new)s ; déjà connus : %(already)s.")
                if dry_run
                else _("Enregistrés : %(new)s ; déjà connus : %(already)s.")
            )
            new, already = count_text(recorded.new), count_text(recorded.already)
            print_text(template % {"new": new, "already": already})
    if found.rejected:
        raise typer.Exit(REFUSED)


@app.command(
    help="Enregistre comme expirés les pass donnés, jamais utilisés et périmés. Une seconde fois, "
    "rien ne change."
)
def expire(
    day: Annotated[
        datetime | None,
        typer.Option(help="Jour auquel la péremption se juge ; aujourd'hui par défaut.", **_DATE),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Record passes given, never used and out of date as expired. Running it again changes nothing."""
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
        print_text(
            _(
                "Commande %(reference)s : %(count)s pass expirés.",
                reference=reference,
                count=count_text(number),
            )
        )
    if not found:
        print_text(_("Aucun pass à expirer."))


@app.command(
    "report",
    help="Pass par territoire : donnés, utilisés, expirés, délai, valeur, par habitant, et où les utiliser.",
)
def report_(
    kind: Annotated[TerritoryKind, typer.Option(help="Niveau des territoires.")] = TerritoryKind.COMMUNE,
    order: _OrderOption = None,
    year: _YearOption = None,
    fragility: Annotated[
        str | None, typer.Option(help="Code de l'indicateur qui désigne les communes les plus fragiles.")
    ] = None,
    mode: ModeOption = Mode.CAR,
    limit: Annotated[
        int, typer.Option(min=0, help="Lignes du tableau, plus grands dons d'abord ; 0 pour toutes.")
    ] = 20,
    as_csv: AsCsv = False,
    for_excel: ForExcel = False,
    as_json: AsJson = False,
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
            commune_of_site=snapshot.commune_of_site,
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
    elif as_csv or for_excel:
        print_records_csv(pass_reports.flat(found.rows), french=for_excel)
    else:
        _print_report(found, limit, frame.travel.label)


@app.command(
    help="Communes où des pass ont été donnés sans lieu assez proche qui les accepte, plus grands "
    "dons d'abord."
)
def deserts(
    minutes: Annotated[
        int, typer.Option(min=1, max=MINUTES_MAX, help="Minutes au-delà desquelles un lieu est trop loin.")
    ] = DESERT_MIN,
    order: _OrderOption = None,
    year: _YearOption = None,
    mode: ModeOption = Mode.CAR,
    as_csv: AsCsv = False,
    for_excel: ForExcel = False,
    as_json: AsJson = False,
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
    elif as_csv or for_excel:
        print_records_csv([asdict(each) for each in found], french=for_excel)
    else:
        for each in found:
            print_text(each.sentence)
        number = (
            many("%(num)s désert de pass", "%(num)s déserts de pass", len(found))
            if found
            else _("Aucun désert de pass")
        )
        print_text(
            _(
                "%(number)s à plus de %(minutes)s (%(travel)s).",
                number=number,
                minutes=travel_time(minutes),
                travel=frame.travel.label,
            ),
            style="bold",
        )
        if counts.fictitious or frame.snapshot.fictitious:
            print_text(_("Données de démonstration."), style="yellow")


def _funder(text: str) -> tuple[str, int]:
    code, equals, number = (part.strip() for part in text.rpartition("="))
    if not equals or not code or not number.isdecimal():
        raise InvalidParameter(
            _("« %(text)s » n'est pas PARTENAIRE=PASS.", text=text),
            _("Écrivez par exemple caf-47=500."),
            parameter="funder",
        )
    return code, int(number)


def _indicator(known: tuple[Indicator, ...], code: str | None) -> Indicator | None:
    if code is None:
        return None
    for each in known:
        if each.code == code:
            return each
    raise InvalidParameter(
        _("Aucun indicateur chargé n'a le code « %(code)s ».", code=code),
        _(
            "Indicateurs chargés : %(known)s.",
            known=", ".join(sorted(each.code for each in known)) or _("aucun"),
        ),
        parameter="fragility",
    )


def _print_report(found: PassReport, limit: int, travel: str) -> None:
    rows = sorted(found.rows, key=lambda row: (-row.figures.given, row.code))
    shown = rows[:limit] if limit else rows
    headings = (
        *(_("code"), _("nom"), _("donnés"), _("utilisés"), _("expirés"), _("taux d'usage")),
        *(_("délai médian (j)"), _("délai moyen (j)"), _("valeur donnée"), _("pour 1 000 hab.")),
        *(_("pour 1 000 fragiles"), _("lieux"), _("le plus proche")),
    )
    print_table(
        headings,
        [_report_row(row) for row in shown],
        title=_("Pass Numérique par %(kind)s", kind=found.kind.label),
        numbers=len(headings) - 2,
    )
    if len(shown) < len(rows):
        print_text(
            _("%(shown)s lignes sur %(all)s (--limit 0 pour toutes).", shown=len(shown), all=len(rows))
        )
    for name, f in ((pass_reports.UNTOLD, found.untold), (_("En tout"), found.whole)):
        print_text(
            _(
                "%(name)s : %(given)s donnés, %(used)s utilisés, %(expired)s expirés, %(worth)s utilisés.",
                name=_(name),
                given=count_text(f.given),
                used=count_text(f.used),
                expired=count_text(f.expired),
                worth=euros(f.used_cents),
            )
        )
    print_text(_("Temps : %(travel)s.", travel=travel))
    if found.fictitious:
        print_text(_("Données de démonstration."), style="yellow")


def _report_row(row: TerritoryPasses) -> tuple[str, ...]:
    f, access = row.figures, row.access
    return (
        row.code,
        row.name,
        *map(count_text, (f.given, f.used, f.expired)),
        percent(f.rate_of_use),
        NO_FIGURE if f.median_delay_days is None else str(f.median_delay_days),
        decimal(f.mean_delay_days),
        euros(f.given_cents),
        decimal(row.per_1000),
        decimal(row.per_1000_fragile),
        str(access.accepting_sites) if access else NO_FIGURE,
        travel_time(access.median_min) if access else NO_FIGURE,
    )
