"""Queue of long computations: asked, claimed by one runner at a time, followed, cancelled.

A job is identified by its question, the version of the data and the version of Portée: the same question
again finds the same job, and a finished one answers at once. Each heartbeat of a runner must quote the
date of the previous one (`Claim`), so that a runner notices when its job was cancelled, or given to
another runner.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Text, Update, cast, delete, func, literal, null, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert

import geo
from geo.errors import TooManyJobs, UnknownJob
from geo.store.tables import job as table

LOCK: Final = 47_0003
"""Key of the advisory lock for queueing a job, which makes the count of the queue exact."""

QUEUED_MAX: Final = 20
"""How many jobs may wait; one more is refused."""

STALLED_S: Final = 30.0
"""Seconds without a heartbeat after which a running job is given to another runner."""

KEPT_DAYS: Final = 30
"""Days for which an ended job is kept, and answers the same question at once."""

_MESSAGE_MAX: Final = 500


class JobState(StrEnum):
    """State of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


_GOING: Final = (JobState.QUEUED.value, JobState.RUNNING.value)


@dataclass(frozen=True, slots=True)
class Job:
    """A job and its progress.

    `progress` goes from 0 to 1; `message` is what is being done, or why the job failed, in a sentence for
    readers; `result` is set for a finished job only.
    """

    id: str
    kind: str
    question: Any
    snapshot_version: int
    state: JobState
    progress: float
    message: str
    result: Any
    asked_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that a runner has claimed, with the date of its last heartbeat."""

    id: str
    kind: str
    question: Any
    seen_at: datetime


def identifier(kind: str, question: Any, snapshot_version: int) -> str:
    """Return the identifier of the job for a question: the same for the same question, in any order.

    Parameters
    ----------
    question
        A JSON value; the order of members of objects does not matter.
    """
    asked = [kind, question, snapshot_version, geo.__version__]
    canonical = json.dumps(asked, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]


def ask(connection: Connection, kind: str, question: Any, snapshot_version: int) -> str:
    """Queue a question unless it is queued, running or answered already; return its job's identifier.

    A failed or cancelled job is queued again.

    Raises
    ------
    TooManyJobs
        If `QUEUED_MAX` jobs wait already, and this one would have to.
    """
    job_id = identifier(kind, question, snapshot_version)
    if _stands(connection, job_id):
        return job_id
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    if _stands(connection, job_id):
        return job_id
    waiting = select(func.count()).select_from(table).where(table.c.state == JobState.QUEUED)
    if connection.execute(waiting).scalar_one() >= QUEUED_MAX:
        raise TooManyJobs(
            f"{QUEUED_MAX} calculs attendent déjà leur tour.",
            "Attendez qu'un d'eux soit fini, ou annulez-en un.",
        )
    values = {
        "state": JobState.QUEUED.value,
        "progress": 0.0,
        "message": "",
        "asked_at": func.clock_timestamp(),
        "seen_at": None,
        "ended_at": None,
    }
    queued = insert(table).values(
        id=job_id, kind=kind, question=question, snapshot_version=snapshot_version, **values
    )
    connection.execute(queued.on_conflict_do_update(index_elements=[table.c.id], set_=values))
    return job_id


def find(connection: Connection, job_id: str) -> Job:
    """Return the job that has an identifier.

    Raises
    ------
    UnknownJob
        If none has, or it was deleted.
    """
    row = connection.execute(select(table).where(table.c.id == job_id)).one_or_none()
    if row is None:
        raise _unknown(job_id)
    return Job(
        row.id,
        row.kind,
        row.question,
        row.snapshot_version,
        JobState(row.state),
        row.progress,
        row.message,
        row.result,
        row.asked_at,
        row.ended_at,
    )


def cancel(connection: Connection, job_id: str) -> None:
    """Cancel a queued or running job; its runner, if any, then stops. An ended job is not changed.

    Raises
    ------
    UnknownJob
        If none has this identifier.
    """
    going = update(table).where(table.c.id == job_id, table.c.state.in_(_GOING))
    ended = going.values(state=JobState.CANCELLED, message="", ended_at=func.clock_timestamp())
    if not connection.execute(ended).rowcount and not _is_known(connection, job_id):
        raise _unknown(job_id)


def claim(connection: Connection, kinds: Collection[str]) -> Claim | None:
    """Claim the job of these kinds that has waited longest; return None if none waits.

    Concurrent claims get different jobs.
    """
    first = (
        select(table.c.id)
        .where(table.c.state == JobState.QUEUED, table.c.kind.in_(list(kinds)))
        .order_by(table.c.asked_at, table.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    taken = (
        update(table)
        .where(table.c.id == first.scalar_subquery())
        .values(state=JobState.RUNNING, seen_at=func.clock_timestamp(), progress=0.0, message="")
        .returning(table.c.id, table.c.kind, table.c.question, table.c.seen_at)
    )
    row = connection.execute(taken).one_or_none()
    return None if row is None else Claim(row.id, row.kind, row.question, row.seen_at)


def is_claimed(connection: Connection, held: Claim) -> bool:
    """Return whether a claim still holds: the job was neither cancelled nor given to another runner."""
    mine = select(table.c.id).where(
        table.c.id == held.id, table.c.state == JobState.RUNNING, table.c.seen_at == held.seen_at
    )
    return connection.execute(mine).one_or_none() is not None


def progress(connection: Connection, held: Claim, fraction: float, message: str) -> Claim | None:
    """Send a heartbeat, with the progress of the job (0 to 1) and what it is doing.

    Returns
    -------
    The claim to use from now on; None if the claim was lost: the runner must stop.
    """
    heartbeat = (
        _held(held)
        .values(
            # Never the same date twice: it distinguishes this claim from the previous one.
            seen_at=func.greatest(func.clock_timestamp(), table.c.seen_at + timedelta(microseconds=1)),
            progress=min(max(0.0, fraction), 1.0),  # in this order, NaN is 0
            message=_storable(message),
        )
        .returning(table.c.seen_at)
    )
    seen_at = connection.execute(heartbeat).scalar_one_or_none()
    return None if seen_at is None else replace(held, seen_at=seen_at)


def finish(connection: Connection, held: Claim, result: str) -> bool:
    """Store the result of a job, given as JSON text; return False if the claim was lost."""
    done = _held(held).values(
        state=JobState.DONE,
        progress=1.0,
        message="",
        result=cast(literal(result, Text), JSONB),
        ended_at=func.clock_timestamp(),
    )
    return connection.execute(done).rowcount == 1


def fail(connection: Connection, held: Claim, message: str) -> bool:
    """Mark a job as failed, with the reason; return False if the claim was lost."""
    failed = _held(held).values(
        state=JobState.FAILED, message=_storable(message), ended_at=func.clock_timestamp()
    )
    return connection.execute(failed).rowcount == 1


def give_back(connection: Connection, held: Claim) -> bool:
    """Queue a job again that its runner cannot finish; return False if the claim was lost."""
    return connection.execute(_held(held).values(_waiting())).rowcount == 1


def queue_stalled(connection: Connection, *, after_s: float = STALLED_S) -> int:
    """Queue again the running jobs without a heartbeat for `after_s` seconds; return how many."""
    since = func.clock_timestamp() - timedelta(seconds=after_s)
    stalled = update(table).where(table.c.state == JobState.RUNNING, table.c.seen_at < since)
    return connection.execute(stalled.values(_waiting())).rowcount


def forget_old(connection: Connection, *, days: float = KEPT_DAYS) -> int:
    """Delete the jobs that ended more than `days` days ago; return how many."""
    since = func.clock_timestamp() - timedelta(days=days)
    return connection.execute(delete(table).where(table.c.ended_at < since)).rowcount


def _stands(connection: Connection, job_id: str) -> bool:
    """Return whether a job is queued, running or done: there is nothing to queue."""
    state = connection.scalar(select(table.c.state).where(table.c.id == job_id))
    return state in (*_GOING, JobState.DONE)


def _is_known(connection: Connection, job_id: str) -> bool:
    return connection.scalar(select(table.c.id).where(table.c.id == job_id)) is not None


def _held(held: Claim) -> Update:
    mine = (table.c.id == held.id, table.c.state == JobState.RUNNING, table.c.seen_at == held.seen_at)
    return update(table).where(*mine)


def _waiting() -> Mapping[str, Any]:
    return {"state": JobState.QUEUED.value, "progress": 0.0, "message": "", "seen_at": null()}


def _storable(message: str) -> str:
    """Replace characters of a message that PostgreSQL cannot store."""
    return message[:_MESSAGE_MAX].replace("\x00", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode()


def _unknown(job_id: str) -> UnknownJob:
    return UnknownJob(
        f"Aucun calcul ne porte l'identifiant « {job_id} ».",
        "Il a pu être oublié : posez de nouveau la question.",
    )
