"""Read source files: detect their format from their content and yield their records as raw rows.

The entry point is `open_source`. A container (CSV, XLSX, JSON, GeoJSON) yields columns and records;
a format, recognised by its columns, translates a record to the fields of the standard.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from geo.errors import UnreadableFile
from geo.sites.dates import has_two_readings, is_month_first, is_serial, read_date
from geo.sites.findings import Finding
from geo.sites.model import Issue, RawRow
from geo.sites.readers import (
    aidants_connect,
    data_inclusion,
    delimited,
    france_services,
    json_documents,
    standard,
    workbook,
)
from geo.sites.readers.column_mapping import ColumnMapping, read_mapping
from geo.sites.readers.content import Container, Content, Format, SourcePart, column_name, repaired
from geo.sites.readers.encoding import ZIP, first_character, inspect_file
from geo.sites.readers.header import COLUMNS_MAX, adapted, require_distinct
from geo.sites.readers.mapped_rows import match_mapping
from geo.sites.readers.mapping_draft import draft_mapping
from geo.sites.readers.near_formats import nearest
from geo.sites.readers.readable_text import with_readable_text
from geo.sites.readers.vintage import date_from_name_issue, date_in_name
from geo.wording import figures
from geo.wording.language import FRENCH

FORMATS: tuple[Format, ...] = (
    *data_inclusion.FORMATS,
    *standard.FORMATS,
    *france_services.FORMATS,
    *aidants_connect.FORMATS,
)
"""Formats that need no column mapping, in the order in which they are tried."""


_SHOWN = 10


@dataclass(frozen=True, slots=True)
class SourceList:
    """A list of records of known format: a sheet, a JSON list, or the whole of a file."""

    content: Content
    format: Format


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A source file of known format.

    `format` is a short stable name, `label` its French name, `dataset` the default dataset of its
    records, `encoding` the encoding of the text, and `issues` what was found about the file as a
    whole: the sheets read and left, the row of the header, names of columns.
    """

    path: Path
    format: str
    label: str
    dataset: str
    sha256: str
    encoding: str
    vintage: date | None
    """Date of the list given by the caller, for records without date; None when not given."""
    issues: tuple[Issue, ...] = ()
    _lists: tuple[SourceList, ...] = field(default=(), repr=False, compare=False)

    def rows(self) -> Iterator[RawRow]:
        """Yield the records from the start, in file order, one list after another.

        Raises
        ------
        UnreadableFile
            If the file is truncated or malformed at a later record.
        """
        mixed: bool | None = None
        for row in self._translated():
            if has_two_readings(row.values.get("date_maj", "")):
                if mixed is None:
                    mixed = any(
                        is_month_first(each.values.get("date_maj", "")) for each in self._translated()
                    )
                if mixed:
                    yield replace(row, issues=(*row.issues, _two_readings_issue(row)))
                    continue
            yield row

    def _translated(self) -> Iterator[RawRow]:
        named = None if self.vintage else date_in_name(self.path.name)
        day = self.vintage or named
        must_report_date = named is not None
        for part in self._lists:
            sheet = part.content.part if len(self._lists) > 1 else ""
            for record in part.content.records():
                if record.broken:
                    yield RawRow(record.line, record.fields, record.issues, sheet)
                    continue
                row = part.format.translate(with_readable_text(record))
                if record.point and not (row.values.get("longitude") or row.values.get("latitude")):
                    row.values["longitude"], row.values["latitude"] = record.point
                if sheet:
                    row = replace(row, sheet=sheet)
                if part.content.from_1904:
                    row = _counted_from_1904(row)
                if day and "date_maj" not in row.values:
                    row.values["date_maj"] = day.isoformat()
                    if must_report_date:
                        row = replace(row, issues=(*row.issues, date_from_name_issue(row.line, day)))
                        must_report_date = False
                yield row


