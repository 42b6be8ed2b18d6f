"""Small counts, attacked: by every table there is when it is small, by linear programs when it is not."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from geo.funding import cell_suppression
from geo.funding.cell_suppression import CountTable, suppress
from geo.funding.disclosure_control import THRESHOLD, TOTAL, published, published_together, territorial
from geo.settings import ROOT
from geo.territory.files import read_territory
from geo.territory.model import TerritoryKind
from tests.support.world import TERRITORY

MOST = 9
"""Largest count of a small table."""
CAP = 22
"""Largest count the attacker thinks of."""

counts = st.integers(0, MOST)
groupings = st.lists(st.sampled_from("ab"), min_size=4, max_size=4)


def grouped(leaves, *groupings):
    """A table of leaves grouped in ways that cross, each group a total, and all of them another."""
    values, sums = list(leaves), []
    for names in (*groupings, ["all"] * len(leaves)):
        for name in sorted(set(names)):
            members = tuple(i for i, n in enumerate(names) if n == name)
            sums.append((len(values), members))
            values.append(sum(leaves[i] for i in members))
    return CountTable(np.array(values), tuple(sums))


def crossed(cells):
    """A table of two rows and two columns with its margins."""
    a, b, c, d = cells
    values = [a, b, c, d, a + b, c + d, a + c, b + d, a + b + c + d]
    return CountTable(np.array(values), ((4, (0, 1)), (5, (2, 3)), (6, (0, 2)), (7, (1, 3)), (8, (4, 5))))


def agreeing(table, hidden):
    """Every table of whole numbers up to `CAP` an attacker cannot distinguish from the true one.

    He knows what is published, that sums hold, and that only counts from 1 up are withheld.
    """
    totals = {total for total, _ in table.sums}
    leaves = [i for i in range(len(table.counts)) if i not in totals]
    choices = [range(1, CAP) if hidden[i] else (int(table.counts[i]),) for i in leaves]
    found = np.zeros((len(table.counts), np.prod([len(c) for c in choices])), dtype=np.int64)
    found[leaves] = np.array(list(product(*choices))).T
    for total, parts in table.sums:
        found[total] = found[list(parts)].sum(axis=0)
    fits = (found[~hidden] == table.counts[~hidden, None]).all(axis=0)
    return found[:, fits]


def spreads(table, hidden):
    tables = agreeing(table, hidden)
    return tables.max(axis=1) - tables.min(axis=1)


def hold_secret(table):
    result = suppress(table, THRESHOLD)
    hidden = result.any
    assert (result.primary == ((table.counts > 0) & (table.counts < THRESHOLD))).all()
    assert not hidden[table.counts == 0].any()
    found = spreads(table, hidden)
    assert (found[result.primary] >= THRESHOLD).all()
    assert (found[hidden] > 0).all()
    for cell in np.flatnonzero(result.complementary):
        less = hidden.copy()
        less[cell] = False
        assert (spreads(table, less)[result.primary] < THRESHOLD).any(), "withheld for nothing"


@settings(max_examples=40, deadline=None)
@given(st.lists(counts, min_size=4, max_size=4), groupings, groupings)
@example([3, 0, 0, 0], list("aabb"), list("abab"))
@example([3, 3, 9, 9], list("aabb"), list("abab"))
@example([1, 1, 1, 1], list("aabb"), list("abba"))
@example([4, 9, 9, 9], list("aabb"), list("abab"))
def test_no_count_of_two_crossed_groupings_can_be_derived(leaves, first, second):
    hold_secret(grouped(leaves, first, second))


@settings(max_examples=25, deadline=None)
@given(st.lists(counts, min_size=4, max_size=4), groupings, groupings, groupings)
@example([2, 9, 9, 9], list("aabb"), list("abab"), list("abba"))
@example([2, 3, 9, 1], list("aabb"), list("abab"), list("abba"))
def test_no_count_of_three_crossed_groupings_can_be_derived(leaves, first, second, third):
    hold_secret(grouped(leaves, first, second, third))


@settings(max_examples=25, deadline=None)
@given(st.lists(counts, min_size=4, max_size=4))
def test_no_count_of_a_table_with_margins_can_be_derived(cells):
    hold_secret(crossed(cells))


def test_a_lone_small_count_is_withheld_with_every_total_that_equals_it():
    told = published({"99001": {"n": 3}}, TERRITORY)
    assert {key[:2] for key, count in told.items() if count is None} == {
        (TerritoryKind.COMMUNE, "99001"),
        (TerritoryKind.CANTON, "9901"),
        (TerritoryKind.EPCI, "200000001"),
        (TerritoryKind.ARRONDISSEMENT, "991"),
        (TerritoryKind.DEPARTEMENT, "99"),
    }
    assert told[TerritoryKind.COMMUNE, "99002", "n"] == 0


def test_another_count_is_withheld_so_that_the_total_does_not_reveal_the_small_one():
    told = published({"99001": {"n": 3}, "99002": {"n": 40}, "99004": {"n": 50}}, TERRITORY)
    assert told[TerritoryKind.COMMUNE, "99001", "n"] is None
    assert told[TerritoryKind.COMMUNE, "99002", "n"] is None
    assert told[TerritoryKind.EPCI, "200000001", "n"] == 43
    assert told[TerritoryKind.COMMUNE, "99004", "n"] == 50
    assert told[TerritoryKind.DEPARTEMENT, "99", "n"] == 93


def test_without_small_counts_nothing_is_withheld():
    told = published({"99001": {"n": 5}, "99002": {"n": 0}, "99004": {"n": 12}}, TERRITORY)
    assert None not in told.values()
    assert told[TerritoryKind.DEPARTEMENT, "99", "n"] == 17


def test_where_one_of_several_measures_is_withheld_all_are():
    counts = {
        "99001": {"given": 9, "used": 6, "expired": 3},
        "99002": {"given": 30, "used": 30, "expired": 0},
    }
    told = published_together({**counts, "99004": {"given": 40, "used": 20, "expired": 20}}, TERRITORY)
    assert {told[TerritoryKind.COMMUNE, "99001", n] for n in ("given", "used", "expired")} == {None}
    assert told[TerritoryKind.COMMUNE, "99002", "expired"] == 0
    assert [told[TerritoryKind.COMMUNE, "99004", n] for n in ("given", "used", "expired")] == [40, 20, 20]


def test_columns_have_a_margin_of_their_own():
    table, keys = territorial({"99001": {"women": 30, "men": 2}, "99002": {"women": 9, "men": 8}}, TERRITORY)
    value = dict(zip(keys, table.counts.tolist(), strict=True))
    assert value[TerritoryKind.COMMUNE, "99001", TOTAL] == 32
    assert value[TerritoryKind.EPCI, "200000001", "men"] == 10
    assert value[TerritoryKind.DEPARTEMENT, "99", TOTAL] == 49
    told = published({"99001": {"women": 30, "men": 2}, "99002": {"women": 9, "men": 8}}, TERRITORY)
    assert told[TerritoryKind.COMMUNE, "99001", "men"] is None
    assert None in (
        told[TerritoryKind.COMMUNE, "99001", "women"],
        told[TerritoryKind.COMMUNE, "99001", TOTAL],
    )


def test_a_threshold_of_one_withholds_nothing():
    table = crossed([1, 2, 3, 4])
    assert not suppress(table, 1).any.any()


def test_the_given_threshold_applies():
    assert suppress(CountTable(np.array([9]), ()), 10).primary.tolist() == [True]
    assert suppress(CountTable(np.array([10]), ()), 10).primary.tolist() == [False]


@pytest.mark.parametrize(
    ("table", "threshold", "told"),
    [
        (CountTable(np.array([1, 2, 4]), ((2, (0, 1)),)), 5, "not the sum"),
        (CountTable(np.array([-1]), ()), 5, "negative"),
        (CountTable(np.array([1]), ()), 0, "threshold"),
        (CountTable(np.array([2, 2]), ((0, (1,)), (1, (0,)))), 5, "parts of themselves"),
    ],
)
def test_a_table_that_does_not_add_up_is_refused(table, threshold, told):
    with pytest.raises(ValueError, match=told):
        suppress(table, threshold)


def bounds_by_linear_program(table, hidden, cell):
    """The least and most a count can be, given all published ones, by a program of the test's own."""
    size = len(table.counts)
    equal = np.zeros((len(table.sums), size))
    for row, (total, parts) in enumerate(table.sums):
        equal[row, total] = -1
        equal[row, list(parts)] = 1
    limits = [(1, 10_000) if h else (c, c) for h, c in zip(hidden, table.counts, strict=True)]
    found = []
    for sign in (1, -1):
        goal = np.zeros(size)
        goal[cell] = sign
        solved = linprog(goal, A_eq=equal, b_eq=np.zeros(len(equal)), bounds=limits)
        assert solved.success
        found.append(sign * solved.fun)
    return found


