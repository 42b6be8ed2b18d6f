"""Trend: one question asked of the dated states of the data, and of the present one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakKeyDictionary

import orjson
from fastapi import Request
from fastapi.responses import Response

from api.coverage import question_to_dict
from api.coverage_question import QUESTION_PARAMETERS, coverage_question
from api.openapi import failures
from api.parameters import Query, choice
from api.planning_schemas import TrendAnswer
from api.responses import JSON
from api.routing import router
from api.scenarios import totals
from api.service import AppState, app_state
from api.snapshot_view import LruCache, SnapshotView
from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.measure import Question, TerritoryCoverage, measure
from geo.store import dated_snapshots
from geo.store.dated_snapshots import DatedSnapshot
from geo.territory.model import TerritoryKind

TODAY: Final = "Aujourd'hui"
FRAMES: Final = 4
"""Frames of dated states remembered for one snapshot: each holds the times from all places to all sites."""
ROWS: Final = 512

ASKED: Final = Query(
    (choice("kind", "Level of territory told beside the whole.", tuple(TerritoryKind)), *QUESTION_PARAMETERS)
)

Rows = tuple[TerritoryCoverage, ...]
routes = router("trend")


@dataclass(frozen=True)
class TrendCache:
    """What was measured over dated states while one snapshot was served."""

    frames: LruCache[AnalysisContext] = field(default_factory=lambda: LruCache(FRAMES))
    rows: LruCache[Rows] = field(default_factory=lambda: LruCache(ROWS))


_remembered: WeakKeyDictionary[SnapshotView, TrendCache] = WeakKeyDictionary()


@routes.get(
    "/trend",
    summary="The same question, from one dated state to the next",
    response_model=TrendAnswer,
    responses=failures(422, not_modified=False),
    openapi_extra=ASKED.openapi,
)
def trend(request: Request) -> Response:
    """Totals of the territory for each dated state, and by territory when `kind` is given.

    Sites are those of then; territory, people and roads those of today. Needs the database.
    """
    values = ASKED.read(request.scope["query_string"])
    service = app_state(request)
    current = service.current()
    view = current.view
    question = coverage_question(values, view.clock())
    kind = TerritoryKind(values["kind"]) if "kind" in values else None
    told = orjson.dumps(
        {
            **question_to_dict(view.measured(question)),
            "kind": kind,
            "snapshots": list(_states(service, view, question, kind)),
        }
    )
    body = b'{"meta":%b,%b' % (current.meta(with_method=True), told[1:])
    return Response(body, media_type=JSON, headers={"Cache-Control": "no-cache"})


def _states(
    service: AppState, view: SnapshotView, question: Question, kind: TerritoryKind | None
) -> Iterator[dict[str, object]]:
    with service.connect() as connection:
        states = dated_snapshots.list_(connection)
    for state in states:
        (whole,) = _rows(service, view, state, question, TerritoryKind.DEPARTEMENT)
        by_kind = _rows(service, view, state, question, kind) if kind else None
        yield _told(state.name, state.day.isoformat(), whole, by_kind, question)
    (whole,) = view.territories(question, TerritoryKind.DEPARTEMENT)
    by_kind = view.territories(question, kind) if kind else None
    yield _told(TODAY, view.clock().date().isoformat(), whole, by_kind, question)


def _rows(
    service: AppState, view: SnapshotView, state: DatedSnapshot, question: Question, kind: TerritoryKind
) -> Rows:
    """Coverage at a dated state, measured once while this snapshot is served."""
    known = _remembered.setdefault(view, TrendCache())

    def frame() -> AnalysisContext:
        with service.connect() as connection:
            return AnalysisContext(dated_snapshots.read(connection, state.name), view.travel, state.day)

    return known.rows.of(
        (state, question, kind),
        lambda: measure(known.frames.of(state, frame), question).by_territory(kind),
    )


def _told(
    name: str, day: str, whole: TerritoryCoverage, rows: Rows | None, question: Question
) -> dict[str, object]:
    return {
        "name": name,
        "day": day,
        **totals(whole, question),
        "sites": whole.site_count,
        "territories": None
        if rows is None
        else [
            {"code": row.code, "name": row.name, **totals(row, question), "sites": row.site_count}
            for row in rows
        ],
    }
