"""Readers of source files: what a file is, found from its content, and its records as raw rows.

`open_source` is the way in. A container (CSV, XLSX, JSON, GeoJSON) gives columns and records; a
format, recognised by its columns, says what a record means in the fields of the standard.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from geo.errors import UnreadableFile
from geo.sites.model import RawRow
from geo.sites.readers import (
    aidants_connect,
    data_inclusion,
    delimited,
    france_services,
    json_documents,
    standard,
    workbook,
)
from geo.sites.readers.column_mapping import match_mapping, read_mapping
from geo.sites.readers.content import Content, Format
from geo.sites.readers.encoding import ZIP, first_character, inspect_file
from geo.sites.readers.vintage import date_from_name_issue, date_in_name

FORMATS: tuple[Format, ...] = (
    *data_inclusion.FORMATS,
    *standard.FORMATS,
    *france_services.FORMATS,
    *aidants_connect.FORMATS,
)
"""Formats that need no mapping, in the order they are tried."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A source file opened and recognised.

    `format` is a short stable name, `label` its French name, `dataset` the dataset its records
    belong to unless told otherwise, `encoding` that of the text.
    """

    path: Path
    format: str
    label: str
    dataset: str
    sha256: str
    encoding: str
    vintage: date | None
    """Date of the list, when it was given; for records that bear none."""
    _content: Content = field(repr=False, compare=False)
    _format: Format = field(repr=False, compare=False)

    def rows(self) -> Iterator[RawRow]:
        """Read the records from the start, one `RawRow` each, in the order of the file.

        Raises
        ------
        UnreadableFile
            If the file turns out to be cut or malformed further on.
        """
        named = None if self.vintage else date_in_name(self.path.name)
        day = self.vintage or named
        untold = named is not None
        for record in self._content.records():
            if record.broken:
                yield RawRow(record.line, record.fields, record.issues)
                continue
            row = self._format.translate(record)
            if record.point and not (row.values.get("longitude") or row.values.get("latitude")):
                row.values["longitude"], row.values["latitude"] = record.point
            if day and "date_maj" not in row.values:
                row.values["date_maj"] = day.isoformat()
                if untold:
                    row = replace(row, issues=(*row.issues, date_from_name_issue(row.line, day)))
                    untold = False
            yield row


def open_source(
    path: Path, *, mapping: Path | None = None, max_bytes: int, vintage: date | None = None
) -> SourceFile:
    """Open a source file and recognise its format from its content, never from its name.

    Parameters
    ----------
    path
        The file: CSV (`,` `;` or tab; UTF-8, UTF-16 or Windows-1252), XLSX, JSON or GeoJSON.
    mapping
        TOML file that says which column holds which field, for a spreadsheet of one's own.
    max_bytes
        Largest size read; a larger file is refused unread.
    vintage
        Date of the list, for formats whose records bear none.

    Raises
    ------
    UnreadableFile
        If the file cannot be read or recognised, with what to do about it.
    """
    inspection = inspect_file(path, max_bytes=max_bytes)
    contents = _contents(path, inspection.encoding)
    content, known = (
        _recognised(path, contents)
        if mapping is None
        else match_mapping(contents, read_mapping(mapping), path.name)
    )
    return SourceFile(
        path=path,
        format=known.name,
        label=known.label,
        dataset=known.dataset,
        sha256=inspection.sha256,
        encoding="utf-8" if inspection.encoding == ZIP else inspection.encoding,
        vintage=vintage,
        _content=content,
        _format=known,
    )


def _contents(path: Path, encoding: str) -> list[Content]:
    """What a file holds: the sheets of a workbook, or the one content of a text."""
    if encoding == ZIP:
        return workbook.contents(path)
    if first_character(path, encoding) in ("[", "{"):
        return [json_documents.content(path, encoding)]
    return [delimited.content(path, encoding)]


def _recognised(path: Path, contents: list[Content]) -> tuple[Content, Format]:
    for content in contents:
        for known in FORMATS:
            if known.recognises(content):
                return content, known
    columns = [column for column in contents[0].columns if column]
    shown = ", ".join(f"« {column[:40]} »" for column in columns[:12])
    raise UnreadableFile(
        f"Le format de « {path.name} » n'est pas reconnu. "
        + (
            f"Ses colonnes sont {shown}{'…' if len(columns) > 12 else ''}."
            if columns
            else "Il est sans lieu."
        ),
        "Si c'est une liste de lieux, décrivez ses colonnes dans un fichier de correspondance "
        "(voir docs/formats.md).",
    )
