"""The planner's page: a question of coverage in the address, its answer as one page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

import orjson
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api.coverage_question import DEFAULTS, QUESTION_PARAMETERS, coverage_question, dated, question_parameters
from api.pages import HTML, page, send
from api.parameters import KIND, MAX_PARAMETERS, Query, choice, text
from api.problems import Refused
from api.routing import PREFIX
from api.service import app_state
from api.snapshot_view import LruCache, RenderedPage, SnapshotView
from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.gaps import gaps_of_communes
from geo.coverage.measure import Question, measure
from geo.coverage.scenario import apply, parse_edits
from geo.errors import InvalidScenario, OperatorError, PorteeError
from geo.territory.model import TerritoryKind
from static_maps.coverage_map import Link
from static_maps.planner_form import LAYERS, ORDERS, PATH, Pairs, PlannerForm, address
from static_maps.planner_map import outline_json, planner_page, refused_page
from static_maps.report import report_pdf
from static_maps.settings import MapSettings

EDITS_MAX: Final = 20_000
"""Longest what-if an address may hold, in characters of JSON."""

ASKED: Final = Query(
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
"""Controls that make up a parameter together with others, and never stay in the address."""

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
PAGES_KEPT: Final = 16
"""Pages kept ready: some 700 kB each for a département."""
REPORTS_KEPT: Final = 4

FORMATS: Final[tuple[Link, ...]] = (
    ("Tableau (CSV)", "csv"),
    ("Tableau (XLSX)", "xlsx"),
    ("Carte (GeoPackage)", "gpkg"),
    ("Carte (GeoJSON)", "geojson"),
)


def canonical(pairs: Iterable[tuple[str, str]]) -> Pairs:
    """The pairs of a query as the page's address bears them.

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
    """A percentage as a share; what is no number is left for the refusal to name."""
    try:
        return f"{float(percent.replace(',', '.')) / 100:g}"
    except ValueError:
        return percent


@dataclass(frozen=True, slots=True)
class PlannerQuery:
    """What an address of the page asks."""

    pairs: Pairs
    question: Question
    kind: TerritoryKind
    moment: datetime
    edits: str

    @property
    def key(self) -> tuple[object, ...]:
        """What the page depends on, besides the snapshot."""
        return (self.pairs, dated(self.moment, self.question.slot))


def parse_planner_query(query: bytes, pairs: Pairs, moment: datetime) -> PlannerQuery:
    """Read the address of the page.

    Raises
    ------
    Refused
        If a value cannot be used.
    """
    values = ASKED.read(query)
    kind = TerritoryKind(values.get("kind", TerritoryKind.COMMUNE))
    return PlannerQuery(pairs, coverage_question(values, moment), kind, moment, values.get("edits", ""))


def downloads(form: PlannerForm) -> list[Link]:
    """The same figures as files."""
    api = f"{PREFIX}/coverage"
    return [
        ("Rapport à imprimer (PDF)", form.asked(REPORT, keep_edits=True)),
        *((label, form.asked(api, ("format", code))) for label, code in FORMATS),
        ("Écarts expliqués (JSON)", form.asked(f"{PREFIX}/gaps", leave=("kind",))),
    ]


def render(view: SnapshotView, asked: PlannerQuery, settings: MapSettings, outline: bytes) -> RenderedPage:
    """The page of a question, over boundaries written by `outline_json`."""
    coverage = view.measured(asked.question)
    form = PlannerForm(asked.pairs, asked.question, asked.kind, coverage.frame)
    shown = planner_page(
        view.snapshot,
        coverage,
        form,
        outline,
        settings=settings,
        parameters=question_parameters(asked.question),
        downloads=downloads(form),
    )
    return page(shown.html, shown.security_policy)


def report(view: SnapshotView, asked: PlannerQuery) -> bytes:
    """The report of a question; with edits, of what they change.

    Raises
    ------
    InvalidScenario
        If the edits cannot be read, or contradict the data.
    """
    before = view.measured(asked.question)
    coverage = before
    if asked.edits:
        edits = parse_edits(_json(asked.edits), view.snapshot)
        frame = before.frame
        after = AnalysisContext(apply(view.snapshot, edits), frame.travel, frame.day, store_times=False)
        coverage = measure(after, asked.question)
    return report_pdf(
        coverage,
        asked.kind,
        gaps=gaps_of_communes(coverage),
        before=before if asked.edits else None,
    )


def _json(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise InvalidScenario(
            "Les changements de cette adresse sont illisibles.", "Retirez « edits » de l'adresse."
        ) from None


def install(app: FastAPI) -> None:
    """Add the page and its report to an application."""
    settings = MapSettings()
    pages: LruCache[RenderedPage] = LruCache(PAGES_KEPT)
    reports: LruCache[bytes] = LruCache(REPORTS_KEPT)
    outlines: LruCache[bytes] = LruCache(1)

    def rendered(view: SnapshotView, asked: PlannerQuery) -> RenderedPage:
        outline = outlines.of(view.tag, lambda: outline_json(view.snapshot, settings.tolerance_m))
        return pages.of((view.tag, asked.key), lambda: render(view, asked, settings, outline))

    @app.get(PATH, include_in_schema=False)
    async def planner(request: Request) -> Response:
        query = request.scope["query_string"]
        current = app_state(request).current()
        view = current.view
        try:
            given = _pairs(query)
            pairs = canonical(given)
            if given != pairs:
                return RedirectResponse(address(pairs), status_code=303)
            asked = parse_planner_query(query, pairs, view.clock())
            shown = pages.get((view.tag, asked.key))
            if shown is None:
                shown = await run_in_threadpool(rendered, view, asked)
        except (Refused, PorteeError) as refused:
            return refusal(refused)
        return send(request, current, shown)

    @app.get(REPORT, include_in_schema=False)
    async def planner_report(request: Request) -> Response:
        query = request.scope["query_string"]
        current = app_state(request).current()
        view = current.view
        try:
            asked = parse_planner_query(query, _pairs(query), view.clock())
            key = (view.tag, asked.key)
            body = await run_in_threadpool(reports.of, key, lambda: report(view, asked))
        except (Refused, PorteeError) as refused:
            return refusal(refused)
        name = f"rapport-{view.snapshot.territory.code}-{asked.moment:%Y-%m-%d}.pdf"
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


def refusal(refused: Refused | PorteeError) -> Response:
    """The page that says what is wrong with a question."""
    if isinstance(refused, OperatorError):
        raise refused
    problems = (
        [error.detail for error in refused.errors]
        if isinstance(refused, Refused)
        else [f"{refused.message} {refused.advice}"]
    )
    written = refused_page(problems)
    shown = page(written.html, written.security_policy)
    return Response(
        shown.body,
        status_code=422,
        media_type=HTML,
        headers={"Content-Security-Policy": shown.security_policy, "Cache-Control": "no-store"},
    )
