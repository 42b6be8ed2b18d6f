"""Pass Numérique: orders, events and their sums. The rules are in `geo/store/sql/pass_guards.sql`.

Nothing is rewritten: `order` and `record` append, and a correction is an event of its own. Writers of
the same order queue. What each rule means: docs/passes.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, func, insert, select, text

from geo.errors import RefusedPasses, UnknownOrder
from geo.funding.ledger import Entry, Payment, Reversal
from geo.funding.pass_reports import PassCounts, SitePasses
from geo.funding.passes import Event, EventKind, Order, PassReferences, Standing, expiries, require_order
from geo.store import audit, ledger, sites
from geo.store.copy_encoder import copy_rows
from geo.store.pass_refusals import duplicate_reference, refusals, require_complete, unknown_order
from geo.store.tables import partner, pass_event, pass_order, pass_total
from geo.store.tables import site as site_table
from geo.territory.model import Territory
from geo.wording import dates

Post = Callable[[Connection, Event, int], int]
"""Posts a reimbursement (event, cents) to the ledger; returns the entry's number.

Cents are negative for a correction: the payment of the corrected event is then reversed.
"""

_MEMO = "Pass Numérique"
_CONTENT = ("reference", "order_reference", "kind", "day", "count", "commune", "partner_code", "site_id")
_ELEMENT = np.dtype([("size", ">i4"), ("value", ">i4")])
_ARRAY_HEADER = 20  # bytes of array_send before the elements of a one-dimensional array


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many events were new, and how many were recorded before with the same content."""

    new: int
    already: int


def order(connection: Connection, ordered: Order, actor: str) -> bool:
    """Record an order, and return whether it is new. Idempotent.

    Raises
    ------
    RefusedPasses
        If it is invalid (`geo.funding.passes.require_order`), names an unknown partner, or another order
        has its reference.
    """
    require_order(ordered)
    values = {**asdict(ordered), "funders": [list(each) for each in ordered.funders]}
    with refusals(connection):
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('pass_order'))"))
        row = connection.execute(
            select(pass_order).where(pass_order.c.reference == ordered.reference)
        ).first()
        if row is None:
            connection.execute(insert(pass_order).values(values))
            subject = f"pass_order/{ordered.reference}"
            audit.record(connection, actor, "pass_order.new", subject, None, asdict(ordered))
            return True
    recorded = _as_order(row)
    if recorded == ordered:
        return False
    raise RefusedPasses(
        f"Une autre commande porte déjà la référence {ordered.reference} : {recorded.count} pass du "
        f"{dates.long_date(recorded.day)}, valables jusqu'au {dates.long_date(recorded.expires_on)}.",
        "Donnez une autre référence : une commande ne se réécrit pas.",
    )


def withdraw(connection: Connection, reference: str, actor: str) -> None:
    """Remove an order of which no pass was given.

    Raises
    ------
    UnknownOrder
        If none has the reference.
    RefusedPasses
        If some of its passes were given.
    """
    found = _as_order(_order(connection, reference))
    connection.execute(
        select(pass_total.c.given).where(pass_total.c.order_reference == reference).with_for_update()
    )
    if connection.scalar(select(pass_event.c.id).where(pass_event.c.order_reference == reference).limit(1)):
        raise RefusedPasses(
            f"La commande {reference} ne peut être retirée : des événements la nomment.",
            "Corrigez ces événements ; la commande reste.",
        )
    connection.execute(pass_order.delete().where(pass_order.c.reference == reference))
    audit.record(connection, actor, "pass_order.withdraw", f"pass_order/{reference}", asdict(found), None)


def record(connection: Connection, events: Iterable[Event], actor: str, post: Post | None = None) -> Recorded:
    """Record events, all or none; those recorded before with the same content are skipped.

    Parameters
    ----------
    post
        Posts reimbursements to the ledger; if None, they are refused.

    Raises
    ------
    RefusedPasses
        If an event has the reference of another, names an unknown order, partner or event, or if more
        passes would be used than given, or given than ordered; nothing is recorded then.
    """
    wanted: dict[str, Event] = {}
    for event in events:
        require_complete(event)
        if wanted.setdefault(event.reference, event) != event:
            raise duplicate_reference(event.reference)
    if not wanted:
        return Recorded(0, 0)
    with refusals(connection):
        return _record(connection, wanted, actor, post)


