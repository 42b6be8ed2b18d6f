"""Route of siting: the question is computed as a job, followed under `/jobs`."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import orjson
from fastapi import Request
from fastapi.responses import Response

from api.body_context import SnapshotContext
from api.coverage_question import coverage_question
from api.openapi import failures
from api.planning_bodies import SitingBody
from api.planning_schemas import JobAsked
from api.responses import JSON
from api.routing import PREFIX, write_router
from api.service import app_state
from geo.coverage.where_next import Model, SitingQuestion
from geo.services import siting as siting_service
from geo.store.jobs import JobState

DEFAULT_SITES: Final = 3

routes = write_router("siting")


@routes.post(
    "/siting",
    summary="Start a siting computation",
    status_code=202,
    response_model=JobAsked,
    responses={
        200: {"model": JobAsked, "description": "Already computed: the result is at `href`."},
        **failures(400, 413, 415, 422, not_modified=False),
    },
)
def siting(request: Request, context: SnapshotContext, body: SitingBody) -> Response:
    """Queue the computation, unless the same question is already queued, running or computed.

    The question includes the data version and the current day; "maintenant" means the minute of the
    request.
    """
    view = context.current.view
    moment = view.clock()
    snapshot = view.snapshot
    question = siting_question(body, moment)
    siting_service.require_answerable(question, snapshot)
    with app_state(request).connect() as connection, connection.begin():
        job = siting_service.ask(connection, question, moment, snapshot.version)
    href = f"{PREFIX}/jobs/{job.id}"
    return Response(
        orjson.dumps({"id": job.id, "state": job.state, "href": href}),
        status_code=200 if job.state is JobState.DONE else 202,
        media_type=JSON,
        headers={"Location": href, "Cache-Control": "no-store"},
    )


def siting_question(body: SitingBody, moment: datetime) -> SitingQuestion:
    """Return the question of a body; `moment` is what the slot "maintenant" means.

    Members that the model ignores get their default, so that they do not make another question.
    """
    tour = body.model is Model.TOUR
    return SitingQuestion(
        question=coverage_question(body.question, moment),
        model=body.model,
        p=body.p if body.model in (Model.MAXIMAL_COVERAGE, Model.P_MEDIAN) else DEFAULT_SITES,
        within_min=body.within_min,
        candidates=tuple(each.candidate() for each in body.candidates or ()),
        half_days=body.half_days if tour else (),
        base=body.base if tour else "",
        time_limit_s=body.time_limit_s,
    )
