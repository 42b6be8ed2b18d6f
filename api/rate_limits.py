"""How often one client may search or send forms: a table of addresses, and the wrapper that holds to it.

Who asks is known by the address the server gives (a trusted proxy's word included, see `portee serve`);
it is kept in memory only, as a keyed hash whose key nobody knows and which is forgotten now and then. Each
worker counts for itself.
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

IPV6_PREFIX: Final = 64
"""Bits of an IPv6 address that tell one household or office from another."""

COUNTED_MAX: Final = 20_000
"""Requests counted before a window begins anew: what it keeps in memory is then forgotten."""


@dataclass(frozen=True, slots=True)
class Limited:
    """Addresses that share a limit: template of the path, method, and whether only with a query."""

    method: str
    path: str
    asked: bool = False


SEARCHES: Final = (
    Limited("GET", "/", asked=True),
    Limited("GET", "/embed", asked=True),
    Limited("GET", "/lieux/carte", asked=True),
    Limited("GET", f"{PREFIX}/places"),
)
"""What finds a place or the sites near one: each holds where somebody is, and costs the most to answer."""

FORMS: Final = (Limited("POST", "/lieux/{id}/signaler"),)
"""What anybody may send without a token."""

TOO_MANY_SEARCHES: Final = "Vous avez fait beaucoup de recherches en peu de temps."
TOO_MANY_FORMS: Final = "Plusieurs messages nous sont déjà parvenus depuis votre connexion à internet."


class RateWindow:
    """Counts the requests of each client over the time that has just passed.

    Parameters
    ----------
    rate
        Such as `120/minute`.
    """

    def __init__(self, rate: str) -> None:
        self.rate = limits.parse(rate)
        self._begin()

    def wait_s(self, client: str) -> int:
        """Count a request: 0 if it may be answered, else the seconds to wait, 1 or more."""
        if self._counted >= COUNTED_MAX:
            self._begin()
        known_as = hashlib.blake2b(client.encode(), key=self._key, digest_size=16).hexdigest()
        if self._limiter.hit(self.rate, known_as):
            self._counted += 1
            return 0
        free_at = self._limiter.get_window_stats(self.rate, known_as).reset_time
        return max(1, math.ceil(free_at - time.time()))

    def _begin(self) -> None:
        self._limiter = limits.strategies.MovingWindowRateLimiter(limits.storage.MemoryStorage())
        self._key = secrets.token_bytes(32)
        self._counted = 0


class Rates:
    """Refuse, with 429, what one client asks too often.

    Parameters
    ----------
    http
        The rates; an empty one limits nothing.
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
        """Pass the request on, unless its client has asked too often."""
        if scope["type"] == "http":
            for limited, pattern, window, sentence in self._rules.get(scope["method"], ()):
                if limited.asked and not scope["query_string"]:
                    continue
                if not pattern.match(scope["path"]):
                    continue
                wait_s = window.wait_s(client_key(scope))
                if wait_s:
                    scope["route"] = limited  # whose path the log and the figures tell
                    refusal = problem(
                        scope,
                        429,
                        sentence,
                        advice=f"Attendez {_told(wait_s)}, puis recommencez.",
                        headers={"Retry-After": str(wait_s)},
                    )
                    await refusal(scope, receive, send)
                    return
        await self.app(scope, receive, send)


def client_key(scope: Scope) -> str:
    """Who asks, as far as limits tell one from another: an IPv4 address, the network of an IPv6 one."""
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


def _told(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} seconde{'s' if seconds > 1 else ''}"
    return f"{math.ceil(seconds / 60)} minutes"
