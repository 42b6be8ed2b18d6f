"""Hours of a site as lines of paper, which stay true for weeks."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import pairwise
from typing import Final

from geo.hours.calendar import Calendar
from geo.hours.intervals import is_roaming
from geo.hours.open_status import open_status_at, week_hours
from geo.hours.parse import read_expression, read_hours
from geo.hours.weekly import reference_week
from geo.sites.model import Site
from geo.wording import dates, figures, hours, site_phrases
from geo.wording.language import SOURCE, Language

_HOURS: Final = re.compile(r"\d h(?: \d\d\b)?(?: – \d\d? h(?: \d\d\b)?)?")


def hours_lines(_: Language, site: Site, moment: datetime, calendar: Calendar) -> tuple[str, ...]:
    """Return the hours of a site, a line for each rule without its stops, and what its source says of them.

    Hours of days, dates and weeks are written as in the notation; where they can't be (or in another
    language), those of the next week without a public holiday are; words that are no notation stay
    as the site wrote them. The weekly hours of an itinerant site are left out where its stops are known.
    """
    remarks = [*site_phrases.announced_closures(site, moment.date())]
    remarks += [
        _("« %(text)s »", text=part) for part in (*read_hours(site.horaires).unread, *site.remarques_horaires)
    ]
    return (*_own_hours(_, site, moment, calendar), *map(figures.capital, remarks))


def _own_hours(_: Language, site: Site, moment: datetime, calendar: Calendar) -> tuple[str, ...]:
    """Return the hours of a site; none when its stops are its hours."""
    fixed = replace(site, arrets=())
    booked = (_("Sur rendez-vous uniquement"),) if site.sur_rendez_vous else ()
    if site.arrets and (is_roaming(site) or not site.horaires):
        return booked  # sheets list the stops nearby, slips the next one
    expression = read_expression(site.horaires)
    if not expression:
        status = site_phrases.opening(_, open_status_at(fixed, moment, calendar), moment)
        return booked or (figures.capital(site.horaires.strip() or status),)
    if is_roaming(site):
        booked = (*booked, _("Lieu itinérant : demandez où il sera"))
    rules = hours.hours_lines(expression)
    simple = rules != (expression,)
    if simple and _.code == SOURCE:
        return (*booked, *(figures.capital(_unbroken(rule)) for rule in rules))
    monday = reference_week(moment.date())
    lines = _week(_, fixed, monday, calendar)
    if not lines:
        status = site_phrases.opening(_, open_status_at(fixed, moment, calendar), moment)
        return booked or (figures.capital(status),)
    if not simple or "[" in expression or "week" in expression:  # other weeks may differ
        heading = _("Semaine du %(day)s (une autre peut différer) :", day=dates.long_date(monday, _))
        return (*booked, heading, *lines)
    return (*booked, *lines)


def _week(_: Language, site: Site, monday: date, calendar: Calendar) -> tuple[str, ...]:
    """Return the hours of one week: days with the same hours on one line."""
    days: dict[str, list[int]] = defaultdict(list)
    for number, day in enumerate(week_hours(site, monday, calendar)):
        hours = [_joined(dates.time_range(each.start, each.end, _)) for each in day.ranges]
        if hours:
            days[_(" et ").join(hours)].append(number)
    return tuple(
        figures.capital(_("%(days)s : %(hours)s", days=_days(_, numbers), hours=hours))
        for hours, numbers in sorted(days.items(), key=lambda each: each[1])
    )


def _days(_: Language, numbers: Sequence[int]) -> str:
    # 3 January 2000 was a Monday.
    names = [dates.weekday(date(2000, 1, 3 + number), _) for number in numbers]
    if len(numbers) > 2 and all(b - a == 1 for a, b in pairwise(numbers)):
        return _("du %(first)s au %(last)s", first=names[0], last=names[-1])
    return ", ".join(names)


def _unbroken(said: str) -> str:
    """Return hours with no-break spaces: « 9 h 30 »."""
    return _HOURS.sub(lambda found: _joined(found[0]), said)


def _joined(hours: str) -> str:
    """Return text that breaks at no line end, not even after its dash."""
    return hours.replace(" ", "\u00a0").replace("–", "–\u2060")
