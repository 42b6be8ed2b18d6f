"""Success, as HTTP: bytes already written, their validator, and how long they may be kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from api.rendered_snapshot import CurrentView
from api.service import app_state

JSON = "application/json"
GEOJSON = "application/geo+json"


def etag(current: CurrentView, variant: str = "") -> str:
    """The weak validator of one representation of an address, at one state of the data."""
    away = "" if current.database_ok else "-away"
    return f'W/"{current.view.tag}{away}{variant}"'


def answer(
    request: Request,
    current: CurrentView,
    body: Callable[[], bytes],
    *,
    media_type: str = GEOJSON,
    variant: str = "",
) -> Response:
    """Answer with a body, or with 304 and without computing it when the reader has it already.

    `variant` tells apart the representations one address can have.
    """
    headers = snapshot_headers(request, current, variant)
    if is_not_modified(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body(), media_type=media_type, headers=headers)


def is_not_modified(request: Request, tag: str) -> bool:
    """Whether the reader says it holds this representation (If-None-Match, compared weakly)."""
    given = request.headers.get("if-none-match")
    if given is None:
        return False
    bare = tag.removeprefix("W/")
    return given.strip() == "*" or any(t.strip().removeprefix("W/") == bare for t in given.split(","))


def snapshot_headers(request: Request, current: CurrentView, variant: str = "") -> dict[str, str]:
    """Validator, freshness, and the state of the data, for an answer made from a snapshot."""
    headers = {
        "ETag": etag(current, variant),
        "Cache-Control": f"public, max-age={app_state(request).http.cache_seconds}",
        "Portee-Snapshot": str(current.view.snapshot.version),
    }
    if not current.database_ok:
        headers["Cache-Control"] = "public, no-cache"
        headers["Portee-Snapshot-Age"] = str(current.age_s)
    return headers


def page_links(
    request: Request, values: dict[str, Any], total: int, limit: int, offset: int, media_type: str
) -> list[dict[str, str]]:
    """Links to this page and its neighbours, relative to the host."""
    path = request.scope["path"]
    kept = [
        (name, item)
        for name, value in values.items()
        for item in (value if isinstance(value, list) else [_written(value)])
    ]

    def link(rel: str, at: int) -> dict[str, str]:
        query = urlencode([*kept, ("limit", limit), ("offset", at)])
        return {"rel": rel, "href": f"{path}?{query}", "type": media_type}

    links = [link("self", offset)]
    if offset + limit < total:
        links.append(link("next", offset + limit))
    if offset > 0:
        links.append(link("prev", max(0, offset - limit)))
    return links


def _written(value: object) -> object:
    return ",".join(map(str, value)) if isinstance(value, tuple) else value
