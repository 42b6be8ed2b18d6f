"""The ledger in memory, as far as posting needs it, and the entries that posting adds to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import date

from geo.funding.ledger import Account, Entry, EntryKind, Level
from geo.funding.match_rule import MatchRule, rule_on


@dataclass(slots=True)
class Draft:
    """An entry to write: everything but its number, author and time. Not changed once it is in a state."""

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


@dataclass(slots=True)
class LedgerState:
    """What posting must know of the ledger; kept up to date as orders are posted.

    It may be limited to what `references` of the orders at hand name.

    Attributes
    ----------
    ids
        Numbers for new entries.
    available_cents
        Balance of the account `available`.
    remaining_cents
        By number of a commitment: what is neither paid nor released of it.
    matched_cents
        By year: what contributions of the year are matched with.
    matches
        By number of a contribution: numbers of its matches.
    closed_until
        Last closed day; None: every day is open.
    drafts
        Entries to write, with their numbers, in the order they were posted.
    """

    ids: Iterator[int]
    rules: Sequence[MatchRule] = ()
    partners: frozenset[str] = frozenset()
    closed_until: date | None = None
    available_cents: int = 0
    remaining_cents: dict[int, int] = field(default_factory=dict)
    matched_cents: dict[int, int] = field(default_factory=dict)
    by_reference: dict[str, tuple[int, Draft]] = field(default_factory=dict)
    by_id: dict[int, Draft] = field(default_factory=dict)
    matches: dict[int, list[int]] = field(default_factory=dict)
    reversed_ids: set[int] = field(default_factory=set)
    drafts: list[tuple[int, Draft]] = field(default_factory=list)
    _rule_by_day: dict[date, MatchRule | None] = field(default_factory=dict)

    def load(self, entry: Entry) -> None:
        """Add an entry that the ledger holds already; balances are not changed. Idempotent."""
        if entry.id in self.by_id:
            return
        draft = draft_of(entry)
        self.by_reference[entry.reference] = entry.id, draft
        self.by_id[entry.id] = draft
        if entry.reversed_by is not None:
            self.reversed_ids.add(entry.id)
        if entry.kind is EntryKind.MATCH:
            self.matches.setdefault(entry.contribution_id or 0, []).append(entry.id)

    def add(self, draft: Draft) -> int:
        """Number a draft that was checked, keep it to be written, and update the balances."""
        id_ = next(self.ids)
        self.drafts.append((id_, draft))
        self.by_reference[draft.reference] = (id_, draft)
        self.by_id[id_] = draft
        if draft.reverses is not None:
            self.reversed_ids.add(draft.reverses)
        commitment = id_ if draft.kind is EntryKind.COMMITMENT else draft.commitment_id
        for account, cents in ((draft.source, -draft.amount_cents), (draft.destination, draft.amount_cents)):
            if account is Account.AVAILABLE:
                self.available_cents += cents
            elif account is Account.COMMITTED and commitment is not None:
                self.remaining_cents[commitment] = self.remaining_cents.get(commitment, 0) + cents
        return id_

    def rule_on(self, day: date) -> MatchRule | None:
        """Return the match rule in effect on a day; None before the first. Cached by day."""
        if day not in self._rule_by_day:
            self._rule_by_day[day] = rule_on(self.rules, day)
        return self._rule_by_day[day]


def draft_of(entry: Entry) -> Draft:
    """Return an entry of the ledger as the draft that wrote it."""
    return Draft(**{each.name: getattr(entry, each.name) for each in fields(Draft)})
