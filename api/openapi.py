"""OpenAPI document: error responses of routes, and models that FastAPI does not find by itself."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from api import problems
from api.coverage_schemas import CoverageCollection, GapCollection
from api.schemas import Problem

DESCRIPTION = """\
Sites of digital help in a French département: where they are, how far, and who is out of reach.

* Geometry is GeoJSON in WGS 84, longitude first. Distances are metres; codes are text.
* Travel times follow the road graph when one is loaded; otherwise they are estimated from straight
  lines. `method` gives which. Distances are straight lines times a detour factor, not road journeys.
* Every answer gives its sources, licences, vintage and data version in `meta`; display
  `meta.attribution`, and `meta.notice` and `meta.stale` when they are not null.
* Answers carry a weak `ETag`: send it back in `If-None-Match` to receive 304 until the data change.
* Failures are `application/problem+json` (RFC 9457); `detail` is a French sentence that can be
  shown to end users.
"""

TAGS = [
    {"name": "sites", "description": "Places of digital help, in the words of the national standard."},
    {"name": "corrections", "description": "Values set over the sources; sites closed and opened again."},
    {"name": "territories", "description": "Communes and their groupings."},
    {"name": "places", "description": "Search for an address, a street or a commune."},
    {"name": "coverage", "description": "Travel times, population within reach, gaps, isochrones."},
    {"name": "siting", "description": "Optimal locations of new sites, and the jobs that compute them."},
    {"name": "scenarios", "description": "What-if: open, close or move sites, or change their hours."},
    {"name": "trend", "description": "Coverage measured on dated snapshots of the data."},
    {"name": "partners", "description": "Partners of the fund and members of the local network."},
    {
        "name": "fund",
        "description": "Contributions, match, commitments and payments of the fund; its ledger.",
    },
    {"name": "passes", "description": "Pass Numérique: orders, use, and areas without an accepting site."},
    {"name": "actions", "description": "Funded actions: equipment, training, refurbishing, events."},
    {"name": "imports", "description": "Import runs and their validation reports."},
    {"name": "health", "description": "Health checks for operators."},
]

REFERENCED_ONLY = (Problem, CoverageCollection, GapCollection)
"""Models that are not the response model of a route, and that FastAPI therefore does not see."""

_DETAILS = {
    404: "Aucun lieu ne porte l'identifiant « demo--0 ».",
    422: "« k » doit être un nombre entier entre 1 et 50 ; reçu : « 99 ».",
}
_MEANINGS = {
    304: "Not modified: the ETag in `If-None-Match` is current.",
    400: "The body is not valid JSON.",
    401: "A token is required (`Authorization: Bearer …`).",
    403: "Token expired, revoked or lacking the scope.",
    404: "Not found.",
    409: "Conflict with stored data: name or reference already used, or insufficient balance.",
    413: "The body is too large.",
    415: "The `Content-Type` is not `application/json`.",
    422: "Invalid parameters or body; `errors` lists each problem.",
    429: "Too many requests; `Retry-After` gives the delay in seconds.",
    500: "Internal error.",
    503: "Database unavailable, or no data loaded yet.",
}


def failures(*statuses: int, not_modified: bool = True) -> dict[int | str, dict[str, Any]]:
    """Return the documented error responses of a route; 500 and 503 are always included."""
    described: dict[int | str, dict[str, Any]] = {}
    if not_modified:
        described[304] = {"description": _MEANINGS[304]}
    for status in (*statuses, 500, 503):
        example: dict[str, Any] = {
            "type": "about:blank",
            "title": problems.TITLES[status],
            "status": status,
            "detail": _DETAILS.get(status, problems.DETAILS.get(status, "")),
            "instance": "/api/v1/…",
            "request_id": "5f0c9a1be2d34c77",
        }
        if status == 422:
            example["errors"] = [{"parameter": "k", "value": "99", "detail": _DETAILS[422]}]
        described[status] = {
            "description": _MEANINGS[status],
            "content": {
                problems.MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": example,
                }
            },
        }
    return described


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of an application, computed once."""
    if not app.openapi_schema:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=app.openapi_tags,
            license_info=app.license_info,
        )
        _, added = models_json_schema(
            [(model, "serialization") for model in REFERENCED_ONLY],
            ref_template="#/components/schemas/{model}",
        )
        schemas = added["$defs"] | document["components"]["schemas"]
        document["components"]["schemas"] = dict(sorted(schemas.items()))
        app.openapi_schema = document
    return app.openapi_schema
