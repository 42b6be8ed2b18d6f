"""Routes to follow and cancel background jobs."""

from __future__ import annotations

import logging
import re
from typing import Annotated, Final

import orjson
from fastapi import Path, Request
from fastapi.responses import Response

from api.openapi import failures
from api.parameters import Query
from api.planning_schemas import JobAnswer
from api.responses import JSON
from api.routing import router
from api.service import app_state
from geo.errors import UnknownJob
from geo.store import jobs

NO_PARAMETERS: Final = Query()
NOT_STORED: Final = {"Cache-Control": "no-store"}
_IDENTIFIER: Final = re.compile(r"[0-9a-f]{32}")

JobId = Annotated[str, Path(description="Identifier of the job.", examples=["0" * 32])]

log = logging.getLogger("portee.api")
routes = router("siting")


@routes.get(
    "/jobs/{job_id}",
    summary="Get the progress and result of a job",
    response_model=JobAnswer,
    responses=failures(404, 422, not_modified=False),
)
def job(request: Request, job_id: JobId) -> Response:
    """Return the state, the progress and, once `done`, the result of a job. Requires the database."""
    NO_PARAMETERS.read(request.scope["query_string"])
    known = job_identifier(job_id)
    with app_state(request).connect() as connection:
        found = jobs.find(connection, known)
    content = {
        "id": found.id,
        "kind": found.kind,
        "state": found.state,
        "progress": round(found.progress, 3),
        "message": found.message,
        "asked_at": found.asked_at,
        "ended_at": found.ended_at,
        "result": found.result,
    }
    return Response(orjson.dumps(content), media_type=JSON, headers=NOT_STORED)


@routes.delete(
    "/jobs/{job_id}",
    summary="Cancel a job",
    status_code=204,
    response_class=Response,
    responses=failures(404, 422, not_modified=False),
)
def cancel(request: Request, job_id: JobId) -> Response:
    """Cancel a queued or running job, for every client that follows it. Ended jobs are unchanged."""
    NO_PARAMETERS.read(request.scope["query_string"])
    known = job_identifier(job_id)
    with app_state(request).connect() as connection, connection.begin():
        jobs.cancel(connection, known)
    log.info("Job %s cancelled", known)
    return Response(status_code=204, headers=NOT_STORED)


def job_identifier(job_id: str) -> str:
    """Validate the job identifier of a path.

    Raises
    ------
    UnknownJob
        If it is malformed.
    """
    if not _IDENTIFIER.fullmatch(job_id):
        raise UnknownJob(
            f"« {job_id[:60]} » n'est pas l'identifiant d'un calcul.",
            "Il est donné en réponse à la question posée.",
        )
    return job_id
