"""Reports of passes by territory, order and year, and communes where they cannot be used.

Everything is a sum of counts per order, commune and year, which the store maintains as events arrive.
Definitions: docs/passes.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.coverage.measure import Coverage
from geo.errors import UnknownOrder
from geo.funding.passes import Order, delays
from geo.people.model import Indicator
from geo.sites.filters import SiteFilter
from geo.territory.model import Territory, TerritoryKind
from geo.wording import figures
from geo.wording.language import french_count

ACCEPTING: Final = SiteFilter.of({"pass_numerique": ["true"]})
"""Sites known to accept passes; unknown ones are left out."""

DESERT_MIN: Final = 20
"""Minutes of travel beyond which an accepting site is out of reach."""

FRAGILE_SHARE: Final = 0.2
"""Share of inhabitants that live in the most fragile communes."""

UNTOLD: Final = "Commune non dite, ou hors du territoire"


@dataclass(frozen=True, slots=True)
class SitePasses:
    """Passes of an order (its row among `PassCounts.orders`) used at and paid to a site in a year."""

    order: int
    site: str
    year: int
    used: int
    reimbursed: int


@dataclass(frozen=True)
class PassCounts:
    """Sums over all events of passes.

    Attributes
    ----------
    order, commune, year, given, used, expired
        Shape (n,): a row for each order (its row in `orders`), commune ("" if unknown) and year.
    wait_row, wait_days, wait_passes
        Shape (w,): passes of a row (by year of use), by days from gift to use.
    by_day
        Row of an order, day, passes given and used that day.
    """

    orders: tuple[Order, ...]
    order: NDArray[np.intp]
    commune: NDArray[np.str_]
    year: NDArray[np.int64]
    given: NDArray[np.int64]
    used: NDArray[np.int64]
    expired: NDArray[np.int64]
    wait_row: NDArray[np.intp]
    wait_days: NDArray[np.int64]
    wait_passes: NDArray[np.int64]
    by_day: tuple[tuple[int, date, int, int], ...]
    by_site: tuple[SitePasses, ...]

    @property
    def fictitious(self) -> bool:
        """Whether any order is fictitious: every page then says so."""
        return any(order.fictif for order in self.orders)

    @cached_property
    def face_value_cents(self) -> NDArray[np.int64]:
        """Value of a pass of each row, cents, shape (n,)."""
        return np.array([o.face_value_cents for o in self.orders], dtype=np.int64)[self.order]

    @cached_property
    def vintage_waits(self) -> NDArray[np.int64]:
        """Delays over whole vintages: row of the order, year of use, days, passes; shape (v, 4)."""
        days: dict[int, tuple[dict[date, int], dict[date, int]]] = defaultdict(lambda: ({}, {}))
        for row, day, given, used in self.by_day:
            days[row][0][day] = given
            days[row][1][day] = used
        found = [
            (row, year, delay, passes)
            for row, series in days.items()
            for (year, delay), passes in delays(*series).items()
        ]
        return np.array(found, dtype=np.int64).reshape(-1, 4)

    def chosen(self, order: str | None, year: int | None) -> NDArray[np.bool_]:
        """Return a mask of the rows of an order and a year; None: all; shape (n,).

        Raises
        ------
        UnknownOrder
            If no order has this reference.
        """
        mask = np.ones(len(self.order), dtype=bool)
        if order is not None:
            mask &= self.order == self.row_of(order)
        if year is not None:
            mask &= self.year == year
        return mask

    def row_of(self, order: str) -> int:
        """Return the row in `orders` of the one that has a reference.

        Raises
        ------
        UnknownOrder
            If none has.
        """
        for row, each in enumerate(self.orders):
            if each.reference == order:
                return row
        known = ", ".join(o.reference for o in self.orders[:10]) or "aucune"
        raise UnknownOrder(
            f"Aucune commande de pass ne porte la référence « {order} ».", f"Commandes connues : {known}."
        )


@dataclass(frozen=True, slots=True)
class PassFigures:
    """Figures of some passes.

    Attributes
    ----------
    rate_of_use
        Used over given; None where none was given. In one year it may exceed 1: passes given the
        year before are used too.
    median_delay_days, mean_delay_days
        From gift to use, first in first out; None where no use is matched.
    delayed
        Passes used whose delay is known.
    """

    given: int
    used: int
    expired: int
    given_cents: int
    used_cents: int
    expired_cents: int
    rate_of_use: float | None
    median_delay_days: int | None
    mean_delay_days: float | None
    delayed: int


@dataclass(frozen=True, slots=True)
class PassAccess:
    """Accepting sites of a territory, and the median minutes to the nearest."""

    accepting_sites: int
    nearest_site_id: str | None
    median_min: float | None


@dataclass(frozen=True, slots=True)
class TerritoryPasses:
    """Passes of the inhabitants of a territory, and those used at its sites.

    Attributes
    ----------
    per_1000
        Passes given per 1,000 inhabitants; None without any.
    fragile_population
        Inhabitants of its communes among the most fragile; None when no indicator was given.
    per_1000_fragile
        Passes given in those communes per 1,000 of their inhabitants; None without any.
    used_here, reimbursed_here
        At sites located in it, whoever used them.
    access
        None when no coverage was given.
    """

    kind: TerritoryKind
    code: str
    name: str
    population: int
    figures: PassFigures
    per_1000: float | None
    fragile_population: int | None
    per_1000_fragile: float | None
    used_here: int
    reimbursed_here: int
    access: PassAccess | None


@dataclass(frozen=True)
class PassReport:
    """Passes of every territory of a kind.

    `untold` are passes without a commune, or outside these territories; `whole` is every pass,
    its delays over whole vintages wherever the passes were used.
    """

    kind: TerritoryKind
    order: str | None
    year: int | None
    rows: tuple[TerritoryPasses, ...]
    untold: PassFigures
    whole: PassFigures
    fictitious: bool


@dataclass(frozen=True, slots=True)
class Desert:
    """A commune where passes were given and no accepting site is near enough."""

    code: str
    name: str
    given: int
    used: int
    median_min: float | None
    nearest_site_id: str | None
    sentence: str


def by_territory(
    counts: PassCounts,
    territory: Territory,
    kind: TerritoryKind,
    *,
    order: str | None = None,
    year: int | None = None,
    fragile: frozenset[str] | None = None,
    coverage: Coverage | None = None,
    commune_of_site: Mapping[str, str] | None = None,
) -> PassReport:
    """Return passes by territory, sorted by code.

    Parameters
    ----------
    order, year
        Only the passes of one order; only events of one year.
    fragile
        INSEE codes of the most fragile communes, as `most_fragile` gives them.
    coverage
        Coverage by accepting sites: a question whose filter is `ACCEPTING`.
    commune_of_site
        INSEE code of the commune of each site, by public identifier; none by default.

    Raises
    ------
    UnknownOrder
        If no order has the reference.
    """
    groups = sorted(territory.groupings_of(kind), key=lambda g: g.code)
    of_commune = {commune: g for g, group in enumerate(groups) for commune in group.communes}
    names, of_name = np.unique(counts.commune, return_inverse=True)
    group_of = np.array([of_commune.get(str(name), len(groups)) for name in names], dtype=np.intp)[of_name]
    mask = counts.chosen(order, year)
    figures = _figures(counts, np.where(mask, group_of, -1), len(groups) + 1)
    used_here, paid_here = np.zeros((2, len(groups) + 1), dtype=np.int64)
    wanted = None if order is None else counts.row_of(order)
    for use in counts.by_site:
        if (wanted is None or use.order == wanted) and (year is None or use.year == year):
            g = of_commune.get((commune_of_site or {}).get(use.site, ""), len(groups))
            used_here[g] += use.used
            paid_here[g] += use.reimbursed
    access = _access(coverage, kind) if coverage is not None else {}
    given_to_fragile = np.zeros(len(groups) + 1, dtype=np.int64)
    if fragile is not None:
        among = np.isin(counts.commune, list(fragile)) & mask
        given_to_fragile = _total(group_of[among], counts.given[among], len(groups) + 1)
    population = {c.code: c.population for c in territory.communes}
    rows = []
    for g, group in enumerate(groups):
        frail = None if fragile is None else sum(population[c] for c in group.communes if c in fragile)
        rows.append(
            TerritoryPasses(
                kind=kind,
                code=group.code,
                name=group.name,
                population=group.population,
                figures=figures[g],
                per_1000=_per_1000(figures[g].given, group.population),
                fragile_population=frail,
                per_1000_fragile=_per_1000(int(given_to_fragile[g]), frail or 0),
                used_here=int(used_here[g]),
                reimbursed_here=int(paid_here[g]),
                access=access.get(group.code),
            )
        )
    return PassReport(
        kind, order, year, tuple(rows), figures[-1], whole(counts, order, year), counts.fictitious
    )


def whole(counts: PassCounts, order: str | None = None, year: int | None = None) -> PassFigures:
    """Return figures of an order and a year, or of all; delays are first in, first out per order.

    Raises
    ------
    UnknownOrder
        If no order has the reference.
    """
    mask = counts.chosen(order, year)
    waits = counts.vintage_waits
    if order is not None:
        waits = waits[waits[:, 0] == counts.row_of(order)]
    if year is not None:
        waits = waits[waits[:, 1] == year]
    values = (counts.given, counts.used, counts.expired)
    passes = [int(v[mask].sum()) for v in values]
    cents = [int((v * counts.face_value_cents)[mask].sum()) for v in values]
    return _told(*passes, *cents, waited=_total(waits[:, 2], waits[:, 3]))


def by_vintage(counts: PassCounts) -> dict[str, PassFigures]:
    """Return the figures of each order, by its reference."""
    return {order.reference: whole(counts, order.reference) for order in counts.orders}


def by_year(counts: PassCounts) -> dict[int, PassFigures]:
    """Return the figures of each year."""
    return {int(year): whole(counts, year=int(year)) for year in np.unique(counts.year)}


def most_fragile(territory: Territory, indicator: Indicator, share: float = FRAGILE_SHARE) -> frozenset[str]:
    """Return the communes of highest indicator in which a share of the inhabitants live.

    Communes are taken from the highest value down, until they have that share of the inhabitants of all
    communes with a value; equal values enter together. The indicator must be high where people are fragile.

    Returns
    -------
    INSEE codes; empty if the indicator has no value.
    """
    known = sorted(
        ((indicator.values[c.code], c) for c in territory.communes if c.code in indicator.values),
        key=lambda pair: (-pair[0], pair[1].code),
    )
    wanted = share * sum(c.population for _, c in known)
    found: set[str] = set()
    held, least = 0, float("inf")
    for value, commune in known:
        if held >= wanted and value < least:
            break
        found.add(commune.code)
        held, least = held + commune.population, value
    return frozenset(found)


def deserts(
    counts: PassCounts,
    coverage: Coverage,
    *,
    minutes: int = DESERT_MIN,
    order: str | None = None,
    year: int | None = None,
) -> tuple[Desert, ...]:
    """Return communes where passes were given and the median access is over `minutes`.

    Parameters
    ----------
    coverage
        Coverage by accepting sites: a question whose filter is `ACCEPTING`.

    Returns
    -------
    By passes given, most first, then by code.

    Raises
    ------
    UnknownOrder
        If no order has the reference.
    """
    snapshot = coverage.frame.snapshot
    report = by_territory(
        counts, snapshot.territory, TerritoryKind.COMMUNE, order=order, year=year, coverage=coverage
    )
    mode = {"car": "en voiture", "bicycle": "à vélo", "foot": "à pied"}[coverage.question.mode]
    found = []
    for row in report.rows:
        access, given = row.access, row.figures.given
        if access is None or given <= 0:
            continue
        if access.median_min is not None and access.median_min <= minutes:
            continue
        used = row.figures.used
        if access.median_min is None or access.nearest_site_id is None:
            way = "aucun lieu qui les accepte ne peut être atteint"
        else:
            site = snapshot.site(access.nearest_site_id)
            place = f"{site.nom} ({site.commune})" if site.commune else site.nom
            time = figures.minutes(access.median_min)
            way = (
                f"le lieu le plus proche qui les accepte, {place}, est à {time} "
                f"{mode} ou plus pour la moitié des habitants"
            )
        sentence = (
            f"{row.name} : {french_count('%(num)s pass donné', '%(num)s pass donnés', given)}, "
            f"{french_count('%(num)s utilisé', '%(num)s utilisés', used)} ; {way}."
        )
        found.append(
            Desert(row.code, row.name, given, used, access.median_min, access.nearest_site_id, sentence)
        )
    return tuple(sorted(found, key=lambda d: (-d.given, d.code)))


def _figures(counts: PassCounts, group: NDArray[np.intp], size: int) -> list[PassFigures]:
    """Return the figures of each group of rows; group -1 is left out."""
    grouped = group >= 0
    values = (counts.given, counts.used, counts.expired)
    columns = [
        _total(group[grouped], each[grouped], size)
        for each in (*values, *(v * counts.face_value_cents for v in values))
    ]
    of_wait = group[counts.wait_row]
    waiting = of_wait >= 0
    width = int(counts.wait_days.max(initial=0)) + 1
    cell = of_wait[waiting] * width + counts.wait_days[waiting]
    waited = _total(cell, counts.wait_passes[waiting], size * width).reshape(size, width)
    return [_told(*(int(column[g]) for column in columns), waited=waited[g]) for g in range(size)]


def _total(row: NDArray[np.integer], values: NDArray[np.int64], size: int = 0) -> NDArray[np.int64]:
    """Sum values by row; exact while sums stay below 2**53."""
    return np.bincount(row, weights=values, minlength=size).astype(np.int64)


def _told(
    given: int,
    used: int,
    expired: int,
    given_cents: int,
    used_cents: int,
    expired_cents: int,
    *,
    waited: NDArray[np.int64],
) -> PassFigures:
    """Return figures with the mean and the median of delays, given as passes by days."""
    delayed = int(waited.sum())
    half = int(np.searchsorted(np.cumsum(waited), (delayed + 1) // 2)) if delayed else None
    return PassFigures(
        given=given,
        used=used,
        expired=expired,
        given_cents=given_cents,
        used_cents=used_cents,
        expired_cents=expired_cents,
        rate_of_use=used / given if given else None,
        median_delay_days=half,
        mean_delay_days=float(np.arange(len(waited)) @ waited) / delayed if delayed else None,
        delayed=delayed,
    )


def _access(coverage: Coverage, kind: TerritoryKind) -> dict[str, PassAccess]:
    return {
        row.code: PassAccess(row.site_count, row.nearest_site_id, row.median_min)
        for row in coverage.by_territory(kind)
    }


def _per_1000(passes: int, people: int) -> float | None:
    return passes * 1_000 / people if people else None


def flat(rows: Iterable[TerritoryPasses]) -> list[dict[str, object]]:
    """Return rows of a report as flat records for CSV and tables, with values in euros."""
    return [
        {
            "kind": row.kind.value,
            "code": row.code,
            "name": row.name,
            "population": row.population,
            **{name: getattr(row.figures, name) for name in PassFigures.__slots__},
            "per_1000": row.per_1000,
            "fragile_population": row.fragile_population,
            "per_1000_fragile": row.per_1000_fragile,
            "used_here": row.used_here,
            "reimbursed_here": row.reimbursed_here,
            **{
                name: getattr(row.access, name) if row.access is not None else None
                for name in PassAccess.__slots__
            },
        }
        for row in rows
    ]
