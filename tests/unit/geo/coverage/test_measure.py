"""Coverage in a country one can count by hand: without roads, 45 km/h in a straight line."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.compare import compare
from geo.coverage.gaps import gaps_of_communes, gaps_of_places, question_text
from geo.coverage.measure import CAP_MIN, STALE_AFTER, Question, Supply, measure, nearest_for_most
from geo.hours.weekly import parse_slot
from geo.people.model import Indicator, People
from geo.reach.modes import Mode
from geo.reach.travel import Travel
from geo.sites.filters import SiteFilter
from geo.sites.model import Position
from geo.territory.model import Provenance, TerritoryKind
from geo.wording import figures
from tests.support.world import ORIGIN_X, ORIGIN_Y, site, snapshot

TODAY = date(2026, 3, 9)
KM_MIN = 60 / 45
"""Minutes a kilometre takes by car."""
GRATUIT = SiteFilter.of({"frais_a_charge": ["Gratuit"]})
PASS = SiteFilter.of({"pass_numerique": ["true"]})


def frame(*sites, **changes):
    return AnalysisContext(replace(snapshot(*sites), **changes), Travel(None, detour_factor=1.0), TODAY)


def ask(*sites, kind=TerritoryKind.COMMUNE, question=None, **parameters):
    coverage = measure(frame(*sites), question or Question(**parameters))
    return {row.code: row for row in coverage.by_territory(kind)}


def cells(*rows):
    """A grid: (x km, commune, inhabitants, aged 65) each."""
    return People(
        commune=np.array([r[1] for r in rows]),
        xy=np.array([(ORIGIN_X + r[0] * 1_000, ORIGIN_Y + 5_000) for r in rows]),
        inhabitants=np.array([r[2] for r in rows], dtype=float),
        aged_65=np.array([r[3] for r in rows], dtype=float),
        cell_m=1_000,
        label="carreaux d'essai",
    )


def test_times_shares_and_gaps_are_counted_by_hand():
    found = ask(site("a", 5), minutes=(5, 14, 30), beyond_min=20)
    assert found["99001"].median_min == pytest.approx(0, abs=1e-3)
    assert found["99002"].median_min == pytest.approx(10 * KM_MIN, rel=1e-4)
    assert found["99002"].share_within == (0, 1, 1)
    # 30 km is 40 minutes: 20 more than the threshold, for 4 000 people.
    assert found["99004"].gap == pytest.approx(4_000 * 20, rel=1e-4)
    assert found["99004"].people_beyond == 4_000
    assert [found[c].gap_rank for c in ("99001", "99002", "99003", "99004")] == [None, None, None, 1]


def test_a_commune_without_people_has_a_time_but_no_share_and_no_gap():
    empty = ask(site("a", 5))["99003"]
    assert empty.median_min == pytest.approx(20 * KM_MIN, rel=1e-4)
    assert set(empty.share_within) == {None}
    assert (empty.people, empty.people_beyond, empty.gap) == (0, 0, 0)


def test_no_site_at_all_leaves_everyone_out_of_reach():
    coverage = measure(frame(), Question())
    whole = coverage.by_territory(TerritoryKind.DEPARTEMENT)[0]
    assert (coverage.seconds == inf).all() and (coverage.nearest == -1).all()
    assert (whole.people_beyond, whole.nearest_site_id, whole.median_min) == (7_000, None, None)
    assert set(whole.share_within) == {0}
    assert (whole.supply, whole.open_hours) == (0, 0)
    assert whole.gap == 7_000 * (CAP_MIN - 20)
    assert coverage.lorenz() is None
    assert "Aucun lieu d'aide numérique ne peut être atteint" in gaps_of_communes(coverage)[0].sentence


def test_a_site_across_the_border_serves_but_is_not_counted():
    found = ask(site("x", 41, "96001"))
    assert found["99004"].median_min == pytest.approx(6 * KM_MIN, rel=1e-4)
    assert sum(r.site_count for r in found.values()) == 0


def test_groupings_sum_to_the_whole():
    coverage = measure(frame(site("a", 5), site("b", 33, "99004")), Question())
    for name in ("people", "people_beyond", "gap", "site_count", "population"):
        sums = {kind: sum(getattr(r, name) for r in coverage.by_territory(kind)) for kind in TerritoryKind}
        assert len({round(total, 6) for total in sums.values()}) == 1, name


def test_a_slot_counts_only_sites_known_to_be_open():
    sites = (
        site("week", 5, horaires="Mo-Fr 09:00-17:00"),
        site("unknown", 15, "99002", horaires="quand on veut"),
        site("saturday", 35, "99004", horaires="Sa 09:00-12:00"),
    )
    coverage = measure(frame(*sites), Question(slot=parse_slot("samedi")))
    by_code = {r.code: r for r in coverage.by_territory(TerritoryKind.COMMUNE)}
    assert by_code["99002"].nearest_site_id == "essai--saturday"
    sure = coverage.uncertainty
    assert (sure.sites, sure.hours_unknown) == (3, 1)
    assert sure.share == pytest.approx(4_000 / 7_000)
    assert sure.share_if_unknown_open == 1
    gap = {g.commune: g for g in gaps_of_communes(coverage)}["99001"]
    assert gap.missing == ("n'est pas ouvert le samedi",)
    assert gap.sentence == (
        "Ouestville : 1\u202f000 personnes à plus de 20\u00a0min en voiture d'un lieu qui convient. "
        "Le plus proche, « Lieu saturday » (Estbourg), est à 40\u00a0min. "
        "« Lieu week », à moins d'une minute, n'est pas ouvert le samedi."
    )


def test_unsuitable_sites_are_named_with_what_they_lack():
    sites = (
        site("near", 35, "99004", pass_numerique=None, frais_a_charge=()),
        site("far", 5, pass_numerique=True),
    )
    conditions = SiteFilter.of({"pass_numerique": ["true"], "frais_a_charge": ["Gratuit"]})
    (gap,) = gaps_of_communes(measure(frame(*sites), Question(filter=conditions)))
    assert gap.commune == "99004"
    assert gap.missing == ("n'est pas annoncé « Gratuit »", "ne dit pas s'il accepte le Pass numérique")
    assert (gap.unsuitable_site_id, gap.nearest_site_id) == ("essai--near", "essai--far")


def test_there_is_no_gap_where_everyone_is_served():
    coverage = measure(frame(site("a", 5)), Question(beyond_min=120))
    assert gaps_of_communes(coverage) == gaps_of_places(coverage) == ()


def test_doubtful_records_are_counted_and_left_out():
    sites = (
        site("old", 5, date_maj=date(2024, 1, 1)),
        site("hall", 15, "99002", position=Position.APPROXIMATIVE),
        site("sure", 35, "99004"),
        site("lost", None, "99001"),
    )
    sure = measure(frame(*sites), Question(beyond_min=5)).uncertainty
    assert (sure.sites, sure.unlocated, sure.approximate, sure.stale) == (4, 1, 1, 1)
    assert sure.share == 1
    assert sure.share_without_stale == pytest.approx(6_000 / 7_000)
    assert sure.share_without_approximate == pytest.approx(5_000 / 7_000)
    assert sure.share_if_unknown_open == sure.share


def test_supply_is_shared_and_unknown_hours_offer_the_mean():
    sites = (site("a", 5, horaires="Mo-Fr 09:00-11:00"), site("b", 35, "99004", horaires="?"))
    coverage = measure(frame(*sites), Question())
    # Ten hours for the 1 000 of Ouestville and, at 13 min 20 s, two thirds of the 2 000 of Deux-Étangs.
    shared = 10 / (1_000 + 2_000 * 2 / 3) * 1_000
    by_code = {r.code: r for r in coverage.by_territory(TerritoryKind.COMMUNE)}
    assert by_code["99001"].supply == pytest.approx(shared)
    assert by_code["99002"].supply == pytest.approx(shared * 2 / 3)
    assert by_code["99004"].supply == pytest.approx(10 / 4_000 * 1_000)
    assert by_code["99001"].open_hours == 10
    by_sites = measure(frame(*sites), Question(supply=Supply.SITES))
    assert by_sites.supply[3] == pytest.approx(1 / 4_000 * 1_000)


def test_need_weighs_gaps_by_the_indicators_asked_for():
    about = Provenance("Fragilité", "Essai", "2020", "fictif")
    values = {"99001": 1.0, "99002": 1.0, "99003": 1.0, "99004": 2.5}
    fragile = Indicator("ifn", "Fragilité", "", "commune", about, values)
    mean = (1_000 + 2_000 + 4_000 * 2.5) / 7_000
    weighed = measure(frame(site("a", 5), indicators=(fragile,)), Question(weights=(("ifn", 1.0),)))
    assert weighed.gap.sum() == pytest.approx(4_000 * 2.5 / mean * 20, rel=1e-4)
    assert weighed.people.sum() == 7_000


def test_people_are_counted_in_cells_where_there_is_a_grid():
    grid = cells(
        (2, "99001", 600, 200), (8, "99001", 300, 30), (12, "99002", 2_000, 500), (36, "99004", 4_000, 1_000)
    )
    coverage = measure(frame(site("a", 5), grid=grid), Question(minutes=(4, 45), population="65"))
    by_code = {r.code: r for r in coverage.by_territory(TerritoryKind.COMMUNE)}
    assert by_code["99001"].people == 230
    assert by_code["99001"].share_within == (1, 1)  # 3 km is 4 minutes
    assert by_code["99003"].median_min == pytest.approx(20 * KM_MIN, rel=1e-4)  # its town hall stands in
    (worst,) = gaps_of_places(coverage, limit=1)
    assert (worst.commune, worst.people) == ("99004", 1_000)


class TestCompare:
    def test_who_gains_and_who_loses(self):
        before = measure(frame(site("a", 5)), Question())
        after = measure(frame(site("b", 35, "99004")), Question())
        found = {c.code: c for c in compare(before, after, TerritoryKind.COMMUNE)}
        assert (found["99001"].losing, found["99001"].farther) == (1_000, 1_000)
        assert (found["99004"].gaining, found["99004"].nearer) == (4_000, 4_000)
        assert found["99004"].minutes == pytest.approx(-40, rel=1e-4)
        assert found["99004"].gap == pytest.approx(-4_000 * 20, rel=1e-4)
        assert found["99003"].minutes is None

    def test_nothing_changes_when_nothing_changed(self):
        same = measure(frame(site("a", 5)), Question())
        for change in compare(same, measure(frame(site("a", 5)), Question()), TerritoryKind.CANTON):
            assert (change.gaining, change.losing, change.minutes, change.supply, change.gap) == (
                0,
                0,
                0,
                0,
                0,
            )

    def test_two_questions_are_not_compared(self):
        one = frame(site("a", 5))
        with pytest.raises(ValueError, match="same question"):
            compare(measure(one, Question()), measure(one, Question(mode=Mode.FOOT)), TerritoryKind.EPCI)


places = st.lists(
    st.tuples(st.integers(0, 39), st.sampled_from(["99001", "99002"]), st.integers(0, 500), st.just(0)),
    min_size=1,
    max_size=12,
)
kilometres = st.lists(st.integers(0, 45), max_size=5)


@settings(max_examples=60, deadline=None)
@given(places, kilometres, st.integers(0, 45))
def test_one_more_site_never_lengthens_a_time_and_shares_grow_with_thresholds(grid, sites, more):
    some = [site(f"s{i}", x) for i, x in enumerate(sites)]
    question = Question(minutes=(1, 5, 10, 20, 40, 60))
    before = measure(frame(*some, grid=cells(*grid)), question)
    after = measure(frame(*some, site("more", more), grid=cells(*grid)), question)
    assert (after.seconds <= before.seconds).all()
    for row in (*before.by_territory(TerritoryKind.COMMUNE), *after.by_territory(TerritoryKind.DEPARTEMENT)):
        shares = [s for s in row.share_within if s is not None]
        assert shares == sorted(shares) and all(0 <= s <= 1 for s in shares)


@pytest.mark.parametrize(
    ("people", "words"), [(0.2, "moins d'une personne"), (1.2, "1 personne"), (1240, "1\u202f240 personnes")]
)
def test_numbers_of_people_are_formatted_in_french(people, words):
    assert figures.people(people) == words


def test_the_question_is_described_in_french():
    question = Question(mode=Mode.FOOT, filter=PASS, slot=parse_slot("soir"), population="65")
    grid = cells((2, "99001", 600, 200))
    said = question_text(measure(frame(grid=grid), question)).split(" · ")
    assert said[:2] == ["à pied", "Pass numérique accepté"]
    assert said[2:] == ["ouvert le soir en semaine (à 18 h ou après)", "personnes de 65 ans ou plus"]


# --- Ties, limits met exactly, and second clauses -----------------------------------------------------


def test_the_nearest_site_is_that_of_most_people_not_of_most_places():
    """Two places of few people are nearer to one site, one of many to the other."""
    grid = cells((1, "99001", 10, 0), (2, "99001", 10, 0), (9, "99001", 500, 0))
    coverage = measure(frame(site("west", 1), site("east", 9.5), grid=grid), Question(beyond_min=1))
    by_code = {r.code: r for r in coverage.by_territory(TerritoryKind.COMMUNE)}
    assert by_code["99001"].nearest_site_id == "essai--east"
    far = frame(site("west", 1), site("east", 19.5), grid=grid)
    gap = {g.commune: g for g in gaps_of_communes(measure(far, Question(beyond_min=2)))}["99001"]
    assert gap.nearest_site_id == "essai--west"
    assert nearest_for_most(np.array([3, 3, 5, -1]), np.array([10.0, 10.0, 500.0, 900.0])) == 5
    assert nearest_for_most(np.array([7, 2]), np.array([4.0, 4.0])) == 2
    assert nearest_for_most(np.array([-1]), np.array([4.0])) is None


def test_site_count_counts_the_sites_known_to_be_open_at_the_slot():
    sites = (
        site("week", 5, horaires="Mo-Fr 09:00-17:00"),
        site("saturday", 6, horaires="Sa 09:00-12:00"),
        site("unknown", 7, horaires=""),
        site("lost", None, horaires="Sa 09:00-12:00"),
    )
    assert ask(*sites)["99001"].site_count == 4
    assert ask(*sites, slot=parse_slot("samedi"))["99001"].site_count == 2


def test_equal_gaps_share_the_best_rank_and_the_next_one_counts_them():
    grid = cells((5, "99001", 100, 0), (15, "99002", 100, 0), (25, "99003", 50, 0), (35, "99004", 0, 0))
    coverage = measure(frame(grid=grid), Question())
    ranks = {r.code: r.gap_rank for r in coverage.by_territory(TerritoryKind.COMMUNE)}
    assert ranks == {"99001": 1, "99002": 1, "99003": 3, "99004": None}
    assert [g.commune for g in gaps_of_communes(coverage)] == ["99001", "99002", "99003"]


@pytest.mark.parametrize(("age", "stale"), [(STALE_AFTER, 0), (STALE_AFTER + timedelta(days=1), 1)])
def test_a_record_checked_on_the_very_day_of_the_limit_is_not_stale(age, stale):
    sites = (site("a", 5, date_maj=TODAY - age), site("b", 35, "99004", date_maj=TODAY))
    assert measure(frame(*sites), Question()).uncertainty.stale == stale
    assert measure(frame(site("a", 5, date_maj=None)), Question()).uncertainty.stale == 1


def test_people_exactly_at_the_threshold_are_within_it():
    """15 km in a straight line is 20 minutes exactly."""
    context = frame(site("a", 5))
    context.times(Mode.CAR)
    context._times[Mode.CAR] = np.array([[0, 1_200, 1_200.5, 1_500]], dtype=np.float32)
    coverage = measure(context, Question(minutes=(20,), beyond_min=20))
    assert coverage.beyond.tolist() == [False, False, True, True]
    by_code = {r.code: r for r in coverage.by_territory(TerritoryKind.COMMUNE)}
    assert [by_code[c].share_within[0] for c in ("99001", "99002", "99004")] == [1, 1, 0]
    assert (by_code["99002"].people_beyond, by_code["99002"].gap) == (0, 0)
    assert coverage.uncertainty.share == pytest.approx(3_000 / 7_000)
    assert [g.commune for g in gaps_of_communes(coverage)] == ["99004"]


@pytest.mark.parametrize(("seconds", "found"), [(1_200.0, "essai--near"), (1_200.5, None)])
def test_an_unsuitable_site_exactly_at_the_threshold_is_named(seconds, found):
    context = frame(site("near", 30, "99004", frais_a_charge=()), site("suits", 5))
    context.times(Mode.CAR)
    rows = {s.id: r for r, s in enumerate(context.snapshot.sites)}
    times = np.full((2, 4), 60, dtype=np.float32)
    times[:, 3] = 2_400
    times[rows["essai--near"], 3] = seconds
    context._times[Mode.CAR] = times
    (gap,) = gaps_of_communes(measure(context, Question(filter=GRATUIT)))
    assert gap.unsuitable_site_id == found
    assert gap.unsuitable_min == (20 if found else None)


def test_hours_within_the_threshold_include_a_site_exactly_at_it():
    context = frame(site("a", 5, horaires="Mo-Fr 09:00-11:00"))
    context.times(Mode.CAR)
    context._times[Mode.CAR] = np.array([[0, 1_200, 1_200.5, 1_500]], dtype=np.float32)
    assert measure(context, Question()).open_hours.tolist() == [10, 10, 0, 0]
