"""Isochrones: the area within given minutes of a point, as polygons, and the people there."""

from __future__ import annotations

from typing import Final

import numpy as np
import orjson
import shapely
from fastapi import Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from api.coverage_question import MODE
from api.coverage_schemas import IsochroneCollection
from api.openapi import failures
from api.parameters import COMMUNE_ORIGIN, Query, choice, integers
from api.rendered_snapshot import CurrentView, geometry_json
from api.responses import GEOJSON, answer, is_not_modified, snapshot_headers
from api.routing import router
from api.service import app_state
from api.sites import LATITUDE, LONGITUDE, SITE_ORIGIN, GeoJson, Start, parse_start
from geo.crs import WGS84, reproject
from geo.reach.isochrones import MINUTES
from geo.reach.modes import Mode

TO: Final = "to"
FROM: Final = "from"
MINUTES_MAX: Final = 60
DECIMALS: Final = 5
"""Of coordinates sent out, in degrees: a metre, where a cell has 25 or more."""

ASKED: Final = Query(
    (
        LONGITUDE,
        LATITUDE,
        COMMUNE_ORIGIN,
        SITE_ORIGIN,
        MODE,
        integers(
            "minutes",
            "Travel times, minutes, separated by commas.",
            low=1,
            high=MINUTES_MAX,
            most=len(MINUTES),
            default=MINUTES,
        ),
        choice(
            "direction",
            "`to`: from where the point is reached in time, that is, who can come. `from`: what is "
            "reached from it.",
            (TO, FROM),
            default=TO,
        ),
    )
)

routes = router("coverage")


@routes.get(
    "/isochrones",
    summary="What lies within so many minutes of a point, and the people there",
    response_model=IsochroneCollection,
    response_class=GeoJson,
    responses=failures(404, 422),
    openapi_extra=ASKED.openapi,
)
async def isochrones(request: Request) -> Response:
    """Polygons, the longest time first: drawn in this order, none hides a shorter one.

    Give one origin: `lon` and `lat`, or `commune` (its town hall), or `site`. `people` are all
    inhabitants whose own time is within `minutes`; they are not counted by the polygon. Without
    roads, circles (`method`).
    """
    values = ASKED.read(request.scope["query_string"])
    current = app_state(request).current()
    start = parse_start(current.view, values)
    mode = Mode(values.get("mode", Mode.CAR))
    minutes, direction = values.get("minutes", MINUTES), values.get("direction", TO)
    written = b""
    if not is_not_modified(request, snapshot_headers(request, current)["ETag"]):
        written = await run_in_threadpool(_written, current, start, mode, minutes, direction)
    return answer(request, current, lambda: written, media_type=GEOJSON)


def _written(
    current: CurrentView, start: Start, mode: Mode, minutes: tuple[int, ...], direction: str
) -> bytes:
    view, outward = current.view, direction == FROM
    drawn = view.isochrones(start.xy, mode, minutes, outward=outward)
    seconds = view.times_around(start.xy, mode, outward=outward)
    people = view.snapshot.people
    areas = reproject([each.area for each in drawn], source=view.snapshot.territory.metric_crs, target=WGS84)
    features = [
        b'{"type":"Feature","id":"%d","geometry":%b,"properties":%b}'
        % (
            each.minutes,
            geometry_json(shapely.orient_polygons(area), DECIMALS),
            orjson.dumps(
                {
                    "minutes": each.minutes,
                    "mode": mode,
                    "direction": direction,
                    "people": round(float(people.inhabitants[seconds <= each.minutes * 60].sum()), 1),
                }
            ),
        )
        for each, area in zip(drawn, np.asarray(areas), strict=True)
    ]
    return b'{"type":"FeatureCollection","meta":%b,"origin":%b,"people_label":%b,"features":[%b]}' % (
        current.meta(with_method=True),
        start.json,
        orjson.dumps(people.label),
        b",".join(reversed(features)),
    )
