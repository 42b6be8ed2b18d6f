"""`portee fund`: the ledger of the fund: match rules, contributions, commitments, payments, reports."""

from __future__ import annotations

import getpass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import typer

from geo.errors import InvalidParameter
from geo.funding import money, reports
from geo.funding.ledger import Commitment, Contribution, Level, Order, Payment, Release, Reversal
from geo.funding.match_rule import MatchRule
from geo.funding.reports import By, FundReport
from geo.settings import Settings
from geo.store import ledger, ledger_reports, territories
from geo.tables_out import text_columns
from geo.territory.model import TerritoryKind
from geo.wording.figures import exact
from portee.commands import funding_files
from portee.console import (
    confirm,
    decimal,
    euros,
    print_csv,
    print_json,
    print_text,
    report_errors,
    short_day,
    wording,
)
from portee.database import transaction
from portee.language import _, many
from portee.options import AsCsv, AsJson, Day, ForExcel, Yes

app = typer.Typer(help="Contributions, abondement, engagements, paiements, rapports.", no_args_is_help=True)
rule_app = typer.Typer(help="Fixer et lister les règles d'abondement.", no_args_is_help=True)
app.add_typer(rule_app, name="rule")

ReportBy = StrEnum("ReportBy", {each.name: each.value for each in (*By, *TerritoryKind)})  # type: ignore[misc]
"""How the lines of a report are grouped: `By`, or a kind of territory."""

Reference = Annotated[
    str,
    typer.Argument(
        help="Référence de l'écriture, par exemple celle du virement ; une écriture par référence."
    ),
]
Amount = Annotated[str, typer.Argument(help="Euros : « 1 234,56 € » ou 1234.56.")]
PartnerCode = Annotated[str | None, typer.Option("--partner", help="Code du partenaire bénéficiaire.")]
Commune = Annotated[str | None, typer.Option(help="Code INSEE de la commune concernée.")]
SiteId = Annotated[str | None, typer.Option("--site", help="Identifiant du lieu concerné.")]
Memo = Annotated[str, typer.Option(help="Une phrase qui rappelle de quoi il s'agit.")]


def actor() -> str:
    """Return who runs the command, as the audit names them."""
    try:
        return f"command:{getpass.getuser()}"
    except (KeyError, OSError):
        return "command"


@rule_app.command(
    "set",
    help="Fixe la règle d'abondement à partir d'un jour ; les contributions déjà abondées ne changent pas.",
)
def set_rule(
    since: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="Premier jour où la règle s'applique.")
    ],
    rate: Annotated[str, typer.Option(help="Euros ajoutés pour chaque euro donné : 1, 0.5, 1,5.")] = "1",
    ceiling: Annotated[
        str | None, typer.Option(help="Plafond en euros par année civile ; aucun par défaut.")
    ] = None,
    note: Annotated[str, typer.Option(help="Décision dont elle vient.")] = "",
) -> None:
    """Set the rule of the match from a day on; contributions already matched do not change."""
    with report_errors():
        rate_bp = _rate(rate)
        ceiling_cents = None if ceiling is None else _ceiling(ceiling)
        rule = MatchRule(since.date(), rate_bp, ceiling_cents, note)
        with transaction(Settings()) as connection:
            ledger.set_rule(connection, rule, actor=actor())
        print_text(_("Règle enregistrée : %(rule)s", rule=_rule_sentence(rule)))


@rule_app.command("list", help="Liste les règles d'abondement, la plus ancienne d'abord.")
def list_rules(
    as_json: AsJson = False,
) -> None:
    """List the rules of the match, oldest first."""
    with report_errors(), transaction(Settings()) as connection:
        known = ledger.rules(connection)
    if as_json:
        print_json(known)
        return
    for rule in known:
        print_text(_rule_sentence(rule))


@app.command(help="Enregistre une contribution reçue et son abondement par le Département.")
def contribute(
    reference: Reference,
    amount: Amount,
    partner: Annotated[str, typer.Option(help="Code du partenaire qui contribue.")],
    level: Annotated[Level, typer.Option(help="Origine de l'argent.")],
    day: Day = None,
    commune: Commune = None,
    memo: Memo = "",
) -> None:
    """Post a contribution received, and the Département's match with it."""
    with report_errors():
        order = Contribution(
            reference=reference,
            day=_day(day),
            amount_cents=money.parse(amount),
            partner_code=partner,
            level=level,
            commune=commune,
            memo=memo,
        )
        with transaction(Settings()) as connection:
            ledger.post(connection, order, actor=actor())
            received = ledger.received(connection, year=order.day.year, partner_code=partner)
        (mine,) = (each for each in received if each.entry.reference == reference)
        print_text(
            _(
                "Contribution « %(reference)s » : %(amount)s, abondée de %(matched)s ; reste non abondé "
                "%(rest)s.",
                reference=reference,
                amount=euros(order.amount_cents),
                matched=euros(mine.matched_cents),
                rest=euros(mine.unmatched_cents),
            )
        )


