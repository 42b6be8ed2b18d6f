"""Choose the position of a site: its own coordinates when plausible, else the town hall."""

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
"""Finding codes that explain why a site is placed at a town hall."""


@dataclass(frozen=True, slots=True)
class Coordinates:
    """Coordinates of the source, in degrees; None when they cannot be used."""

    latitude: float | None
    longitude: float | None
    findings: tuple[Finding, ...] = ()

    @property
    def point(self) -> tuple[float, float] | None:
        """(longitude, latitude), or None when they cannot be used."""
        if self.latitude is None or self.longitude is None:
            return None
        return self.longitude, self.latitude


def parse_coordinates(latitude: str, longitude: str) -> Coordinates:
    """Parse a pair of cells. Decimal commas are repaired; half a pair, 0/0 and invalid values flagged.

    A latitude beyond 90° is accepted when the longitude is a possible latitude: the two may be
    swapped, which `choose_position` checks against the commune.
    """
    if not latitude and not longitude:
        return Coordinates(None, None)
    quoted = f"{latitude} / {longitude}"
    y, x = _parse_number(latitude), _parse_number(longitude)
    if not latitude or not longitude:
        return _unusable(quoted, "il n'y en a qu'une sur deux")
    if y is None or x is None:
        return _unusable(quoted, "ce ne sont pas deux nombres")
    if y == 0 and x == 0:
        return _unusable(quoted, "0 / 0 est au large de l'Afrique")
    if abs(y) > 180 or abs(x) > 180 or (abs(y) > 90 and abs(x) > 90):
        return _unusable(quoted, "elles sont hors limites")
    if "," in quoted:
        return Coordinates(y, x, (Finding("virgule_decimale", "latitude", quoted),))
    return Coordinates(y, x)


def choose_position(
    given: Coordinates, commune: Commune | None, resolver: CommuneResolver, *, exported: str = ""
) -> tuple[float | None, float | None, Position, tuple[Finding, ...]]:
    """Choose the latitude, longitude and accuracy of a site.

    A point that is neither in its commune nor near it would send people to the wrong place, so it
    is replaced by the town hall, accurate to a few kilometres, and flagged. Swapped coordinates are
    put right. Without a known commune nothing can be checked, and the point is used.

    Parameters
    ----------
    exported
        `ext_position` of our own export; "approximative" means that the point is a town hall.
    """
    point, findings = given.point, given.findings
    if point is None:
        return _at_town_hall(commune, findings)
    if exported == Position.APPROXIMATIVE:
        return given.latitude, given.longitude, Position.APPROXIMATIVE, findings
    longitude, latitude = point
    quoted = f"{latitude!r} / {longitude!r}"
    if commune is None or resolver.is_near(commune, longitude, latitude):
        if abs(latitude) > 90:
            return _at_town_hall(commune, _unusable(quoted, "elles sont hors limites").findings)
        return latitude, longitude, Position.EXACTE, findings
    if resolver.is_near(commune, latitude, longitude):
        swapped = Finding("coordonnees_inversees", "latitude", quoted)
        return longitude, latitude, Position.EXACTE, (*findings, swapped)
    if abs(latitude) > 90:
        return _at_town_hall(commune, _unusable(quoted, "elles sont hors limites").findings)
    far = Finding("hors_commune", "latitude", quoted, f"le lieu est à {commune.name}")
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


def _unusable(quoted: str, why: str) -> Coordinates:
    return Coordinates(None, None, (Finding("coordonnees_invalides", "latitude", quoted, why),))
