"""Many writers at once, connections ended, a writer killed: nothing is lost, nothing is counted twice."""

from __future__ import annotations

from benchmarks.bench_ledger import crowd, found_fund


def test_sixty_four_writers_and_what_becomes_of_each_order(fresh_engine):
    found_fund(fresh_engine)
    told = crowd(fresh_engine.url, clients=64, orders=4, seed=47, every_s=0.2)
    assert told.acknowledged + told.refused == 64 * 4
    assert told.ended and told.lost, "connections were ended, and clients met it"
