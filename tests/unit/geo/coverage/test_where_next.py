"""Where to open, asked of a country one can count by hand: 45 km/h in a straight line."""

from __future__ import annotations

import pytest

from geo.coverage.measure import Question
from geo.coverage.where_next import Candidate, Model, SitingQuestion, town_halls, where_next
from geo.errors import ImpossibleQuestion
from tests.support.world import TERRITORY, at, site
from tests.unit.geo.coverage.test_measure import frame


def candidate(name, x_km):
    return Candidate(name, at(x_km).x, at(x_km).y)


def siting(model, **asked):
    return SitingQuestion(Question(), Model(model), **asked)


def names(sited):
    return [o.candidate.name for o in sited.opened]


def test_one_more_site_goes_where_most_people_are_out_of_reach():
    # The site at 5 km serves Ouestville and Deux-Étangs (13 min); Estbourg, 40 min away, lacks one.
    sited = where_next(frame(site("a", 5)), siting("maximal_coverage", p=1))
    # Of the two town halls within 20 minutes of Estbourg, either will do.
    assert set(names(sited)) <= {"Estbourg", "Désert-le-Vide"}
    assert (sited.opened[0].people_gained, sited.served_before, sited.people) == (4_000, 3_000, 7_000)
    assert sited.plan.status == "optimal" and sited.out_of_reach == 0


def test_the_median_site_stands_among_most_people():
    sited = where_next(frame(), siting("p_median", p=1))
    assert names(sited) == ["Estbourg"]
    # 120 minutes for all before; then 40 for 1 000, 26 min 40 s for 2 000, none for 4 000.
    after = (1_000 * 40 + 2_000 * 80 / 3) / 7_000
    assert sited.opened[0].minutes_saved == pytest.approx(120 - after, rel=1e-3)


def test_the_fewest_sites_for_all():
    sited = where_next(frame(), siting("set_cover", within_min=14))
    assert len(sited.opened) == 2
    assert sited.opened[-1].people_cumulated == 7_000


def test_people_nobody_can_serve_are_told():
    sited = where_next(frame(), siting("set_cover", within_min=5, candidates=(candidate("Ouest", 5),)))
    assert (names(sited), sited.out_of_reach) == (["Ouest"], 6_000)


def test_a_bus_makes_a_week_of_stops():
    asked = siting(
        "tour", within_min=5, half_days=("mardi matin", "mardi après-midi", "jeudi matin"), base="99004"
    )
    sited = where_next(frame(site("a", 35, "99004")), asked)
    assert {stop.candidate.name for stop in sited.tour} == {"Ouestville", "Deux-Étangs"}
    # Both on one day: 30 km there, 10 on, 20 back are 80 minutes; on two days they would be 120… and 26.
    assert sum(stop.driving_min for stop in sited.tour) == pytest.approx(80, rel=1e-3)
    assert {stop.half_day.split()[0] for stop in sited.tour} == {"mardi"}
    assert sum(stop.people_gained for stop in sited.tour) == 3_000


def test_every_step_is_reported_in_order():
    told = []
    where_next(
        frame(site("a", 5)), siting("maximal_coverage"), lambda share, doing: told.append((share, doing))
    )
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert all(0 <= share <= 1 and doing for share, doing in told)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (siting("maximal_coverage", candidates=(candidate("x", 5),) * 1_001), "c'est trop"),
        (siting("tour", half_days=("lundi matin",), base="33063"), "pas une commune du territoire"),
        (siting("tour", half_days=("lundi midi",), base="99001"), "n'est pas une demi-journée"),
        (siting("tour", base="99001"), "demi-journée"),
        (siting("maximal_coverage", p=9), "9"),
    ],
)
def test_what_cannot_be_answered_is_refused(asked, says):
    with pytest.raises(ImpossibleQuestion, match=says):
        where_next(frame(), asked)


def test_town_halls_are_candidates_by_default():
    assert [c.commune for c in town_halls(TERRITORY)] == ["99001", "99002", "99003", "99004"]
