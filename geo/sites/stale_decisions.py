"""Say when a decision about two records no longer holds, because one of them has changed. No I/O."""

from __future__ import annotations

from math import asin, cos, hypot, radians, sin, sqrt

from geo.sites.matching_names import NameRelation, compare_names, parse_name, similarity
from geo.sites.model import Position, Site
from geo.sites.text import fold
from geo.wording import figures

MOVED_M = 1_000.0
"""Distance in metres above which a record has moved to another place."""

LIKE_NAME = 85.0
"""Similarity of two names, 0 to 100, from which one is the other spelled differently."""

_EARTH_RADIUS_M = 6_371_008.8


def stale_reason(before: Site, after: Site) -> str | None:
    """Return why decisions about a record must be taken again, in French; None when they hold.

    A decision (« same place », « two places ») was about what the record said on that day. It no
    longer holds when the record changes commune, moves by more than `MOVED_M`, or takes a name
    that cannot be another name of the same place: sources give an identifier to another place.

    Parameters
    ----------
    before, after
        The record as it was when the decision was taken, and as it is now. A point at the town hall
        is not that of the place, so that only records with points of their own can move.
    """
    if _other_commune(before, after):
        return f"la fiche a changé de commune : {_commune(before)} est devenu {_commune(after)}"
    metres = _metres(before, after)
    if metres is not None and metres > MOVED_M:
        return f"la fiche s’est déplacée de {figures.distance(metres)}"
    if not _names_agree(before, after):
        return f"la fiche a changé de nom : « {before.nom} » est devenu « {after.nom} »"
    return None


def _other_commune(before: Site, after: Site) -> bool:
    """Compare communes by code, or by name where neither has a code. One that becomes known is no move."""
    if before.code_insee or after.code_insee:
        return bool(before.code_insee and after.code_insee) and before.code_insee != after.code_insee
    return bool(before.commune and after.commune) and fold(before.commune) != fold(after.commune)


def _commune(record: Site) -> str:
    return record.commune or record.code_insee


def _metres(before: Site, after: Site) -> float | None:
    """Return the distance between two records on the sphere; None unless both have their own point."""
    if before.position is not Position.EXACTE or after.position is not Position.EXACTE:
        return None
    if before.latitude is None or before.longitude is None:
        return None
    if after.latitude is None or after.longitude is None:
        return None
    # Half the chord of the arc between the two points (haversine formula).
    north, east = radians(after.latitude - before.latitude), radians(after.longitude - before.longitude)
    shrink = sqrt(cos(radians(before.latitude)) * cos(radians(after.latitude)))
    half_chord = hypot(sin(north / 2), shrink * sin(east / 2))
    return 2 * _EARTH_RADIUS_M * asin(min(half_chord, 1.0))


def _names_agree(before: Site, after: Site) -> bool:
    old, new = parse_name(before.nom, before.commune), parse_name(after.nom, after.commune)
    relation = compare_names(old, new)
    if relation in (NameRelation.SAME, NameRelation.COMPATIBLE):
        return True
    return relation is NameRelation.UNKNOWN and similarity(old, new) >= LIKE_NAME
