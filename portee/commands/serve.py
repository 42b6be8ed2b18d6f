"""`portee serve`: serve the API, its documentation and the interactive map."""

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
from portee.language import _
from static_maps.assets import require_vendor

DEFAULT_PORT = 8047

WORKER_TIMEOUT_S = 60
"""Seconds after which a worker that does not answer is replaced."""


def serve(
    host: Annotated[str, typer.Option(help="Adresse d'écoute ; 0.0.0.0 pour toutes.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=1, max=65_535, envvar="PORT", help="Port d'écoute.")
    ] = DEFAULT_PORT,
    workers: Annotated[int, typer.Option(min=1, help="Nombre de processus.")] = 1,
    metrics_port: Annotated[
        int | None,
        typer.Option(min=1, max=65_535, help="Port, sur cette machine seule, des mesures pour Prometheus."),
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
        (_("Trouver de l'aide"), "/"),
        (_("Carte"), "/carte"),
        (_("API"), "/api/v1/sites"),
        (_("Documentation de l'API"), "/docs"),
    ):
        print_address(label, f"http://{_named(host)}:{port}{path}")
    logs.configure(http.log_format)
    # The server answers this signal itself, then raises it again: end in order, not in the middle.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with nullcontext() if metrics_port is None else metrics.serve_metrics(metrics_port):
        # The server writes no access log: a query can hold a position, an address identifies somebody.
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
    """Refuse to start where another process already listens.

    Raises
    ------
    OperatorError
        If the port is taken or not allowed, or the address does not belong to this machine.
    """
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            raise OperatorError(
                _("Le port %(port)s est déjà pris sur %(host)s.", port=port, host=host),
                _(
                    "Arrêtez ce qui l'écoute, ou choisissez-en un autre : portee serve --port %(port)s.",
                    port=port + 1,
                ),
            ) from problem
        raise OperatorError(
            _(
                "Impossible d'écouter %(host)s, port %(port)s : %(reason)s.",
                host=host,
                port=port,
                reason=problem.strerror,
            )
        ) from problem


def print_address(label: str, address: str) -> None:
    """Print on standard error where something can be opened."""
    err.print(_("%(label)s : %(address)s", label=label, address=address), markup=False)


def _named(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
