"""Jobs: one answer for one question, one runner for one job, and nothing left behind.

The computations run in real processes, over a real PostGIS. They write their process number, and
wait where a test asks them to, through the folder that their question names.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

import geo
from geo.errors import TooManyJobs, UnknownJob
from geo.services.job_process import BROKEN, Kind
from geo.services.job_runner import KILLED, JobRunner
from geo.store import jobs
from geo.store.database import open_engine, parse_url
from tests.postgis.geo.store.test_snapshot_watcher import eventually
from tests.support import computations

QUICK = 0.05


KINDS: dict[str, Kind] = {
    "double": computations.double,
    "noted": computations.noted,
    "foreseen": computations.foreseen,
    "unprintable": computations.unprintable,
    "unforeseen": computations.unforeseen,
    "not_json": computations.not_json,
    "not_storable": computations.not_storable,
    "vanishing": computations.vanishing,
    "scaled": partial(computations.scaled, 3),
    "unimportable": lambda question, report: 1,
}


def claimed(connection):
    """The next job that waits; there must be one."""
    found = jobs.claim(connection, ["double"])
    assert found is not None
    return found


def run_until_killed(url):
    """A runner in a process of its own."""
    JobRunner(open_engine(parse_url(url)), KINDS, poll_s=QUICK).start()
    time.sleep(60)


@pytest.fixture
def runner(fresh_engine):
    """Start runners that are stopped when the test ends."""
    started = []

    def start(**options):
        made = JobRunner(fresh_engine, KINDS, poll_s=QUICK, **options)
        made.start()
        started.append(made)
        return made

    yield start
    for each in started:
        each.stop()


@pytest.fixture
def ask(fresh_engine):
    def asked(kind, question=None, version=1):
        with fresh_engine.begin() as connection:
            return jobs.ask(connection, kind, question, version)

    return asked


@pytest.fixture
def job(fresh_engine):
    def found(job_id):
        with fresh_engine.begin() as connection:
            return jobs.find(connection, job_id)

    return found


@pytest.fixture
def ended(job):
    """Wait until a job has ended."""

    def wait(job_id):
        eventually(lambda: job(job_id).ended_at, within_s=20)
        return job(job_id)

    return wait


def runs(folder):
    """Processes that ran the computation `noted`, in order."""
    path = folder / "runs"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def alive(pid):
    """Whether a process lives; one that is dead but not yet reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def cancel(engine, job_id):
    with engine.begin() as connection:
        jobs.cancel(connection, job_id)


# --- the queue


def test_the_same_question_is_the_same_job_until_data_or_version_change(monkeypatch):
    one = jobs.identifier("coverage", {"a": 1, "b": [2]}, 7)
    assert one == jobs.identifier("coverage", {"b": [2], "a": 1}, 7)
    others = {
        jobs.identifier("gaps", {"a": 1, "b": [2]}, 7),
        jobs.identifier("coverage", {"a": 1, "b": [3]}, 7),
        jobs.identifier("coverage", {"a": 1, "b": [2]}, 8),
    }
    monkeypatch.setattr(geo, "__version__", "999")
    others.add(jobs.identifier("coverage", {"a": 1, "b": [2]}, 7))
    assert len(others | {one}) == 5


def test_jobs_are_claimed_in_the_order_they_were_asked(connection):
    asked = [jobs.ask(connection, "double", n, 1) for n in range(3)]
    jobs.ask(connection, "other", 9, 1)
    taken = [jobs.claim(connection, ["double"]) for _ in range(4)]
    assert [claim and claim.id for claim in taken] == [*asked, None]
    assert [claim.question for claim in taken if claim] == [0, 1, 2]


def test_two_who_claim_at_once_get_two_jobs(fresh_engine, ask):
    first, second = ask("double", 1), ask("double", 2)
    with fresh_engine.begin() as one, fresh_engine.begin() as other:
        taken = [jobs.claim(who, ["double"]) for who in (one, other, one)]
    assert [claim and claim.id for claim in taken] == [first, second, None]


def test_a_queue_that_is_full_refuses_only_what_would_wait(connection):
    asked = [jobs.ask(connection, "double", n, 1) for n in range(jobs.QUEUED_MAX)]
    with pytest.raises(TooManyJobs, match="20 calculs attendent"):
        jobs.ask(connection, "double", "one more", 1)
    assert jobs.ask(connection, "double", 3, 1) == asked[3]
    jobs.cancel(connection, asked[0])
    jobs.ask(connection, "double", "one more", 1)


