"""The API over a real PostGIS: followed while it lives, outlived when it goes away."""

from __future__ import annotations

import csv
import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import date

import orjson
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.schemas import ImportAnswer, ImportsAnswer
from geo.services import import_sites
from geo.settings import ROOT, Settings
from geo.store import cluster as embedded
from geo.store import imports, snapshots, territories
from geo.store.database import migrate, open_engine
from tests.conftest import QUICK
from tests.postgis.geo.store.test_snapshot_watcher import eventually, fill
from tests.support import world

pytestmark = pytest.mark.postgis


@pytest.fixture
def client(fresh_engine, fresh_settings):
    fill(fresh_engine, world.record("a", 5))
    with TestClient(create_app(fresh_settings)) as client:
        yield client


def test_a_new_version_is_answered_within_two_seconds(client, fresh_engine):
    tag = client.get("/api/v1/sites").headers["etag"]
    fill(fresh_engine, world.record("a", 5), world.record("b", 15))
    eventually(lambda: client.get("/api/v1/sites").json()["total"] == 2, within_s=2)
    fresh = client.get("/api/v1/sites", headers={"If-None-Match": tag})
    assert fresh.status_code == 200


def test_two_applications_over_one_database_give_one_validator(client, fresh_settings):
    with TestClient(create_app(fresh_settings)) as other:
        assert other.get("/api/v1/sites").headers["etag"] == client.get("/api/v1/sites").headers["etag"]


def test_imports_are_told_with_their_findings_page_by_page(client, fresh_engine, tmp_path):
    path = tmp_path / "fictif.csv"
    columns = "id,pivot,nom,commune,code_postal,code_insee,adresse,date_maj,horaires,telephone"
    rows = [
        f"{n},00000000000000,=Lieu fictif {n},Ouestville,99100,99001,1 rue {n},2026-03-02,jamais,12"
        for n in range(3)
    ]
    path.write_text("\n".join([columns, *rows, "9,,,,,,,,,"]) + "\n", "utf-8")
    with fresh_engine.begin() as connection:
        known = territories.load(connection)
        arrival = import_sites.read(path, territory=known, today=date(2026, 11, 2), max_bytes=10_000)
        import_sites.apply(connection, arrival, territory=known)

    listed = client.get("/api/v1/imports?limit=1").json()
    ImportsAnswer.model_validate(listed)
    run = listed["imports"][0]
    assert run["file_name"] == "fictif.csv"
    assert run["tally"]["read"] == run["tally"]["accepted"] + run["tally"]["rejected"] == 4
    assert [link["rel"] for link in listed["links"]] == ["self", "next"]  # the store's own first run

    seen, pages = [], [f"/api/v1/imports/{run['id']}?limit=2"]
    for address in pages:  # grows as pages link to the next
        page = client.get(address).json()
        ImportAnswer.model_validate(page)
        seen += page["issues"]
        pages += [link["href"] for link in page["links"] if link["rel"] == "next"]
    with fresh_engine.connect() as connection:
        kept = imports.issues(connection, run["id"])
    assert [(i["line"], i["field"], i["reason"]) for i in seen] == [(i.line, i.field, i.reason) for i in kept]
    assert len(seen) > 2

    report = client.get(f"/api/v1/imports/{run['id']}/report.csv")
    assert report.headers["content-type"].startswith("text/csv")
    assert len(list(csv.reader(io.StringIO(report.text, newline="")))) == len(seen) + 1


def test_an_import_nobody_made_is_not_found(client):
    assert client.get("/api/v1/imports/99999").status_code == 404
    assert client.get(f"/api/v1/imports/{2**40}").status_code == 422


def test_the_last_snapshot_outlives_the_database(open_folder):
    cluster = embedded.cluster_at(open_folder / "api-away", options=QUICK)
    embedded.start(cluster)
    engine = open_engine(cluster.url())
    migrate(engine)
    fill(engine, world.record("a", 5))
    engine.dispose()
    url = cluster.url().set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with TestClient(create_app(Settings(database_url=url))) as client:
            assert client.get("/readyz").json()["status"] == "ok"
            assert client.get("/api/v1/imports").status_code == 200
            embedded.stop(cluster)
            eventually(lambda: client.get("/readyz").json()["status"] == "degraded", within_s=3)
            answer = client.get("/api/v1/sites/nearest?commune=99001")
            assert answer.json()["features"][0]["id"] == "essai--a"
            assert "injoignable" in answer.json()["meta"]["stale"]["message"]
            assert int(answer.headers["portee-snapshot-age"]) >= 0
            assert client.get("/healthz").status_code == 200
            away = client.get("/api/v1/imports")
            assert away.status_code == 503
            assert away.headers["content-type"] == "application/problem+json"
            assert str(open_folder) not in away.text
            embedded.start(cluster)
            eventually(lambda: client.get("/readyz").json()["status"] == "ok", within_s=10)
            assert client.get("/api/v1/sites").json()["meta"]["stale"] is None
            assert client.get("/api/v1/imports").status_code == 200
    finally:
        embedded.stop(cluster)


def portee_serve(port, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "portee", "serve", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_serve_prints_where_to_look_answers_there_and_stops(fresh_engine, database_url, port):
    fill(fresh_engine, world.record("a", 5))
    server = portee_serve(port, DATABASE_URL=database_url)
    try:
        told = [server.stderr.readline() for _ in range(3)]
        addresses = re.findall(r"http://127\.0\.0\.1:\d+\S*", "".join(told))
        assert len(addresses) == 3
        eventually(lambda: answered(f"http://127.0.0.1:{port}/readyz"), within_s=60)
        for address in addresses:
            assert answered(address)
        assert orjson.loads(answered(f"http://127.0.0.1:{port}/api/v1/sites"))["total"] == 1
        server.send_signal(signal.SIGINT)
        assert server.wait(10) in (0, 130, -signal.SIGINT)
        assert "Traceback" not in server.stderr.read()
    finally:
        server.kill()
        server.wait()
        server.stderr.close()


def answered(address):
    try:
        with urllib.request.urlopen(address, timeout=10) as response:
            return response.read()
    except urllib.error.URLError:
        return b""


@pytest.mark.parametrize(("code", "expected"), [("en", "does not answer"), ("fr", "ne répond pas")])
def test_serve_without_a_database_says_so_and_ends(port, code, expected):
    began = time.monotonic()
    url = f"postgresql://personne:secret@127.0.0.1:{port}/rien"
    server = portee_serve(port, DATABASE_URL=url, PORTEE_LANG=code)
    _, said = server.communicate(timeout=60)
    assert server.returncode == 3
    assert expected in said
    assert "secret" not in said
    assert "Traceback" not in said
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("en", "Port %s is taken on 127.0.0.1."),
        ("fr", "Le port %s est déjà pris sur 127.0.0.1."),
    ],
)
def test_serve_on_a_taken_port_says_so_and_ends(database_url, code, expected):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = portee_serve(port, DATABASE_URL=database_url, PORTEE_LANG=code)
        _, said = server.communicate(timeout=60)
    assert server.returncode == 3
    assert expected % port in said
    assert f"--port {port + 1}" in said


def test_serve_without_a_territory_says_what_to_run(database_url, port):
    server = portee_serve(port, DATABASE_URL=database_url)
    _, said = server.communicate(timeout=60)
    assert server.returncode == 1
    assert "portee territory load" in said


def test_no_snapshot_is_published_by_serving(client, fresh_engine):
    client.get("/api/v1/sites")
    with fresh_engine.connect() as connection:
        assert snapshots.version(connection) == 1
