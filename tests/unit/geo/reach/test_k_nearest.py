"""The k nearest sites of every node: the compiled search, SciPy and NetworkX agree."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from geo.crs import LAMBERT_93
from geo.reach.build import build_graph
from geo.reach.graph import matrix
from geo.reach.k_nearest import k_nearest, k_nearest_by_site
from geo.reach.modes import Mode
from geo.reach.osm import read_osm
from geo.reach.profiles import load_profiles
from tests.support.roads import ABOUT
from tests.support.shared import SHARED, needs_shared


@st.composite
def graphs(draw):
    n = draw(st.integers(1, 9))
    node = st.integers(0, n - 1)
    arcs = draw(st.dictionaries(st.tuples(node, node), st.integers(1, 50), max_size=25))
    sites = draw(st.lists(node, max_size=6))
    return n, {arc: float(cost) for arc, cost in arcs.items() if arc[0] != arc[1]}, sites


def as_csr(n, arcs):
    rows, columns = np.array(list(arcs), dtype=np.int32).reshape(-1, 2).T
    return csr_array((np.array(list(arcs.values()), dtype=float), (rows, columns)), shape=(n, n))


@settings(max_examples=200, deadline=None)
@given(graphs(), st.integers(1, 7))
def test_both_searches_agree_with_networkx(world, k):
    n, arcs, sites = world
    oracle = nx.DiGraph()
    oracle.add_nodes_from(range(n))
    oracle.add_weighted_edges_from((a, b, cost) for (a, b), cost in arcs.items())
    reached = [nx.single_source_dijkstra_path_length(oracle, s) for s in sites]
    for search in (k_nearest, k_nearest_by_site):
        seconds, row = search(as_csr(n, arcs), np.array(sites, dtype=np.intp), k)
        for node in range(n):
            expected = sorted(r[node] for r in reached if node in r)[:k]
            assert seconds[node, : len(expected)].tolist() == expected
            assert np.isinf(seconds[node, len(expected) :]).all() and (row[node, len(expected) :] == -1).all()
            found = row[node, : len(expected)].tolist()
            assert len(set(found)) == len(found)
            assert [reached[r][node] for r in found] == expected


@needs_shared
@pytest.mark.parametrize("name", ["paris_bss.osm.pbf", "liechtenstein-latest.osm.pbf"])
def test_real_roads_agree_with_networkx(name):
    path = SHARED / "data" / "osm" / name
    lines = read_osm(path, epsg=LAMBERT_93, bounds=None, profiles=load_profiles())
    graph = build_graph(lines, ABOUT)
    reverse = matrix(graph, Mode.CAR, reverse=True)
    oracle = nx.DiGraph()
    arcs = reverse.tocoo()
    oracle.add_weighted_edges_from(zip(arcs.row.tolist(), arcs.col.tolist(), arcs.data.tolist(), strict=True))
    rng = np.random.default_rng(47)
    sites = rng.choice(np.unique(arcs.row), size=12, replace=False)
    lengths = [nx.single_source_dijkstra_path_length(oracle, int(s)) for s in sites]
    slow = np.full((reverse.shape[0], len(sites)), np.inf)
    for column, reached in enumerate(lengths):
        slow[list(reached), column] = list(reached.values())
    slow.sort(axis=1)
    seconds, _ = k_nearest(reverse, sites, 5)
    assert np.allclose(seconds, slow[:, :5], rtol=1e-4)
    assert (np.isfinite(seconds[:, 0])).sum() > 0.5 * len(np.unique(arcs.row))
