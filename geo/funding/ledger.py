"""Orders, entries and accounts of the fund's ledger.

Every entry moves money between two accounts, so that its postings sum to 0:

==============  ==============  ============
entry           from            to
==============  ==============  ============
contribution    partners        available
match           departement     available
commitment      available       committed
release         committed       available
payment         committed       paid
reversal        as the entry it reverses, the other way round
==============  ==============  ============

`partners` and `departement` are negative: what came from them; `available` and `committed` never are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Account(StrEnum):
    """An account: where money of the fund is, or comes from."""

    PARTNERS = "partners"
    DEPARTEMENT = "departement"
    AVAILABLE = "available"
    COMMITTED = "committed"
    PAID = "paid"


class EntryKind(StrEnum):
    """Kind of an entry."""

    CONTRIBUTION = "contribution"
    MATCH = "match"
    COMMITMENT = "commitment"
    RELEASE = "release"
    PAYMENT = "payment"
    REVERSAL = "reversal"

    @property
    def label(self) -> str:
        """The French word shown to readers."""
        return _LABELS[self]


_LABELS = {
    EntryKind.CONTRIBUTION: "contribution",
    EntryKind.MATCH: "abondement",
    EntryKind.COMMITMENT: "engagement",
    EntryKind.RELEASE: "dégagement",
    EntryKind.PAYMENT: "paiement",
    EntryKind.REVERSAL: "annulation",
}

MOVES = {
    EntryKind.CONTRIBUTION: (Account.PARTNERS, Account.AVAILABLE),
    EntryKind.MATCH: (Account.DEPARTEMENT, Account.AVAILABLE),
    EntryKind.COMMITMENT: (Account.AVAILABLE, Account.COMMITTED),
    EntryKind.RELEASE: (Account.COMMITTED, Account.AVAILABLE),
    EntryKind.PAYMENT: (Account.COMMITTED, Account.PAID),
}
"""Accounts that an entry takes money from, and moves it to."""


class Level(StrEnum):
    """Source of a contribution's money."""

    LOCAL = "local"
    NATIONAL = "national"
    EUROPEAN = "european"

    @property
    def label(self) -> str:
        """The French word shown to readers."""
        return {"local": "local", "national": "national", "european": "européen"}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """Money received from a partner on a day; the Département's match is posted with it."""

    reference: str
    day: date
    amount_cents: int
    partner_code: str
    level: Level
    commune: str | None = None
    memo: str = ""
    fictif: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """Money set aside for an action line; optionally for a partner, a commune or a site."""

    reference: str
    day: date
    amount_cents: int
    action_line: str
    partner_code: str | None = None
    commune: str | None = None
    site_id: str | None = None
    memo: str = ""
    fictif: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Part of a commitment, named by its reference, that will not be paid: it is available again."""

    reference: str
    day: date
    amount_cents: int
    commitment: str
    memo: str = ""
    fictif: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money paid out of a commitment, named by its reference.

    Partner, commune and site default to those of the commitment.
    """

    reference: str
    day: date
    amount_cents: int
    commitment: str
    partner_code: str | None = None
    commune: str | None = None
    site_id: str | None = None
    memo: str = ""
    fictif: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """Reversal of an entry, named by its reference; of a contribution, with all its matches."""

    reference: str
    day: date
    reverses: str
    memo: str = ""


Order = Contribution | Commitment | Release | Payment | Reversal
"""Anything that can be posted."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the ledger.

    `amount_cents` is what moves from account `source` to account `destination`, always positive.
    `due_cents`: of a contribution, what the rate adds to it, regardless of the ceiling. `commitment_id`: of
    a release, a payment or their reversal, the commitment. `contribution_id`: of a match, or of the reversal
    of a match or a contribution, the contribution. `reversed_by`: the entry that reverses this one.
    """

    id: int
    kind: EntryKind
    day: date
    reference: str
    amount_cents: int
    source: Account
    destination: Account
    partner_code: str | None
    level: Level | None
    action_line: str | None
    commune: str | None
    site_id: str | None
    due_cents: int | None
    commitment_id: int | None
    contribution_id: int | None
    reverses: int | None
    reversed_by: int | None
    memo: str
    actor: str
    fictif: bool
    posted_at: datetime


@dataclass(frozen=True, slots=True)
class Balance:
    """Balance of all accounts, in cents: `contributed + matched == available + committed + paid`.

    `committed_cents` is set aside and not yet paid.
    """

    contributed_cents: int
    matched_cents: int
    available_cents: int
    committed_cents: int
    paid_cents: int
