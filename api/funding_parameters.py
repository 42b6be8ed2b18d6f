"""Query parameters of the funding routes."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from api.parameters import COMMUNE_CODE, Parameter, integer
from api.request_model import CODE_MAX, REFERENCE_MAX, YEAR_MAX, YEAR_MIN

_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def day(name: str, description: str) -> Parameter:
    """Return a parameter for a date, YYYY-MM-DD."""
    expected = f"une date comme 2026-03-12, des années {YEAR_MIN} à {YEAR_MAX}"

    def read(value: str) -> date:
        try:
            found = date.fromisoformat(value) if _ISO.fullmatch(value) else date.min
        except ValueError:
            raise ValueError(expected) from None
        if not YEAR_MIN <= found.year <= YEAR_MAX:
            raise ValueError(expected)
        return found

    return Parameter(name, description, read, {"type": "string", "format": "date"})


def word(name: str, description: str, *, max_length: int = REFERENCE_MAX) -> Parameter:
    """Return a parameter for a reference or a code: printable, on one line."""

    def read(value: str) -> str:
        if len(value) > max_length or not value.isprintable():
            raise ValueError(f"un texte de {max_length} caractères au plus, d'une ligne et tout visible")
        return value.strip()

    return Parameter(name, description, read, {"type": "string", "maxLength": max_length})


def commune(description: str) -> Parameter:
    """Return a parameter for the INSEE code of a commune."""

    def read(value: str) -> str:
        if not COMMUNE_CODE.fullmatch(value):
            raise ValueError("le code INSEE d'une commune, cinq caractères comme 47001")
        return value

    return Parameter("commune", description, read, {"type": "string", "pattern": r"^(\d{2}|2[AB])\d{3}$"})


YEAR: Final = Parameter(
    "year",
    "Only this year; all years if absent.",
    integer("year", "", low=YEAR_MIN, high=YEAR_MAX, default=YEAR_MIN).read,
    {"type": "integer", "minimum": YEAR_MIN, "maximum": YEAR_MAX},
)
ORDER: Final = word("order", "Only passes of the order with this reference.")
PARTNER: Final = word("partner", "Code of a partner.", max_length=CODE_MAX)
