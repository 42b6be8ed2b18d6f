"""Files of funding as CSV and XLSX: empty templates with an example, and workbooks of exports."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import Enum
from io import BytesIO, StringIO
from typing import Final

from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from geo.funding import money
from geo.funding.template_columns import CellType, Column, Template
from geo.sites.export import escape_formula

README: Final = "Lisez-moi"
DEMONSTRATION: Final = "Données de démonstration"
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_READY_ROWS: Final = 200
_WIDTHS: Final = (12, 40)


def template_csv(template: Template) -> bytes:
    """Return a template as CSV for French spreadsheets (`;`, UTF-8 with BOM): headings and an example."""
    return _delimited([_headings(template), _example(template)])


def template_xlsx(template: Template) -> bytes:
    """Return a template as a workbook: a sheet that explains each column, and one to fill, of text cells."""
    about = [
        ("Modèle", template.label),
        ("Exemple", "La première ligne est inventée : supprimez-la, elle n'est jamais enregistrée."),
        ("Personnes", "Ni nom, ni adresse, ni téléphone : aucune donnée sur une personne n'a sa place ici."),
        ("Enregistrer", f"portee fund import FICHIER --kind {template.kind}"),
    ]
    book, sheet, said = _book(about)
    readme = book[README]
    _put(readme, said + 2, ("Colonne", "Obligatoire", "Contenu", "Valeurs", "Exemple"), heading=True)
    for line, c in enumerate(template.columns, start=said + 3):
        _put(readme, line, (c.heading, "oui" if c.required else "non", c.explains, c.allowed, c.example))
    for letter, width in zip("ABCDE", (26, 20, 60, 50, 40), strict=True):
        readme.column_dimensions[letter].width = width
    sheet.title = _title(template.label)
    _fill(sheet, _headings(template), [_example(template)])
    for row in sheet.iter_rows(min_row=2, max_row=_READY_ROWS, max_col=len(template.columns)):
        for cell in row:
            cell.number_format = (
                "@"  # so that spreadsheets do not turn 01001 into a number or 1/2 into a date
            )
    return _saved(book)


def workbook(
    tables: Mapping[str, tuple[Sequence[str], Iterable[Sequence[str]]]], about: Iterable[tuple[str, str]]
) -> bytes:
    """Return tables (headings, rows of text) as a workbook: one sheet each, after a sheet about them."""
    book, first, _ = _book(about)
    for rank, (title, (headings, rows)) in enumerate(tables.items()):
        sheet = book.create_sheet() if rank else first
        sheet.title = _title(title)
        _fill(sheet, headings, rows)
    return _saved(book)


def plain_csv(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a table as RFC 4180 CSV (commas, UTF-8); no text acts as a formula."""
    stream = StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows([_safe(text) for text in row] for row in rows)
    return stream.getvalue().encode("utf-8", "replace")


def template_row(template: Template, values: Mapping[str, object]) -> list[str]:
    """Return the cells of a record, given its values by column; absent ones are empty."""
    return [_written(column, values.get(column.name)) for column in template.columns]


def _headings(template: Template) -> list[str]:
    return [column.heading for column in template.columns]


def _example(template: Template) -> list[str]:
    return [column.example for column in template.columns]


def _written(column: Column, value: object) -> str:
    if value is None or value == "":
        return ""
    if column.cell is CellType.EUROS and isinstance(value, int):
        return money.plain(value)
    if column.cell is CellType.FLAG:
        return "oui" if value else "non"
    if column.cell is CellType.CHOICE:
        code = str(value.value if isinstance(value, Enum) else value)
        return column.choices.get(code, code)
    if column.cell is CellType.FUNDERS and isinstance(value, tuple):
        return " | ".join(f"{code}={passes}" for code, passes in value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _delimited(rows: Iterable[Sequence[str]]) -> bytes:
    stream = StringIO(newline="")
    writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
    writer.writerows([_safe(text) for text in row] for row in rows)
    return stream.getvalue().encode("utf-8-sig")


def _safe(text: str) -> str:
    """Escape text that a spreadsheet would take for a formula; negative numbers are not."""
    return text if text[1:].replace(".", "", 1).isdecimal() else escape_formula(text)


def _book(about: Iterable[tuple[str, str]]) -> tuple[Workbook, Worksheet, int]:
    """Return a workbook with a first sheet about it, its next sheet, and the number of rows about it."""
    book = Workbook()
    readme, line = book.worksheets[0], 0
    readme.title = README
    for line, said in enumerate(about, start=1):
        _put(readme, line, said)
        readme.cell(line, 1).font = Font(bold=True)
    readme.column_dimensions["A"].width, readme.column_dimensions["B"].width = 26, 100
    return book, book.create_sheet(), line


def _title(text: str) -> str:
    """Return a valid title of a sheet."""
    return re.sub(r"[\\/*?:\[\]]", " ", text)[:31]


def _fill(sheet: Worksheet, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    _put(sheet, 1, headings, heading=True)
    for rank, heading in enumerate(headings, start=1):
        width = min(max(_WIDTHS[0], len(heading) + 2), _WIDTHS[1])
        sheet.column_dimensions[get_column_letter(rank)].width = width
    for line, row in enumerate(rows, start=2):
        _put(sheet, line, row)
    sheet.freeze_panes = "B2"


def _put(sheet: Worksheet, line: int, texts: Sequence[str], *, heading: bool = False) -> None:
    """Write a row of texts, never taken for formulas."""
    for rank, text in enumerate(texts, start=1):
        cell = sheet.cell(line, rank)
        cell.value = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
        cell.data_type = "s"
        if escape_formula(text) != text:
            cell.quotePrefix = True
        if heading:
            cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="E4E8EF")


def _saved(book: Workbook) -> bytes:
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()