def test_those_who_ask_at_once_do_not_overfill_the_queue(fresh_engine):
    refused = []

    def ask(number):
        with fresh_engine.begin() as connection:
            try:
                jobs.ask(connection, "double", number, 1)
            except TooManyJobs:
                refused.append(number)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(jobs.QUEUED_MAX + 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 5


def test_a_waiting_job_is_cancelled_at_once_and_asked_again(connection):
    job_id = jobs.ask(connection, "double", 1, 1)
    jobs.cancel(connection, job_id)
    assert jobs.find(connection, job_id).state is jobs.JobState.CANCELLED
    assert jobs.claim(connection, ["double"]) is None
    assert jobs.ask(connection, "double", 1, 1) == job_id
    assert jobs.find(connection, job_id).state is jobs.JobState.QUEUED
    assert jobs.claim(connection, ["double"]) is not None


def test_a_done_job_is_not_cancelled(connection):
    job_id = jobs.ask(connection, "double", 1, 1)
    assert jobs.finish(connection, claimed(connection), "[1, null]")
    jobs.cancel(connection, job_id)
    found = jobs.find(connection, job_id)
    assert (found.state, found.result, found.progress) == (jobs.JobState.DONE, [1, None], 1)


def test_an_unknown_job_is_told(connection):
    for asked in (jobs.find, jobs.cancel):
        with pytest.raises(UnknownJob, match="absent"):
            asked(connection, "absent")


def test_whoever_lost_a_job_changes_nothing_of_it(connection):
    """Cancelled and asked again meanwhile, a job belongs to who claimed it last."""
    job_id = jobs.ask(connection, "double", 1, 1)
    lost = claimed(connection)
    jobs.cancel(connection, job_id)
    jobs.ask(connection, "double", 1, 1)
    held = claimed(connection)
    assert not jobs.is_claimed(connection, lost) and jobs.is_claimed(connection, held)
    assert jobs.progress(connection, lost, 0.9, "?") is None
    assert not jobs.finish(connection, lost, "1")
    assert not jobs.fail(connection, lost, "?")
    assert not jobs.give_back(connection, lost)
    told = jobs.progress(connection, held, 0.5, "À moitié")
    assert told is not None
    assert not jobs.is_claimed(connection, held), "a sign of life replaces the one before it"
    assert jobs.finish(connection, told, "2")
    assert jobs.find(connection, job_id).result == 2


def test_a_job_without_sign_of_life_is_queued_again(connection):
    job_id = jobs.ask(connection, "double", 1, 1)
    held = claimed(connection)
    assert jobs.queue_stalled(connection) == 0
    connection.execute(text("UPDATE job SET seen_at = seen_at - interval '31 seconds'"))
    assert jobs.queue_stalled(connection) == 1
    assert jobs.find(connection, job_id).state is jobs.JobState.QUEUED
    assert not jobs.finish(connection, held, "1")


@pytest.mark.parametrize(
    ("told", "kept"), [(0.3, 0.3), (-1, 0), (7, 1), (float("nan"), 0), (float("inf"), 1)]
)
def test_progress_stays_between_0_and_1_whatever_is_told(connection, told, kept):
    job_id = jobs.ask(connection, "double", 1, 1)
    assert jobs.progress(connection, claimed(connection), told, "\x00\udcff") is not None
    assert (jobs.find(connection, job_id).progress, jobs.find(connection, job_id).message) == (kept, "␀?")


def test_ended_jobs_are_forgotten_after_a_month(connection):
    old, recent, going = (jobs.ask(connection, "double", n, 1) for n in range(3))
    for _ in range(2):
        jobs.fail(connection, claimed(connection), "?")
    connection.execute(
        text("UPDATE job SET ended_at = ended_at - interval '31 days' WHERE id = :id"), {"id": old}
    )
    connection.execute(text("UPDATE job SET asked_at = asked_at - interval '31 days'"))
    assert jobs.forget_old(connection) == 1
    with pytest.raises(UnknownJob):
        jobs.find(connection, old)
    assert [jobs.find(connection, each).state for each in (recent, going)] == ["failed", "queued"]


# --- running


def test_a_job_is_run_and_answers_the_same_question_from_then_on(runner, ask, ended, fresh_engine):
    job_id = ask("double", {"number": 21})
    running = runner()
    found = ended(job_id)
    assert (found.state, found.result, found.progress) == (jobs.JobState.DONE, {"double": 42}, 1)
    running.stop()
    assert ask("double", {"number": 21}) == job_id
    with fresh_engine.begin() as connection:
        assert jobs.claim(connection, KINDS) is None, "nothing is left to compute"
    newer = ask("double", {"number": 21}, version=2)
    assert newer != job_id
    runner()
    assert ended(newer).result == {"double": 42}


def test_progress_is_seen_while_a_job_runs(runner, ask, job, ended, tmp_path):
    job_id = ask("noted", {"folder": str(tmp_path)})
    runner()
    eventually(lambda: job(job_id).message == "Un quart", within_s=10)
    assert (job(job_id).state, job(job_id).progress, job(job_id).result) == (
        jobs.JobState.RUNNING,
        0.25,
        None,
    )
    (tmp_path / "go").touch()
    found = ended(job_id)
    assert [found.result] == runs(tmp_path)
    assert found.result != os.getpid()


def test_a_partial_of_a_computation_is_one(runner, ask, ended):
    job_id = ask("scaled", 14)
    runner()
    assert ended(job_id).result == 42


def test_cancelling_ends_the_process_within_a_second(runner, ask, job, ended, fresh_engine, tmp_path):
    job_id = ask("noted", {"folder": str(tmp_path)})
    runner()
    eventually(lambda: runs(tmp_path), within_s=10)
    (pid,) = runs(tmp_path)
    assert alive(pid)
    begun = time.monotonic()
    cancel(fresh_engine, job_id)
    eventually(lambda: not alive(pid), within_s=5)
    assert time.monotonic() - begun < 1
    assert job(job_id).state is jobs.JobState.CANCELLED
    after = ask("double", {"number": 1})
    assert ended(after).result == {"double": 2}, "the runner goes on with the next"


def test_stopping_ends_the_process_and_leaves_the_job_to_another(runner, ask, job, ended, tmp_path):
    job_id = ask("noted", {"folder": str(tmp_path)})
    first = runner()
    eventually(lambda: runs(tmp_path), within_s=10)
    begun = time.monotonic()
    first.stop()
    assert time.monotonic() - begun < 1
    assert not alive(runs(tmp_path)[0])
    assert (job(job_id).state, job(job_id).progress) == (jobs.JobState.QUEUED, 0)
    (tmp_path / "go").touch()
    runner()
    assert ended(job_id).result == runs(tmp_path)[1]


def test_another_runner_takes_over_from_one_that_was_killed(runner, ask, job, ended, database_url, tmp_path):
    job_id = ask("noted", {"folder": str(tmp_path)})
    process = multiprocessing.get_context("spawn").Process(target=run_until_killed, args=(database_url,))
    process.start()
    try:
        eventually(lambda: runs(tmp_path), within_s=20)
    finally:
        process.kill()  # SIGKILL
        process.join()
    eventually(lambda: not alive(runs(tmp_path)[0]), within_s=2)
    assert job(job_id).state is jobs.JobState.RUNNING, "nobody could tell that it is not"
    (tmp_path / "go").touch()
    runner(stalled_s=0.5)
    found = ended(job_id)
    assert [found.result] == runs(tmp_path)[1:]


def test_two_runners_run_each_job_once(runner, ask, ended, tmp_path):
    folders = [tmp_path / str(n) for n in range(5)]
    for folder in folders:
        folder.mkdir()
        (folder / "go").touch()
    asked = [ask("noted", {"folder": str(folder)}) for folder in folders]
    runner(stalled_s=5)
    runner(stalled_s=5)
    assert {ended(job_id).state for job_id in asked} == {jobs.JobState.DONE}
    assert [len(runs(folder)) for folder in folders] == [1] * 5


FAILURES = {
    "foreseen": "Aucun territoire. Cherchez-en un autre.",
    "unprintable": "x␀y" + "z" * 497,
    "unforeseen": BROKEN,
    "not_json": BROKEN,
    "not_storable": BROKEN,
    "vanishing": KILLED,
    "unimportable": BROKEN,
}


def test_a_job_that_fails_says_why_and_the_runner_goes_on(runner, ask, ended, caplog):
    asked = {kind: ask(kind) for kind in FAILURES}
    after = ask("double", {"number": 1})
    runner()
    assert ended(after).state is jobs.JobState.DONE
    found = {kind: ended(job_id) for kind, job_id in asked.items()}
    assert {kind: job.message for kind, job in found.items()} == FAILURES
    assert {(job.state, job.result) for job in found.values()} == {(jobs.JobState.FAILED, None)}
    assert "secret detail" in caplog.text


def test_a_failed_job_is_run_again_when_asked_again(runner, ask, ended):
    job_id = ask("unforeseen")
    runner()
    first = ended(job_id)
    assert ask("unforeseen") == job_id
    eventually(lambda: ended(job_id).ended_at > first.ended_at, within_s=10)


def test_a_job_that_takes_too_long_is_ended(runner, ask, ended, tmp_path):
    job_id = ask("noted", {"folder": str(tmp_path)})
    runner(time_limit_s=2)
    found = ended(job_id)
    assert found.state is jobs.JobState.FAILED
    assert "2 secondes" in found.message
    assert [alive(pid) for pid in runs(tmp_path)] in ([], [False])


def test_a_job_outlives_connections_that_break(runner, ask, ended, fresh_engine, tmp_path):
    job_id = ask("noted", {"folder": str(tmp_path)})
    runner()
    eventually(lambda: runs(tmp_path), within_s=10)
    with fresh_engine.begin() as connection:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        connection.execute(text(f"{others} AND pid <> pg_backend_pid()"))
    (tmp_path / "go").touch()
    assert [ended(job_id).result] == runs(tmp_path)


def test_a_question_that_is_no_json_is_refused(connection):
    with pytest.raises(ValueError, match="JSON"):
        jobs.ask(connection, "double", json.loads("NaN"), 1)
