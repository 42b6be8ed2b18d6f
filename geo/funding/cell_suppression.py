"""Cell suppression: which cells of a table of counts to withhold so that no small count can be derived.

Idea. *Primary* suppression withholds counts above 0 and below the threshold (the frequency rule of INSEE
and Eurostat). Totals would give them back, so *complementary* (secondary) suppression withholds further
cells. A primary cell is safe when its feasibility interval is at least as wide as the threshold: two tables
of whole numbers agree with all that is published, and differ at the cell by the threshold or more.

Method. Primary cells are protected one after another: by neighbouring cells where those suffice, else by
the cells that a cheapest change of the table touches, found by linear programming. Then each complementary
cell, largest first, is published again if all primary cells stay safe. The programs only propose changes:
whatever proves a cell safe is checked in whole numbers, so that a solver's rounding cannot.

Zeros are always published: they count nobody. A reader thus knows that each withheld count is at least 1;
intervals are computed with that knowledge.

Sources. A. Hundepool and others, « Handbook on Statistical Disclosure Control », ESSNet, 2010, chapter 4;
L. Willenborg and T. de Waal, « Elements of Statistical Disclosure Control », Springer, 2001; J. Kelly,
B. Golden and A. Assad, « Cell suppression », Networks 22, 1992; M. Fischetti and J. J. Salazar,
« Solving the cell suppression problem on tabular data with linear constraints », Management Science 47,
2001. Limits: docs/secrecy.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csc_array

_TOLERANCE: Final = 1e-6

_WholeNumbers = NDArray[np.float64]
"""Whole numbers as doubles, which multiply faster; sums and products are exact below 2**53."""


@dataclass(frozen=True)
class CountTable:
    """Counts, some of which are totals of others.

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
    """Cells that are not published: small counts, and those withheld to protect them; of shape (n,)."""

    primary: NDArray[np.bool_]
    complementary: NDArray[np.bool_]

    @property
    def any(self) -> NDArray[np.bool_]:
        """Cells that are withheld for either reason."""
        return self.primary | self.complementary


def suppress(table: CountTable, threshold: int) -> Suppression:
    """Choose the cells to withhold, keeping the sum of complementary ones low.

    Deterministic. No withheld count can be derived from those published, and no small one bounded to an
    interval narrower than `threshold`.

    Raises
    ------
    ValueError
        If a count is negative, a total is not the sum of its parts, or the threshold is below 1.
    """
    counts = table.counts
    _require_consistent(table, threshold)
    primary = (counts > 0) & (counts < threshold)
    suppressed = primary.copy()
    if primary.any():
        search = _SuppressionSearch(table, threshold, primary)
        search.protect()
        search.publish_again()
        suppressed = search.suppressed
    return Suppression(primary, suppressed & ~primary)


@dataclass(frozen=True, eq=False)
class _TableStructure:
    """How totals are made of leaves, the counts that are not totals.

    Leaves that are parts of the same totals form a class. Published totals reveal the sum of a class at
    most, never how its leaves share it: the search works on classes, of which there are far fewer.

    Attributes
    ----------
    class_of
        Class of each leaf; -1 for a total; shape (n,).
    total_of
        Row of `sums` of each total; -1 for a leaf; shape (n,).
    sums
        How many times a total contains each class; shape (totals, classes).
    identities
        Sums of classes that are 0 in every table, where a total has two decompositions; shape
        (k, classes).
    """

    class_of: NDArray[np.intp]
    total_of: NDArray[np.intp]
    sums: _WholeNumbers
    identities: _WholeNumbers


