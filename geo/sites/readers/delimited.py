"""Read delimited text (CSV): detect the separator, stream records, reject malformed rows."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from geo.errors import UnreadableFile
from geo.sites.readers.content import Container, Content, Record, column_name, rejected
from geo.sites.readers.encoding import lines, open_text

SEPARATORS = (",", ";", "\t")


def content(path: Path, encoding: str, *, header_row: int | None = None) -> Content:
    """Open delimited text whose first record that is not blank is the header, unless its line is given.

    The separator is the one that gives the most columns. Records are streamed, each with the
    physical line where it begins.

    Raises
    ------
    UnreadableFile
        If there is no header there or a duplicate column name; while records are read, if quotes are
        unclosed or misplaced, or a cell is too long.
    """
    headers = {separator: _header(path, encoding, separator, header_row) for separator in SEPARATORS}
    separator = max(SEPARATORS, key=lambda s: len(headers[s][1]))
    line, cells = headers[separator]
    if header_row is not None and not cells:
        raise no_header(path.name, header_row)
    columns = named_columns(cells, path.name)
    return Content(columns, lambda: _records(path, encoding, separator, columns, line), Container.CSV)


def header_of(found: Iterable[tuple[int, list[str]]], header_row: int | None) -> tuple[int, list[str]] | None:
    """Return the first row, or the row of a given number; None when that is blank or absent."""
    for number, cells in found:
        if header_row is None or number == header_row:
            return number, cells
        if number > header_row:
            break
    return None


def no_header(name: str, header_row: int) -> UnreadableFile:
    """Return the refusal of a file whose row of headings, as a mapping gives it, is blank or absent."""
    return UnreadableFile(
        f"La ligne {header_row} de « {name} » est vide : ce n'est pas celle des titres de colonnes.",
        "Corrigez « header_row » dans le fichier de correspondance.",
    )


def named_columns(cells: list[str], name: str) -> tuple[str, ...]:
    """Return header cells as column names, without trailing empty ones.

    Raises
    ------
    UnreadableFile
        If there is no column name or a duplicate one.
    """
    columns = [column_name(cell) for cell in cells]
    while columns and not columns[-1]:
        columns.pop()
    if not columns:
        raise UnreadableFile(
            f"Le fichier « {name} » ne contient aucune ligne.", "Vérifiez que c'est le bon fichier."
        )
    if twice := [column for column, times in Counter(columns).items() if column and times > 1]:
        raise UnreadableFile(
            f"Dans « {name} », plusieurs colonnes portent le même nom : {', '.join(twice[:5])}.",
            "Renommez ou supprimez les colonnes en double.",
        )
    return tuple(columns)


def record(line: int, cells: list[str], columns: tuple[str, ...]) -> Record:
    """Return a row of cells as a record, which is rejected when its number of cells is wrong."""
    if not any(cell.strip() for cell in cells[len(columns) :]):
        cells = cells[: len(columns)]
    fields = {column: cell for column, cell in zip(columns, cells, strict=False) if column}
    if len(cells) != len(columns):
        return Record(
            line,
            fields,
            (
                rejected(
                    line,
                    str(len(cells)),
                    "colonnes",
                    f"La ligne a {len(cells)} cellules ; l'en-tête annonce {len(columns)} colonnes.",
                    "Vérifiez les séparateurs et les guillemets de cette ligne.",
                ),
            ),
        )
    return Record(line, fields)


def _header(path: Path, encoding: str, separator: str, header_row: int | None) -> tuple[int, list[str]]:
    """Return the header and its line; no cells when this separator makes quotes invalid."""
    with open_text(path, encoding) as stream:
        reader = csv.reader(lines(stream, path.name), delimiter=separator)
        try:
            return header_of(_numbered(reader), header_row) or (0, [])
        except csv.Error:
            return 0, []


def _numbered(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV reader that are not blank, each with the line where it begins."""
    begins = 1
    for cells in reader:
        if any(map(str.strip, cells)):
            yield begins, cells
        begins = reader.line_num + 1


def _records(
    path: Path, encoding: str, separator: str, columns: tuple[str, ...], header_line: int
) -> Iterator[Record]:
    for line, cells in rows(path, encoding, separator):
        if line > header_line:
            yield record(line, cells, columns)


def rows(path: Path, encoding: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield rows that are not blank, each with the physical line where it begins."""
    with open_text(path, encoding) as stream:
        reader = csv.reader(lines(stream, path.name), delimiter=separator, strict=True)
        while True:
            begins = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as problem:
                raise _refusal(path.name, begins, problem) from problem
            if any(map(str.strip, cells)):
                yield begins, cells


def _refusal(name: str, line: int, problem: csv.Error) -> UnreadableFile:
    if "unexpected end of data" in str(problem):
        return UnreadableFile(
            f"Le fichier « {name} » est coupé : un guillemet ouvert à l'enregistrement de la ligne {line} "
            "n'est jamais refermé.",
            "Téléchargez-le à nouveau, ou refermez ce guillemet.",
        )
    if "field limit" in str(problem):
        return UnreadableFile(
            f"Dans « {name} », l'enregistrement de la ligne {line} contient une cellule de plus de "
            f"{csv.field_size_limit()} caractères.",
            "Un guillemet y est sans doute mal refermé : vérifiez cette ligne.",
        )
    return UnreadableFile(
        f"Dans « {name} », l'enregistrement de la ligne {line} a un guillemet mal placé.",
        'Doublez les guillemets qui font partie d\'un texte (""), ou reprenez depuis un tableur.',
    )