def open_source(
    path: Path,
    *,
    mapping: Path | None = None,
    max_bytes: int,
    vintage: date | None = None,
    lenient: bool = False,
) -> SourceFile:
    """Open a source file and detect its format from its content, never from its name.

    Parameters
    ----------
    path
        The file: CSV (`,` `;` or tab; UTF-8, UTF-16 or Windows-1252), XLSX, JSON or GeoJSON.
    mapping
        TOML file that maps columns to fields, for spreadsheets of no known format.
    max_bytes
        Largest accepted size in bytes; a larger file is refused without being read.
    vintage
        Date of the list, for formats whose records have no date.
    lenient
        Read a file that lacks some columns of its format: their values are unknown.

    Raises
    ------
    UnreadableFile
        If the file cannot be read or its format is unknown; if it nearly has a format, the message
        names the columns it lacks.
    """
    columns = read_mapping(mapping) if mapping else None
    inspection = inspect_file(path, max_bytes=max_bytes)
    contents = _contents(path, inspection.encoding, columns)
    lists = _mapped(contents, columns, path.name) if columns else _recognised(contents)
    if not lists:
        lists = [_nearly_recognised(path, contents, lenient=lenient)]
    known = lists[0].format
    same = tuple(each for each in lists if each.format.dataset == known.dataset)
    for each in same:
        require_distinct(each.content.columns, path.name)
    return SourceFile(
        path=path,
        format=known.name,
        label=known.label,
        dataset=known.dataset,
        sha256=inspection.sha256,
        encoding="utf-8" if inspection.encoding == ZIP else inspection.encoding,
        vintage=vintage,
        issues=(
            *_lists_issues(path, contents, lists, same, asked=bool(columns and columns.sheet)),
            *(issue for each in same for issue in each.content.issues),
        ),
        _lists=same,
    )


def suggest_mapping(path: Path, *, max_bytes: int) -> str:
    """Return a draft of a mapping file for a spreadsheet, as TOML with comments, to be reviewed.

    Raises
    ------
    UnreadableFile
        If the file cannot be read.
    """
    inspection = inspect_file(path, max_bytes=max_bytes)
    contents = _contents(path, inspection.encoding, None)
    known = next(iter(_recognised(contents)), None)
    # The likeliest header of each sheet comes first; the widest table is the likeliest list.
    first_of_part = {each.part: each for each in reversed(contents)}
    widest = max(reversed(first_of_part.values()), key=lambda each: sum(map(bool, each.columns)))
    content = known.content if known else widest
    several = len({each.part for each in contents}) > 1
    return draft_mapping(
        content,
        path.name,
        recognised=known.format.label if known else "",
        sheet=content.part if several and content.container is Container.XLSX else "",
    )


def _contents(path: Path, encoding: str, mapping: ColumnMapping | None) -> list[Content]:
    """Return the lists that a file may hold: its sheets or JSON lists, for each row that may be a header."""
    sheet, header_row = (mapping.sheet, mapping.header_row) if mapping else (None, None)
    if encoding == ZIP:
        return workbook.contents(path, sheet=sheet, header_row=header_row)
    if sheet is not None:
        raise _not_for(path.name, "sheet", "n'est pas un classeur")
    if first_character(path, encoding) not in ("[", "{"):
        return delimited.contents(path, encoding, header_row=header_row)
    if header_row is not None:
        raise _not_for(path.name, "header_row", "n'est pas un tableau")
    return json_documents.contents(path, encoding)


def _not_for(name: str, option: str, why: str) -> UnreadableFile:
    return UnreadableFile(
        f"Le fichier de correspondance donne « {option} », mais « {name} » {why}.",
        f"Retirez « {option} » du fichier de correspondance.",
    )


def _mapped(contents: Sequence[Content], mapping: ColumnMapping, name: str) -> list[SourceList]:
    """Return the lists that have the columns of a mapping: of each part of a file, the first content.

    Raises
    ------
    UnreadableFile
        If none has them.
    """
    wanted = frozenset(map(column_name, mapping.columns()))
    renamed = [adapted(content, wanted) for content in contents]
    found = [SourceList(*match_mapping(renamed, mapping, name))]
    for part in dict.fromkeys(content.part for content in renamed):
        if part != found[0].content.part:
            with suppress(UnreadableFile):
                of_part = [content for content in renamed if content.part == part]
                found.append(SourceList(*match_mapping(of_part, mapping, name)))
    return found


