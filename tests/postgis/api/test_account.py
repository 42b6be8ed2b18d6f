"""The account of a territory over HTTP: figures, sentences, nothing small."""

from __future__ import annotations

from datetime import date

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.funding_schemas import AccountAnswer
from api.schemas import Problem
from geo.funding.ledger import Commitment, Contribution, Level, Payment
from geo.funding.match_rule import MatchRule
from geo.funding.partners import Partner, PartnerKind
from geo.funding.passes import Event, EventKind, Order
from geo.services import accounts
from geo.store import ledger, partners, passes
from tests.postgis.geo.store.test_snapshot_watcher import fill
from tests.support.serving import serving
from tests.support.world import record, site, snapshot

DAY = date(2026, 3, 10)


def address(code, query=""):
    return f"/api/v1/territories/{code}/account?{query}"


@pytest.fixture
def client(fresh_engine, fresh_settings):
    fill(fresh_engine, record("a", 5, pass_numerique=True))
    with fresh_engine.begin() as connection:
        partners.save(connection, Partner("caf", "CAF fictive", PartnerKind.PUBLIC), actor="essai")
        ledger.set_rule(connection, MatchRule(date(2025, 1, 1)), actor="essai")
        ledger.post_all(
            connection,
            [
                Contribution(
                    reference="C1",
                    day=DAY,
                    amount_cents=100_001,
                    partner_code="caf",
                    level=Level.LOCAL,
                    commune="99001",
                ),
                Commitment(reference="E1", day=DAY, amount_cents=90_001, action_line="pass", commune="99004"),
                Payment(reference="P1", day=DAY, amount_cents=10_001, commitment="E1"),
            ],
            actor="essai",
        )
        passes.order(connection, Order("A", DAY, 100, date(2026, 12, 31), (("caf", 100),)), "essai")
        give(connection, "g1", 20, "99001")
        give(connection, "g2", 3, "99002")
    with TestClient(create_app(fresh_settings)) as client:
        yield client


def give(connection, reference, count, commune):
    event = Event(reference, "A", EventKind.GIVEN, DAY, count, commune, "caf")
    passes.record(connection, [event], "essai")


def told(client, code, query="year=2026"):
    response = client.get(address(code, query))
    assert response.status_code == 200, response.text
    return AccountAnswer.model_validate_json(response.content)


def figures(answer):
    return {figure.code: figure for section in answer.sections for figure in section.figures}


def refused(response, status=422):
    assert response.status_code == status, response.text
    return Problem.model_validate(response.json())


def test_an_account_tells_money_passes_and_sentences(client):
    answer = told(client, "99004")
    assert (answer.kind, answer.name, answer.population, answer.year) == ("commune", "Estbourg", 4_000, 2026)
    of = figures(answer)
    assert of["paid_cents"].value == 10_001 and "100,01" in of["paid_cents"].said
    assert all(s.endswith(".") for s in answer.summary) and any("Estbourg" in s for s in answer.summary)
    assert any("100,01" in s for s in answer.summary)
    assert all(f.day and f.source for f in of.values())
    assert "Données de démonstration" in (answer.meta.notice or "") and answer.meta.method


def test_money_is_in_whole_cents_even_by_inhabitant(client):
    for code in ("99004", "99"):
        for figure in figures(told(client, code)).values():
            if figure.unit.startswith("centimes"):
                for value in (figure.value, figure.departement, figure.before):
                    assert value is None or isinstance(value, int)


def test_small_counts_are_withheld_in_figures_and_sentences(client):
    answer = told(client, "99002")
    given = figures(answer)["given"]
    assert given.value is None and "value" in given.withheld
    assert "3 pass" not in " ".join(answer.summary)
    assert figures(told(client, "99"))["given"].value == 23


def test_every_kind_of_territory_has_one(client):
    assert told(client, "99").kind == "departement"
    assert told(client, "9901").kind == "canton"
    assert told(client, "200000001", "kind=epci&year=2026").name == "CC 1"
    assert told(client, "99001", "").year >= 2026
    refused(client.get(address("12345")), 404)
    refused(client.get(address("99001", "kind=epci")), 404)
    problem = refused(client.get(address("99001", "kind=pays&year=1999")))
    assert {e.parameter for e in problem.errors or ()} == {"kind", "year"}


def test_books_are_read_once_until_something_is_written(client, fresh_engine, monkeypatch):
    first = client.get(address("99001", "year=2026"))
    again = {"If-None-Match": first.headers["etag"]}
    assert client.get(address("99001", "year=2026"), headers=again).status_code == 304
    read, calls = accounts.read_account_data, []

    def counted(*asked):
        calls.append(asked[2])
        return read(*asked)

    monkeypatch.setattr(accounts, "read_account_data", counted)
    assert figures(told(client, "99"))["given"].value == 23
    assert calls == []
    with fresh_engine.begin() as connection:
        give(connection, "g3", 30, "99001")
    assert figures(told(client, "99"))["given"].value == 53
    assert calls == [2026]
    assert client.get(address("99001", "year=2026"), headers=again).status_code == 200


def test_without_a_database_nothing_is_told():
    with serving(snapshot(site("a", 5))) as bare:
        refused(bare.get(address("99001")), 503)
        refused(bare.get(address("nowhere")), 404)
