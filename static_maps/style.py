"""How maps look and what their legend says: data, not code.

Colours run from light (near) to dark (far), one step of lightness each, so that they stay in
order for every kind of colour vision and in a black-and-white print.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final

from geo.coverage import equity
from geo.sites.model import Position
from geo.territory.model import TerritoryKind


@dataclass(frozen=True, slots=True)
class TimeClassStyle:
    """One class of the legend: times (minutes) up to `up_to_min` and not in the class before."""

    up_to_min: float
    colour: str
    label: str


CLASSES: Final[tuple[TimeClassStyle, ...]] = (
    TimeClassStyle(5, "#fdf0c4", "5 min au plus"),
    TimeClassStyle(10, "#f5ba6e", "de 5 à 10 min"),
    TimeClassStyle(15, "#e7874c", "de 10 à 15 min"),
    TimeClassStyle(20, "#cb5e45", "de 15 à 20 min"),
    TimeClassStyle(30, "#ab3b42", "de 20 à 30 min"),
    TimeClassStyle(45, "#7f254a", "de 30 à 45 min"),
    TimeClassStyle(inf, "#4d1342", "plus de 45 min"),
)
"""The times of `geo.coverage.measure.MINUTES`: bounds a resident can picture."""

UNKNOWN_COLOUR: Final = "#c9ccd1"
UNKNOWN_LABEL: Final = equity.OUT_OF_REACH

LEGEND_TITLE: Final = "Temps jusqu'au lieu le plus proche"

SHARES_MIN: Final = (10, 20, 30)
"""Times whose share of inhabitants the sheet tells."""

GROUPING_LABELS: Final[dict[TerritoryKind, str]] = {
    TerritoryKind.COMMUNE: "Commune",
    TerritoryKind.CANTON: "Canton",
    TerritoryKind.EPCI: "Intercommunalité",
    TerritoryKind.ARRONDISSEMENT: "Arrondissement",
}
"""Levels a map can be coloured by, in the order of its switch."""

POSITION_LABELS: Final[dict[Position, str]] = {
    Position.APPROXIMATIVE: "Position approximative : placé à la mairie de la commune",
    Position.INCONNUE: "Position inconnue : ce lieu n'est pas sur la carte",
}

HOURS_UNKNOWN: Final = "Horaires inconnus : téléphonez avant de vous déplacer"
