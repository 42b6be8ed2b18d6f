"""Which pass counts may be published: statistical disclosure control over territories, years and orders.

Counts of people below a threshold are withheld, with enough others that no published sum gives them
back. What is withheld is settled once for each year, over all territories and measures at once
(`geo.funding.disclosure_control`), so that differently filtered requests cannot be combined:

- a sum over several years is published only where the count of every year is;
- counts of one order are published for the whole département only, because small counts could be
  derived from the difference between a year and an order;
- amounts are withheld as soon as passes have different face values, because counts by order could be
  derived from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.funding import disclosure_control
from geo.funding.account_sections import PASS_MEASURES, persons_of_passes
from geo.funding.disclosure_control import Key
from geo.funding.pass_reports import Desert, PassCounts, by_territory
from geo.reach.modes import Mode
from geo.snapshot import Snapshot
from geo.territory.model import Territory, TerritoryKind
from geo.wording import figures


@dataclass(frozen=True)
class Publication:
    """Which counts of a report may be published.

    Attributes
    ----------
    hidden
        Territories whose count is withheld, by measure.
    whole
        Measures whose total, and whose count outside every territory, may be published.
    cents
        Whether amounts may be published.
    """

    hidden: Mapping[str, frozenset[tuple[TerritoryKind, str]]]
    whole: frozenset[str]
    cents: bool

    def publishes(self, measure: str, kind: TerritoryKind, code: str) -> bool:
        """Whether the count of a territory may be published."""
        return (kind, code) not in self.hidden[measure]


def publication(counts: PassCounts, territory: Territory, order: str | None, year: int | None) -> Publication:
    """Return what may be published of the passes of an order and a year; None for all of them.

    Raises
    ------
    UnknownOrder
        If no order has this reference.
    """
    if order is not None:
        counts.row_of(order)
    years = [year] if year is not None else sorted({int(y) for y in counts.year})
    withheld = {each: _withheld(counts, territory, each) for each in years}
    departement = (TerritoryKind.DEPARTEMENT, territory.code)
    hidden: dict[str, frozenset[tuple[TerritoryKind, str]]] = {}
    whole = set()
    for measure in PASS_MEASURES:
        of_measure = {
            (kind, code) for each in years for kind, code, name in withheld[each] if name == measure
        }
        clear = _outside_is_large(counts, territory, measure, years)
        if order is not None:
            clear = clear and _every_order_is_large(counts, territory, measure)
            of_measure |= _all_but_departement(territory)
            if not clear:
                of_measure.add(departement)
        hidden[measure] = frozenset(of_measure)
        if clear and departement not in of_measure:
            whole.add(measure)
    one_value = len({each.face_value_cents for each in counts.orders}) <= 1
    return Publication(hidden, frozenset(whole), one_value)


def publishable_sentence(
    desert: Desert, public: Publication | None, snapshot: Snapshot, mode: Mode
) -> tuple[bool, bool, str]:
    """Return whether the passes given and used in a desert may be published, and its French sentence.

    Parameters
    ----------
    public
        None if nothing is withheld. The sentence gives no count when one of them is.
    """
    given, used = (
        public is None or public.publishes(measure, TerritoryKind.COMMUNE, desert.code)
        for measure in ("given", "used")
    )
    if given and used:
        return True, True, desert.sentence
    way = "aucun lieu qui les accepte ne peut être atteint"
    if desert.nearest_site_id is not None and desert.median_min is not None:
        site = snapshot.site(desert.nearest_site_id)
        way = (
            f"le lieu le plus proche qui les accepte, {site.nom}, est à {figures.minutes(desert.median_min)} "
            f"{mode.label} ou plus pour la moitié des habitants"
        )
    return given, used, f"{desert.name} : des pass y ont été donnés ; {way}."


def _withheld(counts: PassCounts, territory: Territory, year: int) -> list[Key]:
    """Return the counts of a year that are withheld, whatever the request."""
    communes = by_territory(counts, territory, TerritoryKind.COMMUNE, year=year).rows
    published = disclosure_control.published_together(persons_of_passes(communes), territory)
    return [key for key, count in published.items() if count is None]


def _outside_is_large(counts: PassCounts, territory: Territory, measure: str, years: list[int]) -> bool:
    """Whether no year has a small count outside the territory: totals would give it back."""
    values, inside = _values(counts, measure), _inside(counts, territory)
    return all(is_large(int(values[(counts.year == year) & ~inside].sum())) for year in years)


def _every_order_is_large(counts: PassCounts, territory: Territory, measure: str) -> bool:
    """Whether no order has a small count in a year, inside or outside the territory."""
    values, inside = _values(counts, measure), _inside(counts, territory)
    return all(
        is_large(int(values[(counts.order == row) & (counts.year == year) & part].sum()))
        for row in range(len(counts.orders))
        for year in {int(y) for y in counts.year}
        for part in (inside, ~inside)
    )


def _all_but_departement(territory: Territory) -> set[tuple[TerritoryKind, str]]:
    kinds = (kind for kind in TerritoryKind if kind is not TerritoryKind.DEPARTEMENT)
    return {(group.kind, group.code) for kind in kinds for group in territory.groupings_of(kind)}


def _inside(counts: PassCounts, territory: Territory) -> NDArray[np.bool_]:
    return np.isin(counts.commune, list(territory.own_codes))


def _values(counts: PassCounts, measure: str) -> NDArray[np.int64]:
    values: NDArray[np.int64] = getattr(counts, measure)
    return values


def is_large(count: int) -> bool:
    """Whether a count of people may be published by itself: none, or at least the threshold."""
    return count == 0 or count >= disclosure_control.THRESHOLD
