"""Routes of the partners of the fund and members of the network."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from datetime import date
from typing import Annotated, Final

from fastapi import Path, Request
from fastapi.responses import Response

from api.auth import FundToken
from api.body_context import FundContext
from api.funding_bodies import PartnerBody
from api.funding_parameters import day
from api.funding_responses import figures_response, write_response
from api.funding_schemas import PartnerAnswer, PartnersAnswer, PartnerSaved
from api.openapi import failures
from api.parameters import Query, choice, refuse
from api.rendered_snapshot import CurrentView
from api.request_model import CODE_MAX
from api.routing import router, write_router
from api.service import app_state
from geo.errors import InvalidParameter
from geo.funding.partners import Convention, Partner, SiteLink, unknown_partner
from geo.funding.reports import By
from geo.services.fund_entries import contributions_by_year
from geo.services.partner_records import save_partner
from geo.store import actions, ledger, ledger_reports
from geo.store import partners as stored

ON: Final = day("on", "Date at which network membership is evaluated; today by default.")
LIST_QUERY: Final = Query(
    (choice("network", "Only members of the network on that date.", ("true", "false"), default="false"), ON)
)
PARTNER_QUERY: Final = Query((ON,))

Code = Annotated[str, Path(description="Code of the partner.", examples=["caf-47"])]
routes = router("partners")
writes = write_router("partners")


@routes.get(
    "/partners",
    summary="List partners, or only members of the network",
    response_model=PartnersAnswer,
    responses=failures(422),
    openapi_extra=LIST_QUERY.openapi,
)
def partners(request: Request) -> Response:
    """Return partners by code, with site counts and contributions. Requires the database."""
    values = LIST_QUERY.read(request.scope["query_string"])
    service = app_state(request)
    current = service.current()
    on = values.get("on") or current.view.clock().date()
    with service.connect() as connection:
        found = stored.list_(connection, members_on=on if values.get("network") == "true" else None)
        links = stored.partner_sites(connection)
        report = ledger_reports.report(connection, By.PARTNER)
    sums = {line.key: line for line in report.lines}
    sites: dict[str, set[str]] = defaultdict(set)
    for link in links:
        sites[link.partner_code].add(link.site_id)
    rows = [
        {
            **partner_to_dict(partner, on),
            "site_count": len(sites[partner.code]),
            "contributed_cents": sums[partner.code].contributed_cents if partner.code in sums else 0,
            "matched_cents": sums[partner.code].matched_cents if partner.code in sums else 0,
        }
        for partner in found
    ]
    fictif = any(p.fictif or (p.code in sums and sums[p.code].fictif) for p in found)
    return figures_response(request, current, {"on": on, "partners": rows}, fictif=fictif)


@routes.get(
    "/partners/{code}",
    summary="Get a partner with its agreements, sites, contributions and actions",
    response_model=PartnerAnswer,
    responses=failures(404, 422),
    openapi_extra=PARTNER_QUERY.openapi,
)
def partner(request: Request, code: Code) -> Response:
    """Return contributions by year of receipt, and actions without their measures. Requires the database."""
    values = PARTNER_QUERY.read(request.scope["query_string"])
    service = app_state(request)
    current = service.current()
    if not code.isprintable() or len(code) > CODE_MAX:
        raise unknown_partner(code[:CODE_MAX])
    with service.connect() as connection:
        found = stored.find(connection, code)
        conventions = stored.conventions(connection, found.code)
        links = stored.partner_sites(connection, found.code)
        received = ledger.received(connection, partner_code=found.code)
        led = actions.list_(connection, partner_code=found.code)
    content = {
        **partner_to_dict(found, values.get("on") or current.view.clock().date()),
        "conventions": [convention_to_dict(each) for each in conventions],
        "sites": [link_to_dict(current, link) for link in links],
        "years": [asdict(year) for year in contributions_by_year(received)],
        "actions": [
            {
                "reference": action.reference,
                "kind": action.kind,
                "day": action.day,
                "until": action.until,
                "title": action.title,
                "commune": action.commune,
                "amount_cents": action.amount_cents,
                "fictif": action.fictif,
            }
            for action in led
        ],
    }
    fictif = found.fictif or any(a.fictif for a in led) or any(r.entry.fictif for r in received)
    return figures_response(request, current, content, fictif=fictif)


@writes.put(
    "/partners/{code}",
    summary="Save a partner",
    response_model=PartnerSaved,
    responses={
        201: {"model": PartnerSaved, "description": "The partner is new."},
        **failures(400, 401, 403, 413, 415, 422, not_modified=False),
    },
)
def save(request: Request, code: Code, token: FundToken, context: FundContext, body: PartnerBody) -> Response:
    """Save a partner in place of the one with the same code; absent members are emptied.

    `conventions` are added to the saved ones, or replace their note. `sites`, if given, are all the sites
    that the partner runs or supports. Requires a token with scope `fund`.
    """
    with app_state(request).connect() as connection, connection.begin():
        try:
            new = save_partner(
                connection,
                body.partner(code),
                body.conventions_of(code),
                body.links_of(code),
                actor=token.name,
            )
        except InvalidParameter as problem:
            value = code if problem.parameter == "code" else getattr(body, problem.parameter, "")
            raise refuse(problem.parameter, value, str(problem)) from None
        content = {
            "partner": partner_to_dict(stored.find(connection, code), context.today),
            "conventions": [convention_to_dict(each) for each in stored.conventions(connection, code)],
            "sites": [link_to_dict(context.current, s) for s in stored.partner_sites(connection, code)],
        }
    return write_response(content, new=new)


def partner_to_dict(partner: Partner, on: date) -> dict[str, object]:
    """Return a partner as a JSON-serialisable dict, with its membership on a date."""
    return {**asdict(partner), "kind_label": partner.kind.label, "member": partner.is_member(on)}


def link_to_dict(current: CurrentView, link: SiteLink) -> dict[str, object]:
    """Return a site of a partner; name and commune are null if it is no longer in service."""
    row = current.view.row_of.get(link.site_id)
    site = None if row is None else current.view.snapshot.sites[row]
    return {
        "site_id": link.site_id,
        "role": link.role,
        "role_label": link.role.label,
        "name": site.nom if site else None,
        "commune": site.code_insee if site else None,
    }


def convention_to_dict(convention: Convention) -> dict[str, object]:
    """Return an agreement as a JSON-serialisable dict."""
    return {"year": convention.year, "reference": convention.reference, "note": convention.note}
