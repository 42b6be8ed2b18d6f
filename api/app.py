"""The application: settings in, a FastAPI app out. No logic; nothing connects before it starts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

import geo
from api import (
    account,
    actions,
    body_problems,
    corrections,
    coverage,
    fund,
    funding_pages,
    gaps,
    health,
    imports,
    isochrones,
    jobs,
    logs,
    metrics,
    openapi,
    pages,
    partners,
    passes,
    places,
    planner,
    problems,
    scenarios,
    site_files,
    sites,
    siting,
    territories,
    trend,
)
from api.access_log import RequestLog
from api.metrics import WorkerMetrics
from api.middleware import Head, Headers, SmallBody, Unforeseen
from api.rate_limits import Rates
from api.residents.install import install as install_residents
from api.routing import PREFIX
from api.service import AppState, SnapshotSource
from api.settings import ApiSettings
from geo.services import siting as siting_service
from geo.services.job_runner import JobRunner
from geo.settings import Settings
from geo.store.database import engine_for
from geo.store.snapshot_watcher import SnapshotWatcher

PLANNING_MAX_BYTES = 256 * 1024
"""Largest body of siting and scenarios: a thousand points, or two hundred edits."""


def create_app(
    settings: Settings,
    source: SnapshotSource | None = None,
    *,
    http: ApiSettings | None = None,
    figures: WorkerMetrics | None = None,
) -> FastAPI:
    """Build the application.

    Parameters
    ----------
    settings
        Database, and estimation of distances.
    source
        Source of the current snapshot; by default a watcher of the database.
    http
        Settings of the HTTP service; by default those of the environment.
    figures
        Metrics to update, if any.
    """
    http = http or ApiSettings()
    service = AppState(settings, http, source, figures)
    app = FastAPI(
        title="Portée",
        version=geo.__version__,
        description=openapi.DESCRIPTION,
        openapi_tags=openapi.TAGS,
        license_info={"name": "MIT"},
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
        redirect_slashes=False,
    )
    app.state.service = service
    app.openapi = partial(openapi.describe, app)  # type: ignore[method-assign]
    # Added flat: `include_router` would match each request once per level.
    for routes in (
        corrections.routes,  # before the sites: their identifier may hold slashes
        corrections.writes,
        sites.sites_routes(http.page_size),
        site_files.routes,
        territories.routes,
        places.routes,
        coverage.routes,
        gaps.routes,
        isochrones.routes,
        siting.routes,
        jobs.routes,
        scenarios.routes,
        scenarios.writes,
        trend.routes,
        partners.routes,
        partners.writes,
        fund.routes,
        fund.writes,
        passes.routes,
        passes.writes,
        actions.routes,
        actions.writes,
        account.routes,
        imports.routes,
        health.health_routes(PREFIX),
        health.health_routes(""),
        pages.routes,
        planner.routes,
        funding_pages.routes,
    ):
        app.router.routes.extend(routes.routes)
    install_residents(app)
    pages.mount_files(app)
    problems.install(app)
    body_problems.install(app)
    # The last one added is the outermost.
    app.add_middleware(GZipMiddleware, minimum_size=500, compresslevel=http.gzip_level)
    app.add_middleware(Unforeseen)
    app.add_middleware(Rates, http=http)
    app.add_middleware(
        SmallBody,
        larger={
            f"{PREFIX}/passes/events": passes.EVENTS_MAX_BYTES,
            **{f"{PREFIX}/{noun}": PLANNING_MAX_BYTES for noun in ("siting", "scenarios")},
        },
    )
    app.add_middleware(
        CORSMiddleware,
        allow_origins=http.origins,
        allow_methods=["GET", "HEAD", "POST", "PUT", "DELETE"],
        allow_headers=["If-None-Match", "Content-Type", "Authorization"],
        expose_headers=[
            *("ETag", "Portee-Snapshot", "Portee-Snapshot-Age", "Location", "Retry-After", "X-Request-ID")
        ],
        max_age=86_400,
    )
    app.add_middleware(Headers)
    app.add_middleware(Head)
    app.add_middleware(RequestLog, observer=service.figures)
    return app


def from_environment() -> FastAPI:
    """Build the application from the environment's settings; called by the workers of a server."""
    http = ApiSettings()
    logs.configure(http.log_format)
    return create_app(Settings(), http=http, figures=metrics.worker_metrics())


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Follow the database while the application runs.

    Raises
    ------
    DatabaseUnavailable
        If there is no database to start from.
    """
    service: AppState = app.state.service
    with ExitStack() as held:
        if service.source is None:
            engine = await run_in_threadpool(engine_for, service.settings)
            held.callback(engine.dispose)
            service.engine, service.source = (
                engine,
                SnapshotWatcher(engine, margin_km=service.settings.margin_km),
            )
            runner = JobRunner(engine, siting_service.kinds(service.settings))
            held.callback(runner.stop)
            runner.start()
        held.callback(service.source.stop)
        await run_in_threadpool(service.source.start)
        async with metrics.track_data_state(service.figures, service.current):
            yield
