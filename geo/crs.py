"""The only place where EPSG codes are written.

Exchange in WGS 84 (EPSG:4326, longitude first); measure in the official metric projection of
the territory. Functions that measure refuse degrees; they do not reproject in silence.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Transformer

from geo.errors import InvalidCrs

WGS84 = 4326
"""EPSG code of longitude and latitude in degrees, used in files, the API and maps."""

LAMBERT_93 = 2154

WEB_MERCATOR = 3857

OTHER_PROJECTIONS = (27572, *range(3942, 3951), WEB_MERCATOR)
"""EPSG codes of projections that French files may hold besides the official ones: Lambert II étendu, the nine
conformal conic zones (CC42 to CC50), Web Mercator."""

_METRIC_BY_DEPARTEMENT = {
    "971": 5490,  # Guadeloupe, RGAF09 / UTM 20N
    "972": 5490,  # Martinique, RGAF09 / UTM 20N
    "973": 2972,  # Guyane, RGFG95 / UTM 22N
    "974": 2975,  # La Réunion, RGR92 / UTM 40S
    "976": 4471,  # Mayotte, RGM04 / UTM 38S
}


def metric_crs(departement: str) -> int:
    """Return the EPSG code of the metric projection used to measure distances in a département.

    Parameters
    ----------
    departement
        INSEE code as text: "47", "2A", "974".
    """
    return _METRIC_BY_DEPARTEMENT.get(departement, LAMBERT_93)


def departement_code(code_insee: str) -> str:
    """Return the département code of a commune's INSEE code: three characters overseas, else two."""
    return code_insee[:3] if code_insee.startswith(("97", "98")) else code_insee[:2]


@lru_cache(maxsize=16)
def _between(source: int | CRS, target: int) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


def reproject(geometries: ArrayLike, *, source: int | CRS, target: int) -> NDArray[np.object_]:
    """Reproject geometries from one reference system to another, longitude or easting first.

    Vertices shared by two geometries stay shared.
    """
    between = _between(source, target).transform
    moved = shapely.transform(np.asarray(geometries, dtype=object), between, interleaved=False)
    return np.asarray(moved, dtype=object)


@lru_cache(maxsize=16)
def area_of_use(epsg: int) -> tuple[float, float, float, float]:
    """Return the area of use of a reference system: west, south, east, north in WGS 84 degrees."""
    area = CRS.from_epsg(epsg).area_of_use
    return area.bounds if area else (-180.0, -90.0, 180.0, 90.0)


def to_degrees(x: float, y: float, source: int | CRS) -> tuple[float, float]:
    """Convert a point (easting or longitude first) to WGS 84 longitude and latitude; inf where impossible."""
    longitude, latitude = _between(source, WGS84).transform(x, y)
    return float(longitude), float(latitude)


def in_degrees(x: float, y: float, epsg: int) -> tuple[float, float] | None:
    """Convert a point of a reference system (easting or longitude first) to longitude and latitude.

    Returns
    -------
    WGS 84 degrees, or None outside the area of use of the system.
    """
    longitude, latitude = to_degrees(x, y, epsg)
    west, south, east, north = area_of_use(epsg)
    inside = west <= longitude <= east and south <= latitude <= north
    return (longitude, latitude) if inside else None


@lru_cache(maxsize=16)
def _to_metric(epsg: int) -> Transformer:
    require_metric(epsg)
    return Transformer.from_crs(WGS84, epsg, always_xy=True)


def project(longitudes: ArrayLike, latitudes: ArrayLike, epsg: int) -> NDArray[np.float64]:
    """Project longitudes and latitudes (degrees) to metres.

    Returns
    -------
    Array of shape (n, 2): easting, northing in metres. NaN and inf inputs give inf.

    Raises
    ------
    InvalidCrs
        If `epsg` does not measure in metres.
    """
    x, y = _to_metric(epsg).transform(np.atleast_1d(longitudes), np.atleast_1d(latitudes))
    return np.column_stack([x, y]).astype(np.float64)


def project_point(longitude: float, latitude: float, epsg: int) -> tuple[float, float]:
    """Project one point (degrees) to easting and northing (metres); ten times faster than `project`.

    Raises
    ------
    InvalidCrs
        If `epsg` does not measure in metres.
    """
    easting, northing = _to_metric(epsg).transform(longitude, latitude)
    return easting, northing


def require_metric(epsg: int | CRS | None) -> None:
    """Check that a reference system is projected and measured in metres.

    Raises
    ------
    InvalidCrs
        If the system is missing, geographic, or measured in another unit.
    """
    crs = CRS.from_user_input(epsg) if epsg is not None else None
    if crs is None or not crs.is_projected or crs.axis_info[0].unit_name != "metre":
        raise InvalidCrs(
            f"Ce calcul demande des coordonnées en mètres ; reçu : {crs.name if crs else 'aucun système'}.",
            "Projetez d'abord les données (EPSG:2154 en métropole).",
        )
