"""Meaning of OpenStreetMap tags for each mode: access, one-way rules, speeds, barriers.

Pure functions of tags. The rules are documented in docs/roads-speeds.md and follow the conventions
of the OpenStreetMap wiki (Key:access, Key:oneway, Key:maxspeed, Key:barrier).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from geo.reach.modes import Mode
from geo.reach.profiles import Profiles

NOT_OPEN: Final = "ways not open (planned, being built, disused)"
FERRY: Final = "ferries"
AREA: Final = "areas"
NO_ROAD: Final = "ways no mode uses (raceway, elevator, rest area...)"
CLOSED: Final = "ways closed to every mode"

_MPH_KMH = 1.609344
_PLAUSIBLE_KMH = (5, 150)

_PLANNED = frozenset({"construction", "proposed", "planned", "abandoned", "disused", "razed", "demolished"})
_ACCESS_KEYS = {
    Mode.CAR: ("motorcar", "motor_vehicle", "vehicle", "access"),
    Mode.BICYCLE: ("bicycle", "vehicle", "access"),
    Mode.FOOT: ("foot", "access"),
}
_ONEWAY_KEYS = {
    Mode.CAR: ("oneway:motorcar", "oneway:motor_vehicle", "oneway:vehicle", "oneway"),
    Mode.BICYCLE: ("oneway:bicycle", "oneway:vehicle", "oneway"),
    Mode.FOOT: ("oneway:foot",),
}
_LIMIT_KEYS = ("maxspeed", "maxspeed:type", "source:maxspeed", "zone:maxspeed")
_CLOSING = frozenset(
    {"no", "private", "agricultural", "forestry", "emergency", "military", "permit", "use_sidepath"}
)
_OPENING = frozenset({"yes", "designated", "permissive", "destination", "customers", "official", "delivery"})
_OPPOSITE = frozenset({"opposite", "opposite_lane", "opposite_track", "opposite_share_busway"})
_CYCLEWAYS = ("cycleway", "cycleway:left", "cycleway:right", "cycleway:both")
_SIDEWALKS = frozenset({"both", "left", "right", "yes"})
_RING = frozenset({"roundabout", "circular"})
WAY_KEYS: Final = frozenset(
    {
        *("highway", "route", "area", "junction", "motorroad", "service", "bridge", "tunnel", "impassable"),
        *("surface", "tracktype", "sidewalk", "zone:traffic", "maxspeed:forward", "maxspeed:backward"),
        *_LIMIT_KEYS,
        *_CYCLEWAYS,
        *(key for keys in (*_ACCESS_KEYS.values(), *_ONEWAY_KEYS.values()) for key in keys),
    }
)
NODE_KINDS: Final = (
    "",
    "traffic_signals",
    "stop",
    "give_way",
    "crossing",
    "level_crossing",
    "mini_roundabout",
)
"""Kinds of nodes that cost time to pass; "" for any other node."""
SIGNALS, STOP, GIVE_WAY = 1, 2, 3
"""Rows of `NODE_KINDS`."""


@dataclass(frozen=True)
class WayRule:
    """What the tags of a way mean.

    Attributes
    ----------
    rank
        Rank of its road class in the profiles.
    ring
        Whether it is part of a roundabout.
    joinable
        Whether places beside it can be snapped to it.
    open_kmh, built_up_kmh
        For each mode in the order of `Mode`: speed along the way and against it, outside and inside
        built-up areas; 0 where the mode may not go.
    """

    rank: int
    ring: bool
    joinable: bool
    open_kmh: tuple[tuple[float, ...], ...]
    built_up_kmh: tuple[tuple[float, ...], ...]


def way_rule(tags: Mapping[str, str], profiles: Profiles) -> WayRule | str:
    """Interpret the tags of a way (`WAY_KEYS` suffice), or return the reason to drop it.

    1. Ferries, ways not open and areas are no roads.
    2. The road class must be one that some mode uses.
    3. For each mode, the most specific access tag decides; `dismount` lets bicycles through at
       walking pace on foot.
    4. Emergency accesses, and motorroads for all but cars, need an explicit permission.
    """
    highway = tags["highway"]
    # 1
    if tags.get("route") == "ferry" or highway == "ferry":
        return FERRY
    if highway in _PLANNED or tags.get("impassable") == "yes":
        return NOT_OPEN
    if tags.get("area") == "yes":
        return AREA
    # 2
    name = profiles.road_class(highway)
    if not any(profiles.speed_kmh(mode, name, allowed=allowed) for mode in Mode for allowed in (False, True)):
        return NO_ROAD
    limits = _limits(tags, profiles)
    in_town = tags.get("zone:traffic", "").endswith(":urban") or tags.get("sidewalk") in _SIDEWALKS
    open_kmh: list[tuple[float, ...]] = []
    built_up_kmh: list[tuple[float, ...]] = []
    for mode in Mode:
        # 3
        access, explicit = _access(tags, mode)
        pushed = access == "dismount"
        # 4
        closed = access in _CLOSING or (
            mode is not Mode.FOOT and tags.get("service") == "emergency_access" and not explicit
        )
        if tags.get("motorroad") == "yes" and mode is not Mode.CAR:
            closed = closed or not explicit
        directions = _directions(tags, mode)
        for speeds, built_up in ((open_kmh, in_town), (built_up_kmh, True)):
            speeds.append(
                tuple(
                    profiles.speed_kmh(
                        mode,
                        "footway" if pushed else name,
                        limit_kmh=limit,
                        built_up=built_up,
                        surface=tags.get("surface", ""),
                        tracktype=tags.get("tracktype", ""),
                        allowed=explicit and not pushed,
                    )
                    if allowed and not closed
                    else 0.0
                    for allowed, limit in zip(directions, limits, strict=True)
                )
            )
    if not any(speed for pair in open_kmh for speed in pair):
        return CLOSED
    raised = any(tags.get(key, "no") not in ("no", "building_passage") for key in ("bridge", "tunnel"))
    return WayRule(
        rank=profiles.rank(name),
        ring=tags.get("junction") in _RING,
        joinable=not (raised or name.startswith("motorway") or tags.get("motorroad") == "yes"),
        open_kmh=tuple(open_kmh),
        built_up_kmh=tuple(built_up_kmh),
    )


def _access(tags: Mapping[str, str], mode: Mode) -> tuple[str, bool]:
    """Return the access value that applies to a mode, and whether it explicitly admits that mode.

    The keys go from the most specific to the general `access`, and the first one present decides.
    """
    for key in _ACCESS_KEYS[mode]:
        if key in tags:
            value = tags[key].split(";")[0].strip()
            return value, value in _OPENING and key != "access"
    return "", False


def _directions(tags: Mapping[str, str], mode: Mode) -> tuple[bool, bool]:
    """Return whether a mode may go along a way, and against it.

    A contraflow cycleway opens both directions to bicycles unless `oneway:bicycle` decides;
    roundabouts and motorways are one-way by default for vehicles.
    """
    value = next((tags[key] for key in _ONEWAY_KEYS[mode] if key in tags), "")
    if mode is Mode.BICYCLE and "oneway:bicycle" not in tags and _has_contraflow_cycleway(tags):
        return True, True
    if not value and mode is not Mode.FOOT:
        value = "yes" if tags.get("junction") in _RING or tags["highway"] == "motorway" else ""
    if value in ("yes", "true", "1"):
        return True, False
    if value in ("-1", "reverse"):
        return False, True
    return (False, False) if value == "reversible" else (True, True)


def _has_contraflow_cycleway(tags: Mapping[str, str]) -> bool:
    """Return whether a cycleway leads against the traffic."""
    return any(tags.get(key) in _OPPOSITE for key in _CYCLEWAYS)


def _limits(tags: Mapping[str, str], profiles: Profiles) -> tuple[float | None, float | None]:
    """Return the posted limits along a way and against it, km/h; None where there is none."""
    limits = (_limit(tags[key], profiles) for key in _LIMIT_KEYS if key in tags)
    both = next((limit for limit in limits if limit), None)
    along, against = (
        _limit(tags.get(f"maxspeed:{way}", ""), profiles) or both for way in ("forward", "backward")
    )
    return along, against


def _limit(value: str, profiles: Profiles) -> float | None:
    """Parse a speed limit, km/h: "50", "30 mph", "walk", "FR:urban"; None if it is not usable."""
    text = value.split(";", maxsplit=1)[0].strip()
    word = text.split(":", 1)[-1].strip() if re.match(r"[A-Z]{2}:", text) else text
    if word in profiles.limits_kmh:
        return profiles.limits_kmh[word]
    number = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(mph|km/h|kmh)?", word)
    if not number:
        return None
    kmh = float(number[1]) * (_MPH_KMH if number[2] == "mph" else 1)
    return kmh if _PLAUSIBLE_KMH[0] <= kmh <= _PLAUSIBLE_KMH[1] else None


class NodeRule(NamedTuple):
    """What the tags of a node on a road mean.

    Attributes
    ----------
    kind
        Row of `NODE_KINDS`.
    direction
        1 if it applies only to traffic along the way, -1 against it, 0 both.
    closed, gate
        For each mode in order: whether it cannot pass, or has a gate to open.
    """

    kind: int
    direction: int
    closed: tuple[bool, ...]
    gate: tuple[bool, ...]


def node_rule(tags: Mapping[str, str], profiles: Profiles) -> NodeRule | None:
    """Interpret the tags of a node; None for a node that neither stops nor delays anyone."""
    highway, barrier = tags.get("highway", ""), tags.get("barrier", "")
    name = "level_crossing" if tags.get("railway") in ("level_crossing", "crossing") else highway
    kind = NODE_KINDS.index(name) if name in NODE_KINDS else 0
    if not kind and not barrier:
        return None
    side = tags.get("traffic_signals:direction") if kind == SIGNALS else tags.get("direction")
    closed, gate = [], []
    for mode in Mode:
        # Access tags of a node without a barrier say nothing about passing it.
        access, explicit = _access(tags, mode) if barrier else ("", False)
        opened = explicit or access in _OPENING
        profile = profiles[mode]
        closed.append(access in _CLOSING or (barrier in profile.barriers_closed and not opened))
        gate.append(barrier in profile.barriers_opened)
    direction = {"forward": 1, "backward": -1}.get(side or "", 0)
    return NodeRule(kind, direction, tuple(closed), tuple(gate))
