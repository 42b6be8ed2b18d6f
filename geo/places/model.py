"""The record of a place that a search can find. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class PlaceKind(StrEnum):
    """Kind of a place, from the largest to the smallest."""

    COMMUNE = "commune"
    POSTCODE = "postcode"
    HAMLET = "hamlet"
    STREET = "street"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Place:
    """A place found by a search or by its identifier.

    Attributes
    ----------
    id
        Stable and valid in URLs: `commune-47143`, `cp-47000`, `ban-47001_0010_00012`.
    label
        Name shown to readers: « 12 rue de l'Exemple, 47000 Agen ».
    context
        A few words that distinguish it from places of the same name: postcode, intercommunality,
        département.
    longitude, latitude
        WGS 84 degrees. The point of a commune is its town hall; that of a postcode the town hall of
        its most populated commune; that of a street one of its house numbers.
    commune
        INSEE code of its commune.
    score
        How well it matches the query, in [0, 1]; 1.0 when found by its identifier.
    """

    id: str
    kind: PlaceKind
    label: str
    context: str
    longitude: float
    latitude: float
    commune: str
    score: float = 1.0


def best_first(places: Iterable[Place], limit: int) -> list[Place]:
    """Return distinct places, best score first; places with equal scores stay in the given order."""
    distinct: dict[str, Place] = {}
    for place in places:
        distinct.setdefault(place.id, place)
    return sorted(distinct.values(), key=lambda place: -place.score)[:limit]
