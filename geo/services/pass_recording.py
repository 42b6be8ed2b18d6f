"""Recording events of passes, with the payment of reimbursements."""

from __future__ import annotations

from collections.abc import Sequence

from geo.errors import RefusedPasses
from geo.funding.passes import Event
from geo.store import passes
from geo.store.database import Connection
from geo.store.passes import Recorded, paid_from


def record_events(
    connection: Connection, events: Sequence[Event], *, actor: str, commitment: str | None = None
) -> Recorded:
    """Record events, all or none; events already recorded with the same content change nothing.

    Parameters
    ----------
    commitment
        Reference of the commitment of the fund that pays reimbursements.

    Raises
    ------
    RefusedPasses
        If an event contradicts the saved ones; the message gives its index, from 0.
    UnknownEntry
        If there is no such commitment.
    """
    post = paid_from(commitment, actor) if commitment is not None else None
    try:
        return passes.record(connection, events, actor, post)
    except RefusedPasses as problem:
        rank = next((r for r, e in enumerate(events) if e.reference == problem.reference), None)
        if rank is None:
            raise
        raise RefusedPasses(
            f"Événement {rank} : {problem.message}", problem.advice, reference=problem.reference
        ) from None
