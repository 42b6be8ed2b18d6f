"""How fast each mode goes on each kind of road: figures kept as data, each with its source.

The shipped figures stand in `profiles.toml` beside this module; what they mean and how they were
calibrated: docs/roads-speeds.md.
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
    """How one mode travels.

    Attributes
    ----------
    approach_kmh
        Speed between a place and the nearest road, off the graph.
    speed_kmh, built_up_kmh
        By road class: speed where no limit is posted, outside and inside built-up areas. A class
        in neither is closed to the mode; one missing from the second is as fast inside as outside.
    share_of_limit
        By road class: part of the posted limit really driven; 1 where it is not told.
    allowed_kmh
        By road class: speed where a tag of the way lets the mode in, or receives it better.
    surface_kmh, tracktype_kmh
        Speeds that a surface or a type of track does not let it exceed.
    penalty_s
        Seconds lost at a node of some kind: `traffic_signals`, `stop`, `roundabout`…
    junction_s
        Seconds lost where three roads or more meet without lights, by the rank of the road come
        from: `minor` (below the highest there), `equal` (all alike) or `major`.
    barriers_closed, barriers_opened
        Values of `barrier` that stop the mode, or cost it the penalty `gate`.
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
    """All modes' profiles, with what they share.

    Attributes
    ----------
    modes
        A profile for each mode.
    aliases
        Road classes of other layers, as classes of the profiles: "D" → "secondary".
    ranks
        Priority of road classes where they meet, lowest first.
    limits_kmh
        Speed limits given in words: "urban" → 50.
    sources
        For each table ("car.speed_kmh"), where its figures come from.
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
        """The rank of classes that `ranks` does not hold."""
        return max(self.ranks.values()) + 1

    def road_class(self, name: str) -> str:
        """The class a name stands for in the tables: itself when it is no alias."""
        return self.aliases.get(name, name)

    def rank(self, road_class: str) -> int:
        """Priority of a class, lowest first; a link ranks as its road."""
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
        """Speed really travelled between junctions on a kind of road.

        Parameters
        ----------
        road_class
            A value of OpenStreetMap's `highway`, or an alias ("A", "N", "D", "C").
        limit_kmh
            The posted limit; None when it is not known.
        built_up
            Whether the road lies in a built-up area; asked only where no limit is posted.
        surface, tracktype
            As in OpenStreetMap; "" when not known.
        allowed
            Whether a tag of the road lets the mode in, whatever its class.

        Returns
        -------
        km/h; 0.0 where the mode may not go.
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
        for limits, found in ((profile.surface_kmh, surface), (profile.tracktype_kmh, tracktype)):
            speed = min(speed, limits.get(found, speed))
        return speed


def load_profiles(path: Path = SHIPPED) -> Profiles:
    """Read profiles from a TOML file.

    Raises
    ------
    OperatorError
        If the file is no TOML, or a table is missing, has no source, or holds a figure that is
        negative, not finite, or zero where it is a speed.
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
            raise reader.fault(f"{mode.value}.speed_kmh", "is missing")
        tables = {
            name: reader.figures(f"{mode.value}.{name}", own.get(name), zero=name.endswith("_s"))
            for name in _TABLES
        }
        barriers = own.get("barriers", {})
        if barriers:
            reader.note(f"{mode.value}.barriers", barriers)
        approach = own.get("approach_kmh", {})
        reader.note(f"{mode.value}.approach_kmh", approach)
        modes[mode] = Profile(
            mode=mode,
            approach_kmh=reader.figure(f"{mode.value}.approach_kmh", approach.get("value"), zero=False),
            barriers_closed=frozenset(barriers.get("closed", ())),
            barriers_opened=frozenset(barriers.get("opened", ())),
            **tables,
        )
    ranks = reader.figures("ranks", raw.get("ranks"), zero=False)
    if not ranks:
        raise reader.fault("ranks", "is missing")
    return Profiles(
        modes=modes,
        aliases=raw.get("aliases", {}),
        ranks={name: int(rank) for name, rank in ranks.items()},
        limits_kmh=reader.figures("limits_kmh", raw.get("limits_kmh"), zero=False),
        sources=reader.told,
    )


class _ProfileReader:
    """Takes figures out of the file, and notes the source of each table."""

    def __init__(self, path: Path, sources: Mapping[str, str]) -> None:
        self.path = path
        self.sources = sources
        self.told: dict[str, str] = {}

    def figures(self, name: str, table: dict[str, Any] | None, *, zero: bool) -> dict[str, float]:
        if table is None:
            return {}
        self.note(name, table)
        return {
            key: self.figure(f"{name}.{key}", value, zero=zero)
            for key, value in table.items()
            if key != "source"
        }

    def figure(self, name: str, value: object, *, zero: bool) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise self.fault(name, f"must be a number, not {value!r}")
        if value < 0 or (value == 0 and not zero):
            raise self.fault(name, f"must be above 0, not {value!r}")
        return float(value)

    def note(self, name: str, table: Mapping[str, Any]) -> None:
        try:
            self.told[name] = self.sources[table["source"]]
        except KeyError as error:
            raise self.fault(name, f"names no source of [sources]: {error}") from error

    def fault(self, name: str, what: str) -> OperatorError:
        return OperatorError(f"Speed profiles {self.path}: [{name}] {what}.")