def paid_from(commitment: str, actor: str) -> Post:
    """Return a `Post` that pays reimbursements out of a commitment, named by its reference in the ledger.

    The commitment must name no commune and no partner, else `RefusedPasses` is raised: reports of the fund
    are public, and 30 € paid there would reveal that three persons used a pass (docs/secrecy.md). Posting
    raises as `geo.store.ledger.post`. A correction reverses its payment, on the first open day if the
    payment's own period is closed.
    """

    def post(connection: Connection, event: Event, cents: int) -> int:
        if event.corrects:
            closed = ledger.last_close(connection)
            day = event.day if closed is None else max(event.day, closed + timedelta(days=1))
            reversal = Reversal(
                reference=_payment_reference(event.reference),
                day=day,
                reverses=_payment_reference(event.corrects),
                memo=_MEMO,
            )
            return ledger.post(connection, reversal, actor=actor)
        _require_untied(ledger.find(connection, commitment), event.reference)
        payment = Payment(
            reference=_payment_reference(event.reference),
            day=event.day,
            amount_cents=cents,
            commitment=commitment,
            site_id=event.site,
            memo=_MEMO,
        )
        return ledger.post(connection, payment, actor=actor)

    return post


def _require_untied(commitment: Entry, reference: str) -> None:
    """Refuse a commitment that public reports show by commune or by partner."""
    tied = [
        f"{noun} {code}"
        for noun, code in (("la commune", commitment.commune), ("le partenaire", commitment.partner_code))
        if code
    ]
    if tied:
        raise RefusedPasses(
            f"L'engagement « {commitment.reference} » nomme {' et '.join(tied)} : les rapports du fonds, qui "
            "sont publics, diraient combien de pass y ont servi.",
            "Remboursez les pass sur un engagement qui ne nomme ni commune ni partenaire ; le paiement nomme "
            "le lieu.",
            reference=reference,
        )


def expire(connection: Connection, day: date, actor: str) -> tuple[Event, ...]:
    """Record as expired all unused passes of orders that expired before a day. Idempotent.

    Each event is dated the day after its order's expiry, with a commune where one can be inferred
    (`geo.funding.passes.expiries`).

    Returns
    -------
    The events recorded.
    """
    due = text(
        "SELECT t.order_reference, o.expires_on FROM pass_total t"
        " JOIN pass_order o ON o.reference = t.order_reference"
        " WHERE o.expires_on < :day AND t.given > t.used + t.expired"
        " ORDER BY t.order_reference FOR UPDATE OF t"
    )
    found: list[Event] = []
    for reference, expires_on in connection.execute(due, {"day": day}).all():
        sums = connection.execute(
            text(
                "SELECT commune, sum(given)::bigint AS given, sum(used)::bigint AS used,"
                " sum(expired)::bigint AS expired FROM pass_commune"
                " WHERE order_reference = :reference GROUP BY commune"
            ),
            {"reference": reference},
        ).all()
        given, used, expired = (
            {r.commune: getattr(r, k) for r in sums} for k in ("given", "used", "expired")
        )
        counted = select(func.count()).where(
            pass_event.c.order_reference == reference, pass_event.c.kind == EventKind.EXPIRED.value
        )
        before = connection.scalar(counted) or 0
        for rank, (commune, passes) in enumerate(expiries(given, used, expired).items(), start=before + 1):
            found.append(
                Event(
                    f"{reference}/expiration/{rank}",
                    reference,
                    EventKind.EXPIRED,
                    expires_on + timedelta(days=1),
                    passes,
                    commune,
                )
            )
    record(connection, found, actor)
    return tuple(found)


def pass_references(connection: Connection, territory: Territory) -> PassReferences:
    """Return what events of a file may name, retired sites included."""
    return PassReferences(
        orders={each.reference: each for each in orders(connection)},
        communes=frozenset(territory.commune_by_code),
        partners=frozenset(connection.scalars(select(partner.c.code))),
        sites=frozenset(connection.scalars(select(site_table.c.id))),
    )


def orders(connection: Connection) -> tuple[Order, ...]:
    """Return all orders, by day then reference."""
    by_day = select(pass_order).order_by(pass_order.c.day, pass_order.c.reference.collate("C"))
    return tuple(_as_order(row) for row in connection.execute(by_day))


def standing(connection: Connection, reference: str) -> Standing:
    """Return how many passes of an order were given, used, expired and reimbursed.

    Raises
    ------
    UnknownOrder
        If none has the reference.
    """
    _order(connection, reference)
    found = select(pass_total).where(pass_total.c.order_reference == reference)
    return Standing(*connection.execute(found).one())


def events(connection: Connection, references: Collection[str]) -> tuple[Event, ...]:
    """Return the events that have one of some references, in the order they were recorded."""
    corrected = pass_event.alias()
    content = [pass_event.c[name] for name in _CONTENT]
    found = (
        select(*content, corrected.c.reference)
        .outerjoin(corrected, corrected.c.id == pass_event.c.corrects)
        .where(pass_event.c.reference.in_(list(references)))
        .order_by(pass_event.c.id)
    )
    return tuple(
        Event(r[0], r[1], EventKind(r[2]), r[3], r[4], *(each or "" for each in r[5:]))
        for r in connection.execute(found)
    )


