"""Coverage: travel time to sites, people and supply within reach, in every territory of one kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import orjson
from fastapi import Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from api.coverage_question import QUESTION_PARAMETERS, coverage_question, dated
from api.coverage_schemas import CoverageAnswer
from api.openapi import failures
from api.parameters import DIALECT, KIND, Query, choice, csv_dialect
from api.rendered_snapshot import CurrentView
from api.responses import GEOJSON, JSON, answer, is_not_modified, snapshot_headers
from api.routing import router
from api.service import app_state
from geo.coverage import export
from geo.coverage.measure import Coverage, Question
from geo.services.coverage import coverage_to_dict, territory_to_dict
from geo.tables_out import Dialect
from geo.territory.model import TerritoryKind

CSV: Final = "text/csv; charset=utf-8"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
GPKG: Final = "application/geopackage+sqlite3"
MEDIA_TYPES: Final = {"json": JSON, "geojson": GEOJSON, "csv": CSV, "xlsx": XLSX, "gpkg": GPKG}


def format_parameter(*formats: str) -> Any:
    """Return the parameter `format` of a route that answers in some of `MEDIA_TYPES`."""
    return choice(
        "format",
        "Form of the answer; `Accept: application/geo+json` stands for `geojson`.",
        formats,
        default="json",
    )


def negotiated_format(request: Request, values: dict[str, Any]) -> str:
    """Return the format a request asks for, by `format` or by Accept."""
    given: str | None = values.get("format")
    return given or ("geojson" if GEOJSON in request.headers.get("accept", "") else "json")


def described_files(*formats: str) -> dict[str, Any]:
    """Return the OpenAPI description of file formats, by media type."""
    return {
        MEDIA_TYPES[f].split(";")[0]: {"schema": _FILE_SCHEMAS.get(f, {"type": "string", "format": "binary"})}
        for f in formats
    }


_FILE_SCHEMAS: Final = {"csv": {"type": "string"}, "geojson": {"type": "object"}}
"""Schema of a file whose media type is text or JSON; others are binary."""


PARAMETERS: Final = Query(
    (KIND, format_parameter("json", "geojson", "csv", "xlsx", "gpkg"), DIALECT, *QUESTION_PARAMETERS)
)

routes = router("coverage")


@routes.get(
    "/coverage",
    summary="Travel time, people and supply within reach, territory by territory",
    response_model=CoverageAnswer,
    responses={
        200: {
            "content": {
                GEOJSON: {"schema": {"$ref": "#/components/schemas/CoverageCollection"}},
                **described_files("csv", "xlsx", "gpkg"),
            }
        },
        **failures(422),
    },
    openapi_extra=PARAMETERS.openapi,
)
async def coverage(request: Request) -> Response:
    """Times to the nearest suitable site, people within them, accessible supply, hours, gap, equity.

    The question (mode, filters, slot, thresholds, population, weights, supply, decay) is returned
    as it was understood. Sites across the border serve, but are not counted in `site_count`.
    """
    values = PARAMETERS.read(request.scope["query_string"])
    current = app_state(request).current()
    moment = current.view.clock()
    question = coverage_question(values, moment)
    kind = TerritoryKind(values.get("kind", TerritoryKind.COMMUNE))
    format_ = negotiated_format(request, values)
    dialect, mark = csv_dialect(values)
    variant = f"-{format_}{mark}{dated(moment, question.slot)}"

    def body() -> bytes:
        if format_ in ("json", "geojson"):
            return _json(current, question, kind, with_shapes=format_ == "geojson")
        return _file(current.view.coverage(question), kind, format_, dialect)

    name = f"couverture-{kind}-{current.view.snapshot.territory.code}"
    return await computed(request, current, body, format_, variant, name)


async def computed(
    request: Request,
    current: CurrentView,
    body: Callable[[], bytes],
    format_: str,
    variant: str,
    file_name: str,
) -> Response:
    """Answer 304, or a body computed in a thread; files are sent as attachments named `file_name`."""
    content = b""
    if not is_not_modified(request, snapshot_headers(request, current, variant)["ETag"]):
        content = await run_in_threadpool(body)
    response = answer(request, current, lambda: content, media_type=MEDIA_TYPES[format_], variant=variant)
    response.headers["Vary"] = "Accept"
    if format_ not in ("json", "geojson"):
        response.headers["Content-Disposition"] = f'attachment; filename="{file_name}.{format_}"'
    return response


def _file(coverage: Coverage, kind: TerritoryKind, format_: str, dialect: Dialect) -> bytes:
    rows, about = export.territories_table(coverage, kind), export.about(coverage)
    if format_ == "csv":
        return export.csv_bytes(rows, dialect)
    if format_ == "xlsx":
        return export.xlsx_bytes({export.LAYER: rows}, about)
    return export.gpkg_bytes(rows, export.geometries(coverage, kind), about=about)


def _json(current: CurrentView, question: Question, kind: TerritoryKind, *, with_shapes: bool) -> bytes:
    view = current.view
    about = orjson.dumps({"kind": kind, **coverage_to_dict(view, question)})[1:-1]
    meta = current.meta(with_method=True)
    rows = [
        (row, orjson.dumps(territory_to_dict(row, question)))
        for row in view.coverage_by_territory(question, kind)
    ]
    if not with_shapes:
        return b'{"meta":%b,%b,"territories":[%b]}' % (meta, about, b",".join(text for _, text in rows))
    territory = view.snapshot.territory
    features = b",".join(
        b'{"type":"Feature","id":%b,"geometry":%b,"properties":%b}'
        % (orjson.dumps(row.code), current.rendered.shape(territory.find(row.code, row.kind)), properties)
        for row, properties in rows
    )
    return b'{"type":"FeatureCollection","meta":%b,%b,"features":[%b]}' % (meta, about, features)