def _recognised(contents: Sequence[Content]) -> list[SourceList]:
    """Return the lists of known format: of each part of a file, the first content that one recognises."""
    found: dict[str, SourceList] = {}
    for content in contents:
        if content.part in found or len(content.columns) > COLUMNS_MAX:
            continue
        for known in FORMATS:
            renamed = adapted(content, known.columns)
            if known.recognises(renamed):
                found[content.part] = SourceList(renamed, known)
                break
    return list(found.values())


def _nearly_recognised(path: Path, contents: Sequence[Content], *, lenient: bool) -> SourceList:
    """Return the list that lacks some columns of a format, if that is allowed; otherwise refuse the file."""
    near = nearest(contents, FORMATS)
    if near is None:
        raise _unknown(path, contents)
    if not (lenient and near.can_be_read):
        raise near.refusal(path.name)
    return SourceList(near.lenient(), near.format)


def _lists_issues(
    path: Path,
    contents: Sequence[Content],
    lists: Sequence[SourceList],
    read: Sequence[SourceList],
    *,
    asked: bool,
) -> Iterator[Issue]:
    """Yield the issue that names the sheets or JSON lists read and left, where a file has several.

    `asked` says that a mapping names the sheet to read.
    """
    is_workbook = contents[0].container is Container.XLSX
    parts = (
        workbook.sheets(path)
        if is_workbook
        else [SourcePart(name) for name in dict.fromkeys(c.part for c in contents)]
    )
    if len(parts) < 2 or not (is_workbook or len(read) > 1):
        return
    names = {each.content.part for each in read}
    other_format = {each.content.part for each in lists} - names
    left = [
        f"« {part.title} » ({'non demandée' if asked else _why_left(part, part.title in other_format)})"
        for part in parts
        if part.title not in names
    ]
    shown = figures.listed([f"« {each.content.part} »" for each in read])
    word = "feuille" if is_workbook else "liste"
    several = len(names) > 1
    reason = f"Les {word}s {shown} sont lues" if several else f"La {word} {shown} est lue"
    if left:
        reason += f", et non {', '.join(left[:_SHOWN])}{'…' if len(left) > _SHOWN else ''}"
    yield repaired(
        read[0].content.line, "", "", f"{word}s_lues", f"{reason}.", "Vérifiez que ce sont les bonnes."
    )


def _why_left(part: SourcePart, other_format: bool) -> str:
    if not part.visible:
        return "masquée"
    return "d'un autre format" if other_format else "pas une liste de lieux connue"


def _two_readings_issue(row: RawRow) -> Issue:
    cell = row.values["date_maj"]
    why = "d'autres dates du fichier ont le mois avant le jour ; celle-ci est lue le jour d'abord"
    return Finding("date_ambigue", "date_maj", cell, why).to_issue(row.line)


def _counted_from_1904(row: RawRow) -> RawRow:
    cell = row.values.get("date_maj", "")
    if not is_serial(cell):
        return row
    day = read_date(cell, from_1904=True)
    row.values["date_maj"] = day.isoformat() if day else cell
    return replace(row, issues=(*row.issues, Finding("date_normalisee", "date_maj", cell).to_issue(row.line)))


def _unknown(path: Path, contents: Sequence[Content]) -> UnreadableFile:
    columns = [column for column in contents[0].columns if column]
    shown = ", ".join(f"« {column[:40]} »" for column in columns[:12])
    more = len(columns) - 12
    others = FRENCH.ngettext("et %(num)s autre", "et %(num)s autres", more)
    rest = f" {others}" if more > 0 else ""
    hidden = (
        [sheet.title for sheet in workbook.sheets(path) if not sheet.visible]
        if contents[0].container is Container.XLSX
        else []
    )
    return UnreadableFile(
        f"Le format de « {path.name} » n'est pas reconnu. "
        + (f"Ses colonnes sont {shown}{rest}." if columns else "Il est sans lieu.")
        + (f" Ses feuilles masquées ne sont pas lues : {workbook.quoted(hidden)}." if hidden else ""),
        "Si c'est une liste de lieux, décrivez ses colonnes dans un fichier de correspondance : "
        "portee import --suggest-mapping en propose un (voir docs/formats.md).",
    )
