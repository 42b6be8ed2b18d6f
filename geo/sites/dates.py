"""Parse the date a record was last updated."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

from geo.sites.findings import Finding

EARLIEST: Final = date(2000, 1, 1)
"""Oldest plausible date; earlier ones are default values of some software."""

_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ]\d{2}:\d{2}.*)?", re.ASCII | re.DOTALL)
_FRENCH = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:[T ]\d{2}:\d{2}.*)?", re.ASCII | re.DOTALL)


def parse_update_date(cell: str, *, today: date) -> tuple[date | None, tuple[Finding, ...]]:
    """Parse `date_maj`; return None and a finding when it is absent, unreadable or implausible.

    Accepts ISO dates, ISO date-times (only the date is used, as national tools do) and DD/MM/YYYY.
    Tomorrow is accepted because the producer's clock may be ahead of ours.
    """
    if not cell:
        return _unknown(cell, "la source ne la donne pas")
    try:
        if match := _ISO.fullmatch(cell):
            found = date(int(match[1]), int(match[2]), int(match[3]))
        elif match := _FRENCH.fullmatch(cell):
            found = date(int(match[3]), int(match[2]), int(match[1]))
        else:
            return _unknown(cell, "elle n'est pas écrite comme une date")
    except ValueError:
        return _unknown(cell, "ce jour n'existe pas")
    if found > today + timedelta(days=1):
        return _unknown(cell, "elle est dans l'avenir")
    if found < EARLIEST:
        return _unknown(cell, f"elle est antérieure à {EARLIEST.year}")
    return found, () if cell == found.isoformat() else (Finding("date_normalisee", "date_maj", cell),)


def _unknown(cell: str, why: str) -> tuple[None, tuple[Finding, ...]]:
    return None, (Finding("date_inconnue", "date_maj", cell, why),)
