"""Successful responses: body, validator (ETag) and caching."""

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
    """Return the weak ETag of one representation of a URL, for one version of the data."""
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
    """Return a response; 304, without computing the body, if the client already has it.

    `variant` distinguishes the representations of one URL.
    """
    headers = snapshot_headers(request, current, variant)
    if is_not_modified(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body(), media_type=media_type, headers=headers)


def is_not_modified(request: Request, tag: str) -> bool:
    """Whether `If-None-Match` names this representation (weak comparison)."""
    given = request.headers.get("if-none-match")
    if given is None:
        return False
    bare = tag.removeprefix("W/")
    return given.strip() == "*" or any(t.strip().removeprefix("W/") == bare for t in given.split(","))


def snapshot_headers(request: Request, current: CurrentView, variant: str = "") -> dict[str, str]:
    """Return the headers of an answer computed from a snapshot: ETag, caching, data version."""
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
    """Return the links to this page and its neighbours, relative to the host."""
    path = request.scope["path"]
    pairs = [
        (name, item)
        for name, value in values.items()
        for item in (value if isinstance(value, list) else [_as_text(value)])
    ]

    def link(rel: str, at: int) -> dict[str, str]:
        query = urlencode([*pairs, ("limit", limit), ("offset", at)])
        return {"rel": rel, "href": f"{path}?{query}", "type": media_type}

    links = [link("self", offset)]
    if offset + limit < total:
        links.append(link("next", offset + limit))
    if offset > 0:
        links.append(link("prev", max(0, offset - limit)))
    return links


def _as_text(value: object) -> object:
    return ",".join(map(str, value)) if isinstance(value, tuple) else value
