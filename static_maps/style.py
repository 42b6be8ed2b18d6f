"""Colours of data on maps and charts, and the words of their legends.

Colours run from light (near) to dark (far), one step of lightness each, so that they stay in
order for every kind of colour vision and in a black-and-white print.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final

from geo.sites.model import Position
from geo.territory.model import TerritoryKind
from geo.wording import figures


@dataclass(frozen=True, slots=True)
class TimeClassStyle:
    """One class of the legend: times (minutes) up to `up_to_min` and not in the class before."""

    up_to_min: float
    colour: str
    label: str


CLASSES: Final[tuple[TimeClassStyle, ...]] = (
    TimeClassStyle(5, "#fdf0c4", f"{figures.minutes(5)} au plus"),
    TimeClassStyle(10, "#f5ba6e", f"de {figures.minutes_range(5, 10)}"),
    TimeClassStyle(15, "#e7874c", f"de {figures.minutes_range(10, 15)}"),
    TimeClassStyle(20, "#cb5e45", f"de {figures.minutes_range(15, 20)}"),
    TimeClassStyle(30, "#ab3b42", f"de {figures.minutes_range(20, 30)}"),
    TimeClassStyle(45, "#7f254a", f"de {figures.minutes_range(30, 45)}"),
    TimeClassStyle(inf, "#4d1342", f"plus de {figures.minutes(45)}"),
)
"""The times of `geo.coverage.measure.MINUTES`: bounds a resident can picture."""

CHANGE_COLOURS: Final = ("#7a3803", "#c8741d", "#f0c48a", "#eceff2", "#9cc4e4", "#3a83bd", "#0b3d73")
"""From much farther to much nearer (orange to blue), around no change."""

TIME_RAMP: Final = (
    *("#fdf3cf", "#fbd48d", "#f2a65e", "#df7549"),
    *("#bd4440", "#8f2450", "#541146", "#2b0a30"),
)
"""From near (light) to far (dark), one step of lightness each: in order in black and white too."""
SUPPLY_RAMP: Final = ("#f7d9a8", "#e3f0ee", "#a9d6cf", "#63b0aa", "#2a7f80", "#0f4f57")
"""From no supply (another hue) to the most."""
BLUES: Final = ("#dcebf7", "#b3d3ea", "#7fb2d9", "#4a8bc2", "#1f5f9e", "#0a3a6e")
GREENS: Final = ("#ddf1e4", "#b0dcc1", "#79bf9b", "#429b76", "#1b7355", "#064a36")
PURPLES: Final = ("#ece5f5", "#cfc0e6", "#ac93d1", "#8866b8", "#653e98", "#421d70")
WARM: Final = ("#fdf0c4", "#f8cf86", "#ec9d57", "#d26b46", "#a73a42", "#6c1d4a")
"""From little (light) to much (dark): in order for every kind of colour vision, and in black and white."""
ZERO_COLOUR: Final = "#f6f4ee"
CROSSED: Final = (
    ("#e8e8e8", "#ace4e4", "#5ac8c8"),
    ("#dfb0d6", "#a5add3", "#5698b9"),
    ("#be64ac", "#8c62aa", "#3b4994"),
)
"""Rows: the second measure, from little to much; columns: the first (after J. Stevens)."""

CIRCLE_COLOUR: Final = "#b8413f"
PAPER_GREY: Final = "#eceef1"
"""Communes of a drawn map that have no colour of their own."""
HIGHLIGHT: Final = ("#1f5f9e", "#0a3a6e")
"""Fill and edge of the territory that a small drawing points out."""
MONEY_COLOURS: Final = ("#0a3a6e", "#4a8bc2", "#cfe3f3")
"""Paid, set aside, available."""

UNKNOWN_COLOUR: Final = "#c9ccd1"
UNKNOWN_LABEL: Final = figures.OUT_OF_REACH

LEGEND_TITLE: Final = "Temps jusqu'au lieu le plus proche"

SHARES_MIN: Final = (10, 20, 30)
"""Times, in minutes, whose share of inhabitants the sheet shows."""

GROUPING_LABELS: Final[dict[TerritoryKind, str]] = {
    TerritoryKind.COMMUNE: "Commune",
    TerritoryKind.CANTON: "Canton",
    TerritoryKind.EPCI: "Intercommunalité",
    TerritoryKind.ARRONDISSEMENT: "Arrondissement",
}
"""Levels a map can be coloured by, in the order of its switch."""

POSITION_LABELS: Final[dict[Position, str]] = {
    Position.APPROXIMATIVE: "Position approximative : placé à la mairie de la commune",
    Position.RUE: "Position approximative : placé dans la rue, sans le numéro",
    Position.INCONNUE: "Position inconnue : ce lieu n'est pas sur la carte",
}

HOURS_UNKNOWN: Final = "Horaires inconnus : téléphonez avant de vous déplacer"
