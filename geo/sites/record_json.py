"""Values of records and sites as JSON, as they are stored. No I/O here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import astuple
from datetime import date
from enum import Enum
from functools import lru_cache
from sys import intern
from typing import Any, Final

import orjson

from geo.sites.model import LIST_FIELDS, VALUE_FIELDS, ItinerantStop, Position, SiteValues, is_known


@lru_cache(maxsize=10_000)
def _shared(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return the same object for equal lists of labels, which thousands of records have alike."""
    return labels


_DECODERS: Final[dict[str, Callable[[Any], object]]] = {
    "date_maj": date.fromisoformat,
    "latitude": float,
    "longitude": float,
    "position": Position,
    "arrets": lambda stops: tuple(ItinerantStop(*stop) for stop in stops),
    **dict.fromkeys(LIST_FIELDS, lambda labels: _shared(tuple(labels))),
    **dict.fromkeys(("commune", "code_insee", "code_postal", "source", "jeu_de_donnees"), intern),
}
"""Field → how to decode its value from JSON; other fields need no decoding."""


def encode(value: object) -> Any:
    """Return the value of a field as JSON knows it."""
    if isinstance(value, ItinerantStop):
        return list(astuple(value))
    if isinstance(value, tuple):
        return [encode(each) for each in value]
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value


def decode(field: str, value: Any) -> Any:
    """Return the value of a field from JSON."""
    decoder = _DECODERS.get(field)
    return value if value is None or decoder is None else decoder(value)


def values_to_json(values: SiteValues) -> dict[str, Any]:
    """Return the known values by field, in the order of the fields."""
    return {name: encode(value) for name in VALUE_FIELDS if is_known(value := getattr(values, name))}


def values_from_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of `SiteValues` from JSON; fields that are absent or null are left out."""
    return {
        name: decoder(value) if (decoder := _DECODERS.get(name)) else value
        for name, value in values.items()
        if value is not None
    }


def fingerprint(values: Mapping[str, Any]) -> bytes:
    """Return the SHA-256 of values as JSON, whatever their order."""
    return hashlib.sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).digest()
