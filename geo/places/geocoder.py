"""Client of the national geocoder, used when our own search finds no good result; off by default.

Supports the geocoding service of the Géoplateforme and compatible ones: GET
`…/search?q=…&limit=…` returns a GeoJSON FeatureCollection whose features have the properties
`label`, `score`, `type`, `citycode`, `postcode`, `city` and `context`. The query is sent to that
service and never logged here.
"""

from __future__ import annotations

import logging
import math
import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from geo.errors import UnknownPlace
from geo.places.model import Place, PlaceKind
from geo.territory.model import Commune, Territory

log = logging.getLogger("portee.geocoder")

TIMEOUT_S: Final = 2.0
ANSWER_MAX_BYTES: Final = 256_000
CHUNK_BYTES: Final = 16_384
ASKED_MIN: Final = 3
"""Minimum length of a query of the service, in characters."""

ASKED_MAX: Final = 200
"""Maximum length of a query of the service, in characters."""

_KINDS: Final = {
    "housenumber": PlaceKind.ADDRESS,
    "street": PlaceKind.STREET,
    "locality": PlaceKind.HAMLET,
    "municipality": PlaceKind.COMMUNE,
}
_ID = re.compile(r"geo-(-?\d{1,3}\.\d{5})_(-?\d{1,2}\.\d{5})_((?:\d\d|2[AB])\d{3})", re.ASCII)
_NEAR_DEGREES: Final = 0.1


def geocode(
    url: str, text: str, limit: int, territory: Territory, *, timeout_s: float = TIMEOUT_S
) -> list[Place]:
    """Return the places that the geocoder finds in the territory or nearby communes, best first.

    Returns [] when it fails; the kind of failure is logged, without the query.

    Parameters
    ----------
    url
        URL of the service, without parameters: `https://data.geopf.fr/geocodage/search`.
    timeout_s
        Timeout of the whole request, in seconds.
    """
    searched = " ".join(text.split())[:ASKED_MAX]
    if len(searched) < ASKED_MIN or not searched[0].isalnum():
        return []
    query = urlencode({"q": searched, "limit": max(1, min(limit, 20))})
    try:
        features = _fetched(f"{url}{'&' if '?' in url else '?'}{query}", timeout_s)["features"]
        return [place for feature in features if (place := _place(feature, territory))][:limit]
    except urllib.error.HTTPError as problem:
        log.warning("the geocoder refused: status %d", problem.code)
    except (OSError, HTTPException, ValueError, KeyError, TypeError, AttributeError) as problem:
        # Log only the kind of failure: its message may contain the query.
        log.warning("the geocoder failed: %s", type(problem).__name__)
    return []


def place(place_id: str, territory: Territory) -> Place:
    """Decode the identifier of a place found by the geocoder, which contains its point and commune.

    Raises
    ------
    UnknownPlace
        If the identifier is invalid, or its point is not near its commune.
    """
    if (found := _ID.fullmatch(place_id)) and (commune := territory.commune_by_code.get(found[3])):
        longitude, latitude = float(found[1]), float(found[2])
        west, south, east, north = commune.boundary.bounds
        if (
            west - _NEAR_DEGREES <= longitude <= east + _NEAR_DEGREES
            and south - _NEAR_DEGREES <= latitude <= north + _NEAR_DEGREES
        ):
            return Place(
                id=place_id,
                kind=PlaceKind.ADDRESS,
                label=f"Adresse à {commune.name}",
                context=_town(commune),
                longitude=longitude,
                latitude=latitude,
                commune=commune.code,
            )
    raise UnknownPlace(
        "Cet endroit n'est pas connu.", "Écrivez votre commune, votre code postal ou votre adresse."
    )


def _fetched(address: str, timeout_s: float) -> dict[str, Any]:
    """Fetch a JSON object in bounded time and memory."""
    if not address.startswith(("https://", "http://")):
        raise ValueError("not an address of the web")
    until = time.monotonic() + timeout_s
    request = urllib.request.Request(address, headers={"Accept": "application/json"})  # noqa: S310 - checked
    body = bytearray()
    with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310 - checked above
        while chunk := answer.read1(CHUNK_BYTES):
            body += chunk
            if len(body) > ANSWER_MAX_BYTES:
                raise ValueError("the answer is too long")
            if time.monotonic() > until:
                raise TimeoutError
    document = orjson.loads(body)
    if not isinstance(document, dict):
        raise ValueError("the answer is not an object")
    return document


def _place(feature: Mapping[str, Any], territory: Territory) -> Place | None:
    """Convert a feature to a place, or None when it is outside our communes or of another kind."""
    properties = feature["properties"]
    kind = _KINDS.get(properties.get("type", ""))
    commune = territory.commune_by_code.get(str(properties.get("citycode", "")))
    if kind is None or commune is None:
        return None
    longitude, latitude = (float(degrees) for degrees in feature["geometry"]["coordinates"][:2])
    score = float(properties.get("score", 0.0))
    if not all(map(math.isfinite, (longitude, latitude, score))):
        return None
    if kind is PlaceKind.COMMUNE:
        place_id = f"commune-{commune.code}"
        longitude, latitude = commune.town_hall.x, commune.town_hall.y
    else:
        place_id = f"geo-{longitude:.5f}_{latitude:.5f}_{commune.code}"
    return Place(
        id=place_id,
        kind=kind,
        label=str(properties["label"])[:ASKED_MAX],
        context=_town(commune),
        longitude=longitude,
        latitude=latitude,
        commune=commune.code,
        score=round(min(max(score, 0.0), 1.0), 4),
    )


def _town(commune: Commune) -> str:
    return " · ".join(filter(None, (", ".join(commune.postal_codes[:2]), commune.name)))
