"""The runner of long computations: claims jobs one at a time, and runs each in a process of its own.

A process, because a solver can't be interrupted inside ours; a new interpreter, because ours has
threads and open connections that a copy would share, and `multiprocessing` would import all of the
program again for each job. A runner that dies takes its process with it, and leaves its job to
another. How to add a kind of job: docs/jobs.md.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection, Pipe, wait
from subprocess import DEVNULL
from subprocess import Popen as Process
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from geo.errors import OperatorError
from geo.services.job_process import BROKEN, JobOutcome, Kind
from geo.store import jobs
from geo.wording import figures

log = logging.getLogger(__name__)

POLL_S: Final = 0.25
"""Seconds between two looks: for a job to run, and at the one that runs."""

TIME_LIMIT_S: Final = 1_800.0
"""Seconds a job may run."""

KILLED: Final = "Le calcul s'est arrêté net, sans doute faute de mémoire."

_HOUSEKEEPING_S = 3_600.0
_RETRY_S = 2.0


class JobRunner:
    """Runs the jobs of some kinds, one at a time; several runners share one queue.

    Parameters
    ----------
    kinds
        Kind of job → the computation that answers it; jobs of other kinds are left to others.
    poll_s
        Seconds between two looks; a cancelled job ends within about as long.
    stalled_s
        Seconds without a sign of life after which another runner's job is taken over.
    time_limit_s
        Seconds a job may run.
    """

    def __init__(
        self,
        engine: Engine,
        kinds: Mapping[str, Kind],
        *,
        poll_s: float = POLL_S,
        stalled_s: float = jobs.STALLED_S,
        time_limit_s: float = TIME_LIMIT_S,
    ) -> None:
        self._engine = engine
        self._kinds = dict(kinds)
        self._poll_s = poll_s
        self._stalled_s = stalled_s
        self._time_limit_s = time_limit_s
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._tidied = -_HOUSEKEEPING_S

    def start(self) -> None:
        """Begin to claim and run jobs, in a thread, until `stop`."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._follow, name="portee-jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop within moments; a job that runs is ended, and left to another runner."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _follow(self) -> None:
        while not self._stopping.is_set():
            try:
                claimed = self._claim()
                if claimed is not None:
                    self._run(claimed)
                pause = self._poll_s if claimed is None else 0
            except (OperatorError, DBAPIError) as problem:
                log.warning("No job can be had: %s", problem)
                pause = _RETRY_S
            except Exception:
                # Whatever it is, the thread must live on: later jobs wait for it.
                log.exception("A job could not be run")
                pause = _RETRY_S
            self._stopping.wait(pause)

    def _claim(self) -> jobs.Claim | None:
        with self._engine.begin() as connection:
            if time.monotonic() - self._tidied > _HOUSEKEEPING_S:
                jobs.forget_old(connection)
                self._tidied = time.monotonic()
            jobs.queue_stalled(connection, after_s=self._stalled_s)
            return jobs.claim(connection, self._kinds.keys())

    def _run(self, claimed: jobs.Claim) -> None:
        """Run a job to its end: done, failed, no longer ours, or given back because we stop."""
        followed = _RunningJob(self._engine, claimed, sign_of_life_s=self._stalled_s / 6)
        try:
            with _started(self._kinds[claimed.kind], claimed.question) as (process, pipe):
                outcome = self._watch(process, pipe, followed)
        except Exception:
            log.exception("Job %s could not be run", claimed.id)
            outcome = JobOutcome(failure=BROKEN)
        if outcome is not None:
            self._keep(followed, outcome)

    def _watch(self, process: Process[bytes], pipe: Connection, followed: _RunningJob) -> JobOutcome | None:
        """Follow a process until it ends, or must; None when the job is not ours to end."""
        deadline = time.monotonic() + self._time_limit_s
        while not self._stopping.is_set():
            look = time.monotonic() + self._poll_s
            while (left := look - time.monotonic()) > 0 and wait([pipe], left):
                try:
                    message = pipe.recv()
                except (EOFError, OSError):
                    log.error("Job %s: its process ended with code %s", followed.claim.id, process.wait())
                    return JobOutcome(failure=KILLED)
                if isinstance(message, JobOutcome):
                    if message.trace:
                        log.error("Job %s failed: %s", followed.claim.id, message.trace)
                    return message
                followed.progress = message
            if time.monotonic() > deadline:
                limit = f"Le calcul a dépassé la durée permise ({figures.duration(self._time_limit_s)})."
                return JobOutcome(failure=limit)
            if not followed.look():
                return None
        followed.give_back()
        return None

    def _keep(self, followed: _RunningJob, outcome: JobOutcome) -> None:
        """Store the outcome of a job as soon as the database answers."""
        while True:
            try:
                with self._engine.begin() as connection:
                    if outcome.result is None:
                        jobs.fail(connection, followed.claim, outcome.failure)
                    else:
                        jobs.finish(connection, followed.claim, outcome.result)
            except OperatorError as problem:
                log.warning("Job %s: how it ended can't be kept yet: %s", followed.claim.id, problem)
                if self._stopping.wait(_RETRY_S):
                    return
            except DBAPIError:
                if outcome.result is None:
                    raise
                log.exception("Job %s: the database refuses its result", followed.claim.id)
                outcome = JobOutcome(failure=BROKEN)
            else:
                return


class _RunningJob:
    """A running job: its last progress, and the progress the database knows."""

    def __init__(self, engine: Engine, claim: jobs.Claim, *, sign_of_life_s: float) -> None:
        self._engine = engine
        self._sign_of_life_s = sign_of_life_s
        self.claim = claim
        self.progress = self._known = (0.0, "")
        self._seen = time.monotonic()

    def look(self) -> bool:
        """Store the progress of the job; return False when it is no longer claimed by this runner.

        While the database is away the job goes on: whether it is still ours is known afterwards.
        """
        try:
            with self._engine.begin() as connection:
                if self.progress == self._known and time.monotonic() - self._seen < self._sign_of_life_s:
                    return jobs.is_claimed(connection, self.claim)
                held = jobs.progress(connection, self.claim, *self.progress)
        except (OperatorError, DBAPIError) as problem:
            log.warning("Job %s: its progress cannot be stored: %s", self.claim.id, problem)
            return True
        if held is None:
            return False
        self.claim, self._known, self._seen = held, self.progress, time.monotonic()
        return True

    def give_back(self) -> None:
        """Leave the job to another runner; if the database is away, its silence will."""
        try:
            with self._engine.begin() as connection:
                jobs.give_back(connection, self.claim)
        except (OperatorError, DBAPIError) as problem:
            log.warning("Job %s: it cannot be given back: %s", self.claim.id, problem)


@contextmanager
def _started(kind: Kind, question: Any) -> Iterator[tuple[Process[bytes], Connection]]:
    """Start the process of a job, with a pipe to it; both are closed afterwards."""
    ours, theirs = Pipe()
    fd = theirs.fileno()
    begin = f"import sys; sys.path[:] = {sys.path!r}; from geo.services.job_process import main; main({fd})"
    with ours:
        with theirs:
            process = Process([sys.executable, "-c", begin], pass_fds=[fd], stdin=DEVNULL)
        try:
            ours.send((kind, question))
            yield process, ours
        finally:
            process.kill()
            process.wait()
