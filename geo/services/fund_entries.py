"""Ledger entries that match a filter, and contributions of a partner by year."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from geo.funding.ledger import Entry, EntryKind
from geo.store import ledger
from geo.store.database import Connection
from geo.store.ledger import Received

BATCH: Final = 1_000
"""Entries read at once."""


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries to read.

    Attributes
    ----------
    first, last
        Accounting dates, both included.
    after
        Only entries with a greater id.
    """

    first: date = date.min
    last: date = date.max
    partner_code: str | None = None
    kind: EntryKind | None = None
    after: int = 0


def find_entries(connection: Connection, wanted: EntryFilter, *, limit: int) -> list[Entry]:
    """Return the first entries that match a filter, in posting order.

    The store filters by year: entries are read in batches until enough of them have their date
    between `first` and `last`.
    """
    year = wanted.first.year if wanted.first.year == wanted.last.year else None
    found: list[Entry] = []
    after = wanted.after
    while len(found) < limit:
        batch = ledger.entries(
            connection,
            kind=wanted.kind,
            year=year,
            partner_code=wanted.partner_code,
            after=after,
            limit=BATCH,
        )
        found += [entry for entry in batch if wanted.first <= entry.day <= wanted.last]
        if len(batch) < BATCH:
            break
        after = batch[-1].id
    return found[:limit]


@dataclass(frozen=True, slots=True)
class ContributionYear:
    """Contributions of one partner received in a year, amounts in cents."""

    year: int
    contributions: int
    contributed_cents: int
    matched_cents: int
    unmatched_cents: int


def contributions_by_year(received: Iterable[Received]) -> list[ContributionYear]:
    """Sum contributions by year of receipt, earliest first; reversed ones are excluded."""
    by_year: dict[int, list[Received]] = {}
    for each in received:
        if each.entry.reversed_by is None:
            by_year.setdefault(each.entry.day.year, []).append(each)
    return [
        ContributionYear(
            year=year,
            contributions=len(of_year),
            contributed_cents=sum(each.entry.amount_cents for each in of_year),
            matched_cents=sum(each.matched_cents for each in of_year),
            unmatched_cents=sum(each.unmatched_cents for each in of_year),
        )
        for year, of_year in sorted(by_year.items())
    ]
