"""`portee fund`: the fund's ledger: its rule, what comes in, what is set aside and paid, reports."""

from __future__ import annotations

import csv
import getpass
import sys
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
from geo.territory.model import TerritoryKind
from portee.console import print_json, print_text, report_errors
from portee.database import transaction

app = typer.Typer(help="Contributions, their match, commitments, payments, reports.", no_args_is_help=True)
rule_app = typer.Typer(help="Set and list the rules of the match.", no_args_is_help=True)
app.add_typer(rule_app, name="rule")

ReportBy = StrEnum("ReportBy", {each.name: each.value for each in (*By, *TerritoryKind)})  # type: ignore[misc]
"""What a report may be by: `By`, or a kind of territory."""

Reference = Annotated[str, typer.Argument(help="Its own reference, e.g. the transfer's; posted once.")]
Amount = Annotated[str, typer.Argument(help="Euros: “1 234,56 €” or 1234.56.")]
Day = Annotated[
    datetime | None,
    typer.Option("--day", formats=["%Y-%m-%d"], help="The day it counts for; today by default."),
]
PartnerCode = Annotated[str | None, typer.Option("--partner", help="Code of the partner it goes to.")]
Commune = Annotated[str | None, typer.Option(help="INSEE code of the commune it is for.")]
SiteId = Annotated[str | None, typer.Option("--site", help="Identifier of the site it is for.")]
Memo = Annotated[str, typer.Option(help="A sentence to remember it by.")]


def actor() -> str:
    """Who runs the command, as the audit names them."""
    try:
        return f"command:{getpass.getuser()}"
    except (KeyError, OSError):
        return "command"


@rule_app.command("set")
def set_rule(
    since: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="In force from this day on.")
    ],
    rate: Annotated[str, typer.Option(help="Euros added for each euro given: 1, 0.5, 1,5.")] = "1",
    ceiling: Annotated[
        str | None, typer.Option(help="Most euros added in a calendar year; none by default.")
    ] = None,
    note: Annotated[str, typer.Option(help="The decision it comes from.")] = "",
) -> None:
    """Let a rule of the match be in force from a day on; contributions matched already stay as they are."""
    with report_errors():
        rate_bp = _rate(rate)
        ceiling_cents = None if ceiling is None else _ceiling(ceiling)
        rule = MatchRule(since.date(), rate_bp, ceiling_cents, note)
        with transaction(Settings()) as connection:
            ledger.set_rule(connection, rule, actor=actor())
        print_text(f"Règle enregistrée : {_told(rule)}")


@rule_app.command("list")
def list_rules(as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False) -> None:
    """List the rules of the match, oldest first."""
    with report_errors(), transaction(Settings()) as connection:
        known = ledger.rules(connection)
    if as_json:
        print_json(known)
        return
    for rule in known:
        print_text(_told(rule))


