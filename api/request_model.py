"""Base and field types of request bodies.

Types hold the constraint of a field and, as `Expected`, what it must be in French: `api.body_problems`
turns every error of Pydantic into a sentence with them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, ClassVar, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from api.body_context import body_context
from api.parameters import choice
from geo.errors import InvalidParameter
from geo.funding import money

SENTENCE: Final = "sentence"
"""Type of the errors whose message is a French sentence."""
EXPECTATION: Final = "expectation"
"""Type of the errors whose message completes « … doit être »."""

REFERENCE_MAX: Final = 100
CODE_MAX: Final = 60
SITE_ID_MAX: Final = 200
MEMO_MAX: Final = 1_000
YEAR_MIN, YEAR_MAX = 2000, 2100

_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class RequestModel(BaseModel):
    """Base of request bodies: unknown members are refused; null and blank texts count as absent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item_label: ClassVar[str] = "Élément"
    """French name of one object, in the sentences about a list of them."""

    @model_validator(mode="before")
    @classmethod
    def _drop_blank(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {
            name: value
            for name, value in given.items()
            if name not in cls.model_fields or not is_blank(value)
        }


def is_blank(value: object) -> bool:
    """Whether a JSON value counts as absent."""
    return value is None or (isinstance(value, str) and not value.strip())


@dataclass(frozen=True, slots=True)
class Expected:
    """Annotation of a type: what its values must be, completing « … doit être » in French."""

    expectation: str


def sentence(text: str) -> PydanticCustomError:
    """Return an error with its own French sentence."""
    return PydanticCustomError(SENTENCE, "{text}", {"text": text})


def expectation(text: str) -> PydanticCustomError:
    """Return an error whose text completes « … doit être » in French."""
    return PydanticCustomError(EXPECTATION, "{text}", {"text": text})


def member_problems(problems: Iterable[tuple[str, object, str]]) -> ValidationError | None:
    """Return the error that reports problems of several members, or None without any.

    Parameters
    ----------
    problems
        Name of the member, value received, French sentence.
    """
    details = [
        InitErrorDetails(type=sentence(text), loc=(name,), input=value) for name, value, text in problems
    ]
    return ValidationError.from_exception_data("members", details) if details else None


def one_of(values: Iterable[str]) -> BeforeValidator:
    """Accept the values of a closed list whatever their case, accents and typographic variants."""
    read = choice("", "", values).read

    def canonical(value: object) -> str:
        try:
            found: str = read(value if isinstance(value, str) else str(value))
        except ValueError as refusal:
            raise expectation(str(refusal)) from None
        return found

    return BeforeValidator(canonical)


def known(references: str, text: str) -> AfterValidator:
    """Refuse a reference that the body context does not have.

    Parameters
    ----------
    references
        Attribute of `BodyContext` that holds the references.
    text
        French sentence, in which {} stands for the value.
    """

    def check(value: str) -> str:
        among: Collection[str] = getattr(body_context(), references)
        if value not in among:
            raise sentence(text.format(value))
        return value

    return AfterValidator(check)


def _one_line(max_length: int) -> Expected:
    return Expected(f"un texte de {max_length} caractères au plus, d'une ligne et tout visible")


def _text(max_length: int) -> Expected:
    return Expected(f"un texte de {max_length} caractères au plus")


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError(value)
    return value


def _iso_date(value: object) -> date:
    if not isinstance(value, str) or not _ISO.fullmatch(value):
        raise ValueError(value)
    return date.fromisoformat(value)


def _cents(value: int) -> int:
    try:
        return money.checked(value)
    except InvalidParameter as refusal:
        raise sentence(str(refusal)) from None


WHOLE_CENTS: Final = Expected("un nombre entier de centimes, comme 123456 pour 1 234,56 €")
Cents = Annotated[
    int,
    Field(strict=True, json_schema_extra={"minimum": 1, "maximum": money.MAX_CENTS}),
    AfterValidator(_cents),
    WHOLE_CENTS,
]
CentsOrZero = Annotated[int, Field(strict=True, ge=0, le=money.MAX_CENTS), WHOLE_CENTS]

IsoDate = Annotated[
    date,
    BeforeValidator(_iso_date),
    Field(ge=date(YEAR_MIN, 1, 1), le=date(YEAR_MAX, 12, 31)),
    Expected(f"une date comme 2026-03-12, des années {YEAR_MIN} à {YEAR_MAX}"),
]
Year = Annotated[
    int,
    Field(strict=True, ge=YEAR_MIN, le=YEAR_MAX),
    Expected(f"un nombre entier entre {YEAR_MIN} et {YEAR_MAX}"),
]
Minutes = Annotated[int, Field(strict=True, ge=1, le=120), Expected("un nombre entier entre 1 et 120")]
Flag = Annotated[bool, Expected("l'une de ces valeurs : true · false")]

Reference = Annotated[
    str, Field(max_length=REFERENCE_MAX), AfterValidator(_printable), _one_line(REFERENCE_MAX)
]
PartnerCode = Annotated[str, Field(max_length=CODE_MAX), AfterValidator(_printable), _one_line(CODE_MAX)]
SiteId = Annotated[str, Field(max_length=SITE_ID_MAX), AfterValidator(_printable), _one_line(SITE_ID_MAX)]
CommuneCode = Annotated[
    str,
    Field(pattern=r"^(\d{2}|2[AB])\d{3}$"),
    Expected("le code INSEE d'une commune, cinq caractères comme 47001"),
]
Text200 = Annotated[str, Field(max_length=200), _text(200)]
Text300 = Annotated[str, Field(max_length=300), _text(300)]
Memo = Annotated[str, Field(max_length=MEMO_MAX), _text(MEMO_MAX)]
Line200 = Annotated[str, Field(max_length=200), AfterValidator(_printable), _one_line(200)]

KnownPartner = Annotated[PartnerCode, known("partners", "Aucun partenaire ne porte le code « {} ».")]
KnownSite = Annotated[SiteId, known("sites", "Aucun lieu ne porte l'identifiant « {} ».")]
KnownCommune = Annotated[
    CommuneCode, known("communes", "Aucune commune du territoire ne porte le code « {} ».")
]
