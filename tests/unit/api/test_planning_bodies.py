"""Bodies of planning requests, as the questions they stand for."""

from __future__ import annotations

from api.planning_bodies import CandidateBody
from geo.coverage.where_next import Candidate


def test_a_candidate_keeps_its_place_and_its_name_on_one_line():
    body = CandidateBody.model_construct(name=" Maison  des\nservices ", longitude=0.62, latitude=44.2)
    assert body.candidate() == Candidate("Maison des services", 0.62, 44.2)
