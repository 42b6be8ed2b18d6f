"""Authentication of clients that change or read protected data: bearer tokens (RFC 6750)."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException

from api.service import app_state
from geo.store import tokens
from geo.store.database import Connection
from geo.store.tokens import Scope, Token

SCHEME: Final = "token"
BEARER: Final = HTTPBearer(
    auto_error=False,
    scheme_name=SCHEME,
    description="A token created by `portee token create`, with the scope that the operation requires.",
)

TOKEN_REQUIRED: Final[dict[str, Any]] = {"security": [{SCHEME: []}]}
TOKEN_OPTIONAL: Final[dict[str, Any]] = {"security": [{}, {SCHEME: []}]}
"""`openapi_extra` of direct routes, which have no dependencies for FastAPI to describe."""


class RequireToken:
    """Dependency that returns the active token of a request.

    Parameters
    ----------
    scope
        Scope that the token must have.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(
        self,
        request: Request,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
    ) -> Token:
        """Verify the token of the request against the database.

        Raises
        ------
        HTTPException
            401 without a token, 403 if it is expired, revoked or lacks the scope.
        """
        if credentials is None or not credentials.credentials.strip():
            raise _unauthenticated()
        with app_state(request).connect() as connection:
            return active_token(connection, credentials.credentials.strip(), self.scope)


ScenarioToken = Annotated[Token, Depends(RequireToken(Scope.SCENARIOS))]
FundToken = Annotated[Token, Depends(RequireToken(Scope.FUND))]
PassToken = Annotated[Token, Depends(RequireToken(Scope.PASSES))]
ActionToken = Annotated[Token, Depends(RequireToken(Scope.ACTIONS))]
SiteToken = Annotated[Token, Depends(RequireToken(Scope.SITES))]


def request_secret(request: Request) -> str:
    """Return the bearer secret of a request.

    Raises
    ------
    HTTPException
        401 if it has none.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise _unauthenticated()
    return secret.strip()


def active_token(connection: Connection, secret: str, scope: Scope) -> Token:
    """Return the active token for this secret and scope.

    Raises
    ------
    HTTPException
        403 if it is unknown, expired, revoked or lacks the scope; the answer does not say which.
    """
    token = tokens.verify(connection, secret, scope)
    if token is None:
        raise HTTPException(403)
    return token


def has_full_access(request: Request, connection: Connection, scope: Scope) -> bool:
    """Whether the request has a token of a scope that lifts disclosure control.

    Raises
    ------
    HTTPException
        401 or 403 if it has an `Authorization` header without an active token of the scope.
    """
    if "authorization" not in request.headers:
        return False
    active_token(connection, request_secret(request), scope)
    return True


def _unauthenticated() -> HTTPException:
    return HTTPException(401, headers={"WWW-Authenticate": 'Bearer realm="Portee"'})
