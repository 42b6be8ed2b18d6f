"""Sites: lists, one, the nearest, and the standard's CSV."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import hypot, inf
from typing import Annotated, Any, Final
from urllib.parse import quote

import numpy as np
import orjson
from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from api.coverage_question import MODE, SLOT, dated, opening_slot
from api.openapi import failures
from api.parameters import (
    BOX,
    COMMUNE_NAME,
    COMMUNE_ORIGIN,
    DIALECT,
    FILTERS,
    WORDS,
    Parameter,
    Query,
    csv_dialect,
    integer,
    number,
    paging,
    refuse,
    site_search,
    text,
)
from api.responses import GEOJSON, answer, is_not_modified, page_links, snapshot_headers
from api.routing import router
from api.schemas import NearbyCollection, SiteAnswer, SiteCollection
from api.service import app_state
from geo.crs import area_of_use, project_point
from geo.errors import UnknownTerritory
from geo.hours.weekly import Slot
from geo.matching.text_search import SiteSearch
from geo.reach.modes import Mode
from geo.reach.straight_line import METHOD as STRAIGHT_LINE
from geo.reach.straight_line import SPEED_KMH
from geo.services.snapshot_view import SnapshotView
from geo.sites.export import write_csv
from geo.sites.model import VALUE_FIELDS, Site
from geo.sites.record_json import encode
from geo.tables_out import Dialect

MAX_K: Final = 50
DEFAULT_K: Final = 5
CSV_BATCH: Final = 200


SiteId = Annotated[str, Path(description="Public identifier of the site.", examples=["demo--1"])]


class GeoJson(JSONResponse):
    """GeoJSON, for the OpenAPI description."""

    media_type = GEOJSON


@dataclass(frozen=True, slots=True)
class Start:
    """Where distances are measured from: WGS 84 degrees, the metric plane, and in words."""

    longitude: float
    latitude: float
    xy: tuple[float, float]
    label: str
    commune: str | None = None
    site: str | None = None

    @property
    def json(self) -> bytes:
        """As JSON."""
        return orjson.dumps(
            {
                "longitude": self.longitude,
                "latitude": self.latitude,
                "commune": self.commune,
                "site": self.site,
                "label": self.label,
            }
        )


LONGITUDE: Final = number(
    "lon", "Longitude of the origin; with `lat`.", low=-180, high=180, unit="degrés", example=0.6161
)
LATITUDE: Final = number(
    "lat", "Latitude of the origin; with `lon`.", low=-90, high=90, unit="degrés", example=44.2033
)
SITE_ORIGIN: Final = text(
    "site", "Identifier of a site: the origin is its place, and it is not among the answers."
)
NEAREST: Final = Query(
    (
        LONGITUDE,
        LATITUDE,
        COMMUNE_ORIGIN,
        SITE_ORIGIN,
        integer("k", "How many sites.", low=1, high=MAX_K, default=DEFAULT_K),
        MODE,
        SLOT,
        WORDS,
        *FILTERS,
    )
)
SEARCHED: Final[tuple[Parameter, ...]] = (WORDS, BOX, COMMUNE_NAME, *FILTERS)
CSV: Final = Query((*SEARCHED, DIALECT))


def sites_routes(page_size: int) -> APIRouter:
    """Return the routes about sites; those that could be taken for an identifier come first."""
    routes = router("sites")
    listed = Query((*paging(page_size), *SEARCHED))

    @routes.get(
        "/sites",
        summary="Sites, filtered by any field",
        response_model=SiteCollection,
        response_class=GeoJson,
        responses=failures(422),
        openapi_extra=listed.openapi,
    )
    async def sites(request: Request) -> Response:
        """Active sites, sorted by identifier, page by page.

        Values of one field are alternatives; different fields must all hold. Closed lists match a
        whole label, codes match exactly, other text matches when it contains the value; accents and
        case never matter. A fact that is not known matches neither `true` nor `false`.
        """
        values = listed.read(request.scope["query_string"])
        current = app_state(request).current()
        limit, offset = values.pop("limit", page_size), values.pop("offset", 0)

        def body() -> bytes:
            view = current.view
            rows = view.rows(site_search(values))
            page = {
                "total": len(rows),
                "limit": limit,
                "offset": offset,
                "links": page_links(request, values, len(rows), limit, offset, GEOJSON),
            }
            features = b",".join(
                current.rendered.feature(row) + b"}}" for row in rows[offset : offset + limit]
            )
            return (
                b'{"type":"FeatureCollection",'
                + orjson.dumps(page)[1:-1]
                + b',"meta":'
                + current.meta()
                + b',"features":['
                + features
                + b"]}"
            )

        return answer(request, current, body)

    @routes.get(
        "/sites.csv",
        summary="Sites as the standard's CSV",
        response_class=Response,
        responses={
            200: {
                "description": "The standard's 32 columns in order, then ours with the prefix `ext_`.",
                "content": {"text/csv": {"schema": {"type": "string"}}},
            },
            **failures(422),
        },
        openapi_extra=CSV.openapi,
    )
    async def sites_csv(request: Request) -> Response:
        """All sites found, as the national standard's CSV, without paging."""
        values = CSV.read(request.scope["query_string"])
        current = app_state(request).current()
        dialect, mark = csv_dialect(values)
        values.pop("dialect", None)
        headers = snapshot_headers(request, current, f"-csv{mark}")
        if is_not_modified(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        view = current.view
        found = [view.snapshot.sites[row] for row in view.rows(site_search(values))]
        name = f"lieux-mediation-numerique-{view.snapshot.territory.code}.csv"
        return StreamingResponse(
            csv_chunks(found, dialect),
            media_type="text/csv; charset=utf-8",
            headers={**headers, "Content-Disposition": f'attachment; filename="{name}"'},
        )

    @routes.get(
        "/sites/nearest",
        summary="The nearest sites of a point, a commune or a site",
        response_model=NearbyCollection,
        response_class=GeoJson,
        responses=failures(404, 422),
        openapi_extra=NEAREST.openapi,
    )
    async def nearest(request: Request) -> Response:
        """Located sites, soonest reached first, each with `minutes` and the `method` used to compute them.

        By road where a road graph is loaded; else estimated from the straight line, as `distance_m`
        always is. Give one origin: `lon` and `lat`, or `commune` (its town hall), or `site`. Sites
        across the border are among the answers; those no road leads to are not. Filters are those of
        `/sites`, but the name of the site's commune is `nom_commune` here.
        """
        values = NEAREST.read(request.scope["query_string"])
        current = app_state(request).current()
        view = current.view
        start = parse_start(view, values)
        k = values.get("k", DEFAULT_K)
        mode = Mode(values.get("mode", Mode.CAR))
        moment = view.clock()
        slot = opening_slot(values, moment)
        variant = dated(moment, slot) if slot else ""
        headers = snapshot_headers(request, current, variant)
        if is_not_modified(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        if view.known_site_times(mode) is None:
            await run_in_threadpool(view.site_times, mode)

        def body() -> bytes:
            own = view.row_of[start.site] if start.site else -1
            search, wanted = site_search(values), k + 1 if start.site else k
            found = _soonest(view, start, mode, search, slot, k=wanted)
            code = view.travel.method.encode()
            features = [
                b'%b,"minutes":%.1f,"method":"%b","distance_m":%d,"distance_method":"%b"}}'
                % (current.rendered.feature(row), seconds / 60, code, metres + 0.5, _STRAIGHT)
                for seconds, metres, row in found
                if row != own
            ]
            return b'{"type":"FeatureCollection","meta":%b,"origin":%b,"features":[%b]}' % (
                current.meta(with_method=True),
                start.json,
                b",".join(features[:k]),
            )

        return Response(body(), media_type=GEOJSON, headers=headers)

    @routes.get(
        "/sites/{site_id:path}",
        summary="One site",
        response_model=SiteAnswer,
        response_class=GeoJson,
        responses=failures(404, 422),
    )
    async def site(request: Request, site_id: SiteId) -> Response:
        """The site with an identifier, as a GeoJSON feature, and where each of its values comes from.

        The identifier of a site that was merged redirects (308) to the site that stands for it.
        """
        NO_PARAMETERS.read(request.scope["query_string"])
        current = app_state(request).current()
        found = current.view.snapshot.site(site_id)  # raises UnknownSite
        if found.id != site_id:
            return RedirectResponse(f"{request.url.path[: -len(site_id)]}{quote(found.id, safe='')}", 308)
        row = current.view.row_of[site_id]
        return answer(
            request,
            current,
            lambda: (
                b'%b},"sources":%b,"meta":%b}'
                % (current.rendered.feature(row), orjson.dumps(site_sources(found)), current.meta())
            ),
        )

    return routes


def site_sources(site: Site) -> dict[str, Any]:
    """Return the records of a site, the origin of each value, and the values that are not shown, as JSON.

    Who made a correction is not said.
    """
    origins = [origin for name in VALUE_FIELDS if (origin := site.origin(name))]
    return {
        "records": site.records,
        "origins": [
            {
                "field": each.field,
                "records": each.records,
                "rule": each.rule,
                "day": encode(each.day),
                "corrected": each.correction is not None,
            }
            for each in origins
            if each.field != "jeu_de_donnees"
        ],
        "conflicts": [
            {
                "field": each.field,
                "value": encode(each.value),
                "record": each.record,
                "day": encode(each.day),
            }
            for each in site.conflicts
        ],
    }


NO_PARAMETERS: Final = Query()
_STRAIGHT: Final = STRAIGHT_LINE.encode()


def _soonest(
    view: SnapshotView, start: Start, mode: Mode, search: SiteSearch, slot: Slot | None, *, k: int
) -> list[tuple[float, float, int]]:
    """Return seconds, straight-line metres times the detour factor, and row of the `k` nearest sites."""
    if view.travel.graph is None:
        speed = SPEED_KMH[mode] / 3.6
        near = view.tree(search, slot).nearest_of(*start.xy, k=k)
        return [(metres / speed, metres, row) for metres, row in near]
    seconds = view.site_times(mode).from_place(start.xy)
    rows = view.rows(search, slot) if search or slot else np.arange(len(seconds))
    order = rows[np.argsort(seconds[rows], kind="stable")[:k]]
    x, y = start.xy
    return [
        (float(seconds[row]), hypot(site_x - x, site_y - y) * view.detour_factor, row)
        for row, (site_x, site_y) in zip(order.tolist(), view.snapshot.site_xy[order].tolist(), strict=True)
        if seconds[row] < inf
    ]


def parse_start(view: SnapshotView, values: dict[str, Any]) -> Start:
    """Return where a request measures from.

    Raises
    ------
    Refused
        If it names no origin, half of one, several, one out of the map, or a site without a place.
    UnknownTerritory, UnknownSite
        If the commune or the site is not known.
    """
    has_lon, has_lat = "lon" in values, "lat" in values
    given = (has_lon or has_lat) + ("commune" in values) + ("site" in values)
    if given > 1:
        raise refuse(
            "commune" if "commune" in values else "site",
            values.get("commune") or values.get("site"),
            "Donnez un seul point de départ : « lon » et « lat », ou « commune », ou « site ».",
        )
    if given == 0:
        raise refuse(
            "lon",
            "",
            "Donnez un point de départ : « lon » et « lat », ou « commune » (code INSEE), ou « site ».",
        )
    territory = view.snapshot.territory
    if "commune" in values:
        code = values["commune"]
        commune = territory.commune_by_code.get(code)
        if commune is None:
            raise UnknownTerritory(
                f"Aucune commune connue ici ne porte le code « {code} ».",
                "Donnez le code INSEE (et non le code postal) d'une commune du département ou d'un voisin.",
            )
        hall = commune.town_hall
        xy = project_point(hall.x, hall.y, territory.metric_crs)
        return Start(hall.x, hall.y, xy, f"mairie de {commune.name}", commune=code)
    if "site" in values:
        site = view.snapshot.site(values["site"])
        if site.longitude is None or site.latitude is None:
            raise refuse("site", site.id, "Ce lieu n'est pas placé sur la carte : sa position est inconnue.")
        xy = project_point(site.longitude, site.latitude, territory.metric_crs)
        return Start(site.longitude, site.latitude, xy, site.nom, site=site.id)
    if not (has_lon and has_lat):
        missing = "lat" if has_lon else "lon"
        raise refuse(missing, "", f"Il manque « {missing} » : un point se donne par « lon » et « lat ».")
    return _point(values["lon"], values["lat"], territory.metric_crs)


def _point(longitude: float, latitude: float, epsg: int) -> Start:
    west, south, east, north = area_of_use(epsg)
    if not (west <= longitude <= east and south <= latitude <= north):
        swapped = west <= latitude <= east and south <= longitude <= north
        raise refuse(
            "lon",
            f"{longitude:g}, {latitude:g}",
            "Ce point est trop loin du territoire pour y mesurer une distance."
            + (" Longitude et latitude semblent inversées." if swapped else ""),
        )
    return Start(longitude, latitude, project_point(longitude, latitude, epsg), "point donné")


def csv_chunks(sites: Sequence[Site], dialect: Dialect = Dialect.LINES) -> Iterator[str]:
    """The standard's CSV, a few hundred sites at a time, the header once."""
    header = _csv((), dialect)
    yield header
    for first in range(0, len(sites), CSV_BATCH):
        yield _csv(sites[first : first + CSV_BATCH], dialect).removeprefix(header)


def _csv(sites: Sequence[Site], dialect: Dialect) -> str:
    stream = io.StringIO(newline="")
    write_csv(sites, stream, dialect=dialect)
    return stream.getvalue()
