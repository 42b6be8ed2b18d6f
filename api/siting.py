"""Where the next sites should open: asked here, computed as a job, followed under `/jobs`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from typing import Any, Final

import orjson
from fastapi import Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from api.coverage_question import QUESTION, coverage_question
from api.openapi import failures
from api.parameters import COMMUNE_CODE, Parameter, Query, choice, integer, text
from api.planning_schemas import JobAsked
from api.request_body import Fields, described, json_object
from api.responses import JSON
from api.routing import PREFIX, router
from api.service import AppState, app_state
from geo.coverage.where_next import Candidate, Model, SitingQuestion
from geo.crs import area_of_use
from geo.services import siting as siting_service
from geo.services.siting import HALF_DAYS, SITES_MAX, TIME_LIMIT_MAX_S
from geo.snapshot import Snapshot
from geo.store.jobs import JobState

TOWN_HALLS: Final = "town_halls"
NAME_MAX: Final = 200


def _base(value: str) -> str:
    if not COMMUNE_CODE.fullmatch(value):
        raise ValueError("le code INSEE d'une commune, cinq caractères comme 47001")
    return value


ASKED: Final = Query(
    (
        choice("model", "What is best.", tuple(Model)),
        integer("p", "Sites to open.", low=1, high=SITES_MAX, default=3),
        integer("within_min", "Minutes within which people are served.", low=1, high=120, default=20),
        integer("time_limit_s", "Seconds to search.", low=1, high=TIME_LIMIT_MAX_S, default=30),
        choice("half_days", "When the bus is free.", HALF_DAYS, many=True),
        Parameter("base", "Commune the bus leaves from.", _base, {"type": "string"}),
    )
)
PLACE: Final = Query((text("name", "Its name.", max_length=NAME_MAX),))

routes = router("siting")


@routes.post(
    "/siting",
    summary="Ask where the next sites should open",
    status_code=202,
    response_model=JobAsked,
    responses={
        200: {"model": JobAsked, "description": "Answered already: the result is at `href`."},
        **failures(400, 413, 415, 422, not_modified=False),
    },
    openapi_extra=described("SitingBody"),
)
async def siting(request: Request) -> Response:
    """Queue the computation, unless the same question is queued, running or answered already.

    The data's version and the present day belong to the question; "maintenant" stands for the
    minute it was asked.
    """
    body = await json_object(request)
    return await run_in_threadpool(_asked, app_state(request), body)


def _asked(service: AppState, body: Mapping[str, Any]) -> Response:
    view = service.current().view
    moment = view.clock()
    snapshot = view.snapshot
    asked = siting_question(body, snapshot, moment)
    siting_service.require_answerable(asked, snapshot)
    with service.connect() as connection, connection.begin():
        job = siting_service.ask(connection, asked, moment, snapshot.version)
    href = f"{PREFIX}/jobs/{job.id}"
    return Response(
        orjson.dumps({"id": job.id, "state": job.state, "href": href}),
        status_code=200 if job.state is JobState.DONE else 202,
        media_type=JSON,
        headers={"Location": href, "Cache-Control": "no-store"},
    )


def siting_question(body: Mapping[str, Any], snapshot: Snapshot, moment: datetime) -> SitingQuestion:
    """The question a body asks.

    Parameters
    ----------
    moment
        What the slot "maintenant" means.

    Raises
    ------
    Refused
        If anything in it cannot be used; all is told together, by path.
    """
    read = Fields(body, ASKED, ("question", "candidates"))
    if not read.problems:
        _check_model(read, snapshot)
    question = read.nested("question", QUESTION)
    candidates = _candidates(read, body.get("candidates"), snapshot)
    read.done()
    values = read.values
    model = Model(values["model"])
    tour = model is Model.TOUR
    return SitingQuestion(
        question=coverage_question(question, moment),
        model=model,
        # What a model makes no use of must not make another question of the same.
        p=values.get("p", 3) if model in (Model.MAXIMAL_COVERAGE, Model.P_MEDIAN) else 3,
        within_min=values.get("within_min", 20),
        candidates=candidates,
        half_days=tuple(sorted(set(values["half_days"]), key=HALF_DAYS.index)) if tour else (),
        base=values["base"] if tour else "",
        time_limit_s=values.get("time_limit_s", 30),
    )


def _check_model(read: Fields, snapshot: Snapshot) -> None:
    values = read.values
    if "model" not in values:
        read.wrong("model", "", f"Il manque « model » : l'une de ces valeurs : {' · '.join(Model)}.")
    if values.get("model") != Model.TOUR:
        return
    if not values.get("half_days"):
        read.wrong("half_days", "", "Il manque « half_days » : les demi-journées où le bus est libre.")
    base = values.get("base", "")
    if base not in snapshot.territory.own_codes:
        read.wrong("base", base, "« base » doit être le code INSEE d'une commune du territoire.")


def _candidates(read: Fields, given: object, snapshot: Snapshot) -> tuple[Candidate, ...]:
    if given is None or given == TOWN_HALLS:
        return ()
    if not isinstance(given, list) or not given:
        read.wrong(
            "candidates", given, f"« candidates » doit être « {TOWN_HALLS} » ou une liste de points non vide."
        )
        return ()
    bounds = area_of_use(snapshot.territory.metric_crs)
    return tuple(
        candidate
        for rank, each in enumerate(given)
        if (candidate := _candidate(read, f"candidates[{rank}]", each, bounds)) is not None
    )


def _candidate(
    read: Fields, path: str, given: object, bounds: tuple[float, float, float, float]
) -> Candidate | None:
    if not isinstance(given, dict):
        read.wrong(path, given, f"« {path} » doit être un objet : name, longitude, latitude.")
        return None
    unknown = [name for name in given if name not in ("name", "longitude", "latitude")]
    for name in unknown:
        read.wrong(f"{path}.{name}", given[name], f"Le champ « {name[:60]} » n'existe pas ici.")
    name, x, y = given.get("name"), given.get("longitude"), given.get("latitude")
    named = isinstance(name, str) and 0 < len(name) <= NAME_MAX
    if not named:
        read.wrong(f"{path}.name", name, f"Un nom de 1 à {NAME_MAX} caractères est attendu.")
    placed = _is_number(x) and _is_number(y)
    west, south, east, north = bounds
    if not placed:
        read.wrong(
            f"{path}.longitude", f"{x}, {y}", "Longitude et latitude doivent être des nombres (degrés)."
        )
    elif not (west <= x <= east and south <= y <= north):  # type: ignore[operator]
        placed = False
        swapped = west <= y <= east and south <= x <= north  # type: ignore[operator]
        read.wrong(
            f"{path}.longitude",
            f"{x}, {y}",
            "Ce point est trop loin du territoire."
            + (" Longitude et latitude semblent inversées." if swapped else ""),
        )
    if unknown or not (named and placed):
        return None
    return Candidate(" ".join(str(name).split()), float(x), float(y))  # type: ignore[arg-type]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
