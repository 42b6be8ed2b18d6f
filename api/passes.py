"""Passes: what became of them by territory, where they can't be used; orders and events of bearers.

What the public is told counts persons: small counts are withheld (`disclosure_control`), settled for
each year over all territories and measures, as accounts do, whatever is asked. Sums over years are
told only where every year is, and what concerns one vintage for the whole département only, so that no
two answers give together what each withholds. Bearers of a token with scope `passes` are told
everything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import orjson
from fastapi import Request
from fastapi.responses import Response
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from api.auth import active_token, request_secret
from api.coverage_question import MODE
from api.fund import (
    DAY,
    FICTIF,
    REFERENCE,
    YEAR,
    Body,
    answered,
    cents,
    changed,
    committed,
    day,
    word,
    write_response,
)
from api.funding_schemas import DesertsAnswer, OrderAnswer, PassesAnswer, RecordedAnswer
from api.openapi import failures
from api.parameters import KIND, Parameter, Query, choice, integer, refuse, text
from api.problems import FieldProblem, Refused
from api.rendered_snapshot import CurrentView
from api.responses import JSON
from api.routing import router
from api.service import app_state
from geo.coverage.measure import Question
from geo.errors import RefusedPasses, UnknownEntry
from geo.funding import disclosure_control
from geo.funding.account import PASS_MEASURES, persons_of_passes
from geo.funding.disclosure_control import Key
from geo.funding.pass_reports import (
    ACCEPTING,
    DESERT_MIN,
    Desert,
    PassCounts,
    PassFigures,
    TerritoryPasses,
    by_territory,
    deserts,
    most_fragile,
)
from geo.funding.passes import (
    COUNT_MAX,
    FACE_VALUE_CENTS,
    Event,
    EventKind,
    Order,
    PassReferences,
    require_order,
)
from geo.people.model import Indicator
from geo.reach.modes import Mode
from geo.services.snapshot_view import SnapshotView
from geo.sites.text import clean_text
from geo.snapshot import Snapshot
from geo.store import passes as stored
from geo.store.database import Connection
from geo.store.passes import paid_from
from geo.store.tokens import Scope
from geo.territory.model import Territory, TerritoryKind

EVENTS_MAX: Final = 10_000
EVENTS_MAX_BYTES: Final = 4 * 1024 * 1024
TOLD_MAX: Final = 200
"""Problems of events told at once; the answer says how many more there are."""
MINUTES_MAX: Final = 120

ORDER: Final = word("order", "Only passes of the order with this reference.")
REPORTED: Final = Query(
    (
        KIND,
        YEAR,
        ORDER,
        word("fragility", "Code of a loaded indicator, used to select the most fragile communes."),
        MODE,
    )
)
DESERTED: Final = Query(
    (
        integer(
            "within_min",
            "Travel time beyond which an accepting site is out of reach, minutes.",
            low=1,
            high=MINUTES_MAX,
            default=DESERT_MIN,
        ),
        YEAR,
        ORDER,
        MODE,
    )
)


def _count(low: int) -> Parameter:
    told = f"un nombre entier de pass autre que zéro, de {low} à {COUNT_MAX}"

    def read(value: str) -> int:
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 12) or int(value) == 0:
            raise ValueError(told)
        if not low <= int(value) <= COUNT_MAX:
            raise ValueError(told)
        return int(value)

    return Parameter("count", "Passes.", read, {"type": "integer", "minimum": low, "maximum": COUNT_MAX})


FUNDER: Final = Body(
    Query((word("partner_code", "Code of a partner.", max_length=60), _count(1))), ("partner_code", "count")
)
FUNDERS_MAX: Final = 100
ORDERED: Final = Body(
    Query(
        (
            REFERENCE,
            day("day", "Day of the order."),
            _count(1),
            day("expires_on", "Last day the passes are valid."),
            cents("face_value_cents", f"Of one pass; {FACE_VALUE_CENTS} if not said."),
            text("note", "A remark.", max_length=1_000),
            FICTIF,
        )
    ),
    ("reference", "day", "count", "expires_on", "funders"),
    {"funders": {"type": "array", "maxItems": FUNDERS_MAX, "items": FUNDER.schema}},
)
EVENT: Final = Body(
    Query(
        (
            REFERENCE,
            word("order", "Reference of the order the passes are of."),
            choice("kind", "What happened to them.", tuple(EventKind)),
            DAY,
            _count(-COUNT_MAX),
            word("commune", "INSEE code: of those they were given to, or used by.", max_length=5),
            word("partner", "Code of the prescriber.", max_length=60),
            word("site", "Identifier of the site they were used at, or that is paid.", max_length=200),
            word("corrects", "Reference of the event it takes passes back from: `count` is then negative."),
        )
    ),
    ("reference", "order", "kind", "day", "count"),
)
RECORDED: Final = Query((word("commitment", "Of the fund: what pays reimbursements, by its reference."),))

TO_ACCEPTING: Final = Question(filter=ACCEPTING)
"""How far those are who take passes, by car."""

routes = router("passes")


# --- what may be told


@dataclass(frozen=True)
class Publication:
    """What of a report may be told: which counts of which territories are withheld.

    `whole` and `untold`: whether those of a measure may be told. `cents`: whether values may, which
    give vintages away when their passes are worth different sums.
    """

    hidden: Mapping[str, frozenset[tuple[TerritoryKind, str]]]
    whole: frozenset[str]
    cents: bool

    def tells(self, measure: str, kind: TerritoryKind, code: str) -> bool:
        """Whether a count of a territory may be told."""
        return (kind, code) not in self.hidden[measure]


def publication(counts: PassCounts, territory: Territory, order: str | None, year: int | None) -> Publication:
    """What the public may be told of passes.

    Raises
    ------
    UnknownOrder
        If no order bears the reference.
    """
    inside = np.isin(counts.commune, list(territory.own_codes))
    years = [year] if year is not None else sorted({int(y) for y in counts.year})
    if order is not None:
        counts.row_of(order)
    settled = {each: _suppression(counts, territory, each) for each in years}
    hidden, whole = {}, set()
    for measure in PASS_MEASURES:
        values: NDArray[np.int64] = getattr(counts, measure)
        kept: set[tuple[TerritoryKind, str]] = set()
        clear = True
        for each in years:
            of_year = counts.year == each
            kept |= {(kind, code) for kind, code, name in settled[each] if name == measure}
            clear &= _large(int(values[of_year & ~inside].sum()))
        if order is not None:
            # Beside the years, vintages would give small counts back.
            clear &= all(
                _large(int(values[(counts.order == row) & (counts.year == each) & part].sum()))
                for row in range(len(counts.orders))
                for each in {int(y) for y in counts.year}
                for part in (inside, ~inside)
            )
            kept |= {
                (g.kind, g.code)
                for k in TerritoryKind
                if k is not TerritoryKind.DEPARTEMENT
                for g in territory.groupings_of(k)
            }
        departement = (TerritoryKind.DEPARTEMENT, territory.code)
        if order is not None and not clear:
            kept.add(departement)
        hidden[measure] = frozenset(kept)
        if clear and departement not in kept:
            whole.add(measure)
    values_differ = len({each.face_value_cents for each in counts.orders}) > 1
    return Publication(hidden, frozenset(whole), not values_differ)


def _suppression(counts: PassCounts, territory: Territory, year: int) -> list[Key]:
    """Counts of a year that are withheld, wherever they are told."""
    communes = by_territory(counts, territory, TerritoryKind.COMMUNE, year=year).rows
    told = disclosure_control.published_together(persons_of_passes(communes), territory)
    return [key for key, count in told.items() if count is None]


def _large(count: int) -> bool:
    return count == 0 or count >= disclosure_control.THRESHOLD


# --- told


def may_see_all(request: Request, connection: Connection, scope: Scope) -> bool:
    """Whether the request bears a token of a scope that may be told everything.

    Raises
    ------
    HTTPException
        403 if it bears one that is not in force, or has another scope.
    """
    if "authorization" not in request.headers:
        return False
    active_token(connection, request_secret(request), scope)
    return True


@routes.get(
    "/passes",
    summary="Pass statistics by territory",
    response_model=PassesAnswer,
    responses=failures(401, 403, 404, 422),
    openapi_extra=REPORTED.openapi,
)
def report(request: Request) -> Response:
    """Return passes given, used and expired, delays, value, rates, and access to accepting sites.

    Without a token of scope `passes`, small counts of people, and counts from which they could be
    derived, are null and `withheld` is true. Requires the database.
    """
    values = REPORTED.read(request.scope["query_string"])
    service = app_state(request)
    current = service.current()
    with service.connect() as connection:
        exact = may_see_all(request, connection, Scope.PASSES)
        counts = stored.counts(connection)
    snapshot = current.view.snapshot
    indicator = _indicator(snapshot.indicators, values.get("fragility"))
    fragile = most_fragile(snapshot.territory, indicator) if indicator else None
    order, year = values.get("order"), values.get("year")
    found = by_territory(
        counts,
        snapshot.territory,
        TerritoryKind(values.get("kind", TerritoryKind.COMMUNE)),
        order=order,
        year=year,
        fragile=fragile,
        coverage=current.view.coverage(_question(values)),
        commune_of_site={site.id: site.code_insee for site in snapshot.sites},
    )
    public = None if exact else publication(counts, snapshot.territory, order, year)
    members = {g.code: g.communes for g in snapshot.territory.groupings_of(found.kind)}
    content = {
        "kind": found.kind,
        "order": order,
        "year": year,
        "fragility": indicator.code if indicator else None,
        "threshold": None if exact else disclosure_control.THRESHOLD,
        "orders": [_order_to_dict(each) for each in counts.orders],
        "whole": _figures_to_dict(found.whole, _whole(public), public),
        "untold": _figures_to_dict(found.untold, _whole(public), public),
        "territories": [
            row_to_dict(row, public, [c for c in members[row.code] if fragile and c in fragile])
            for row in found.rows
        ],
    }
    return _answered(request, current, content, fictif=found.fictitious or snapshot.fictitious, exact=exact)


def _answered(
    request: Request, current: CurrentView, content: Mapping[str, Any], *, fictif: bool, exact: bool
) -> Response:
    response = answered(request, current, content, fictif=fictif, method=True)
    response.headers["Vary"] = "Authorization"
    if exact:
        response.headers["Cache-Control"] = "private, no-store"
    return response


def _question(values: Mapping[str, Any]) -> Question:
    return Question(mode=Mode(values.get("mode", Mode.CAR)), filter=ACCEPTING)


def _indicator(known: tuple[Indicator, ...], code: str | None) -> Indicator | None:
    if code is None:
        return None
    for each in known:
        if each.code == code:
            return each
    loaded = ", ".join(sorted(each.code for each in known)) or "aucun"
    raise refuse("fragility", code, f"Aucun indicateur chargé ne porte ce code ; chargés : {loaded}.")


def _whole(public: Publication | None) -> Collection[str]:
    return PASS_MEASURES if public is None else public.whole


def _figures_to_dict(
    figures: PassFigures, told: Collection[str], public: Publication | None
) -> dict[str, object]:
    """Figures as answers tell them: null where they count persons that may not be told."""
    valued = public is None or public.cents
    given, used, expired = (name in told for name in PASS_MEASURES)
    return {
        "withheld": not (given and used and expired and valued),
        "given": figures.given if given else None,
        "used": figures.used if used else None,
        "expired": figures.expired if expired else None,
        "given_cents": figures.given_cents if given and valued else None,
        "used_cents": figures.used_cents if used and valued else None,
        "expired_cents": figures.expired_cents if expired and valued else None,
        "rate_of_use": _rounded(figures.rate_of_use, 4) if given and used else None,
        "median_delay_days": figures.median_delay_days if used else None,
        "mean_delay_days": _rounded(figures.mean_delay_days, 1) if used else None,
    }


def row_to_dict(
    row: TerritoryPasses, public: Publication | None, fragile: Collection[str]
) -> dict[str, object]:
    """A territory as answers tell it.

    Parameters
    ----------
    fragile
        Its communes among the most fragile.
    """
    told = [m for m in PASS_MEASURES if public is None or public.tells(m, row.kind, row.code)]
    frail = public is None or all(public.tells("given", TerritoryKind.COMMUNE, code) for code in fragile)
    figures = _figures_to_dict(row.figures, told, public)
    return {
        "kind": row.kind,
        "code": row.code,
        "name": row.name,
        "population": row.population,
        **figures,
        "withheld": figures["withheld"] or not frail,
        "per_1000": _rounded(row.per_1000, 2) if "given" in told else None,
        "fragile_population": row.fragile_population,
        "per_1000_fragile": _rounded(row.per_1000_fragile, 2) if frail else None,
        "used_here": row.used_here if public is None else None,
        "reimbursed_here": row.reimbursed_here if public is None else None,
        "accepting_sites": row.access.accepting_sites if row.access else 0,
        "nearest_site_id": row.access.nearest_site_id if row.access else None,
        "median_min": _rounded(row.access.median_min, 1) if row.access else None,
    }


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(value, decimals)


def _order_to_dict(order: Order) -> dict[str, object]:
    return {**asdict(order), "funders": [{"partner_code": c, "count": n} for c, n in order.funders]}


@routes.get(
    "/passes/deserts",
    summary="Pass deserts: communes without an accepting site within reach",
    response_model=DesertsAnswer,
    responses=failures(401, 403, 404, 422),
    openapi_extra=DESERTED.openapi,
)
def deserted(request: Request) -> Response:
    """Return communes whose median travel time exceeds `within_min`, most passes first.

    Small counts of people are withheld, as in `/passes`; these communes come last. Requires the
    database.
    """
    values = DESERTED.read(request.scope["query_string"])
    service = app_state(request)
    current = service.current()
    with service.connect() as connection:
        exact = may_see_all(request, connection, Scope.PASSES)
        counts = stored.counts(connection)
    snapshot = current.view.snapshot
    order, year = values.get("order"), values.get("year")
    minutes = values.get("within_min", DESERT_MIN)
    question = _question(values)
    content = {
        "within_min": minutes,
        "mode": question.mode,
        "order": order,
        "year": year,
        "threshold": None if exact else disclosure_control.THRESHOLD,
        "deserts": deserts_to_dicts(
            counts, current.view, question, minutes=minutes, order=order, year=year, exact=exact
        ),
    }
    return _answered(request, current, content, fictif=counts.fictitious or snapshot.fictitious, exact=exact)


def deserts_to_dicts(
    counts: PassCounts,
    view: SnapshotView,
    question: Question = TO_ACCEPTING,
    *,
    minutes: int = DESERT_MIN,
    order: str | None = None,
    year: int | None = None,
    exact: bool = False,
) -> list[dict[str, object]]:
    """Deserts as answers tell them, most passes first; unless `exact`, small counts are withheld.

    Among those withheld, which come last, the order of their counts is not told either.
    """
    snapshot = view.snapshot
    found = deserts(counts, view.coverage(question), minutes=minutes, order=order, year=year)
    public = None if exact else publication(counts, snapshot.territory, order, year)
    told = [desert_to_dict(each, public, snapshot, question.mode) for each in found]
    return [d for d in told if d["given"] is not None] + sorted(
        (d for d in told if d["given"] is None), key=lambda d: str(d["code"])
    )


def desert_to_dict(
    desert: Desert, public: Publication | None, snapshot: Snapshot, mode: Mode
) -> dict[str, object]:
    """A desert as answers tell it; its sentence counts nobody when that may not be told."""
    given, used = (
        public is None or public.tells(m, TerritoryKind.COMMUNE, desert.code) for m in ("given", "used")
    )
    sentence = desert.sentence
    if not (given and used):
        way = "aucun lieu qui les accepte ne peut être atteint"
        if desert.nearest_site_id is not None and desert.median_min is not None:
            site = snapshot.site(desert.nearest_site_id)
            way = (
                f"le lieu le plus proche qui les accepte, {site.nom}, est à {round(desert.median_min)} min "
                f"{mode.label} ou plus pour la moitié des habitants"
            )
        sentence = f"{desert.name} : des pass y ont été donnés ; {way}."
    return {
        "code": desert.code,
        "name": desert.name,
        "withheld": not (given and used),
        "given": desert.given if given else None,
        "used": desert.used if used else None,
        "median_min": _rounded(desert.median_min, 1),
        "nearest_site_id": desert.nearest_site_id,
        "sentence": sentence,
    }


# --- written


@routes.post(
    "/passes/orders",
    summary="Keep an order of passes",
    status_code=201,
    response_model=OrderAnswer,
    responses={
        200: {"model": OrderAnswer, "description": "It was kept already, with the same content."},
        **failures(400, 401, 403, 409, 413, 415, 422, not_modified=False),
    },
    openapi_extra=ORDERED.openapi,
)
async def order(request: Request) -> Response:
    """A vintage: its passes, who pays for them, until when they are valid.

    The same again changes nothing and answers 200. Needs a token with scope `passes`.
    """

    def change(connection: Connection, body: dict[str, Any], actor: str, current: CurrentView) -> Response:
        wanted = _read_order(body, stored.pass_references(connection, current.view.snapshot.territory))
        new = stored.order(connection, wanted, actor)
        standing = stored.standing(connection, wanted.reference)
        told = {**asdict(standing), "to_give": standing.to_give, "unused": standing.unused}
        return write_response({"order": _order_to_dict(wanted), "standing": told}, new=new)

    return await changed(request, Scope.PASSES, change)


def _read_order(body: dict[str, Any], known: PassReferences) -> Order:
    plain = {name: value for name, value in body.items() if name != "funders"}
    read = Body(ORDERED.query, tuple(n for n in ORDERED.required if n != "funders")).read(plain)
    funders: list[tuple[str, int]] = []
    given = body.get("funders")
    if not isinstance(given, list) or not 0 < len(given) <= FUNDERS_MAX:
        read.wrong("funders", "", f"« funders » doit être une liste de 1 à {FUNDERS_MAX} financeurs.")
        given = []
    for rank, each in enumerate(given):
        if not isinstance(each, dict):
            read.wrong(f"funders[{rank}]", each, "Un objet JSON est attendu.")
            continue
        one = FUNDER.read(each)
        for problem in one.problems:
            read.wrong(f"funders[{rank}].{problem.parameter}", problem.value, problem.detail)
        if one.problems:
            continue
        code = one.values["partner_code"]
        if code not in known.partners:
            read.wrong(f"funders[{rank}].partner_code", code, "Aucun partenaire ne porte ce code.")
        funders.append((code, one.values["count"]))
    read.done()
    told = {**read.values, "funders": tuple(funders), "fictif": read.values.get("fictif") == "true"}
    wanted = Order(**told)
    try:
        require_order(wanted)
    except RefusedPasses as problem:
        raise refuse("", "", str(problem)) from None
    return wanted


@routes.post(
    "/passes/events",
    summary="Keep what happened to passes",
    status_code=201,
    response_model=RecordedAnswer,
    responses={
        200: {"model": RecordedAnswer, "description": "All were kept already, with the same content."},
        **failures(400, 401, 403, 409, 413, 415, 422, not_modified=False),
    },
    openapi_extra={
        **RECORDED.openapi,
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": {"type": "array", "maxItems": EVENTS_MAX, "items": EVENT.schema}}},
        },
    },
)
async def events(request: Request) -> Response:
    """At most 10,000 gifts, uses, expiries, reimbursements and corrections: all of them, or none.

    What is wrong is told with the rank of the event, from 0. Reimbursements are paid from `commitment`.
    Needs a token with scope `passes`, and with `fund` when it pays.
    """
    values = RECORDED.read(request.scope["query_string"])
    secret = request_secret(request)
    service = app_state(request)
    # Before so much is read, who sends it.
    await run_in_threadpool(committed, service, secret, Scope.PASSES, None, lambda *_: Response())
    given = await _array(request)
    commitment = values.get("commitment")

    def change(connection: Connection, _: Any, actor: str, current: CurrentView) -> Response:
        if commitment is not None:
            active_token(connection, secret, Scope.FUND)
        known = stored.pass_references(connection, current.view.snapshot.territory)
        wanted = _read_events(given, known, current.view.clock().date())
        post = paid_from(commitment, actor) if commitment is not None else None
        try:
            recorded = stored.record(connection, wanted, actor, post)
        except UnknownEntry as problem:
            raise refuse("commitment", commitment, str(problem)) from None
        except RefusedPasses as problem:
            rank = next((r for r, e in enumerate(wanted) if e.reference == problem.reference), None)
            if rank is None:
                raise
            raise RefusedPasses(
                f"Événement {rank} : {problem.message}", problem.advice, reference=problem.reference
            ) from None
        return write_response(asdict(recorded), new=recorded.new > 0 or not wanted)

    return await run_in_threadpool(committed, service, secret, Scope.PASSES, None, change)


async def _array(request: Request) -> list[Any]:
    """The array a request bears.

    Raises
    ------
    HTTPException
        400 for what is no JSON, 413 for too much, 415 when it does not say it is JSON.
    Refused
        If it is no array, or has too many events.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise HTTPException(415)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > EVENTS_MAX_BYTES:
            raise HTTPException(413)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise HTTPException(400) from None
    if not isinstance(value, list) or len(value) > EVENTS_MAX:
        raise refuse("", "", f"Le contenu envoyé doit être une liste de {EVENTS_MAX} événements au plus.")
    return value


