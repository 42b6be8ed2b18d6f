"""The State's geocoder, asked when our own search finds nothing good enough; off unless configured.

Géoplateforme's service of direct geocoding, and those of its shape: GET `…/search?q=…&limit=…`
answers a GeoJSON FeatureCollection whose features bear `label`, `score`, `type`, `citycode`,
`postcode`, `city` and `context`. What was typed goes to that service, and is never logged here.
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
"""Characters the service asks for at least; it takes 200 at most."""

ASKED_MAX: Final = 200

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
    """Places the geocoder finds in the territory or its neighbours' communes, best first.

    Empty when it finds none, and when it fails: the reason is logged, without what was typed.

    Parameters
    ----------
    url
        Address of the service, without parameters: `https://data.geopf.fr/geocodage/search`.
    timeout_s
        Seconds after which the answer is no longer waited for.
    """
    asked = " ".join(text.split())[:ASKED_MAX]
    if len(asked) < ASKED_MIN or not asked[0].isalnum():
        return []
    query = urlencode({"q": asked, "limit": max(1, min(limit, 20))})
    try:
        features = _fetched(f"{url}{'&' if '?' in url else '?'}{query}", timeout_s)["features"]
        return [place for feature in features if (place := _place(feature, territory))][:limit]
    except urllib.error.HTTPError as problem:
        log.warning("the geocoder refused: status %d", problem.code)
    except (OSError, HTTPException, ValueError, KeyError, TypeError, AttributeError) as problem:
        # Only the kind of failure: its text may hold the address asked.
        log.warning("the geocoder failed: %s", type(problem).__name__)
    return []


def place(place_id: str, territory: Territory) -> Place:
    """The place an identifier of the geocoder's answers stands for: it holds point and commune.

    Raises
    ------
    UnknownPlace
        If it is not such an identifier, or its point is not near its commune.
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
    """The answer, read in bounded time and memory."""
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
    told = orjson.loads(body)
    if not isinstance(told, dict):
        raise ValueError("the answer is no object")
    return told


def _place(feature: Mapping[str, Any], territory: Territory) -> Place | None:
    """A feature as a place; None for what is elsewhere, or of a kind nobody lives at."""
    told = feature["properties"]
    kind = _KINDS.get(told.get("type", ""))
    commune = territory.commune_by_code.get(str(told.get("citycode", "")))
    if kind is None or commune is None:
        return None
    longitude, latitude = (float(degrees) for degrees in feature["geometry"]["coordinates"][:2])
    score = float(told.get("score", 0.0))
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
        label=str(told["label"])[:ASKED_MAX],
        context=_town(commune),
        longitude=longitude,
        latitude=latitude,
        commune=commune.code,
        score=round(min(max(score, 0.0), 1.0), 4),
    )


def _town(commune: Commune) -> str:
    return " · ".join(filter(None, (", ".join(commune.postal_codes[:2]), commune.name)))
