"""Row numbers of variable-length ranges laid end to end (the CSR layout of shape points)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def concatenate_ranges(
    first: NDArray[np.integer], length: NDArray[np.integer]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """List the rows of many ranges, one range after the other.

    Parameters
    ----------
    first, length
        Shape (r,): first row and number of rows of each range.

    Returns
    -------
    Range that each listed row belongs to, and the row; both of shape (sum of lengths,).
    `concatenate_ranges([5, 0], [2, 3])` gives `[0, 0, 1, 1, 1]` and `[5, 6, 0, 1, 2]`.
    """
    offset = np.cumsum(length) - length
    owner = np.repeat(np.arange(len(length)), length)
    return owner, np.arange(len(owner)) + np.repeat(first - offset, length)
