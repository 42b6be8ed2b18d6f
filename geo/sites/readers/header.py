"""Find the header of a table below its titles, and the column meant by a variant of its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from geo.errors import UnreadableFile
from geo.sites.model import Issue
from geo.sites.mojibake import repair_mojibake
from geo.sites.readers.content import Container, Content, Record, column_name, rejected, repaired
from geo.sites.text import fold

HEADER_WITHIN: Final = 30
"""Number of non-blank rows among which the header is searched."""

Rows = Iterator[tuple[int, list[str]]]
"""Rows of cells that are not blank, each with the line of the file (or row of the sheet) where it begins."""

COLUMNS_MAX: Final = 2_000
"""Number of columns above which a row is not compared with formats."""

_QUOTED = 5


def tables(
    rows: Callable[[], Rows], head: Sequence[tuple[int, list[str]]], container: Container, *, part: str = ""
) -> list[Content]:
    """Return one content for each row of `head` that may be the header, in order of the rows.

    Parameters
    ----------
    rows
        Reads the rows from the start.
    head
        The first rows, at most `HEADER_WITHIN`; or the header alone, when it is known.
    container
        Of a CSV, a row must have as many cells as the header; a sheet does not write its last
        empty cells.
    part
        Name of the sheet.
    """
    return [
        _table(rows, header, [line for line, _ in head[:index]], container, part)
        for index, header in enumerate(head)
    ]


def _table(
    rows: Callable[[], Rows],
    header: tuple[int, list[str]],
    titles: list[int],
    container: Container,
    part: str,
) -> Content:
    line, cells = header
    columns = column_names(cells)

    def records() -> Iterator[Record]:
        for number, found in rows():
            if number <= line:
                continue
            if container is Container.XLSX:
                found.extend([""] * (len(columns) - len(found)))
            yield record(number, found, columns)

    issues = (_titles_issue(line, titles),) if titles else ()
    return Content(columns, records, container, part, line, issues)


def likeliest_first(contents: list[Content]) -> list[Content]:
    """Return contents with the likeliest list first: the first half as wide as the widest, or more.

    Titles have few cells, and a row with a surplus cell is no header.
    """
    widths = [sum(map(bool, content.columns)) for content in contents]
    first = next(index for index, width in enumerate(widths) if 2 * width >= max(widths))
    return [contents[first], *contents[:first], *contents[first + 1 :]]


def column_names(cells: Sequence[str]) -> tuple[str, ...]:
    """Return header cells as column names, without trailing empty ones."""
    columns = [column_name(cell) for cell in cells]
    while columns and not columns[-1]:
        columns.pop()
    return tuple(columns)


def named_columns(cells: Sequence[str], name: str) -> tuple[str, ...]:
    """Return header cells as column names, without trailing empty ones.

    Raises
    ------
    UnreadableFile
        If there is no column name or a duplicate one.
    """
    columns = column_names(cells)
    if not columns:
        raise no_row(name)
    require_distinct(columns, name)
    return columns


def require_distinct(columns: Sequence[str], name: str) -> None:
    """Check that no two columns of the file `name` have the same name.

    Raises
    ------
    UnreadableFile
        If two have.
    """
    if twice := [column for column, times in Counter(columns).items() if column and times > 1]:
        raise UnreadableFile(
            f"Dans « {name} », plusieurs colonnes portent le même nom : {', '.join(twice[:_QUOTED])}.",
            "Renommez ou supprimez les colonnes en double.",
        )


def row_of(rows: Rows, number: int) -> list[tuple[int, list[str]]]:
    """Return the row that has a number, as a list; [] when it is blank or absent."""
    for line, cells in rows:
        if line >= number:
            return [(line, cells)] if line == number else []
    return []


def no_header(name: str, header_row: int) -> UnreadableFile:
    """Return the refusal of a file whose row of headings, as a mapping gives it, is blank or absent."""
    return UnreadableFile(
        f"La ligne {header_row} de « {name} » est vide : ce n'est pas celle des titres de colonnes.",
        "Corrigez « header_row » dans le fichier de correspondance.",
    )


def no_row(name: str) -> UnreadableFile:
    """Return the error for a table without any row."""
    return UnreadableFile(
        f"Le fichier « {name} » ne contient aucune ligne.", "Vérifiez que c'est le bon fichier."
    )


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


def adapted(content: Content, names: frozenset[str]) -> Content:
    """Return a content whose columns have the names that a format reads.

    A column is renamed when its name differs from one of `names` only by case, accents, spaces,
    punctuation or a wrong decoding, and no other column has or may have that name. The names
    adapted are reported once, by an issue of the content.
    """
    if len(content.columns) > COLUMNS_MAX:
        return content
    alike = Counter(map(column_key, names))
    known = {column_key(name): name for name in names if alike[column_key(name)] == 1}
    present = set(content.columns)
    candidates = [
        (column, name)
        for column in content.columns
        if column not in names and (name := known.get(column_key(column))) and name not in present
    ]
    times = Counter(name for _, name in candidates)
    meant = {column: name for column, name in candidates if times[name] == 1}
    if not meant:
        return content

    def records() -> Iterator[Record]:
        for found in content.records():
            yield replace(found, fields={meant.get(key, key): cell for key, cell in found.fields.items()})

    pairs = ", ".join(f"« {column[:40]} » comme « {name} »" for column, name in meant.items())
    issue = repaired(
        content.line,
        "",
        ", ".join(meant),
        "entetes_adaptes",
        f"Des colonnes sont lues sous le nom du format : {pairs}.",
        "Rien à faire, si ce sont bien ces colonnes.",
    )
    return replace(
        content,
        columns=tuple(meant.get(column, column) for column in content.columns),
        records=records,
        issues=(*content.issues, issue),
    )


def column_key(column: str) -> str:
    """Return what two spellings of a column name have in common: its letters and digits, unaccented."""
    return "".join(sign for sign in fold(repair_mojibake(column)[0]) if sign.isalnum())


def _titles_issue(line: int, titles: list[int]) -> Issue:
    several = len(titles) > 1
    skipped = ", ".join(map(str, titles))
    return repaired(
        line,
        "",
        "",
        "entete_trouve",
        f"L'en-tête est à la ligne {line} ; "
        + (f"les lignes {skipped} sont des titres." if several else f"la ligne {skipped} est un titre."),
        "Vérifiez que ces lignes n'étaient pas des lieux."
        if several
        else "Vérifiez que ce n'était pas un lieu.",
    )
