"""Meaning of the attributes of a road layer: BD TOPO columns, or simpler ones such as `ref`.

Pure functions of attribute values. Columns recognised and their meaning: docs/roads.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from geo.reach.modes import Mode
from geo.reach.profiles import Profiles
from geo.sites.text import fold

FERRY: Final = "ferries"
NOT_IN_SERVICE: Final = "roads not in service"
NO_CLASS: Final = "lines whose class of road is not told"
UNKNOWN_CLASS: Final = "lines of a class that is no road"
CLOSED: Final = "roads closed to every mode"

COLUMNS: Final = {
    "class": ("highway", "class", "fclass", "classe"),
    "nature": ("nature",),
    "importance": ("importance",),
    "admin": ("cl_admin", "cpx_classement_administratif"),
    "ref": ("ref", "route", "numero", "cpx_numero", "num_route"),
    "direction": ("oneway", "sens_de_circulation", "sens"),
    "speed": ("vitesse_moyenne_vl", "vit_moy_vl"),
    "limit": ("maxspeed", "vitesse_max"),
    "access": ("acces_vehicule_leger", "acces_vl"),
    "level": ("position_par_rapport_au_sol", "pos_sol", "layer"),
    "urban": ("urbain",),
    "state": ("etat_de_l_objet", "etat"),
    "bridge": ("bridge",),
    "tunnel": ("tunnel",),
}
"""Question about a road → columns that answer it, in any case; the first one present is used."""

CLASS_QUESTIONS: Final = ("class", "nature", "admin", "ref")
"""Questions any of which gives the class of a road."""

_NATURES: Final = {
    "autoroute": "motorway",
    "type autoroutier": "motorway",
    "quasi autoroute": "trunk",
    "bretelle": "motorway_link",
    "route empierree": "track",
    "piste cyclable": "cycleway",
}
"""NATURE of BD TOPO, folded → road class; « chemin », « sentier », « escalier » are in the profiles."""

_BY_IMPORTANCE: Final = {"1": "primary", "2": "primary", "3": "secondary", "4": "tertiary", "6": "service"}
_CARRIAGEWAYS: Final = re.compile(r"route a [12] chaussees?|rond point|giratoire|carrefour")
_REF: Final = re.compile(r"(?:R?([AND])|V?(C)|R?([MT]))[ -]?\d", re.IGNORECASE)
_METRES_PER_MILE: Final = 1_609.344
_LIMIT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(km/?h|mph)?", re.IGNORECASE)

_FORTH: Final = {"direct", "sens direct", "yes", "true", "1"}
_BACK: Final = {"inverse", "sens inverse", "-1", "reverse"}
_SHUT_TO_CARS: Final = {"physiquement impossible", "restreint aux ayants droit"}
_YES: Final = {"1", "1.0", "t", "true", "yes", "oui", "o"}
_NO: Final = {"", "0", "0.0", "f", "false", "no", "non", "n"}
_LEAST_MEAN_SPEED_KMH: Final = 5.0
"""BD TOPO has 0 or 1 km/h where cars do not go: the access column decides that, not the speed."""


@dataclass(frozen=True, slots=True)
class RoadAttributes:
    """What the attributes of a feature say about the road, or why it is not one.

    Attributes
    ----------
    rank
        Rank of its road class in the profiles.
    kmh
        For each mode in the order of `Mode`: speeds along the line and against it; 0 where closed.
    level
        Height above (positive) or below ground: lines of different levels cross without meeting.
    reachable
        Whether places beside it can be snapped to it.
    refused
        The reason to leave it out; "" for a usable road.
    """

    rank: int = 0
    kmh: tuple[tuple[float, float], ...] = ()
    level: int = 0
    reachable: bool = True
    refused: str = ""


def columns_of(fields: Sequence[str]) -> dict[str, str]:
    """Return question → name of the layer's column that answers it, for the questions that have one."""
    found = {str(field).casefold(): str(field) for field in reversed(fields)}
    return {
        name: next(found[column] for column in columns if column in found)
        for name, columns in COLUMNS.items()
        if not found.keys().isdisjoint(columns)
    }


