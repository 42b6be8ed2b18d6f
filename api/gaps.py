"""Gaps: who is out of reach of help that suits them, where, and what is missing there, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import orjson
from fastapi import Request
from fastapi.responses import Response

from api.coverage import (
    computed,
    described_files,
    format_parameter,
    negotiated_format,
)
from api.coverage_question import QUESTION_PARAMETERS, coverage_question, dated
from api.coverage_schemas import GapsAnswer
from api.openapi import failures
from api.parameters import DIALECT, Query, choice, csv_dialect, integer
from api.rendered_snapshot import CurrentView
from api.responses import GEOJSON
from api.routing import router
from api.service import app_state
from geo.coverage import export
from geo.coverage.gaps import Gap
from geo.coverage.measure import Question
from geo.services.coverage import people_to_dict, question_to_dict
from geo.services.gaps import gap_positions, gaps_to_dicts

COMMUNES: Final = "communes"
PLACES: Final = "places"
DEFAULT_LIMIT: Final = 100

PARAMETERS: Final = Query(
    (
        choice(
            "level",
            "Whose gaps: of communes, or of the single places people are counted at (cells of the grid).",
            (COMMUNES, PLACES),
            default=COMMUNES,
        ),
        integer("limit", "How many gaps, the largest first.", low=1, high=1_000, default=DEFAULT_LIMIT),
        format_parameter("json", "geojson", "csv"),
        DIALECT,
        *QUESTION_PARAMETERS,
    )
)

routes = router("coverage")


@routes.get(
    "/gaps",
    summary="Who lacks help that suits them, where, and why",
    response_model=GapsAnswer,
    responses={
        200: {
            "content": {
                GEOJSON: {"schema": {"$ref": "#/components/schemas/GapCollection"}},
                **described_files("csv"),
            }
        },
        **failures(422),
    },
    openapi_extra=PARAMETERS.openapi,
)
async def gaps(request: Request) -> Response:
    """Communes or places, the largest gap first, each with a French sentence that states its figures.

    A gap is people × need × minutes beyond `beyond_min`. Parameters of the question are those of `/coverage`.
    """
    values = PARAMETERS.read(request.scope["query_string"])
    current = app_state(request).current()
    moment = current.view.clock()
    question = coverage_question(values, moment)
    level, limit = values.get("level", COMMUNES), values.get("limit", DEFAULT_LIMIT)
    format_ = negotiated_format(request, values)
    dialect, mark = csv_dialect(values)

    def body() -> bytes:
        found = current.view.gaps(question, of_places=level == PLACES, limit=limit)
        if format_ == "csv":
            return export.csv_bytes(export.gaps_table(current.view.coverage(question), found), dialect)
        return _json(current, question, found, level, as_features=format_ == "geojson")

    variant = f"-{format_}{mark}{dated(moment, question.slot)}"
    name = f"ecarts-{level}-{current.view.snapshot.territory.code}"
    return await computed(request, current, body, format_, variant, name)


def _json(
    current: CurrentView, question: Question, gaps: Sequence[Gap], level: str, *, as_features: bool
) -> bytes:
    coverage = current.view.coverage(question)
    about = orjson.dumps({"level": level, **question_to_dict(coverage), **people_to_dict(coverage)})[1:-1]
    meta = current.meta(with_method=True)
    rows = gaps_to_dicts(gaps)
    positions = gap_positions(gaps, current.view.snapshot.territory.metric_crs)
    if not as_features:
        placed = [row | {"longitude": x, "latitude": y} for row, (x, y) in zip(rows, positions, strict=True)]
        return b'{"meta":%b,%b,"gaps":%b}' % (meta, about, orjson.dumps(placed))
    features = [
        {
            "type": "Feature",
            "id": str(row["rank"]),
            "geometry": {"type": "Point", "coordinates": position},
            "properties": row,
        }
        for row, position in zip(rows, positions, strict=True)
    ]
    return b'{"type":"FeatureCollection","meta":%b,%b,"features":%b}' % (
        meta,
        about,
        orjson.dumps(features),
    )
