"""Read workbooks (XLSX): check their unpacked size, then stream their visible sheets.

openpyxl decodes strings, styles and cells. The rows of a sheet are streamed here, because openpyxl
creates the rows that a sheet only announces, and holds a million rows that are merely formatted.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, time
from functools import partial
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final
from xml.etree.ElementTree import Element, iterparse

from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.datetime import MAC_EPOCH, from_excel
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS

from geo.errors import UnreadableFile
from geo.sites.readers.content import Container, Content, SourcePart
from geo.sites.readers.header import HEADER_WITHIN, Rows, likeliest_first, no_header, row_of, tables
from geo.sites.text import fold
from geo.wording import figures

UNPACKED_BYTES: Final = 150_000_000
"""Largest unpacked size that a workbook may declare; zip bombs declare gigabytes."""

STRINGS_BYTES: Final = 60_000_000
"""Largest unpacked size of the texts of a workbook, which are held in memory."""

SETTINGS_BYTES: Final = 10_000_000
"""Largest unpacked size of the list of sheets and of the styles, which are read whole."""

ROW_BYTES: Final = 4_000_000
"""Largest row of a sheet, or text, in bytes of XML."""

HEADER_ROWS: Final = 1_000
"""Number of rows of a sheet, blank ones included, among which the header is searched."""

_DIRECTORY_BYTES = 1_000_000
"""Largest table of contents of the archive, which is read whole."""

_END_OF_DIRECTORY = b"PK\x05\x06"
_LAST_ROW = 1_048_576
"""Maximum number of rows in a sheet."""
_LAST_COLUMN = 16_384
_STRINGS = "xl/sharedStrings.xml"
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_READ_WHOLE = ("xl/workbook.xml", "xl/styles.xml", "xl/_rels/workbook.xml.rels", "[Content_Types].xml")


def contents(path: Path, *, sheet: str | int | None = None, header_row: int | None = None) -> list[Content]:
    """Open the visible sheets: one content for each of the first rows that may be the header.

    Formulas give the values last computed by the spreadsheet; blank rows are skipped. Of merged
    cells only the first has the value. Dates become `YYYY-MM-DD`, and whole numbers lose their `.0`.

    Parameters
    ----------
    sheet
        Title of the only sheet to open, or its rank from 1, even if it is hidden.
    header_row
        Row of the header, as the spreadsheet numbers it.

    Raises
    ------
    UnreadableFile
        If the archive is not a workbook, is damaged, is too large once unpacked, or has no visible
        row; if it has no such sheet or header.
    """
    check_size(path)
    from_1904 = _counts_from_1904(path)
    every = sheets(path)
    visible = [each.title for each in every if each.visible]
    opened = []
    for title in visible if sheet is None else [_asked([each.title for each in every], sheet, path.name)]:
        if header_row is None:
            head = list(islice(_first_rows(path, title), HEADER_WITHIN))
        else:
            head = row_of(rows(path, title), header_row)
        if head:
            found = tables(partial(rows, path, title), head, Container.XLSX, part=title)
            opened += likeliest_first(found)
    if not opened and header_row is not None:
        raise no_header(path.name, header_row)
    if not opened:
        hidden = [each.title for each in every if not each.visible]
        raise UnreadableFile(
            f"Le classeur « {path.name} » ne contient aucune ligne"
            + (f" dans ses feuilles visibles ; masquées : {quoted(hidden)}." if hidden else "."),
            "Affichez la feuille des lieux et enregistrez."
            if hidden
            else "Vérifiez que c'est le bon fichier.",
        )
    return [replace(content, from_1904=from_1904) for content in opened]


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


def quoted(titles: list[str]) -> str:
    """Return titles of sheets for a sentence."""
    shown = ", ".join(f"« {title[:40]} »" for title in titles[:5])
    return f"{shown}…" if len(titles) > 5 else shown


def check_size(path: Path) -> None:
    """Check the declared unpacked size of a workbook.

    Raises
    ------
    UnreadableFile
        If the archive is damaged, is not a workbook, or exceeds `UNPACKED_BYTES`.
    """
    try:
        if _directory_bytes(path) > _DIRECTORY_BYTES:
            raise _outsized(path.name, "son sommaire", _DIRECTORY_BYTES)
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
        raise _outsized(path.name, "son contenu", UNPACKED_BYTES)
    sizes = {part.filename: part.file_size for part in parts}
    if sizes.get(_STRINGS, 0) > STRINGS_BYTES:
        raise _outsized(path.name, "l'ensemble de ses textes", STRINGS_BYTES)
    if sum(sizes.get(part, 0) for part in _READ_WHOLE) > SETTINGS_BYTES:
        raise _outsized(path.name, "l'ensemble de ses styles", SETTINGS_BYTES)


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
def _book(path: Path, *, cells: bool) -> Iterator[ExcelReader]:
    """Open a workbook without its sheets; its strings and styles only if `cells` are to be read.

    Raises
    ------
    UnreadableFile
        For whatever goes wrong in the block: a damaged archive may raise any exception of the XML
        or the spreadsheet library.
    """
    try:
        with path.open("rb") as stream:  # openpyxl checks the extension of a path
            reader = ExcelReader(stream, read_only=True, data_only=True, keep_links=False)
            reader.read_manifest()
            reader.read_workbook()
            if cells:
                reader.shared_strings = list(_shared_strings(reader, path.name))
                apply_stylesheet(reader.archive, reader.wb)
            yield reader
    except UnreadableFile:
        raise
    except Exception as problem:
        raise _damaged(path.name) from problem


def _shared_strings(reader: ExcelReader, name: str) -> Iterator[str]:
    """Yield the texts of a workbook; openpyxl holds the XML of all of them."""
    package: Any = reader.package
    part = package.find(SHARED_STRINGS)
    if part is None:
        return
    with reader.archive.open(part.PartName[1:]) as stream:
        for element in _streamed(stream, name, within="sst", tag="si"):
            plain = [child for child in element if child.tag == f"{_MAIN}t"]
            runs = [run for child in element.findall(f"{_MAIN}r") for run in child.findall(f"{_MAIN}t")]
            yield "".join(run.text or "" for run in plain + runs).replace("x005F_", "")


def sheets(path: Path) -> list[SourcePart]:
    """Return the sheets of a workbook, in order; charts are left out.

    Raises
    ------
    UnreadableFile
        If the workbook is damaged.
    """
    with _book(path, cells=False) as reader:
        return [
            SourcePart(sheet.name, sheet.state == "visible")
            for sheet, relation in reader.parser.find_sheets()
            if relation.Type.endswith("/worksheet") and relation.target in reader.valid_files
        ]


def _counts_from_1904(path: Path) -> bool:
    with _book(path, cells=False) as reader:
        return bool(reader.wb.epoch == MAC_EPOCH)


def rows(path: Path, title: str, *, last: int = _LAST_ROW) -> Rows:
    """Yield the rows of a sheet that are not blank, with their number in the spreadsheet.

    Parameters
    ----------
    last
        Number of the last row read.

    Raises
    ------
    UnreadableFile
        If the workbook is damaged, or a row is larger than `ROW_BYTES`.
    """
    with _book(path, cells=True) as reader:
        target = next(
            relation.target for sheet, relation in reader.parser.find_sheets() if sheet.name == title
        )
        cell_reader = _CellReader(reader)
        with reader.archive.open(target) as stream:
            for number, element in _row_elements(stream, path.name):
                if number > _LAST_ROW:
                    raise _damaged(path.name)
                if number > last:
                    return
                cells = cell_reader.cells(element, number)
                if any(map(str.strip, cells)):
                    yield number, cells


def _first_rows(path: Path, title: str) -> Rows:
    return rows(path, title, last=HEADER_ROWS)


def _streamed(stream: IO[bytes], name: str, *, within: str, tag: str) -> Iterator[Element]:
    """Yield the elements `tag` of the element `within`; only one is held at a time.

    Raises
    ------
    UnreadableFile
        If one is larger than `ROW_BYTES`.
    """
    bounded = _BoundedStream(stream, name)
    parent: Element | None = None
    for event, element in iterparse(bounded, ("start", "end")):  # noqa: S314 (expat bounds entities)
        if element.tag == _MAIN + within:
            if event == "end":
                return
            parent = element
        elif event == "end" and parent is not None and element.tag == _MAIN + tag:
            bounded.since_last = 0
            yield element
            parent.clear()


def _row_elements(stream: IO[bytes], name: str) -> Iterator[tuple[int, Element]]:
    """Yield the rows that a sheet writes, with their number."""
    number = 0
    for element in _streamed(stream, name, within="sheetData", tag="row"):
        written = element.get("r")
        number = int(float(written)) if written else number + 1
        yield number, element


class _BoundedStream:
    """A stream of XML that refuses an element of more than `ROW_BYTES`, and skips rows without values."""

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self.stream = stream
        self.name = name
        self.since_last = 0

    def read(self, size: int = -1) -> bytes:
        while chunk := self.stream.read(size):
            if useful := _without_formatted_rows(chunk):
                self.since_last += len(useful)
                if self.since_last > ROW_BYTES:
                    raise _outsized(self.name, "une ligne ou un texte", ROW_BYTES)
                return useful
        return b""


def _without_formatted_rows(chunk: bytes) -> bytes:
    """Leave out the whole rows of a chunk if all are numbered and none has a value.

    Parsing a million rows that are merely formatted takes ten times as long.
    """
    start, end = chunk.find(b"<row "), chunk.rfind(b"</row>") + len(b"</row>")
    if start < 0 or end < start:
        return chunk
    whole = chunk[start:end]
    if any(tag in whole for tag in (b"<v", b"<is", b"<f", b"sheetData")):
        return chunk
    return chunk[:start] + chunk[end:] if whole.count(b"<row") == whole.count(b'<row r="') else chunk


class _CellReader:
    """Decodes the cells of rows as text."""

    def __init__(self, reader: ExcelReader) -> None:
        book: Any = reader.wb
        self.epoch = book.epoch
        self.dates: frozenset[int] = frozenset(book._date_formats)
        self.durations: frozenset[int] = frozenset(book._timedelta_formats)
        # Without formats of dates, numbers stay numbers: openpyxl loses those that are no date.
        self.parser = WorkSheetParser(BytesIO(), reader.shared_strings, data_only=True, epoch=self.epoch)

    def cells(self, row: Element, number: int) -> list[str]:
        """Return the cells of a row as text, up to the last that is not empty."""
        found: list[str] = []
        self.parser.row_counter, self.parser.col_counter = number, 0
        for element in row:
            if not len(element) and element.get("r"):
                continue  # a cell that is merely formatted
            cell = self.parser.parse_cell(element)
            column = cell["column"]
            if column > _LAST_COLUMN:
                raise ValueError("column beyond the end of any sheet")
            if text := _text(self._value(cell)):
                found.extend([""] * (column - len(found)))
                found[column - 1] = text
        return found

    def _value(self, cell: dict[str, Any]) -> object:
        value, style = cell["value"], cell["style_id"]
        if cell["data_type"] != "n" or style not in self.dates or not isinstance(value, int | float):
            return value
        try:
            return from_excel(value, self.epoch, timedelta=style in self.durations)
        except (OverflowError, ValueError):
            return value


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


def _outsized(name: str, part: str, most: int) -> UnreadableFile:
    return UnreadableFile(
        f"Le classeur « {name} » est démesuré : une fois décompressé, {part} dépasse "
        f"{figures.file_size(most)}.",
        "Enregistrez la feuille utile au format CSV.",
    )
