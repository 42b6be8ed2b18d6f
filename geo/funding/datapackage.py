"""Open data as a Frictionless Data Package: CSV files and their descriptor.

The descriptor follows the « tabular-data-package » profile of the specifications, version 1
(Data Package, Data Resource, Table Schema; Frictionless Data, 2017). It is written here by
hand: it is small, and tests check it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from geo.tables_out import csv_bytes, text_columns

DESCRIPTOR: Final = "datapackage.json"

LICENCES: Final = {
    "etalab-2.0": {
        "name": "etalab-2.0",
        "title": "Licence Ouverte / Open Licence 2.0",
        "path": "https://www.etalab.gouv.fr/licence-ouverte-open-licence/",
    },
    "odbl-1.0": {
        "name": "ODbL-1.0",
        "title": "Open Data Commons Open Database License 1.0",
        "path": "https://opendatacommons.org/licenses/odbl/1-0/",
    },
}
"""Licences French public bodies may publish data under at no charge (code des relations entre le
public et l'administration, D. 323-2-1)."""


class TableSchemaType(StrEnum):
    """Types of Table Schema that are used here."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Field:
    """A column: its name, type and French description."""

    name: str
    type: TableSchemaType
    title: str
    description: str = ""
    required: bool = False
    among: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Foreign:
    """Columns whose values are those of columns of another table."""

    fields: tuple[str, ...]
    table: str
    theirs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resource:
    """A table of a package.

    Attributes
    ----------
    rows
        Values in the order of `fields`; None: empty.
    """

    name: str
    title: str
    description: str
    fields: tuple[Field, ...]
    rows: Sequence[Sequence[Any]]
    key: tuple[str, ...]
    foreign: tuple[Foreign, ...] = ()

    @property
    def path(self) -> str:
        """Name of its file."""
        return f"{self.name}.csv"


@dataclass(frozen=True, slots=True)
class PackageMetadata:
    """Metadata of a package."""

    name: str
    title: str
    description: str
    licence: str
    sources: tuple[str, ...]
    created: date


def package(resources: Iterable[Resource], about: PackageMetadata) -> dict[str, bytes]:
    """Return the files of a package by name: its tables and descriptor."""
    files: dict[str, bytes] = {}
    described = []
    for resource in resources:
        files[resource.path] = content = csv_bytes(
            text_columns(field.name for field in resource.fields), resource.rows
        )
        described.append(_described(resource, content, about))
    descriptor = {
        "profile": "tabular-data-package",
        "name": about.name,
        "title": about.title,
        "description": about.description,
        "created": f"{about.created.isoformat()}T00:00:00Z",
        "licenses": [LICENCES[about.licence]],
        "sources": [{"title": source} for source in about.sources],
        "resources": described,
    }
    files[DESCRIPTOR] = json.dumps(descriptor, ensure_ascii=False, indent=2).encode("utf-8")
    return files


def _described(resource: Resource, content: bytes, about: PackageMetadata) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "fields": [_field(each) for each in resource.fields],
        "missingValues": [""],
        "primaryKey": list(resource.key),
    }
    if resource.foreign:
        schema["foreignKeys"] = [
            {
                "fields": list(each.fields),
                "reference": {"resource": each.table, "fields": list(each.theirs)},
            }
            for each in resource.foreign
        ]
    return {
        "profile": "tabular-data-resource",
        "name": resource.name,
        "path": resource.path,
        "title": resource.title,
        "description": resource.description,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "licenses": [LICENCES[about.licence]],
        "dialect": {"delimiter": ",", "lineTerminator": "\r\n", "quoteChar": '"', "header": True},
        "schema": schema,
    }


def _field(field: Field) -> dict[str, Any]:
    descriptor: dict[str, Any] = {"name": field.name, "type": field.type.value, "title": field.title}
    if field.description:
        descriptor["description"] = field.description
    constraints: dict[str, Any] = {"required": True} if field.required else {}
    if field.among:
        constraints["enum"] = list(field.among)
    if constraints:
        descriptor["constraints"] = constraints
    return descriptor
