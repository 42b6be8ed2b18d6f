"""Tables of figures as published: CSV or XLSX, possibly with titles above the header, or Parquet.

Sizes, encodings and cells are handled by the readers of sites; here the header is searched for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from math import inf, isfinite
from pathlib import Path

from geo.errors import UnreadableFile
from geo.people.parquet import ParquetTable, is_parquet, open_parquet
from geo.sites.readers import delimited, workbook
from geo.sites.readers.content import column_name
from geo.sites.readers.encoding import ZIP, inspect_file
from geo.sites.readers.header import HEADER_WITHIN, Rows, named_columns
from geo.sites.text import fold

_SHOWN = 40
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<=\d)\s(?=\d{3}(?!\d))")


@dataclass(frozen=True, slots=True)
class SourceTable:
    """An open table: its columns, and what reads the rows below the header.

    `parquet` is the file, if it is one.
    """

    name: str
    sha256: str
    columns: tuple[str, ...]
    read: Callable[[Collection[str] | None], Rows] = field(repr=False)
    parquet: ParquetTable | None = None

    def rows(self, only: Collection[str] | None = None) -> Rows:
        """Read the rows. Blank ones are skipped; cells are text, as many as the row has.

        Parameters
        ----------
        only
            Columns wanted; cells of others may be "". None: all.
        """
        return self.read(only)

    def column(self, name: str, option: str) -> str:
        """Return the column of a name typed by a user, ignoring case, accents and spaces.

        Raises
        ------
        UnreadableFile
            If no column, or more than one, has that name.
        """
        if name in self.columns:
            return name
        alike = [column for column in self.columns if column and fold(column) == fold(column_name(name))]
        if len(alike) != 1:
            raise UnreadableFile(
                f"« {self.name} » n'a pas de colonne « {name} ». Ses colonnes sont {quoted(self.columns)}.",
                f"Donnez le nom exact de l'une d'elles ({option}).",
            )
        return alike[0]


def open_table(path: Path, *, max_bytes: int, announced: Callable[[Sequence[str]], bool]) -> SourceTable:
    """Open a CSV (`,` `;` or tab; UTF-8, UTF-16 or Windows-1252), a sheet of an XLSX workbook, or a Parquet.

    Their first bytes say which.

    Parameters
    ----------
    max_bytes
        Largest size accepted; a larger file is not read.
    announced
        Returns whether a row is the header, from the names it must contain. Of the possible
        separators or sheets, the one with the widest such row is used. If no row is a header, the
        first of the widest rows is used, and the caller reports the missing columns.

    Raises
    ------
    UnreadableFile
        If the file cannot be read, or two columns have the same name.
    """
    if is_parquet(path):
        parquet = open_parquet(path, max_bytes=max_bytes)
        return SourceTable(path.name, parquet.sha256, parquet.columns, parquet.cells, parquet)
    inspection = inspect_file(path, max_bytes=max_bytes)
    ways: list[Callable[[], Rows]]
    if inspection.encoding == ZIP:
        workbook.check_size(path)
        ways = [partial(workbook.rows, path, sheet.title) for sheet in workbook.sheets(path)]
    else:
        ways = [
            partial(delimited.rows, path, inspection.encoding, separator)
            for separator in delimited.SEPARATORS
        ]
    best: tuple[bool, int, int, int] | None = None
    trouble: UnreadableFile | None = None
    for way, rows in enumerate(ways):
        try:
            head = [[column_name(cell) for cell in cells] for _, cells in islice(rows(), HEADER_WITHIN)]
        except UnreadableFile as problem:  # a wrong separator may stumble on quotes
            trouble = trouble or problem
            continue
        for index, names in enumerate(head):
            rank = (announced(names), sum(1 for name in names if name), -index, -way)
            best = max(best, rank) if best else rank
    if best is None:
        raise trouble or UnreadableFile(
            f"Le fichier « {path.name} » ne contient aucune ligne.", "Vérifiez que c'est le bon fichier."
        )
    index, chosen = -best[2], ways[-best[3]]
    _, header = next(islice(chosen(), index, None))
    columns = named_columns(header, path.name)
    padded = inspection.encoding == ZIP

    def below(_only: Collection[str] | None) -> Rows:
        for line, cells in islice(chosen(), index + 1, None):
            if padded:  # a sheet does not write its last empty cells
                cells.extend([""] * (len(columns) - len(cells)))
            yield line, cells

    return SourceTable(path.name, inspection.sha256, columns, below)


def quoted(columns: Sequence[str]) -> str:
    """Return column names as shown in messages."""
    shown = ", ".join(f"« {column[:60]} »" for column in columns[:_SHOWN] if column)
    return shown + ("…" if len(columns) > _SHOWN else "")


def number(text: str) -> float | None:
    """Parse a number written in French: decimal comma, spaces between thousands; None if it is not one."""
    joined = _THOUSANDS.sub("", text.strip())
    if "." not in joined:
        joined = joined.replace(",", ".")
    value = float(joined) if _NUMBER.fullmatch(joined) else inf
    return value if isfinite(value) else None
