"""Choose the position of a site: its own coordinates when plausible, else its address, else the town hall."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from geo.sites.commune_resolver import CommuneResolver
from geo.sites.coordinates import Coordinates
from geo.sites.findings import Finding
from geo.sites.location_evidence import AddressMatch
from geo.sites.model import Position
from geo.territory.model import Commune

FLAG_OF_POSITION: Final = {
    Position.APPROXIMATIVE: "position_approximative",
    Position.ADRESSE: "position_adresse",
    Position.RUE: "position_rue",
}
"""Code of the finding that reports each position that is not the source's own."""

NOT_AT_ITS_COORDINATES: Final = frozenset(
    {*FLAG_OF_POSITION.values(), "hors_commune", "coordonnees_invalides"}
)
"""Finding codes that explain why a site is not placed at coordinates of its source."""

_TOWN_HALL: Final = NOT_AT_ITS_COORDINATES - {"position_adresse", "position_rue"}


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a site is placed (WGS 84 degrees; None: nowhere), how accurately, and the findings."""

    latitude: float | None
    longitude: float | None
    position: Position
    findings: tuple[Finding, ...]


def choose_position(
    given: Coordinates,
    commune: Commune | None,
    resolver: CommuneResolver,
    *,
    exported: str = "",
    address: Callable[[], AddressMatch | None] = lambda: None,
) -> Placed:
    """Choose the latitude, longitude and accuracy of a site.

    A point that is neither in its commune nor near it would send people to the wrong place, so it
    is replaced and flagged: by its address where an address base has it, else by the town hall, accurate to
    a few kilometres. Swapped coordinates are put right. Without a known commune nothing can be checked, and
    the point is used.

    Parameters
    ----------
    exported
        `ext_position` of our own export; "approximative" means that the point is a town hall.
    address
        Looks the address up in the commune; called only when the coordinates cannot be used.
    """
    point, findings = given.point, given.findings
    if point is None:
        return _elsewhere(commune, findings, address)
    if exported in FLAG_OF_POSITION:
        return Placed(given.latitude, given.longitude, Position(exported), findings)
    longitude, latitude = point
    quoted = f"{latitude!r} / {longitude!r}"
    impossible = Finding("coordonnees_invalides", "latitude", quoted, "elles sont hors limites")
    if commune is None or resolver.is_near(commune, longitude, latitude):
        if abs(latitude) > 90:
            return _elsewhere(commune, (impossible,), address)
        return Placed(latitude, longitude, Position.EXACTE, findings)
    if resolver.is_near(commune, latitude, longitude):
        swapped = Finding("coordonnees_inversees", "latitude", quoted)
        return Placed(longitude, latitude, Position.EXACTE, (*findings, swapped))
    if abs(latitude) > 90:
        return _elsewhere(commune, (impossible,), address)
    far = Finding("hors_commune", "latitude", quoted, f"le lieu est à {commune.name}")
    return _elsewhere(commune, (*findings, far), address)


def _elsewhere(
    commune: Commune | None, findings: tuple[Finding, ...], address: Callable[[], AddressMatch | None]
) -> Placed:
    """Place a site whose coordinates cannot be used: at its address, else at the town hall."""
    if commune is None:
        return Placed(None, None, Position.INCONNUE, findings)
    if found := address():
        flag = Finding(FLAG_OF_POSITION[found.position], "adresse", found.label)
        return Placed(found.latitude, found.longitude, found.position, (*findings, flag))
    if not any(f.code in _TOWN_HALL for f in findings):
        findings = (*findings, Finding("position_approximative", "latitude", "", commune.name))
    return Placed(commune.town_hall.y, commune.town_hall.x, Position.APPROXIMATIVE, findings)
