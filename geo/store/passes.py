"""Passes: orders, events, what their sums say. The database itself holds the rules.

Nothing is rewritten: `order` and `record` append, a correction is an event of its own. Writers of
one vintage take turns. What each rule means: docs/passes.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import psycopg
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from geo.errors import RefusedPasses, UnknownOrder
from geo.funding.ledger import Entry, Payment, Reversal
from geo.funding.pass_reports import PassCounts, SiteUse
from geo.funding.passes import Event, EventKind, Order, PassReferences, Standing, expiries, require_order
from geo.store import audit, ledger
from geo.store.copy_encoder import copy_rows
from geo.store.tables import partner, pass_event, pass_order, pass_total
from geo.store.tables import site as site_table
from geo.territory.model import Territory

Post = Callable[[Connection, Event, int], int]
"""Posts the money of a reimbursement (event, cents) to the ledger; returns the entry's number.

Of the correction of one, cents are negative: the payment of the event it names is to be undone.
"""

REFUSED: Final = "PASS1"
"""SQLSTATE of the refusals of the passes' own triggers."""

_MEMO = "Pass Numérique"
_CONTENT = ("reference", "order_reference", "kind", "day", "count", "commune", "partner_code", "site_id")
_ELEMENT = np.dtype([("size", ">i4"), ("value", ">i4")])
_ARRAY_HEADER = 20  # bytes of array_send before the elements of an array of one dimension


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of events: those new, and those kept already with the same content."""

    new: int
    already: int


def order(connection: Connection, ordered: Order, actor: str) -> bool:
    """Keep an order; the same again does nothing. Whether it is new.

    Raises
    ------
    RefusedPasses
        If it can't be (`geo.funding.passes.require_order`), names a partner that is not known, or
        another order bears its reference.
    """
    require_order(ordered)
    values = {**asdict(ordered), "funders": [list(each) for each in ordered.funders]}
    with _refusals(connection):
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('pass_order'))"))
        row = connection.execute(
            select(pass_order).where(pass_order.c.reference == ordered.reference)
        ).first()
        if row is None:
            connection.execute(insert(pass_order).values(values))
            subject = f"pass_order/{ordered.reference}"
            audit.record(connection, actor, "pass_order.new", subject, None, asdict(ordered))
            return True
    kept = _as_order(row)
    if kept == ordered:
        return False
    raise RefusedPasses(
        f"Une autre commande porte déjà la référence {ordered.reference} : {kept.count} pass du "
        f"{kept.day:%d/%m/%Y}, valables jusqu'au {kept.expires_on:%d/%m/%Y}.",
        "Donnez une autre référence : une commande ne se réécrit pas.",
    )


def withdraw(connection: Connection, reference: str, actor: str) -> None:
    """Take back an order nothing was given of.

    Raises
    ------
    UnknownOrder
        If none bears the reference.
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
    """Keep events, all or none; those kept already with the same content do nothing.

    Parameters
    ----------
    post
        Posts reimbursements to the ledger; without it they are refused.

    Raises
    ------
    RefusedPasses
        If an event bears the reference of another, names an order, a partner or an event that is
        not known, or passes would be more used than given than ordered; nothing is kept then.
    """
    wanted: dict[str, Event] = {}
    for event in events:
        _require_event(event)
        if wanted.setdefault(event.reference, event) != event:
            raise _taken(event.reference)
    if not wanted:
        return Recorded(0, 0)
    with _refusals(connection):
        return _record(connection, wanted, actor, post)


def reimburse(
    connection: Connection,
    *,
    reference: str,
    order_reference: str,
    site: str,
    day: date,
    count: int,
    actor: str,
    post: Post,
) -> Recorded:
    """Pay a site for passes of an order used there: an event, and a payment in the ledger.

    Raises
    ------
    RefusedPasses
        As `record`, or if the site would be paid for more passes than were used there.
    """
    event = Event(reference, order_reference, EventKind.REIMBURSED, day, count, site=site)
    return record(connection, [event], actor, post)


def paid_from(commitment: str, actor: str) -> Post:
    """Post reimbursements as payments of a commitment, named by its reference in the ledger.

    The commitment may name no commune and no partner, so that the payment names none: reports of the fund
    are public, and 30 € paid there would tell that three persons used a pass (docs/secrecy.md). Else
    `RefusedPasses` is raised; what is posted raises as `geo.store.ledger.post`. A correction reverses its
    payment, on the first day still open if the payment's own period is closed.
    """

    def post(connection: Connection, event: Event, cents: int) -> int:
        if event.corrects:
            closed = ledger.last_close(connection)
            day = event.day if closed is None else max(event.day, closed + timedelta(days=1))
            reversal = Reversal(
                reference=_payment(event.reference), day=day, reverses=_payment(event.corrects), memo=_MEMO
            )
            return ledger.post(connection, reversal, actor=actor)
        _require_untied(ledger.find(connection, commitment), event.reference)
        payment = Payment(
            reference=_payment(event.reference),
            day=event.day,
            amount_cents=cents,
            commitment=commitment,
            site_id=event.site,
            memo=_MEMO,
        )
        return ledger.post(connection, payment, actor=actor)

    return post


