"""Parquet and GeoParquet files as tables of text cells, read a few thousand rows at a time.

pyarrow is loaded when a Parquet file is opened: nothing else needs it, and it is an optional dependency.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import isnan
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from geo.errors import OperatorError, UnreadableFile
from geo.territory.files import sha256_of
from geo.wording import figures

MAGIC: Final = b"PAR1"
"""First bytes of a Parquet file, and last ones."""

ENCRYPTED: Final = b"PARE"
"""First bytes of one whose footer is encrypted."""

MAX_ROWS: Final = 50_000_000
"""Most rows read: ten times the inhabited cells of Europe. A few bytes may announce billions."""

_BATCH = 8_192
_WHOLE = 1e15
"""Largest float written as a whole number: beyond, digits are not exact."""


def is_parquet(path: Path) -> bool:
    """Return whether a file begins as a Parquet file does, whatever its name."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(MAGIC)) in {MAGIC, ENCRYPTED}
    except OSError:
        return False  # the reader of tables raises a better error


@dataclass(frozen=True)
class ParquetTable:
    """An open Parquet file: its columns and its GeoParquet metadata.

    Attributes
    ----------
    columns
        Names of the columns, in the order of the file.
    rows
        Number of rows that the file announces.
    geometry
        Name of the main column of geometries in well-known binary; "" if there is none.
    crs
        Reference system of the geometries, for `pyproj.CRS.from_user_input`; None if the file does not say.
    """

    path: Path
    sha256: str
    columns: tuple[str, ...]
    rows: int
    geometry: str
    crs: str | None

    def cells(self, only: Collection[str] | None = None) -> Iterator[tuple[int, list[str]]]:
        """Yield each row with its rank, from 1: texts of the columns in `only` (all if None), "" for others.

        Raises
        ------
        UnreadableFile
            If a part of the file is damaged; rows before it have been yielded.
        """
        names = [name for name in self.columns if only is None or name in only]
        places = [self.columns.index(name) for name in names]
        rank = 0
        for batch in self._batches(names):
            texts = [[_text(value) for value in column] for column in batch]
            for row in zip(*texts, strict=True):
                rank += 1
                cells = [""] * len(self.columns)
                for place, text in zip(places, row, strict=True):
                    cells[place] = text
                yield rank, cells

    def sample(self, names: Sequence[str], rows: int) -> list[list[Any]]:
        """Return the first values of some columns, as Python values."""
        for batch in self._batches(names):
            return [column[:rows] for column in batch]
        return [[] for _ in names]

    def _batches(self, names: Sequence[str]) -> Iterator[list[list[Any]]]:
        arrow = _pyarrow()
        with _readable(self.path, arrow), arrow.parquet.ParquetFile(self.path) as file:
            ranks = [self.columns.index(name) for name in names]
            for batch in file.iter_batches(batch_size=_BATCH, columns=list(names), use_threads=False):
                by_name = dict(zip(batch.schema.names, batch.columns, strict=True))
                yield [by_name[self.columns[rank]].to_pylist() for rank in ranks]


def open_parquet(path: Path, *, max_bytes: int) -> ParquetTable:
    """Open a Parquet file: read its schema and compute its checksum.

    Raises
    ------
    UnreadableFile
        If it is too large, damaged, encrypted, has no rows, too many, or two columns of the same name.
    OperatorError
        If pyarrow is not installed.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > max_bytes:
        raise UnreadableFile(
            f"Le fichier « {path.name} » est trop gros : {figures.file_size(status.st_size)}, "
            f"pour {figures.file_size(max_bytes)} au plus.",
            "Gardez-en seulement les lignes et les colonnes utiles.",
        )
    with path.open("rb") as stream:
        if stream.read(len(ENCRYPTED)) == ENCRYPTED:
            raise UnreadableFile(f"Le fichier Parquet « {path.name} » est chiffré.", "Demandez-le en clair.")
    arrow = _pyarrow()
    with _readable(path, arrow), arrow.parquet.ParquetFile(path) as file:
        columns = tuple(file.schema_arrow.names)
        rows = file.metadata.num_rows
        description = (file.schema_arrow.metadata or {}).get(b"geo", b"{}")
    if len(set(columns)) < len(columns):
        twice = sorted({name for name in columns if columns.count(name) > 1})
        raise UnreadableFile(
            f"Dans « {path.name} », plusieurs colonnes portent le même nom : {', '.join(twice[:5])}.",
            "Renommez ou supprimez les colonnes en double.",
        )
    if not columns or not 0 < rows <= MAX_ROWS:
        raise UnreadableFile(
            f"Le fichier « {path.name} » annonce {figures.count(rows)} lignes et {len(columns)} colonnes.",
            f"Vérifiez que c'est le bon fichier ; {figures.count(MAX_ROWS)} lignes au plus sont lues.",
        )
    geometry, crs = _geometry(description, columns)
    return ParquetTable(path, sha256_of(path), columns, rows, geometry, crs)


def _pyarrow() -> ModuleType:
    try:
        import pyarrow  # noqa: PLC0415 - optional, and slow to load
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError as problem:
        raise OperatorError(
            "Reading Parquet files needs pyarrow, which is not installed.",
            "Get it with `pip install 'portee[parquet]'`, or give the file as CSV.",
        ) from problem
    module: ModuleType = pyarrow
    return module


@contextmanager
def _readable(path: Path, arrow: ModuleType) -> Iterator[None]:
    """Turn the errors of pyarrow into one sentence."""
    try:
        yield
    except (arrow.ArrowException, OSError, ValueError, KeyError) as problem:
        raise UnreadableFile(
            f"Le fichier Parquet « {path.name} » est coupé ou abîmé.", "Téléchargez-le à nouveau."
        ) from problem


def _geometry(description: bytes, columns: Sequence[str]) -> tuple[str, str | None]:
    """Return the column and the reference system that GeoParquet metadata declare."""
    try:
        record = json.loads(description)
        name = record["primary_column"]
        column = record["columns"][name]
        crs = column.get("crs", "OGC:CRS84")  # the default of the specification
        if name in columns and str(column["encoding"]).upper() == "WKB":
            return name, crs if crs is None or isinstance(crs, str) else json.dumps(crs)
    except (ValueError, KeyError, TypeError, AttributeError):
        pass  # an ordinary Parquet file
    return "", None


def _text(value: Any) -> str:
    """Return a value as a CSV would write it; "" for none."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        if isnan(value):
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < _WHOLE else repr(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")  # texts that the writer did not declare as such
    return str(value)
