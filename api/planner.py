"""The planner's page: a question of coverage in the address, its answer as one page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api.pages import HTML, page, send
from api.parameters import KIND, MAX_PARAMETERS, Query, choice, text
from api.problems import Refused
from api.question import DEFAULTS, QUESTION_PARAMETERS, dated, parameters_of, question_of
from api.routing import PREFIX
from api.served import Memory, Page, Served
from api.service import service_of
from geo.coverage.measure import Question
from geo.errors import InvalidParameter
from geo.territory.model import Kind
from static_maps.coverage_map import Link
from static_maps.planner_form import LAYERS, ORDERS, PATH, Form, Pairs, address
from static_maps.planner_map import outline_json, planner_page, refused_page
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
        ("kind", Kind.COMMUNE.value),
        ("tri", "rang"),
        ("couche", LAYERS[0]),
    }
)
KEPT: Final = 16
"""Pages kept ready: some 700 kB each for a département."""

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


def downloads(form: Form) -> list[Link]:
    """The same figures as files."""
    api = f"{PREFIX}/coverage"
    return [
        *((label, form.asked(api, ("format", code))) for label, code in FORMATS),
        ("Écarts expliqués (JSON)", form.asked(f"{PREFIX}/gaps", leave=("kind",))),
    ]


def render(served: Served, pairs: Pairs, question: Question, kind: Kind, settings: MapSettings) -> Page:
    """The page of a question."""
    coverage = served.measured(question)
    form = Form(pairs, question, kind, coverage.frame)
    shown = planner_page(
        served.snapshot,
        coverage,
        form,
        _outlines.of(served.tag, lambda: outline_json(served.snapshot, settings.tolerance_m)),
        settings=settings,
        parameters=parameters_of(question),
        downloads=downloads(form),
    )
    return page(shown.html, shown.security_policy)


_outlines: Final[Memory[bytes]] = Memory(2)


def install(app: FastAPI) -> None:
    """Add the page to an application."""
    settings = MapSettings()
    pages: Memory[Page] = Memory(KEPT)

    @app.get(PATH, include_in_schema=False)
    async def planner(request: Request) -> Response:
        query = request.scope["query_string"]
        now = service_of(request).now()
        try:
            given = parse_qsl(
                query.decode("ascii", "replace"), keep_blank_values=True, max_num_fields=MAX_PARAMETERS
            )
        except ValueError:
            return refusal(["Cette adresse est illisible."])
        pairs = canonical(given)
        if tuple(given) != pairs:
            return RedirectResponse(address(pairs), status_code=303)
        served = now.served
        try:
            values = ASKED.read(query)
            moment = served.clock()
            question = question_of(values, moment)
            kind = Kind(values.get("kind", Kind.COMMUNE))
            key = (served.tag, dated(moment, question.slot), pairs)
            shown = pages.get(key)
            if shown is None:
                shown = await run_in_threadpool(
                    pages.of, key, lambda: render(served, pairs, question, kind, settings)
                )
        except Refused as refused:
            return refusal([e.detail for e in refused.errors])
        except InvalidParameter as refused:
            return refusal([f"{refused.message} {refused.advice}"])
        return send(request, now, shown)


def refusal(problems: list[str]) -> Response:
    """The page that says what is wrong with a question."""
    written = refused_page(problems)
    shown = page(written.html, written.security_policy)
    return Response(
        shown.body,
        status_code=422,
        media_type=HTML,
        headers={"Content-Security-Policy": shown.security_policy, "Cache-Control": "no-store"},
    )
