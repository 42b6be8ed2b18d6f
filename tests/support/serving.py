"""The application over a snapshot given by hand: no database, with a given time and state."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from geo.errors import SnapshotUnavailable
from geo.settings import Settings
from geo.snapshot import Snapshot

NOWHERE = Path("/nonexistent")


@dataclass(frozen=True)
class Held:
    snapshot: Snapshot
    age: timedelta
    database_ok: bool


@dataclass
class HandKeeper:
    """Holds what a test gives it."""

    snapshot: Snapshot | None = None
    age: timedelta = field(default_factory=timedelta)
    database_ok: bool = True
    started: bool = False

    def start(self) -> None:
        self.started = True

    def stop(self) -> None:
        self.started = False

    def current(self) -> Held:
        if self.snapshot is None:
            raise SnapshotUnavailable("Aucune donnée n'a encore été lue.", "Réessayez dans un instant.")
        return Held(self.snapshot, self.age, self.database_ok)


@contextmanager
def serving(
    keeper: HandKeeper | Snapshot, *, home: Path = NOWHERE, **settings: object
) -> Iterator[TestClient]:
    """A client of the application over a keeper or a snapshot; `home` is where its roads are."""
    if isinstance(keeper, Snapshot):
        keeper = HandKeeper(keeper)
    http = ApiSettings(**settings)  # type: ignore[arg-type]
    app = create_app(Settings(detour_factor=1.3, home=home), keeper, http=http)
    with TestClient(app, base_url="http://portee.test") as client:
        yield client


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """Serve an application on a free port of this machine; gives its address, without a slash at the end."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        bound.close()
