"""Routes of the fund: public report; ledger entries, read and posted with a token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from fastapi import Request
from fastapi.responses import Response

from api.auth import TOKEN_REQUIRED, FundToken, active_token, request_secret
from api.body_context import FundContext
from api.funding_bodies import (
    CloseBody,
    CommitmentBody,
    ContributionBody,
    PaymentBody,
    PostingBody,
    ReleaseBody,
    ReversalBody,
)
from api.funding_parameters import PARTNER, YEAR, day
from api.funding_responses import PRIVATE, figures_response, write_response
from api.funding_schemas import CloseAnswer, FundAnswer, LedgerAnswer, PostedAnswer
from api.openapi import failures
from api.parameters import MAX_OFFSET, Query, choice, integer, refuse
from api.responses import JSON
from api.routing import router, write_router
from api.service import app_state
from geo.errors import UnknownEntry
from geo.funding.ledger import Entry, EntryKind
from geo.funding.reports import MEASURES, By, Line
from geo.services import fund_postings
from geo.services.fund_entries import EntryFilter, find_entries
from geo.store import ledger, ledger_reports
from geo.store.tokens import Scope, Token
from geo.territory.model import TerritoryKind

PAGE: Final = 100
ID_MAX: Final = 10**11 - 1

REPORT_QUERY: Final = Query(
    (
        choice(
            "by",
            "Grouping of the lines.",
            (*By, *TerritoryKind),
            default=By.YEAR.value,
            example=By.PARTNER.value,
        ),
        YEAR,
    )
)
LEDGER_QUERY: Final = Query(
    (
        day("from", "First day."),
        day("to", "Last day."),
        PARTNER,
        choice("kind", "Kind of entry.", tuple(EntryKind)),
        integer("limit", "Entries per page.", low=1, high=1_000, default=PAGE, example=10),
        integer(
            "offset",
            "Entries to skip; prefer `after` for distant pages.",
            low=0,
            high=MAX_OFFSET,
            default=0,
        ),
        integer("after", "Only entries with a greater id.", low=0, high=ID_MAX, default=0),
    )
)

routes = router("fund")
writes = write_router("fund")


@routes.get(
    "/fund",
    summary="Report the fund by partner, year, funding level, action line or territory",
    response_model=FundAnswer,
    responses=failures(422),
    openapi_extra=REPORT_QUERY.openapi,
)
def report(request: Request) -> Response:
    """Return contributed, matched, unmatched, committed, paid and available amounts, and the balance.

    Amounts are integer cents. Requires the database.
    """
    values = REPORT_QUERY.read(request.scope["query_string"])
    service = app_state(request)
    current = service.current()
    grouping = values.get("by", By.YEAR.value)
    by = By(grouping) if grouping in list(By) else TerritoryKind(grouping)
    with service.connect() as connection:
        found = ledger_reports.report(
            connection, by, year=values.get("year"), territory=current.view.snapshot.territory
        )
        balance = ledger.balance(connection)
        closed = ledger.last_close(connection)
    content = {
        "by": by,
        "by_label": by.label,
        "year": found.year,
        "closed_until": closed,
        "balance": asdict(balance),
        "lines": [line_to_dict(line) for line in found.lines],
        "total": line_to_dict(found.total),
    }
    return figures_response(request, current, content, fictif=found.fictif)


def line_to_dict(line: Line) -> dict[str, object]:
    """Return a line of a report as a JSON-serialisable dict, per inhabitant too; integer cents."""
    shares = {name: line.per_inhabitant(name) for name in MEASURES}
    return {
        "key": line.key,
        "name": line.name,
        **{name: getattr(line, name) for name in MEASURES},
        "leverage_percent": None if line.leverage is None else int(line.leverage * 100),
        "population": line.population,
        "per_inhabitant": None
        if line.population is None
        else {name: None if share is None else int(share * 100) for name, share in shares.items()},
        "fictif": line.fictif,
    }


@routes.get(
    "/fund/ledger",
    summary="List ledger entries in posting order",
    response_model=LedgerAnswer,
    responses=failures(401, 403, 422, not_modified=False),
    openapi_extra={**LEDGER_QUERY.openapi, **TOKEN_REQUIRED},
)
def entries(request: Request) -> Response:
    """Return ledger entries with their author. Requires a token with scope `ledger`, and the database."""
    values = LEDGER_QUERY.read(request.scope["query_string"])
    limit, offset = values.get("limit", PAGE), values.get("offset", 0)
    wanted = EntryFilter(
        first=values.get("from", date.min),
        last=values.get("to", date.max),
        partner_code=values.get("partner"),
        kind=EntryKind(values["kind"]) if "kind" in values else None,
        after=values.get("after", 0),
    )
    with app_state(request).connect() as connection:
        active_token(connection, request_secret(request), Scope.LEDGER)
        found = find_entries(connection, wanted, limit=offset + limit + 1)[offset:]
        balance = ledger.balance(connection)
    links = [_link(request, "self", values)]
    if len(found) > limit:
        others = {name: value for name, value in values.items() if name != "offset"}
        links.append(_link(request, "next", {**others, "after": found[limit - 1].id}))
    content = {
        "limit": limit,
        "offset": offset,
        "links": links,
        "balance": asdict(balance),
        "entries": [entry_to_dict(entry) for entry in found[:limit]],
    }
    return Response(orjson.dumps(content), media_type=JSON, headers={"Cache-Control": PRIVATE})


def _link(request: Request, rel: str, values: Mapping[str, Any]) -> dict[str, str]:
    return {"rel": rel, "href": f"{request.scope['path']}?{urlencode(values)}", "type": JSON}


def entry_to_dict(entry: Entry) -> dict[str, object]:
    """Return an entry as a JSON-serialisable dict."""
    return {**asdict(entry), "kind_label": entry.kind.label}


POSTED: Final[dict[str, Any]] = {
    "status_code": 201,
    "response_model": PostedAnswer,
    "responses": {
        200: {"model": PostedAnswer, "description": "Already posted, with the same content."},
        **failures(400, 401, 403, 409, 413, 415, 422, not_modified=False),
    },
}


@writes.post("/fund/contributions", summary="Post a contribution with the Département's match", **POSTED)
def post_contribution(
    request: Request, token: FundToken, context: FundContext, body: ContributionBody
) -> Response:
    """Post money received from a partner. Idempotent. Requires a token with scope `fund`."""
    return _post(request, token, body)


@writes.post("/fund/commitments", summary="Commit money to an action line", **POSTED)
def post_commitment(
    request: Request, token: FundToken, context: FundContext, body: CommitmentBody
) -> Response:
    """Set aside part of the available money. Idempotent. Requires a token with scope `fund`."""
    return _post(request, token, body)


@writes.post("/fund/releases", summary="Release part of a commitment", **POSTED)
def post_release(request: Request, token: FundToken, context: FundContext, body: ReleaseBody) -> Response:
    """Make committed money available again. Idempotent. Requires a token with scope `fund`."""
    return _post(request, token, body)


@writes.post("/fund/payments", summary="Pay out of a commitment", **POSTED)
def post_payment(request: Request, token: FundToken, context: FundContext, body: PaymentBody) -> Response:
    """Pay at most what is left of a commitment. Idempotent. Requires a token with scope `fund`."""
    return _post(request, token, body)


@writes.post("/fund/reversals", summary="Reverse an entry", **POSTED)
def post_reversal(request: Request, token: FundToken, context: FundContext, body: ReversalBody) -> Response:
    """Cancel an entry by its opposite, once. Idempotent. Requires a token with scope `fund`."""
    return _post(request, token, body)


def _post(request: Request, token: Token, body: PostingBody) -> Response:
    with app_state(request).connect() as connection, connection.begin():
        try:
            posted = fund_postings.post(connection, body.order(), actor=token.name)
        except UnknownEntry as unknown:
            name = "reverses" if isinstance(body, ReversalBody) else "commitment"
            raise refuse(name, getattr(body, name), str(unknown)) from None
    content = {
        "entry": entry_to_dict(posted.entry),
        "match": None if posted.match is None else entry_to_dict(posted.match),
        "balance": asdict(posted.balance),
    }
    return write_response(content, new=posted.new)


@writes.post(
    "/fund/close",
    summary="Close the accounts up to a day",
    status_code=201,
    response_model=CloseAnswer,
    responses=failures(400, 401, 403, 409, 413, 415, 422, not_modified=False),
)
def close(request: Request, token: FundToken, body: CloseBody) -> Response:
    """Refuse further entries dated in the period. Irreversible. Requires a token with scope `fund`."""
    with app_state(request).connect() as connection, connection.begin():
        ledger.close(connection, body.until, actor=token.name)
    return write_response({"until": body.until})
