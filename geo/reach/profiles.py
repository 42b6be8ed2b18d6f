"""Speed profiles: how fast each mode travels on each class of road, read from TOML with sources.

The default values are in `profiles.toml` beside this module. Their meaning and calibration:
docs/roads-speeds.md.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import Any, Final

from geo.errors import OperatorError
from geo.reach.modes import Mode

SHIPPED: Final = Path(__file__).with_name("profiles.toml")

_TABLES: Final = (
    "speed_kmh",
    "built_up_kmh",
    "share_of_limit",
    "allowed_kmh",
    "surface_kmh",
    "tracktype_kmh",
    "penalty_s",
    "junction_s",
)


@dataclass(frozen=True)
class Profile:
    """Speeds and delays of one mode.

    Attributes
    ----------
    approach_kmh
        Speed between a place and the nearest road, off the graph.
    speed_kmh, built_up_kmh
        By road class: speed where no limit is posted, outside and inside built-up areas. A class
        in neither is closed to the mode; one only in the first has that speed everywhere.
    share_of_limit
        By road class: share of the posted limit actually driven. Where it is missing, the limit
        only caps `speed_kmh`.
    allowed_kmh
        By road class: speed where a tag of the way explicitly admits the mode.
    surface_kmh, tracktype_kmh
        Highest speed on a surface or track type.
    penalty_s
        Delay at a node by kind: `traffic_signals`, `stop`, `roundabout`…, seconds.
    junction_s
        Delay where three roads or more meet without signals, seconds, by the rank of the road the
        trip comes from: `minor` (below the highest rank there), `equal` (all the same) or `major`.
    barriers_closed, barriers_opened
        Values of `barrier` that stop the mode, or that it passes at the penalty `gate`.
    """

    mode: Mode
    approach_kmh: float
    speed_kmh: Mapping[str, float]
    built_up_kmh: Mapping[str, float]
    share_of_limit: Mapping[str, float]
    allowed_kmh: Mapping[str, float]
    surface_kmh: Mapping[str, float]
    tracktype_kmh: Mapping[str, float]
    penalty_s: Mapping[str, float]
    junction_s: Mapping[str, float]
    barriers_closed: frozenset[str]
    barriers_opened: frozenset[str]


@dataclass(frozen=True)
class Profiles:
    """The profiles of all modes, and the tables they share.

    Attributes
    ----------
    modes
        Profile of each mode.
    aliases
        Names used by other road layers → road class: "D" → "secondary".
    ranks
        Priority of road classes at junctions; the lowest number has priority.
    limits_kmh
        Speed limits written as words: "urban" → 50.
    sources
        Source of each table ("car.speed_kmh").
    """

    modes: Mapping[Mode, Profile]
    aliases: Mapping[str, str]
    ranks: Mapping[str, int]
    limits_kmh: Mapping[str, float]
    sources: Mapping[str, str]

    def __getitem__(self, mode: Mode) -> Profile:
        return self.modes[mode]

    @cached_property
    def lowest_rank(self) -> int:
        """Return the rank of classes missing from `ranks`."""
        return max(self.ranks.values()) + 1

    def road_class(self, name: str) -> str:
        """Return the road class of a name: the name itself unless it is an alias."""
        return self.aliases.get(name, name)

    def rank(self, road_class: str) -> int:
        """Return the priority rank of a class (lowest number first); a link road ranks as its main road."""
        name = self.road_class(road_class).removesuffix("_link")
        return self.ranks.get(name, self.lowest_rank)

    def speed_kmh(
        self,
        mode: Mode,
        road_class: str,
        *,
        limit_kmh: float | None = None,
        built_up: bool = False,
        surface: str = "",
        tracktype: str = "",
        allowed: bool = False,
    ) -> float:
        """Return the speed actually travelled between junctions on a road.

        Parameters
        ----------
        road_class
            A value of OpenStreetMap's `highway`, or an alias ("A", "N", "D", "C").
        limit_kmh
            The posted limit; None if unknown.
        built_up
            Whether the road is in a built-up area; used only without a posted limit.
        surface, tracktype
            As in OpenStreetMap; "" if unknown.
        allowed
            Whether a tag of the road explicitly admits the mode, whatever its class.

        Returns
        -------
        km/h; 0.0 where the mode is not allowed.
        """
        profile = self.modes[mode]
        name = self.road_class(road_class)
        speed = profile.speed_kmh.get(name, 0.0)
        if allowed:
            speed = max(speed, profile.allowed_kmh.get(name, 0.0))
        if not speed:
            return 0.0
        if limit_kmh is not None and name in profile.share_of_limit:
            speed = limit_kmh * profile.share_of_limit[name]
        elif limit_kmh is not None:
            speed = min(speed, limit_kmh)
        elif built_up:
            speed = profile.built_up_kmh.get(name, speed)
        for limits, value in ((profile.surface_kmh, surface), (profile.tracktype_kmh, tracktype)):
            speed = min(speed, limits.get(value, speed))
        return speed


def load_profiles(path: Path = SHIPPED) -> Profiles:
    """Read profiles from a TOML file.

    Raises
    ------
    OperatorError
        If the file is not TOML, a table is missing or has no source, or a figure is negative, not
        finite, or a speed of zero.
    """
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OperatorError(f"The speed profiles {path} cannot be read: {error}.") from error
    reader = _ProfileReader(path, raw.get("sources", {}))
    modes = {}
    for mode in Mode:
        own = raw.get(mode.value)
        if not isinstance(own, dict) or "speed_kmh" not in own:
            raise reader.error(f"{mode.value}.speed_kmh", "is missing")
        tables = {
            name: reader.figures(f"{mode.value}.{name}", own.get(name), zero=name.endswith("_s"))
            for name in _TABLES
        }
        barriers = own.get("barriers", {})
        if barriers:
            reader.record_source(f"{mode.value}.barriers", barriers)
        approach = own.get("approach_kmh", {})
        reader.record_source(f"{mode.value}.approach_kmh", approach)
        modes[mode] = Profile(
            mode=mode,
            approach_kmh=reader.figure(f"{mode.value}.approach_kmh", approach.get("value"), zero=False),
            barriers_closed=frozenset(barriers.get("closed", ())),
            barriers_opened=frozenset(barriers.get("opened", ())),
            **tables,
        )
    ranks = reader.figures("ranks", raw.get("ranks"), zero=False)
    if not ranks:
        raise reader.error("ranks", "is missing")
    return Profiles(
        modes=modes,
        aliases=raw.get("aliases", {}),
        ranks={name: int(rank) for name, rank in ranks.items()},
        limits_kmh=reader.figures("limits_kmh", raw.get("limits_kmh"), zero=False),
        sources=reader.source_of,
    )


class _ProfileReader:
    """Validates the figures of a file and records the source of each table."""

    def __init__(self, path: Path, sources: Mapping[str, str]) -> None:
        self.path = path
        self.sources = sources
        self.source_of: dict[str, str] = {}

    def figures(self, name: str, table: dict[str, Any] | None, *, zero: bool) -> dict[str, float]:
        if table is None:
            return {}
        self.record_source(name, table)
        return {
            key: self.figure(f"{name}.{key}", value, zero=zero)
            for key, value in table.items()
            if key != "source"
        }

    def figure(self, name: str, value: object, *, zero: bool) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise self.error(name, f"must be a number, not {value!r}")
        if value < 0 or (value == 0 and not zero):
            raise self.error(name, f"must be above 0, not {value!r}")
        return float(value)

    def record_source(self, name: str, table: Mapping[str, Any]) -> None:
        try:
            self.source_of[name] = self.sources[table["source"]]
        except KeyError as cause:
            raise self.error(name, f"names no source of [sources]: {cause}") from cause

    def error(self, name: str, what: str) -> OperatorError:
        return OperatorError(f"Speed profiles {self.path}: [{name}] {what}.")
