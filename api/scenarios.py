"""Routes of what-if scenarios: evaluated for everybody, saved with a token, compared and exported."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Final

import orjson
from fastapi import Depends, Path, Request
from fastapi.responses import Response

from api.auth import ScenarioToken
from api.body_context import SnapshotContext
from api.coverage import MEDIA_TYPES, described_files
from api.coverage_question import QUESTION_PARAMETERS, coverage_question
from api.openapi import failures
from api.parameters import DIALECT, KIND, MAX_ID, Query, choice, csv_dialect, integers, path_number, refuse
from api.planning_bodies import EvaluationBody, ScenarioBody
from api.planning_schemas import ComparisonAnswer, EvaluationAnswer, ScenarioOut, ScenariosAnswer
from api.rendered_snapshot import CurrentView, site_feature
from api.responses import JSON
from api.routing import PREFIX, router, write_router
from api.service import app_state
from geo.coverage.measure import Question
from geo.coverage.scenario import Close, Edit, Open, apply, parse_edits
from geo.errors import InvalidScenario, UnknownScenario
from geo.services import scenario_records
from geo.services.coverage import question_to_dict, totals_to_dict
from geo.services.scenarios import evaluate_edits
from geo.services.snapshot_view import SnapshotView
from geo.snapshot import Snapshot
from geo.store import scenarios as stored
from geo.store.scenarios import Scenario
from geo.store.tokens import Token
from geo.territory.model import TerritoryKind

COMPARED_MAX: Final = 10

NO_CACHE: Final = {"Cache-Control": "no-cache"}
NOT_STORED: Final = {"Cache-Control": "no-store"}

NO_PARAMETERS: Final = Query()
COMPARE_QUERY: Final = Query(
    (
        integers(
            "ids",
            "Numbers of the scenarios, separated by commas.",
            low=1,
            high=MAX_ID,
            most=COMPARED_MAX,
            default=(1,),
        ),
        KIND,
        *QUESTION_PARAMETERS,
    )
)
EXPORT_QUERY: Final = Query(
    (
        choice("format", "File format.", ("json", "csv", "xlsx", "gpkg", "geojson"), default="json"),
        DIALECT,
        KIND,
        *QUESTION_PARAMETERS,
    )
)

ScenarioId = Annotated[
    str,
    Path(description="Number of the scenario.", examples=["1"], json_schema_extra={"pattern": r"^\d+$"}),
]


def scenario_number(scenario_id: ScenarioId) -> int:
    """Parse the scenario number of a path.

    Raises
    ------
    Refused
        If it is not a number.
    UnknownScenario
        If it is larger than any number the database gives.
    """
    unknown = UnknownScenario(
        f"Aucun scénario ne porte le numéro {scenario_id}.", "La liste des scénarios donne leurs numéros."
    )
    sentence = "Un scénario se désigne par son numéro, par exemple 12."
    return path_number(scenario_id, "scenario_id", sentence, unknown)


ScenarioNumber = Annotated[int, Depends(scenario_number)]

log = logging.getLogger("portee.api")
routes = router("scenarios")
writes = write_router("scenarios")


def edited_sites(snapshot: Snapshot, edits: Sequence[Edit]) -> dict[str, object]:
    """Return the edited sites as GeoJSON, in the order of the edits."""
    after, before = apply(snapshot, edits), {site.id for site in snapshot.sites}
    numbers = (site.id for site in after.sites if site.id not in before)
    opened = iter(sorted(numbers, key=lambda site_id: int(site_id.rpartition("--")[2])))
    features = []
    for edit in edits:
        site_id = next(opened) if isinstance(edit, Open) else edit.site
        site = (snapshot if isinstance(edit, Close) else after).site(site_id)
        feature = site_feature(site)
        feature["properties"] = {
            "action": edit.action,
            "name": site.nom,
            "commune": site.commune or None,
        }
        features.append(feature)
    return {"type": "FeatureCollection", "features": features}


def evaluation_json(
    current: CurrentView, edits: tuple[Edit, ...], question: Question, kind: TerritoryKind
) -> bytes:
    """Return the answer of an evaluation as JSON."""
    view = current.view
    found = evaluate_edits(view, edits, question, kind)
    content = {
        **question_to_dict(view.coverage(question)),
        "kind": kind,
        "summary": found.summary,
        "territories": found.territories,
        "sites": edited_sites(view.snapshot, edits),
    }
    return _with_meta(current, content)


def _with_meta(current: CurrentView, content: Mapping[str, Any]) -> bytes:
    return b'{"meta":%b,%b' % (current.meta(with_method=True), orjson.dumps(content)[1:])


@writes.post(
    "/scenarios/evaluate",
    summary="Evaluate the effect of edits on access",
    response_model=EvaluationAnswer,
    responses=failures(400, 413, 415, 422, not_modified=False),
)
def evaluate(context: SnapshotContext, body: EvaluationBody) -> Response:
    """Open, close or move sites, or change their hours, without changing stored data."""
    question = coverage_question(body.question, context.current.view.clock())
    content = evaluation_json(context.current, body.edits, question, body.kind)
    return Response(content, media_type=JSON, headers=NOT_STORED)


@routes.get(
    "/scenarios",
    summary="List saved scenarios by name",
    response_model=ScenariosAnswer,
    responses=failures(422, not_modified=False),
)
def scenarios(request: Request) -> Response:
    """Return all scenarios with their edits. Requires the database."""
    NO_PARAMETERS.read(request.scope["query_string"])
    with app_state(request).connect() as connection:
        found = stored.list_(connection)
    return _json({"scenarios": [asdict(each) for each in found]}, NO_CACHE)


@writes.post(
    "/scenarios",
    summary="Save a scenario",
    status_code=201,
    response_model=ScenarioOut,
    responses=failures(400, 401, 403, 409, 413, 415, 422, not_modified=False),
)
def create(request: Request, token: ScenarioToken, context: SnapshotContext, body: ScenarioBody) -> Response:
    """Save edits under a new name. Requires a token with scope `scenarios`."""
    with app_state(request).connect() as connection, connection.begin():
        saved = scenario_records.create(
            connection, body.title, body.description, body.edits, context.snapshot
        )
    _log("created", saved, token)
    return _json(asdict(saved), {**NOT_STORED, "Location": f"{PREFIX}/scenarios/{saved.id}"}, status=201)


@routes.get(
    "/scenarios/compare",
    summary="Compare scenarios with the current sites",
    response_model=ComparisonAnswer,
    responses=failures(404, 422, not_modified=False),
    openapi_extra=COMPARE_QUERY.openapi,
)
def compared(request: Request) -> Response:
    """Return the totals of the territory today and after each scenario, and changes by territory.

    A scenario that no longer applies to the current data has a `problem`. Requires the database.
    """
    values = COMPARE_QUERY.read(request.scope["query_string"])
    if "ids" not in values:
        raise refuse("ids", "", "Il manque « ids » : les numéros des scénarios à comparer.")
    state = app_state(request)
    with state.connect() as connection:
        saved = [stored.get(connection, number) for number in values["ids"]]
    current = state.current()
    question = coverage_question(values, current.view.clock())
    kind = TerritoryKind(values.get("kind", TerritoryKind.COMMUNE))
    (today,) = current.view.coverage_by_territory(question, TerritoryKind.DEPARTEMENT)
    content = {
        **question_to_dict(current.view.coverage(question)),
        "kind": kind,
        "today": totals_to_dict(today, question),
        "scenarios": [_compared(current.view, each, question, kind) for each in saved],
    }
    return Response(_with_meta(current, content), media_type=JSON, headers=NO_CACHE)


def _compared(
    view: SnapshotView, saved: Scenario, question: Question, kind: TerritoryKind
) -> dict[str, object]:
    content: dict[str, object] = {"id": saved.id, "name": saved.name, "problem": None}
    try:
        edits = parse_edits(list(saved.edits), view.snapshot)
    except InvalidScenario as problem:
        return {**content, "problem": str(problem), "summary": None, "territories": []}
    found = evaluate_edits(view, edits, question, kind)
    return {**content, "summary": found.summary, "territories": found.territories}


@routes.get(
    "/scenarios/{scenario_id}",
    summary="Get a scenario",
    response_model=ScenarioOut,
    responses=failures(404, 422, not_modified=False),
)
def scenario(request: Request, scenario_id: ScenarioId) -> Response:
    """Return the name, description and edits of a scenario. Requires the database."""
    NO_PARAMETERS.read(request.scope["query_string"])
    number = scenario_number(scenario_id)
    with app_state(request).connect() as connection:
        found = stored.get(connection, number)
    return _json(asdict(found), NO_CACHE)


@writes.put(
    "/scenarios/{scenario_id}",
    summary="Replace a scenario",
    response_model=ScenarioOut,
    responses=failures(400, 401, 403, 404, 413, 415, 422, not_modified=False),
)
def replace(
    request: Request,
    number: ScenarioNumber,
    token: ScenarioToken,
    context: SnapshotContext,
    body: ScenarioBody,
) -> Response:
    """Replace the description and edits; the name cannot change. Requires a token with scope `scenarios`."""
    with app_state(request).connect() as connection, connection.begin():
        saved = scenario_records.replace(
            connection, number, body.title, body.description, body.edits, context.snapshot
        )
    _log("replaced", saved, token)
    return _json(asdict(saved), NOT_STORED)


@writes.delete(
    "/scenarios/{scenario_id}",
    summary="Delete a scenario",
    status_code=204,
    response_class=Response,
    responses=failures(401, 403, 404, 422, not_modified=False),
)
def delete(request: Request, number: ScenarioNumber, token: ScenarioToken) -> Response:
    """Delete a scenario. Requires a token with scope `scenarios`."""
    with app_state(request).connect() as connection, connection.begin():
        deleted = scenario_records.delete(connection, number)
    _log("deleted", deleted, token)
    return Response(status_code=204, headers=NOT_STORED)


@routes.get(
    "/scenarios/{scenario_id}/export",
    summary="Export the effect of a scenario as a file",
    response_model=EvaluationAnswer,
    responses={
        200: {"content": described_files("csv", "xlsx", "gpkg", "geojson")},
        **failures(404, 422, not_modified=False),
    },
    openapi_extra=EXPORT_QUERY.openapi,
)
def exported(request: Request, scenario_id: ScenarioId) -> Response:
    """Return the changes by territory; as JSON, the answer of `/scenarios/evaluate`."""
    number = scenario_number(scenario_id)
    values = EXPORT_QUERY.read(request.scope["query_string"])
    state = app_state(request)
    with state.connect() as connection:
        saved = stored.get(connection, number)
    current = state.current()
    view = current.view
    question = coverage_question(values, view.clock())
    kind = TerritoryKind(values.get("kind", TerritoryKind.COMMUNE))
    edits = parse_edits(list(saved.edits), view.snapshot)
    file_format = values.get("format", "json")
    name = f"scenario-{number}-{kind}.{file_format}"
    if file_format == "json":
        body = evaluation_json(current, edits, question, kind)
    else:
        found = evaluate_edits(view, edits, question, kind)
        body = scenario_records.export_file(
            saved, found, view.coverage(question), kind, file_format, csv_dialect(values)[0]
        )
    headers = {**NO_CACHE, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=MEDIA_TYPES[file_format], headers=headers)


def _log(action: str, scenario: Scenario, token: Token) -> None:
    log.info("Scenario %d %r %s by token %d %r", scenario.id, scenario.name, action, token.id, token.name)


def _json(value: object, headers: Mapping[str, str], status: int = 200) -> Response:
    return Response(orjson.dumps(value), status_code=status, media_type=JSON, headers=dict(headers))