def _require_untied(commitment: Entry, reference: str) -> None:
    """Refuse to pay for passes out of what public reports tell by commune or by partner."""
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
    """Record as expired all passes given, not used, of orders whose expiry is before a day.

    Each bears the day after its order's expiry, and a commune where that can be told
    (`geo.funding.passes.expiries`). Again, it does nothing.

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
    """What events of a file may speak of: sites retired since included."""
    return PassReferences(
        orders={each.reference: each for each in orders(connection)},
        communes=frozenset(territory.commune_by_code),
        partners=frozenset(connection.scalars(select(partner.c.code))),
        sites=frozenset(connection.scalars(select(site_table.c.id))),
    )


def orders(connection: Connection) -> tuple[Order, ...]:
    """Every order, by day then reference."""
    by_day = select(pass_order).order_by(pass_order.c.day, pass_order.c.reference.collate("C"))
    return tuple(_as_order(row) for row in connection.execute(by_day))


def standings(connection: Connection) -> dict[str, Standing]:
    """How many passes of each order are where, by its reference."""
    return {row.order_reference: Standing(*row) for row in connection.execute(select(pass_total))}


def standing(connection: Connection, reference: str) -> Standing:
    """How many passes of an order are where.

    Raises
    ------
    UnknownOrder
        If none bears the reference.
    """
    _order(connection, reference)
    found = select(pass_total).where(pass_total.c.order_reference == reference)
    return Standing(*connection.execute(found).one())


def events(connection: Connection, references: Collection[str]) -> tuple[Event, ...]:
    """The events that bear some references, in the order they were recorded."""
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
    """All that reports are made of: sums per order, commune and year, and delays.

    Reads no event: its cost goes by orders × communes × years, whatever the number of events.
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
        by_site=tuple(SiteUse(row_of[r[0]], *r[1:]) for r in by_site),
    )


def _payment(reference: str) -> str:
    """Reference in the ledger of the payment an event makes."""
    return f"pass/{reference}"


