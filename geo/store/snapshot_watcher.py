"""Keep the current snapshot in memory, and refresh it when the database changes.

A thread listens on its own connection; a published version is read at once, several together only once.
If the database is lost, the last good snapshot stays, with its age, until the database is back.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import psycopg
from psycopg import sql
from sqlalchemy import Engine

from geo.errors import PorteeError, SnapshotUnavailable
from geo.hours.weekly import TIME_ZONE
from geo.snapshot import Snapshot
from geo.store import snapshots
from geo.territory.margin import MARGIN_KM

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LiveSnapshot:
    """The last good snapshot, with its age and the state of the database.

    `age` is the time since the database last confirmed this version: at most `poll_s` while it answers,
    growing while it does not.
    """

    snapshot: Snapshot
    age: timedelta
    database_ok: bool


@dataclass(frozen=True)
class _WatcherState:
    snapshot: Snapshot
    confirmed: float
    database_ok: bool


class SnapshotWatcher:
    """Holds the current snapshot of a database.

    Parameters
    ----------
    poll_s
        Seconds between two checks of the version, in case a notification was lost.
    retry_s
        Seconds before the first and the last attempt to reconnect; they double in between.
    margin_km
        As in `geo.store.snapshots.read`.
    today
        Returns the present day where the sites are. A new one may begin or end corrections: the snapshot
        is then read again, within `poll_s`.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        poll_s: float = 10.0,
        retry_s: tuple[float, float] = (0.2, 5.0),
        margin_km: float = MARGIN_KM,
        today: Callable[[], date] = lambda: datetime.now(TIME_ZONE).date(),
    ) -> None:
        self._engine = engine
        self._today = today
        self._margin_km = margin_km
        self._poll_s = poll_s
        self._retry_s = retry_s
        self._state: _WatcherState | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._waker: int | None = None

    def start(self) -> None:
        """Read the first snapshot, then follow the database until `stop`.

        Raises
        ------
        DatabaseUnavailable, SnapshotUnavailable
            If there is no first snapshot to read; no thread is then started.
        """
        self._reload()
        self._stopping.clear()
        sleeper, self._waker = os.pipe()
        self._thread = threading.Thread(
            target=self._follow, args=(sleeper,), name="portee-snapshot", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread; the last snapshot stays available."""
        if self._thread is None or self._waker is None:
            return
        self._stopping.set()
        os.close(self._waker)  # wakes the thread, which sees the pipe end
        self._thread.join()
        self._thread = self._waker = None

    def current(self) -> LiveSnapshot:
        """Return the last good snapshot.

        Raises
        ------
        SnapshotUnavailable
            If none was read yet.
        """
        state = self._state
        if state is None:
            raise SnapshotUnavailable("Aucune donnée n'a encore été lue.", "Réessayez dans un instant.")
        age = timedelta(seconds=time.monotonic() - state.confirmed)
        return LiveSnapshot(state.snapshot, age, state.database_ok)

    def _follow(self, sleeper: int) -> None:
        retry_s = self._retry_s[0]
        with open(sleeper, "rb", buffering=0):
            while not self._stopping.is_set():
                try:
                    with self._listening() as driver:
                        self._refresh()  # versions published before this connection listened
                        retry_s = self._retry_s[0]
                        while self._awaken(driver, sleeper):
                            self._refresh()
                except (PorteeError, psycopg.Error) as problem:
                    log.warning("Keeping the last snapshot: %s", problem)
                except Exception:
                    # Whatever the error, the thread must survive: the service answers from the last snapshot.
                    log.exception("Keeping the last snapshot")
                else:
                    return
                self._doubt()
                self._stopping.wait(retry_s)
                retry_s = min(retry_s * 2, self._retry_s[1])

    def _refresh(self) -> None:
        """Read the snapshot again if the version or its corrections have changed; else confirm it."""
        asked = time.monotonic()
        with self._engine.connect() as connection:
            version = snapshots.version(connection)
        state = self._state
        if state is None or version != state.snapshot.version or self._is_over(state.snapshot):
            self._reload()
        else:
            self._state = _WatcherState(state.snapshot, asked, True)

    def _is_over(self, snapshot: Snapshot) -> bool:
        """Whether a correction has begun or ended since a snapshot was read."""
        return snapshot.changes_on is not None and snapshot.changes_on <= self._today()

    def _reload(self) -> None:
        asked = time.monotonic()
        with self._engine.connect() as connection:
            found = snapshots.read(connection, self._today(), margin_km=self._margin_km)
        if self._state and self._state.snapshot.territory == found.territory:
            # The same object, for what was computed from it.
            found = replace(found, territory=self._state.snapshot.territory)
        self._state = _WatcherState(found, asked, True)

    def _doubt(self) -> None:
        if self._state:
            self._state = _WatcherState(self._state.snapshot, self._state.confirmed, False)

    @contextmanager
    def _listening(self) -> Iterator[psycopg.Connection]:
        """Open a connection outside the pool that listens for new versions."""
        pooled = self._engine.raw_connection()
        driver = pooled.driver_connection
        if not isinstance(driver, psycopg.Connection):
            raise TypeError("LISTEN needs the psycopg driver")
        pooled.detach()
        try:
            driver.rollback()
            driver.autocommit = True
            driver.execute(sql.SQL("LISTEN {}").format(sql.Identifier(snapshots.CHANNEL)))
            yield driver
        finally:
            with contextlib.suppress(psycopg.Error):
                driver.close()

    def _awaken(self, driver: psycopg.Connection, sleeper: int) -> bool:
        """Wait for a published version or the next check; return False to stop."""
        with selectors.DefaultSelector() as selector:
            selector.register(driver.fileno(), selectors.EVENT_READ)
            selector.register(sleeper, selectors.EVENT_READ)
            ready = {key.fd for key, _ in selector.select(self._poll_s)}
        if sleeper in ready:
            return False
        # Pending notifications need one refresh together; a lost connection raises here.
        for _ in driver.notifies(timeout=0):
            pass
        return True
