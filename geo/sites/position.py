"""Where a site is drawn: its own coordinates when they can be believed, else the town hall."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from geo.sites.commune_resolver import CommuneResolver
from geo.sites.findings import Finding
from geo.sites.model import Position
from geo.territory.model import Commune

_NUMBER = re.compile(r"[+-]?\d{1,20}([.,]\d{0,40})?([eE][+-]?\d{1,3})?", re.ASCII)

PLACED_AT_TOWN_HALL: Final = frozenset({"position_approximative", "hors_commune", "coordonnees_invalides"})
"""Codes that tell why a site stands at a town hall: one of them is enough."""


@dataclass(frozen=True, slots=True)
class Coordinates:
    """Coordinates as the source gives them, in degrees; None when they can't be used."""

    latitude: float | None
    longitude: float | None
    findings: tuple[Finding, ...] = ()

    @property
    def point(self) -> tuple[float, float] | None:
        """(longitude, latitude), when both are usable."""
        if self.latitude is None or self.longitude is None:
            return None
        return self.longitude, self.latitude


def parse_coordinates(latitude: str, longitude: str) -> Coordinates:
    """Read a pair of cells. A decimal comma is repaired; half a pair, 0/0 and nonsense are flagged.

    A latitude beyond 90° passes when the longitude can be one: the two may be swapped, which only
    the commune can tell.
    """
    if not latitude and not longitude:
        return Coordinates(None, None)
    said = f"{latitude} / {longitude}"
    y, x = _parse_number(latitude), _parse_number(longitude)
    if not latitude or not longitude:
        return _unusable(said, "il n'y en a qu'une sur deux")
    if y is None or x is None:
        return _unusable(said, "ce ne sont pas deux nombres")
    if y == 0 and x == 0:
        return _unusable(said, "0 / 0 est au large de l'Afrique")
    if abs(y) > 180 or abs(x) > 180 or (abs(y) > 90 and abs(x) > 90):
        return _unusable(said, "elles sont hors limites")
    if "," in said:
        return Coordinates(y, x, (Finding("virgule_decimale", "latitude", said),))
    return Coordinates(y, x)


def choose_position(
    given: Coordinates, commune: Commune | None, gazetteer: CommuneResolver, *, known: str = ""
) -> tuple[float | None, float | None, Position, tuple[Finding, ...]]:
    """Latitude, longitude and how well the site is placed.

    A point that is neither in its commune nor near it would send people to the wrong place, so
    the town hall stands in for it: right to a few kilometres, and flagged. Where the commune is
    not of our maps nothing can be checked, and the point is kept.

    Parameters
    ----------
    known
        `ext_position` of our own export: "approximative" says that the point is a town hall.
    """
    point, findings = given.point, given.findings
    if point is None:
        return _at_town_hall(commune, findings)
    if known == Position.APPROXIMATIVE:
        return given.latitude, given.longitude, Position.APPROXIMATIVE, findings
    longitude, latitude = point
    said = f"{latitude!r} / {longitude!r}"
    if commune is None or gazetteer.is_near(commune, longitude, latitude):
        if abs(latitude) > 90:
            return _at_town_hall(commune, _unusable(said, "elles sont hors limites").findings)
        return latitude, longitude, Position.EXACTE, findings
    if gazetteer.is_near(commune, latitude, longitude):
        swapped = Finding("coordonnees_inversees", "latitude", said)
        return longitude, latitude, Position.EXACTE, (*findings, swapped)
    if abs(latitude) > 90:
        return _at_town_hall(commune, _unusable(said, "elles sont hors limites").findings)
    far = Finding("hors_commune", "latitude", said, f"le lieu est à {commune.name}")
    return _at_town_hall(commune, (*findings, far))


def _at_town_hall(
    commune: Commune | None, findings: tuple[Finding, ...]
) -> tuple[float | None, float | None, Position, tuple[Finding, ...]]:
    if commune is None:
        return None, None, Position.INCONNUE, findings
    if not any(f.code in PLACED_AT_TOWN_HALL for f in findings):
        findings = (*findings, Finding("position_approximative", "latitude", "", commune.name))
    return commune.town_hall.y, commune.town_hall.x, Position.APPROXIMATIVE, findings


def _parse_number(cell: str) -> float | None:
    if not _NUMBER.fullmatch(cell):
        return None
    value = float(cell.replace(",", "."))
    return value if abs(value) < 1e6 else None


def _unusable(said: str, why: str) -> Coordinates:
    return Coordinates(None, None, (Finding("coordonnees_invalides", "latitude", said, why),))
