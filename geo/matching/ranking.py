"""The sites that answer a wish, soonest reached first; and when none does, why and what nearly does."""

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
"""The group of wishes about hours."""
NEARLY_MAX: Final = 3
"""Sites offered that nearly fit."""


@dataclass(frozen=True, slots=True)
class RankedSite:
    """A site found.

    Attributes
    ----------
    row
        Its place among the sites asked.
    seconds
        Travel time from the origin; inf where no road leads or no origin was given.
    unknown
        Groups of wishes the site does not tell about.
    missing
        Groups it does not meet.
    """

    row: int
    site: Site
    seconds: float
    unknown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def minutes(self) -> float | None:
        """Travel time in minutes, None where there is none."""
        return self.seconds / 60 if isfinite(self.seconds) else None


@dataclass(frozen=True, slots=True)
class MatchResult:
    """What was found, soonest reached first.

    Attributes
    ----------
    fits
        Sites known to meet every wish.
    maybes
        Sites that refuse none, but do not tell about some: worth a call.
    nearly
        The soonest sites that fail fewest wishes, when nothing fits or may fit: at most `NEARLY_MAX`.
    freed
        Group → how many sites would fit or may fit without it, when nothing does.
    away
        Sites set aside because they receive nobody.
    """

    fits: tuple[RankedSite, ...]
    maybes: tuple[RankedSite, ...]
    nearly: tuple[RankedSite, ...] = ()
    freed: Mapping[str, int] | None = None
    away: int = 0


def rank_sites(
    sites: Sequence[Site],
    seconds: Sequence[float] | None,
    wishes: Criteria,
    *,
    open_at: Callable[[Site], Fit] | None = None,
) -> MatchResult:
    """Sort sites into those that fit, those that may, and those that nearly do.

    Parameters
    ----------
    seconds
        Travel time to each site, inf where out of reach; None without an origin: then the order is
        that of communes and names.
    open_at
        How a site answers the wish about hours, where there is one.
    """
    groups: list[RankedSite] = []
    away = 0
    for row, site in enumerate(sites):
        if not receives_public(site) and not wishes.remote:
            away += 1
            continue
        fits = wishes.fits(site)
        if open_at is not None:
            fits[WHEN] = open_at(site)
        groups.append(
            RankedSite(
                row,
                site,
                seconds[row] if seconds is not None else inf,
                tuple(name for name, fit in fits.items() if fit is Fit.UNKNOWN),
                tuple(name for name, fit in fits.items() if fit is Fit.NO),
            )
        )
    groups.sort(key=_order)
    possible = [each for each in groups if not each.missing]
    fitting = tuple(each for each in possible if not each.unknown)
    maybes = tuple(each for each in possible if each.unknown)
    if possible:
        return MatchResult(fitting, maybes, away=away)
    nearly = sorted(groups, key=lambda each: (len(each.missing), len(each.unknown), *_order(each)))
    freed = Counter(each.missing[0] for each in groups if len(each.missing) == 1)
    return MatchResult((), (), tuple(nearly[:NEARLY_MAX]), dict(freed), away)


def _order(each: RankedSite) -> tuple[float, str, str, int]:
    return (each.seconds, fold(each.site.commune), fold(each.site.nom), each.row)
