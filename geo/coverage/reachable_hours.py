"""Hours reachable: hours per week during which at least one site within reach is open.

Two sites open at the same time count once: the measure is when a person can find help, not how
much. Definitions and limits: docs/opening.md.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

QUARTERS: Final = 7 * 24 * 4
"""Quarter hours in a week, starting on Monday at 0:00."""

_WORDS: Final = -(-QUARTERS // 64)
_GROUP: Final = 8
_BLOCK: Final = 4_096
"""Number of places computed at once: their masks fit in the processor's cache."""


def hours_reachable(
    times: NDArray[np.float32], masks: NDArray[np.bool_], within_s: float
) -> NDArray[np.float64]:
    """Compute the hours per week during which at least one site within reach is open.

    The method of the Four Russians (Arlazarov, Dinic, Kronrod and Faradžev, 1970): sites are taken in
    groups of eight, the union of open quarter hours is tabulated for each of the 256 subsets of a
    group, and each place looks up its own subset: one union per eight sites instead of one per site.

    Parameters
    ----------
    times
        Travel times in seconds, shape (sites, places); inf where not reachable.
    masks
        Open quarter hours of each site, shape (sites, 672), from `geo.hours.weekly.weekly_mask`;
        all False where hours are unknown.
    within_s
        Longest travel time that counts, seconds, inclusive.

    Returns
    -------
    Shape (places,), hours per week in [0, 168], in steps of a quarter hour.
    """
    sites, places = times.shape
    groups = -(-sites // _GROUP)
    open_at = np.zeros((groups * _GROUP, _WORDS * 64), dtype=bool)
    open_at[:sites, :QUARTERS] = masks
    tables = _unions(np.packbits(open_at, axis=1).view(np.uint64).reshape(groups, _GROUP, _WORDS))
    hours = np.empty(places)
    for start in range(0, places, _BLOCK):
        block = slice(start, start + _BLOCK)
        # One byte per place and group: bit s is set if site s of the group is within reach.
        subsets = np.packbits(times[:, block] <= within_s, axis=0, bitorder="little")
        union = np.zeros((subsets.shape[1], _WORDS), dtype=np.uint64)
        for table, subset in zip(tables, subsets, strict=True):
            union |= table[subset]
        hours[block] = np.bitwise_count(union).sum(axis=1) / 4
    return hours


def _unions(masks: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the union of masks of each subset of each group: (groups, 8, words) → (groups, 256, words).

    Built by doubling: the subsets with bit b are those without it, united with mask b.
    """
    tables = np.zeros((len(masks), 1 << _GROUP, _WORDS), dtype=np.uint64)
    for bit in range(_GROUP):
        half = 1 << bit
        tables[:, half : 2 * half] = tables[:, :half] | masks[:, bit, None]
    return tables
