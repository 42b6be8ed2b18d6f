"""Tables written out: CSV, XLSX workbook, plain text for a terminal.

One rule for cells everywhere: unknown is empty, dates are ISO, numbers have full precision, and text that
may be quoted from a file never acts as a formula in a spreadsheet (OWASP, "CSV injection").
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum, StrEnum
from io import BytesIO, StringIO
from math import isfinite
from textwrap import wrap
from typing import Any, Final, TextIO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

README: Final = "Lisez-moi"

_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")
_BEHIND_APOSTROPHE: Final = re.compile(r"'+[=+\-@\t\r]")
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_IN_TITLES: Final = re.compile(r"[\\/*?:\[\]]")
_TITLE_MAX: Final = 31
CELL_MAX: Final = 32_767
"""Longest text of a cell of a workbook, in characters."""
_NOT_PLAIN: Final = frozenset("=+-@'#\t\r")
"""First signs of texts that openpyxl, or a spreadsheet, may take for something else than text."""
_CUT: Final = "… (texte coupé : une cellule tient 32 767 caractères ; il est entier dans le CSV)"
_WIDEST: Final = 62
_NARROWEST: Final = 12
_GAP: Final = "  "


class Kind(StrEnum):
    """What a column holds: text, or numbers."""

    TEXT = "text"
    NUMBER = "number"


class Dialect(Enum):
    """How a CSV file is written: separator, end of line, decimal mark, byte order mark."""

    LINES = (",", "\n", ".", "")
    """Commas, decimal points, line feeds."""
    RFC_4180 = (",", "\r\n", ".", "")
    """Commas, decimal points, CRLF: what RFC 4180 describes."""
    EXCEL_FR = (";", "\r\n", ",", "\ufeff")
    """Semicolons, decimal commas, byte order mark: what Excel opens by a double click in France."""

    def __init__(self, delimiter: str, line_end: str, decimal_mark: str, start: str) -> None:
        self.delimiter = delimiter
        self.line_end = line_end
        self.decimal_mark = decimal_mark
        self.start = start


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    name
        Its heading.
    label
        What it holds and its unit, in French; explained on the first sheet of a workbook.
    kind
        Text or numbers.
    number_format
        How a spreadsheet shows its numbers; the values keep full precision.
    """

    name: str
    label: str = ""
    kind: Kind = Kind.TEXT
    number_format: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table: columns, and rows of one value for each."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[object]]


def text_columns(headings: Iterable[str]) -> list[Column]:
    """Return columns of text with these headings."""
    return [Column(heading) for heading in headings]


