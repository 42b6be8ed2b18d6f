"""A thread-safe cache of the values last used."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class LruCache(Generic[Value]):
    """The `size` values last used, by key; each is computed once, whatever the number of threads.

    Computations of one cache run one at a time, so that two threads never compute the same value.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = Lock()
        self._computing = Lock()

    def get(self, key: Hashable) -> Value | None:
        """Return the cached value of a key, or None."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def get_or_compute(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """Return the cached value of a key, computed first if it is not cached.

        Parameters
        ----------
        compute
            Called without arguments; must not return None.
        """
        value = self.get(key)
        if value is not None:
            return value
        with self._computing:
            value = self.get(key)
            if value is None:
                value = compute()
                with self._lock:
                    self._values[key] = value
                    while len(self._values) > self._size:
                        self._values.popitem(last=False)
        return value
