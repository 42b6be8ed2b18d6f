"""Request id, access log line and metrics of each request."""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import Final, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.logs import ACCESS, REQUEST_ID

INBOUND: Final = re.compile(rb"[0-9A-Fa-f-]{16,64}")
"""Inbound ids accepted: those that proxies generate. Free text from a client is not logged."""

METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))

UNKNOWN: Final = "-"
"""Replaces paths without a route and unknown methods: both are free text."""


class Observer(Protocol):
    """Receives the figures of each response."""

    def count_response(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one response."""


def request_id(scope: Scope) -> str:
    """Return the id of a request, or "" if it has none."""
    given: str = scope.get("portee.request_id", "")
    return given


def route_template(scope: Scope) -> str:
    """Return the path template of the matched route, such as `/api/v1/sites/{site_id}`."""
    route = scope.get("route")
    if route is None and "app_root_path" in scope:  # a mounted folder of static files
        return f"{scope['root_path']}/{{path}}"
    path: str = getattr(route, "path_format", "") or getattr(route, "path", UNKNOWN)
    return path


class RequestLog:
    """Give each request an id, return it in a header, and report the request to log and metrics.

    It is the outermost middleware.
    """

    def __init__(self, app: ASGIApp, observer: Observer | None = None) -> None:
        self.app = app
        self.observer = observer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, and report its status, duration and size."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status, sent = 500, 0  # status sent by the server if no response starts
        identity = _inbound(scope) or secrets.token_hex(8)
        scope["portee.request_id"] = identity
        REQUEST_ID.set(identity)
        header = (b"x-request-id", identity.encode())

        async def send_counted(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], header]
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            await send(message)

        method = scope["method"] if scope["method"] in METHODS else UNKNOWN
        try:
            await self.app(scope, receive, send_counted)
        finally:
            seconds = time.perf_counter() - began
            route = route_template(scope)
            if self.observer:
                self.observer.count_response(method, route, status, seconds)
            if ACCESS.isEnabledFor(logging.INFO):
                _log(method, route, status, seconds, sent)


def _inbound(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return value.decode() if INBOUND.fullmatch(value) else ""
    return ""


def _log(method: str, route: str, status: int, seconds: float, sent: int) -> None:
    figures = {
        "method": method,
        "route": route,
        "status": status,
        "duration_ms": round(seconds * 1_000, 1),
        "bytes": sent,
    }
    # Built by hand: `log.info` would first search the stack for its caller.
    record = {"name": ACCESS.name, "levelno": logging.INFO, "levelname": "INFO", "figures": figures}
    ACCESS.handle(logging.makeLogRecord(record))
