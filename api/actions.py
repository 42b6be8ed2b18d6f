"""Actions: what was done, where and by whom, told to all; kept by bearers of a token.

Counts of persons are withheld action by action, and told as totals of a commune or the département,
settled for each kind and year as accounts do (`disclosure_control`). Bearers of a token with the scope
`actions` are told everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response

from api.fund import (
    COMMUNE,
    FICTIF,
    PAGE,
    PARTNER,
    REFERENCE,
    SITE,
    YEAR,
    Body,
    answered,
    cents,
    changed,
    commune,
    day,
    word,
    write_response,
)
from api.funding_schemas import ActionAnswer, ActionsAnswer
from api.openapi import failures
from api.parameters import MAX_OFFSET, Query, integer, text
from api.passes import may_see_all
from api.problems import FieldProblem, Refused
from api.rendered_snapshot import CurrentView
from api.responses import JSON, page_links
from api.routing import router
from api.service import app_state
from geo.errors import InvalidAction
from geo.funding import disclosure_control
from geo.funding.account import persons_of_actions
from geo.funding.actions import TEXT_MAX, Action, Kinds, Total, totals
from geo.sites.model import Issue
from geo.store import actions as stored
from geo.store.database import Connection
from geo.store.tokens import Scope
from geo.territory.model import Territory, TerritoryKind

LISTED: Final = Query(
    (
        word("kind", "Code of an action kind."),
        YEAR,
        commune("INSEE code of the commune of the actions."),
        integer("limit", "Actions per page.", low=1, high=1_000, default=PAGE, example=10),
        integer("offset", "Actions to skip.", low=0, high=MAX_OFFSET, default=0),
    )
)
SAVED: Final = Body(
    Query(
        (
            REFERENCE,
            word("kind", "Code of its kind, which says what it measures."),
            day("day", "The day it was done, or began."),
            day("until", "Last day, when it lasted."),
            text("title", "What it was.", max_length=TEXT_MAX),
            COMMUNE,
            PARTNER,
            SITE,
            cents("amount_cents", "What it cost, whole cents.", least=0),
            FICTIF,
        )
    ),
    ("reference", "kind", "day", "commune"),
    {
        "measures": {
            "type": "object",
            "description": "What its kind measures, by name.",
            "additionalProperties": {"type": ["integer", "number", "string", "null"]},
        }
    },
)
_NAMES: Final = {"partner": "partner_code", "site": "site_id", "amount": "amount_cents"}
"""Columns of files → members of a body."""

routes = router("actions")


@routes.get(
    "/actions",
    summary="List actions, with totals",
    response_model=ActionsAnswer,
    responses=failures(401, 403, 422),
    openapi_extra=LISTED.openapi,
)
def actions(request: Request) -> Response:
    """Return actions by date and reference, with totals over all matching actions.

    An action belongs to the year it starts in. Without a token of scope `actions`, counts of people are
    null in each action, and small totals are withheld. Requires the database.
    """
    values = LISTED.read(request.scope["query_string"])
    limit, offset = values.get("limit", PAGE), values.get("offset", 0)
    kind, year, code = values.get("kind"), values.get("year"), values.get("commune")
    service = app_state(request)
    current, kinds = service.current(), service.kinds
    with service.connect() as connection:
        exact = may_see_all(request, connection, Scope.ACTIONS)
        of_kind = stored.list_(connection, kind=kind)
    found = [a for a in of_kind if (not year or a.day.year == year) and (not code or a.commune == code)]
    asked = {name: value for name, value in values.items() if name not in ("limit", "offset")}
    content = {
        "total": len(found),
        "limit": limit,
        "offset": offset,
        "links": page_links(request, asked, len(found), limit, offset, JSON),
        "kind": kind,
        "year": year,
        "commune": code,
        "threshold": None if exact else disclosure_control.THRESHOLD,
        "amount_cents": sum(action.amount_cents for action in found),
        "totals": [
            total_to_dict(
                each,
                exact or _is_published(each, kinds, of_kind, current.view.snapshot.territory, year, code),
            )
            for each in totals(found, kinds)
        ],
        "actions": [action_to_dict(each, kinds, exact=exact) for each in found[offset : offset + limit]],
    }
    response = answered(request, current, content, fictif=any(action.fictif for action in found))
    response.headers["Vary"] = "Authorization"
    if exact:
        response.headers["Cache-Control"] = "private, no-store"
    return response


def _is_published(
    total: Total,
    kinds: Kinds,
    actions: Iterable[Action],
    territory: Territory,
    year: int | None,
    code: str | None,
) -> bool:
    """Whether a total of a commune, or of the département, may be told; over years: of each of them."""
    if not total.secret:
        return True
    derived = {each.name: each.of for each in kinds[total.kind].derived}
    measure = derived.get(total.name, total.name)
    place = (TerritoryKind.DEPARTEMENT, territory.code) if code is None else (TerritoryKind.COMMUNE, code)
    own = [a for a in actions if a.kind == total.kind and a.commune in territory.own_codes]
    for each in [year] if year is not None else sorted({a.day.year for a in own}):
        persons = persons_of_actions(own, kinds[total.kind], each)
        if disclosure_control.published_together(persons, territory).get((*place, measure)) is None:
            return False
    return True


def total_to_dict(total: Total, told: bool) -> dict[str, object]:
    """A total as answers tell it."""
    return {
        "kind": total.kind,
        "name": total.name,
        "label": total.label,
        "unit": total.unit,
        "value": total.value if told else None,
        "withheld": not told,
        "actions": total.actions,
        "source": total.source,
        "hypothesis": total.hypothesis,
    }


def action_to_dict(action: Action, declared: Kinds, *, exact: bool) -> dict[str, object]:
    """An action as answers tell it; `exact`: with what counts persons."""
    kind = declared.get(action.kind)
    secret = {m.name for m in kind.measures if m.secret} if kind else set(action.measures)
    hidden = set() if exact else secret & set(action.measures)
    return {
        **stored.action_to_dict(action),
        "kind_label": kind.label if kind else action.kind,
        "measures": {name: None if name in hidden else v for name, v in action.measures.items()},
        "withheld": bool(hidden),
    }


@routes.post(
    "/actions",
    summary="Keep an action",
    status_code=201,
    response_model=ActionAnswer,
    responses={
        200: {"model": ActionAnswer, "description": "It was kept already, with the same content."},
        **failures(400, 401, 403, 409, 413, 415, 422, not_modified=False),
    },
    openapi_extra=SAVED.openapi,
)
async def save(request: Request) -> Response:
    """Something done somewhere, with what its kind measures.

    The same again changes nothing and answers 200. Needs a token with scope `actions`.
    """
    kinds = app_state(request).kinds

    def change(connection: Connection, body: dict[str, Any], actor: str, current: CurrentView) -> Response:
        wanted = _read(body)
        known = stored.action_references(connection, current.view.snapshot.territory.code)
        try:
            new = stored.save(connection, wanted, kinds=kinds, known=known, actor=actor)
        except InvalidAction as problem:
            raise Refused(_problems(problem)) from None
        kept = stored.find(connection, wanted.reference)
        return write_response({"action": action_to_dict(kept, kinds, exact=True)}, new=new)

    return await changed(request, Scope.ACTIONS, change)


def _read(body: Mapping[str, Any]) -> Action:
    read = SAVED.read(body)
    measures = body.get("measures")
    if not isinstance(measures, dict | None):
        read.wrong("measures", measures, "« measures » doit être un objet JSON.")
        measures = None
    told = {name: value for name, value in (measures or {}).items() if value is not None}
    read.done()
    fictif = read.values.get("fictif") == "true"
    return Action(**{**read.values, "measures": told, "fictif": fictif})


def _problems(problem: InvalidAction) -> list[FieldProblem]:
    """All that is wrong with an action, under the names of the body."""
    told = []
    for issue in problem.issues:
        assert isinstance(issue, Issue)  # noqa: S101 - what `InvalidAction` holds
        plain = {p.name for p in SAVED.query.parameters}
        name = _NAMES.get(issue.field, issue.field)
        path = name if name in plain else f"measures.{name[:60]}"
        told.append(FieldProblem(path, issue.value[:100], f"{issue.reason} {issue.advice}".strip()))
    return told
