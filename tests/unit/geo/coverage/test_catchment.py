"""Accessible supply, against PySAL's access, a plain double loop, and by its properties."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.coverage.catchment import (
    APL,
    Gaussian,
    Step,
    accessible_supply,
    parse_decay,
)
from geo.errors import PorteeError

GAUSSIAN = Gaussian(Fraction(30))


def world(seed: int, sites: int, places: int):
    """Times (s), supply and need of an invented country; a third of the pairs are out of reach."""
    rng = np.random.default_rng(seed)
    times = rng.uniform(0, 3_600, (sites, places)).astype(np.float32)
    times[rng.random((sites, places)) < 0.3] = np.inf
    return times, rng.uniform(0, 45, sites), rng.uniform(0, 300, places)


def by_pysal(times, supply, need, reach_s, weight):
    """The same table through PySAL: one row per pair within reach."""
    from access import Access

    site, place = np.nonzero(times <= reach_s)
    model = Access(
        demand_df=pd.DataFrame({"place": np.arange(len(need)), "need": need}),
        demand_index="place",
        demand_value="need",
        supply_df=pd.DataFrame({"site": np.arange(len(supply)), "supply": supply}),
        supply_index="site",
        supply_value=["supply"],
        cost_df=pd.DataFrame({"place": place, "site": site, "s": times[site, place].astype(np.float64)}),
        cost_origin="place",
        cost_dest="site",
        cost_name="s",
    )
    found = model.enhanced_two_stage_fca(name="a", max_cost=reach_s, weight_fn=weight, normalize=False)
    return found["a_supply"].reindex(range(len(need))).fillna(0).to_numpy()


def dai(minutes):
    edge = math.exp(-0.5)
    return lambda s: (math.exp(-0.5 * (s / 60 / minutes) ** 2) - edge) / (1 - edge)


def pysal_steps(seconds):
    from access import weights

    return weights.step_fn(seconds)


@pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("decay", "weight"),
    [
        (APL, lambda: pysal_steps({600: 1, 900: 2 / 3, 1200: 1 / 3})),
        (parse_decay("pas:5=1,10=0.3,15=0.1"), lambda: pysal_steps({300: 1, 600: 0.3, 900: 0.1})),
        (GAUSSIAN, lambda: dai(30)),
        (parse_decay("gauss:12.5"), lambda: dai(12.5)),
    ],
    ids=lambda d: getattr(d, "text", ""),
)
def test_the_supply_is_the_one_pysal_finds(seed, decay, weight):
    times, supply, need = world(seed, 12, 150)
    found = accessible_supply(times, supply, need, decay)
    expected = by_pysal(times, supply, need, decay.reach_s, weight())
    assert (expected > 0).sum() > 100
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=0)


def test_blocks_of_sites_change_nothing():
    times, supply, need = world(3, 40, 9_000)
    found = accessible_supply(times, supply, need, APL)
    np.testing.assert_allclose(found, by_loops(times, supply, need, APL), rtol=1e-9)


def by_loops(times, supply, need, decay):
    """The two formulas, word by word, over Python's floats."""
    result = [0.0] * len(need)
    for j, row in enumerate(decay.weights(times).tolist()):
        sought = sum(n * w for n, w in zip(need.tolist(), row, strict=True))
        if sought:
            for i, w in enumerate(row):
                result[i] += float(supply[j]) / sought * w
    return result


seconds = st.one_of(st.integers(0, 2_000).map(float), st.just(math.inf))
amounts = st.integers(0, 50).map(float)
decays = st.one_of(
    st.sampled_from([APL, GAUSSIAN]),
    st.integers(1, 240).map(lambda m: Gaussian(Fraction(m))),
    st.lists(
        st.tuples(st.integers(1, 240).map(Fraction), st.integers(1, 100).map(lambda w: Fraction(w, 100))),
        min_size=1,
        max_size=5,
        unique_by=(lambda s: s[0], lambda s: s[1]),
    ).map(
        lambda s: Step(
            tuple(zip(sorted(m for m, _ in s), sorted((w for _, w in s), reverse=True), strict=True))
        )
    ),
)


@st.composite
def worlds(draw):
    sites, places = draw(st.integers(0, 4)), draw(st.integers(0, 5))
    times = draw(st.lists(seconds, min_size=sites * places, max_size=sites * places))
    return (
        np.array(times, dtype=np.float32).reshape(sites, places),
        np.array(draw(st.lists(amounts, min_size=sites, max_size=sites)), dtype=np.float64),
        np.array(draw(st.lists(amounts, min_size=places, max_size=places)), dtype=np.float64),
    )


@given(world=worlds(), decay=decays)
def test_the_supply_is_the_one_two_loops_find(world, decay):
    times, supply, need = world
    found = accessible_supply(times, supply, need, decay)
    assert found.shape == need.shape
    assert found.tolist() == pytest.approx(by_loops(times, supply, need, decay), rel=1e-9)


