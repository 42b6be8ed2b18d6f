"""Coverage: travel time to sites, people and supply within reach, in every territory of one kind."""

from __future__ import annotations

from math import isfinite
from typing import Any, Final

import numpy as np
import orjson
from fastapi import Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from api.coverage_question import QUESTION_PARAMETERS, coverage_question, dated, question_parameters
from api.coverage_schemas import CoverageAnswer
from api.openapi import failures
from api.parameters import KIND, Query, choice
from api.responses import GEOJSON, JSON, answer, is_not_modified, snapshot_headers
from api.routing import router
from api.service import app_state
from api.snapshot_view import CurrentView, SnapshotView
from geo.coverage import equity, export
from geo.coverage.gaps import question_text
from geo.coverage.measure import Coverage, Question, TerritoryCoverage
from geo.people.need import missing
from geo.reach.travel import FAR_FROM_ROAD_M
from geo.territory.model import TerritoryKind

CSV: Final = "text/csv; charset=utf-8"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
GPKG: Final = "application/geopackage+sqlite3"
MEDIA_TYPES: Final = {"json": JSON, "geojson": GEOJSON, "csv": CSV, "xlsx": XLSX, "gpkg": GPKG}
LORENZ_POINTS: Final = 51
"""Of the curve sent out: one for each fiftieth of the people."""


def format_parameter(*formats: str) -> Any:
    """The parameter `format` of a route that answers in some of `MEDIA_TYPES`."""
    return choice(
        "format",
        "Form of the answer; `Accept: application/geo+json` stands for `geojson`.",
        formats,
        default="json",
    )


def negotiated_format(request: Request, values: dict[str, Any]) -> str:
    """The form of the answer a request asks for, by `format` or by Accept."""
    written: str | None = values.get("format")
    return written or ("geojson" if GEOJSON in request.headers.get("accept", "") else "json")


def described_files(*formats: str) -> dict[str, Any]:
    """The media types of files, as OpenAPI describes them."""
    return {
        MEDIA_TYPES[f].split(";")[0]: {
            "schema": {"type": "string"} if f == "csv" else {"type": "string", "format": "binary"}
        }
        for f in formats
    }


ASKED: Final = Query((KIND, format_parameter("json", "geojson", "csv", "xlsx", "gpkg"), *QUESTION_PARAMETERS))

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
    openapi_extra=ASKED.openapi,
)
async def coverage(request: Request) -> Response:
    """Times to the nearest suitable site, people within them, accessible supply, hours, gap, equity.

    The question (mode, filters, slot, thresholds, population, weights, supply, decay) is told back
    as it was understood. Sites across the border serve, but are not counted in `site_count`.
    """
    values = ASKED.read(request.scope["query_string"])
    current = app_state(request).current()
    moment = current.view.clock()
    question = coverage_question(values, moment)
    kind = TerritoryKind(values.get("kind", TerritoryKind.COMMUNE))
    asked = negotiated_format(request, values)
    variant = f"-{asked}{dated(moment, question.slot)}"

    def body() -> bytes:
        view = current.view
        if asked in ("json", "geojson"):
            return _written(current, question, kind, drawn=asked == "geojson")
        return _file(view.measured(question), kind, asked)

    name = f"couverture-{kind}-{current.view.snapshot.territory.code}"
    return await computed(request, current, body, asked, variant, name)


async def computed(
    request: Request, current: CurrentView, body: Any, asked: str, variant: str, file_name: str
) -> Response:
    """Answer with what is computed in a thread, or 304 before it is; files bear a name."""
    written = b""
    if not is_not_modified(request, snapshot_headers(request, current, variant)["ETag"]):
        written = await run_in_threadpool(body)
    response = answer(request, current, lambda: written, media_type=MEDIA_TYPES[asked], variant=variant)
    response.headers["Vary"] = "Accept"
    if asked not in ("json", "geojson"):
        response.headers["Content-Disposition"] = f'attachment; filename="{file_name}.{asked}"'
    return response


def _file(result: Coverage, kind: TerritoryKind, asked: str) -> bytes:
    rows, about = export.territories_table(result, kind), export.about(result)
    if asked == "csv":
        return export.csv_bytes(rows)
    if asked == "xlsx":
        return export.xlsx_bytes({export.LAYER: rows}, about)
    return export.gpkg_bytes(rows, export.geometries(result, kind), about=about)


