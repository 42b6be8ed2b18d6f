"""Request bodies of corrections."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field, PlainValidator, WithJsonSchema

from api.request_model import Expected, IsoDate, RequestModel, Text200, sentence
from geo.services.correct_sites import REASON_MAX
from geo.sites.standard import SEPARATOR

VALUES_MAX: Final = 50

_VALUE_SCHEMA: Final = {
    "anyOf": [
        {"type": "string", "minLength": 1},
        {"type": "number"},
        {"type": "boolean"},
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
    ]
}


def _texts(given: Any) -> dict[str, str]:
    """Return the text of each value, as the cell of a table would have it."""
    if not isinstance(given, dict) or len(given) > VALUES_MAX:
        raise sentence(f"« values » doit être un objet de {VALUES_MAX} champs au plus.")
    return {str(name): _text(str(name), value) for name, value in given.items()}


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        value = SEPARATOR.join(value)
    if isinstance(value, str) and value.strip():
        return value
    raise sentence(
        f"La valeur de « {name[:60]} » doit être un texte, un nombre, true, false ou une liste de textes ; "
        "pour dire qu'elle n'est pas connue, nommez le champ dans « clear »."
    )


Values = Annotated[
    dict[str, str],
    PlainValidator(_texts),
    WithJsonSchema({"type": "object", "additionalProperties": _VALUE_SCHEMA, "maxProperties": VALUES_MAX}),
]
Reason = Annotated[
    str, Field(max_length=REASON_MAX), Expected(f"un texte de {REASON_MAX} caractères au plus")
]


class ReasonedBody(RequestModel):
    """Members common to corrections and closings."""

    reason: Reason = Field(description="Why; stays in the history and is shown.")
    day: IsoDate | None = Field(default=None, description="First day on which it applies; today if absent.")
    until: IsoDate | None = Field(default=None, description="Last day; until it is ended if absent.")


class ClosingBody(ReasonedBody):
    """The closing of a site."""


class ReopeningBody(RequestModel):
    """The end of a closing; it has no member."""


class CorrectionBody(ReasonedBody):
    """Values to set over those of the sources."""

    values: Values = Field(
        default={},
        description="Values by field: texts as in a cell of an imported file, numbers, booleans, lists.",
    )
    clear: Annotated[
        list[Text200],
        Field(max_length=VALUES_MAX),
        Expected(f"une liste de {VALUES_MAX} textes au plus"),
    ] = Field(default=[], description="Fields whose value is not known.")

    def texts(self) -> dict[str, str]:
        """Return the text of each field, "" for those that are not known."""
        return {**self.values, **dict.fromkeys(self.clear, "")}
