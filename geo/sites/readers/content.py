"""What every container (CSV, XLSX, JSON, GeoJSON) gives: columns, and records of text."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from geo.sites.model import Issue, RawRow, Severity


class Container(StrEnum):
    """What holds the records."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"
    GEOJSON = "geojson"


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a container: where it begins, and its cells as text by column name.

    `point` is the (longitude, latitude) text of a GeoJSON point. A record with a rejecting issue
    is not translated: it goes out as it is, so that the tally counts it.
    """

    line: int
    fields: dict[str, str]
    issues: tuple[Issue, ...] = ()
    point: tuple[str, str] | None = None

    @property
    def broken(self) -> bool:
        """Whether the record cannot be translated at all."""
        return any(issue.severity is Severity.REJECTED for issue in self.issues)


@dataclass(frozen=True, slots=True)
class Content:
    """A container opened: its column names, and a way to read its records from the start."""

    columns: tuple[str, ...]
    records: Callable[[], Iterator[Record]]
    container: Container


@dataclass(frozen=True, slots=True)
class Format:
    """A source format: how its columns betray it, and what a record of it says in the standard.

    `translate` takes a record that is not broken; a format whose records bear no date leaves
    `date_maj` out.
    """

    name: str
    label: str
    dataset: str
    recognises: Callable[[Content], bool] = field(repr=False)
    translate: Callable[[Record], RawRow] = field(repr=False)


def column_name(text: str) -> str:
    """A header as it is compared: NFC, ordinary spaces, trimmed."""
    return " ".join(unicodedata.normalize("NFC", text.replace("\ufeff", "")).split())


def rejected(line: int, value: str, code: str, reason: str, advice: str) -> Issue:
    """The issue that keeps a whole record out."""
    return Issue(line, "", value[:200], Severity.REJECTED, code, reason, advice)


def repaired(line: int, column: str, value: str, code: str, reason: str, advice: str = "") -> Issue:
    """The issue of something put right or translated with a loss."""
    return Issue(line, column, value[:200], Severity.REPAIRED, code, reason, advice)
