"""`/`: one field, then who can help, soonest reached first, with a telephone number to tap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from fastapi import Request
from fastapi.responses import Response

from api.rendered_snapshot import CurrentView
from api.residents.page_context import CACHE_CONTROL, PageContext, base_url, html, render
from api.routing import router
from api.service import AppState, app_state
from geo.matching.choices import CHOICES, GROUP_NAMES, choice_label
from geo.matching.ranking import MatchResult, RankedSite
from geo.services.find_help import ResultCard, find_help, result_cards
from geo.services.search_state import COUNT_MAX, PAGE, SearchState, UnusableValue, read

PATH: Final = "/"
MAYBES: Final = 5
"""Sites with unknown facts, listed after those that fit."""


def find_page(
    service: AppState,
    current: CurrentView,
    state: SearchState,
    unusable: Sequence[UnusableValue] = (),
    base: str = "",
) -> str:
    """Return the page of a request as HTML; `base` is the scheme and host of its address."""
    view = current.view
    results = find_help(service.place_finder(current), state)
    frame = PageContext(PATH, state, current, "find")
    found = results.answer

    def cards(ranked: Sequence[RankedSite]) -> list[ResultCard]:
        return result_cards(ranked, results.moment, view.calendar)

    values = {
        "results": results,
        "choices": CHOICES,
        "group_names": GROUP_NAMES,
        "words_of": choice_label,
        "cards": cards(found.fits[: state.count]),
        "maybes": cards(found.maybes[: MAYBES if found.fits else state.count]),
        "nearly": cards(found.nearly),
        "more": replace(state, count=min(state.count + PAGE * 2, COUNT_MAX))
        if has_more(found, state)
        else None,
        "unusable": [each.message(frame.language) for each in unusable],
        "map_address": state.address("/lieux/carte"),
        "base": base,
        "by_road": view.travel.graph is not None,
    }
    return render("find.html", frame, values)


def has_more(found: MatchResult, state: SearchState) -> bool:
    """Return whether some of the sites found are not listed yet."""
    return state.count < COUNT_MAX and (
        len(found.fits) > state.count or (not found.fits and len(found.maybes) > state.count)
    )


routes = router("pages", "", described=False)


@routes.get(PATH)
def home(request: Request) -> Response:
    """The page that answers « qui peut m'aider, près d'ici ? »."""
    service = app_state(request)
    state, unusable = read(request.scope["query_string"])
    return html(
        find_page(service, service.current(), state, unusable, base_url(request)),
        keep=CACHE_CONTROL[state.anywhere],
    )
