"""Distance to sites as a straight line times a detour factor.

A first estimate: no roads, no rivers, no travel time. Each answer made of it says so
(`METHOD`). The factor stands for the ratio of road distance to straight distance; 1.3 is a
usual value for European road networks, and a setting.
"""

from __future__ import annotations

from math import isfinite
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from geo.errors import InvalidCrs
from geo.reach.modes import Mode

METHOD: Final = "straight_line"
LABEL: Final = "estimation à vol d'oiseau"

_OUTSIDE: Final = "Un point de départ est hors de la zone de projection."
_ORDER: Final = "Vérifiez l'ordre des coordonnées : longitude, puis latitude."

SPEED_KMH: Final = {Mode.CAR: 45.0, Mode.BICYCLE: 15.0, Mode.FOOT: 4.5}
"""Mean speed along the estimated distance, door to door: a convention, told with every result."""


def seconds(
    place_xy: NDArray[np.float64], site_xy: NDArray[np.float64], mode: Mode, *, detour_factor: float
) -> NDArray[np.float32]:
    """Estimated travel times: straight distance, times the detour factor, at the mode's mean speed.

    Parameters
    ----------
    place_xy, site_xy
        Shapes (p, 2) and (s, 2), metric CRS; NaN where not located.

    Returns
    -------
    Shape (s, p), seconds; inf where either end is not located.
    """
    metres = cdist(site_xy, place_xy) * detour_factor
    found: NDArray[np.float32] = (metres / (SPEED_KMH[mode] / 3.6)).astype(np.float32)
    found[np.isnan(found)] = np.inf
    return found


class SiteTree:
    """Located sites, ready to be searched by distance.

    Parameters
    ----------
    xy
        Sites in a metric CRS, shape (n, 2); rows with NaN (not located) are never found.
    detour_factor
        Road distance divided by straight-line distance, at least 1.
    """

    def __init__(self, xy: NDArray[np.float64], *, detour_factor: float) -> None:
        self.detour_factor = detour_factor
        self._rows = np.flatnonzero(np.isfinite(xy).all(axis=1))
        self._all_located = len(self._rows) == len(xy)
        self._tree = cKDTree(xy[self._rows]) if len(self._rows) else None

    def nearest(
        self, origins: NDArray[np.float64], *, k: int = 1, workers: int = 1
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """The k nearest sites of each origin, nearest first.

        Parameters
        ----------
        origins
            Points in the same metric CRS, shape (m, 2), finite.
        k
            How many sites, at least 1.
        workers
            Threads to use.

        Returns
        -------
        Distances in metres, detour included, and rows of `xy`, both of shape (m, k). Where fewer
        than k sites are located, the distance is inf and the row -1. Among those returned, at
        equal distance the site of the lower row comes first.

        Raises
        ------
        InvalidCrs
            If an origin is not finite.
        """
        if not np.isfinite(origins).all():
            raise InvalidCrs(_OUTSIDE, _ORDER)
        if self._tree is None:
            return np.full((len(origins), k), np.inf), np.full((len(origins), k), -1, dtype=np.intp)
        found = min(k, self._tree.n)
        distance, row = self._tree.query(origins, k=np.arange(1, found + 1), workers=workers)
        distance *= self.detour_factor
        _settle_ties(distance, row)
        if not self._all_located:
            row = self._rows[row]
        if found < k:
            absent = ((0, 0), (0, k - found))
            distance = np.pad(distance, absent, constant_values=np.inf)
            row = np.pad(row, absent, constant_values=-1)
        return distance, row

    def nearest_of(self, x: float, y: float, *, k: int) -> list[tuple[float, int]]:
        """The k nearest sites of one origin, nearest first: as `nearest`, without its arrays.

        Returns
        -------
        Distance in metres, detour included, and row of `xy`, for each site found: at most k.

        Raises
        ------
        InvalidCrs
            If the origin is not finite.
        """
        if not (isfinite(x) and isfinite(y)):
            raise InvalidCrs(_OUTSIDE, _ORDER)
        if self._tree is None:
            return []
        distance, row = self._tree.query((x, y), k=np.arange(1, min(k, self._tree.n) + 1))
        rows = row if self._all_located else self._rows[row]
        return sorted(zip((distance * self.detour_factor).tolist(), rows.tolist(), strict=True))


def _settle_ties(distance: NDArray[np.float64], row: NDArray[np.intp]) -> None:
    """Order equal distances of one origin by row, in place."""
    equal = distance[:, 1:] == distance[:, :-1]
    if not equal.any():
        return
    for each in np.flatnonzero(equal.any(axis=1)):
        order = np.lexsort((row[each], distance[each]))
        distance[each], row[each] = distance[each][order], row[each][order]
