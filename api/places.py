"""Places: where somebody says they are, by what they typed. Never logged, never kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass
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
from api.service import AppState, app_state
from geo.errors import DatabaseUnavailable
from geo.places import geocoder
from geo.places.ban import LICENCE, PRODUCER
from geo.places.model import Place, best_first
from geo.places.place_index import CERTAIN_SCORE
from geo.services.snapshot_view import SnapshotView
from geo.store import addresses

MAX_LIMIT: Final = 20
DEFAULT_LIMIT: Final = 8

GOOD_ENOUGH: Final = 0.75
"""Score from which the State's geocoder, if it is configured, is not asked."""

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


@dataclass(frozen=True, slots=True)
class FoundPlaces:
    """What was found, and what it was looked for in.

    `addresses` is true when the address file was searched, false when none is loaded, None when the
    database did not answer. `attribution` names the sources beyond the territory's own.
    """

    places: tuple[Place, ...]
    addresses: bool | None
    attribution: tuple[str, ...] = ()


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
    answer must not be kept by caches, since a question may be an address.
    """
    values = SEARCH.read(request.scope["query_string"])
    if not values.get("q"):
        raise refuse("q", "", "Il manque « q » : une adresse, une commune ou un code postal.")
    service = app_state(request)
    current = service.current()
    found = look_for(service, current.view, values["q"], values.get("limit", DEFAULT_LIMIT))
    body = {"meta": _meta(current, found), "places": [asdict(place) for place in found.places]}
    return Response(orjson.dumps(body), media_type=JSON, headers={"Cache-Control": "no-store"})


def find_places(service: AppState, view: SnapshotView, text: str, limit: int) -> list[Place]:
    """Places that answer what somebody typed, best first; empty when none does.

    From the territory, the addresses of the database if there are any and it answers, and the
    State's geocoder if it is configured and nothing better than `GOOD_ENOUGH` was found.
    """
    return list(look_for(service, view, text, limit).places)


def find_place(service: AppState, view: SnapshotView, place_id: str) -> Place:
    """The place that bears an identifier found earlier.

    Raises
    ------
    UnknownPlace
        If none does.
    DatabaseUnavailable
        If it is an address, and the database does not answer.
    """
    if place_id.startswith("ban-"):
        with service.connect() as connection:
            return addresses.place(connection, place_id)
    if place_id.startswith("geo-"):
        return geocoder.place(place_id, view.snapshot.territory)
    return view.place_index.place(place_id)


def look_for(service: AppState, view: SnapshotView, text: str, limit: int) -> FoundPlaces:
    """As `find_places`, telling what was searched."""
    found = view.place_index.search(text, limit)
    attribution: list[str] = []
    loaded: bool | None
    try:
        if not service.current().database_ok:  # known to be away: nobody waits to be told again
            raise DatabaseUnavailable("The database did not answer when last asked.")
        with service.connect() as connection:
            kept = addresses.search(
                connection,
                text,
                limit,
                communes=view.place_index.named_in(text),
                answered=bool(found) and found[0].score >= CERTAIN_SCORE,
            )
            loaded = bool(kept or addresses.about(connection))
    except DatabaseUnavailable:
        loaded = None
    else:
        found += kept
        attribution += [f"{PRODUCER} ({LICENCE})"] if kept else []
    url = service.http.geocoder_url
    if url and max((place.score for place in found), default=0.0) < GOOD_ENOUGH:
        asked = geocoder.geocode(url, text, limit, view.snapshot.territory)
        found += asked
        attribution += ["Géocodeur de l'État"] if asked else []
    return FoundPlaces(tuple(best_first(found, limit)), loaded, tuple(attribution))


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
