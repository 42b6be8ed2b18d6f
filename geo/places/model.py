"""A place somebody may name as where they are; reads no file, no SQL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class PlaceKind(StrEnum):
    """What a place is, from the widest to the closest."""

    COMMUNE = "commune"
    POSTCODE = "postcode"
    HAMLET = "hamlet"
    STREET = "street"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Place:
    """A place found, or looked up by its identifier.

    Attributes
    ----------
    id
        Stable, fit for an address on the web: `commune-47143`, `cp-47000`, `ban-47001_0010_00012`.
    label
        What a person reads: « 12 rue de l'Exemple, 47000 Agen ».
    context
        A few words that tell it from others of its name: postcode, intercommunality, département.
    longitude, latitude
        WGS 84 degrees. A commune stands at its town hall; a postcode at the town hall of its most
        populated commune; a street at one of its house numbers.
    commune
        INSEE code of the commune it lies in.
    score
        How well it answers what was typed, in [0, 1]; 1.0 when looked up by its identifier.
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
    """Places from several sources, each once, best score first; as they come where scores are equal."""
    once: dict[str, Place] = {}
    for place in places:
        once.setdefault(place.id, place)
    return sorted(once.values(), key=lambda place: -place.score)[:limit]