def escape_formula(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: behind an apostrophe where it could be one."""
    return f"'{text}" if _FORMULA.match(text) else text


def unescape_formula(text: str) -> str:
    """Return the text that was given to `escape_formula`."""
    return text[1:] if _BEHIND_APOSTROPHE.match(text) else text


def escape_apostrophe(text: str) -> str:
    """Return text that `unescape_formula` gives back unchanged, for files where formulas need no escape."""
    return f"'{text}" if _BEHIND_APOSTROPHE.match(text) else text


def clean(text: str) -> str:
    """Return text without the characters that no XML file may hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def plain_value(value: object) -> object:
    """Return a value as files can hold it: no infinite number, no character that XML forbids."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    return clean(value) if isinstance(value, str) else value


def csv_cell(value: object, dialect: Dialect = Dialect.RFC_4180) -> str:
    """Return a value as one cell of CSV; a number below 0 is no formula, whether typed or written as text."""
    value = plain_value(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        yes, no = ("oui", "non") if dialect is Dialect.EXCEL_FR else ("true", "false")
        return yes if value else no
    if isinstance(value, (float, Decimal)):
        return str(value).replace(".", dialect.decimal_mark)
    if isinstance(value, Enum):
        return csv_cell(value.value, dialect)
    if isinstance(value, str):
        if _NUMBER.fullmatch(value):
            return value.replace(".", dialect.decimal_mark)
        return escape_formula(value)
    return value.isoformat() if isinstance(value, date) else str(value)


class CsvWriter:
    """Writes rows of a table as CSV to a stream opened with `newline=""`."""

    def __init__(self, stream: TextIO, dialect: Dialect = Dialect.RFC_4180) -> None:
        self._dialect = dialect
        self._writer = csv.writer(stream, delimiter=dialect.delimiter, lineterminator=dialect.line_end)
        stream.write(dialect.start)

    def headings(self, names: Iterable[str]) -> None:
        """Write the first row."""
        self._writer.writerow(names)

    def row(self, values: Iterable[object]) -> None:
        """Write a row of values, each as `csv_cell` writes it."""
        self._writer.writerow(csv_cell(value, self._dialect) for value in values)

    def cells(self, texts: Iterable[str]) -> None:
        """Write a row of cells as they are."""
        self._writer.writerow(texts)


def csv_text(
    columns: Sequence[Column], rows: Iterable[Sequence[object]], dialect: Dialect = Dialect.RFC_4180
) -> str:
    """Return a table as CSV; nothing for a table without columns."""
    stream = StringIO(newline="")
    writer = CsvWriter(stream, dialect)
    if columns:
        writer.headings(column.name for column in columns)
    for row in rows:
        writer.row(row)
    return stream.getvalue()


def csv_bytes(
    columns: Sequence[Column], rows: Iterable[Sequence[object]], dialect: Dialect = Dialect.RFC_4180
) -> bytes:
    """Return a table as CSV in UTF-8; half a character becomes « ? »."""
    return csv_text(columns, rows, dialect).encode("utf-8", "replace")


def records_table(title: str, records: Sequence[Mapping[str, object]]) -> Table:
    """Return records that all have the same keys, in one order, as a table with these keys as headings."""
    names = list(records[0]) if records else []
    return Table(title, text_columns(names), [list(record.values()) for record in records])


def xlsx_bytes(
    tables: Sequence[Table],
    about: Iterable[tuple[str, str]],
    *,
    notes: Sequence[Sequence[str]] = (),
    frozen: str = "B2",
    text_rows: int = 0,
) -> bytes:
    """Return tables as a workbook, one sheet each, after a sheet that explains them.

    Text stays text, whatever sign it begins with, even when the cell is edited later.

    Parameters
    ----------
    about
        Headings and sentences of the first sheet.
    notes
        A table below them: headings, then rows.
    frozen
        Cell above and left of which rows and columns stay in view.
    text_rows
        Rows ready to be filled, whose cells are text: no spreadsheet takes 01001 for a number.
    """
    book = Workbook()
    _write_readme(book.worksheets[0], tables, about, notes)
    for table in tables:
        sheet = book.create_sheet(_NOT_IN_TITLES.sub(" ", clean(table.title))[:_TITLE_MAX])
        _write_sheet(sheet, table, frozen)
        for line in range(2, text_rows + 1):
            for rank in range(1, len(table.columns) + 1):
                sheet.cell(line, rank).number_format = "@"
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def sheet_bytes(title: str, columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> bytes:
    """Return one table as a workbook of one sheet, written row by row: for tables of many rows.

    The headings stay in view. Text stays text, whatever sign it begins with; a text longer than a cell can
    hold (32,767 characters) is cut, and ends by saying so.
    """
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for rank, column in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(rank)].width = max(len(column.name) + 2, _NARROWEST)
    sheet.append([_as_heading(_put(WriteOnlyCell(sheet), column.name)) for column in columns])
    for row in rows:
        sheet.append([_light_cell(sheet, column, value) for column, value in zip(columns, row, strict=True)])
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def _light_cell(sheet: Any, column: Column, value: object) -> object:
    """Return a cell, or the bare value where no format and no sign of its text need one: twice as fast."""
    if value is None:
        return None
    if isinstance(value, str) and len(value) > CELL_MAX:
        value = value[: CELL_MAX - len(_CUT)] + _CUT
    plain = not isinstance(value, str) or value[:1] not in _NOT_PLAIN
    if plain and not column.number_format:
        return plain_value(value)
    cell = _put(WriteOnlyCell(sheet), value)
    if column.number_format:
        cell.number_format = column.number_format
    return cell


def _write_readme(
    sheet: Worksheet,
    tables: Sequence[Table],
    about: Iterable[tuple[str, str]],
    notes: Sequence[Sequence[str]],
) -> None:
    sheet.title = README
    lines = list(about)
    for table in tables:
        if any(column.label for column in table.columns) or not table.columns:
            lines.append(("", ""))
            lines.append((f"Feuille « {table.title} »", f"{len(table.rows)} lignes"))
            lines.extend((column.name, column.label) for column in table.columns)
    for line, (heading, text) in enumerate(lines, start=1):
        _put(sheet.cell(line, 1), heading).font = Font(bold=True)
        _put(sheet.cell(line, 2), text).alignment = Alignment(wrap_text=True, vertical="top")
    for line, texts in enumerate(notes, start=len(lines) + 2):
        for rank, text in enumerate(texts, start=1):
            cell = _put(sheet.cell(line, rank), text)
            if line == len(lines) + 2:
                _as_heading(cell)
    for letter, width in zip("ABCDE", (28, 100) if not notes else (26, 20, 60, 50, 40), strict=False):
        sheet.column_dimensions[letter].width = width


def _write_sheet(sheet: Worksheet, table: Table, frozen: str) -> None:
    for rank, column in enumerate(table.columns, start=1):
        _as_heading(_put(sheet.cell(1, rank), column.name))
        widest = max(len(column.name), _NARROWEST - 2)
        for line, row in enumerate(table.rows, start=2):
            value = row[rank - 1]
            cell = _put(sheet.cell(line, rank), value)
            if column.number_format:
                cell.number_format = column.number_format
            elif isinstance(value, str):
                widest = max(widest, len(value))
        sheet.column_dimensions[get_column_letter(rank)].width = min(widest + 2, _WIDEST)
    sheet.freeze_panes = frozen
    if table.rows:
        sheet.auto_filter.ref = sheet.dimensions


def _as_heading(cell: Any) -> Any:
    cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="E4E8EF")
    return cell


def _put(cell: Any, value: object) -> Any:
    """Write a value; text is text, even when the cell is edited later."""
    cell.value = plain_value(value)
    if isinstance(value, str):
        cell.data_type = "s"
        cell.quotePrefix = escape_formula(value) != value
    return cell


def terminal_lines(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """Return a table as lines of text.

    Whole where it fits or `width` is None; else with cells and headings wrapped between words; else, where
    a word or a number would have to be cut, as one block of lines a row. Nothing is ever left out.

    Parameters
    ----------
    rows
        One text for each column.
    width
        Characters of a line; None for no limit.
    """
    widths = _natural_widths(columns, rows)
    if width is not None and _total(widths) > width:
        least = [_least_width(column, [row[i] for row in rows]) for i, column in enumerate(columns)]
        if _total(least) > width:
            return _blocks(columns, rows, width)
        widths = _shared_out(least, widths, width)
    lines = _row_lines(columns, [column.name for column in columns], widths)
    lines.append(_GAP.join("─" * each for each in widths))
    for row in rows:
        lines.extend(_row_lines(columns, row, widths))
    return lines


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _natural_widths(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
    return [
        max(len(line) for text in (column.name, *(row[i] for row in rows)) for line in text.split("\n"))
        for i, column in enumerate(columns)
    ]


def _least_width(column: Column, cells: Sequence[str]) -> int:
    """Return the width below which a word would be cut; numbers, spaces in them included, stay whole."""
    words = [*column.name.split(), *(cells if column.kind is Kind.NUMBER else " ".join(cells).split())]
    return max(map(len, words), default=1)


def _shared_out(least: Sequence[int], natural: Sequence[int], width: int) -> list[int]:
    """Return widths between least and natural that fill the line, the narrowest wishes served first."""
    widths = list(least)
    spare = width - _total(least)
    for rank in sorted(range(len(widths)), key=lambda i: natural[i] - least[i]):
        more = min(natural[rank] - least[rank], spare)
        widths[rank] += more
        spare -= more
    return widths


def _row_lines(columns: Sequence[Column], row: Sequence[str], widths: Sequence[int]) -> list[str]:
    cells = [
        [part for line in text.split("\n") for part in (_wrapped(line, size))]
        for text, size in zip(row, widths, strict=True)
    ]
    lines = []
    for rank in range(max(map(len, cells), default=0)):
        parts = (cell[rank] if rank < len(cell) else "" for cell in cells)
        aligned = (
            part.rjust(size) if column.kind is Kind.NUMBER else part.ljust(size)
            for part, size, column in zip(parts, widths, columns, strict=True)
        )
        lines.append(_GAP.join(aligned).rstrip())
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    return wrap(text, width, break_on_hyphens=False) or [""]


def _blocks(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return each row as a block: a heading and its value on each line."""
    label = min(max(len(column.name) for column in columns), width // 2)
    lines: list[str] = []
    for row in rows:
        if lines:
            lines.append("")
        for column, text in zip(columns, row, strict=True):
            names = _wrapped(column.name, label)
            values = [part for line in text.split("\n") for part in (_wrapped(line, width - label - 3))]
            for rank in range(max(len(names), len(values))):
                name = names[rank] if rank < len(names) else ""
                value = values[rank] if rank < len(values) else ""
                mark = " : " if rank == 0 else "   "
                lines.append(f"{name.ljust(label)}{mark}{value}".rstrip())
    return lines
