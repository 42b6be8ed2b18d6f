"""How data and scripts enter a page safely: escaped JSON, and the policy that allows one script."""

from __future__ import annotations

import base64
import hashlib

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
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'sha256-{digest}'",
            "style-src 'self'",
            f"img-src 'self' data: {tiles_origin}".rstrip(),
            *(["connect-src 'self'"] if asks else []),
            "base-uri 'none'",
            "form-action 'self'" if submits else "form-action 'none'",
        )
    )
