"""Adds the pages for residents, and the files they need, to an application."""

from __future__ import annotations

from fastapi import FastAPI

from api.residents import accessibility, directory, find, paper, report, shell, site
from api.residents.frame import ASSETS, STATIC, LastingFiles


def install(app: FastAPI) -> None:
    """Add the pages and their files."""
    # `site` takes every other address below /lieux/: it stands last.
    for each in (find, directory, paper, report, accessibility, shell, site):
        app.router.routes.extend(each.routes.routes)
    app.mount(STATIC, LastingFiles(directory=ASSETS), name="pages")
