"""The compiled search behind `geo.reach.k_nearest`. Importing this module needs numba."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any

import numba
import numpy as np


def _contains(row: Any, node: int, count: int, site: int) -> bool:
    for rank in range(count):  # noqa: SIM110 - any() over a generator does not compile
        if row[node, rank] == site:
            return True
    return False


contains: Callable[..., bool] = numba.njit(cache=True)(_contains)


def _search(start: Any, target: Any, cost: Any, sites: Any, seconds: Any, row: Any) -> None:
    """Fill `seconds` and `row`, both of shape (n, k), in place.

    `start`, `target` and `cost` are the reversed graph in CSR form; `sites` holds the node of each
    site. The heap holds labels (seconds, node, site): "from this node, the site is this far".

    INVARIANT: labels pop in order of time, so the first k different sites that pop at a node are its
    k nearest. Later labels of a full node can be dropped: every path through them is longer than k
    paths to other sites already found there. (Multi-label variant of Dijkstra, 1959.)
    """
    k = seconds.shape[1]
    settled = np.zeros(seconds.shape[0], dtype=np.int32)
    labels = [(np.float32(0.0), node, np.int32(site)) for site, node in enumerate(sites)]
    heapify(labels)
    while labels:
        time, node, site = heappop(labels)
        rank = settled[node]
        # A site may reach a node by several paths; only its first label, the shortest, counts.
        if rank == k or contains(row, node, rank, site):
            continue
        seconds[node, rank], row[node, rank] = time, site
        settled[node] = rank + 1
        for edge in range(start[node], start[node + 1]):
            other = target[edge]
            # Not required for the result, as such labels are dropped when they pop, but it keeps
            # the heap several times smaller.
            if settled[other] < k and not contains(row, other, settled[other], site):
                heappush(labels, (time + cost[edge], other, site))


search: Callable[..., None] = numba.njit(cache=True)(_search)
