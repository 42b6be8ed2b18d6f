"""What if: edits of the sites evaluated without touching them; scenarios kept, compared, exported."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Annotated, Any, Final

import orjson
from fastapi import Path, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from api.auth import active_token, request_secret
from api.coverage import MEDIA_TYPES, described_files
from api.coverage_question import QUESTION, QUESTION_PARAMETERS, coverage_question
from api.openapi import failures
from api.parameters import KIND, MAX_ID, Query, choice, integers, refuse, text
from api.planning_schemas import ComparisonAnswer, EvaluationAnswer, ScenarioOut, ScenariosAnswer
from api.rendered_snapshot import CurrentView, site_feature
from api.request_body import Fields, described, json_object
from api.responses import JSON
from api.routing import PREFIX, router
from api.service import AppState, app_state
from geo.coverage import export
from geo.coverage.measure import Question
from geo.coverage.scenario import Close, Edit, Open, apply, edits_to_json, parse_edits
from geo.errors import InvalidScenario, NameTaken, UnknownScenario
from geo.services.coverage import question_to_dict, totals_to_dict
from geo.services.scenarios import DESCRIPTION_MAX, NAME_MAX, evaluate_edits
from geo.services.snapshot_view import SnapshotView
from geo.snapshot import Snapshot
from geo.store import scenarios as stored
from geo.store.database import Connection
from geo.store.scenarios import Scenario
from geo.store.tokens import Scope, Token
from geo.territory.model import TerritoryKind

COMPARED_MAX: Final = 10

FRESH: Final = {"Cache-Control": "no-cache"}
NOT_KEPT: Final = {"Cache-Control": "no-store"}

NO_PARAMETERS: Final = Query()
EVALUATED: Final = Query((KIND,))
SAVED: Final = Query(
    (
        text("name", "Name of the scenario.", max_length=NAME_MAX),
        text("description", "What it is for.", max_length=DESCRIPTION_MAX),
    )
)
COMPARED: Final = Query(
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
EXPORTED: Final = Query(
    (
        choice("format", "Form of the table.", ("json", "csv", "xlsx", "gpkg", "geojson"), default="json"),
        KIND,
        *QUESTION_PARAMETERS,
    )
)

ScenarioId = Annotated[str, Path(description="Number of the scenario.", examples=["1"], pattern=r"^\d+$")]

log = logging.getLogger("portee.api")
routes = router("scenarios")


def edited_sites(snapshot: Snapshot, edits: tuple[Edit, ...]) -> dict[str, object]:
    """The sites that edits touch, as GeoJSON, in the order of the edits."""
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
    """The whole answer of an evaluation."""
    view = current.view
    found = evaluate_edits(view, edits, question, kind)
    told = orjson.dumps(
        {
            **question_to_dict(view.coverage(question)),
            "kind": kind,
            "summary": found.summary,
            "territories": found.territories,
            "sites": edited_sites(view.snapshot, edits),
        }
    )
    return b'{"meta":%b,%b' % (current.meta(with_method=True), told[1:])


@routes.post(
    "/scenarios/evaluate",
    summary="What edits of the sites change, and for whom",
    response_model=EvaluationAnswer,
    responses=failures(400, 413, 415, 422, not_modified=False),
    openapi_extra=described("EvaluationBody"),
)
async def evaluate(request: Request) -> Response:
    """Open, close, move sites or change their hours, without touching what is stored."""
    NO_PARAMETERS.read(request.scope["query_string"])
    body = await json_object(request)
    current = app_state(request).current()

    def answered() -> bytes:
        read = Fields(body, EVALUATED, ("edits", "question"))
        values = read.nested("question", QUESTION)
        edits = _edits(read, body, current.view.snapshot)
        read.done()
        question = coverage_question(values, current.view.clock())
        return evaluation_json(
            current, edits, question, TerritoryKind(read.values.get("kind", TerritoryKind.COMMUNE))
        )

    return Response(await run_in_threadpool(answered), media_type=JSON, headers=NOT_KEPT)


def _edits(read: Fields, body: Mapping[str, Any], snapshot: Snapshot) -> tuple[Edit, ...]:
    """The edits of a body; what is wrong with them is noted beside all the rest."""
    try:
        return parse_edits(body.get("edits"), snapshot)
    except InvalidScenario as problem:
        read.wrong("edits", "", str(problem))
        return ()


@routes.get(
    "/scenarios",
    summary="Kept scenarios, by name",
    response_model=ScenariosAnswer,
    responses=failures(422, not_modified=False),
)
def scenarios(request: Request) -> Response:
    """All of them, with their edits. Needs the database."""
    NO_PARAMETERS.read(request.scope["query_string"])
    with app_state(request).connect() as connection:
        found = stored.list_(connection)
    return _json({"scenarios": [asdict(each) for each in found]}, FRESH)


@routes.post(
    "/scenarios",
    summary="Keep a scenario",
    status_code=201,
    response_model=ScenarioOut,
    responses=failures(400, 401, 403, 409, 413, 415, 422, not_modified=False),
    openapi_extra=described("ScenarioBody"),
)
async def create(request: Request) -> Response:
    """Keep edits under a name that no other scenario bears. Needs a token with scope `scenarios`."""

    def save(connection: Connection, body: dict[str, Any], snapshot: Snapshot) -> Scenario:
        name, description, edits = _read_scenario(body, snapshot)
        if any(each.name == name for each in stored.list_(connection)):
            raise NameTaken(
                f"Un scénario s'appelle déjà « {name} ».", "Choisissez un autre nom, ou remplacez celui-là."
            )
        return stored.save(connection, name, description, edits_to_json(edits), snapshot.version)

    kept = await _changed(request, save, "created")
    return _json(asdict(kept), {**NOT_KEPT, "Location": f"{PREFIX}/scenarios/{kept.id}"}, status=201)


@routes.get(
    "/scenarios/compare",
    summary="Scenarios side by side, each against today",
    response_model=ComparisonAnswer,
    responses=failures(404, 422, not_modified=False),
    openapi_extra=COMPARED.openapi,
)
def compared(request: Request) -> Response:
    """Totals of the territory today and after each scenario, and who gains and loses by `kind`.

    A scenario whose sites are no longer in service says so. Needs the database.
    """
    values = COMPARED.read(request.scope["query_string"])
    if "ids" not in values:
        raise refuse("ids", "", "Il manque « ids » : les numéros des scénarios à comparer.")
    service = app_state(request)
    with service.connect() as connection:
        kept = [stored.get(connection, number) for number in values["ids"]]
    current = service.current()
    question = coverage_question(values, current.view.clock())
    kind = TerritoryKind(values.get("kind", TerritoryKind.COMMUNE))
    (today,) = current.view.coverage_by_territory(question, TerritoryKind.DEPARTEMENT)
    told = orjson.dumps(
        {
            **question_to_dict(current.view.coverage(question)),
            "kind": kind,
            "today": totals_to_dict(today, question),
            "scenarios": [_compared(current.view, each, question, kind) for each in kept],
        }
    )
    body = b'{"meta":%b,%b' % (current.meta(with_method=True), told[1:])
    return Response(body, media_type=JSON, headers=FRESH)


def _compared(
    view: SnapshotView, kept: Scenario, question: Question, kind: TerritoryKind
) -> dict[str, object]:
    told: dict[str, object] = {"id": kept.id, "name": kept.name, "problem": None}
    try:
        edits = parse_edits(list(kept.edits), view.snapshot)
    except InvalidScenario as problem:
        return {**told, "problem": str(problem), "summary": None, "territories": []}
    found = evaluate_edits(view, edits, question, kind)
    return {**told, "summary": found.summary, "territories": found.territories}


@routes.get(
    "/scenarios/{scenario_id}",
    summary="One scenario",
    response_model=ScenarioOut,
    responses=failures(404, 422, not_modified=False),
)
def scenario(request: Request, scenario_id: ScenarioId) -> Response:
    """Name, description and edits as they are kept. Needs the database."""
    NO_PARAMETERS.read(request.scope["query_string"])
    number = scenario_number(scenario_id)
    with app_state(request).connect() as connection:
        found = stored.get(connection, number)
    return _json(asdict(found), FRESH)


@routes.put(
    "/scenarios/{scenario_id}",
    summary="Replace a scenario",
    response_model=ScenarioOut,
    responses=failures(400, 401, 403, 404, 413, 415, 422, not_modified=False),
    openapi_extra=described("ScenarioBody"),
)
async def replace(request: Request, scenario_id: ScenarioId) -> Response:
    """Put other edits in its place; it keeps its name. Needs a token with scope `scenarios`."""
    number = scenario_number(scenario_id)

    def save(connection: Connection, body: dict[str, Any], snapshot: Snapshot) -> Scenario:
        name, description, edits = _read_scenario(body, snapshot)
        if stored.get(connection, number).name != name:
            raise refuse(
                "name",
                name,
                "Un scénario garde son nom : enregistrez celui-ci à part, puis supprimez l'ancien.",
            )
        kept = stored.save(connection, name, description, edits_to_json(edits), snapshot.version)
        if kept.id != number:  # deleted meanwhile: what was just written is undone
            raise UnknownScenario(f"Aucun scénario ne porte le numéro {number}.", "Il vient d'être supprimé.")
        return kept

    return _json(asdict(await _changed(request, save, "replaced")), NOT_KEPT)


@routes.delete(
    "/scenarios/{scenario_id}",
    summary="Delete a scenario",
    status_code=204,
    response_class=Response,
    responses=failures(401, 403, 404, 422, not_modified=False),
)
def delete(request: Request, scenario_id: ScenarioId) -> Response:
    """Keep it no longer. Needs a token with scope `scenarios`."""
    NO_PARAMETERS.read(request.scope["query_string"])
    secret, number = request_secret(request), scenario_number(scenario_id)
    with app_state(request).connect() as connection, connection.begin():
        token = active_token(connection, secret, Scope.SCENARIOS)
        gone = stored.get(connection, number)
        stored.delete_(connection, number)
    _note("deleted", gone, token)
    return Response(status_code=204, headers=NOT_KEPT)


@routes.get(
    "/scenarios/{scenario_id}/export",
    summary="What a scenario changes, as a file",
    response_model=EvaluationAnswer,
    responses={
        200: {"content": described_files("csv", "xlsx", "gpkg", "geojson")},
        **failures(404, 422, not_modified=False),
    },
    openapi_extra=EXPORTED.openapi,
)
def exported(request: Request, scenario_id: ScenarioId) -> Response:
    """Who gains and loses, territory by territory; as JSON, the answer of an evaluation."""
    number = scenario_number(scenario_id)
    values = EXPORTED.read(request.scope["query_string"])
    service = app_state(request)
    with service.connect() as connection:
        kept = stored.get(connection, number)
    current = service.current()
    view = current.view
    question = coverage_question(values, view.clock())
    kind = TerritoryKind(values.get("kind", TerritoryKind.COMMUNE))
    edits = parse_edits(list(kept.edits), view.snapshot)
    asked = values.get("format", "json")
    headers = {**FRESH, "Content-Disposition": f'attachment; filename="scenario-{number}-{kind}.{asked}"'}
    body = (
        evaluation_json(current, edits, question, kind)
        if asked == "json"
        else _file(view, kept, edits, question, kind, asked)
    )
    return Response(body, media_type=MEDIA_TYPES[asked], headers=headers)


def _file(
    view: SnapshotView,
    kept: Scenario,
    edits: tuple[Edit, ...],
    question: Question,
    kind: TerritoryKind,
    asked: str,
) -> bytes:
    found = evaluate_edits(view, edits, question, kind)
    about = [("Scénario", f"{kept.name} (n° {kept.id})"), *found.about]
    shapes = export.geometries(view.coverage(question), kind)
    if asked == "csv":
        return export.csv_bytes(found.table)
    if asked == "xlsx":
        return export.xlsx_bytes({"scénario": found.table}, about)
    if asked == "gpkg":
        return export.gpkg_bytes(found.table, shapes, about=about)
    return export.geojson_bytes(found.table, shapes, about=about)


Save = Callable[[Connection, dict[str, Any], Snapshot], Scenario]


async def _changed(request: Request, save: Save, what: str) -> Scenario:
    """Keep what a request's body says, if its bearer may; all or nothing."""
    NO_PARAMETERS.read(request.scope["query_string"])
    secret = request_secret(request)
    body = await json_object(request)
    return await run_in_threadpool(_saved, app_state(request), secret, body, save, what)


