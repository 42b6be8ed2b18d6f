"""The date of a list whose records bear none: the one given, else the one in the file's name.

Formats are recognised by content alone; only this date, as a last resort, is looked for in a name.
The modification time of a file is no date of its content (a copy changes it): then none is said.
"""

from __future__ import annotations

import re
from datetime import date

from geo.sites.model import Issue
from geo.sites.readers.content import repaired

_DAY = re.compile(r"(?<!\d)(?P<year>20\d\d)(?P<sign>[-_]?)(?P<month>\d\d)(?P=sign)(?P<day>\d\d)(?!\d)")
_MONTH = re.compile(r"(?<!\d)(?P<year>20\d\d)[-_](?P<month>\d\d)(?![-_]?\d)")


def date_in_name(name: str) -> date | None:
    """The day a file name bears (20221201, 2022-12-01), or the first of its month (2022-12)."""
    for pattern in (_DAY, _MONTH):
        for found in pattern.finditer(name):
            parts = found.groupdict()
            try:
                return date(int(parts["year"]), int(parts["month"]), int(parts.get("day", 1)))
            except ValueError:
                continue
    return None


def date_from_name_issue(line: int, day: date) -> Issue:
    """The issue that says, once per file, that its records are dated by the file's name."""
    return repaired(
        line,
        "date_maj",
        day.isoformat(),
        "date_du_fichier",
        f"La liste ne date pas ses fiches : la date du nom de fichier, {day:%d/%m/%Y}, vaut pour toutes.",
        "Si elle n'est pas la bonne, indiquez la date de la liste à l'import.",
    )