@app.command(help="Engage une somme pour une ligne d'action.")
def commit(
    reference: Reference,
    amount: Amount,
    line: Annotated[str, typer.Option(help="Ligne d'action, par exemple pass-numerique.")],
    day: Day = None,
    partner: PartnerCode = None,
    commune: Commune = None,
    site: SiteId = None,
    memo: Memo = "",
) -> None:
    """Set money aside for an action line."""
    with report_errors():
        _post(
            Commitment(
                reference=reference,
                day=_day(day),
                amount_cents=money.parse(amount),
                action_line=line,
                partner_code=partner,
                commune=commune,
                site_id=site,
                memo=memo,
            )
        )


@app.command(help="Rend disponible la part d'un engagement qui ne sera pas payée.")
def release(
    reference: Reference,
    amount: Amount,
    commitment: Annotated[str, typer.Option(help="Référence de l'engagement.")],
    day: Day = None,
    memo: Memo = "",
) -> None:
    """Make the part of a commitment that will not be paid available again."""
    with report_errors():
        cents = money.parse(amount)
        _post(
            Release(reference=reference, day=_day(day), amount_cents=cents, commitment=commitment, memo=memo)
        )


@app.command(help="Enregistre un paiement sur un engagement, dont il reprend l'objet sauf indication.")
def pay(
    reference: Reference,
    amount: Amount,
    commitment: Annotated[str, typer.Option(help="Référence de l'engagement payé.")],
    day: Day = None,
    partner: PartnerCode = None,
    commune: Commune = None,
    site: SiteId = None,
    memo: Memo = "",
) -> None:
    """Post a payment out of a commitment; its purpose is the commitment's unless given."""
    with report_errors():
        _post(
            Payment(
                reference=reference,
                day=_day(day),
                amount_cents=money.parse(amount),
                commitment=commitment,
                partner_code=partner,
                commune=commune,
                site_id=site,
                memo=memo,
            )
        )


@app.command(
    help="Annule une écriture par l'écriture inverse, une seule fois ; une contribution avec son abondement."
)
def reverse(
    reference: Reference,
    entry: Annotated[str, typer.Argument(help="Référence de l'écriture à annuler.")],
    day: Day = None,
    memo: Memo = "",
) -> None:
    """Undo an entry with the opposite entry, once; a contribution with its match."""
    with report_errors():
        _post(Reversal(reference=reference, day=_day(day), reverses=entry, memo=memo))


@app.command(help="Abonde les restes d'une année, si une annulation ou un plafond relevé le permet.")
def settle(
    reference: Reference,
    year: Annotated[int, typer.Option(min=2000, max=2100, help="Année de réception des contributions.")],
    day: Day = None,
) -> None:
    """Match the remainders of a year, as far as a reversal or a raised ceiling allows."""
    with report_errors(), transaction(Settings()) as connection:
        matched = ledger.settle(connection, year, _day(day), reference, actor=actor())
    print_text(many("%(num)s abondement de plus.", "%(num)s abondements de plus.", len(matched)))


@app.command(
    help="Clôt définitivement tous les jours jusqu'à celui-ci : les corrections se datent ensuite plus tard."
)
def close(
    until: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="Dernier jour de la période.")],
    yes: Yes = False,
) -> None:
    """Close all days up to this one, permanently: corrections are then dated later."""
    confirm(_("Clore définitivement tous les jours jusqu'au %(day)s ?", day=short_day(until)), yes=yes)
    with report_errors(), transaction(Settings()) as connection:
        ledger.close(connection, until.date(), actor=actor())
    print_text(_("Comptes clos jusqu'au %(day)s.", day=short_day(until)))


