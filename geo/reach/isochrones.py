"""Isochrones: the area within a given travel time of a point, as polygons.

By road, in four steps:

1. points every half cell along the roads, each with its time, interpolated along its edge;
2. a grid: the least time in each cell that a road crosses;
3. the land beside: every other cell takes the time of its nearest road cell plus the approach,
   up to `BESIDE_M` away from the road;
4. bands of cells between two limits, simplified together so that neighbours still share edges. An
   isochrone is the union of its bands, so a longer one always contains a shorter one.

Without a road graph, isochrones are circles.
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
from geo.reach.ranges import concatenate_ranges
from geo.reach.snapping import SnappedPoints
from geo.reach.travel import Travel

MINUTES: Final = (5, 10, 15, 20, 30, 45)
BESIDE_M: Final = 500
"""Land farther than this from any road does not count as reached, metres."""
CELL_M: Final = {Mode.CAR: 100.0, Mode.BICYCLE: 50.0, Mode.FOOT: 25.0}
"""Side of a grid cell, metres."""
CELLS_MAX: Final = 4_000_000
"""Largest grid; beyond it cells are doubled in size until it fits."""


@dataclass(frozen=True)
class Isochrone:
    """The area within `minutes` of a point, in the metric CRS of the territory."""

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
    """Compute the isochrones of one point, shortest first.

    Parameters
    ----------
    xy
        The point, metric CRS.
    outward
        False: the area the point can be reached from. True: the area that can be reached from it.

    Raises
    ------
    ImpossibleQuestion
        If the point cannot be snapped to a usable road.
    """
    minutes = sorted(set(minutes))
    if travel.graph is None:
        metres_a_minute = straight_line.SPEED_KMH[mode] * 1_000 / 60 / travel.detour_factor
        point = shapely.Point(xy)
        return tuple(Isochrone(m, MultiPolygon([point.buffer(m * metres_a_minute)])) for m in minutes)
    limit_s = minutes[-1] * 60.0
    nodes, snapped = travel.around(xy, mode, outward=outward, limit_s=limit_s)
    ab, ba = travel.graph.seconds[mode].T.astype(np.float64)
    seconds_ab_ba = (ba, ab) if outward else (ab, ba)
    road_xy, road_s = _along_roads(travel.graph, seconds_ab_ba, nodes, snapped, CELL_M[mode] / 2, limit_s)
    if not len(road_s):
        raise ImpossibleQuestion(
            f"Aucune route praticable {mode.label} ne part de ce point.",
            "Choisissez un point plus proche d'une route, ou un autre mode de déplacement.",
        )
    approach_m_s = travel.approach_kmh(mode) / 3.6
    seconds, corner, cell_m = _grid(road_xy, road_s, CELL_M[mode], approach_m_s)
    bands = _bands(seconds, [m * 60.0 for m in minutes], corner, cell_m)
    areas, area = [], MultiPolygon()
    for limit, band in zip(minutes, bands, strict=True):
        area = _multi(shapely.union(area, band))
        areas.append(Isochrone(limit, area))
    return tuple(areas)


def _along_roads(
    graph: RoadGraph,
    seconds_ab_ba: tuple[NDArray[np.float64], NDArray[np.float64]],
    nodes: NDArray[np.float32],
    snapped: SnappedPoints,
    step_m: float,
    limit_s: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return points along the roads, at most `step_m` apart, that are within the limit, and their times.

    The searched point is called "origin" below, though by default trips lead towards it. For the
    time of a road point at fraction f of its edge there are three ways: through node a, through
    node b, or, on the origin's own edge, directly.
    """
    ab, ba = seconds_ab_ba
    at_a, at_b = nodes[graph.edge_a].astype(np.float64), nodes[graph.edge_b].astype(np.float64)
    is_own = np.arange(len(ab)) == snapped.edge[0]
    # An edge whose ends are both beyond the limit cannot have a point within it, except the
    # origin's own edge, which can be so long that neither end is reached.
    near = np.flatnonzero((np.minimum(at_a, at_b) <= limit_s) | is_own)
    which, point = concatenate_ranges(graph.shape_start[near], np.diff(graph.shape_start)[near])
    xy = graph.shape_xy[point]
    # Legs: straight parts between two consecutive shape points of the same edge.
    inner = which[1:] == which[:-1]
    start, leg = xy[:-1][inner], (xy[1:] - xy[:-1])[inner]
    length, edge = np.hypot(*leg.T), which[:-1][inner]
    # Metres from the start of its edge to each leg: a running sum less its value at the first leg.
    along = np.concatenate([[0.0], np.cumsum(length)])[:-1]
    first = np.searchsorted(edge, np.arange(len(near)))
    along -= along[np.minimum(first, len(along) - 1)][edge] if len(along) else 0.0
    whole = np.maximum(np.bincount(edge, length, minlength=len(near)), 1e-9)
    samples = np.maximum(1, np.ceil(length / step_m).astype(np.int64)) + 1
    leg_of, sample = concatenate_ranges(np.zeros_like(samples), samples)
    share = sample / (samples[leg_of] - 1)
    points_xy = start[leg_of] + leg[leg_of] * share[:, None]
    on = near[edge[leg_of]]
    fraction = np.clip((along[leg_of] + length[leg_of] * share) / whole[edge[leg_of]], 0, 1)
    with np.errstate(invalid="ignore"):
        # A trip towards the origin leaves the edge by b after the rest of it (a to b), or by a. At
        # the end itself nothing is left to drive, even in a closed direction (0 × inf is NaN).
        by_b = at_b[on] + np.where(fraction == 1, 0, (1 - fraction) * ab[on])
        by_a = at_a[on] + np.where(fraction == 0, 0, fraction * ba[on])
        ahead = snapped.fraction[0] - fraction
        direct = snapped.approach_s[0] + np.where(ahead >= 0, ahead * ab[on], -ahead * ba[on])
    # fmin, not minimum: NaN stands for a closed direction and must lose.
    seconds = np.fmin(np.fmin(by_a, by_b), np.where(is_own[on], direct, np.inf))
    in_time = seconds <= limit_s
    return points_xy[in_time], seconds[in_time]


