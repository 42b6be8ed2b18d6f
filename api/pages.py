"""Pages: the interactive map, the API's own documentation, and the files both need."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.staticfiles import StaticFiles

from api.answers import headers_of, is_known
from api.served import Now, Served
from api.service import service_of
from geo.coverage.access import AccessParameters
from geo.territory.model import Kind
from static_maps import assets
from static_maps.coverage_map import coverage_map
from static_maps.settings import MapSettings

OWN: Final = Path(__file__).parent / "static"
"""Files of the documentation page."""

HTML: Final = "text/html; charset=utf-8"


def policy(**sources: str) -> str:
    """A Content-Security-Policy that allows this server's own files and nothing else, plus `sources`."""
    directives = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'self'",
    }
    for name, added in sources.items():
        directives[name.replace("_", "-")] += f" {added}" if added else ""
    return "; ".join(f"{name} {value}" for name, value in directives.items())


@dataclass(frozen=True, slots=True)
class Page:
    """A page rendered once, with its compressed form and the headers it needs."""

    body: bytes
    compressed: bytes
    headers: Mapping[str, str]
    digest: str


def page(html: str, headers: Mapping[str, str]) -> Page:
    """Keep a rendered page ready to be sent."""
    body = html.encode()
    digest = hashlib.sha256(body).hexdigest()[:12]
    return Page(body, gzip.compress(body, 9, mtime=0), headers, digest)


def render_map(served: Served, settings: MapSettings) -> Page:
    """The interactive map of a snapshot."""
    parameters = AccessParameters(detour_factor=served.detour_factor)
    coverages = {kind: served.coverage(kind, parameters) for kind in Kind}
    html: str = coverage_map(served.snapshot, coverages, settings=settings).get_root().render()
    # Leaflet writes style attributes; scripts stay ours alone.
    rule = policy(style_src="'unsafe-inline'", img_src=settings.tiles_origin)
    return page(html, {"Content-Security-Policy": rule})


def render_documentation() -> Page:
    """The page that documents the API; Swagger UI writes its styles and icons inline."""
    html = (OWN / "docs.html").read_text("utf-8")
    return page(html, {"Content-Security-Policy": policy(style_src="'unsafe-inline'")})


def send(request: Request, now: Now, shown: Page) -> Response:
    """Send a page, compressed if the reader takes it, or 304."""
    headers = {**headers_of(request, now, f"-{shown.digest}"), **shown.headers, "Vary": "Accept-Encoding"}
    if is_known(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(shown.compressed, media_type=HTML, headers={**headers, "Content-Encoding": "gzip"})
    return Response(shown.body, media_type=HTML, headers=headers)


def install(app: FastAPI) -> None:
    """Add the pages and their files to an application."""
    settings = MapSettings()

    @app.get("/", include_in_schema=False)
    async def home(request: Request) -> Response:
        now = service_of(request).now()
        served = now.served
        shown: Page = served.pages.get("map") or await run_in_threadpool(
            served.pages.of, "map", lambda: render_map(served, settings)
        )
        return send(request, now, shown)

    @app.get("/docs", include_in_schema=False)
    async def documentation(request: Request) -> Response:
        shown = render_documentation()
        return Response(shown.body, media_type=HTML, headers={**shown.headers, "Cache-Control": "no-cache"})

    @app.get("/favicon.ico", include_in_schema=False)
    async def favicon() -> Response:
        return FileResponse(assets.OWN / "favicon.svg", media_type="image/svg+xml")

    for path, folder in (("vendor", assets.VENDOR), ("assets", assets.OWN), ("api", OWN)):
        app.mount(f"/static/{path}", StaticFiles(directory=folder, check_dir=False), name=path)
