"""`portee serve`: the API, its documentation and the interactive map, on this machine."""

from __future__ import annotations

import errno
import signal
import socket
import sys
from contextlib import nullcontext
from typing import Annotated

import typer
import uvicorn

from api import logs, metrics
from api.settings import ApiSettings
from geo.errors import OperatorError
from geo.funding.action_kinds import load_kinds
from geo.settings import Settings
from geo.store import snapshots
from geo.store.database import engine_for
from portee.console import err, report_errors
from static_maps.assets import require_vendor

DEFAULT_PORT = 8047

WORKER_TIMEOUT_S = 60
"""A worker has so long to read its data and answer; one that hangs for as long is replaced."""


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, envvar="PORT", help="Port.")] = DEFAULT_PORT,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer.")] = 1,
    metrics_port: Annotated[
        int | None,
        typer.Option(min=1, max=65_535, help="Port of this machine alone that tells figures to Prometheus."),
    ] = None,
) -> None:
    """Serve the API and the interactive map until interrupted."""
    http = ApiSettings()
    with report_errors():
        require_free(host, port)
        if metrics_port is not None:
            require_free(metrics.LOOPBACK, metrics_port)
        require_vendor()
        settings = Settings()
        load_kinds(settings.action_kinds)
        with engine_for(settings).connect() as connection:
            snapshots.read(connection)
    for label, path in (
        ("Find help", "/"),
        ("Map", "/carte"),
        ("API", "/api/v1/sites"),
        ("API documentation", "/docs"),
    ):
        err.print(f"{label}: http://{_named(host)}:{port}{path}", markup=False)
    logs.configure(http.log_format)
    # The server answers this signal itself, then raises it again: end in order, not in the middle.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with nullcontext() if metrics_port is None else metrics.serve_metrics(metrics_port):
        # No access log of the server's: a query holds where somebody is, an address who it is.
        uvicorn.run(
            "api.app:from_environment",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            forwarded_allow_ips=http.trusted_proxies,
            access_log=False,
            log_config=None,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=5,
            timeout_worker_healthcheck=WORKER_TIMEOUT_S,
        )


def require_free(host: str, port: int) -> None:
    """Refuse to start where something else listens already.

    Raises
    ------
    OperatorError
        If the port is taken, not allowed, or the address is not this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            raise OperatorError(
                f"Port {port} is taken on {host}.",
                f"Stop what listens there, or choose another: portee serve --port {port + 1}.",
            ) from problem
        raise OperatorError(f"Cannot listen on {host}, port {port}: {problem.strerror}.") from problem


def _named(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
