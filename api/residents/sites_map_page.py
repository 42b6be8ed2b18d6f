"""`/lieux/carte`: the sites of a search on a map, as a page or in a frame beside the list."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fastapi import Request
from fastapi.responses import Response

from api.residents.page_context import CACHE_CONTROL, PageContext, environment, html
from api.routing import router
from api.security_headers import framed_by
from api.service import app_state
from geo.services.embed_options import read
from geo.services.find_embedded import find_embedded
from static_maps.page_shell import SHELL_STYLE
from static_maps.resident_map import help_map

PATH: Final = "/lieux/carte"

routes = router("pages", "", described=False)


@routes.get(PATH)
def map_page(request: Request) -> Response:
    """Answer with the sites of a search on a map."""
    service = app_state(request)
    current = service.current()
    state, embedded, _ = read(request.scope["query_string"], current.view.snapshot.territory)
    found = find_embedded(service.place_finder(current), state, embedded).found
    drawn = help_map(
        current.view.snapshot,
        found,
        state,
        embedded,
        calendar=current.view.calendar,
        outline=current.rendered.site_map_outline,
        settings=current.rendered.map_settings,
        shell=replace(PageContext(PATH, state, current, "sites").shell(), style=SHELL_STYLE, framable=True),
        templates=environment(state.language),
    )
    return html(
        drawn.html,
        policy=drawn.security_policy,
        keep=CACHE_CONTROL[state.anywhere],
        framed=framed_by(service.http),
    )
