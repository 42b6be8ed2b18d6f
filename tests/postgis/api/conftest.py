"""Fixtures of the API's tests over a real PostGIS."""

from __future__ import annotations

from datetime import date

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from geo.funding.match_rule import MatchRule
from geo.store import ledger, tokens
from geo.store.tokens import Scope
from tests.postgis.geo.store.test_snapshot_watcher import fill
from tests.support.fund_api import PARTNERS
from tests.support.world import record


@pytest.fixture
def bearer(fresh_engine):
    def made(*scopes, name="Bureau du fonds"):
        with fresh_engine.begin() as connection:
            token, secret = tokens.create(connection, name, scopes or tuple(Scope), days=30)
        return token, {"Authorization": f"Bearer {secret}"}

    return made


@pytest.fixture
def fund_client(fresh_engine, fresh_settings):
    fill(fresh_engine, record("a", 5), record("b", 15, "99002"))
    with fresh_engine.begin() as connection:
        ledger.set_rule(connection, MatchRule(date(2025, 1, 1), ceiling_cents=150_000), actor="essai")
    with TestClient(create_app(fresh_settings)) as client:
        yield client


@pytest.fixture
def fund(fund_client, bearer):
    """A client, and the headers of a token with every scope; partner caf is saved."""
    headers = bearer()[1]
    saved = fund_client.put(
        f"{PARTNERS}/caf", json={"name": "CAF fictive", "kind": "public"}, headers=headers
    )
    assert saved.status_code == 201, saved.text
    return fund_client, headers
