"""Distance to sites as a straight line times a detour factor.

A first estimate: no roads, no rivers, no travel time. Each answer made of it says so
(`METHOD`). The factor stands for the ratio of road distance to straight distance; 1.3 is a
usual value for European road networks, and a setting.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo.errors import InvalidCrs

METHOD: Final = "straight_line"
LABEL: Final = "estimation à vol d'oiseau"


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
            raise InvalidCrs(
                "Un point de départ est hors de la zone de projection.",
                "Vérifiez l'ordre des coordonnées : longitude, puis latitude.",
            )
        m = len(origins)
        distance = np.full((m, k), np.inf)
        row = np.full((m, k), -1, dtype=np.intp)
        if self._tree is None:
            return distance, row
        found = min(k, self._tree.n)
        d, i = self._tree.query(origins, k=np.arange(1, found + 1), workers=workers)
        distance[:, :found] = d
        row[:, :found] = self._rows[i]
        distance *= self.detour_factor
        ties = (distance[:, 1:] == distance[:, :-1]).any(axis=1) if k > 1 else np.zeros(m, bool)
        for each in np.flatnonzero(ties):
            order = np.lexsort((row[each], distance[each]))
            distance[each], row[each] = distance[each][order], row[each][order]
        return distance, row
