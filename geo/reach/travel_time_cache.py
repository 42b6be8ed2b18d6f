"""Node times kept on disk: one row for each site ever swept, memory-mapped, shared by workers.

A folder belongs to one graph, one mode and one way of joining places to it; when any of these
changes, it is another folder. Rows are only ever added, under a lock; a process that dies while
adding leaves a tail that the next one cuts off.
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


class KeptTimes:
    """Rows of times over n nodes, by position of the site.

    Parameters
    ----------
    folder
        Where the rows lie; made if need be.
    nodes
        Length of a row, n.
    """

    def __init__(self, folder: Path, nodes: int) -> None:
        self._folder = folder
        self._nodes = nodes
        self._times = folder / "times.f32"
        self._keys = folder / "sites.i64"
        folder.mkdir(parents=True, exist_ok=True)

    def known(self, site_xy: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
        """The kept table, shape (kept, n), and the row in it of each site, -1 where it has none.

        Parameters
        ----------
        site_xy
            Shape (s, 2), metres, finite; sites within the same decimetre are one.
        """
        row_of = self._read_keys()
        rows = np.array([row_of.get(key, -1) for key in _keys(site_xy)], dtype=np.intp)
        return self._table(len(row_of)), rows

    def add(
        self,
        site_xy: NDArray[np.float64],
        sweep: Callable[[NDArray[np.intp]], Iterable[NDArray[np.float32]]],
    ) -> None:
        """Keep the times of sites that have no row yet.

        Parameters
        ----------
        sweep
            Rows of `site_xy` → batches of times, shape (some, n), in the same order.
        """
        with self._alone():
            row_of = self._read_keys(mend=True)
            missing: dict[tuple[int, ...], int] = {}
            for place, key in enumerate(_keys(site_xy)):
                if key not in row_of:
                    missing.setdefault(key, place)
            if missing:
                self._append(list(missing), sweep(np.array(list(missing.values()), dtype=np.intp)))

    def _table(self, rows: int) -> NDArray[np.float32]:
        if not rows:
            return np.empty((0, self._nodes), np.float32)
        return np.memmap(self._times, np.float32, "r", shape=(rows, self._nodes))

    def _read_keys(self, *, mend: bool = False) -> dict[tuple[int, ...], int]:
        if not self._keys.exists():
            return {}
        raw = self._keys.read_bytes()
        whole = min(len(raw) // KEY_BYTES, self._whole_rows())
        if mend:
            os.truncate(self._keys, whole * KEY_BYTES)
        found = np.frombuffer(raw[: whole * KEY_BYTES], dtype=np.int64).reshape(-1, 2)
        return {tuple(key): row for row, key in enumerate(found.tolist())}

    def _whole_rows(self) -> int:
        size = self._times.stat().st_size if self._times.exists() else 0
        return size // (4 * self._nodes) if self._nodes else 0

    def _append(self, keys: list[tuple[int, ...]], batches: Iterable[NDArray[np.float32]]) -> None:
        known = self._keys.stat().st_size // KEY_BYTES if self._keys.exists() else 0
        with self._times.open("ab") as times:
            times.truncate(known * self._nodes * 4)
            for batch in batches:
                times.write(np.ascontiguousarray(batch, dtype=np.float32).data)
        with self._keys.open("ab") as written:
            written.write(np.array(keys, dtype=np.int64).tobytes())

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _keys(site_xy: NDArray[np.float64]) -> list[tuple[int, ...]]:
    return [tuple(key) for key in np.round(site_xy * DECIMETRES).astype(np.int64).tolist()]


def forget_others(folder: Path, kept: Iterable[str]) -> None:
    """Remove the folders of graphs no longer used; workers that still map them keep their pages."""
    names = set(kept)
    for other in folder.iterdir() if folder.is_dir() else ():
        if other.is_dir() and other.name not in names:
            shutil.rmtree(other, ignore_errors=True)