@app.command()
def contribute(
    reference: Reference,
    amount: Amount,
    partner: Annotated[str, typer.Option(help="Code of the partner who gives.")],
    level: Annotated[Level, typer.Option(help="Where the money comes from.")],
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
        rest = money.formatted(mine.unmatched_cents)
        print_text(
            f"Contribution « {reference} » : {money.formatted(order.amount_cents)}, abondée de "
            f"{money.formatted(mine.matched_cents)} ; reste non abondé {rest}."
        )


@app.command()
def commit(
    reference: Reference,
    amount: Amount,
    line: Annotated[str, typer.Option(help="Action line it is set aside for, e.g. pass-numerique.")],
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


@app.command()
def release(
    reference: Reference,
    amount: Amount,
    commitment: Annotated[str, typer.Option(help="Reference of the commitment.")],
    day: Day = None,
    memo: Memo = "",
) -> None:
    """Make available again what of a commitment will not be paid."""
    with report_errors():
        cents = money.parse(amount)
        _post(
            Release(reference=reference, day=_day(day), amount_cents=cents, commitment=commitment, memo=memo)
        )


@app.command()
def pay(
    reference: Reference,
    amount: Amount,
    commitment: Annotated[str, typer.Option(help="Reference of the commitment it is paid out of.")],
    day: Day = None,
    partner: PartnerCode = None,
    commune: Commune = None,
    site: SiteId = None,
    memo: Memo = "",
) -> None:
    """Post a payment out of a commitment; what it is for is the commitment's unless told."""
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


@app.command()
def reverse(
    reference: Reference,
    entry: Annotated[str, typer.Argument(help="Reference of the entry to undo.")],
    day: Day = None,
    memo: Memo = "",
) -> None:
    """Undo an entry by its mirror, once; a contribution with its match."""
    with report_errors():
        _post(Reversal(reference=reference, day=_day(day), reverses=entry, memo=memo))


@app.command()
def settle(
    reference: Reference,
    year: Annotated[int, typer.Option(min=2000, max=2100, help="Year the contributions were received in.")],
    day: Day = None,
) -> None:
    """Match a year's remainders as far as a reversal or a raised ceiling made room."""
    with report_errors(), transaction(Settings()) as connection:
        made = ledger.settle(connection, year, _day(day), reference, actor=actor())
    print_text(f"{len(made)} abondement{'s' if len(made) > 1 else ''} de plus.")


@app.command()
def close(
    until: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="Last day of the period.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Close all days to this one, for good: corrections then bear a later day."""
    if not yes:
        typer.confirm(f"Close all days to {until:%Y-%m-%d}, for good?", abort=True)
    with report_errors(), transaction(Settings()) as connection:
        ledger.close(connection, until.date(), actor=actor())
    print_text(f"Comptes clos jusqu'au {until:%d/%m/%Y}.")


@app.command()
def check() -> None:
    """Recount the books from every posting; exit code 1 when something does not add up."""
    with report_errors(), transaction(Settings()) as connection:
        found = ledger_reports.faults(connection)
        held = ledger.balance(connection)
    for fault in found:
        print_text(fault, style="red")
    if found:
        raise typer.Exit(1)
    print_text(f"Les comptes sont justes. Disponible : {money.formatted(held.available_cents)}.")


@app.command()
def report(
    by: Annotated[ReportBy, typer.Option(help="What its lines stand for.")] = ReportBy.PARTNER,  # type: ignore[attr-defined]
    year: Annotated[int | None, typer.Option(min=2000, max=2100, help="Only entries of this year.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the lines as JSON, in cents.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the lines as CSV, in euros.")] = False,
) -> None:
    """Tell what was contributed, matched, committed and paid, and what is available."""
    with report_errors(), transaction(Settings()) as connection:
        kind = TerritoryKind(by.value) if by.value in list(TerritoryKind) else None
        territory = territories.load(connection) if kind else None
        made = ledger_reports.report(connection, kind or By(by.value), year=year, territory=territory)
    if as_json:
        print_json(
            {"by": by, "year": year, "fictif": made.fictif, "lines": list(reports.report_to_records(made))}
        )
    elif as_csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows(reports.rows(made))
    else:
        _print_result(made)


def _post(order: Order) -> None:
    with transaction(Settings()) as connection:
        ledger.post(connection, order, actor=actor())
        held = ledger.balance(connection)
    print_text(
        f"Écriture « {order.reference} » enregistrée. Disponible : {money.formatted(held.available_cents)}."
    )


def _print_result(made: FundReport) -> None:
    if made.fictif:
        print_text("Données de démonstration.", style="bold yellow")
    for line in (*made.lines, made.total):
        print_text(line.name, style="bold")
        sums = (f"{words} {money.formatted(getattr(line, name))}" for name, words in reports.MEASURES.items())
        print_text("    " + " · ".join(sums))
        if line.leverage is not None:
            print_text(f"    {line.leverage} € dans le fonds pour 1 € de partenaire".replace(".", ","))


def _told(rule: MatchRule) -> str:
    ceiling = "sans plafond"
    if rule.ceiling_cents is not None:
        ceiling = f"au plus {money.formatted(rule.ceiling_cents)} par an"
    rate = f"{rule.rate_bp / 10_000:g}".replace(".", ",")
    return f"à partir du {rule.day:%d/%m/%Y}, {rate} € pour 1 €, {ceiling}. {rule.note}".strip()


def _rate(text: str) -> int:
    """Rate in ten-thousandths, exactly; four decimals at most."""
    whole, _, decimals = text.strip().replace(",", ".").partition(".")
    if not (whole + decimals).isdecimal() or not whole or len(decimals) > 4 or not text.isascii():
        raise InvalidParameter(
            f"Le taux « {text} » n'est pas un nombre.", "Écrivez 1, 0.5 ou 1,25.", parameter="rate"
        )
    return int(whole) * 10_000 + int(decimals.ljust(4, "0"))


def _ceiling(text: str) -> int:
    return 0 if text.strip() == "0" else money.parse(text, parameter="ceiling")


def _day(day: datetime | None) -> date:
    return (day or datetime.now()).date()  # noqa: DTZ005 - the day where the command is run
