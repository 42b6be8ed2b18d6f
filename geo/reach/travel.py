"""Travel times between places and sites: by road where there is a graph, else estimated.

The central table holds, for each site, the time to it from every node of the graph; it is cached on
disk (`geo.reach.travel_time_cache`), so that only new sites cost a search. Coverage, catchments,
gaps, siting and scenarios are all computed from it.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from geo.errors import InvalidParameter, RoadsUnavailable
from geo.reach import straight_line
from geo.reach.graph import GraphMetadata, RoadGraph
from geo.reach.graph_files import read_graph, roads_folder
from geo.reach.modes import Mode
from geo.reach.profiles import load_profiles
from geo.reach.shortest_paths import ShortestPaths
from geo.reach.snapping import EdgeIndex, SnappedPoints, along_edge
from geo.reach.travel_time_cache import TravelTimeCache, remove_other_times

log = logging.getLogger(__name__)

METHOD: Final = "roads"
LABEL: Final = "temps de trajet par la route"
TIMES_FOLDER: Final = "times"
"""Folder of cached travel times below Portée's home folder."""
SNAPPED_SETS_MAX: Final = 3
"""Number of sets of snapped places cached in memory, per mode and direction."""
SNAPPED_SET_MIN: Final = 100
"""Size from which a set of snapped places is worth caching."""
FAR_FROM_ROAD_M: Final = 1_000
"""Distance from any road beyond which a place is flagged, metres."""


def load_travel(about: GraphMetadata | None, *, home: Path, detour_factor: float) -> Travel:
    """Load the road graph a snapshot refers to; without one, travel times are estimated.

    Times are also estimated, with a warning in the log, if the graph's files are not on this machine.
    """
    if about is None:
        return Travel(None, detour_factor=detour_factor)
    roads = roads_folder(home)
    try:
        return _load_graph(roads / about.checksum, home / TIMES_FOLDER, detour_factor)
    except RoadsUnavailable as problem:
        log.warning("Travel times are estimated: %s", problem)
        return Travel(None, detour_factor=detour_factor)


@lru_cache(maxsize=2)
def _load_graph(folder: Path, times_folder: Path, detour_factor: float) -> Travel:
    graph = read_graph(folder)
    remove_other_times(times_folder, keep=graph.about.checksum)
    return Travel(graph, detour_factor=detour_factor, folder=times_folder)


class SiteTimes(Protocol):
    """Travel times to a fixed set of sites, from anywhere."""

    def from_places(self, place_xy: NDArray[np.float64]) -> NDArray[np.float32]:
        """Compute the times from places to the sites.

        Parameters
        ----------
        place_xy
            Shape (p, 2), metric CRS; NaN where not located.

        Returns
        -------
        Shape (sites, p), seconds; inf where a site cannot be reached.
        """

    def from_place(self, xy: tuple[float, float]) -> NDArray[np.float32]:
        """Compute the times from one place: seconds, shape (sites,); inf where there is no way.

        `xy` is in the metric CRS. Same result as `from_places`, many times faster.
        """


