"""The web application: manifest, service worker, and the page shown without a network."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Final

import orjson
from fastapi import Request
from fastapi.responses import Response

from api.residents.page_context import ASSETS, PageContext, asset, html, render
from api.routing import router
from api.service import app_state
from geo.services.search_state import read
from static_maps.page_shell import TOKENS

OFFLINE: Final = "/hors-ligne"
CACHED: Final = ("find.js", "icon.svg")
"""Files of `assets/` that a cached page needs."""
WORKER_POLICY: Final = "default-src 'none'; connect-src 'self'"

routes = router("pages", "", described=False)


@cache
def worker() -> str:
    """Return the script of the service worker, with the files to cache and a version that depends on them."""
    source = (ASSETS / "service-worker.js").read_text("utf-8")
    files = [OFFLINE, *map(asset, CACHED)]
    version = hashlib.sha256((source + "".join(files)).encode()).hexdigest()[:10]
    return source.replace('"%FILES%"', orjson.dumps(files).decode()).replace("%VERSION%", version)


@routes.get("/service-worker.js")
async def service_worker(request: Request) -> Response:
    """Answer with the service worker, which caches the last answer."""
    return Response(
        worker(),
        media_type="text/javascript; charset=utf-8",
        headers={"Cache-Control": "no-cache", "Content-Security-Policy": WORKER_POLICY},
    )


@routes.get("/manifest.webmanifest")
async def manifest(request: Request) -> Response:
    """Answer with the manifest: how the pages look once installed."""
    territory = app_state(request).current().view.snapshot.territory
    fields = {
        "name": f"Aide au numérique – {territory.name}",
        "short_name": "Aide numérique",
        "lang": "fr",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": TOKENS["ground"],
        "theme_color": TOKENS["deep"],
        "icons": [
            {"src": asset("icon.svg"), "sizes": "any", "type": "image/svg+xml"},
            *(
                {
                    "src": asset(f"icon-{size}.png"),
                    "sizes": f"{size}x{size}",
                    "type": "image/png",
                    "purpose": use,
                }
                for size, use in ((192, "any"), (512, "any"), (512, "maskable"))
            ),
        ],
    }
    return Response(
        orjson.dumps(fields),
        media_type="application/manifest+json",
        headers={"Cache-Control": "public, max-age=3600"},
    )


@routes.get(OFFLINE)
def offline(request: Request) -> Response:
    """Answer with the page shown without a network when no answer is cached."""
    asked, _ = read(request.scope["query_string"])
    frame = PageContext(OFFLINE, asked, app_state(request).current())
    return html(render("offline.html", frame, {}), keep="public, max-age=3600")
