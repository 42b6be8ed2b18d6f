"""The account of a territory: who can help there, how far, money, passes, actions, in a year."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final
from weakref import WeakKeyDictionary

from fastapi import Request
from fastapi.responses import Response

from api.fund import YEAR, answered
from api.funding_schemas import AccountAnswer
from api.openapi import failures
from api.parameters import Query
from api.routing import router
from api.service import app_state
from api.snapshot_view import LruCache, SnapshotView
from api.territories import KINDS, Code
from geo.funding.account import CENTS, CENTS_EACH, AccountData, account_to_dict
from geo.store import accounts, audit, dated_snapshots, passes
from geo.store.database import Connection
from geo.territory.model import TerritoryKind

BOOKS: Final = 4
"""Books remembered for one snapshot: each holds two coverages and what is withheld of their counts."""

ASKED: Final = Query((KINDS, YEAR))

routes = router("territories")


@dataclass(frozen=True)
class AccountCache:
    """Books made while one snapshot was served; dropped with it."""

    books: LruCache[AccountData] = field(default_factory=lambda: LruCache(BOOKS))


_remembered: WeakKeyDictionary[SnapshotView, AccountCache] = WeakKeyDictionary()


@routes.get(
    "/territories/{code}/account",
    summary="What a territory is given and has, in figures and in sentences",
    response_model=AccountAnswer,
    responses=failures(404, 422),
    openapi_extra=ASKED.openapi,
)
def account(request: Request, code: Code) -> Response:
    """Who helps there and how far, fragility, money, passes, actions, each with its date and source.

    Beside each figure: the département's mean, and the year before. Without `year`: the present one.
    Small counts of persons are withheld. Needs the database.
    """
    values = ASKED.read(request.scope["query_string"])
    service = app_state(request)
    current = service.current()
    view = current.view
    kind = TerritoryKind(values["kind"]) if "kind" in values else None
    view.snapshot.territory.find(code, kind)  # before anything is read
    today = view.clock().date()
    year = values.get("year", today.year)
    with service.connect() as connection:
        known = _remembered.setdefault(view, AccountCache())
        state = (today, year, _state(connection))
        books = known.books.of(state, lambda: accounts.read(connection, view.frame, year, service.kinds))
    found = account_to_dict(books.account(code, kind, year=year))
    for section in found["sections"]:
        for figure in section["figures"]:
            _in_whole_cents(figure)
    return answered(request, current, found, fictif=books.fictif, method=True)


def _state(connection: Connection) -> tuple[object, ...]:
    """What changes whenever something accounts are made of is written."""
    counts = passes.counts(connection)
    digest = blake2b(digest_size=16)
    for values in (counts.order, counts.commune, counts.year, counts.given, counts.used, counts.expired):
        digest.update(values.tobytes())
    latest = [change.id for change in audit.list_(connection, limit=1)]
    return *latest, digest.digest(), tuple(kept.name for kept in dated_snapshots.list_(connection))


def _in_whole_cents(figure: dict[str, Any]) -> None:
    if figure["unit"] in (CENTS, CENTS_EACH):
        for name in ("value", "departement", "before"):
            if figure[name] is not None:
                figure[name] = round(figure[name])
