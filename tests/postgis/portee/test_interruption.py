"""Ctrl-C in the middle of a transaction: one line, exit code 130, nothing stored."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from sqlalchemy import text

from geo.settings import ROOT
from geo.store import partners, snapshots, territories
from tests.support.world import TERRITORY

pytestmark = pytest.mark.postgis

WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.mark.parametrize(("language", "line"), [("fr", "Interrompu.\n"), ("en", "Interrupted.\n")])
def test_an_interrupted_command_rolls_back(language, line, fresh_engine, database_url):
    with fresh_engine.begin() as connection:
        territories.save(connection, TERRITORY)
        snapshots.publish(connection)
    with fresh_engine.connect() as lock:
        # The audit line is written after the partner itself: the command waits with half its work done.
        lock.execute(text("LOCK TABLE audit IN ACCESS EXCLUSIVE MODE"))
        command = subprocess.Popen(
            [
                *(sys.executable, "-m", "portee", "partners", "add", "caf-47"),
                *("--name", "CAF", "--kind", "public"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": database_url, "PORTEE_LANG": language},
        )
        limit = time.monotonic() + 90
        with fresh_engine.connect() as watch:
            while not watch.scalar(WAITING) and time.monotonic() < limit:
                watch.rollback()
                time.sleep(0.05)
        command.send_signal(signal.SIGINT)
        output, errors = command.communicate(timeout=60)
        lock.rollback()
    assert (command.returncode, output, errors) == (130, "", line)
    with fresh_engine.connect() as connection:
        assert partners.list_(connection) == []
