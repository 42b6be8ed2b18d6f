"""Territories and coverage over HTTP."""

from __future__ import annotations

import pytest
from shapely.geometry import shape

from api.schemas import CoverageAnswer, CoverageCollection, TerritoryAnswer, TerritoryCollection
from geo.coverage.access import access
from geo.territory.model import Kind
from tests.serving import serving
from tests.world import TERRITORY, site, snapshot


@pytest.fixture(scope="module")
def client():
    west = site("ouest", 5, frais_a_charge=("Payant",))
    with serving(snapshot(west, site("est", 35, code_insee="99004"))) as client:
        yield client


@pytest.mark.parametrize("kind", list(Kind))
def test_territories_of_a_kind_are_listed_by_code(client, kind):
    answer = client.get(f"/api/v1/territories?kind={kind}").json()
    TerritoryCollection.model_validate(answer)
    assert [f["id"] for f in answer["features"]] == [g.code for g in TERRITORY.groupings_of(kind)]
    assert all(f["geometry"] is None for f in answer["features"])


def test_boundaries_go_out_when_asked_and_to_a_decimetre(client):
    answer = client.get("/api/v1/territories?geometry=true").json()
    TerritoryCollection.model_validate(answer)
    drawn = shape(answer["features"][0]["geometry"])
    assert drawn.geoms[0].exterior.is_ccw
    assert drawn.hausdorff_distance(TERRITORY.communes[0].boundary) < 1e-6


def test_a_territory_is_found_by_its_code(client):
    answer = client.get("/api/v1/territories/99002").json()
    TerritoryAnswer.model_validate(answer)
    assert answer["properties"]["name"] == "Deux-Étangs"
    assert answer["properties"]["epci"] == "200000001"
    assert client.get("/api/v1/territories/99002?geometry=false").json()["geometry"] is None


def test_a_kind_tells_apart_what_bears_one_code(client):
    whole = client.get("/api/v1/territories/99?kind=departement").json()["properties"]
    assert (whole["population"], len(whole["communes"])) == (7_000, 4)
    body = client.get("/api/v1/territories/200000002").json()["properties"]
    assert (body["kind"], body["partial"]) == ("epci", True)


def test_coverage_counts_by_hand(client):
    answer = client.get("/api/v1/coverage").json()
    CoverageAnswer.model_validate(answer)
    rows = {t["code"]: t for t in answer["territories"]}
    assert rows["99001"]["nearest_distance_m"] == 0
    assert rows["99002"]["nearest_distance_m"] == 13_000
    # 2 000 people, 13 km away, 8 km beyond the first five: 16 000
    assert (rows["99002"]["gap_person_km"], rows["99002"]["gap_rank"]) == (16_000, 1)
    assert rows["99004"]["sites_per_10k"] == 2.5
    assert [s["within_m"] for s in rows["99002"]["share_within"]] == [5_000, 10_000, 15_000]
    assert [s["share"] for s in rows["99002"]["share_within"]] == [0, 0, 1]


def test_coverage_of_some_sites_by_other_thresholds(client):
    path = "/api/v1/coverage?kind=departement&frais_a_charge=Payant&thresholds_m=14000&gap_beyond_m=0"
    answer = client.get(path).json()
    assert answer["parameters"]["filters"] == {"frais_a_charge": ["Payant"]}
    (whole,) = answer["territories"]
    assert whole["share_within"] == [{"within_m": 14_000, "share": 0.4286}]  # 3 000 of 7 000
    assert whole["site_count"] == 1


@pytest.mark.parametrize(
    ("query", "accept"), [("?format=geojson", "*/*"), ("", "application/geo+json, application/json;q=0.5")]
)
def test_coverage_is_drawn_when_asked(client, query, accept):
    answer = client.get(f"/api/v1/coverage{query}", headers={"Accept": accept})
    assert answer.headers["content-type"] == "application/geo+json"
    assert "accept" in answer.headers["vary"].lower()
    CoverageCollection.model_validate(answer.json())
    assert len(answer.json()["features"]) == 4


def test_the_two_forms_of_coverage_have_different_validators(client):
    tag = client.get("/api/v1/coverage").headers["etag"]
    accept = {"Accept": "application/geo+json", "If-None-Match": tag}
    assert client.get("/api/v1/coverage", headers=accept).status_code == 200


def test_a_coverage_is_computed_once_for_a_snapshot(monkeypatch):
    calls = []

    def counted(*asked):
        calls.append(asked)
        return access(*asked)

    monkeypatch.setattr("api.served.access", counted)
    with serving(snapshot(site("a", 5))) as client:
        for query in ("", "?format=geojson", "?kind=commune", "?kind=epci", "?kind=epci"):
            assert client.get(f"/api/v1/coverage{query}").status_code == 200
    assert len(calls) == 2
