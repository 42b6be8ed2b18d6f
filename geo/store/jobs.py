"""Long computations as jobs: asked, claimed by one runner at a time, followed, cancelled, kept.

A job is identified by what it asks, over which version of the data, by which version of Portée:
the same question again finds the same job, and a done one answers at once. Every sign of life a
runner gives bears the date of the one before it, so that a job cancelled, or given to another
runner meanwhile, cannot be taken for one's own (`Claim`).
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
"""Key of the advisory lock that those who queue a job wait for: the count of the queue is exact."""

QUEUED_MAX: Final = 20
"""Jobs that may wait at once; one more is refused."""

STALLED_S: Final = 30.0
"""Seconds without a sign of life after which a running job is given to another runner."""

KEPT_DAYS: Final = 30
"""Days an ended job is kept, and answers the same question at once."""

_MESSAGE_MAX: Final = 500


class JobState(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


_GOING: Final = (JobState.QUEUED.value, JobState.RUNNING.value)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands.

    `progress` goes from 0 to 1; `message` says what is being done or, of a failed one, why in a
    sentence for readers; `result` is what the computation gave, of a done one only.
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
    """A job in the hands of a runner, as of its last sign of life."""

    id: str
    kind: str
    question: Any
    seen_at: datetime


def identifier(kind: str, question: Any, snapshot_version: int) -> str:
    """Identifier of the job a question makes: the same for the same question, however it is ordered.

    Parameters
    ----------
    question
        A JSON value; objects with the same members in another order are the same question.
    """
    asked = [kind, question, snapshot_version, geo.__version__]
    told = json.dumps(asked, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def ask(connection: Connection, kind: str, question: Any, snapshot_version: int) -> str:
    """Queue a question unless it is queued, running or answered already; returns its job's identifier.

    One that failed or was cancelled is queued again.

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
    """The job that bears an identifier.

    Raises
    ------
    UnknownJob
        If none does, or it was forgotten.
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
    """Cancel a job that waits or runs; its runner, if any, then ends it. An ended one stays as it is.

    Raises
    ------
    UnknownJob
        If none bears this identifier.
    """
    going = update(table).where(table.c.id == job_id, table.c.state.in_(_GOING))
    ended = going.values(state=JobState.CANCELLED, message="", ended_at=func.clock_timestamp())
    if not connection.execute(ended).rowcount and not _is_known(connection, job_id):
        raise _unknown(job_id)


def claim(connection: Connection, kinds: Collection[str]) -> Claim | None:
    """Take the job of these kinds that has waited longest; None when none waits.

    Two who claim at once get two jobs.
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
    """Whether a claimed job is still its runner's: neither cancelled nor given to another."""
    mine = select(table.c.id).where(
        table.c.id == held.id, table.c.state == JobState.RUNNING, table.c.seen_at == held.seen_at
    )
    return connection.execute(mine).one_or_none() is not None


def progress(connection: Connection, held: Claim, fraction: float, message: str) -> Claim | None:
    """Give a sign of life, and tell how far the job is (0 to 1) and what it does.

    Returns
    -------
    The claim to go on with; None when the job is no longer its runner's, who then ends it.
    """
    told = (
        _held(held)
        .values(
            # Never the same date twice: it is what tells this claim from one before it.
            seen_at=func.greatest(func.clock_timestamp(), table.c.seen_at + timedelta(microseconds=1)),
            progress=min(max(0.0, fraction), 1.0),  # in this order, NaN is 0
            message=_storable(message),
        )
        .returning(table.c.seen_at)
    )
    seen_at = connection.execute(told).scalar_one_or_none()
    return None if seen_at is None else replace(held, seen_at=seen_at)


def finish(connection: Connection, held: Claim, result: str) -> bool:
    """Keep the result of a job, given as JSON text; False when it is no longer its runner's."""
    done = _held(held).values(
        state=JobState.DONE,
        progress=1.0,
        message="",
        result=cast(literal(result, Text), JSONB),
        ended_at=func.clock_timestamp(),
    )
    return connection.execute(done).rowcount == 1


def fail(connection: Connection, held: Claim, message: str) -> bool:
    """Say why a job has no result; False when it is no longer its runner's."""
    failed = _held(held).values(
        state=JobState.FAILED, message=_storable(message), ended_at=func.clock_timestamp()
    )
    return connection.execute(failed).rowcount == 1


def give_back(connection: Connection, held: Claim) -> bool:
    """Queue a job again that its runner can't go on with; False when it is no longer its runner's."""
    return connection.execute(_held(held).values(_waiting())).rowcount == 1


def queue_stalled(connection: Connection, *, after_s: float = STALLED_S) -> int:
    """Queue again the running jobs that gave no sign of life for so many seconds; tells how many."""
    since = func.clock_timestamp() - timedelta(seconds=after_s)
    stalled = update(table).where(table.c.state == JobState.RUNNING, table.c.seen_at < since)
    return connection.execute(stalled.values(_waiting())).rowcount


def forget_old(connection: Connection, *, days: float = KEPT_DAYS) -> int:
    """Forget the jobs that ended more than so many days ago; tells how many."""
    since = func.clock_timestamp() - timedelta(days=days)
    return connection.execute(delete(table).where(table.c.ended_at < since)).rowcount


def _stands(connection: Connection, job_id: str) -> bool:
    """Whether a job waits, runs or has its answer: there is nothing to queue."""
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
    """A message as PostgreSQL can hold it, whatever it quotes."""
    return message[:_MESSAGE_MAX].replace("\x00", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode()


def _unknown(job_id: str) -> UnknownJob:
    return UnknownJob(
        f"Aucun calcul ne porte l'identifiant « {job_id} ».",
        "Il a pu être oublié : posez de nouveau la question.",
    )