@lru_cache(maxsize=16)
def _table_structure(size: int, sums: tuple[tuple[int, tuple[int, ...]], ...]) -> _TableStructure:
    """Return the structure of tables of this size with these sums.

    Raises
    ------
    ValueError
        If a total is, through other totals, a part of itself.
    """
    totals = sorted({total for total, _ in sums})
    total_of = np.full(size, -1)
    total_of[totals] = np.arange(len(totals))
    leaves = np.flatnonzero(total_of < 0)
    # Each count as a combination of leaves; totals in the order in which their parts become known.
    combinations = np.zeros((size, len(leaves)), dtype=np.float64)
    combinations[leaves, np.arange(len(leaves))] = 1
    unknown = set(totals)
    identities = np.zeros((0, len(leaves)), dtype=np.float64)
    remaining = list(sums)
    while remaining:
        ready = [each for each in remaining if unknown.isdisjoint(each[1])]
        if not ready:
            raise ValueError(f"totals {sorted(unknown)} are parts of themselves")
        for total, parts in ready:
            row = np.add.reduce(combinations[list(parts)], axis=0)
            if total in unknown:
                combinations[total] = row
                unknown.remove(total)
            elif (row != combinations[total]).any():
                identities = np.vstack([identities, row - combinations[total]])
        remaining = [each for each in remaining if each not in ready]
    columns, of_leaf = np.unique(np.vstack([combinations[totals], identities]), axis=1, return_inverse=True)
    class_of = np.full(size, -1)
    class_of[leaves] = of_leaf
    return _TableStructure(class_of, total_of, columns[: len(totals)], columns[len(totals) :])


