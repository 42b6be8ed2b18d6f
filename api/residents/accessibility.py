"""`/accessibilite`: the accessibility statement, with what was tested and what was not."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from api.residents.page_context import PageContext, html, render
from api.routing import router
from api.service import app_state
from geo.services.search_state import read

PATH = "/accessibilite"

routes = router("pages", "", described=False)


@routes.get(PATH)
def statement(request: Request) -> Response:
    """Answer with the accessibility statement."""
    service = app_state(request)
    asked, _ = read(request.scope["query_string"])
    contact = service.http.contact
    values = {"contact": contact, "by_mail": "@" in contact and not contact.startswith("http")}
    return html(
        render("accessibility.html", PageContext(PATH, asked, service.current(), "accessibility"), values),
        keep="public, max-age=3600",
    )
