"""Read a spreadsheet of no known format with a TOML file that maps its columns to fields.

The mapping file is documented in docs/formats.md.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from geo.errors import UnreadableFile
from geo.sites import standard
from geo.sites.model import LOCAL_FIELDS, LOCAL_PREFIX, RawRow
from geo.sites.readers.content import Content, Format, Record, column_name
from geo.sites.text import fold

FIELDS = (*standard.FIELDS, *(f"{LOCAL_PREFIX}{name}" for name in LOCAL_FIELDS))
"""Fields to which a column can be mapped."""

_MAX_BYTES = 1_000_000
_COORDINATES = ("latitude", "longitude")


class ColumnMapping(BaseModel):
    """A mapping file: TOML tables `columns`, `constants` and `values`, and the notation of cells."""

    model_config = ConfigDict(extra="forbid", strict=True)

    columns: dict[str, str | list[str]]
    constants: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    dataset: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")] = "tableur"
    date_format: str | None = None
    decimal_comma: bool = False
    value_separator: str = Field(default=standard.SEPARATOR, min_length=1)


def read_mapping(path: Path) -> ColumnMapping:
    """Read a mapping file.

    Raises
    ------
    UnreadableFile
        If it is not TOML, or has unknown fields or options.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _faulty(path, "il est trop gros")
        mapping = ColumnMapping.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as problem:
        raise _faulty(path, problem.strerror or str(problem)) from problem
    except ValidationError as problem:
        fault = problem.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise _faulty(path, f"« {where} » : {_FAULTS.get(fault['type'], fault['msg'])}") from problem
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as problem:
        raise _faulty(path, f"ce n'est pas du TOML valable ({problem})") from problem
    for field in (*mapping.columns, *mapping.constants, *mapping.values):
        if field not in FIELDS:
            raise _faulty(path, f"« {field} » n'est pas un champ ; les champs sont {', '.join(FIELDS)}")
    if not {"id", "nom"} <= mapping.columns.keys():
        raise UnreadableFile(
            f"Le fichier de correspondance « {path.name} » ne dit pas d'où viennent « id » et « nom ».",
            'Sans colonne d\'identifiant, composez-en un : id = ["Nom du lieu", "Commune"].',
        )
    return mapping


def match_mapping(contents: list[Content], mapping: ColumnMapping, name: str) -> tuple[Content, Format]:
    """Return the first content that has all mapped columns, and the format that the mapping defines.

    Raises
    ------
    UnreadableFile
        If no content has them; the message lists the missing and the present columns.
    """
    wanted = dict.fromkeys(c for columns in mapping.columns.values() for c in _several(columns))
    for content in contents:
        if wanted.keys() <= set(content.columns):
            return content, Format(
                "tableur",
                "Tableur avec fichier de correspondance",
                mapping.dataset,
                lambda _: True,
                lambda record: _translate(record, mapping),
            )
    first = contents[0]
    missing = ", ".join(f"« {column} »" for column in wanted if column not in first.columns)
    present = ", ".join(f"« {column[:60]} »" for column in first.columns[:60] if column)
    raise UnreadableFile(
        f"Colonnes absentes de « {name} » : {missing}.",
        f"Corrigez le fichier de correspondance ; les colonnes du fichier sont {present}.",
    )


def _translate(record: Record, mapping: ColumnMapping) -> RawRow:
    values = dict(mapping.constants)
    for field, columns in mapping.columns.items():
        cells = [record.fields.get(column, "").strip() for column in _several(columns)]
        values[field] = _cell(field, " ".join(cell for cell in cells if cell), mapping)
    return RawRow(record.line, values, record.issues)


def _cell(field: str, text: str, mapping: ColumnMapping) -> str:
    if field in _COORDINATES and mapping.decimal_comma:
        return text.replace(",", ".")
    if field == "date_maj" and mapping.date_format:
        try:
            return datetime.strptime(text, mapping.date_format).date().isoformat()  # noqa: DTZ007 (a day)
        except ValueError:
            return text
    words = mapping.values.get(field, {})
    if field in standard.MULTIVALUED:
        tokens = [token.strip() for token in text.split(mapping.value_separator)]
        return standard.SEPARATOR.join(_word(token, words) for token in tokens if token)
    return _word(text, words)


def _word(text: str, words: Mapping[str, str]) -> str:
    """Translate a value with the mapping, ignoring case and accents; others are unchanged."""
    return next((ours for theirs, ours in words.items() if fold(theirs) == fold(text)), text)


def _several(columns: str | list[str]) -> list[str]:
    return [column_name(column) for column in ([columns] if isinstance(columns, str) else columns)]


_FAULTS = {
    "extra_forbidden": "cette option n'existe pas",
    "missing": "cette table manque",
    "string_type": "un texte entre guillemets est attendu",
    "bool_type": "true ou false est attendu",
    "string_pattern_mismatch": "employez des minuscules, des chiffres et des tirets",
}


def _faulty(path: Path, why: str) -> UnreadableFile:
    return UnreadableFile(
        f"Le fichier de correspondance « {path.name} » ne peut pas être employé : {why}.",
        "Voyez l'exemple de docs/formats.md.",
    )
