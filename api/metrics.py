"""Figures for Prometheus: what was answered, how fast, and how the data stand.

Every worker writes its own to files of one folder, and one port of the loopback interface tells their sum:
the public port never shows them. `prometheus_client` decides at its first import whether it writes to such
files; it is therefore imported here by what needs it, and not by processes that only happen to import us.
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
"""Environment variable by which `prometheus_client` and the workers know the folder."""

LOOPBACK: Final = "127.0.0.1"
EVERY_S: Final = 2.0
"""Seconds between two looks at how the data stand."""

BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class WorkerMetrics:
    """What one worker counts.

    Parameters
    ----------
    registry
        Where to register; the process's own if not given.
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

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        key = (route, method, status)
        count = self._counted.get(key)
        if count is None:
            count = self._counted[key] = self._requests.labels(route, method, str(status)).inc
        count()
        observe = self._timed.get(route)
        if observe is None:
            observe = self._timed[route] = self._seconds.labels(route).observe
        observe(seconds)

    def stand(self, current: CurrentView | None) -> None:
        """Tell how the data stand; None while there are none to answer from."""
        # Not before: a worker that has yet to read its data would tell 0, and the database to be down.
        data = self._data = self._data or _DataState(self._where)
        data.database.set(current is not None and current.database_ok)
        if current is not None:
            data.version.set(current.view.snapshot.version)
            data.age.set(current.age.total_seconds())


class _DataState:
    """How the data of a worker stand; of several workers, the one that is worst off is told."""

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


def of_environment() -> WorkerMetrics | None:
    """The figures of this worker, None when nobody asked for any."""
    return WorkerMetrics() if FOLDER in os.environ else None


@asynccontextmanager
async def following(figures: WorkerMetrics | None, current: Callable[[], CurrentView]) -> AsyncIterator[None]:
    """Keep the figures of the data up to date while the block runs."""
    if figures is None:
        yield
        return

    async def follow() -> None:
        while True:
            try:
                figures.stand(current())
            except Exception:  # whatever it is, the answers fail by it too, and the log tells them
                figures.stand(None)
            await asyncio.sleep(EVERY_S)

    task = asyncio.create_task(follow())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextmanager
def exposed(port: int) -> Iterator[None]:
    """Tell the figures of all workers started within the block at `http://127.0.0.1:port/metrics`."""
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
    """The sum of all workers' figures; how the data stand, of those alone that live."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        """Read the files of the folder."""
        from prometheus_client import multiprocess  # noqa: PLC0415 - see above

        for file in self._folder.glob("gauge_live*_*.db"):
            found = re.search(r"_(\d+)\.db$", file.name)
            if found and not _lives(int(found[1])):
                file.unlink(missing_ok=True)
        summed: Callable[..., Any] = multiprocess.MultiProcessCollector
        yield from summed(None, path=str(self._folder)).collect()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
