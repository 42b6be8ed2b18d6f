"""The road graph: what hangs together stays, by mode; what was left out is counted."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import UnreadableFile
from geo.reach import build
from geo.reach.build import RoadFormat, area_of, build_graph, format_of
from geo.reach.graph import GraphMetadata, matrix
from geo.reach.modes import Mode
from geo.reach.road_lines import RoadLines
from tests.support.world import TERRITORY, at

INF = math.inf
ABOUT = GraphMetadata(
    "", "essai.geojson", "geojson", "Tests", "2026", "ODbL", datetime(2026, 11, 2, tzinfo=UTC)
)


def lines(*pieces, **others):
    """Pieces (a, b, seconds forth, seconds back) by car; junction k stands k kilometres east.

    Other modes go by the same pieces with the seconds given for them, else nowhere.
    """
    a, b = (np.array([p[i] for p in pieces], dtype=np.int64) for i in (0, 1))
    nowhere = [(INF, INF)] * len(pieces)
    car = [p[2:4] for p in pieces]
    seconds = {
        mode: np.array(along, dtype=np.float32)
        for mode, along in (
            (Mode.CAR, car),
            (Mode.BICYCLE, others.get("bicycle", nowhere)),
            (Mode.FOOT, others.get("foot", nowhere)),
        )
    }
    return RoadLines(
        epsg=2154,
        end_a=a,
        end_b=b,
        shape_start=3 * np.arange(len(pieces) + 1),
        shape_xy=np.array(
            [xy for p in pieces for xy in ((p[0] * 1e3, 0.0), (p[0] * 1e3, 500.0), (p[1] * 1e3, 0.0))]
        ),
        seconds=seconds,
        reachable={mode: np.ones(len(pieces), dtype=bool) for mode in Mode},
        dropped={"ferries": 2},
    )


def summary_of(graph) -> Any:
    """What its building kept and dropped."""
    return graph.about.summary


def edges(graph, mode=Mode.CAR):
    """Every way to go, as {(from x km, to x km): seconds}; the quickest of parallel ones."""
    km = (graph.node_xy[:, 0] / 1e3).astype(int)
    found = matrix(graph, mode).tocoo()
    return {(int(km[i]), int(km[j])): float(s) for i, j, s in zip(*found.coords, found.data, strict=True)}


def square(first, seconds=60.0):
    """Four junctions in a ring, both ways."""
    k = list(range(first, first + 4))
    return [(i, j, seconds, seconds) for i, j in zip(k, [*k[1:], k[0]], strict=True)]


def test_nodes_are_numbered_and_edges_keep_their_shape_and_seconds():
    graph = build_graph(lines((70, 20, 10, 20), (20, -5, 30, 40), (70, -5, 5, INF)), ABOUT)
    assert (graph.node_xy[:, 0] / 1e3).tolist() == [-5, 20, 70]
    assert edges(graph) == {
        (70, 20): 10, (20, 70): 20, (20, -5): 30, (-5, 20): 40, (70, -5): 5
    }  # fmt: skip
    for e in range(3):
        shape = graph.shape_xy[graph.shape_start[e] : graph.shape_start[e + 1]]
        assert len(shape) == 3
        assert shape[0].tolist() == graph.node_xy[graph.edge_a[e]].tolist()
        assert shape[-1].tolist() == graph.node_xy[graph.edge_b[e]].tolist()


def test_a_street_that_can_only_be_left_or_only_be_entered_is_cut_off():
    graph = build_graph(lines(*square(0), (9, 0, 10, INF), (1, 8, 10, INF)), ABOUT)
    assert set(np.abs(graph.node_xy[:, 0])) == {0, 1e3, 2e3, 3e3}
    summary = summary_of(graph)
    assert (summary["nodes"], summary["edges"]) == (4, 4)
    assert summary["modes"]["car"]["cut_off"] == 2
    assert summary["dropped"] == {"ferries": 2, build.CUT_OFF: 2}


def test_a_way_cut_off_for_one_mode_stays_for_another():
    pieces = [*square(0), (9, 0, 10, INF)]
    graph = build_graph(lines(*pieces, foot=[(100, 100)] * 5), ABOUT)
    assert (9, 0) not in edges(graph)
    assert edges(graph, Mode.FOOT)[9, 0] == 100
    alone = np.flatnonzero(~np.isfinite(graph.seconds[Mode.CAR]).any(axis=1))
    assert len(alone) == 1
    assert not graph.reachable[Mode.CAR][alone].any()
    assert graph.reachable[Mode.FOOT].all()
    assert not graph.reachable[Mode.BICYCLE].any()


def test_pieces_no_mode_may_use_are_dropped_and_counted():
    graph = build_graph(lines(*square(0), (0, 2, INF, INF)), ABOUT)
    assert summary_of(graph)["dropped"][build.UNUSABLE] == 1
    assert len(graph.edge_a) == 4


def test_both_halves_of_a_graph_are_used_with_a_warning():
    graph = build_graph(lines(*square(0), *square(10)), ABOUT)
    assert summary_of(graph)["modes"]["car"]["components"] == 2
    assert len(graph.node_xy) == 8
    warning = next(w for w in summary_of(graph)["warnings"] if "parties" in w)
    assert "en voiture est en 2 parties" in warning
    assert "50\N{NO-BREAK SPACE}% et 50\N{NO-BREAK SPACE}%" in warning
    assert {(a < 10, b < 10) for a, b in edges(graph)} == {(True, True), (False, False)}


def test_a_one_way_bridge_does_not_connect_two_halves():
    graph = build_graph(lines(*square(0), *square(10), (0, 10, 5, INF)), ABOUT)
    assert (0, 10) not in edges(graph)
    assert summary_of(graph)["modes"]["car"] == {
        "nodes": 8, "edges": 8, "km": pytest.approx(summary_of(graph)["km"]), "components": 2, "cut_off": 1
    }  # fmt: skip


def test_components_below_the_share_are_dropped():
    ring = [(i, (i + 1) % 50, 60.0, 60.0) for i in range(50)]
    pieces = lines(*ring, (100, 101, 60, 60))
    assert len(build_graph(pieces, ABOUT).node_xy) == 50
    assert summary_of(build_graph(pieces, ABOUT))["warnings"][0].startswith("Aucune voie n'est praticable")
    assert len(build_graph(pieces, ABOUT, min_component_share=0.03).node_xy) == 52


def test_a_network_that_loses_many_junctions_has_a_warning():
    ring = [(i, (i + 1) % 20, 60.0, 60.0) for i in range(20)]
    stubs = [(100 + i, i, 60, INF) for i in range(5)]
    warnings = summary_of(build_graph(lines(*ring, *stubs), ABOUT))["warnings"]
    assert warnings[0].startswith("20\N{NO-BREAK SPACE}% des carrefours praticables en voiture")


def test_a_mode_without_roads_has_a_warning():
    warnings = summary_of(build_graph(lines(*square(0)), ABOUT))["warnings"]
    assert [w for w in warnings if "à vélo" in w and "ne sera pas proposé" in w]


@pytest.mark.parametrize("piece", [(0, 1, INF, INF), (0, 1, 10, INF), (0, 0, 10, 10)])
def test_a_file_in_which_nothing_can_be_travelled_there_and_back_is_refused(piece):
    with pytest.raises(UnreadableFile, match="aucune route praticable"):
        build_graph(lines(piece), ABOUT)


def test_lengths_follow_the_shape_points():
    graph = build_graph(lines((0, 1, 60, 60), (1, 2, 60, 60)), ABOUT)
    assert summary_of(graph)["km"] == pytest.approx(2 * (0.5 + math.hypot(1, 0.5)), abs=0.05)


def test_the_same_lines_give_the_same_bytes_and_other_seconds_do_not():
    pieces = [*square(0), (0, 2, 5, 5), (0, 2, 7, 7)]
    first, again = (build_graph(lines(*pieces), ABOUT) for _ in range(2))
    assert first.about == again.about
    for name in ("node_xy", "edge_a", "edge_b", "shape_start", "shape_xy"):
        assert getattr(first, name).tobytes() == getattr(again, name).tobytes()
    later = build_graph(
        lines(*pieces), replace(ABOUT, built_at=datetime(2027, 1, 1, tzinfo=UTC), vintage="?")
    )
    assert later.about.checksum == first.about.checksum
    slower = build_graph(lines(*pieces[:-1], (0, 2, 7, 8)), ABOUT)
    assert slower.about.checksum != first.about.checksum


seconds = st.sampled_from([1.0, 2.5, INF])
some_pieces = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), seconds, seconds), max_size=25)


@given(pieces=some_pieces, share=st.sampled_from([0.0, 0.2, 0.5, 1.0]))
def test_the_large_strong_components_of_networkx_are_used(pieces, share):
    network = nx.MultiDiGraph()
    for a, b, forth, back in pieces:
        network.add_edges_from([(a, b)] * (forth < INF) + [(b, a)] * (back < INF))
    parts = [c for c in nx.strongly_connected_components(network) if len(c) > 1]
    large = [c for c in parts if len(c) >= share * len(network)]
    if not parts:
        with pytest.raises(UnreadableFile):
            build_graph(lines(*pieces or [(0, 1, INF, INF)]), ABOUT, min_component_share=share)
        return
    graph = build_graph(lines(*pieces), ABOUT, min_component_share=share)
    kept = {int(x) for x in graph.node_xy[:, 0] / 1e3}
    if large:
        assert kept == set().union(*large)
    else:
        assert kept in parts
        assert len(kept) == max(map(len, parts))
    expected = {
        (a, b) for a, b in network.edges() if a != b and any({a, b} <= c for c in parts) and {a, b} <= kept
    }
    assert edges(graph).keys() == expected
    counts = summary_of(graph)["modes"]["car"]
    usable = sum(forth < INF or back < INF for _, _, forth, back in pieces)
    assert counts["edges"] + counts["cut_off"] == usable
    assert counts["components"] == (len(large) or 1)


def test_the_area_read_is_the_territory_and_its_margin():
    area = area_of(TERRITORY, 3.0)
    assert area.covers(at(-2.9))
    assert area.covers(at(42.9))  # 40 km wide; the neighbour is not the territory's own
    assert not area.covers(at(-3.1))
    assert not area.covers(at(43.1))
    assert shapely.is_valid(area)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("aquitaine-latest.osm.pbf", RoadFormat.OSM),
        ("monaco.OSM.GZ", RoadFormat.OSM),
        ("routes.json", RoadFormat.GEOJSON),
        ("TRONCON_DE_ROUTE.gpkg", RoadFormat.GPKG),
    ],
)
def test_the_format_is_read_from_the_name(name, kind):
    assert format_of(Path(name)) is kind


def test_a_name_without_a_known_format_is_refused_with_the_option():
    with pytest.raises(UnreadableFile, match="--format"):
        format_of(Path("routes.shp"))
