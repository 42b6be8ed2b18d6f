"""Health: does the process live, and has it something to answer from."""

from __future__ import annotations

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.openapi import failures
from api.responses import JSON
from api.routing import router
from api.schemas import Alive, Ready
from api.service import app_state

NOT_STORED = {"Cache-Control": "no-store"}


async def healthz(request: Request) -> Response:
    """Always 200 while the process answers at all."""
    return Response(b'{"status":"ok"}', media_type=JSON, headers=NOT_STORED)


async def readyz(request: Request) -> Response:
    """200 with a snapshot to answer from, 503 without.

    When the database goes away the status stays 200 and the body says `degraded` with the age of
    the last snapshot: all workers lose the database at once, and a balancer that took every one of
    them out would turn answers that are a little old into no answers.
    """
    current = app_state(request).current()
    body = {
        "status": "ok" if current.database_ok else "degraded",
        "database_ok": current.database_ok,
        "snapshot": current.view.snapshot.version,
        "age_s": current.age_s,
        "message": "Le service répond avec des données à jour."
        if current.database_ok
        else current.stale["message"],
    }
    return Response(orjson.dumps(body), media_type=JSON, headers=NOT_STORED)


def health_routes(prefix: str) -> APIRouter:
    """Both questions, under the API's prefix or, for those who ask there, at the root."""
    routes = router("health", prefix, described=bool(prefix))
    routes.get("/healthz", summary="Does the process live?", response_model=Alive)(healthz)
    unready = failures(not_modified=False)[503]
    routes.get("/readyz", summary="Can it answer?", response_model=Ready, responses={503: unready})(readyz)
    return routes
