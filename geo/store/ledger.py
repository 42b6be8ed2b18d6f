"""The fund's ledger: post orders, match remainders, close periods; read entries and balances.

The rules are in `geo.funding.posting`; here they are given what they need of the ledger, and their
drafts are written. Writers queue for one advisory lock, held until their transaction ends: what was
checked still holds when it is written. The database checks again, even in direct SQL
(`geo/store/sql/ledger_guards.sql`). Transactions that write here must be READ COMMITTED, PostgreSQL's
default.

Posting is idempotent by reference: the same order again is the entry already there. Reports and the
recount of the books: `geo.store.ledger_reports`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

from sqlalchemy import Connection, exists, func, select, text
from sqlalchemy.dialects.postgresql import insert

from geo.errors import InUse, InvalidParameter, PorteeError
from geo.funding import money, posting
from geo.funding.ledger import Balance, Contribution, Entry, EntryKind, Order, Reversal
from geo.funding.ledger_state import Draft, LedgerState
from geo.funding.match_rule import MatchRule
from geo.store import audit
from geo.store.ledger_rows import (
    any_text,
    as_entry,
    entries_by_reference,
    in_year,
    matched_by_contribution,
    matched_by_year,
    matches_of,
    remaining_by_commitment,
    reserve_ids,
    select_entries,
    write_entries,
    write_postings,
)
from geo.store.tables import fund_close, fund_rule, ledger_balance, ledger_entry, partner
from geo.wording import dates, figures

LOCK: Final = 47_0006
"""Key of the advisory lock that writers queue for; the triggers of the tables take it too."""

RATE_MAX_BP: Final = 1_000_000
"""A hundred euros for one; more can only be a typing error."""


# --- posting


def post(connection: Connection, order: Order, *, actor: str) -> int:
    """Post a contribution (with its match), a commitment, a release, a payment or a reversal.

    Parameters
    ----------
    actor
        Name of the token, or of whoever runs the command.

    Returns
    -------
    Number of the entry; of the existing one when the very same order was posted before.

    Raises
    ------
    InvalidParameter
        If a sum is not positive or too large, a reference or an actor is empty, or days contradict
        each other.
    UnknownPartner, UnknownEntry
        If the partner, the commitment or the entry to reverse does not exist.
    DuplicateReference
        If another entry has the reference.
    ClosedPeriod
        If the day lies in a closed period.
    NoRule
        If a contribution comes before the first match rule.
    InsufficientFunds
        If more is asked for than is available, or remains of the commitment.
    AlreadyReversed
        If the entry is reversed already, or cannot be: a reversal, or a match by itself.
    """
    return post_all(connection, [order], actor=actor)[0]


def post_all(connection: Connection, orders: Sequence[Order], *, actor: str) -> list[int]:
    """Post several orders in turn, all or none; each sees those before it. Return their numbers.

    Raises
    ------
    PorteeError
        That of the first refused order, as `post` raises it.
    """
    outcomes = try_all(connection, orders, actor=actor)
    for outcome in outcomes:
        if isinstance(outcome, PorteeError):
            raise outcome
    return [outcome for outcome in outcomes if isinstance(outcome, int)]


def try_all(connection: Connection, orders: Sequence[Order], *, actor: str) -> list[int | PorteeError]:
    """Post several orders; return for each its entry's number, or why it is refused.

    Later orders are checked as if a refused one did not exist. Unless all are accepted, nothing is
    posted, and the numbers of new entries are void.
    """
    if not actor.strip():
        raise InvalidParameter(
            "L'auteur de l'écriture manque.", "Donnez le nom de qui l'écrit.", parameter="actor"
        )
    _wait_for_turn(connection)
    state = _load_state(connection, orders)
    outcomes: list[int | PorteeError] = []
    with connection.begin_nested() as savepoint:
        write_entries(connection, _drafts_until_refused(state, orders, outcomes), actor)
        outcomes += [posting.try_post(state, order) for order in orders[len(outcomes) :]]
        if any(isinstance(outcome, PorteeError) for outcome in outcomes):
            savepoint.rollback()
        else:
            write_postings(connection, state.drafts, actor)
    return outcomes


def settle(connection: Connection, year: int, day: date, reference: str, *, actor: str) -> list[int]:
    """Match remainders of a year's contributions as far as there is room now; return the new entries.

    There is room after a reversal, or when a rule raised the ceiling: that in effect on `day`, or at
    the end of the year if that came first. Contributions are served by day, then number.

    Parameters
    ----------
    day
        Day of the new entries; contributions received later wait.
    reference
        The new entries have it with `/1`, `/2`… after it.

    Raises
    ------
    DuplicateReference
        If a match was posted under this reference already.
    ClosedPeriod
        If the day lies in a closed period.
    """
    _wait_for_turn(connection)
    posting.require_open(last_close(connection), day, reference)
    if entries_by_reference(connection, [f"{reference}/1"]):
        raise posting.duplicate_reference(reference)
    matches = posting.settle(
        ((each.entry, each.unmatched_cents) for each in received(connection, year=year)),
        posting.settling_rule(rules(connection), year, day),
        matched_by_year(connection, {year}).get(year, 0),
        day=day,
        reference=reference,
    )
    drafts = list(zip(reserve_ids(connection, len(matches)), matches, strict=True))
    if drafts:
        write_entries(connection, drafts, actor)
        write_postings(connection, drafts, actor)
    return [id_ for id_, _ in drafts]


def close(connection: Connection, until: date, *, actor: str) -> None:
    """Close all days up to this one: no entry can be dated in them any more. Cannot be undone.

    Raises
    ------
    ClosedPeriod
        If they are closed already.
    InvalidParameter
        If the day is still to come.
    """
    _wait_for_turn(connection)
    today = connection.execute(select(func.current_date())).scalar_one()
    posting.require_closable(until, closed_until=last_close(connection), today=today)
    connection.execute(insert(fund_close).values(until=until, actor=actor))
    audit.record(connection, actor, "fund.close", f"fund_close/{until}", None, {"until": until})


def set_rule(connection: Connection, wanted: MatchRule, *, actor: str) -> None:
    """Set the match rule in effect from its day on, until the next one begins. Idempotent.

    Raises
    ------
    InvalidParameter
        If its rate or ceiling is negative or too large.
    InUse
        If unreversed contributions of that day or later were matched by the present rules.
    ClosedPeriod
        If the day lies in a closed period.
    """
    if not 0 <= wanted.rate_bp <= RATE_MAX_BP:
        raise InvalidParameter(
            f"Le taux de {figures.exact(wanted.rate_bp / 10_000)} pour 1 n'est pas possible.",
            f"De 0 à {RATE_MAX_BP // 10_000} pour 1.",
            parameter="rate",
        )
    if wanted.ceiling_cents is not None and not 0 <= wanted.ceiling_cents <= money.MAX_CENTS:
        raise InvalidParameter(
            f"Le plafond de {figures.euros(wanted.ceiling_cents)} n'est pas possible.",
            f"De 0 à {figures.euros(money.MAX_CENTS)}.",
            parameter="ceiling",
        )
    _wait_for_turn(connection)
    before = next((rule for rule in rules(connection) if rule.day == wanted.day), None)
    if before == wanted:
        return
    posting.require_open(last_close(connection), wanted.day, "règle")
    latest = latest_unreversed_contribution(connection, since=wanted.day)
    if latest is not None:
        raise InUse(
            f"Des contributions reçues jusqu'au {dates.long_date(latest)} sont déjà abondées "
            "par la règle d'alors.",
            "Faites commencer la règle après elles.",
        )
    values = asdict(wanted)
    upsert = insert(fund_rule).values(values)
    connection.execute(upsert.on_conflict_do_update(index_elements=[fund_rule.c.day], set_=values))
    previous = None if before is None else asdict(before)
    audit.record(connection, actor, "fund.rule", f"fund_rule/{wanted.day}", previous, values)


def _wait_for_turn(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})


def _load_state(connection: Connection, orders: Sequence[Order]) -> LedgerState:
    """Load all that posting some orders needs: the connection answers nothing while entries are sent."""
    known = entries_by_reference(connection, posting.references(orders))
    reversed_references = {order.reverses for order in orders if isinstance(order, Reversal)}
    to_reverse = [entry for entry in known if entry.reference in reversed_references]
    contributions = [entry.id for entry in to_reverse if entry.kind is EntryKind.CONTRIBUTION]
    commitments = {entry.id for entry in known if entry.kind is EntryKind.COMMITMENT}
    commitments |= {entry.commitment_id for entry in to_reverse if entry.commitment_id is not None}
    received_on = [order.day for order in orders if isinstance(order, Contribution)]
    match_rules = rules(connection) if received_on else []
    has_ceiling = any(rule.ceiling_cents is not None for rule in match_rules)
    codes = {code for order in orders if (code := getattr(order, "partner_code", None))}
    partners = select(partner.c.code).where(partner.c.code == any_text(codes))
    state = LedgerState(
        ids=iter(()),
        rules=match_rules,
        partners=frozenset(connection.scalars(partners)) if codes else frozenset(),
        closed_until=last_close(connection),
        available_cents=balance(connection).available_cents,
        remaining_cents=remaining_by_commitment(connection, commitments),
        matched_cents=matched_by_year(connection, {day.year for day in received_on}) if has_ceiling else {},
    )
    for entry in (*known, *matches_of(connection, contributions)):
        state.load(entry)
    state.ids = iter(reserve_ids(connection, posting.count_new_entries(orders, state)))
    return state


def _drafts_until_refused(
    state: LedgerState, orders: Sequence[Order], outcomes: list[int | PorteeError]
) -> Iterator[tuple[int, Draft]]:
    """Post orders up to the first refused one, noting outcomes; yield drafts as they are added.

    Entries are thus sent to the database while the next order is checked.
    """
    sent = 0
    for order in orders:
        outcomes.append(outcome := posting.try_post(state, order))
        if isinstance(outcome, PorteeError):
            return
        yield from state.drafts[sent:]
        sent = len(state.drafts)


# --- reading


def rules(connection: Connection) -> list[MatchRule]:
    """Return the match rules, by day."""
    found = connection.execute(select(fund_rule).order_by(fund_rule.c.day))
    return [MatchRule(row.day, row.rate_bp, row.ceiling_cents, row.note) for row in found]


def last_close(connection: Connection) -> date | None:
    """Return the last closed day; None while all are open."""
    until: date | None = connection.scalar(select(func.max(fund_close.c.until)))
    return until


def balance(connection: Connection) -> Balance:
    """Return the balance of all accounts."""
    cents = {row.account: row.amount_cents for row in connection.execute(select(ledger_balance))}
    return Balance(
        contributed_cents=-cents["partners"],
        matched_cents=-cents["departement"],
        available_cents=cents["available"],
        committed_cents=cents["committed"],
        paid_cents=cents["paid"],
    )


def find(connection: Connection, reference: str) -> Entry:
    """Return the entry that has a reference.

    Raises
    ------
    UnknownEntry
        If none has.
    """
    row = connection.execute(select_entries().where(ledger_entry.c.reference == reference)).one_or_none()
    if row is None:
        raise posting.unknown_entry(reference)
    return as_entry(row)


def entries(
    connection: Connection,
    *,
    kind: EntryKind | None = None,
    year: int | None = None,
    partner_code: str | None = None,
    action_line: str | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[Entry]:
    """Return entries in the order they were posted, those numbered above `after`; at most `limit`."""
    table = ledger_entry.c
    wanted = select_entries().where(table.id > after, *in_year(year)).order_by(table.id).limit(limit)
    for column, value in (
        (table.kind, kind),
        (table.partner_code, partner_code),
        (table.action_line, action_line),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    return [as_entry(row) for row in connection.execute(wanted)]


def remaining(connection: Connection, reference: str) -> int:
    """Return what is neither paid nor released of a commitment, in cents.

    Raises
    ------
    UnknownEntry
        If no commitment has this reference.
    """
    commitment = find(connection, reference)
    if commitment.kind is not EntryKind.COMMITMENT:
        raise posting.unknown_entry(reference, "engagement")
    return remaining_by_commitment(connection, [commitment.id])[commitment.id]


@dataclass(frozen=True, slots=True)
class Received:
    """A contribution with what the Département matched it with so far, in cents."""

    entry: Entry
    matched_cents: int

    @property
    def unmatched_cents(self) -> int:
        """What the ceiling withholds; 0 for a reversed contribution."""
        return 0 if self.entry.reversed_by else (self.entry.due_cents or 0) - self.matched_cents


def received(
    connection: Connection, *, year: int | None = None, partner_code: str | None = None
) -> list[Received]:
    """Return contributions of a year or a partner, reversed ones included, in the order of posting."""
    table = ledger_entry.c
    wanted = select_entries().where(table.kind == EntryKind.CONTRIBUTION, *in_year(year)).order_by(table.id)
    if partner_code is not None:
        wanted = wanted.where(table.partner_code == partner_code)
    found = [as_entry(row) for row in connection.execute(wanted)]
    matched = matched_by_contribution(connection, (entry.id for entry in found))
    return [Received(entry, matched.get(entry.id, 0)) for entry in found]


def latest_unreversed_contribution(connection: Connection, *, since: date) -> date | None:
    """Return the latest day of a contribution of `since` or later that is not reversed, or None."""
    reversal = ledger_entry.alias("reversal")
    wanted = select(func.max(ledger_entry.c.day)).where(
        ledger_entry.c.kind == EntryKind.CONTRIBUTION,
        ledger_entry.c.day >= since,
        ~exists().where(reversal.c.reverses == ledger_entry.c.id),
    )
    latest: date | None = connection.scalar(wanted)
    return latest
