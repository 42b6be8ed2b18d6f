"""Positions of GeoJSON features: points, groups of points and areas, in WGS 84 or in a declared system.

RFC 7946 allows WGS 84 only; the specification of 2008, which French exports still follow, lets a collection
declare another reference system in its member `crs`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from pyproj import CRS
from pyproj.exceptions import CRSError, ProjError
from shapely.errors import ShapelyError
from shapely.geometry import shape

from geo.crs import WGS84, to_degrees
from geo.errors import UnreadableFile
from geo.sites.model import Issue, Severity
from geo.sites.readers.content import repaired

_WGS84_NAMES = ("CRS84", "EPSG::4326", "EPSG:4326", "WGS84")
_POINT, _SEVERAL = "Point", "MultiPoint"
_AREAS = ("LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection")


@dataclass(frozen=True, slots=True)
class FeaturePosition:
    """Longitude and latitude of a feature as text, None without a usable one; and what was done to it."""

    point: tuple[str, str] | None = None
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class PositionReader:
    """Reads the position of features of one collection.

    `crs` is the declared system, None for WGS 84; longitude or easting comes first in either.
    """

    crs: CRS | None = None
    _name: str = field(default="", compare=False)

    @classmethod
    def declared(cls, member: object, file_name: str) -> PositionReader:
        """Return the reader for the value of a `crs` member; None, or no member, means WGS 84.

        Raises
        ------
        UnreadableFile
            If the system is not known.
        """
        if member is None:
            return cls()
        name = _declared_name(member)
        if name.replace(" ", "").upper().endswith(_WGS84_NAMES):
            return cls()
        try:
            return cls(CRS.from_user_input(name), name)
        except CRSError:
            raise UnreadableFile(
                f"Le fichier « {file_name} » déclare un système de coordonnées inconnu : « {name[:80]} ».",
                "Demandez un export en WGS 84 (EPSG:4326), ou corrigez le membre « crs ».",
            ) from None

    def position(self, geometry: object, line: int) -> FeaturePosition:
        """Return the position of a feature's geometry.

        Of several points the first is taken, and of a line or an area its centre, or a point inside.
        """
        if not isinstance(geometry, dict):
            return FeaturePosition()
        kind, issues = geometry.get("type"), list[Issue]()
        pair: tuple[str, str] | None
        if kind == _POINT:
            pair = _pair(geometry.get("coordinates"))
        elif kind == _SEVERAL:
            pair = next(_pairs(geometry.get("coordinates")), None)
            count = sum(1 for _ in _pairs(geometry.get("coordinates")))
            if count > 1:
                issues.append(_reduced(line, f"{count} points", "le premier est gardé"))
        elif kind in _AREAS:
            pair = _centre(geometry)
            if pair:
                issues.append(_reduced(line, str(kind), "son centre est gardé"))
        else:
            return FeaturePosition()
        if pair is None or self.crs is None:
            return FeaturePosition(pair, tuple(issues))
        return self._converted(pair, line, issues)

    def _converted(self, pair: tuple[str, str], line: int, issues: list[Issue]) -> FeaturePosition:
        quoted = " / ".join(pair)
        try:
            longitude, latitude = to_degrees(float(pair[0]), float(pair[1]), self.crs or WGS84)
        except (ValueError, ProjError):
            longitude = latitude = math.nan
        if not (math.isfinite(longitude) and math.isfinite(latitude)):
            return FeaturePosition(pair, tuple(issues))  # validation reports that they cannot be used
        issues.append(
            repaired(
                line,
                "geometry",
                quoted,
                "coordonnees_converties",
                f"Les coordonnées, déclarées en {self._name}, ont été converties en degrés : "
                f"{latitude:.6f} / {longitude:.6f}.",
            )
        )
        return FeaturePosition((f"{longitude:.7f}", f"{latitude:.7f}"), tuple(issues))


def _declared_name(member: object) -> str:
    """Return the name in a `crs` member: a named one, or the older `{"type": "EPSG"}`."""
    properties = member.get("properties") if isinstance(member, dict) else None
    if isinstance(member, dict) and isinstance(properties, dict):
        if isinstance(name := properties.get("name"), str):
            return name
        if str(member.get("type", "")).upper() == "EPSG" and "code" in properties:
            return f"EPSG:{properties['code']}"
    return str(member)


def _pair(coordinates: object) -> tuple[str, str] | None:
    match coordinates:
        case [str(x), str(y), *_]:
            return x, y
    return None


def _pairs(coordinates: object) -> Iterator[tuple[str, str]]:
    if isinstance(coordinates, list):
        yield from filter(None, map(_pair, coordinates))


def _centre(geometry: object) -> tuple[str, str] | None:
    try:
        area = shape(_numbers(geometry))
        if area.is_empty:
            return None
        centre = area.centroid
        point = centre if area.contains(centre) else area.representative_point()
    except (ShapelyError, ValueError, TypeError, AttributeError, IndexError, KeyError, RecursionError):
        return None
    return f"{point.x:.7f}", f"{point.y:.7f}"


def _numbers(value: object) -> object:
    """Convert the coordinates of a geometry, which are read as text, to numbers."""
    if isinstance(value, dict):
        return {
            key: _numbers(item) if key in ("coordinates", "geometries") else item
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return float(value) if isinstance(value, str) else value


def _reduced(line: int, value: str, outcome: str) -> Issue:
    return Issue(
        line,
        "geometry",
        value,
        Severity.FLAGGED,
        "geometrie_reduite",
        f"La géométrie n'est pas un seul point : {outcome}.",
        "Donnez le point de l'entrée du lieu.",
    )