@dataclass(frozen=True, eq=False)
class _Polytope:
    """The tables that agree with the publication, as changes of the sums of classes from the true table.

    Attributes
    ----------
    suppressed
        Withheld leaves of each class; shape (classes,).
    slack
        By how much the sum of a class can fall: each withheld leaf stays at 1 or more; shape (classes,).
    equations
        Sums of classes that are published, or follow from the structure; shape (k, classes).
    group_of
        Group of each class: those of a group occur alike in every equation; shape (classes,).
    """

    suppressed: _WholeNumbers
    slack: _WholeNumbers
    equations: _WholeNumbers
    group_of: NDArray[np.intp]

    def extreme_moves(self, directions: _WholeNumbers, limit: int) -> _WholeNumbers:
        """Return how far one can go along each direction, both ways, in whole steps; at most `limit`.

        Parameters
        ----------
        directions
            Changes of classes in one step; shape (m, classes).

        Returns
        -------
        Moves to both ends, 0 where the direction leaves the polytope at once; shape (2 m, classes).
        """
        feasible = ~directions[:, self.suppressed == 0].any(axis=1)
        feasible &= ~(directions @ self.equations.T).any(axis=1)
        both = np.vstack([directions[feasible], -directions[feasible]])
        steps = np.where(both < 0, self.slack // np.maximum(-both, 1), limit).min(axis=1, initial=limit)
        moves: _WholeNumbers = both * steps[:, None]
        return moves


class _SuppressionSearch:
    """Search for a cheap set of cells to withhold, with proofs that primary cells are safe.

    A *move* changes the sums of classes by whole numbers and leaves every published sum as it is. Inside
    a class, withheld leaves share the sum freely, each at least 1. A *target* is what must be safe: a
    class with small leaves (for all of them), or a small total.

    INVARIANT: `directions` holds moves found so far, each verified in whole numbers. They only serve as
    proofs: two ends of a direction that differ enough at a target prove it safe, whoever found them. So
    they stay valid when other cells are withheld, and are tried first, before any program is solved.
    """

    def __init__(self, table: CountTable, threshold: int, primary: NDArray[np.bool_]) -> None:
        self.threshold = threshold
        self.counts = table.counts
        self.suppressed = primary.copy()
        self.primary = primary
        self.structure = structure = _table_structure(len(table.counts), table.sums)
        self.leaf = structure.class_of >= 0
        self.classes = structure.sums.shape[1]
        small_classes = np.unique(structure.class_of[primary & self.leaf])
        small_totals = structure.sums[structure.total_of[primary & ~self.leaf]]
        # Each target as a combination of classes, and its class; -1 for a total.
        self.targets = np.vstack([np.eye(self.classes, dtype=np.float64)[small_classes], small_totals])
        self.class_of = np.concatenate([small_classes, np.full(len(small_totals), -1)])
        self.directions = np.zeros((0, self.classes), dtype=np.float64)
        self._equations: dict[bytes, tuple[_WholeNumbers, NDArray[np.intp]]] = {}
        self._null_spaces: dict[bytes, tuple[NDArray[np.intp], NDArray[np.float64]]] = {}

    def protect(self) -> None:
        """Withhold cells until every target is safe: neighbours where those suffice, else totals too."""
        # Targets that need totals withheld come first: the others may then need less.
        for target in sorted(range(len(self.targets)), key=lambda t: bool(self._cheapest_neighbours(t))):
            if self._interval_widths(self._polytope(self.suppressed))[target] < self.threshold:
                if neighbours := self._cheapest_neighbours(target):
                    self.suppressed[neighbours] = True
                else:
                    self._protect_by_moves(target)
        if not self._are_safe(self.suppressed):
            # Safe by default: where the solver finds nothing, every count is withheld.
            self.suppressed = self.counts > 0

    def publish_again(self) -> None:
        """Publish complementary cells without which all targets stay safe, largest first."""
        complementary = np.flatnonzero(self.suppressed & ~self.primary)
        for cell in sorted(complementary, key=lambda c: (-self.counts[c], c)):
            fewer = self.suppressed.copy()
            fewer[cell] = False
            if self._are_safe(fewer):
                self.suppressed = fewer

    def _polytope(self, suppressed: NDArray[np.bool_]) -> _Polytope:
        leaves = np.flatnonzero(suppressed & self.leaf)
        classes = self.structure.class_of[leaves]
        number = np.bincount(classes, minlength=self.classes).astype(np.float64)
        slack = np.bincount(classes, self.counts[leaves] - 1.0, self.classes).astype(np.float64)
        published = ~suppressed & ~self.leaf
        key = published.tobytes()
        if key not in self._equations:
            sums = self.structure.sums[self.structure.total_of[published]]
            rows = np.vstack([sums, self.structure.identities])
            self._equations[key] = rows, np.unique(rows, axis=1, return_inverse=True)[1]
        return _Polytope(number, slack, *self._equations[key])

    def _interval_widths(self, polytope: _Polytope) -> _WholeNumbers:
        """Return a lower bound of the width of each target's feasibility interval; shape (targets,)."""
        moved = polytope.extreme_moves(self.directions, self.threshold) @ self.targets.T
        up, down = moved.max(axis=0, initial=0), -moved.min(axis=0, initial=0)
        class_of = self.class_of
        # A leaf that shares its class can fall, within the class, while the others take what it loses.
        down = np.where((class_of >= 0) & (polytope.suppressed[class_of] > 1), polytope.slack[class_of], down)
        # So can it with leaves of classes that occur in the same equations.
        group = polytope.group_of[class_of]
        shared = (class_of >= 0) & (np.bincount(polytope.group_of, polytope.suppressed)[group] > 1)
        together = np.where(shared, np.bincount(polytope.group_of, polytope.slack)[group], 0)
        # A class in no equation has no upper bound.
        unbounded = (class_of >= 0) & ~polytope.equations[:, class_of].any(axis=0)
        widths: _WholeNumbers = np.maximum(up + down, np.where(unbounded, self.threshold, together))
        return widths

    def _cheapest_neighbours(self, target: int) -> list[np.intp]:
        """Return the smallest leaves that, withheld too, make a leaf safe in its group; empty if none do."""
        target_class = self.class_of[target]
        if target_class < 0:
            return []
        polytope = self._polytope(self.suppressed)
        group = polytope.group_of == polytope.group_of[target_class]
        lacking = self.threshold - polytope.slack[group].sum()
        others = np.flatnonzero(self.leaf & ~self.suppressed & (self.counts > 0))
        others = others[group[self.structure.class_of[others]]]
        others = others[np.argsort(self.counts[others], kind="stable")]
        # Two suffice: a published leaf is at least the threshold, so its slack is that less 1.
        choices = [[cell] for cell in others if self.counts[cell] > lacking][:1]
        if len(others) > 1 and self.counts[others[:2]].sum() - 2 >= lacking:
            choices.append(list(others[:2]))
        return min(choices, key=lambda cells: int(self.counts[cells].sum()), default=[])

    def _protect_by_moves(self, target: int) -> None:
        """Withhold the cells that the cheapest moves touch which make a target safe."""
        polytope = self._polytope(self.suppressed)
        target_class = self.class_of[target]
        slack = int(polytope.slack[target_class]) if target_class >= 0 else 0
        alone = target_class >= 0 and polytope.suppressed[target_class] == 1 and slack > 0
        up = self.threshold - slack
        # Alone in its class: down as far as it can go, then up by the rest; or else up at once.
        for change in [-slack, up, self.threshold] if alone else [up]:
            if self._interval_widths(self._polytope(self.suppressed))[target] >= self.threshold:
                break
            self._suppress_cheapest_move(target, change)

    def _suppress_cheapest_move(self, target: int, change: int) -> None:
        """Withhold the cells touched by the cheapest move that changes a target by `change`, if any.

        Variables are the changes of withheld classes (nearly free), of published leaves and of published
        totals (each costs its size): the objective of Kelly, Golden and Assad (1992).
        """
        polytope = self._polytope(self.suppressed)
        leaves = np.flatnonzero(~self.suppressed & self.leaf & (self.counts > 0))
        totals = np.flatnonzero(~self.suppressed & ~self.leaf & (self.counts > 0))
        free = np.flatnonzero(polytope.suppressed)
        classes = np.concatenate([free, self.structure.class_of[leaves]])
        sums = self.structure.sums[self.structure.total_of[totals]]
        identities = self.structure.identities
        rows = np.vstack(
            [
                np.hstack([sums[:, classes], -np.eye(len(totals), dtype=np.float64)]),
                np.hstack(
                    [identities[:, classes], np.zeros((len(identities), len(totals)), dtype=np.float64)]
                ),
                np.concatenate([self.targets[target, classes], np.zeros(len(totals), dtype=np.float64)]),
            ]
        )
        wanted = np.zeros(len(rows))
        wanted[-1] = change
        max_fall = np.concatenate([polytope.slack[free], self.counts[leaves] - 1, self.counts[totals] - 1])
        cost = np.concatenate(
            [np.full(len(free), _TOLERANCE), 1 + self.counts[leaves], 1 + self.counts[totals]]
        )
        solution = _solve(cost, cost, rows, wanted, max_fall)
        if solution is not None:
            changes = solution[: len(classes)]
            move = np.zeros(self.classes, dtype=np.float64)
            np.add.at(move, classes, changes)
            self.suppressed[leaves[changes[len(free) :] != 0]] = True
            self.suppressed[totals[sums @ move != 0]] = True
            self._add_direction(move)

    def _are_safe(self, suppressed: NDArray[np.bool_]) -> bool:
        """Return whether all targets are proved safe when these cells are withheld.

        From cheap to costly: directions already found; an upper bound that refutes; the null space of the
        equations, outside which nothing moves; only then integer programs.
        """
        polytope = self._polytope(suppressed)
        lacking = np.flatnonzero(self._interval_widths(polytope) < self.threshold)
        if not len(lacking):
            return True
        if (self._width_bounds(polytope, lacking) < self.threshold).any():
            return False
        classes, projector = self._null_space(polytope)
        reach = np.abs(self.targets[np.ix_(lacking, classes)] @ projector).max(axis=1, initial=0)
        if (reach < _TOLERANCE).any():
            return False
        for target in lacking:
            target_class = self.class_of[target]
            shared = target_class >= 0 and polytope.suppressed[target_class] > 1
            for sign in (1,) if shared else (1, -1):
                if self._interval_widths(polytope)[target] >= self.threshold:
                    break
                self._find_extreme_move(polytope, classes, int(target), sign)
            if self._interval_widths(polytope)[target] < self.threshold:
                return False
        return True

    def _width_bounds(self, polytope: _Polytope, targets: NDArray[np.intp]) -> _WholeNumbers:
        """Return an upper bound of targets' interval widths: the slack of any published sum around them."""
        active = np.flatnonzero(polytope.suppressed)
        rows = polytope.equations[(polytope.equations >= 0).all(axis=1)][:, active]
        contains = (rows[:, None, :] >= self.targets[np.ix_(targets, active)]).all(axis=2)
        slack = np.where(contains, (rows @ polytope.slack[active])[:, None], self.threshold)
        bounds: _WholeNumbers = slack.min(axis=0, initial=self.threshold)
        return bounds

    def _null_space(self, polytope: _Polytope) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return the classes that can change while all equations hold, and the projector on such changes.

        A target that it projects to 0 cannot change: no program need be solved. Shapes (k,) and (k, k).
        """
        key = polytope.suppressed.astype(bool).tobytes() + polytope.equations.tobytes()
        if key not in self._null_spaces:
            active = np.flatnonzero(polytope.suppressed)
            rows = polytope.equations[:, active]
            rows = rows[rows.any(axis=1)]
            projector = np.eye(len(active)) - np.linalg.pinv(rows) @ rows
            moving = projector.diagonal() >= _TOLERANCE
            self._null_spaces[key] = active[moving], projector[np.ix_(moving, moving)]
        return self._null_spaces[key]

    def _find_extreme_move(
        self, polytope: _Polytope, classes: NDArray[np.intp], target: int, sign: int
    ) -> None:
        """Find the move that changes a target most, up (1) or down (-1), at most by the threshold."""
        # Farthest first, then in the fewest steps. A last column is the change of the target.
        rows = np.vstack(
            [
                np.hstack(
                    [polytope.equations[:, classes], np.zeros((len(polytope.equations), 1), dtype=np.float64)]
                ),
                np.append(self.targets[target, classes], -sign),
            ]
        )
        cost = np.append(np.ones(len(classes)), -10.0 * len(classes))
        max_rise = np.append(np.full(len(classes), np.inf), self.threshold)
        max_fall = np.append(polytope.slack[classes], 0)
        solution = _solve(cost, np.abs(cost), rows, np.zeros(len(rows)), max_fall, max_rise)
        if solution is not None:
            move = np.zeros(self.classes, dtype=np.float64)
            move[classes] = solution[:-1]
            self._add_direction(move)

    def _add_direction(self, move: _WholeNumbers) -> None:
        if move.any():
            step = np.gcd.reduce(move.astype(np.int64))
            self.directions = np.vstack([self.directions, move / step])


def _solve(
    rise_cost: NDArray[np.float64],
    fall_cost: NDArray[np.float64],
    rows: _WholeNumbers,
    wanted: NDArray[np.float64],
    max_fall: _WholeNumbers,
    max_rise: NDArray[np.float64] | None = None,
) -> _WholeNumbers | None:
    """Return the cheapest change, in whole numbers, with `rows @ change == wanted`; None if there is none.

    Parameters
    ----------
    rise_cost, fall_cost
        Cost of each unit up and down; shape (n,).
    rows, wanted
        Shapes (k, n) and (k,).
    max_fall, max_rise
        How far each variable may fall and rise; without `max_rise`, there is no upper limit; shape (n,).
    """
    size = len(rise_cost)
    binding = rows.any(axis=1) | (wanted != 0)
    rows, wanted = rows[binding], wanted[binding]
    limits = np.concatenate([np.full(size, np.inf) if max_rise is None else max_rise, max_fall])
    both = csc_array(np.hstack([rows, -rows]))
    for integrality in (0, 1):
        solved = milp(
            np.concatenate([rise_cost, fall_cost]),
            integrality=np.full(2 * size, integrality),
            bounds=Bounds(0, limits),
            constraints=LinearConstraint(both, wanted, wanted),
        )
        if not solved.success:
            return None
        change = solved.x[:size] - solved.x[size:]
        # The linear program is integral for two crossing groupings; a third may need integer programming.
        if np.abs(change - change.round()).max() < _TOLERANCE:
            whole: _WholeNumbers = change.round()
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
