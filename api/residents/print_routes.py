"""Printed sheets: `/imprimer` to choose one, the sheets, and the slip of a site, as PDF."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Final

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from api.rendered_snapshot import CurrentView
from api.residents.page_context import PageContext, base_url, html, render
from api.responses import is_not_modified, snapshot_headers
from api.routing import router
from api.service import AppState, app_state
from geo.errors import PorteeError, UnknownSite
from geo.services.find_help import resolve_origin
from geo.services.search_state import SearchState, read
from geo.sites.text import fold
from geo.territory.model import Grouping, TerritoryKind
from geo.wording import site_phrases
from geo.wording.language import N_
from static_maps.print_content import (
    DIRECTORY_NAME,
    KINDS,
    Desk,
    site_slip,
    slug,
    territory_directory,
    territory_sheet,
)
from static_maps.print_layout import directory_pdf, sheet_pdf, slip_pdf

PATH: Final = "/imprimer"
PDF: Final = "application/pdf"

QUESTIONS: Final = {
    TerritoryKind.COMMUNE: N_("Une affiche pour une commune"),
    TerritoryKind.CANTON: N_("Une affiche pour un canton"),
    TerritoryKind.EPCI: N_("Une affiche pour une intercommunalité"),
}
LABELS: Final = {
    TerritoryKind.COMMUNE: N_("Commune"),
    TerritoryKind.CANTON: N_("Canton"),
    TerritoryKind.EPCI: N_("Intercommunalité"),
}
UNKNOWN: Final = N_("Nous n'avons pas de feuille pour « %(code)s ». Choisissez ci-dessous.")
UNKNOWN_SITE: Final = N_("Ce lieu n'est pas, ou plus, dans la liste.")

routes = router("pages", "", described=False)


@routes.get(PATH)
def choose(request: Request) -> Response:
    """The page where a sheet is chosen; a choice redirects to its sheet."""
    for kind in KINDS:
        code = request.query_params.get(kind.value, "")
        if code and re.fullmatch(r"\w{1,20}", code, re.ASCII):
            state, _unusable = read(request.scope["query_string"])
            path = PageContext(PATH, state, app_state(request).current()).link(sheet_path(kind, code))
            return RedirectResponse(path, status_code=303)
        if code:
            return _chooser(request, UNKNOWN, code=code)
    return _chooser(request)


@routes.get(PATH + f"/{DIRECTORY_NAME}.pdf")
def directory(request: Request) -> Response:
    """The directory of the whole territory."""
    desk, current = _desk(request)
    name = f"{DIRECTORY_NAME}-aide-numerique-{slug(current.view.snapshot.territory.name)}"
    return _cached(request, desk, current, name, lambda: directory_pdf(territory_directory(desk)))


@routes.get(PATH + "/{kind}/{code}.pdf")
def sheet(request: Request, kind: str, code: str) -> Response:
    """The sheet of a commune, a canton or an EPCI."""
    desk, current = _desk(request)
    try:
        group = current.view.snapshot.territory.find(code, TerritoryKind(kind))
        if group.kind not in KINDS:
            raise ValueError
    except (ValueError, PorteeError):
        return _chooser(request, UNKNOWN, code=code)
    name = f"affiche-aide-numerique-{slug(group.name)}"
    return _cached(
        request, desk, current, name, lambda: sheet_pdf(territory_sheet(desk, group.kind, group.code))
    )


@routes.get("/lieux/{site_id:path}/fiche.pdf")
def slip(request: Request, site_id: str) -> Response:
    """The slip of a site, with its travel time if the request gives an origin."""
    desk, current = _desk(request)
    snapshot = current.view.snapshot
    try:
        site = snapshot.site(site_id)
    except UnknownSite:
        return _chooser(request, UNKNOWN_SITE)
    if site.id != site_id:
        query = request.url.query
        address = f"{site_phrases.site_path(site)}/fiche.pdf" + (f"?{query}" if query else "")
        return RedirectResponse(address, 301)
    state, _unusable = read(request.scope["query_string"])
    origin = resolve_origin(app_state(request).place_finder(current), state)
    content = slip_pdf(site_slip(desk, site, origin, state.mode))
    # Private: it depends on the hour, and may hold where somebody is.
    return _pdf(content, f"fiche-{slug(site.nom)}", {"Cache-Control": "private, no-store"})


def sheet_path(kind: TerritoryKind, code: str) -> str:
    """Return the path of the sheet of a territory."""
    return f"{PATH}/{kind.value}/{code}.pdf"


def _desk(request: Request) -> tuple[Desk, CurrentView]:
    service: AppState = app_state(request)
    current = service.current()
    state, _unusable = read(request.scope["query_string"])
    return (
        Desk(current.view, current.view.calendar, state.language, base_url(request), current.view.clock()),
        current,
    )


def _cached(
    request: Request, desk: Desk, current: CurrentView, name: str, render_pdf: Callable[[], bytes]
) -> Response:
    """Return a sheet, rendered once a day for each language and address of the pages."""
    key = (request.scope["path"], desk.day, desk.code, desk.base)
    content = current.rendered.pdfs.get_or_compute(key, render_pdf)
    headers = snapshot_headers(request, current, f"-{hashlib.sha256(content).hexdigest()[:12]}")
    if is_not_modified(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return _pdf(content, name, headers)


def _pdf(content: bytes, name: str, headers: dict[str, str]) -> Response:
    return Response(
        content,
        media_type=PDF,
        headers={
            **headers,
            "Content-Disposition": f'inline; filename="{name}.pdf"',
            "X-Robots-Tag": "noindex",
        },
    )


def _chooser(request: Request, problem: str = "", **values: str) -> Response:
    """Return the page of choices; with a problem, as the answer to a sheet that was not found."""
    current = app_state(request).current()
    state, _unusable = read(request.scope["query_string"])
    state = SearchState(language=state.language)
    frame = PageContext(PATH, state, current, "print")
    territory = current.view.snapshot.territory
    shown = {name: value[:40] for name, value in values.items()}
    page = render(
        "print.html",
        frame,
        {
            "problem": frame.language(problem, **shown) if problem else "",
            "choices": [
                (
                    kind.value,
                    QUESTIONS[kind],
                    LABELS[kind],
                    sorted(territory.groupings_of(kind), key=_by_name),
                )
                for kind in KINDS
            ],
            "path": PATH,
            "directory": frame.link(f"{PATH}/{DIRECTORY_NAME}.pdf"),
        },
    )
    return html(
        page, status=404 if problem else 200, keep="public, max-age=60" if not problem else "no-cache"
    )


def _by_name(group: Grouping) -> str:
    return fold(group.name)
