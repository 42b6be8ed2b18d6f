"""The stored graph: the same roads come back, mapped; half a write is none; damage is noticed."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from geo.errors import RoadsUnavailable
from geo.reach import graph_files
from geo.reach.build import build_graph
from geo.reach.graph import GraphMetadata
from geo.reach.modes import Mode
from geo.store import roads
from tests.unit.geo.reach.test_build import ABOUT, lines, square

ARRAYS = ("node_xy", "edge_a", "edge_b", "shape_start", "shape_xy")


@pytest.fixture
def graph():
    return build_graph(lines(*square(0), (0, 2, 7.5, 8.25), foot=[(90, 90)] * 5), ABOUT)


@pytest.fixture
def folder(graph, tmp_path):
    return graph_files.write_graph(graph, tmp_path / "roads")


def test_a_graph_comes_back_equal_and_memory_mapped(graph, folder):
    assert folder.name == graph.about.checksum
    back = graph_files.read_graph(folder, verify=True)
    assert (back.epsg, back.about, back.modes) == (graph.epsg, graph.about, graph.modes)
    for name in ARRAYS:
        mine, theirs = getattr(back, name), getattr(graph, name)
        assert isinstance(mine, np.memmap)
        assert not mine.flags.writeable
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)
    for mode in Mode:
        np.testing.assert_array_equal(back.seconds[mode], graph.seconds[mode])
        np.testing.assert_array_equal(back.reachable[mode], graph.reachable[mode])


def test_the_checksum_is_of_the_content_alone(graph):
    before = graph_files.checksum(graph)
    assert len(before) == 64
    assert graph_files.checksum(replace(graph, about=replace(graph.about, vintage="2031"))) == before
    assert graph_files.checksum(replace(graph, epsg=5490)) != before
    moved = graph.node_xy.copy()
    moved[0, 0] += 1e-9
    assert graph_files.checksum(replace(graph, node_xy=moved)) != before


def test_a_graph_written_twice_is_stored_once_with_the_last_metadata(graph, folder):
    again = replace(graph, about=replace(graph.about, vintage="2027"))
    mapped = graph_files.read_graph(folder)
    assert graph_files.write_graph(again, folder.parent) == folder
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]
    assert graph_files.read_graph(folder, verify=True).about.vintage == "2027"
    np.testing.assert_array_equal(mapped.node_xy, graph.node_xy)


def test_two_writers_at_once_both_succeed(graph, tmp_path, monkeypatch):
    place = tmp_path / "roads"
    settle, outer = graph_files._sync_to_disk, [True]

    def while_another_writes(stream):
        settle(stream)
        if outer and outer.pop():
            graph_files.write_graph(graph, place)

    monkeypatch.setattr(graph_files, "_sync_to_disk", while_another_writes)
    folder = graph_files.write_graph(graph, place)
    assert list(place.iterdir()) == [folder]
    assert graph_files.read_graph(folder, verify=True).about == graph.about


def test_writing_again_repairs_a_damaged_graph(graph, folder):
    (folder / "edge_a.npy").write_bytes(b"")
    graph_files.write_graph(graph, folder.parent)
    assert graph_files.read_graph(folder, verify=True).about == graph.about


def _die_while_writing(graph, place, at_file):
    written = 0
    settle = graph_files._sync_to_disk

    def dying(stream):
        nonlocal written
        settle(stream)
        written += 1
        if written == at_file:
            os.kill(os.getpid(), signal.SIGKILL)

    graph_files._sync_to_disk = dying
    graph_files.write_graph(graph, place)


@pytest.mark.parametrize("at_file", [1, 6, 12])
def test_a_write_killed_midway_leaves_nothing_in_place(graph, tmp_path, at_file):
    place = tmp_path / "roads"
    writer = multiprocessing.get_context("fork").Process(
        target=_die_while_writing, args=(graph, place, at_file)
    )
    writer.start()
    writer.join()
    assert writer.exitcode == -signal.SIGKILL
    with pytest.raises(RoadsUnavailable, match="is not in"):
        graph_files.read_graph(place / graph.about.checksum)
    (left,) = place.iterdir()
    assert graph_files.remove_other_graphs(place, None) == []
    assert left.exists(), "another process may still be writing it"
    os.utime(left, (0, 0))
    graph_files.remove_other_graphs(place, None)
    assert list(place.iterdir()) == []
    assert graph_files.read_graph(graph_files.write_graph(graph, place), verify=True).about == graph.about


def test_a_write_that_fails_cleans_up_behind_it(graph, tmp_path, monkeypatch):
    def full(stream):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(graph_files, "_sync_to_disk", full)
    with pytest.raises(RoadsUnavailable, match="No space left"):
        graph_files.write_graph(graph, tmp_path / "roads")
    assert list((tmp_path / "roads").iterdir()) == []


def _cut(path):
    path.write_bytes(path.read_bytes()[:-16])


def _altered(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def _other_array(path):
    np.save(path, np.zeros(3))


@pytest.mark.parametrize("spoil", [_cut, _other_array, lambda p: p.unlink(), lambda p: p.write_bytes(b"x")])
@pytest.mark.parametrize("name", ["shape_xy.npy", "seconds_car.npy"])
def test_a_damaged_array_is_noticed_at_once(folder, spoil, name):
    spoil(folder / name)
    with pytest.raises(RoadsUnavailable, match=f"damaged: {name}") as found:
        graph_files.read_graph(folder)
    assert "portee roads build" in found.value.advice


def test_one_bit_changed_is_noticed_when_verified(folder):
    _altered(folder / "shape_xy.npy")
    graph_files.read_graph(folder)
    with pytest.raises(RoadsUnavailable, match="does not have the checksum"):
        graph_files.read_graph(folder, verify=True)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"format": 99}, "is of format 99; this version reads format 1"),
        ({"modes": ["car", "boat"]}, "manifest is not understood"),
        ({"arrays": {}}, "manifest is not understood"),
        ({"about": {"checksum": "x"}}, "manifest is not understood"),
    ],
)
def test_a_manifest_of_another_kind_is_refused(folder, change, why):
    manifest = json.loads((folder / graph_files.MANIFEST).read_text("utf-8"))
    (folder / graph_files.MANIFEST).write_text(json.dumps(manifest | change), "utf-8")
    with pytest.raises(RoadsUnavailable, match=why):
        graph_files.read_graph(folder)


@pytest.mark.parametrize("text", ["", "[]", "{", '"x"'])
def test_a_file_that_is_not_a_manifest_is_refused(folder, text):
    (folder / graph_files.MANIFEST).write_text(text, "utf-8")
    with pytest.raises(RoadsUnavailable):
        graph_files.read_graph(folder)


def test_only_graphs_no_longer_in_service_are_removed(graph, folder):
    other = build_graph(lines(*square(5)), ABOUT)
    graph_files.write_graph(other, folder.parent)
    (folder.parent / "notes").mkdir()
    assert graph_files.remove_other_graphs(folder.parent, graph.about.checksum) == [other.about.checksum]
    assert sorted(p.name for p in folder.parent.iterdir()) == sorted([folder.name, "notes"])
    assert graph_files.remove_other_graphs(folder.parent / "absent", None) == []


def about(checksum, **changes):
    base = GraphMetadata(
        checksum, "a.osm.pbf", "osm", "OSM", "2026-11-01", "ODbL", datetime(2026, 11, 2, tzinfo=UTC),
        {"nodes": 4, "modes": {"car": {"edges": 2}}, "dropped": {"ferries": 1}, "warnings": ["Attention."]},
    )  # fmt: skip
    return replace(base, **changes)


def test_no_graph_is_in_service_at_first(connection):
    assert roads.current(connection) is None


def test_the_graph_recorded_last_is_in_service_and_comes_back_equal(connection):
    roads.record(connection, about("a"))
    assert roads.current(connection) == about("a")
    roads.record(connection, about("b", vintage="2027"))
    assert roads.current(connection) == about("b", vintage="2027")


def test_a_graph_recorded_again_is_current_again_with_its_new_metadata(connection):
    roads.record(connection, about("a"))
    roads.record(connection, about("b"))
    roads.record(connection, about("a", licence="Licence Ouverte"))
    assert roads.current(connection) == about("a", licence="Licence Ouverte")


def test_removed_graphs_are_out_of_service(connection):
    roads.record(connection, about("a"))
    roads.record(connection, about("b"))
    roads.remove(connection)
    assert roads.current(connection) is None


def test_writers_of_graph_files_wait_for_each_other(fresh_engine):
    with fresh_engine.begin() as first:
        roads.wait_for_turn(first)
        with fresh_engine.begin() as second:
            second.execute(text("SET LOCAL lock_timeout = '50ms'"))
            with pytest.raises(OperationalError, match="lock timeout"):
                roads.wait_for_turn(second)
    with fresh_engine.begin() as later:
        later.execute(text("SET LOCAL lock_timeout = '50ms'"))
        roads.wait_for_turn(later)
