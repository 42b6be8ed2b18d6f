"""Gaps as plain values: people out of reach of help that suits them, and what is missing there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import shapely

from geo.coverage.gaps import Gap
from geo.crs import WGS84, reproject
from geo.services.coverage import rounded

DEGREE_DECIMALS: Final = 6


def gaps_to_dicts(gaps: Sequence[Gap]) -> list[dict[str, object]]:
    """Return gaps as they are published, ranked from 1 in the order given."""
    return [
        {
            "rank": rank,
            "commune": gap.commune,
            "name": gap.name,
            "people": round(gap.people, 1),
            "minutes": rounded(gap.minutes, 1),
            "gap": round(gap.gap, 1),
            "nearest_site_id": gap.nearest_site_id,
            "unsuitable_site_id": gap.unsuitable_site_id,
            "unsuitable_min": rounded(gap.unsuitable_min, 1),
            "missing": gap.missing,
            "sentence": gap.sentence,
        }
        for rank, gap in enumerate(gaps, start=1)
    ]


def gap_positions(gaps: Sequence[Gap], metric_crs: int) -> list[list[float]]:
    """Return the longitude and latitude of each gap, degrees WGS 84."""
    if not gaps:
        return []
    points = reproject(shapely.points([gap.xy for gap in gaps]), source=metric_crs, target=WGS84)
    return [[round(float(p.x), DEGREE_DECIMALS), round(float(p.y), DEGREE_DECIMALS)] for p in points]
