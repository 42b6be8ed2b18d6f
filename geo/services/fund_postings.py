"""Postings to the fund's ledger: what was posted, with its match and the new balance."""

from __future__ import annotations

from dataclasses import dataclass

from geo.errors import UnknownEntry
from geo.funding.ledger import Balance, Entry, Order
from geo.funding.posting import match_reference
from geo.store import ledger
from geo.store.database import Connection


@dataclass(frozen=True, slots=True)
class Posted:
    """A posted entry.

    Attributes
    ----------
    match
        The Département's match posted with a contribution, or reversed with it; None otherwise.
    balance
        Balance of the fund after the posting.
    new
        False if the same order had been posted already.
    """

    entry: Entry
    match: Entry | None
    balance: Balance
    new: bool


def post(connection: Connection, order: Order, *, actor: str) -> Posted:
    """Post an order; posting the same one again changes nothing.

    Raises
    ------
    PorteeError
        As `geo.store.ledger.post`.
    """
    # Posting nothing takes the writers' lock: whether the reference is new still holds afterwards.
    ledger.post_all(connection, (), actor=actor)
    new = find_entry(connection, order.reference) is None
    ledger.post(connection, order, actor=actor)
    return Posted(
        entry=ledger.find(connection, order.reference),
        match=find_entry(connection, match_reference(order.reference)),
        balance=ledger.balance(connection),
        new=new,
    )


def find_entry(connection: Connection, reference: str) -> Entry | None:
    """Return the entry with a reference, or None."""
    try:
        return ledger.find(connection, reference)
    except UnknownEntry:
        return None
