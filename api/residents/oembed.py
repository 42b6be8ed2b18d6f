"""`/oembed`: turns an address into a frame, for page editors (oembed.com, version 1.0)."""

from __future__ import annotations

from html import escape
from typing import Final
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

import orjson
from fastapi import Request
from fastapi.responses import Response

from api.parameters import MAX_PARAMETERS
from api.problems import problem
from api.residents.embed import PATH as EMBED
from api.residents.page_context import base_url
from api.routing import router
from api.service import app_state
from geo.services.embed_options import Embedded, read
from geo.territory.model import Territory
from geo.wording.language import language

PATH: Final = "/oembed"
PAGES: Final = (EMBED, "/")
"""Paths of pages that can be embedded; they take the same parameters."""

WIDTH, HEIGHT = 800, 720
KEPT_S: Final = 86_400

NOT_OURS: Final = "Cette adresse n'est pas celle d'une page que ce service peut intégrer."
NO_FORMAT: Final = "Ce format n'existe pas ici : demandez « json » ou « xml »."

routes = router("pages", "", described=False)


@routes.get(PATH)
def oembed(request: Request) -> Response:
    """The frame of one of our addresses, as JSON or XML."""
    try:
        given = dict(
            parse_qsl(
                request.scope["query_string"].decode("ascii"),
                errors="strict",
                max_num_fields=MAX_PARAMETERS,
            )
        )
    except ValueError:
        return problem(request.scope, 400)
    wanted = given.get("format", "json")
    if wanted not in ("json", "xml"):
        return problem(request.scope, 501, NO_FORMAT)
    base = base_url(request)
    query = embed_query(given.get("url", ""), base)
    if query is None:
        return problem(request.scope, 404, NOT_OURS)
    territory = app_state(request).current().view.snapshot.territory
    state, embedded, _ = read(query, territory)
    width, height = (_size(given.get(name, ""), most) for name, most in _SIZES)
    title = frame_title(embedded, territory, state.language)
    address = base + embedded.address(EMBED, state)
    answer: dict[str, object] = {
        "version": "1.0",
        "type": "rich",
        "title": title,
        "provider_name": f"Portée – {territory.name}",
        "provider_url": f"{base}/",
        "cache_age": KEPT_S,
        "width": width,
        "height": height,
        "html": frame_code(address, title, width=width, height=height),
    }
    keep = {"Cache-Control": "no-cache"}
    if wanted == "json":
        return Response(orjson.dumps(answer), media_type="application/json", headers=keep)
    return Response(_xml(answer), media_type="text/xml", headers=keep)


_SIZES: Final = (("maxwidth", WIDTH), ("maxheight", HEIGHT))


def embed_query(url: str, base: str) -> bytes | None:
    """Return the query of an address of this service; None for any other address."""
    try:
        parts = urlsplit(url)
        query = parts.query.encode("ascii")
    except ValueError:
        return None
    if f"{parts.scheme}://{parts.netloc}".lower() != base.lower() or (parts.path or "/") not in PAGES:
        return None
    return query


def frame_code(address: str, title: str, *, width: int | None = None, height: int = HEIGHT) -> str:
    """Return the HTML of a frame; without `width` (pixels), as wide as its container."""
    return (
        f'<iframe src="{escape(address)}" title="{escape(title)}" width="{width or "100%"}" '
        f'height="{height}" style="border:0" loading="lazy" referrerpolicy="no-referrer"></iframe>'
    )


def frame_title(embedded: Embedded, territory: Territory, code: str) -> str:
    """Return the title of a frame."""
    area = embedded.territory.name if embedded.territory else territory.name
    return embedded.title or language(code)("Aide au numérique : %(area)s", area=area)


def _size(text: str, usual: int) -> int:
    """Return a size in pixels, at most the one requested; a value that is not a number is ignored."""
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        return usual
    return max(1, min(usual, int(text)))


def _xml(answer: dict[str, object]) -> bytes:
    root = ElementTree.Element("oembed")
    for name, value in answer.items():
        ElementTree.SubElement(root, name).text = str(value)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written