@given(world=worlds(), decay=decays)
def test_supply_is_shared_out_whole_and_no_more(world, decay):
    times, supply, need = world
    reached = (decay.weights(times) * need).sum(axis=1) > 0
    given_out = (need * accessible_supply(times, supply, need, decay)).sum()
    assert given_out == pytest.approx(supply[reached].sum(), rel=1e-9)


@given(world=worlds(), decay=decays, extra=amounts)
def test_one_more_site_never_takes_supply_away(world, decay, extra):
    times, supply, need = world
    before = accessible_supply(times, supply, need, decay)
    more = np.vstack([times, np.full((1, times.shape[1]), 60.0, dtype=np.float32)])
    after = accessible_supply(more, np.append(supply, extra), need, decay)
    assert (after >= before - 1e-9).all()


@given(decay=decays, times=st.lists(seconds, min_size=2, max_size=20))
def test_weights_never_grow_with_time(decay, times):
    weights = decay.weights(np.array(sorted(times), dtype=np.float32))
    assert ((weights >= 0) & (weights <= 1)).all()
    assert (np.diff(weights) <= 0).all()
    assert (weights[np.sort(times) > decay.reach_s] == 0).all()


@given(decay=decays)
def test_a_decay_is_read_back_as_it_is_written(decay):
    assert parse_decay(decay.text) == decay
    assert hash(parse_decay(decay.text)) == hash(decay)


def test_a_step_is_included_and_the_next_second_is_not():
    times = np.array([0, 600, 601, 900, 1200, 1201, np.inf, np.nan], dtype=np.float32)
    assert APL.weights(times).tolist() == pytest.approx([1, 1, 2 / 3, 2 / 3, 1 / 3, 0, 0, 0])


def test_the_gaussian_is_one_at_once_and_nothing_at_its_threshold():
    times = np.array([0, 900, 1800, 1801, np.inf, np.nan], dtype=np.float32)
    half = (math.exp(-0.125) - math.exp(-0.5)) / (1 - math.exp(-0.5))
    assert GAUSSIAN.weights(times).tolist() == pytest.approx([1, half, 0, 0, 0, 0])


def test_two_sites_counted_by_hand():
    """40 hours for 100 + 2/3 × 300 people; 10 hours that only the second place reaches."""
    times = np.array([[60, 700], [1_300, 60]], dtype=np.float32)
    found = accessible_supply(times, np.array([40.0, 10.0]), np.array([100.0, 300.0]), APL)
    assert found.tolist() == pytest.approx([40 / 300, 40 / 300 * 2 / 3 + 10 / 300])


def test_a_site_that_nobody_needs_serves_nobody():
    times = np.array([[60, 60]], dtype=np.float32)
    assert accessible_supply(times, np.array([40.0]), np.zeros(2), APL).tolist() == [0, 0]


def test_without_sites_nothing_is_accessible():
    found = accessible_supply(np.empty((0, 3), dtype=np.float32), np.empty(0), np.ones(3), APL)
    assert found.tolist() == [0, 0, 0]


@pytest.mark.parametrize("wrong", [-1.0, math.nan, math.inf])
def test_a_supply_or_a_need_that_is_no_amount_is_refused(wrong):
    times = np.zeros((1, 1), dtype=np.float32)
    with pytest.raises(PorteeError, match="offre"):
        accessible_supply(times, np.array([wrong]), np.ones(1), APL)
    with pytest.raises(PorteeError, match="besoin"):
        accessible_supply(times, np.ones(1), np.array([wrong]), APL)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "commence par"),
        ("20", "commence par"),
        ("exp:20", "commence par"),
        ("gauss:", "n'est pas un nombre"),
        ("gauss:0", "plus de 0"),
        ("gauss:241", "240"),
        ("gauss:1e3", "n'est pas un nombre"),
        ("gauss:-5", "n'est pas un nombre"),
        ("gauss:1/0", "n'est pas un nombre"),
        ("pas:", "minutes=poids"),
        ("pas:10", "minutes=poids"),
        ("pas:10=1,", "minutes=poids"),
        ("pas:10=0,66", "minutes=poids"),
        ("pas:10=1,10=0.5", "croître"),
        ("pas:20=1,10=0.5", "croître"),
        ("pas:0=1", "croître"),
        ("pas:10=0.5,20=1", "poids"),
        ("pas:10=1.5", "poids"),
        ("pas:10=0", "poids"),
    ],
)
def test_a_decay_that_makes_no_sense_is_refused_with_an_example(text, why):
    with pytest.raises(PorteeError, match=why) as refusal:
        parse_decay(text)
    assert "gauss:30" in refusal.value.advice


def test_decays_are_written_as_people_write_them():
    assert APL.text == "pas:10=1,15=2/3,20=1/3"
    assert parse_decay(" pas:10=1, 15=0.660, 22.5=33/100 ").text == "pas:10=1,15=0.66,22.5=0.33"
