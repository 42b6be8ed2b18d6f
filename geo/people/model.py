"""Records of population and indicators (frozen dataclasses; no input or output)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from geo.sites.model import Issue
from geo.territory.model import Provenance

AT_TOWN_HALL = "habitants comptés à la mairie"

UNDATED = "date inconnue"
UNLICENSED = "licence non indiquée"

ISSUES_STORED = 20
"""Issues stored per code; all are counted."""


@dataclass(frozen=True)
class People:
    """Points where inhabitants are counted: parts of grid cells, or town halls without a grid.

    Every point lies in one commune of the territory; a cell across several communes is several
    points. All arrays have the same first axis, of length p.

    Attributes
    ----------
    commune
        Shape (p,): INSEE code.
    xy
        Shape (p, 2): metric CRS of the territory, metres.
    inhabitants
        Shape (p,): persons; fractions where cells were cut.
    aged_65
        Shape (p,): those aged 65 or over; NaN where unknown.
    cell_m
        Side of a cell, metres; 0 for town halls.
    label
        How people are counted, in French, shown with every result.
    provenance
        The source; None for the territory's own (municipal population).
    """

    commune: NDArray[np.str_]
    xy: NDArray[np.float64]
    inhabitants: NDArray[np.float64]
    aged_65: NDArray[np.float64]
    cell_m: int = 0
    label: str = AT_TOWN_HALL
    provenance: Provenance | None = None


@dataclass(frozen=True)
class Indicator:
    """A figure per commune that can weigh need.

    `values` maps INSEE codes to values; communes missing from the source are absent. Figures per IRIS
    are averaged per commune, weighted by inhabitants.
    """

    code: str
    name: str
    unit: str
    level: str
    provenance: Provenance
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowTally:
    """Counts of the rows of a source. `read == accepted + outside + unselected + rejected`, always.

    `outside` rows are about places outside the territory; `unselected` ones do not match the filter.
    """

    read: int = 0
    accepted: int = 0
    outside: int = 0
    unselected: int = 0
    rejected: int = 0


@dataclass(slots=True)
class Findings:
    """Issues found in a source: all counted by code, the first of each code stored.

    Bounded, because a national file may have millions of faulty rows.
    """

    count: Counter[str] = field(default_factory=Counter)
    first: list[Issue] = field(default_factory=list)

    def add(self, issue: Issue, *, bound: int = ISSUES_STORED) -> None:
        """Count an issue, and store it if it is among the first `bound` of its code."""
        self.count[issue.code] += 1
        if self.count[issue.code] <= bound:
            self.first.append(issue)
