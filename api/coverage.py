"""Coverage: access to sites in every territory of one kind."""

from __future__ import annotations

from typing import Final

import orjson
from fastapi import Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from api.answers import GEOJSON, JSON, answer, headers_of, is_known
from api.described import failures
from api.parameters import COMMUNE_NAME, FILTERS, KIND, Query, choice, integer, integers, search_of
from api.routing import router
from api.schemas import CoverageAnswer
from api.served import Now
from api.service import service_of
from geo.coverage.access import DEFAULTS, AccessParameters, Coverage, TerritoryAccess
from geo.territory.model import Kind

FAR_M: Final = 200_000

ASKED: Final = Query(
    (
        KIND,
        choice(
            "format",
            "`geojson` to receive boundaries too; so does `Accept: application/geo+json`.",
            ("json", "geojson"),
            default="json",
        ),
        integers(
            "thresholds_m",
            "Distances within which inhabitants are counted, metres, separated by commas.",
            low=100,
            high=FAR_M,
            most=6,
            default=DEFAULTS.thresholds_m,
        ),
        integer(
            "gap_beyond_m",
            "Distance, metres, beyond which a kilometre counts as gap.",
            low=0,
            high=FAR_M,
            default=DEFAULTS.gap_beyond_m,
        ),
        COMMUNE_NAME,
        *FILTERS,
    )
)

routes = router("coverage")


@routes.get(
    "/coverage",
    summary="Access to sites, territory by territory",
    response_model=CoverageAnswer,
    responses={
        200: {
            "content": {
                GEOJSON: {"schema": {"$ref": "#/components/schemas/CoverageCollection"}},
            }
        },
        **failures(422),
    },
    openapi_extra=ASKED.openapi,
)
async def coverage(request: Request) -> Response:
    """Nearest site, its distance, sites per inhabitant, share within thresholds, and rank of the gap.

    Filters are those of `/sites`: access to the sites that meet them. Inhabitants are counted at
    their commune's town hall. Sites across the border serve, but are not counted in `site_count`.
    """
    values = ASKED.read(request.scope["query_string"])
    now = service_of(request).now()
    kind = Kind(values.get("kind", Kind.COMMUNE))
    parameters = AccessParameters(
        filter=search_of(values).filter,
        detour_factor=now.served.detour_factor,
        thresholds_m=values.get("thresholds_m", DEFAULTS.thresholds_m),
        gap_beyond_m=values.get("gap_beyond_m", DEFAULTS.gap_beyond_m),
    )
    asked = values.get("format") or ("geojson" if GEOJSON in request.headers.get("accept", "") else "json")
    drawn = asked == "geojson"
    variant = f"-{asked}"

    def body() -> bytes:
        return _written(now, now.served.coverage(kind, parameters), drawn=drawn)

    written = b""
    if not is_known(request, headers_of(request, now, variant)["ETag"]):
        written = await run_in_threadpool(body)
    response = answer(request, now, lambda: written, media_type=GEOJSON if drawn else JSON, variant=variant)
    response.headers["Vary"] = "Accept"
    return response


def _written(now: Now, result: Coverage, *, drawn: bool) -> bytes:
    about = orjson.dumps(
        {
            "kind": result.kind,
            "parameters": {
                "thresholds_m": result.parameters.thresholds_m,
                "gap_beyond_m": result.parameters.gap_beyond_m,
                "filters": dict(result.parameters.filter.conditions),
                "people": result.people,
            },
            "unlocated": result.unlocated,
        }
    )[1:-1]
    meta = now.meta(with_method=True)
    rows = [(row, orjson.dumps(access_properties(row, result))) for row in result.rows]
    if not drawn:
        return b'{"meta":%b,%b,"territories":[%b]}' % (meta, about, b",".join(w for _, w in rows))
    territory = now.served.snapshot.territory
    features = b",".join(
        b'{"type":"Feature","id":%b,"geometry":%b,"properties":%b}'
        % (orjson.dumps(row.code), now.served.shape(territory.find(row.code, row.kind)), written)
        for row, written in rows
    )
    return b'{"type":"FeatureCollection","meta":%b,%b,"features":[%b]}' % (meta, about, features)


def access_properties(row: TerritoryAccess, result: Coverage) -> dict[str, object]:
    """Access in one territory as answers tell it; distances to the metre, shares to four decimals."""
    return {
        "kind": row.kind,
        "code": row.code,
        "name": row.name,
        "population": row.population,
        "site_count": row.site_count,
        "sites_per_10k": _rounded(row.sites_per_10k, 3),
        "nearest_site_id": row.nearest_site_id,
        "nearest_distance_m": _rounded(row.nearest_distance_m, 0),
        "share_within": [
            {"within_m": metres, "share": _rounded(share, 4)}
            for metres, share in zip(result.parameters.thresholds_m, row.share_within, strict=True)
        ],
        "gap_person_km": _rounded(row.gap_person_km, 1),
        "gap_rank": row.gap_rank,
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
