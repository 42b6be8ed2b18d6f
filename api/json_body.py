"""JSON request bodies: parsed within limits and cleaned before FastAPI validates them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

import orjson
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.parameters import Query, refuse
from geo.coverage.where_next import CANDIDATES_MAX
from geo.sites.text import clean_text

MEMBERS_MAX: Final = 100
"""Members of one object; no model has as many, and each unknown one would be reported."""
NESTED_LIST_MAX: Final = CANDIDATES_MAX
"""Items of a list inside the body; the limit of a body that is itself a list belongs to its model."""
DEPTH_MAX: Final = 10

NO_PARAMETERS: Final = Query()


class JsonRequest(Request):
    """A request whose JSON body has been parsed and cleaned."""

    value: Any = None

    async def json(self) -> Any:
        """Return the cleaned body."""
        return self.value


class JsonRoute(APIRoute):
    """A FastAPI route whose body is read by `parse_json` rather than by the standard library.

    Unlike `json.loads`, it refuses NaN, lone surrogates and invalid UTF-8. Query parameters that the
    route does not declare are refused, where FastAPI would ignore them.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Check the query, parse the body, then let FastAPI resolve dependencies and validate."""
        answer = super().get_route_handler()
        declared = {field.alias for field in self.dependant.query_params}
        has_body = self.body_field is not None

        async def handler(request: Request) -> Response:
            if undeclared := set(request.query_params) - declared:
                NO_PARAMETERS.read_object({name: request.query_params[name] for name in sorted(undeclared)})
            if not has_body:
                return await answer(request)
            parsed = JsonRequest(request.scope, request.receive)
            body = await parsed.body()
            # Without a body FastAPI reports it as missing, after authentication.
            if body or "content-type" in request.headers:
                parsed.value = parse_json(request, body)
            return await answer(parsed)

        return handler


def is_json(request: Request) -> bool:
    """Whether the request declares a JSON body."""
    media_type = request.headers.get("content-type", "").partition(";")[0]
    return media_type.strip().lower() == "application/json"


def parse_json(request: Request, body: bytes) -> Any:
    """Parse a JSON body, its texts without control characters or direction overrides.

    Raises
    ------
    HTTPException
        400 if it is not valid JSON, 415 if it is not declared as JSON.
    Refused
        If a list or an object in it has too many items, or they are nested too deep.
    """
    if not is_json(request):
        raise HTTPException(415)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise HTTPException(400) from None
    if isinstance(value, list):
        return [_clean(item, f"[{rank}]", 1) for rank, item in enumerate(value)]
    return _clean(value, "", 0)


def _clean(value: Any, path: str, depth: int) -> Any:
    if isinstance(value, str):
        return clean_text(value, lines=True)[0]
    if not isinstance(value, dict | list):
        return value
    name = path[:60] or "contenu"
    if depth > DEPTH_MAX:
        raise refuse(path, "", f"« {name} » contient trop d'objets ou de listes les uns dans les autres.")
    if isinstance(value, list):
        if len(value) > NESTED_LIST_MAX:
            raise refuse(
                path, "", f"« {name} » compte {len(value)} valeurs ; {NESTED_LIST_MAX} au plus sont admises."
            )
        return [_clean(item, f"{path}[{rank}]", depth + 1) for rank, item in enumerate(value)]
    if len(value) > MEMBERS_MAX:
        raise refuse(path, "", f"« {name} » compte {len(value)} champs ; {MEMBERS_MAX} au plus sont admis.")
    dot = "." if path else ""
    return {
        clean_text(member)[0]: _clean(item, f"{path}{dot}{member[:40]}", depth + 1)
        for member, item in value.items()
    }
