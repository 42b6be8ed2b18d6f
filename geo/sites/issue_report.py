"""Issues of validation, as CSV for spreadsheets and as dictionaries for JSON and tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TextIO

from geo.sites.model import Issue
from geo.tables_out import CsvWriter, Dialect, escape_formula

COLUMNS: Final = ("line", "field", "value", "severity", "code", "reason", "advice")


def issue_records(issues: Iterable[Issue]) -> list[dict[str, object]]:
    """Return issues as dictionaries with the keys of `COLUMNS`, in the same order."""
    return [
        {
            **{name: getattr(i, name) for name in COLUMNS},
            "severity": i.severity.value,
            "reason": i.full_reason,
        }
        for i in issues
    ]


def issues_csv(issues: Iterable[Issue], stream: TextIO, dialect: Dialect = Dialect.LINES) -> None:
    """Write issues as CSV, one line each; quoted values can't act as formulas.

    `stream` is opened with `newline=""`.
    """
    writer = CsvWriter(stream, dialect)
    writer.headings(COLUMNS)
    for record in issue_records(issues):
        writer.cells(escape_formula(str(value)) for value in record.values())
