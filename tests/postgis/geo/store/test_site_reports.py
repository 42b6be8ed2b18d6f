"""Reports of readers in a real PostGIS: kept, listed, closed, and forgotten in time."""

from __future__ import annotations

import json
import logging

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from starlette.testclient import TestClient
from typer.testing import CliRunner

from api.app import create_app
from geo.errors import UnknownReport
from geo.store import reports
from geo.store.reports import MESSAGE_MAX, ReportSubject
from portee.cli import app
from tests.postgis.geo.store.test_snapshot_watcher import fill
from tests.postgis.geo.store.test_store import same_place, store
from tests.support import world


def add(connection, **changes):
    told = {
        "site_id": "essai--a",
        "site_name": "Lieu fictif",
        "subject": ReportSubject.HORAIRES,
        "message": "Fermé le mardi",
        "email": "moi@exemple.fr",
    }
    return reports.add(connection, **{**told, **changes})


def age(connection, column, days):
    connection.execute(
        text(f"UPDATE site_report SET {column} = {column} - make_interval(days => :d)"), {"d": days}
    )


def test_a_report_is_listed_until_it_is_closed(connection):
    first, second = add(connection), add(connection, site_id="essai--b", subject=ReportSubject.FERME)
    assert reports.list_(connection) == [first, second]
    assert reports.list_(connection, site_id="essai--b") == [second]
    assert reports.find(connection, first.id) == first
    closed = reports.close(connection, first.id, outcome="Corrigé dans le fichier")
    assert reports.list_(connection) == [second]
    assert reports.list_(connection, closed=True) == [closed]
    assert (closed.outcome, closed.email, closed.message) == ("Corrigé dans le fichier", "", "Fermé le mardi")


def test_reports_of_a_site_include_those_of_the_sites_merged_with_it(connection):
    store(connection, *(world.record(name, 5) for name in "abc"))
    first, second, other = (add(connection, site_id=f"essai--{name}") for name in "abc")
    same_place(connection, "essai--a", "essai--b")
    for site_id in ("essai--a", "essai--b"):
        assert reports.list_(connection, site_id=site_id) == [first, second]
    assert reports.list_(connection, site_id="essai--c") == [other]


def test_closing_again_changes_nothing(connection):
    report = add(connection)
    closed = reports.close(connection, report.id, outcome="Fait")
    assert reports.close(connection, report.id, outcome="Refait") == closed


@pytest.mark.parametrize("act", [reports.find, reports.close])
def test_an_unknown_report_is_refused(connection, act):
    with pytest.raises(UnknownReport, match="numéro 12"):
        act(connection, 12)


def test_open_reports_are_counted_by_subject(connection):
    add(connection)
    add(connection)
    reports.close(connection, add(connection, subject=ReportSubject.AUTRE).id)
    assert reports.counts(connection) == {
        "telephone": 0,
        "horaires": 2,
        "adresse": 0,
        "ferme": 0,
        "autre": 0,
    }


@pytest.mark.parametrize(("days", "kept"), [(179, "moi@exemple.fr"), (181, "")])
def test_an_e_mail_address_is_erased_after_half_a_year(connection, days, kept):
    report = add(connection)
    age(connection, "received_at", days)
    add(connection, email="")  # any later report forgets for the others
    assert reports.find(connection, report.id).email == kept


@pytest.mark.parametrize(("days", "left"), [(364, 1), (366, 0)])
def test_a_closed_report_is_deleted_after_a_year(connection, days, left):
    reports.close(connection, add(connection).id)
    age(connection, "closed_at", days)
    assert len(reports.list_(connection, closed=True)) == left


def test_the_table_refuses_an_e_mail_address_in_a_closed_report(connection):
    add(connection)
    with pytest.raises(IntegrityError, match="site_report_erased_check"):
        connection.execute(text("UPDATE site_report SET closed_at = now()"))


def test_the_table_has_no_data_about_the_sender_but_the_address(connection):
    columns = text("SELECT column_name FROM information_schema.columns WHERE table_name = 'site_report'")
    assert set(connection.scalars(columns)) == {
        *("id", "received_at", "site_id", "site_name", "subject", "message", "email"),
        *("closed_at", "outcome"),
    }


