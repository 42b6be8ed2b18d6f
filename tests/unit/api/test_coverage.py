"""Coverage, gaps and isochrones over HTTP, in a country one can count by hand."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import openpyxl
import pytest
from shapely.geometry import shape

from api.coverage_schemas import (
    CoverageAnswer,
    CoverageCollection,
    GapCollection,
    GapsAnswer,
    IsochroneCollection,
)
from api.schemas import NearbyCollection
from geo.coverage import measure
from geo.hours.weekly import TIME_ZONE
from geo.people.model import Indicator
from geo.reach.graph import RoadGraph
from geo.reach.graph_files import checksum, roads_folder, write_graph
from geo.reach.modes import Mode
from geo.territory.model import Provenance, TerritoryKind
from tests.support.roads import grid, road_graph
from tests.support.serving import HandKeeper, serving
from tests.support.world import at, site, snapshot

TODAY = datetime(2026, 3, 10, 10, 30, tzinfo=TIME_ZONE)
"""A Tuesday."""
KM_MIN = 1.3 * 60 / 45
"""Minutes a kilometre takes by car without roads."""
FRAGILE = Indicator(
    code="ifn",
    name="Fragilité numérique",
    unit="",
    level="commune",
    provenance=Provenance("Fragilité", "Essai", "2020", "fictif"),
    values={"99001": 1.0, "99002": 1.0, "99004": 2.5},
)
WEST = site("ouest", 5, frais_a_charge=("Payant",), horaires="Tu 09:00-12:00")
EAST = site("est", 35, code_insee="99004", horaires="Sa 09:00-12:00")
SITES = (WEST, EAST)


def set_clock(client, moment):
    client.app.state.service.current().view.clock = lambda: moment


@pytest.fixture(scope="module")
def client():
    with serving(replace(snapshot(*SITES), indicators=(FRAGILE,))) as client:
        set_clock(client, TODAY)
        yield client


def rows_of(client, query=""):
    answer = client.get(f"/api/v1/coverage{query}")
    assert answer.status_code == 200, answer.text
    CoverageAnswer.model_validate(answer.json())
    return {t["code"]: t for t in answer.json()["territories"]}


class TestCoverage:
    def test_counts_by_hand(self, client):
        rows = rows_of(client, "?minutes=10,18,45&beyond_min=10")
        middle = rows["99002"]  # 10 km from the nearest site
        assert middle["median_min"] == pytest.approx(10 * KM_MIN, abs=0.06)
        assert middle["nearest_site_id"] == "essai--ouest"
        assert middle["share_within"] == [
            {"within_min": 10, "share": 0, "people": 0},
            {"within_min": 18, "share": 1, "people": 2_000},
            {"within_min": 45, "share": 1, "people": 2_000},
        ]
        assert middle["people_beyond"] == 2_000
        assert middle["gap"] == pytest.approx(2_000 * (10 * KM_MIN - 10), rel=1e-4)
        assert (middle["gap_rank"], rows["99001"]["gap_rank"]) == (1, None)
        assert [rows[c]["site_count"] for c in ("99001", "99002", "99003", "99004")] == [1, 0, 0, 1]
        assert rows["99001"]["open_hours"] == 3

    def test_tells_the_question_as_it_was_understood(self, client):
        query = "?frais_a_charge=payant&slot=mardi+10h30&minutes=30,5&weights=ifn:0.5&kind=departement"
        answer = client.get(f"/api/v1/coverage{query}").json()
        told = answer["question"]
        assert told["sentence"] == "en voiture · Payant · ouvert le mardi à 10 h 30"
        assert told["parameters"] == {
            "mode": "car",
            "slot": "mardi 10:30",
            "minutes": [5, 30],
            "beyond_min": 20,
            "population": "all",
            "weights": "ifn:0.5",
            "supply": "hours",
            "decay": "pas:10=1,15=2/3,20=1/3",
            "frais_a_charge": ["Payant"],
        }
        assert answer["weights"] == [
            {
                "code": "ifn",
                "name": "Fragilité numérique",
                "weight": 0.5,
                "producer": "Essai",
                "vintage": "2020",
                "communes_untold": 1,
            }
        ]
        assert answer["territories"][0]["site_count"] == 1

    def test_says_how_it_is_had_and_from_what(self, client):
        answer = client.get("/api/v1/coverage").json()
        assert answer["meta"]["method"] == {
            "code": "straight_line",
            "label": "estimation à vol d'oiseau",
            "detour_factor": 1.3,
            "speed_kmh": {"car": 45, "bicycle": 15, "foot": 4.5},
            "roads": None,
        }
        assert answer["people"]["label"] == "habitants comptés à la mairie"
        assert answer["people"]["count"] == 7_000
        assert answer["supply_unit"] == "heures d'ouverture par semaine pour 1 000 habitants"
        assert answer["far_from_road"] == {"beyond_m": 1_000, "places": 0, "people": 0}

    def test_says_how_sure_it_is(self):
        doubtful = site("perdu", None)
        old = replace(WEST, date_maj=None)
        with serving(snapshot(old, EAST, doubtful)) as client:
            set_clock(client, TODAY)
            answer = client.get("/api/v1/coverage").json()
        sure = answer["uncertainty"]
        assert (sure["sites"], sure["unlocated"], sure["stale"], sure["hours_unknown"]) == (3, 1, 1, 1)
        assert (sure["share"], sure["share_without_stale"]) == (1, pytest.approx(4 / 7, abs=1e-4))
        assert answer["unlocated"] == 1
        assert any("sans position" in sentence for sentence in sure["sentences"])

    def test_says_how_even_it_is(self, client):
        even = client.get("/api/v1/coverage?supply=sites&minutes=10,20").json()["equity"]
        assert [c["people"] for c in even["by_time"]] == [5_000, 2_000, 0, 0]
        assert even["worst_tenth_min"] == pytest.approx(10 * KM_MIN, abs=0.06)
        curve = even["lorenz"]
        assert len(curve) <= 100
        assert (curve[0], curve[-1]) == ([0, 0], [1, 1])
        assert all(low[1] <= high[1] <= high[0] for low, high in pairwise(curve))
        # The Gini is twice what lies between the curve and the diagonal.
        area = sum((b[0] - a[0]) * (a[1] + b[1]) for a, b in pairwise(curve))
        assert even["gini"] == pytest.approx(1 - area, abs=0.01)

    def test_no_site_at_all_is_a_defined_answer(self):
        with serving(snapshot()) as client:
            answer = client.get("/api/v1/coverage")
            CoverageAnswer.model_validate(answer.json())
            assert answer.json()["equity"]["worst_tenth_min"] is None
            assert answer.json()["equity"]["lorenz"] == []
            assert {t["median_min"] for t in answer.json()["territories"]} == {None}

    @pytest.mark.parametrize("kind", list(TerritoryKind))
    def test_groupings_sum_to_the_whole(self, client, kind):
        rows = rows_of(client, f"?kind={kind}&beyond_min=10").values()
        assert sum(t["people"] for t in rows) == 7_000
        assert sum(t["people_beyond"] for t in rows) == 2_000

    @pytest.mark.parametrize(
        ("query", "accept"), [("?format=geojson", "*/*"), ("", "application/geo+json, */*;q=0.5")]
    )
    def test_is_drawn_when_asked(self, client, query, accept):
        answer = client.get(f"/api/v1/coverage{query}", headers={"Accept": accept})
        assert answer.headers["content-type"] == "application/geo+json"
        assert "accept" in answer.headers["vary"].lower()
        CoverageCollection.model_validate(answer.json())
        drawn = [shape(f["geometry"]) for f in answer.json()["features"]]
        assert len(drawn) == 4 and all(d.geoms[0].exterior.is_ccw for d in drawn)

    def test_comes_as_files(self, client):
        told = client.get("/api/v1/coverage?format=csv&minutes=20")
        assert told.headers["content-type"].startswith("text/csv")
        assert told.headers["content-disposition"] == 'attachment; filename="couverture-commune-99.csv"'
        rows = {r["code"]: r for r in csv.DictReader(io.StringIO(told.text))}
        assert rows["99002"]["name"] == "Deux-Étangs"
        assert float(rows["99002"]["share_within_20_min"]) == 1
        book = openpyxl.load_workbook(io.BytesIO(client.get("/api/v1/coverage?format=xlsx").content))
        assert "Deux-Étangs" in [c.value for c in book.worksheets[-1]["C"]]
        file = client.get("/api/v1/coverage?format=gpkg")
        assert file.content.startswith(b"SQLite format 3\0")

    def test_each_form_has_its_own_validator(self, client):
        tags = {
            client.get(f"/api/v1/coverage?format={f}").headers["etag"] for f in ("json", "geojson", "csv")
        }
        assert len(tags) == 3
        tag = client.get("/api/v1/coverage").headers["etag"]
        accept = {"Accept": "application/geo+json", "If-None-Match": tag}
        assert client.get("/api/v1/coverage", headers=accept).status_code == 200


def test_a_question_is_computed_once_for_a_snapshot_and_a_day(monkeypatch):
    asked = []
    real = measure.measure

    def counted(frame, question):
        asked.append(question)
        return real(frame, question)

    monkeypatch.setattr("geo.services.snapshot_view.measure", counted)
    keeper = HandKeeper(snapshot(site("a", 5)))
    with serving(keeper) as client:
        set_clock(client, TODAY)
        for path in (
            *("coverage", "coverage?format=geojson", "coverage?kind=epci", "coverage?format=csv"),
            *(
                "coverage?mode=car&beyond_min=20",
                "coverage?minutes=45,5,10,15,20,30",
                "gaps",
                "gaps?level=places",
            ),
        ):
            assert client.get(f"/api/v1/{path}").status_code == 200
        assert len(asked) == 1
        client.get("/api/v1/coverage?mode=foot")
        assert len(asked) == 2
        tag = client.get("/api/v1/coverage").headers["etag"]
        set_clock(client, TODAY + timedelta(days=1))
        assert client.get("/api/v1/coverage", headers={"If-None-Match": tag}).status_code == 200
        assert len(asked) == 3
        keeper.snapshot = snapshot(site("a", 5), version=2)
        client.get("/api/v1/coverage")
        assert len(asked) == 4


def test_now_is_asked_anew_each_minute(client):
    path = "/api/v1/coverage?slot=maintenant&kind=departement"
    try:
        at_half_past = client.get(path)
        assert at_half_past.json()["territories"][0]["nearest_site_id"] == "essai--ouest"
        set_clock(client, TODAY.replace(hour=12, minute=0))
        later = client.get(path, headers={"If-None-Match": at_half_past.headers["etag"]})
        assert later.status_code == 200
        assert later.json()["territories"][0]["nearest_site_id"] is None
        near = client.get("/api/v1/sites/nearest?commune=99001&slot=maintenant").json()["features"]
        assert near == []
    finally:
        set_clock(client, TODAY)


class TestGaps:
    def test_are_ranked_and_told(self, client):
        answer = client.get("/api/v1/gaps?beyond_min=10").json()
        GapsAnswer.model_validate(answer)
        assert answer["level"] == "communes"
        (gap,) = answer["gaps"]
        assert (gap["rank"], gap["commune"], gap["people"]) == (1, "99002", 2_000)
        beginning = "Deux-Étangs : 2\u202f000 personnes à plus de 10\u00a0min en voiture"
        assert gap["sentence"].startswith(beginning)
        assert (gap["longitude"], gap["latitude"]) == pytest.approx((at(15).x, at(15).y), abs=1e-5)

    def test_say_what_the_nearest_site_lacks(self, client):
        (gap,) = client.get("/api/v1/gaps?frais_a_charge=Gratuit&limit=1").json()["gaps"]
        assert (gap["unsuitable_site_id"], gap["missing"]) == (
            "essai--ouest",
            ["n'est pas annoncé « Gratuit »"],
        )

    def test_of_places_are_drawn_and_cut(self, client):
        answer = client.get("/api/v1/gaps?level=places&slot=soir&limit=2&format=geojson")
        assert answer.headers["content-type"] == "application/geo+json"
        GapCollection.model_validate(answer.json())
        assert [f["properties"]["commune"] for f in answer.json()["features"]] == ["99004", "99002"]

    def test_come_as_csv(self, client):
        answer = client.get("/api/v1/gaps?beyond_min=10&format=csv")
        (row,) = csv.DictReader(io.StringIO(answer.text))
        assert row["sentence"].startswith("Deux-Étangs")
        assert "ecarts-communes-99.csv" in answer.headers["content-disposition"]

    def test_may_be_none(self, client):
        answer = client.get("/api/v1/gaps?beyond_min=120").json()
        GapsAnswer.model_validate(answer)
        assert answer["gaps"] == []


class TestIsochronesWithoutRoads:
    def test_are_circles_the_longest_first(self, client):
        answer = client.get("/api/v1/isochrones?site=essai--est&minutes=5,10,20").json()
        IsochroneCollection.model_validate(answer)
        assert answer["meta"]["method"]["code"] == "straight_line"
        assert answer["origin"]["site"] == "essai--est"
        told = [(f["properties"]["minutes"], f["properties"]["people"]) for f in answer["features"]]
        assert told == [(20, 4_000), (10, 4_000), (5, 4_000)]
        longest, *_ = drawn = [shape(f["geometry"]) for f in answer["features"]]
        assert all(outer.buffer(1e-4).contains(inner) for outer, inner in pairwise(drawn))
        assert longest.geoms[0].exterior.is_ccw
        radius_km = 20 / KM_MIN
        assert longest.contains(at(35 - radius_km + 0.2)) and not longest.contains(at(35 - radius_km - 0.2))


def country_roads(mode=Mode.CAR) -> RoadGraph:
    """Streets every kilometre, a minute each; a river between 9 and 10 km that only the south crosses."""
    town = grid(46, 11)
    cut = [
        (int(a), int(b), *map(float, s))
        for a, b, s in zip(town.edge_a, town.edge_b, town.seconds[Mode.CAR], strict=True)
        if not ({int(a) % 46, int(b) % 46} == {9, 10} and int(a) // 46 > 0)
    ]
    drawn = road_graph(town.node_xy, cut, modes=(mode,))
    return replace(drawn, about=replace(drawn.about, checksum=checksum(drawn)))


@pytest.fixture(scope="module")
def by_road(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    graph = country_roads()
    write_graph(graph, roads_folder(home))
    sites = (site("rive", 11, "99002"), site("loin", 1), site("est", 35, "99004", frais_a_charge=("Payant",)))
    with serving(replace(snapshot(*sites), roads=graph.about), home=home) as client:
        set_clock(client, TODAY)
        yield client


class TestByRoad:
    def test_the_soonest_reached_is_not_the_nearest_as_the_crow_flies(self, by_road):
        here = at(9)
        answer = by_road.get(f"/api/v1/sites/nearest?lon={here.x}&lat={here.y}").json()
        NearbyCollection.model_validate(answer)
        told = [
            (f["id"], f["properties"]["minutes"], f["properties"]["distance_m"]) for f in answer["features"]
        ]
        assert told == [
            ("essai--loin", pytest.approx(8, abs=0.1), pytest.approx(8_000 * 1.3, abs=1)),
            ("essai--rive", pytest.approx(12, abs=0.1), pytest.approx(2_000 * 1.3, abs=1)),
            ("essai--est", pytest.approx(36, abs=0.1), pytest.approx(26_000 * 1.3, abs=1)),
        ]
        first = answer["features"][0]["properties"]
        assert (first["method"], first["distance_method"]) == ("roads", "straight_line")

    def test_filters_slots_and_k_hold(self, by_road):
        paid = by_road.get("/api/v1/sites/nearest?commune=99001&frais_a_charge=Payant").json()["features"]
        assert [f["id"] for f in paid] == ["essai--est"]
        one = by_road.get("/api/v1/sites/nearest?site=essai--rive&k=1").json()["features"]
        assert [f["id"] for f in one] == ["essai--loin"]
        never = by_road.get("/api/v1/sites/nearest?commune=99001&slot=dimanche").json()["features"]
        assert never == []

    def test_a_mode_the_roads_do_not_know_is_refused_by_name(self, by_road):
        for path in ("sites/nearest?commune=99001&", "coverage?", "gaps?", "isochrones?commune=99001&"):
            answer = by_road.get(f"/api/v1/{path}mode=foot")
            assert answer.status_code == 422, path
            assert answer.json()["errors"][0]["parameter"] == "mode"
            assert "à pied" in answer.json()["detail"]

    def test_coverage_says_which_roads(self, by_road):
        answer = by_road.get("/api/v1/coverage").json()
        CoverageAnswer.model_validate(answer)
        method = answer["meta"]["method"]
        assert (method["code"], method["label"]) == ("roads", "temps de trajet par la route")
        assert method["roads"]["producer"] == "Routes inventées"
        assert len(method["roads"]["checksum"]) == 64
        assert method["speed_kmh"] is None
        times = {t["code"]: t["median_min"] for t in answer["territories"]}
        assert times == {
            "99001": pytest.approx(4, abs=0.1),
            "99002": pytest.approx(4, abs=0.1),
            "99003": pytest.approx(10, abs=0.1),
            "99004": pytest.approx(0, abs=0.1),
        }

    def test_isochrones_stop_at_the_river(self, by_road):
        here = at(8)
        path = f"/api/v1/isochrones?lon={here.x}&lat={here.y}&minutes=5,10"
        answer = by_road.get(path)
        IsochroneCollection.model_validate(answer.json())
        assert answer.headers["content-type"] == "application/geo+json"
        longest, shortest = (shape(f["geometry"]) for f in answer.json()["features"])
        assert shortest.contains(at(4.5)) and not shortest.contains(at(11))
        assert longest.contains(at(1)) and not longest.contains(at(11))
        assert [f["properties"]["people"] for f in answer.json()["features"]] == [1_000, 1_000]
        # From here one comes in the same time where every street goes both ways.
        outward = by_road.get(f"{path}&direction=from").json()["features"]
        assert [f["properties"]["people"] for f in outward] == [1_000, 1_000]
        digits = [len(str(x).partition(".")[2]) for x, _ in longest.geoms[0].exterior.coords]
        assert max(digits) <= 5

    def test_a_point_no_road_leads_to_is_refused(self, by_road):
        answer = by_road.get("/api/v1/isochrones?lon=8&lat=48&minutes=5")
        assert answer.status_code == 422
        assert "Aucune route praticable" in answer.json()["detail"]


def test_roads_away_from_this_machine_are_told_as_an_estimate(tmp_path):
    graph = country_roads()
    with serving(replace(snapshot(*SITES), roads=graph.about), home=tmp_path) as client:
        method = client.get("/api/v1/sites/nearest?commune=99001").json()["meta"]["method"]
        assert (method["code"], method["roads"]) == ("straight_line", None)
