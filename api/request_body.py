"""JSON bodies: read whole within a limit, cleaned of what nothing may hold, told in OpenAPI."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request

from api.parameters import Query, refuse
from api.problems import FieldProblem, Refused
from geo.coverage.where_next import CANDIDATES_MAX
from geo.sites.text import clean_text

BODY_MAX_BYTES: Final = 256 * 1024
MEMBERS_MAX: Final = 100
"""Of one object: more are no mistake, and each would have to be told."""
LIST_MAX: Final = CANDIDATES_MAX
DEPTH_MAX: Final = 10


async def json_object(request: Request) -> dict[str, Any]:
    """The object a request bears, its texts without control characters or direction overrides.

    Raises
    ------
    HTTPException
        400 for what is no JSON, 413 for too much, 415 when it does not say it is JSON.
    Refused
        If it is no object, or one of its lists or objects is too long or nested too deep.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX_BYTES:
            raise HTTPException(413)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise HTTPException(400) from None
    if not isinstance(value, dict):
        raise refuse("", "", "Le contenu envoyé doit être un objet JSON.")
    read: dict[str, Any] = _clean(value, "", 0)
    return read


class Fields:
    """A body as it is read: values, and all that is wrong with them, each named by its path.

    Parameters
    ----------
    query
        The plain values the body may hold.
    structured
        Names that it may hold besides, for the caller to read.
    """

    def __init__(self, given: Mapping[str, Any], query: Query, structured: Collection[str]) -> None:
        self._given = given
        self.problems: list[FieldProblem] = []
        plain = {name: value for name, value in given.items() if name not in structured}
        self.values = self._read(plain, query, "")

    def nested(self, name: str, query: Query) -> dict[str, Any]:
        """The values of a nested object, {} when it is absent or wrong."""
        value = self._given.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.wrong(name, value, f"« {name} » doit être un objet JSON.")
            return {}
        return self._read(value, query, f"{name}.")

    def wrong(self, path: str, value: object, sentence: str) -> None:
        """Note something wrong."""
        self.problems += refuse(path, value, sentence).errors

    def done(self) -> None:
        """End the reading.

        Raises
        ------
        Refused
            If anything was wrong; all is told together.
        """
        if self.problems:
            raise Refused(self.problems)

    def _read(self, given: Mapping[str, Any], query: Query, path: str) -> dict[str, Any]:
        try:
            return query.read_object(given)
        except Refused as refused:
            self.problems += [
                FieldProblem(f"{path}{each.parameter}", each.value, each.detail) for each in refused.errors
            ]
            return {}


def described(model: str) -> dict[str, Any]:
    """What `openapi_extra` takes for a route that reads a JSON body."""
    schema = {"schema": {"$ref": f"#/components/schemas/{model}"}}
    return {"requestBody": {"required": True, "content": {"application/json": schema}}}


def _clean(value: Any, path: str, depth: int) -> Any:
    if isinstance(value, str):
        return clean_text(value, lines=True)[0]
    if not isinstance(value, dict | list):
        return value
    name = path or "contenu"
    if depth > DEPTH_MAX:
        raise refuse(
            path, "", f"« {name[:60]} » contient trop d'objets ou de listes les uns dans les autres."
        )
    if isinstance(value, list):
        if len(value) > LIST_MAX:
            raise refuse(
                path, "", f"« {name[:60]} » compte {len(value)} valeurs ; {LIST_MAX} au plus sont admises."
            )
        return [_clean(each, f"{path}[{rank}]", depth + 1) for rank, each in enumerate(value)]
    if len(value) > MEMBERS_MAX:
        raise refuse(
            path, "", f"« {name[:60]} » compte {len(value)} champs ; {MEMBERS_MAX} au plus sont admis."
        )
    dot = "." if path else ""
    return {
        clean_text(member)[0]: _clean(each, f"{path}{dot}{member[:40]}", depth + 1)
        for member, each in value.items()
    }
