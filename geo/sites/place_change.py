"""Whether a record still describes the place it described when something was decided. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rapidfuzz import fuzz

from geo.crs import project_point
from geo.sites.model import SourceRecord
from geo.sites.text import fold
from geo.wording import figures

MOVED_M: Final = 1_000.0
"""Distance in metres beyond which a record has moved to another place."""

NAME_ALIKE: Final = 60.0
"""Likeness of two names, 0 to 100, below which they are names of different places."""


def basis(record: SourceRecord) -> dict[str, Any]:
    """Return what a record says of its place, as JSON, to be compared later."""
    return {
        "nom": record.nom,
        "code_insee": record.code_insee,
        "commune": record.commune,
        "longitude": record.longitude,
        "latitude": record.latitude,
    }


def place_change(before: Mapping[str, Any], after: Mapping[str, Any], *, epsg: int) -> str | None:
    """Return in French why a record no longer describes the same place, or None if it does.

    Parameters
    ----------
    before, after
        What it said of its place (`basis`).
    epsg
        Metric projection in which distances are measured.
    """
    if before["code_insee"] and after["code_insee"] and before["code_insee"] != after["code_insee"]:
        return f"« {before['nom']} » est passé de {before['commune']} à {after['commune']}"
    metres = distance_m(before, after, epsg=epsg)
    if metres is not None and metres > MOVED_M:
        return f"« {before['nom']} » s'est déplacé de {figures.distance(metres)}"
    if not is_name_alike(before["nom"], after["nom"]):
        return f"« {before['nom']} » s'appelle désormais « {after['nom']} »"
    return None


def is_other_place(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Return whether a source now uses an identifier for another place: other commune and other name."""
    moved = before["code_insee"] and after["code_insee"] and before["code_insee"] != after["code_insee"]
    return bool(moved) and not is_name_alike(before["nom"], after["nom"])


def is_name_alike(one: str, other: str) -> bool:
    """Return whether two names may be those of one place."""
    return fuzz.token_set_ratio(fold(one), fold(other)) >= NAME_ALIKE


def distance_m(before: Mapping[str, Any], after: Mapping[str, Any], *, epsg: int) -> float | None:
    """Return the metres between both points, or None if one is not known."""
    if None in (before["longitude"], before["latitude"], after["longitude"], after["latitude"]):
        return None
    x, y = project_point(before["longitude"], before["latitude"], epsg)
    other_x, other_y = project_point(after["longitude"], after["latitude"], epsg)
    return float(((x - other_x) ** 2 + (y - other_y) ** 2) ** 0.5)
