"""Responses of the funding routes. They come from the database; the snapshot gives territory and sites."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

import orjson
from fastapi import Request
from fastapi.responses import Response

from api.rendered_snapshot import CurrentView
from api.responses import JSON, is_not_modified

DEMONSTRATION: Final = "Données de démonstration : une partie de ce qui est montré ici est inventée."
SHORT: Final = {"Cache-Control": "public, max-age=10"}
NOT_STORED: Final = {"Cache-Control": "no-store"}
PRIVATE: Final = "private, no-store"


def figures_response(
    request: Request,
    current: CurrentView,
    content: Mapping[str, Any],
    *,
    fictif: bool,
    method: bool = False,
) -> Response:
    """Return public figures; 304 if the client already has the same.

    Parameters
    ----------
    fictif
        Whether some of the data are fictitious: the answer then has a notice.
    method
        Whether to include the travel time method.
    """
    meta = {
        **current.meta_dict(with_method=method),
        "notice": DEMONSTRATION if fictif else None,
    }
    body = orjson.dumps({"meta": meta, **content})
    headers = {**SHORT, "ETag": f'W/"{blake2b(body, digest_size=12).hexdigest()}"'}
    if is_not_modified(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=JSON, headers=headers)


def restricted_response(
    request: Request,
    current: CurrentView,
    content: Mapping[str, Any],
    *,
    fictif: bool,
    exact: bool,
    method: bool = False,
) -> Response:
    """Return figures that depend on the token of the request; with full access they are not cached."""
    response = figures_response(request, current, content, fictif=fictif, method=method)
    response.headers["Vary"] = "Authorization"
    if exact:
        response.headers["Cache-Control"] = PRIVATE
    return response


def write_response(content: Any, *, new: bool = True, headers: Mapping[str, str] | None = None) -> Response:
    """Return what was saved: 201 if it is new, 200 if it was already there."""
    return Response(
        orjson.dumps(content),
        status_code=201 if new else 200,
        media_type=JSON,
        headers={**NOT_STORED, **(headers or {})},
    )