def test_no_count_of_a_whole_departement_can_be_derived():
    territory = read_territory(ROOT / "data" / "communes", "47")
    rng = np.random.default_rng(47)
    told = {c.code: {"n": int(rng.geometric(1 / 20)) - 1} for c in territory.communes if rng.random() < 0.6}
    table, keys = territorial(told, territory)
    result = suppress(table, THRESHOLD)
    hidden = result.any
    assert len(keys) > 350
    assert result.primary.sum() > 20
    assert 0 < result.complementary.sum() < result.primary.sum()
    for cell in np.flatnonzero(hidden):
        least, most = bounds_by_linear_program(table, hidden, cell)
        assert most - least > 0.5
        assert not result.primary[cell] or most - least >= THRESHOLD - 1e-6
    assert (suppress(table, THRESHOLD).any == hidden).all()


def test_every_withheld_count_of_a_whole_departement_is_needed():
    territory = read_territory(ROOT / "data" / "communes", "47")
    rng = np.random.default_rng(4)
    told = {c.code: {"n": int(rng.geometric(1 / 12)) - 1} for c in territory.communes if rng.random() < 0.1}
    table, _ = territorial(told, territory)
    result = suppress(table, THRESHOLD)
    assert result.complementary.sum() > 5
    for cell in np.flatnonzero(result.complementary):
        less = result.any.copy()
        less[cell] = False
        found = (bounds_by_linear_program(table, less, small) for small in np.flatnonzero(result.primary))
        assert any(most - least < THRESHOLD - 1e-6 for least, most in found), "withheld for nothing"


def test_a_total_with_two_decompositions_is_taken_into_account():
    table = CountTable(np.array([3, 9, 4, 8, 12]), ((4, (0, 1)), (4, (2, 3))))
    result = suppress(table, THRESHOLD)
    tables = agreeing(table, result.any)
    tables = tables[:, tables[0] + tables[1] == tables[4]]
    spread = tables.max(axis=1) - tables.min(axis=1)
    assert (spread[result.primary] >= THRESHOLD).all()
    assert (spread[result.any] > 0).all()


@pytest.mark.parametrize("leaves", [[3, 9, 9, 9], [1, 1, 9, 9], [4, 0, 0, 2]])
def test_where_no_program_is_solved_small_counts_stay_safe(leaves, monkeypatch):
    monkeypatch.setattr(cell_suppression, "_solve", lambda *_: None)
    table = grouped(leaves, list("aabb"), list("abab"))
    result = suppress(table, THRESHOLD)
    assert (spreads(table, result.any)[result.primary] >= THRESHOLD).all()
