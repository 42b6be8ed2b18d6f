"""An answer to « where next? » as JSON values."""

from __future__ import annotations

from geo.coverage.measure import Question
from geo.coverage.where_next import Candidate, Model, SitingQuestion, where_next
from geo.services.siting import plan_to_dict
from tests.support.world import at, site
from tests.unit.geo.coverage.test_measure import frame


def test_a_plan_names_its_bound_and_each_place_it_opens():
    context = frame(site("a", 5))
    east = Candidate("Est", at(35).x, at(35).y, "99004")
    asked = SitingQuestion(Question(), Model("maximal_coverage"), p=1, candidates=(east,))
    answer = plan_to_dict(context, where_next(context, asked))
    assert answer["status"] == "optimal"
    assert answer["bound"] == answer["objective"] == answer["greedy_objective"]
    (opened,) = answer["sites"]
    assert (opened["rank"], opened["name"], opened["commune"]) == (1, "Est", "99004")
    assert (opened["longitude"], opened["latitude"]) == (round(at(35).x, 6), round(at(35).y, 6))
    assert opened["people_gained"] == 4_000
