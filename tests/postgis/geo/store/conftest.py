"""Fixtures of the store's tests."""

from __future__ import annotations

import pytest

from geo.store import passes
from tests.support.pass_store import A, add_partners, funded


@pytest.fixture
def ordered(connection):
    add_partners(connection)
    assert passes.order(connection, A, "moi")
    return connection


@pytest.fixture
def books(ordered):
    return funded(ordered)
