"""Health routes: liveness and readiness."""

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
    """Return 200 as long as the process answers."""
    return Response(b'{"status":"ok"}', media_type=JSON, headers=NOT_STORED)


async def readyz(request: Request) -> Response:
    """Return 200 if a snapshot is loaded, 503 otherwise.

    If the database becomes unavailable the status stays 200, and the body gives `degraded` and the age
    of the last snapshot: all workers lose the database at once, so removing them from the load
    balancer would replace slightly old answers with no answers at all.
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
    """Return both health routes, under a prefix or at the root (not documented there)."""
    routes = router("health", prefix, described=bool(prefix))
    routes.get("/healthz", summary="Liveness check", response_model=Alive)(healthz)
    unready = failures(not_modified=False)[503]
    routes.get("/readyz", summary="Readiness check", response_model=Ready, responses={503: unready})(readyz)
    return routes
