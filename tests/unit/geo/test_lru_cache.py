"""The cache: what is kept, what is dropped, and that nothing is computed twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier

from geo.lru_cache import LruCache


def test_a_value_is_computed_once():
    numbers = count(7)
    cache = LruCache[int](2)
    assert [cache.get_or_compute("a", lambda: next(numbers)) for _ in range(3)] == [7, 7, 7]


def test_the_value_used_longest_ago_is_dropped_first():
    cache = LruCache[str](2)
    for key in "ab":
        cache.get_or_compute(key, key.upper)
    assert cache.get("a") == "A"
    cache.get_or_compute("c", "c".upper)
    assert cache.get("b") is None
    assert (cache.get("a"), cache.get("c")) == ("A", "C")


def test_exactly_as_many_values_as_its_size_are_kept():
    cache = LruCache[str](3)
    for key in "abc":
        cache.get_or_compute(key, key.upper)
    assert [cache.get(key) for key in "abc"] == ["A", "B", "C"]


def test_threads_that_ask_together_compute_once():
    cache, numbers, together = LruCache[int](4), count(3), Barrier(8)

    def ask() -> int:
        together.wait()
        return cache.get_or_compute("key", lambda: next(numbers))

    with ThreadPoolExecutor(8) as threads:
        assert {each.result() for each in [threads.submit(ask) for _ in range(8)]} == {3}
