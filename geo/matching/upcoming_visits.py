"""Upcoming visits of itinerant sites, and the communes in which they take place.

The place of a stop is text. The stop is in the commune with the longest name contained in that
text, or, when it contains none, in the commune of its site.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from geo.hours.calendar import Calendar
from geo.hours.open_status import next_visits
from geo.matching.criteria import receives_public
from geo.sites.model import ItinerantStop, Site
from geo.sites.text import fold
from geo.territory.model import Territory

EACH: Final = 3
"""Default number of visits per stop."""

_WORDS: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class UpcomingVisit:
    """One visit of an itinerant site.

    Attributes
    ----------
    start, end
        Wall-clock times of the site.
    place
        Place of the stop, as text.
    commune
        INSEE code of the commune, or "" when unknown.
    """

    start: datetime
    end: datetime
    place: str
    commune: str
    site: Site


def upcoming_visits(
    sites: Iterable[Site], territory: Territory, moment: datetime, calendar: Calendar, *, each: int = EACH
) -> list[UpcomingVisit]:
    """Return the next visits at every stop, at most `each` per stop, sorted by start."""
    names = {" ".join(_WORDS.findall(fold(c.name))): c.code for c in territory.commune_by_code.values()}
    found = [
        UpcomingVisit(visit.start, visit.end, stop.place, _commune_of(stop, site, names), site)
        for site in sites
        if receives_public(site)
        for stop in site.arrets
        for visit in next_visits(replace(site, horaires="", arrets=(stop,)), moment, calendar, each)
    ]
    return sorted(found, key=lambda p: (p.start, p.end, fold(p.place), p.site.id))


def _commune_of(stop: ItinerantStop, site: Site, names: Mapping[str, str]) -> str:
    """Return the INSEE code of the commune of a stop; `names` maps folded commune names to codes."""
    words = _WORDS.findall(fold(stop.place[:200]))
    runs = (
        " ".join(words[start:end]) for start in range(len(words)) for end in range(start + 1, len(words) + 1)
    )
    named = max((run for run in runs if run in names), key=len, default="")
    return names[named] if named else site.code_insee
