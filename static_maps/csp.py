"""JSON that is safe inside a page, and the Content-Security-Policy of pages."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

import orjson
from markupsafe import Markup


def json_block(data: object) -> Markup:
    """Serialise data as JSON that cannot end its `<script>` element or open a comment in it."""
    text = orjson.dumps(data).decode()
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))  # noqa: S704


def content_security_policy(
    *,
    scripts: Iterable[str] = (),
    styles: Iterable[str] = (),
    tiles_origin: str = "",
    own_scripts: bool = False,
    own_styles: bool = True,
    asks: bool = False,
    submits: bool = False,
) -> str:
    """Return the Content-Security-Policy of a page.

    Parameters
    ----------
    scripts, styles
        Texts of the page's inline scripts and styles, allowed by digest.
    tiles_origin
        Scheme and host of the base map; "" for none.
    own_scripts, own_styles
        Whether it loads scripts, and styles and images, from its own origin.
    asks
        Whether its scripts send requests to the service it comes from.
    submits
        Whether it contains a form.
    """
    scripts = [*(["'self'"] if own_scripts else []), *map(digest, scripts)]
    own = ["'self'"] if own_styles else []
    return "; ".join(
        (
            "default-src 'none'",
            *([" ".join(("script-src", *scripts))] if scripts else []),
            " ".join(("style-src", *own, *map(digest, styles))),
            " ".join(("img-src", *own, "data:", tiles_origin)).rstrip(),
            *(["connect-src 'self'"] if asks else []),
            "base-uri 'none'",
            "form-action 'self'" if submits else "form-action 'none'",
        )
    )


def digest(text: str) -> str:
    """Return the source expression that allows an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
