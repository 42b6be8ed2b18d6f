"""Routes of the Pass Numérique: statistics by territory, deserts; orders and events with a token.

Public counts of people are under disclosure control (`geo.services.pass_publication`); a token with
scope `passes` lifts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Final

import fastapi
from fastapi import Body, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from api.auth import TOKEN_OPTIONAL, PassToken, has_full_access
from api.body_context import PassContext
from api.coverage_question import MODE
from api.funding_bodies import EVENTS_MAX, PassEventBody, PassOrderBody
from api.funding_parameters import ORDER, YEAR, word
from api.funding_responses import restricted_response, write_response
from api.funding_schemas import DesertsAnswer, OrderAnswer, PassesAnswer, RecordedAnswer
from api.openapi import failures
from api.parameters import KIND, Query, integer, refuse
from api.pass_answers import deserts_to_dicts, order_to_dict, row_to_dict, standing_to_dict, total_to_dict
from api.request_model import Expected, Reference
from api.routing import router, write_router
from api.service import app_state
from geo.coverage.measure import Question
from geo.errors import UnknownEntry
from geo.funding import disclosure_control
from geo.funding.pass_reports import ACCEPTING, DESERT_MIN, by_territory, most_fragile
from geo.people.model import Indicator
from geo.reach.modes import Mode
from geo.services.pass_publication import publication
from geo.services.pass_recording import record_events
from geo.store import passes as stored
from geo.store.tokens import Scope
from geo.territory.model import TerritoryKind

EVENTS_MAX_BYTES: Final = 4 * 1024 * 1024
MINUTES_MAX: Final = 120

REPORT_QUERY: Final = Query(
    (
        KIND,
        YEAR,
        ORDER,
        word("fragility", "Code of a loaded indicator, used to select the most fragile communes."),
        MODE,
    )
)
DESERTS_QUERY: Final = Query(
    (
        integer(
            "within_min",
            "Travel time beyond which an accepting site is out of reach, minutes.",
            low=1,
            high=MINUTES_MAX,
            default=DESERT_MIN,
        ),
        YEAR,
        ORDER,
        MODE,
    )
)

routes = router("passes")
writes = write_router("passes")


@routes.get(
    "/passes",
    summary="Pass statistics by territory",
    response_model=PassesAnswer,
    responses=failures(401, 403, 404, 422),
    openapi_extra={**REPORT_QUERY.openapi, **TOKEN_OPTIONAL},
)
def report(request: Request) -> Response:
    """Return passes given, used and expired, delays, value, rates, and access to accepting sites.

    Without a token of scope `passes`, small counts of people, and counts from which they could be
    derived, are null and `withheld` is true. Requires the database.
    """
    values = REPORT_QUERY.read(request.scope["query_string"])
    service = app_state(request)
    current = service.current()
    with service.connect() as connection:
        exact = has_full_access(request, connection, Scope.PASSES)
        counts = stored.counts(connection)
    snapshot = current.view.snapshot
    indicator = _indicator(snapshot.indicators, values.get("fragility"))
    fragile = most_fragile(snapshot.territory, indicator) if indicator else frozenset()
    order, year = values.get("order"), values.get("year")
    found = by_territory(
        counts,
        snapshot.territory,
        TerritoryKind(values.get("kind", TerritoryKind.COMMUNE)),
        order=order,
        year=year,
        fragile=fragile if indicator else None,
        coverage=current.view.coverage(_question(values)),
        commune_of_site=snapshot.commune_of_site,
    )
    public = None if exact else publication(counts, snapshot.territory, order, year)
    members = {g.code: g.communes for g in snapshot.territory.groupings_of(found.kind)}
    content = {
        "kind": found.kind,
        "order": order,
        "year": year,
        "fragility": indicator.code if indicator else None,
        "threshold": None if exact else disclosure_control.THRESHOLD,
        "orders": [order_to_dict(each) for each in counts.orders],
        "whole": total_to_dict(found.whole, public),
        "untold": total_to_dict(found.untold, public),
        "territories": [
            row_to_dict(row, public, [code for code in members[row.code] if code in fragile])
            for row in found.rows
        ],
    }
    fictif = found.fictitious or snapshot.fictitious
    return restricted_response(request, current, content, fictif=fictif, exact=exact, method=True)


def _question(values: Mapping[str, Any]) -> Question:
    return Question(mode=Mode(values.get("mode", Mode.CAR)), filter=ACCEPTING)


def _indicator(loaded: tuple[Indicator, ...], code: str | None) -> Indicator | None:
    if code is None:
        return None
    for indicator in loaded:
        if indicator.code == code:
            return indicator
    codes = ", ".join(sorted(each.code for each in loaded)) or "aucun"
    raise refuse("fragility", code, f"Aucun indicateur chargé ne porte ce code ; chargés : {codes}.")


@routes.get(
    "/passes/deserts",
    summary="Pass deserts: communes without an accepting site within reach",
    response_model=DesertsAnswer,
    responses=failures(401, 403, 404, 422),
    openapi_extra={**DESERTS_QUERY.openapi, **TOKEN_OPTIONAL},
)
def deserts(request: Request) -> Response:
    """Return communes whose median travel time exceeds `within_min`, most passes first.

    Small counts of people are withheld, as in `/passes`; these communes come last. Requires the
    database.
    """
    values = DESERTS_QUERY.read(request.scope["query_string"])
    service = app_state(request)
    current = service.current()
    with service.connect() as connection:
        exact = has_full_access(request, connection, Scope.PASSES)
        counts = stored.counts(connection)
    order, year = values.get("order"), values.get("year")
    minutes = values.get("within_min", DESERT_MIN)
    question = _question(values)
    content = {
        "within_min": minutes,
        "mode": question.mode,
        "order": order,
        "year": year,
        "threshold": None if exact else disclosure_control.THRESHOLD,
        "deserts": deserts_to_dicts(
            counts, current.view, question, minutes=minutes, order=order, year=year, exact=exact
        ),
    }
    fictif = counts.fictitious or current.view.snapshot.fictitious
    return restricted_response(request, current, content, fictif=fictif, exact=exact, method=True)


@writes.post(
    "/passes/orders",
    summary="Save an order of passes",
    status_code=201,
    response_model=OrderAnswer,
    responses={
        200: {"model": OrderAnswer, "description": "Already saved, with the same content."},
        **failures(400, 401, 403, 409, 413, 415, 422, not_modified=False),
    },
)
def save_order(request: Request, token: PassToken, context: PassContext, body: PassOrderBody) -> Response:
    """Save an order: its passes, their funders and their validity.

    Saving the same content again changes nothing and returns 200. Requires a token with scope `passes`.
    """
    order = body.order()
    with app_state(request).connect() as connection, connection.begin():
        new = stored.order(connection, order, token.name)
        standing = stored.standing(connection, order.reference)
    return write_response({"order": order_to_dict(order), "standing": standing_to_dict(standing)}, new=new)


Events = Annotated[
    list[PassEventBody],
    Body(max_length=EVENTS_MAX),
    Expected(f"une liste de {EVENTS_MAX} événements au plus"),
]
PayingCommitment = Annotated[
    Reference | None, fastapi.Query(description="Reference of the commitment that pays reimbursements.")
]


@writes.post(
    "/passes/events",
    summary="Record events of passes",
    status_code=201,
    response_model=RecordedAnswer,
    responses={
        200: {"model": RecordedAnswer, "description": "All already recorded, with the same content."},
        **failures(400, 401, 403, 409, 413, 415, 422, not_modified=False),
    },
)
def record(
    request: Request,
    token: PassToken,
    context: PassContext,
    body: Events,
    commitment: PayingCommitment = None,
) -> Response:
    """Record up to 10,000 gifts, uses, expiries, reimbursements and corrections, all or none.

    Problems are reported with the index of the event, from 0. Requires a token with scope `passes`, and
    with scope `fund` too if reimbursements are paid from `commitment`.
    """
    if commitment is not None and Scope.FUND not in token.scopes:
        raise HTTPException(403)
    events = [each.event() for each in body]
    with app_state(request).connect() as connection, connection.begin():
        try:
            recorded = record_events(connection, events, actor=token.name, commitment=commitment)
        except UnknownEntry as problem:
            raise refuse("commitment", commitment, str(problem)) from None
    return write_response(asdict(recorded), new=recorded.new > 0 or not events)
