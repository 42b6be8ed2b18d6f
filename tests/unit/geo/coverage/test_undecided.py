"""What undecided questions change: bounds of counts and of supply, over all levels."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.export import territories_table, undecided_sentences
from geo.coverage.measure import Question, Supply, measure
from geo.coverage.undecided import SiteRange, least_offered, site_range
from geo.reach.travel import Travel
from geo.services.coverage import territory_to_dict
from geo.territory.model import TerritoryKind
from tests.support.world import site, snapshot

NAMES = "abcdef"


@pytest.mark.parametrize(
    ("sites", "questions", "low", "asked"),
    [
        ("abc", [], 3, 0),
        ("abc", ["ab"], 2, 1),
        ("abc", ["ab", "bc"], 1, 2),
        ("abc", ["ab", "ab"[::-1]], 2, 2),
        ("abcd", ["ab", "cd"], 2, 2),
        ("abcd", ["ab", "bc", "ca"], 2, 3),
        ("ac", ["ab", "bc"], 2, 0),
        ("abx", ["bz", "az"], 3, 0),
        ("", ["ab"], 0, 0),
    ],
)
def test_sites_joined_by_questions_count_once_in_the_lower_bound(sites, questions, low, asked):
    found = site_range(list(sites), [(q[0], q[1]) for q in questions])
    assert found == SiteRange(low, len(sites), asked)
    assert found.certain == (low == len(sites))


@given(st.sets(st.sampled_from(NAMES)), st.lists(st.tuples(*[st.sampled_from(NAMES)] * 2), max_size=8))
def test_the_lower_bound_lies_between_one_and_the_upper_and_falls_with_each_question(sites, questions):
    questions = [(a, b) for a, b in questions if a != b]
    found = site_range(sites, questions)
    assert min(1, len(sites)) <= found.low <= found.high == len(sites)
    assert found.low >= found.high - found.questions
    if questions:
        assert site_range(sites, questions[1:]).low >= found.low
    offered = np.arange(1.0, len(sites) + 1)
    least = least_offered(offered, sorted(sites), questions)
    assert (least > 0).sum() == found.low
    assert (least <= offered).all()
    assert least.max(initial=0.0) == offered.max(initial=0.0)


def test_the_larger_supply_of_one_place_is_kept_and_never_added():
    offered = np.array([3.0, 8.0, 5.0, 2.0])
    assert least_offered(offered, "abcd", [("a", "b"), ("b", "d")]).tolist() == [0, 8, 5, 0]
    assert least_offered(np.ones(2), "ab", [("a", "b")]).tolist() == [1, 0]
    assert offered.tolist() == [3, 8, 5, 2], "the input is left as it was"


def test_a_range_is_written_in_french():
    assert SiteRange(501, 524, 23).sentence == "524 lieux, entre 501 et 524 selon 23 questions à trancher"
    assert SiteRange(1, 2, 1).sentence == "2 lieux, entre 1 et 2 selon 1 question à trancher"
    assert SiteRange(1234, 1235, 1).between == "entre 1\u202f234 et 1\u202f235 selon 1 question à trancher"
    assert (SiteRange(5, 5, 0).sentence, SiteRange(5, 5, 0).between) == ("5 lieux", "")


COUNTRY = replace(
    snapshot(
        site("a", 5, horaires="Mo 09:00-12:00"),
        site("b", 5.1, horaires="Mo-Tu 09:00-12:00"),
        site("c", 15, "99002", horaires="Mo 09:00-12:00"),
        site("d", 35, "99004", horaires="Mo 09:00-12:00"),
        site("e", 45, "96001", horaires="Mo 09:00-12:00"),
    ),
    questions=(("essai--a", "essai--b"), ("essai--d", "essai--e"), ("essai--a", "essai--shut")),
)


def measured(country=COUNTRY, **question):
    frame = AnalysisContext(country, Travel(None, detour_factor=1.3), date(2026, 11, 23))
    return measure(frame, Question(**question))


def test_every_level_has_its_range_and_sites_across_the_border_do_not_join_its_own():
    coverage = measured()
    assert coverage.site_range == SiteRange(3, 5, 2)
    communes = {row.code: row.site_range for row in coverage.by_territory(TerritoryKind.COMMUNE)}
    assert communes["99001"] == SiteRange(1, 2, 1)
    assert communes["99004"] == SiteRange(1, 1, 0)
    (whole,) = coverage.by_territory(TerritoryKind.DEPARTEMENT)
    assert (whole.site_count, whole.site_range) == (4, SiteRange(3, 4, 1))
    assert territory_to_dict(whole, coverage.question)["site_count_low"] == 3
    (row,) = territories_table(coverage, TerritoryKind.DEPARTEMENT)
    assert (row["site_count_low"], row["site_count"]) == (3, 4)


@pytest.mark.parametrize("supply", list(Supply))
def test_the_supply_is_that_of_the_larger_of_two_sites_that_are_one_place(supply):
    coverage = measured(supply=supply)
    alone = measured(
        replace(COUNTRY, sites=tuple(s for s in COUNTRY.sites if s.id[-1] not in "ae"), questions=()),
        supply=supply,
    )
    west = np.array([0, 1])
    np.testing.assert_allclose(coverage.supply_low[west], alone.supply[west], rtol=0.01)
    assert (coverage.supply_low <= coverage.supply).all()
    (whole,) = coverage.by_territory(TerritoryKind.DEPARTEMENT)
    assert whole.supply_low < whole.supply
    assert any("L'offre moyenne est entre" in sentence for sentence in undecided_sentences(coverage))


def test_without_questions_nothing_is_a_range():
    coverage = measured(replace(COUNTRY, questions=()))
    assert coverage.supply_low is coverage.supply
    assert undecided_sentences(coverage) == []
    (whole,) = coverage.by_territory(TerritoryKind.DEPARTEMENT)
    assert whole.site_range.certain and whole.supply_low == whole.supply
