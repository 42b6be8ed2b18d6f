"""Travel times between places and sites: by road where there is a graph, else estimated.

One structure carries all results: for each site, the time to it from every node of the graph.
Times from places, nearest sites, coverage, catchments, gaps, where-next and what-if are reductions
of it. Only sites not swept before cost anything.
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
from geo.reach.artefact import read_graph, roads_folder
from geo.reach.graph import GraphMetadata, RoadGraph
from geo.reach.modes import Mode
from geo.reach.profiles import load_profiles
from geo.reach.snapping import EdgeIndex, Joined, along_edge
from geo.reach.sweeps import Sweeper
from geo.reach.travel_time_cache import KeptTimes, forget_others

log = logging.getLogger(__name__)

METHOD: Final = "roads"
LABEL: Final = "temps de trajet par la route"
KEPT: Final = "times"
"""Folder below Portée's home where node times are kept."""
REMEMBERED: Final = 3
WORTH_REMEMBERING: Final = 100
FAR_FROM_ROAD_M: Final = 1_000
"""Distance from any road beyond which a place is flagged, metres."""


def load_travel(about: GraphMetadata | None, *, home: Path, detour_factor: float) -> Travel:
    """Travel over the road graph a snapshot names, or estimated when it names none.

    A graph that is recorded but not on this machine is told in the log, and times are estimated.
    """
    if about is None:
        return Travel(None, detour_factor=detour_factor)
    roads = roads_folder(home)
    try:
        return _over(roads / about.checksum, home / KEPT, detour_factor)
    except RoadsUnavailable as problem:
        log.warning("Travel times are estimated: %s", problem)
        return Travel(None, detour_factor=detour_factor)


@lru_cache(maxsize=2)
def _over(folder: Path, kept: Path, detour_factor: float) -> Travel:
    graph = read_graph(folder)
    forget_others(kept, [graph.about.checksum])
    return Travel(graph, detour_factor=detour_factor, folder=kept)


class SiteTimes(Protocol):
    """Times to a set of sites, from anywhere."""

    def of(self, place_xy: NDArray[np.float64]) -> NDArray[np.float32]:
        """Times from places to the sites.

        Parameters
        ----------
        place_xy
            Shape (p, 2), metric CRS; NaN where not located.

        Returns
        -------
        Shape (sites, p), seconds; inf where a site cannot be reached.
        """

    def of_one(self, xy: tuple[float, float]) -> NDArray[np.float32]:
        """Times from one place, shape (sites,): as `of`, many times quicker."""


