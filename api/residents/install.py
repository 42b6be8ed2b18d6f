"""Adds the pages for residents, and the files they need, to an application."""

from __future__ import annotations

from fastapi import FastAPI

from api.residents import (
    accessibility,
    directory,
    embed,
    find,
    integrate,
    maps,
    oembed,
    paper,
    report,
    shell,
    site,
)
from api.residents.frame import ASSETS, STATIC, LastingFiles


def install(app: FastAPI) -> None:
    """Add the pages and their files."""
    # The map and the papers stand before `site`, which takes every other address below /lieux/.
    for each in (
        find,
        maps,
        embed,
        integrate,
        oembed,
        directory,
        paper,
        report,
        accessibility,
        shell,
        site,
    ):
        app.router.routes.extend(each.routes.routes)
    app.mount(STATIC, LastingFiles(directory=ASSETS), name="pages")
