"""Routes of corrections: values set over the sources, and sites closed or opened again."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Final

import orjson
from fastapi import Depends, Path, Request
from fastapi.responses import Response

from api.auth import SiteToken
from api.body_context import BodyContext, SnapshotContext
from api.correction_bodies import ClosingBody, CorrectionBody, ReopeningBody
from api.correction_schemas import CorrectionsAnswer
from api.openapi import failures
from api.parameters import Query, path_number
from api.problems import FieldProblem, Refused
from api.responses import JSON
from api.routing import router, write_router
from api.service import AppState, app_state
from geo.errors import InvalidCorrection, UnknownCorrection
from geo.services import correct_sites
from geo.services.correct_sites import ListedCorrection, Places
from geo.sites.correction_values import WantedCorrection
from geo.sites.corrections import Correction, Status
from geo.sites.record_json import encode
from geo.store.address_locator import locator
from geo.store.database import Connection
from geo.territory.files import read_former_communes

FRESH: Final = {"Cache-Control": "no-cache"}
NOT_STORED: Final = {"Cache-Control": "no-store"}
NO_PARAMETERS: Final = Query()

SiteId = Annotated[str, Path(description="Public identifier of the site.", examples=["demo--1"])]
CorrectionId = Annotated[
    str,
    Path(description="Number of the correction.", examples=["1"], json_schema_extra={"pattern": r"^\d+$"}),
]

routes = router("corrections")
writes = write_router("corrections")


def correction_number(correction_id: CorrectionId) -> int:
    """Parse the correction number of a path.

    Raises
    ------
    Refused
        If it is not a number.
    UnknownCorrection
        If it is larger than any number the database gives.
    """
    unknown = UnknownCorrection(f"Aucune correction ne porte le numéro {correction_id}.")
    return path_number(correction_id, "correction_id", "Une correction se désigne par son numéro.", unknown)


@routes.get(
    "/sites/{site_id:path}/corrections",
    summary="List the corrections of a site",
    response_model=CorrectionsAnswer,
    responses=failures(404, 422, not_modified=False),
)
def corrections(request: Request, site_id: SiteId) -> Response:
    """Return all corrections of a site and of those merged into it, past and ended ones too, oldest first.

    `source_changed` says that the sources now say something else than when the correction was made:
    `source_now`. Who made a correction is not said. Requires the database.
    """
    NO_PARAMETERS.read(request.scope["query_string"])
    state = app_state(request)
    today = state.current().view.clock().date()
    with state.connect() as connection:
        found = correct_sites.listed(connection, today, site_id=site_id)
    return _answer(found, FRESH)


@writes.post(
    "/sites/{site_id:path}/corrections",
    summary="Correct a site",
    status_code=201,
    response_model=CorrectionsAnswer,
    responses={
        200: {"model": CorrectionsAnswer, "description": "These corrections are in force already."},
        **failures(400, 401, 403, 404, 413, 415, 422, not_modified=False),
    },
)
def correct(
    request: Request, site_id: SiteId, token: SiteToken, context: SnapshotContext, body: CorrectionBody
) -> Response:
    """Set values over those of the sources; they stand through every import until they are ended.

    Values are checked as those of an imported file; fields that follow from them (the codes of a commune,
    the point of an address) are set too. Requires a token with scope `sites`.
    """
    state = app_state(request)
    wanted = WantedCorrection(site_id, body.texts(), body.reason, body.day, body.until)
    with state.connect() as connection, connection.begin():
        try:
            made = correct_sites.correct(
                connection,
                [wanted],
                author=token.name,
                today=context.today,
                places=_places(state, connection, context),
            )
        except InvalidCorrection as problem:
            if any(each.code == "lieu_inconnu" for each in problem.issues):
                correct_sites.listed(connection, context.today, site_id=site_id)
            raise _refusal(problem) from None
        found = correct_sites.listed(connection, context.today, site_id=site_id)
    return _answer(_of(found, made), NOT_STORED, status=201 if made else 200)


@writes.post(
    "/corrections/{correction_id}/end",
    summary="End a correction",
    response_model=CorrectionsAnswer,
    responses=failures(401, 403, 404, 409, 422, not_modified=False),
)
def end(
    request: Request,
    number: Annotated[int, Depends(correction_number)],
    token: SiteToken,
    context: SnapshotContext,
) -> Response:
    """End a correction and those made with it: the sources' value is shown again.

    Requires a token with scope `sites`.
    """
    with app_state(request).connect() as connection, connection.begin():
        ended = correct_sites.uncorrect(connection, number, author=token.name)
        found = correct_sites.listed(connection, context.today, site_id=ended[0].site_id)
    return _answer(_of(found, ended), NOT_STORED)


@writes.post(
    "/sites/{site_id:path}/close",
    summary="Close a site",
    status_code=201,
    response_model=CorrectionsAnswer,
    responses=failures(400, 401, 403, 404, 409, 413, 415, 422, not_modified=False),
)
def close(
    request: Request, site_id: SiteId, token: SiteToken, context: SnapshotContext, body: ClosingBody
) -> Response:
    """Close a site for good, or until a day: it is no longer listed. Requires a token with scope `sites`."""
    with app_state(request).connect() as connection, connection.begin():
        try:
            made = correct_sites.set_status(
                connection,
                site_id,
                Status.CLOSED,
                author=token.name,
                reason=body.reason,
                today=context.today,
                day=body.day,
                until=body.until,
            )
        except InvalidCorrection as problem:
            raise _refusal(problem) from None
        found = correct_sites.listed(connection, context.today, site_id=site_id)
    return _answer(_of(found, [made]), NOT_STORED, status=201)


@writes.post(
    "/sites/{site_id:path}/reopen",
    summary="Open a closed site again",
    response_model=CorrectionsAnswer,
    responses=failures(400, 401, 403, 404, 409, 413, 415, 422, not_modified=False),
)
def reopen(
    request: Request, site_id: SiteId, token: SiteToken, context: SnapshotContext, body: ReopeningBody
) -> Response:
    """End what closes a site, or will close it. Requires a token with scope `sites`."""
    with app_state(request).connect() as connection, connection.begin():
        ended = correct_sites.reopen(connection, site_id, author=token.name)
        found = correct_sites.listed(connection, context.today, site_id=site_id)
    return _answer(_of(found, ended), NOT_STORED)


def _places(state: AppState, connection: Connection, context: BodyContext) -> Places:
    territory = context.snapshot.territory
    former = read_former_communes(state.settings.territory_dir, territory.code)
    return Places(territory, locator(connection), former)


def _refusal(problem: InvalidCorrection) -> Exception:
    """Return the refusal of a body, with all its problems; or the conflict itself."""
    if not problem.issues:
        return problem
    names = {"raison": "reason", "jusqu_au": "until"}
    return Refused(
        [
            FieldProblem(
                names.get(each.field, each.field), each.value, f"{each.reason} {each.advice}".strip()
            )
            for each in problem.issues
        ]
    )


def _of(found: Collection[ListedCorrection], made: Collection[Correction]) -> list[ListedCorrection]:
    numbers = {each.id for each in made}
    return [each for each in found if each.correction.id in numbers]


def _answer(found: Collection[ListedCorrection], headers: dict[str, str], status: int = 200) -> Response:
    content = {"corrections": [_to_dict(each) for each in found]}
    return Response(orjson.dumps(content), status_code=status, media_type=JSON, headers=headers)


def _to_dict(each: ListedCorrection) -> dict[str, Any]:
    made = each.correction
    return {
        "id": made.id,
        "site_id": each.site_id,
        "field": made.field,
        "value": encode(made.value),
        "day": made.day,
        "until": made.until,
        "reason": made.reason,
        "state": each.state,
        "source_value": encode(made.source_value),
        "source_now": encode(each.change.value if each.change else made.source_value),
        "source_changed": each.change is not None,
        "ended_at": made.ended_at,
    }
