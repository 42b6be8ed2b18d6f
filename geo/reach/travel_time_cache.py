"""On-disk cache of travel times: for each site, the times from every node of the graph.

    times.f32    float32, n per row; memory-mapped, so that workers share its pages
    sites.i64    two int64 per row: position of the site in decimetres

A folder belongs to one graph, one mode and one approach speed; another value of any of them uses
another folder. Rows are only appended, under a lock between processes, times before keys.

INVARIANT: row i of both files belongs to the same site, and a key is only written once its times
are complete. A process that dies while appending leaves an incomplete tail, ignored by readers and
cut off by the next writer.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

KEY_BYTES: Final = 16
DECIMETRES: Final = 10


class TravelTimeCache:
    """Rows of travel times over n nodes, looked up by position of the site.

    Parameters
    ----------
    folder
        Folder of the two files; created if missing.
    nodes
        Length of a row, n.
    """

    def __init__(self, folder: Path, nodes: int) -> None:
        self._folder = folder
        self._nodes = nodes
        self._times = folder / "times.f32"
        self._keys = folder / "sites.i64"
        folder.mkdir(parents=True, exist_ok=True)

    def lookup(self, site_xy: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
        """Return the stored table, shape (rows, n), and the row of each site in it; -1 if absent.

        Parameters
        ----------
        site_xy
            Shape (s, 2), metres, finite; positions rounded to the same decimetre share a row.
        """
        row_of = self._read_keys()
        rows = np.array([row_of.get(key, -1) for key in _keys(site_xy)], dtype=np.intp)
        return self._table(len(row_of)), rows

    def add(
        self,
        site_xy: NDArray[np.float64],
        compute: Callable[[NDArray[np.intp]], Iterable[NDArray[np.float32]]],
    ) -> None:
        """Compute and store the times of sites that have no row yet.

        Parameters
        ----------
        compute
            Takes rows of `site_xy`; yields batches of times, shape (some, n), in the same order.
        """
        with self._lock():
            # Read again under the lock: another process may have added these sites meanwhile.
            row_of = self._read_keys(repair=True)
            missing: dict[tuple[int, ...], int] = {}
            for place, key in enumerate(_keys(site_xy)):
                if key not in row_of:
                    missing.setdefault(key, place)
            if missing:
                self._append(list(missing), compute(np.array(list(missing.values()), dtype=np.intp)))

    def _table(self, rows: int) -> NDArray[np.float32]:
        if not rows:
            return np.empty((0, self._nodes), np.float32)
        return np.memmap(self._times, np.float32, "r", shape=(rows, self._nodes))

    def _read_keys(self, *, repair: bool = False) -> dict[tuple[int, ...], int]:
        if not self._keys.exists():
            return {}
        raw = self._keys.read_bytes()
        complete = min(len(raw) // KEY_BYTES, self._complete_rows())
        if repair:
            os.truncate(self._keys, complete * KEY_BYTES)
        keys = np.frombuffer(raw[: complete * KEY_BYTES], dtype=np.int64).reshape(-1, 2)
        return {tuple(key): row for row, key in enumerate(keys.tolist())}

    def _complete_rows(self) -> int:
        size = self._times.stat().st_size if self._times.exists() else 0
        return size // (4 * self._nodes) if self._nodes else 0

    def _append(self, keys: list[tuple[int, ...]], batches: Iterable[NDArray[np.float32]]) -> None:
        stored = self._keys.stat().st_size // KEY_BYTES if self._keys.exists() else 0
        with self._times.open("ab") as times:
            # Times without a key are the tail of an interrupted write.
            times.truncate(stored * self._nodes * 4)
            for batch in batches:
                times.write(np.ascontiguousarray(batch, dtype=np.float32).data)
        with self._keys.open("ab") as stream:
            stream.write(np.array(keys, dtype=np.int64).tobytes())

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _keys(site_xy: NDArray[np.float64]) -> list[tuple[int, ...]]:
    return [tuple(key) for key in np.round(site_xy * DECIMETRES).astype(np.int64).tolist()]


def remove_other_times(folder: Path, keep: str) -> None:
    """Remove the times of every graph but one; workers that still map them keep their pages.

    Parameters
    ----------
    keep
        Checksum of the graph in use, which names its folder.
    """
    for other in folder.iterdir() if folder.is_dir() else ():
        if other.is_dir() and other.name != keep:
            shutil.rmtree(other, ignore_errors=True)
