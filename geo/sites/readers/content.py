"""The common model of all containers (CSV, XLSX, JSON, GeoJSON): columns and records of text."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from geo.sites.model import Issue, RawRow, Severity


class Container(StrEnum):
    """Kind of file that holds the records."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"
    GEOJSON = "geojson"


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a container: the line where it begins, and its cells as text by column name.

    `point` is the (longitude, latitude) text of a GeoJSON point. A record with a rejecting issue is
    not translated but still yielded, so that it is counted.
    """

    line: int
    fields: dict[str, str]
    issues: tuple[Issue, ...] = ()
    point: tuple[str, str] | None = None

    @property
    def broken(self) -> bool:
        """Whether the record cannot be translated."""
        return any(issue.severity is Severity.REJECTED for issue in self.issues)


@dataclass(frozen=True, slots=True)
class Content:
    """An opened list: its column names, and a function that reads its records from the start.

    A file may have several contents: its sheets, its JSON lists, and each of its first rows that may
    be the header. `part` is the name of the sheet or of the JSON list, `line` the line of the header
    and `issues` what was repaired to read the list as a whole.
    """

    columns: tuple[str, ...]
    records: Callable[[], Iterator[Record]] = field(repr=False)
    container: Container
    part: str = ""
    line: int = 1
    issues: tuple[Issue, ...] = ()
    from_1904: bool = False
    """Whether day numbers count from 1 January 1904, as in old workbooks of Macintosh."""


@dataclass(frozen=True, slots=True)
class SourcePart:
    """A sheet of a workbook or a list of a JSON document, and whether people see it."""

    title: str
    visible: bool = True


def _any_content(_: Content) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Format:
    """A source format: how to recognise it by its columns, and how to translate its records.

    `translate` is called with unbroken records only; formats without dates leave `date_maj` out.

    Attributes
    ----------
    required
        Columns by which the format is known.
    translate
        Translates a record to the fields of the standard.
    columns
        Names of the columns that the format reads; a column whose name differs only by case, accents or
        spaces is read as the one meant.
    identity
        Required columns without which a record has no identifier or no name.
    among
        What distinguishes the format from others with the same required columns.
    """

    name: str
    label: str
    dataset: str
    required: frozenset[str] = field(repr=False)
    translate: Callable[[Record], RawRow] = field(repr=False)
    columns: frozenset[str] = field(default=frozenset(), repr=False)
    identity: frozenset[str] = field(default=frozenset(), repr=False)
    among: Callable[[Content], bool] = field(default=_any_content, repr=False)

    def recognises(self, content: Content) -> bool:
        """Return whether a list is of this format."""
        return self.required <= set(content.columns) and self.among(content)


def column_name(text: str) -> str:
    """Normalise a column header for comparison: NFC, ordinary spaces, trimmed."""
    return " ".join(unicodedata.normalize("NFC", text.replace("\ufeff", "")).split())


def rejected(line: int, value: str, code: str, reason: str, advice: str) -> Issue:
    """Return an issue that rejects a whole record."""
    return Issue(line, "", value[:200], Severity.REJECTED, code, reason, advice)


def repaired(line: int, column: str, value: str, code: str, reason: str, advice: str = "") -> Issue:
    """Return an issue for a value that was repaired or translated with a loss."""
    return Issue(line, column, value[:200], Severity.REPAIRED, code, reason, advice)