def _saved(service: AppState, secret: str, body: dict[str, Any], save: Save, what: str) -> Scenario:
    with service.connect() as connection, connection.begin():
        token = active_token(connection, secret, Scope.SCENARIOS)
        kept = save(connection, body, service.current().view.snapshot)
    _note(what, kept, token)
    return kept


def _note(what: str, kept: Scenario, token: Token) -> None:
    log.info("Scenario %d %r %s by token %d %r", kept.id, kept.name, what, token.id, token.name)


def _read_scenario(body: Mapping[str, Any], snapshot: Snapshot) -> tuple[str, str, tuple[Edit, ...]]:
    read = Fields(body, SAVED, ("edits",))
    name = " ".join(read.values.get("name", "").split())
    if not name and not read.problems:
        read.wrong("name", "", "Il manque « name » : le nom du scénario.")
    edits = _edits(read, body, snapshot)
    read.done()
    return name, read.values.get("description", ""), edits


def scenario_number(scenario_id: str) -> int:
    """The number of a scenario as the path gives it.

    Raises
    ------
    Refused
        If it is no number.
    """
    if not (scenario_id.isascii() and scenario_id.isdigit() and len(scenario_id) < 12):
        raise refuse("scenario_id", scenario_id, "Un scénario se désigne par son numéro, par exemple 12.")
    if int(scenario_id) > MAX_ID:
        raise UnknownScenario(
            f"Aucun scénario ne porte le numéro {scenario_id}.", "La liste des scénarios donne leurs numéros."
        )
    return int(scenario_id)


def _json(value: object, headers: Mapping[str, str], status: int = 200) -> Response:
    return Response(orjson.dumps(value), status_code=status, media_type=JSON, headers=dict(headers))
