"""Values set over the sources by those who keep the list. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from geo.sites.model import VALUE_FIELDS, Origin, Site, is_known

STATUS_FIELD: Final = "statut"
"""Field of a correction that closes a site or takes it out of the list."""


class Status(StrEnum):
    """Values of the field `statut`."""

    CLOSED = "ferme"
    """Closed for good, or until the end of the correction: its page says so."""
    RETIRED = "retire"
    """Taken out of the list: it should not have been in it."""


FIELDS: Final = frozenset(VALUE_FIELDS) - {"jeu_de_donnees", "source", "signalements", "fictif"}
"""Fields that a correction may set, besides `STATUS_FIELD`."""


@dataclass(frozen=True, slots=True)
class Correction:
    """A value set over the sources.

    Attributes
    ----------
    value
        As the field of `Site` has it; None, "" or () says that it is not known.
    day
        First day on which it applies.
    until
        Last day on which it applies; None: until it is ended.
    source_value
        What the sources said when it was made.
    ended_at
        When somebody ended it; None while it stands.
    """

    site_id: str
    field: str
    value: Any
    author: str
    day: date
    reason: str
    until: date | None = None
    source_value: Any = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    id: int = 0

    def applies(self, today: date) -> bool:
        """Return whether the correction stands on a day."""
        return self.ended_at is None and self.day <= today and (self.until is None or today <= self.until)


def active_by_site(corrections: Iterable[Correction], today: date) -> dict[str, dict[str, Correction]]:
    """Return the corrections that apply on a day, by site and field; of two, the later one."""
    found: dict[str, dict[str, Correction]] = {}
    for each in sorted(corrections, key=lambda each: each.id):
        if each.applies(today):
            found.setdefault(each.site_id, {})[each.field] = each
    return found


def corrected(site: Site, corrections: Mapping[str, Correction]) -> Site:
    """Return a site with corrections by field over the values of its sources."""
    changes = {name: each.value for name, each in corrections.items() if name != STATUS_FIELD}
    if not changes:
        return site
    origins = [
        *(site.origins or _single_origins(site)),
    ]
    kept = [each for each in origins if each.field not in changes]
    made = [Origin(name, (), "correction", corrections[name].day, corrections[name].id) for name in changes]
    rank = {name: index for index, name in enumerate(VALUE_FIELDS)}
    return replace(site, **changes, origins=tuple(sorted((*kept, *made), key=lambda each: rank[each.field])))


def _single_origins(site: Site) -> list[Origin]:
    return [
        Origin(name, site.records, "only", site.date_maj)
        for name in VALUE_FIELDS
        if name != "jeu_de_donnees" and is_known(getattr(site, name))
    ]
