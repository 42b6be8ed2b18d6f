"""The fund: what it did, told to all; its entries, read and posted by bearers of a token.

Also the manner of all routes of the money: their bodies, their writes, their answers. They are made
from the database, not from the snapshot, which only lends its territory and its sites.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from fastapi import Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from api.auth import active_token, request_secret
from api.funding_schemas import CloseAnswer, FundAnswer, LedgerAnswer, PostedAnswer
from api.openapi import failures
from api.parameters import COMMUNE_CODE, MAX_OFFSET, Parameter, Query, choice, integer, text
from api.rendered_snapshot import CurrentView
from api.request_body import Fields, json_object
from api.responses import JSON, is_not_modified
from api.routing import router
from api.service import AppState, app_state
from geo.errors import UnknownEntry, UnknownPartner
from geo.funding import money
from geo.funding.actions import ActionReferences
from geo.funding.ledger import (
    Commitment,
    Contribution,
    Entry,
    EntryKind,
    Level,
    Order,
    Payment,
    Release,
    Reversal,
)
from geo.funding.posting import match_reference
from geo.funding.reports import MEASURES, By, Line
from geo.store import actions as stored_actions
from geo.store import ledger, ledger_reports
from geo.store.database import Connection
from geo.store.tokens import Scope
from geo.territory.model import TerritoryKind

DEMONSTRATION: Final = "Données de démonstration : une partie de ce qui est montré ici est inventée."
SHORT: Final = {"Cache-Control": "public, max-age=10"}
NOT_KEPT: Final = {"Cache-Control": "no-store"}
YEAR_MIN, YEAR_MAX = 2000, 2100
REFERENCE_MAX: Final = 100
MEMO_MAX: Final = 1_000
PAGE: Final = 100
BATCH: Final = 1_000
ID_MAX: Final = 10**11 - 1

_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

NO_PARAMETERS: Final = Query()
routes = router("fund")


# --- the manner of all routes of the money


def day(name: str, description: str) -> Parameter:
    """A day, YYYY-MM-DD, of the years the fund may know."""
    told = f"une date comme 2026-03-12, des années {YEAR_MIN} à {YEAR_MAX}"

    def read(value: str) -> date:
        try:
            found = date.fromisoformat(value) if _ISO.fullmatch(value) else date.min
        except ValueError:
            raise ValueError(told) from None
        if not YEAR_MIN <= found.year <= YEAR_MAX:
            raise ValueError(told)
        return found

    return Parameter(name, description, read, {"type": "string", "format": "date"})


def cents(name: str, description: str, *, least: int = 1) -> Parameter:
    """A sum: a whole number of cents, 1 or 0 at least."""

    def read(value: str) -> int:
        if not (value.isascii() and value.isdigit() and len(value) < 20):
            raise ValueError("un nombre entier de centimes, comme 123456 pour 1 234,56 €")
        return int(value) if least == int(value) == 0 else money.checked(int(value), parameter=name)

    schema = {"type": "integer", "minimum": least, "maximum": money.MAX_CENTS}
    return Parameter(name, description, read, schema)


def word(name: str, description: str, *, max_length: int = REFERENCE_MAX) -> Parameter:
    """A reference or a code: on one line, nothing invisible in it."""

    def read(value: str) -> str:
        if len(value) > max_length or not value.isprintable():
            raise ValueError(f"un texte de {max_length} caractères au plus, d'une ligne et tout visible")
        return value.strip()

    return Parameter(name, description, read, {"type": "string", "maxLength": max_length})


def commune(description: str) -> Parameter:
    """The INSEE code of a commune."""

    def read(value: str) -> str:
        if not COMMUNE_CODE.fullmatch(value):
            raise ValueError("le code INSEE d'une commune, cinq caractères comme 47001")
        return value

    return Parameter("commune", description, read, {"type": "string", "pattern": r"^(\d{2}|2[AB])\d{3}$"})


def year(description: str) -> Parameter:
    """A year the fund may know."""
    read = integer("year", description, low=YEAR_MIN, high=YEAR_MAX, default=YEAR_MIN).read
    return Parameter("year", description, read, {"type": "integer", "minimum": YEAR_MIN, "maximum": YEAR_MAX})


YEAR: Final = year("Only this year; all years if absent.")
FICTIF: Final = choice("fictif", "Whether the record is fictitious (demonstration).", ("true", "false"))
REFERENCE: Final = word("reference", "Unique reference; posting the same content again changes nothing.")
DAY: Final = day("day", "Accounting date.")
AMOUNT: Final = cents("amount_cents", "Whole cents.")
MEMO: Final = text("memo", "Free text for readers of the ledger.", max_length=MEMO_MAX)
PARTNER: Final = word("partner_code", "Code of a partner.", max_length=60)
COMMUNE: Final = commune("INSEE code of the commune concerned.")
SITE: Final = word("site_id", "Public identifier of the site concerned.", max_length=200)


@dataclass(frozen=True)
class Body:
    """The JSON object a route reads: plain values, those that must be there, and structured ones."""

    query: Query
    required: tuple[str, ...] = ()
    structured: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Schemas of the members the route reads itself."""

    def read(self, given: Mapping[str, Any]) -> Fields:
        """The values of a body, and what is wrong with them so far."""
        read = Fields(given, self.query, self.structured)
        wrong = {problem.parameter for problem in read.problems}
        for name in self.required:
            # Of values, some of which are wrong, none is read: what is given is then not missing.
            lacks = given.get(name) in (None, "", []) if wrong else name not in read.values
            if lacks and name not in wrong:
                read.wrong(name, "", f"Il manque « {name} ».")
        return read

    @property
    def schema(self) -> dict[str, Any]:
        """The object as JSON Schema."""
        plain = {p.name: {**p.schema, "description": p.description} for p in self.query.parameters}
        return {
            "type": "object",
            "required": list(self.required),
            "properties": {**plain, **self.structured},
            "additionalProperties": False,
        }

    @property
    def openapi(self) -> dict[str, Any]:
        """What FastAPI's `openapi_extra` takes."""
        return {"requestBody": {"required": True, "content": {JSON: {"schema": self.schema}}}}


