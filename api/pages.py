"""The map of access, the documentation of the API, and the files both need."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.staticfiles import StaticFiles

from api.failure_page import territory_name
from api.rendered_snapshot import CurrentView, RenderedPage
from api.responses import is_not_modified, snapshot_headers
from api.routing import PREFIX, router
from api.security_headers import FRAMED_BY
from api.service import app_state
from geo.coverage.measure import Question
from geo.services.snapshot_view import SnapshotView
from static_maps import assets
from static_maps.coverage_map import Link, coverage_map, render_page
from static_maps.csp import content_security_policy
from static_maps.page_shell import (
    SERVED_PAGES,
    SHELL_STYLE,
    PageShell,
    template_environment,
    with_stale_notice,
)
from static_maps.settings import MapSettings

OWN: Final = Path(__file__).parent / "static"
"""Files of the documentation page."""

TEMPLATES: Final = template_environment(Path(__file__).parent / "templates")

HTML: Final = "text/html; charset=utf-8"

DOCUMENTATION_POLICY: Final = content_security_policy(styles=[SHELL_STYLE], own_scripts=True, asks=True)
"""Swagger UI has its icons in its style sheet; styles set by script need no permission."""

DOWNLOADS: Final[tuple[Link, ...]] = (
    ("lieux (CSV du standard)", f"{PREFIX}/sites.csv"),
    ("lieux (CSV pour Excel)", f"{PREFIX}/sites.csv?dialect=excel-fr"),
    ("lieux (XLSX)", f"{PREFIX}/sites.xlsx"),
    ("lieux (GeoJSON)", f"{PREFIX}/sites.geojson"),
    ("lieux (GeoPackage)", f"{PREFIX}/sites.gpkg"),
    ("communes (GeoJSON)", f"{PREFIX}/coverage?format=geojson"),
    ("documentation de l'API", "/docs"),
)


def page(html: str, security_policy: str, framed: str = FRAMED_BY) -> RenderedPage:
    """Prepare a rendered page to be sent many times.

    Parameters
    ----------
    framed
        Who may show it in a frame: `framed_by(http)` for a page made to be embedded.
    """
    body = html.encode()
    digest = hashlib.sha256(body).hexdigest()[:12]
    return RenderedPage(body, gzip.compress(body, 9, mtime=0), security_policy + framed, digest)


def render_map(view: SnapshotView, settings: MapSettings) -> RenderedPage:
    """Render the interactive map of a snapshot."""
    canvas = coverage_map(
        view.coverage(Question()),
        settings=settings,
        assets_url="/static",
        downloads=DOWNLOADS,
        links=SERVED_PAGES,
    )
    rendered = render_page(canvas)
    return page(rendered.html, rendered.security_policy)


def render_documentation(territory: str) -> RenderedPage:
    """The page that documents the API."""
    shell = PageShell(entry="api", territory=territory)
    return page(TEMPLATES.get_template("docs.html").render(shell=shell), DOCUMENTATION_POLICY)


def send(request: Request, current: CurrentView, shown: RenderedPage) -> Response:
    """Send a page, compressed if the client accepts it, or 304; with a notice if its data may be old."""
    if not current.database_ok:
        body = with_stale_notice(shown.body, str(current.stale["message"]))
        digest = hashlib.sha256(body).hexdigest()[:12]
        shown = replace(shown, body=body, compressed=gzip.compress(body, 1, mtime=0), digest=digest)
    headers = {
        **snapshot_headers(request, current, f"-{shown.digest}"),
        "Content-Security-Policy": shown.security_policy,
        "Vary": "Accept-Encoding",
    }
    if is_not_modified(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(shown.compressed, media_type=HTML, headers={**headers, "Content-Encoding": "gzip"})
    return Response(shown.body, media_type=HTML, headers=headers)


routes = router("pages", "", described=False)


@routes.get("/carte")
async def coverage_page(request: Request) -> Response:
    """The interactive map."""
    current = app_state(request).current()
    rendered = current.rendered
    map_page = rendered.pages.get("map")
    if map_page is None:
        map_page = await run_in_threadpool(
            rendered.pages.get_or_compute,
            "map",
            lambda: render_map(current.view, rendered.map_settings),
        )
    return send(request, current, map_page)


@routes.get("/docs")
async def documentation(request: Request) -> Response:
    """The documentation of the API."""
    docs_page = render_documentation(territory_name(request.scope))
    return Response(
        docs_page.body,
        media_type=HTML,
        headers={"Content-Security-Policy": docs_page.security_policy, "Cache-Control": "no-cache"},
    )


@routes.get("/favicon.ico")
async def favicon(request: Request) -> Response:
    """The icon of the site."""
    return FileResponse(assets.OWN / "favicon.svg", media_type="image/svg+xml")


def mount_files(app: FastAPI) -> None:
    """Serve the files of the pages."""
    for path, folder in (("vendor", assets.VENDOR), ("assets", assets.OWN), ("api", OWN)):
        app.mount(f"/static/{path}", StaticFiles(directory=folder, check_dir=False), name=path)
