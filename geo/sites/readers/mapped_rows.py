"""Read the records of a spreadsheet with a mapping: columns found by name, cells translated to fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from geo.crs import in_degrees
from geo.errors import UnreadableFile
from geo.sites import standard
from geo.sites.closed_lists import parse_labels
from geo.sites.model import Issue, RawRow
from geo.sites.readers.column_mapping import FACTS, SEVERAL, AddressColumns, ColumnMapping, FieldColumns
from geo.sites.readers.content import Content, Format, Record, column_name, repaired
from geo.sites.readers.day_columns import join_days
from geo.sites.readers.vocabularies import YES_NO, key, translated
from geo.sites.text import fold

_COORDINATES = ("latitude", "longitude")
_NOT_LETTERS: Final = re.compile(r"[^a-z0-9]+")
_SHOWN_MAX: Final = 60
"""Columns named in the refusal of a file."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """A mapping, and the columns of one file by the name that the mapping gives them."""

    mapping: ColumnMapping
    column_by_name: Mapping[str, str]

    def cells(self, record: Record, names: Iterable[str]) -> list[str]:
        return [record.fields.get(self.column_by_name[name], "").strip() for name in names]

    def text(self, record: Record, names: Iterable[str]) -> str:
        return " ".join(filter(None, self.cells(record, names)))


def match_mapping(contents: list[Content], mapping: ColumnMapping, name: str) -> tuple[Content, Format]:
    """Return the first content that has all mapped columns, and the format that the mapping defines.

    Columns are compared without case, accents, spaces and punctuation where no column has the very name.

    Raises
    ------
    UnreadableFile
        If no content has them; the message lists the missing and the present columns.
    """
    wanted = mapping.columns()
    for content in contents:
        found = {column: find_column(column, content.columns) for column in wanted}
        if all(found.values()):
            reading = _Reading(mapping, {column: actual for column, actual in found.items() if actual})
            return content, Format(
                "tableur",
                "Tableur avec fichier de correspondance",
                mapping.dataset,
                frozenset(),
                partial(_translate, reading),
            )
    columns = contents[0].columns
    missing = ", ".join(f"« {column} »" for column in wanted if not find_column(column, columns))
    present = ", ".join(f"« {column[:60]} »" for column in columns[:_SHOWN_MAX] if column)
    raise UnreadableFile(
        f"Colonnes absentes de « {name} » : {missing}.",
        f"Corrigez le fichier de correspondance ; les colonnes du fichier sont {present}.",
    )


def find_column(name: str, columns: Iterable[str]) -> str | None:
    """Return the column of a file that a mapping names, or None when there is none or several."""
    exact, alike = column_name(name), _letters(name)
    columns = tuple(columns)
    if exact in columns:
        return exact
    near = [column for column in columns if alike and _letters(column) == alike]
    return near[0] if len(near) == 1 else None


def _letters(name: str) -> str:
    return _NOT_LETTERS.sub("", fold(name))


def _translate(reading: _Reading, record: Record) -> RawRow:
    mapping = reading.mapping
    values = dict(mapping.constants)
    issues: list[Issue] = []
    if mapping.address:
        values |= _address(record, mapping.address, reading)
    if mapping.hours:
        values["horaires"] = join_days(
            {day: reading.cells(record, columns) for day, columns in mapping.hours if columns}
        )
    for field, source in mapping.fields.items():
        text = reading.text(record, source.column)
        values[field] = _value(field, text, source, mapping, record.line, issues)
    if mapping.crs is not None:
        _to_degrees(values, mapping.crs)
    return RawRow(record.line, values, (*record.issues, *issues))


def _address(record: Record, columns: AddressColumns, reading: _Reading) -> dict[str, str]:
    """Return the address of its parts; a part that the next repeats is written once."""
    street = reading.text(record, columns.voie)
    for names in (columns.type_voie, columns.numero):
        part = reading.text(record, names)
        if part and not f"{fold(street)} ".startswith(f"{fold(part)} "):
            street = f"{part} {street}".strip()
    values = {"adresse": street}
    if columns.complement:
        values["complement_adresse"] = reading.text(record, columns.complement)
    return values


def _value(
    field: str, text: str, source: FieldColumns, mapping: ColumnMapping, line: int, issues: list[Issue]
) -> str:
    if field in _COORDINATES:
        return text.replace(",", ".") if mapping.decimal_comma else text
    if field == "date_maj" and mapping.date_format:
        try:
            return datetime.strptime(text, mapping.date_format).date().isoformat()  # noqa: DTZ007 (a day)
        except ValueError:
            return text
    if field not in SEVERAL:
        return _word(field, text, source, line, issues)
    separator = source.separator or mapping.value_separator
    tokens = [token.strip() for token in text.split(separator)]
    found = (_word(field, token, source, line, issues) for token in tokens if token)
    return standard.SEPARATOR.join(dict.fromkeys(filter(None, found)))


def _word(field: str, text: str, source: FieldColumns, line: int, issues: list[Issue]) -> str:
    """Translate a word: by the mapping, the closed list, the vocabulary, then the default; else unchanged."""
    if not text:
        return ""
    for theirs, ours in source.values.items():
        if fold(theirs) == fold(text) or (key(text) and key(theirs) == key(text)):
            return ours
    if _in_closed_list(field, text):
        return text
    # A default is for words that mean nothing here: yes and no do, in a field that is true or false.
    vocabulary = source.vocabulary or (YES_NO if field in FACTS and source.default is not None else None)
    if vocabulary and (found := translated(vocabulary, text)) is not None:
        return found
    if source.default is None:
        return text
    given = f"rendu par « {source.default} »" if source.default else "laissé de côté"
    issues.append(
        repaired(
            line,
            field,
            text,
            "mot_hors_vocabulaire",
            f"Ce mot n'est pas dans le vocabulaire de la correspondance : {given}, sa valeur par défaut.",
            "Ajoutez-le aux « values » du champ s'il veut dire autre chose.",
        )
    )
    return source.default


def _in_closed_list(field: str, text: str) -> bool:
    if field in FACTS:
        return text in ("true", "false")
    return field in standard.ENUMERATIONS and not any(
        found.code == "valeur_inconnue" for found in parse_labels(field, text)[1]
    )


def _to_degrees(values: dict[str, str], crs: int) -> None:
    """Convert the coordinates of a row; those that are no point of the system are left for validation."""
    try:
        easting, northing = (_number(values.get(name, "")) for name in ("longitude", "latitude"))
    except ValueError:
        return
    if point := in_degrees(easting, northing, crs):
        values["longitude"], values["latitude"] = (f"{degrees:.7f}" for degrees in point)


def _number(text: str) -> float:
    return float("".join(text.split()).replace(",", "."))