def answered(
    request: Request, current: CurrentView, content: Mapping[str, Any], *, fictif: bool, method: bool = False
) -> Response:
    """Answer with public figures; 304 when the reader holds the very same.

    Parameters
    ----------
    fictif
        Whether anything shown is invented.
    method
        Whether to say how times are had.
    """
    meta = {
        **current.meta_dict(with_method=method),
        "notice": DEMONSTRATION if fictif else None,
    }
    body = orjson.dumps({"meta": meta, **content})
    headers = {**SHORT, "ETag": f'W/"{blake2b(body, digest_size=12).hexdigest()}"'}
    if is_not_modified(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=JSON, headers=headers)


Change = Callable[[Connection, dict[str, Any], str, CurrentView], Response]
"""Does what a body says over an open transaction, as the actor named; the whole is undone if it fails."""


async def changed(request: Request, scope: Scope, change: Change) -> Response:
    """Do what a request's body says if its bearer may; all or nothing."""
    NO_PARAMETERS.read(request.scope["query_string"])
    secret = request_secret(request)
    body = await json_object(request)
    return await run_in_threadpool(committed, app_state(request), secret, scope, body, change)


def committed(service: AppState, secret: str, scope: Scope, body: Any, change: Change) -> Response:
    """Do a change in one transaction, committed before it is answered."""
    with service.connect() as connection, connection.begin():
        token = active_token(connection, secret, scope)
        return change(connection, body, token.name, service.current())


def write_response(content: Any, *, new: bool = True, headers: Mapping[str, str] | None = None) -> Response:
    """Tell what was written: 201 when it is new, 200 when it was there already."""
    return Response(
        orjson.dumps(content),
        status_code=201 if new else 200,
        media_type=JSON,
        headers={**NOT_KEPT, **(headers or {})},
    )


def require_known(read: Fields, connection: Connection, current: CurrentView) -> ActionReferences:
    """Note the commune, the partner and the site of a body that are not kept; returns those that are."""
    known = stored_actions.action_references(connection, current.view.snapshot.territory.code)
    for name, among, sentence in (
        ("commune", known.communes, "Aucune commune du territoire ne porte le code"),
        ("partner_code", known.partners, "Aucun partenaire ne porte le code"),
        ("site_id", known.sites, "Aucun lieu ne porte l'identifiant"),
    ):
        value = read.values.get(name)
        if value is not None and value not in among:
            read.wrong(name, value, f"{sentence} « {value} ».")
    return known


# --- what the fund did

REPORTED: Final = Query(
    (
        choice(
            "by",
            "Grouping of the lines.",
            (*By, *TerritoryKind),
            default=By.YEAR.value,
            example=By.PARTNER.value,
        ),
        YEAR,
    )
)
TOLD: Final = Query(
    (
        day("from", "First day."),
        day("to", "Last day."),
        word("partner", "Code of a partner.", max_length=60),
        choice("kind", "Kind of entry.", tuple(EntryKind)),
        integer("limit", "Entries per page.", low=1, high=1_000, default=PAGE, example=10),
        integer(
            "offset",
            "Entries to skip; prefer `after` for distant pages.",
            low=0,
            high=MAX_OFFSET,
            default=0,
        ),
        integer("after", "Only entries with a greater id.", low=0, high=ID_MAX, default=0),
    )
)


