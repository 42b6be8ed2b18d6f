"""`portee actions`: kinds of action, and the actions recorded: list, add, remove."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from geo.errors import InvalidAction
from geo.funding.action_kinds import load_kinds
from geo.funding.actions import Action, read, totals
from geo.settings import Settings
from geo.store import actions as store
from geo.wording import figures
from portee.console import euros, misused, print_json, print_text, report_errors, short_day, wording
from portee.database import transaction
from portee.language import _, many
from portee.options import AsJson

app = typer.Typer(
    help="Enregistrer et lister les actions : équipement, formation, reconditionnement…", no_args_is_help=True
)


@app.command("kinds", help="Liste les types d'action, leurs mesures et la source des facteurs.")
def kinds(
    as_json: AsJson = False,
) -> None:
    """List the kinds of action, their measures and the sources of factors."""
    with report_errors():
        known = load_kinds(Settings().action_kinds)
    if as_json:
        print_json(list(known.values()))
        return
    for kind in known.values():
        print_text(f"{kind.code} : {kind.label}", style="bold")
        for measure in kind.measures:
            facts = [measure.unit or " | ".join(measure.choices) or _("texte")]
            facts += [_("obligatoire")] * measure.required + [_("secret statistique")] * measure.secret
            print_text(f"    {measure.name} : {measure.label} ({', '.join(facts)})")
        for derived in kind.derived:
            print_text(
                f"    {derived.name} : {derived.label} ({derived.unit}), {derived.factor:g} × {derived.of}"
            )
            print_text(f"        {derived.source}")
            if derived.hypothesis:
                print_text(f"        {derived.hypothesis}")


@app.command(
    "list",
    help="Liste les actions et leurs totaux, pour ceux qui les mènent : aucun nombre n'est masqué ici.",
)
def list_actions(
    kind: Annotated[str | None, typer.Option(help="Seulement ce type.")] = None,
    year: Annotated[int | None, typer.Option(min=2000, max=2100, help="Seulement cette année.")] = None,
    commune: Annotated[str | None, typer.Option(help="Seulement cette commune (code INSEE).")] = None,
    partner: Annotated[str | None, typer.Option(help="Seulement ce partenaire (code).")] = None,
    as_json: AsJson = False,
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
            f"{action.reference}  {short_day(action.day)}  {action.commune}  {label}  "
            f"{euros(action.amount_cents)}  {measures}" + (f"  ({_('fictif')})" if action.fictif else "")
        )
    print_text(many("%(num)s action.", "%(num)s actions.", len(found)), style="bold")
    for total in totals(found, known):
        value = figures.decimal(total.value, wording())
        print_text(f"    {total.label} : {value} {total.unit} ({known[total.kind].label})")


@app.command("add", help="Enregistre une action ; la même une seconde fois ne change rien.")
def add(
    reference: Annotated[str, typer.Argument(help="Votre référence : une action par référence.")],
    kind: Annotated[str, typer.Option(help="Code du type : voyez « portee actions kinds ».")],
    day: Annotated[str, typer.Option(help="Jour, ou premier jour : 2026-11-23 ou 23/11/2026.")],
    commune: Annotated[str, typer.Option(help="Code INSEE de la commune.")],
    until: Annotated[str, typer.Option(help="Dernier jour, si l'action dure.")] = "",
    title: Annotated[str, typer.Option(help="Titre, en quelques mots.")] = "",
    partner: Annotated[str, typer.Option(help="Code du partenaire qui la mène.")] = "",
    site: Annotated[str, typer.Option(help="Identifiant du lieu où elle se tient.")] = "",
    amount: Annotated[str, typer.Option(help="Coût en euros : « 1 200,50 ».")] = "",
    measure: Annotated[
        list[str],
        typer.Option(metavar="NOM=VALEUR", help="Une mesure du type d'action ; à répéter pour plusieurs."),
    ] = [],  # noqa: B006 - Typer reads, never mutates
    fictif: Annotated[
        bool, typer.Option("--fictif", help="Action inventée, pour une démonstration.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Remplace l'action qui a cette référence.")
    ] = False,
) -> None:
    """Record an action; the same one again changes nothing."""
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
            misused(_("« %(text)s » n'est pas NOM=VALEUR d'une mesure, ou la nomme deux fois.", text=text))
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
                    _("L'action « %(reference)s » n'a pas été enregistrée.", reference=reference),
                    _("Corrigez ce qui précède."),
                    issues=issues,
                )
            new = store.save(
                connection, action, kinds=declared, known=known, actor=getpass.getuser(), replace=replace
            )
    print_text(_outcome(action, new=new))


@app.command("remove", help="Supprime une action ; le journal en garde la trace.")
def remove(reference: Annotated[str, typer.Argument(help="Référence de l'action.")]) -> None:
    """Delete an action; the audit records what it was."""
    with report_errors(), transaction(Settings()) as connection:
        store.remove(connection, reference, actor=getpass.getuser())
    print_text(_("Action « %(reference)s » retirée.", reference=reference))


def _outcome(action: Action, *, new: bool) -> str:
    if new:
        return _("Action « %(reference)s » enregistrée.", reference=action.reference)
    return _("Action « %(reference)s » déjà enregistrée, à l'identique.", reference=action.reference)
