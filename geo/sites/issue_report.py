"""What validation found, as CSV for a spreadsheet and as records for machines and tables."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Final, TextIO

from geo.sites.export import escape_formula
from geo.sites.model import Issue

COLUMNS: Final = ("line", "field", "value", "severity", "code", "reason", "advice")


def issue_records(issues: Iterable[Issue]) -> list[dict[str, object]]:
    """Issues as records with the keys of `COLUMNS`, in their order."""
    return [{**{name: getattr(i, name) for name in COLUMNS}, "severity": i.severity.value} for i in issues]


def issues_csv(issues: Iterable[Issue], stream: TextIO) -> None:
    """Write issues as CSV, one line each; quoted values can't act as formulas.

    `stream` is opened with `newline=""`.
    """
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for record in issue_records(issues):
        writer.writerow(escape_formula(str(value)) for value in record.values())
