"""Read workbooks (XLSX): check their unpacked size, then stream them sheet by sheet."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path

import openpyxl

from geo.errors import UnreadableFile
from geo.sites.readers.content import Container, Content, Record
from geo.sites.readers.delimited import header_of, named_columns, no_header, record
from geo.sites.text import fold

UNPACKED_BYTES = 150_000_000
"""Largest unpacked size that a workbook may declare; zip bombs declare gigabytes."""

_DIRECTORY_BYTES = 1_000_000
"""Largest table of contents of the archive, which is read whole."""

_END_OF_DIRECTORY = b"PK\x05\x06"
_LAST_ROW = 1_048_576
"""Maximum number of rows in a sheet."""


def contents(path: Path, *, sheet: str | int | None = None, header_row: int | None = None) -> list[Content]:
    """Open each sheet that has a header; formulas give the values last computed by the spreadsheet.

    The header is the first row that is not blank, unless given; blank rows are skipped. Of merged cells
    only the first has the value. Dates become `YYYY-MM-DD`, and whole numbers lose their `.0`.

    Parameters
    ----------
    sheet
        Title of the only sheet to open, or its rank from 1.
    header_row
        Row of the header, as the spreadsheet numbers it.

    Raises
    ------
    UnreadableFile
        If the archive is not a workbook, is damaged, or is too large once unpacked; if it has no such
        sheet or header.
    """
    check_size(path)
    opened = []
    titles = sheets(path)
    for title in titles if sheet is None else [_asked(titles, sheet, path.name)]:
        header = header_of(rows(path, title), header_row)
        if header is not None:
            opened.append(_content(path, title, header[0], named_columns(header[1], path.name)))
    if not opened and header_row is not None:
        raise no_header(path.name, header_row)
    if not opened:
        raise UnreadableFile(
            f"Le classeur « {path.name} » ne contient aucune ligne.", "Vérifiez que c'est le bon fichier."
        )
    return opened


def _asked(titles: list[str], sheet: str | int, name: str) -> str:
    """Return the title of the sheet that a mapping asks for by title or rank."""
    if isinstance(sheet, int):
        found = titles[sheet - 1 : sheet]
    else:
        found = [title for title in titles if title == sheet] or [
            title for title in titles if fold(title) == fold(sheet)
        ]
    if len(found) == 1:
        return found[0]
    raise UnreadableFile(
        f"Le classeur « {name} » n'a pas de feuille « {sheet} ».",
        "Corrigez « sheet » dans le fichier de correspondance ; ses feuilles sont "
        f"{', '.join(f'« {title} »' for title in titles)}.",
    )


def _content(path: Path, sheet: str, header_row: int, columns: tuple[str, ...]) -> Content:
    def records() -> Iterator[Record]:
        for line, cells in rows(path, sheet):
            if line > header_row:
                cells.extend(
                    [""] * (len(columns) - len(cells))
                )  # a sheet does not write its last empty cells
                yield record(line, cells, columns)

    return Content(columns, records, Container.XLSX)


def check_size(path: Path) -> None:
    """Check the declared unpacked size of a workbook.

    Raises
    ------
    UnreadableFile
        If the archive is damaged, is not a workbook, or exceeds `UNPACKED_BYTES`.
    """
    try:
        if _directory_bytes(path) > _DIRECTORY_BYTES:
            raise _outsized(path.name)
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as problem:
        raise _damaged(path.name) from problem
    names = {part.filename for part in parts}
    if "xl/workbook.xml" not in names:
        kind = "un classeur LibreOffice (.ods)" if "content.xml" in names else "une archive"
        raise UnreadableFile(
            f"« {path.name} » est {kind}, pas un classeur XLSX.",
            "Enregistrez la feuille au format XLSX ou CSV, ou décompressez l'archive.",
        )
    if sum(part.file_size for part in parts) > UNPACKED_BYTES:
        raise _outsized(path.name)


def _directory_bytes(path: Path) -> int:
    """Return the size of the archive's table of contents, given by its last record."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - (1 << 16) - 22))
        tail = stream.read()
    at = tail.rfind(_END_OF_DIRECTORY)
    if at < 0 or len(tail) < at + 16:
        raise zipfile.BadZipFile
    return int.from_bytes(tail[at + 12 : at + 16], "little")


@contextmanager
def _book(path: Path) -> Iterator[openpyxl.Workbook]:
    """Open a workbook as a stream, because openpyxl checks the extension of a path."""
    with path.open("rb") as stream:
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        try:
            yield book
        finally:
            book.close()


def sheets(path: Path) -> list[str]:
    """Return the titles of the sheets of a workbook."""
    try:
        with _book(path) as book:
            return [sheet.title for sheet in book.worksheets]
    # A damaged archive may raise any exception of the XML or the spreadsheet library.
    except Exception as problem:
        raise _damaged(path.name) from problem


def rows(path: Path, title: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a sheet that are not blank, with their number in the spreadsheet."""
    try:
        with _book(path) as book:
            sheet = book[title]
            sheet.reset_dimensions()  # the dimensions declared by a sheet may be wrong
            for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
                if number > _LAST_ROW:
                    raise _damaged(path.name)
                cells = [_text(value) for value in values]
                if any(cell.strip() for cell in cells):
                    yield number, cells
    except UnreadableFile:
        raise
    except Exception as problem:
        raise _damaged(path.name) from problem


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _damaged(name: str) -> UnreadableFile:
    return UnreadableFile(
        f"Le classeur « {name} » est abîmé ou incomplet.",
        "Ouvrez-le dans votre tableur et enregistrez-le à nouveau, ou passez par le format CSV.",
    )


def _outsized(name: str) -> UnreadableFile:
    return UnreadableFile(
        f"Le classeur « {name} » est démesuré une fois décompressé.",
        "Enregistrez la feuille utile au format CSV.",
    )
