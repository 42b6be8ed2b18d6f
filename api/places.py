"""Search of places by what somebody typed. Queries are neither logged nor stored."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

import orjson
from fastapi import Request
from fastapi.responses import Response

from api.openapi import failures
from api.parameters import Query, integer, refuse, text
from api.rendered_snapshot import CurrentView
from api.responses import JSON
from api.routing import router
from api.schemas import PlacesAnswer
from api.service import app_state
from geo.services.find_help import FoundPlaces

MAX_LIMIT: Final = 20
DEFAULT_LIMIT: Final = 8

WORDS: Final = text(
    "q",
    "What somebody typed: an address, a street, a hamlet, a commune or a postcode, misspelt or half "
    "typed. Needed.",
    example="villeneuve sur lot",
)
SEARCH: Final = Query(
    (WORDS, integer("limit", "How many places.", low=1, high=MAX_LIMIT, default=DEFAULT_LIMIT))
)

_AWAY: Final = "La recherche d'adresses est momentanément indisponible : cherchez par commune ou code postal."
_NONE: Final = "Aucune adresse n'est chargée : cherchez par commune ou code postal."

routes = router("places")


@routes.get(
    "/places",
    summary="Places by what somebody typed",
    response_model=PlacesAnswer,
    responses=failures(422, 429, not_modified=False),
    openapi_extra=SEARCH.openapi,
)
def places(request: Request) -> Response:
    """Communes, postcodes, hamlets, streets and addresses, best first.

    Accents, case, hyphens, articles, abbreviations and common misspellings do not matter. Communes
    and postcodes are always found; addresses where their file is loaded (`meta.addresses`). The
    answer must not be cached, since a query may be an address.
    """
    values = SEARCH.read(request.scope["query_string"])
    if not values.get("q"):
        raise refuse("q", "", "Il manque « q » : une adresse, une commune ou un code postal.")
    service = app_state(request)
    current = service.current()
    finder = service.place_finder(current)
    found = finder.search(values["q"], values.get("limit", DEFAULT_LIMIT))
    body = {"meta": _meta(current, found), "places": [asdict(place) for place in found.places]}
    return Response(orjson.dumps(body), media_type=JSON, headers={"Cache-Control": "no-store"})


def _meta(current: CurrentView, found: FoundPlaces) -> dict[str, object]:
    message = {True: None, False: _NONE, None: _AWAY}[found.addresses]
    return {
        **current.meta_dict(),
        "addresses": {
            "searched": bool(found.addresses),
            "attribution": " · ".join(found.attribution) or None,
            "message": message,
        },
    }
