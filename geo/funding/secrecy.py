"""Which counts of persons may not be published, so that no small one is told nor can be worked out.

Primary withholding: counts above 0 and below the threshold (the « règle de fréquence » of INSEE and
Eurostat). Complementary withholding: further counts, so that totals do not give the small ones back.
A small count is safe when two tables of whole numbers agree with all that is published and differ at
it by the threshold or more: its feasibility interval (Hundepool and others, « Handbook on Statistical
Disclosure Control », ESSNet, 2010, chapter 4) is at least that wide. Complementary counts are chosen
one small count after another by linear programs of least loss (Kelly, Golden and Assad, « Cell
suppression », Networks 22, 1992; Fischetti and Salazar, Management Science 47, 2001), then published
again wherever that leaves all small counts safe.

Zeros are always published: they count nobody. Whoever reads the table thus knows that what is
withheld is at least 1, and is supposed to. Limits: docs/secrecy.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csc_array, hstack

from geo.territory.model import Kind, Territory

THRESHOLD: Final = 5
"""Least count of persons that is published."""

TOTAL: Final = "total"
"""Name of the column that sums the others."""

_HAIR: Final = 1e-6

Key = tuple[Kind, str, str]
"""Kind and code of a territory, name of a column."""


@dataclass(frozen=True)
class Table:
    """Counts, some of which are sums of others.

    Attributes
    ----------
    counts
        Shape (n,): persons, at least 0.
    sums
        Row of a total, and the rows it is the sum of.
    """

    counts: NDArray[np.int64]
    sums: tuple[tuple[int, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Withheld:
    """What is not published: small counts, and those withheld to protect them; both of shape (n,)."""

    primary: NDArray[np.bool_]
    complementary: NDArray[np.bool_]

    @property
    def any(self) -> NDArray[np.bool_]:
        """All that is withheld, for either reason."""
        return self.primary | self.complementary


def withheld(table: Table, threshold: int = THRESHOLD) -> Withheld:
    """The counts to withhold, with least loss: the sum of the complementary ones is kept low.

    The same table always gives the same answer. No count withheld can be worked out from those
    published, and small ones not even to within `threshold`.

    Raises
    ------
    ValueError
        If a count is negative, a total is not the sum it should be, or the threshold is below 1.
    """
    counts = table.counts
    _require_consistent(table, threshold)
    primary = (counts > 0) & (counts < threshold)
    kept_back = primary.copy()
    if primary.any():
        search = _Search(table, threshold, primary)
        search.protect()
        search.publish_again()
        kept_back = search.withheld
    return Withheld(primary, kept_back & ~primary)


def territorial(
    counts: Mapping[str, Mapping[str, int]],
    territory: Territory,
    *,
    kinds: Sequence[Kind] = tuple(Kind),
) -> tuple[Table, list[Key]]:
    """Counts by commune and column with all their totals, by territory and over columns.

    Parameters
    ----------
    counts
        INSEE code of a commune of the territory → column → persons; what is absent is 0. Several
        columns are summed in one more, `TOTAL`.
    kinds
        Kinds of territory published, communes among them or not.

    Returns
    -------
    The table, and of each of its rows the territory and column.
    """
    columns = sorted({column for told in counts.values() for column in told})
    groups = {kind: sorted(territory.groupings_of(kind), key=lambda g: g.code) for kind in Kind}
    # Communes are there even when their kind is not published: all else is made of them.
    places = [(Kind.COMMUNE, g) for g in groups[Kind.COMMUNE]]
    places += [(kind, g) for kind in kinds if kind is not Kind.COMMUNE for g in groups[kind]]
    width = len(columns) + (len(columns) > 1)
    cells = np.zeros((len(places), width), dtype=np.int64)
    row_of = {g.code: row for row, (kind, g) in enumerate(places) if kind is Kind.COMMUNE}
    for code, told in counts.items():
        for column, value in told.items():
            cells[row_of[code], columns.index(column)] = value
    sums: list[tuple[int, tuple[int, ...]]] = []
    for row, (kind, group) in enumerate(places):
        if kind is not Kind.COMMUNE:
            members = [row_of[code] for code in group.communes]
            cells[row] = cells[members].sum(axis=0)
            sums += [(row * width + c, tuple(m * width + c for m in members)) for c in range(width)]
    if width > len(columns):
        cells[:, -1] = cells[:, :-1].sum(axis=1)
        first = [row * width for row in range(len(places))]
        sums += [(at + width - 1, tuple(range(at, at + width - 1))) for at in first]
    names = [*columns, TOTAL][:width]
    keys = [(kind, group.code, name) for kind, group in places for name in names]
    return Table(cells.ravel(), tuple(sums)), keys


def published(
    counts: Mapping[str, Mapping[str, int]], territory: Territory, threshold: int = THRESHOLD
) -> dict[Key, int | None]:
    """What may be told of counts by commune and column, for territories of every kind; None: withheld.

    Several columns are parts of a whole, `TOTAL`, which is told of too: see `territorial`.
    """
    table, keys = territorial(counts, territory)
    secret = _withheld_once(table.counts.tobytes(), table.sums, threshold)
    told = zip(keys, table.counts.tolist(), secret, strict=True)
    return {key: None if kept_back else count for key, count, kept_back in told}


def published_together(
    counts: Mapping[str, Mapping[str, int]], territory: Territory, threshold: int = THRESHOLD
) -> dict[Key, int | None]:
    """The same of several measures that make no whole, but tell of each other.

    Of passes given and used, or households and devices, one may give another back: where one is
    withheld, all are, but for zeros.
    """
    found: dict[Key, int | None] = {}
    for name in sorted({measure for told in counts.values() for measure in told}):
        found |= published({code: {name: n.get(name, 0)} for code, n in counts.items()}, territory, threshold)
    hidden = {key[:2] for key, count in found.items() if count is None}
    # More withheld than a measure needs leaves it as safe: fewer counts are known of it.
    return {key: None if count and key[:2] in hidden else count for key, count in found.items()}


@lru_cache(maxsize=512)
def _withheld_once(
    counts: bytes, sums: tuple[tuple[int, tuple[int, ...]], ...], threshold: int
) -> tuple[bool, ...]:
    """What is withheld of a table, kept: a write to one table changes no other."""
    table = Table(np.frombuffer(counts, dtype=np.int64), sums)
    return tuple(withheld(table, threshold).any.tolist())


class _Search:
    """Moves from the true table to others that agree with what is published.

    A move is a change of every count that leaves all sums true: whole numbers, 0 where published.
    Those found are kept: two of them that differ enough at a count prove it safe.
    """

    def __init__(self, table: Table, threshold: int, primary: NDArray[np.bool_]) -> None:
        self.threshold = threshold
        self.counts = table.counts
        self.withheld = primary.copy()
        self.primary = np.flatnonzero(primary)
        self.leaf = np.ones(len(table.counts), dtype=bool)
        self.leaf[[total for total, _ in table.sums]] = False
        self.movable = table.counts > 0
        self.sums = _matrix(table)
        self.moves = np.zeros((1, len(table.counts)), dtype=np.int64)

    def protect(self) -> None:
        """Withhold what each small count needs to be safe; what is safe once stays so."""
        for cell in self.primary:
            for target in self._targets(cell):
                if self._spread(self.moves, cell) >= self.threshold:
                    break
                among = np.flatnonzero(self.movable)
                cost = np.where(self.withheld, 0.0, 1.0 + self.counts)[among]
                if (move := self._move(among, cost, cell, target, target)) is not None:
                    self.moves = np.vstack([self.moves, move])
                    self.withheld |= move != 0

    def publish_again(self) -> None:
        """Publish complementary counts without which all small ones are safe, largest first."""
        complementary = self.withheld.copy()
        complementary[self.primary] = False
        for cell in sorted(np.flatnonzero(complementary), key=lambda c: (-self.counts[c], c)):
            found = self._without(cell)
            if found is not None:
                self.withheld[cell] = False
                self.moves = found

    def _targets(self, cell: np.intp) -> list[int]:
        """Changes to look for at a count: down to 1 and up as far as it lacks, or up at once."""
        down = int(self.counts[cell]) - 1
        if self.leaf[cell] and down:
            return [-down, self.threshold - down, self.threshold]
        return [self.threshold]

    def _without(self, published: np.intp) -> NDArray[np.int64] | None:
        """Moves that prove all small counts safe with one more count published; None: they are not."""
        moves: NDArray[np.int64] = self.moves[self.moves[:, published] == 0]
        among = np.flatnonzero(self.withheld)
        among = among[among != published]
        for cell in self.primary:
            # Farthest first, then in few steps: a move that leaves most counts alone proves more.
            for way in (1, -1):
                if self._spread(moves, cell) >= self.threshold:
                    break
                cost = np.ones(len(among))
                low, high = (0, self.threshold) if way > 0 else (-self.threshold, 0)
                move = self._move(among, cost, cell, low, high, pull=way * 10.0 * len(among))
                if move is not None:
                    moves = np.vstack([moves, move])
            if self._spread(moves, cell) < self.threshold:
                return None
        return moves

    def _spread(self, moves: NDArray[np.int64], cell: np.intp) -> int:
        return int(moves[:, cell].max() - moves[:, cell].min())

    def _move(
        self,
        among: NDArray[np.intp],
        cost: NDArray[np.float64],
        cell: np.intp,
        low: int,
        high: int,
        *,
        pull: float = 0.0,
    ) -> NDArray[np.int64] | None:
        """The cheapest move among some counts that changes one by `low` to `high`; None: there is none.

        `pull` is what each unit of that change is worth.
        """
        size, at = len(among), int(np.searchsorted(among, cell))
        sums = self.sums[:, among]
        rises = np.column_stack([np.zeros(size), np.full(size, np.inf)])
        falls = np.column_stack([np.zeros(size), self.counts[among] - 1.0])
        rises[at] = max(low, 0), max(high, 0)
        falls[at] = max(-high, 0), max(-low, 0)
        if falls[at, 0] > self.counts[cell] - 1:
            return None
        falls[at, 1] = min(falls[at, 1], self.counts[cell] - 1.0)
        price = np.concatenate([cost, cost])
        price[at] -= pull
        price[size + at] += pull
        for integrality in (0, 1):
            solved = linprog(
                price,
                A_eq=hstack([sums, -sums]),
                b_eq=np.zeros(sums.shape[0]),
                bounds=np.vstack([rises, falls]),
                integrality=integrality,
                method="highs",
            )
            if not solved.success:
                return None
            change = solved.x[:size] - solved.x[size:]
            # Two ways of grouping communes always give whole numbers; a third may not.
            if np.abs(change - change.round()).max() < _HAIR:
                move = np.zeros(len(self.counts), dtype=np.int64)
                move[among] = change.round().astype(np.int64)
                return move
        return None


def _matrix(table: Table) -> csc_array:
    """Sums as rows: -1 at the total, 1 at its parts; shape (sums, n)."""
    found: list[tuple[int, int, float]] = []
    for row, (total, parts) in enumerate(table.sums):
        found += [(row, total, -1.0), *((row, part, 1.0) for part in parts)]
    row_of, cell, sign = zip(*found, strict=True) if found else ((), (), ())
    shape = (len(table.sums), len(table.counts))
    return csc_array((np.array(sign, dtype=np.float64), (np.array(row_of, int), np.array(cell, int))), shape)


def _require_consistent(table: Table, threshold: int) -> None:
    if threshold < 1:
        raise ValueError(f"the threshold must be 1 or more, not {threshold}")
    if (table.counts < 0).any():
        raise ValueError("a count of persons is negative")
    for total, parts in table.sums:
        if table.counts[total] != table.counts[list(parts)].sum():
            raise ValueError(f"count {total} is not the sum of {parts}")