@routes.get(
    "/fund",
    summary="Report the fund by partner, year, funding level, action line or territory",
    response_model=FundAnswer,
    responses=failures(422),
    openapi_extra=REPORTED.openapi,
)
def report(request: Request) -> Response:
    """Return contributed, matched, unmatched, committed, paid and available amounts, and the balance.

    Amounts are integer cents. Requires the database.
    """
    values = REPORTED.read(request.scope["query_string"])
    service = app_state(request)
    current = service.current()
    asked = values.get("by", By.YEAR.value)
    by = By(asked) if asked in list(By) else TerritoryKind(asked)
    with service.connect() as connection:
        found = ledger_reports.report(
            connection, by, year=values.get("year"), territory=current.view.snapshot.territory
        )
        balance = ledger.balance(connection)
        closed = ledger.last_close(connection)
    content = {
        "by": by,
        "by_label": by.label,
        "year": found.year,
        "closed_until": closed,
        "balance": asdict(balance),
        "lines": [line_to_dict(line) for line in found.lines],
        "total": line_to_dict(found.total),
    }
    return answered(request, current, content, fictif=found.fictif)


def line_to_dict(line: Line) -> dict[str, object]:
    """A line of a report in whole cents, and whole cents per inhabitant."""
    shares = {name: line.per_inhabitant(name) for name in MEASURES}
    return {
        "key": line.key,
        "name": line.name,
        **{name: getattr(line, name) for name in MEASURES},
        "leverage_percent": None if line.leverage is None else int(line.leverage * 100),
        "population": line.population,
        "per_inhabitant": None
        if line.population is None
        else {name: None if share is None else int(share * 100) for name, share in shares.items()},
        "fictif": line.fictif,
    }


# --- its entries


@routes.get(
    "/fund/ledger",
    summary="List ledger entries in posting order",
    response_model=LedgerAnswer,
    responses=failures(401, 403, 422, not_modified=False),
    openapi_extra=TOLD.openapi,
)
def entries(request: Request) -> Response:
    """Return ledger entries with their author. Requires a token with scope `ledger`, and the database."""
    values = TOLD.read(request.scope["query_string"])
    limit, offset = values.get("limit", PAGE), values.get("offset", 0)
    service = app_state(request)
    with service.connect() as connection:
        active_token(connection, request_secret(request), Scope.LEDGER)
        found = _entries(connection, values, offset + limit + 1)[offset:]
        balance = ledger.balance(connection)
    links = [_link(request, "self", values)]
    if len(found) > limit:
        beyond = {name: value for name, value in values.items() if name != "offset"}
        links.append(_link(request, "next", {**beyond, "after": found[limit - 1].id}))
    content = {
        "limit": limit,
        "offset": offset,
        "links": links,
        "balance": asdict(balance),
        "entries": [entry_to_dict(entry) for entry in found[:limit]],
    }
    return Response(orjson.dumps(content), media_type=JSON, headers={"Cache-Control": "private, no-store"})


def _link(request: Request, rel: str, values: Mapping[str, Any]) -> dict[str, str]:
    return {"rel": rel, "href": f"{request.scope['path']}?{urlencode(values)}", "type": JSON}


def _entries(connection: Connection, values: Mapping[str, Any], wanted: int) -> list[Entry]:
    """The first entries that fit, so many at most."""
    first, last = values.get("from", date.min), values.get("to", date.max)
    found: list[Entry] = []
    after = values.get("after", 0)
    while len(found) < wanted:
        batch = ledger.entries(
            connection,
            kind=EntryKind(values["kind"]) if "kind" in values else None,
            year=first.year if first.year == last.year else None,
            partner_code=values.get("partner"),
            after=after,
            limit=BATCH,
        )
        found += [entry for entry in batch if first <= entry.day <= last]
        if len(batch) < BATCH:
            break
        after = batch[-1].id
    return found[:wanted]


def entry_to_dict(entry: Entry) -> dict[str, object]:
    """An entry as answers tell it."""
    return {**asdict(entry), "kind_label": entry.kind.label}


# --- posting


@dataclass(frozen=True)
class Posting:
    """What may be posted under one noun."""

    noun: str
    order: type[Order]
    summary: str
    about: str
    body: Body


def _body(*parameters: Parameter, optional: tuple[Parameter, ...] = ()) -> Body:
    every = (REFERENCE, DAY, *parameters)
    return Body(Query((*every, *optional, MEMO)), tuple(p.name for p in every))


