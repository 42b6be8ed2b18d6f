"""The cache of travel times on disk: one row per site, whatever interrupts or shares its files."""

from __future__ import annotations

from threading import Event, Thread

import numpy as np
import pytest

from geo.reach.travel_time_cache import TravelTimeCache, remove_other_times

NODES = 3
SITES = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [4.0, 4.0]])
TIMES = np.arange(1, 13, dtype=np.float32).reshape(4, NODES)


def add(folder, *rows):
    """Store the times of some of the SITES."""
    chosen = list(rows)
    TravelTimeCache(folder, NODES).add(SITES[chosen], lambda some: [TIMES[chosen][some]])


def stored(folder, *rows):
    """Times found by a new reader, None for a site without a row."""
    table, found = TravelTimeCache(folder, NODES).lookup(SITES[list(rows)])
    return [table[row].tolist() if row >= 0 else None for row in found]


def test_sites_are_found_in_any_order_by_another_reader(tmp_path):
    add(tmp_path, 0, 1)
    add(tmp_path, 1, 2)
    assert stored(tmp_path, 2, 3, 0, 1) == [TIMES[2].tolist(), None, TIMES[0].tolist(), TIMES[1].tolist()]


def test_only_sites_without_a_row_are_computed(tmp_path):
    add(tmp_path, 0)
    computed = []

    def compute(some):
        computed.extend(some.tolist())
        return [TIMES[[1, 0, 1]][some]]

    TravelTimeCache(tmp_path, NODES).add(SITES[[1, 0, 1]], compute)
    assert computed == [0], "the second is stored, the third is the first again"
    assert (tmp_path / "times.f32").stat().st_size == 2 * NODES * 4


def test_positions_within_a_decimetre_share_a_row(tmp_path):
    add(tmp_path, 0)
    near = SITES[0] + np.array([[0.04, -0.04], [0.06, 0.0]])
    _, rows = TravelTimeCache(tmp_path, NODES).lookup(near)
    assert rows.tolist() == [0, -1]


@pytest.mark.parametrize("lost", [1, 5, NODES * 4])
@pytest.mark.parametrize("name", ["times.f32", "sites.i64"])
def test_an_incomplete_tail_never_becomes_the_times_of_a_site(tmp_path, name, lost):
    """The last site lost its end; another one is stored after it, then the first one again."""
    add(tmp_path, 0, 1)
    torn = tmp_path / name
    torn.write_bytes(torn.read_bytes()[:-lost])
    assert stored(tmp_path, 0, 1) == [TIMES[0].tolist(), None]
    add(tmp_path, 2)
    assert stored(tmp_path, 0, 1, 2) == [TIMES[0].tolist(), None, TIMES[2].tolist()]
    add(tmp_path, 1)
    assert stored(tmp_path, 0, 1, 2) == TIMES[:3].tolist()
    assert (tmp_path / "times.f32").stat().st_size == 3 * NODES * 4
    assert (tmp_path / "sites.i64").stat().st_size == 3 * 16


def test_times_without_their_key_are_overwritten(tmp_path):
    """A writer that died between the two files left times and no key."""
    add(tmp_path, 0)
    with (tmp_path / "times.f32").open("ab") as times:
        times.write(np.full(NODES, 99, np.float32).tobytes())
    add(tmp_path, 2)
    assert stored(tmp_path, 0, 1, 2) == [TIMES[0].tolist(), None, TIMES[2].tolist()]


def test_a_writer_waits_for_another_and_sees_what_it_stored(tmp_path):
    first_computes, release, second_computes = Event(), Event(), Event()

    def slow(some):
        first_computes.set()
        assert release.wait(10)
        return [TIMES[[0, 1]][some]]

    def quick(some):
        second_computes.set()
        return [TIMES[[1, 2]][some]]

    first = Thread(target=lambda: TravelTimeCache(tmp_path, NODES).add(SITES[[0, 1]], slow))
    second = Thread(target=lambda: TravelTimeCache(tmp_path, NODES).add(SITES[[1, 2]], quick))
    first.start()
    assert first_computes.wait(10)
    second.start()
    assert not second_computes.wait(0.5), "two writers computed at once"
    release.set()
    first.join(10)
    second.join(10)
    assert second_computes.is_set()
    assert stored(tmp_path, 0, 1, 2) == TIMES[:3].tolist()
    assert (tmp_path / "sites.i64").stat().st_size == 3 * 16, "a site has two rows"


def test_times_of_other_graphs_are_removed(tmp_path):
    for name in ("old", "current"):
        add(tmp_path / name / "car-20", 0)
    (tmp_path / "a-file").touch()
    remove_other_times(tmp_path, keep="current")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a-file", "current"]
    assert stored(tmp_path / "current" / "car-20", 0) == [TIMES[0].tolist()]
    remove_other_times(tmp_path / "absent", keep="current")
