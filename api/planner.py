"""The planner's page: a coverage question in the address, its answer as one page or PDF."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

import orjson
from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api.coverage_question import DEFAULTS, QUESTION_PARAMETERS, coverage_question, dated
from api.pages import HTML, page, send
from api.parameters import KIND, MAX_PARAMETERS, Query, choice, text
from api.problems import Refused
from api.rendered_snapshot import RenderedPage, RenderedSnapshot
from api.routing import PREFIX, router
from api.service import app_state
from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.gaps import gaps_of_communes
from geo.coverage.measure import Question, measure
from geo.coverage.scenario import apply, parse_edits
from geo.errors import InvalidScenario, OperatorError, PorteeError
from geo.lru_cache import LruCache
from geo.services.coverage import question_parameters
from geo.services.snapshot_view import SnapshotView
from geo.territory.model import TerritoryKind
from static_maps.coverage_map import Link
from static_maps.funding_pages import refused_page
from static_maps.planner_form import LAYERS, ORDERS, PATH, Pairs, PlannerForm, address
from static_maps.planner_map import planner_page
from static_maps.report import report_pdf

EDITS_MAX: Final = 20_000
"""Maximum length of the edits in an address, in characters of JSON."""

PARAMETERS: Final = Query(
    (
        *QUESTION_PARAMETERS,
        KIND,
        choice("tri", "Order of the table.", ORDERS),
        choice("couche", "What the map shows.", LAYERS),
        text("edits", "Edits of a what-if, as JSON.", max_length=EDITS_MAX),
    )
)
WEIGHT: Final = "poids-"
HOUR: Final = "heure"
"""Form controls that are merged into another parameter and never appear in the address."""

DEFAULT_PAIRS: Final = frozenset(
    {
        ("mode", DEFAULTS.mode.value),
        ("minutes", ",".join(map(str, DEFAULTS.minutes))),
        ("beyond_min", str(DEFAULTS.beyond_min)),
        ("population", DEFAULTS.population),
        ("supply", DEFAULTS.supply.value),
        ("decay", DEFAULTS.decay.text),
        ("kind", TerritoryKind.COMMUNE.value),
        ("tri", "rang"),
        ("couche", LAYERS[0]),
    }
)
REPORT: Final = f"{PATH}/rapport.pdf"
REPORTS_CACHED: Final = 4

FORMATS: Final[tuple[Link, ...]] = (
    ("Tableau (CSV)", "csv"),
    ("Tableau (XLSX)", "xlsx"),
    ("Carte (GeoPackage)", "gpkg"),
    ("Carte (GeoJSON)", "geojson"),
)


def canonical(pairs: Iterable[tuple[str, str]]) -> Pairs:
    """Return the parameters of a query in canonical form.

    Nothing empty, nothing that is the default; percentages brought together in `weights`, a day
    and its hour in `slot`. An hour without a day stays, for the refusal to name it.
    """
    given = [(name, value.strip()) for name, value in pairs if value.strip()]
    parts = [
        f"{name.removeprefix(WEIGHT)}:{_share(value)}"
        for name, value in given
        if name.startswith(WEIGHT) and value != "0"
    ]
    hour = next((value for name, value in given if name == HOUR), "")
    kept = []
    for name, value in given:
        if name.startswith(WEIGHT) or name == HOUR or (name, value) in DEFAULT_PAIRS:
            continue
        joined = f"{value} {hour}" if name == "slot" and hour else value
        kept.append((name, joined))
    if hour and not any(name == "slot" for name, _ in kept):
        kept.append(("slot", hour))
    if parts:
        kept.append(("weights", ",".join(parts)))
    return tuple(kept)


def _share(percent: str) -> str:
    """Return a percentage as a share; text that is not a number is returned as is, to be refused by name."""
    try:
        return f"{float(percent.replace(',', '.')) / 100:g}"
    except ValueError:
        return percent


@dataclass(frozen=True, slots=True)
class PlannerQuery:
    """The question, territory level and edits of an address of the page."""

    pairs: Pairs
    question: Question
    kind: TerritoryKind
    moment: datetime
    edits: str

    @property
    def key(self) -> tuple[object, ...]:
        """Cache key of the page within one snapshot."""
        return ("planner", self.pairs, dated(self.moment, self.question.slot))


def parse_planner_query(query: bytes, pairs: Pairs, moment: datetime) -> PlannerQuery:
    """Parse the address of the page.

    Raises
    ------
    Refused
        If a value cannot be used.
    """
    values = PARAMETERS.read(query)
    kind = TerritoryKind(values.get("kind", TerritoryKind.COMMUNE))
    return PlannerQuery(pairs, coverage_question(values, moment), kind, moment, values.get("edits", ""))


def downloads(form: PlannerForm) -> list[Link]:
    """Return the links to the same figures as files."""
    api = f"{PREFIX}/coverage"
    return [
        ("Rapport à imprimer (PDF)", form.asked(REPORT, keep_edits=True)),
        *((label, form.asked(api, ("format", code))) for label, code in FORMATS),
        ("Écarts expliqués (JSON)", form.asked(f"{PREFIX}/gaps", leave=("kind",))),
    ]


def render(rendered: RenderedSnapshot, query: PlannerQuery) -> RenderedPage:
    """Render the page of a question."""
    view = rendered.view
    coverage = view.coverage(query.question)
    form = PlannerForm(query.pairs, query.question, query.kind, coverage.frame)
    planner = planner_page(
        view.snapshot,
        coverage,
        form,
        rendered.planner_outline,
        settings=rendered.map_settings,
        parameters=question_parameters(query.question),
        downloads=downloads(form),
    )
    return page(planner.html, planner.security_policy)


def report(view: SnapshotView, query: PlannerQuery) -> bytes:
    """Return the report of a question as PDF; with edits, of what they change.

    Raises
    ------
    InvalidScenario
        If the edits cannot be read, or contradict the data.
    """
    before = view.coverage(query.question)
    coverage = before
    if query.edits:
        edits = parse_edits(_json(query.edits), view.snapshot)
        frame = before.frame
        after = AnalysisContext(apply(view.snapshot, edits), frame.travel, frame.day, store_times=False)
        coverage = measure(after, query.question)
    return report_pdf(
        coverage,
        query.kind,
        gaps=gaps_of_communes(coverage),
        before=before if query.edits else None,
    )


def _json(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise InvalidScenario(
            "Les changements de cette adresse sont illisibles.", "Retirez « edits » de l'adresse."
        ) from None


routes = router("pages", "", described=False)


@routes.get(PATH)
async def planner(request: Request) -> Response:
    """The page; an address that is not in its canonical form redirects to it."""
    query_string = request.scope["query_string"]
    current = app_state(request).current()
    pages = current.rendered.pages
    try:
        given = _pairs(query_string)
        pairs = canonical(given)
        if given != pairs:
            return RedirectResponse(address(pairs), status_code=303)
        query = parse_planner_query(query_string, pairs, current.view.clock())
        shown = pages.get(query.key)
        if shown is None:
            shown = await run_in_threadpool(
                pages.get_or_compute, query.key, lambda: render(current.rendered, query)
            )
    except (Refused, PorteeError) as refused:
        return refusal(refused, current.view.snapshot.territory.name)
    return send(request, current, shown)


@routes.get(REPORT)
async def planner_report(request: Request) -> Response:
    """The report of the question, as PDF."""
    query_string = request.scope["query_string"]
    current = app_state(request).current()
    view = current.view
    reports: LruCache[bytes] = view.service_cache("planner reports", REPORTS_CACHED)
    try:
        query = parse_planner_query(query_string, _pairs(query_string), view.clock())
        body = await run_in_threadpool(reports.get_or_compute, query.key, lambda: report(view, query))
    except (Refused, PorteeError) as refused:
        return refusal(refused, current.view.snapshot.territory.name)
    name = f"rapport-{view.snapshot.territory.code}-{query.moment:%Y-%m-%d}.pdf"
    return Response(
        body,
        media_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "no-cache"},
    )


def _pairs(query: bytes) -> Pairs:
    try:
        return tuple(parse_qsl(query.decode("ascii"), True, errors="strict", max_num_fields=MAX_PARAMETERS))
    except ValueError:
        raise PorteeError("Cette adresse est illisible.", "Recommencez.") from None


def refusal(refused: Refused | PorteeError, territory: str) -> Response:
    """The page that says what is wrong with a question."""
    if isinstance(refused, OperatorError):
        raise refused
    problems = (
        [error.detail for error in refused.errors]
        if isinstance(refused, Refused)
        else [f"{refused.message} {refused.advice}"]
    )
    written = refused_page(
        "Cette question est à corriger", problems, entry="planner", again=PATH, territory=territory
    )
    shown = page(written.html, written.security_policy)
    return Response(
        shown.body,
        status_code=422,
        media_type=HTML,
        headers={"Content-Security-Policy": shown.security_policy, "Cache-Control": "no-store"},
    )