class Travel:
    """Travel times of one territory.

    Parameters
    ----------
    graph
        The roads; None estimates from straight lines.
    detour_factor
        Used without roads: road distance divided by straight-line distance.
    folder
        Where node times are kept; None keeps none.
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
        """How times are had: "roads" or "straight_line"."""
        return METHOD if self.graph else straight_line.METHOD

    @property
    def label(self) -> str:
        """The same in French, shown with every result."""
        return LABEL if self.graph else straight_line.LABEL

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Modes that can be asked for."""
        return self.graph.modes if self.graph else tuple(Mode)

    def to_sites(self, site_xy: NDArray[np.float64], mode: Mode, *, keep: bool = True) -> SiteTimes:
        """Times to some sites.

        Parameters
        ----------
        site_xy
            Shape (s, 2), metric CRS; NaN where not located.
        keep
            Whether sites never swept before are worth keeping on disk: not those of a what-if.
        """
        if self.graph is None:
            return _Estimated(site_xy, mode, self.detour_factor)
        road = self._road(mode)
        sites = road.side.join(site_xy)
        reached = np.flatnonzero(sites.edge >= 0)

        def sweep(some: NDArray[np.intp]) -> Iterator[NDArray[np.float32]]:
            return road.sweeper.sweeps(sites.take(reached[some]))

        table, row = np.empty((0, road.sweeper.nodes), np.float32), np.full(len(reached), -1, dtype=np.intp)
        if self._folder is not None:
            kept = KeptTimes(
                self._folder / self.graph.about.checksum / f"{mode}-{road.approach_kmh:g}", road.sweeper.nodes
            )
            table, row = kept.known(site_xy[reached])
            if keep and (row < 0).any():
                kept.add(site_xy[reached], sweep)
                table, row = kept.known(site_xy[reached])
        missing = np.flatnonzero(row < 0)
        swept = (times for batch in sweep(missing) for times in batch)
        rows = [table[r] if r >= 0 else next(swept) for r in row]
        kept_rows = None if len(missing) else (np.asarray(table), row)
        return _ByRoad(road, sites, reached, rows, kept_rows)

    def around(
        self, xy: tuple[float, float], mode: Mode, *, outward: bool = False, limit_s: float = np.inf
    ) -> tuple[NDArray[np.float32], Joined]:
        """Times between one point and every node of the graph, shape (n,), and where it joins the road.

        Parameters
        ----------
        outward
            False: times to the point. True: from it.

        Raises
        ------
        ValueError
            Without roads.
        """
        road = self._road(mode, outward=outward)
        joined = road.side.join(np.array([xy]))
        return next(road.sweeper.sweeps(joined, limit_s=limit_s))[0], joined

    def between(
        self, xy: tuple[float, float], place_xy: NDArray[np.float64], mode: Mode, *, outward: bool = False
    ) -> NDArray[np.float32]:
        """Times between one point and places, shape (p,), seconds; inf where out of reach.

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
        road = self._road(mode, outward=outward)
        nodes, joined = self.around(xy, mode, outward=outward)
        return np.asarray(road.sweeper.at([nodes], joined, road.side.join(place_xy))[0])

    def approach_kmh(self, mode: Mode) -> float:
        """Speed between a place and the road.

        Raises
        ------
        ValueError
            Without roads.
        """
        return self._road(mode).approach_kmh

    def far_from_road(self, place_xy: NDArray[np.float64], mode: Mode) -> NDArray[np.bool_]:
        """Places farther than `FAR_FROM_ROAD_M` from any road they may join, shape (p,)."""
        if self.graph is None:
            return np.zeros(len(place_xy), dtype=bool)
        far: NDArray[np.bool_] = self._road(mode).join(place_xy).distance_m > FAR_FROM_ROAD_M
        return far

    def _road(self, mode: Mode, *, outward: bool = False) -> _ModeNetwork:
        if self.graph is None:
            raise ValueError("No road graph.")
        if mode not in self.graph.modes:
            told = " · ".join(each.label for each in self.graph.modes)
            raise InvalidParameter(
                f"Les routes chargées ne disent pas comment aller {mode.label}.",
                f"Choisissez un mode qu'elles connaissent : {told}.",
                parameter="mode",
            )
        with self._lock:
            if (mode, outward) not in self._by_mode:
                approach_kmh = self._profiles[mode].approach_kmh
                self._by_mode[mode, outward] = _ModeNetwork(
                    sweeper=Sweeper(self.graph, mode, outward=outward),
                    side=EdgeIndex(self.graph, mode, approach_kmh=approach_kmh),
                    approach_kmh=approach_kmh,
                )
            return self._by_mode[mode, outward]


@dataclass(frozen=True)
class _ModeNetwork:
    sweeper: Sweeper
    side: EdgeIndex
    approach_kmh: float
    joined: OrderedDict[bytes, Joined] = field(default_factory=OrderedDict)

    def join(self, place_xy: NDArray[np.float64]) -> Joined:
        """Join places to the road; the last sets of places are remembered, for joining costs most."""
        key = place_xy.tobytes()
        found = self.joined.get(key)
        if found is None:
            found = self.side.join(place_xy)
            if len(place_xy) >= WORTH_REMEMBERING:
                self.joined[key] = found
                while len(self.joined) > REMEMBERED:
                    self.joined.popitem(last=False)
        return found


@dataclass(frozen=True)
class _Estimated:
    site_xy: NDArray[np.float64]
    mode: Mode
    detour_factor: float

    def of(self, place_xy: NDArray[np.float64]) -> NDArray[np.float32]:
        return straight_line.seconds(place_xy, self.site_xy, self.mode, detour_factor=self.detour_factor)

    def of_one(self, xy: tuple[float, float]) -> NDArray[np.float32]:
        return self.of(np.array([xy]))[:, 0]


@dataclass(frozen=True)
class _ByRoad:
    """`rows` holds node times of the sites that reach the road, `reached` their places in `sites`.

    `table` is where `rows` lie, and which they are, when all of them lie in one.
    """

    road: _ModeNetwork
    sites: Joined
    reached: NDArray[np.intp]
    rows: Sequence[NDArray[np.float32]]
    table: tuple[NDArray[np.float32], NDArray[np.intp]] | None

    def of(self, place_xy: NDArray[np.float64]) -> NDArray[np.float32]:
        places = self.road.join(place_xy)
        found = np.full((len(self.sites.edge), len(place_xy)), np.inf, dtype=np.float32)
        found[self.reached] = self.road.sweeper.at(self.rows, self.sites.take(self.reached), places)
        return found

    def of_one(self, xy: tuple[float, float]) -> NDArray[np.float32]:
        place = self.road.side.join(np.array([xy]))
        found = np.full(len(self.sites.edge), np.inf, dtype=np.float32)
        if place.edge[0] < 0:
            return found
        for node, via in ((place.node_a[0], place.to_a[0]), (place.node_b[0], place.to_b[0])):
            found[self.reached] = np.minimum(found[self.reached], self._at_node(node) + np.float32(via))
        beside = np.flatnonzero(self.sites.edge == place.edge[0])
        if len(beside):
            pairs = (np.zeros(len(beside), dtype=np.intp), beside)
            direct = along_edge(self.road.sweeper.graph, self.road.sweeper.mode, place, self.sites, pairs)
            found[beside] = np.minimum(found[beside], direct.astype(np.float32))
        return found

    def _at_node(self, node: int) -> NDArray[np.float32]:
        """Times from one node to the sites that reach the road."""
        if self.table is None:
            return np.array([row.item(node) for row in self.rows], dtype=np.float32)
        table, rows = self.table
        times: NDArray[np.float32] = table[rows, node]
        return times
