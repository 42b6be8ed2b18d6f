"""Posting rules of the fund: what an order writes in the ledger, or why it is refused. No database.

`geo.store.ledger` loads a `LedgerState` under the ledger's lock, passes it orders one at a time (`post`,
`try_post`) and writes the drafts they add. Each order sees those before it; a refused one adds nothing.

INVARIANTS, whatever the orders:

- every draft moves a positive sum from one account to another: money is neither created nor lost;
- what is available, and what remains of each commitment, is never below 0;
- a contribution is never matched beyond what its rule's rate adds, nor a year beyond its ceiling;
- an entry is reversed at most once, by its exact mirror.

The triggers of the database check them again (`geo/store/sql/ledger_guards.sql`). The rules are those of
docs/fund.md; double-entry postings and reversal instead of correction are usual accounting practice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from geo.errors import (
    AlreadyReversed,
    ClosedPeriod,
    DuplicateReference,
    InsufficientFunds,
    InvalidParameter,
    NoRule,
    PorteeError,
    UnknownEntry,
)
from geo.funding import match_rule, money
from geo.funding.ledger import (
    MOVES,
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
from geo.funding.ledger_state import Draft, LedgerState
from geo.funding.match_rule import MatchRule, rule_on
from geo.funding.partners import unknown_partner
from geo.wording import dates, figures


def references(orders: Iterable[Order]) -> set[str]:
    """Return the references of entries that a state must hold, if they exist, to post some orders."""
    named = set()
    for order in orders:
        named.add(order.reference)
        match order:
            case Contribution():
                named.add(match_reference(order.reference))
            case Release() | Payment():
                named.add(order.commitment)
            case Reversal():
                named |= {match_reference(order.reference), order.reverses}
    return named


def count_new_entries(orders: Iterable[Order], state: LedgerState) -> int:
    """Return how many entries some orders add to a state at most: matches and their reversals included."""
    most = sum(map(len, state.matches.values()))
    for order in orders:
        # A contribution comes with its match; so may one of these orders that a later one reverses.
        twofold = isinstance(order, Contribution) or (
            isinstance(order, Reversal) and order.reverses not in state.by_reference
        )
        most += 2 if twofold else 1
    return most


def try_post(state: LedgerState, order: Order) -> int | PorteeError:
    """Post one order; return the number of its entry, or why it is refused."""
    try:
        return post(state, order)
    except PorteeError as refusal:
        return refusal


def post(state: LedgerState, order: Order) -> int:
    """Post one order: add its drafts to the state, and return the number of its entry.

    The very same order again adds nothing, and returns the number of the entry already there.

    Raises
    ------
    PorteeError
        As `geo.store.ledger.post`; the state is then unchanged.
    """
    draft = _draft(state, order)
    if known := state.by_reference.get(order.reference):
        id_, before = known
        # What was due is the rule's to say, not the order's.
        if replace(before, due_cents=None) != replace(draft, due_cents=None):
            raise duplicate_reference(order.reference)
        return id_
    if not order.reference.strip():
        raise InvalidParameter(
            "L'écriture n'a pas de référence.", "Donnez-lui-en une, unique.", parameter="reference"
        )
    money.checked(draft.amount_cents)
    require_open(state.closed_until, order.day, order.reference)
    partner_code = getattr(order, "partner_code", None)
    if partner_code is not None and partner_code not in state.partners:
        raise unknown_partner(partner_code)
    match order:
        case Contribution():
            return _post_contribution(state, draft)
        case Commitment():
            _require_available(state, draft)
            return state.add(draft)
        case Release() | Payment():
            _require_remaining(state, draft, order.commitment)
            return state.add(draft)
        case Reversal():
            return _post_reversal(state, draft, order)


def settle(
    contributions: Iterable[tuple[Entry, int]],
    rule: MatchRule | None,
    matched_cents: int,
    *,
    day: date,
    reference: str,
) -> list[Draft]:
    """Match what a ceiling withheld from contributions of one year, as far as there is room now.

    Parameters
    ----------
    contributions
        Of the year, each with its unmatched remainder in cents. Served by day, then number; those
        reversed, or received after `day`, are left out.
    rule
        As `settling_rule` returns it; None: nothing is matched.
    matched_cents
        What contributions of the year are matched with already.
    reference
        Drafts are named by it with `/1`, `/2`… after it.

    Returns
    -------
    Matches to write, all on `day`.
    """
    drafts: list[Draft] = []
    if rule is None:
        return drafts
    for entry, unmatched_cents in sorted(contributions, key=lambda each: (each[0].day, each[0].id)):
        if entry.day > day or entry.reversed_by is not None:
            continue
        cents = match_rule.within(unmatched_cents, rule.room(matched_cents))
        if cents > 0:
            numbered = f"{reference}/{len(drafts) + 1}"
            drafts.append(_match_draft(entry.id, entry, cents, day=day, reference=numbered))
            matched_cents += cents
    return drafts


def settling_rule(rules: Iterable[MatchRule], year: int, day: date) -> MatchRule | None:
    """Return the rule to settle a year by: in effect on `day`, or at the end of the year if earlier."""
    return rule_on(rules, min(day, date(year, 12, 31)))


def require_open(closed_until: date | None, day: date, reference: str) -> None:
    """Refuse a day of a closed period.

    Raises
    ------
    ClosedPeriod
        If the day is `closed_until` or earlier.
    """
    if closed_until is not None and day <= closed_until:
        raise ClosedPeriod(
            f"Les comptes sont clos jusqu'au {dates.long_date(closed_until)} : rien n'y entre plus au "
            f"{dates.long_date(day)} ({reference}).",
            "Donnez un jour postérieur à la clôture.",
        )


def require_closable(until: date, *, closed_until: date | None, today: date) -> None:
    """Refuse to close days that are closed already, or still to come.

    Raises
    ------
    ClosedPeriod
        If all days to `until` are closed already.
    InvalidParameter
        If `until` is after today.
    """
    if closed_until is not None and until <= closed_until:
        raise ClosedPeriod(
            f"Les comptes sont déjà clos jusqu'au {dates.long_date(closed_until)}.",
            "Une clôture ne se défait pas.",
        )
    if until > today:
        raise InvalidParameter(
            f"Le {dates.long_date(until)} n'est pas encore passé.",
            "Une clôture ne se défait pas : attendez la fin de la période.",
            parameter="until",
        )


def match_reference(reference: str) -> str:
    """Return the reference of the match posted with a contribution, or undone with its reversal."""
    return f"{reference}/abondement"


def duplicate_reference(reference: str) -> DuplicateReference:
    """Return the error for a reference that another entry has."""
    return DuplicateReference(
        f"La référence « {reference} » désigne déjà une autre écriture.",
        "Donnez une autre référence ; pour corriger l'écriture, annulez-la d'abord.",
    )


def unknown_entry(reference: str, what: str = "écriture") -> UnknownEntry:
    """Return the error for a reference that no entry (or no commitment) has."""
    which = "Aucun" if what == "engagement" else "Aucune"
    return UnknownEntry(
        f"{which} {what} ne porte la référence « {reference} ».", "Vérifiez-la dans le grand livre."
    )


# --- orders as drafts


def _draft(state: LedgerState, order: Order) -> Draft:
    match order:
        case Contribution():
            return _moving(
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
            return _moving(
                EntryKind.COMMITMENT,
                order,
                partner_code=order.partner_code,
                action_line=order.action_line,
                commune=order.commune,
                site_id=order.site_id,
            )
        case Release():
            id_, commitment = _commitment(state, order)
            return _moving(EntryKind.RELEASE, order, commitment_id=id_, **_purpose(commitment))
        case Payment():
            id_, commitment = _commitment(state, order)
            # A payment may name its own partner, commune and site; else they are the commitment's.
            own = {name: getattr(order, name) for name in ("partner_code", "commune", "site_id")}
            purpose = {name: own.get(name) or value for name, value in _purpose(commitment).items()}
            return _moving(EntryKind.PAYMENT, order, commitment_id=id_, **purpose)
        case Reversal():
            if order.reverses not in state.by_reference:
                raise unknown_entry(order.reverses)
            id_, original = state.by_reference[order.reverses]
            return _mirror(id_, original, order.day, order.reference, order.memo)


def _commitment(state: LedgerState, order: Release | Payment) -> tuple[int, Draft]:
    """Return the commitment that an order draws on, and its number."""
    id_, commitment = state.by_reference.get(order.commitment, (0, None))
    if commitment is None or commitment.kind is not EntryKind.COMMITMENT:
        raise unknown_entry(order.commitment, "engagement")
    if order.day < commitment.day:
        raise _too_early(order.reference, commitment.day)
    return id_, commitment


def _purpose(commitment: Draft) -> Mapping[str, str | None]:
    names = ("partner_code", "action_line", "commune", "site_id")
    return {name: getattr(commitment, name) for name in names}


def _moving(kind: EntryKind, order: Contribution | Commitment | Release | Payment, **named: Any) -> Draft:
    """Return a draft that moves an order's sum between the two accounts of a kind."""
    source, destination = MOVES[kind]
    return Draft(
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


def _match_draft(id_: int, contribution: Draft | Entry, cents: int, *, day: date, reference: str) -> Draft:
    source, destination = MOVES[EntryKind.MATCH]
    return Draft(
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


def _mirror(id_: int, original: Draft, day: date, reference: str, memo: str) -> Draft:
    """Return the reversal of an entry: the same sum, between the same accounts, the other way round."""
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


# --- what orders add


def _post_contribution(state: LedgerState, draft: Draft) -> int:
    """Add a contribution, and what the rule of its day matches it with under the year's ceiling."""
    rule = state.rule_on(draft.day)
    if rule is None:
        raise NoRule(
            f"Aucune règle d'abondement n'est en vigueur le {dates.long_date(draft.day)} "
            f"({draft.reference}).",
            "Enregistrez-la : portee fund rule set",
        )
    year = draft.day.year
    due = rule.due(draft.amount_cents)
    matched = match_rule.within(due, rule.room(state.matched_cents.get(year, 0)))
    reference = match_reference(draft.reference)
    _require_free(state, reference)
    draft.due_cents = due
    id_ = state.add(draft)
    if matched:
        state.matched_cents[year] = state.matched_cents.get(year, 0) + matched
        match_id = state.add(_match_draft(id_, draft, matched, day=draft.day, reference=reference))
        state.matches.setdefault(id_, []).append(match_id)
    return id_


def _post_reversal(state: LedgerState, draft: Draft, order: Reversal) -> int:
    """Add the reversal of an entry; of a contribution, with the reversals of its matches."""
    id_ = draft.reverses or 0
    original = state.by_id[id_]
    if original.kind in (EntryKind.REVERSAL, EntryKind.MATCH):
        what = "un abondement" if original.kind is EntryKind.MATCH else "une annulation"
        raise AlreadyReversed(
            f"L'écriture « {order.reverses} » est {what} : elle ne s'annule pas seule.",
            "Enregistrez de nouveau l'écriture annulée, ou annulez la contribution abondée.",
        )
    if id_ in state.reversed_ids:
        raise AlreadyReversed(
            f"L'écriture « {order.reverses} » est déjà annulée.", "Une annulation ne se fait qu'une fois."
        )
    if order.day < original.day:
        raise _too_early(order.reference, original.day)
    matches = state.matches.get(id_, [])  # none is reversed: a match is only reversed with its contribution
    matched = sum(state.by_id[match].amount_cents for match in matches)
    # A reversal takes back from where the money went: it must still be there.
    if original.kind is EntryKind.CONTRIBUTION:
        _require_available(state, replace(draft, amount_cents=original.amount_cents + matched))
    elif original.kind is EntryKind.COMMITMENT:
        _require_remaining(state, draft, order.reverses)
    elif original.kind is EntryKind.RELEASE:
        _require_available(state, draft)
    first = match_reference(order.reference)
    _require_free(state, first)
    if original.kind is EntryKind.CONTRIBUTION:
        # Room comes back in the year of the contribution, whenever it is reversed.
        year = original.day.year
        state.matched_cents[year] = state.matched_cents.get(year, 0) - matched
    reversal = state.add(draft)
    for rank, match in enumerate(matches, start=1):
        reference = first if rank == 1 else f"{first}/{rank}"
        memo = f"Abondement de {order.reverses}"
        state.add(_mirror(match, state.by_id[match], order.day, reference, memo))
    return reversal


# --- refusals


def _require_available(state: LedgerState, draft: Draft) -> None:
    if draft.amount_cents > state.available_cents:
        raise InsufficientFunds(
            f"Il reste {figures.euros(state.available_cents)} disponibles dans le fonds : "
            f"{figures.euros(draft.amount_cents)} ne peuvent pas en sortir ({draft.reference}).",
            "Diminuez le montant, dégagez un engagement ou attendez une contribution.",
        )


def _require_remaining(state: LedgerState, draft: Draft, commitment: str) -> None:
    remaining = state.remaining_cents[draft.commitment_id or 0]
    if draft.amount_cents > remaining:
        raise InsufficientFunds(
            f"Il reste {figures.euros(remaining)} sur l'engagement « {commitment} » : "
            f"{figures.euros(draft.amount_cents)} ne peuvent pas en sortir ({draft.reference}).",
            "Diminuez le montant, ou engagez d'abord ce qui manque.",
        )


def _require_free(state: LedgerState, reference: str) -> None:
    if reference in state.by_reference:
        raise duplicate_reference(reference)


def _too_early(reference: str, day: date) -> InvalidParameter:
    return InvalidParameter(
        f"L'écriture « {reference} » précède celle dont elle dépend, du {dates.long_date(day)}.",
        "Donnez un jour égal ou postérieur.",
        parameter="day",
    )