def as_text(value: Any) -> str:
    """Return a cell as text; "" if it is empty."""
    if value is None or (isinstance(value, float | np.floating) and np.isnan(value)):
        return ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def road_attributes(answers: dict[str, str], profiles: Profiles) -> RoadAttributes:
    """Interpret the attributes of a feature.

    Parameters
    ----------
    answers
        Question (`COLUMNS`) → text of the answer, "" where there is none.
    """
    nature = fold(answers["nature"])
    if nature.startswith("bac ") or answers["class"] == "ferry":
        return RoadAttributes(refused=FERRY)
    if fold(answers["state"]) not in ("", "en service"):
        return RoadAttributes(refused=NOT_IN_SERVICE)
    road_class = _class(answers, nature, profiles)
    if not road_class:
        return RoadAttributes(refused=UNKNOWN_CLASS if answers["class"] or nature else NO_CLASS)
    direction = answers["direction"].casefold()
    kmh = []
    for mode in Mode:
        speed = _speed(mode, road_class, answers, profiles)
        both_ways = mode is Mode.FOOT
        kmh.append(
            (
                speed if both_ways or direction not in _BACK else 0.0,
                speed if both_ways or direction not in _FORTH else 0.0,
            )
        )
    if not any(forth or back for forth, back in kmh):
        return RoadAttributes(refused=CLOSED)
    level = int(answers["level"]) if re.fullmatch(r"-?\d", answers["level"]) else 0
    carried = level or answers["bridge"].casefold() not in _NO or answers["tunnel"].casefold() not in _NO
    return RoadAttributes(
        rank=profiles.rank(road_class),
        kmh=tuple(kmh),
        level=level,
        reachable=not (carried or road_class.removesuffix("_link") == "motorway"),
    )


def _class(answers: dict[str, str], nature: str, profiles: Profiles) -> str:
    """Return the road class; "" if the attributes give none.

    In order: an explicit class, BD TOPO's nature (carriageways by their importance), the
    administrative class, the letter of the road number.
    """
    if answers["class"]:
        return _class_if_known(answers["class"].casefold(), profiles)
    if _CARRIAGEWAYS.fullmatch(nature):
        if answers["importance"] == "1" and nature.startswith("route a 2"):
            return "trunk"
        local = "residential" if answers["urban"].casefold() in _YES else "unclassified"
        return _BY_IMPORTANCE.get(answers["importance"], local)
    if nature:
        return _NATURES.get(nature) or _class_if_known(nature, profiles)
    if admin := _class_if_known(fold(answers["admin"]), profiles):
        return admin
    numbered = _REF.match(answers["ref"])
    if not numbered:
        return ""
    # Metropolitan (M) and territorial (T) roads are former departmental roads.
    letter = next(filter(None, numbered.groups())).upper()
    return profiles.road_class("D" if letter in "MT" else letter)


def _class_if_known(name: str, profiles: Profiles) -> str:
    road_class = profiles.road_class(name)
    return road_class if any(road_class in profiles[mode].speed_kmh for mode in Mode) else ""


def _speed(mode: Mode, road_class: str, answers: dict[str, str], profiles: Profiles) -> float:
    if mode is not Mode.CAR:
        return profiles.speed_kmh(mode, road_class)
    if fold(answers["access"]) in _SHUT_TO_CARS:
        return 0.0
    speed = profiles.speed_kmh(
        mode,
        road_class,
        limit_kmh=_limit(answers["limit"], profiles),
        built_up=answers["urban"].casefold() in _YES,
    )
    measured = _LIMIT.fullmatch(answers["speed"])
    if speed and measured and float(measured[1]) >= _LEAST_MEAN_SPEED_KMH:
        return float(measured[1])
    return speed


def _limit(text: str, profiles: Profiles) -> float | None:
    """Parse a speed limit, km/h: "50", "50 km/h", "30 mph", "FR:urban"; None if it is not one."""
    if found := _LIMIT.fullmatch(text):
        limit = float(found[1])
        if limit <= 0:
            return None
        return limit * _METRES_PER_MILE / 1_000 if (found[2] or "").casefold() == "mph" else limit
    words = text.partition(":")[2] or text
    return profiles.limits_kmh.get(words)
