"""Date of a list whose records have none, found in the name of its file.

This date is the only information read from a file name, as a last resort. The modification time of
a file is not used, because a copy changes it.
"""

from __future__ import annotations

import re
from datetime import date

from geo.sites.model import Issue
from geo.sites.readers.content import repaired
from geo.wording import dates

_DAY = re.compile(r"(?<!\d)(?P<year>20\d\d)(?P<sign>[-_]?)(?P<month>\d\d)(?P=sign)(?P<day>\d\d)(?!\d)")
_MONTH = re.compile(r"(?<!\d)(?P<year>20\d\d)[-_](?P<month>\d\d)(?![-_]?\d)")


def date_in_name(name: str) -> date | None:
    """Return the day in a file name (20221201, 2022-12-01), or the first of its month (2022-12)."""
    for pattern in (_DAY, _MONTH):
        for found in pattern.finditer(name):
            parts = found.groupdict()
            try:
                return date(int(parts["year"]), int(parts["month"]), int(parts.get("day", 1)))
            except ValueError:
                continue
    return None


def date_from_name_issue(line: int, day: date) -> Issue:
    """Return the issue, reported once per file, that its records are dated by the file name."""
    return repaired(
        line,
        "date_maj",
        day.isoformat(),
        "date_du_fichier",
        f"La liste ne date pas ses fiches : la date du nom de fichier, {dates.long_date(day)}, "
        "vaut pour toutes.",
        "Si elle n'est pas la bonne, indiquez la date de la liste à l'import.",
    )
