"""What undecided questions change: figures if all sites that may be one place were one. No I/O here.

A question is a pair of sites that may be the same place. The upper bound counts each site, as all figures
do; the lower bound counts each connected component of questions once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.sites.clustering import Link, group
from geo.wording import figures
from geo.wording.language import french_count

SitePair = tuple[str, str]
"""Identifiers of two sites that may be one place."""


@dataclass(frozen=True, slots=True)
class SiteRange:
    """Number of sites if all questions were one place (`low`) or none (`high`), and these questions."""

    low: int
    high: int
    questions: int

    @property
    def certain(self) -> bool:
        """Whether no question changes the number."""
        return self.low == self.high

    @property
    def between(self) -> str:
        """Return the range in French: « entre 501 et 524 selon 23 questions à trancher »; "" if certain."""
        if self.certain:
            return ""
        asked = french_count("%(num)s question à trancher", "%(num)s questions à trancher", self.questions)
        return f"entre {figures.count(self.low)} et {figures.count(self.high)} selon {asked}"

    @property
    def sentence(self) -> str:
        """Return the number of sites in French, with its range if any: « 524 lieux, entre 501 et 524… »."""
        counted = french_count("%(num)s lieu", "%(num)s lieux", self.high)
        return counted if self.certain else f"{counted}, {self.between}"


def questions_among(sites: Collection[str], questions: Iterable[SitePair]) -> list[SitePair]:
    """Return the questions of which both sites are among some."""
    among = frozenset(sites)
    return [(a, b) for a, b in questions if a in among and b in among]


def site_range(sites: Collection[str], questions: Iterable[SitePair]) -> SiteRange:
    """Return how many places some sites are, at least and at most; sites outside of them do not join them.

    Parameters
    ----------
    sites
        Identifiers of the sites, each once.
    """
    asked = questions_among(sites, questions)
    doubtful = {site for pair in asked for site in pair}
    high = len(sites)
    return SiteRange(high - len(doubtful) + len(_components(asked)), high, len(asked))


def least_offered(
    offered: NDArray[np.float64], sites: Sequence[str], questions: Iterable[SitePair]
) -> NDArray[np.float64]:
    """Return the supply of sites if all questions were one place: the largest of each, the others 0.

    Parameters
    ----------
    offered
        Supply of each site, shape (n,).
    sites
        Their identifiers, in the same order.
    """
    row = {site: index for index, site in enumerate(sites)}
    least = offered.copy()
    for component in _components(questions_among(sites, questions)):
        rows = [row[site] for site in component]
        best = max(rows, key=lambda index: (offered[index], -index))
        least[rows] = 0.0
        least[best] = offered[best]
    return least


def _components(questions: Collection[SitePair]) -> list[tuple[str, ...]]:
    doubtful = {site for pair in questions for site in pair}
    return group(doubtful, [Link(a, b, 0.0) for a, b in questions])
