"""`portee partners`: who takes part in the fund and in the local network."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from geo.funding.partners import Convention, Partner, PartnerKind, SiteLink, SiteRole
from geo.settings import Settings
from geo.store import partners
from portee.commands.fund import actor
from portee.console import print_json, print_text, report_errors
from portee.database import transaction

app = typer.Typer(help="List, add and remove partners; their conventions and sites.", no_args_is_help=True)

Code = Annotated[str, typer.Argument(help="Its short name, e.g. caf-47.")]


@app.command("list")
def list_partners(
    on: Annotated[
        datetime | None,
        typer.Option("--members-on", formats=["%Y-%m-%d"], help="Only members of the network on this day."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List the partners by code."""
    with report_errors(), transaction(Settings()) as connection:
        found = partners.list_(connection, members_on=on.date() if on else None)
    if as_json:
        print_json([asdict(partner) for partner in found])
        return
    for partner in found:
        since = f", membre depuis le {partner.network_from:%d/%m/%Y}" if partner.network_from else ""
        until = f" jusqu'au {partner.network_to:%d/%m/%Y}" if partner.network_to else ""
        fictif = " (fictif)" if partner.fictif else ""
        print_text(f"{partner.code}  {partner.name}{fictif}, {partner.kind.label}{since}{until}")
    print_text("1 partenaire." if len(found) == 1 else f"{len(found)} partenaires.")


@app.command()
def show(
    code: Code,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Tell all that is kept of a partner: its conventions and sites too."""
    with report_errors(), transaction(Settings()) as connection:
        partner = partners.find(connection, code)
        conventions = partners.conventions(connection, code)
        sites = partners.partner_sites(connection, code)
    if as_json:
        bound = {"conventions": [asdict(c) for c in conventions], "sites": [asdict(s) for s in sites]}
        print_json({**asdict(partner), **bound})
        return
    for name, value in asdict(partner).items():
        print_text(f"{name} : {value if value is not None else ''}")
    for convention in conventions:
        print_text(f"convention {convention.year} : {convention.reference} {convention.note}".rstrip())
    for link in sites:
        print_text(f"{link.role.label} {link.site_id}")


@app.command()
def add(
    code: Code,
    name: Annotated[str, typer.Option(help="Its usual name.")],
    kind: Annotated[PartnerKind, typer.Option(help="What it is.")],
    siret: Annotated[str, typer.Option(help="Fourteen digits.")] = "",
    contact_role: Annotated[str, typer.Option(help="A function, never a person.")] = "",
    website: Annotated[str, typer.Option(help="Address of its site.")] = "",
    note: Annotated[str, typer.Option(help="Anything else, for readers.")] = "",
    network_from: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Member of the network from this day.")
    ] = None,
    network_to: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Member to this day.")
    ] = None,
    fictif: Annotated[bool, typer.Option("--fictif", help="It is invented, for a demonstration.")] = False,
) -> None:
    """Keep a partner, in place of the one of the same code if there is one."""
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
    print_text(f"Partenaire « {name} » enregistré.")


@app.command()
def remove(code: Code, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Keep a partner no longer; refused when the ledger, passes or actions name it."""
    if not yes:
        typer.confirm(f"Remove the partner “{code}”?", abort=True)
    with report_errors(), transaction(Settings()) as connection:
        partners.remove(connection, code, actor=actor())
    print_text(f"Partenaire « {code} » retiré.")


@app.command()
def convention(
    code: Code,
    year: Annotated[int, typer.Argument(help="Year it is for.")],
    reference: Annotated[str, typer.Argument(help="Reference of the deliberation or the contract.")],
    note: Annotated[str, typer.Option(help="What it is about.")] = "",
) -> None:
    """Keep a convention of a partner for a year."""
    with report_errors(), transaction(Settings()) as connection:
        partners.save_convention(connection, Convention(code, year, reference, note), actor=actor())
    print_text(f"Convention {year} de « {code} » enregistrée.")


@app.command()
def site(
    code: Code,
    site_id: Annotated[str, typer.Argument(metavar="SITE", help="Identifier of the site.")],
    role: Annotated[SiteRole, typer.Option(help="What the partner does for it.")] = SiteRole.RUNS,
    remove_it: Annotated[bool, typer.Option("--remove", help="Say so no longer.")] = False,
) -> None:
    """Say that a partner runs or supports a site."""
    link = SiteLink(code, site_id, role)
    with report_errors(), transaction(Settings()) as connection:
        if remove_it:
            partners.unlink_site(connection, link, actor=actor())
        else:
            partners.link_site(connection, link, actor=actor())
    print_text(
        f"« {code} » {'ne ' if remove_it else ''}{role.label}{' plus' if remove_it else ''} « {site_id} »."
    )
