"""Export sites as CSV: the 32 columns of the standard in order, then ours. Lossless.

A cell that a spreadsheet would take for a formula is prefixed with an apostrophe, which the
import of our own export removes again (`geo.tables_out.unescape_formula`). Telephones and coordinates
may begin with a sign and are written as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from enum import Enum
from typing import Final, TextIO

from geo.hours.parse import format_stop
from geo.sites import standard
from geo.sites.model import LOCAL_FIELDS, LOCAL_PREFIX, Site, standard_values
from geo.tables_out import CsvWriter, Dialect, escape_formula

COLUMNS: Final = (*standard.FIELDS, *(f"{LOCAL_PREFIX}{name}" for name in LOCAL_FIELDS))

_PATTERNS: Final = {
    "pivot": re.compile(r"[a-zA-Z0-9]{9,14}"),
    "code_postal": re.compile(r"\d{5}", re.ASCII),
    "code_insee": re.compile(r"([013-9]\d|2[AB1-9])\d{3}", re.ASCII),
    "telephone": re.compile(r"\+(33|590|594|262|596|269|687|689|508|681)\d{6,9}", re.ASCII),
}
"""Patterns of the official schema, for fields without a closed list of values."""

_SIGNED: Final = frozenset({"telephone", "latitude", "longitude"})
_NUMBERS: Final = frozenset({"latitude", "longitude"})


def write_csv(
    sites: Iterable[Site], stream: TextIO, *, strict: bool = False, dialect: Dialect = Dialect.LINES
) -> int:
    """Write sites as CSV, one line each, in the order given.

    Parameters
    ----------
    stream
        Opened with `newline=""`, in UTF-8.
    strict
        Write only the standard's 32 columns, valid against its schema v1.0.2: invalid values are
        left empty, and so are the coordinates of sites placed at a town hall, since no column
        distinguishes them from the site's own. Sites that lack a required value are left out.

    Returns
    -------
    Number of sites left out; 0 unless `strict`.
    """
    writer = CsvWriter(stream, dialect)
    writer.headings(standard.FIELDS if strict else COLUMNS)
    left_out = 0
    for site in sites:
        cells = {name: format_cell(value) for name, value in standard_values(site)}
        if strict:
            cells = _conforming(cells, site)
            if not all(cells[name] for name in standard.REQUIRED):
                left_out += 1
                continue
        else:
            cells |= {f"{LOCAL_PREFIX}{name}": format_cell(getattr(site, name)) for name in LOCAL_FIELDS}
        for name in _NUMBERS:
            cells[name] = cells[name].replace(".", dialect.decimal_mark)
        writer.cells(text if name in _SIGNED else escape_formula(text) for name, text in cells.items())
    return left_out


def _conforming(cells: dict[str, str], site: Site) -> dict[str, str]:
    """Return the cells with those that the schema refuses left empty."""
    valid = {
        name: text if name not in _PATTERNS or _PATTERNS[name].fullmatch(text) else ""
        for name, text in cells.items()
    }
    if not site.position.precise:
        valid["latitude"] = valid["longitude"] = ""
    valid["presentation_resume"] = valid["presentation_resume"][: standard.RESUME_MAX]
    valid["formations_labels"] = valid["formations_labels"].replace(
        standard.ETAPES_NUMERIQUES, standard.ETAPES_NUMERIQUES_STRICT
    )
    return valid


def values_by_column(site: Site) -> dict[str, object]:
    """Return the values of a site by column of the full export, in order."""
    own = {f"{LOCAL_PREFIX}{name}": getattr(site, name) for name in LOCAL_FIELDS}
    return {**dict(standard_values(site)), **own}


def format_cell(value: object) -> str:
    """Format a field value as one cell: values joined by `|`, ISO dates, "" when unknown."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return standard.SEPARATOR.join(v if isinstance(v, str) else format_stop(v) for v in value)
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, date):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else str(value)
