"""Which counts of persons may not be published, so that no small one is told nor can be worked out.

Primary withholding: counts above 0 and below the threshold (the « règle de fréquence » of INSEE and
Eurostat). Complementary withholding: further counts, so that totals do not give the small ones back.
A small count is safe when two tables of whole numbers agree with all that is published and differ at
it by the threshold or more: its feasibility interval (Hundepool and others, « Handbook on Statistical
Disclosure Control », ESSNet, 2010, chapter 4) is at least that wide. Complementary counts are chosen
one small count after another, beside it where that suffices, or else by linear programs of least loss
(Kelly, Golden and Assad, « Cell suppression », Networks 22, 1992; Fischetti and Salazar, Management
Science 47, 2001), then published again wherever that leaves all small counts safe. Whatever proves a
count safe is checked in whole numbers; programs only look for it.

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
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csc_array

from geo.territory.model import Territory, TerritoryKind

THRESHOLD: Final = 5
"""Least count of persons that is published."""

TOTAL: Final = "total"
"""Name of the column that sums the others."""

_HAIR: Final = 1e-6

_Whole = NDArray[np.float64]
"""Whole numbers as doubles, which multiply faster; sums and products are exact below 2**53."""

Key = tuple[TerritoryKind, str, str]
"""Kind and code of a territory, name of a column."""


@dataclass(frozen=True)
class CountTable:
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
class Suppression:
    """What is not published: small counts, and those withheld to protect them; both of shape (n,)."""

    primary: NDArray[np.bool_]
    complementary: NDArray[np.bool_]

    @property
    def any(self) -> NDArray[np.bool_]:
        """All that is withheld, for either reason."""
        return self.primary | self.complementary


def suppress(table: CountTable, threshold: int = THRESHOLD) -> Suppression:
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
        search = _SuppressionSearch(table, threshold, primary)
        search.protect()
        search.publish_again()
        kept_back = search.withheld
    return Suppression(primary, kept_back & ~primary)


def territorial(
    counts: Mapping[str, Mapping[str, int]],
    territory: Territory,
    *,
    kinds: Sequence[TerritoryKind] = tuple(TerritoryKind),
) -> tuple[CountTable, list[Key]]:
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
    groups = {kind: sorted(territory.groupings_of(kind), key=lambda g: g.code) for kind in TerritoryKind}
    # Communes are there even when their kind is not published: all else is made of them.
    places = [(TerritoryKind.COMMUNE, g) for g in groups[TerritoryKind.COMMUNE]]
    places += [(kind, g) for kind in kinds if kind is not TerritoryKind.COMMUNE for g in groups[kind]]
    width = len(columns) + (len(columns) > 1)
    cells = np.zeros((len(places), width), dtype=np.int64)
    row_of = {g.code: row for row, (kind, g) in enumerate(places) if kind is TerritoryKind.COMMUNE}
    for code, told in counts.items():
        for column, value in told.items():
            cells[row_of[code], columns.index(column)] = value
    sums: list[tuple[int, tuple[int, ...]]] = []
    for row, (kind, group) in enumerate(places):
        if kind is not TerritoryKind.COMMUNE:
            members = [row_of[code] for code in group.communes]
            cells[row] = cells[members].sum(axis=0)
            sums += [(row * width + c, tuple(m * width + c for m in members)) for c in range(width)]
    if width > len(columns):
        cells[:, -1] = cells[:, :-1].sum(axis=1)
        first = [row * width for row in range(len(places))]
        sums += [(at + width - 1, tuple(range(at, at + width - 1))) for at in first]
    names = [*columns, TOTAL][:width]
    keys = [(kind, group.code, name) for kind, group in places for name in names]
    return CountTable(cells.ravel(), tuple(sums)), keys


def published(
    counts: Mapping[str, Mapping[str, int]], territory: Territory, threshold: int = THRESHOLD
) -> dict[Key, int | None]:
    """What may be told of counts by commune and column, for territories of every kind; None: withheld.

    Several columns are parts of a whole, `TOTAL`, which is told of too: see `territorial`.
    """
    table, keys = territorial(counts, territory)
    secret = _suppress_cached(table.counts.tobytes(), table.sums, threshold)
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
def _suppress_cached(
    counts: bytes, sums: tuple[tuple[int, tuple[int, ...]], ...], threshold: int
) -> tuple[bool, ...]:
    """What is withheld of a table, kept: a write to one table changes no other."""
    table = CountTable(np.frombuffer(counts, dtype=np.int64), sums)
    return tuple(suppress(table, threshold).any.tolist())


@dataclass(frozen=True, eq=False)
class _TableStructure:
    """How totals are made of leaves, the counts that are no total.

    Leaves that are parts of the same totals are of one class: whatever is published of totals tells
    the sum of a class at most, never how its leaves share it.

    Attributes
    ----------
    class_of
        Class of each leaf; -1 for a total; shape (n,).
    total_of
        Row of `sums` of each total; -1 for a leaf; shape (n,).
    sums
        How many times a total holds each class; shape (totals, classes).
    always
        Sums of classes that are 0 whatever the counts, where a total is told in two ways; shape
        (k, classes).
    """

    class_of: NDArray[np.intp]
    total_of: NDArray[np.intp]
    sums: _Whole
    always: _Whole


@lru_cache(maxsize=16)
def _shape(size: int, sums: tuple[tuple[int, tuple[int, ...]], ...]) -> _TableStructure:
    """The shape of tables of so many counts with these sums.

    Raises
    ------
    ValueError
        If a total is, by way of others, a part of itself.
    """
    totals = sorted({total for total, _ in sums})
    total_of = np.full(size, -1)
    total_of[totals] = np.arange(len(totals))
    leaves = np.flatnonzero(total_of < 0)
    made = np.zeros((size, len(leaves)), dtype=np.float64)
    made[leaves, np.arange(len(leaves))] = 1
    unmade = set(totals)
    always = np.zeros((0, len(leaves)), dtype=np.float64)
    left = list(sums)
    while left:
        ready = [each for each in left if unmade.isdisjoint(each[1])]
        if not ready:
            raise ValueError(f"totals {sorted(unmade)} are parts of themselves")
        for total, parts in ready:
            row = np.add.reduce(made[list(parts)], axis=0)
            if total in unmade:
                made[total] = row
                unmade.remove(total)
            elif (row != made[total]).any():
                always = np.vstack([always, row - made[total]])
        left = [each for each in left if each not in ready]
    columns, of_leaf = np.unique(np.vstack([made[totals], always]), axis=1, return_inverse=True)
    class_of = np.full(size, -1)
    class_of[leaves] = of_leaf
    return _TableStructure(class_of, total_of, columns[: len(totals)], columns[len(totals) :])


@dataclass(frozen=True, eq=False)
class _FeasibleRanges:
    """What may still vary when some counts are withheld.

    Attributes
    ----------
    number
        Leaves withheld of each class; shape (classes,).
    slack
        What they have together above 1 each: a class can lose no more; shape (classes,).
    rows
        Sums of classes that are known; shape (k, classes).
    alike
        Group of each class: those of a group are in the same known sums; shape (classes,).
    """

    number: _Whole
    slack: _Whole
    rows: _Whole
    alike: NDArray[np.intp]

    def ends(self, ways: _Whole, most: int) -> _Whole:
        """How far moves go each way that agree with what is known: in whole steps, `most` of them at most.

        Parameters
        ----------
        ways
            Changes of classes in a step; shape (m, classes).

        Returns
        -------
        The moves at both ends, 0 where there is none; shape (2 m, classes).
        """
        agreed = ~ways[:, self.number == 0].any(axis=1) & ~(ways @ self.rows.T).any(axis=1)
        both = np.vstack([ways[agreed], -ways[agreed]])
        steps = np.where(both < 0, self.slack // np.maximum(-both, 1), most).min(axis=1, initial=most)
        moves: _Whole = both * steps[:, None]
        return moves


class _SuppressionSearch:
    """Moves from the true table to others that agree with what is published.

    A move is a change of the sum of each class, in whole numbers, that leaves all known sums as they
    are. The leaves withheld of a class share its sum as they like, 1 at least each: beside others, a
    leaf spreads over all that they have above 1 and what moves add to it; alone, over what moves do.
    The ways that moves found go are kept: two ends that differ enough prove a count safe.
    """

    def __init__(self, table: CountTable, threshold: int, primary: NDArray[np.bool_]) -> None:
        self.threshold = threshold
        self.counts = table.counts
        self.withheld = primary.copy()
        self.primary = primary
        self.shape = shape = _shape(len(table.counts), table.sums)
        self.leaf = shape.class_of >= 0
        self.classes = shape.sums.shape[1]
        # What must be safe: classes with small leaves, each for all of them; then small totals.
        small = np.unique(shape.class_of[primary & self.leaf])
        totals = shape.sums[shape.total_of[primary & ~self.leaf]]
        self.targets = np.vstack([np.eye(self.classes, dtype=np.float64)[small], totals])
        self.class_of = np.concatenate([small, np.full(len(totals), -1)])
        self.ways = np.zeros((0, self.classes), dtype=np.float64)
        self.known: dict[bytes, tuple[_Whole, NDArray[np.intp]]] = {}
        self.loose: dict[bytes, tuple[NDArray[np.intp], NDArray[np.float64]]] = {}

    def protect(self) -> None:
        """Withhold what small counts need to be safe: of their class if it suffices, or else of sums too."""
        # Those that need sums withheld first: then others may need less.
        for target in sorted(range(len(self.targets)), key=lambda t: bool(self._beside(t))):
            if self._spreads(self._room(self.withheld))[target] < self.threshold:
                if beside := self._beside(target):
                    self.withheld[beside] = True
                else:
                    self._protect_by_moves(target)
        if not self._proved(self.withheld):
            # No solver is trusted to publish: where one fails, everything is kept back.
            self.withheld = self.counts > 0

    def publish_again(self) -> None:
        """Publish complementary counts without which all small ones are safe, largest first."""
        complementary = np.flatnonzero(self.withheld & ~self.primary)
        for cell in sorted(complementary, key=lambda c: (-self.counts[c], c)):
            less = self.withheld.copy()
            less[cell] = False
            if self._proved(less):
                self.withheld = less

    def _room(self, withheld: NDArray[np.bool_]) -> _FeasibleRanges:
        leaves = np.flatnonzero(withheld & self.leaf)
        of = self.shape.class_of[leaves]
        number = np.bincount(of, minlength=self.classes).astype(np.float64)
        slack = np.bincount(of, self.counts[leaves] - 1.0, self.classes).astype(np.float64)
        known = ~withheld & ~self.leaf
        key = known.tobytes()
        if key not in self.known:
            rows = np.vstack([self.shape.sums[self.shape.total_of[known]], self.shape.always])
            self.known[key] = rows, np.unique(rows, axis=1, return_inverse=True)[1]
        return _FeasibleRanges(number, slack, *self.known[key])

    def _spreads(self, room: _FeasibleRanges) -> _Whole:
        """How far each target is known to spread; shape (targets,)."""
        moved = room.ends(self.ways, self.threshold) @ self.targets.T
        up, down = moved.max(axis=0, initial=0), -moved.min(axis=0, initial=0)
        of = self.class_of
        down = np.where((of >= 0) & (room.number[of] > 1), room.slack[of], down)
        group = room.alike[of]
        shared = (of >= 0) & (np.bincount(room.alike, room.number)[group] > 1)
        together = np.where(shared, np.bincount(room.alike, room.slack)[group], 0)
        free = (of >= 0) & ~room.rows[:, of].any(axis=0)
        spreads: _Whole = np.maximum(up + down, np.where(free, self.threshold, together))
        return spreads

    def _beside(self, target: int) -> list[np.intp]:
        """Least counts to withhold beside small leaves, in the same known sums; none where none suffice."""
        at = self.class_of[target]
        if at < 0:
            return []
        room = self._room(self.withheld)
        alike = room.alike == room.alike[at]
        need = self.threshold - room.slack[alike].sum()
        others = np.flatnonzero(self.leaf & ~self.withheld & (self.counts > 0))
        others = others[alike[self.shape.class_of[others]]]
        others = others[np.argsort(self.counts[others], kind="stable")]
        # Two are enough: each has as much above 1 as the threshold, or one less.
        choices = [[cell] for cell in others if self.counts[cell] > need][:1]
        if len(others) > 1 and self.counts[others[:2]].sum() - 2 >= need:
            choices.append(list(others[:2]))
        return min(choices, key=lambda cells: int(self.counts[cells].sum()), default=[])

    def _protect_by_moves(self, target: int) -> None:
        """Withhold all that the cheapest moves change which make a target safe."""
        room = self._room(self.withheld)
        at = self.class_of[target]
        alone = at >= 0 and room.number[at] == 1 and room.slack[at] > 0
        up = self.threshold - int(room.slack[at] if at >= 0 else 0)
        # Down as far as it goes and up by what lacks, or up at once.
        for change in [-int(room.slack[at]), up, self.threshold] if alone else [up]:
            if self._spreads(self._room(self.withheld))[target] >= self.threshold:
                break
            self._withhold_cheapest(target, change)

    def _withhold_cheapest(self, target: int, change: int) -> None:
        """Withhold what the cheapest move changes that changes a target by so much, if there is one."""
        room = self._room(self.withheld)
        leaves = np.flatnonzero(~self.withheld & self.leaf & (self.counts > 0))
        totals = np.flatnonzero(~self.withheld & ~self.leaf & (self.counts > 0))
        free = np.flatnonzero(room.number)
        of = np.concatenate([free, self.shape.class_of[leaves]])
        known = self.shape.sums[self.shape.total_of[totals]]
        always = self.shape.always
        rows = np.vstack(
            [
                np.hstack([known[:, of], -np.eye(len(totals), dtype=np.float64)]),
                np.hstack([always[:, of], np.zeros((len(always), len(totals)), dtype=np.float64)]),
                np.concatenate([self.targets[target, of], np.zeros(len(totals), dtype=np.float64)]),
            ]
        )
        wanted = np.zeros(len(rows))
        wanted[-1] = change
        lose = np.concatenate([room.slack[free], self.counts[leaves] - 1, self.counts[totals] - 1])
        cost = np.concatenate([np.full(len(free), _HAIR), 1 + self.counts[leaves], 1 + self.counts[totals]])
        found = _solved(cost, cost, rows, wanted, lose)
        if found is not None:
            in_class = found[: len(of)]
            move = np.zeros(self.classes, dtype=np.float64)
            np.add.at(move, of, in_class)
            self.withheld[leaves[in_class[len(free) :] != 0]] = True
            self.withheld[totals[known @ move != 0]] = True
            self._keep(move)

    def _proved(self, withheld: NDArray[np.bool_]) -> bool:
        """Whether all small counts are safe when these are withheld, fewer than now."""
        room = self._room(withheld)
        lacking = np.flatnonzero(self._spreads(room) < self.threshold)
        if not len(lacking):
            return True
        if (self._most(room, lacking) < self.threshold).any():
            return False
        among, loose = self._loose(room)
        if (np.abs(self.targets[np.ix_(lacking, among)] @ loose).max(axis=1, initial=0) < _HAIR).any():
            return False
        for target in lacking:
            shared = self.class_of[target] >= 0 and room.number[self.class_of[target]] > 1
            for way in (1,) if shared else (1, -1):
                if self._spreads(room)[target] >= self.threshold:
                    break
                self._go_farthest(room, among, int(target), way)
            if self._spreads(room)[target] < self.threshold:
                return False
        return True

    def _most(self, room: _FeasibleRanges, targets: NDArray[np.intp]) -> _Whole:
        """What targets spread over at most: what any known sum that holds them has above 1 for each leaf."""
        active = np.flatnonzero(room.number)
        rows = room.rows[(room.rows >= 0).all(axis=1)][:, active]
        holding = (rows[:, None, :] >= self.targets[np.ix_(targets, active)]).all(axis=2)
        held = np.where(holding, (rows @ room.slack[active])[:, None], self.threshold)
        most: _Whole = held.min(axis=0, initial=self.threshold)
        return most

    def _loose(self, room: _FeasibleRanges) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Classes that can change while known sums stay as they are, and what projects on such changes.

        Where it gives 0, nothing can change, and no program need be solved; shapes (k,) and (k, k).
        """
        key = room.number.astype(bool).tobytes() + room.rows.tobytes()
        if key not in self.loose:
            active = np.flatnonzero(room.number)
            known = room.rows[:, active]
            known = known[known.any(axis=1)]
            loose = np.eye(len(active)) - np.linalg.pinv(known) @ known
            moving = loose.diagonal() >= _HAIR
            self.loose[key] = active[moving], loose[np.ix_(moving, moving)]
        return self.loose[key]

    def _go_farthest(self, room: _FeasibleRanges, among: NDArray[np.intp], target: int, way: int) -> None:
        """Find the move that changes a target most, up (1) or down (-1) and to the threshold, if any does."""
        goal = self.targets[target, among]
        # Farthest first, then in few steps. A last column takes what the target changes by.
        rows = np.vstack(
            [
                np.hstack([room.rows[:, among], np.zeros((len(room.rows), 1), dtype=np.float64)]),
                np.append(goal, -way),
            ]
        )
        cost = np.append(np.ones(len(among)), -10.0 * len(among))
        most = np.append(np.full(len(among), np.inf), self.threshold)
        lose = np.append(room.slack[among], 0)
        found = _solved(cost, np.abs(cost), rows, np.zeros(len(rows)), lose, most)
        if found is not None:
            move = np.zeros(self.classes, dtype=np.float64)
            move[among] = found[:-1]
            self._keep(move)

    def _keep(self, move: _Whole) -> None:
        if move.any():
            step = np.gcd.reduce(move.astype(np.int64))
            self.ways = np.vstack([self.ways, move / step])


