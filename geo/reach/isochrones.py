"""Isochrones: what lies within so many minutes of a point, as polygons.

By road: the time of each point of the roads is interpolated along its edge, carried to a grid, and
from there across the land beside the roads at the approach speed, up to `BESIDE_M`. Each cell gets
the band of its time; bands are simplified together, so that they still fit one another, and an
isochrone is the union of its bands: a longer one always holds a shorter. Without roads: circles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from shapely import MultiPolygon

from geo.errors import ImpossibleQuestion
from geo.reach import straight_line
from geo.reach.graph import RoadGraph
from geo.reach.modes import Mode
from geo.reach.snapping import Joined
from geo.reach.travel import Travel

MINUTES: Final = (5, 10, 15, 20, 30, 45)
BESIDE_M: Final = 500
"""How far from a road land still counts as reached, metres."""
CELL_M: Final = {Mode.CAR: 100.0, Mode.BICYCLE: 50.0, Mode.FOOT: 25.0}
"""Side of a grid cell, metres."""
CELLS_MAX: Final = 4_000_000


@dataclass(frozen=True)
class Isochrone:
    """What lies within `minutes`; `area` in the metric CRS of the territory."""

    minutes: int
    area: MultiPolygon


def isochrones(
    travel: Travel,
    xy: tuple[float, float],
    mode: Mode,
    minutes: Sequence[int] = MINUTES,
    *,
    outward: bool = False,
) -> tuple[Isochrone, ...]:
    """Isochrones of one point, the shortest first.

    Parameters
    ----------
    xy
        The point, metric CRS.
    outward
        False: from where the point is reached in time (who can come). True: what is reached from it.

    Raises
    ------
    ImpossibleQuestion
        If no road can be joined from the point.
    """
    minutes = sorted(set(minutes))
    if travel.graph is None:
        metres_a_minute = straight_line.SPEED_KMH[mode] * 1_000 / 60 / travel.detour_factor
        point = shapely.Point(xy)
        return tuple(Isochrone(m, MultiPolygon([point.buffer(m * metres_a_minute)])) for m in minutes)
    limit_s = minutes[-1] * 60.0
    nodes, joined = travel.around(xy, mode, outward=outward, limit_s=limit_s)
    ab, ba = travel.graph.seconds[mode].T.astype(np.float64)
    both = (ba, ab) if outward else (ab, ba)
    road_xy, road_s = _along_roads(travel.graph, both, nodes, joined, CELL_M[mode] / 2, limit_s)
    if not len(road_s):
        raise ImpossibleQuestion(
            f"Aucune route praticable {mode.label} ne part de ce point.",
            "Choisissez un point plus proche d'une route, ou un autre mode de déplacement.",
        )
    approach_m_s = travel.approach_kmh(mode) / 3.6
    seconds, corner, cell_m = _grid(road_xy, road_s, CELL_M[mode], approach_m_s)
    bands = _bands(seconds, [m * 60.0 for m in minutes], corner, cell_m)
    found, so_far = [], MultiPolygon()
    for each, band in zip(minutes, bands, strict=True):
        so_far = _multi(shapely.union(so_far, band))
        found.append(Isochrone(each, so_far))
    return tuple(found)


def _along_roads(
    graph: RoadGraph,
    both: tuple[NDArray[np.float64], NDArray[np.float64]],
    nodes: NDArray[np.float32],
    joined: Joined,
    step_m: float,
    limit_s: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points of the roads every `step_m`, and the time of each; those beyond the limit left out."""
    ab, ba = both
    at_a, at_b = nodes[graph.edge_a].astype(np.float64), nodes[graph.edge_b].astype(np.float64)
    own = np.arange(len(ab)) == joined.edge[0]
    near = np.flatnonzero((np.minimum(at_a, at_b) <= limit_s) | own)
    points = np.diff(graph.shape_start)[near]
    which = np.repeat(np.arange(len(near)), points)
    within = np.arange(points.sum()) - np.repeat(np.cumsum(points) - points, points)
    xy = graph.shape_xy[np.repeat(graph.shape_start[near], points) + within]
    inner = which[1:] == which[:-1]
    start, leg = xy[:-1][inner], (xy[1:] - xy[:-1])[inner]
    length, edge = np.hypot(*leg.T), which[:-1][inner]
    along = np.concatenate([[0.0], np.cumsum(length)])[:-1]
    first = np.searchsorted(edge, np.arange(len(near)))
    along -= along[np.minimum(first, len(along) - 1)][edge] if len(along) else 0.0
    whole = np.maximum(np.bincount(edge, length, minlength=len(near)), 1e-9)
    pieces = np.maximum(1, np.ceil(length / step_m).astype(np.int64)) + 1
    leg_of = np.repeat(np.arange(len(leg)), pieces)
    share = (np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)) / (pieces[leg_of] - 1)
    points_xy = start[leg_of] + leg[leg_of] * share[:, None]
    on = near[edge[leg_of]]
    fraction = np.clip((along[leg_of] + length[leg_of] * share) / whole[edge[leg_of]], 0, 1)
    with np.errstate(invalid="ignore"):
        # Towards the point one leaves by b after the rest of the edge, or back by a.
        by_b = at_b[on] + np.where(fraction == 1, 0, (1 - fraction) * ab[on])
        by_a = at_a[on] + np.where(fraction == 0, 0, fraction * ba[on])
        ahead = joined.fraction[0] - fraction
        by_own = joined.approach_s[0] + np.where(ahead >= 0, ahead * ab[on], -ahead * ba[on])
    seconds = np.fmin(np.fmin(by_a, by_b), np.where(own[on], by_own, np.inf))
    kept = seconds <= limit_s
    return points_xy[kept], seconds[kept]


