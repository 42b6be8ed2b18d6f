"""Security headers of responses, with the reason for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from api.settings import ApiSettings

NOTHING: Final = "default-src 'none'; frame-ancestors 'none'"
"""Content-Security-Policy of data and files: they load nothing and cannot be framed."""

PAPER: Final = "frame-ancestors 'none'"
"""That of PDF: browsers show it by a page of their own, whose styles and viewer `default-src` would stop."""

FRAMED_BY: Final = "; frame-ancestors 'self'"
"""The one directive a page cannot state of itself; that of every page not made to be embedded."""

EVERY_ANSWER: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    # A URL may hold a location: other hosts get no referrer, not even our host name. Not `no-referrer`,
    # which makes forms send `Origin: null`, like those sent by another site.
    "Referrer-Policy": "same-origin",
    # The position is asked by our own pages only, and by those that frame them if they pass it on.
    "Permissions-Policy": (
        "geolocation=(self), accelerometer=(), camera=(), display-capture=(), gyroscope=(), "
        "magnetometer=(), microphone=(), midi=(), payment=(), usb=()"
    ),
    # The data are public: any page may show them.
    "Cross-Origin-Resource-Policy": "cross-origin",
}

EVERY_PAGE: Final[Mapping[str, str]] = {"Cross-Origin-Opener-Policy": "same-origin"}
"""Besides, of answers in HTML: a page that opens ours in a window has no hold of it."""

OVER_HTTPS: Final[Mapping[str, str]] = {"Strict-Transport-Security": "max-age=31536000"}
"""Besides, of what was asked by https: for a year, browsers ask this host no other way."""


def framed_by(http: ApiSettings) -> str:
    """The directive that ends the policy of a page made to be embedded: who may show it in a frame."""
    return "; frame-ancestors " + " ".join(http.frame_ancestors)
