"""Tokens: shown once, stored as a digest, active until they expire or are revoked."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from geo.errors import UnknownToken
from geo.store import tokens
from geo.store.tokens import Scope
from portee.cli import app


def test_a_secret_identifies_its_token(connection):
    token, secret = tokens.create(connection, "Service", [Scope.SCENARIOS], days=30)
    assert secret.startswith("portee_") and len(secret) > 40
    assert tokens.verify(connection, secret, Scope.SCENARIOS) == token
    assert token.expires_at is not None
    assert token.expires_at - token.created_at - timedelta(days=30) < timedelta(seconds=1)


def test_two_tokens_have_two_secrets(connection):
    (one, first), (other, second) = (
        tokens.create(connection, "Service", [Scope.SCENARIOS]) for _ in range(2)
    )
    assert first != second
    assert tokens.verify(connection, second, Scope.SCENARIOS) == other != one


def test_the_secret_is_not_stored(connection):
    _, secret = tokens.create(connection, "Service", [Scope.SCENARIOS])
    kept = str(connection.execute(text("SELECT * FROM token")).all())
    assert secret not in kept and secret.removeprefix("portee_") not in kept


@pytest.mark.parametrize("change", [str.upper, str.strip, "{} ".format, lambda s: s[:-1], lambda _: ""])
def test_any_other_text_is_not_a_secret(connection, change):
    _, secret = tokens.create(connection, "Service", [Scope.SCENARIOS])
    found = tokens.verify(connection, change(secret), Scope.SCENARIOS)
    assert (found is not None) == (change(secret) == secret)


@pytest.mark.parametrize("said", ["\x00", "\udcff", "portee_é", "x" * 100_000])
def test_any_text_may_be_tried(connection, said):
    assert tokens.verify(connection, said, Scope.SCENARIOS) is None


def test_a_token_without_the_scope_is_refused(connection):
    _, secret = tokens.create(connection, "Service", [])
    assert tokens.verify(connection, secret, Scope.SCENARIOS) is None


def test_an_expired_token_is_refused(connection):
    token, secret = tokens.create(connection, "Service", [Scope.SCENARIOS], days=1)
    aged = text("UPDATE token SET expires_at = expires_at - interval '24 hours 1 second' WHERE id = :id")
    connection.execute(aged, {"id": token.id})
    assert tokens.verify(connection, secret, Scope.SCENARIOS) is None


def test_a_revoked_token_is_refused_for_good(connection):
    token, secret = tokens.create(connection, "Service", [Scope.SCENARIOS])
    revoked = tokens.revoke(connection, token.id)
    assert revoked.revoked_at is not None
    assert tokens.verify(connection, secret, Scope.SCENARIOS) is None
    assert tokens.revoke(connection, token.id) == revoked
    with pytest.raises(UnknownToken, match=str(token.id + 1)):
        tokens.revoke(connection, token.id + 1)


# --- the commands


@pytest.fixture
def portee(database_url, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(app, ["token", *map(str, arguments)])


def test_a_token_is_created_printed_listed_and_revoked(portee, fresh_engine):
    made = portee("create", "Bureau d'études", "--scope", "scenarios", "--days", 10)
    assert made.exit_code == 0, made.output
    secret = made.stdout.splitlines()[0]
    with fresh_engine.connect() as connection:
        assert tokens.verify(connection, secret, Scope.SCENARIOS)
    (listed,) = json.loads(portee("list", "--json").stdout)
    assert (listed["name"], listed["scopes"]) == ("Bureau d'études", ["scenarios"])
    assert secret not in portee("list").stdout and "valide jusqu'au" in portee("list").stdout
    assert portee("revoke", listed["id"]).exit_code == 0
    assert "révoqué" in portee("list").stdout
    with fresh_engine.connect() as connection:
        assert tokens.verify(connection, secret, Scope.SCENARIOS) is None


def test_the_secret_is_in_the_json_of_the_token_made(portee, fresh_engine):
    made = json.loads(portee("create", "Service", "--scope", "scenarios", "--json").stdout)
    with fresh_engine.connect() as connection:
        found = tokens.verify(connection, made["secret"], Scope.SCENARIOS)
    assert found is not None and found.id == made["id"]


def test_what_is_not_known_is_refused(portee):
    assert portee("create", "Service", "--scope", "everything").exit_code == 2
    assert portee("create", "Service").exit_code == 2
    refused = portee("revoke", 7)
    assert (refused.exit_code, "number 7" in refused.stderr) == (1, True)
