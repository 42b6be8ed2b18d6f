"""What an application holds while it runs: its settings, its keeper, and the snapshot served."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol, cast

from starlette.requests import Request

from api.metrics import WorkerMetrics
from api.settings import ApiSettings
from api.snapshot_view import CurrentView, SnapshotSource, SnapshotView
from geo.errors import DatabaseUnavailable, SnapshotUnavailable
from geo.funding.actions import load_kinds
from geo.hours.calendar import Calendar
from geo.settings import Settings


class Engine(Protocol):
    """What opens the connections the store reads with (SQLAlchemy's)."""

    def connect(self) -> AbstractContextManager[Any]:
        """A connection, closed when the block ends; raises DatabaseUnavailable."""


class AppState:
    """The running state of one application; `app.state.service`.

    Raises
    ------
    OperatorError
        If the kinds of action of the settings cannot be had.
    """

    def __init__(
        self,
        settings: Settings,
        http: ApiSettings,
        keeper: SnapshotSource | None,
        figures: WorkerMetrics | None = None,
    ) -> None:
        self.settings = settings
        self.http = http
        self.keeper = keeper
        self.kinds = load_kinds(settings.action_kinds)
        self.figures = figures
        self.engine: Engine | None = None
        self._view: SnapshotView | None = None

    def connect(self) -> AbstractContextManager[Any]:
        """A connection to the database, for the few answers no snapshot holds.

        Raises
        ------
        DatabaseUnavailable
            If there is no database, or it does not answer.
        """
        if self.engine is None:
            raise DatabaseUnavailable("This application was given a snapshot and no database.")
        return self.engine.connect()

    def current(self) -> CurrentView:
        """What to answer from at this moment.

        Raises
        ------
        SnapshotUnavailable
            If no snapshot has ever been read.
        """
        if self.keeper is None:
            raise SnapshotUnavailable(
                "Le service démarre : il n'a pas encore lu ses données.", "Réessayez dans un instant."
            )
        kept = self.keeper.current()
        view = self._view
        if view is None or view.snapshot is not kept.snapshot:
            view = SnapshotView(
                kept.snapshot,
                home=self.settings.home,
                detour_factor=self.settings.detour_factor,
                remembered=self.http.cached_filters,
                calendar=Calendar(self.settings.school_zone),
            )
            self._view = view
        return CurrentView(view, kept.age, kept.database_ok)


def app_state(request: Request) -> AppState:
    """The running state of the application a request came to."""
    return cast(AppState, request.app.state.service)