COMMITMENT: Final = word("commitment", "Reference of the commitment it comes out of.")
POSTINGS: Final = (
    Posting(
        "contributions",
        Contribution,
        "Post a contribution, and the Département's match with it",
        "Money received from a partner.",
        _body(
            AMOUNT,
            PARTNER,
            choice("level", "Where the money comes from.", tuple(Level)),
            optional=(COMMUNE, FICTIF),
        ),
    ),
    Posting(
        "commitments",
        Commitment,
        "Set money aside for an action line",
        "What is available and no longer free to use.",
        _body(
            AMOUNT,
            word("action_line", "What the money is for.", max_length=200),
            optional=(PARTNER, COMMUNE, SITE, FICTIF),
        ),
    ),
    Posting(
        "releases",
        Release,
        "Make what a commitment will not use available again",
        "Part or all of what is left of it.",
        _body(AMOUNT, COMMITMENT, optional=(FICTIF,)),
    ),
    Posting(
        "payments",
        Payment,
        "Pay out of a commitment",
        "No more than is left of it; partner, commune and site are the commitment's unless they are given.",
        _body(AMOUNT, COMMITMENT, optional=(PARTNER, COMMUNE, SITE, FICTIF)),
    ),
    Posting(
        "reversals",
        Reversal,
        "Undo an entry by its mirror",
        "A contribution goes with all its match; each entry once.",
        _body(word("reverses", "Reference of the entry to undo.")),
    ),
)


def _route(posting: Posting) -> None:
    def change(connection: Connection, body: dict[str, Any], actor: str, current: CurrentView) -> Response:
        read = posting.body.read(body)
        require_known(read, connection, current)
        read.done()
        return _post(connection, posting_order(posting, read.values), actor)

    async def post(request: Request) -> Response:
        return await changed(request, Scope.FUND, change)

    routes.post(
        f"/fund/{posting.noun}",
        summary=posting.summary,
        description=f"{posting.about} The same again under its reference changes nothing and answers 200. "
        "Needs a token with scope `fund`.",
        status_code=201,
        response_model=PostedAnswer,
        responses={
            200: {"model": PostedAnswer, "description": "It was posted already, with the same content."},
            **failures(400, 401, 403, 409, 413, 415, 422, not_modified=False),
        },
        openapi_extra=posting.body.openapi,
        name=f"post_{posting.noun}",
    )(post)


def posting_order(posting: Posting, values: Mapping[str, Any]) -> Order:
    """What a body asks to post."""
    told = dict(values)
    if "level" in told:
        told["level"] = Level(told["level"])
    if "fictif" in told:
        told["fictif"] = told["fictif"] == "true"
    return posting.order(**told)


def _post(connection: Connection, order: Order, actor: str) -> Response:
    # Nothing posted takes the turn: whether the reference is new still holds when the order is.
    ledger.post_all(connection, (), actor=actor)
    known = _found(connection, order.reference)
    try:
        ledger.post(connection, order, actor=actor)
    except (UnknownEntry, UnknownPartner) as unknown:
        named = "reverses" if isinstance(order, Reversal) else "commitment"
        read = Fields({}, NO_PARAMETERS, ())
        read.wrong(named, getattr(order, named), str(unknown))
        read.done()
    entry = ledger.find(connection, order.reference)
    match = _found(connection, match_reference(order.reference))
    content = {
        "entry": entry_to_dict(entry),
        "match": None if match is None else entry_to_dict(match),
        "balance": asdict(ledger.balance(connection)),
    }
    return write_response(content, new=known is None)


def _found(connection: Connection, reference: str) -> Entry | None:
    try:
        return ledger.find(connection, reference)
    except UnknownEntry:
        return None


for _posting in POSTINGS:
    _route(_posting)

CLOSED: Final = Body(Query((day("until", "Last day of the period."),)), ("until",))


@routes.post(
    "/fund/close",
    summary="Close all days to one",
    status_code=201,
    response_model=CloseAnswer,
    responses=failures(400, 401, 403, 409, 413, 415, 422, not_modified=False),
    openapi_extra=CLOSED.openapi,
)
async def close(request: Request) -> Response:
    """No entry may bear one of these days any more. Cannot be undone. Needs a token with scope `fund`."""

    def change(connection: Connection, body: dict[str, Any], actor: str, current: CurrentView) -> Response:
        read = CLOSED.read(body)
        read.done()
        ledger.close(connection, read.values["until"], actor=actor)
        return write_response({"until": read.values["until"]})

    return await changed(request, Scope.FUND, change)
