"""Query parameters of the direct routes: parsing, French error sentences and OpenAPI description.

A route declares its parameters once, for parsing and documentation. Only the parameters present in a
request are processed: on a route with some forty of them, validating each absent one would cost more
than the answer. An empty value counts as absent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final
from urllib.parse import parse_qsl

from api.fields import FIELDS
from api.problems import FieldProblem, Refused
from geo.errors import InvalidParameter, PorteeError
from geo.matching.text_search import Box, SiteSearch
from geo.sites import standard
from geo.sites.filters import BOOLEAN_FIELDS, FILTERABLE, SiteFilter
from geo.sites.model import Position
from geo.sites.text import fold
from geo.tables_out import Dialect
from geo.territory.model import TerritoryKind

MAX_TEXT = 200
MAX_PARAMETERS = 100
COMMUNE_CODE = re.compile(r"(\d{2}|2[AB])\d{3}")

Read = Callable[[str], Any]
"""Text → value. Raises ValueError with text that completes « … doit être », or InvalidParameter with a
full sentence."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter.

    Attributes
    ----------
    read
        Parses the text of one value.
    schema
        JSON Schema of one value.
    many
        Whether it can be repeated; its value is then a list.
    """

    name: str
    description: str
    read: Read
    schema: Mapping[str, Any]
    example: object = None
    many: bool = False

    @property
    def openapi(self) -> dict[str, Any]:
        """The OpenAPI parameter object."""
        schema = {"type": "array", "items": dict(self.schema)} if self.many else dict(self.schema)
        described: dict[str, Any] = {
            "name": self.name,
            "in": "query",
            "required": False,
            "description": self.description,
            "schema": schema,
        }
        if self.many:
            described |= {"style": "form", "explode": True}
        if self.example is not None:
            described["example"] = [self.example] if self.many else self.example
        return described


@dataclass(frozen=True)
class Query:
    """The parameters of a route."""

    parameters: tuple[Parameter, ...] = ()
    _by_name: dict[str, Parameter] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {p.name: p for p in self.parameters})

    @property
    def openapi(self) -> dict[str, Any]:
        """The parameters for FastAPI's `openapi_extra`."""
        return {"parameters": [p.openapi for p in self.parameters]}

    def read(self, query_string: bytes) -> dict[str, Any]:
        """Parse a query string; return the values by name.

        Raises
        ------
        Refused
            If parameters are unknown, repeated or invalid; all problems are reported together.
        """
        if not query_string:
            return {}
        try:
            pairs = parse_qsl(query_string.decode("ascii"), errors="strict", max_num_fields=MAX_PARAMETERS)
        except ValueError:
            message = "Les paramètres de cette adresse sont illisibles (caractères ou nombre)."
            raise Refused([FieldProblem("", "", message)]) from None
        return self._values(pairs)

    def read_object(self, given: Mapping[str, object]) -> dict[str, Any]:
        """Read the same parameters from a JSON object; return the values by name.

        Numbers and booleans may have their JSON type. A list stands for a repeated parameter, or for
        values separated by commas. Null counts as absent.

        Raises
        ------
        Refused
            As `read`.
        """
        pairs: list[tuple[str, str]] = []
        for name, value in given.items():
            parameter = self._by_name.get(name)
            texts = [value_text(each) for each in (value if isinstance(value, list) else [value])]
            if isinstance(value, list) and not (parameter and parameter.many):
                texts = [",".join(texts)]
            pairs += [(name, text) for text in texts]
        return self._values(pairs)

    def _values(self, pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        errors: list[FieldProblem] = []
        for name, text in pairs:
            parameter = self._by_name.get(name)
            if parameter is None:
                errors.append(self._unknown(name, text))
            elif name in values and not parameter.many:
                errors.append(_problem(name, text, f"« {name} » est donné deux fois : ne le donnez qu'une."))
            elif text.strip():
                try:
                    value = parameter.read(text)
                except InvalidParameter as refusal:
                    errors.append(_problem(name, text, str(refusal)))
                except ValueError as refusal:
                    errors.append(
                        _problem(name, text, f"« {name} » doit être {refusal} ; reçu : « {cut(text)} ».")
                    )
                else:
                    if parameter.many:
                        values.setdefault(name, []).append(value)
                    else:
                        values[name] = value
        if errors:
            raise Refused(errors)
        return values

    def _unknown(self, name: str, text: str) -> FieldProblem:
        near = get_close_matches(name, self._by_name, n=3)
        hint = f" Vouliez-vous dire {listed(near)} ?" if near else ""
        return _problem(name, text, f"Le paramètre « {cut(name)} » n'existe pas ici.{hint}")


def refuse(name: str, value: object, sentence: str) -> Refused:
    """Return the error for one parameter, with its French sentence."""
    return Refused([_problem(name, str(value), sentence)])


def _problem(name: str, text: str, sentence: str) -> FieldProblem:
    return FieldProblem(cut(name), cut(text), sentence)


def value_text(value: object) -> str:
    """Return a JSON value as the text of a query parameter; null is ""."""
    if value is None or isinstance(value, str):
        return value or ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def cut(text: str) -> str:
    """Truncate a text that is sent back to 100 characters."""
    return text if len(text) <= 100 else f"{text[:99]}…"


def listed(words: Iterable[str]) -> str:
    """Join words in French quotation marks."""
    return " · ".join(f"« {w} »" for w in words)


def number(name: str, description: str, *, low: float, high: float, unit: str, example: float) -> Parameter:
    """Return a parameter for a decimal number between two bounds, included."""
    expected = f"un nombre de {unit} entre {low:g} et {high:g}, écrit avec un point"

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise ValueError(expected) from None
        if not low <= value <= high:  # NaN is refused here too
            raise ValueError(expected)
        return value

    return Parameter(name, description, read, {"type": "number", "minimum": low, "maximum": high}, example)


def integer(
    name: str, description: str, *, low: int, high: int, default: int, example: int | None = None
) -> Parameter:
    """Return a parameter for a whole number between two bounds, included."""
    expected = f"un nombre entier entre {low} et {high}"

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 12 and low <= int(text) <= high):
            raise ValueError(expected)
        return int(text)

    schema = {"type": "integer", "minimum": low, "maximum": high, "default": default}
    return Parameter(name, description, read, schema, default if example is None else example)


