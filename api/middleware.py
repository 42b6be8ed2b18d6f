"""What wraps every answer, as plain ASGI: each of these costs microseconds, not a task per request."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem

log = logging.getLogger("portee.api")

SECURITY_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Resource-Policy": "cross-origin",
}

MAX_BODY_BYTES = 64 * 1024
NONE_LARGER: Mapping[str, int] = {}


class Head:
    """Answer HEAD as GET without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, as GET if it is a HEAD."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_headers_only(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self.app({**scope, "method": "GET"}, receive, send_headers_only)


class Headers:
    """Add fixed headers to every answer that does not bear them already."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str] = SECURITY_HEADERS) -> None:
        self.app = app
        self.headers = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete the answer's headers."""

        async def send_completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self.headers]
            await send(message)

        await self.app(scope, receive, send_completed if scope["type"] == "http" else send)


class SmallBody:
    """Refuse a request that announces a body larger than its address may read.

    Parameters
    ----------
    larger
        Beginning of the path of addresses that read a body → bytes they read at most.
    """

    def __init__(self, app: ASGIApp, larger: Mapping[str, int] = NONE_LARGER) -> None:
        self.app = app
        self.larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, unless its body is too large to be a mistake."""
        if scope["type"] == "http":
            for name, value in scope["headers"]:
                if name == b"content-length" and int(value) > self._limit(scope["path"]):
                    refusal = problem(scope, 413, headers={"Connection": "close"})
                    await refusal(scope, receive, send)
                    return
        await self.app(scope, receive, send)

    def _limit(self, path: str) -> int:
        found = (limit for start, limit in self.larger.items() if path.startswith(start))
        return next(found, MAX_BODY_BYTES)


class Unforeseen:
    """Log whole what nobody foresaw, and answer with a fixed sentence.

    It stands inside the other wrappers, so that this answer too has their headers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer 500 if it fails before the answer has begun."""
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
            log.exception("Unforeseen failure answering %s %s", scope["method"], scope["path"])
            if begun:
                raise
            answer = problem(scope, 500)
            await answer(scope, receive, send)