def _written(current: CurrentView, question: Question, kind: TerritoryKind, *, drawn: bool) -> bytes:
    view = current.view
    result = view.measured(question)
    about = orjson.dumps(
        {
            "kind": kind,
            **question_to_dict(result),
            **people_to_dict(result),
            "supply_unit": question.supply.label,
            "uncertainty": _uncertainty(result),
            "unlocated": result.uncertainty.unlocated,
            "far_from_road": _far_from_road(view, result),
            "equity": _equity(result),
        }
    )[1:-1]
    meta = current.meta(with_method=True)
    rows = [(row, orjson.dumps(_properties(row, question))) for row in view.territories(question, kind)]
    if not drawn:
        return b'{"meta":%b,%b,"territories":[%b]}' % (meta, about, b",".join(w for _, w in rows))
    territory = view.snapshot.territory
    features = b",".join(
        b'{"type":"Feature","id":%b,"geometry":%b,"properties":%b}'
        % (orjson.dumps(row.code), view.shape(territory.find(row.code, row.kind)), written)
        for row, written in rows
    )
    return b'{"type":"FeatureCollection","meta":%b,%b,"features":[%b]}' % (meta, about, features)


def question_to_dict(result: Coverage) -> dict[str, object]:
    """The question as it was understood: in French words, and under the names it can be asked by."""
    return {
        "question": {"sentence": question_text(result), "parameters": question_parameters(result.question)}
    }


def people_to_dict(result: Coverage) -> dict[str, object]:
    """Where people are counted, and what weighs their need."""
    people, snapshot = result.frame.people, result.frame.snapshot
    source = people.provenance
    indicators = {indicator.code: indicator for indicator in snapshot.indicators}
    weights = dict(result.question.weights)
    untold = missing(people, indicators, weights)
    return {
        "people": {
            "label": people.label,
            "count": round(float(result.people.sum()), 1),
            "producer": source.producer if source else None,
            "vintage": source.vintage if source else None,
            "licence": source.licence if source else None,
        },
        "weights": [
            {
                "code": code,
                "name": indicators[code].name,
                "weight": weight,
                "producer": indicators[code].provenance.producer,
                "vintage": indicators[code].provenance.vintage,
                "communes_untold": len(untold[code]),
            }
            for code, weight in weights.items()
        ],
    }


def _uncertainty(result: Coverage) -> dict[str, object]:
    sure = result.uncertainty
    return {
        "sites": sure.sites,
        "unlocated": sure.unlocated,
        "approximate": sure.approximate,
        "stale": sure.stale,
        "hours_unknown": sure.hours_unknown,
        "share": rounded(sure.share, 4),
        "share_without_approximate": rounded(sure.share_without_approximate, 4),
        "share_without_stale": rounded(sure.share_without_stale, 4),
        "share_if_unknown_open": rounded(sure.share_if_unknown_open, 4),
        "sentences": export.uncertainty_sentences(result),
    }


def _far_from_road(view: SnapshotView, result: Coverage) -> dict[str, object]:
    far = view.far_from_road(result.question.mode)
    return {
        "beyond_m": FAR_FROM_ROAD_M,
        "places": int(far.sum()),
        "people": round(float(result.people[far].sum()), 1),
    }


def _equity(result: Coverage) -> dict[str, object]:
    seconds, people = result.seconds.astype(np.float64), result.people
    slowest = equity.worst_served(seconds, people, worst_is_highest=True)
    curve = result.lorenz()
    shares = np.linspace(0, 1, LORENZ_POINTS)
    return {
        "gini": rounded(equity.gini(result.supply, people), 4),
        "worst_tenth_min": None if slowest is None else rounded(slowest / 60, 1),
        "worst_tenth_supply": rounded(equity.worst_served(result.supply, people), 4),
        "lorenz": (
            [
                [round(share, 2), round(float(access), 4)]
                for share, access in zip(
                    shares.tolist(), np.interp(shares, curve.people, curve.access), strict=True
                )
            ]
            if curve
            else []
        ),
        "by_time": [
            {
                "label": each.label,
                "above_min": rounded(each.above_min, 0),
                "up_to_min": rounded(each.up_to_min, 0),
                "people": round(each.people, 1),
            }
            for each in equity.by_time(seconds, people, result.question.minutes)
        ],
    }


def _properties(row: TerritoryCoverage, question: Question) -> dict[str, object]:
    """Coverage of one territory as answers tell it."""
    return {
        "kind": row.kind,
        "code": row.code,
        "name": row.name,
        "population": row.population,
        "people": round(row.people, 1),
        "site_count": row.site_count,
        "nearest_site_id": row.nearest_site_id,
        "median_min": rounded(row.median_min, 1),
        "share_within": [
            {
                "within_min": minutes,
                "share": rounded(share, 4),
                "people": round((share or 0.0) * row.people, 1),
            }
            for minutes, share in zip(question.minutes, row.share_within, strict=True)
        ],
        "people_beyond": round(row.people_beyond, 1),
        "supply": round(row.supply, 4),
        "open_hours": round(row.open_hours, 2),
        "gap": round(row.gap, 1),
        "gap_rank": row.gap_rank,
    }


def rounded(value: float | None, digits: int) -> float | None:
    """A figure as answers tell it; none where there is none, or it is infinite."""
    return None if value is None or not isfinite(value) else round(value, digits)
