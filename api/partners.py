"""Partners of the fund and of the network: who they are, and what binds them to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Final

from fastapi import Path, Request
from fastapi.responses import Response

from api.fund import FICTIF, Body, answered, changed, day, require_known, word, write_response, year
from api.funding_schemas import PartnerAnswer, PartnersAnswer, PartnerSaved
from api.openapi import failures
from api.parameters import Parameter, Query, choice, text
from api.problems import Refused
from api.rendered_snapshot import CurrentView
from api.request_body import Fields
from api.routing import router
from api.service import app_state
from geo.errors import InvalidParameter, UnknownPartner
from geo.funding.partners import Convention, Partner, PartnerKind, SiteLink, SiteRole, unknown_partner
from geo.funding.reports import By
from geo.store import actions, ledger, ledger_reports
from geo.store import partners as stored
from geo.store.database import Connection
from geo.store.ledger import Received
from geo.store.tokens import Scope

CODE_MAX: Final = 60
LIST_MAX: Final = 1_000

ON: Final = day("on", "Date at which network membership is evaluated; today by default.")
LISTED: Final = Query(
    (choice("network", "Only members of the network on that date.", ("true", "false"), default="false"), ON)
)
FOUND: Final = Query((ON,))

CONVENTION: Final = Body(
    Query(
        (
            year("The year it is for."),
            word("reference", "Of the deliberation or the contract."),
            text("note", "A remark.", max_length=1_000),
        )
    ),
    ("year", "reference"),
)
LINK: Final = Body(
    Query(
        (
            word("site_id", "Public identifier of the site.", max_length=200),
            choice("role", "What the partner does for it.", tuple(SiteRole)),
        )
    ),
    ("site_id", "role"),
)


def _listed(body: Body) -> dict[str, Any]:
    return {"type": "array", "maxItems": LIST_MAX, "items": body.schema}


SAVED: Final = Body(
    Query(
        (
            text("name", "Its usual name.", max_length=200),
            choice("kind", "What it is.", tuple(PartnerKind)),
            Parameter("siret", "Fourteen digits; empty when not known.", str.strip, {"type": "string"}),
            text("contact_role", "Whom to ask for: a function, never a person.", max_length=200),
            text("website", "Address of its site.", max_length=300),
            text("note", "A remark.", max_length=1_000),
            day("network_from", "Member of the network since."),
            day("network_to", "Last day of membership."),
            FICTIF,
        )
    ),
    ("name", "kind"),
    {"conventions": _listed(CONVENTION), "sites": _listed(LINK)},
)

Code = Annotated[str, Path(description="Code of the partner.", examples=["caf-47"])]
routes = router("partners")


@routes.get(
    "/partners",
    summary="List partners, or only members of the network",
    response_model=PartnersAnswer,
    responses=failures(422),
    openapi_extra=LISTED.openapi,
)
def partners(request: Request) -> Response:
    """Return partners by code, with site counts and contributions. Requires the database."""
    values = LISTED.read(request.scope["query_string"])
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
    told = [
        {
            **facts(partner, on),
            "site_count": len(sites[partner.code]),
            "contributed_cents": sums[partner.code].contributed_cents if partner.code in sums else 0,
            "matched_cents": sums[partner.code].matched_cents if partner.code in sums else 0,
        }
        for partner in found
    ]
    fictif = any(p.fictif or (p.code in sums and sums[p.code].fictif) for p in found)
    return answered(request, current, {"on": on, "partners": told}, fictif=fictif)


@routes.get(
    "/partners/{code}",
    summary="Get a partner with its agreements, sites, contributions and actions",
    response_model=PartnerAnswer,
    responses=failures(404, 422),
    openapi_extra=FOUND.openapi,
)
def partner(request: Request, code: Code) -> Response:
    """Return contributions by year of receipt, and actions without their measures. Requires the database."""
    values = FOUND.read(request.scope["query_string"])
    service = app_state(request)
    current = service.current()
    with service.connect() as connection:
        found = stored.find(connection, _known_form(code))
        conventions = stored.conventions(connection, found.code)
        links = stored.partner_sites(connection, found.code)
        received = ledger.received(connection, partner_code=found.code)
        led = actions.list_(connection, partner_code=found.code)
    content = {
        **facts(found, values.get("on") or current.view.clock().date()),
        "conventions": [_convention(each) for each in conventions],
        "sites": [site_to_dict(current, link) for link in links],
        "years": years(received),
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
    invented = (found.fictif, *(a.fictif for a in led), *(r.entry.fictif for r in received))
    return answered(request, current, content, fictif=any(invented))


@routes.put(
    "/partners/{code}",
    summary="Keep a partner",
    response_model=PartnerSaved,
    responses={
        201: {"model": PartnerSaved, "description": "It is new."},
        **failures(400, 401, 403, 413, 415, 422, not_modified=False),
    },
    openapi_extra=SAVED.openapi,
)
async def save(request: Request, code: Code) -> Response:
    """What is told replaces what was; what is left out is empty.

    `conventions` are added to those kept, or take their note; `sites`, when it is given, are all those it
    runs or supports. Needs a token with scope `fund`.
    """

    def change(connection: Connection, body: dict[str, Any], actor: str, current: CurrentView) -> Response:
        wanted, conventions, links = _read(code, body, connection, current)
        known = _known(connection, code)
        try:
            stored.save(connection, wanted, actor=actor)
            for each in conventions:
                stored.save_convention(connection, each, actor=actor)
        except InvalidParameter as problem:
            raise _refusal(problem, code, body) from None
        if links is not None:
            for gone in set(stored.partner_sites(connection, code)) - set(links):
                stored.unlink_site(connection, gone, actor=actor)
            for link in links:
                stored.link_site(connection, link, actor=actor)
        content = {
            "partner": facts(stored.find(connection, code), current.view.clock().date()),
            "conventions": [_convention(each) for each in stored.conventions(connection, code)],
            "sites": [site_to_dict(current, link) for link in stored.partner_sites(connection, code)],
        }
        return write_response(content, new=not known)

    return await changed(request, Scope.FUND, change)


def _read(
    code: str, body: dict[str, Any], connection: Connection, current: CurrentView
) -> tuple[Partner, list[Convention], list[SiteLink] | None]:
    read = SAVED.read(body)
    conventions, links = (_each(read, body, name) for name in ("conventions", "sites"))
    known = require_known(read, connection, current)
    for rank, values in enumerate(links):
        if "site_id" in values and values["site_id"] not in known.sites:
            read.wrong(f"sites[{rank}].site_id", values["site_id"], "Aucun lieu ne porte cet identifiant.")
    read.done()
    told = {**read.values, "kind": PartnerKind(read.values["kind"])}
    told["fictif"] = told.get("fictif") == "true"
    return (
        Partner(code, **told),
        [Convention(code, **values) for values in conventions],
        None
        if body.get("sites") is None
        else [SiteLink(code, values["site_id"], SiteRole(values["role"])) for values in links],
    )


def _each(read: Fields, body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of a list of the body; what is wrong with them is noted beside all the rest."""
    form = {"conventions": CONVENTION, "sites": LINK}[name]
    given = body.get(name) or []
    if not isinstance(given, list) or len(given) > LIST_MAX:
        read.wrong(name, "", f"« {name} » doit être une liste de {LIST_MAX} objets au plus.")
        return []
    found = []
    for rank, each in enumerate(given):
        if not isinstance(each, dict):
            read.wrong(f"{name}[{rank}]", each, "Un objet JSON est attendu.")
            continue
        one = form.read(each)
        for problem in one.problems:
            read.wrong(f"{name}[{rank}].{problem.parameter}", problem.value, problem.detail)
        found.append(one.values)
    return found


