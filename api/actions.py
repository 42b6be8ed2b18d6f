"""Routes of actions: list with totals, public; saved with a token.

Counts of people are withheld in each action; totals of a commune or the département are under
disclosure control (`geo.services.action_reports`). A token with scope `actions` lifts both.
"""

from __future__ import annotations

from typing import Final

from fastapi import Request
from fastapi.responses import Response

from api.auth import TOKEN_OPTIONAL, ActionToken, has_full_access
from api.funding_bodies import ActionBody
from api.funding_parameters import YEAR, commune, word
from api.funding_responses import restricted_response, write_response
from api.funding_schemas import ActionAnswer, ActionsAnswer
from api.openapi import failures
from api.parameters import MAX_OFFSET, Query, cut, integer
from api.problems import FieldProblem, Refused
from api.responses import JSON, page_links
from api.routing import router, write_router
from api.service import app_state
from geo.errors import InvalidAction
from geo.funding import disclosure_control
from geo.funding.action_kinds import Kinds
from geo.funding.actions import Action, Total, totals
from geo.services.action_reports import is_publishable
from geo.sites.model import Issue
from geo.store import actions as stored
from geo.store.tokens import Scope

PAGE: Final = 100
LIST_QUERY: Final = Query(
    (
        word("kind", "Code of an action kind."),
        YEAR,
        commune("INSEE code of the commune of the actions."),
        integer("limit", "Actions per page.", low=1, high=1_000, default=PAGE, example=10),
        integer("offset", "Actions to skip.", low=0, high=MAX_OFFSET, default=0),
    )
)
_MEMBERS: Final = {"partner": "partner_code", "site": "site_id", "amount": "amount_cents"}
"""Columns of files → members of a body, where they differ."""

routes = router("actions")
writes = write_router("actions")


@routes.get(
    "/actions",
    summary="List actions, with totals",
    response_model=ActionsAnswer,
    responses=failures(401, 403, 422),
    openapi_extra={**LIST_QUERY.openapi, **TOKEN_OPTIONAL},
)
def actions(request: Request) -> Response:
    """Return actions by date and reference, with totals over all matching actions.

    An action belongs to the year it starts in. Without a token of scope `actions`, counts of people are
    null in each action, and small totals are withheld. Requires the database.
    """
    values = LIST_QUERY.read(request.scope["query_string"])
    limit, offset = values.get("limit", PAGE), values.get("offset", 0)
    kind, year, code = values.get("kind"), values.get("year"), values.get("commune")
    service = app_state(request)
    current, kinds = service.current(), service.kinds
    with service.connect() as connection:
        exact = has_full_access(request, connection, Scope.ACTIONS)
        of_kind = stored.list_(connection, kind=kind)
    found = [a for a in of_kind if (not year or a.day.year == year) and (not code or a.commune == code)]
    territory = current.view.snapshot.territory
    filters = {name: value for name, value in values.items() if name not in ("limit", "offset")}
    content = {
        "total": len(found),
        "limit": limit,
        "offset": offset,
        "links": page_links(request, filters, len(found), limit, offset, JSON),
        "kind": kind,
        "year": year,
        "commune": code,
        "threshold": None if exact else disclosure_control.THRESHOLD,
        "amount_cents": sum(action.amount_cents for action in found),
        "totals": [
            total_to_dict(
                each,
                published=exact or is_publishable(each, kinds, of_kind, territory, year=year, commune=code),
            )
            for each in totals(found, kinds)
        ],
        "actions": [action_to_dict(each, kinds, exact=exact) for each in found[offset : offset + limit]],
    }
    fictif = any(action.fictif for action in found)
    return restricted_response(request, current, content, fictif=fictif, exact=exact)


def total_to_dict(total: Total, *, published: bool) -> dict[str, object]:
    """Return a total as a JSON-serialisable dict."""
    return {
        "kind": total.kind,
        "name": total.name,
        "label": total.label,
        "unit": total.unit,
        "value": total.value if published else None,
        "withheld": not published,
        "actions": total.actions,
        "source": total.source,
        "hypothesis": total.hypothesis,
    }


def action_to_dict(action: Action, declared: Kinds, *, exact: bool) -> dict[str, object]:
    """Return an action as a JSON-serialisable dict; counts of people are null unless `exact`."""
    kind = declared.get(action.kind)
    secret = {m.name for m in kind.measures if m.secret} if kind else set(action.measures)
    hidden = set() if exact else secret & set(action.measures)
    return {
        **stored.action_to_dict(action),
        "kind_label": kind.label if kind else action.kind,
        "measures": {name: None if name in hidden else v for name, v in action.measures.items()},
        "withheld": bool(hidden),
    }


@writes.post(
    "/actions",
    summary="Save an action",
    status_code=201,
    response_model=ActionAnswer,
    responses={
        200: {"model": ActionAnswer, "description": "Already saved, with the same content."},
        **failures(400, 401, 403, 409, 413, 415, 422, not_modified=False),
    },
)
def save(request: Request, token: ActionToken, body: ActionBody) -> Response:
    """Save an action with the measures that its kind declares.

    Saving the same content again changes nothing and returns 200. Requires a token with scope `actions`.
    """
    service = app_state(request)
    departement = service.current().view.snapshot.territory.code
    with service.connect() as connection, connection.begin():
        known = stored.action_references(connection, departement)
        try:
            new = stored.save(connection, body.action(), kinds=service.kinds, known=known, actor=token.name)
        except InvalidAction as problem:
            raise Refused([_issue_problem(issue) for issue in problem.issues]) from None
        saved = stored.find(connection, body.reference)
    return write_response({"action": action_to_dict(saved, service.kinds, exact=True)}, new=new)


def _issue_problem(issue: Issue) -> FieldProblem:
    """Return a finding of validation under the name of the member of the body."""
    name = _MEMBERS.get(issue.field, issue.field)
    path = name if name in ActionBody.model_fields else f"measures.{name[:60]}"
    return FieldProblem(path, cut(issue.value), f"{issue.reason} {issue.advice}".strip())
