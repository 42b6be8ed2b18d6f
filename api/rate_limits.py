"""Rate limits of searches and forms: the limited routes, and the middleware that enforces the limits.

Clients are identified by the address that the server reports (from a trusted proxy too, see
`portee serve`). It is held in memory only, as a keyed hash; the random key is renewed from time to time.
Each worker counts separately.
"""

from __future__ import annotations

import hashlib
import math
import re
import secrets
import time
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

import limits
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import problem
from api.routing import PREFIX
from api.settings import ApiSettings
from geo.wording import figures

IPV6_PREFIX: Final = 64
"""Bits of an IPv6 address that identify one household or office."""

COUNTED_MAX: Final = 20_000
"""Requests counted before a window restarts, which bounds its memory."""


@dataclass(frozen=True, slots=True)
class Limited:
    """A limited route: method, path template, and whether only requests with a query count."""

    method: str
    path: str
    asked: bool = False


SEARCHES: Final = (
    Limited("GET", "/", asked=True),
    Limited("GET", "/embed", asked=True),
    Limited("GET", "/lieux/carte", asked=True),
    Limited("GET", f"{PREFIX}/places"),
)
"""Searches around a place: the most expensive requests, and the only ones that reveal a location."""

FORMS: Final = (Limited("POST", "/lieux/{id}/signaler"),)
"""Forms that can be sent without a token."""

TOO_MANY_SEARCHES: Final = "Vous avez fait beaucoup de recherches en peu de temps."
TOO_MANY_FORMS: Final = "Plusieurs messages nous sont déjà parvenus depuis votre connexion à internet."


class RateWindow:
    """Counts the requests of each client over a moving window.

    Parameters
    ----------
    rate
        Such as `120/minute`.
    """

    def __init__(self, rate: str) -> None:
        self.rate = limits.parse(rate)
        self._begin()

    def wait_s(self, client: str) -> int:
        """Count a request; return 0 if it is allowed, else the seconds to wait, at least 1."""
        if self._counted >= COUNTED_MAX:
            self._begin()
        key = hashlib.blake2b(client.encode(), key=self._key, digest_size=16).hexdigest()
        if self._limiter.hit(self.rate, key):
            self._counted += 1
            return 0
        free_at = self._limiter.get_window_stats(self.rate, key).reset_time
        return max(1, math.ceil(free_at - time.time()))

    def _begin(self) -> None:
        self._limiter = limits.strategies.MovingWindowRateLimiter(limits.storage.MemoryStorage())
        self._key = secrets.token_bytes(32)
        self._counted = 0


class Rates:
    """Answer 429 to clients that exceed a rate.

    Parameters
    ----------
    http
        The rates; an empty one disables the limit.
    """

    def __init__(self, app: ASGIApp, http: ApiSettings) -> None:
        self.app = app
        self._rules: dict[str, list[tuple[Limited, re.Pattern[str], RateWindow, str]]] = {}
        for rate, limited, sentence in (
            (http.search_rate, SEARCHES, TOO_MANY_SEARCHES),
            (http.form_rate, FORMS, TOO_MANY_FORMS),
        ):
            if rate:
                window = RateWindow(rate)
                for each in limited:
                    rule = (each, compile_path(each.path)[0], window, sentence)
                    self._rules.setdefault(each.method, []).append(rule)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, unless its client has exceeded the rate."""
        if scope["type"] == "http":
            for limited, pattern, window, sentence in self._rules.get(scope["method"], ()):
                if limited.asked and not scope["query_string"]:
                    continue
                if not pattern.match(scope["path"]):
                    continue
                wait_s = window.wait_s(client_key(scope))
                if wait_s:
                    scope["route"] = limited  # its path goes to the log and the metrics
                    refusal = problem(
                        scope,
                        429,
                        sentence,
                        advice=f"Attendez {_wait(wait_s)}, puis recommencez.",
                        headers={"Retry-After": str(wait_s)},
                    )
                    await refusal(scope, receive, send)
                    return
        await self.app(scope, receive, send)


def client_key(scope: Scope) -> str:
    """Return what identifies a client: its IPv4 address, or the network of its IPv6 address."""
    host: str = (scope.get("client") or ("",))[0]
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(int(address) >> (128 - IPV6_PREFIX))


def _wait(seconds: int) -> str:
    """Say how long to wait, minutes rounded up."""
    return figures.duration(seconds if seconds < 120 else math.ceil(seconds / 60) * 60)
