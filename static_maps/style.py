"""How maps look and what their legend says: data, not code.

Colours run from light (near) to dark (far), one step of lightness each, so that they stay in
order for every kind of colour vision and in a black-and-white print.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final

from geo.reach import straight_line
from geo.sites.model import Position
from geo.territory.model import Kind


@dataclass(frozen=True, slots=True)
class AccessClass:
    """One class of the legend: distances (metres) below `below_m` and not in the class before."""

    below_m: float
    colour: str
    label: str


CLASSES: Final[tuple[AccessClass, ...]] = (
    AccessClass(2_000, "#fdf0c4", "moins de 2 km"),
    AccessClass(5_000, "#f9c878", "de 2 à 5 km"),
    AccessClass(10_000, "#e98a4d", "de 5 à 10 km"),
    AccessClass(15_000, "#b8413f", "de 10 à 15 km"),
    AccessClass(inf, "#66194f", "15 km et plus"),
)
"""Bounds a resident can picture: a walk, a bicycle ride, a short drive, a drive, an outing."""

UNKNOWN_COLOUR: Final = "#c9ccd1"
UNKNOWN_LABEL: Final = "distance inconnue"

LEGEND_TITLE: Final = "Distance au lieu le plus proche"
LEGEND_UNIT: Final = "en kilomètres"

METHODS: Final[dict[str, str]] = {straight_line.METHOD: straight_line.LABEL}
"""Method of a coverage → how the legend names it."""

GROUPING_LABELS: Final[dict[Kind, str]] = {
    Kind.COMMUNE: "Commune",
    Kind.CANTON: "Canton",
    Kind.EPCI: "Intercommunalité",
    Kind.ARRONDISSEMENT: "Arrondissement",
}
"""Levels a map can be coloured by, in the order of its switch."""

POSITION_LABELS: Final[dict[Position, str]] = {
    Position.APPROXIMATIVE: "Position approximative : placé à la mairie de la commune",
    Position.INCONNUE: "Position inconnue : ce lieu n'est pas sur la carte",
}

HOURS_UNKNOWN: Final = "Horaires inconnus : téléphonez avant de vous déplacer"
