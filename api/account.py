"""The account of a territory: help nearby, money, passes and actions of a year."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response

from api.funding_parameters import YEAR
from api.funding_responses import figures_response
from api.funding_schemas import AccountAnswer
from api.openapi import failures
from api.parameters import Query
from api.routing import router
from api.service import app_state
from api.territories import KINDS, Code
from geo.funding.account_model import CENTS, CENTS_EACH, account_to_dict
from geo.services import accounts
from geo.territory.model import TerritoryKind

PARAMETERS: Final = Query((KINDS, YEAR))

routes = router("territories")


@routes.get(
    "/territories/{code}/account",
    summary="What a territory is given and has, in figures and in sentences",
    response_model=AccountAnswer,
    responses=failures(404, 422),
    openapi_extra=PARAMETERS.openapi,
)
def account(request: Request, code: Code) -> Response:
    """Who helps there and how far, fragility, money, passes, actions, each with its date and source.

    Beside each figure: the département's mean, and the year before. Without `year`: the present one.
    Small counts of persons are withheld. Needs the database.
    """
    values = PARAMETERS.read(request.scope["query_string"])
    service = app_state(request)
    current = service.current()
    view = current.view
    kind = TerritoryKind(values["kind"]) if "kind" in values else None
    view.snapshot.territory.find(code, kind)  # raises UnknownTerritory before the database is read
    year = values.get("year", view.clock().year)
    with service.connect() as connection:
        state = accounts.funding_state(connection)
        data = accounts.account_data(connection, view, state, year, service.kinds)
    content = account_to_dict(data.account(code, kind, year=year))
    for section in content["sections"]:
        for figure in section["figures"]:
            _in_whole_cents(figure)
    return figures_response(request, current, content, fictif=data.fictif, method=True)


def _in_whole_cents(figure: dict[str, Any]) -> None:
    if figure["unit"] in (CENTS, CENTS_EACH):
        for name in ("value", "departement", "before"):
            if figure[name] is not None:
                figure[name] = round(figure[name])