@app.command(
    help="Recompte le livre à partir de chaque mouvement ; code de sortie 1 si quelque chose ne "
    "tombe pas juste."
)
def check() -> None:
    """Recount the books from every posting; exit code 1 when something does not add up."""
    with report_errors(), transaction(Settings()) as connection:
        found = ledger_reports.faults(connection)
        held = ledger.balance(connection)
    for fault in found:
        print_text(fault, style="red")
    if found:
        raise typer.Exit(1)
    print_text(
        _("Les comptes sont justes. Disponible : %(available)s.", available=euros(held.available_cents))
    )


@app.command(help="Affiche ce qui est contribué, abondé, engagé, payé et disponible.")
def report(
    by: Annotated[ReportBy, typer.Option(help="Ce que représente chaque ligne.")] = ReportBy.PARTNER,  # type: ignore[attr-defined]
    year: Annotated[
        int | None, typer.Option(min=2000, max=2100, help="Seulement les écritures de cette année.")
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    for_excel: ForExcel = False,
) -> None:
    """Print what was contributed, matched, committed and paid, and what is available."""
    with report_errors(), transaction(Settings()) as connection:
        kind = TerritoryKind(by.value) if by.value in list(TerritoryKind) else None
        territory = territories.load(connection) if kind else None
        found = ledger_reports.report(connection, kind or By(by.value), year=year, territory=territory)
    if as_json:
        print_json(
            {"by": by, "year": year, "fictif": found.fictif, "lines": list(reports.report_to_records(found))}
        )
    elif as_csv or for_excel:
        headings, *lines = reports.rows(found)
        print_csv(text_columns(headings), lines, french=for_excel)
    else:
        _print_result(found)


def _post(order: Order) -> None:
    with transaction(Settings()) as connection:
        ledger.post(connection, order, actor=actor())
        held = ledger.balance(connection)
    print_text(
        _(
            "Écriture « %(reference)s » enregistrée. Disponible : %(available)s.",
            reference=order.reference,
            available=euros(held.available_cents),
        )
    )


def _print_result(report: FundReport) -> None:
    if report.fictif:
        print_text(_("Données de démonstration."), style="bold yellow")
    for line in (*report.lines, report.total):
        print_text(line.name, style="bold")
        sums = (f"{_(words)} {euros(getattr(line, name))}" for name, words in reports.MEASURES.items())
        print_text("    " + " · ".join(sums))
        if line.leverage is not None:
            leverage = decimal(float(line.leverage), 2)
            sentence = _("%(leverage)s € dans le fonds pour 1 € de partenaire", leverage=leverage)
            print_text(f"    {sentence}")


def _rule_sentence(rule: MatchRule) -> str:
    ceiling = _("sans plafond")
    if rule.ceiling_cents is not None:
        ceiling = _("au plus %(ceiling)s par an", ceiling=euros(rule.ceiling_cents))
    return _(
        "à partir du %(day)s, %(rate)s € pour 1 €, %(ceiling)s. %(note)s",
        day=short_day(rule.day),
        rate=exact(rule.rate_bp / 10_000, wording()),
        ceiling=ceiling,
        note=rule.note,
    ).strip()


def _rate(text: str) -> int:
    """Return a rate in ten-thousandths, exactly; four decimals at most."""
    whole, _point, decimals = text.strip().replace(",", ".").partition(".")
    if not (whole + decimals).isdecimal() or not whole or len(decimals) > 4 or not text.isascii():
        raise InvalidParameter(
            _("Le taux « %(text)s » n'est pas un nombre.", text=text),
            _("Écrivez 1, 0.5 ou 1,25."),
            parameter="rate",
        )
    return int(whole) * 10_000 + int(decimals.ljust(4, "0"))


def _ceiling(text: str) -> int:
    return 0 if text.strip() == "0" else money.parse(text, parameter="ceiling")


def _day(day: datetime | None) -> date:
    return (day or datetime.now()).date()  # noqa: DTZ005 - the day where the command is run


app.command(
    "template",
    help="Écrit le modèle d'une sorte de fichier : titres, exemple inventé, et en .xlsx le sens de chaque "
    "colonne.",
)(funding_files.template)
app.command(
    "import",
    help="Importe un fichier d'argent, de pass ou d'actions : toutes ses lignes, ou aucune.\n\n"
    "Une ligne déjà enregistrée ne change rien. Code de sortie 1 quand une ligne est rejetée : rien n'est "
    "alors enregistré.",
)(funding_files.import_)
app.command(
    "export",
    help="Écrit en CSV toutes les tables et tous les rapports du fonds, ou ce qui peut en être publié.",
)(funding_files.export)
