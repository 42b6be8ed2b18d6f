"""Prometheus metrics: responses, durations and state of the data.

Each worker writes its metrics to files in one folder; their sum is served on a port of the loopback
interface, never on the public port. `prometheus_client` decides at its first import whether to write such
files: it is imported inside the functions that need it, so that importing this module does not decide.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from api.rendered_snapshot import CurrentView

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Metric

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable that gives the folder to `prometheus_client` and the workers."""

LOOPBACK: Final = "127.0.0.1"
EVERY_S: Final = 2.0
"""Interval between updates of the state of the data, in seconds."""

BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class WorkerMetrics:
    """Metrics of one worker.

    Parameters
    ----------
    registry
        Registry of the metrics; the process's default if not given.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        from prometheus_client import REGISTRY, Counter, Histogram  # noqa: PLC0415 - see above

        where = registry or REGISTRY
        self._requests = Counter(
            "portee_requests",
            "Requests answered, by template of the route, method and status.",
            ("route", "method", "status"),
            registry=where,
        )
        self._seconds = Histogram(
            "portee_request_seconds",
            "Time to answer, in seconds, by template of the route.",
            ("route",),
            buckets=BUCKETS_S,
            registry=where,
        )
        self._where = where
        self._data: _DataState | None = None
        self._counted: dict[tuple[str, str, int], Callable[[], None]] = {}
        self._timed: dict[str, Callable[[float], None]] = {}

    def count_response(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one response."""
        key = (route, method, status)
        count = self._counted.get(key)
        if count is None:
            count = self._counted[key] = self._requests.labels(route, method, str(status)).inc
        count()
        observe = self._timed.get(route)
        if observe is None:
            observe = self._timed[route] = self._seconds.labels(route).observe
        observe(seconds)

    def set_data_state(self, current: CurrentView | None) -> None:
        """Update the state of the data; None while no snapshot is loaded."""
        # Created here, not earlier: a starting worker would report version 0 and a database down.
        data = self._data = self._data or _DataState(self._where)
        data.database.set(current is not None and current.database_ok)
        if current is not None:
            data.version.set(current.view.snapshot.version)
            data.age.set(current.age.total_seconds())


class _DataState:
    """State of the data of a worker; over several workers, the worst is reported."""

    def __init__(self, where: CollectorRegistry) -> None:
        from prometheus_client import Gauge  # noqa: PLC0415 - see above

        self.version = Gauge(
            "portee_snapshot_version",
            "Version of the data answered from.",
            registry=where,
            multiprocess_mode="livemin",
        )
        self.age = Gauge(
            "portee_snapshot_age_seconds",
            "Time since the database last confirmed the data answered from.",
            registry=where,
            multiprocess_mode="livemax",
        )
        self.database = Gauge(
            "portee_database_up",
            "1 while the database answers, else 0.",
            registry=where,
            multiprocess_mode="livemin",
        )


def worker_metrics() -> WorkerMetrics | None:
    """Return the metrics of this worker, or None if they are disabled."""
    return WorkerMetrics() if FOLDER in os.environ else None


@asynccontextmanager
async def track_data_state(
    figures: WorkerMetrics | None, current: Callable[[], CurrentView]
) -> AsyncIterator[None]:
    """Update the state of the data while the block runs."""
    if figures is None:
        yield
        return

    async def update() -> None:
        while True:
            try:
                figures.set_data_state(current())
            except Exception:  # requests fail for the same reason, and are logged
                figures.set_data_state(None)
            await asyncio.sleep(EVERY_S)

    task = asyncio.create_task(update())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextmanager
def serve_metrics(port: int) -> Iterator[None]:
    """Serve the summed metrics of the workers started in the block, at `http://127.0.0.1:port/metrics`."""
    with tempfile.TemporaryDirectory(prefix="portee-metrics-") as folder:
        os.environ[FOLDER] = folder
        from prometheus_client import CollectorRegistry, start_http_server  # noqa: PLC0415 - after the folder

        registry = CollectorRegistry()
        registry.register(_LiveWorkers(Path(folder)))
        server, thread = start_http_server(port, LOOPBACK, registry)
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
            del os.environ[FOLDER]


class _LiveWorkers:
    """Sums the metrics of all workers; the state of the data counts live workers only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        """Yield the summed metrics of the folder's files."""
        from prometheus_client import multiprocess  # noqa: PLC0415 - see above

        for file in self._folder.glob("gauge_live*_*.db"):
            found = re.search(r"_(\d+)\.db$", file.name)
            if found and not _is_alive(int(found[1])):
                file.unlink(missing_ok=True)
        summed: Callable[..., Any] = multiprocess.MultiProcessCollector
        yield from summed(None, path=str(self._folder)).collect()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
