"""Areal weighting: split grid cells along commune boundaries, by share of area.

Inhabitants are assumed to be spread evenly over a cell, so that each part has the same share of them
as of the area (Goodchild and Lam, 1980). Parts outside the communes of the territory are dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.crs import WGS84, reproject
from geo.territory.model import Territory

SLIVER: Final = 1e-6
"""Parts smaller than this share of their cell are dropped: boundaries that touch along an edge."""


@dataclass(frozen=True)
class CellParts:
    """q parts of cells, each in one commune; sorted by cell, then by commune.

    Attributes
    ----------
    cell
        Shape (q,): row of its cell.
    commune
        Shape (q,): INSEE code.
    share
        Shape (q,): share of the cell's area, in (0, 1].
    xy
        Shape (q, 2): a point inside the part (the centre of an undivided cell), metric CRS, metres.
    """

    cell: NDArray[np.intp]
    commune: NDArray[np.str_]
    share: NDArray[np.float64]
    xy: NDArray[np.float64]


def split_cells(cells: NDArray[np.object_], territory: Territory) -> CellParts:
    """Split cells along the communes of a territory.

    Parameters
    ----------
    cells
        Polygons in the metric CRS of the territory, shape (n,).
    """
    communes = reproject([c.boundary for c in territory.communes], source=WGS84, target=territory.metric_crs)
    codes = np.array([c.code for c in territory.communes], dtype=np.str_)
    cell, commune = shapely.STRtree(communes).query(cells, predicate="intersects")
    # Most cells lie in the interior of one commune; only the others need an intersection.
    shapely.prepare(communes)
    whole = shapely.contains_properly(communes[commune], cells[cell])
    parts = cells[cell]
    parts[~whole] = shapely.intersection(parts[~whole], communes[commune[~whole]])
    share = np.where(whole, 1.0, shapely.area(parts) / shapely.area(cells[cell]))
    used = np.flatnonzero(share > SLIVER)
    used = used[np.lexsort((codes[commune[used]], cell[used]))]
    inner = np.where(whole[used], shapely.centroid(parts[used]), shapely.point_on_surface(parts[used]))
    return CellParts(
        cell=cell[used],
        commune=codes[commune[used]],
        share=np.minimum(share[used], 1.0),
        xy=shapely.get_coordinates(inner).reshape(-1, 2),
    )
