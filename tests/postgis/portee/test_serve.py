"""`portee serve` as a process: what its log holds and what it never does, its figures, its workers."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from sqlalchemy import text

from geo.settings import ROOT
from tests.postgis.geo.store.test_snapshot_watcher import eventually, fill
from tests.support import world
from tests.unit.api.test_security_headers import BROWSER

pytestmark = pytest.mark.postgis

SECRETS = (
    *("12 rue de la Paix", "Paix-en-Agenais", "44.20331", "0.61612", "jeanne.dupont@exemple.invalid"),
    *("0553661234", "203.0.113.77", "Navigateur-Curieux"),
)
"""Values in a request that reveal who or where its sender is."""

HEADERS = {
    "X-Forwarded-For": "203.0.113.77",
    "User-Agent": "Navigateur-Curieux/1.0 (12 rue de la Paix)",
    "Referer": "http://127.0.0.1/?q=12 rue de la Paix&lat=44.20331&lon=0.61612",
    "Cookie": "adresse=Paix-en-Agenais",
    "X-Request-ID": "jeanne.dupont@exemple.invalid",
    "Authorization": "Bearer jeanne.dupont@exemple.invalid",
    "Content-Type": "application/json",
}


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Served:
    """A running `portee serve`, and all it has written."""

    def __init__(self, process, port, metrics_port, written):
        self.process, self.port, self.metrics_port, self.written = process, port, metrics_port, written

    def ask(self, path, method="GET", body=None, headers=None, port=None):
        """An answer and its body; a body that is no text is sent in chunks."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=30)
        try:
            # A client that is refused for sending too much may not get to send the rest.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, path, body, headers or {}, encode_chunked=isinstance(body, list))
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def answers(self):
        try:
            return self.ask("/readyz")[0].status == 200
        except OSError:
            return False

    def stop(self):
        """End it as a supervisor does, and say all it wrote."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0
        return self.written.read_text("utf-8")

    def log(self, said):
        """The lines of the log, after those that say where to look."""
        return [json.loads(line) for line in said.splitlines() if not re.match(r"[^{].* : http", line)]


@contextmanager
def served(folder, database_url, *options, **environment):
    port, metrics_port = free_port(), free_port()
    written = folder / "written"
    with written.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "portee", "serve", "--port", str(port), *options]
            + ([f"--metrics-port={metrics_port}"] if "--workers" in options else []),
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": database_url, "TMPDIR": str(folder), **environment},
            stdout=stream,
            stderr=stream,
        )
    running = Served(process, port, metrics_port, written)
    try:
        eventually(running.answers, within_s=90)
        yield running
    finally:
        process.kill()
        process.wait()


def ask_everything(running):
    """Ask with secrets at every place of a request, for every kind of answer; the statuses seen."""
    statuses = []
    queries = "&".join(f"q={quote_plus(secret)}" for secret in SECRETS)
    place = "lat=44.20331&lon=0.61612"
    for path in (
        *(f"/?{queries}", f"/api/v1/sites?{queries}", f"/api/v1/sites?zz={quote(SECRETS[0])}", "/docs"),
        *(f"/api/v1/sites?q={quote(SECRETS[0])}", f"/api/v1/sites/nearest?{place}", f"/planifier?{queries}"),
        *(f"/api/v1/isochrones?{place}&minutes=5", f"/static/api/{quote(SECRETS[0])}", "/healthz"),
        *(f"{start}/{quote(secret)}" for start in ("", "/api/v1/sites", "/lieux") for secret in SECRETS),
        *(f"/api/v1/territories/{quote(SECRETS[0])}", f"/api/v1/partners/{quote(SECRETS[4])}"),
    ):
        for method in ("GET", "HEAD", "POST", "AGENRUEDELAPAIX"):
            sent = json.dumps(SECRETS) if method == "POST" else None
            statuses.append(running.ask(path, method, sent, HEADERS)[0].status)
        statuses.append(running.ask(path, headers={**BROWSER, **HEADERS})[0].status)
    for path in ("/api/v1/scenarios", "/api/v1/siting", "/api/v1/siting?q=" + quote(SECRETS[0])):
        for body in (json.dumps({"name": SECRETS[0]}), SECRETS[4], [SECRETS[0].encode()] * 20_000):
            statuses += [running.ask(path, "POST", body, HEADERS)[0].status]
    for _ in range(4):
        statuses += [running.ask(f"/api/v1/places?q={quote(SECRETS[0])}", headers=HEADERS)[0].status]
    for garbage in (
        b"12 rue de la Paix\r\n\r\n",
        b"GET /?q=12 rue de la Paix HTTP/9\r\n\r\n",
        b"\x16\x03\x01",
    ):
        with socket.create_connection(("127.0.0.1", running.port)) as raw:
            raw.sendall(garbage + b"jeanne.dupont@exemple.invalid\r\n\r\n")
            raw.recv(1_000)
    return set(statuses)


OTHER_TYPE = ("ALTER TABLE partner DROP COLUMN code CASCADE", "ALTER TABLE partner ADD COLUMN code bigint")
"""Statements after which looking for a partner fails, with a message that quotes whom one looked for."""


def break_tables(engine, *statements):
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_address_position_or_person_is_ever_written(form, fresh_engine, database_url, tmp_path):
    fill(fresh_engine, world.record("a", 5))
    environment = {"PORTEE_API_LOG_FORMAT": form, "PORTEE_API_SEARCH_RATE": "2/hour"}
    with served(tmp_path, database_url, **environment) as running:
        seen = ask_everything(running)
        # A fault nobody foresaw, whose message quotes the statement and what was asked.
        break_tables(fresh_engine, *OTHER_TYPE)
        seen |= ask_everything(running)
        said = running.stop()
    assert {200, 400, 404, 405, 413, 422, 429, 500} <= seen
    for secret in SECRETS:
        for written in (secret, quote(secret), quote_plus(secret), json.dumps(secret)[1:-1]):
            assert written.lower() not in said.lower(), written
    for part in ("paix", "agen", "dupont", "curieux", "mozilla", "44.2033", "0.6161"):
        assert part not in re.sub(r"portee[-_]\S+|imagen\w*", "", said.lower()), part


def test_a_request_leaves_one_line_that_names_it(fresh_engine, database_url, tmp_path):
    fill(fresh_engine, world.record("a", 5))
    with served(tmp_path, database_url, PORTEE_API_LOG_FORMAT="auto") as running:
        answers = [
            running.ask(*each)
            for each in (
                ("/api/v1/sites/essai--a?x=1",),
                ("/api/v1/sites/essai--a",),
                ("/api/v1/sites/essai--a", "HEAD"),
                ("/static/api/docs.js",),
                ("/nulle/part", "DELETE"),
                ("/nulle/part", "PROPFIND"),
            )
        ]
        said = running.stop()
    asked = [answer.getheader("X-Request-ID") for answer, _ in answers]
    by_id = {line["request_id"]: line for line in running.log(said) if "request_id" in line}
    lines = [by_id[each] for each in asked]
    template = "/api/v1/sites/{site_id}"
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        ("GET", template, 422),
        ("GET", template, 200),
        ("HEAD", template, 200),
        ("GET", "/static/api/{path}", 200),
        ("DELETE", "-", 404),
        ("-", "-", 404),
    ]
    assert [line["bytes"] for line in lines] == [len(body) for _, body in answers]
    for line in lines:
        assert line.keys() == {
            *("time", "level", "logger", "request_id", "method", "route", "status", "duration_ms", "bytes")
        }
        assert 0 < line["duration_ms"] < 30_000
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["time"])
    assert len(running.log(said)) >= len(asked)  # every line is one object


def test_a_failure_is_told_by_kind_and_place_under_the_id_its_reader_was_given(
    fresh_engine, database_url, tmp_path
):
    fill(fresh_engine, world.record("a", 5))
    with served(tmp_path, database_url) as running:
        break_tables(fresh_engine, *OTHER_TYPE)
        answer, body = running.ask("/api/v1/partners/paix-en-agenais")
        said = running.stop()
    assert answer.status == 500
    assert json.loads(body)["request_id"] == answer.getheader("X-Request-ID")
    told = [line for line in running.log(said) if line.get("request_id") == answer.getheader("X-Request-ID")]
    (failure,) = (line["exception"] for line in told if "exception" in line)
    assert len(told) == 2
    assert "ProgrammingError: (message left out" in failure
    assert "api/partners.py" in failure
    assert "paix" not in said


def figures(running):
    """The samples served to Prometheus, by name and labels."""
    said = running.ask("/metrics", port=running.metrics_port)[1].decode()
    return {
        name: float(value)
        for name, value in (line.rsplit(" ", 1) for line in said.splitlines() if not line.startswith("#"))
    }


def total(samples, start):
    return sum(value for name, value in samples.items() if name.startswith(start))


def test_two_workers_count_together_and_restart_while_they_answer(fresh_engine, database_url, tmp_path):
    fill(fresh_engine, world.record("a", 5))
    options = ("--workers", "2")
    with served(tmp_path, database_url, *options, PORTEE_API_SEARCH_RATE="1/hour") as running:
        for _ in range(40):
            assert running.ask("/api/v1/sites/essai--a")[0].status == 200
        for _ in range(4):
            running.ask("/api/v1/places?q=x")
        running.ask("/nulle/part")
        found = figures(running)
        site = 'route="/api/v1/sites/{site_id}"'
        counted = {n: v for n, v in found.items() if n.startswith("portee_requests_total") and site in n}
        assert counted == {f'portee_requests_total{{method="GET",{site},status="200"}}': 40}
        assert found[f"portee_request_seconds_count{{{site}}}"] == 40
        assert found['portee_requests_total{method="GET",route="-",status="404"}'] >= 1
        # Each of the two workers counts for itself: two or three of the four were refused.
        refused = found['portee_requests_total{method="GET",route="/api/v1/places",status="429"}']
        assert refused in (2, 3)
        assert found["portee_database_up"] == 1
        assert found["portee_snapshot_version"] >= 1
        assert 0 <= found["portee_snapshot_age_seconds"] < 30
        # The public port does not serve them, and theirs listens on the loopback address alone.
        assert running.ask("/metrics")[0].status == 404
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.2", running.metrics_port), 5)

        failed, asked, stopping = [], [0], threading.Event()

        def keep_asking():
            nonlocal failed
            closed = False
            while not stopping.is_set():
                try:
                    status = running.ask("/api/v1/sites/essai--a")[0].status
                except OSError as problem:
                    # A worker that retires may close a connection it has not read yet; the next is answered.
                    failed += [problem] if closed else []
                    closed = True
                    continue
                closed = False
                asked[0] += 1
                failed += [status] if status != 200 else []

        before = workers_of(running.process.pid)
        thread = threading.Thread(target=keep_asking)
        thread.start()
        running.process.send_signal(signal.SIGHUP)
        eventually(lambda: not before & workers_of(running.process.pid), within_s=120)
        stopping.set()
        thread.join()
        assert failed == []
        assert asked[0] > 10
        time.sleep(2.5)
        later = figures(running)
        assert later[f"portee_request_seconds_count{{{site}}}"] == 40 + asked[0]
        assert later["portee_database_up"] == 1
        assert list(tmp_path.glob("portee-metrics-*"))
        running.stop()
    assert not list(tmp_path.glob("portee-metrics-*"))


def workers_of(parent):
    """Processes that answer, started by a process."""
    return {
        int(pid)
        for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii").split()
        if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    }


def test_a_trusted_proxy_says_who_asks_and_how(fresh_engine, database_url, tmp_path):
    fill(fresh_engine, world.record("a", 5))
    environment = {"PORTEE_API_SEARCH_RATE": "1/hour"}

    def asked(running, client):
        headers = {"X-Forwarded-For": client, "X-Forwarded-Proto": "https"}
        return running.ask("/api/v1/places?q=x", headers=headers)[0]

    with served(tmp_path, database_url, **environment) as running:
        one, again, other = (asked(running, each) for each in ("203.0.113.7", "203.0.113.7", "203.0.113.8"))
        assert [each.status == 429 for each in (one, again, other)] == [False, True, False]
        assert one.getheader("Strict-Transport-Security")
        # Whoever writes the first of two names does not hide behind it: the proxy wrote the last.
        assert asked(running, "192.0.2.1, 203.0.113.8").status == 429
    environment["PORTEE_API_TRUSTED_PROXIES"] = '["10.0.0.0/8"]'
    with served(tmp_path, database_url, **environment) as running:
        one, other = (asked(running, each) for each in ("203.0.113.7", "203.0.113.8"))
        assert [each.status == 429 for each in (one, other)] == [False, True]
        assert one.getheader("Strict-Transport-Security") is None
