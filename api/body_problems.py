"""Validation errors of FastAPI as problem details in French (see `api.problems`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Final, get_args, get_origin

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.responses import Response

from api.json_body import is_json
from api.parameters import cut, listed, value_text
from api.problems import FieldProblem, problem
from api.request_model import EXPECTATION, SENTENCE, Expected, RequestModel

REPORTED_MAX: Final = 200
"""Problems reported at once; one more entry gives the number of the others."""

OBJECT_EXPECTED: Final = frozenset({"model_type", "model_attributes_type", "dict_type"})
LIST_LENGTH: Final = frozenset({"too_short", "too_long"})

Location = Sequence[int | str]


def install(app: FastAPI) -> None:
    """Answer validation errors with problem details."""
    app.add_exception_handler(RequestValidationError, _invalid)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this only
    field = getattr(request.scope["route"], "body_field", None)
    info = field.field_info if field else None
    annotation = Annotated[info.annotation, info, *info.metadata] if info else Any
    errors = error.errors()
    if not is_json(request) and any(tuple(e["loc"]) == ("body",) for e in errors):
        return problem(request.scope, 415)
    found = [field_problem(annotation, each) for each in errors[:REPORTED_MAX]]
    if len(errors) > REPORTED_MAX:
        found.append(FieldProblem("", "", f"Et {len(errors) - REPORTED_MAX} autres problèmes."))
    return problem(request.scope, 422, found[0].detail, errors=found)


def field_problem(body: Any, error: Mapping[str, Any]) -> FieldProblem:
    """Return the problem that a validation error reports.

    Parameters
    ----------
    body
        Type of the body, as annotated.
    error
        One of `RequestValidationError.errors()`.
    """
    place, *location = error["loc"]
    value = "" if error["type"] == "missing" else cut(value_text(error.get("input")))
    if place != "body":
        name = str(location[-1]) if location else ""
        return FieldProblem(name, value, f"« {value} » n'est pas une valeur possible de {name}.")
    detail = _detail(body, location, error, value)
    if location and isinstance(location[0], int):
        model = _located(body, location[:1])[0]
        label = model.item_label if _is_model(model) else RequestModel.item_label
        detail = f"{label} {location[0]} : {detail}"
    return FieldProblem(cut(path_text(location)), value, detail)


def path_text(location: Location) -> str:
    """Return the path of a member, such as `sites[0].role`."""
    path = ""
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


def _detail(body: Any, location: Location, error: Mapping[str, Any], value: str) -> str:
    kind = error["type"]
    if kind == SENTENCE:
        return str(error["msg"])
    name = cut(str(location[-1])) if location else "contenu"
    subject = f"« {name} »" if location else "Le contenu envoyé"
    if kind == "extra_forbidden":
        near = get_close_matches(name, _members(body, location[:-1]), n=3)
        return f"Le paramètre {subject} n'existe pas ici." + (
            f" Vouliez-vous dire {listed(near)} ?" if near else ""
        )
    expected = error["msg"] if kind == EXPECTATION else _expected(body, location)
    if kind == "missing" and location:
        return f"Il manque {subject} : {expected}." if expected else f"Il manque {subject}."
    if kind in OBJECT_EXPECTED or (kind == "missing" and not expected):
        return "Un objet JSON est attendu." if _is_item(location) else f"{subject} doit être un objet JSON."
    if kind in LIST_LENGTH or not (expected and location):
        return f"{subject} doit être {expected or 'une autre valeur'}."
    return f"{subject} doit être {expected} ; reçu : « {value} »."


def _is_item(location: Location) -> bool:
    return bool(location) and isinstance(location[-1], int)


def _members(body: Any, location: Location) -> list[str]:
    model, _ = _located(body, location)
    return list(model.model_fields) if _is_model(model) else []


def _expected(body: Any, location: Location) -> str:
    _, metadata = _located(body, location)
    return next((each.expectation for each in metadata if isinstance(each, Expected)), "")


def _located(annotation: Any, location: Location) -> tuple[Any, list[Any]]:
    """Return the bare type at a location of a body and its annotations."""
    bare, metadata = _bare(annotation)
    for step in location:
        if isinstance(step, int):
            bare, metadata = _bare(next(iter(get_args(bare)), Any))
        elif _is_model(bare) and step in bare.model_fields:
            field = bare.model_fields[step]
            bare, inner = _bare(field.annotation)
            metadata = [*field.metadata, *inner]
        else:
            return Any, []
    return bare, metadata


def _bare(annotation: Any) -> tuple[Any, list[Any]]:
    """Split an annotated, perhaps optional, type into the type and its annotations."""
    metadata: list[Any] = []
    while True:
        arguments = get_args(annotation)
        if get_origin(annotation) is Annotated:
            metadata += arguments[1:]
            annotation = arguments[0]
        elif type(None) in arguments:
            annotation = next(each for each in arguments if each is not type(None))
        else:
            return annotation, metadata


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
