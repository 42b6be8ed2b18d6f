"""Readers of source files: what a file is, found from its content, and its records as raw rows.

`open_source` is the way in. A container (CSV, XLSX, JSON, GeoJSON) gives columns and records; a
format, recognised by its columns, says what a record means in the fields of the standard.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from geo.errors import UnreadableFile
from geo.sites.model import RawRow
from geo.sites.readers import delimited, standard
from geo.sites.readers.content import Content, Format
from geo.sites.readers.text import inspect

FORMATS: tuple[Format, ...] = (standard.V1,)


@dataclass(frozen=True, slots=True)
class Source:
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
    _content: Content = field(repr=False, compare=False)
    _translation: Format = field(repr=False, compare=False)

    def rows(self) -> Iterator[RawRow]:
        """Read the records from the start, one `RawRow` each, in the order of the file.

        Raises
        ------
        UnreadableFile
            If the file turns out to be cut or malformed further on.
        """
        for record in self._content.records():
            if record.broken:
                yield RawRow(record.line, record.fields, record.issues)
            else:
                yield self._translation.translate(record)


def open_source(
    path: Path, *, mapping: Path | None = None, max_bytes: int, vintage: date | None = None
) -> Source:
    """Open a source file and recognise its format from its content, never from its name.

    Parameters
    ----------
    path
        The file: CSV (`,` `;` or tab; UTF-8, UTF-16 or Latin-1), XLSX, JSON or GeoJSON.
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
    inspection = inspect(path, max_bytes=max_bytes)
    content = delimited.content(path, inspection.encoding)
    columns = frozenset(content.columns)
    for known in FORMATS:
        if known.recognises(columns):
            return Source(
                path,
                known.name,
                known.label,
                known.dataset,
                inspection.sha256,
                inspection.encoding,
                content,
                known,
            )
    raise UnreadableFile(
        f"Le format de « {path.name} » n'est pas reconnu (colonnes : {', '.join(content.columns[:12])}).",
        "Décrivez ses colonnes dans un fichier de correspondance (voir docs/formats.md).",
    )
