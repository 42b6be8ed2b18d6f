"""Classes of a choropleth against mapclassify, and what must hold of any."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from static_maps.classes import (
    Classes,
    ClassificationMethod,
    classed,
    natural_breaks,
    quantiles,
    roundest,
)

mapclassify = pytest.importorskip("mapclassify")

VALUES = st.lists(
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda v: round(v, 3)) | st.just(0.0), min_size=1, max_size=40
)


def spread(values, bounds):
    """Sum of squared deviations within classes."""
    rows = np.searchsorted(bounds, values)
    return sum(((values[rows == row] - values[rows == row].mean()) ** 2).sum() for row in set(rows.tolist()))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("count", [2, 3, 5])
def test_natural_breaks_and_quantiles_are_those_of_mapclassify(seed, count):
    values = np.random.default_rng(seed).gamma(2, 3, 120)
    assert natural_breaks(values, count) == pytest.approx(mapclassify.FisherJenks(values, count).bins)
    assert quantiles(values, count) == pytest.approx(mapclassify.Quantiles(values, count).bins)


@pytest.mark.parametrize("seed", range(4))
def test_natural_breaks_with_ties_are_at_least_as_homogeneous(seed):
    values = np.random.default_rng(seed).integers(0, 12, 80).astype(float)
    theirs = mapclassify.FisherJenks(values, 4).bins
    assert spread(values, natural_breaks(values, 4)) <= spread(values, theirs) + 1e-9


def test_natural_breaks_of_a_case_seen_by_eye():
    assert natural_breaks(np.array([1.0, 2, 3, 50, 51, 90]), 3).tolist() == [3, 51, 90]
    assert natural_breaks(np.array([7.0, 7, 7]), 5).tolist() == [7]


@given(VALUES, st.sampled_from(ClassificationMethod), st.integers(1, 6))
def test_every_value_is_in_the_class_whose_label_holds_it(values, method, count):
    classes = classed(values, method, count)
    assert len(classes.labels()) == classes.count
    assert list(classes.bounds) == sorted(set(classes.bounds))
    edges = [-np.inf, *classes.bounds, np.inf]
    for value in values:
        row = classes.of(value)
        if classes.zero and value == 0:
            assert (row, classes.labels()[0]) == (0, "zéro")
        else:
            row -= classes.zero
            assert edges[row] < value <= edges[row + 1]


@given(VALUES, st.sampled_from(ClassificationMethod))
def test_round_bounds_part_values_as_exact_ones_do(values, method):
    others = np.array([v for v in values if v != 0])
    if not len(others):
        return
    exact = (quantiles if method is ClassificationMethod.QUANTILES else natural_breaks)(others, 5)
    # A quantile may lie below every value that is not beyond it only by a rounding of its interpolation.
    parted = {tuple(others[np.searchsorted(exact[:-1], others) == row]) for row in range(len(exact))} - {()}
    classes = classed(values, method)
    kept = {
        tuple(v for v in others if classes.of(v) == row) for row in range(classes.zero, classes.count)
    } - {()}
    assert kept == parted


def test_a_bound_is_the_roundest_number_from_a_value_up_to_the_next():
    assert classed([3.217, 4.9], ClassificationMethod.NATURAL, 2).bounds == (4,)
    assert classed([118, 118, 262, 700], ClassificationMethod.NATURAL, 3).bounds == (200, 300)


def test_no_value_or_only_zero():
    assert classed([], ClassificationMethod.NATURAL).count == 1
    assert classed([0, 0, np.nan], ClassificationMethod.NATURAL) == Classes((), zero=True)


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [(3.217, 4.9, 4), (3.217, 3.9, 3.3), (118, 262, 200), (-3.4, -2.9, -3), (5, 6, 5)],
)
def test_the_roundest_number_between(low, high, found):
    assert roundest(low, high) == pytest.approx(found)