def _refusal(problem: InvalidParameter, code: str, body: dict[str, Any]) -> Refused:
    read = Fields({}, Query(), ())
    value = code if problem.parameter == "code" else body.get(problem.parameter, "")
    read.wrong(problem.parameter, value, str(problem))
    return Refused(read.problems)


def _known(connection: Connection, code: str) -> bool:
    try:
        stored.find(connection, _known_form(code))
    except UnknownPartner:
        return False
    return True


def _known_form(code: str) -> str:
    """The code itself, when a partner may bear it.

    Raises
    ------
    UnknownPartner
        If none may.
    """
    if not code.isprintable() or len(code) > CODE_MAX:
        raise unknown_partner(code[:CODE_MAX])
    return code


def facts(partner: Partner, on: date) -> dict[str, object]:
    """A partner as answers tell it."""
    return {**asdict(partner), "kind_label": partner.kind.label, "member": partner.is_member(on)}


def years(received: Iterable[Received]) -> list[dict[str, int]]:
    """Contributions in force by year of receipt, earliest first."""
    found: dict[int, dict[str, int]] = {}
    for each in received:
        if each.entry.reversed_by is not None:
            continue
        when = each.entry.day.year
        sums = found.setdefault(
            when,
            {
                "year": when,
                "contributions": 0,
                "contributed_cents": 0,
                "matched_cents": 0,
                "unmatched_cents": 0,
            },
        )
        sums["contributions"] += 1
        sums["contributed_cents"] += each.entry.amount_cents
        sums["matched_cents"] += each.matched_cents
        sums["unmatched_cents"] += each.unmatched_cents
    return [found[each] for each in sorted(found)]


def site_to_dict(current: CurrentView, link: SiteLink) -> dict[str, object]:
    """A site of a partner as answers tell it."""
    row = current.view.row_of.get(link.site_id)
    site = None if row is None else current.view.snapshot.sites[row]
    return {
        "site_id": link.site_id,
        "role": link.role,
        "role_label": link.role.label,
        "name": site.nom if site else None,
        "commune": site.code_insee if site else None,
    }


def _convention(convention: Convention) -> dict[str, object]:
    return {"year": convention.year, "reference": convention.reference, "note": convention.note}
