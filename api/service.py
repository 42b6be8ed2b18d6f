"""State of a running application: settings, snapshot source, database engine."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, Protocol, cast

from starlette.requests import Request

from api.metrics import WorkerMetrics
from api.rendered_snapshot import CurrentView, RenderedSnapshot
from api.settings import ApiSettings
from geo.errors import DatabaseUnavailable, SnapshotUnavailable
from geo.funding.action_kinds import load_kinds
from geo.hours.calendar import Calendar
from geo.services.find_help import PlaceFinder
from geo.services.snapshot_view import SnapshotView
from geo.settings import Settings
from geo.snapshot import Snapshot
from static_maps.settings import MapSettings


class Engine(Protocol):
    """Opens database connections (a SQLAlchemy engine)."""

    def connect(self) -> AbstractContextManager[Any]:
        """Return a connection, closed at the end of the block; raises DatabaseUnavailable."""


class HeldSnapshot(Protocol):
    """The last good snapshot, and how fresh it is."""

    @property
    def snapshot(self) -> Snapshot:
        """The last good snapshot."""

    @property
    def age(self) -> timedelta:
        """Time since it was last known to be the database's state."""

    @property
    def database_ok(self) -> bool:
        """Whether the database answers."""


class SnapshotSource(Protocol):
    """What holds the current snapshot: `geo.store.snapshot_watcher.SnapshotWatcher`, or a test's own."""

    def start(self) -> None:
        """Read the first snapshot and follow the database from then on."""

    def stop(self) -> None:
        """Stop following."""

    def current(self) -> HeldSnapshot:
        """Return the last good snapshot; raises SnapshotUnavailable before the first."""


class AppState:
    """State of a running application; `app.state.service`.

    Raises
    ------
    OperatorError
        If the kinds of action of the settings cannot be read.
    """

    def __init__(
        self,
        settings: Settings,
        http: ApiSettings,
        source: SnapshotSource | None,
        figures: WorkerMetrics | None = None,
    ) -> None:
        self.settings = settings
        self.http = http
        self.source = source
        self.kinds = load_kinds(settings.action_kinds)
        self.figures = figures
        self.map_settings = MapSettings()
        self.engine: Engine | None = None
        self._rendered: RenderedSnapshot | None = None

    def connect(self) -> AbstractContextManager[Any]:
        """Return a database connection, for answers that are not computed from the snapshot.

        Raises
        ------
        DatabaseUnavailable
            If there is no database, or it is unavailable.
        """
        if self.engine is None:
            raise DatabaseUnavailable("This application was given a snapshot and no database.")
        return self.engine.connect()

    def current(self) -> CurrentView:
        """Return the current data.

        Raises
        ------
        SnapshotUnavailable
            If no snapshot has ever been read.
        """
        if self.source is None:
            raise SnapshotUnavailable(
                "Le service démarre : il n'a pas encore lu ses données.", "Réessayez dans un instant."
            )
        held = self.source.current()
        rendered = self._rendered
        if rendered is None or rendered.view.snapshot is not held.snapshot:
            view = SnapshotView(
                held.snapshot,
                home=self.settings.home,
                detour_factor=self.settings.detour_factor,
                searches_cached=self.http.cached_filters,
                calendar=Calendar(self.settings.school_zone),
            )
            rendered = self._rendered = RenderedSnapshot(view, self.map_settings)
        return CurrentView(rendered.view, rendered, held.age, held.database_ok)

    def place_finder(self, current: CurrentView) -> PlaceFinder:
        """Return the search of places over the current snapshot and the database."""
        return PlaceFinder(current.view, self.connect, current.database_ok, self.http.geocoder_url)


def app_state(request: Request) -> AppState:
    """Return the state of the application that received a request."""
    return cast(AppState, request.app.state.service)
