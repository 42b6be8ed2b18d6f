"""Set cover: dominance reductions and a greedy answer. `cover[c, p]`: candidate c serves place p."""

from __future__ import annotations

from typing import Final

import numpy as np

from geo.coverage.siting.instance import Mask, Rows

_BLOCK: Final = 1_024


def without_dominated(cover: Mask) -> tuple[Rows, Mask]:
    """Drop candidates and places that do not change the least number of sites.

    1. Places served by the same candidates are one.
    2. A place is implied by another one if every candidate that serves the other serves it too.
    3. A candidate is dominated if another one serves all the places it serves.

    Each step can enable the others, so they are repeated until nothing changes.

    Returns
    -------
    Rows of the candidates left, and their part of `cover`.
    """
    candidates = np.arange(len(cover))
    while True:
        size = cover.shape
        cover = np.unique(cover, axis=1)  # 1
        # 2: the servers of q are among those of p exactly if the non-servers of p are among those of q.
        cover = cover[:, ~_contained(~cover.T)]
        useful = ~_contained(cover) & cover.any(axis=1)  # 3
        candidates, cover = candidates[useful], cover[useful]
        if cover.shape == size:
            return candidates, cover


def _contained(sets: Mask) -> Mask:
    """Return which rows are subsets of another row; of equal rows, all but the first."""
    table = sets.astype(np.float32)
    size = table.sum(axis=1)
    number = np.arange(len(sets))
    contained = np.zeros(len(sets), dtype=bool)
    for start in range(0, len(sets), _BLOCK):
        block = slice(start, start + _BLOCK)
        # Row i is a subset of row j if they have as many members in common as i has.
        part = table[block] @ table.T == size[block, None]
        other = (size > size[block, None]) | (number < number[block, None])
        contained[block] = (part & other).any(axis=1)
    return contained


def greedy_cover(cover: Mask) -> Rows:
    """Choose the candidate that serves most unserved places, until all are served."""
    chosen = []
    left = np.ones(cover.shape[1], dtype=bool)
    while left.any():
        chosen.append(int(cover[:, left].sum(axis=1).argmax()))
        left &= ~cover[chosen[-1]]
    return np.array(chosen, dtype=np.intp)
