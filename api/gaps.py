"""Gaps: who is out of reach of help that suits them, where, and what is missing there, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import orjson
import shapely
from fastapi import Request
from fastapi.responses import Response

from api.coverage import (
    computed,
    described_files,
    format_parameter,
    negotiated_format,
    people_to_dict,
    question_to_dict,
    rounded,
)
from api.coverage_question import QUESTION_PARAMETERS, coverage_question, dated
from api.coverage_schemas import GapsAnswer
from api.openapi import failures
from api.parameters import Query, choice, integer
from api.responses import GEOJSON
from api.routing import router
from api.service import app_state
from api.snapshot_view import DECIMALS, CurrentView
from geo.coverage import export
from geo.coverage.gaps import Gap
from geo.coverage.measure import Coverage
from geo.crs import WGS84, reproject

COMMUNES: Final = "communes"
PLACES: Final = "places"
DEFAULT_LIMIT: Final = 100

ASKED: Final = Query(
    (
        choice(
            "level",
            "Whose gaps: of communes, or of the single places people are counted at (cells of the grid).",
            (COMMUNES, PLACES),
            default=COMMUNES,
        ),
        integer("limit", "How many gaps, the largest first.", low=1, high=1_000, default=DEFAULT_LIMIT),
        format_parameter("json", "geojson", "csv"),
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
    openapi_extra=ASKED.openapi,
)
async def gaps(request: Request) -> Response:
    """Communes or places, the largest gap first, each told in a French sentence made of its numbers.

    A gap is people × need × minutes beyond `beyond_min`. The question is that of `/coverage`.
    """
    values = ASKED.read(request.scope["query_string"])
    current = app_state(request).current()
    moment = current.view.clock()
    question = coverage_question(values, moment)
    level, limit = values.get("level", COMMUNES), values.get("limit", DEFAULT_LIMIT)
    asked = negotiated_format(request, values)

    def body() -> bytes:
        result = current.view.measured(question)
        found = current.view.gaps(question, of_places=level == PLACES, limit=limit)
        if asked == "csv":
            return export.csv_bytes(export.gaps_table(result, found))
        return _written(current, result, found, level, drawn=asked == "geojson")

    variant = f"-{asked}{dated(moment, question.slot)}"
    name = f"ecarts-{level}-{current.view.snapshot.territory.code}"
    return await computed(request, current, body, asked, variant, name)


def _written(
    current: CurrentView, result: Coverage, found: Sequence[Gap], level: str, *, drawn: bool
) -> bytes:
    about = orjson.dumps({"level": level, **question_to_dict(result), **people_to_dict(result)})[1:-1]
    meta = current.meta(with_method=True)
    rows = [_properties(rank, gap) for rank, gap in enumerate(found, start=1)]
    points = shapely.points([gap.xy for gap in found]) if found else []
    degrees = reproject(points, source=current.view.snapshot.territory.metric_crs, target=WGS84)
    places = [[round(float(p.x), DECIMALS), round(float(p.y), DECIMALS)] for p in degrees]
    if not drawn:
        told = [row | {"longitude": x, "latitude": y} for row, (x, y) in zip(rows, places, strict=True)]
        return b'{"meta":%b,%b,"gaps":%b}' % (meta, about, orjson.dumps(told))
    features = [
        {
            "type": "Feature",
            "id": str(row["rank"]),
            "geometry": {"type": "Point", "coordinates": place},
            "properties": row,
        }
        for row, place in zip(rows, places, strict=True)
    ]
    return b'{"type":"FeatureCollection","meta":%b,%b,"features":%b}' % (
        meta,
        about,
        orjson.dumps(features),
    )


def _properties(rank: int, gap: Gap) -> dict[str, object]:
    return {
        "rank": rank,
        "commune": gap.commune,
        "name": gap.name,
        "people": round(gap.people, 1),
        "minutes": rounded(gap.minutes, 1),
        "gap": round(gap.gap, 1),
        "nearest_site_id": gap.nearest_site_id,
        "unsuitable_site_id": gap.unsuitable_site_id,
        "unsuitable_min": rounded(gap.unsuitable_min, 1),
        "missing": gap.missing,
        "sentence": gap.sentence,
    }
