"""Pass statistics as the JSON of answers: counts that may not be published are null."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Final

from geo.coverage.measure import Question
from geo.funding.account_sections import PASS_MEASURES
from geo.funding.pass_reports import (
    ACCEPTING,
    DESERT_MIN,
    Desert,
    PassCounts,
    PassFigures,
    TerritoryPasses,
    deserts,
)
from geo.funding.passes import Order, Standing
from geo.reach.modes import Mode
from geo.services.pass_publication import Publication, publication, publishable_sentence
from geo.services.snapshot_view import SnapshotView
from geo.snapshot import Snapshot
from geo.territory.model import TerritoryKind

TO_ACCEPTING: Final = Question(filter=ACCEPTING)
"""Travel times by car to the sites that accept passes."""


def total_to_dict(figures: PassFigures, public: Publication | None) -> dict[str, object]:
    """Return figures that belong to no territory of the report; None publishes everything."""
    return _figures_to_dict(figures, PASS_MEASURES if public is None else public.whole, public)


def row_to_dict(
    row: TerritoryPasses, public: Publication | None, fragile: Collection[str]
) -> dict[str, object]:
    """Return a territory of the report.

    Parameters
    ----------
    public
        What may be published; None publishes everything.
    fragile
        INSEE codes of its communes among the most fragile: their total is published only if the count
        of each of them is.
    """
    published = [m for m in PASS_MEASURES if public is None or public.publishes(m, row.kind, row.code)]
    fragile_published = public is None or all(
        public.publishes("given", TerritoryKind.COMMUNE, code) for code in fragile
    )
    figures = _figures_to_dict(row.figures, published, public)
    return {
        "kind": row.kind,
        "code": row.code,
        "name": row.name,
        "population": row.population,
        **figures,
        "withheld": figures["withheld"] or not fragile_published,
        "per_1000": _rounded(row.per_1000, 2) if "given" in published else None,
        "fragile_population": row.fragile_population,
        "per_1000_fragile": _rounded(row.per_1000_fragile, 2) if fragile_published else None,
        "used_here": row.used_here if public is None else None,
        "reimbursed_here": row.reimbursed_here if public is None else None,
        "accepting_sites": row.access.accepting_sites if row.access else 0,
        "nearest_site_id": row.access.nearest_site_id if row.access else None,
        "median_min": _rounded(row.access.median_min, 1) if row.access else None,
    }


def _figures_to_dict(
    figures: PassFigures, published: Collection[str], public: Publication | None
) -> dict[str, object]:
    valued = public is None or public.cents
    given, used, expired = (name in published for name in PASS_MEASURES)
    return {
        "withheld": not (given and used and expired and valued),
        "given": figures.given if given else None,
        "used": figures.used if used else None,
        "expired": figures.expired if expired else None,
        "given_cents": figures.given_cents if given and valued else None,
        "used_cents": figures.used_cents if used and valued else None,
        "expired_cents": figures.expired_cents if expired and valued else None,
        "rate_of_use": _rounded(figures.rate_of_use, 4) if given and used else None,
        "median_delay_days": figures.median_delay_days if used else None,
        "mean_delay_days": _rounded(figures.mean_delay_days, 1) if used else None,
    }


def order_to_dict(order: Order) -> dict[str, object]:
    """Return an order."""
    return {**asdict(order), "funders": [{"partner_code": c, "count": n} for c, n in order.funders]}


def standing_to_dict(standing: Standing) -> dict[str, object]:
    """Return the state of the passes of an order."""
    return {**asdict(standing), "to_give": standing.to_give, "unused": standing.unused}


def deserts_to_dicts(
    counts: PassCounts,
    view: SnapshotView,
    question: Question = TO_ACCEPTING,
    *,
    minutes: int = DESERT_MIN,
    order: str | None = None,
    year: int | None = None,
    exact: bool = False,
) -> list[dict[str, object]]:
    """Return pass deserts, most passes first; unless `exact`, small counts are withheld.

    Deserts whose count is withheld come last, by code: their order would rank the counts.
    """
    snapshot = view.snapshot
    found = deserts(counts, view.coverage(question), minutes=minutes, order=order, year=year)
    public = None if exact else publication(counts, snapshot.territory, order, year)
    rows = [_desert_to_dict(each, public, snapshot, question.mode) for each in found]
    return [row for row in rows if row["given"] is not None] + sorted(
        (row for row in rows if row["given"] is None), key=lambda row: str(row["code"])
    )


def _desert_to_dict(
    desert: Desert, public: Publication | None, snapshot: Snapshot, mode: Mode
) -> dict[str, object]:
    given, used, sentence = publishable_sentence(desert, public, snapshot, mode)
    return {
        "code": desert.code,
        "name": desert.name,
        "withheld": not (given and used),
        "given": desert.given if given else None,
        "used": desert.used if used else None,
        "median_min": _rounded(desert.median_min, 1),
        "nearest_site_id": desert.nearest_site_id,
        "sentence": sentence,
    }


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(value, decimals)
