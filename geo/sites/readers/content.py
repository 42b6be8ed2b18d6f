"""What every container (CSV, XLSX, JSON, GeoJSON) gives: columns, and records of text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from geo.sites.model import Issue, RawRow, Severity

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What JSON can spell but no UTF-8 text or PostgreSQL column can hold."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a container: where it begins, and its cells as text by column name.

    `point` is the (longitude, latitude) text of a GeoJSON point. A record with a rejecting issue
    is not translated: it goes out as it is, so that the tally counts it.
    """

    line: int
    fields: dict[str, str]
    issues: tuple[Issue, ...] = ()
    point: tuple[str, str] | None = None

    @property
    def broken(self) -> bool:
        """Whether the record cannot be translated at all."""
        return any(issue.severity is Severity.REJECTED for issue in self.issues)


@dataclass(frozen=True, slots=True)
class Content:
    """A container opened: its column names, and a way to read its records from the start."""

    columns: tuple[str, ...]
    records: Callable[[], Iterator[Record]]


@dataclass(frozen=True, slots=True)
class Format:
    """A source format: how its columns betray it, and what a record of it says in the standard.

    `translate` returns the standard's fields and the issues met; a format without a date of its
    own leaves `date_maj` out.
    """

    name: str
    label: str
    dataset: str
    recognises: Callable[[frozenset[str]], bool]
    translate: Callable[[Record], RawRow] = field(repr=False)


def column_name(text: str) -> str:
    """A header as it is compared: NFC, ordinary spaces, trimmed."""
    return " ".join(unicodedata.normalize("NFC", text.replace("\ufeff", "")).split())


def storable(fields: dict[str, str], line: int) -> tuple[dict[str, str], tuple[Issue, ...]]:
    """Fields without characters that no database or UTF-8 file can hold, and what was replaced."""
    issues = []
    for name, text in fields.items():
        if _UNSTORABLE.search(text):
            fields[name] = _UNSTORABLE.sub("\ufffd", text)
            issues.append(
                Issue(
                    line,
                    name,
                    fields[name][:200],
                    Severity.REPAIRED,
                    "caracteres",
                    "Des caractères impossibles à enregistrer ont été remplacés par « \ufffd ».",
                    "Corrigez ce texte dans le fichier d'origine.",
                )
            )
    return fields, tuple(issues)
