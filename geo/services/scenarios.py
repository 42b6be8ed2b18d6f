"""Scenarios: what edits of the sites change, and for whom, without touching what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from geo.coverage import export
from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.compare import CoverageChange, compare
from geo.coverage.measure import Coverage, Question, measure
from geo.coverage.scenario import Edit, apply
from geo.lru_cache import LruCache
from geo.services.coverage import rounded, totals_to_dict
from geo.services.snapshot_view import SnapshotView
from geo.territory.model import TerritoryKind

NAME_MAX: Final = 200
DESCRIPTION_MAX: Final = 2_000

EVALUATIONS_CACHED: Final = 64
CONTEXTS_CACHED: Final = 2
"""Contexts of what-ifs: each holds the times from all places to all sites."""


@dataclass(frozen=True)
class Evaluation:
    """What edits change: totals, figures by territory, and the table that files hold."""

    summary: dict[str, Any]
    territories: list[dict[str, Any]]
    table: list[dict[str, object]]
    about: list[tuple[str, str]]


def evaluate_edits(
    view: SnapshotView, edits: tuple[Edit, ...], question: Question, kind: TerritoryKind
) -> Evaluation:
    """Return what edits change, computed once for one snapshot, day, question and kind."""
    contexts: LruCache[AnalysisContext] = view.service_cache("scenario contexts", CONTEXTS_CACHED)
    evaluations: LruCache[Evaluation] = view.service_cache("scenario evaluations", EVALUATIONS_CACHED)
    before = view.coverage(question)
    day = before.frame.day

    def context() -> AnalysisContext:
        return AnalysisContext(apply(view.snapshot, edits), view.travel, day, store_times=False)

    def compute() -> Evaluation:
        after = measure(contexts.get_or_compute((day, edits), context), question)
        return compare_coverages(before, after, kind)

    return evaluations.get_or_compute((day, edits, question, kind), compute)


def compare_coverages(before: Coverage, after: Coverage, kind: TerritoryKind) -> Evaluation:
    """Compare two coverages of one question."""
    changes = compare(before, after, kind)
    (whole,) = compare(before, after, TerritoryKind.DEPARTEMENT)
    (total_before,), (total_after,) = (c.by_territory(TerritoryKind.DEPARTEMENT) for c in (before, after))
    return Evaluation(
        summary={
            **change_to_dict(whole),
            "before": totals_to_dict(total_before, before.question),
            "after": totals_to_dict(total_after, before.question),
        },
        territories=[
            {
                "kind": change.kind.value,
                "code": change.code,
                "name": change.name,
                "people": round(change.people, 1),
                **change_to_dict(change),
                "supply": round(change.supply, 4),
                "gap": round(change.gap, 1),
            }
            for change in changes
        ],
        table=export.changes_table(after, changes),
        about=export.about(after),
    )


def change_to_dict(change: CoverageChange) -> dict[str, Any]:
    """Return how many people gain or lose, and by how many minutes."""
    return {
        "gaining": round(change.gaining, 1),
        "losing": round(change.losing, 1),
        "nearer": round(change.nearer, 1),
        "farther": round(change.farther, 1),
        "minutes": rounded(change.minutes, 2),
    }
