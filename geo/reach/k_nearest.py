"""The k nearest sites of every node, for networks whose table of sites × nodes would not fit in memory.

One label-setting search from all sites at once: each node settles the first k sites that reach it,
and only those are propagated further (multi-label form of Dijkstra, 1959). It is compiled if the
extra `fast` (numba) is installed: see `geo.reach.label_search`. Otherwise SciPy runs one search per
site, which takes far longer.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra


def k_nearest(
    reversed_graph: csr_array, sites: NDArray[np.intp], k: int
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Find the k sites with the shortest travel time from every node.

    Parameters
    ----------
    reversed_graph
        Seconds from node to node with every edge reversed, shape (n, n): see `geo.reach.graph.matrix`.
    sites
        Node of each site, shape (s,).
    k
        Number of sites, at least 1.

    Returns
    -------
    Seconds and rows of `sites`, both of shape (n, k), nearest first; inf and -1 where fewer than k
    sites can be reached.
    """
    search = _compiled_search()
    if search is None:
        return k_nearest_by_site(reversed_graph, sites, k)
    seconds = np.full((reversed_graph.shape[0], k), np.inf, dtype=np.float32)
    row = np.full(seconds.shape, -1, dtype=np.int32)
    search(
        reversed_graph.indptr.astype(np.int64, copy=False),
        reversed_graph.indices.astype(np.int32, copy=False),
        reversed_graph.data.astype(np.float32),
        sites.astype(np.int32),
        seconds,
        row,
    )
    return seconds, row


def k_nearest_by_site(
    reversed_graph: csr_array, sites: NDArray[np.intp], k: int
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Compute the same result with one SciPy search per site.

    INVARIANT: before each site the first k columns hold the k nearest sites so far; the new one goes
    into column k and the row is sorted again. The sort is stable, so earlier sites win ties.
    """
    seconds = np.full((reversed_graph.shape[0], k + 1), np.inf, dtype=np.float32)
    row = np.full(seconds.shape, -1, dtype=np.int32)
    for site, node in enumerate(sites):
        seconds[:, k] = dijkstra(reversed_graph, indices=node)
        row[:, k] = np.where(np.isfinite(seconds[:, k]), site, -1)
        order = np.argsort(seconds, axis=1, kind="stable")
        seconds = np.take_along_axis(seconds, order, axis=1)
        row = np.take_along_axis(row, order, axis=1)
    return seconds[:, :k].copy(), row[:, :k].copy()


def _compiled_search() -> Callable[..., None] | None:
    try:
        search: Callable[..., None] = import_module("geo.reach.label_search").search
    except ImportError:
        return None
    return search
