"""Read coordinates as files hold them: decimal degrees, degrees-minutes-seconds, metres of a projection."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from geo.crs import LAMBERT_93, OTHER_PROJECTIONS, in_degrees
from geo.sites.findings import Finding

METRES_FROM: Final = 1_000.0
"""Two numbers, one of which is at least this, are no degrees: they may be metres of a projection."""

_NUMBER = re.compile(r"[+-]?\d{1,20}([.,]\d{0,40})?([eE][+-]?\d{1,3})?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?: \d{3}){1,3}(?:[.,]\d{1,20})?", re.ASCII)
_PART = r"(\d{1,3}(?:[.,]\d{1,20})?)"
_SEXAGESIMAL = re.compile(
    r"(?P<before>[nsewo])? ?(?P<sign>[+-])? ?"
    rf"{_PART} ?(?P<unit>°|º|˚|deg|d)? ?"
    rf"(?:{_PART} ?(?:'|′|min|mn|m)? ?(?:{_PART} ?(?:\"|″|''|′′|sec|s)?)?)? ?"
    r"(?P<after>nord|sud|est|ouest|[nsewo])?",
    re.ASCII,
)
_BETWEEN: Final = tuple(
    re.compile(pattern)
    for pattern in (r";", r"/", r",\s+", r"(?<=[NSns])[\s,]+", r"(?<=\d),(?=[+-]?\d+\.)", r"\s+")
)
"""What may stand between two coordinates in one cell, tried in this order."""

_VARIANTS: Final = str.maketrans(
    {"’": "'", "‘": "'", "´": "'", "”": '"', "“": '"', "\u00a0": " ", "\u202f": " "}
)


@dataclass(frozen=True, slots=True)
class Coordinates:
    """Coordinates of the source, in WGS 84 degrees; None when they cannot be used."""

    latitude: float | None
    longitude: float | None
    findings: tuple[Finding, ...] = ()

    @property
    def point(self) -> tuple[float, float] | None:
        """(longitude, latitude), or None when they cannot be used."""
        if self.latitude is None or self.longitude is None:
            return None
        return self.longitude, self.latitude


@dataclass(frozen=True, slots=True)
class _Angle:
    """A value read from a cell. `axis` is "y" with a N or S, "x" with an E, W or O, else ""."""

    value: float
    axis: str = ""
    sexagesimal: bool = False


def parse_coordinates(
    latitude: str,
    longitude: str,
    *,
    metric_crs: int = LAMBERT_93,
    expected: Callable[[float, float], bool] = lambda longitude, latitude: False,
) -> Coordinates:
    """Parse a pair of cells; half a pair, 0/0 and impossible values are flagged.

    Decimal commas, degrees-minutes-seconds and both coordinates in one cell are read. Metres of a projection,
    in either order, are converted: those of the territory's own or of Lambert-93, else those of another
    French projection or of Web Mercator if they lead where they are expected. A latitude beyond 90° is
    accepted when the longitude is a possible latitude: the two may be swapped, which `choose_position` checks
    against the commune.

    Parameters
    ----------
    metric_crs
        EPSG code of the territory's projection.
    expected
        Whether a point (WGS 84 degrees) is in the territory or among its neighbours.
    """
    if not latitude and not longitude:
        return Coordinates(None, None)
    quoted = f"{latitude} / {longitude}"
    if not latitude or not longitude:
        pair = _both_in_one(latitude or longitude)
        if pair is None:
            return _unusable(quoted, "il n'y en a qu'une sur deux")
        apart = parse_coordinates(*pair, metric_crs=metric_crs, expected=expected)
        joined = Finding("coordonnees_jointes", "latitude", quoted, " / ".join(pair))
        return replace(apart, findings=(joined, *apart.findings))
    north, east = _angle(latitude), _angle(longitude)
    if north is None or east is None:
        return _unusable(quoted, "ce ne sont pas deux nombres")
    if (north.axis, east.axis) == ("x", "y"):
        swapped = Finding("coordonnees_inversees", "latitude", quoted)
        return Coordinates(east.value, north.value, (swapped,))
    if north.axis == "x" or east.axis == "y":
        return _unusable(quoted, "la lettre du nord ou de l'est n'est pas dans la bonne colonne")
    y, x = north.value, east.value
    if max(abs(x), abs(y)) >= METRES_FROM:
        return _converted(x, y, quoted, metric_crs, expected)
    if y == 0 and x == 0:
        return _unusable(quoted, "0 / 0 est au large de l'Afrique")
    if abs(y) > 180 or abs(x) > 180 or (abs(y) > 90 and abs(x) > 90):
        return _unusable(quoted, "elles sont hors limites")
    if north.sexagesimal or east.sexagesimal:
        detail = f"{round(y, 6)} / {round(x, 6)}"
        found = Finding("coordonnees_sexagesimales", "latitude", quoted, detail)
        return Coordinates(round(y, 7), round(x, 7), (found,))
    if "," in quoted:
        return Coordinates(y, x, (Finding("virgule_decimale", "latitude", quoted),))
    return Coordinates(y, x)


def _both_in_one(cell: str) -> tuple[str, str] | None:
    """Split a cell that holds both coordinates: « 44.2033, 0.6163 », « 44°12'30"N 0°37'E »; or None."""
    for separator in _BETWEEN:
        parts = [part for part in separator.split(cell) if part.strip()]
        if len(parts) == 2 and all(map(_angle, parts)):
            return parts[0].strip(), parts[1].strip()
    return None


def _converted(
    x: float, y: float, quoted: str, metric_crs: int, expected: Callable[[float, float], bool]
) -> Coordinates:
    """Convert metres of a projection, easting first or northing first."""
    usual = tuple(dict.fromkeys((metric_crs, LAMBERT_93)))
    possible = [
        (epsg, point)
        for epsg in (*usual, *OTHER_PROJECTIONS)
        for pair in ((x, y), (y, x))
        if (point := in_degrees(*pair, epsg))
    ]
    chosen = next((p for p in possible if expected(*p[1])), None) or next(
        (p for p in possible if p[0] in usual), None
    )
    if chosen is None:
        return _unusable(quoted, "elles sont hors limites")
    epsg, (longitude, latitude) = chosen
    detail = f"EPSG:{epsg}, soit {latitude:.6f} / {longitude:.6f}"
    found = Finding("coordonnees_projetees", "latitude", quoted, detail)
    return Coordinates(round(latitude, 7), round(longitude, 7), (found,))


def _angle(cell: str) -> _Angle | None:
    text = " ".join(cell.translate(_VARIANTS).split()).casefold()
    if _NUMBER.fullmatch(text):
        return _Angle(float(text.replace(",", ".")))
    if _THOUSANDS.fullmatch(text):
        return _Angle(float(text.replace(" ", "").replace(",", ".")))
    found = _SEXAGESIMAL.fullmatch(text)
    if found is None:
        return None
    degrees, minutes, seconds = (float((part or "0").replace(",", ".")) for part in found.group(3, 5, 6))
    letter = (found["after"] or found["before"] or "")[:1]
    whole = degrees.is_integer() or not found[5]
    if not (letter or found["unit"] or found[5]) or degrees > 180 or not whole:
        return None
    if minutes >= 60 or seconds >= 60 or (found["before"] and found["after"]):
        return None
    negative = (found["sign"] == "-") != (letter in ("s", "w", "o") if letter else False)
    value = degrees + minutes / 60 + seconds / 3_600
    axis = {"n": "y", "s": "y", "e": "x", "w": "x", "o": "x"}.get(letter, "")
    return _Angle(-value if negative else value, axis, True)


def _unusable(quoted: str, why: str) -> Coordinates:
    return Coordinates(None, None, (Finding("coordonnees_invalides", "latitude", quoted, why),))
