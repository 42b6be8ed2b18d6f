"""Many writers, connections ended, a writer and the server killed: nothing lost, nothing counted twice."""

from __future__ import annotations

from functools import partial

from benchmarks.bench_ledger import crowd, found_fund, kill_server
from geo.store import cluster as embedded
from geo.store.database import migrate, open_engine


def test_sixty_four_writers_lose_nothing_and_post_nothing_twice(fresh_engine):
    found_fund(fresh_engine)
    outcome = crowd(fresh_engine.url, clients=64, orders=4, seed=47, every_s=0.2)
    assert outcome.acknowledged + outcome.refused == 64 * 4
    assert outcome.ended and outcome.lost, "connections were ended, and clients met it"


def test_a_server_killed_in_the_middle_keeps_what_it_acknowledged(open_folder):
    """A cluster of its own, as durable as a real one."""
    own = embedded.cluster_at(open_folder / "killed")
    embedded.start(own)
    try:
        engine = open_engine(own.url())
        migrate(engine)
        found_fund(engine)
        engine.dispose()
        outcome = crowd(
            own.url(),
            clients=16,
            orders=6,
            seed=4,
            every_s=0.5,
            crash=partial(kill_server, own),
            crashes=1,
        )
        assert outcome.acknowledged + outcome.refused == 16 * 6
        assert outcome.lost, "clients met it"
    finally:
        embedded.stop(own)
