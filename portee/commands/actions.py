"""`portee actions`: what the fund does for people: kinds, list, add, remove."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from geo.errors import InvalidAction
from geo.funding import money
from geo.funding.action_kinds import load_kinds
from geo.funding.actions import Action, read, totals
from geo.settings import Settings
from geo.store import actions as store
from portee.console import print_json, print_text, report_errors
from portee.database import transaction

app = typer.Typer(help="Keep and list actions: equipment, training, refurbishing…", no_args_is_help=True)


@app.command("kinds")
def kinds(
    as_json: Annotated[bool, typer.Option("--json", help="Print kinds and measures as JSON.")] = False,
) -> None:
    """List the kinds of action with what each measures, and where factors come from."""
    with report_errors():
        known = load_kinds(Settings().action_kinds)
    if as_json:
        print_json(list(known.values()))
        return
    for kind in known.values():
        print_text(f"{kind.code} : {kind.label}", style="bold")
        for measure in kind.measures:
            facts = [measure.unit or " | ".join(measure.choices) or "texte"]
            facts += ["obligatoire"] * measure.required + ["secret statistique"] * measure.secret
            print_text(f"    {measure.name} : {measure.label} ({', '.join(facts)})")
        for derived in kind.derived:
            print_text(
                f"    {derived.name} : {derived.label} ({derived.unit}), {derived.factor:g} × {derived.of}"
            )
            print_text(f"        {derived.source}")
            if derived.hypothesis:
                print_text(f"        {derived.hypothesis}")


@app.command("list")
def list_actions(
    kind: Annotated[str | None, typer.Option(help="Only those of this kind.")] = None,
    year: Annotated[int | None, typer.Option(min=2000, max=2100, help="Only those of this year.")] = None,
    commune: Annotated[str | None, typer.Option(help="Only those of this commune (INSEE code).")] = None,
    partner: Annotated[str | None, typer.Option(help="Only those of this partner (code).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the actions as JSON.")] = False,
) -> None:
    """List actions and their totals, for those who run them: no count is withheld here."""
    settings = Settings()
    with report_errors():
        known = load_kinds(settings.action_kinds)
        with transaction(settings) as connection:
            found = store.list_(
                connection,
                kind=kind,
                year=year,
                communes=None if commune is None else [commune],
                partner_code=partner,
            )
    if as_json:
        print_json([store.action_to_dict(action) for action in found])
        return
    for action in found:
        label = known[action.kind].label if action.kind in known else action.kind
        measures = ", ".join(f"{name} {value}" for name, value in action.measures.items())
        print_text(
            f"{action.reference}  {action.day:%d/%m/%Y}  {action.commune}  {label}  "
            f"{money.formatted(action.amount_cents)}  {measures}" + ("  (fictif)" if action.fictif else "")
        )
    print_text(f"{len(found)} action{'' if len(found) < 2 else 's'}.", style="bold")
    for total in totals(found, known):
        print_text(f"    {total.label} : {total.value:g} {total.unit} ({known[total.kind].label})")


@app.command("add")
def add(
    reference: Annotated[str, typer.Argument(help="Your own reference: it is kept once.")],
    kind: Annotated[str, typer.Option(help="Code of its kind: see `portee actions kinds`.")],
    day: Annotated[str, typer.Option(help="Its day, or its first: 2026-11-23 or 23/11/2026.")],
    commune: Annotated[str, typer.Option(help="INSEE code of the commune.")],
    until: Annotated[str, typer.Option(help="Its last day, when it lasts.")] = "",
    title: Annotated[str, typer.Option(help="A few words that name it.")] = "",
    partner: Annotated[str, typer.Option(help="Code of the partner who leads it.")] = "",
    site: Annotated[str, typer.Option(help="Identifier of the site where it is.")] = "",
    amount: Annotated[str, typer.Option(help="What it costs, in euros: “1 200,50”.")] = "",
    measure: Annotated[
        list[str], typer.Option(metavar="NAME=VALUE", help="A measure of its kind; repeat for several.")
    ] = [],  # noqa: B006 - Typer reads, never mutates
    fictif: Annotated[bool, typer.Option("--fictif", help="It is invented, for demonstration.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the one that is kept under this reference.")
    ] = False,
) -> None:
    """Keep an action; the very same again changes nothing."""
    values = {
        "reference": reference,
        "kind": kind,
        "day": day,
        "until": until,
        "title": title,
        "commune": commune,
        "partner": partner,
        "site": site,
        "amount": amount,
        "fictif": "oui" if fictif else "",
    }
    for text in measure:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name or name in values:
            raise typer.BadParameter(f"“{text}” is not NAME=VALUE of a measure, or names it twice.")
        values[name] = value
    settings = Settings()
    with report_errors():
        declared = load_kinds(settings.action_kinds)
        with transaction(settings) as connection:
            known = store.action_references(connection, settings.departement)
            action, issues = read(values, declared, known)
            if action is None:
                for issue in issues:
                    print_text(
                        f"{issue.field} « {issue.value} » : {issue.reason} {issue.advice}", style="red"
                    )
                raise InvalidAction(
                    f"L'action « {reference} » n'a pas été enregistrée.",
                    "Corrigez ce qui précède.",
                    issues=issues,
                )
            written = store.save(
                connection, action, kinds=declared, known=known, actor=getpass.getuser(), replace=replace
            )
    print_text(_outcome(action, written))


@app.command("remove")
def remove(reference: Annotated[str, typer.Argument(help="Reference of the action.")]) -> None:
    """Keep an action no longer; the audit tells what it was."""
    with report_errors(), transaction(Settings()) as connection:
        store.remove(connection, reference, actor=getpass.getuser())
    print_text(f"Action « {reference} » retirée.")


def _outcome(action: Action, written: bool) -> str:
    what = "enregistrée" if written else "déjà enregistrée, à l'identique"
    return f"Action « {action.reference} » {what}."
