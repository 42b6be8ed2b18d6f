"""Access to sites, per commune and grouping: the nearest, how far, for how many.

Inhabitants are counted at points of origin; without a population grid, all inhabitants of a
commune stand at its town hall, and the shares of one commune are therefore 0 or 1. Sites beyond
the border serve; only the territory's own are counted among its sites. Definitions and limits:
docs/coverage.md.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geo.crs import project
from geo.reach import straight_line
from geo.sites.filters import EVERY_SITE, SiteFilter
from geo.snapshot import Snapshot
from geo.territory.model import Commune, Kind

PEOPLE_AT_TOWN_HALL = "habitants comptés à la mairie"


@dataclass(frozen=True)
class Origins:
    """Points where people are counted, and the commune each belongs to.

    `commune` and `inhabitants` have shape (n,), `xy` shape (n, 2) in the metric CRS.
    """

    commune: NDArray[np.str_]
    xy: NDArray[np.float64]
    inhabitants: NDArray[np.float64]
    label: str = PEOPLE_AT_TOWN_HALL


@dataclass(frozen=True)
class AccessParameters:
    """What is asked: which sites count, how distance is estimated, which distances matter (m)."""

    filter: SiteFilter = EVERY_SITE
    detour_factor: float = 1.3
    thresholds_m: tuple[int, ...] = (5_000, 10_000, 15_000)
    gap_beyond_m: int = 5_000


DEFAULTS = AccessParameters()


@dataclass(frozen=True, slots=True)
class TerritoryAccess:
    """Access in one commune or grouping.

    Attributes
    ----------
    site_count
        Sites of the territory that meet the filter, located or not.
    sites_per_10k
        The same per 10,000 inhabitants; None without inhabitants.
    nearest_site_id
        The site that is nearest for most of its inhabitants; None when no site is located.
    nearest_distance_m
        Mean distance of its inhabitants to their nearest site, metres; None likewise.
    share_within
        Fraction of inhabitants, in [0, 1], within each threshold, in the order of the parameters.
    gap_person_km
        Inhabitants times kilometres beyond `gap_beyond_m`, summed; None when no site is located.
    gap_rank
        1 for the largest gap among territories of the same kind; None where there is none.
    """

    kind: Kind
    code: str
    name: str
    population: int
    site_count: int
    sites_per_10k: float | None
    nearest_site_id: str | None
    nearest_distance_m: float | None
    share_within: tuple[float | None, ...]
    gap_person_km: float | None
    gap_rank: int | None = None


@dataclass(frozen=True)
class Coverage:
    """Access of every territory of one kind, with what it was made from.

    `unlocated` counts the sites that meet the filter but have no point: they are among the
    counts, and reach nobody.
    """

    kind: Kind
    rows: tuple[TerritoryAccess, ...]
    parameters: AccessParameters
    snapshot_version: int
    unlocated: int
    people: str = PEOPLE_AT_TOWN_HALL
    method: str = straight_line.METHOD


def origins_at_town_halls(communes: tuple[Commune, ...], epsg: int) -> Origins:
    """One origin per commune: its town hall, with all its inhabitants."""
    return Origins(
        commune=np.array([c.code for c in communes]),
        xy=project([c.town_hall.x for c in communes], [c.town_hall.y for c in communes], epsg),
        inhabitants=np.array([c.population for c in communes], dtype=np.float64),
    )


def access(snapshot: Snapshot, kind: Kind, parameters: AccessParameters = DEFAULTS) -> Coverage:
    """Measure access to sites in every territory of one kind.

    Returns
    -------
    One row per territory, sorted by code.
    """
    territory = snapshot.territory
    origins = origins_at_town_halls(territory.communes, territory.metric_crs)
    kept = np.array([parameters.filter.matches(s) for s in snapshot.sites], dtype=bool)
    xy = np.where(kept[:, None], snapshot.site_xy, np.nan)
    tree = straight_line.SiteTree(xy, detour_factor=parameters.detour_factor)
    distance, nearest = (a[:, 0] for a in tree.nearest(origins.xy, k=1))

    own = Counter(s.code_insee for s, k in zip(snapshot.sites, kept, strict=True) if k)
    at = {code: np.flatnonzero(origins.commune == code) for code in territory.own_codes}
    rows = []
    for group in territory.groupings_of(kind):
        here = np.concatenate([at[c] for c in group.communes])
        people, metres = origins.inhabitants[here], distance[here]
        reached = bool(np.isfinite(metres).any())
        weights = people if people.sum() > 0 else np.ones_like(people)
        count = sum(own[c] for c in group.communes)
        best: Counter[int] = Counter()
        for site_row, weight in zip(nearest[here], weights, strict=True):
            best[int(site_row)] += weight
        beyond = np.clip(metres - parameters.gap_beyond_m, 0, None) / 1_000
        rows.append(
            TerritoryAccess(
                kind=kind,
                code=group.code,
                name=group.name,
                population=group.population,
                site_count=count,
                sites_per_10k=count / group.population * 10_000 if group.population else None,
                nearest_site_id=snapshot.sites[best.most_common(1)[0][0]].id if reached else None,
                nearest_distance_m=float(np.average(metres, weights=weights)) if reached else None,
                share_within=tuple(
                    float(people[metres <= t].sum() / people.sum()) if people.sum() else None
                    for t in parameters.thresholds_m
                ),
                gap_person_km=float((people * beyond).sum()) if reached else None,
            )
        )
    return Coverage(
        kind=kind,
        rows=tuple(_ranked(sorted(rows, key=lambda r: r.code))),
        parameters=parameters,
        snapshot_version=snapshot.version,
        unlocated=int((kept & ~np.isfinite(snapshot.site_xy).all(axis=1)).sum()),
    )


def records(coverage: Coverage) -> list[dict[str, object]]:
    """Each territory as a flat record, one column per threshold: what tables and CSV are made of."""
    return [
        {
            "kind": row.kind.value,
            "code": row.code,
            "name": row.name,
            "population": row.population,
            "site_count": row.site_count,
            "sites_per_10k": row.sites_per_10k,
            "nearest_site_id": row.nearest_site_id,
            "nearest_distance_m": row.nearest_distance_m,
            **{
                f"share_within_{metres}_m": share
                for metres, share in zip(coverage.parameters.thresholds_m, row.share_within, strict=True)
            },
            "gap_person_km": row.gap_person_km,
            "gap_rank": row.gap_rank,
        }
        for row in coverage.rows
    ]


def _ranked(rows: list[TerritoryAccess]) -> list[TerritoryAccess]:
    """Give equal gaps equal ranks; no rank without a gap."""
    gaps = sorted((r.gap_person_km for r in rows if r.gap_person_km), reverse=True)
    rank = {gap: position for position, gap in reversed(list(enumerate(gaps, start=1)))}
    return [replace(r, gap_rank=rank[r.gap_person_km]) if r.gap_person_km else r for r in rows]
