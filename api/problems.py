"""Error responses: problem details (RFC 9457, `application/problem+json`) and a table of statuses.

Every error has `type`, `title`, `status`, `detail`, `instance` and `request_id`; `advice` gives the next
step, and `errors` each invalid parameter (422). Sentences are in French, for end users. Unexpected errors
are logged and answered with a fixed sentence. Outside of the API, clients that prefer HTML get a page.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.types import Scope

from api.access_log import request_id, route_template
from api.failure_page import POLICY, failure_page, territory_name, wants_page
from geo.errors import (
    AlreadyReversed,
    ClosedPeriod,
    DatabaseUnavailable,
    DuplicateReference,
    ImpossibleQuestion,
    InsufficientFunds,
    InUse,
    InvalidAction,
    InvalidCorrection,
    InvalidCrs,
    InvalidParameter,
    InvalidScenario,
    NameTaken,
    NoRule,
    OperatorError,
    PorteeError,
    RefusedPasses,
    SnapshotUnavailable,
    TooManyJobs,
    UnknownAction,
    UnknownCorrection,
    UnknownEntry,
    UnknownImport,
    UnknownJob,
    UnknownOrder,
    UnknownPartner,
    UnknownPlace,
    UnknownScenario,
    UnknownSite,
    UnknownTerritory,
)

log = logging.getLogger("portee.api")

MEDIA_TYPE = "application/problem+json"

STATUS: Mapping[type[PorteeError], HTTPStatus] = {
    UnknownSite: HTTPStatus.NOT_FOUND,
    UnknownTerritory: HTTPStatus.NOT_FOUND,
    UnknownPlace: HTTPStatus.NOT_FOUND,
    UnknownImport: HTTPStatus.NOT_FOUND,
    UnknownJob: HTTPStatus.NOT_FOUND,
    UnknownScenario: HTTPStatus.NOT_FOUND,
    UnknownPartner: HTTPStatus.NOT_FOUND,
    UnknownEntry: HTTPStatus.NOT_FOUND,
    UnknownOrder: HTTPStatus.NOT_FOUND,
    UnknownAction: HTTPStatus.NOT_FOUND,
    UnknownCorrection: HTTPStatus.NOT_FOUND,
    NameTaken: HTTPStatus.CONFLICT,
    DuplicateReference: HTTPStatus.CONFLICT,
    InsufficientFunds: HTTPStatus.CONFLICT,
    ClosedPeriod: HTTPStatus.CONFLICT,
    AlreadyReversed: HTTPStatus.CONFLICT,
    NoRule: HTTPStatus.CONFLICT,
    InUse: HTTPStatus.CONFLICT,
    RefusedPasses: HTTPStatus.CONFLICT,
    InvalidCorrection: HTTPStatus.CONFLICT,
    InvalidAction: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidScenario: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidCrs: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidParameter: HTTPStatus.UNPROCESSABLE_ENTITY,
    ImpossibleQuestion: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooManyJobs: HTTPStatus.SERVICE_UNAVAILABLE,
    SnapshotUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    DatabaseUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""Domain error → status. An error that is missing here is a bug: 500."""

TITLES: Mapping[int, str] = {
    400: "Demande illisible",
    401: "Clé d'accès demandée",
    403: "Clé d'accès refusée",
    404: "Introuvable",
    405: "Méthode non permise",
    409: "Contredit ce qui existe",
    413: "Demande trop volumineuse",
    415: "Contenu d'un autre type",
    422: "Demande incorrecte",
    429: "Trop de demandes",
    500: "Erreur interne",
    501: "Non prévu",
    503: "Service momentanément indisponible",
}

DETAILS: Mapping[int, str] = {
    400: "La demande n'a pas pu être lue.",
    401: "Cette action demande une clé d'accès (en-tête « Authorization: Bearer … »).",
    403: "Cette clé d'accès n'est pas ou plus en vigueur, ou ne permet pas cette action.",
    404: "Aucune page ni donnée ne se trouve à cette adresse.",
    405: "Cette adresse n'accepte pas cette méthode.",
    413: "Le contenu envoyé est trop volumineux pour cette adresse.",
    415: "Le contenu envoyé doit être du JSON (en-tête « Content-Type: application/json »).",
    429: "Vous avez fait beaucoup de demandes en peu de temps.",
    500: "Une erreur que nous n'avions pas prévue s'est produite. Elle a été notée.",
    503: "La base de données est momentanément injoignable. Réessayez dans quelques minutes.",
}
"""Default sentences, when no domain error gives a better one."""

RETRY_AFTER_S = 30


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """An invalid parameter: its name, the value received (truncated) and the reason."""

    parameter: str
    value: str
    detail: str


class Refused(Exception):
    """The parameters or the body of a request are invalid."""

    def __init__(self, errors: Sequence[FieldProblem]) -> None:
        super().__init__("; ".join(e.detail for e in errors))
        self.errors = tuple(errors)


def problem(
    scope: Scope,
    status: int,
    detail: str = "",
    *,
    advice: str = "",
    errors: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an error response."""
    title = TITLES.get(status) or HTTPStatus(status).phrase
    detail = detail or DETAILS.get(status, HTTPStatus(status).description)
    identity = request_id(scope)
    every = {"Cache-Control": "no-store", "Content-Language": "fr", "Vary": "Accept"}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        every["Retry-After"] = str(RETRY_AFTER_S)
    every |= headers or {}
    if wants_page(scope["path"], _accept(scope)):
        return HTMLResponse(
            failure_page(status, title, detail, advice, identity, territory=territory_name(scope)),
            status_code=status,
            headers={**every, "Content-Security-Policy": POLICY},
        )
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": scope["path"],
    }
    if identity:
        body["request_id"] = identity
    if advice:
        body["advice"] = advice
    if errors:
        body["errors"] = [asdict(e) for e in errors]
    return Response(orjson.dumps(body, default=str), status_code=status, media_type=MEDIA_TYPE, headers=every)


def _accept(scope: Scope) -> str:
    return ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"accept")


def install(app: FastAPI) -> None:
    """Answer domain and HTTP errors with problem details."""
    for kind, status in STATUS.items():
        app.add_exception_handler(kind, _handler(status))
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _http)


def _handler(status: HTTPStatus) -> Any:
    async def answer(request: Request, error: Exception) -> Response:
        if isinstance(error, OperatorError):  # its message is in English, for operators
            log.warning("%s: %s", route_template(request.scope), error)
            return problem(request.scope, status)
        assert isinstance(error, PorteeError)  # noqa: S101 - registered for these only
        named = isinstance(error, InvalidParameter) and error.parameter
        errors = [FieldProblem(named, "", str(error))] if named else []
        return problem(request.scope, status, error.message, advice=error.advice, errors=errors)

    return answer


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101 - registered for this only
    return problem(
        request.scope,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        error.errors[0].detail,
        errors=error.errors,
    )


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this only
    return problem(request.scope, error.status_code, headers=error.headers)
