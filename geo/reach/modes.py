"""Travel modes: by car, by bicycle, on foot."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """A travel mode; each has its own speeds and its own part of the road network."""

    CAR = "car"
    BICYCLE = "bicycle"
    FOOT = "foot"

    @property
    def label(self) -> str:
        """Return the French label shown to users: « en voiture »."""
        return _LABELS[self]


_LABELS = {Mode.CAR: "en voiture", Mode.BICYCLE: "à vélo", Mode.FOOT: "à pied"}