def _elements(sent: Sequence[bytes]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Elements of integer arrays as `array_send` gives them, end to end; and how many each has."""
    bodies = [bytes(each[_ARRAY_HEADER:]) for each in sent]
    sizes = np.array([len(body) // _ELEMENT.itemsize for body in bodies], dtype=np.int64)
    return np.frombuffer(b"".join(bodies), dtype=_ELEMENT)["value"].astype(np.int64), sizes


def _record(connection: Connection, wanted: Mapping[str, Event], actor: str, post: Post | None) -> Recorded:
    """Keep events of distinct references: staged, compared with those kept, then inserted at once."""
    references = sorted({event.order for event in wanted.values()})
    # Writers take turns by vintage, so that what is compared now still holds when it is inserted.
    locked = (
        select(pass_total.c.order_reference)
        .where(pass_total.c.order_reference.in_(references))
        .order_by(pass_total.c.order_reference)
        .with_for_update()
    )
    if unknown := set(references) - set(connection.scalars(locked)):
        raise _nameless(next(e for e in wanted.values() if e.order in unknown))
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
        raise _taken(other)
    kept = text("DELETE FROM pass_arrival a USING pass_event e WHERE e.reference = a.reference")
    already = connection.execute(kept).rowcount
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
    _pay(connection, wanted, post)
    added = (
        f"INSERT INTO pass_event ({', '.join(_CONTENT)}, corrects, entry_id, actor)"  # noqa: S608 - our own names
        f" SELECT {', '.join(f'a.{name}' for name in _CONTENT)}, e.id, a.entry_id, :actor"
        " FROM pass_arrival a LEFT JOIN pass_event e ON e.reference = a.corrected"
        " WHERE (a.corrected IS NOT NULL) = :corrections ORDER BY a.rank"
    )
    new = 0
    for corrections in (False, True):
        if corrections:
            lost = connection.execute(
                text(
                    "SELECT a.reference, a.corrected FROM pass_arrival a WHERE a.corrected IS NOT NULL AND"
                    " NOT EXISTS (SELECT FROM pass_event e WHERE e.reference = a.corrected)"
                    " ORDER BY a.rank LIMIT 1"
                )
            ).first()
            if lost is not None:
                raise RefusedPasses(
                    f"L'événement {lost.reference} corrige « {lost.corrected} », qui n'existe pas.",
                    "Donnez la référence de l'événement à corriger.",
                    reference=lost.reference,
                )
        new += connection.execute(text(added), {"actor": actor, "corrections": corrections}).rowcount
    connection.execute(text("DROP TABLE pass_arrival"))
    return Recorded(new, already)


def _pay(connection: Connection, wanted: Mapping[str, Event], post: Post | None) -> None:
    """Post the money of reimbursements that are new, and note each one's entry."""
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


def _require_event(event: Event) -> None:
    """Make sure an event tells what one of its kind must."""
    lacking = (
        "de référence"
        if not event.reference.strip()
        else "de nombre de pass"
        if not event.count
        else "d'événement corrigé"
        if event.count < 0 and not event.corrects
        else "de nombre négatif, alors qu'il corrige"
        if event.count > 0 and event.corrects
        else "de commune"
        if event.kind is EventKind.GIVEN and not event.commune
        else "de lieu"
        if event.kind in (EventKind.USED, EventKind.REIMBURSED) and not event.site
        else ""
    )
    if lacking:
        raise RefusedPasses(
            f"L'événement {event.reference} n'a pas {lacking}.", "Complétez-le.", reference=event.reference
        )


@contextmanager
def _refusals(connection: Connection) -> Iterator[None]:
    """A savepoint, given up when the database refuses: the refusal is told in French."""
    try:
        with connection.begin_nested():
            yield
    except DBAPIError as problem:
        told = _told(problem.orig)
        if told is None:
            raise
        raise told from problem


def _told(problem: BaseException | None) -> RefusedPasses | None:
    if isinstance(problem, psycopg.errors.UniqueViolation):
        return RefusedPasses(
            "Une référence vient d'être employée par un autre envoi.",
            "Recommencez : ce qui est déjà enregistré ne comptera pas deux fois.",
        )
    if not isinstance(problem, psycopg.Error) or problem.sqlstate != REFUSED:
        return None
    facts = json.loads(problem.diag.message_detail or "{}")
    return _RULES[facts["rule"]](facts)


def _day_refused(facts: Mapping[str, Any]) -> RefusedPasses:
    day, begins, ends = (
        f"{date.fromisoformat(facts[k]):%d/%m/%Y}" for k in ("day", "ordered_on", "expires_on")
    )
    kind = EventKind(facts["kind"]).label
    return RefusedPasses(
        f"L'événement {facts['reference']} est du {day} : des pass {kind} ne le peuvent pas être ce jour-là, "
        f"la commande {facts['order']} étant du {begins} et valable jusqu'au {ends}.",
        "Corrigez la date ou la commande.",
        reference=facts["reference"],
    )


def _correction_refused(facts: Mapping[str, Any]) -> RefusedPasses:
    return RefusedPasses(
        f"L'événement {facts['reference']} ne peut corriger {facts['corrected']} "
        f"({facts['count']} pass, {facts['taken']} retirés en tout).",
        "Une correction a les mêmes commande, nature, date, commune, partenaire et lieu que ce qu'elle "
        "corrige, n'en retire pas plus que son nombre, et ne se corrige pas elle-même.",
        reference=facts["reference"],
    )


def _over_ordered(facts: Mapping[str, Any]) -> RefusedPasses:
    left = facts["ordered"] - facts["given"]
    return RefusedPasses(
        f"La commande {facts['order']} est de {facts['ordered']} pass, dont {facts['given']} déjà donnés : "
        f"il en reste {left}, et non {facts['asked']}.",
        "Vérifiez le nombre, ou enregistrez la commande suivante.",
    )


def _over_given(facts: Mapping[str, Any]) -> RefusedPasses:
    return RefusedPasses(
        f"Au {date.fromisoformat(facts['day']):%d/%m/%Y}, {facts['gone']} pass de la commande "
        f"{facts['order']} seraient utilisés ou expirés, pour {facts['given']} donnés ; "
        f"avant cet envoi il en restait {facts['remaining']} à utiliser, toutes dates confondues.",
        "Vérifiez nombres et dates ; si des pass ont été dits expirés à tort, corrigez d'abord cela.",
    )


def _over_used(facts: Mapping[str, Any]) -> RefusedPasses:
    return RefusedPasses(
        f"Le lieu {facts['site']} serait remboursé de {facts['reimbursed']} pass de la commande "
        f"{facts['order']}, pour {facts['used']} utilisés.",
        "Enregistrez d'abord les pass utilisés, ou corrigez le nombre.",
    )


def _unfunded(facts: Mapping[str, Any]) -> RefusedPasses:
    return RefusedPasses(
        f"Les financeurs de la commande {facts['reference']} ne sont pas tous connus, ou ne paient pas "
        f"ses {facts['count']} pass.",
        "Enregistrez d'abord les partenaires, et donnez à chacun ses pass.",
    )


def _rewritten(facts: Mapping[str, Any]) -> RefusedPasses:
    return RefusedPasses(
        f"La table {facts['table']} ne se réécrit pas.", "Enregistrez une correction : un événement négatif."
    )


_RULES: Final[Mapping[str, Callable[[Mapping[str, Any]], RefusedPasses]]] = {
    "day": _day_refused,
    "correction": _correction_refused,
    "ordered": _over_ordered,
    "given": _over_given,
    "used": _over_used,
    "funders": _unfunded,
    "append-only": _rewritten,
    "summed": _rewritten,
}


def _taken(reference: str) -> RefusedPasses:
    return RefusedPasses(
        f"La référence {reference} est déjà celle d'un autre événement.",
        "Donnez une autre référence, ou enregistrez une correction de cet événement.",
        reference=reference,
    )


def _nameless(event: Event) -> RefusedPasses:
    return RefusedPasses(
        f"L'événement {event.reference} nomme la commande « {event.order} », qui n'existe pas.",
        "Enregistrez d'abord la commande : portee passes order.",
        reference=event.reference,
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
