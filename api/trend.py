"""Trend: one question asked of the dated states of the data, and of the present one."""

from __future__ import annotations

from typing import Final

import orjson
from fastapi import Request
from fastapi.responses import Response

from api.coverage_question import QUESTION_PARAMETERS, coverage_question
from api.openapi import failures
from api.parameters import Query, choice
from api.planning_schemas import TrendAnswer
from api.responses import JSON
from api.routing import router
from api.service import app_state
from geo.coverage.measure import Question
from geo.services import trend as trend_service
from geo.services.coverage import question_to_dict, totals_to_dict
from geo.services.trend import TrendPoint
from geo.territory.model import TerritoryKind

PARAMETERS: Final = Query(
    (choice("kind", "Level of territory shown beside the whole.", tuple(TerritoryKind)), *QUESTION_PARAMETERS)
)

routes = router("trend")


@routes.get(
    "/trend",
    summary="The same question, from one dated state to the next",
    response_model=TrendAnswer,
    responses=failures(422, not_modified=False),
    openapi_extra=PARAMETERS.openapi,
)
def trend(request: Request) -> Response:
    """Totals of the territory for each dated state, and by territory when `kind` is given.

    Sites are those of each state; territory, people and roads are today's. Needs the database.
    """
    values = PARAMETERS.read(request.scope["query_string"])
    service = app_state(request)
    current = service.current()
    view = current.view
    question = coverage_question(values, view.clock())
    kind = TerritoryKind(values["kind"]) if "kind" in values else None
    content = orjson.dumps(
        {
            **question_to_dict(view.coverage(question)),
            "kind": kind,
            "snapshots": [
                _state_to_dict(state, question)
                for state in trend_service.trend(view, service.connect, question, kind)
            ],
        }
    )
    body = b'{"meta":%b,%b' % (current.meta(with_method=True), content[1:])
    return Response(body, media_type=JSON, headers={"Cache-Control": "no-cache"})


def _state_to_dict(state: TrendPoint, question: Question) -> dict[str, object]:
    return {
        "name": state.name,
        "day": state.day.isoformat(),
        **totals_to_dict(state.whole, question),
        "sites": state.whole.site_count,
        "territories": None
        if state.territories is None
        else [
            {"code": row.code, "name": row.name, **totals_to_dict(row, question), "sites": row.site_count}
            for row in state.territories
        ],
    }