def counts(connection: Connection) -> PassCounts:
    """Return the input of reports: sums per order, commune and year, and delays from gift to use.

    Reads no event: the cost grows with orders × communes × years, not with the number of events.
    """
    ordered = orders(connection)
    row_of = {each.reference: row for row, each in enumerate(ordered)}
    sums = connection.execute(
        text(
            "SELECT order_reference, commune, year, given, used, expired,"
            " array_send(delays), array_send(delayed) FROM pass_commune"
            ' ORDER BY order_reference COLLATE "C", commune COLLATE "C", year'
        )
    ).all()
    columns: Sequence[Sequence[Any]] = list(zip(*sums, strict=True)) or [()] * 8
    days, sizes = _elements(columns[6])
    passes, _ = _elements(columns[7])
    by_day = connection.execute(
        text("SELECT order_reference, day, given, used FROM pass_day WHERE given > 0 OR used > 0")
    )
    by_site = connection.execute(
        text(
            "SELECT order_reference, site_id, year, used, reimbursed FROM pass_site"
            ' ORDER BY order_reference COLLATE "C", site_id COLLATE "C", year'
        )
    )
    return PassCounts(
        orders=ordered,
        order=np.array([row_of[reference] for reference in columns[0]], dtype=np.intp),
        commune=np.array(columns[1], dtype=np.str_),
        year=np.array(columns[2], dtype=np.int64),
        given=np.array(columns[3], dtype=np.int64),
        used=np.array(columns[4], dtype=np.int64),
        expired=np.array(columns[5], dtype=np.int64),
        wait_row=np.repeat(np.arange(len(sums)), sizes),
        wait_days=days,
        wait_passes=passes,
        by_day=tuple((row_of[r[0]], r[1], r[2], r[3]) for r in by_day),
        by_site=_by_current_site(by_site, row_of, sites.redirects(connection)),
    )


def _by_current_site(
    rows: Iterable[Sequence[Any]], row_of: Mapping[str, int], redirects: Mapping[str, str]
) -> tuple[SitePasses, ...]:
    """Return the passes of each order, site and year; those of merged sites are summed."""
    sums: dict[tuple[int, str, int], tuple[int, int]] = {}
    for order, site_id, year, used, reimbursed in rows:
        key = (row_of[order], redirects.get(site_id, site_id), year)
        before = sums.get(key, (0, 0))
        sums[key] = (before[0] + used, before[1] + reimbursed)
    return tuple(SitePasses(*key, *sums[key]) for key in sorted(sums))


def _payment_reference(reference: str) -> str:
    """Return the reference in the ledger of an event's payment."""
    return f"pass/{reference}"


