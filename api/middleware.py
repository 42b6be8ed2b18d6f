"""Middleware of every response, as plain ASGI: each costs microseconds, not a task per request."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access_log import route_template
from api.problems import problem
from api.security_headers import EVERY_ANSWER, EVERY_PAGE, NOTHING, OVER_HTTPS, PAPER

log = logging.getLogger("portee.api")

MAX_BODY_BYTES = 64 * 1024
NONE_LARGER: Mapping[str, int] = {}


class Head:
    """Answer HEAD requests as GET, without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, as GET if it is a HEAD."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_headers_only(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        inner = {**scope, "method": "GET"}
        try:
            await self.app(inner, receive, send_headers_only)
        finally:
            scope.update({**inner, "method": "HEAD"})  # the matched route, for the outer middleware


class Headers:
    """Add the security headers to every response; a page keeps its own content policy."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._file = [*_raw(EVERY_ANSWER), *_raw({POLICY.decode(): NOTHING})]
        self._paper = [*_raw(EVERY_ANSWER), *_raw({POLICY.decode(): PAPER})]
        self._page = [*_raw(EVERY_ANSWER), *_raw(EVERY_PAGE)]
        self._https = _raw(OVER_HTTPS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request and complete the response headers."""

        async def send_completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message["headers"]
                added = self._file
                for name, value in own:
                    if name == POLICY:  # only pages set one
                        added = self._page
                    elif name == b"content-type" and value == b"application/pdf":
                        added = self._paper
                message["headers"] = [*own, *added, *(self._https if scope["scheme"] == "https" else ())]
            await send(message)

        await self.app(scope, receive, send_completed if scope["type"] == "http" else send)


POLICY = b"content-security-policy"


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


class SmallBody:
    """Refuse bodies larger than the limit of their path, with a `Content-Length` or without.

    Parameters
    ----------
    larger
        Path prefix → limit in bytes, where it is above the default.
    """

    def __init__(self, app: ASGIApp, larger: Mapping[str, int] = NONE_LARGER) -> None:
        self.app = app
        self.larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, unless its body is too large."""
        if scope["type"] == "http":
            for name, value in scope["headers"]:
                if name == b"content-length" and int(value) > self._limit(scope["path"]):
                    refusal = problem(scope, 413, headers=CLOSE)
                    await refusal(scope, receive, send)
                    return
                if name == b"transfer-encoding":
                    receive = _counting(receive, self._limit(scope["path"]))
        await self.app(scope, receive, send)

    def _limit(self, path: str) -> int:
        found = (limit for start, limit in self.larger.items() if path.startswith(start))
        return next(found, MAX_BODY_BYTES)


CLOSE: Mapping[str, str] = {"Connection": "close"}
"""Closes a connection on which the rest of an unread body would follow."""


def _counting(receive: Receive, limit: int) -> Receive:
    """Return a `receive` that raises 413 once more than `limit` bytes of a body have arrived."""
    received = 0

    async def receive_counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise HTTPException(413, headers=CLOSE)
        return message

    return receive_counted


class Unforeseen:
    """Log unexpected errors and answer 500 with a fixed sentence.

    It is inside the other middleware, so that this response has their headers too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request; answer 500 if it fails before the response has started."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def send_noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, send_noting)
        except Exception:
            log.exception("Unforeseen failure answering %s %s", scope["method"], route_template(scope))
            if begun:
                raise
            answer = problem(scope, 500)
            await answer(scope, receive, send)
