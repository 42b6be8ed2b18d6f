"""Read a mapping file: a TOML description of the columns of a spreadsheet of no known format.

The mapping file is documented in docs/formats.md. `geo.sites.readers.mapped_rows` reads records with it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError
from pyproj import CRS
from pyproj.exceptions import CRSError

from geo.errors import UnreadableFile
from geo.sites import standard
from geo.sites.closed_lists import parse_labels
from geo.sites.model import LIST_FIELDS, LOCAL_FIELDS, LOCAL_PREFIX
from geo.sites.readers.day_columns import DAYS
from geo.sites.readers.vocabularies import VOCABULARIES, YES_NO, vocabularies_of

FIELDS: Final = (*standard.FIELDS, *(f"{LOCAL_PREFIX}{name}" for name in LOCAL_FIELDS))
"""Fields to which a column can be mapped."""

VERSION: Final = 2
"""Version of mapping files that is written today; version 1 is read too."""

FACTS: Final = frozenset(field for field in FIELDS if YES_NO in vocabularies_of(field))
"""Fields whose value is true or false."""

SEVERAL: Final = frozenset(
    field for field in FIELDS if {field, field.removeprefix(LOCAL_PREFIX)} & {*LIST_FIELDS, "arrets"}
)
"""Fields that hold several values."""

_MAX_BYTES = 1_000_000
_SINCE_2 = ("sheet", "header_row", "crs")
_TRUE_OR_FALSE = ("true", "false")


def _as_columns(value: object) -> tuple[str, ...]:
    if isinstance(value, str) and value.strip():
        return (value,)
    if isinstance(value, list) and value and all(isinstance(name, str) and name.strip() for name in value):
        return tuple(value)
    raise PydanticCustomError("columns", "donnez le nom d'une colonne, ou une liste de noms")


def _as_sheet(value: object) -> str | int:
    if (isinstance(value, str) and value.strip()) or (type(value) is int and value >= 1):
        return value
    raise PydanticCustomError("sheet", "donnez le titre d'une feuille, ou son rang à partir de 1")


def _as_version(value: object) -> int:
    if type(value) is int and 1 <= value <= VERSION:
        return value
    raise PydanticCustomError("version", "les versions sont 1 et 2")


def _as_row(value: object) -> int:
    if type(value) is int and value >= 1:
        return value
    raise PydanticCustomError("row", "donnez le numéro de la ligne des titres, à partir de 1")


Columns = Annotated[tuple[str, ...], BeforeValidator(_as_columns)]
"""One or several columns, named as in the file."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Table = TypeVar("Table", bound=_Table)


class FieldColumns(_Table):
    """The columns of a field, joined by a space, and how their cells are read."""

    column: Columns
    separator: str | None = Field(default=None, min_length=1)
    vocabulary: str | None = None
    values: dict[str, str] = {}
    default: str | None = None


class AddressColumns(_Table):
    """Columns of the parts of an address; `complement` goes to `complement_adresse`."""

    numero: Columns = ()
    type_voie: Columns = ()
    voie: Columns = ()
    complement: Columns = ()


class DayColumns(_Table):
    """Columns of the hours of each day: one, or several in order."""

    lundi: Columns = ()
    mardi: Columns = ()
    mercredi: Columns = ()
    jeudi: Columns = ()
    vendredi: Columns = ()
    samedi: Columns = ()
    dimanche: Columns = ()


class _MappingFile(_Table):
    version: Annotated[int, BeforeValidator(_as_version)] = 1
    columns: dict[str, Any]
    constants: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    dataset: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")] = "tableur"
    date_format: str | None = None
    decimal_comma: bool = False
    value_separator: str = Field(default=standard.SEPARATOR, min_length=1)
    sheet: Annotated[Any, BeforeValidator(_as_sheet)] = None
    header_row: Annotated[int | None, BeforeValidator(_as_row)] = None
    crs: int | None = None


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """A mapping file, checked.

    Attributes
    ----------
    fields, address, hours
        Field → its columns; the parts of the address and the days of the hours, when they have columns of
        their own.
    constants
        Field → value of every row.
    sheet
        Title of the sheet to read, or its rank from 1; None: any.
    header_row
        Row of the headings, as the spreadsheet numbers it from 1; None: it is found.
    crs
        EPSG code of the columns of `longitude` (easting) and `latitude` (northing).
    """

    fields: Mapping[str, FieldColumns]
    address: AddressColumns | None
    hours: DayColumns | None
    constants: Mapping[str, str]
    dataset: str
    date_format: str | None
    decimal_comma: bool
    value_separator: str
    sheet: str | int | None
    header_row: int | None
    crs: int | None

    def columns(self) -> tuple[str, ...]:
        """Return the columns that the file must have, each once."""
        found: dict[str, None] = {}
        for source in self.fields.values():
            found.update(dict.fromkeys(source.column))
        for table in (self.address, self.hours):
            for _, columns in table or ():
                found.update(dict.fromkeys(columns))
        return tuple(found)


