"""Funding pages: maps of measures, accounts of territories, the network, the fund and its statements.

Money, passes and actions are read from the database in one transaction; a page is rendered again only
when what it shows has changed. Without the database, a page says so instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from api.failure_page import territory_name
from api.pages import HTML, page, send
from api.parameters import KIND, Query, choice, integer
from api.pass_answers import deserts_to_dicts
from api.problems import STATUS, TITLES, Refused
from api.rendered_snapshot import CurrentView, RenderedPage
from api.routing import router
from api.service import AppState, app_state
from geo.errors import DatabaseUnavailable, InvalidParameter, OperatorError, PorteeError
from geo.funding.account import YEARS
from geo.funding.account_model import TerritoryAccount
from geo.funding.reports import By, rows
from geo.services import fund_reports
from geo.services.accounts import FundingState, account_data, funded_years, funding_state
from geo.services.export_funding import accounts_table
from geo.store import ledger_reports, passes
from geo.store.database import Connection
from geo.tables_out import Dialect, csv_bytes, text_columns
from geo.territory.model import TerritoryKind
from static_maps import funding_pages as pages
from static_maps.classes import ClassificationMethod
from static_maps.coverage_map import WrittenPage
from static_maps.measure_catalogue import FORMS, MEASURES, measure_values
from static_maps.measure_page import KINDS, PATH, VIEWS, MeasureQuery, measures_page
from static_maps.statement import statement_pdf

YEAR: Final = replace(
    integer("year", "Year of the money, passes and actions.", low=YEARS[0], high=YEARS[1], default=YEARS[0]),
    example=None,
)
MEASURES_PARAMETERS: Final = Query(
    (
        choice("mesure", "What the map shows.", MEASURES, default="temps"),
        choice("avec", "A second measure beside it.", MEASURES),
        choice("kind", "Level of territory.", KINDS, default=TerritoryKind.COMMUNE.value),
        choice("forme", "Per inhabitant, or in total.", FORMS, default=FORMS[0]),
        choice(
            "classes",
            "How values are divided into classes.",
            tuple(ClassificationMethod),
            default=ClassificationMethod.NATURAL.value,
        ),
        choice("vue", "How two measures are shown.", VIEWS, default="cote"),
        YEAR,
    )
)
TERRITORY_PARAMETERS: Final = Query((KIND, YEAR))
FUND_PARAMETERS: Final = Query((KIND, YEAR))
YEAR_PARAMETERS: Final = Query((YEAR,))
NO_PARAMETERS: Final = Query()


routes = router("pages", "", described=False)


@contextmanager
def read_transaction(service: AppState) -> Iterator[Connection]:
    """Open a connection that reads everything as of one moment.

    Raises
    ------
    DatabaseUnavailable
        If the database does not answer.
    """
    with service.connect() as connection:
        yield connection.execution_options(isolation_level="REPEATABLE READ")


@dataclass(frozen=True)
class FundingRequest:
    """What a funding page is rendered from: the state of the application, and of the database."""

    service: AppState
    current: CurrentView
    connection: Connection
    state: FundingState
    query: dict[str, Any]

    @property
    def years(self) -> tuple[int, ...]:
        """Years one can choose, the latest first."""
        return funded_years(self.connection, self.state, self.current.view.context.day)

    def cached_page(self, name: str, render: Callable[[], WrittenPage]) -> RenderedPage:
        """Return a page, rendered again only if the data, the day or the query has changed."""
        key = (name, self.current.view.context.day, self.state.key, tuple(sorted(self.query.items())))
        return self.current.rendered.pages.get_or_compute(key, lambda: _rendered(render()))


def _rendered(written: WrittenPage) -> RenderedPage:
    return page(written.html, written.security_policy)


@contextmanager
def funding_request(request: Request, parameters: Query) -> Iterator[FundingRequest]:
    """Read the query of a request and open the database.

    Raises
    ------
    Refused
        If the query cannot be used.
    DatabaseUnavailable
        If the database does not answer.
    """
    service = app_state(request)
    current = service.current()
    query = parameters.read(request.scope["query_string"])
    with read_transaction(service) as connection:
        yield FundingRequest(service, current, connection, funding_state(connection), query)


def _territory_account(
    opened: FundingRequest, code: str, kind: TerritoryKind | None, year: int
) -> TerritoryAccount:
    view = opened.current.view
    group = view.snapshot.territory.find(code, kind)
    data = account_data(opened.connection, view, opened.state, year, opened.service.kinds)
    return data.account(code, group.kind, year=year)


@routes.get(PATH)
def measures(request: Request) -> Response:
    """The map of one measure, or of two."""
    try:
        with funding_request(request, MEASURES_PARAMETERS) as opened:
            shown = opened.cached_page("mesures", lambda: _measures_page(opened))
            return send(request, opened.current, shown)
    except (Refused, PorteeError) as refused:
        return refusal(refused, territory_name(request.scope))


def _measures_page(opened: FundingRequest) -> WrittenPage:
    years = opened.years
    query = measure_query(opened.query, years[0])
    view, rendered = opened.current.view, opened.current.rendered
    data = account_data(opened.connection, view, opened.state, query.year, opened.service.kinds)
    shown = [measure for measure in (query.measure, query.beside) if measure is not None]
    return measures_page(
        view.snapshot,
        query,
        [measure_values(data, each, query.kind, query.year, form=query.form) for each in shown],
        area=rendered.ground(query.kind),
        outline=rendered.planner_outline,
        settings=rendered.map_settings,
        years=years,
        fictif=data.fictif,
    )


def measure_query(values: dict[str, Any], latest_year: int) -> MeasureQuery:
    """Return the query of the map of measures; totals are offered of one measure only."""
    chosen = MEASURES[values.get("mesure", "temps")]
    other = MEASURES.get(values.get("avec", ""))
    beside = other if other != chosen else None
    return MeasureQuery(
        measure=chosen,
        beside=beside,
        kind=TerritoryKind(values.get("kind", TerritoryKind.COMMUNE)),
        form=values.get("forme", FORMS[0]) if chosen.total and beside is None else FORMS[0],
        method=ClassificationMethod(values.get("classes", ClassificationMethod.NATURAL)),
        view=values.get("vue", "cote"),
        year=values.get("year", latest_year),
    )


@routes.get("/territoires")
def whole_territory(request: Request) -> Response:
    """Redirects to the account of the département."""
    code = app_state(request).current().view.snapshot.territory.code
    return RedirectResponse(f"/territoires/{code}?kind={TerritoryKind.DEPARTEMENT}", status_code=303)


@routes.get("/territoires/{code}.csv")
def territory_table(request: Request, code: str) -> Response:
    """The account of a territory as CSV."""
    try:
        with funding_request(request, TERRITORY_PARAMETERS) as opened:
            account = _territory_account(opened, code, *_kind_and_year(opened))
        name = f"compte-{account.code}-{account.year}"
        return csv_file(name, *accounts_table([account]))
    except (Refused, PorteeError) as refused:
        return refusal(refused, territory_name(request.scope))


def _kind_and_year(opened: FundingRequest) -> tuple[TerritoryKind | None, int]:
    values = opened.query
    kind = TerritoryKind(values["kind"]) if "kind" in values else None
    return kind, values["year"] if "year" in values else opened.years[0]


@routes.get("/territoires/{code}")
def territory(request: Request, code: str) -> Response:
    """The account of a territory."""
    try:
        with funding_request(request, TERRITORY_PARAMETERS) as opened:
            view = opened.current.view
            kind, year = _kind_and_year(opened)
            account = _territory_account(opened, code, kind, year)
            group = view.snapshot.territory.find(account.code, account.kind)
            deserts = deserts_to_dicts(passes.counts(opened.connection), view, year=account.year)
            written = pages.territory_page(
                view.snapshot,
                account,
                years=opened.years,
                shape=pages.locator(view.snapshot.territory, group),
                deserts=[str(each["sentence"]) for each in deserts if each["code"] in group.communes],
            )
        return send(request, opened.current, _rendered(written))
    except (Refused, PorteeError) as refused:
        return refusal(refused, territory_name(request.scope))


@routes.get("/reseau")
def network(request: Request) -> Response:
    """The partners, and what each brings."""
    try:
        with funding_request(request, NO_PARAMETERS) as opened:
            return send(request, opened.current, opened.cached_page("reseau", lambda: _network_page(opened)))
    except (Refused, PorteeError) as refused:
        return refusal(refused, territory_name(request.scope))


def _network_page(opened: FundingRequest) -> WrittenPage:
    view = opened.current.view
    found = fund_reports.read_network(opened.connection, view.snapshot, opened.service.kinds)
    return pages.network_page(view.snapshot, found.members, day=view.context.day, fictif=found.fictif)


@routes.get("/fonds")
def fund(request: Request) -> Response:
    """The fund: balance, rules and reports."""
    try:
        with funding_request(request, FUND_PARAMETERS) as opened:
            return send(request, opened.current, opened.cached_page("fonds", lambda: _fund_page(opened)))
    except (Refused, PorteeError) as refused:
        return refusal(refused, territory_name(request.scope))


def _fund_page(opened: FundingRequest) -> WrittenPage:
    view = opened.current.view
    found = fund_reports.read_fund(
        opened.connection,
        view.snapshot.territory,
        opened.query.get("year"),
        TerritoryKind(opened.query.get("kind", TerritoryKind.EPCI)),
    )
    fictif = found.fictif or view.snapshot.fictitious
    return pages.fund_page(view.snapshot, found, fictif=fictif, day=view.context.day)


@routes.get("/fonds/{by}.csv")
def fund_table(request: Request, by: str) -> Response:
    """A report of the fund as CSV."""
    service = app_state(request)
    try:
        year = YEAR_PARAMETERS.read(request.scope["query_string"]).get("year")
        if by not in (*By, *TerritoryKind):
            raise InvalidParameter(
                f"Le fonds n'a pas de tableau « {by[:40]} ».",
                f"Choisissez : {', '.join((*By, *TerritoryKind))}.",
                parameter="by",
            )
        chosen = By(by) if by in list(By) else TerritoryKind(by)
        territory = service.current().view.snapshot.territory
        with read_transaction(service) as connection:
            report = ledger_reports.report(connection, chosen, year=year, territory=territory)
    except (Refused, PorteeError) as refused:
        return refusal(refused, territory_name(request.scope))
    headings, *lines = rows(report)
    return csv_file(f"fonds-{by}" + (f"-{year}" if year else ""), headings, lines)


@routes.get("/fonds/releves/{partner}/{year}.pdf")
def statement(request: Request, partner: str, year: str) -> Response:
    """The statement of a partner for a year, as PDF."""
    service = app_state(request)
    try:
        NO_PARAMETERS.read(request.scope["query_string"])
        if not (year.isascii() and year.isdigit() and len(year) == 4):
            raise InvalidParameter(
                f"« {year[:20]} » n'est pas une année.", "Écrivez-la comme 2026.", parameter="year"
            )
        view = service.current().view
        with read_transaction(service) as connection:
            content = fund_reports.read_statement(
                connection, view.snapshot.territory.name, partner, int(year), view.context.day
            )
    except (Refused, PorteeError) as refused:
        return refusal(refused, territory_name(request.scope))
    return Response(
        statement_pdf(content),
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="releve-{partner}-{year}.pdf"',
            "Cache-Control": "no-cache",
        },
    )


def csv_file(name: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Response:
    """Return a table as a CSV file to save, as French Excel opens it."""
    return Response(
        csv_bytes(text_columns(headings), rows, Dialect.EXCEL_FR),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.csv"',
            "Cache-Control": "no-cache",
        },
    )


def refusal(refused: Refused | PorteeError, territory: str) -> Response:
    """Return the page that says what is wrong with the address or the database."""
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    if isinstance(refused, Refused):
        problems: Sequence[str] = [error.detail for error in refused.errors]
    else:
        found = next((STATUS[c] for c in type(refused).__mro__ if c in STATUS), None)
        if found is None or (
            isinstance(refused, OperatorError) and not isinstance(refused, DatabaseUnavailable)
        ):
            raise refused
        status = found
        problems = [f"{refused.message} {refused.advice}".strip()]
        if isinstance(refused, DatabaseUnavailable):
            problems = [
                "La base de données est momentanément injoignable : l'argent, les pass et les actions "
                "ne peuvent être montrés. La carte et les temps de trajet restent consultables.",
                "Réessayez dans quelques minutes.",
            ]
    written = pages.refused_page(TITLES.get(status, "Demande incorrecte"), problems, territory=territory)
    shown_page = page(written.html, written.security_policy)
    return Response(
        shown_page.body,
        status_code=status,
        media_type=HTML,
        headers={"Content-Security-Policy": shown_page.security_policy, "Cache-Control": "no-store"},
    )
