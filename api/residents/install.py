"""Adds the pages for residents, and the files they need, to an application."""

from __future__ import annotations

from fastapi import FastAPI

from api.residents import accessibility, find, shell
from api.residents.frame import ASSETS, STATIC, LastingFiles


def install(app: FastAPI) -> None:
    """Add the pages and their files."""
    for each in (find, accessibility, shell):
        app.router.routes.extend(each.routes.routes)
    app.mount(STATIC, LastingFiles(directory=ASSETS), name="pages")