def _elements(sent: Sequence[bytes]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Decode integer arrays as `array_send` encodes them: all elements end to end, and the size of each."""
    bodies = [bytes(each[_ARRAY_HEADER:]) for each in sent]
    sizes = np.array([len(body) // _ELEMENT.itemsize for body in bodies], dtype=np.int64)
    return np.frombuffer(b"".join(bodies), dtype=_ELEMENT)["value"].astype(np.int64), sizes


def _record(connection: Connection, wanted: Mapping[str, Event], actor: str, post: Post | None) -> Recorded:
    """Stage events of distinct references, compare them with recorded ones, then insert them at once."""
    references = sorted({event.order for event in wanted.values()})
    # Lock the orders: what is compared now still holds when it is inserted.
    locked = (
        select(pass_total.c.order_reference)
        .where(pass_total.c.order_reference.in_(references))
        .order_by(pass_total.c.order_reference)
        .with_for_update()
    )
    if unknown := set(references) - set(connection.scalars(locked)):
        raise unknown_order(next(e for e in wanted.values() if e.order in unknown))
    connection.execute(
        text(
            "CREATE TEMP TABLE pass_arrival (rank integer, reference text, order_reference text, kind text,"
            " day date, count integer, commune text, partner_code text, site_id text, corrected text,"
            " entry_id bigint) ON COMMIT DROP"
        )
    )
    copy_rows(connection, "pass_arrival", ("rank", *_CONTENT, "corrected"), _rows(wanted.values()))
    connection.execute(text("ANALYZE pass_arrival"))
    other = connection.scalar(
        text(
            "SELECT a.reference FROM pass_arrival a JOIN pass_event e USING (reference)"
            " LEFT JOIN pass_event c ON c.id = e.corrects"
            " WHERE (a.order_reference, a.kind, a.day, a.count, a.commune, a.partner_code, a.site_id,"
            " a.corrected) IS DISTINCT FROM (e.order_reference, e.kind, e.day, e.count, e.commune,"
            " e.partner_code, e.site_id, c.reference) ORDER BY a.rank LIMIT 1"
        )
    )
    if other is not None:
        raise duplicate_reference(other)
    known = text("DELETE FROM pass_arrival a USING pass_event e WHERE e.reference = a.reference")
    already = connection.execute(known).rowcount
    stranger = connection.execute(
        text(
            "SELECT a.reference, a.partner_code FROM pass_arrival a WHERE a.partner_code IS NOT NULL"
            " AND NOT EXISTS (SELECT FROM partner p WHERE p.code = a.partner_code) ORDER BY a.rank LIMIT 1"
        )
    ).first()
    if stranger is not None:
        raise RefusedPasses(
            f"L'événement {stranger.reference} nomme le partenaire « {stranger.partner_code} », "
            "qui n'est pas connu.",
            "Enregistrez d'abord le partenaire, ou corrigez son code.",
            reference=stranger.reference,
        )
    _post_reimbursements(connection, wanted, post)
    added = (
        f"INSERT INTO pass_event ({', '.join(_CONTENT)}, corrects, entry_id, actor)"  # noqa: S608 - our own names
        f" SELECT {', '.join(f'a.{name}' for name in _CONTENT)}, e.id, a.entry_id, :actor"
        " FROM pass_arrival a LEFT JOIN pass_event e ON e.reference = a.corrected"
        " WHERE (a.corrected IS NOT NULL) = :corrections ORDER BY a.rank"
    )
    new = 0
    for corrections in (False, True):
        if corrections:
            missing = connection.execute(
                text(
                    "SELECT a.reference, a.corrected FROM pass_arrival a WHERE a.corrected IS NOT NULL AND"
                    " NOT EXISTS (SELECT FROM pass_event e WHERE e.reference = a.corrected)"
                    " ORDER BY a.rank LIMIT 1"
                )
            ).first()
            if missing is not None:
                raise RefusedPasses(
                    f"L'événement {missing.reference} corrige « {missing.corrected} », qui n'existe pas.",
                    "Donnez la référence de l'événement à corriger.",
                    reference=missing.reference,
                )
        new += connection.execute(text(added), {"actor": actor, "corrections": corrections}).rowcount
    connection.execute(text("DROP TABLE pass_arrival"))
    return Recorded(new, already)


def _post_reimbursements(connection: Connection, wanted: Mapping[str, Event], post: Post | None) -> None:
    """Post new reimbursements to the ledger, and note the entry of each."""
    due = connection.execute(
        text(
            "SELECT a.reference, o.face_value_cents FROM pass_arrival a"
            " JOIN pass_order o ON o.reference = a.order_reference"
            " WHERE a.kind = 'reimbursed' ORDER BY a.rank"
        )
    ).all()
    for reference, face_value_cents in due:
        event = wanted[reference]
        if post is None:
            raise RefusedPasses(
                f"L'événement {reference} rembourse un lieu : il faut dire de quel engagement.",
                "Nommez l'engagement du fonds que le paiement entame.",
                reference=reference,
            )
        if event.corrects:
            whole = select(pass_event.c.count).where(pass_event.c.reference == event.corrects)
            if connection.scalar(whole) not in (None, -event.count):
                raise RefusedPasses(
                    f"L'événement {reference} ne corrige qu'une partie du remboursement {event.corrects}.",
                    "Annulez tout le remboursement, puis enregistrez le bon : un paiement s'annule entier.",
                    reference=reference,
                )
        connection.execute(
            text("UPDATE pass_arrival SET entry_id = :entry WHERE reference = :reference"),
            {"entry": post(connection, event, event.count * face_value_cents), "reference": reference},
        )


def _rows(wanted: Iterable[Event]) -> Iterator[tuple[object, ...]]:
    for rank, e in enumerate(wanted):
        yield (
            rank,
            e.reference,
            e.order,
            e.kind.value,
            e.day,
            e.count,
            e.commune or None,
            e.partner or None,
            e.site or None,
            e.corrects or None,
        )


def _order(connection: Connection, reference: str) -> Row[Any]:
    row = connection.execute(select(pass_order).where(pass_order.c.reference == reference)).first()
    if row is None:
        raise UnknownOrder(
            f"Aucune commande de pass ne porte la référence « {reference} ».",
            "Leurs références sont dites par : portee passes report.",
        )
    return row


def _as_order(row: Row[Any]) -> Order:
    facts = {name: row._mapping[name] for name in Order.__slots__}
    return Order(**{**facts, "funders": tuple((code, passes) for code, passes in facts["funders"])})
