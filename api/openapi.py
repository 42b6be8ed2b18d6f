"""How routes are described in OpenAPI: their failures, and what FastAPI cannot see by itself."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from api import problems
from api.schemas import (
    CoverageCollection,
    EvaluationBody,
    GapCollection,
    Problem,
    ScenarioBody,
    SitingBody,
)

DESCRIPTION = """\
Sites of digital help in a French département: where they are, how far, and who is out of reach.

* Geometry is GeoJSON in WGS 84, longitude first. Distances are metres; codes are text.
* Travel times are by road where a road graph is loaded, else estimated from straight lines: `method`
  says which. Distances are straight lines times a stated detour factor, not journeys by road.
* Every answer says its sources, licences, vintage and the version of the data in `meta`; show
  `meta.attribution`, and `meta.notice` and `meta.stale` when they are not null.
* Answers bear a weak `ETag`: ask again with `If-None-Match` and receive 304 while nothing changed.
* Failures are `application/problem+json` (RFC 9457); `detail` is a French sentence fit for readers.
"""

TAGS = [
    {"name": "sites", "description": "Places of digital help, in the words of the national standard."},
    {"name": "territories", "description": "Communes and their groupings."},
    {"name": "places", "description": "Where somebody says they are, by what they typed."},
    {"name": "coverage", "description": "Travel times, people within reach, gaps, isochrones."},
    {"name": "siting", "description": "Where the next sites should open, and the jobs that compute it."},
    {"name": "scenarios", "description": "What if sites opened, closed, moved or kept other hours."},
    {"name": "trend", "description": "The same question asked of dated states of the data."},
    {"name": "partners", "description": "Who gives and who acts: the fund's partners and the local network."},
    {"name": "fund", "description": "What was given, matched, set aside and paid; its ledger."},
    {"name": "passes", "description": "Pass Numérique given and used, and where none can be used."},
    {"name": "actions", "description": "Equipment, training, refurbishing, events."},
    {"name": "imports", "description": "Where the sites come from, and what was found wrong."},
    {"name": "health", "description": "For those who run the service."},
]

ONLY_REFERRED_TO = (
    *(Problem, CoverageCollection, GapCollection),
    *(SitingBody, EvaluationBody, ScenarioBody),
)
"""Models that are no route's own answer, and that FastAPI therefore does not see."""

_DETAILS = {
    404: "Aucun lieu ne porte l'identifiant « demo--0 ».",
    422: "« k » doit être un nombre entier entre 1 et 50 ; reçu : « 99 ».",
}
_MEANINGS = {
    304: "Not modified: the representation named by `If-None-Match` is current.",
    400: "The body is no JSON.",
    401: "A token is needed (`Authorization: Bearer …`).",
    403: "The token is not in force, or does not bear the scope.",
    404: "There is no such thing.",
    409: "It contradicts what is kept, or its name or reference is taken.",
    413: "The body is too large.",
    415: "The body does not say that it is JSON.",
    422: "A parameter cannot be used; `errors` names each.",
    429: "Asked too often; `Retry-After` says in how many seconds to ask again.",
    500: "A fault of the service.",
    503: "Nothing to answer from: the database does not answer.",
}


def failures(*statuses: int, not_modified: bool = True) -> dict[int | str, dict[str, Any]]:
    """The answers other than success a route may give; 500 and 503 always among them."""
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
    """The OpenAPI document of an application, made once."""
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
            [(model, "serialization") for model in ONLY_REFERRED_TO],
            ref_template="#/components/schemas/{model}",
        )
        schemas = added["$defs"] | document["components"]["schemas"]
        document["components"]["schemas"] = dict(sorted(schemas.items()))
        app.openapi_schema = document
    return app.openapi_schema
