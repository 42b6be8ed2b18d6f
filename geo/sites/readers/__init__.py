"""Read source files: detect their format from their content and yield their records as raw rows.

The entry point is `open_source`. A container (CSV, XLSX, JSON, GeoJSON) yields columns and records;
a format, recognised by its columns, translates a record to the fields of the standard.
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
from geo.sites.readers.column_mapping import ColumnMapping, read_mapping
from geo.sites.readers.content import Content, Format
from geo.sites.readers.encoding import ZIP, first_character, inspect_file
from geo.sites.readers.mapped_rows import match_mapping
from geo.sites.readers.mapping_draft import draft_mapping
from geo.sites.readers.vintage import date_from_name_issue, date_in_name

FORMATS: tuple[Format, ...] = (
    *data_inclusion.FORMATS,
    *standard.FORMATS,
    *france_services.FORMATS,
    *aidants_connect.FORMATS,
)
"""Formats that need no column mapping, in the order in which they are tried."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A source file of known format.

    `format` is a short stable name, `label` its French name, `dataset` the default dataset of its
    records and `encoding` the encoding of the text.
    """

    path: Path
    format: str
    label: str
    dataset: str
    sha256: str
    encoding: str
    vintage: date | None
    """Date of the list given by the caller, for records without date; None when not given."""
    _content: Content = field(repr=False, compare=False)
    _format: Format = field(repr=False, compare=False)

    def rows(self) -> Iterator[RawRow]:
        """Yield the records from the start, in file order.

        Raises
        ------
        UnreadableFile
            If the file is truncated or malformed at a later record.
        """
        named = None if self.vintage else date_in_name(self.path.name)
        day = self.vintage or named
        must_report_date = named is not None
        for record in self._content.records():
            if record.broken:
                yield RawRow(record.line, record.fields, record.issues)
                continue
            row = self._format.translate(record)
            if record.point and not (row.values.get("longitude") or row.values.get("latitude")):
                row.values["longitude"], row.values["latitude"] = record.point
            if day and "date_maj" not in row.values:
                row.values["date_maj"] = day.isoformat()
                if must_report_date:
                    row = replace(row, issues=(*row.issues, date_from_name_issue(row.line, day)))
                    must_report_date = False
            yield row


def open_source(
    path: Path, *, mapping: Path | None = None, max_bytes: int, vintage: date | None = None
) -> SourceFile:
    """Open a source file and detect its format from its content, never from its name.

    Parameters
    ----------
    path
        The file: CSV (`,` `;` or tab; UTF-8, UTF-16 or Windows-1252), XLSX, JSON or GeoJSON.
    mapping
        TOML file that maps columns to fields, for spreadsheets of no known format.
    max_bytes
        Largest accepted size in bytes; a larger file is refused without being read.
    vintage
        Date of the list, for formats whose records have no date.

    Raises
    ------
    UnreadableFile
        If the file cannot be read or its format is unknown.
    """
    columns = read_mapping(mapping) if mapping else None
    inspection = inspect_file(path, max_bytes=max_bytes)
    contents = _contents(path, inspection.encoding, columns)
    content, known = match_mapping(contents, columns, path.name) if columns else _recognised(path, contents)
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


def suggest_mapping(path: Path, *, max_bytes: int) -> str:
    """Return a draft of a mapping file for a spreadsheet, as TOML with comments, to be reviewed.

    Raises
    ------
    UnreadableFile
        If the file cannot be read.
    """
    inspection = inspect_file(path, max_bytes=max_bytes)
    contents = _contents(path, inspection.encoding, None)
    known = next((known for content in contents for known in FORMATS if known.recognises(content)), None)
    return draft_mapping(contents[0], path.name, recognised=known.label if known else "")


def _contents(path: Path, encoding: str, mapping: ColumnMapping | None) -> list[Content]:
    """Return the contents of a file: the sheets of a workbook, or the single content of a text."""
    sheet, header_row = (mapping.sheet, mapping.header_row) if mapping else (None, None)
    if encoding == ZIP:
        return workbook.contents(path, sheet=sheet, header_row=header_row)
    if sheet is not None:
        raise _not_for(path.name, "sheet", "n'est pas un classeur")
    if first_character(path, encoding) not in ("[", "{"):
        return [delimited.content(path, encoding, header_row=header_row)]
    if header_row is not None:
        raise _not_for(path.name, "header_row", "n'est pas un tableau")
    return [json_documents.content(path, encoding)]


def _not_for(name: str, option: str, why: str) -> UnreadableFile:
    return UnreadableFile(
        f"Le fichier de correspondance donne « {option} », mais « {name} » {why}.",
        f"Retirez « {option} » du fichier de correspondance.",
    )


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
