"""Nearest sites against slow, plain answers that share no code with ours: straight, and by road."""

from __future__ import annotations

from dataclasses import replace
from math import hypot, inf

import numpy as np
import pytest
from pyproj import Transformer

from geo.reach.graph_files import checksum, roads_folder, write_graph
from geo.reach.modes import Mode
from geo.reach.profiles import load_profiles
from geo.reach.travel import Travel
from geo.settings import ROOT
from geo.territory.files import read_territory
from tests.support.roads import road_graph, slow_times
from tests.support.serving import serving
from tests.support.world import ORIGIN_X, ORIGIN_Y, site, snapshot

K = 4
DETOUR = 1.3


@pytest.fixture(scope="module")
def real():
    return read_territory(ROOT / "data" / "communes", "47")


@pytest.fixture(scope="module")
def sites():
    draw = np.random.default_rng(4747)
    placed = draw.uniform((-0.3, 43.8), (1.2, 44.9), (120, 2)).tolist()
    kinds = [("Gratuit",), ("Payant",)]
    return [
        replace(site(f"{n:03}", None), longitude=lon, latitude=lat, frais_a_charge=kinds[n % 2])
        for n, (lon, lat) in enumerate(placed)
    ] + [site("perdu", None)]


@pytest.mark.parametrize("paid", [False, True])
def test_every_town_hall_finds_what_measuring_one_by_one_finds(real, sites, paid):
    plane = Transformer.from_crs("EPSG:4326", "EPSG:2154", always_xy=True).transform
    measured = {
        s.id: plane(s.longitude, s.latitude)
        for s in sites
        if s.longitude is not None and (not paid or s.frais_a_charge == ("Payant",))
    }
    query = "&frais_a_charge=Payant" if paid else ""
    with serving(replace(snapshot(*sites), territory=real)) as client:
        for commune in real.communes:
            x, y = plane(commune.town_hall.x, commune.town_hall.y)
            plain = sorted((DETOUR * hypot(sx - x, sy - y), name) for name, (sx, sy) in measured.items())[:K]
            answer = client.get(f"/api/v1/sites/nearest?commune={commune.code}&k={K}{query}").json()
            assert [f["id"] for f in answer["features"]] == [name for _, name in plain]
            told = [f["properties"]["distance_m"] for f in answer["features"]]
            assert told == pytest.approx([metres for metres, _ in plain], abs=0.51)
    assert len(real.communes) == 319


@pytest.fixture(scope="module")
def network():
    """Streets at random over 40 km × 10 km, some of them one-way, some of them leading nowhere else."""
    draw = np.random.default_rng(99)
    nodes = draw.uniform((ORIGIN_X, ORIGIN_Y), (ORIGIN_X + 40_000, ORIGIN_Y + 10_000), (40, 2))
    ends = [(a, b) for a, b in draw.integers(0, 40, (70, 2)).tolist() if a != b]
    seconds = draw.uniform(30, 900, (len(ends), 2))
    seconds[draw.random(len(ends)) < 0.2, 1] = inf
    graph = road_graph(nodes, [(*pair, *each) for pair, each in zip(ends, seconds, strict=True)])
    return replace(graph, about=replace(graph.about, checksum=checksum(graph)))


@pytest.mark.parametrize("paid", [False, True])
def test_by_road_the_soonest_is_what_plain_dijkstra_says(network, tmp_path, paid):
    draw = np.random.default_rng(7)
    plane = Transformer.from_crs("EPSG:4326", "EPSG:2154", always_xy=True)
    low, high = network.node_xy.min(axis=0), network.node_xy.max(axis=0)
    degrees = [
        [round(d, 6) for d in plane.transform(x, y, direction="INVERSE")]
        for x, y in draw.uniform(low, high, (32, 2))
    ]
    kinds = [("Gratuit",), ("Payant",)]
    sites = [
        replace(site(f"{n:02}", None), longitude=lon, latitude=lat, frais_a_charge=kinds[n % 2])
        for n, (lon, lat) in enumerate(degrees[:12])
    ]
    approach = load_profiles()[Mode.CAR].approach_kmh / 3.6
    write_graph(network, roads_folder(tmp_path))
    query = "&frais_a_charge=Payant" if paid else ""
    reached = 0
    with serving(replace(snapshot(*sites), roads=network.about), home=tmp_path) as client:
        for lon, lat in degrees[12:]:
            here = plane.transform(lon, lat)
            answers = {
                s.id: slow_times(
                    network, here, plane.transform(s.longitude, s.latitude), approach_m_s=approach
                )
                for s in sites
                if not paid or s.frais_a_charge == ("Payant",)
            }
            if any(max(each) > min(each) + 1e-3 for each in answers.values()):
                continue  # nearest to a junction: by which of its streets is anybody's choice
            plain = sorted((each[0], name) for name, each in answers.items() if each[0] < inf)[:K]
            answer = client.get(f"/api/v1/sites/nearest?lon={lon}&lat={lat}&k={K}{query}").json()
            assert [f["id"] for f in answer["features"]] == [name for _, name in plain]
            told = [f["properties"]["minutes"] for f in answer["features"]]
            assert told == pytest.approx([seconds / 60 for seconds, _ in plain], abs=0.051)
            reached += len(told)
    assert reached > 30


@pytest.mark.parametrize("folder", [False, True])
def test_one_place_has_the_times_it_has_among_many(network, tmp_path, folder):
    draw = np.random.default_rng(3)
    low, high = network.node_xy.min(axis=0), network.node_xy.max(axis=0)
    sites = np.vstack([draw.uniform(low, high, (30, 2)), [[np.nan, np.nan]]])
    places = np.vstack([draw.uniform(low, high, (200, 2)), sites])
    travel = Travel(network, detour_factor=1.3, folder=tmp_path if folder else None)
    times = travel.to_sites(sites, Mode.CAR)
    among = times.from_places(places)
    assert np.isfinite(among).any() and np.isinf(among).any()
    for column, place in enumerate(places.tolist()):
        assert np.array_equal(times.from_place(tuple(place)), among[:, column])


def test_times_to_a_point_are_those_to_a_site_and_from_it_those_of_the_way_back(network):
    draw = np.random.default_rng(4)
    low, high = network.node_xy.min(axis=0), network.node_xy.max(axis=0)
    places = draw.uniform(low, high, (40, 2))
    travel = Travel(network, detour_factor=1.3)
    table = travel.to_sites(places, Mode.CAR).from_places(places)
    here = tuple(places[0])
    assert np.array_equal(travel.between(here, places, Mode.CAR), table[0])
    back = travel.between(here, places, Mode.CAR, outward=True)
    assert np.isfinite(back).any()
    assert back == pytest.approx(table[:, 0], rel=1e-5)