def _read_events(given: list[Any], known: PassReferences, today: date) -> list[Event]:
    """The events sent.

    Raises
    ------
    Refused
        If any cannot be one; what is wrong with each is told with its rank.
    """
    problems: list[FieldProblem] = []
    wanted: list[Event] = []
    for rank, each in enumerate(given):
        if not isinstance(each, dict):
            problems += refuse(f"[{rank}]", each, f"Événement {rank} : un objet JSON est attendu.").errors
            continue
        plain = {
            clean_text(name)[0]: clean_text(value)[0] if isinstance(value, str) else value
            for name, value in each.items()
        }
        read = EVENT.read(plain)
        if not read.problems:
            event = Event(**{**read.values, "kind": EventKind(read.values["kind"])})
            for name, sentence in _wrong(event, known, today):
                read.wrong(name, getattr(event, name), sentence)
            wanted.append(event)
        problems += [
            FieldProblem(f"[{rank}].{p.parameter}", p.value, f"Événement {rank} : {p.detail}")
            for p in read.problems
        ]
    if len(problems) > TOLD_MAX:
        more = f"Et {len(problems) - TOLD_MAX} autres problèmes."
        problems = [*problems[:TOLD_MAX], FieldProblem("", "", more)]
    if problems:
        raise Refused(problems)
    return wanted


