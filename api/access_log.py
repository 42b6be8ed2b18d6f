"""What is known of each request once it is answered: its id, and one line and one figure about it."""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import Final, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.logs import ACCESS, REQUEST_ID

INBOUND: Final = re.compile(rb"[0-9A-Fa-f-]{16,64}")
"""An id given by who asks is kept if it is such as proxies make: what could bear a word is not logged."""

METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))

UNKNOWN: Final = "-"
"""Stands for an address without a route, and for a method nobody knows: both are free text."""


class Observer(Protocol):
    """Who counts the answers."""

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""


def request_id(scope: Scope) -> str:
    """The id of a request, "" when nothing gave it one."""
    given: str = scope.get("portee.request_id", "")
    return given


def route_template(scope: Scope) -> str:
    """The template of the route that answers a request, such as `/api/v1/sites/{site_id}`."""
    route = scope.get("route")
    if route is None and "app_root_path" in scope:  # a folder of files, found by the beginning of its path
        return f"{scope['root_path']}/{{path}}"
    path: str = getattr(route, "path_format", "") or getattr(route, "path", UNKNOWN)
    return path


class RequestLog:
    """Give each request an id, send it back, and tell the log and the figures how it went.

    It stands outermost.
    """

    def __init__(self, app: ASGIApp, observer: Observer | None = None) -> None:
        self.app = app
        self.observer = observer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and tell how it was answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status, sent = 500, 0  # what the server says of an answer that never began
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
                self.observer.answered(method, route, status, seconds)
            if ACCESS.isEnabledFor(logging.INFO):
                _tell(method, route, status, seconds, sent)


def _inbound(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return value.decode() if INBOUND.fullmatch(value) else ""
    return ""


def _tell(method: str, route: str, status: int, seconds: float, sent: int) -> None:
    told = {
        "method": method,
        "route": route,
        "status": status,
        "duration_ms": round(seconds * 1_000, 1),
        "bytes": sent,
    }
    # Made by hand: `log.info` would first look for the line of code that calls it.
    record = {"name": ACCESS.name, "levelno": logging.INFO, "levelname": "INFO", "told": told}
    ACCESS.handle(logging.makeLogRecord(record))