def integers(
    name: str, description: str, *, low: int, high: int, most: int, default: tuple[int, ...]
) -> Parameter:
    """Return a parameter for whole numbers separated by commas: an ascending tuple, no duplicates."""
    expected = f"de 1 à {most} nombres entiers entre {low} et {high}, séparés par des virgules"

    def read(text: str) -> tuple[int, ...]:
        parts = text.split(",")
        if len(parts) > most or not all(p.isascii() and p.isdigit() and len(p) < 12 for p in parts):
            raise ValueError(expected)
        found = sorted({int(p) for p in parts})
        if found[0] < low or found[-1] > high:
            raise ValueError(expected)
        return tuple(found)

    written = ",".join(map(str, default))
    schema = {"type": "string", "pattern": rf"^\d+(,\d+){{0,{most - 1}}}$", "default": written}
    return Parameter(name, description, read, schema, written)


def choice(
    name: str,
    description: str,
    values: Iterable[str],
    *,
    default: str | None = None,
    example: str | None = None,
    many: bool = False,
) -> Parameter:
    """Return a parameter for a value of a closed list; accents, case and typography are ignored."""
    accepted = tuple(values)
    by_folded = {fold(v): v for v in accepted}

    def read(text: str) -> str:
        try:
            return by_folded[fold(text)]
        except KeyError:
            near = [by_folded[f] for f in get_close_matches(fold(text), by_folded, n=1)]
            hint = f" (vouliez-vous dire {listed(near)} ?)" if near else ""
            raise ValueError(f"l'une de ces valeurs : {' · '.join(accepted)}{hint}") from None

    schema: dict[str, Any] = {"type": "string", "enum": list(accepted)}
    if default is not None:
        schema["default"] = default
    return Parameter(name, description, read, schema, example or default, many)


CSV_DIALECTS: Final = {"rfc4180": Dialect.LINES, "excel-fr": Dialect.EXCEL_FR}
DIALECT: Final = choice(
    "dialect",
    "Dialect of CSV files: `rfc4180` (commas, decimal points) or `excel-fr`, as Excel opens it in France "
    "(semicolons, decimal commas, byte order mark). Other formats ignore it.",
    CSV_DIALECTS,
    default="rfc4180",
)


def csv_dialect(values: Mapping[str, Any]) -> tuple[Dialect, str]:
    """Return the dialect of CSV that a request asks for, and the part of the ETag that depends on it."""
    name = values.get("dialect", "rfc4180")
    return CSV_DIALECTS[name], "" if name == "rfc4180" else f"-{name}"