def _wrong(event: Event, known: PassReferences, today: date) -> Iterator[tuple[str, str]]:
    """Members of an event that cannot be, and why; whether there are enough passes is the store's to say."""
    order = known.orders.get(event.order)
    if order is None:
        yield "order", "Aucune commande ne porte cette référence."
    elif event.day < order.day:
        yield "day", f"La commande n'a été passée que le {order.day:%d/%m/%Y}."
    elif event.kind in (EventKind.GIVEN, EventKind.USED) and event.day > order.expires_on:
        yield "day", f"Les pass ont expiré le {order.expires_on:%d/%m/%Y}."
    elif event.kind is EventKind.EXPIRED and event.day <= order.expires_on:
        yield "day", f"Les pass sont encore valables le {order.expires_on:%d/%m/%Y}."
    if event.day > today:
        yield "day", "Ce jour n'est pas encore venu."
    if (event.count < 0) != bool(event.corrects):
        yield "corrects", "Un nombre négatif corrige un événement, et lui seul le fait : nommez-le."
    if (event.kind is EventKind.GIVEN or event.commune) and event.commune not in known.communes:
        yield "commune", "La commune n'est pas de celles du territoire ou de ses voisins."
    if event.partner and event.partner not in known.partners:
        yield "partner", "Aucun partenaire ne porte ce code."
    at_site = event.kind in (EventKind.USED, EventKind.REIMBURSED)
    if (at_site or event.site) and event.site not in known.sites:
        yield "site", "Aucun lieu connu, en service ou retiré, ne porte cet identifiant."
