"""`POST /lieux/{id}/signaler`: report an error on the page of a site, for the staff.

How often one sender may do so is limited with the other limits of the service, by path.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api.rendered_snapshot import CurrentView
from api.residents.page_context import base_url, html
from api.residents.report_form import ReportForm, from_elsewhere, read_form, read_form_body
from api.residents.site import DONE, site_page, unknown_site_page
from api.routing import router
from api.service import AppState, app_state
from geo.errors import DatabaseUnavailable, UnknownSite
from geo.services.search_state import SearchState, read
from geo.sites.model import Site
from geo.store import reports
from geo.store.reports import ReportSubject
from geo.wording import site_phrases

NOT_STORED = "private, no-store"
"""A page that shows what somebody typed must not be cached."""

routes = router("pages", "", described=False)


@routes.post("/lieux/{site_id:path}/signaler")
async def report(request: Request, site_id: str) -> Response:
    """Store a report and redirect to thanks; or show the form again with what was typed and the errors."""
    service = app_state(request)
    body = await read_form_body(request)
    elsewhere = from_elsewhere(request)
    state, _ = read(request.scope["query_string"])
    return await run_in_threadpool(_answer, service, state, site_id, base_url(request), body, elsewhere)


def _answer(
    service: AppState, state: SearchState, site_id: str, base: str, body: bytes | None, elsewhere: bool
) -> Response:
    current = service.current()
    try:
        site = current.view.snapshot.site(site_id)
    except UnknownSite:
        return html(unknown_site_page(current, state, site_id), status=404)
    if body is None:
        return _form_again(
            service,
            current,
            state,
            site,
            base,
            ReportForm(errors={"": "big"}),
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        )
    form = read_form(body)
    if elsewhere:
        form = replace(form, errors={**form.errors, "": "elsewhere"})
        return _form_again(service, current, state, site, base, form, HTTPStatus.FORBIDDEN)
    if form.errors:
        return _form_again(service, current, state, site, base, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        with service.connect() as connection:
            reports.add(
                connection,
                site_id=site.id,
                site_name=site.nom,
                subject=ReportSubject(form.subject),
                message=form.message,
                email=form.email,
            )
            connection.commit()
    except DatabaseUnavailable:
        form = replace(form, errors={"": "away"})
        return _form_again(service, current, state, site, base, form, HTTPStatus.SERVICE_UNAVAILABLE)
    address = state.address(site_phrases.site_path(site))
    joint = "&" if "?" in address else "?"
    return RedirectResponse(f"{address}{joint}{DONE}=1#merci", HTTPStatus.SEE_OTHER)


def _form_again(
    service: AppState,
    current: CurrentView,
    state: SearchState,
    site: Site,
    base: str,
    form: ReportForm,
    status: HTTPStatus,
) -> Response:
    page = site_page(service, current, state, site, base + site_phrases.site_path(site), form)
    return html(page, status=status, keep=NOT_STORED)
