"""Travel times over road graphs: compared with a plain Dijkstra, and cached on disk."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.reach import graph_files, straight_line
from geo.reach.modes import Mode
from geo.reach.profiles import load_profiles
from geo.reach.travel import (
    FAR_FROM_ROAD_M,
    SNAPPED_SET_MIN,
    SNAPPED_SETS_MAX,
    TIMES_FOLDER,
    Travel,
    load_travel,
)
from tests.support.roads import grid, road_graph, slow_times

APPROACH_M_S = load_profiles()[Mode.CAR].approach_kmh / 3.6
SIDE = 1_000.0
X, Y = 500_000.0, 6_400_000.0


def point(x_km, y_km):
    return (X + x_km * 1_000, Y + y_km * 1_000)


def times(graph, places, sites, *, folder=None, store=True):
    travel = Travel(graph, detour_factor=1.3, folder=folder)
    return travel.to_sites(np.array(sites, float), Mode.CAR, store=store).from_places(np.array(places, float))


def test_times_match_a_count_by_hand():
    town = grid(3, 2, seconds=60)
    # From the south-west corner to the middle of the street north of the east end: 2 blocks and a half.
    found = times(town, [point(0, 0), point(2, 0.25)], [point(2, 0.5)])
    assert found.tolist() == [[150.0, 15.0]]


def test_one_way_streets_are_obeyed():
    square = road_graph(
        [point(0, 0), point(1, 0), point(1, 1), point(0, 1)],
        [(0, 1, 60, inf), (1, 2, 60, inf), (2, 3, 60, inf), (3, 0, 60, inf)],
    )
    there, behind = times(square, [point(0.25, 0), point(0.75, 0)], [point(0.5, 0)])[0]
    assert there == pytest.approx(15)
    assert behind == pytest.approx(15 + 180 + 30)


def test_a_place_beside_the_road_walks_to_it():
    town = grid(2, 1, seconds=60)
    found = times(town, [point(0.5, 0.3)], [point(1, 0)])[0, 0]
    assert found == pytest.approx(300 / APPROACH_M_S + 30)


def test_the_other_half_of_a_cut_graph_is_out_of_reach():
    halves = road_graph(
        [point(0, 0), point(1, 0), point(5, 0), point(6, 0)], [(0, 1, 60, 60), (2, 3, 60, 60)]
    )
    found = times(halves, [point(0, 0), point(6, 0)], [point(1, 0), point(np.nan, 0)])
    assert found.tolist() == [[60, inf], [inf, inf]]


def test_no_site_gives_no_row_and_roads_closed_to_snapping_reach_nothing():
    assert times(grid(2, 2), [point(0, 0)], np.empty((0, 2))).shape == (0, 1)
    motorway = road_graph([point(0, 0), point(1, 0)], [(0, 1, 60, 60)], reachable=[False])
    assert times(motorway, [point(0, 0)], [point(1, 0)]).tolist() == [[inf]]


def test_places_far_from_any_road_are_flagged_not_dropped():
    travel = Travel(grid(2, 1), detour_factor=1.3)
    places = np.array([point(0, 0), (X, Y + FAR_FROM_ROAD_M + 1)])
    assert travel.far_from_road(places, Mode.CAR).tolist() == [False, True]
    assert np.isfinite(travel.to_sites(np.array([point(1, 0)]), Mode.CAR).from_places(places)).all()


coordinates = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda p: point(p[0] / 10, p[1] / 10))


@st.composite
def worlds(draw):
    nodes = draw(st.lists(coordinates, min_size=2, max_size=8, unique=True))
    row = st.integers(0, len(nodes) - 1)
    cost = st.one_of(st.just(inf), st.integers(1, 500).map(float))
    edge = st.tuples(row, row, cost, cost).filter(lambda e: e[0] != e[1] and min(e[2:]) < inf)
    edges = draw(st.lists(edge, min_size=1, max_size=14))
    places = draw(st.lists(coordinates, min_size=1, max_size=4))
    sites = draw(st.lists(coordinates, min_size=1, max_size=4))
    return road_graph(nodes, edges), places, sites


def shaken(points, by):
    return [(x + by * 0.37 * (i + 1), y + by * 0.53 * (i + 2)) for i, (x, y) in enumerate(points)]


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_equal_to_a_plain_dijkstra(world):
    graph, places, sites = world
    places, sites = shaken(places, 7), shaken(sites, -11)
    found = times(graph, places, sites)
    for s, site in enumerate(sites):
        for p, place in enumerate(places):
            slow = slow_times(graph, place, site, approach_m_s=APPROACH_M_S)
            assert any(found[s, p] == pytest.approx(each, rel=1e-4) for each in slow)


@settings(max_examples=50, deadline=None)
@given(worlds(), coordinates)
def test_one_more_site_never_lengthens_a_time(world, site):
    graph, places, sites = world
    before = times(graph, places, sites).min(axis=0)
    assert (times(graph, places, [*sites, site]).min(axis=0) <= before).all()


def test_nearest_of_every_node_is_the_least_of_all_rows():
    town = grid(12, 9)
    travel = Travel(town, detour_factor=1.3)
    sites = np.array([point(0.2, 3), point(7, 7.9), point(11, 0)])
    network = travel._network(Mode.CAR)
    every = np.concatenate(list(network.paths.node_times(network.edges.snap(sites))))
    seconds, row = network.paths.nearest_source(network.edges.snap(sites))
    assert np.array_equal(seconds, every.min(axis=0))
    assert np.array_equal(every[row, np.arange(every.shape[1])], seconds)


class TestCache:
    PLACES = (point(0, 0), point(3, 2))
    SITES = (point(1, 1.5), point(2.5, 3))

    def test_cached_times_equal_computed_ones(self, tmp_path):
        town = grid(5, 5)
        fresh = times(town, self.PLACES, self.SITES)
        for _ in range(2):
            assert np.array_equal(times(town, self.PLACES, self.SITES, folder=tmp_path), fresh)

    def test_only_new_sites_are_computed(self, tmp_path, monkeypatch):
        from geo.reach import shortest_paths

        computed = []
        real = shortest_paths.ShortestPaths.node_times

        def counted(self, sources, **how):
            computed.append(len(sources.edge))
            return real(self, sources, **how)

        monkeypatch.setattr(shortest_paths.ShortestPaths, "node_times", counted)
        town = grid(5, 5)
        times(town, self.PLACES, self.SITES, folder=tmp_path)
        times(town, self.PLACES, [*self.SITES, point(4, 4)], folder=tmp_path)
        times(town, self.PLACES, self.SITES[::-1], folder=tmp_path)
        assert [many for many in computed if many] == [2, 1]

    def test_hypothetical_sites_are_not_stored(self, tmp_path):
        town = grid(5, 5)
        times(town, self.PLACES, self.SITES, folder=tmp_path)
        size = {p: p.stat().st_size for p in tmp_path.rglob("*.*")}
        asked = times(town, self.PLACES, [*self.SITES, point(4, 4)], folder=tmp_path, store=False)
        assert np.array_equal(asked, times(town, self.PLACES, [*self.SITES, point(4, 4)]))
        assert {p: p.stat().st_size for p in tmp_path.rglob("*.*")} == size

    @pytest.mark.parametrize("name", ["times.f32", "sites.i64"])
    def test_an_incomplete_tail_is_cut_off_and_computed_again(self, tmp_path, name):
        town = grid(5, 5)
        fresh = times(town, self.PLACES, self.SITES)
        times(town, self.PLACES, self.SITES, folder=tmp_path)
        torn = next(tmp_path.rglob(name))
        torn.write_bytes(torn.read_bytes()[:-5])
        assert np.array_equal(times(town, self.PLACES, self.SITES, folder=tmp_path), fresh)

    def test_several_processes_share_one_table(self, tmp_path):
        jobs = [[point(i / 4, j / 4) for i in range(6)] for j in range(4)]
        with multiprocessing.get_context("spawn").Pool(4) as pool:
            found = pool.starmap(_in_process, [(tmp_path, job) for job in jobs])
        town = grid(5, 5)
        for job, seconds in zip(jobs, found, strict=True):
            assert np.array_equal(seconds, times(town, self.PLACES, job))


class TestCacheKeys:
    """Stored times are used again only where everything they depend on is the same."""

    PLACES = (point(0.5, 0.4), point(3, 2))
    SITES = (point(1.2, 1.5), point(2.5, 2.9))
    """Beside the road, so that node times include an approach."""

    def stored_and_fresh(self, travel, mode):
        fresh = Travel(travel.graph, detour_factor=1.3)
        return [
            each.to_sites(np.array(self.SITES), mode).from_places(np.array(self.PLACES))
            for each in (travel, fresh)
        ]

    def test_another_mode_has_its_own_times(self, tmp_path, monkeypatch):
        """Even where both modes approach the road at the same speed."""
        profiles = load_profiles()
        alike = {mode: replace(profile, approach_kmh=4.5) for mode, profile in profiles.modes.items()}
        monkeypatch.setattr("geo.reach.travel.load_profiles", lambda: replace(profiles, modes=alike))
        town = grid(5, 5)
        slow = {mode: seconds * (1 + 9 * (mode is Mode.FOOT)) for mode, seconds in both_modes(town).items()}
        graph = replace(town, seconds=slow, reachable=dict.fromkeys(slow, town.reachable[Mode.CAR]))
        travel = Travel(graph, detour_factor=1.3, folder=tmp_path)
        for mode in (Mode.CAR, Mode.FOOT):
            stored, fresh = self.stored_and_fresh(travel, mode)
            assert np.array_equal(stored, fresh)

    def test_another_graph_has_its_own_times(self, tmp_path):
        for seconds, checksum in ((60, "a" * 64), (90, "b" * 64)):
            town = grid(5, 5, seconds=seconds)
            graph = replace(town, about=replace(town.about, checksum=checksum))
            travel = Travel(graph, detour_factor=1.3, folder=tmp_path)
            stored, fresh = self.stored_and_fresh(travel, Mode.CAR)
            assert np.array_equal(stored, fresh)

    def test_another_approach_speed_has_its_own_times(self, tmp_path, monkeypatch):
        """Node times include the approach to the site, so a new profile must not read old ones."""
        profiles = load_profiles()
        times(grid(5, 5), self.PLACES, self.SITES, folder=tmp_path)
        car = replace(profiles[Mode.CAR], approach_kmh=profiles[Mode.CAR].approach_kmh / 2)
        slower = replace(profiles, modes={**profiles.modes, Mode.CAR: car})
        monkeypatch.setattr("geo.reach.travel.load_profiles", lambda: slower)
        fresh = times(grid(5, 5), self.PLACES, self.SITES)
        assert np.array_equal(times(grid(5, 5), self.PLACES, self.SITES, folder=tmp_path), fresh)

    def test_directions_are_not_confused(self):
        """Asked to a point then from it, on one-way streets."""
        ring = road_graph(
            [point(0, 0), point(1, 0), point(1, 1), point(0, 1)],
            [(0, 1, 60, inf), (1, 2, 60, inf), (2, 3, 60, inf), (3, 0, 60, inf)],
        )
        travel, place = Travel(ring, detour_factor=1.3), np.array([point(1, 0.5)])
        to_it = travel.between(point(0.5, 0), place, Mode.CAR)
        from_it = travel.between(point(0.5, 0), place, Mode.CAR, outward=True)
        assert (to_it[0], from_it[0]) == (pytest.approx(180), pytest.approx(60))

    def test_two_sets_of_places_are_not_confused(self):
        """Sets large enough to be cached, of the same size."""
        travel = Travel(grid(5, 5), detour_factor=1.3)
        sites = travel.to_sites(np.array(self.SITES), Mode.CAR)
        rng = np.random.default_rng(3)
        for _ in range(SNAPPED_SETS_MAX + 2):
            places = np.array(point(0, 0)) + rng.uniform(0, 4_000, (SNAPPED_SET_MIN, 2))
            alone = [sites.from_place(tuple(place)) for place in places]
            for _ in range(2):
                assert np.array_equal(sites.from_places(places).T, alone)


def both_modes(graph):
    return dict.fromkeys((Mode.CAR, Mode.FOOT), graph.seconds[Mode.CAR])


def test_loading_a_graph_removes_the_times_of_others(tmp_path):
    town = grid(3, 3)
    graph = replace(town, about=replace(town.about, checksum=graph_files.checksum(town)))
    graph_files.write_graph(graph, graph_files.roads_folder(tmp_path))
    old, current = (tmp_path / TIMES_FOLDER / name for name in ("0" * 64, graph.about.checksum))
    for folder in (old, current):
        folder.mkdir(parents=True)
    travel = load_travel(graph.about, home=tmp_path, detour_factor=1.3)
    assert travel.graph is not None
    assert [folder.exists() for folder in (old, current)] == [False, True]


@pytest.mark.parametrize(("metres", "far"), [(FAR_FROM_ROAD_M, False), (FAR_FROM_ROAD_M + 0.5, True)])
def test_a_place_exactly_at_the_distance_is_not_far_from_a_road(metres, far):
    travel = Travel(grid(2, 1), detour_factor=1.3)
    assert travel.far_from_road(np.array([(X + 500, Y + metres)]), Mode.CAR).tolist() == [far]


def _in_process(folder, sites):
    return times(grid(5, 5), TestCache.PLACES, sites, folder=folder)


def test_without_roads_times_are_estimated_and_labelled_so():
    travel = Travel(None, detour_factor=1.5)
    assert (travel.method, travel.label) == (straight_line.METHOD, straight_line.LABEL)
    found = travel.to_sites(np.array([point(3, 4), (np.nan, np.nan)]), Mode.CAR).from_places(
        np.array([point(0, 0)])
    )
    km_h = straight_line.SPEED_KMH[Mode.CAR]
    assert found[:, 0].tolist() == [pytest.approx(5 * 1.5 / km_h * 3_600), inf]
