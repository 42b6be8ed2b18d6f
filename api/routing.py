"""How addresses are laid out, and the kind of route all of them are."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from inspect import iscoroutinefunction
from typing import Any, Final

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

PREFIX: Final = "/api/v1"


class DirectRoute(APIRoute):
    """A route whose function takes the request and path parameters, and makes its own response.

    FastAPI describes it as any other; it has no dependencies to solve and no model to check on
    the way out, which would otherwise take longer than finding the nearest sites.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Call the function; one that is not a coroutine works in a thread."""
        answer = self.endpoint
        if iscoroutinefunction(answer):

            async def handler(request: Request) -> Response:
                response: Response = await answer(request, **request.path_params)
                return response

        else:

            async def handler(request: Request) -> Response:
                response: Response = await run_in_threadpool(answer, request, **request.path_params)
                return response

        return handler


def router(tag: str, prefix: str = PREFIX, *, described: bool = True) -> APIRouter:
    """A router for one noun, told in OpenAPI unless `described` is false."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=DirectRoute, include_in_schema=described)
