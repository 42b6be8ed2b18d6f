"""`/embed`: the list and the map for the page of another site; `/embed.js` puts them there in one line."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fastapi import Request
from fastapi.responses import Response
from markupsafe import Markup

from api.rendered_snapshot import CurrentView
from api.residents import sites_map_page
from api.residents.choices import CHOICES, GROUP_NAMES
from api.residents.embed_params import BOTH, LIST, MAP, Embedded, read
from api.residents.find import KEPT, MAYBES, has_more, search
from api.residents.page_context import ASSETS, POLICY, PageContext, base_url, html, render
from api.residents.search_state import SearchState, UnusableValue
from api.routing import router
from api.security_headers import framed_by
from api.service import AppState, app_state
from geo.matching.ranking import MatchResult, rank_sites
from geo.snapshot import Snapshot
from geo.wording import dates
from geo.wording.language import language
from static_maps.coverage_map import WrittenPage
from static_maps.csp import digest
from static_maps.settings import MapSettings
from static_maps.sites_map import sites_map

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


def one_file(
    snapshot: Snapshot,
    asked: SearchState,
    embedded: Embedded,
    *,
    outline: bytes,
    settings: MapSettings,
    address: str = "",
) -> WrittenPage:
    """Draw the map of a territory's sites in one HTML file that requests nothing but tiles.

    The file stays valid for months: it shows the hours of a site, not whether it is open now.

    Parameters
    ----------
    outline
        The territory's boundaries, see `static_maps.sites_map.outline_json`.
    address
        Where the service answers, for links to it; "" for none.
    """
    found: MatchResult = rank_sites(snapshot.sites, None, asked.wishes)
    codes = frozenset(embedded.territory.communes) if embedded.territory else None
    sites = [
        each.site for each in (*found.fits, *found.maybes) if codes is None or each.site.code_insee in codes
    ]
    _ = language(asked.language)
    words = sites_map_page.map_texts(_, embedded, snapshot.territory.name)
    if snapshot.sites_updated:
        lead = _(
            "Choisissez un lieu pour voir son numéro de téléphone. Informations du %(date)s.",
            date=dates.long_date(snapshot.sites_updated, _),
        )
        words = replace(words, lead=lead)
    return sites_map(
        snapshot,
        sites_map_page.lasting_pins(_, sites, address),
        words=words,
        settings=settings,
        outline=outline,
        view=sites_map_page.initial_view(asked, embedded),
        back=f"{address}{asked.address('/')}" if address else "",
        accent=embedded.accent,
        sealed=True,
    )


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
    results = embedded.bounded(search(service, view, asked))
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
            "cards": results.cards(found.fits[: asked.count], view.calendar),
            "maybes": results.cards(found.maybes[: MAYBES if found.fits else asked.count], view.calendar),
            "nearly": results.cards(found.nearly, view.calendar),
            "more": embedded.address(PATH, more) if more else "",
            "whole": asked.address("/"),
            "everything": embedded.address(PATH, SearchState(language=asked.language)),
            "unusable": [each.said(frame.language) for each in unusable],
            "this": base + embedded.address(PATH, asked),
            "base": base,
        },
    )


def embed_style(embedded: Embedded) -> Markup:
    """The style that gives the page its colour; letters of that colour stand on white."""
    if not embedded.accent:
        return Markup("")
    told = f":root{{--deep:{embedded.accent};--deep-soft:#fff}}.go:hover{{background:{embedded.accent}}}"
    return Markup(told)  # noqa: S704 - six hexadecimal digits


def embed_policy(embedded: Embedded) -> str:
    """The policy of the embedded page, its colour allowed by digest."""
    style = embed_style(embedded)
    return POLICY.replace("style-src 'self'", f"style-src 'self' {digest(style)}") if style else POLICY
