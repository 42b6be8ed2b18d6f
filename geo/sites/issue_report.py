"""Issues of validation, as CSV for spreadsheets and as dictionaries for JSON and tables."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Final, TextIO

from geo.sites.export import escape_formula
from geo.sites.model import Issue

COLUMNS: Final = ("line", "field", "value", "severity", "code", "reason", "advice")


def issue_records(issues: Iterable[Issue]) -> list[dict[str, object]]:
    """Return issues as dictionaries with the keys of `COLUMNS`, in the same order."""
    return [{**{name: getattr(i, name) for name in COLUMNS}, "severity": i.severity.value} for i in issues]


def issues_csv(issues: Iterable[Issue], stream: TextIO) -> None:
    """Write issues as CSV, one line per issue; values are escaped so that none acts as a formula.

    `stream` is opened with `newline=""`.
    """
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for record in issue_records(issues):
        writer.writerow(escape_formula(str(value)) for value in record.values())