def _grid(
    xy: NDArray[np.float64], seconds: NDArray[np.float64], cell_m: float, approach_m_s: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return times on a grid (rows from south to north), its south-west corner, and the side of its cells.

    The nearest road cell, found by a Euclidean distance transform, stands for the best one: another
    may be quicker by road, but is farther on foot.
    """
    low, high = xy.min(axis=0) - BESIDE_M, xy.max(axis=0) + BESIDE_M
    while np.prod((high - low) / cell_m) > CELLS_MAX:
        cell_m *= 2
    # Aligned on multiples of the cell, so that isochrones of several points share their grid.
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
    """Return for each limit the cells whose time is above the previous limit and at most this one."""
    # Left side: a cell exactly at a limit belongs to the band that ends there.
    of_cell = np.searchsorted(np.asarray(limits_s), seconds)
    bands = [_cells(of_cell == rank, corner, cell_m) for rank in range(len(limits_s))]
    simplified = shapely.coverage_simplify(np.array(bands, dtype=object), tolerance=cell_m)
    return [_multi(each) for each in simplified]


def _cells(mask: NDArray[np.bool_], corner: NDArray[np.float64], cell_m: float) -> MultiPolygon:
    """Return the union of the cells of a mask, from one box per run of cells along a row."""
    edges = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    row, start = np.nonzero(edges == 1)
    _, end = np.nonzero(edges == -1)
    left, right = corner[0] + start * cell_m, corner[0] + end * cell_m
    bottom = corner[1] + row * cell_m
    area = shapely.union_all(shapely.box(left, bottom, right, bottom + cell_m))
    # Coverage simplification needs neighbouring bands to have the same vertices on shared edges:
    # each gets one at every cell corner, rounded to the grid to undo floating-point drift.
    dense = shapely.segmentize(area, cell_m * 1.01)
    return _multi(shapely.transform(dense, lambda xy: np.round((xy - corner) / cell_m) * cell_m + corner))


def _multi(area: shapely.Geometry) -> MultiPolygon:
    parts = [p for p in shapely.get_parts(area) if p.geom_type == "Polygon"]
    return MultiPolygon(parts)