class Travel:
    """Travel times over one territory, for all modes.

    Parameters
    ----------
    graph
        The road graph; None to estimate times from straight lines.
    detour_factor
        Road distance divided by straight-line distance; used without a graph.
    folder
        Folder of the on-disk cache of travel times; None for no cache.
    """

    def __init__(self, graph: RoadGraph | None, *, detour_factor: float, folder: Path | None = None) -> None:
        self.graph = graph
        self.detour_factor = detour_factor
        self._folder = folder
        self._by_mode: dict[tuple[Mode, bool], _ModeNetwork] = {}
        self._lock = Lock()
        self._profiles = load_profiles()

    @property
    def method(self) -> str:
        """Return the method used to compute times: "roads" or "straight_line"."""
        return METHOD if self.graph else straight_line.METHOD

    @property
    def label(self) -> str:
        """Return the French label of the method, shown with every result."""
        return LABEL if self.graph else straight_line.LABEL

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Return the modes that times can be computed for."""
        return self.graph.modes if self.graph else tuple(Mode)

    def to_sites(self, site_xy: NDArray[np.float64], mode: Mode, *, store: bool = True) -> SiteTimes:
        """Prepare the travel times to a set of sites.

        Parameters
        ----------
        site_xy
            Shape (s, 2), metric CRS; NaN where not located.
        store
            Whether to write times of new sites to the on-disk cache; False for hypothetical sites.

        Raises
        ------
        InvalidParameter
            If the road graph does not have the mode.
        """
        if self.graph is None:
            return _StraightLineTimes(site_xy, mode, self.detour_factor)
        network = self._network(mode)
        sites = network.edges.snap(site_xy)
        snapped = np.flatnonzero(sites.edge >= 0)

        def compute(some: NDArray[np.intp]) -> Iterator[NDArray[np.float32]]:
            return network.paths.node_times(sites.take(snapped[some]))

        table, row = np.empty((0, network.paths.nodes), np.float32), np.full(len(snapped), -1, dtype=np.intp)
        if self._folder is not None:
            # All that node times depend on besides the site: the graph, the mode, the approach speed.
            folder = self._folder / self.graph.about.checksum / f"{mode}-{network.approach_kmh:g}"
            cache = TravelTimeCache(folder, network.paths.nodes)
            table, row = cache.lookup(site_xy[snapped])
            if store and (row < 0).any():
                cache.add(site_xy[snapped], compute)
                table, row = cache.lookup(site_xy[snapped])
        missing = np.flatnonzero(row < 0)
        computed = (times for batch in compute(missing) for times in batch)
        rows = [table[r] if r >= 0 else next(computed) for r in row]
        stored_rows = None if len(missing) else (np.asarray(table), row)
        return _RoadTimes(network, sites, snapped, rows, stored_rows)

    def around(
        self, xy: tuple[float, float], mode: Mode, *, outward: bool = False, limit_s: float = np.inf
    ) -> tuple[NDArray[np.float32], SnappedPoints]:
        """Compute the times between one point and every node of the graph.

        Parameters
        ----------
        xy
            The point, metric CRS.
        outward
            False: times to the point. True: from it.
        limit_s
            Times beyond this many seconds are inf.

        Returns
        -------
        Seconds, shape (n,), and the point snapped to the road network.

        Raises
        ------
        ValueError
            If there is no road graph.
        InvalidParameter
            If the road graph does not have the mode.
        """
        network = self._network(mode, outward=outward)
        snapped = network.edges.snap(np.array([xy]))
        return next(network.paths.node_times(snapped, limit_s=limit_s))[0], snapped

    def between(
        self, xy: tuple[float, float], place_xy: NDArray[np.float64], mode: Mode, *, outward: bool = False
    ) -> NDArray[np.float32]:
        """Compute the times between one point and places: seconds, shape (p,); inf where out of reach.

        Parameters
        ----------
        place_xy
            Shape (p, 2), metric CRS; NaN where not located.
        outward
            False: times to the point. True: from it.
        """
        if self.graph is None:
            estimated = straight_line.seconds(
                place_xy, np.array([xy]), mode, detour_factor=self.detour_factor
            )
            return np.asarray(estimated[0])
        network = self._network(mode, outward=outward)
        nodes, snapped = self.around(xy, mode, outward=outward)
        return np.asarray(network.paths.place_times([nodes], snapped, network.edges.snap(place_xy))[0])

    def approach_kmh(self, mode: Mode) -> float:
        """Return the speed between a place and the road, km/h.

        Raises
        ------
        ValueError
            If there is no road graph.
        """
        return self._network(mode).approach_kmh

    def far_from_road(self, place_xy: NDArray[np.float64], mode: Mode) -> NDArray[np.bool_]:
        """Return which places are farther than `FAR_FROM_ROAD_M` from any usable road, shape (p,)."""
        if self.graph is None:
            return np.zeros(len(place_xy), dtype=bool)
        far: NDArray[np.bool_] = self._network(mode).snap(place_xy).distance_m > FAR_FROM_ROAD_M
        return far

    def _network(self, mode: Mode, *, outward: bool = False) -> _ModeNetwork:
        if self.graph is None:
            raise ValueError("No road graph.")
        if mode not in self.graph.modes:
            modes = " · ".join(each.label for each in self.graph.modes)
            raise InvalidParameter(
                f"Les routes chargées ne disent pas comment aller {mode.label}.",
                f"Choisissez un mode qu'elles connaissent : {modes}.",
                parameter="mode",
            )
        with self._lock:
            if (mode, outward) not in self._by_mode:
                approach_kmh = self._profiles[mode].approach_kmh
                self._by_mode[mode, outward] = _ModeNetwork(
                    paths=ShortestPaths(self.graph, mode, outward=outward),
                    edges=EdgeIndex(self.graph, mode, approach_kmh=approach_kmh),
                    approach_kmh=approach_kmh,
                )
            return self._by_mode[mode, outward]


@dataclass(frozen=True)
class _ModeNetwork:
    paths: ShortestPaths
    edges: EdgeIndex
    approach_kmh: float
    _snapped: OrderedDict[bytes, SnappedPoints] = field(default_factory=OrderedDict)

    def snap(self, place_xy: NDArray[np.float64]) -> SnappedPoints:
        """Snap places to the road; large sets are cached, because snapping is the slowest step."""
        key = place_xy.tobytes()
        found = self._snapped.get(key)
        if found is None:
            found = self.edges.snap(place_xy)
            if len(place_xy) >= SNAPPED_SET_MIN:
                self._snapped[key] = found
                while len(self._snapped) > SNAPPED_SETS_MAX:
                    self._snapped.popitem(last=False)
        return found


@dataclass(frozen=True)
class _StraightLineTimes:
    site_xy: NDArray[np.float64]
    mode: Mode
    detour_factor: float

    def from_places(self, place_xy: NDArray[np.float64]) -> NDArray[np.float32]:
        return straight_line.seconds(place_xy, self.site_xy, self.mode, detour_factor=self.detour_factor)

    def from_place(self, xy: tuple[float, float]) -> NDArray[np.float32]:
        return self.from_places(np.array([xy]))[:, 0]


@dataclass(frozen=True)
class _RoadTimes:
    """Times to sites by road.

    Attributes
    ----------
    snapped
        Rows of `sites` that are snapped to an edge; the other sites cannot be reached.
    rows
        Node times of each of them, shape (n,).
    table
        A table all `rows` are part of, and their rows in it; None if they are separate arrays.
    """

    network: _ModeNetwork
    sites: SnappedPoints
    snapped: NDArray[np.intp]
    rows: Sequence[NDArray[np.float32]]
    table: tuple[NDArray[np.float32], NDArray[np.intp]] | None

    def from_places(self, place_xy: NDArray[np.float64]) -> NDArray[np.float32]:
        places = self.network.snap(place_xy)
        found = np.full((len(self.sites.edge), len(place_xy)), np.inf, dtype=np.float32)
        found[self.snapped] = self.network.paths.place_times(self.rows, self.sites.take(self.snapped), places)
        return found

    def from_place(self, xy: tuple[float, float]) -> NDArray[np.float32]:
        place = self.network.edges.snap(np.array([xy]))
        found = np.full(len(self.sites.edge), np.inf, dtype=np.float32)
        if place.edge[0] < 0:
            return found
        for node, via in ((place.node_a[0], place.to_a[0]), (place.node_b[0], place.to_b[0])):
            found[self.snapped] = np.minimum(found[self.snapped], self._at_node(node) + np.float32(via))
        beside = np.flatnonzero(self.sites.edge == place.edge[0])
        if len(beside):
            pairs = (np.zeros(len(beside), dtype=np.intp), beside)
            paths = self.network.paths
            direct = along_edge(paths.graph, paths.mode, place, self.sites, pairs)
            found[beside] = np.minimum(found[beside], direct.astype(np.float32))
        return found

    def _at_node(self, node: int) -> NDArray[np.float32]:
        """Return the times from one node to the snapped sites."""
        if self.table is None:
            return np.array([row.item(node) for row in self.rows], dtype=np.float32)
        table, rows = self.table
        times: NDArray[np.float32] = table[rows, node]
        return times