def text(
    name: str, description: str, *, example: object = None, many: bool = False, max_length: int = MAX_TEXT
) -> Parameter:
    """Return a parameter for free text of bounded length."""

    def read(value: str) -> str:
        if len(value) > max_length:
            raise ValueError(f"un texte de {max_length} caractères au plus")
        return value.strip()

    return Parameter(name, description, read, {"type": "string", "maxLength": max_length}, example, many)


def _commune(value: str) -> str:
    if not COMMUNE_CODE.fullmatch(value):
        raise ValueError("le code INSEE d'une commune, cinq caractères comme 47001")
    return value


def _box(value: str) -> Box:
    expected = "quatre nombres : ouest,sud,est,nord, en degrés et dans cet ordre"
    try:
        west, south, east, north = (float(p) for p in value.split(","))
    except ValueError:
        raise ValueError(expected) from None
    ordered = -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    if not (ordered and all(map(math.isfinite, (west, south, east, north)))):
        raise ValueError(expected)
    return west, south, east, north


def _filter(name: str, called: str = "") -> Parameter:
    about = FIELDS[name]
    description = f"{about.meaning} Repeat to accept several values."
    values = standard.ENUMERATIONS.get(name)
    if name in BOOLEAN_FIELDS:
        values = ("true", "false")
    elif name == "position":
        values = tuple(Position)
    example = about.example if name in _EXAMPLES else None
    if values:
        return choice(called or name, description, values, example=example, many=True)  # type: ignore[arg-type]
    return text(called or name, description, example=example, many=True)


_EXAMPLES: Final = frozenset({"frais_a_charge", "services"})
"""Filters with an example in the documentation's form; examples of all at once would match nothing."""

RENAMED: Final = {"nom_commune": "commune"}
"""Our name → the name in the standard: on routes with an origin, `commune` is the origin."""

FILTERS: Final = (
    *(_filter(name) for name in FILTERABLE if name != "commune"),
    _filter("commune", "nom_commune"),
)
COMMUNE_NAME: Final = _filter("commune")
WORDS: Final = text(
    "q",
    "Words that the site must all mention in its name, address, parent structure, source, presentation, "
    "labels, services or types of structure. Accents, case, plurals and words such as « de » are ignored; "
    "the residents' pages find the same sites.",
)
BOX: Final = Parameter(
    "bbox",
    "Bounding box: west,south,east,north, in WGS 84 degrees.",
    _box,
    {"type": "string", "pattern": r"^-?[\d.]+(,-?[\d.]+){3}$"},
    "-0.2,43.9,1.1,44.8",
)
KIND: Final = choice(
    "kind",
    "Territory level.",
    tuple(TerritoryKind),
    default=TerritoryKind.COMMUNE.value,
    example=TerritoryKind.COMMUNE.value,
)
COMMUNE_ORIGIN: Final = Parameter(
    "commune",
    "INSEE code of the commune whose town hall is the origin.",
    _commune,
    {"type": "string", "pattern": r"^(\d{2}|2[AB])\d{3}$"},
)
MAX_OFFSET: Final = 10_000_000
MAX_ID: Final = 2**31 - 1
"""Largest value of a PostgreSQL integer key."""

_DIGITS_MAX: Final = 19
"""Longest number that is read, in digits."""


def path_number(text: str, name: str, sentence: str, unknown: PorteeError) -> int:
    """Parse the number in a path.

    Parameters
    ----------
    name, sentence
        Of the parameter, and what to say if it is not a number, in French.
    unknown
        Raised for a number larger than any that the database gives.

    Raises
    ------
    Refused
        If it is not a number.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
        raise refuse(name, text, sentence)
    if int(text) > MAX_ID:
        raise unknown
    return int(text)


def paging(page_size: int) -> tuple[Parameter, Parameter]:
    """Return the parameters `limit` and `offset`."""
    return (
        integer("limit", "Records per page.", low=1, high=1_000, default=page_size, example=10),
        integer("offset", "Records to skip.", low=0, high=MAX_OFFSET, default=0),
    )


def site_search(values: Mapping[str, Any]) -> SiteSearch:
    """Return the site search of a request's values; other parameters are ignored."""
    conditions: dict[str, list[str]] = {}
    for name, value in values.items():
        if isinstance(value, list):
            conditions.setdefault(RENAMED.get(name, name), []).extend(value)
    if not conditions and "q" not in values and "bbox" not in values:
        return EVERYTHING
    return SiteSearch(SiteFilter.of(conditions), values.get("q", ""), values.get("bbox"))


EVERYTHING: Final = SiteSearch()