class _Fault(Exception):
    """A fault of a mapping file: where it is, and what is wrong and possible there."""


def read_mapping(path: Path) -> ColumnMapping:
    """Read a mapping file.

    Raises
    ------
    UnreadableFile
        If it is not TOML, or has unknown fields, options or values; the message names the key, its value,
        and what is possible.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _faulty(path, "il est trop gros")
        return parse_mapping(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as problem:
        raise _faulty(path, problem.strerror or str(problem)) from problem
    except _Fault as problem:
        raise _faulty(path, str(problem)) from problem
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as problem:
        raise _faulty(path, f"ce n'est pas du TOML valable ({problem})") from problem


def parse_mapping(document: Mapping[str, Any]) -> ColumnMapping:
    """Check the tables of a mapping file."""
    read = _checked(_MappingFile, document, "")
    if read.version < VERSION:
        _require_version_1(document)
    fields, address, hours = {}, None, None
    for field, source in read.columns.items():
        where = f"columns.{field}"
        _require_field(field, where)
        if field == "adresse" and isinstance(source, dict) and "column" not in source:
            address = _checked(AddressColumns, source, where)
            if not any(columns for _, columns in address):
                raise _Fault(f"« {where} » est vide ; donnez {_listed(AddressColumns.model_fields)}")
        elif field == "horaires" and isinstance(source, dict) and "column" not in source:
            hours = _checked(DayColumns, source, where)
            if not any(columns for _, columns in hours):
                raise _Fault(f"« {where} » est vide ; donnez {_listed(DAYS)}")
        else:
            table = source if isinstance(source, dict) else {"column": source}
            at, name = (where, "") if isinstance(source, dict) else ("columns", field)
            fields[field] = _checked(FieldColumns, table, at, name)
    for field in (*read.constants, *read.values):
        _require_field(field, field)
    for field, words in read.values.items():
        if field not in fields:
            raise _Fault(f"« values.{field} » traduit un champ sans colonne ; ajoutez-le à [columns]")
        fields[field] = fields[field].model_copy(update={"values": {**words, **fields[field].values}})
    if not {"id", "nom"} <= fields.keys():
        raise _Fault(
            "il ne dit pas d'où viennent « id » et « nom » ; sans colonne d'identifiant, composez-en un : "
            'id = ["Nom du lieu", "Commune"]'
        )
    _check_values(fields, read)
    return ColumnMapping(
        fields=fields,
        address=address,
        hours=hours,
        **read.model_dump(exclude={"version", "columns", "values"}),
    )


def _require_version_1(document: Mapping[str, Any]) -> None:
    """Check that a mapping without version has no option of version 2."""
    later = [key for key in _SINCE_2 if key in document]
    later += [f"columns.{field}" for field, source in document["columns"].items() if isinstance(source, dict)]
    if later:
        raise _Fault(f"« {later[0]} » demande la version 2 : écrivez version = 2 en tête du fichier")


def _require_field(field: str, where: str) -> None:
    if field in FIELDS:
        return
    near = get_close_matches(field, FIELDS, n=1)
    hint = f" (vouliez-vous dire « {near[0]} » ?)" if near else ""
    raise _Fault(f"« {where} » : « {field} » n'est pas un champ{hint} ; les champs sont {', '.join(FIELDS)}")


def _check_values(fields: Mapping[str, FieldColumns], read: _MappingFile) -> None:
    """Check the vocabularies, words and constants of the fields, and the reference system."""
    for field, source in fields.items():
        where = f"columns.{field}"
        if source.separator and field not in SEVERAL:
            raise _Fault(
                f"« {where}.separator » = « {source.separator} » : « {field} » n'a qu'une valeur ; "
                f"un séparateur vaut pour {', '.join(name for name in FIELDS if name in SEVERAL)}"
            )
        _check_vocabulary(field, source, where)
        if source.default is not None and not _possible(field):
            raise _Fault(
                f"« {where}.default » = « {source.default} » : « {field} » n'a pas de liste fermée ; une "
                f"valeur pour toutes les lignes s'écrit dans [constants]"
            )
        if read.version < VERSION:
            continue  # version 1 left the words of [values] to validation
        targets = {f"{where}.values.{word}": value for word, value in source.values.items()}
        if source.default is not None:
            targets[f"{where}.default"] = source.default
        for key, value in targets.items():
            _require_value(field, value, key)
    if read.version == VERSION:
        for field, value in read.constants.items():
            _require_value(field, value, f"constants.{field}")
    if read.crs is not None:
        try:
            CRS.from_epsg(read.crs)
        except CRSError as problem:
            raise _Fault(
                f"« crs » = {read.crs} n'est pas un code EPSG ; donnez par exemple 2154 (Lambert-93), "
                "3857 (Web Mercator) ou 4326 (degrés)"
            ) from problem


def _check_vocabulary(field: str, source: FieldColumns, where: str) -> None:
    name, possible = source.vocabulary, vocabularies_of(field)
    if name is None or name in possible:
        return
    if possible:
        advice = f"pour « {field} » : {_listed(possible)}"
    else:
        having = (one for one in FIELDS if vocabularies_of(one))
        advice = f"aucun ne vaut pour « {field} » ; il y en a pour {', '.join(having)}"
    known = "ne vaut pas pour ce champ" if name in VOCABULARIES else "n'est pas un vocabulaire"
    raise _Fault(f"« {where}.vocabulary » = « {name} » {known} ; {advice}")


def _possible(field: str) -> tuple[str, ...]:
    """Return the closed list of a field; () when it takes any text."""
    return _TRUE_OR_FALSE if field in FACTS else standard.ENUMERATIONS.get(field, ())


def _require_value(field: str, value: str, where: str) -> None:
    """Check a value that a mapping writes; "" leaves a word out."""
    possible = _possible(field)
    if not value or not possible:
        return
    if field in FACTS:
        wrong = value not in possible
    else:
        wrong = any(found.code == "valeur_inconnue" for found in parse_labels(field, value)[1])
    if wrong:
        raise _Fault(f"« {where} » = « {value} » n'est pas une valeur de « {field} » : {_listed(possible)}")


def _checked(model: type[Table], document: Mapping[str, Any], where: str, name: str = "") -> Table:
    """Return a table checked by its model; `name` replaces the key `column` in a fault."""
    try:
        return model.model_validate(document)
    except ValidationError as problem:
        fault = problem.errors()[0]
        first, *keys = map(str, fault["loc"])
        key = ".".join(filter(None, (where, name if name and first == "column" else first, *keys)))
        raise _Fault(f"« {key} »{_shown(fault)} : {_expected(model, fault)}") from problem


def _shown(fault: ErrorDetails) -> str:
    value = fault["input"]
    if fault["type"] in ("missing", "extra_forbidden") or isinstance(value, dict):
        return ""
    return f" = « {str(value)[:60]} »"


def _expected(model: type[_Table], fault: ErrorDetails) -> str:
    """Return what is wrong and what is possible, in French."""
    if fault["type"] == "extra_forbidden":
        return f"cette option n'existe pas ; il y a {_listed(model.model_fields)}"
    if fault["type"] == "missing" and model is not _MappingFile:
        return "cette clé manque"
    return _FAULTS.get(fault["type"], fault["msg"])


_FAULTS = {
    "missing": "cette table manque",
    "string_type": "un texte entre guillemets est attendu",
    "string_too_short": "le texte est vide",
    "bool_type": "true ou false est attendu",
    "dict_type": 'une table est attendue, par exemple { "mot" = "valeur" }',
    "int_type": "un nombre entier est attendu",
    "string_pattern_mismatch": "employez des minuscules, des chiffres et des tirets",
}


def _listed(words: Any) -> str:
    return ", ".join(f"« {word} »" for word in words)


def _faulty(path: Path, why: str) -> UnreadableFile:
    return UnreadableFile(
        f"Le fichier de correspondance « {path.name} » ne peut pas être employé : {why}.",
        "Voyez l'exemple de docs/formats.md, ou partez de « portee import --suggest-mapping ».",
    )
