"""Cells of a grid cut along the boundaries of communes, by share of area.

Areal weighting: inhabitants are taken to be spread evenly over a cell, so that a part of it holds
as large a share of them as of its area (Goodchild & Lam, 1980). Ground that no commune of the
territory covers is left out.
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
"""Parts smaller than this share of their cell are left out: a boundary that brushes an edge."""


@dataclass(frozen=True)
class Parts:
    """Parts of cells, each in one commune; sorted by cell, then by commune. q parts.

    Attributes
    ----------
    cell
        Shape (q,): row of the cell it is a part of.
    commune
        Shape (q,): INSEE code.
    share
        Shape (q,): of the cell's area, in (0, 1].
    xy
        Shape (q, 2): a point of the part (the centre of a whole cell), metric CRS, metres.
    """

    cell: NDArray[np.intp]
    commune: NDArray[np.str_]
    share: NDArray[np.float64]
    xy: NDArray[np.float64]


def cut(cells: NDArray[np.object_], territory: Territory) -> Parts:
    """Cut cells along the communes of a territory.

    Parameters
    ----------
    cells
        Polygons in the metric CRS of the territory, shape (n,).
    """
    communes = reproject([c.boundary for c in territory.communes], source=WGS84, target=territory.metric_crs)
    codes = np.array([c.code for c in territory.communes], dtype=np.str_)
    cell, commune = shapely.STRtree(communes).query(cells, predicate="intersects")
    shapely.prepare(communes)
    whole = shapely.contains_properly(communes[commune], cells[cell])
    parts = cells[cell]
    parts[~whole] = shapely.intersection(parts[~whole], communes[commune[~whole]])
    share = np.where(whole, 1.0, shapely.area(parts) / shapely.area(cells[cell]))
    kept = np.flatnonzero(share > SLIVER)
    kept = kept[np.lexsort((codes[commune[kept]], cell[kept]))]
    inner = np.where(whole[kept], shapely.centroid(parts[kept]), shapely.point_on_surface(parts[kept]))
    return Parts(
        cell=cell[kept],
        commune=codes[commune[kept]],
        share=np.minimum(share[kept], 1.0),
        xy=shapely.get_coordinates(inner).reshape(-1, 2),
    )