def _grid(
    xy: NDArray[np.float64], seconds: NDArray[np.float64], cell_m: float, approach_m_s: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Times on a grid (rows northwards), its south-west corner, and the side of its cells."""
    low, high = xy.min(axis=0) - BESIDE_M, xy.max(axis=0) + BESIDE_M
    while np.prod((high - low) / cell_m) > CELLS_MAX:
        cell_m *= 2
    corner = np.floor(low / cell_m) * cell_m
    column, row = ((xy - corner) / cell_m).astype(np.int64).T
    shape = (int((high[1] - corner[1]) // cell_m) + 2, int((high[0] - corner[0]) // cell_m) + 2)
    on_road = np.full(shape, np.inf)
    np.minimum.at(on_road, (row, column), seconds)
    away, (near_row, near_column) = distance_transform_edt(
        ~np.isfinite(on_road), sampling=cell_m, return_indices=True
    )
    beside = on_road[near_row, near_column] + away / approach_m_s
    beside[away > BESIDE_M] = np.inf
    return beside, corner, cell_m


def _bands(
    seconds: NDArray[np.float64], limits_s: Sequence[float], corner: NDArray[np.float64], cell_m: float
) -> list[MultiPolygon]:
    """For each limit the cells whose time lies above the one before and not above it."""
    of_cell = np.searchsorted(np.asarray(limits_s), seconds)
    bands = [_cells(of_cell == rank, corner, cell_m) for rank in range(len(limits_s))]
    simplified = shapely.coverage_simplify(np.array(bands, dtype=object), tolerance=cell_m)
    return [_multi(each) for each in simplified]


def _cells(mask: NDArray[np.bool_], corner: NDArray[np.float64], cell_m: float) -> MultiPolygon:
    """The union of the cells of a mask, from its runs along rows."""
    edges = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    row, start = np.nonzero(edges == 1)
    _, end = np.nonzero(edges == -1)
    left, right = corner[0] + start * cell_m, corner[0] + end * cell_m
    bottom = corner[1] + row * cell_m
    area = shapely.union_all(shapely.box(left, bottom, right, bottom + cell_m))
    # Neighbouring bands fit one another only if both have a vertex at every corner of a cell.
    dense = shapely.segmentize(area, cell_m * 1.01)
    return _multi(shapely.transform(dense, lambda xy: np.round((xy - corner) / cell_m) * cell_m + corner))


def _multi(area: shapely.Geometry) -> MultiPolygon:
    parts = [p for p in shapely.get_parts(area) if p.geom_type == "Polygon"]
    return MultiPolygon(parts)
