"""`/embed`: the list and the map for the page of another site; `/embed.js` puts them there in one line."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fastapi import Request
from fastapi.responses import Response
from markupsafe import Markup

from api.rendered_snapshot import CurrentView
from api.residents import sites_map_page
from api.residents.find import KEPT, MAYBES, has_more
from api.residents.page_context import ASSETS, POLICY, PageContext, base_url, html, render
from api.routing import router
from api.security_headers import framed_by
from api.service import AppState, app_state
from geo.matching.choices import CHOICES, GROUP_NAMES
from geo.services.embed_options import BOTH, LIST, MAP, Embedded, read
from geo.services.find_help import find_help, result_cards
from geo.services.search_state import SearchState, UnusableValue
from static_maps.csp import digest
from static_maps.resident_map import one_file

PATH: Final = "/embed"
FILE: Final = "/embed/carte.html"
ASKED_THERE: Final = ("ou", "lieu", "pos", "n", "besoin")
"""What the form of the page asks, or what a new search makes void."""

routes = router("pages", "", described=False)


@routes.get(PATH)
def embed_page(request: Request) -> Response:
    """The page that stands in a frame of another site."""
    service = app_state(request)
    current = service.current()
    asked, embedded, unusable = read(request.scope["query_string"], current.view.snapshot.territory)
    body = page(service, current, asked, embedded, unusable, base_url(request))
    return html(
        body,
        policy=embed_policy(embedded),
        keep=KEPT[asked.anywhere],
        framed=framed_by(service.http),
    )


@routes.get("/embed.js")
async def script(request: Request) -> Response:
    """The script that makes the frame and fits its height."""
    return Response(
        (ASSETS / "embed.js").read_bytes(),
        media_type="text/javascript; charset=utf-8",
        headers={"Cache-Control": "public, max-age=3600"},
    )


@routes.get(FILE)
def whole_file(request: Request) -> Response:
    """The map as one file, for hosts that take nothing else."""
    service = app_state(request)
    current = service.current()
    asked, embedded, _ = read(request.scope["query_string"], current.view.snapshot.territory)
    drawn = one_file(
        current.view.snapshot,
        asked,
        embedded,
        outline=current.rendered.site_map_outline,
        settings=service.map_settings,
        address=base_url(request),
    )
    answered = html(drawn.html, policy=drawn.security_policy, keep="no-cache")
    answered.headers["Content-Disposition"] = 'attachment; filename="carte.html"'
    return answered


def page(
    service: AppState,
    current: CurrentView,
    asked: SearchState,
    embedded: Embedded,
    unusable: tuple[UnusableValue, ...],
    base: str,
) -> str:
    """The embedded page, as HTML."""
    view = current.view
    embedded = replace(embedded, view=embedded.view or BOTH)
    results = embedded.bounded(find_help(service.place_finder(current), asked))
    frame = PageContext(PATH, asked, current)
    found = results.answer
    needs = asked.wishes.of("besoin")
    kept = [pair for pair in (*embedded.pairs(), *asked.pairs()) if pair[0] not in ASKED_THERE]
    if len(needs) > 1:  # a choice of one would lose the others
        kept += [("besoin", code) for code in needs]
    more = replace(asked, count=min(asked.count * 3, 200)) if has_more(found, asked) else None
    listed = embedded.view != MAP
    return render(
        "embed.html",
        frame,
        {
            "results": results,
            "embedded": embedded,
            "accent": embed_style(embedded),
            "group_names": GROUP_NAMES,
            "needs": CHOICES["besoin"] if len(needs) <= 1 and listed else None,
            "kept": kept,
            "listed": listed,
            "map_address": embedded.address(sites_map_page.PATH, asked) if embedded.view != LIST else "",
            "cards": result_cards(found.fits[: asked.count], results.moment, view.calendar),
            "maybes": result_cards(
                found.maybes[: MAYBES if found.fits else asked.count], results.moment, view.calendar
            ),
            "nearly": result_cards(found.nearly, results.moment, view.calendar),
            "more": embedded.address(PATH, more) if more else "",
            "whole": asked.address("/"),
            "everything": embedded.address(PATH, SearchState(language=asked.language)),
            "unusable": [each.message(frame.language) for each in unusable],
            "this": base + embedded.address(PATH, asked),
            "base": base,
        },
    )


def embed_style(embedded: Embedded) -> Markup:
    """The style that gives the page its colour; letters of that colour stand on white."""
    if not embedded.accent:
        return Markup("")
    told = (
        f":root{{--deep:{embedded.accent};--deep-soft:var(--paper)}}.go:hover{{background:{embedded.accent}}}"
    )
    return Markup(told)  # noqa: S704 - six hexadecimal digits


def embed_policy(embedded: Embedded) -> str:
    """The policy of the embedded page, its colour allowed by digest."""
    style = embed_style(embedded)
    return POLICY.replace("style-src 'self'", f"style-src 'self' {digest(style)}") if style else POLICY
