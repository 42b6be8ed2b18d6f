"""Who may change what is kept: the bearer of a token in force (RFC 6750)."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request

from geo.store import tokens
from geo.store.database import Connection
from geo.store.tokens import Scope, Token


def request_secret(request: Request) -> str:
    """The secret a request bears.

    Raises
    ------
    HTTPException
        401 if it bears none.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise HTTPException(401, headers={"WWW-Authenticate": 'Bearer realm="Portee"'})
    return secret.strip()


def active_token(connection: Connection, secret: str, scope: Scope) -> Token:
    """The token a secret is that of.

    Raises
    ------
    HTTPException
        403 unless it is in force and bears the scope; which of these is not said.
    """
    token = tokens.verify(connection, secret, scope)
    if token is None:
        raise HTTPException(403)
    return token
