"""Read delimited text (CSV): detect the separator, stream records, reject malformed rows."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

from geo.errors import UnreadableFile
from geo.sites.readers.content import Container, Content, repaired
from geo.sites.readers.encoding import lines, open_text
from geo.sites.readers.header import HEADER_WITHIN, Rows, likeliest_first, no_header, no_row, row_of, tables

SEPARATORS = (",", ";", "\t")
_DECLARED = re.compile(r"\s*\"?sep=(?P<separator>[^\w\s\"]|\t)\"?[,;\s]*", re.IGNORECASE)
"""The line by which spreadsheets declare the separator: « sep=; »."""


def contents(path: Path, encoding: str, *, header_row: int | None = None) -> list[Content]:
    """Open delimited text: one content for each of its first rows that may be the header.

    The first content is the most likely one; a header whose line is given is that of every content.
    The separator is the one declared by a first line « sep=; », else the one that gives the most
    columns. Records are streamed, each with the physical line where it begins.

    Raises
    ------
    UnreadableFile
        If there is no row, or no header where it is given; while records are read, if quotes are
        unclosed or misplaced, or a cell is too long.
    """
    if declared := declared_separator(path, encoding):
        return _below_declaration(path, encoding, declared, header_row)
    heads = {
        separator: _head(rows(path, encoding, separator, strict=False), header_row)
        for separator in SEPARATORS
    }
    if not any(head for head, _ in heads.values()):
        trouble = next((trouble for _, trouble in heads.values() if trouble), None)
        raise trouble or _no_row(path.name, header_row)
    widest = {separator: max(map(_width, head), default=0) for separator, (head, _) in heads.items()}
    found = [
        content
        for separator in sorted(SEPARATORS, key=lambda each: -widest[each])
        for content in tables(partial(rows, path, encoding, separator), heads[separator][0], Container.CSV)
    ]
    return likeliest_first(found)


def declared_separator(path: Path, encoding: str) -> str:
    """Return the separator declared by a first line « sep=; », or "" when there is none."""
    with open_text(path, encoding) as stream:
        match = _DECLARED.fullmatch(stream.readline(100).rstrip("\r\n"))
    return match["separator"] if match else ""


def _below_declaration(path: Path, encoding: str, separator: str, header_row: int | None) -> list[Content]:
    """Open the text below the line that declares the separator."""

    def below() -> Rows:
        return islice(rows(path, encoding, separator), 1, None)

    head, trouble = _head(islice(rows(path, encoding, separator, strict=False), 1, None), header_row)
    if not head:
        raise trouble or _no_row(path.name, header_row)
    issue = repaired(
        1,
        "",
        f"sep={separator}",
        "separateur_annonce",
        "La première ligne annonce le séparateur des colonnes ; ce n'est pas un lieu.",
        "Rien à faire.",
    )
    found = tables(below, head, Container.CSV)
    return likeliest_first([replace(content, issues=(issue, *content.issues)) for content in found])


def _head(rows: Rows, header_row: int | None) -> tuple[list[tuple[int, list[str]]], UnreadableFile | None]:
    """Return the first rows, or the given one, and what stopped the reading before there were enough.

    A wrong separator may make the quotes invalid.
    """
    found: list[tuple[int, list[str]]] = []
    try:
        if header_row is not None:
            return row_of(rows, header_row), None
        for row in islice(rows, HEADER_WITHIN):
            found.append(row)  # noqa: PERF402 (rows found before the fault are returned)
    except UnreadableFile as problem:
        return found, problem
    return found, None


def _no_row(name: str, header_row: int | None) -> UnreadableFile:
    return no_row(name) if header_row is None else no_header(name, header_row)


def _width(row: tuple[int, list[str]]) -> int:
    return sum(1 for cell in row[1] if cell.strip())


def rows(path: Path, encoding: str, separator: str, *, strict: bool = True) -> Rows:
    """Yield rows that are not blank, each with the physical line where it begins.

    Raises
    ------
    UnreadableFile
        If quotes are unclosed or (if `strict`) misplaced, or a cell is too long.
    """
    with open_text(path, encoding) as stream:
        reader = csv.reader(lines(stream, path.name), delimiter=separator, strict=strict)
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
