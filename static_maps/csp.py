"""How data and scripts enter a page safely: escaped JSON, and the policy that allows one script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

import orjson
from markupsafe import Markup


def json_block(data: object) -> Markup:
    """Data as JSON that cannot end its `<script>` block or open a comment in it."""
    text = orjson.dumps(data).decode()
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))  # noqa: S704


def security_policy(script: str, tiles_origin: str, *, asks: bool = False, submits: bool = False) -> str:
    """The Content-Security-Policy of a page: itself, its own folder, one script of its own, the tiles.

    Parameters
    ----------
    script
        The only script written in the page, allowed by its digest.
    asks
        Whether its scripts ask the service it comes from.
    submits
        Whether it holds a form.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {digest(script)}",
            "style-src 'self'",
            f"img-src 'self' data: {tiles_origin}".rstrip(),
            *(["connect-src 'self'"] if asks else []),
            "base-uri 'none'",
            "form-action 'self'" if submits else "form-action 'none'",
        )
    )


def content_security_policy(
    *, scripts: Iterable[str], styles: Iterable[str], tiles_origin: str, own_files: bool
) -> str:
    """The Content-Security-Policy of a page that holds these scripts and styles, and asks for tiles.

    Parameters
    ----------
    own_files
        Whether it loads scripts and styles from where it comes from, besides.
    """
    own = ["'self'"] if own_files else []
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src", *own, *map(digest, scripts))),
            " ".join(("style-src", *own, *map(digest, styles))),
            " ".join(("img-src", *own, "data:", tiles_origin)).rstrip(),
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def digest(text: str) -> str:
    """How a policy names a script or a style written in the page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
