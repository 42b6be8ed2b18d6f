"""Rank the sites that meet criteria by travel time; when there is none, find the nearest matches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Final

from geo.matching.criteria import Criteria, Fit, receives_public
from geo.sites.model import Site
from geo.sites.text import fold

WHEN: Final = "quand"
"""Name of the criteria group about hours."""
NEARLY_MAX: Final = 3
"""Maximum number of sites that nearly fit."""


@dataclass(frozen=True, slots=True)
class RankedSite:
    """A site with its travel time and the criteria that it does not meet.

    Attributes
    ----------
    row
        Index in the sequence of sites.
    seconds
        Travel time from the origin; inf when unreachable or without origin.
    unknown
        Criteria groups for which the site has no information.
    missing
        Criteria groups that the site does not meet.
    """

    row: int
    site: Site
    seconds: float
    unknown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def minutes(self) -> float | None:
        """Travel time in minutes, or None when unreachable or without origin."""
        return self.seconds / 60 if isfinite(self.seconds) else None


@dataclass(frozen=True, slots=True)
class MatchResult:
    """Sites by how they meet the criteria, each list sorted by travel time.

    Attributes
    ----------
    fits
        Sites that meet all criteria.
    maybes
        Sites that may meet all criteria: some are unknown, none is missing.
    nearly
        When both are empty, the sites with the fewest missing criteria, at most `NEARLY_MAX`.
    freed
        When both are empty, group → number of sites that would fit or may fit without it.
    away
        Number of sites left out because they are not open to the public.
    """

    fits: tuple[RankedSite, ...]
    maybes: tuple[RankedSite, ...]
    nearly: tuple[RankedSite, ...] = ()
    freed: Mapping[str, int] | None = None
    away: int = 0


def rank_sites(
    sites: Sequence[Site],
    seconds: Sequence[float] | None,
    criteria: Criteria,
    *,
    open_at: Callable[[Site], Fit] | None = None,
) -> MatchResult:
    """Sort sites into those that fit, those that may fit, and those that nearly fit.

    Parameters
    ----------
    seconds
        Travel time to each site, inf when unreachable; None without origin: sites are then sorted
        by commune and name.
    open_at
        Returns how a site meets the criterion about hours, when there is one.
    """
    ranked: list[RankedSite] = []
    away = 0
    for row, site in enumerate(sites):
        if not receives_public(site) and not criteria.remote:
            away += 1
            continue
        fits = criteria.fits(site)
        if open_at is not None:
            fits[WHEN] = open_at(site)
        ranked.append(
            RankedSite(
                row,
                site,
                seconds[row] if seconds is not None else inf,
                tuple(name for name, fit in fits.items() if fit is Fit.UNKNOWN),
                tuple(name for name, fit in fits.items() if fit is Fit.NO),
            )
        )
    ranked.sort(key=_order)
    possible = [each for each in ranked if not each.missing]
    fitting = tuple(each for each in possible if not each.unknown)
    maybes = tuple(each for each in possible if each.unknown)
    if possible:
        return MatchResult(fitting, maybes, away=away)
    nearly = sorted(ranked, key=lambda each: (len(each.missing), len(each.unknown), *_order(each)))
    freed = Counter(each.missing[0] for each in ranked if len(each.missing) == 1)
    return MatchResult((), (), tuple(nearly[:NEARLY_MAX]), dict(freed), away)


def _order(each: RankedSite) -> tuple[float, str, str, int]:
    return (each.seconds, fold(each.site.commune), fold(each.site.nom), each.row)
