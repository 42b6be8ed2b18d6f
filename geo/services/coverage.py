"""Coverage as plain values: the question by its parameters, people, uncertainty, equity, territories.

Figures are rounded to what their method supports: persons and minutes to the tenth, shares to four
decimals. The values are JSON values, for the API, the command line and the jobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from typing import Any, Final

import numpy as np

from geo.coverage import equity, export
from geo.coverage.catchment import parse_decay
from geo.coverage.gaps import question_text
from geo.coverage.measure import Coverage, Question, Supply, TerritoryCoverage
from geo.hours.weekly import parse_slot
from geo.people.need import format_weights, missing, parse_weights
from geo.reach.modes import Mode
from geo.reach.travel import FAR_FROM_ROAD_M
from geo.services.snapshot_view import SnapshotView
from geo.sites.filters import FILTERABLE, SiteFilter
from geo.territory.model import TerritoryKind

LORENZ_POINTS: Final = 51
"""Points of the Lorenz curve: one for each fiftieth of the people."""


def rounded(value: float | None, digits: int) -> float | None:
    """Return a rounded figure; None where there is none, or it is infinite."""
    return None if value is None or not isfinite(value) else round(value, digits)


def question_parameters(question: Question) -> dict[str, Any]:
    """Return a question under the names of its parameters; `question_from_parameters` is the inverse."""
    return {
        "mode": question.mode,
        "slot": question.slot.text if question.slot else None,
        "minutes": list(question.minutes),
        "beyond_min": question.beyond_min,
        "population": question.population,
        "weights": format_weights(question.weights) or None,
        "supply": question.supply,
        "decay": question.decay.text,
        **{name: list(values) for name, values in question.filter.conditions},
    }


def question_from_parameters(parameters: Mapping[str, Any], moment: datetime) -> Question:
    """Return the question that `question_parameters` described.

    Parameters
    ----------
    moment
        What the slot "maintenant" means.
    """
    return Question(
        mode=Mode(parameters["mode"]),
        filter=SiteFilter.of({name: parameters[name] for name in FILTERABLE if name in parameters}),
        slot=parse_slot(parameters["slot"], now=moment) if parameters["slot"] else None,
        minutes=tuple(parameters["minutes"]),
        beyond_min=parameters["beyond_min"],
        population=parameters["population"],
        weights=parse_weights(parameters["weights"]) if parameters["weights"] else (),
        supply=Supply(parameters["supply"]),
        decay=parse_decay(parameters["decay"]),
    )


def question_to_dict(coverage: Coverage) -> dict[str, object]:
    """Return the question as it was understood: a French sentence, and its parameters."""
    return {
        "question": {
            "sentence": question_text(coverage),
            "parameters": question_parameters(coverage.question),
        }
    }


def people_to_dict(coverage: Coverage) -> dict[str, object]:
    """Return where people are counted, and the indicators that weigh their need."""
    people, snapshot = coverage.frame.people, coverage.frame.snapshot
    source = people.provenance
    indicators = {indicator.code: indicator for indicator in snapshot.indicators}
    weights = dict(coverage.question.weights)
    without_value = missing(people, indicators, weights)
    return {
        "people": {
            "label": people.label,
            "count": round(float(coverage.people.sum()), 1),
            "producer": source.producer if source else None,
            "vintage": source.vintage if source else None,
            "licence": source.licence if source else None,
        },
        "weights": [
            {
                "code": code,
                "name": indicators[code].name,
                "weight": weight,
                "producer": indicators[code].provenance.producer,
                "vintage": indicators[code].provenance.vintage,
                "communes_untold": len(without_value[code]),
            }
            for code, weight in weights.items()
        ],
    }


def coverage_to_dict(view: SnapshotView, question: Question) -> dict[str, object]:
    """Return all that is said of a coverage besides its territories."""
    coverage = view.coverage(question)
    return {
        **question_to_dict(coverage),
        **people_to_dict(coverage),
        "supply_unit": question.supply.label,
        "uncertainty": _uncertainty_to_dict(coverage),
        "undecided": undecided_to_dict(coverage),
        "unlocated": coverage.uncertainty.unlocated,
        "far_from_road": _far_from_road_to_dict(view, coverage),
        "equity": _equity_to_dict(coverage),
    }


def territory_to_dict(row: TerritoryCoverage, question: Question) -> dict[str, object]:
    """Return the coverage of one territory."""
    return {
        "kind": row.kind,
        "code": row.code,
        "name": row.name,
        "population": row.population,
        "people": round(row.people, 1),
        "site_count": row.site_count,
        "site_count_low": row.site_range.low,
        "nearest_site_id": row.nearest_site_id,
        "median_min": rounded(row.median_min, 1),
        "share_within": _shares_to_dicts(row, question),
        "people_beyond": round(row.people_beyond, 1),
        "supply": round(row.supply, 4),
        "supply_low": round(row.supply_low, 4),
        "open_hours": round(row.open_hours, 2),
        "gap": round(row.gap, 1),
        "gap_rank": row.gap_rank,
    }


def totals_to_dict(row: TerritoryCoverage, question: Question) -> dict[str, object]:
    """Return the coverage of one territory in a few figures."""
    return {
        "people_beyond": round(row.people_beyond, 1),
        "share_within": _shares_to_dicts(row, question),
        "median_min": rounded(row.median_min, 1),
        "supply": round(row.supply, 4),
        "gap": round(row.gap, 1),
    }


def _shares_to_dicts(row: TerritoryCoverage, question: Question) -> list[dict[str, object]]:
    return [
        {
            "within_min": minutes,
            "share": rounded(share, 4),
            "people": round((share or 0.0) * row.people, 1),
        }
        for minutes, share in zip(question.minutes, row.share_within, strict=True)
    ]


def _uncertainty_to_dict(coverage: Coverage) -> dict[str, object]:
    uncertainty = coverage.uncertainty
    return {
        "sites": uncertainty.sites,
        "unlocated": uncertainty.unlocated,
        "approximate": uncertainty.approximate,
        "stale": uncertainty.stale,
        "hours_unknown": uncertainty.hours_unknown,
        "share": rounded(uncertainty.share, 4),
        "share_without_approximate": rounded(uncertainty.share_without_approximate, 4),
        "share_without_stale": rounded(uncertainty.share_without_stale, 4),
        "share_if_unknown_open": rounded(uncertainty.share_if_unknown_open, 4),
        "sentences": export.uncertainty_sentences(coverage),
    }


def undecided_to_dict(coverage: Coverage) -> dict[str, object]:
    """Return how many places the sites are, at least and at most, and their mean supply."""
    found = coverage.site_range
    whole, *_ = coverage.by_territory(TerritoryKind.DEPARTEMENT)
    here = whole.site_range
    return {
        "questions": found.questions,
        "sites": {"low": found.low, "high": found.high},
        "territory_questions": here.questions,
        "territory_sites": {"low": here.low, "high": here.high},
        "supply": {"low": round(whole.supply_low, 4), "high": round(whole.supply, 4)},
        "sentences": []
        if found.certain
        else [f"{text}." for text in (found.sentence, *export.undecided_sentences(coverage))],
    }


def _far_from_road_to_dict(view: SnapshotView, coverage: Coverage) -> dict[str, object]:
    far = view.far_from_road(coverage.question.mode)
    return {
        "beyond_m": FAR_FROM_ROAD_M,
        "places": int(far.sum()),
        "people": round(float(coverage.people[far].sum()), 1),
    }


def _equity_to_dict(coverage: Coverage) -> dict[str, object]:
    seconds, people = coverage.seconds.astype(np.float64), coverage.people
    slowest = equity.worst_served(seconds, people, worst_is_highest=True)
    return {
        "gini": rounded(equity.gini(coverage.supply, people), 4),
        "worst_tenth_min": None if slowest is None else rounded(slowest / 60, 1),
        "worst_tenth_supply": rounded(equity.worst_served(coverage.supply, people), 4),
        "lorenz": _lorenz_points(coverage),
        "by_time": [
            {
                "label": each.label,
                "above_min": rounded(each.above_min, 0),
                "up_to_min": rounded(each.up_to_min, 0),
                "people": round(each.people, 1),
            }
            for each in equity.by_time(seconds, people, coverage.question.minutes)
        ],
    }


def _lorenz_points(coverage: Coverage) -> list[list[float]]:
    curve = coverage.lorenz()
    if curve is None:
        return []
    shares = np.linspace(0, 1, LORENZ_POINTS)
    access = np.interp(shares, curve.people, curve.access)
    return [[round(share, 2), round(float(y), 4)] for share, y in zip(shares.tolist(), access, strict=True)]