# ---- Over HTTP


@pytest.fixture
def client(fresh_engine, fresh_settings):
    fill(fresh_engine, world.record("a", 5, nom="Lieu fictif"))
    with TestClient(create_app(fresh_settings), base_url="http://portee.test") as client:
        yield client


def send(client, **fields):
    return client.post("/lieux/essai--a/signaler?ou=Ici", data=fields, follow_redirects=False)


def test_a_readers_message_is_stored_exactly(client, fresh_engine, caplog):
    hostile = "<script>alert(1)</script> ${x} {{ 7*7 }}\nligne 2 – 👩🏽‍💻 l'été " + "é" * 900
    with caplog.at_level(logging.DEBUG):
        response = send(client, quoi="autre", message=hostile, courriel="moi@exemple.fr")
    assert response.status_code == 303
    assert response.headers["location"] == "/lieux/essai--a?ou=Ici&signale=1#merci"
    with fresh_engine.connect() as connection:
        (kept,) = reports.list_(connection)
    assert (kept.site_id, kept.site_name, kept.subject) == ("essai--a", "Lieu fictif", ReportSubject.AUTRE)
    assert (kept.message, kept.email) == (hostile, "moi@exemple.fr")
    for told in ("moi@exemple.fr", "ligne 2"):
        assert told not in caplog.text
    thanks = client.get(response.headers["location"])
    assert "Merci, votre message est enregistré." in thanks.text
    assert thanks.headers["cache-control"] == "private, no-cache"


def test_who_came_without_a_search_goes_back_to_the_bare_page(client):
    sent = client.post("/lieux/essai--a/signaler", data={"quoi": "ferme"}, follow_redirects=False)
    assert sent.headers["location"] == "/lieux/essai--a?signale=1#merci"


def test_the_longest_message_is_stored_and_a_longer_one_refused(client, fresh_engine):
    assert send(client, quoi="autre", message="x" * MESSAGE_MAX).status_code == 303
    assert send(client, quoi="autre", message="x" * (MESSAGE_MAX + 1)).status_code == 422
    with fresh_engine.connect() as connection:
        assert len(reports.list_(connection)) == 1


@pytest.mark.parametrize("fields", [{"quoi": "autre"}, {"quoi": "ferme", "suite": "robot"}])
def test_a_form_with_a_mistake_stores_nothing(client, fresh_engine, fields):
    assert send(client, **fields).status_code == 422
    with fresh_engine.connect() as connection:
        assert reports.list_(connection) == []


# ---- Commands


@pytest.fixture
def run(database_url, monkeypatch, tmp_path, fresh_engine):
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("PORTEE_HOME", str(tmp_path))

    def command(*arguments):
        return CliRunner().invoke(app, ["reports", *arguments])

    return command


def test_staff_list_read_and_close_reports(run, fresh_engine):
    with fresh_engine.begin() as connection:
        report = add(connection, message="Fermé\n\x1b[31mle mardi")
    listed = run("list")
    assert listed.exit_code == 0, listed.output
    assert "horaires  Lieu fictif\n1 signalement à traiter.\nhoraires : 1.\n" in listed.output
    shown = run("show", str(report.id))
    assert "moi@exemple.fr" in shown.output
    assert "\x1b" not in shown.output
    assert json.loads(run("show", str(report.id), "--json").output)["message"] == report.message
    closed = run("close", str(report.id), "--outcome", "Corrigé")
    assert "ne contient plus d'adresse électronique" in closed.output
    assert "0 signalement à traiter." in run("list").output
    (kept,) = json.loads(run("list", "--closed", "--site", "essai--a", "--json").output)
    assert (kept["outcome"], kept["email"]) == ("Corrigé", "")


def test_an_unknown_number_is_refused(run):
    for verb in ("show", "close"):
        refused = run(verb, "7")
        assert refused.exit_code == 1
        assert "Aucun signalement ne porte le numéro 7." in refused.stderr
