"""Trend: one question asked of the dated states of the data, and of the present one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import Final

from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.measure import Question, TerritoryCoverage, measure
from geo.lru_cache import LruCache
from geo.services.snapshot_view import SnapshotView
from geo.store import dated_snapshots
from geo.store.database import Connection
from geo.store.dated_snapshots import DatedSnapshot
from geo.territory.model import TerritoryKind

TODAY: Final = "Aujourd'hui"
CONTEXTS_CACHED: Final = 4
"""Contexts of dated states: each holds the times from all places to all sites."""
ROWS_CACHED: Final = 512

Rows = tuple[TerritoryCoverage, ...]
Connect = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """Coverage at one dated state: of the whole territory, and by territory where a kind is asked."""

    name: str
    day: date
    whole: TerritoryCoverage
    territories: Rows | None


def trend(
    view: SnapshotView, connect: Connect, question: Question, kind: TerritoryKind | None
) -> Iterator[TrendPoint]:
    """Yield the coverage at each dated state, the oldest first, then today's.

    Sites are those of each state; territory, people and roads are today's.

    Raises
    ------
    DatabaseUnavailable
        If the database does not answer.
    """
    with connect() as connection:
        states = dated_snapshots.list_(connection)
    for state in states:
        (whole,) = _rows(view, connect, state, question, TerritoryKind.DEPARTEMENT)
        territories = _rows(view, connect, state, question, kind) if kind else None
        yield TrendPoint(state.name, state.day, whole, territories)
    (whole,) = view.coverage_by_territory(question, TerritoryKind.DEPARTEMENT)
    territories = view.coverage_by_territory(question, kind) if kind else None
    yield TrendPoint(TODAY, view.clock().date(), whole, territories)


def _rows(
    view: SnapshotView, connect: Connect, state: DatedSnapshot, question: Question, kind: TerritoryKind
) -> Rows:
    """Return the coverage at a dated state, computed once for one snapshot."""
    contexts: LruCache[AnalysisContext] = view.service_cache("dated contexts", CONTEXTS_CACHED)
    rows: LruCache[Rows] = view.service_cache("dated coverage", ROWS_CACHED)

    def context() -> AnalysisContext:
        with connect() as connection:
            return AnalysisContext(
                dated_snapshots.read(connection, state.name, margin_km=view.snapshot.margin_km),
                view.travel,
                state.day,
            )

    return rows.get_or_compute(
        (state, question, kind),
        lambda: measure(contexts.get_or_compute(state, context), question).by_territory(kind),
    )
