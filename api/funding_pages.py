"""Pages of the money: maps of measures, account of a territory, network, fund and its statements.

Money, passes and actions are read from the database, all at one moment; a page is made again only
when something it is made from changed. Without the database there is no page, and one that says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from hashlib import blake2b
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from api.pages import HTML, page, send
from api.parameters import KIND, Query, choice, integer
from api.passes import deserts_to_dicts
from api.problems import STATUS, TITLES, Refused
from api.service import AppState, app_state
from api.snapshot_view import LruCache, RenderedPage, SnapshotView
from geo.errors import DatabaseUnavailable, InvalidParameter, OperatorError, PorteeError
from geo.funding.account import YEARS, AccountData, TerritoryAccount
from geo.funding.actions import Kinds
from geo.funding.reports import By, FundReport, rows
from geo.funding.templates import plain_csv
from geo.services.export_funding import accounts_table
from geo.store import accounts, actions, audit, dated_snapshots, ledger, partners, passes
from geo.store.database import Connection
from geo.territory.model import TerritoryKind
from static_maps import funding_pages as pages
from static_maps import svg_map
from static_maps.classes import ClassificationMethod
from static_maps.measure_catalogue import FORMS, MEASURES, measure_values
from static_maps.measure_page import KINDS, PATH, VIEWS, MeasureQuery, measures_page
from static_maps.planner_map import outline_json
from static_maps.settings import MapSettings
from static_maps.statement import Gift, Statement, statement_pdf

BOOKS_KEPT: Final = 4
"""Books of years kept: what is withheld of their counts takes seconds to settle."""
PAGES_KEPT: Final = 32

YEAR: Final = replace(
    integer("year", "Year of the money, passes and actions.", low=YEARS[0], high=YEARS[1], default=YEARS[0]),
    example=None,
)
ASKED: Final = Query(
    (
        choice("mesure", "What the map shows.", MEASURES, default="temps"),
        choice("avec", "A second measure beside it.", MEASURES),
        choice("kind", "Level of territory.", KINDS, default=TerritoryKind.COMMUNE.value),
        choice("forme", "Per inhabitant, or in total.", FORMS, default=FORMS[0]),
        choice(
            "classes",
            "How values are parted.",
            tuple(ClassificationMethod),
            default=ClassificationMethod.NATURAL.value,
        ),
        choice("vue", "How two measures are shown.", VIEWS, default="cote"),
        YEAR,
    )
)
OF_TERRITORY: Final = Query((KIND, YEAR))
OF_FUND: Final = Query((KIND, YEAR))
OF_YEAR: Final = Query((YEAR,))
NOTHING: Final = Query()


@contextmanager
def reading(service: AppState) -> Iterator[Connection]:
    """A connection that reads everything as of one moment.

    Raises
    ------
    DatabaseUnavailable
        If the database does not answer.
    """
    with service.connect() as connection:
        yield connection.execution_options(isolation_level="REPEATABLE READ")


@dataclass(frozen=True)
class Moment:
    """What the database holds at a moment: a key to all that is made from it, and the years it tells of.

    `years` has the present one too, and the latest comes first.
    """

    key: tuple[object, ...]
    years: tuple[int, ...]


def database_version(service: AppState, view: SnapshotView) -> Moment:
    """Look at the database once; cheap, whatever it holds."""
    today = view.frame.day
    with reading(service) as connection:
        counts = passes.counts(connection)
        years = {int(line.key) for line in ledger.report(connection, By.YEAR).lines}
        years |= {action.day.year for action in actions.list_(connection)}
        latest = [change.id for change in audit.list_(connection, limit=1)]
        states = [state.name for state in dated_snapshots.list_(connection)]
    digest = blake2b(digest_size=16)
    for values in (counts.order, counts.commune, counts.year, counts.given, counts.used, counts.expired):
        digest.update(values.tobytes())
    years |= {*map(int, counts.year), today.year}
    key = (view.tag, today, *latest, *states, digest.digest())
    return Moment(key, tuple(sorted(years, reverse=True)))


def account_data(service: AppState, view: SnapshotView, year: int) -> AccountData:
    """What accounts of a year are made from."""
    with reading(service) as connection:
        return accounts.read(connection, view.frame, year, service.kinds)


def statement(connection: Connection, view: SnapshotView, code: str, year: int) -> bytes:
    """The statement of a partner for a year.

    Raises
    ------
    UnknownPartner
        If none bears the code.
    InvalidParameter
        If it has no entry in the year.
    """
    partner = partners.find(connection, code)
    report = ledger.report(connection, By.PARTNER, year=year)
    line = next((each for each in report.lines if each.key == code), None)
    if line is None:
        raise InvalidParameter(
            f"« {partner.name} » n'a rien apporté ni reçu en {year}.",
            "Les relevés qui existent sont dans le tableau des partenaires du fonds.",
            parameter="year",
        )
    whole = next(e for e in ledger.report(connection, By.PARTNER).lines if e.key == code)
    return statement_pdf(
        Statement(
            partner=partner,
            conventions=tuple(c for c in partners.conventions(connection, code) if c.year == year),
            year=year,
            line=line,
            whole=whole,
            received=tuple(
                Gift(each.entry.day, each.entry.amount_cents, each.matched_cents, each.unmatched_cents)
                for each in ledger.received(connection, year=year, partner_code=code)
                if each.entry.reversed_by is None
            ),
            rules=tuple(ledger.rules(connection)),
            uses=tuple(ledger.report(connection, By.LINE, year=year).lines),
            fund=report.total,
            closed=(until := ledger.last_close(connection)) is not None and until >= date(year, 12, 31),
            territory=view.snapshot.territory.name,
            day=view.frame.day,
        )
    )


def install(app: FastAPI) -> None:
    """Add the pages to an application."""
    settings = MapSettings()
    books: LruCache[AccountData] = LruCache(BOOKS_KEPT)
    grounds: LruCache[svg_map.Ground] = LruCache(len(KINDS))
    outlines: LruCache[bytes] = LruCache(1)
    shown_pages: LruCache[RenderedPage] = LruCache(PAGES_KEPT)

    def books_now(service: AppState, view: SnapshotView, moment: Moment, year: int) -> AccountData:
        return books.of((moment.key, year), lambda: account_data(service, view, year))

    def measured(
        service: AppState, view: SnapshotView, moment: Moment, values: dict[str, Any]
    ) -> RenderedPage:
        year = values.get("year", moment.years[0])
        read = books_now(service, view, moment, year)
        chosen = MEASURES[values.get("mesure", "temps")]
        other = MEASURES.get(values.get("avec", ""))
        asked = MeasureQuery(
            measure=chosen,
            beside=other if other != chosen else None,
            kind=TerritoryKind(values.get("kind", TerritoryKind.COMMUNE)),
            form=values.get("forme", FORMS[0]) if chosen.total and other in (None, chosen) else FORMS[0],
            method=ClassificationMethod(values.get("classes", ClassificationMethod.NATURAL)),
            view=values.get("vue", "cote"),
            year=year,
        )
        snapshot = view.snapshot
        wanted = [m for m in (asked.measure, asked.beside) if m is not None]
        written = measures_page(
            snapshot,
            asked,
            [measure_values(read, m, asked.kind, asked.year, form=asked.form) for m in wanted],
            area=grounds.of((view.tag, asked.kind), lambda: svg_map.ground(snapshot.territory, asked.kind)),
            outline=outlines.of(view.tag, lambda: outline_json(snapshot, settings.tolerance_m)),
            settings=settings,
            years=moment.years,
            fictif=read.fictif,
            nav=pages.nav(snapshot.territory),
        )
        return page(written.html, written.security_policy)

    @app.get(PATH, include_in_schema=False)
    def measures(request: Request) -> Response:
        def made(service: AppState, view: SnapshotView) -> RenderedPage:
            values = ASKED.read(request.scope["query_string"])
            moment = database_version(service, view)
            key = (moment.key, tuple(sorted(values.items())))
            return shown_pages.of(key, lambda: measured(service, view, moment, values))

        return answered(request, made)

    @app.get("/territoires", include_in_schema=False)
    def whole(request: Request) -> Response:
        code = app_state(request).current().view.snapshot.territory.code
        return RedirectResponse(f"/territoires/{code}?kind={TerritoryKind.DEPARTEMENT}", status_code=303)

    def account_of(
        request: Request, service: AppState, view: SnapshotView, code: str
    ) -> tuple[TerritoryAccount, Moment]:
        values = OF_TERRITORY.read(request.scope["query_string"])
        group = view.snapshot.territory.find(
            code, TerritoryKind(values["kind"]) if "kind" in values else None
        )
        moment = database_version(service, view)
        year = values.get("year", moment.years[0])
        return books_now(service, view, moment, year).account(code, group.kind, year=year), moment

    @app.get("/territoires/{code}.csv", include_in_schema=False)
    def territory_table(request: Request, code: str) -> Response:
        def made(service: AppState, view: SnapshotView) -> tuple[str, bytes]:
            account, _ = account_of(request, service, view, code)
            return f"compte-{account.code}-{account.year}", plain_csv(*accounts_table([account]))

        return downloaded(request, made)

    @app.get("/territoires/{code}", include_in_schema=False)
    def territory(request: Request, code: str) -> Response:
        def made(service: AppState, view: SnapshotView) -> RenderedPage:
            account, moment = account_of(request, service, view, code)
            group = view.snapshot.territory.find(account.code, account.kind)
            shape = pages.locator(view.snapshot.territory, group)
            with reading(service) as connection:
                dry = deserts_to_dicts(passes.counts(connection), view, year=account.year)
            written = pages.territory_page(
                view.snapshot,
                account,
                years=moment.years,
                shape=shape,
                deserts=[str(each["sentence"]) for each in dry if each["code"] in group.communes],
            )
            return page(written.html, written.security_policy)

        return answered(request, made)

    @app.get("/reseau", include_in_schema=False)
    def network(request: Request) -> Response:
        def written(service: AppState, view: SnapshotView) -> RenderedPage:
            with reading(service) as connection:
                found, fictif = network_data(connection, view, service.kinds)
            told = pages.network_page(view.snapshot, found, day=view.frame.day, fictif=fictif)
            return page(told.html, told.security_policy)

        def made(service: AppState, view: SnapshotView) -> RenderedPage:
            NOTHING.read(request.scope["query_string"])
            key = ("reseau", database_version(service, view).key)
            return shown_pages.of(key, lambda: written(service, view))

        return answered(request, made)

    @app.get("/fonds", include_in_schema=False)
    def fund(request: Request) -> Response:
        def written(
            service: AppState, view: SnapshotView, year: int | None, kind: TerritoryKind
        ) -> RenderedPage:
            with reading(service) as connection:
                found = fund_data(connection, view, year, kind)
            fictif = found.fictif or view.snapshot.fictitious
            told = pages.fund_page(view.snapshot, found, fictif=fictif, day=view.frame.day)
            return page(told.html, told.security_policy)

        def made(service: AppState, view: SnapshotView) -> RenderedPage:
            values = OF_FUND.read(request.scope["query_string"])
            year, kind = values.get("year"), TerritoryKind(values.get("kind", TerritoryKind.EPCI))
            key = ("fonds", database_version(service, view).key, year, kind)
            return shown_pages.of(key, lambda: written(service, view, year, kind))

        return answered(request, made)

    @app.get("/fonds/{by}.csv", include_in_schema=False)
    def fund_table(request: Request, by: str) -> Response:
        def made(service: AppState, view: SnapshotView) -> tuple[str, bytes]:
            year = OF_YEAR.read(request.scope["query_string"]).get("year")
            if by not in (*By, *TerritoryKind):
                raise InvalidParameter(
                    f"Le fonds n'a pas de tableau « {by[:40]} ».",
                    f"Choisissez : {', '.join((*By, *TerritoryKind))}.",
                    parameter="by",
                )
            chosen = By(by) if by in list(By) else TerritoryKind(by)
            with reading(service) as connection:
                report = ledger.report(connection, chosen, year=year, territory=view.snapshot.territory)
            headings, *lines = rows(report)
            return f"fonds-{by}" + (f"-{year}" if year else ""), plain_csv(headings, lines)

        return downloaded(request, made)

    @app.get("/fonds/releves/{partner}/{year}.pdf", include_in_schema=False)
    def release(request: Request, partner: str, year: str) -> Response:
        service = app_state(request)
        try:
            NOTHING.read(request.scope["query_string"])
            if not (year.isascii() and year.isdigit() and len(year) == 4):
                raise InvalidParameter(
                    f"« {year[:20]} » n'est pas une année.", "Écrivez-la comme 2026.", parameter="year"
                )
            view = service.current().view
            with reading(service) as connection:
                body = statement(connection, view, partner, int(year))
        except (Refused, PorteeError) as refused:
            return refusal(refused)
        return Response(
            body,
            media_type="application/pdf",
            headers={
                "Content-Disposition": f'inline; filename="releve-{partner}-{year}.pdf"',
                "Cache-Control": "no-cache",
            },
        )


def network_data(connection: Connection, view: SnapshotView, kinds: Kinds) -> tuple[list[pages.Member], bool]:
    """Partners with what they do, and whether some of it is invented."""
    known = partners.list_(connection)
    by_year = {
        int(line.key): ledger.report(connection, By.PARTNER, year=int(line.key))
        for line in ledger.report(connection, By.YEAR).lines
    }
    done = actions.list_(connection)
    fictif = view.snapshot.fictitious or any(partner.fictif for partner in known)
    fictif |= any(report.fictif for report in by_year.values())
    fictif |= any(action.fictif for action in done)
    found = pages.members(
        known,
        conventions=partners.conventions(connection),
        links=partners.partner_sites(connection),
        by_year=by_year,
        actions=done,
        kinds=kinds,
        snapshot=view.snapshot,
    )
    return found, fictif


def fund_data(
    connection: Connection, view: SnapshotView, year: int | None, kind: TerritoryKind
) -> pages.Fund:
    """All the page of the fund tells."""
    territory = view.snapshot.territory
    by_year = ledger.report(connection, By.YEAR)
    reports: dict[By | TerritoryKind, FundReport] = {
        by: ledger.report(connection, by, year=year) for by in (By.PARTNER, By.LEVEL, By.LINE)
    }
    reports[kind] = ledger.report(connection, kind, year=year, territory=territory)
    statements: dict[str, list[int]] = defaultdict(list)
    for line in reversed(by_year.lines):
        if year in (None, int(line.key)):
            for each in ledger.report(connection, By.PARTNER, year=int(line.key)).lines:
                if each.key:
                    statements[each.key].append(int(line.key))
    return pages.Fund(
        balance=ledger.balance(connection),
        rules=tuple(ledger.rules(connection)),
        by_year=by_year,
        reports=reports,
        year=year,
        kind=kind,
        last_close=ledger.last_close(connection),
        statements=statements,
    )


def answered(request: Request, made: Callable[[AppState, SnapshotView], RenderedPage]) -> Response:
    """The page made for a request, or the one that says why there is none."""
    service = app_state(request)
    try:
        current = service.current()
        return send(request, current, made(service, current.view))
    except (Refused, PorteeError) as refused:
        return refusal(refused)


def downloaded(request: Request, made: Callable[[AppState, SnapshotView], tuple[str, bytes]]) -> Response:
    """A table to keep as CSV, by its name, or the page that says why there is none."""
    service = app_state(request)
    try:
        name, body = made(service, service.current().view)
    except (Refused, PorteeError) as refused:
        return refusal(refused)
    return Response(
        body,
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.csv"',
            "Cache-Control": "no-cache",
        },
    )


def refusal(refused: Refused | PorteeError) -> Response:
    """The page that says what is wrong: with the address, or with the database."""
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
    written = pages.refused_page(TITLES.get(status, "Demande incorrecte"), problems)
    shown_page = page(written.html, written.security_policy)
    return Response(
        shown_page.body,
        status_code=status,
        media_type=HTML,
        headers={"Content-Security-Policy": shown_page.security_policy, "Cache-Control": "no-store"},
    )
