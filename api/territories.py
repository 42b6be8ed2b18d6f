"""Territories: communes and their groupings, with or without their boundaries."""

from __future__ import annotations

from typing import Annotated, Any, Final

import orjson
from fastapi import Path, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from api.openapi import failures
from api.parameters import KIND, Query, choice
from api.rendered_snapshot import CurrentView
from api.responses import answer, is_not_modified, snapshot_headers
from api.routing import router
from api.schemas import TerritoryAnswer, TerritoryCollection
from api.service import app_state
from api.sites import GeoJson
from geo.territory.model import Grouping, TerritoryKind

KINDS: Final = choice(
    "kind", "Level, when a code could be of several; else the smallest that has it.", tuple(TerritoryKind)
)


def geometry(default: str) -> Any:
    """Return the parameter that asks for boundaries."""
    return choice(
        "geometry",
        "Whether to send boundaries; without them `geometry` is null.",
        ("true", "false"),
        default=default,
    )


LISTED: Final = Query((KIND, geometry("false")))
FOUND: Final = Query((KINDS, geometry("true")))

Code = Annotated[
    str, Path(description="INSEE code, SIREN of an EPCI, or code of a grouping.", examples=["47001"])
]

routes = router("territories")


@routes.get(
    "/territories",
    summary="Communes, or groupings of one kind",
    response_model=TerritoryCollection,
    response_class=GeoJson,
    responses=failures(422),
    openapi_extra=LISTED.openapi,
)
async def territories(request: Request) -> Response:
    """All territories of one kind, sorted by code."""
    values = LISTED.read(request.scope["query_string"])
    current = app_state(request).current()
    kind = TerritoryKind(values.get("kind", TerritoryKind.COMMUNE))
    drawn = values.get("geometry") == "true"
    tag = snapshot_headers(request, current)["ETag"]

    def body() -> bytes:
        found = current.view.snapshot.territory.groupings_of(kind)
        features = b",".join(territory_feature(current, g, drawn=drawn) + b"}" for g in found)
        return b'{"type":"FeatureCollection","meta":%b,"features":[%b]}' % (current.meta(), features)

    if is_not_modified(request, tag):
        return answer(request, current, body)
    written = await run_in_threadpool(body)
    return answer(request, current, lambda: written)


@routes.get(
    "/territories/{code}",
    summary="One commune or grouping",
    response_model=TerritoryAnswer,
    response_class=GeoJson,
    responses=failures(404, 422),
    openapi_extra=FOUND.openapi,
)
async def territory(request: Request, code: Code) -> Response:
    """The territory with a code: communes first, then cantons, EPCI, arrondissements, département."""
    values = FOUND.read(request.scope["query_string"])
    current = app_state(request).current()
    kind = TerritoryKind(values["kind"]) if "kind" in values else None
    found = current.view.snapshot.territory.find(code, kind)
    drawn = values.get("geometry", "true") == "true"
    return answer(
        request,
        current,
        lambda: b'%b,"meta":%b}' % (territory_feature(current, found, drawn=drawn), current.meta()),
    )


def territory_feature(current: CurrentView, group: Grouping, *, drawn: bool) -> bytes:
    """Return a territory as a GeoJSON feature without its last brace."""
    properties: dict[str, object] = {
        "kind": group.kind,
        "kind_label": group.kind.label,
        "code": group.code,
        "name": group.name,
        "population": group.population,
        "partial": group.partial,
        "communes": group.communes,
    }
    if group.kind is TerritoryKind.COMMUNE:
        commune = current.view.snapshot.territory.commune_by_code[group.code]
        properties |= {
            "postal_codes": commune.postal_codes,
            "epci": commune.epci_code or None,
            "canton": commune.canton_code or None,
            "arrondissement": commune.arrondissement_code or None,
        }
    return b'{"type":"Feature","id":%b,"geometry":%b,"properties":%b' % (
        orjson.dumps(group.code),
        current.rendered.shape(group) if drawn else b"null",
        orjson.dumps(properties),
    )
