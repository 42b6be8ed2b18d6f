"""Sites as files with types, without paging: XLSX, GeoJSON and GeoPackage."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Final

from fastapi import Request
from fastapi.responses import Response

from api.coverage import computed, described_files
from api.openapi import failures
from api.parameters import Query, site_search
from api.routing import router
from api.service import app_state
from api.sites import SEARCHED
from geo.sites.export_files import SitesFormat, write_sites

SEARCH: Final = Query(SEARCHED)

routes = router("sites")


def _download(file_format: SitesFormat) -> Callable[[Request], Awaitable[Response]]:
    async def download(request: Request) -> Response:
        """All sites found, without paging: the columns of the full CSV, with their types.

        The filters are those of `/sites`.
        """
        values = SEARCH.read(request.scope["query_string"])
        current = app_state(request).current()

        def body() -> bytes:
            view = current.view
            stream = BytesIO()
            found = [view.snapshot.sites[row] for row in view.rows(site_search(values))]
            write_sites(found, stream, file_format)
            return stream.getvalue()

        name = f"lieux-mediation-numerique-{current.view.snapshot.territory.code}"
        response = await computed(request, current, body, file_format, f"-{file_format}", name)
        response.headers["Content-Disposition"] = f'attachment; filename="{name}.{file_format}"'
        return response

    return download


for _format, _label in (
    (SitesFormat.XLSX, "a workbook (XLSX)"),
    (SitesFormat.GEOJSON, "GeoJSON features that can be imported again"),
    (SitesFormat.GPKG, "a GeoPackage"),
):
    routes.add_api_route(
        f"/sites.{_format}",
        _download(_format),
        name=f"sites_{_format}",
        summary=f"Sites as {_label}",
        response_class=Response,
        responses={
            200: {"description": "One record a site.", "content": described_files(_format)},
            **failures(422),
        },
        openapi_extra=SEARCH.openapi,
    )
