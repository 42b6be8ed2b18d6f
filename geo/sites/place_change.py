"""Whether a record still describes the place it described when something was decided. No I/O.

Sources give an identifier to another place, or move one: a decision (« same place », « two
places ») was about what the record said on that day, and is taken again when that is no longer so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from geo.crs import project_point
from geo.sites.matching_names import NameRelation, compare_names, parse_name, similarity
from geo.sites.model import Position, SourceRecord
from geo.sites.text import fold
from geo.wording import figures

MOVED_M: Final = 1_000.0
"""Distance in metres beyond which a record has moved to another place."""

NAME_ALIKE: Final = 85.0
"""Similarity of two names, 0 to 100, from which one is the other spelled differently."""


def basis(record: SourceRecord) -> dict[str, Any]:
    """Return what a record says of its place, as JSON, to be compared later."""
    return {
        "nom": record.nom,
        "code_insee": record.code_insee,
        "commune": record.commune,
        "longitude": record.longitude,
        "latitude": record.latitude,
        "position": record.position.value,
    }


def place_change(before: Mapping[str, Any], after: Mapping[str, Any], *, epsg: int) -> str | None:
    """Return in French why a record no longer describes the same place, or None if it does.

    It no longer does when it changes commune, moves by more than `MOVED_M`, or has a name that
    cannot be another name of the same place (`matching_names`).

    Parameters
    ----------
    before, after
        What it said of its place (`basis`).
    epsg
        Metric projection in which distances are measured.
    """
    if _is_other_commune(before, after):
        old, new = (each["commune"] or each["code_insee"] for each in (before, after))
        return f"« {before['nom']} » est passé de {old} à {new}"
    metres = distance_m(before, after, epsg=epsg)
    if metres is not None and metres > MOVED_M:
        return f"« {before['nom']} » s'est déplacé de {figures.distance(metres)}"
    if not is_name_alike(before, after):
        return f"« {before['nom']} » s'appelle désormais « {after['nom']} »"
    return None


def is_other_place(before: Mapping[str, Any], after: Mapping[str, Any], *, epsg: int) -> bool:
    """Return whether a source now uses an identifier for another place, in another commune.

    Its name is another one, or one that every commune may have (« Mairie ») and its point is not the
    same: then it is no place that moved, and no commune that was corrected.
    """
    moved = before["code_insee"] and after["code_insee"] and before["code_insee"] != after["code_insee"]
    if not moved:
        return False
    if not is_name_alike(before, after):
        return True
    metres = distance_m(before, after, epsg=epsg)
    return _is_common_name(before) and _is_common_name(after) and (metres is None or metres > MOVED_M)


def _is_common_name(facts: Mapping[str, Any]) -> bool:
    """Return whether a name has no word of its own besides those of services and of its commune."""
    name = parse_name(facts["nom"], facts["commune"] or "")
    return not name.words and not name.association


def is_name_alike(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Return whether two names may be those of one place: « Mairie » and « France services », not
    « Mairie » and « Médiathèque »."""
    old = parse_name(before["nom"], before["commune"] or "")
    new = parse_name(after["nom"], after["commune"] or "")
    relation = compare_names(old, new)
    if relation in (NameRelation.SAME, NameRelation.COMPATIBLE):
        return True
    return relation is NameRelation.UNKNOWN and similarity(old, new) >= NAME_ALIKE


def _is_other_commune(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Compare communes by code, or by name if neither has one; one that becomes known is no change."""
    field = "code_insee" if before["code_insee"] or after["code_insee"] else "commune"
    old, new = before[field] or "", after[field] or ""
    return bool(old and new) and fold(old) != fold(new)


def distance_m(before: Mapping[str, Any], after: Mapping[str, Any], *, epsg: int) -> float | None:
    """Return the metres between both points, or None if one is not known, or not precise."""
    if not all(Position(each.get("position", Position.EXACTE)).precise for each in (before, after)):
        return None
    if None in (before["longitude"], before["latitude"], after["longitude"], after["latitude"]):
        return None
    x, y = project_point(before["longitude"], before["latitude"], epsg)
    other_x, other_y = project_point(after["longitude"], after["latitude"], epsg)
    return float(((x - other_x) ** 2 + (y - other_y) ** 2) ** 0.5)