def _solved(
    rise: NDArray[np.float64],
    fall: NDArray[np.float64],
    rows: _Whole,
    wanted: NDArray[np.float64],
    lose: _Whole,
    gain: NDArray[np.float64] | None = None,
) -> _Whole | None:
    """The cheapest change, in whole numbers, that gives rows what is wanted of them; None: there is none.

    Parameters
    ----------
    rise, fall
        Cost of each unit up and down; shape (n,).
    rows, wanted
        Shapes (k, n) and (k,).
    lose, gain
        How far each may fall and rise; it may rise without end where no `gain` is told; shape (n,).
    """
    size = len(rise)
    told = rows.any(axis=1) | (wanted != 0)
    rows, wanted = rows[told], wanted[told]
    most = np.concatenate([np.full(size, np.inf) if gain is None else gain, lose])
    both = csc_array(np.hstack([rows, -rows]))
    for integrality in (0, 1):
        solved = milp(
            np.concatenate([rise, fall]),
            integrality=np.full(2 * size, integrality),
            bounds=Bounds(0, most),
            constraints=LinearConstraint(both, wanted, wanted),
        )
        if not solved.success:
            return None
        change = solved.x[:size] - solved.x[size:]
        # Two ways of grouping communes always give whole numbers; a third may not.
        if np.abs(change - change.round()).max() < _HAIR:
            whole: _Whole = change.round()
            return whole
    return None


def _require_consistent(table: CountTable, threshold: int) -> None:
    if threshold < 1:
        raise ValueError(f"the threshold must be 1 or more, not {threshold}")
    if (table.counts < 0).any():
        raise ValueError("a count of persons is negative")
    for total, parts in table.sums:
        if table.counts[total] != table.counts[list(parts)].sum():
            raise ValueError(f"count {total} is not the sum of {parts}")
