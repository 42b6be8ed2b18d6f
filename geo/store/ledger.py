"""The fund's ledger: entries posted for good, the match with them, closed periods, sums.

Writers queue for one advisory lock, kept until their transaction ends: what is checked here still
holds when it is written. The database checks all of it again (migration 0004): balanced, whole,
append-only, never overdrawn, nothing in a closed period, even by direct SQL. Transactions that write
here must be READ COMMITTED, PostgreSQL's default.

Posting is idempotent by reference: the same order again is the entry already there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from itertools import count
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Row, Select, Text, exists, extract, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.sql.elements import ColumnElement

from geo.errors import (
    AlreadyReversed,
    ClosedPeriod,
    DuplicateReference,
    InsufficientFunds,
    InUse,
    InvalidParameter,
    NoRule,
    PorteeError,
    UnknownEntry,
)
from geo.funding import match_rule, money
from geo.funding.ledger import (
    MOVES,
    Account,
    Balance,
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
from geo.funding.match_rule import MatchRule, rule_on
from geo.funding.reports import MEASURES, UNPLACED, By, FundReport, Line, by_territory
from geo.store import audit, partners
from geo.store.copy_encoder import Cells, cell, copy_lines
from geo.store.tables import fund_close, fund_rule, ledger_balance, ledger_entry, ledger_posting, partner
from geo.territory.model import Territory, TerritoryKind

LOCK: Final = 47_0006
"""Key of the advisory lock that writers queue for; the triggers of the tables take the same."""

RATE_MAX_BP: Final = 1_000_000
"""A hundred euros for one: more is a slip of the pen."""


# --- posting


def post(connection: Connection, order: Order, *, actor: str) -> int:
    """Post a contribution (with its match), a commitment, a release, a payment or a reversal.

    Parameters
    ----------
    actor
        Name of the token, or of whoever runs the command.

    Returns
    -------
    Number of the entry; of the one already there when the very same was posted before.

    Raises
    ------
    InvalidParameter
        If a sum is not one, a reference or an actor is empty, or days contradict each other.
    UnknownPartner, UnknownEntry
        If the partner, the commitment or the entry to reverse is not there.
    DuplicateReference
        If something else bears the reference.
    ClosedPeriod
        If the day lies in a closed period.
    NoRule
        If a contribution comes before the first rule of the match.
    InsufficientFunds
        If more is asked for than is available, or left of the commitment.
    AlreadyReversed
        If the entry was reversed already, or cannot be: a reversal, or a match by itself.
    """
    return post_all(connection, [order], actor=actor)[0]


def post_all(connection: Connection, orders: Sequence[Order], *, actor: str) -> list[int]:
    """Post several orders, in turn: each sees those before it; all or none.

    Raises
    ------
    PorteeError
        That of the first order refused, as `post` tells it.
    """
    outcomes = try_all(connection, orders, actor=actor)
    for outcome in outcomes:
        if isinstance(outcome, PorteeError):
            raise outcome
    return [outcome for outcome in outcomes if isinstance(outcome, int)]


def try_all(connection: Connection, orders: Sequence[Order], *, actor: str) -> list[int | PorteeError]:
    """What posting several orders comes to: of each, the entry's number or why it is refused.

    An order refused counts for nothing in those after it. Unless all are accepted, nothing is posted,
    and the numbers of new entries are void.
    """
    if not actor.strip():
        raise InvalidParameter(
            "L'auteur de l'écriture manque.", "Donnez le nom de qui l'écrit.", parameter="actor"
        )
    _wait_for_turn(connection)
    books = _Books(connection, orders)
    outcomes: list[int | PorteeError] = []
    with connection.begin_nested() as savepoint:
        _write_entries(connection, _taken_in(books, orders, outcomes), actor)
        outcomes += [books.outcome(order) for order in orders[len(outcomes) :]]
        if any(isinstance(outcome, PorteeError) for outcome in outcomes):
            savepoint.rollback()
        else:
            _write_rest(connection, books.drafts, actor)
    return outcomes


def _taken_in(
    books: _Books, orders: Iterable[Order], outcomes: list[int | PorteeError]
) -> Iterator[tuple[int, _Draft]]:
    """Entries that orders make, up to the first refused: those before are sent while one is taken in."""
    told = 0
    for order in orders:
        outcomes.append(outcome := books.outcome(order))
        if isinstance(outcome, PorteeError):
            return
        yield from books.drafts[told:]
        told = len(books.drafts)


def settle(connection: Connection, year: int, day: date, reference: str, *, actor: str) -> list[int]:
    """Match remainders of a year's contributions as far as there is room now; returns the new entries.

    There is room after a reversal, or when a rule raised the ceiling: the ceiling is that in force on
    `day`, or at the end of the year if that came first. Contributions are served by day, then number.

    Parameters
    ----------
    day
        The day the entries bear; contributions received later wait.
    reference
        Entries bear it with `/1`, `/2`… after it.

    Raises
    ------
    DuplicateReference
        If a match was posted under this reference already.
    ClosedPeriod
        If the day lies in a closed period.
    """
    _wait_for_turn(connection)
    _require_open(last_close(connection), day, reference)
    if _known(connection, [f"{reference}/1"]):
        raise _duplicate(reference)
    now = rule_on(rules(connection), min(day, date(year, 12, 31)))
    given = _matched_by_year(connection, {year}).get(year, 0)
    rank = count(1)
    drafts = []
    waiting = received(connection, year=year)
    for each in sorted(waiting, key=lambda r: (r.entry.day, r.entry.id)):
        if now is None or each.entry.day > day or each.entry.reversed_by is not None:
            continue
        cents = match_rule.within(each.unmatched_cents, now.room(given))
        if cents > 0:
            made = _match_of(
                each.entry.id, _draft_of(each.entry), cents, day=day, reference=f"{reference}/{next(rank)}"
            )
            drafts.append((_numbers(connection, 1)[0], made))
            given += cents
    if drafts:
        _write_entries(connection, drafts, actor)
        _write_rest(connection, drafts, actor)
    return [id_ for id_, _ in drafts]


def close(connection: Connection, until: date, *, actor: str) -> None:
    """Close all days to this one: no entry may bear one of them any more. Cannot be undone.

    Raises
    ------
    ClosedPeriod
        If they are closed already.
    InvalidParameter
        If the day is still to come.
    """
    _wait_for_turn(connection)
    last = last_close(connection)
    if last is not None and until <= last:
        raise ClosedPeriod(
            f"Les comptes sont déjà clos jusqu'au {last:%d/%m/%Y}.", "Une clôture ne se défait pas."
        )
    if until > connection.execute(select(func.current_date())).scalar_one():
        raise InvalidParameter(
            f"Le {until:%d/%m/%Y} n'est pas encore passé.",
            "Une clôture ne se défait pas : attendez la fin de la période.",
            parameter="until",
        )
    connection.execute(insert(fund_close).values(until=until, actor=actor))
    audit.record(connection, actor, "fund.close", f"fund_close/{until}", None, {"until": until})


def set_rule(connection: Connection, wanted: MatchRule, *, actor: str) -> None:
    """Let a rule of the match be in force from its day on, until the next one begins.

    Raises
    ------
    InvalidParameter
        If its rate or ceiling is negative or beyond reason.
    InUse
        If contributions in force of that day or later were matched by the rules as they are.
    ClosedPeriod
        If the day lies in a closed period.
    """
    if not 0 <= wanted.rate_bp <= RATE_MAX_BP:
        raise InvalidParameter(
            f"Le taux de {wanted.rate_bp / 10_000:g} pour 1 n'est pas possible.",
            f"De 0 à {RATE_MAX_BP // 10_000} pour 1.",
            parameter="rate",
        )
    if wanted.ceiling_cents is not None and not 0 <= wanted.ceiling_cents <= money.MAX_CENTS:
        raise InvalidParameter(
            f"Le plafond de {money.formatted(wanted.ceiling_cents)} n'est pas possible.",
            f"De 0 à {money.formatted(money.MAX_CENTS)}.",
            parameter="ceiling",
        )
    _wait_for_turn(connection)
    known = {rule.day: rule for rule in rules(connection)}
    before = known.get(wanted.day)
    if before == wanted:
        return
    _require_open(last_close(connection), wanted.day, "règle")
    later = received_in_force(connection, since=wanted.day)
    if later is not None:
        raise InUse(
            f"Des contributions reçues jusqu'au {later:%d/%m/%Y} sont déjà abondées par la règle d'alors.",
            "Faites commencer la règle après elles.",
        )
    kept = insert(fund_rule).values(asdict(wanted))
    connection.execute(kept.on_conflict_do_update(index_elements=[fund_rule.c.day], set_=asdict(wanted)))
    told = None if before is None else asdict(before)
    audit.record(connection, actor, "fund.rule", f"fund_rule/{wanted.day}", told, asdict(wanted))


# --- reading


def rules(connection: Connection) -> list[MatchRule]:
    """The rules of the match, by day."""
    found = connection.execute(select(fund_rule).order_by(fund_rule.c.day))
    return [MatchRule(row.day, row.rate_bp, row.ceiling_cents, row.note) for row in found]


def last_close(connection: Connection) -> date | None:
    """The last closed day; None while all are open."""
    until: date | None = connection.scalar(select(func.max(fund_close.c.until)))
    return until


def balance(connection: Connection) -> Balance:
    """Where all the money is."""
    held = {row.account: row.amount_cents for row in connection.execute(select(ledger_balance))}
    return Balance(
        contributed_cents=-held["partners"],
        matched_cents=-held["departement"],
        available_cents=held["available"],
        committed_cents=held["committed"],
        paid_cents=held["paid"],
    )


def find(connection: Connection, reference: str) -> Entry:
    """The entry that bears a reference.

    Raises
    ------
    UnknownEntry
        If none does.
    """
    row = connection.execute(_entries().where(ledger_entry.c.reference == reference)).one_or_none()
    if row is None:
        raise _unknown(reference)
    return _as_entry(row)


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
    """Entries in the order they were posted, those numbered above `after`; at most `limit`."""
    table = ledger_entry.c
    wanted = _entries().where(table.id > after, *_of_year(year)).order_by(table.id).limit(limit)
    for column, value in (
        (table.kind, kind),
        (table.partner_code, partner_code),
        (table.action_line, action_line),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    return [_as_entry(row) for row in connection.execute(wanted)]


def left(connection: Connection, reference: str) -> int:
    """What is left to pay of a commitment, in cents.

    Raises
    ------
    UnknownEntry
        If no commitment bears this reference.
    """
    commitment = find(connection, reference)
    if commitment.kind is not EntryKind.COMMITMENT:
        raise _unknown(reference, "engagement")
    return _left(connection, [commitment.id])[commitment.id]


@dataclass(frozen=True, slots=True)
class Received:
    """A contribution with what the Département added to it so far, in cents."""

    entry: Entry
    matched_cents: int

    @property
    def unmatched_cents(self) -> int:
        """What the ceiling withholds; 0 of one that was reversed."""
        return 0 if self.entry.reversed_by else (self.entry.due_cents or 0) - self.matched_cents


def received(
    connection: Connection, *, year: int | None = None, partner_code: str | None = None
) -> list[Received]:
    """Contributions of a year or a partner, reversed ones included, in the order they were posted."""
    table = ledger_entry.c
    wanted = _entries().where(table.kind == EntryKind.CONTRIBUTION, *_of_year(year)).order_by(table.id)
    if partner_code is not None:
        wanted = wanted.where(table.partner_code == partner_code)
    found = [_as_entry(row) for row in connection.execute(wanted)]
    given = (
        select(table.contribution_id, -func.sum(ledger_posting.c.amount_cents))
        .join(ledger_posting, ledger_posting.c.entry_id == table.id)
        .where(
            ledger_posting.c.account == Account.DEPARTEMENT,
            table.contribution_id == _any_id(entry.id for entry in found),
        )
        .group_by(table.contribution_id)
    )
    matched = {row[0]: int(row[1]) for row in connection.execute(given)}
    return [Received(entry, matched.get(entry.id, 0)) for entry in found]


def received_in_force(connection: Connection, *, since: date) -> date | None:
    """The latest day of a contribution of `since` or later that is not reversed; None: there is none."""
    undone = ledger_entry.alias("undone")
    wanted = select(func.max(ledger_entry.c.day)).where(
        ledger_entry.c.kind == EntryKind.CONTRIBUTION,
        ledger_entry.c.day >= since,
        ~exists().where(undone.c.reverses == ledger_entry.c.id),
    )
    latest: date | None = connection.scalar(wanted)
    return latest


def report(
    connection: Connection,
    by: By | TerritoryKind,
    *,
    year: int | None = None,
    territory: Territory | None = None,
) -> FundReport:
    """What the fund did, by partner, year, source, action line or kind of territory.

    Parameters
    ----------
    year
        Count only entries that bear a day of it; None: all.
    territory
        Membership and inhabitants of territories: needed when `by` is a kind of them.
    """
    table = ledger_entry.c
    keys: dict[By | TerritoryKind, ColumnElement[Any]] = {
        By.PARTNER: table.partner_code,
        By.YEAR: extract("year", table.day),
        By.LEVEL: table.level,
        By.LINE: table.action_line,
    }
    lines = _sums(connection, keys.get(by, table.commune), year)
    if isinstance(by, TerritoryKind):
        if territory is None:
            raise TypeError("a report by territory needs one")
        lines = by_territory(lines, territory, by)
    elif by is By.YEAR:
        lines = _carried(connection, lines, year)
    else:
        names = _names(connection, by)
        lines = [replace(line, name=names.get(line.key, line.key or "Sans objet")) for line in lines]
    total = Line(
        "total", "Total", population=_population(territory) if isinstance(by, TerritoryKind) else None
    )
    for line in lines:
        total = total.plus(line)
    if by is By.YEAR and lines:
        total = replace(total, available_cents=lines[-1].available_cents)
    return FundReport(by, year, tuple(lines), total)


def faults(connection: Connection) -> list[str]:
    """What is wrong with the books, recounted from every posting; nothing, unless guards were removed."""
    found = []
    for told, question in _RECOUNTS.items():
        found += [f"{told}: {row[0]}" for row in connection.execute(text(question))]
    return found


_RECOUNTS: Final = {
    "balance is not the sum of postings": """
        SELECT account FROM ledger_balance b WHERE amount_cents <>
            (SELECT coalesce(sum(p.amount_cents), 0) FROM ledger_posting p WHERE p.account = b.account)""",
    "balance below 0": """
        SELECT account FROM ledger_posting WHERE account IN ('available', 'committed', 'paid')
        GROUP BY account HAVING sum(amount_cents) < 0""",
    "entry not of two postings that sum to 0": """
        SELECT e.reference FROM ledger_entry e LEFT JOIN ledger_posting p ON p.entry_id = e.id
        GROUP BY e.id HAVING count(p.account) <> 2 OR sum(p.amount_cents) <> 0""",
    "commitment below 0": """
        SELECT coalesce(e.commitment_id, e.id) FROM ledger_entry e
        JOIN ledger_posting p ON p.entry_id = e.id AND p.account = 'committed'
        GROUP BY 1 HAVING sum(p.amount_cents) < 0""",
    "match beyond what is due": """
        SELECT c.reference FROM ledger_entry c JOIN ledger_entry m ON m.contribution_id = c.id
        JOIN ledger_posting p ON p.entry_id = m.id AND p.account = 'departement'
        LEFT JOIN ledger_entry r ON r.reverses = c.id
        GROUP BY c.id, r.id
        HAVING -sum(p.amount_cents) > CASE WHEN r.id IS NULL THEN c.due_cents ELSE 0 END""",
    "reversal that is no mirror": """
        SELECT r.reference FROM ledger_entry r JOIN ledger_posting p ON p.entry_id = r.reverses
        LEFT JOIN ledger_posting q ON q.entry_id = r.id AND q.account = p.account
        WHERE q.amount_cents IS DISTINCT FROM -p.amount_cents""",
}


# --- how orders become entries


@dataclass(slots=True)
class _Draft:
    """What an entry says, number and author aside; nothing changes it once it is taken in."""

    kind: EntryKind
    day: date
    reference: str
    amount_cents: int
    source: Account
    destination: Account
    partner_code: str | None = None
    level: Level | None = None
    action_line: str | None = None
    commune: str | None = None
    site_id: str | None = None
    due_cents: int | None = None
    commitment_id: int | None = None
    contribution_id: int | None = None
    reverses: int | None = None
    memo: str = ""
    fictif: bool = False


class _Books:
    """What posting needs to know, read once under the lock, and kept up while orders are taken in turn."""

    def __init__(self, connection: Connection, orders: Sequence[Order]) -> None:
        named = {order.reference for order in orders}
        named |= {order.commitment for order in orders if isinstance(order, Release | Payment)}
        named |= {abond(o.reference) for o in orders if isinstance(o, Contribution | Reversal)}
        reversed_ = {order.reverses for order in orders if isinstance(order, Reversal)}
        found = _known(connection, named | reversed_)
        self.drafts: list[tuple[int, _Draft]] = []
        self._by_reference = {entry.reference: (entry.id, _draft_of(entry)) for entry in found}
        self._reversed = {entry.id for entry in found if entry.reversed_by is not None}
        undone = [e for e in found if e.reference in reversed_]
        self._matches: dict[int, list[int]] = {}
        for match in _matches_of(connection, [e.id for e in undone if e.kind is EntryKind.CONTRIBUTION]):
            self._by_reference[match.reference] = (match.id, _draft_of(match))
            self._matches.setdefault(match.contribution_id or 0, []).append(match.id)
        self._by_id = dict(self._by_reference.values())
        # All numbers there may be need of: the connection answers nothing while entries are sent.
        twofold = sum(
            order.reverses not in self._by_reference
            if isinstance(order, Reversal)
            else isinstance(order, Contribution)
            for order in orders
        )
        most = len(orders) + twofold + sum(map(len, self._matches.values()))
        self._ids = iter(_numbers(connection, most))
        commitments = {e.id for e in found if e.kind is EntryKind.COMMITMENT}
        commitments |= {e.commitment_id for e in undone if e.commitment_id is not None}
        self._left = _left(connection, commitments)
        self._available = balance(connection).available_cents
        self._closed = last_close(connection)
        received_ = [order for order in orders if isinstance(order, Contribution)]
        self._rules = rules(connection) if received_ else []
        self._rule_of = {day: rule_on(self._rules, day) for day in {order.day for order in received_}}
        years = {order.day.year for order in received_}
        self._matched = (
            _matched_by_year(connection, years)
            if any(rule.ceiling_cents is not None for rule in self._rules)
            else {}
        )
        wanted = {code for order in orders if (code := getattr(order, "partner_code", None))}
        known = connection.scalars(select(partner.c.code).where(partner.c.code == _any_text(wanted)))
        self._partners = set(known) if wanted else set()

    def outcome(self, order: Order) -> int | PorteeError:
        """Take one order in; returns the number of its entry, or why it is refused."""
        try:
            return self._post(order)
        except PorteeError as refusal:
            return refusal

    def _post(self, order: Order) -> int:
        draft = self._draft(order)
        if known := self._by_reference.get(order.reference):
            id_, before = known
            if replace(before, due_cents=None) != replace(draft, due_cents=None):
                raise _duplicate(order.reference)
            return id_
        if not order.reference.strip():
            raise InvalidParameter(
                "L'écriture n'a pas de référence.", "Donnez-lui-en une, unique.", parameter="reference"
            )
        money.checked(draft.amount_cents)
        _require_open(self._closed, order.day, order.reference)
        named = getattr(order, "partner_code", None)
        if named is not None and named not in self._partners:
            raise partners.unknown_partner(named)
        match order:
            case Contribution():
                return self._contribute(draft)
            case Commitment():
                self._require_available(draft)
                return self._add(draft)
            case Release() | Payment():
                self._require_left(draft, order.commitment)
                return self._add(draft)
            case Reversal():
                return self._reverse(draft, order)

    def _contribute(self, draft: _Draft) -> int:
        rule = self._rule_of[draft.day]
        if rule is None:
            raise NoRule(
                f"Aucune règle d'abondement n'est en vigueur le {draft.day:%d/%m/%Y} ({draft.reference}).",
                "Enregistrez-la : portee fund rule set",
            )
        year = draft.day.year
        due = rule.due(draft.amount_cents)
        given = match_rule.within(due, rule.room(self._matched.get(year, 0)))
        self._require_free(abond(draft.reference))
        draft.due_cents = due
        id_ = self._add(draft)
        if given:
            self._matched[year] = self._matched.get(year, 0) + given
            matched = self._add(_match_of(id_, draft, given, day=draft.day, reference=abond(draft.reference)))
            self._matches.setdefault(id_, []).append(matched)
        return id_

    def _reverse(self, draft: _Draft, order: Reversal) -> int:
        id_ = draft.reverses or 0
        original = self._by_id[id_]
        if original.kind in (EntryKind.REVERSAL, EntryKind.MATCH):
            what = "un abondement" if original.kind is EntryKind.MATCH else "une annulation"
            raise AlreadyReversed(
                f"L'écriture « {order.reverses} » est {what} : elle ne s'annule pas seule.",
                "Enregistrez de nouveau l'écriture annulée, ou annulez la contribution abondée.",
            )
        if id_ in self._reversed:
            raise AlreadyReversed(
                f"L'écriture « {order.reverses} » est déjà annulée.", "Une annulation ne se fait qu'une fois."
            )
        if order.day < original.day:
            raise _too_early(order.reference, original.day)
        undone = [id_, *(m for m in self._matches.get(id_, []) if m not in self._reversed)]
        if original.kind is EntryKind.CONTRIBUTION:
            total = sum(self._by_id[m].amount_cents for m in undone)
            self._require_available(replace(draft, amount_cents=total))
            year = original.day.year
            self._matched[year] = self._matched.get(year, 0) - (total - original.amount_cents)
        elif original.kind is EntryKind.COMMITMENT:
            self._require_left(draft, order.reverses)
        elif original.kind is EntryKind.RELEASE:
            self._require_available(draft)
        self._require_free(abond(order.reference))
        made = self._add(draft)
        for rank, match in enumerate(undone[1:]):
            reference = abond(order.reference) if rank == 0 else f"{abond(order.reference)}/{rank + 1}"
            self._add(
                _mirror(match, self._by_id[match], order.day, reference, f"Abondement de {order.reverses}")
            )
        return made

    def _draft(self, order: Order) -> _Draft:
        match order:
            case Contribution():
                return _moved(
                    EntryKind.CONTRIBUTION,
                    order,
                    partner_code=order.partner_code,
                    level=Level(order.level),
                    commune=order.commune,
                )
            case Commitment():
                if not order.action_line.strip():
                    raise InvalidParameter(
                        f"L'engagement « {order.reference} » n'a pas de ligne d'action.",
                        "Dites à quoi l'argent servira.",
                        parameter="action_line",
                    )
                return _moved(
                    EntryKind.COMMITMENT,
                    order,
                    partner_code=order.partner_code,
                    action_line=order.action_line,
                    commune=order.commune,
                    site_id=order.site_id,
                )
            case Release():
                return replace(self._within(EntryKind.RELEASE, order), memo=order.memo)
            case Payment():
                made = self._within(EntryKind.PAYMENT, order)
                return replace(
                    made,
                    partner_code=order.partner_code or made.partner_code,
                    commune=order.commune or made.commune,
                    site_id=order.site_id or made.site_id,
                )
            case Reversal():
                if order.reverses not in self._by_reference:
                    raise _unknown(order.reverses)
                id_, original = self._by_reference[order.reverses]
                return _mirror(id_, original, order.day, order.reference, order.memo)

    def _within(self, kind: EntryKind, order: Release | Payment) -> _Draft:
        """A draft that takes from a commitment what it is for."""
        id_, commitment = self._by_reference.get(order.commitment, (0, None))
        if commitment is None or commitment.kind is not EntryKind.COMMITMENT:
            raise _unknown(order.commitment, "engagement")
        if order.day < commitment.day:
            raise _too_early(order.reference, commitment.day)
        return _moved(
            kind,
            order,
            commitment_id=id_,
            partner_code=commitment.partner_code,
            action_line=commitment.action_line,
            commune=commitment.commune,
            site_id=commitment.site_id,
        )

    def _require_available(self, draft: _Draft) -> None:
        if draft.amount_cents > self._available:
            raise InsufficientFunds(
                f"Il reste {money.formatted(self._available)} disponibles dans le fonds : "
                f"{money.formatted(draft.amount_cents)} ne peuvent pas en sortir ({draft.reference}).",
                "Diminuez le montant, dégagez un engagement ou attendez une contribution.",
            )

    def _require_left(self, draft: _Draft, commitment: str) -> None:
        rest = self._left[draft.commitment_id or 0]
        if draft.amount_cents > rest:
            raise InsufficientFunds(
                f"Il reste {money.formatted(rest)} sur l'engagement « {commitment} » : "
                f"{money.formatted(draft.amount_cents)} ne peuvent pas en sortir ({draft.reference}).",
                "Diminuez le montant, ou engagez d'abord ce qui manque.",
            )

    def _require_free(self, reference: str) -> None:
        if reference in self._by_reference:
            raise _duplicate(reference)

    def _add(self, draft: _Draft) -> int:
        id_ = next(self._ids)
        self.drafts.append((id_, draft))
        self._by_reference[draft.reference] = (id_, draft)
        self._by_id[id_] = draft
        if draft.reverses is not None:
            self._reversed.add(draft.reverses)
        commitment = id_ if draft.kind is EntryKind.COMMITMENT else draft.commitment_id
        for account, cents in ((draft.source, -draft.amount_cents), (draft.destination, draft.amount_cents)):
            if account is Account.AVAILABLE:
                self._available += cents
            elif account is Account.COMMITTED and commitment is not None:
                self._left[commitment] = self._left.get(commitment, 0) + cents
        return id_


def abond(reference: str) -> str:
    """Reference of the match posted with a contribution, or undone with its reversal."""
    return f"{reference}/abondement"


_SAYS: Final = tuple(field.name for field in fields(_Draft))
_COLUMNS: Final = tuple(name for name in _SAYS if name not in ("amount_cents", "source", "destination"))
_said = attrgetter(*_SAYS)


def _write_entries(connection: Connection, drafts: Iterable[tuple[int, _Draft]], actor: str) -> None:
    """Write entries as they come; their postings must follow."""
    copy_lines(connection, "ledger_entry", ("id", *_COLUMNS, "actor"), _entry_lines(drafts, cell(actor)))


def _write_rest(connection: Connection, drafts: Sequence[tuple[int, _Draft]], actor: str) -> None:
    """Write all postings of entries at once, then the audit."""
    copy_lines(
        connection,
        "ledger_posting",
        ("entry_id", "account", "amount_cents"),
        (
            f"{id_}\t{draft.source}\t-{draft.amount_cents}\n{id_}\t{draft.destination}\t{draft.amount_cents}"
            for id_, draft in drafts
        ),
    )
    audit.record_all(
        connection,
        actor,
        (
            (f"fund.{draft.kind}", f"ledger_entry/{draft.reference}", None, _told(id_, draft))
            for id_, draft in drafts
        ),
    )


def _entry_lines(drafts: Iterable[tuple[int, _Draft]], by: str) -> Iterator[str]:
    """Entries as COPY takes them: number, `_COLUMNS`, author; what many of them say is written once."""
    cells = Cells()
    for id_, draft in drafts:
        yield "\t".join(
            (
                str(id_),
                draft.kind,
                cells[draft.day],
                cell(draft.reference),
                cells[draft.partner_code],
                cells[draft.level],
                cells[draft.action_line],
                cells[draft.commune],
                cells[draft.site_id],
                cell(draft.due_cents),
                cell(draft.commitment_id),
                cell(draft.contribution_id),
                cell(draft.reverses),
                cell(draft.memo),
                cell(draft.fictif),
                by,
            )
        )


def _told(id_: int, draft: _Draft) -> dict[str, Any]:
    """An entry as the audit keeps it: what it says, and not what it leaves unsaid."""
    told = {name: value for name, value in zip(_SAYS, _said(draft), strict=True) if value}
    told["id"], told["day"] = id_, str(draft.day)
    return told


def _moved(kind: EntryKind, order: Contribution | Commitment | Release | Payment, **named: Any) -> _Draft:
    source, destination = MOVES[kind]
    return _Draft(
        kind,
        order.day,
        order.reference,
        order.amount_cents,
        source,
        destination,
        memo=order.memo,
        fictif=order.fictif,
        **named,
    )


def _match_of(id_: int, contribution: _Draft, cents: int, *, day: date, reference: str) -> _Draft:
    source, destination = MOVES[EntryKind.MATCH]
    return _Draft(
        EntryKind.MATCH,
        day,
        reference,
        cents,
        source,
        destination,
        contribution.partner_code,
        contribution.level,
        contribution.action_line,
        contribution.commune,
        contribution.site_id,
        contribution_id=id_,
        memo=f"Abondement de {contribution.reference}",
        fictif=contribution.fictif,
    )


def _mirror(id_: int, original: _Draft, day: date, reference: str, memo: str) -> _Draft:
    commitment = id_ if original.kind is EntryKind.COMMITMENT else original.commitment_id
    contribution = id_ if original.kind is EntryKind.CONTRIBUTION else original.contribution_id
    return replace(
        original,
        kind=EntryKind.REVERSAL,
        day=day,
        reference=reference,
        source=original.destination,
        destination=original.source,
        due_cents=None if original.due_cents is None else -original.due_cents,
        commitment_id=commitment,
        contribution_id=contribution,
        reverses=id_,
        memo=memo,
    )


# --- questions to the tables


def _wait_for_turn(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})


def _numbers(connection: Connection, most: int) -> Sequence[int]:
    """Numbers for new entries; those not used are lost."""
    drawn = text(
        "SELECT nextval(pg_get_serial_sequence('ledger_entry', 'id')) FROM generate_series(1, :most)"
    )
    return connection.scalars(drawn, {"most": most}).all()


def _entries() -> Select[Any]:
    given, taken, undone = (
        ledger_posting.alias("given"),
        ledger_posting.alias("taken"),
        ledger_entry.alias("undone"),
    )
    return (
        select(
            ledger_entry,
            given.c.amount_cents,
            taken.c.account.label("source"),
            given.c.account.label("destination"),
            undone.c.id.label("reversed_by"),
        )
        .join(given, (given.c.entry_id == ledger_entry.c.id) & (given.c.amount_cents > 0))
        .join(taken, (taken.c.entry_id == ledger_entry.c.id) & (taken.c.amount_cents < 0))
        .outerjoin(undone, undone.c.reverses == ledger_entry.c.id)
    )


def _known(connection: Connection, references: Collection[str]) -> list[Entry]:
    wanted = _entries().where(ledger_entry.c.reference == _any_text(references))
    return [_as_entry(row) for row in connection.execute(wanted)]


def _matches_of(connection: Connection, contributions: Sequence[int]) -> list[Entry]:
    """Matches in force of contributions."""
    if not contributions:
        return []
    table = ledger_entry.c
    wanted = _entries().where(table.kind == EntryKind.MATCH, table.contribution_id == _any_id(contributions))
    found = (_as_entry(row) for row in connection.execute(wanted.order_by(table.id)))
    return [entry for entry in found if entry.reversed_by is None]


def _left(connection: Connection, commitments: Collection[int]) -> dict[int, int]:
    """What is left of commitments, in cents."""
    if not commitments:
        return {}
    held = text(
        "SELECT e.of, sum(p.amount_cents) FROM ("
        "SELECT id AS of, id FROM unnest(cast(:ids AS bigint[])) AS c(id) UNION ALL"
        " SELECT commitment_id, id FROM ledger_entry WHERE commitment_id = any(:ids)) e"
        " JOIN ledger_posting p ON p.entry_id = e.id AND p.account = 'committed' GROUP BY e.of"
    )
    return {row[0]: int(row[1]) for row in connection.execute(held, {"ids": list(commitments)})}


def _matched_by_year(connection: Connection, years: Collection[int]) -> dict[int, int]:
    """What contributions of each year are matched with, in cents, whenever that was posted."""
    if not years:
        return {}
    contribution = ledger_entry.alias("contribution")
    year = extract("year", contribution.c.day)
    wanted = (
        select(year, -func.sum(ledger_posting.c.amount_cents))
        .join(ledger_entry, ledger_entry.c.id == ledger_posting.c.entry_id)
        .join(contribution, contribution.c.id == ledger_entry.c.contribution_id)
        .where(
            ledger_posting.c.account == Account.DEPARTEMENT,
            contribution.c.day.between(date(min(years), 1, 1), date(max(years), 12, 31)),
        )
        .group_by(year)
    )
    return {int(row[0]): int(row[1]) for row in connection.execute(wanted)}


def _sums(connection: Connection, key: ColumnElement[Any], year: int | None) -> list[Line]:
    """One line for each value of a column of entries, by value; those without one last."""
    table = ledger_posting.c

    def of(*accounts: Account) -> ColumnElement[Any]:
        return func.coalesce(func.sum(table.amount_cents).filter(table.account.in_(accounts)), 0)

    # Of the two postings of an entry, one is above 0: what is due counts once.
    due = func.coalesce(func.sum(ledger_entry.c.due_cents).filter(table.amount_cents > 0), 0)
    wanted = (
        select(
            key,
            -of(Account.PARTNERS),
            -of(Account.DEPARTEMENT),
            due + of(Account.DEPARTEMENT),
            of(Account.COMMITTED, Account.PAID),
            of(Account.PAID),
            of(Account.AVAILABLE),
            func.bool_or(ledger_entry.c.fictif),
        )
        .join(ledger_entry, ledger_entry.c.id == table.entry_id)
        .where(*_of_year(year))
        .group_by(key)
    )
    lines = []
    for value, *cents, fictif in connection.execute(wanted):
        name = UNPLACED if value is None else str(value)
        sums = dict(zip(MEASURES, map(int, cents), strict=True))
        lines.append(Line(name, name, fictif=fictif, **sums))
    return sorted(lines, key=lambda line: (line.key == UNPLACED, line.key))


def _carried(connection: Connection, lines: Iterable[Line], year: int | None) -> list[Line]:
    """Lines by year with what was available at the end of each."""
    held = 0
    if year is not None:
        before = select(func.coalesce(func.sum(ledger_posting.c.amount_cents), 0)).join(
            ledger_entry, ledger_entry.c.id == ledger_posting.c.entry_id
        )
        earlier = before.where(
            ledger_posting.c.account == Account.AVAILABLE, ledger_entry.c.day < date(year, 1, 1)
        )
        held = int(connection.execute(earlier).scalar_one())
    carried = []
    for line in lines:
        held += line.available_cents
        carried.append(replace(line, available_cents=held))
    return carried


def _names(connection: Connection, by: By) -> dict[str, str]:
    if by is By.PARTNER:
        return {known.code: known.name for known in partners.list_(connection)}
    if by is By.LEVEL:
        return {level.value: level.label for level in Level}
    return {}


def _population(territory: Territory | None) -> int | None:
    return None if territory is None else sum(commune.population for commune in territory.communes)


def _any_text(values: Iterable[str]) -> ColumnElement[Any]:
    return func.any(literal(list(values), ARRAY(Text)))


def _any_id(values: Iterable[int]) -> ColumnElement[Any]:
    return func.any(literal(list(values), ARRAY(BigInteger)))


def _of_year(year: int | None) -> list[ColumnElement[bool]]:
    if year is None:
        return []
    return [ledger_entry.c.day.between(date(year, 1, 1), date(year, 12, 31))]


def _as_entry(row: Row[Any]) -> Entry:
    values = {field.name: getattr(row, field.name) for field in fields(Entry)}
    return Entry(
        **{
            **values,
            "kind": EntryKind(row.kind),
            "level": None if row.level is None else Level(row.level),
            "source": Account(row.source),
            "destination": Account(row.destination),
        }
    )


def _draft_of(entry: Entry) -> _Draft:
    return _Draft(**{field.name: getattr(entry, field.name) for field in fields(_Draft)})


# --- refusals


def _require_open(closed: date | None, day: date, reference: str) -> None:
    if closed is not None and day <= closed:
        raise ClosedPeriod(
            f"Les comptes sont clos jusqu'au {closed:%d/%m/%Y} : rien n'y entre plus au {day:%d/%m/%Y}"
            f" ({reference}).",
            "Donnez un jour postérieur à la clôture.",
        )


def _too_early(reference: str, day: date) -> InvalidParameter:
    return InvalidParameter(
        f"L'écriture « {reference} » précède celle dont elle dépend, du {day:%d/%m/%Y}.",
        "Donnez un jour égal ou postérieur.",
        parameter="day",
    )


def _duplicate(reference: str) -> DuplicateReference:
    return DuplicateReference(
        f"La référence « {reference} » désigne déjà une autre écriture.",
        "Donnez une autre référence ; pour corriger l'écriture, annulez-la d'abord.",
    )


def _unknown(reference: str, what: str = "écriture") -> UnknownEntry:
    which = "Aucun" if what == "engagement" else "Aucune"
    return UnknownEntry(
        f"{which} {what} ne porte la référence « {reference} ».", "Vérifiez-la dans le grand livre."
    )
