"""How people go: by car, by bicycle, on foot."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """A way to travel; each has its own speeds and its own part of the roads."""

    CAR = "car"
    BICYCLE = "bicycle"
    FOOT = "foot"

    @property
    def label(self) -> str:
        """The French words shown to readers: « en voiture »."""
        return _LABELS[self]


_LABELS = {Mode.CAR: "en voiture", Mode.BICYCLE: "à vélo", Mode.FOOT: "à pied"}
