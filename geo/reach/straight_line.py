"""Travel estimated from straight lines: distance times a detour factor, at a mean speed.

Used without a road graph; it ignores roads and rivers, and answers based on it say so (`METHOD`). The
detour factor (circuity) is the ratio of road distance to straight-line distance; 1.3, the default of
the setting, is a common value for European road networks.
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
"""Mean speed along the estimated distance, door to door, km/h: a convention, shown with every result."""


def seconds(
    place_xy: NDArray[np.float64], site_xy: NDArray[np.float64], mode: Mode, *, detour_factor: float
) -> NDArray[np.float32]:
    """Estimate travel times: straight-line distance times the detour factor, at the mode's mean speed.

    Parameters
    ----------
    place_xy, site_xy
        Shapes (p, 2) and (s, 2), metric CRS; NaN where not located.

    Returns
    -------
    Shape (s, p), seconds; inf where either end is not located.
    """
    metres = cdist(site_xy, place_xy) * detour_factor
    times: NDArray[np.float32] = (metres / (SPEED_KMH[mode] / 3.6)).astype(np.float32)
    times[np.isnan(times)] = np.inf
    return times


class SiteTree:
    """k-d tree over the located sites, searched by straight-line distance.

    Parameters
    ----------
    xy
        Sites in a metric CRS, shape (n, 2); rows with NaN (not located) are never returned.
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
        """Find the k nearest sites of each origin, nearest first.

        Parameters
        ----------
        origins
            Points in the same metric CRS, shape (m, 2), finite.
        k
            Number of sites, at least 1.
        workers
            Number of threads.

        Returns
        -------
        Distances in metres, detour included, and rows of `xy`, both of shape (m, k); inf and -1
        where fewer than k sites are located. At equal distance the lower row comes first.

        Raises
        ------
        InvalidCrs
            If an origin is not finite.
        """
        if not np.isfinite(origins).all():
            raise InvalidCrs(_OUTSIDE, _ORDER)
        if self._tree is None:
            return np.full((len(origins), k), np.inf), np.full((len(origins), k), -1, dtype=np.intp)
        available = min(k, self._tree.n)
        distance, row = self._tree.query(origins, k=np.arange(1, available + 1), workers=workers)
        distance *= self.detour_factor
        _sort_ties_by_row(distance, row)
        if not self._all_located:
            row = self._rows[row]
        if available < k:
            absent = ((0, 0), (0, k - available))
            distance = np.pad(distance, absent, constant_values=np.inf)
            row = np.pad(row, absent, constant_values=-1)
        return distance, row

    def nearest_of(self, x: float, y: float, *, k: int) -> list[tuple[float, int]]:
        """Find the k nearest sites of one origin, nearest first; faster than `nearest` for one point.

        Returns
        -------
        (distance in metres, detour included; row of `xy`) of each site, at most k.

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


def _sort_ties_by_row(distance: NDArray[np.float64], row: NDArray[np.intp]) -> None:
    """Sort the sites of each origin that are equally far by row, in place.

    The k-d tree returns ties in the order of its leaves, which depends on the other sites.
    """
    equal = distance[:, 1:] == distance[:, :-1]
    if not equal.any():
        return
    for each in np.flatnonzero(equal.any(axis=1)):
        order = np.lexsort((row[each], distance[each]))
        distance[each], row[each] = distance[each][order], row[each][order]
