"""`portee partners`: partners of the fund and of the local network."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from geo.funding.partners import Convention, Partner, PartnerKind, SiteLink, SiteRole
from geo.settings import Settings
from geo.store import partners
from portee.commands.fund import actor
from portee.console import confirm, print_json, print_text, report_errors, short_day
from portee.database import transaction
from portee.language import _, many
from portee.options import AsJson, Yes

app = typer.Typer(
    help="Lister, ajouter et retirer les partenaires, leurs conventions et leurs lieux.", no_args_is_help=True
)

Code = Annotated[str, typer.Argument(help="Nom court du partenaire, par exemple caf-47.")]


@app.command("list", help="Liste les partenaires par code.")
def list_partners(
    on: Annotated[
        datetime | None,
        typer.Option(
            "--members-on", formats=["%Y-%m-%d"], help="Seulement les membres du réseau ce jour-là."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the partners by code."""
    with report_errors(), transaction(Settings()) as connection:
        found = partners.list_(connection, members_on=on.date() if on else None)
    if as_json:
        print_json([asdict(partner) for partner in found])
        return
    for partner in found:
        since, until = partner.network_from, partner.network_to
        member = _(", membre depuis le %(day)s", day=short_day(since)) if since else ""
        member += _(" jusqu'au %(day)s", day=short_day(until)) if until else ""
        fictif = f" ({_('fictif')})" if partner.fictif else ""
        print_text(f"{partner.code}  {partner.name}{fictif}, {partner.kind.label}{member}")
    print_text(many("%(num)s partenaire.", "%(num)s partenaires.", len(found)))


@app.command(help="Affiche tout ce qui est enregistré sur un partenaire, conventions et lieux compris.")
def show(
    code: Code,
    as_json: AsJson = False,
) -> None:
    """Print everything recorded about a partner, including conventions and sites."""
    with report_errors(), transaction(Settings()) as connection:
        partner = partners.find(connection, code)
        conventions = partners.conventions(connection, code)
        sites = partners.partner_sites(connection, code)
    if as_json:
        links = {"conventions": [asdict(c) for c in conventions], "sites": [asdict(s) for s in sites]}
        print_json({**asdict(partner), **links})
        return
    for name, value in asdict(partner).items():
        print_text(f"{name} : {value if value is not None else ''}")
    for convention in conventions:
        print_text(f"convention {convention.year} : {convention.reference} {convention.note}".rstrip())
    for link in sites:
        print_text(f"{link.role.label} {link.site_id}")


@app.command(help="Enregistre un partenaire, à la place de celui qui a le même code s'il existe.")
def add(
    code: Code,
    name: Annotated[str, typer.Option(help="Nom usuel.")],
    kind: Annotated[PartnerKind, typer.Option(help="Nature du partenaire.")],
    siret: Annotated[str, typer.Option(help="Quatorze chiffres.")] = "",
    contact_role: Annotated[str, typer.Option(help="Une fonction, jamais une personne.")] = "",
    website: Annotated[str, typer.Option(help="Adresse de son site web.")] = "",
    note: Annotated[str, typer.Option(help="Remarque pour les lecteurs.")] = "",
    network_from: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Membre du réseau à partir de ce jour.")
    ] = None,
    network_to: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Membre jusqu'à ce jour.")
    ] = None,
    fictif: Annotated[
        bool, typer.Option("--fictif", help="Partenaire inventé, pour une démonstration.")
    ] = False,
) -> None:
    """Record a partner, in place of the one with the same code if any."""
    partner = Partner(
        code,
        name,
        kind,
        siret,
        contact_role,
        website,
        note,
        network_from.date() if network_from else None,
        network_to.date() if network_to else None,
        fictif,
    )
    with report_errors(), transaction(Settings()) as connection:
        partners.save(connection, partner, actor=actor())
    print_text(_("Partenaire « %(name)s » enregistré.", name=name))


@app.command(help="Retire un partenaire ; refusé si le livre, des pass ou des actions le nomment.")
def remove(code: Code, yes: Yes = False) -> None:
    """Remove a partner; refused when the ledger, passes or actions name it."""
    confirm(_("Retirer le partenaire « %(code)s » ?", code=code), yes=yes)
    with report_errors(), transaction(Settings()) as connection:
        partners.remove(connection, code, actor=actor())
    print_text(_("Partenaire « %(code)s » retiré.", code=code))


@app.command(help="Enregistre la convention d'un partenaire pour une année.")
def convention(
    code: Code,
    year: Annotated[int, typer.Argument(help="Année de la convention.")],
    reference: Annotated[str, typer.Argument(help="Référence de la délibération ou du contrat.")],
    note: Annotated[str, typer.Option(help="Objet.")] = "",
) -> None:
    """Record a convention of a partner for a year."""
    with report_errors(), transaction(Settings()) as connection:
        partners.save_convention(connection, Convention(code, year, reference, note), actor=actor())
    print_text(_("Convention %(year)s de « %(code)s » enregistrée.", year=year, code=code))


@app.command(help="Indique qu'un partenaire porte ou soutient un lieu.")
def site(
    code: Code,
    site_id: Annotated[str, typer.Argument(metavar="LIEU", help="Identifiant du lieu.")],
    role: Annotated[SiteRole, typer.Option(help="Ce que le partenaire fait pour le lieu.")] = SiteRole.RUNS,
    remove_it: Annotated[bool, typer.Option("--remove", help="Retire cette indication.")] = False,
) -> None:
    """Record that a partner runs or supports a site."""
    link = SiteLink(code, site_id, role)
    with report_errors(), transaction(Settings()) as connection:
        if remove_it:
            partners.unlink_site(connection, link, actor=actor())
        else:
            partners.link_site(connection, link, actor=actor())
    template = (
        _("« %(code)s » ne %(role)s plus « %(site)s ».")
        if remove_it
        else _("« %(code)s » %(role)s « %(site)s ».")
    )
    print_text(template % {"code": code, "role": _(role.label), "site": site_id})
