"""Routers of the API, and the two kinds of route they use."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from inspect import iscoroutinefunction
from typing import Any, Final

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.json_body import JsonRoute

PREFIX: Final = "/api/v1"


class DirectRoute(APIRoute):
    """A route whose function takes the request and path parameters and returns the response.

    FastAPI documents it as any other route, but resolves no dependencies and validates no response
    model at run time: for the hot reads, that would take longer than finding the nearest sites.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Call the function directly; one that is not a coroutine runs in a thread."""
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
    """Return a router of direct routes for one resource; hidden from OpenAPI if not `described`."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=DirectRoute, include_in_schema=described)


def write_router(tag: str) -> APIRouter:
    """Return a router of FastAPI routes that take a JSON body and change or compute something."""
    return APIRouter(prefix=PREFIX, tags=[tag], route_class=JsonRoute)
