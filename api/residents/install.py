"""Add the residents' pages and their files to an application."""

from __future__ import annotations

from fastapi import FastAPI

from api.residents import (
    accessibility,
    directory,
    embed,
    embed_generator,
    find,
    oembed,
    print_routes,
    pwa,
    report,
    site,
    sites_map_page,
)
from api.residents.page_context import ASSETS, STATIC, CachedStaticFiles


def install(app: FastAPI) -> None:
    """Add the routes of the pages and mount their files."""
    # The map and the printed sheets come before `site`, which matches every other address below /lieux/.
    for each in (
        find,
        sites_map_page,
        embed,
        embed_generator,
        oembed,
        directory,
        print_routes,
        report,
        accessibility,
        pwa,
        site,
    ):
        app.router.routes.extend(each.routes.routes)
    app.mount(STATIC, CachedStaticFiles(directory=ASSETS), name="pages")
