"""Questions between sites, as the snapshot reads them from pairs of records."""

from __future__ import annotations

from geo.store import record_pairs, snapshots, territories
from tests.postgis.geo.store.test_store import pair, same_place, store
from tests.support import world


def test_questions_are_asked_between_the_sites_that_are_shown(connection):
    territories.save(connection, world.TERRITORY)
    store(connection, *(world.record(name, 5) for name in "abcd"))
    record_pairs.replace_undecided(connection, [pair(*names) for names in ("ab", "bc", "ac", "ad")])
    assert snapshots.read(connection).questions == (
        ("essai--a", "essai--b"),
        ("essai--a", "essai--c"),
        ("essai--a", "essai--d"),
        ("essai--b", "essai--c"),
    )
    same_place(connection, "essai--a", "essai--d")
    assert len(snapshots.read(connection).questions) == 3
    same_place(connection, "essai--b", "essai--c")
    assert snapshots.read(connection).questions == (("essai--a", "essai--b"),), "of two sites, once"
    same_place(connection, "essai--a", "essai--c", same=False)
    assert snapshots.read(connection).questions == (), "records of both were decided to be different"
    assert record_pairs.questions(connection, {"essai--a"}) == ()
