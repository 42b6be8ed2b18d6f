"""The k nearest sites of every node at once, for networks whose full table would not fit.

A label-setting search from all sites together: each node takes the first k sites that reach it, and
only those go on from there (the multi-label form of Dijkstra's algorithm). Compiled when the extra
`fast` (numba) is installed; otherwise SciPy sweeps from each site, which takes far longer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra


def k_nearest(
    reversed_graph: csr_array, sites: NDArray[np.intp], k: int
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """The k sites with the shortest way from every node.

    Parameters
    ----------
    reversed_graph
        Seconds from node to node, every edge turned round, shape (n, n): see `geo.reach.graph.matrix`.
    sites
        Node of each site, shape (s,).
    k
        How many sites, at least 1.

    Returns
    -------
    Seconds and rows of `sites`, both of shape (n, k), nearest first; inf and -1 where fewer than k
    sites can be reached.
    """
    search = _compiled()
    if search is None:
        return by_sweeps(reversed_graph, sites, k)
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


def by_sweeps(
    reversed_graph: csr_array, sites: NDArray[np.intp], k: int
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """The same answer by one SciPy sweep from each site."""
    seconds = np.full((reversed_graph.shape[0], k + 1), np.inf, dtype=np.float32)
    row = np.full(seconds.shape, -1, dtype=np.int32)
    for site, node in enumerate(sites):
        seconds[:, k] = dijkstra(reversed_graph, indices=node)
        row[:, k] = np.where(np.isfinite(seconds[:, k]), site, -1)
        order = np.argsort(seconds, axis=1, kind="stable")
        seconds = np.take_along_axis(seconds, order, axis=1)
        row = np.take_along_axis(row, order, axis=1)
    return seconds[:, :k].copy(), row[:, :k].copy()


@lru_cache(maxsize=1)
def _compiled() -> Callable[..., None] | None:
    try:
        numba = import_module("numba")
    except ImportError:
        return None
    compiled: Callable[..., None] = numba.njit(cache=True)(_search)
    return compiled


def _search(start: Any, target: Any, cost: Any, sites: Any, seconds: Any, row: Any) -> None:
    """Fill `seconds` and `row` from a binary heap of (seconds, node, site) labels."""
    k = seconds.shape[1]
    taken = np.zeros(seconds.shape[0], dtype=np.int32)
    room = max(1_024, 2 * len(sites))
    keys, nodes, origins = (
        np.empty(room, np.float32),
        np.empty(room, np.int32),
        np.empty(room, np.int32),
    )
    size = 0
    for site in range(len(sites)):
        keys[size], nodes[size], origins[size] = 0.0, sites[site], site
        size += 1
    while size:
        key, node, origin = keys[0], nodes[0], origins[0]
        size -= 1
        last_key, last_node, last_origin = keys[size], nodes[size], origins[size]
        hole = 0
        while True:
            child = 2 * hole + 1
            if child >= size:
                break
            if child + 1 < size and keys[child + 1] < keys[child]:
                child += 1
            if keys[child] >= last_key:
                break
            keys[hole], nodes[hole], origins[hole] = keys[child], nodes[child], origins[child]
            hole = child
        if size:
            keys[hole], nodes[hole], origins[hole] = last_key, last_node, last_origin
        many = taken[node]
        if many == k:
            continue
        known = False
        for rank in range(many):
            if row[node, rank] == origin:
                known = True
                break
        if known:
            continue
        seconds[node, many], row[node, many] = key, origin
        taken[node] = many + 1
        for edge in range(start[node], start[node + 1]):
            other = target[edge]
            had = taken[other] == k
            for rank in range(taken[other]):
                if row[other, rank] == origin:
                    had = True
                    break
            if had:
                continue
            if size == room:
                room *= 2
                grown_keys, grown_nodes, grown_origins = (
                    np.empty(room, np.float32),
                    np.empty(room, np.int32),
                    np.empty(room, np.int32),
                )
                grown_keys[:size], grown_nodes[:size], grown_origins[:size] = (
                    keys[:size],
                    nodes[:size],
                    origins[:size],
                )
                keys, nodes, origins = grown_keys, grown_nodes, grown_origins
            new = key + cost[edge]
            hole = size
            size += 1
            while hole:
                parent = (hole - 1) // 2
                if keys[parent] <= new:
                    break
                keys[hole], nodes[hole], origins[hole] = keys[parent], nodes[parent], origins[parent]
                hole = parent
            keys[hole], nodes[hole], origins[hole] = new, other, origin
