"""`/embed`: the list and the map to embed in another site; `/embed.js` embeds them with one line."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fastapi import Request
from fastapi.responses import Response
from markupsafe import Markup

from api.rendered_snapshot import CurrentView
from api.residents import sites_map_page
from api.residents.find import MAYBES, has_more
from api.residents.page_context import ASSETS, CACHE_CONTROL, POLICY, PageContext, base_url, html, render
from api.routing import router
from api.security_headers import framed_by
from api.service import AppState, app_state
from geo.matching.choices import CHOICES, GROUP_NAMES
from geo.services.embed_options import BOTH, LIST, MAP, Embedded, read
from geo.services.find_embedded import find_embedded
from geo.services.find_help import result_cards
from geo.services.search_state import SearchState, UnusableValue
from static_maps.csp import digest
from static_maps.resident_map import one_file

PATH: Final = "/embed"
FILE: Final = "/embed/carte.html"
ASKED_THERE: Final = ("ou", "lieu", "pos", "n", "besoin")
"""Parameters that the form of the page sets, or that a new search resets."""

routes = router("pages", "", described=False)


@routes.get(PATH)
def embed_page(request: Request) -> Response:
    """The page shown in a frame of another site."""
    service = app_state(request)
    current = service.current()
    state, embedded, unusable = read(request.scope["query_string"], current.view.snapshot.territory)
    body = page(service, current, state, embedded, unusable, base_url(request))
    return html(
        body,
        policy=embed_policy(embedded),
        keep=CACHE_CONTROL[state.anywhere],
        framed=framed_by(service.http),
    )


@routes.get("/embed.js")
async def script(request: Request) -> Response:
    """The script that inserts the frame and fits its height."""
    return Response(
        (ASSETS / "embed.js").read_bytes(),
        media_type="text/javascript; charset=utf-8",
        headers={"Cache-Control": "public, max-age=3600"},
    )


@routes.get(FILE)
def whole_file(request: Request) -> Response:
    """The map as one HTML file, for sites that accept neither scripts nor frames."""
    service = app_state(request)
    current = service.current()
    state, embedded, _ = read(request.scope["query_string"], current.view.snapshot.territory)
    drawn = one_file(
        current.view.snapshot,
        state,
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
    state: SearchState,
    embedded: Embedded,
    unusable: tuple[UnusableValue, ...],
    base: str,
) -> str:
    """Return the embedded page as HTML."""
    view = current.view
    embedded = replace(embedded, view=embedded.view or BOTH)
    embedded_help = find_embedded(service.place_finder(current), state, embedded)
    results = embedded_help.found
    frame = PageContext(PATH, state, current)
    found = results.answer
    needs = state.wishes.of("besoin")
    kept = [pair for pair in (*embedded.pairs(), *state.pairs()) if pair[0] not in ASKED_THERE]
    if len(needs) > 1:  # a choice of one would lose the others
        kept += [("besoin", code) for code in needs]
    more = replace(state, count=min(state.count * 3, 200)) if has_more(found, state) else None
    listed = embedded.view != MAP
    return render(
        "embed.html",
        frame,
        {
            "results": results,
            "embedded": embedded,
            "seat": embedded_help.seat,
            "accent": embed_style(embedded),
            "group_names": GROUP_NAMES,
            "needs": CHOICES["besoin"] if len(needs) <= 1 and listed else None,
            "kept": kept,
            "listed": listed,
            "map_address": embedded.address(sites_map_page.PATH, state) if embedded.view != LIST else "",
            "cards": result_cards(found.fits[: state.count], results.moment, view.calendar),
            "maybes": result_cards(
                found.maybes[: MAYBES if found.fits else state.count], results.moment, view.calendar
            ),
            "nearly": result_cards(found.nearly, results.moment, view.calendar),
            "more": embedded.address(PATH, more) if more else "",
            "whole": state.address("/"),
            "everything": embedded.address(PATH, SearchState(language=state.language)),
            "unusable": [each.message(frame.language) for each in unusable],
            "this": base + embedded.address(PATH, state),
            "base": base,
        },
    )


def embed_style(embedded: Embedded) -> Markup:
    """Return the style that sets the colour of the page; text of that colour is on white."""
    if not embedded.accent:
        return Markup("")
    style = (
        f":root{{--deep:{embedded.accent};--deep-soft:var(--paper)}}.go:hover{{background:{embedded.accent}}}"
    )
    return Markup(style)  # noqa: S704 - six hexadecimal digits


def embed_policy(embedded: Embedded) -> str:
    """Return the Content-Security-Policy of the page, which allows its style by digest."""
    style = embed_style(embedded)
    return POLICY.replace("style-src 'self'", f"style-src 'self' {digest(style)}") if style else POLICY
