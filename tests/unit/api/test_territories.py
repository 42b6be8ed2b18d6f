"""Territories over HTTP."""

from __future__ import annotations

import pytest
from shapely.geometry import shape

from api.schemas import TerritoryAnswer, TerritoryCollection
from geo.territory.model import TerritoryKind
from tests.support.serving import serving
from tests.support.world import TERRITORY, site, snapshot


@pytest.fixture(scope="module")
def client():
    west = site("ouest", 5, frais_a_charge=("Payant",))
    with serving(snapshot(west, site("est", 35, code_insee="99004"))) as client:
        yield client


@pytest.mark.parametrize("kind", list(TerritoryKind))
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
